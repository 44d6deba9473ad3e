r"""Convert expressions to LaTeX: `(227 - 11 + 2*0)/4 + 1` becomes `\frac{227 - 11 + 2\cdot 0}{4} + 1`."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(r"\s*(\d+|[a-z]+|[-+*/(),])")
_BRACKETS = {"floor": (r"\lfloor", r"\rfloor"), "ceil": (r"\lceil", r"\rceil")}


def as_math(expression: str) -> str:
    r"""Return an expression of numbers, names, `+ - * /`, parentheses and functions, for use inside `$…$`. Raises
    ValueError for any other text.

    >>> as_math("floor((224 - 7 + 2*3)/2) + 1")
    '\\left\\lfloor\\frac{224 - 7 + 2\\cdot 3}{2}\\right\\rfloor + 1'
    >>> as_math("(11*11*3)*96 + 96")
    '(11\\cdot 11\\cdot 3)\\cdot 96 + 96'
    """
    reader = _ExpressionReader(expression)
    found = reader.sum()
    if reader.token:
        raise ValueError(f"`{reader.token}` is left over of the expression `{expression}`")
    return found


class _ExpressionReader:
    """Read sums, products and their terms from left to right."""

    def __init__(self, expression: str) -> None:
        self._tokens = self._split(expression)
        self.token = ""
        self._take()

    def sum(self) -> str:
        """Read a sum and return it."""
        terms = [self._product()]
        while self.token and self.token in "+-":
            terms += [self._take(), self._product()]
        return " ".join(terms)

    @staticmethod
    def _split(expression: str) -> Iterator[str]:
        at = 0
        while at < len(expression.rstrip()):
            found = _TOKEN.match(expression, at)
            if found is None:
                raise ValueError(f"`{expression[at:]}` is no expression")
            at = found.end()
            yield found[1]

    def _take(self, wanted: str = "") -> str:
        """Return the token and advance."""
        token = self.token
        if wanted and token != wanted:
            raise ValueError(f"`{wanted}` is missing")
        self.token = next(self._tokens, "")
        return token

    def _skips(self, token: str) -> bool:
        """Advance if this is the next token."""
        if self.token != token:
            return False
        self._take()
        return True

    def _product(self) -> str:
        found, bare = self._factor()
        while self.token and self.token in "*/":
            operator = self._take()
            factor, inside = self._factor()
            if operator == "/":
                found = bare = rf"\frac{{{bare}}}{{{inside}}}"
            else:
                found = bare = rf"{found}\cdot {factor}"
        return found

    def _factor(self) -> tuple[str, str]:
        """Return a factor, with and without the parentheses around it."""
        token = self._take()
        if token == "(":
            inside = self.sum()
            self._take(")")
            return (rf"\left({inside}\right)" if "\\frac" in inside else f"({inside})"), inside
        if token == "-":
            found, _ = self._factor()
            return f"-{found}", f"-{found}"
        if token.isdecimal():
            number = f"{int(token):,}".replace(",", "{,}") if len(token) > 4 else token
            return number, number
        if not token.isalpha():
            raise ValueError(f"`{token}` is no number")
        return self._named(token)

    def _named(self, name: str) -> tuple[str, str]:
        if not self._skips("("):
            return name, name
        arguments = [self.sum()]
        while self._skips(","):
            arguments.append(self.sum())
        self._take(")")
        left, right = _BRACKETS.get(name, (rf"{name}", ""))
        inside = ", ".join(arguments)
        found = rf"\left{left}{inside}\right{right}" if right else rf"\operatorname{{{name}}}({inside})"
        return found, found
