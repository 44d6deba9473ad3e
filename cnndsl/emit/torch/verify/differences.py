"""What a verification finds: differences between a text and a graph, smallest part first."""

from __future__ import annotations

from typing import Literal

from cnndsl.errors import Span
from cnndsl.records import record

Rank = Literal[0, 1, 2, 3, 4]
"""How small the part is that differs: 0 a text that cannot be followed, 1 a module's arguments, 2 what a call reads or
overwrites, 3 layers that are missing or surplus, 4 what the network returns."""

MOST = 50
"""Differences that are told; after so many the rest follows from them."""


@record(slots=True)
class Difference:
    """One thing in which the text is not the graph.

    `found` is what stands on `line` of the text (0 where nothing does), `expected` what should, `path` and `span` the
    layer of the program that wants it.
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
    """The outcome: what differs, which classes were taken as they are, and how many modules the network has."""

    differences: tuple[Difference, ...]
    trusted: tuple[str, ...]
    modules: int

    @property
    def agrees(self) -> bool:
        """True where the text is the graph."""
        return not self.differences


class Findings:
    """Differences as they are found, each once."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Difference, None] = {}

    def add(self, difference: Difference) -> None:
        """Notes a difference, unless there are too many of them already."""
        if len(self._known) < 4 * MOST:
            self._known.setdefault(difference)

    def __len__(self) -> int:
        return len(self._known)

    def sorted(self) -> tuple[Difference, ...]:
        """The differences, of the smallest part first, each kind in the order of discovery."""
        return tuple(sorted(self._known, key=lambda each: each.rank)[:MOST])
