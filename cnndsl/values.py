"""Values of the language: numbers, booleans, shapes, lists, and symbols for other things, such as a layer type.

`expr` computes them; this module defines how each is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias

from cnndsl.errors import Span
from cnndsl.limits import current
from cnndsl.records import record


class Symbol:
    """A value that is not a number: a layer type, a block, a name. Subclasses say which."""

    def __str__(self) -> str:
        return type(self).__name__


class Unknown(Symbol):
    """The value of an expression with an error. The error was reported there, so dependent errors are suppressed."""

    def __str__(self) -> str:
        return "…"


@record
class NameSymbol(Symbol):
    """The name of a layer type or a block, as a value."""

    name: str

    def __str__(self) -> str:
        return f"the name `{self.name}`"


@record
class OutputSymbol(Symbol):
    """An output as a value: `@enc1`."""

    name: str

    def __str__(self) -> str:
        return f"the output `@{self.name}`"


@record
class Later(Symbol):
    """The value of a `let` that is only defined later, at `span`."""

    span: Span


@record
class ListValue(Symbol):
    """A list: `(32, 64, 128)`. Lists are equal if their elements have equal types and values: 1 is not `yes`.

    >>> ListValue((1, 2)) == ListValue((1, 2)), ListValue((1, 2)) == ListValue((True, 2))
    (True, False)
    """

    items: tuple[Value, ...]

    def __str__(self) -> str:
        return show(self)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, ListValue) and self._typed == other._typed)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _typed(self) -> tuple[tuple[type, Value], ...]:
        return tuple((type(each), each) for each in self.items)

    @cached_property
    def _hash(self) -> int:
        return hash(self._typed)

    @cached_property
    def size(self) -> int:
        """The number of its elements, including those of nested lists."""
        return sum(1 + (each.size if isinstance(each, ListValue) else 0) for each in self.items)

    @cached_property
    def is_plain(self) -> bool:
        """Whether it holds only numbers, booleans and shapes, and lists of these."""
        return all(
            not isinstance(each, Symbol) or (isinstance(each, ListValue) and each.is_plain) for each in self.items
        )


Number: TypeAlias = int | Fraction
Value: TypeAlias = int | Fraction | bool | tuple[int, ...] | Symbol


def plain_value(value: Value) -> Value:
    """Return a value without data from elaboration: for a name or an output, only its name."""
    if isinstance(value, NameSymbol):
        return NameSymbol(value.name)
    if isinstance(value, ListValue):
        return value if value.is_plain else ListValue(tuple(map(plain_value, value.items)))
    return OutputSymbol(value.name) if isinstance(value, OutputSymbol) else value


def items_of(value: Value) -> tuple[Value, ...] | None:
    """Return the elements of a list or the sizes of a shape; None for any other value."""
    return value.items if isinstance(value, ListValue) else value if isinstance(value, tuple) else None


def as_shape(value: Value) -> Value:
    """Return a list of integers as a shape; any other value as it is."""
    if not isinstance(value, ListValue) or not value.items:
        return value
    extents = tuple(each for each in value.items if isinstance(each, int) and not isinstance(each, bool))
    return extents if len(extents) == len(value.items) else value


def numbers_in(value: Value) -> Iterator[Number]:
    """Yield the numbers of a value: itself, or those of a shape or a list."""
    if isinstance(value, int | Fraction):
        yield value
    for each in items_of(value) or ():
        yield from numbers_in(each)


def show(value: Value) -> str:
    """Return a value as written in the language.

    >>> show(True), show((14, 14, 8)), show(Fraction(1, 2)), show(Fraction(1, 3))
    ('yes', '14x14x8', '0.5', '1/3')
    >>> show(Fraction("1.7015043497085571")), show(Fraction("1e-5"))
    ('1.7015043497085571', '1e-05')
    >>> show(ListValue((32, 64))), show(ListValue((ListValue((1,)), ListValue(()))))
    ('(32, 64)', '((1,), ())')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    if isinstance(value, Fraction):
        return _show_fraction(value)
    return show_setting(value) if isinstance(value, ListValue) else str(value)


_MOST_PLACES = 18
"""The maximum number of decimal places shown, as many as a number may have digits; more are shown as a quotient."""


def _show_fraction(value: Fraction) -> str:
    """Return a decimal if that is exact, else a quotient."""
    short = f"{float(value):.10g}"
    if Fraction(short) == value:
        return short
    times, rest = divmod(10**_MOST_PLACES, value.denominator)
    if rest:
        return f"{value.numerator}/{value.denominator}"
    decimal = Decimal(value.numerator * times).scaleb(-_MOST_PLACES, _EXACT).normalize(_EXACT)
    return f"{decimal:f}" if abs(value) >= Fraction(1, 10**4) else f"{decimal:e}"


_EXACT = Context(prec=4 * _MOST_PLACES)


def show_setting(value: Value) -> str:
    """Return a value as written after `--set`.

    >>> show_setting(NameSymbol("RELU")), show_setting((14, 14, 8))
    ('RELU', '14x14x8')
    >>> show_setting(ListValue((16, NameSymbol("RELU"))))
    '(16, RELU)'
    """
    if isinstance(value, ListValue):
        comma = "," if len(value.items) == 1 else ""
        return f"({', '.join(map(show_setting, value.items))}{comma})"
    return value.name if isinstance(value, NameSymbol) else show(value)


def equal(left: Value, right: Value) -> bool:
    """Return whether values are equal; a shape with one position equals its number of channels: 1x1x1000 is 1000.

    >>> equal((1, 1, 1000), 1000), equal((2, 1, 4), 8), equal(True, 1)
    (True, False, False)
    """
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, ListValue) and isinstance(right, ListValue):
        pairs = zip(left.items, right.items, strict=False)
        return len(left.items) == len(right.items) and all(equal(*pair) for pair in pairs)
    return _unpadded(left) == _unpadded(right)


def _unpadded(value: Value) -> Value:
    if isinstance(value, tuple) and all(extent == 1 for extent in value[:-1]):
        return value[-1]
    return value


def excess(value: Number) -> str:
    """Return how a number exceeds the limits, for a message."""
    digits = current().digits
    what = "is too large" if abs(value) > 10**digits else "has too large a denominator"
    return f"{what}: the limit is 10^{digits}"


def is_bounded(value: Number) -> bool:
    """Return whether a number is within the digits that `limits` allows, in both its numerator and denominator."""
    most = 10 ** current().digits
    return -most <= value <= most and value.denominator <= most
