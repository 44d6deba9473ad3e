"""Convert the parser's reductions to expressions: one method for each grammar rule that yields one."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from cnndsl.errors import Source, Span
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
    ShapeExpr,
    SliceExpr,
    Unary,
)
from cnndsl.syntax import words


class Token(Protocol):
    """A token of the source, as lark returns it: a `str` with its position."""

    type: str
    start_pos: int
    end_pos: int


RuleChildren: TypeAlias = list[Any]
"""Tokens and the results of other methods: lark's own interface is untyped."""


class ExpressionBuilder:
    """Builds the expressions of a source."""

    def __init__(self) -> None:
        self.source = Source("", "")

    def _span(self, children: RuleChildren) -> Span:
        first, last = children[0], children[-1]
        start: int = first.start_pos if is_token(first) else first.span.start
        end: int = last.end_pos if is_token(last) else last.span.end
        return Span(self.source, start, end)

    def _at(self, token: Token) -> Span:
        return self._span([token])

    def literal(self, c: RuleChildren) -> Literal:
        """Build `NUMBER`, `SHAPE` or `("yes" | "no")`."""
        token: Token = c[0]
        span = self._at(token)
        if token.type == "SHAPE":
            return words.dims(str(token), span)
        if token.type in ("YES", "NO"):
            return Literal(token.type == "YES", str(token), span)
        return words.number(str(token), span)

    def variable(self, c: RuleChildren) -> Name:
        """Build `NAME`."""
        return Name(str(c[0]), self._at(c[0]))

    def path(self, c: RuleChildren) -> Path:
        """Build `PATH` or `LONG_PATH`."""
        return Path(tuple(words.unquoted(str(c[0])).split(".")), self._at(c[0]))

    def call(self, c: RuleChildren) -> Call:
        """Build `FUNCTION "(" expr ("," expr)* ")"`."""
        return Call(str(c[0]), tuple(c[2::2]), self._span(c))

    def parentheses(self, c: RuleChildren) -> Expr:
        """Build `"(" expr ")"` or `"{" expr "}"`."""
        return c[1]

    def list(self, c: RuleChildren) -> ListExpr:
        """Build `"(" ")"` or `"(" expr "," (expr ("," expr)* ","?)? ")"`."""
        return ListExpr(tuple(each for each in c if not is_token(each)), self._span(c))

    def braced(self, c: RuleChildren) -> Hole:
        """Build `"{" expr "}"`."""
        return Hole(c[1], self._span(c))

    def extents(self, c: RuleChildren) -> ShapeExpr:
        """Build `EXTENT braced (BETWEEN braced)* LAST_EXTENT?` or the same that begins with braces."""
        found: list[Expr] = []
        for each in c:
            if isinstance(each, Hole):
                found.append(each.value)
            else:
                found += words.whole_extents(str(each), self._at(each))
        return ShapeExpr(tuple(found), self._span(c))

    def index(self, c: RuleChildren) -> IndexExpr:
        """Build `value INDEX expr "]"`."""
        return IndexExpr(c[0], c[2], self._span(c))

    def slice(self, c: RuleChildren) -> SliceExpr:
        """Build `value INDEX sum ".." sum "]"`."""
        return SliceExpr(c[0], c[2], c[4], self._span(c))

    def choice(self, c: RuleChildren) -> ChoiceExpr:
        """Build `disjunction "if" disjunction "else" expr`."""
        return ChoiceExpr(c[0], c[2], c[4], self._span(c))

    def unary(self, c: RuleChildren) -> Unary:
        """Build `"not" negation` or `"-" signed` or `"not" test_negation`."""
        return Unary(str(c[0]), c[1], self._span(c))

    def binary(self, c: RuleChildren) -> Binary:
        """Build the rule `binary` of the grammar."""
        return Binary(str(c[1]), c[0], c[2], self._span(c))


def is_token(child: Any) -> bool:
    """Return whether a child is a token; tokens are the only strings among the children and know their position."""
    return isinstance(child, str)


class Hole:
    """An expression in braces, and the span of the braces."""

    def __init__(self, value: Expr, span: Span) -> None:
        self.value, self.span = value, span
