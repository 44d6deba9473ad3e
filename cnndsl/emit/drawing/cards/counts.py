"""How often something repeats in a block whose instances are the rows of a table: told by a column, `×(n-1)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.items import UnitItem
from cnndsl.emit.drawing.cards.model import PanelElement, RepeatFrame
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.expr import Value
from cnndsl.graph import LoopPart, walk


def with_counts(
    elements: Sequence[PanelElement],
    whole: UnitItem,
    several: Sequence[tuple[UnitItem, Sequence[Value]]],
    names: Sequence[str],
) -> tuple[PanelElement, ...]:
    """Return the elements of an opened block, its frames with how often their inside repeats in each row."""
    own = [each for each in _times(whole) if each > 1]
    frames = [each for each in elements if isinstance(each, RepeatFrame)]
    if [each.times for each in frames] != own:
        return tuple(elements)
    places = [at for at, each in enumerate(_times(whole)) if each > 1]
    found: list[PanelElement] = []
    number = 0
    for each in elements:
        if isinstance(each, RepeatFrame):
            text = _text(
                [_times(turn)[places[number] :][:1] for turn, _ in several], [row for _, row in several], names
            )
            each = replace(each, text=text)
            number += 1
        found.append(each)
    return tuple(found)


def _times(item: UnitItem) -> list[int]:
    """How often each repeat of a part runs."""
    return [len(each.turns) for each in walk(item.part) if isinstance(each, LoopPart)]


def _text(times: Sequence[list[int]], rows: Sequence[Sequence[Value]], names: Sequence[str]) -> str:
    """`×n`, `×(n-1)`, or the least and the most; nothing where all rows are the same."""
    counts = [each[0] if each else 0 for each in times]
    if len(set(counts)) == 1:
        return ""
    for place, name in enumerate(names):
        values = [value for row in rows if isinstance(value := row[place], int)]
        less = {value - count for value, count in zip(values, counts, strict=False)}
        if len(values) == len(counts) and len(less) == 1:
            by = min(less)
            return f"{TIMES}{name}" if not by else f"{TIMES}({name} {'-' if by > 0 else '+'} {abs(by)})"
    return f"{TIMES}{min(counts)}-{max(counts)}"
