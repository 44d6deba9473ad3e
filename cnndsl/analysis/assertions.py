"""Evaluate the assertions of a file, such as `assert params == 25_557_032`.

`metric_table` defines the metrics that a network or a part of one has. Each value is computed once, when it is first
needed. Names defined in the file (parameters, `let`s) take precedence over names of metrics. Nothing here prints.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from fractions import Fraction
from functools import cached_property
from itertools import islice

from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.label_fixes import numbered, wider
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS, MetricValue
from cnndsl.analysis.mistake_rules import blamed, for_a_rounded_number
from cnndsl.analysis.region import GraphFacts, Region
from cnndsl.errors import CnnError, Diagnostic, Help, Span, closest, meant, nearest, replacement
from cnndsl.expr import COMPARISONS, evaluate, given, truth
from cnndsl.expressions import (
    Binary,
    Expr,
    Literal,
    Name,
    Path,
    ReferenceExpr,
    Unary,
    mapped,
    names,
    operands,
)
from cnndsl.graph import Graph, Node
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.values import NameSymbol, Symbol, Value, show


def check(graph: Graph, runs: ExecutionsOf) -> list[Diagnostic]:
    """Return a diagnostic for each assertion of the graph that does not hold, in the order of the file, up to a limit.

    E0401: the assertion does not hold; the message has both values. E0402: it mentions a metric or a part that does not
    exist.
    """
    facts = _Facts(graph, runs)
    wrong = (diagnostic for contract in graph.contracts for diagnostic in _check(contract, facts))
    return list(islice(wrong, current().errors))


def figures(graph: Graph, names: Iterable[str], runs: ExecutionsOf) -> tuple[dict[str, Value], frozenset[str]]:
    """Return metrics of the whole network by their names in an assertion, such as `params` or `receptive_field`, and
    the names of those that are upper bounds.

    Raises KeyError for an unknown name.
    """
    facts = _Facts(graph, runs)
    found = {name: facts.value(name) for name in names}
    return found, frozenset(name for name in found if facts.is_bound(name))


@record
class _Facts:
    """The metrics of a graph, each computed when it is first needed."""

    graph: Graph
    runs: ExecutionsOf
    _values: dict[tuple[str, str], Value] = field(default_factory=dict[tuple[str, str], Value])

    def value(self, name: str, path: str = "") -> Value:
        """Return a metric of a part or of the whole network. Raises KeyError for an unknown name or path."""
        key = (name, path)
        if key not in self._values:
            region = self.part(path) if path else self.facts.whole()
            self._values[key] = _in_a_contract(name, OF_NETWORKS[name](region))
        return self._values[key]

    def is_bound(self, name: str, path: str = "") -> bool:
        """Return whether a metric of the part at a path, or of the whole network, is a bound."""
        return METRICS[name].bounds(self.part(path) if path else self.facts.whole())

    @cached_property
    def facts(self) -> GraphFacts:
        return GraphFacts(self.graph, self.runs)

    @cached_property
    def scope(self) -> _Scope:
        return _Scope(self)

    def part(self, path: str) -> Region:
        """Return the named part, layer or chain. Raises KeyError if there is none of that name."""
        value = self.graph.named(path)
        if value is None:
            raise KeyError(path)
        own = value.nodes
        nodes = self._inside[value.path] if own is None else self.graph.nodes[own.start : own.stop]
        return self.facts.region(nodes, value.output)

    @cached_property
    def _inside(self) -> Mapping[str, Sequence[Node]]:
        """Return the nodes of every named part."""
        inside: dict[str, list[Node]] = {path: [] for path in self.graph.parts}
        for node in self.graph.nodes:
            names = node.path.split(".")
            for length in range(1, len(names) + 1):
                path = ".".join(names[:length])
                if path in inside:
                    inside[path].append(node)
        return inside


def _in_a_contract(name: str, value: MetricValue) -> Value:
    """Return a metric as assertions use it: a single number if all axes agree, and 1 if there are no axes, as on a
    vector, where a unit sees everything."""
    if METRICS[name].unit != "positions" or isinstance(value, int):
        return value
    each = value or (1,)
    return each if len(set(each)) > 1 else each[0]


_OF_VALUES = ("output", "receptive_field")
"""The metrics that a second name for a value has."""


class _Scope(Mapping[str, Value]):
    """The values that an assertion may mention, each computed when it is looked up."""

    def __init__(self, facts: _Facts) -> None:
        self._facts = facts
        self._names = {**dict.fromkeys(OF_NETWORKS), **dict.fromkeys(facts.graph.lets), **facts.graph.settings}

    def __getitem__(self, name: str) -> Value:
        graph = self._facts.graph
        if name in graph.settings:
            return graph.settings[name]
        if name in graph.lets:
            return self._lets[name]
        return self._facts.value(name)

    @cached_property
    def _lets(self) -> Mapping[str, Value]:
        """Return the values of the file's own names; each is computed from those before it."""
        values: dict[str, Value] = dict(self._facts.graph.settings)
        for name, expr in self._facts.graph.lets.items():
            values[name] = given(expr, values, _word)
        return values

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _word(written: Name | ReferenceExpr) -> Value:
    """Return the symbol of a layer type or block; that it exists was checked when the file was read."""
    return NameSymbol(written.span.text)


def _check(contract: Expr, facts: _Facts) -> Iterator[Diagnostic]:
    scope = facts.scope
    unknown = list(_unknown(contract, scope, facts))
    yield from unknown
    if unknown:
        return
    try:
        resolved = _resolved(contract, facts)
        if not truth(resolved, scope):
            failed = _failed(resolved, facts)
            help = _for_defaults(contract, facts.graph) or _for_labels(contract, facts)
            yield failed.advised(help) if help else _with_mistakes(failed, facts.graph)
    except CnnError as problem:
        yield from problem.diagnostics


def _unknown(expr: Expr, scope: _Scope, facts: _Facts) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each unknown name."""
    if isinstance(expr, Name) and expr.name not in scope:
        close = closest(expr.name, list(scope))
        help = meant(expr.span, close) if close else f"there are {', '.join(OF_NETWORKS)}"
        yield Diagnostic("E0402", f"no metric is called `{expr.name}`", expr.span).advised(help)
    elif isinstance(expr, Path):
        yield from _unknown_path(expr, facts)
    for operand in operands(expr):
        yield from _unknown(operand, scope, facts)


def _unknown_path(expr: Path, facts: _Facts) -> Iterator[Diagnostic]:
    *names, fact = expr.names
    if fact not in OF_NETWORKS and names[-1] == "output" and facts.graph.named(".".join(names)) is None:
        yield from _unknown_axis(expr, facts)
        return
    path = ".".join(names)
    graph, value = facts.graph, facts.graph.named(path)
    inside = [each for each in graph.parts if each.startswith(f"{path}.")] if value is None else []
    if inside:
        message = f"`{path}` is split into separate parts, so it has no metrics of its own"
        yield Diagnostic("E0402", message, expr.span, help=_pieces(path, inside, fact))
    elif value is None:
        hint = _beside(names, fact, expr.span, facts.graph) or numbered(names, graph)
        hint = hint or nearest(path, [*graph.parts, *graph.names])
        yield Diagnostic("E0402", f"no part is called `{path}`", expr.span).advised(hint)
    elif fact not in OF_NETWORKS:
        hint = nearest(fact, list(OF_NETWORKS)) or f"there are {', '.join(OF_NETWORKS)}"
        yield Diagnostic("E0402", f"`{path}` has no metric called `{fact}`", expr.span, help=hint)
    elif value.nodes is not None and not value.nodes and fact not in _OF_VALUES:
        message = f"`{path}` is a second name for a value, so it has no layers and no `{fact}`"
        yield Diagnostic("E0402", message, expr.span, help=f"there are {' and '.join(_OF_VALUES)}")


def _beside(names: Sequence[str], fact: str, place: Span, graph: Graph) -> Help:
    """Suggest `bn` instead of `stem.bn` for `stem: CONV3-32 -> bn: BN`, where `bn` is not inside `stem`."""
    outer, inner = ".".join(names[:-1]), names[-1]
    if graph.named(outer) is None or graph.named(inner) is None or fact not in OF_NETWORKS:
        return ""
    if any(each.startswith(f"{outer}.") for each in graph.parts):
        return ""
    return replacement(place, f"{inner}.{fact}", f"`{inner}` stands beside `{outer}` and not in it: {{}}")


def _unknown_axis(expr: Path, facts: _Facts) -> Iterator[Diagnostic]:
    """Yield a diagnostic if `conv4.output.H` is invalid: there is no such part, or its output has no such axis."""
    *names, _, axis = expr.names
    path = ".".join(names)
    if names:
        output = Path(expr.names[:-1], expr.span)
        wrong = list(_unknown_path(output, facts))
        yield from wrong
        if wrong:
            return
    extents = _axes(facts.value("output", path))
    if axis not in extents:
        name, shape = ".".join(expr.names[:-1]), show(facts.value("output", path))
        help = f"its extents are {', '.join(extents)}: `{name}.{next(iter(extents))}`"
        yield Diagnostic("E0402", f"`{name}` is {shape}, so it has no `{axis}`", expr.span, help=help)


def _axes(output: Value) -> Mapping[str, Value]:
    """Return the sizes of an output by their letters: D, H, W, as many as there are, and C."""
    shape = output if isinstance(output, tuple) else (output,)
    return dict(zip((*"DHW"[4 - len(shape) :], "C"), shape, strict=True))


def _of_path(expr: Path, facts: _Facts) -> Value:
    """Return the value of a metric of a part, or of one size of an output."""
    *names, fact = expr.names
    if fact in OF_NETWORKS or names[-1] != "output":
        return facts.value(fact, ".".join(names))
    return _axes(facts.value("output", ".".join(names[:-1])))[fact]


def _pieces(path: str, inside: Sequence[str], fact: str) -> str:
    """Suggest a part of a module that is split into separate parts, or, if it has only one part, one definition."""
    part = min(inside, key=lambda each: each.count("."))
    names = {each[len(path) + 1 :].partition(".")[0] for each in inside}
    help = f"refer to one of its parts, `{part}.{fact}`"
    is_one = names == {part[len(path) + 1 :]}
    return f"{help}, or define it in one place: `{path}: [{names.pop()}: …]`" if is_one else help


def _resolved(expr: Expr, facts: _Facts, others: Mapping[tuple[str, ...], Region] | None = None) -> Expr:
    """Return the expression with each part's metric replaced by its value; `others` are regions to use instead of the
    parts at some paths."""
    if isinstance(expr, Path):
        region = (others or {}).get(expr.names[:-1])
        fact = expr.names[-1]
        value = _of_path(expr, facts) if region is None else _in_a_contract(fact, OF_NETWORKS[fact](region))
        return Literal(value, ".".join(expr.names), expr.span)
    return mapped(expr, lambda operand: _resolved(operand, facts, others))


def _failed(expr: Expr, facts: _Facts) -> Diagnostic:
    """Return the diagnostic of a false assertion, for the first of its terms that is false."""
    if isinstance(expr, Binary) and expr.operator == "and":
        return _failed(expr.right if truth(expr.left, facts.scope) else expr.left, facts)
    if isinstance(expr, Binary) and expr.operator in COMPARISONS:
        units = _unit(expr.left, facts), _unit(expr.right, facts)
        left = _side(expr.left, units[0] or units[1], facts)
        right = _side(expr.right, units[1] or units[0], facts)
        wanted = right if expr.operator == "==" else f"{_WORDS[expr.operator]} {right}"
        return Diagnostic("E0401", f"{expr.left.span.text} is {left}, but the file asserts {wanted}", expr.span)
    return Diagnostic("E0401", f"`{expr.span.text}` does not hold", expr.span)


def _side(expr: Expr, unit: str, facts: _Facts) -> str:
    """Return the value of one side of a comparison with its unit, and `at most` if it is a bound."""
    value = evaluate(expr, facts.scope)
    name, path = _metric(expr, facts)
    bound = "at most " if name and facts.is_bound(name, path) else ""
    word = _WRITTEN_UNITS.get(unit, "")
    return f"{bound}{_grouped(value)} {word.removesuffix('s') if value == 1 else word}".rstrip()


def _metric(expr: Expr, facts: _Facts) -> tuple[str, str]:
    """Return the metric that an expression is, and the path of its part; empty strings for any other expression."""
    if isinstance(expr, Name):
        return ("", "") if expr.name in {*facts.graph.settings, *facts.graph.lets} else (expr.name, "")
    path, _, name = expr.text.rpartition(".") if isinstance(expr, Literal) else ("", "", "")
    return (name, path) if name in OF_NETWORKS else ("", "")


def _unit(expr: Expr, facts: _Facts) -> str:
    """Return the unit of an expression; empty if it mentions no metric, and for products and ratios of metrics."""
    if isinstance(expr, Unary):
        return _unit(expr.operand, facts)
    if isinstance(expr, Binary):
        left, right = _unit(expr.left, facts), _unit(expr.right, facts)
        both = {"+": left or right, "-": left or right, "*": left or right, "/": left}.get(expr.operator, "")
        return "" if left and right and (left != right or expr.operator in "*/") else both
    name, _ = _metric(expr, facts)
    return METRICS[name].unit if name else ""


_WRITTEN_UNITS = {"bytes": "B"} | {unit: unit for unit in ("multiply-adds", "values", "layers", "positions")}
"""How units are written; other units are clear from the names of their metrics."""


def _for_defaults(contract: Expr, graph: Graph) -> str:
    """Suggest restricting the assertion to the defaults if parameters that it omits have other values."""
    mentioned = {each.name for each in names(contract)}
    changed = [
        name
        for name, default in graph.defaults.items()
        if not isinstance(default, Symbol) and graph.settings.get(name) != default and name not in mentioned
    ]
    if not changed:
        return ""
    tests = " or ".join(f"{name} != {show(graph.defaults[name])}" for name in changed)
    shown = f"assert {tests} or {contract.span.text}" if "\n" not in contract.span.text else f"assert {tests} or …"
    return f"if it is meant for the default only, write `{shown}`"


def _for_labels(contract: Expr, facts: _Facts) -> Help:
    """Suggest that a label of one layer name several layers, if that makes the assertion true."""
    for path in dict.fromkeys(path.names[:-1] for path in _paths(contract) if path.names[-1] in OF_NETWORKS):

        def holds(region: Region, names: tuple[str, ...] = path) -> bool:
            with suppress(CnnError):
                return truth(_resolved(contract, facts, {names: region}), facts.scope)
            return False

        label = ".".join(path)
        fix = wider(label, facts.part(label), facts.facts, holds)
        if fix is not None:
            return fix
    return ""


def _paths(expr: Expr) -> Iterator[Path]:
    if isinstance(expr, Path):
        yield expr
    for operand in operands(expr):
        yield from _paths(operand)


def _with_mistakes(failed: Diagnostic, graph: Graph) -> Diagnostic:
    """Add the likely mistakes in the network that may make the assertion false, such as swapped numbers."""
    is_volume = (
        re.fullmatch(r"\S*output\s*==\s*(?P<volume>[0-9]+(?:x[0-9]+)+)", failed.span.text) if failed.span else None
    )
    if is_volume and failed.span is not None:
        first, *rest = is_volume["volume"].split("x")
        meant = "x".join((*rest, first))
        if f" is {meant}, " in failed.message:
            start = failed.span.start + is_volume.start("volume")
            place = Span(failed.span.source, start, start + len(meant))
            return failed.advised(replacement(place, meant, "channels come last, as in height x width x channels: {}"))
    found = blamed(failed, graph)
    return found if found.help else failed.advised(for_a_rounded_number(failed))


_WORDS = {"<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "!=": "anything but"}


def _grouped(value: Value) -> str:
    """Format a value with thousands separators."""
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        return show(value)
    if Fraction(value).denominator == 1:
        return f"{int(value):,}"
    decimal = f"{float(value):,.10g}"
    return decimal if Fraction(decimal.replace(",", "")) == value else f"about {decimal}"
