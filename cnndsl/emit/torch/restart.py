"""The exceptions that restart a class: they are not user errors, and none leaves `source`.

A step that cannot express something at all call sites of a class raises one of these. `classes`, `builder`, `chain` and
`source` catch them, and try the next method with what they learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnndsl.expressions import Expr


class Differ(Exception):
    """Raised for call sites that one class cannot serve. `classes` catches it, and gives them separate classes."""


class Missing(Exception):
    """Raised for a number that no expression gives: the class needs an argument for it. `values` are its values by call
    site. If `written` is set, an outer expression gives the number, and the argument is only for readability."""

    def __init__(self, wish: str, values: Mapping[int, object], written: Expr | None = None) -> None:
        super().__init__(wish)
        self.wish, self.values, self.written = wish, values, written


class Fixed(Exception):
    """Raised for network parameters that the emitted code cannot follow exactly; they cannot be arguments."""

    def __init__(self, names: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(names)))
        self.names = names
