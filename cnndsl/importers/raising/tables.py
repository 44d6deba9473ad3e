"""Steps that follow themselves with other numbers as a table: `for c, n in (64, 3), (128, 4) [Unit(c)*n]`."""

from __future__ import annotations

from collections.abc import Sequence, Set

from cnndsl.importers.raising.repeats import names_inside
from cnndsl.importers.raising.terms import (
    CallTerm,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    TableTerm,
    TermChain,
)
from cnndsl.importers.raising.unify import skeleton, unified
from cnndsl.importers.raising.walks import TermKey, unnumbered

FEWEST = 2
"""Rows below which a table is no gain."""
_FEWEST_CALLS = 4
"""The same, where a row is a single call, which names its numbers as well as a table does."""
_WIDEST = 8


def tabled(chain: TermChain, named: Set[int], is_deep: bool = True) -> TermChain:
    """Return the chain with its tables, those in its branches too.

    Args:
        chain: What to fold; its repeats are there already.
        named: The nodes that have labels; no row holds one, but the last may end with one.
        is_deep: Whether to fold what is in branches, too.
    """
    if is_deep:
        chain = tuple([step.over(_inside(step.term, named)) for step in chain])
    parts = [skeleton((unnumbered(step).also(""),)) for step in chain]
    steps: list[PlacedTerm] = []
    at = 0
    while at < len(chain):
        period, count = _longest(chain, parts, at, named)
        table = _table(chain, at, period, count) if count > 1 else None
        if table is None:
            steps.append(chain[at])
            at += 1
        else:
            steps.append(table)
            at += period * count
    return tuple(steps)


def parted(chain: TermChain) -> TermChain:
    """Return the chain with the first turn of a repeated call by itself, as where the first unit of a stage differs.

    A stage whose first unit does not differ is so written like the others.
    """
    steps: list[PlacedTerm] = []
    for step in chain:
        term = step.term
        only = term.body[0].term if isinstance(term, RepeatTerm) and len(term.body) == 1 else None
        before = steps[-1].term if steps else None
        if isinstance(term, RepeatTerm) and isinstance(only, CallTerm) and isinstance(term.count, int):
            if term.body[0].number is None and not (isinstance(before, CallTerm) and before.block == only.block):
                steps.append(PlacedTerm(only, -1, step.channels))
                step = step.over(RepeatTerm(term.body, term.count - 1))
        elif isinstance(term, CallTerm) and isinstance(before, CallTerm) and before.block == term.block:
            step = PlacedTerm(RepeatTerm((step.also(""),), 1), step.node, step.channels, alias=step.alias)
        steps.append(step)
    return tuple(steps)


def _inside(term: RaisedTerm, named: Set[int]) -> RaisedTerm:
    if isinstance(term, MergeTerm):
        return term.over(tuple([tabled(each, named) for each in term.branches]))
    return term


def _longest(chain: TermChain, parts: Sequence[TermKey], start: int, named: Set[int]) -> tuple[int, int]:
    best = (1, 1)
    for period in range(1, min(_WIDEST, (len(chain) - start) // 2) + 1):
        count = 1
        while parts[start + period * count : start + period * (count + 1)] == parts[start : start + period]:
            count += 1
        while count > 1 and any(step.alias for step in chain[start : start + period * count - 1]):
            count -= 1
        while count > 1 and names_inside(chain[start : start + period * count], named):
            count -= 1
        if count >= FEWEST and period * count > best[0] * best[1]:
            best = (period, count)
    return best


def _table(chain: TermChain, start: int, period: int, count: int) -> PlacedTerm | None:
    rows = [chain[start + period * at : start + period * (at + 1)] for at in range(count)]
    found = unified(rows, has_channels=False)
    if found is None or not found.parameters or any(isinstance(step.term, MergeTerm) for step in rows[0]):
        return None
    if period == 1 and isinstance(rows[0][0].term, CallTerm) and count < _FEWEST_CALLS:
        return None
    if any(isinstance(value, Link | NameRef) for row in found.arguments for value in row):
        return None
    names = tuple([each.name for each in found.parameters])
    last = rows[-1][-1]
    return PlacedTerm(TableTerm(names, found.arguments, found.body), last.node, rows[0][0].channels, alias=last.alias)
