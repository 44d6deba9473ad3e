"""Runs of calls as stages whose first unit may differ: `Unit(c, 2) -> Unit(c)*{n-1}`.

A table may also have stages of a single unit, whose repeat has no iterations. Repeats that end up in no table are
undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from cnndsl.importers.raising.progress import at_turn, is_place, later, plus
from cnndsl.importers.raising.solving import is_width
from cnndsl.importers.raising.terms import (
    CallTerm,
    Counting,
    Formula,
    GroupTerm,
    PlacedTerm,
    RepeatTerm,
    TableTerm,
    TermChain,
    TermValue,
)
from cnndsl.importers.raising.walks import key, numbers
from cnndsl.records import record


@record(slots=True)
class _Turns:
    """A call, the number of times that it is repeated, and the last of the steps that it covers."""

    call: CallTerm
    count: int
    step: PlacedTerm


def staged(chain: TermChain) -> TermChain:
    """Return the chain with its runs of calls as stages: a call and a repeat of the others."""
    steps: list[PlacedTerm] = []
    at = 0
    while at < len(chain):
        run = _run(chain, at)
        steps += _stages(run) if run else (chain[at],)
        at += len(run) or 1
    return tuple(steps)


def staged_modules(chain: TermChain) -> TermChain:
    """Return the chain in which each module that is a run of calls is written as one stage, if possible."""
    steps: list[PlacedTerm] = []
    for step in chain:
        if isinstance(step.term, GroupTerm) and len(run := _run(step.term.body, 0)) == len(step.term.body):
            body = _stages(run)
            step = step.over(GroupTerm(body, step.term.path)) if len(body) == 2 else step
        steps.append(step)
    return tuple(steps)


def _run(chain: TermChain, start: int) -> list[_Turns]:
    """Return the consecutive calls of one block, starting at a given step."""
    found: list[_Turns] = []
    for step in chain[start:]:
        turns = _turns(step)
        if turns is None or (found and turns.call.block != found[0].call.block):
            break
        found.append(turns)
        if step.alias:
            break
    return found


def _turns(step: PlacedTerm) -> _Turns | None:
    if step.name or step.number is not None:
        return None
    if isinstance(step.term, CallTerm):
        return _Turns(step.term, 1, step)
    if not isinstance(step.term, RepeatTerm) or type(step.term.count) is not int or len(step.term.body) != 1:
        return None
    (only,) = step.term.body
    is_plain = isinstance(only.term, CallTerm) and not only.name and only.number is None
    return _Turns(cast("CallTerm", only.term), step.term.count, step) if is_plain else None


def _stages(run: Sequence[_Turns]) -> TermChain:
    steps: list[PlacedTerm] = []
    at = 0
    while at < len(run):
        first = run[at]
        follows = first.count == 1 and at + 1 < len(run) and _is_one_stage(first.call, run[at + 1].call)
        last = run[at + 1] if follows else first
        count = last.count if follows else first.count - 1
        rest = _rest(first, last if follows else None)
        (begin,) = at_turn((PlacedTerm(first.call, -1, -1),), 1)
        steps.append(PlacedTerm(begin.term, first.step.node if follows else -1, first.step.channels))
        body = (PlacedTerm(rest, -1, -1),)
        steps.append(PlacedTerm(RepeatTerm(body, count), last.step.node, -1, alias=last.step.alias))
        at += 2 if follows else 1
    return tuple(steps)


def _rest(first: _Turns, last: _Turns | None) -> CallTerm:
    """Return the call that is repeated after the first one of a stage."""
    if last is None and first.count > 1:
        return later(first.call, 1)
    if last is not None and last.count > 1:
        return last.call
    values = last.call.arguments if last else [(name, None) for name, _ in first.call.arguments]
    return CallTerm(first.call.block, tuple([(name, _in_repeat(name, value)) for name, value in values]))


def _in_repeat(name: str, value: TermValue) -> TermValue:
    """Return an argument of a call for a repeat of one iteration, or of none."""
    if not is_place(name) or not (value is None or isinstance(value, int | Formula)):
        return value
    return Counting(None if value is None else plus(value, -1), 1)


def _is_one_stage(one: CallTerm, other: CallTerm) -> bool:
    """Return whether two calls output the same number of channels."""
    pairs = zip(one.arguments, other.arguments, strict=True)
    return all(value == another for (name, value), (_, another) in pairs if is_width(name))


def unstaged(chain: TermChain) -> TermChain:
    """Return the chain without empty repeats, and with equal consecutive calls as one repeat."""
    steps: list[PlacedTerm] = []
    for step in chain:
        term = step.term
        if isinstance(term, GroupTerm):
            step = step.over(GroupTerm(unstaged(term.body), term.path))
        elif isinstance(term, TableTerm):
            step = step.over(_counted(TableTerm(term.names, term.rows, unstaged(term.body))))
        elif isinstance(term, RepeatTerm) and term.count in (0, 1):
            if term.count == 0:
                before = steps.pop()
                steps.append(PlacedTerm(before.term, step.node, before.channels, alias=step.alias))
                continue
            step = PlacedTerm(at_turn(term.body, 1)[0].term, step.node, step.channels, alias=step.alias)
        before = steps[-1] if steps else None
        if before is not None and isinstance(step.term, RepeatTerm) and _is_turn(before, step.term):
            count = step.term.count
            if type(count) is int:
                term = RepeatTerm(_earlier(step.term.body), count + 1)
                steps[-1] = PlacedTerm(term, step.node, before.channels, alias=step.alias)
                continue
        steps.append(step)
    return tuple(steps)


def _is_turn(step: PlacedTerm, repeat: RepeatTerm) -> bool:
    is_plain = isinstance(step.term, CallTerm) and not step.name and step.number is None and not step.alias
    return is_plain and key((step,)) == key(at_turn(repeat.body, 0))


def _earlier(body: TermChain) -> TermChain:
    """Return the body of a repeat that begins one iteration earlier."""
    return tuple([step.over(later(step.term, -1)) if isinstance(step.term, CallTerm) else step for step in body])


def _counted(table: TableTerm) -> TableTerm:
    """Return the table with a count of all units of each stage, including the first."""
    where = _stage(table.body)
    if where is None:
        return table
    body, at = where
    first, repeat = body[at], body[at + 1]
    assert isinstance(repeat.term, RepeatTerm)
    name = repeat.term.count
    if name not in table.names or sum(value == name for _, value in numbers(table.body)) > 1:
        return table
    column = table.names.index(str(name))
    rows = tuple(
        [tuple([_more(value) if place == column else value for place, value in enumerate(row)]) for row in table.rows]
    )
    if _is_turn(first, repeat.term):
        whole = PlacedTerm(
            RepeatTerm(_earlier(repeat.term.body), name), repeat.node, first.channels, alias=repeat.alias
        )
        return TableTerm(table.names, rows, _put(table.body, body, (*body[:at], whole, *body[at + 2 :])))
    less = repeat.over(RepeatTerm(repeat.term.body, Formula(f"{name}-1")))
    return TableTerm(table.names, rows, _put(table.body, body, (*body[: at + 1], less, *body[at + 2 :])))


def _stage(chain: TermChain) -> tuple[TermChain, int] | None:
    """Return the chain in which a call comes before a repeat of the same block, and its position there."""
    for at, step in enumerate(chain):
        if at + 1 < len(chain) and isinstance(step.term, CallTerm):
            repeat = chain[at + 1].term
            only = repeat.body[0].term if isinstance(repeat, RepeatTerm) and len(repeat.body) == 1 else None
            if isinstance(only, CallTerm) and only.block == step.term.block and not step.name and step.number is None:
                return chain, at
        if isinstance(step.term, GroupTerm) and (found := _stage(step.term.body)):
            return found
    return None


def _put(chain: TermChain, old: TermChain, new: TermChain) -> TermChain:
    if chain is old:
        return new
    steps = [
        step.over(GroupTerm(_put(step.term.body, old, new), step.term.path))
        if isinstance(step.term, GroupTerm)
        else step
        for step in chain
    ]
    return tuple(steps)


def _more(value: TermValue) -> TermValue:
    return value + 1 if type(value) is int else value
