"""Step 3a: the constructor call of one layer, with the arguments that the program gives.

`nn.Conv2d(in_channels, 4 * c, 1, bias=False)` is the same convolution at every call site of a class. Each number is the
expression that the program writes for the option, or a term for the channels that enter, and holds in every frame.
Raises Missing for a number that needs an argument of its own, Differ if the layers are not alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from cnndsl.emit.torch.common_options import bounds
from cnndsl.emit.torch.cursor import Cursor, follows
from cnndsl.emit.torch.followed import WRITTEN_AS, doubled
from cnndsl.emit.torch.ir import Build, BuildArgument, Guard
from cnndsl.emit.torch.restart import Differ, Fixed, Missing
from cnndsl.emit.torch.terms import CodeValue, Const, Op, Term, Var, add, floordiv, mul, names, op, text
from cnndsl.expressions import Expr
from cnndsl.graph import Node
from cnndsl.layers.base import LayerError, Option, Slot, TorchCall
from cnndsl.layers.borders import AS_SAME
from cnndsl.records import record
from cnndsl.shape import Shape

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
    "padding_mode": "zeros",
}
"""PyTorch's default for an omitted keyword, so that layers with and without it can share a line."""
_ORDER = ("stride", "padding", "output_padding", "dilation", "groups", "bias", "padding_mode", "gamma", "eps")
ENTERING = ("in_channels", "in_features")


@record(slots=True)
class Constructed:
    """The constructor call, the channels that leave, and the stride, which may decide if a skip can be an identity."""

    build: Build
    leaving: Term | None
    stride: Term | None = None


def construct(nodes: Sequence[Node], cursor: Cursor, inplace: bool = False, indices: bool = False) -> Constructed:
    """Build the layers of all frames at once. `cursor` describes the value that enters."""
    return _Construction(nodes, cursor, inplace, indices).run()


class _Construction:
    def __init__(self, nodes: Sequence[Node], cursor: Cursor, inplace: bool, indices: bool) -> None:
        self.nodes, self.cursor, self.scope = nodes, cursor, cursor.scope
        self.inplace, self.indices = inplace, indices
        found = [node.layer.torch(*cursor.graph.shapes(node)) or TorchCall("nn.Identity") for node in nodes]
        plain = [call for call in found if isinstance(call, TorchCall)]
        if len(plain) < len(found) or len({len(call.arguments) for call in plain}) > 1:
            raise Differ
        self.common = self.scope.followed.common.get(plain[0].name, {})
        self.calls = [self._followed(*pair) for pair in zip(nodes, plain, strict=True)]
        self.terms: dict[str, Term] = {}
        self.guards: list[Guard] = []
        self.keywords: Sequence[str] = ()

    def _followed(self, node: Node, made: TorchCall) -> TorchCall:
        """Return the constructor call of a layer, with terms for the numbers that follow a parameter of the network,
        and without the options that the network sets for all such layers at its end."""
        made = replace(made, keywords=tuple(each for each in made.keywords if each[0] not in self.common))
        followed, graph = self.scope.followed, self.cursor.graph
        call = followed.call(graph, node.index, made)
        if call is not None:
            return call
        entering = [followed.channels[at] for at in node.inputs if at in followed.channels]
        terms = [*entering, *followed.options.get(node.index, {}).values()]
        raise Fixed(frozenset(name for term in terms for name in names(term)))

    def _of(self, node: Node, option: str) -> object:
        """Return an option as an argument of PyTorch, as a term if it follows a parameter of the network."""
        found = self.scope.followed.options.get(node.index, {}).get(option)
        return _python(getattr(node.layer, option)) if found is None else found

    def run(self) -> Constructed:
        head = self._callee()
        rows = zip(*(call.arguments for call in self.calls), strict=True)
        arguments = [BuildArgument(self._value(slots)) for slots in rows]
        arguments += [BuildArgument(term, keyword) for keyword, term in self._keywords()]
        if self.indices:
            arguments.append(BuildArgument(Const(True), "return_indices"))
        if self.inplace and all(call.inplace for call in self.calls):
            arguments.append(BuildArgument(Const(True), "inplace"))
        build = Build(head, tuple(arguments), tuple(self.guards), bool(self.calls[0].applied))
        return Constructed(build, self._leaving(), self.terms.get("stride"))

    def _callee(self) -> str:
        """Return the callee: the same one everywhere, or an argument of the class."""
        called = [call.name for call in self.calls]
        if len(set(called)) == 1:
            return called[0]
        if any(call.helper for call in self.calls):
            raise Differ
        kinds = [CodeValue(name) for name in called]
        for name, term in self.scope.look.items():
            if name not in ENTERING and self.scope.holds(term, kinds):
                return text(term)
        raise Differ

    # Arguments

    def _keywords(self) -> Iterator[tuple[str, Term]]:
        found = dict.fromkeys(keyword for call in self.calls for keyword, _ in call.keywords)
        usual = dict(self._usual(found))
        self.keywords = sorted((*found, *usual), key=lambda each: _ORDER.index(each) if each in _ORDER else len(_ORDER))
        for keyword in self.keywords:
            if keyword in usual:
                yield keyword, usual[keyword]
                continue
            slots = [dict(call.keywords).get(keyword) for call in self.calls]
            role = next((slot.role for slot in slots if isinstance(slot, Slot)), "")
            filled = [
                self._default(call, keyword, role) if slot is None else slot
                for call, slot in zip(self.calls, slots, strict=True)
            ]
            yield keyword, self._value(filled, keyword)

    def _usual(self, present: Mapping[str, None]) -> Iterator[tuple[str, Term]]:
        """Yield options that follow a parameter of the network, and whose present value is PyTorch's default."""
        known = {slot.role for call in self.calls for _, slot in call.keywords if isinstance(slot, Slot)}
        known |= {slot.role for call in self.calls for slot in call.arguments if isinstance(slot, Slot)}
        for option in [option for option, _ in self.nodes[0].written if option not in self.common]:
            term = self._written(option)
            is_number = isinstance(getattr(self.nodes[0].layer, option), int | float | Fraction)
            if option in known or term is None or not is_number or not self.scope.offered.intersection(names(term)):
                continue
            keyword = _keyword_of(self.nodes[0], option, self.cursor.graph.shapes(self.nodes[0]))
            values = [self._of(node, option) for node in self.nodes]
            if keyword and keyword not in present and self.scope.holds(term, values):
                yield keyword, term

    def _default(self, call: TorchCall, keyword: str, role: str) -> Slot:
        own = dict(self.nodes[0].layer.DEFAULTS).get(keyword)
        if isinstance(own, str):
            like = next((slot for slot in call.arguments if isinstance(slot, Slot) and slot.role == own), None)
            if like is not None:
                return Slot(like.value, role)
        usual = DEFAULTS.get(keyword) if own is None or isinstance(own, str) else own
        if usual is None:
            raise Differ
        return Slot(usual, role)

    def _value(self, slots: Sequence[Slot | TorchCall], keyword: str = "") -> Term:
        plain = [slot for slot in slots if isinstance(slot, Slot)]
        if len(plain) < len(slots):
            raise Differ
        role = next((slot.role for slot in plain if slot.role), "")
        wanted = [slot.value for slot in plain]
        wish = keyword or (plain[0].name if role == "margins" else role) or plain[0].name
        exprs = [dict(node.written).get(WRITTEN_AS.get(role, role)) for node in self.nodes] if role else []
        term = self.scope.agree(wanted, self._candidates(role, wanted), "" if wish in ENTERING else wish, exprs)
        if role:
            self.terms[role] = term
        return _list(term) if role == "extents" else term

    def _candidates(self, role: str, wanted: Sequence[object]) -> Iterator[Term | None]:
        entering = self.cursor.term
        if role == "in_features":
            yield entering if self.cursor.flat else self.cursor.flattened().term
        elif role == "in_channels":
            yield entering
        elif role == "extents":
            spatial = {shape.spatial for shape in self.cursor.shapes}
            if entering is not None and len(spatial) == 1:
                yield Op("list", (entering, *map(Const, spatial.pop())))
        elif role == "margins":
            before, after = map(self._side, (self.nodes[0].layer.POSITIONAL[0], "after"))
            if before is not None and after is not None:
                yield op("tuple", *(before, after) * self.cursor.shapes[0].rank)
        elif role:
            yield self._written(WRITTEN_AS.get(role, role))
            if role == "padding":
                yield from self._paddings()
            if self._follows_channels(role, wanted):
                yield entering

    def _side(self, option: str) -> Term | None:
        """Return a margin along each axis, as the program writes it, or as a number if it is the same everywhere."""
        found = {getattr(node.layer, option) for node in self.nodes}
        only = found.pop()
        return Const(only[0]) if not found and len(only) == 1 else self._written(option)

    def _written(self, option: str) -> Term | None:
        """Return the expression that the program writes for an option."""
        exprs = [dict(node.written).get(option) for node in self.nodes]
        kind = self.nodes[0].layer.options().get(option)
        if kind is not None and kind.type == "number":
            term = self.scope.real(exprs)
            if isinstance(term, Op) and self.scope.repeats.intersection(names(term)):
                term = self._asked(option, exprs[0])
            if term is not None and not isinstance(term, Const):
                self._guard_bounds(term, kind)
            return term
        found = self.scope.whole(exprs)
        if found is None:
            return None
        if found.dividend is not None and found.divisor is not None:
            self._guard(found.dividend, found.divisor)
        return found.term

    def _asked(self, option: str, written: Expr | None) -> Term:
        """Return the argument for a rate that depends on the iteration: the number is easier to read than the
        expression that computes it. Raises Missing if there is no such argument yet."""
        values = [self._of(node, option) for node in self.nodes]
        for extra in self.scope.extras:
            if extra.wish == option and self.scope.holds(Var(extra.name, whole=False), values):
                return Var(extra.name, whole=False)
        raise Missing(option, dict(zip(self.scope.places, values, strict=True)), written)

    def _guard_bounds(self, term: Term, rule: Option) -> None:
        """Add a check that rejects what the compiler rejects; a dropout checks its own rate."""
        if self.nodes[0].layer.CHECKS_RATES:
            return
        guard = bounds(term, rule)
        if guard is not None:
            self.guards.append(guard)

    def _guard(self, dividend: Term, divisor: Term) -> None:
        message = f"{text(dividend)} must be a multiple of {text(divisor)}"
        used = frozenset((*names(dividend), *names(divisor)))
        self.guards.append(Guard(op("%", dividend, divisor), message, used))

    def _follows_channels(self, role: str, wanted: Sequence[object]) -> bool:
        """Return whether an option always equals the number of channels that enter, as the groups of DWCONV do."""
        for node, value in zip(self.nodes, wanted, strict=True):
            shapes = self.cursor.graph.shapes(node)
            width = self.scope.followed.width(self.cursor.graph, node.inputs[0])
            if value != width or _slot(node, role, doubled(shapes)) != 2 * shapes[0].channels:
                return False
        return True

    def _paddings(self) -> Iterator[Term]:
        """Yield half of the overlap of the window: dilation * (kernel - 1) // 2."""
        if any(getattr(node.layer, "pad", "") not in AS_SAME for node in self.nodes):
            return
        kernel = self.terms.get("kernel")
        # A dilation that is one everywhere is not written, so a padding must not depend on it.
        dilation = self._written("dilation") if "dilation" in self.keywords else None
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
        if self.nodes[0].layer.WIDTH in self.terms:
            return self._by_width(self.nodes[0].layer.WIDTH)
        if self.nodes[0].layer.RANGE is not None:
            start, stop = (self.terms[option] for option in self.nodes[0].layer.RANGE)
            return add(stop, mul(Const(-1), start))
        times = {Fraction(node.shape.channels, self.cursor.graph.shapes(node)[0].channels) for node in self.nodes}
        if self.cursor.term is None or not all(follows(self.cursor.graph, node) for node in self.nodes):
            return None
        ratio = next(iter(times))
        return mul(Const(int(ratio)), self.cursor.term) if len(times) == 1 and ratio.denominator == 1 else None

    def _by_width(self, option: str) -> Term | None:
        """Return the channels that leave as a multiple of the width: twice the width for a bidirectional recurrence."""
        pairs = [(node, _slot(node, option, self.cursor.graph.shapes(node))) for node in self.nodes]
        times = {Fraction(node.shape.channels, width) for node, width in pairs if isinstance(width, int) and width}
        if len(times) != 1 or next(iter(times)).denominator != 1:
            return None
        return mul(Const(int(next(iter(times)))), self.terms[option])


def _slot(node: Node, role: str, shapes: Sequence[Shape]) -> object:
    """Return the argument of a role for inputs of these shapes; None if there is none."""
    try:
        call = node.layer.torch(*shapes)
    except LayerError:
        return None
    if not isinstance(call, TorchCall):
        return None
    slots = (*call.arguments, *(slot for _, slot in call.keywords))
    return next((slot.value for slot in slots if isinstance(slot, Slot) and slot.role == role), None)


def _keyword_of(node: Node, option: str, shapes: Sequence[Shape]) -> str:
    """Return the keyword that another value of an option would have; empty if there is none."""
    value = getattr(node.layer, option)
    other = value + 1 if isinstance(value, int) else value / 2
    try:
        call, usual = replace(node.layer, **{option: other}).torch(*shapes), node.layer.torch(*shapes)
    except LayerError:
        return ""
    if not isinstance(call, TorchCall) or not isinstance(usual, TorchCall):
        return ""
    known = dict(usual.keywords)
    return next((keyword for keyword, _ in call.keywords if keyword not in known), "")


def _python(value: object) -> object:
    """Return an option as an argument of PyTorch."""
    return float(value) if isinstance(value, Fraction) else value


def _list(term: Term) -> Term:
    """Return the term as a list, for arguments whose type in PyTorch allows a list of sizes, but no tuple."""
    value = term.value if isinstance(term, Const) else None
    if isinstance(value, tuple):
        return Op("list", tuple(map(Const, cast("tuple[object, ...]", value))))
    return term if isinstance(term, Op) else Op("list", (Op("star", (term,)),))
