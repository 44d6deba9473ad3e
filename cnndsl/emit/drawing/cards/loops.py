"""Repeats among the items of a network."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.items import ItemChain, ReferenceItem, RepeatItem, TapItem, UnitItem, flat
from cnndsl.emit.drawing.cards.raw import value_text
from cnndsl.values import Value


def is_loop(item: UnitItem) -> bool:
    """Return whether a part is a repeat and nothing else."""
    return len(item.chain) == 1 and isinstance(item.chain[0], RepeatItem)


def loops_in(chain: ItemChain) -> list[RepeatItem]:
    """Return the repeats of a chain, including nested ones, but none in branches."""
    found: list[RepeatItem] = []
    stack = list(reversed(chain))
    while stack:
        item = stack.pop()
        if isinstance(item, RepeatItem):
            found.append(item)
            stack.extend(reversed(item.turns))
        elif isinstance(item, UnitItem):
            stack.extend(reversed(item.chain))
    return found


def holds_loop(loop: RepeatItem) -> bool:
    """Return whether an iteration contains a repeat."""
    return any(loops_in(turn.chain) for turn in loop.turns)


def varying(loop: RepeatItem) -> list[int]:
    """Return the columns of a `for` whose values vary."""
    return [at for at in range(len(loop.names)) if len({str(row[at]) for row in loop.rows}) > 1]


def is_table(loop: RepeatItem) -> bool:
    """Return whether each iteration reads only the output of the one before it, and has no other output."""
    return all(not any(isinstance(each, TapItem | ReferenceItem) for each in flat(turn.chain)) for turn in loop.turns)


def row_name(loop: RepeatItem, row: Sequence[Value]) -> str:
    """Return the name of an iteration without one: its values, except those that are numbers of iterations in it."""
    counts = [len(inner[0].turns) if (inner := loops_in(turn.chain)) else 1 for turn in loop.turns]
    shown = [
        f"{name} = {value_text(value)}"
        for at, (name, value) in enumerate(zip(loop.names, row, strict=True))
        if [each[at] for each in loop.rows] != counts
    ]
    return ", ".join(shown)
