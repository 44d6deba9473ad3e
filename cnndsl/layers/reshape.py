"""Layers that rearrange the same values into a map of another shape, or with its axes in another order."""

from __future__ import annotations

from itertools import pairwise, permutations
from math import prod
from typing import ClassVar

from cnndsl.layers.base import Cut, Dims, Layer, LayerError, Slot, TorchCall, Window, need_spatial, option
from cnndsl.layers.formulas import multiplied
from cnndsl.records import record
from cnndsl.shape import Shape

MOST_AXES = 3
"""The most spatial axes of a map."""

_RESHAPE = '''\
class Reshape(nn.Module):
    """The values of each image in another shape."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = list(shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1).unflatten(1, self.shape)
'''

_RESHAPE_CHANNELS_LAST = '''\
class ReshapeChannelsLast(nn.Module):
    """The values of each image in another shape, position by position."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = list(shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.flatten(1).unflatten(1, self.shape)
        return x.movedim(-1, 1).contiguous()
'''


@record
class Reshape(Layer):
    """`RESHAPE(7x7x32)`: rearranges all values as a map of another shape, or as a vector, as torch.Tensor.view does.

    Values are read channel by channel, as by FLATTEN. The map is filled in the same order, or with `channels=last`
    position by position, as Keras' Reshape does with a vector.
    """

    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("RESHAPE",)
    ROLE: ClassVar = "arrangement"
    SEES_ALL: ClassVar = True
    HELPERS: ClassVar = {"Reshape": _RESHAPE, "ReshapeChannelsLast": _RESHAPE_CHANNELS_LAST}
    POSITIONAL: ClassVar = ("shape",)

    shape: Dims = option("dims", (), minimum=1, required=True)
    channels: str = option("word", "first", words=("first", "last"))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        if len(self.shape) > MOST_AXES + 1:
            written = multiplied(self.shape).replace("*", "x")
            message = f"the shape {written} has {len(self.shape) - 1} axes beside the channels"
            raise LayerError("E0303", message, f"a map has at most {MOST_AXES} axes, then its channels: 7x7x32")
        given = Shape.of(self.shape)
        if given.numel != x.numel:
            message = f"{given} has {given.numel} values, but the input {x} has {x.numel}"
            raise LayerError("E0316", message, self._way_out(x))
        return given

    def _way_out(self, x: Shape) -> str:
        """Suggest another number of channels if the positions allow one, else an FC that outputs as many values."""
        *spatial, _ = self.shape
        if spatial and x.numel % prod(spatial) == 0:
            return f"RESHAPE({Shape(x.numel // prod(spatial), tuple(spatial))}) fits"
        return f"add FC-{prod(self.shape)} before it"

    def mixes_axes(self, *inputs: Shape) -> bool:
        """Return True: the shape depends on the number of all values."""
        return True

    def views(self, *inputs: Shape) -> bool:
        """Return whether the values stay in place; if the channels are last, only with one channel or one position."""
        given = self.output(*inputs)
        return self.channels == "first" or given.channels == 1 or given.pixels == 1

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """Return the copied views; none if the output is a vector: the layer that reads it makes the copy."""
        if not self.output(*inputs).rank:
            return ()
        return ("channels", "positions") if self.channels == "last" and self.views(*inputs) else ("positions",)

    def window(self, *inputs: Shape) -> Window | None:
        return None

    def torch(self, *inputs: Shape) -> TorchCall | None:
        (x,) = inputs
        given = self.output(x)
        if not given.rank:
            return TorchCall("nn.Flatten")
        if self.channels == "last":
            return self.helper_call("ReshapeChannelsLast", (Slot(self.shape, "shape"),))
        size = Slot((given.channels, *given.spatial), name="shape")
        return self.helper_call("Reshape", (size,)) if x.rank else TorchCall("nn.Unflatten", (Slot(1), size))


_AXES = ("wc", "hwc", "dhwc")
"""The letters of the axes of maps, in the order in which a shape is written."""
_ORDERS = tuple("".join(order) for axes in _AXES for order in permutations(axes))

_PERMUTE = '''\
class Permute(nn.Module):
    """The dimensions of the input in another order."""

    def __init__(self, dims: tuple[int, ...]) -> None:
        super().__init__()
        self.dims = list(dims)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(self.dims).contiguous()
'''


@record
class Permute(Layer):
    """`PERMUTE(cwh)`: the axes of a map in another order.

    The word has a letter for each axis of the output, in the order in which a shape is written (depth, height, width,
    channels): the letter of the input axis that becomes it. `PERMUTE(whc)` transposes a map.
    """

    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("PERMUTE",)
    ROLE: ClassVar = "arrangement"
    SEES_ALL: ClassVar = True
    HELPERS: ClassVar = {"Permute": _PERMUTE}
    POSITIONAL: ClassVar = ("order",)

    order: str = option("word", "whc", words=_ORDERS, required=True)

    def _axes(self, x: Shape) -> tuple[int, ...]:
        """Return for each axis of the output, as a shape is written, the axis of the input."""
        need_spatial(self.kind(), x)
        axes = _AXES[x.rank - 1]
        if len(self.order) != len(axes):
            message = f"{self.order} orders {len(self.order)} axes, but the input {x} has {len(axes)}"
            raise LayerError("E0303", message, f"its axes are {', '.join(axes)}, as in PERMUTE({axes[::-1]})")
        return tuple(map(axes.index, self.order))

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        return Shape.of(tuple(x.hwc[axis] for axis in self._axes(x)))

    def mixes_axes(self, *inputs: Shape) -> bool:
        """Return True unless each axis keeps its position."""
        axes = self._axes(inputs[0])
        return axes != tuple(sorted(axes))

    def _dims(self, x: Shape) -> tuple[int, ...]:
        """Return the input's dimensions in PyTorch, in the order of the output's: batch, channels, the others."""
        *spatial, channels = [1 if axis == x.rank else axis + 2 for axis in self._axes(x)]
        return (0, channels, *spatial)

    def views(self, *inputs: Shape) -> bool:
        """Return whether the order of the axes with more than one position does not change."""
        (x,) = inputs
        extents = (1, x.channels, *x.spatial)
        return all(a < b for a, b in pairwise(dim for dim in self._dims(x) if extents[dim] > 1))

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """Return the views that are copied: values that stay in place are made contiguous all the same."""
        return ("channels", "positions") if self.views(*inputs) else ()

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        return tuple(map(str, self.output(*inputs).spatial))

    def channels_formula(self, *inputs: Shape) -> str:
        return str(self.output(*inputs).channels)

    def window(self, *inputs: Shape) -> Window | None:
        """Return None (everything) unless all axes keep their position: a window slides along the axes of its input."""
        axes = self._axes(inputs[0])
        return super().window(*inputs) if axes == tuple(sorted(axes)) else None

    def torch(self, *inputs: Shape) -> TorchCall | None:
        return self.helper_call("Permute", (Slot(self._dims(inputs[0]), name="dims"),))
