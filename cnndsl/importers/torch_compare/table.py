"""The values of two programs in one table: equal computations on equal operands share an entry.

So two programs are equal if their outputs have the same numbers.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple, TypeAlias, cast

from cnndsl.importers.torch_compare.sizes import TriedExtent, UnevenError, sized
from cnndsl.importers.torch_compare.views import (
    REPEATED,
    Atom,
    Atoms,
    TensorView,
    aligned,
    axes_of,
    merged,
    permuted,
    removed,
    reshaped,
    whole,
)

ReadLayout: TypeAlias = "tuple[Atoms | Atom | None, ...]"
"""The atoms of an operand's dimensions, or of its part in the axes of the result."""


class Operand(NamedTuple):
    """A value that another one reads, and its layout there."""

    value: int
    layout: ReadLayout


class ComputedValue(NamedTuple):
    """A computation: an operator, its attributes by name, its operands, and the axes of the result."""

    operator: str
    attributes: tuple[tuple[str, Hashable], ...]
    operands: tuple[Operand, ...]
    axes: tuple[TriedExtent, ...]


class ValueTable:
    """Values by number, each once."""

    def __init__(self) -> None:
        self.values: list[ComputedValue] = []
        self._known: dict[ComputedValue, int] = {}
        self.seen: dict[int, object] = {}
        """Where each value of the program being read first occurs."""
        self.place: object = None

    def axes(self, x: TensorView) -> tuple[TriedExtent, ...]:
        """Return the axes of the value that a tensor is a view of."""
        return self.values[x.value].axes

    def number(
        self, operator: str, operands: Sequence[Operand], axes: Sequence[TriedExtent], attributes: dict[str, Hashable]
    ) -> int:
        """Return the number of a value; a new one if it is not in the table."""
        value = ComputedValue(operator, tuple(sorted(attributes.items())), tuple(operands), tuple(axes))
        found = self._known.setdefault(value, len(self.values))
        if found == len(self.values):
            self.values.append(value)
        self.seen.setdefault(found, self.place)
        return found

    def made(
        self, operator: str, operands: Sequence[TensorView], shape: Sequence[TriedExtent], **attributes: Hashable
    ) -> TensorView:
        """Return the result of an operator for which dimensions matter, with a shape of its own."""
        read = [Operand(*each) for each in operands]
        return whole(self.number(operator, read, axes_of(shape), attributes), shape)

    def unary(self, operator: str, x: TensorView, **attributes: Hashable) -> TensorView:
        """Return the result of an operator on each element, whatever their layout."""
        axes = self.axes(x)
        return x.of(self.number(operator, [Operand(x.value, _all(axes))], axes, attributes))

    def pointwise(
        self, operator: str, views: Sequence[TensorView], *, commutes: bool = False, **attributes: Hashable
    ) -> TensorView:
        """Return the result of an elementwise operator on several tensors, with broadcasting."""
        if commutes:
            views = sorted(views, key=lambda each: (each.value, str(each.dims)))
        found = aligned(views)
        if found is None:
            views = [self.plain(each) for each in views]
            found = aligned(views)
        if found is None:
            raise UnevenError
        read = [Operand(each.value, index) for each, index in zip(views, found.indices, strict=True)]
        if commutes:
            read.sort(key=lambda each: (each.value, str(each.layout)))
        return TensorView(self.number(operator, read, found.axes, attributes), found.dims)

    def plain(self, x: TensorView) -> TensorView:
        """Return the tensor as a value of its own, whose dimensions are its axes."""
        return x if x == whole(x.value, x.shape) else self.made("rearranged", [x], x.shape)

    def reshaped(self, x: TensorView, shape: Sequence[TriedExtent]) -> TensorView:
        """Return the tensor in another shape."""
        return reshaped(x, shape) or self.made("reshaped", [x], shape)

    def along(
        self,
        operator: str,
        x: TensorView,
        dims: Sequence[int],
        further: Sequence[TensorView] = (),
        **attributes: Hashable,
    ) -> TensorView:
        """Return a function of each element and all others along some dimensions: a softmax, a normalisation.

        `further` operands cover exactly these dimensions. If there are any, the order of dimensions matters.
        """
        if any(atom.axis == REPEATED for at in dims for atom in x.dims[at]):
            x = self.plain(x)
        atoms = [atom for at in dims for atom in x.dims[at]]
        if not further:
            atoms.sort(key=_place)
        axes = self.axes(x)
        read = [Operand(x.value, (merged(atoms),)), *(Operand(*each) for each in further)]
        return x.of(self.number(operator, read, axes, attributes))

    def reduced(
        self, operator: str, x: TensorView, dims: Sequence[int], keep: bool, **attributes: Hashable
    ) -> TensorView:
        """Reduce all elements along some dimensions to one number: a mean, a sum."""
        if operator == "mean" and (earlier := self._before_mean(x)) is not None:
            x, gone = earlier
        else:
            gone = ()
        atoms = merged(sorted((*gone, *(atom for at in dims for atom in x.dims[at])), key=_place))
        kept = [() if at in dims else dim for at, dim in enumerate(x.dims) if keep or at not in dims]
        if not atoms and operator in ("mean", "sum", "maximum", "minimum"):
            return TensorView(x.value, tuple(kept))
        left = removed(self.axes(x), atoms)
        if left is None or any(each.axis == REPEATED for each in atoms):
            shape = [1 if at in dims else size for at, size in enumerate(x.shape) if keep or at not in dims]
            return self.made(operator, [x], shape, dims=tuple(dims), **attributes)
        number = self.number(operator, [Operand(x.value, (atoms,))], left.axes, attributes)
        return TensorView(number, tuple(left.left(each) for each in kept))

    def _before_mean(self, x: TensorView) -> tuple[TensorView, Atoms] | None:
        """Return the operand of a mean over whole axes, and these axes: a mean of a mean over others is one mean."""
        value = self.values[x.value]
        if value.operator != "mean" or value.attributes or any(each.axis == REPEATED for dim in x.dims for each in dim):
            return None
        (operand,) = value.operands
        gone = cast("Atoms", operand.layout[0])
        axes = self.values[operand.value].axes
        if len(operand.layout) != 1 or any((each.extent, each.step) != (axes[each.axis], 1) for each in gone):
            return None
        taken = {each.axis for each in gone}
        places = [at for at in range(len(axes)) if at not in taken]
        dims = tuple(tuple(Atom(places[each.axis], each.extent, each.step) for each in dim) for dim in x.dims)
        return TensorView(operand.value, dims), gone

    def contracted(
        self, x: TensorView, weights: Sequence[TensorView], features: TriedExtent, dim: int = -1
    ) -> TensorView:
        """Return a matrix product over a dimension, with the rows of the first of `weights`."""
        if dim != -1:
            order = [at for at in range(len(x.dims)) if at != dim]
            made = self.contracted(permuted(x, [*order, dim]), weights, features)
            return permuted(made, [[*order, dim].index(at) for at in range(len(x.dims))])
        atoms = x.dims[-1]
        left = removed(self.axes(x), atoms)
        if left is None or not atoms or any(each.axis == REPEATED for each in atoms):
            return self.made("linear", [x, *weights], (*x.shape[:-1], features))
        inserted = left.numbers[min(each.axis for each in atoms)]
        axes = list(left.axes)
        if features != 1:
            axes.insert(inserted, features)
        read = [Operand(x.value, (atoms,)), *(Operand(*each) for each in weights)]
        number = self.number("linear", read, axes, {})
        if features == 1:
            return TensorView(number, (*(left.left(each) for each in x.dims[:-1]), ()))
        last = (Atom(inserted, features, 1),)
        return TensorView(number, (*(left.left(each, inserted) for each in x.dims[:-1]), last))


def _place(atom: Atom) -> tuple[int, int]:
    return atom.axis, -sized(atom.step, 0)


def _all(axes: Sequence[TriedExtent]) -> tuple[Atom, ...]:
    return tuple(Atom(at, size, 1) for at, size in enumerate(axes))
