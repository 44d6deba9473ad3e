"""The arithmetic of each layer as a lecturer writes it on the board: `(227 - 11 + 2*0)/4 + 1 = 55`.

Expressions come from the layer types and from `analysis.recurrence`, results from the metrics of `stats`; a test
evaluates the expressions and compares them with the results. Iterations of a repeat that differ only in their receptive
fields are written once. `derivation_text` and `derivation_math` format all of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from cnndsl.analysis.lecture import BYTES_A_VALUE
from cnndsl.analysis.recurrence import FieldStep, recurrences
from cnndsl.graph import Node
from cnndsl.layers.formulas import multiplied
from cnndsl.records import record
from cnndsl.report.metrics import Metrics, Row
from cnndsl.shape import axis_names

SHOWN_TERMS = 16
"""The most terms of a total that is still written as a sum."""
SHOWN_OPERANDS = 4
_AT_MOST = "(at most)"

LEGEND = (
    ("size", "(W - F + 2*P)/S + 1 with input W, kernel F, padding P and stride S"),
    ("params", "weights + biases"),
    ("memory", "one value for each position and channel, 4 bytes each"),
    ("field", "r = r + (F - 1)*j positions of the input, j = j*S apart, from r = j = 1"),
)
"""The meaning of the names of the lines."""

DerivationLine: TypeAlias = "tuple[WrittenEquation, ...] | str"


@record(slots=True)
class WrittenEquation:
    """An equation `symbol = formula = result unit`. Without a formula, the program states the result; without a symbol,
    the line's name takes its place."""

    formula: str
    result: int | Fraction
    unit: str = ""
    symbol: str = ""

    @property
    def sides(self) -> tuple[str, ...]:
        """Return the expressions between the equals signs."""
        number = str(self.result)
        formula = "" if self.formula == number else self.formula
        return tuple(side for side in (self.symbol, formula, number) if side)


@record(slots=True)
class LayerDerivation:
    """The lines of a layer, each with its name: equations or a remark. There are several `paths` for iterations of a
    repeat."""

    paths: tuple[str, ...]
    text: str
    shapes: str
    lines: tuple[tuple[str, DerivationLine], ...]
    nodes: tuple[int, ...] = ()


def derivations(stats: Metrics) -> list[LayerDerivation]:
    """Return the arithmetic of the inputs, the layers and the totals, without functions of single values such as
    RELU."""
    graph = stats.graph
    steps = recurrences(graph, {row.node.index: row.field for row in (*stats.inputs, *stats.layers)})
    found = [_input(row) for row in stats.inputs]
    groups: dict[object, list[tuple[Row, tuple[tuple[str, DerivationLine], ...]]]] = {}
    repeats = _Repeats()
    for row in stats.layers:
        lines = tuple(_lines(stats, row))
        if not lines and not steps[row.node.index] and not row.volume:
            repeats.key(row.node)
            continue
        strides = tuple(step.stride for step in steps[row.node.index])
        same = (repeats.key(row.node), strides, *(each for each in lines if each[0] != "operands"))
        groups.setdefault(same, []).append((row, lines))
    for several in groups.values():
        rows = [row for row, _ in several]
        fields = _fields([steps[row.node.index] for row in rows])
        found.append(_layer(stats, rows, (*several[0][1], *fields)))
    return [*found, LayerDerivation(("total",), stats.graph.title, "", tuple(_totals(stats, list(groups.values()))))]


class _Repeats:
    """Distinguishes the iterations of a repeat from those that the same text makes elsewhere."""

    def __init__(self) -> None:
        self._last: tuple[int, ...] = ()
        self._runs = 0

    def key(self, node: Node) -> object:
        """Return a key shared by the same layer of several iterations. Call it for each node in order."""
        numbers = tuple(turn.number for turn in node.turns)
        if numbers[:1] != self._last[:1] and numbers[:1] <= (1,):
            self._runs += 1
        self._last = numbers
        spans = tuple((turn.span.start, turn.span.end) for turn in node.turns)
        return (self._runs, node.span.start, spans, node.text) if numbers else node.index


def _input(row: Row) -> LayerDerivation:
    path = row.node.path or "input"
    steps = [FieldStep(size, stride) for size, stride in zip(row.receptive_field, row.stride, strict=True)]
    lines = (("memory", (_memory(row),)), *_fields([tuple(steps)]))
    return LayerDerivation((path,), row.node.kind, _shape(row.node), lines, (row.node.index,))


def _layer(stats: Metrics, rows: Sequence[Row], lines: tuple[tuple[str, DerivationLine], ...]) -> LayerDerivation:
    node = rows[0].node
    given = [_shape(stats.graph.nodes[at]) for at in node.value_inputs]
    if len(given) > SHOWN_OPERANDS:
        given = [*given[: SHOWN_OPERANDS - 1], "…", given[-1]]
    text = f"{node.text} (in training only)" if node.training_only else node.text
    paths = tuple(row.node.path for row in rows)
    nodes = tuple(row.node.index for row in rows)
    return LayerDerivation(paths, text, f"{', '.join(given)} -> {_shape(node)}", lines, nodes)


def _shape(node: Node) -> str:
    return str(node.shape)


def _lines(stats: Metrics, row: Row) -> Iterable[tuple[str, DerivationLine]]:
    """Yield the lines of a layer without its receptive field."""
    graph, node = stats.graph, row.node
    layer, inputs = node.layer, graph.shapes(node)
    if len(node.value_inputs) > 1:
        yield "operands", ", ".join(graph.nodes[at].path or "input" for at in node.value_inputs)
    sizes = layer.size_formula(*inputs)
    yield from _sizes(node, sizes, layer.remainder(*inputs))
    read = {graph.nodes[at].shape.spatial for at in node.value_inputs}
    if not sizes and node.shape.rank and node.shape.spatial not in read:
        yield "size", f"{'x'.join(map(str, node.shape.spatial))}, given"
    if formula := layer.channels_formula(*inputs):
        yield "channels", (WrittenEquation(formula, node.shape.channels),)
    if node.weights_of >= 0:
        yield "params", f"those of {graph.nodes[node.weights_of].path}, used once more"
    elif row.cost.params:
        yield "params", (WrittenEquation(_params(row, stats), row.cost.params),)
    if row.cost.macs:
        yield "multiply-adds", (WrittenEquation(layer.macs_formula(*inputs), row.cost.macs),)
    if row.volume:
        yield "memory", (_memory(row),)


def _sizes(node: Node, formulas: Sequence[str], remainders: Sequence[int]) -> Iterable[tuple[str, DerivationLine]]:
    """Yield one line if all axes have the same numbers, otherwise one for each axis."""
    remainders = remainders or (0,) * len(formulas)
    lines = [
        (WrittenEquation(formula, size, f"(remainder {rest})" if rest else ""),)
        for formula, size, rest in zip(formulas, node.shape.spatial, remainders, strict=False)
    ]
    if len(set(lines)) == 1:
        yield "size", lines[0]
    else:
        yield from zip(axis_names(len(lines)), lines, strict=True)


def _params(row: Row, stats: Metrics) -> str:
    """Return weights and biases as a sum."""
    inputs = stats.graph.shapes(row.node)
    tensors = row.node.layer.tensors(*inputs)
    counted = row.node.layer.weights_formula(*inputs)
    weights = [counted] if counted else [multiplied(each.shape) for each in tensors if each.role == "weight"]
    return " + ".join(weights + [multiplied(each.shape) for each in tensors if each.role == "bias"])


def _memory(row: Row) -> WrittenEquation:
    return WrittenEquation(f"{multiplied(row.node.shape.hwc)}*{BYTES_A_VALUE}", row.volume, "bytes")


def _fields(turns: Sequence[tuple[FieldStep, ...]]) -> Iterable[tuple[str, DerivationLine]]:
    """Yield the recurrence of the first iteration, and the sizes in the following ones."""
    first, *others = turns
    equal = all(len(set(steps)) <= 1 for steps in turns)
    names = ["field"] if equal else [f"field ({name})" for name in axis_names(len(first))]
    for axis, name in enumerate(names if first else ()):
        step = first[axis]
        parts = [WrittenEquation(step.size_formula, step.size, _AT_MOST * step.at_most, "r")]
        if step.stride:
            parts.append(WrittenEquation(step.stride_formula, step.stride, symbol="j"))
        yield name, tuple(parts)
        if others:
            sizes = (
                WrittenEquation("", each.size, _AT_MOST * each.at_most) for each in (steps[axis] for steps in others)
            )
            yield name.replace("field", "then"), (replace(next(sizes), symbol="r"), *sizes)


def _totals(stats: Metrics, groups: Sequence[Sequence[tuple[Row, object]]]) -> Iterable[tuple[str, DerivationLine]]:
    """Yield the totals, as sums if these are short."""
    rows = [[row for row, _ in several] for several in groups]
    params = [[row.cost.params for row in several] for several in rows]
    in_use = [[row for row in several if not row.node.training_only] for several in rows]
    macs = [[row.cost.macs for row in several] for several in in_use]
    memory = [[row.volume for row in stats.inputs], *([row.volume for row in several] for several in in_use)]
    totals = stats.totals
    yield "params", (WrittenEquation(_sum(params), totals.params),)
    yield "multiply-adds", (WrittenEquation(_sum(macs), totals.macs),)
    yield "memory", (WrittenEquation(_sum(memory), totals.memory, "bytes"),)


def _sum(several: Iterable[list[int]]) -> str:
    """Return the sum of all numbers, with the iterations of a repeat as a product; empty if it has too many terms."""
    terms: list[str] = []
    for numbers in several:
        alike = len(numbers) > 1 and len(set(numbers)) == 1 and numbers[0] > 0
        terms += [f"{len(numbers)}*{numbers[0]}"] if alike else [str(each) for each in numbers if each]
    return " + ".join(terms) if 1 < len(terms) <= SHOWN_TERMS else ""
