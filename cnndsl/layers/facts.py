"""The records that describe a layer: tensors, window, and what autograd saves."""

from __future__ import annotations

from math import prod
from typing import Literal

from cnndsl.records import record


@record(slots=True)
class Tensor:
    """A parameter or buffer: its name in the module, its shape, and its purpose.

    Without a name it is called by the path of the layer. `role` is `weight`, `bias` or `buffer`; `dtype` is that of the
    storage (`float` follows the network's). A buffer that is not `persistent` is not in the `state_dict`; a parameter
    that is `frozen` is not trained.
    """

    name: str
    shape: tuple[int, ...]
    role: Literal["weight", "bias", "buffer"] = "weight"
    dtype: Literal["float", "int64"] = "float"
    persistent: bool = True
    frozen: bool = False

    @property
    def learns(self) -> bool:
        """Return whether this is a parameter that training changes."""
        return self.role != "buffer" and not self.frozen

    @property
    def numel(self) -> int:
        """Return the number of its elements."""
        return prod(self.shape)

    def entry(self, path: str) -> str:
        """Return its key in the `state_dict` of a network if its layer has a path.

        >>> Tensor("weight", (8,)).entry("stem.bn"), Tensor("", (8,)).entry("stem.gamma")
        ('stem.bn.weight', 'stem.gamma')
        """
        return f"{path}.{self.name}" if self.name else path


@record(slots=True)
class Window:
    """What one output position sees of the input, for each axis: `extent` positions, the next output `step` further on,
    the first one beginning `before` positions before the input."""

    extent: tuple[int, ...]
    step: tuple[int, ...]
    before: tuple[int, ...]
    grow: tuple[int, ...] = ()
    """The factor by which the layer magnifies (upsampling, transposed convolution), for each axis."""
    spacing: tuple[int, ...] = ()
    """The distance between weights if the layer magnifies by weights with gaps (a dilated transposed convolution). What
    it sees is then only known as a bound."""


@record(slots=True)
class Saved:
    """What autograd saves for the backward pass of one layer, with a batch of one.

    `inputs` are the positions of the inputs that are saved, `output` whether the output is (a tensor that several
    layers save is stored once), `extra` the other values as (element size in bytes, or 0 for the type of the output,
    `STATISTIC` or `PARAMETER` of `steps`; number; whether per image). `mask` says that the extra values are a dropout
    mask: in the network's own type on the CPU, one byte each on a GPU. `copies` says that the layer, if it works in
    place, saves a copy of its input, which is overwritten. All this counts only if a gradient flows through the layer.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    extra: tuple[tuple[int, int, bool], ...] = ()
    mask: bool = False
    copies: bool = False
