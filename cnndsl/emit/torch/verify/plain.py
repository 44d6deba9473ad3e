"""Tuples, lists and slices with items of unknown types."""

from __future__ import annotations

from typing import TypeAlias, cast

Range: TypeAlias = "slice[int | None, int | None, int | None]"


class LentList(tuple[object, ...]):
    """A list that crosses the boundary of a module, so that its creator holds it, too. It may be read; changing it,
    or telling it from a tuple, is not understood."""

    __slots__ = ()


def items(value: object) -> tuple[object, ...] | None:
    """Return the items of a tuple or a list; None for other values."""
    return tuple(cast("tuple[object, ...] | list[object]", value)) if isinstance(value, tuple | list) else None


def is_a(value: object, kind: type) -> bool:
    """Return `isinstance` without narrowing the type of the items."""
    return isinstance(value, kind)


def as_range(value: object) -> Range | None:
    """Return a slice with integer bounds; None for other values."""
    return cast("Range", value) if isinstance(value, slice) else None
