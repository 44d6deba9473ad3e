"""Tuples, lists and slices of which it is not known what they hold."""

from __future__ import annotations

from typing import TypeAlias, cast

Range: TypeAlias = "slice[int | None, int | None, int | None]"


class LentList(tuple[object, ...]):
    """A list that crosses the border of a module: who made it holds it, too. It may be read; what would change it, or
    tell it from a tuple, is not understood."""

    __slots__ = ()


def items(value: object) -> tuple[object, ...] | None:
    """The items of a tuple or a list; None of other values."""
    return tuple(cast("tuple[object, ...] | list[object]", value)) if isinstance(value, tuple | list) else None


def is_a(value: object, kind: type) -> bool:
    """`isinstance`, without a word about what the value holds."""
    return isinstance(value, kind)


def as_range(value: object) -> Range | None:
    """A slice, whose bounds are integers; None of other values."""
    return cast("Range", value) if isinstance(value, slice) else None
