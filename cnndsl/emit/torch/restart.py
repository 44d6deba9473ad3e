"""The exceptions that start a class again: no error of the user, and none leaves `source`.

A step that cannot say something at all the places of a class raises one of these. `classes`, `builder`, `chain` and
`source` catch them, and try the next way with what they learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnndsl.expressions import Expr


class Differ(Exception):
    """Places that one class cannot stand for. `classes` catches it, and gives them classes of their own."""


class Missing(Exception):
    """A number that no expression gives: the class needs an argument for it. `values` are its values by place. One that
    `written` gives around the class is an argument for the reader's sake."""

    def __init__(self, wish: str, values: Mapping[int, object], written: Expr | None = None) -> None:
        super().__init__(wish)
        self.wish, self.values, self.written = wish, values, written


class Fixed(Exception):
    """Parameters of the net that the emitted code cannot follow exactly, so that they are no arguments."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names
