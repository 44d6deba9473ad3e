"""The syntax tree of an expression: one frozen record for each construct, each with its location.

The graph keeps the tree, so that the emitted source can contain `4 * c` as the file does. `expr` evaluates it,
`syntax.unparse` prints it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

from cnndsl.errors import Span
from cnndsl.records import record
from cnndsl.values import Value


@record(slots=True)
class Literal:
    """A number, a truth value (`yes`, `no`) or a shape (`14x14x1024`), as written."""

    value: Value
    text: str
    span: Span


@record(slots=True)
class Name:
    """A name that stands for a value: `n`."""

    name: str
    span: Span


@record(slots=True)
class Path:
    """A property of a part: `layer3.output`."""

    names: tuple[str, ...]
    span: Span


@record(slots=True)
class ReferenceExpr:
    """`@name`: an output, as the argument of a layer or the start of a branch. Parts are texts and placeholders."""

    parts: tuple[str | Expr, ...]
    span: Span


@record(slots=True)
class Unary:
    """An operator before its operand: `-n`, `not a`."""

    operator: str
    operand: Expr
    span: Span


@record(slots=True)
class Binary:
    """An operator between two operands: `2*n`, `a < b`."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@record(slots=True)
class Call:
    """A call of a built-in function: `max(a, b)`."""

    function: str
    arguments: tuple[Expr, ...]
    span: Span


@record(slots=True)
class ListExpr:
    """A list as written: `(32, 64)`, `(32,)`, `()`."""

    items: tuple[Expr, ...]
    span: Span


@record(slots=True)
class ShapeExpr:
    """A shape with some sizes in braces: `0x{k//2}`."""

    extents: tuple[Expr, ...]
    span: Span


@record(slots=True)
class IndexExpr:
    """An element of a list, counted from 1: `widths[i]`."""

    base: Expr
    index: Expr
    span: Span


@record(slots=True)
class SliceExpr:
    """A part of a list, both ends included: `widths[1..n]`."""

    base: Expr
    first: Expr
    last: Expr
    span: Span


@record(slots=True)
class ChoiceExpr:
    """A choice between values: `C/4 if wide else C/16`."""

    chosen: Expr
    test: Expr
    other: Expr
    span: Span


Expr: TypeAlias = (
    Literal
    | Name
    | Path
    | ReferenceExpr
    | Unary
    | Binary
    | Call
    | ListExpr
    | ShapeExpr
    | IndexExpr
    | SliceExpr
    | ChoiceExpr
)


def names(expr: Expr) -> Iterator[Name]:
    """Yield every name that an expression mentions, from left to right."""
    if isinstance(expr, Name):
        yield expr
    for operand in operands(expr):
        yield from names(operand)


def operands(expr: Expr) -> tuple[Expr, ...]:
    """Return the subexpressions of an expression, from left to right."""
    if isinstance(expr, Unary):
        return (expr.operand,)
    if isinstance(expr, Binary):
        return (expr.left, expr.right)
    if isinstance(expr, Call):
        return expr.arguments
    if isinstance(expr, ReferenceExpr):
        return tuple(part for part in expr.parts if not isinstance(part, str))
    return _elements(expr)


def _elements(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, ListExpr):
        return expr.items
    if isinstance(expr, ShapeExpr):
        return expr.extents
    if isinstance(expr, IndexExpr):
        return (expr.base, expr.index)
    if isinstance(expr, SliceExpr):
        return (expr.base, expr.first, expr.last)
    return (expr.chosen, expr.test, expr.other) if isinstance(expr, ChoiceExpr) else ()


def mapped(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """Return an expression with each operand changed; a reference is returned unchanged."""
    if isinstance(expr, Unary):
        return replace(expr, operand=change(expr.operand))
    if isinstance(expr, Binary):
        return replace(expr, left=change(expr.left), right=change(expr.right))
    if isinstance(expr, Call):
        return replace(expr, arguments=tuple(map(change, expr.arguments)))
    if isinstance(expr, ListExpr):
        return replace(expr, items=tuple(map(change, expr.items)))
    if isinstance(expr, ShapeExpr):
        return replace(expr, extents=tuple(map(change, expr.extents)))
    if isinstance(expr, IndexExpr):
        return replace(expr, base=change(expr.base), index=change(expr.index))
    if isinstance(expr, SliceExpr):
        return replace(expr, base=change(expr.base), first=change(expr.first), last=change(expr.last))
    if isinstance(expr, ChoiceExpr):
        return replace(expr, chosen=change(expr.chosen), test=change(expr.test), other=change(expr.other))
    return expr
