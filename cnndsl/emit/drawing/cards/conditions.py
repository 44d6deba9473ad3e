"""State when the dashed parts of a block exist whose instances are the rows of a table: by the condition in the
program, otherwise by their positions. A column that merely coincides with a part is not given as its condition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.emit.drawing.cards.blocks import matched, window_letter
from cnndsl.emit.drawing.cards.items import UnitItem
from cnndsl.emit.drawing.cards.model import Branching, FusedRow, InsetBox, PanelElement, RepeatFrame
from cnndsl.emit.drawing.cards.retold import cells_in
from cnndsl.emit.drawing.cards.scope import in_scope
from cnndsl.emit.drawing.cards.words import TIMES, dims_text, window_of
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import CallPart, ChoicePart, MergePart, Part
from cnndsl.graph.traversal import inner_parts, nodes_of, walk
from cnndsl.layers.base import Layer

_LONGEST = 48
"""The most characters of a condition; for a longer one the positions are stated."""
_MOST = 3
"""The most iterations that are listed."""
_SIGNS = {"==": "=", "!=": "≠", "<=": "≤", ">=": "≥"}
_COMPARISON = re.compile(r" *(==|!=|<=|>=) *")


def conditions(
    graph: Graph, whole: UnitItem, turns: Sequence[UnitItem], names: Sequence[str], elements: Sequence[PanelElement]
) -> tuple[str, ...]:
    """Return a note for each dashed part of an opened block: `identity where s = 1 and C = c`.

    `turns` are the instances of the block in order, `whole` is the one that is opened, `names` are those of the table.
    """
    pairs = matched(graph, whole, turns)
    found: dict[str, None] = {}
    for label, node in _dashed(elements):
        there = set(pairs[node])
        found[f"{label} {_reason(whole, node, there, turns, names) or positions(there, len(turns))}"] = None
    return tuple(found)


def windows(
    graph: Graph, whole: UnitItem, turns: Sequence[UnitItem], names: Sequence[str], elements: Sequence[PanelElement]
) -> tuple[str, ...]:
    """Return a note for each window of an opened block that is not a column of the table: `k = 5 where big, else 3`."""
    letter = window_letter(names)
    pairs = matched(graph, whole, turns)
    found: dict[str, None] = {}
    for cell in cells_in(elements):
        if not re.search(rf"\b{letter}{TIMES}|\b{letter}\b", cell.text.partition(",")[0]):
            continue
        rank = graph.nodes[cell.node].shape.rank
        texts = {at: _window(graph.nodes[node].layer, rank) for at, node in pairs[cell.node].items()}
        own = _window(graph.nodes[cell.node].layer, rank)
        there = {at for at, text in texts.items() if text == own}
        others = list(dict.fromkeys(text for text in texts.values() if text != own))
        if len(others) == 1:
            reason = _reason(whole, cell.node, there, turns, names) or positions(there, len(turns))
            unless = reason.startswith("unless ")
            first, last = (others[0], own) if unless else (own, others[0])
            found[f"{letter} = {first} {reason.replace('unless', 'where', 1)}, else {last}"] = None
        else:
            told = ((text, {at for at in texts if texts[at] == text}) for text in (own, *others))
            found[f"{letter} = {', '.join(f'{text} {positions(each, len(turns))}' for text, each in told)}"] = None
    return tuple(found)


def _window(layer: Layer, rank: int) -> str:
    """Return a window in a note: one number where its sides are equal."""
    sizes = window_of(layer)
    return str(sizes[0]) if len(set(sizes)) == 1 else dims_text(sizes, rank)


def positions(there: set[int], count: int) -> str:
    """Return a description of some of `count` iterations, which are numbered from 0.

    >>> positions({0}, 4), positions({0, 1, 2}, 4), positions({1, 3}, 8), positions({0, 2, 4, 6}, 8)
    ('in the first', 'except in the last', 'in the 2nd and 4th', 'in 4 of 8')
    """
    lacking = set(range(count)) - there
    for most in (1, _MOST):
        for word, several in (("in", there), ("except in", lacking)):
            if 0 < len(several) <= most:
                *others, last = (_ordinal(at, count) for at in sorted(several))
                return f"{word} the {', '.join(others)} and {last}" if others else f"{word} the {last}"
    return f"in {len(there)} of {count}"


def _ordinal(at: int, count: int) -> str:
    if at in (0, count - 1):
        return "last" if at else "first"
    number = at + 1
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _dashed(elements: Sequence[PanelElement]) -> Iterator[tuple[str, int]]:
    """Yield the dashed parts: their names, and one of their nodes each."""
    for each in elements:
        match each:
            case FusedRow():
                if optional := [cell for cell in each.cells if cell.is_optional]:
                    yield optional[0].text.partition(",")[0], optional[0].node
            case InsetBox():
                if each.is_optional:
                    yield each.title, each.nodes[0]
            case RepeatFrame():
                yield from _dashed(each.elements)
            case Branching():
                for branch in each.branches:
                    yield from _dashed(branch)
                if any(each.optional):
                    yield "identity", each.node


def _reason(whole: UnitItem, node: int, there: set[int], turns: Sequence[UnitItem], names: Sequence[str]) -> str:
    """Return the condition in the program that decides where a node exists, "" if there is none that can be stated."""
    for choice, calls in _choices(whole.part, node):
        if there == {at for at, turn in enumerate(turns) if _taken(turn.part, choice) == choice.taken}:
            return _text(choice, calls, whole, turns, names)
    return ""


def _choices(part: Part, node: int) -> Iterator[tuple[ChoicePart, tuple[CallPart, ...]]]:
    """Yield the choices around a node, or around the identity of a merge, the outermost first, with the calls around
    them."""
    calls: tuple[CallPart, ...] = ()
    at: Part | None = part
    while at is not None:
        if isinstance(at, ChoicePart):
            yield at, calls
        if isinstance(at, CallPart):
            calls = (*calls, at)
        if isinstance(at, MergePart) and at.node == node:
            empty = (branch for branch in at.branches if not any(True for _ in nodes_of(branch)))
            yield from ((each, calls) for branch in empty for each in walk(branch) if isinstance(each, ChoicePart))
            return
        at = next((each for each in inner_parts(at) if node in nodes_of(each)), None)


def _taken(part: Part, choice: ChoicePart) -> int | None:
    """Return which alternative of a choice of the program is taken in another instance, None if it does not occur
    there."""
    same = (each for each in walk(part) if isinstance(each, ChoicePart))
    return next((each.taken for each in same if each.span == choice.span and each.kind == choice.kind), None)


def _text(
    choice: ChoicePart, calls: Sequence[CallPart], whole: UnitItem, turns: Sequence[UnitItem], names: Sequence[str]
) -> str:
    if choice.kind == "either":
        return "where the shape stays" if choice.taken == 0 else "where the shape changes"
    if choice.test is None or isinstance(choice.test, str):
        return f"where {choice.test}" if choice.test else ""
    test = in_scope(choice.test, calls, whole, turns, names)
    text = "" if test is None else _COMPARISON.sub(lambda match: f" {_SIGNS[match[1]]} ", test.text)
    if not text or len(text) > _LONGEST:
        return ""
    return f"{'where' if choice.taken == 0 else 'unless'} {text}"
