"""Repeats and `for`: the same part several times, each with weights of its own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from cnndsl.elaborate.calls import argument
from cnndsl.elaborate.expansion import Expander, Expansion, here
from cnndsl.elaborate.layer_count import least, too_many
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.state import Environment
from cnndsl.elaborate.tables import Cells, cells_of, check_rows, rows_of
from cnndsl.errors import CnnError, Span
from cnndsl.expr import error, number
from cnndsl.expressions import Expr
from cnndsl.graph import Iteration, LoopPart, Part
from cnndsl.syntax import ast
from cnndsl.values import Unknown, Value, plain_value, show


def repeat(walker: Expander, item: ast.Repeat, wire: NodeOutput | None, env: Environment) -> Expansion:
    """`A*3`: `i` is the turn, from 1. Raises CnnError for a count that is none, or one beyond the limit."""

    try:
        times = count(item.count, here(env, wire))
    except CnnError as stop:
        return _once(walker, item.body, ("i",), env, stop)
    _check(times, item.body, item.span, walker, env)
    rows = tuple((turn,) for turn in range(1, times + 1))
    return _turns(walker, item.body, ("i",), rows, item.count, (), item.span, wire, env)


def table(walker: Expander, item: ast.For, wire: NodeOutput | None, env: Environment) -> Expansion:
    """`for c, n in (64, 3), (128, 4) [ ... ]`. Raises CnnError where a row has too few or too many values."""

    body = ast.Group(item.body, item.body.span)
    try:
        rows, cells = _rows(item, here(env, wire), walker.state.most_nodes)
    except CnnError as stop:
        return _once(walker, body, item.names, env, stop)
    _check(len(rows), body, item.span, walker, env)
    return _turns(walker, body, item.names, rows, None, cells, item.span, wire, env)


def _once(walker: Expander, body: ast.ChainItem, names: tuple[str, ...], env: Environment, stop: CnnError) -> Expansion:
    """Reports why the turns are not known, and looks at the body once for what is wrong with it anyway."""

    walker.state.report(stop)
    values = {**env.values, **dict.fromkeys(names, Unknown())}
    walker.element(body, None, replace(env, values=values, turn=names[0]))
    return Expansion(None, None)


def _check(turns: int, body: ast.ChainItem, span: Span, walker: Expander, env: Environment) -> None:
    """Raises CnnError where so many turns make more layers than there may be; an empty turn counts as one."""

    state = walker.state
    number = turns * max(1, least(body, here(env, None), state.depth))
    if number > state.most_nodes:
        raise too_many(number, state.most_nodes, span)


def _rows(item: ast.For, env: Environment, most: int) -> tuple[tuple[tuple[Value, ...], ...], Cells]:
    """The rows, and the expressions of their values: of a range its two ends."""
    if item.is_range:
        first, last = (_whole(expr, env) for expr in item.rows)
        if last < first - 1:
            message = f"{first}..{last} is no range: a range runs upwards"
            raise error("E0213", message, item.span_of_rows, "list the values instead: `for n in 3, 2, 1`")
        if last - first >= most:
            raise too_many(last - first + 1, most, item.span)
        return tuple((value,) for value in range(first, last + 1)), (item.rows,)
    values = [argument(expr, env) for expr in item.rows]
    if any(isinstance(value, Unknown) for value in values):
        raise CnnError(())
    rows = rows_of(item, values)
    check_rows(item, rows)
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

    state, outer = walker.state, walker.state.turns
    parts: list[Part] = []
    for turn, row in enumerate(rows, 1):
        state.turns = (*outer, Iteration(turn, len(rows), span))
        inner = replace(env, values={**env.values, **dict(zip(names, row, strict=True))}, turn=names[0])
        with walker.frame(f"in repeat {turn} of {len(rows)}"):
            made = walker.element(body, wire, inner)
        if made.part is not None:
            parts.append(made.part)
        wire = made.wire
    state.turns = outer
    plain = tuple(tuple(map(plain_value, row)) for row in rows)
    return Expansion(wire, LoopPart(tuple(parts), names, plain, written, span, cells))


def count(expr: Expr, env: Environment) -> int:
    """How often. Raises CnnError for what is no whole number from 0."""
    times = number(expr, env.values)
    if isinstance(times, Fraction) or times < 0:
        help = "round it: `floor`, `ceil`, `//`" if isinstance(times, Fraction) else ""
        raise error("E0207", f"a part is repeated a whole number of times, and this is {show(times)}", expr.span, help)
    return times


def _whole(expr: Expr, env: Environment) -> int:
    value = number(expr, env.values)
    if isinstance(value, Fraction):
        raise error("E0208", f"a range runs over integers, and this is {show(value)}", expr.span)
    return value
