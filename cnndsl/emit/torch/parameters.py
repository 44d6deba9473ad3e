"""Which parameters of a network are arguments of its class, and which numbers follow them.

An argument must always have the same effect as the same setting in the compiler. It may set a width or a rate. The
layers that read such a width are followed through layers, merges and blocks, as a term in the parameters. A parameter
is fixed where that fails: if the input, a repeat, a choice, a window or a name depends on it, or if its arithmetic has
no exact counterpart in Python. Each use is followed through calls, `let`s and `default`s to the parameters of the
network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from cnndsl.emit.torch.common_options import common_options
from cnndsl.emit.torch.followed import Followed, doubled, twice
from cnndsl.emit.torch.part_queries import elements
from cnndsl.emit.torch.scope import list_term, python_value
from cnndsl.emit.torch.terms import Const, Op, Term, Var, add, mul
from cnndsl.emit.torch.terms import names as names_in
from cnndsl.emit.torch.translate import is_followed, real, wants_integers, whole
from cnndsl.expressions import Expr, ListExpr, names
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
    output,
)
from cnndsl.layers.base import LayerError, TorchCall
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.values import Value

_CLEAN: frozenset[str] = frozenset()


@record(slots=True)
class _Origin:
    """A number: the network parameters that it depends on, and its term in these, if there is one."""

    parameters: frozenset[str]
    term: Term | None


_Look = Mapping[str, _Origin]


def offered(graph: Graph) -> frozenset[str]:
    """Return the parameters that are arguments: those that can be followed, also all at once.

    >>> from cnndsl.network import loads
    >>> text = "net N(classes=10, w=8, n=2, p=0.5) INPUT 8x8x3 -> [CONV3-w]*n -> DROPOUT(p) -> FC-classes -> RELU"
    >>> sorted(offered(loads(text).graph))
    ['classes', 'p', 'w']
    """
    numbers = [name for name in graph.settings if _is_number(graph, name)]
    if not _refused(_Uses(graph, frozenset(numbers))):
        return frozenset(numbers)
    alone = [name for name in numbers if name not in _refused(_Uses(graph, frozenset({name})))]
    return frozenset(alone) - _refused(_Uses(graph, frozenset(alone)))


def followed(graph: Graph, arguments: frozenset[str]) -> Followed:
    """Return the numbers that follow these parameters, which are arguments. Fractions are passed on unchanged, so only
    integers are followed."""
    whole_numbers = frozenset(name for name in arguments if isinstance(graph.settings[name], int))
    uses = _Uses(graph, arguments)

    def of(found: Mapping[str, Term]) -> dict[str, Term]:
        return {name: term for name, term in found.items() if whole_numbers.issuperset(names_in(term))}

    options = {at: of(found) for at, found in uses.options.items() if found}
    arguments_of = {path: of(found) for path, found in uses.arguments.items() if found}
    domains = {name: domain for name, domain in graph.domains.items() if name in uses.whole_domains}
    return Followed(uses.channels, options, arguments_of, domains, common_options(graph, uses.options))


def real_arguments(graph: Graph) -> frozenset[str]:
    """Return the parameters that some option of real numbers takes unchanged, so that they may be fractions."""
    uses = _Uses(graph, frozenset(name for name in graph.settings if _is_number(graph, name)))
    return frozenset(uses.bare - uses.whole_domains)


def _refused(uses: _Uses) -> frozenset[str]:
    """Return the parameters that cannot be arguments."""
    mixed = (uses.bare - uses.whole_domains) & uses.computed
    return frozenset(uses.fixed | mixed | (uses.fractional_domains & uses.computed))


def _is_number(graph: Graph, name: str) -> bool:
    value = graph.settings[name]
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _is_whole(domain: Sequence[Value]) -> bool:
    """Return whether a domain consists of integers."""
    return isinstance(domain, range) or all(isinstance(value, int) for value in domain)


class _Uses:
    """Every use of these parameters; all other parameters have the value of their setting."""

    def __init__(self, graph: Graph, parameters: frozenset[str]) -> None:
        self.graph = graph
        self.fixed: set[str] = set()
        self.bare: set[str] = set()
        """The parameters that an option of real numbers takes unchanged."""
        self.computed: set[str] = set()
        """The parameters that arithmetic uses, or that are an integer somewhere."""
        self.whole_domains = frozenset(name for name, domain in graph.domains.items() if _is_whole(domain))
        self.fractional_domains = frozenset(graph.domains) - self.whole_domains
        self.channels: dict[int, Term] = {}
        """The terms of the nodes whose channels follow parameters."""
        self.options: dict[int, dict[str, Term]] = {}
        self.arguments: dict[str, dict[str, Term]] = {}
        self._visited: set[int] = set()
        self.file: _Look = self._names_of_file(parameters)
        self._part(graph.tree, self.file, 0)
        for node in graph:
            if node.index not in self._visited:
                self.fixed |= _parameters(self.channels[at] for at in node.inputs if at in self.channels)

    def _names_of_file(self, parameters: frozenset[str]) -> _Look:
        file: dict[str, _Origin] = {}
        for name, value in self.graph.settings.items():
            if name in parameters:
                file[name] = _Origin(frozenset({name}), Var(name, isinstance(value, int)))
            else:
                file |= _constant(name, value)
        for name, expr in self.graph.lets.items():
            file |= self._named(name, expr, file)
        return file | {f"::{name}": origin for name, origin in file.items()}

    def _named(self, name: str, expr: Expr, look: _Look) -> dict[str, _Origin]:
        """Return an expression under a name; a list has its items under the name with `[]`."""
        origin = self._origin(expr, look)
        found = {name: origin, f"{name}[]": _Origin(origin.parameters, None)}
        if isinstance(expr, ListExpr):
            items = [self._origin(each, look).term for each in expr.items]
            known = [each.value for each in items if isinstance(each, Const)]
            if len(known) == len(items):
                found[f"{name}[]"] = _Origin(origin.parameters, Const(tuple(known)))
        return found

    def _origin(self, expr: Expr, look: _Look) -> _Origin:
        terms = {name: origin.term for name, origin in look.items()}
        found = whole(expr, terms.get)
        term = found.term if found is not None and found.dividend is None else real(expr, terms.get)
        return _Origin(_depends(expr, look), term if term is not None and is_followed(term) else None)

    def _part(self, part: Part, look: _Look, entry: int) -> None:
        """Visit a part that the value of `entry` enters."""
        inside = {**look, **self._entering(entry, look)}
        if isinstance(part, LayerPart):
            self._layer(self.graph.nodes[part.node], inside)
            return
        self._decided(part, inside)
        if isinstance(part, CallPart):
            look = self._inside(part, inside, entry)
        for (each, at), names_here in zip(entered(part, entry), _iterations(part), strict=False):
            self._part(each, {**look, **names_here}, at)
        if isinstance(part, MergePart):
            self._merge(part, entry)

    def _entering(self, entry: int, look: _Look) -> dict[str, _Origin]:
        """Return `C`: in the network it follows the value that enters; in a block, the one that enters the call."""
        return {} if "C" in look else {"C": self._width(entry)}

    def _width(self, node: int) -> _Origin:
        term = self.channels.get(node, Const(self.graph.nodes[node].shape.channels))
        return _Origin(_parameters([term]), term)

    def _inside(self, call: CallPart, look: _Look, entry: int) -> _Look:
        """Return the names in a block."""
        own: _Look = self.file if call.definition.source is self.graph.source else {}
        result: dict[str, _Origin] = {**own, "C": self._width(entry)}
        written = {name: self._origin(expr, look) for name, expr in call.written}
        defaults = dict(call.defaults)
        for name, value in zip(call.parameters, call.arguments, strict=True):
            origin = written.get(name) or (self._origin(defaults[name], result) if name in defaults else None)
            known = _constant(name, value)
            result |= known if origin is None or not origin.parameters else {**known, name: origin}
        found = {name: result[name] for name in call.parameters}
        self.arguments[call.path] = {
            name: origin.term for name, origin in found.items() if origin.parameters and origin.term is not None
        }
        for name, expr in call.lets:
            result |= self._named(name, expr, result)
        return result

    def _decided(self, part: Part, look: _Look) -> None:
        """Fix the parameters that the structure depends on: they cannot be arguments."""
        exprs: Iterable[Expr] = ()
        if isinstance(part, LoopPart):
            cells = tuple(cell for row in part.cells for cell in row)
            exprs = cells if part.count is None else (part.count,)
        elif isinstance(part, ChoicePart) and isinstance(part.test, str):
            self.fixed.add(part.test)
        elif isinstance(part, ChoicePart) and part.test is not None and not isinstance(part.test, str):
            exprs = (part.test,)
        elif isinstance(part, NamedPart):
            exprs = tuple(piece for piece in part.template if not isinstance(piece, str))
        for expr in exprs:
            self.fixed |= _depends(expr, look)

    # Layers

    def _layer(self, node: Node, look: _Look) -> None:
        self._visited.add(node.index)
        options: dict[str, Term] = {}
        for option, expr in node.written:
            depends = _depends(expr, look)
            term = self._option(node, option, expr, look) if depends and node.layer.ROLE != "input" else None
            if term is not None:
                options[option] = term
            else:
                self.fixed |= depends
        self.options[node.index] = options
        entering = [self._width(at) for at in node.inputs]
        depends = frozenset[str]().union(*(each.parameters for each in entering))
        widths = {option: term for option, term in options.items() if option in _widths(node)}
        if not depends and not widths:
            return
        term = self._leaving(node, [each.term for each in entering if each.term is not None], widths)
        if term is None:
            self.fixed |= depends | _parameters(widths.values())
        elif not isinstance(term, Const):
            self.channels[node.index] = term

    def _option(self, node: Node, option: str, expr: Expr, look: _Look) -> Term | None:
        """Return the term of an option in the parameters of its expression, if it can follow them exactly."""
        terms = {name: origin.term for name, origin in look.items()}
        kind = node.layer.options()[option].type
        if kind == "number":
            term = real(expr, terms.get)
            if isinstance(term, Var):
                self.bare.add(term.name)
            else:
                self.computed |= _depends(expr, look)
            return term if term is not None and is_followed(term) else None
        depends = _depends(expr, look)
        self.computed |= depends
        found = whole(expr, terms.get)
        if option not in _widths(node) or found is None or not is_followed(found.term):
            return None
        return found.term if depends <= self.whole_domains or wants_integers(found) else None

    def _leaving(self, node: Node, entering: Sequence[Term], widths: Mapping[str, Term]) -> Term | None:
        """Return the channels that leave a layer if one of its numbers follows a parameter; None without a term."""
        layer, shapes = node.layer, self.graph.shapes(node)
        more = _channels_for(node, doubled(shapes))
        follows = any(not isinstance(term, Const) for term in entering)
        if follows and not self._is_alike(node):
            return None
        if widths:
            if follows and more != node.shape.channels:
                return None
            return _range(node, widths) if layer.RANGE is not None else _multiple(node, widths[layer.WIDTH])
        is_one = more == 2 * node.shape.channels and node.shape.channels == shapes[0].channels
        if is_one and all(term == entering[0] for term in entering):
            return entering[0]
        return self._summed(node, entering)

    def _summed(self, node: Node, entering: Sequence[Term]) -> Term | None:
        """Return the output channels of a layer whose inputs add separately, as in a concatenation, or None."""
        shapes, total = self.graph.shapes(node), node.shape.channels
        found: list[Term] = []
        for at, (shape, term) in enumerate(zip(shapes, entering, strict=True)):
            other = [*shapes[:at], *doubled([shape]), *shapes[at + 1 :]]
            leaving = _channels_for(node, other)
            more = Fraction(-1 if leaving is None else leaving - node.shape.channels, shape.channels)
            if more.denominator != 1 or more < 0:
                return None
            total -= int(more) * shape.channels
            found.append(mul(Const(int(more)), term))
        return add(*found, Const(total))

    def _is_alike(self, node: Node) -> bool:
        """Return whether a layer is built the same for any number of channels, except for numbers that follow it."""
        made, shapes = node.layer.torch(*self.graph.shapes(node)), self.graph.shapes(node)
        terms = {self.channels.get(at) for at in node.inputs}
        if not isinstance(made, TorchCall):
            return made == twice(node.layer, shapes)
        own = {at: term for at in node.inputs if (term := self.channels.get(at)) is not None}
        return len(terms) == 1 and Followed(own).call(self.graph, node.index, made) is not None

    # Merges

    def _merge(self, part: MergePart, entry: int) -> None:
        node = self.graph.nodes[part.node]
        self._layer(node, {})
        for branch in part.branches:
            for each in elements(branch):
                if isinstance(each, ChoicePart) and each.kind == "either":
                    self._either(each, entry, node)

    def _either(self, choice: ChoicePart, entry: int, merge: Node) -> None:
        """Fix the parameters that decide which branch fits, unless the decision is the same for all values. A
        concatenation takes any number of channels."""
        entering, leaving, target = map(self._width, (entry, output(choice.part, entry), merge.index))
        depends = entering.parameters | leaving.parameters | target.parameters
        shapes = self.graph.shapes(merge)
        is_concat = len(shapes) > 1 and merge.shape.channels == sum(shape.channels for shape in shapes)
        if not depends or is_concat:
            return
        fits = leaving.term == target.term and all(shape == merge.shape for shape in shapes)
        if not fits or not (choice.taken == 0 or (choice.skips and self._never_fits(entry, merge))):
            self.fixed |= depends

    def _never_fits(self, entry: int, merge: Node) -> bool:
        """Return whether the input of a merge differs in shape from its output, for all parameter values."""
        entering, leaving = self.graph.nodes[entry].shape, merge.shape
        if entering.spatial != leaving.spatial and set(entering.spatial) != {1}:
            return True
        widths = [each.term for each in (self._width(entry), self._width(merge.index)) if each.term is not None]
        differ = Op("and", (Op("!=", tuple(widths)), Op("!=", (widths[0], Const(1)))))
        domains = {name: self.graph.domains[name] for name in self.whole_domains}
        return Followed(domains=domains).is_always(differ, True)


def _channels_for(node: Node, shapes: Sequence[Shape]) -> int | None:
    """Return the channels that a layer gives for other inputs; None if it rejects them, or changes the map's size."""
    try:
        leaving = node.layer.output(*shapes)
    except LayerError:
        return None
    return leaving.channels if leaving.spatial == node.shape.spatial else None


def _widths(node: Node) -> tuple[str, ...]:
    """Return the options that set the number of channels that leave a layer."""
    return node.layer.RANGE or (node.layer.WIDTH,)


def _range(node: Node, widths: Mapping[str, Term]) -> Term:
    start, stop = (widths.get(option, Const(getattr(node.layer, option))) for option in _widths(node))
    return add(stop, mul(Const(-1), start))


def _multiple(node: Node, width: Term) -> Term | None:
    """Return the channels that leave a layer of this width: twice the width for a bidirectional recurrence."""
    times = Fraction(node.shape.channels, getattr(node.layer, node.layer.WIDTH))
    return mul(Const(int(times)), width) if times.denominator == 1 else None


def _iterations(part: Part) -> Iterator[dict[str, _Origin]]:
    """Yield the values of a repeat's names, for each inner part of a part."""
    if not isinstance(part, LoopPart) or len(part.rows) != len(part.turns):
        unknown = dict.fromkeys(part.names, _Origin(_CLEAN, None)) if isinstance(part, LoopPart) else {}
        while True:
            yield unknown
    for row in part.rows:
        found: dict[str, _Origin] = {}
        for name, value in zip(part.names, row, strict=True):
            found |= _constant(name, value)
        yield found


def _constant(name: str, value: Value) -> dict[str, _Origin]:
    """Return a value that follows no parameter, and its items if it is a list."""
    return {name: _Origin(_CLEAN, Const(python_value(value))), f"{name}[]": _Origin(_CLEAN, list_term(value))}


def _parameters(terms: Iterable[Term]) -> frozenset[str]:
    return frozenset(name for term in terms for name in names_in(term))


def _depends(expr: Expr, look: _Look) -> frozenset[str]:
    """Return the network parameters that an expression depends on. A `default` refers to names of the file."""
    from cnndsl.expressions import Call

    if isinstance(expr, Call) and expr.function == "default":
        return frozenset[str]().union(*(_found(look, f"::{name.name}") for name in names(expr)))
    return frozenset[str]().union(*(_found(look, name.name) for name in names(expr)))


def _found(look: _Look, name: str) -> frozenset[str]:
    return look[name].parameters if name in look else _CLEAN
