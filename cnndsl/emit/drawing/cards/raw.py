"""The steps of a spine before their rows are folded."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeGuard

from cnndsl.emit.drawing.cards.items import ForkItem, ItemChain, RepeatItem, UnitItem, nodes_in
from cnndsl.records import record
from cnndsl.values import NameSymbol, Value, show

_NUMBERED = re.compile(r"(.*?)(\d+)")
EDGE_ROWS = 4
"""The most rows of a stem or a head that stay open."""


@record(slots=True)
class RawRow:
    """Consecutive layers in the spine. `stage` is the part that begins with them, if it is opened."""

    nodes: tuple[int, ...]
    stage: str = ""


@record(slots=True)
class RawFork:
    """A merge of branches in the spine."""

    item: ForkItem
    stage: str = ""


@record(slots=True)
class RawCard:
    """A card before its rows are folded: instances of blocks and layers between them. `is_plain` if it may be opened as
    a stem or a head, `is_repeat` if the parts are the iterations of one repeat. `names` and `rows` are those of a
    table, `stage` is as for rows. `is_call` if it is a single call of the block that it is named after."""

    name: str
    path: str
    parts: tuple[UnitItem | tuple[int, ...], ...]
    is_plain: bool = False
    names: tuple[str, ...] = ()
    rows: tuple[tuple[Value, ...], ...] = ()
    is_repeat: bool = False
    stage: str = ""
    is_call: bool = False


RawStep: TypeAlias = RawRow | RawFork | RawCard


def raw_nodes(step: RawStep) -> tuple[int, ...]:
    """Return the nodes of a step of the spine."""
    if isinstance(step, RawRow):
        return step.nodes
    if isinstance(step, RawFork):
        return nodes_in((step.item,))
    return tuple(node for part in step.parts for node in (part if isinstance(part, tuple) else nodes_in(part.chain)))


def value_text(value: Value) -> str:
    """Return a value of a `for` as a table shows it."""
    return value.name if isinstance(value, NameSymbol) else show(value)


def with_open_ends(steps: Sequence[RawStep], params: Mapping[int, int]) -> list[RawStep]:
    """Return the steps, with the small plain cards opened that are the only ones at the beginning or at the end. One
    with most of the parameters of the nodes stays a card beside others, which show their parameters."""
    most = sum(params.values()) / 2
    cards = [at for at, step in enumerate(steps) if isinstance(step, RawCard)]
    found: list[RawStep] = []
    for at, step in enumerate(steps):
        is_edge = len(cards) > 1 and at in (cards[0], cards[-1])
        is_edge = is_edge and sum(params.get(node, 0) for node in raw_nodes(step)) <= most
        if isinstance(step, RawCard) and step.is_plain and (is_edge or len(cards) == 1) and _is_small(step):
            found += [RawRow(each) for each in step.parts if isinstance(each, tuple)]
        else:
            found.append(step)
    return found


def named_apart(steps: Sequence[RawStep]) -> list[RawStep]:
    """Return the steps with runs of one block without labels named by their paths, from the first to the last, since
    several would share the name of the block."""
    counts = Counter(step.name for step in steps if _is_run(step))
    several = {step.name for step in steps if _is_run(step) and len(step.parts) > 1 and counts[step.name] > 1}
    return [replace(step, name=_range(step)) if _is_run(step) and step.name in several else step for step in steps]


def _is_run(step: RawStep) -> TypeGuard[RawCard]:
    """Return whether a step is a card that is named after the block of its parts, which have no labels."""
    if not isinstance(step, RawCard) or step.path or step.names or step.stage:
        return False
    return all(isinstance(each, UnitItem) and each.path and each.title == step.name for each in step.parts)


def _range(card: RawCard) -> str:
    """Return the paths of the parts of a card."""
    paths = [each.path for each in card.parts if isinstance(each, UnitItem)]
    first, last = (_NUMBERED.fullmatch(paths[at]) for at in (0, -1))
    if len(paths) == 1 or first is None or last is None or first[1] != last[1]:
        return paths[0] if len(paths) == 1 else card.name
    return f"{paths[0]}\u2013{last[2]}"


def _is_small(card: RawCard) -> bool:
    return len(card.parts) <= EDGE_ROWS and all(isinstance(each, tuple) for each in card.parts)


def table_instances(card: RawCard) -> list[tuple[UnitItem, tuple[Value, ...]]]:
    """Return the instances of the block of a table's card, each with its row: an iteration may consist of several."""
    found: list[tuple[UnitItem, tuple[Value, ...]]] = []
    for turn, row in zip(card.parts, card.rows, strict=True):
        assert isinstance(turn, UnitItem)
        inner = [] if turn.title else units(turn.chain)
        titles = {each.title for each in inner}
        is_several = len(titles) == 1 and "" not in titles
        is_all = sum(len(nodes_in(each.chain)) for each in inner) == len(nodes_in(turn.chain))
        found += [(each, row) for each in (inner if is_several and is_all else [turn])]
    return found


def units(chain: ItemChain) -> list[UnitItem]:
    """Return the parts of a chain, including those in repeats."""
    found: list[UnitItem] = []
    for item in chain:
        if isinstance(item, UnitItem):
            found.append(item)
        elif isinstance(item, RepeatItem):
            found += units(item.turns)
    return found
