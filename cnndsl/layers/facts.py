"""The records in which a layer states its facts: tensors, window, and what autograd keeps."""

from __future__ import annotations

from math import prod
from typing import Literal

from cnndsl.records import record


@record(slots=True)
class Tensor:
    """A parameter or buffer: its name in the module, its extents, and what it is for.

    Without a name it is called by the path of the layer. `role` is `weight`, `bias` or `buffer`; `dtype` is that of the
    storage (`float` follows the network's). A buffer that is not `persistent` is not in the `state_dict`; a
    parameter that is `frozen` is not trained.
    """

    name: str
    shape: tuple[int, ...]
    role: Literal["weight", "bias", "buffer"] = "weight"
    dtype: Literal["float", "int64"] = "float"
    persistent: bool = True
    frozen: bool = False

    @property
    def learns(self) -> bool:
        """True of a parameter that training changes."""
        return self.role != "buffer" and not self.frozen

    @property
    def numel(self) -> int:
        """Return the number of its elements."""
        return prod(self.shape)

    def entry(self, path: str) -> str:
        """Return what it is called in the `state_dict` of a network, where its layer has a path.

        >>> Tensor("weight", (8,)).entry("stem.bn"), Tensor("", (8,)).entry("stem.gamma")
        ('stem.bn.weight', 'stem.gamma')
        """
        return f"{path}.{self.name}" if self.name else path


@record(slots=True)
class Window:
    """What one output position sees of the input, for each axis: `extent` positions, the next output `step`
    further on, the first one beginning `before` positions ahead of the input."""

    extent: tuple[int, ...]
    step: tuple[int, ...]
    before: tuple[int, ...]
    grow: tuple[int, ...] = ()
    """Where the layer magnifies (upsampling, transposed convolution): by how much, for each axis."""
    spacing: tuple[int, ...] = ()
    """Where it magnifies by weights with gaps (a dilated transposed convolution): how far apart they are. What it sees
    is then known as a bound."""


@record(slots=True)
class Saved:
    """What autograd keeps for the backward pass of one layer, with a batch of one.

    `inputs` are the positions of the inputs that are kept, `output` whether the output is (a tensor that several
    layers keep is kept once), `extra` the further values as (element size in bytes, or 0 for the type of the output,
    `STATISTIC` or `PARAMETER` of `steps`; number; whether per image). `mask` says that the extra values are a dropout
    mask: in the network's own type on the CPU, one byte each on a GPU. `copies` says that, working in place, the layer
    keeps a copy of its input, which is overwritten. All this counts only where a gradient flows through the layer.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    extra: tuple[tuple[int, int, bool], ...] = ()
    mask: bool = False
    copies: bool = False
