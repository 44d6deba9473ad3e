"""Expressions and the words of layers and names, back to text: one spelling each.

Brackets stand only where the meaning needs them. Line breaks and comments are not this module's: see `layout`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from cnndsl.expr import Binary, Expr, Literal, Name, Path, ReferenceExpr, Unary
from cnndsl.layers import find
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size

_LEVELS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6}
_COMPARISON, _SIGNED, _VALUE = 4, 7, 8


def expression(expr: Expr, tight: bool = False) -> str:
    """An expression; `tight` leaves out the blanks around `+` and `-`, as in a range.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> expression(parse(Source("", "let k = ((4097 * (n-1)))+ 2")).statements[0].value)
    '4097*(n - 1) + 2'
    """
    return _at_least(expr, 1, tight, in_test=False)


def condition(expr: Expr) -> str:
    """The test of an `if`, in which a sum stands in brackets: outside them a `+` adds branches."""
    return _at_least(expr, 1, tight=False, in_test=True)


def _at_least(expr: Expr, level: int, tight: bool, in_test: bool) -> str:
    """An expression where one that binds looser than `level` needs brackets."""
    if isinstance(expr, Unary | Binary):
        own = _level(expr)
        if own < level or (in_test and expr.operator == "+"):
            return f"({_operation(expr, own, tight, in_test=False)})"
        return _operation(expr, own, tight, in_test)
    if isinstance(expr, Literal):
        return expr.text
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, Path):
        return path(expr.names)
    if isinstance(expr, ReferenceExpr):
        return "@" + name(expr.parts)
    return f"{expr.function}({', '.join(_at_least(each, 1, tight, in_test=False) for each in expr.arguments)})"


def _level(expr: Unary | Binary) -> int:
    if isinstance(expr, Unary) and expr.operator == "-":
        return _SIGNED
    return _LEVELS.get(expr.operator, _COMPARISON)


def _operation(expr: Unary | Binary, own: int, tight: bool, in_test: bool) -> str:
    if isinstance(expr, Unary):
        sign = "-" if expr.operator == "-" else "not "
        return sign + _at_least(expr.operand, own, tight, in_test)
    left = _at_least(expr.left, own + 1 if own == _COMPARISON else own, tight, in_test)
    right = _at_least(expr.right, own + 1, tight, in_test)
    is_tight = own == _LEVELS["*"] or (tight and own == _LEVELS["+"])
    return f"{left}{expr.operator}{right}" if is_tight else f"{left} {expr.operator} {right}"


def template(parts: Sequence[str | Expr]) -> str:
    """A name with its holes: `denselayer{i}`."""
    return "".join(part if isinstance(part, str) else hole(part) for part in parts)


def name(parts: Sequence[str | Expr]) -> str:
    """A label or a reference with its holes, in which quotes stand around the names that need them.

    >>> name(("convs.1",)), name(("a.block1-0.conv",)), name(("",))
    ('convs.1', 'a."block1-0".conv', '""')
    """
    names: list[list[str | Expr]] = [[]]
    for part in parts:
        first, *others = part.split(".") if isinstance(part, str) else [part]
        names[-1].append(first)
        names.extend([other] for other in others)
    if list(parts) == [""]:
        return '""'
    return ".".join(_between_dots(each) for each in names)


def path(names: Sequence[str]) -> str:
    """The names of a path, each in quotes if it needs them."""
    return ".".join(_between_dots([each]) for each in names)


def _between_dots(parts: Sequence[str | Expr]) -> str:
    if parts and isinstance(parts[-1], str) and parts[-1].endswith("*"):
        return f"{_between_dots([*parts[:-1], parts[-1][:-1]])}*"
    needs_quotes = any(isinstance(part, str) and re.search("[-/]", part) for part in parts)
    return f'"{template(parts)}"' if needs_quotes else template(parts)


def hole(expr: Expr) -> str:
    """Return an expression in its braces."""
    return f"{{{expression(expr, tight=True)}}}"


def count(expr: Expr) -> str:
    """How often a part is repeated."""
    is_plain = isinstance(expr, Name) or (isinstance(expr, Literal) and re.fullmatch(r"[0-9][0-9_.]*", expr.text))
    return expression(expr) if is_plain else hole(expr)


def head(layer: ast.WrittenLayer, defined: Set[str]) -> str:
    """A layer without its options: `CONV{k}x7-{4*c}/2`, `INPUT 224x224x3`. `defined` are the names of the file."""
    text = kind(layer.head, defined)
    text += _extents(layer.size, is_bare=False)
    if layer.width is not None:
        text += f"-{_operand(layer.width)}"
    if layer.stride is not None:
        text += f"/{_operand(layer.stride)}"
    return f"{text} {_extents(layer.dims, is_bare=True)}" if layer.dims else text


def kind(name: str, defined: Set[str]) -> str:
    """A kind in capitals; what may be a name of the file as it is.

    >>> kind("conv3x1", set()), kind("MaxPool", set()), kind("conv3", {"conv"}), kind("Bottleneck", set())
    ('CONV3x1', 'MAXPOOL', 'conv3', 'Bottleneck')
    """
    stem, size = name_and_size(name)
    if not defined.isdisjoint((name, name.upper(), stem, stem.upper())):
        return name
    if find(name) is not None:
        return name.upper()
    return stem.upper() + size if find(stem) is not None else name


def _extents(exprs: tuple[Expr, ...], is_bare: bool) -> str:
    """`{k}x7`. Behind a kind digits alone would belong to its name, so there one extent keeps its braces."""
    plain = [expr.text if isinstance(expr, Literal) and expr.text.isdecimal() else "" for expr in exprs]
    if plain and all(plain) and not is_bare:
        plain[0] = ""
    return "x".join(text or hole(expr) for text, expr in zip(plain, exprs, strict=True))


def _operand(expr: Expr) -> str:
    """A width or a stride: a number, extents or a name without braces, all else in them."""
    if isinstance(expr, Name):
        return expr.name
    is_plain = isinstance(expr, Literal) and re.fullmatch(r"[0-9][0-9_]*|[0-9]+(x[0-9]+)+", expr.text)
    return expression(expr) if is_plain else hole(expr)
