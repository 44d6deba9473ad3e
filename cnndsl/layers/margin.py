"""Layers that cut a map or pad it: `CROP` and `ZEROPAD`, by margins or to a size; `REFLECTPAD` and its like."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import prod
from typing import ClassVar

from cnndsl.layers.base import (
    Cut,
    Dims,
    Layer,
    LayerError,
    Saved,
    Slot,
    TorchCall,
    TorchFunction,
    Window,
    each_axis,
    need_spatial,
    option,
    squeeze,
)
from cnndsl.layers.borders import Sides, check_filling, filled, times
from cnndsl.layers.sized import Sized, extents_of
from cnndsl.layers.steps import LayerStep
from cnndsl.layers.torch_calls import by_rank
from cnndsl.records import record
from cnndsl.shape import Shape

FUNCTIONS: Mapping[str, str] = {
    "crop_like": '''\
def crop_like(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The middle of `x`, as large as `other`; an odd position is cut off at the end."""
    for axis in range(2, x.dim()):
        size = other.size(axis)
        x = x.narrow(axis, (x.size(axis) - size) // 2, size)
    return x
''',
    "pad_like": '''\
def pad_like(x: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """`x` in the middle of zeros, as large as `other`; an odd zero is at the end."""
    pads: list[int] = []
    for axis in range(x.dim() - 1, 1, -1):
        missing = other.size(axis) - x.size(axis)
        if missing < 0:
            raise ValueError("the map to pad is larger than the other one")
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads)
''',
}
"""The source of the functions that `out=@x` becomes, by name: fit to be scripted and exported like the classes."""


def _halves(more: Dims) -> Sides:
    """Divide a number of positions between two sides for each axis; an odd one comes after the map.

    >>> _halves((4, 5))
    ((2, 2), (2, 3))
    """
    return tuple((each // 2, each - each // 2) for each in more)


def _target(layer: ZeroPad | Crop, before: Dims, inputs: tuple[Shape, ...]) -> Dims:
    """Return the size that `out` gives; empty if margins are given. Raises LayerError if both or neither are given."""
    x, *others = inputs
    kind, name = layer.kind(), layer.POSITIONAL[0]
    need_spatial(kind, x)
    if others and not layer.like:
        message = f"{kind} takes one input, or two to copy the size of the second"
        raise LayerError("E0314", message, "say `out=@x`")
    if not layer.out and not layer.like:
        if not before:
            raise LayerError("E0314", f"{kind} needs `{name}` or `out`", f"as in {kind}(1) or {kind}(out=@x)")
        return ()
    if before or layer.after:
        message = f"{kind} takes either `out`, or `{name}` and `after`"
        raise LayerError("E0314", message, "with `out` the margins follow from the input: remove the others")
    return extents_of(others[0], x.rank) if layer.like else each_axis(layer.out, x.rank, "output")


def _given(x: Shape, before: Dims, after: Dims, what: str) -> Sides:
    """Return the given margins for each axis."""
    return tuple(zip(each_axis(before, x.rank, what), each_axis(after or before, x.rank, what), strict=True))


def _moved(before: Dims) -> Window:
    """Return the window for a map that begins `before` positions later: each position sees one, as far before it."""
    return Window((1,) * len(before), (1,) * len(before), before)


def _enlarged(x: Shape, sides: Sides) -> tuple[str, ...]:
    """Return how each size follows from that of the input, `6 + 1 + 2`."""
    return tuple(f"{size} + {before} + {after}" for size, (before, after) in zip(x.spatial, sides, strict=True))


def _padding(module: str, sides: Sides, pad: Dims) -> TorchCall:
    """Return PyTorch's module for a padding: with one number, or two for each axis, the last axis first."""
    name = f"nn.{module}{len(sides)}d"
    if len({side for pair in sides for side in pair}) == 1:
        return TorchCall(name, (Slot(squeeze(pad), "pad"),))
    return TorchCall(name, (Slot(tuple(side for pair in reversed(sides) for side in pair), "margins", "padding"),))


_PAD_TO = '''\
class PadTo{n}d(nn.Module):
    """Adds zeros on all sides up to a given size; an odd one is at the end."""

    def __init__(self, size: int | {size}) -> None:
        super().__init__()
        self.size = (size,) * {n} if isinstance(size, int) else size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pads: list[int] = []
        for axis in range({n}, 0, -1):
            missing = self.size[axis - 1] - x.size(axis + 1)
            if missing < 0:
                raise ValueError("the map to pad is larger than its size to be")
            pads += [missing // 2, missing - missing // 2]
        return F.pad(x, pads)
'''


@record
class ZeroPad(Sized):
    """`ZEROPAD(2)`, `ZEROPAD(0, after=1)`, `ZEROPAD(out=@x)`: zeros around the map; `after` if the far side differs.

    With `out`, as many as bring the map to this size, or to that of another map: half of them before it, rounded down.
    """

    NAMES: ClassVar = ("ZEROPAD",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = by_rank("PadTo", _PAD_TO)
    POSITIONAL: ClassVar = ("pad", "after")

    pad: Dims = option("dims", (), "P", minimum=0, required=True, instead="out")
    after: Dims = option("dims", (), minimum=0)

    def _sides(self, *inputs: Shape) -> Sides:
        """Return the zeros along each axis. Raises LayerError if the map is larger than the requested size."""
        x = inputs[0]
        target = _target(self, self.pad, inputs)
        if not target:
            return _given(x, self.pad, self.after, "padding")
        if any(size > wanted for size, wanted in zip(x.spatial, target, strict=True)):
            message = f"ZEROPAD cannot bring {x} to {times(target)}: the map must not be larger along any axis"
            raise LayerError("E0314", message, "`CROP(out=…)` makes a map smaller")
        return _halves(tuple(wanted - size for size, wanted in zip(x.spatial, target, strict=True)))

    def output(self, *inputs: Shape) -> Shape:
        x = inputs[0]
        grown = (size + before + after for size, (before, after) in zip(x.spatial, self._sides(*inputs), strict=True))
        return Shape(x.channels, tuple(grown))

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return _enlarged(inputs[0], self._sides(*inputs))

    def window(self, *inputs: Shape) -> Window | None:
        return _moved(tuple(before for before, _ in self._sides(*inputs)))

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction:
        x = inputs[0]
        if self.like:
            return TorchFunction("pad_like({0}, {1})", "other", "pad_like", FUNCTIONS["pad_like"])
        if self.out:
            return self.helper_call(f"PadTo{x.rank}d", (Slot(squeeze(self.out), "out"),))
        return _padding("ZeroPad", self._sides(x), self.pad)


@record
class FilledPad(Layer):
    """The base of `REFLECTPAD`, `REPLICATEPAD` and `CIRCULARPAD`: margins that are filled with positions of the map."""

    ROLE: ClassVar = "arrangement"
    POSITIONAL: ClassVar = ("pad", "after")
    FILLING: ClassVar[str] = "reflect"
    MODULE: ClassVar[str] = "ReflectionPad"

    pad: Dims = option("dims", (1,), "P", minimum=0)
    after: Dims = option("dims", (), minimum=0)

    def _sides(self, x: Shape) -> Sides:
        return _given(x, self.pad, self.after, "padding")

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        sides = self._sides(x)
        check_filling(self.kind(), self.FILLING, sides, x)
        return Shape(x.channels, tuple(size + sum(each) for size, each in zip(x.spatial, sides, strict=True)))

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return _enlarged(inputs[0], self._sides(inputs[0]))

    def window(self, *inputs: Shape) -> Window | None:
        return _moved(tuple(before for before, _ in self._sides(inputs[0])))

    def saved(self, *inputs: Shape) -> Saved:
        """Return the input if mirroring or repeating adds up the gradients of equal values (ATen's derivatives)."""
        return Saved(inputs=(0,)) if self.steps(*inputs)[0].keeps else Saved()

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        (x,) = inputs
        return filled(self.FILLING, self._sides(x), x)

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return _padding(self.MODULE, self._sides(inputs[0]), self.pad)


@record
class ReflectPad(FilledPad):
    """`REFLECTPAD(3)`, `REFLECTPAD(1, after=2)`: mirrors the map at its border lines, which are not repeated."""

    NAMES: ClassVar = ("REFLECTPAD",)


@record
class ReplicatePad(FilledPad):
    """`REPLICATEPAD(1)`: repeats the border lines."""

    NAMES: ClassVar = ("REPLICATEPAD",)
    FILLING: ClassVar = "replicate"
    MODULE: ClassVar = "ReplicationPad"


@record
class CircularPad(FilledPad):
    """`CIRCULARPAD(1)`: continues the map at its other end, as on a cylinder or a torus."""

    NAMES: ClassVar = ("CIRCULARPAD",)
    FILLING: ClassVar = "circular"
    MODULE: ClassVar = "CircularPad"


_CROP = '''\
class Crop{n}d(nn.Module):
    """Leaves out a margin of each side; `after` where the far side differs."""

    def __init__(
        self,
        margin: int | {size},
        after: int | {size} | None = None,
    ) -> None:
        super().__init__()
        far = margin if after is None else after
        self.before = (margin,) * {n} if isinstance(margin, int) else margin
        self.after = (far,) * {n} if isinstance(far, int) else far

    def forward(self, x: torch.Tensor) -> torch.Tensor:
{crops}
        return x
'''

_CROPS = {
    f"Crop{n}d": _CROP.format(
        n=n,
        size=f"tuple[{', '.join(['int'] * n)}]",
        crops="\n".join(
            f"        x = x[{':, ' * (axis + 2)}self.before[{axis}] : x.shape[{axis + 2}] - self.after[{axis}]]"
            for axis in range(n)
        ),
    )
    for n in (1, 2, 3)
}

_CROP_TO = '''\
class CropTo{n}d(nn.Module):
    """The middle of the input, of this size; an odd position is cut off at the end."""

    def __init__(self, size: int | {size}) -> None:
        super().__init__()
        self.size = (size,) * {n} if isinstance(size, int) else size

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for axis, size in enumerate(self.size, 2):
            x = x.narrow(axis, (x.size(axis) - size) // 2, size)
        return x
'''


@record
class Crop(Sized):
    """`CROP(4)`, `CROP(0, after=1)`, `CROP(out=@x)`: removes a margin; `after` if the far side differs.

    It brings a map to the size of one that lost its border to valid convolutions (Ronneberger et al. 2015, U-Net). With
    `out` it keeps the middle, of this size or of that of another map: half of the rest is removed before it, rounded
    down.
    """

    NAMES: ClassVar = ("CROP",)
    ROLE: ClassVar = "arrangement"
    HELPERS: ClassVar = {**_CROPS, **by_rank("CropTo", _CROP_TO)}
    VIEW: ClassVar = True
    POSITIONAL: ClassVar = ("margin", "after")

    margin: Dims = option("dims", (), minimum=0, required=True, instead="out")
    after: Dims = option("dims", (), minimum=0)

    def _sides(self, *inputs: Shape) -> Sides:
        """Return the positions omitted along each axis. Raises LayerError if the map is smaller than requested."""
        x = inputs[0]
        target = _target(self, self.margin, inputs)
        if not target:
            return _given(x, self.margin, self.after, "margin")
        if any(size < wanted for size, wanted in zip(x.spatial, target, strict=True)):
            message = f"CROP cannot cut {times(target)} out of {x}: the map must not be smaller along any axis"
            raise LayerError("E0314", message, "`ZEROPAD(out=…)` makes a map larger")
        return _halves(tuple(size - wanted for size, wanted in zip(x.spatial, target, strict=True)))

    def output(self, *inputs: Shape) -> Shape:
        x = inputs[0]
        sides = self._sides(*inputs)
        left = tuple(size - before - after for size, (before, after) in zip(x.spatial, sides, strict=True))
        if min(left) < 1:
            message = f"CROP leaves nothing of {x}"
            raise LayerError("E0301", message, "the two margins together must be smaller than the map")
        return Shape(x.channels, left)

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        sides = zip(inputs[0].spatial, self._sides(*inputs), strict=True)
        return tuple(f"{size} - {before} - {after}" for size, (before, after) in sides)

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a view for each axis that is cut; its gradient is a map of zeros with a part filled in."""
        x = inputs[0]
        extents, steps = list(x.spatial), list[LayerStep]()
        for axis, (before, after) in enumerate(self._sides(*inputs)):
            if before or after or self._is_adaptive():
                extents[axis] -= before + after
                steps.append(LayerStep((len(steps),), x.channels * prod(extents), view=True))
        return tuple(steps) or (self.single_step(*inputs, gradient="handed on"),)

    def cut(self, *inputs: Shape) -> Cut:
        """Return `positions` if an image has gaps between positions, so that no vector can view it."""
        kept = (inputs[0].channels, *self.output(*inputs).spatial)
        strides = [prod(inputs[0].spatial[axis:]) for axis in range(len(kept))]
        axes = [(size, stride) for size, stride in zip(kept, strides, strict=True) if size > 1]
        is_whole = all(outer == size * inner for (_, outer), (size, inner) in pairwise(axes))
        return "channels" if is_whole else "positions"

    def window(self, *inputs: Shape) -> Window | None:
        return _moved(tuple(-before for before, _ in self._sides(*inputs)))

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction:
        x = inputs[0]
        if self.like:
            return TorchFunction("crop_like({0}, {1})", "view", "crop_like", FUNCTIONS["crop_like"])
        if self.out:
            return self.helper_call(f"CropTo{x.rank}d", (Slot(squeeze(self.out), "out"),))
        after = (("after", Slot(squeeze(self.after), "after")),) if self.after else ()
        return self.helper_call(f"Crop{x.rank}d", (Slot(squeeze(self.margin), "margin"),), after)
