"""Interprets the index of a tensor on a map of known size."""

from __future__ import annotations

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.plain import Range, as_range
from cnndsl.emit.torch.verify.settle import extents, pairs
from cnndsl.shape import Shape

_ALL: Range = slice(None)


def window_of(items: tuple[object, ...], shape: Shape) -> Form | None:
    """Return the form of `x[items]`: a range of channels, a cropped margin, steps, or new axes; () for everything.

    Returns None for an index that no layer performs.

    >>> window_of((slice(None), slice(0, 4)), Shape(8, (6, 6)))
    ('slice', 0, 4)
    >>> window_of((slice(None), slice(None), slice(1, -1), slice(2, 6)), Shape(8, (6, 6)))
    ('pad', ((-1, -1), (-2, 0)))
    >>> window_of((slice(None), slice(None), None, None), Shape(8))
    ('expand', 2)
    """
    if any(each is None for each in items):
        return _axes(items, shape)
    ranges = [found for each in items if (found := as_range(each)) is not None]
    if len(ranges) < len(items) or len(items) > shape.rank + 2:
        return None
    ranges += [_ALL] * (shape.rank + 2 - len(ranges))
    if ranges[0] != _ALL:
        return None
    taken = [each.indices(extent) for each, extent in zip(ranges[1:], (shape.channels, *shape.spatial), strict=True)]
    if any(step < 1 or stop <= start for start, stop, step in taken):
        return None
    (first, last, step), maps = taken[0], taken[1:]
    whole = (first, last, step) == (0, shape.channels, 1)
    untouched = all(part == (0, extent, 1) for part, extent in zip(maps, shape.spatial, strict=True))
    if whole and untouched:
        return ()
    if untouched and step == 1:
        return ("slice", first, last)
    if not whole:
        return None
    if all(step == 1 for _, _, step in maps):
        return (
            "pad",
            tuple((-start, stop - extent) for (start, stop, _), extent in zip(maps, shape.spatial, strict=True)),
        )
    if all(start == 0 and stop == extent for (start, stop, _), extent in zip(maps, shape.spatial, strict=True)):
        return ("steps", tuple(step for _, _, step in maps))
    return None


def part_of(form: Form, shape: Shape) -> Shape:
    """Return the shape of the part of a map that an index selects."""
    if form[0] == "slice":
        first, last = extents(form[1:])
        return Shape(last - first, shape.spatial)
    if form[0] == "steps":
        steps = extents(form[1])
        return Shape(
            shape.channels, tuple(-(-extent // step) for extent, step in zip(shape.spatial, steps, strict=True))
        )
    margins = pairs(form[1])
    left = (extent + before + after for extent, (before, after) in zip(shape.spatial, margins, strict=True))
    return Shape(shape.channels, tuple(left))


def _axes(items: tuple[object, ...], shape: Shape) -> Form | None:
    """Return the form of an index that adds trailing axes of size one."""
    there = shape.rank + 2
    if shape.rank or len(items) <= there or any(each != _ALL for each in items[:there]):
        return None
    return ("expand", len(items) - there) if all(each is None for each in items[there:]) else None
