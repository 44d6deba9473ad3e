"""The rows of a `for`, written one by one or taken from a list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cnndsl.errors import Span
from cnndsl.expr import error
from cnndsl.expressions import Expr, IndexExpr, ListExpr, Literal
from cnndsl.syntax import ast
from cnndsl.values import ListValue, Value, show

Cells = tuple[tuple[Expr, ...], ...]


def rows_of(item: ast.For, values: Sequence[Value]) -> tuple[tuple[Value, ...], ...]:
    """Return the rows over which a `for` iterates, given the values of its expressions.

    A list by itself is iterated over: with one name over its elements, with several names over the rows that it
    consists of. With several names a list of values is a row.
    """
    several = len(item.names) > 1
    if len(values) == 1 and isinstance(values[0], ListValue):
        elements = values[0].items
        if not several:
            return tuple((each,) for each in elements)
        if not _are_rows(elements):
            return (elements,)
        values = elements
    return tuple(each.items if several and isinstance(each, ListValue) else (each,) for each in values)


def cells_of(item: ast.For, values: Sequence[Value], rows: Sequence[tuple[Value, ...]]) -> Cells:
    """Return the expression of each value of the rows; for a list without elements, of one row of the list."""
    several = len(item.names) > 1
    written = item.rows
    if len(values) == 1 and isinstance(values[0], ListValue):
        if not rows:
            return ((written[0],),)
        if not several:
            return tuple((each,) for each in _elements(written[0], len(rows)))
        if _are_rows(values[0].items):
            written = _elements(written[0], len(rows))
    return tuple(
        _elements(each, len(row)) if several and len(row) > 1 else (each,)
        for each, row in zip(written, rows, strict=True)
    )


def check_rows(item: ast.For, rows: Sequence[tuple[Value, ...]], word: str = "for") -> None:
    """Raise CnnError for a row that has more or fewer values than the `for` or `each` has names."""
    names = ", ".join(item.names)
    for number, row in enumerate(rows):
        if len(row) == len(item.names):
            continue
        values = "1 value" if len(row) == 1 else f"{len(row)} values"
        is_written = len(rows) == len(item.rows)
        place = item.rows[number].span if is_written else item.span_of_rows
        which = "this row" if is_written else f"row {number + 1} of this list"
        fitting = [each for each in rows if len(each) == len(item.names)]
        such = f", such as `({', '.join(map(show, fitting[0]))})`" if fitting else ""
        help = f"each row has {len(item.names)} values, ({names}){such}"
        if len(item.names) == 1:
            help = f"name each value of a row: `{word} a, b in …`"
        raise error("E0237", f"{which} has {values}, but `{word}` names {len(item.names)}: {names}", place, help)


def _are_rows(elements: Iterable[Value]) -> bool:
    return all(isinstance(each, ListValue) for each in elements)


def _elements(expr: Expr, count: int) -> tuple[Expr, ...]:
    """Return the elements of a list as expressions: as written, or by their index."""
    if isinstance(expr, ListExpr):
        return expr.items
    return tuple(IndexExpr(expr, _number(at, expr.span), expr.span) for at in range(1, count + 1))


def _number(at: int, span: Span) -> Literal:
    return Literal(at, str(at), span)
