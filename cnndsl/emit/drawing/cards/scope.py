"""Expressions of a block's inside in the names that a drawing of the block shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.drawing.cards.items import UnitItem
from cnndsl.expressions import Expr, Name, mapped, names
from cnndsl.graph.parts import CallPart

_AXES = frozenset({"C", "H", "W"})
"""Names of the shape that enters, which is another one in a block within the block."""


def in_scope(
    expr: Expr, calls: Sequence[CallPart], whole: UnitItem, turns: Sequence[UnitItem], columns: Sequence[str]
) -> Expr | None:
    """Return an expression in the parameters of an opened block, or in the columns of the table that it has one for.

    `calls` are the calls around the expression in the block `whole`, the outermost first; `turns` are all instances of
    it. None where the expression depends on what enters an inner block.
    """
    inner = [each for each in calls if each is not whole.part]
    for call in reversed(inner):
        if not _AXES.isdisjoint(each.name for each in names(expr)):
            return None
        expr = _replaced(expr, _written(call))
    own = [each.part for each in turns if isinstance(each.part, CallPart)]
    if not isinstance(whole.part, CallPart) or len(own) < len(turns):
        return expr
    renamed: dict[str, Expr] = {}
    for name, value in _written(whole.part).items():
        is_column = isinstance(value, Name) and value.name in columns and value.name != name
        if is_column and all(_is_name(_written(each).get(name), value) for each in own):
            renamed[name] = value
    return _replaced(expr, renamed)


def _written(call: CallPart) -> dict[str, Expr]:
    """What the parameters of a call are, and the names that its block has for values."""
    given = {**dict(call.defaults), **dict(call.written)}
    for name, value in call.lets:
        given[name] = _replaced(value, given)
    return given


def _is_name(value: Expr | None, other: Expr) -> bool:
    return isinstance(value, Name) and isinstance(other, Name) and value.name == other.name


def _replaced(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    if isinstance(expr, Name):
        return values.get(expr.name, expr)
    return mapped(expr, lambda each: _replaced(each, values))
