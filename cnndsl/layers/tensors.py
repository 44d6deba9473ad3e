"""The parameters and buffers of layers."""

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
