"""The construction of a layer's module, once for all the places that it stands for.

`nn.Conv2d(in_channels, 4 * c, 1, bias=False)` stands for the same convolution in every call of its block. Each number
is the expression that the program wrote, or what is known of the entering channels, and is right in every place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cnndsl.emit.layout import Call, Doc, Item, Text
from cnndsl.emit.scope import Mismatch, Scope
from cnndsl.emit.terms import Code, Const, Op, Term, add, floordiv, mul, names, text
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Slot, TorchCall

# What PyTorch takes where a keyword is left away, so that layers with and without it can share a line.
DEFAULTS: Mapping[str, object] = {
    "stride": 1,
    "padding": 0,
    "output_padding": 0,
    "dilation": 1,
    "groups": 1,
    "bias": True,
    "ceil_mode": False,
    "count_include_pad": True,
    "affine": True,
    "eps": 1e-5,
    "momentum": 0.1,
}
_ORDER = ("stride", "padding", "output_padding", "dilation", "groups", "bias")
# The option of the language behind a keyword of another name.
_OPTIONS: Mapping[str, str] = {"padding": "pad"}


@dataclass(frozen=True, slots=True)
class Site:
    """A layer in each of the places that one line stands for; `entering` is the term of the channels that enter."""

    graph: Graph
    nodes: tuple[Node, ...]
    entering: Term | None
    inplace: bool = False
    indices: bool = False
    flat: bool = False

    def calls(self) -> list[TorchCall]:
        """The constructions to be put into one. Raises Mismatch where one of them is none."""
        found = [node.layer.torch(*self.graph.shapes(node)) for node in self.nodes]
        calls = [call for call in found if isinstance(call, TorchCall)]
        if len(calls) < len(found):
            raise Mismatch
        return calls

    def term(self, option: str, scope: Scope) -> Term | None:
        """What is written for an option, where that is the same term in each place."""
        return scope.common(dict(node.written).get(option) for node in self.nodes)

    @property
    def widths(self) -> list[int]:
        """The channels that enter."""
        return [self.graph.shapes(node)[0].channels for node in self.nodes]


@dataclass(frozen=True, slots=True)
class Made:
    """A construction, the channels that leave it, and the names that it uses."""

    doc: Doc
    leaving: Term | None
    uses: frozenset[str]
    helpers: frozenset[str] = frozenset()
    stride: Term | None = None


Ask = Callable[[str, Sequence[object]], Term]
"""Makes a value that no expression gives an argument of the class, called as wished. Raises Mismatch if it cannot."""


def construct(site: Site, scope: Scope, ask: Ask) -> Made:
    """The construction that is right in every frame of the scope. Raises Mismatch where there is none."""
    return _Construction(site, scope, ask).made()


class _Construction:
    def __init__(self, site: Site, scope: Scope, ask: Ask) -> None:
        self.site, self.scope, self.ask = site, scope, ask
        self.calls = site.calls()
        self.terms: dict[str, Term] = {}
        self.uses: set[str] = set()

    def made(self) -> Made:
        calls, first = self.calls, self.calls[0]
        if len({len(call.arguments) for call in calls}) > 1:
            raise Mismatch
        head = self._head()
        items = [Item(self._value(slots)) for slots in zip(*(call.arguments for call in calls), strict=True)]
        items += [Item(doc, f"{keyword}=") for keyword, doc in self._keywords()]
        if self.site.indices:
            items.append(Item(Text("True"), "return_indices="))
        if self.site.inplace and all(call.inplace for call in calls):
            items.append(Item(Text("True"), "inplace="))
        helpers = frozenset({first.name}) if first.helper else frozenset[str]()
        return Made(Call(head, tuple(items)), self._leaving(), frozenset(self.uses), helpers, self.terms.get("stride"))

    def _head(self) -> str:
        """What is called: the same everywhere, or a parameter of the class."""
        called = [call.name for call in self.calls]
        if len(set(called)) == 1:
            return called[0]
        if any(call.helper for call in self.calls):
            raise Mismatch
        term = self.scope.express([Code(name) for name in called])
        self.uses.update(names(term))
        return text(term)

    def _keywords(self) -> Iterator[tuple[str, Doc]]:
        found = dict.fromkeys(keyword for call in self.calls for keyword, _ in call.keywords)
        order = sorted(found, key=lambda keyword: _ORDER.index(keyword) if keyword in _ORDER else len(_ORDER))
        for keyword in order:
            slots = [dict(call.keywords).get(keyword) for call in self.calls]
            role = next((slot.role for slot in slots if isinstance(slot, Slot)), "")
            filled = [
                self._default(call, keyword, role) if slot is None else slot
                for call, slot in zip(self.calls, slots, strict=True)
            ]
            yield keyword, self._value(filled, keyword)

    def _default(self, call: TorchCall, keyword: str, role: str) -> Slot:
        if keyword == "stride" and "Pool" in call.name and isinstance(call.arguments[0], Slot):
            return Slot(call.arguments[0].value, role)
        if keyword not in DEFAULTS:
            raise Mismatch
        return Slot(DEFAULTS[keyword], role)

    def _value(self, slots: Sequence[Slot | TorchCall], keyword: str = "") -> Doc:
        plain = [slot for slot in slots if isinstance(slot, Slot)]
        if len(plain) < len(slots):
            raise Mismatch
        role = next((slot.role for slot in plain if slot.role), "")
        wanted = [slot.value for slot in plain]
        try:
            term = self.scope.express(wanted, *self._candidates(role))
        except Mismatch:
            usual = "padding" if "Pad" in self.calls[0].name else ""
            term = self.ask(keyword or role or usual, wanted)
        if role:
            self.terms[role] = term
        self.uses.update(names(term))
        return Text(_list(term) if role == "extents" else text(term))

    def _candidates(self, role: str) -> Iterator[Term | None]:
        site = self.site
        if role == "in_features":
            if site.flat:
                yield site.entering
            pixels = {site.graph.shapes(node)[0].pixels for node in site.nodes}
            if site.entering is not None and len(pixels) == 1:
                yield mul(Const(pixels.pop()), site.entering)
        elif role == "in_channels":
            yield site.entering
        else:
            option = _OPTIONS.get(role, role)
            yield site.term(option, self.scope)
            if role == "padding":
                yield from self._paddings()
            if role in ("groups", site.nodes[0].layer.WIDTH):
                yield site.entering

    def _paddings(self) -> Iterator[Term]:
        """Half of what the window overlaps: dilation * (kernel - 1) // 2."""
        kernel, dilation = self.terms.get("kernel"), self.site.term("dilation", self.scope)
        if kernel is None or isinstance(kernel, Const):
            if dilation is not None:
                yield dilation
                yield floordiv(mul(dilation, add(kernel or Const(1), Const(-1))), Const(2))
        elif dilation is None:
            yield floordiv(kernel, Const(2))
            yield floordiv(add(kernel, Const(-1)), Const(2))
        else:
            yield Op("//", (mul(dilation, add(kernel, Const(-1))), Const(2)))

    def _leaving(self) -> Term | None:
        nodes = self.site.nodes
        wanted = [node.shape.channels for node in nodes]
        width = self.terms.get(nodes[0].layer.WIDTH)
        for term in (width, self.site.entering):
            if self.scope.holds(term, wanted):
                return term
        try:
            return self.scope.express(wanted)
        except Mismatch:
            return None


def _list(term: Term) -> str:
    """Where PyTorch's types allow a list of extents, but no tuple."""
    return f"[{text(term)[1:-1]}]" if isinstance(term, Const) else f"[*{text(term)}]"
