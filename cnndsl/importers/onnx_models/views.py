"""Values of an ONNX file as views of a layer's output: with axes permuted, split and merged.

A file moves axes where the language does not: for channels-last layouts, between a map and a vector, before and after
each convolution of Keras. A view tracks this without a layer. The reader of a value either works on the node under the
view, as an activation does, or has the view settled first, which adds the layers that `settling` finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import prod

from cnndsl.records import record
from cnndsl.shape import Shape

REPEATED = -1
"""The axis of a factor by which values are repeated."""


@record(slots=True)
class AxisRun:
    """A factor of an axis: `size` steps of `stride` positions each. Axis 0 is the channel axis."""

    axis: int
    stride: int
    size: int

    def split(self, outer: int) -> tuple[AxisRun, AxisRun]:
        """Split it into an outer factor of the given size, and the rest."""
        inner = self.size // outer
        return AxisRun(self.axis, self.stride * inner, outer), AxisRun(self.axis, self.stride, inner)


AxisRuns = tuple[AxisRun, ...]


@record(slots=True)
class OnnxView:
    """The axes of a value in the file, without the batch, in order: each is a group of factors of a node's axes."""

    node: int
    groups: tuple[AxisRuns, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """Return the sizes of the axes, without the batch."""
        return tuple([prod(atom.size for atom in group) for group in self.groups])

    @property
    def atoms(self) -> AxisRuns:
        """Return all factors as one sequence."""
        return merged(atom for group in self.groups for atom in group)

    @property
    def is_whole(self) -> bool:
        """Return whether each axis of the file is one axis of the node or has size 1: no axis is split."""
        axes = [atom.axis for group in self.groups for atom in group]
        return len(axes) == len(set(axes)) and REPEATED not in axes and all(len(group) < 2 for group in self.groups)

    def axis(self, at: int) -> int | None:
        """Return the node's axis for an axis of the file; None for an axis of size 1 or of several factors."""
        return self.groups[at][0].axis if len(self.groups[at]) == 1 else None

    def over(self, node: int, groups: Iterable[AxisRuns] | None = None) -> OnnxView:
        """Return the same view of another node."""
        return OnnxView(node, self.groups if groups is None else tuple(groups))

    def permuted(self, order: Sequence[int]) -> OnnxView:
        """Return the view with its axes in another order."""
        return self.over(self.node, [self.groups[at] for at in order])

    def reshaped(self, dims: Sequence[int]) -> OnnxView | None:
        """Return the view with another shape; None if a factor does not divide evenly."""
        rest = list(reversed(self.atoms))
        groups: list[AxisRuns] = []
        for size in dims:
            group: list[AxisRun] = []
            needed = size
            while needed > 1 and rest:
                atom = rest.pop()
                if needed % atom.size:
                    if atom.size % needed:
                        return None
                    atom, inner = atom.split(needed)
                    rest.append(inner)
                group.append(atom)
                needed //= atom.size
            if needed > 1:
                return None
            groups.append(merged(group))
        return None if rest else self.over(self.node, groups)


def merged(atoms: Iterable[AxisRun]) -> AxisRuns:
    """Merge adjacent factors that form one.

    >>> merged([AxisRun(0, 4, 2), AxisRun(0, 1, 4), AxisRun(1, 1, 7)])
    (AxisRun(axis=0, stride=1, size=8), AxisRun(axis=1, stride=1, size=7))
    """
    found: list[AxisRun] = []
    for atom in atoms:
        last = found[-1] if found else None
        if last and last.axis == atom.axis != REPEATED and last.stride == atom.stride * atom.size:
            found[-1] = AxisRun(atom.axis, atom.stride, last.size * atom.size)
        elif atom.size > 1:
            found.append(atom)
    return tuple(found)


def whole(axis: int, size: int) -> AxisRuns:
    """Return an axis as a single factor."""
    return (AxisRun(axis, 1, size),) if size > 1 else ()


def plainly(node: int, shape: Shape) -> OnnxView:
    """Return the view of a node's output in PyTorch's order: channels first.

    >>> plainly(3, Shape(8, (4, 4))).reshaped((2, 4, 16)).dims
    (2, 4, 16)
    """
    return OnnxView(node, tuple([whole(axis, size) for axis, size in enumerate((shape.channels, *shape.spatial))]))


def resized(view: OnnxView, node: int, shape: Shape) -> OnnxView:
    """Return a view of whole axes over a node with the same axes in another size."""
    extents = (shape.channels, *shape.spatial)
    return view.over(node, [whole(group[0].axis, extents[group[0].axis]) if group else () for group in view.groups])
