"""Tensors as views: a value and, for each dimension, the axes of the value that it covers.

An operator that only rearranges (`view`, `flatten`, `permute`, `squeeze`, `expand`, …) returns another view of the same
value, and a view has a single form. Axes of extent 1 are omitted. A dimension is a list of atoms, the slowest first. An
atom is a part of an axis: its extent, and its stride in steps of the axis. So a channel shuffle is a view whose channel
dimension has two atoms in reversed order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from cnndsl.importers.torch_compare.sizes import TriedExtent, over, sized, times


class Atom(NamedTuple):
    """A part of an axis. Axis -1 means that the value is repeated."""

    axis: int
    extent: TriedExtent
    step: TriedExtent


Atoms: TypeAlias = "tuple[Atom, ...]"
REPEATED = -1


class TensorView(NamedTuple):
    """A tensor: the number of a value, and the atoms of each dimension."""

    value: int
    dims: tuple[Atoms, ...]

    @property
    def shape(self) -> tuple[TriedExtent, ...]:
        """The sizes of the dimensions."""
        return tuple(product(each) for each in self.dims)

    def of(self, value: int) -> TensorView:
        """Return the same view of another value with the same axes."""
        return TensorView(value, self.dims)


def product(atoms: Iterable[Atom]) -> TriedExtent:
    """Return the extent of a dimension."""
    found: TriedExtent = 1
    for each in atoms:
        found = times(found, each.extent)
    return found


def whole(value: int, shape: Sequence[TriedExtent]) -> TensorView:
    """Return the view of a value with exactly these dimensions."""
    dims: list[Atoms] = []
    axis = 0
    for size in shape:
        dims.append(() if size == 1 else (Atom(axis, size, 1),))
        axis += size != 1
    return TensorView(value, tuple(dims))


def axes_of(shape: Sequence[TriedExtent]) -> tuple[TriedExtent, ...]:
    """Return the axes of a value with this shape."""
    return tuple(size for size in shape if size != 1)


def merged(atoms: Iterable[Atom]) -> Atoms:
    """Return the atoms of a dimension in normal form: contiguous neighbours are joined."""
    found: list[Atom] = []
    for each in atoms:
        if each.extent == 1:
            continue
        last = found[-1] if found else None
        if last is not None and last.axis == each.axis and last.step == times(each.step, each.extent):
            found[-1] = Atom(each.axis, times(last.extent, each.extent), each.step)
        else:
            found.append(each)
    return tuple(found)


def split(atom: Atom, outer: TriedExtent, inner: TriedExtent) -> tuple[Atom, Atom]:
    """Split an atom into two, the slower first."""
    return Atom(atom.axis, outer, times(atom.step, inner)), Atom(atom.axis, inner, atom.step)


def reshaped(x: TensorView, shape: Sequence[TriedExtent]) -> TensorView | None:
    """Return the view with another shape; None if a dimension cuts through atoms."""
    waiting = [atom for dim in x.dims for atom in dim][::-1]
    dims: list[Atoms] = []
    for size in shape:
        taken: list[Atom] = []
        left: TriedExtent = size
        while left != 1:
            if not waiting:
                return None
            atom = waiting.pop()
            if (rest := over(left, atom.extent)) is not None:
                taken.append(atom)
                left = rest
            elif (inner := over(atom.extent, left)) is not None:
                one, other = split(atom, left, inner)
                taken.append(one)
                waiting.append(other)
                left = 1
            else:
                return None
        dims.append(merged(taken))
    return None if waiting else TensorView(x.value, tuple(dims))


def expanded(x: TensorView, shape: Sequence[TriedExtent]) -> TensorView:
    """Return the view with dimensions of extent 1 repeated, and with new leading dimensions."""
    dims = ((),) * (len(shape) - len(x.dims)) + x.dims
    found = [
        (Atom(REPEATED, size, 0),) if not dim and size != 1 else dim for dim, size in zip(dims, shape, strict=True)
    ]
    return TensorView(x.value, tuple(found))


def permuted(x: TensorView, order: Sequence[int]) -> TensorView:
    """Return the view with its dimensions in another order."""
    return TensorView(x.value, tuple(x.dims[at] for at in order))


Index: TypeAlias = "tuple[Atom | None, ...]"
"""What an operand covers along each axis of a result; None if it is repeated."""


def composed(x: TensorView, operand: int, index: Index) -> TensorView:
    """Return the view of an operand that corresponds to a view of a result, given its index into the result's axes."""
    dims: list[Atoms] = []
    for dim in x.dims:
        atoms: list[Atom] = []
        for each in dim:
            inner = None if each.axis == REPEATED else index[each.axis]
            if inner is None:
                atoms.append(Atom(REPEATED, each.extent, 0))
            else:
                atoms.append(Atom(inner.axis, each.extent, times(each.step, inner.step)))
        dims.append(merged(atoms))
    return TensorView(operand, tuple(dims))


class Aligned(NamedTuple):
    """Operands of one shape over common axes: the axes, each operand's index, the dimensions of the result."""

    axes: tuple[TriedExtent, ...]
    indices: tuple[Index, ...]
    dims: tuple[Atoms, ...]


class _Cell(NamedTuple):
    """A part of a dimension that no operand's atoms cut: what each operand covers in it."""

    dim: int
    extent: TriedExtent
    parts: Index


def aligned(views: Sequence[TensorView]) -> Aligned | None:
    """Bring operands that are broadcast together to common axes; None if their atoms cut each other.

    The axes are in the order of the operand that has the most of them.
    """
    rank = max(len(each.dims) for each in views)
    padded = [((),) * (rank - len(each.dims)) + each.dims for each in views]
    cells: list[_Cell] = []
    for at in range(rank):
        parts = _refined([each[at] for each in padded])
        if parts is None:
            return None
        cells += (_Cell(at, size, index) for size, index in parts)
    places, axes = _axes(cells, views)
    dims: list[list[Atom]] = [[] for _ in range(rank)]
    for at, cell in enumerate(cells):
        dims[cell.dim].append(places.get(at, Atom(REPEATED, cell.extent, 0)))
    indices = [tuple(each.parts[operand] for each in axes) for operand in range(len(views))]
    return Aligned(tuple(each.extent for each in axes), tuple(indices), tuple(merged(each) for each in dims))


def _refined(parts: Sequence[Atoms]) -> list[tuple[TriedExtent, Index]] | None:
    """Return a dimension of several operands, cut wherever one of them is cut."""
    waiting = [list(each[::-1]) for each in parts]
    found: list[tuple[TriedExtent, Index]] = []
    while any(waiting):
        size = _smallest([each[-1].extent for each in waiting if each])
        if size is None:
            return None
        index: list[Atom | None] = []
        for each in waiting:
            if not each:
                index.append(None)
                continue
            atom = each.pop()
            inner = over(atom.extent, size)
            if inner is None:
                return None
            if inner != 1:
                atom, rest = split(atom, size, inner)
                each.append(rest)
            index.append(None if atom.axis == REPEATED else atom)
        found.append((size, tuple(index)))
    return found


def _smallest(extents: Sequence[TriedExtent]) -> TriedExtent | None:
    """Return the extent that divides the others."""
    return next((each for each in extents if all(over(other, each) is not None for other in extents)), None)


def _axes(cells: Sequence[_Cell], views: Sequence[TensorView]) -> tuple[dict[int, Atom], list[_Cell]]:
    """Return the axes of a result, and the position of each cell in them."""
    real = [at for at, cell in enumerate(cells) if any(atom is not None for atom in cell.parts)]
    operands = sorted(
        range(len(views)),
        key=lambda operand: (-sum(cells[at].parts[operand] is not None for at in real), views[operand].value),
    )

    def place(at: int) -> tuple[int, int, int]:
        index = cells[at].parts
        rank = next(rank for rank, operand in enumerate(operands) if index[operand] is not None)
        atom = index[operands[rank]]
        assert atom is not None
        return rank, atom.axis, -sized(atom.step, 0)

    groups: list[list[int]] = []
    for at in sorted(real, key=place):
        if groups and _joins(cells[groups[-1][-1]].parts, cells[at].parts):
            groups[-1].append(at)
        else:
            groups.append([at])
    places: dict[int, Atom] = {}
    axes: list[_Cell] = []
    for axis, group in enumerate(groups):
        step: TriedExtent = 1
        for at in reversed(group):
            places[at] = Atom(axis, cells[at].extent, step)
            step = times(step, cells[at].extent)
        columns = zip(*(cells[at].parts for at in group), strict=True)
        axes.append(_Cell(-1, step, tuple(_one(column) for column in columns)))
    return places, axes


def _joins(one: Index, other: Index) -> bool:
    """Return whether the second continues inside the first, for every operand."""
    for a, b in zip(one, other, strict=True):
        if (a is None) != (b is None):
            return False
        if a is not None and b is not None and len(merged((a, b))) != 1:
            return False
    return True


def _one(column: Sequence[Atom | None]) -> Atom | None:
    found = [each for each in column if each is not None]
    return merged(found)[0] if found else None


class Removed(NamedTuple):
    """The axes of a value without some of its atoms, and where another axis would replace them."""

    axes: tuple[TriedExtent, ...]
    gone: Atoms
    numbers: tuple[int, ...]
    """The number of the new axis for each old one; that of the next axis if nothing is left of it."""

    def left(self, atoms: Atoms, inserted: int | None = None) -> Atoms:
        """Return the remaining atoms as atoms of the new axes, with one more axis before axis `inserted`."""
        found: list[Atom] = []
        for atom in atoms:
            if atom.axis == REPEATED:
                found.append(atom)
                continue
            finer = product(
                each for each in self.gone if each.axis == atom.axis and sized(each.step, 0) < sized(atom.step, 0)
            )
            step = over(atom.step, finer)
            assert step is not None
            number = self.numbers[atom.axis]
            found.append(Atom(number + (inserted is not None and number >= inserted), atom.extent, step))
        return merged(found)


def removed(axes: Sequence[TriedExtent], gone: Atoms) -> Removed | None:
    """Remove atoms from axes; None if they do not divide them."""
    left: list[TriedExtent] = []
    numbers: list[int] = []
    for at, size in enumerate(axes):
        rest = over(size, product(each for each in gone if each.axis == at))
        if rest is None:
            return None
        numbers.append(len(left))
        if rest != 1:
            left.append(rest)
    return Removed(tuple(left), gone, tuple(numbers))
