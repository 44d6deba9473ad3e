"""What several kinds say, with the same words, where numbers do not fit."""

from __future__ import annotations

from math import gcd


def common_divisors(*numbers: int) -> str:
    """A hint that lists the numbers of groups that are possible.

    >>> common_divisors(6, 64)
    'possible are 1, 2'
    """
    common = gcd(*numbers)
    divisors = [each for each in range(1, min(common, 10_000) + 1) if common % each == 0]
    if len(divisors) > 8:
        divisors = [*divisors[:4], *divisors[-4:]]
    return f"possible are {', '.join(map(str, divisors))}" if common > 1 else "possible is 1 only"
