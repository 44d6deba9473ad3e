"""Convert expressions, layer heads and names back to text, with one spelling each.

Brackets appear only if the meaning requires them. `layout` handles line breaks and comments.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from cnndsl.expressions import (
    Binary,
    Call,
    ChoiceExpr,
    Expr,
    IndexExpr,
    ListExpr,
    Literal,
    Name,
    Path,
    ReferenceExpr,
    ShapeExpr,
    SliceExpr,
    Unary,
    operands,
)
from cnndsl.layers import find
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size

_LEVELS = {"or": 1, "and": 2, "not": 3, "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "**": 8}
_CHOICE, _TEST, _COMPARISON, _SUM, _SIGNED, _VALUE = 0, 1, 4, 5, 7, 9
_TIGHT = (_LEVELS["*"], _LEVELS["**"])


def expression(expr: Expr, tight: bool = False) -> str:
    """Return the text of an expression; `tight` omits the spaces around `+` and `-`, as in a range.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> expression(parse(Source("", "let k = ((4097 * (n-1)))+ 2")).statements[0].value)
    '4097*(n - 1) + 2'
    """
    return _at_least(expr, _CHOICE, tight, in_test=False)


def condition(expr: Expr) -> str:
    """Return the test of an `if`, with a sum in parentheses: outside them a `+` adds branches."""
    return _at_least(expr, _TEST, tight=False, in_test=True)


def end_of_range(expr: Expr, is_last: bool) -> str:
    """Return one end of a range; `is_last` means that square brackets may follow it."""
    return _in_a_row(_at_least(expr, _SUM, tight=True, in_test=False), expr, is_last)


def row(expr: Expr, is_last: bool) -> str:
    """Return a row of a `for`; the square brackets of the body follow the last one."""
    return _in_a_row(_at_least(expr, _SUM, tight=False, in_test=False), expr, is_last)


def _in_a_row(text: str, expr: Expr, is_last: bool) -> str:
    """Put an index in parentheses, unless it ends the rows: its square brackets could be taken for those of the body.
    The same applies to a shape with braces."""
    is_plain = is_last and isinstance(expr, IndexExpr | SliceExpr) and text.count("[") <= 2 and "{" not in text
    return text if is_plain or not _needs_brackets(expr) else f"({text})"


def _needs_brackets(expr: Expr) -> bool:
    if isinstance(expr, Unary | Binary):
        return any(map(_needs_brackets, operands(expr)))
    return isinstance(expr, IndexExpr | SliceExpr | ShapeExpr)


def _at_least(expr: Expr, level: int, tight: bool, in_test: bool) -> str:
    """Return an expression, in parentheses if it binds looser than `level`."""
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
    return _composed(expr, level, tight)


def _composed(expr: Call | ListExpr | ShapeExpr | IndexExpr | SliceExpr | ChoiceExpr, level: int, tight: bool) -> str:
    """Return an expression that contains others between brackets or keywords."""
    if isinstance(expr, Call):
        return f"{expr.function}({_listed(expr.arguments, tight)})"
    if isinstance(expr, ListExpr):
        return f"({_listed(expr.items, tight)}{',' if len(expr.items) == 1 else ''})"
    if isinstance(expr, ShapeExpr):
        return _extents(expr.extents, is_bare=True)
    if isinstance(expr, ChoiceExpr):
        chosen, test = (_at_least(each, _TEST, tight=False, in_test=False) for each in (expr.chosen, expr.test))
        text = f"{chosen} if {test} else {expression(expr.other)}"
        return f"({text})" if level > _CHOICE else text
    base = _at_least(expr.base, _VALUE, tight, in_test=False)
    if isinstance(expr, IndexExpr):
        return f"{base}[{expression(expr.index, tight=True)}]"
    first, last = (_at_least(each, _SUM, tight=True, in_test=False) for each in (expr.first, expr.last))
    return f"{base}[{first}..{last}]"


def _listed(exprs: Sequence[Expr], tight: bool) -> str:
    return ", ".join(expression(each, tight) for each in exprs)


def _level(expr: Unary | Binary) -> int:
    if isinstance(expr, Unary) and expr.operator == "-":
        return _SIGNED
    return _LEVELS.get(expr.operator, _COMPARISON)


def _operation(expr: Unary | Binary, own: int, tight: bool, in_test: bool) -> str:
    if isinstance(expr, Unary):
        sign = "-" if expr.operator == "-" else "not "
        return sign + _at_least(expr.operand, own, tight, in_test)
    is_power = expr.operator == "**"
    left = _at_least(expr.left, own + 1 if own == _COMPARISON or is_power else own, tight, in_test)
    right = _at_least(expr.right, _SIGNED if is_power else own + 1, tight, in_test)
    is_tight = own in _TIGHT or (tight and own == _LEVELS["+"])
    return f"{left}{expr.operator}{right}" if is_tight else f"{left} {expr.operator} {right}"


def template(parts: Sequence[str | Expr]) -> str:
    """Return a name with its placeholders: `denselayer{i}`."""
    return "".join(part if isinstance(part, str) else hole(part) for part in parts)


def name(parts: Sequence[str | Expr]) -> str:
    """Return a label or a reference with its placeholders; names that need quotes get them.

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
    """Return the names of a path, each in quotes if it needs them."""
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
    """Return how often a part is repeated, as text."""
    is_plain = isinstance(expr, Name) or (isinstance(expr, Literal) and re.fullmatch(r"[0-9][0-9_.]*", expr.text))
    return expression(expr) if is_plain else hole(expr)


def head(layer: ast.WrittenLayer, defined: Set[str]) -> str:
    """Return a layer without its options: `CONV{k}x7-{4*c}/2`, `INPUT 224x224x3`. `defined` are the file's names."""
    text = kind(layer.head, defined)
    text += _extents(layer.size, is_bare=False)
    if layer.width is not None:
        text += f"-{_operand(layer.width)}"
    if layer.stride is not None:
        text += f"/{_operand(layer.stride)}"
    return f"{text} {_extents(layer.dims, is_bare=True)}" if layer.dims else text


def kind(name: str, defined: Set[str]) -> str:
    """Return a layer type in capitals, but a possible name of the file unchanged.

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
    """Return `{k}x7`. Bare digits after a layer type would belong to its name, so one extent keeps its braces."""
    plain = [expr.text if isinstance(expr, Literal) and expr.text.isdecimal() else "" for expr in exprs]
    if plain and all(plain) and not is_bare:
        plain[0] = ""
    return "x".join(text or hole(expr) for text, expr in zip(plain, exprs, strict=True))


def _operand(expr: Expr) -> str:
    """Return a width or a stride: numbers, shapes and names without braces, anything else in braces."""
    if isinstance(expr, Name):
        return expr.name
    if isinstance(expr, ShapeExpr):
        return expression(expr)
    is_plain = isinstance(expr, Literal) and re.fullmatch(r"[0-9][0-9_]*|[0-9]+(x[0-9]+)+", expr.text)
    return expression(expr) if is_plain else hole(expr)
