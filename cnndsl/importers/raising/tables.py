"""Write consecutive steps that differ in their numbers as a table: `for c, n in (64, 3), (128, 4) [Unit(c)*n]`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set

from cnndsl.importers.raising.progress import is_place, less, plus
from cnndsl.importers.raising.repeats import names_inside
from cnndsl.importers.raising.solving import Unified
from cnndsl.importers.raising.stages import staged, staged_modules, unstaged
from cnndsl.importers.raising.terms import (
    CallTerm,
    Formula,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    TableTerm,
    TermChain,
    TermValue,
)
from cnndsl.importers.raising.unify import skeleton, unified
from cnndsl.importers.raising.walks import TermKey, mapped, unnumbered

FEWEST = 2
"""The minimum number of rows for which a table pays off."""
_FEWEST_CALLS = 4
"""The same if a row is a single call, which names its numbers as well as a table does."""
_WIDEST = 8
_BEGINNINGS = 4
"""The number of steps at which a table of stages may begin."""
_ENDS = 3
"""The number of steps at which it may end."""


def tabled(chain: TermChain, named: Set[int], is_deep: bool = True, is_staged: bool = False) -> TermChain:
    """Return the chain with its tables, including those in its branches.

    Args:
        chain: The chain to fold, with its repeats already in place.
        named: The nodes that have labels; a row contains none, but the last row may end with one.
        is_deep: Whether to fold branches as well.
        is_staged: Whether repeats of calls are the rest of stages, and cannot match a single call.
    """
    if is_deep:
        chain = tuple([step.over(_inside(step.term, named)) for step in chain])
    parts = [
        (isinstance(step.term, RepeatTerm) and is_staged, *skeleton((unnumbered(step).also(""),))) for step in chain
    ]
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


def ways(plain: TermChain, named: Set[int], is_deep: bool = True) -> Iterator[TermChain]:
    """Yield ways to write a chain with tables, and the chain itself.

    Args:
        plain: A chain with its repeats.
        named: The nodes that have labels.
        is_deep: Whether to fold branches as well.
    """
    yield plain
    if len(plain) < FEWEST:
        return
    yield unstaged(tabled(plain, named, is_deep))
    for begin in range(min(_BEGINNINGS, len(plain) - 1)):
        for end in range(len(plain), max(len(plain) - _ENDS, begin + 1), -1):
            rest = staged(staged_modules(plain[begin:end]))
            yield unstaged((*plain[:begin], *tabled(rest, named, is_deep, is_staged=True), *plain[end:]))


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


def _from_nothing(found: Unified) -> Unified:
    """Return the same with non-negative positions: the body subtracts the offset."""
    body, rows = found.body, found.arguments
    for at, parameter in enumerate(found.parameters):
        values = [row[at] for row in rows]
        least = min((value for value in values if type(value) is int), default=0)
        if is_place(parameter.name) and least < 0:
            rows = tuple([(*row[:at], _moved(row[at], -least), *row[at + 1 :]) for row in rows])
            body = _with_less(body, Formula(parameter.name), least)
    return Unified(found.parameters, body, rows)


def _with_less(body: TermChain, name: Formula, by: int) -> TermChain:
    """Return a body with a number added to everything that reads a position."""
    return mapped(body, lambda _, value: value if less(value, name) is None else _moved(value, by))


def _moved(value: TermValue, by: int) -> TermValue:
    return plus(value, by) if isinstance(value, int | Formula) else value


def _table(chain: TermChain, start: int, period: int, count: int) -> PlacedTerm | None:
    rows = [chain[start + period * at : start + period * (at + 1)] for at in range(count)]
    found = unified(rows, has_channels=False)
    if found is None or not found.parameters:
        return None
    if period == 1 and isinstance(rows[0][0].term, CallTerm) and count < _FEWEST_CALLS:
        return None
    if any(isinstance(value, Link | NameRef) for row in found.arguments for value in row):
        return None
    names = tuple([each.name for each in found.parameters])
    found = _from_nothing(found)
    last = rows[-1][-1]
    return PlacedTerm(TableTerm(names, found.arguments, found.body), last.node, rows[0][0].channels, alias=last.alias)
