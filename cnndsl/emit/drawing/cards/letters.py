"""Letters for the values that vary among the instances of a block: `c`, `4c`, `C/2`, `/s`.

A letter is the parameter of the block whose values are the widths, if there is one. Otherwise the first width that
varies is `c`, then `d` and so on. Widths that follow from the input channels are written with `C`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from cnndsl.emit.drawing.cards.items import UnitItem, nodes_in
from cnndsl.emit.drawing.cards.words import TIMES, slide_text, width_of
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph
from cnndsl.records import record

_FREE = "cdefghuvw"


@record(slots=True)
class BlockLetters:
    """The labels' widths and strides of a block by position, and the values that distinguish its instances."""

    widths: Mapping[int, str]
    strides: Mapping[int, str]
    values: tuple[tuple[tuple[str, int], ...], ...]
    """For each instance the letters that vary, with their values."""
    slides: tuple[str, ...]
    """For each instance its stride, if that varies."""
    uses_channels: bool = False


def letters(
    graph: Graph, instances: Sequence[UnitItem], relatives: Sequence[UnitItem], taken: Collection[str] = ()
) -> BlockLetters:
    """Return the letters of a block, none of them `taken`. `relatives` are the instances of all its variants."""
    rows = [nodes_in(each.chain) for each in instances]
    known = _parameters(instances, relatives)
    widths: dict[int, str] = {}
    used: dict[str, tuple[int, ...]] = {}
    uses_channels = False
    for at in range(len(rows[0])):
        values = tuple(width_of(graph.nodes[row[at]].layer) for row in rows)
        if not all(values):
            continue
        name = _named(values, known, used, len(relatives) > 1)
        if not name and len(set(values)) > 1:
            name = _of_input(graph, rows, values)
            uses_channels = uses_channels or bool(name)
        if not name and len(set(values)) > 1:
            letter = next((each for each in _FREE if each not in used and each not in known and each not in taken), "w")
            used[letter] = values
            name = letter
        if name:
            widths[at] = name
    strides, slides = _strides(graph, rows, relatives)
    shown = tuple(tuple((name, values[at]) for name, values in used.items()) for at in range(len(rows)))
    return BlockLetters(widths, strides, shown, slides, uses_channels)


def _parameters(instances: Sequence[UnitItem], relatives: Sequence[UnitItem]) -> dict[str, tuple[int, ...]]:
    """Return the parameters of the block that are numbers and vary among its variants, with their values in each
    instance."""
    names = [name for name, _ in instances[0].parameters]
    found: dict[str, tuple[int, ...]] = {}
    for name in names:
        values = [dict(each.parameters).get(name) for each in instances]
        everywhere = {dict(each.parameters).get(name) for each in relatives}
        numbers = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
        if len(numbers) == len(values) and len(everywhere) > 1 and all(each > 0 for each in numbers):
            found[name] = tuple(numbers)
    return found


def _named(
    values: tuple[int, ...], known: Mapping[str, tuple[int, ...]], used: dict[str, tuple[int, ...]], has_several: bool
) -> str:
    """Return a width as a multiple of a letter, which is recorded as used."""
    if not has_several:
        return ""
    exact = next((name for name, others in known.items() if others == values), "")
    if exact:
        used.setdefault(exact, values)
        return exact
    for name, others in (*used.items(), *known.items()):
        ratios = {Fraction(value, other) for value, other in zip(values, others, strict=True)}
        if len(ratios) == 1 and (len(set(values)) > 1 or (name in used and min(ratios).denominator == 1)):
            used.setdefault(name, others)
            return _multiple(min(ratios), name)
    return ""


def _multiple(ratio: Fraction, name: str) -> str:
    """Write a multiple of a letter.

    >>> _multiple(Fraction(4), "c"), _multiple(Fraction(1, 2), "C"), _multiple(Fraction(1), "c")
    ('4c', 'C/2', 'c')
    """
    top = name if ratio.numerator == 1 else f"{ratio.numerator}{name}"
    return top if ratio.denominator == 1 else f"{top}/{ratio.denominator}"


def _of_input(graph: Graph, rows: Sequence[tuple[int, ...]], values: tuple[int, ...]) -> str:
    """Return a width as a fraction of the block's input channels."""
    entering = [graph.shapes(graph.nodes[row[0]])[0].channels for row in rows if graph.nodes[row[0]].inputs]
    if len(entering) != len(values):
        return ""
    ratios = {Fraction(value, channels) for value, channels in zip(values, entering, strict=True)}
    return _multiple(min(ratios), "C") if len(ratios) == 1 else ""


def _strides(
    graph: Graph, rows: Sequence[tuple[int, ...]], relatives: Sequence[UnitItem]
) -> tuple[dict[int, str], tuple[str, ...]]:
    """Return the strides that vary, as `/s`, and each instance's."""
    found: dict[int, str] = {}
    slides = [""] * len(rows)
    family = [nodes_in(each.chain) for each in relatives]
    slid = {tuple(sorted({stride for at in row if (stride := _slide(graph, at))})) for row in family}
    varies = len(slid) > 1
    for at in range(len(rows[0])):
        layers = [graph.nodes[row[at]].layer for row in rows]
        if layers[0].ROLE in ("pooling", "resize"):
            continue
        each = [slide_text(layer) for layer in layers]
        if len(set(each)) > 1 or (varies and any(each)):
            found[at] = f"{TIMES}s" if role_of(layers[0]) == "up" else "/s"
            slides = [old or new for old, new in zip(slides, each, strict=True)]
    return found, tuple(slides)


def _slide(graph: Graph, node: int) -> str:
    layer = graph.nodes[node].layer
    return "" if layer.ROLE in ("pooling", "resize") else slide_text(layer)
