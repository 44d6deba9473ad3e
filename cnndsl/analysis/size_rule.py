"""Express a set of sizes as a rule, such as `multiples of 16, at least 32`. A rule contains exactly the given sizes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from cnndsl.records import record

_LARGEST = 1024
"""The largest modulus of a rule: strides are smaller."""
_PERIODS = 3
"""The fewest periods that a modulus must repeat for."""
_MOST_EXTRA = 4
"""The most sizes below the first regular one that a rule lists; with more, the rule is a list of ranges."""
_MOST_REMAINDERS = 4
"""The most ranges of remainders of a rule; with more, the rule is a list of ranges."""
_MOST_SHOWN = 8
"""The most ranges that the text of a list names."""

Ranges = tuple[tuple[int, int], ...]


@record(slots=True)
class SizeRule:
    """A set of sizes from 1 to `up_to`.

    With a `modulus` they are those from `minimum` on whose remainder is one of `remainders`, and a few smaller ones in
    `also`. If the modulus is 0, they are a list of `ranges`, first and last included; every rule has that list.
    """

    up_to: int
    ranges: Ranges
    modulus: int = 0
    remainders: tuple[int, ...] = ()
    minimum: int = 0
    also: tuple[int, ...] = ()

    def __contains__(self, size: object) -> bool:
        """Return whether the rule has a size, by its modulus if there is one.

        >>> rule = rule_of({12, *range(28, 513, 16)}, 512)
        >>> 12 in rule, 28 in rule, 29 in rule
        (True, True, False)
        """
        if not isinstance(size, int) or not 1 <= size <= self.up_to:
            return False
        if self.modulus:
            return size in self.also or (size >= self.minimum and size % self.modulus in self.remainders)
        return any(first <= size <= last for first, last in self.ranges)

    def __iter__(self) -> Iterator[int]:
        for first, last in self.ranges:
            yield from range(first, last + 1)

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    @property
    def text(self) -> str:
        """Return the rule in words.

        >>> [rule_of(range(start, 513, step), 512).text for start, step in ((1, 1), (33, 1), (16, 16), (32, 16))]
        ['any', 'at least 33', 'multiples of 16', 'multiples of 16, at least 32']
        >>> rule_of(range(188, 513, 16), 512).text, rule_of(range(224, 256), 512).text
        ('16k + 12, at least 188', '224 to 255')
        >>> rule_of((n for n in range(1, 513) if n % 8 in (0, 6, 7)), 512).text
        '8k - 2 to 8k'
        """
        if not self.modulus:
            return self._listed()
        regular = "any" if self.modulus == 1 else _regular(self.modulus, self.remainders)
        if self.minimum > min(each or self.modulus for each in self.remainders):
            regular = f"at least {self.minimum}" if self.modulus == 1 else f"{regular}, at least {self.minimum}"
        if not self.also:
            return regular
        return f"{', '.join(map(_range, ranges_of(self.also)))}; {regular}"

    def _listed(self) -> str:
        if not self.ranges:
            return "none"
        shown = [_range(each) for each in self.ranges[:_MOST_SHOWN]]
        rest = sum(last - first + 1 for first, last in self.ranges[_MOST_SHOWN:])
        return f"{', '.join(shown)}{f' and {rest} more' if rest else ''}"

    def nearest(self, size: int) -> tuple[int, int]:
        """Return the nearest sizes of the rule below and above one that it does not have; 0 if there is none.

        >>> rule_of(range(16, 513, 16), 512).nearest(300)
        (288, 304)
        """
        below = max((min(last, size - 1) for first, last in self.ranges if first < size), default=0)
        above = min((max(first, size + 1) for first, last in self.ranges if last > size), default=0)
        return below, above


def rule_of(sizes: Iterable[int], up_to: int) -> SizeRule:
    """Return the shortest rule for a set of sizes from 1 to `up_to`: the smallest modulus that leaves the fewest
    remainders and exceptions, else a list of ranges."""
    found = frozenset(sizes)
    ranges = ranges_of(found)
    known: list[SizeRule] = []
    for modulus in range(1, min(up_to // _PERIODS, _LARGEST) + 1):
        if all(modulus % rule.modulus for rule in known):
            rule = _periodic(found, ranges, modulus, up_to)
            known += [rule] if rule is not None else []
    if not known:
        return SizeRule(up_to, ranges)
    return min(known, key=lambda rule: (len(rule.also) + len(_wrapped(rule.modulus, rule.remainders)), rule.modulus))


def ranges_of(sizes: Collection[int]) -> Ranges:
    """Return sizes as ranges, first and last included.

    >>> ranges_of({1, 2, 3, 7})
    ((1, 3), (7, 7))
    """
    found: list[tuple[int, int]] = []
    for size in sorted(set(sizes)):
        if found and found[-1][1] == size - 1:
            found[-1] = (found[-1][0], size)
        else:
            found.append((size, size))
    return tuple(found)


def _periodic(sizes: frozenset[int], ranges: Ranges, modulus: int, up_to: int) -> SizeRule | None:
    """Return the rule with a modulus; None if it repeats for too short a range, or has too many exceptions."""
    start = up_to - modulus
    while start > 0 and (start in sizes) == (start + modulus in sizes):
        start -= 1
    start += 1
    if up_to - start + 1 < _PERIODS * modulus:
        return None
    remainders = tuple(sorted({size % modulus for size in range(start, start + modulus) if size in sizes}))
    also = tuple(sorted(size for size in sizes if size < start))
    if not remainders or len(also) > _MOST_EXTRA or len(_wrapped(modulus, remainders)) > _MOST_REMAINDERS:
        return None
    minimum = min(size for size in sizes if size >= start)
    return SizeRule(up_to, ranges, modulus, remainders, minimum, also)


def _wrapped(modulus: int, remainders: tuple[int, ...]) -> Ranges:
    """Return remainders as ranges; a range that continues at 0 starts below 0.

    >>> _wrapped(8, (0, 3, 6, 7))
    ((-2, 0), (3, 3))
    """
    ranges = ranges_of(remainders)
    if len(ranges) > 1 and ranges[0][0] == 0 and ranges[-1][1] == modulus - 1:
        return ((ranges[-1][0] - modulus, ranges[0][1]), *ranges[1:-1])
    return ranges


def _regular(modulus: int, remainders: tuple[int, ...]) -> str:
    """Format remainders: `multiples of 16`, `16k + 12`, `16k + 3 to 16k + 5`."""
    if remainders == (0,):
        return f"multiples of {modulus}"
    return " or ".join(
        _term(modulus, first) if first == last else f"{_term(modulus, first)} to {_term(modulus, last)}"
        for first, last in _wrapped(modulus, remainders)
    )


def _term(modulus: int, remainder: int) -> str:
    return f"{modulus}k" + (f" {'-' if remainder < 0 else '+'} {abs(remainder)}" if remainder else "")


def _range(ends: tuple[int, int]) -> str:
    first, last = ends
    return str(first) if first == last else f"{first} to {last}"
