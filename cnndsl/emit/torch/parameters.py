"""Which parameters of a net are arguments of its class.

An argument must do everywhere what the same setting does in the compiler. That can be written where a parameter is the
width of the last layers, or a rate; it is fixed where the input, a repeat, a choice, a window or a name depends on it,
where a layer with weights reads a width that it sets, and where its arithmetic has no exact counterpart in Python. Each
use is followed through calls, `let`s and `default`s to the parameters of the net.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from cnndsl.emit.torch.terms import Const, Term, Var
from cnndsl.emit.torch.translate import is_followed, real, wants_integers, whole
from cnndsl.expressions import Expr, names
from cnndsl.graph import (
    CallPart,
    ChoicePart,
    Graph,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Node,
    Part,
    entered,
)
from cnndsl.layers.base import LayerError
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.values import Value

_CLEAN: frozenset[str] = frozenset()


@record(slots=True)
class _Origin:
    """A number: the parameters of the net that it depends on, and its term in these, if there is one."""

    parameters: frozenset[str]
    term: Term | None


_Look = Mapping[str, _Origin]


def offered(graph: Graph) -> frozenset[str]:
    """Return the parameters that are arguments.

    >>> from cnndsl.network import loads
    >>> text = "net N(classes=10, w=8, n=2, p=0.5) INPUT 8x8x3 -> [CONV3-w]*n -> DROPOUT(p) -> FC-classes -> RELU"
    >>> sorted(offered(loads(text).graph))
    ['classes', 'p']
    """
    uses = _Uses(graph)
    numbers = frozenset(name for name in graph.settings if _is_number(graph, name))
    mixed = (uses.bare - uses.whole_domains) & uses.computed
    return frozenset(numbers - uses.fixed - mixed - (uses.fractional_domains & uses.computed))


def real_arguments(graph: Graph) -> frozenset[str]:
    """Return the parameters that some option of real numbers takes as they are, so that they may be fractions."""
    uses = _Uses(graph)
    return frozenset(uses.bare - uses.whole_domains)


def _is_number(graph: Graph, name: str) -> bool:
    value = graph.settings[name]
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _is_whole(domain: Sequence[Value]) -> bool:
    """Whether a domain consists of integers."""
    return isinstance(domain, range) or all(isinstance(value, int) for value in domain)


class _Uses:
    """Every use of every parameter."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.fixed: set[str] = set()
        self.bare: set[str] = set()
        """Those that an option of real numbers takes as they are."""
        self.computed: set[str] = set()
        """Those that something is computed with, or that are a whole number somewhere."""
        self.whole_domains = frozenset(name for name, domain in graph.domains.items() if _is_whole(domain))
        self.fractional_domains = frozenset(graph.domains) - self.whole_domains
        self.widths: dict[int, frozenset[str]] = {}
        file: dict[str, _Origin] = {}
        for name, value in graph.settings.items():
            origin = _Origin(frozenset({name}), Var(name, isinstance(value, int)))
            file |= {name: origin, f"::{name}": origin}
        for name, expr in graph.lets.items():
            origin = self._origin(expr, file)
            file |= {name: origin, f"::{name}": origin}
        self.file: _Look = file
        self._part(graph.tree, file, 0)

    def _origin(self, expr: Expr, look: _Look) -> _Origin:
        terms = {name: origin.term for name, origin in look.items()}
        found = whole(expr, terms.get)
        term = found.term if found is not None and found.dividend is None else real(expr, terms.get)
        return _Origin(_depends(expr, look), term if term is not None and is_followed(term) else None)

    def _part(self, part: Part, look: _Look, entry: int) -> None:
        """Go through a part that the value of `entry` enters."""
        entering = self.widths.get(entry, _CLEAN)
        if isinstance(part, LayerPart):
            self._layer(self.graph.nodes[part.node], {**look, **_axes(entering, look)})
            return
        self._decided(part, {**look, **_axes(entering, look)}, entering)
        if isinstance(part, CallPart):
            look = self._inside(part, {**look, **_axes(entering, look)}, entering)
        if isinstance(part, LoopPart):
            look = {**look, **dict.fromkeys(part.names, _Origin(_CLEAN, None))}
        for each, at in entered(part, entry):
            self._part(each, look, at)
        if isinstance(part, MergePart):
            self._merge(self.graph.nodes[part.node])

    def _inside(self, call: CallPart, look: _Look, entering: frozenset[str]) -> _Look:
        """The names in a block."""
        own: _Look = self.file if call.definition.source is self.graph.source else {}
        result: dict[str, _Origin] = {**own, "C": _Origin(entering, None)}
        for name, value in zip(call.parameters, call.arguments, strict=True):
            result[name] = _Origin(_CLEAN, Const(value))
        given = {name: self._origin(expr, look) for name, expr in call.written}
        result |= given
        for name, expr in call.defaults:
            result[name] = self._origin(expr, result)
        for name, expr in call.lets:
            result[name] = self._origin(expr, result)
        return result

    def _decided(self, part: Part, look: _Look, entering: frozenset[str]) -> None:
        """What the structure depends on cannot be an argument."""
        exprs: Iterable[Expr] = ()
        if isinstance(part, LoopPart):
            cells = tuple(cell for row in part.cells for cell in row)
            exprs = cells if part.count is None else (part.count,)
        elif isinstance(part, ChoicePart) and part.kind == "either":
            self.fixed |= entering
        elif isinstance(part, ChoicePart) and isinstance(part.test, str):
            self.fixed.add(part.test)
        elif isinstance(part, ChoicePart) and part.test is not None and not isinstance(part.test, str):
            exprs = (part.test,)
        elif isinstance(part, NamedPart):
            exprs = tuple(piece for piece in part.template if not isinstance(piece, str))
        for expr in exprs:
            self.fixed |= _depends(expr, look)

    def _layer(self, node: Node, look: _Look) -> None:
        entering = frozenset[str]().union(*(self.widths.get(at, _CLEAN) for at in node.inputs))
        width = _CLEAN
        for option, expr in node.written:
            depends = _depends(expr, look)
            if depends and (node.layer.ROLE == "input" or not self._follows(node, option, expr, look)):
                self.fixed |= depends
            if option == node.layer.WIDTH:
                width = depends
        if entering and not _is_indifferent(node, self.graph.shapes(node)):
            self.fixed |= entering
        self.widths[node.index] = width | entering

    def _follows(self, node: Node, option: str, expr: Expr, look: _Look) -> bool:
        """Whether an option can follow the parameters behind its expression exactly."""
        terms = {name: origin.term for name, origin in look.items()}
        kind = node.layer.options()[option].type
        if kind == "number":
            term = real(expr, terms.get)
            if isinstance(term, Var):
                self.bare.add(term.name)
            else:
                self.computed |= _depends(expr, look)
            return term is not None and is_followed(term)
        depends = _depends(expr, look)
        self.computed |= depends
        found = whole(expr, terms.get)
        if option != node.layer.WIDTH or found is None or not is_followed(found.term):
            return False
        return depends <= self.whole_domains or wants_integers(found)

    def _merge(self, node: Node) -> None:
        depends = [self.widths.get(at, _CLEAN) for at in node.inputs]
        union = frozenset[str]().union(*depends)
        if len(depends) > 1:
            self.fixed |= union
        self.widths[node.index] = union


def _depends(expr: Expr, look: _Look) -> frozenset[str]:
    """The parameters of the net behind an expression. What a `default` gives is of the file."""
    from cnndsl.expressions import Call

    if isinstance(expr, Call) and expr.function == "default":
        return frozenset[str]().union(*(_found(look, f"::{name.name}") for name in names(expr)))
    return frozenset[str]().union(*(_found(look, name.name) for name in names(expr)))


def _found(look: _Look, name: str) -> frozenset[str]:
    return look[name].parameters if name in look else _CLEAN


def _axes(entering: frozenset[str], look: _Look) -> dict[str, _Origin]:
    """C in the network follows what enters; in a block it is what enters the call."""
    return {} if "C" in look else {"C": _Origin(entering, None)}


def _is_indifferent(node: Node, shapes: Sequence[Shape]) -> bool:
    """Whether a layer is built the same whatever the number of channels, and gives as many as it takes."""
    more = [Shape(shape.channels + 1, shape.spatial) for shape in shapes]
    try:
        same = node.layer.torch(*more) == node.layer.torch(*shapes)
        return same and node.layer.output(*more).channels == node.shape.channels + 1
    except LayerError:
        return False
