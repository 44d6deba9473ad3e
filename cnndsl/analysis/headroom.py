"""How much of a GPU's memory is left for tensors: the CUDA context and the workspaces of libraries take a share too."""

from __future__ import annotations

from functools import cached_property

from cnndsl.analysis.cards import Card
from cnndsl.records import record

CONTEXT = 512 * 2**20
"""An allowance for the CUDA context: kernels of PyTorch, cuBLAS and cuDNN that are loaded, 300 to 500 MiB of which a
process takes on recent cards."""

WORKSPACES = 512 * 2**20
"""An allowance for workspaces of cuDNN and cuBLAS, and for what the caching allocator leaves unused."""

_DRIVER = 50
"""One part in so many of a card's memory that the driver does not hand out: 0.6% to 2.6% on the cards of
tests/analysis/test_cards.py."""


@record
class Capacity:
    """The memory of a device: `total` bytes, called `name`; `card` where it is a card's. `wanted` is the headroom that
    was asked for, None for the default."""

    name: str
    total: int
    binary: bool = True
    card: Card | None = None
    wanted: int | None = None

    @cached_property
    def shares(self) -> dict[str, int]:
        """The bytes of each share of the headroom by name; none where the headroom was asked for.

        >>> Capacity("24GiB", 24 * 2**30).shares
        {'CUDA context': 536870912, 'workspaces': 536870912}
        """
        if self.wanted is not None:
            return {}
        shares = {"CUDA context": CONTEXT, "workspaces": WORKSPACES}
        return shares | {"driver": self.card.memory // _DRIVER} if self.card else shares

    @property
    def headroom(self) -> int:
        """The bytes that tensors do not get."""
        return sum(self.shares.values()) if self.wanted is None else self.wanted

    @property
    def limit(self) -> int:
        """The bytes that tensors get; 0 where the headroom takes everything."""
        return max(self.total - self.headroom, 0)
