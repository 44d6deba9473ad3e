"""The cache key of a layer: a layer as written is the same layer again if the names in it have the same values.

Blocks are called and parts repeated many times with few distinct values, so each distinct layer is checked, and later
counted, once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import TypeAlias

from cnndsl.expressions import Expr, Literal, ReferenceExpr, names, operands
from cnndsl.syntax import ast
from cnndsl.values import ListValue, Value

Values: TypeAlias = tuple[tuple[type, object], ...]


def mentioned(item: ast.WrittenLayer) -> tuple[str, ...] | None:
    """Return the names in the options of a layer, each once; None if an output is among them, which is never the same.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> (net,) = parse(Source("", "INPUT 8 -> FC-{2*n}(bias=b) -> UNPOOL(@p)")).statements
    >>> [mentioned(item) for item in net.chain.items]
    [(), ('n', 'b'), None]
    """
    exprs = [each for each in _exprs(item) if not isinstance(each, Literal)]
    if not exprs:
        return ()
    if not all(map(_is_plain, exprs)):
        return None
    return tuple(dict.fromkeys(each.name for expr in exprs for each in names(expr)))


def settled(mentions: Sequence[str], values: Mapping[str, Value], axes: Mapping[str, Value]) -> Values | None:
    """Return the values of names, with their types, since 1 is not `yes`; None if one is more than numbers or a word. A
    name without a value is a word."""
    if not mentions:
        return ()
    found = [_keyed(axes[name] if name in axes else values.get(name)) for name in mentions]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


_PLAIN = (int, bool, Fraction, type(None))


def _keyed(value: Value | None) -> tuple[type, object] | None:
    """Return a value with its type, and for a list with those of its elements."""
    if isinstance(value, ListValue):
        return (ListValue, value) if value.is_plain else None
    return (type(value), value) if type(value) in _PLAIN else None


def _exprs(item: ast.WrittenLayer) -> Iterator[Expr]:
    yield from item.size
    yield from (each for each in (item.width, item.stride) if each is not None)
    yield from (argument.value for argument in item.arguments or ())


def _is_plain(expr: Expr) -> bool:
    return not isinstance(expr, ReferenceExpr) and all(map(_is_plain, operands(expr)))
