"""The number of iterations in a block whose instances are the rows of a table, as the program states it: `×(n - 1)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.items import UnitItem
from cnndsl.emit.drawing.cards.model import PanelElement, RepeatFrame
from cnndsl.emit.drawing.cards.scope import in_scope
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.graph.parts import CallPart, LoopPart, Part
from cnndsl.graph.traversal import inner_parts

_SIGN = re.compile(r"(?<=[\w)])([+-])(?=[\w(])")


def with_counts(
    elements: Sequence[PanelElement], whole: UnitItem, turns: Sequence[UnitItem], columns: Sequence[str]
) -> tuple[PanelElement, ...]:
    """Return the elements of an opened block, with the number of iterations in each row on its frames."""
    loops = list(_loops(whole.part))
    own = [len(loop.turns) for loop, _ in loops if len(loop.turns) > 1]
    frames = [each for each in elements if isinstance(each, RepeatFrame)]
    if [each.times for each in frames] != own:
        return tuple(elements)
    places = [at for at, (loop, _) in enumerate(loops) if len(loop.turns) > 1]
    every = [[len(loop.turns) for loop, _ in _loops(turn.part)] for turn in turns]
    found: list[PanelElement] = []
    number = 0
    for each in elements:
        if isinstance(each, RepeatFrame):
            at = places[number]
            counts = [times[at] if at < len(times) else 0 for times in every]
            told = _told(*loops[at], whole, turns, columns) if len(set(counts)) > 1 else ""
            each = replace(each, text=told or (f"{TIMES}{min(counts)}-{max(counts)}" if len(set(counts)) > 1 else ""))
            number += 1
        found.append(each)
    return tuple(found)


def _loops(part: Part, calls: tuple[CallPart, ...] = ()) -> Iterator[tuple[LoopPart, tuple[CallPart, ...]]]:
    """Yield the repeats of a part, outer ones first, each with the calls around it."""
    if isinstance(part, LoopPart):
        yield part, calls
    if isinstance(part, CallPart):
        calls = (*calls, part)
    for each in inner_parts(part):
        yield from _loops(each, calls)


def _told(
    loop: LoopPart, calls: Sequence[CallPart], whole: UnitItem, turns: Sequence[UnitItem], columns: Sequence[str]
) -> str:
    """Return the number of iterations of a repeat as the program states it, in names that the drawing shows; "" if it
    uses others."""
    count = in_scope(loop.count, calls, whole, turns, columns) if loop.count is not None else None
    if count is None:
        return ""
    known = {*columns, *(whole.part.parameters if isinstance(whole.part, CallPart) else ())}
    if not count.names <= known:
        return ""
    text = _SIGN.sub(r" \1 ", count.text)
    return f"{TIMES}{text}" if text.isidentifier() else f"{TIMES}({text})"
