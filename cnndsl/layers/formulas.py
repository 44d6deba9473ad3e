"""Terms of the formulas in which layer types show their arithmetic.

The formulas are Python expressions: integers, `+ - * /`, parentheses, `floor` and `ceil`.
"""

from __future__ import annotations

from collections.abc import Iterable


def multiplied(numbers: Iterable[int]) -> str:
    """Format a product; that of no numbers is 1.

    >>> multiplied((11, 11, 3)), multiplied(())
    ('11*11*3', '1')
    """
    return "*".join(map(str, numbers)) or "1"


def spanned(kernel: int, dilation: int) -> str:
    """Format how many positions a kernel spans, as a term.

    >>> spanned(3, 1), spanned(3, 2)
    ('3', '(2*(3 - 1) + 1)')
    """
    return str(kernel) if dilation == 1 else f"({dilation}*({kernel} - 1) + 1)"


def further(number: int) -> str:
    """Format a number as a further term of a sum; empty for 0.

    >>> further(2), further(-1), further(0)
    (' + 2', ' - 1', '')
    """
    return f" {'-' if number < 0 else '+'} {abs(number)}" if number else ""
