"""Compute how much of a GPU's memory is left for tensors after the CUDA context and the workspaces of libraries."""

from __future__ import annotations

from functools import cached_property

from cnndsl.analysis.cards import Card
from cnndsl.records import record

CONTEXT = 512 * 2**20
"""The allowance for the CUDA context: the loaded kernels of PyTorch, cuBLAS and cuDNN. A process takes 300 to 500 MiB
for it on recent cards."""

WORKSPACES = 512 * 2**20
"""The allowance for workspaces of cuDNN and cuBLAS, and for memory that the caching allocator leaves unused."""

_DRIVER = 50
"""The driver withholds one part in this many of a card's memory: 0.6% to 2.6% on the cards of
tests/analysis/test_cards.py."""


@record
class Capacity:
    """The memory of a device: `total` bytes, called `name`; `card` if it belongs to one. `wanted` is the requested
    headroom, None for the default."""

    name: str
    total: int
    binary: bool = True
    card: Card | None = None
    wanted: int | None = None

    @cached_property
    def shares(self) -> dict[str, int]:
        """Return the bytes of each share of the headroom by name; empty if the headroom was given explicitly.

        >>> Capacity("24GiB", 24 * 2**30).shares
        {'CUDA context': 536870912, 'workspaces': 536870912}
        """
        if self.wanted is not None:
            return {}
        shares = {"CUDA context": CONTEXT, "workspaces": WORKSPACES}
        return shares | {"driver": self.card.memory // _DRIVER} if self.card else shares

    @property
    def headroom(self) -> int:
        """Return the bytes that are not available to tensors."""
        return sum(self.shares.values()) if self.wanted is None else self.wanted

    @property
    def limit(self) -> int:
        """Return the bytes that are available to tensors; 0 if the headroom takes everything."""
        return max(self.total - self.headroom, 0)
