"""Repeats, `for` and `each`: the same part several times, each with its own weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TypeAlias

from cnndsl.elaborate.calls import argument
from cnndsl.elaborate.expansion import Expander, Expansion, here
from cnndsl.elaborate.layer_count import least, too_many
from cnndsl.elaborate.layer_values import check_factor
from cnndsl.elaborate.option_fixes import rounded
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.state import Environment
from cnndsl.elaborate.tables import Cells, cells_of, check_rows, rows_of
from cnndsl.errors import CnnError, Span
from cnndsl.expr import error, number
from cnndsl.expressions import Expr
from cnndsl.graph import IdentityPart, Iteration, LoopPart, Part
from cnndsl.range_fixes import downwards
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.values import Unknown, Value, plain_value, show

MakeBody: TypeAlias = Callable[[NodeOutput | None, Environment], Expansion]
"""Makes the repeated part from the incoming value, with the names of an iteration."""


def repeat(walker: Expander, item: ast.Repeat, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Expand `A*3`; `i` is the iteration, from 1. Raises CnnError for an invalid count, or one beyond the limit."""

    check_factor(item, env)
    try:
        times = count(item.count, here(env, wire))
    except CnnError as stop:
        return _once(walker, item.body, ("i",), env, stop)
    _check(times, item.body, item.span, walker, env)
    rows = tuple((turn,) for turn in range(1, times + 1))
    return _turns(walker, item.body, ("i",), rows, item.count, (), item.span, wire, env)


def table(walker: Expander, item: ast.For, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Expand `for c, n in (64, 3), (128, 4) [ ... ]`. Raises CnnError if a row has too few or too many values."""

    body = ast.Group(item.body, item.body.span)
    try:
        rows, cells = _rows(item, here(env, wire), walker.state.most_nodes)
    except CnnError as stop:
        return _once(walker, body, item.names, env, stop)
    _check(len(rows), body, item.span, walker, env)
    return _turns(walker, body, item.names, rows, None, cells, item.span, wire, env)


def _once(walker: Expander, body: ast.ChainItem, names: tuple[str, ...], env: Environment, stop: CnnError) -> Expansion:
    """Report why the iterations are not known, and expand the body once to find its other errors."""

    if walker.state.repairs is not None:
        raise stop
    walker.state.report(stop)
    values = {**env.values, **dict.fromkeys(names, Unknown())}
    walker.element(body, None, replace(env, values=values, turn=names[0]))
    return Expansion(None, None)


def _check(turns: int, body: ast.ChainItem, span: Span, walker: Expander, env: Environment) -> None:
    """Raise CnnError if that many iterations make more layers than the limit; an empty iteration counts as one."""

    state = walker.state
    number = turns * max(1, least(body, here(env, None), state.depth))
    if number > state.most_nodes:
        raise too_many(number, state.most_nodes, span)


def _rows(item: ast.For, env: Environment, most: int, word: str = "for") -> tuple[tuple[tuple[Value, ...], ...], Cells]:
    """Return the rows, and the expressions of their values; a range has those of its two ends."""
    if item.is_range:
        first, last = (_whole(expr, env) for expr in item.rows)
        if last < first - 1:
            raise downwards(item.span_of_rows, item.rows, (first, last), word, item.names)
        if last - first >= most:
            raise too_many(last - first + 1, most, item.span)
        return tuple((value,) for value in range(first, last + 1)), (item.rows,)
    values = [argument(expr, env) for expr in item.rows]
    if any(isinstance(value, Unknown) for value in values):
        raise CnnError(())
    rows = rows_of(item, values)
    check_rows(item, rows, word)
    return rows, cells_of(item, values, rows)


def _turns(
    walker: Expander,
    body: ast.ChainItem,
    names: tuple[str, ...],
    rows: tuple[tuple[Value, ...], ...],
    written: Expr | None,
    cells: tuple[tuple[Expr, ...], ...],
    span: Span,
    wire: NodeOutput | None,
    env: Environment,
) -> Expansion:

    parts: list[Part] = []
    make = partial(walker.element, body)
    for turn, row in zip(_numbered(len(rows), span), rows, strict=True):
        made = _turn(walker, make, turn, dict(zip(names, row, strict=True)), wire, env, "repeat")
        if made.part is not None:
            parts.append(made.part)
        wire = made.wire
    plain = tuple(tuple(map(plain_value, row)) for row in rows)
    return Expansion(wire, LoopPart(tuple(parts), names, plain, written, span, cells))


def _numbered(count: int, span: Span) -> Iterator[Iteration]:
    return (Iteration(turn, count, span) for turn in range(1, count + 1))


def _turn(
    walker: Expander,
    make: MakeBody,
    turn: Iteration,
    values: Mapping[str, Value],
    wire: NodeOutput | None,
    env: Environment,
    called: str,
) -> Expansion:
    """Expand the body with the values of one row."""

    state, outer = walker.state, walker.state.turns
    state.turns = (*outer, turn)
    inner = replace(env, values={**env.values, **values}, turn=next(iter(values)))
    with walker.frame(f"in {called} {turn.number} of {turn.count}"):
        made = make(wire, inner)
    state.turns = outer
    return made


@record(slots=True)
class EachBranch:
    """A branch of an `each`: its row, its body's result, and that as a loop of one iteration, which knows the row."""

    row: tuple[Value, ...]
    made: Expansion
    part: LoopPart


def branches(
    walker: Expander, item: ast.Each, wire: NodeOutput | None, env: Environment, make: MakeBody | None = None
) -> Iterator[EachBranch]:
    """Yield a branch for each row of an `each`, all on the same value. `make` makes a branch that is more than its
    body. Raises CnnError as `table` does; if the rows are not known, the body is expanded once, as a branch without a
    value."""

    table = item.table
    body = ast.Group(table.body, table.body.span)
    try:
        rows, written = _rows(table, here(env, wire), walker.state.most_nodes, "each")
    except CnnError as stop:
        yield EachBranch((), _once(walker, body, table.names, env, stop), LoopPart((), (), (), None, item.span))
        return
    _check(len(rows), body, item.span, walker, env)
    for turn, row in zip(_numbered(len(rows), item.span), rows, strict=True):
        values = dict(zip(table.names, row, strict=True))
        made = _turn(walker, make or partial(walker.element, body), turn, values, wire, env, "branch")
        cells = written if len(written) < len(rows) else (written[turn.number - 1],)
        plain = (tuple(map(plain_value, row)),)
        part = LoopPart((made.part or IdentityPart(),), table.names, plain, None, item.span, cells)
        yield EachBranch(row, made, part)


def in_first_branch(item: ast.Each, env: Environment, most: int) -> Environment:
    """Return the scope of the first branch of an `each`; the scope around it if there is no branch. Raises CnnError as
    `table` does."""
    table = item.table
    rows, _ = _rows(table, env, most, "each")
    return replace(env, values={**env.values, **dict(zip(table.names, rows[0], strict=True))}) if rows else env


def count(expr: Expr, env: Environment) -> int:
    """Return the count of a repeat. Raises CnnError if it is not an integer of at least 0."""
    times = number(expr, env.values)
    if isinstance(times, Fraction) or times < 0:
        help = rounded(expr.span) if isinstance(times, Fraction) else f"`max({expr.span.text}, 0)` is never negative"
        raise error("E0207", f"a repeat count must be a whole number, not {show(times)}", expr.span, help)
    return times


def _whole(expr: Expr, env: Environment) -> int:
    value = number(expr, env.values)
    if isinstance(value, Fraction):
        raise error("E0208", f"the ends of a range must be integers, not {show(value)}", expr.span)
    return value
