"""The findings of a verification: differences between the source and a graph, sorted by the size of the part."""

from __future__ import annotations

from typing import Literal

from cnndsl.errors import Span
from cnndsl.records import record

Rank = Literal[0, 1, 2, 3, 4]
"""The size of the part that differs: 0 source that cannot be followed, 1 a module's arguments, 2 what a call reads
or overwrites, 3 layers that are missing or surplus, 4 what the network returns."""

MOST = 50
"""The maximum number of differences reported; the rest usually follow from them."""


@record(slots=True)
class Difference:
    """One difference between the source and the graph.

    `found` is what the source has on `line` (0 if there is no line), `expected` what it should have, `path` and `span`
    locate the layer of the program that requires it.
    """

    line: int
    found: str
    expected: str = ""
    path: str = ""
    span: Span | None = None
    rank: Rank = 0

    @property
    def message(self) -> str:
        """Return the difference as a line of text."""
        place = f"line {self.line}: " if self.line else ""
        wanted = f", expected {self.expected}" if self.expected else ""
        return f"{place}{self.found}{wanted}{f' for {self.path}' if self.path else ''}"

    def __str__(self) -> str:
        return self.message


@record(slots=True)
class Verification:
    """The outcome: the differences, the classes that were trusted, and the number of modules of the network."""

    differences: tuple[Difference, ...]
    trusted: tuple[str, ...]
    modules: int

    @property
    def agrees(self) -> bool:
        """Return whether the source implements the graph."""
        return not self.differences


class Findings:
    """The differences found, each once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Difference, None] = {}

    def add(self, difference: Difference) -> None:
        """Record a difference, unless the maximum is reached."""
        if len(self._known) < 4 * MOST:
            self._known.setdefault(difference)

    def __len__(self) -> int:
        return len(self._known)

    def sorted(self) -> tuple[Difference, ...]:
        """Return the differences by rank, smallest part first, each rank in order of discovery."""
        return tuple(sorted(self._known, key=lambda each: each.rank)[:MOST])
