"""A call of an operator, its arguments by name, and the table of those who know what it computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from cnndsl.importers.torch_compare.sizes import TriedExtent
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import TensorView

Result: TypeAlias = "TensorView | tuple[TensorView, ...]"


class AtenCall:
    """A call: tensors are views, sizes extents. `shapes` are those of the results, `count` numbers its kind."""

    def __init__(self, table: ValueTable, arguments: dict[str, Any], shapes: Sequence[tuple[TriedExtent, ...]]) -> None:
        self.table, self.arguments, self.shapes = table, arguments, shapes
        self.operator = self.type = ""
        self.keeps_type = True
        self.counts: dict[object, int] = {}
        self.effects: list[tuple[str, TensorView]] = []

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """An argument, where the operator has it."""
        return self.arguments.get(name, default)

    @property
    def x(self) -> TensorView:
        """The tensor that is worked on."""
        found = self.arguments.get("self", self.arguments.get("input"))
        assert isinstance(found, TensorView)
        return found

    @property
    def shape(self) -> tuple[TriedExtent, ...]:
        """The shape of the first result."""
        return self.shapes[0]

    def dims(self, name: str = "dim") -> list[int]:
        """Dimensions by their numbers from the front; all of them where none is given."""
        given = self.arguments.get(name)
        rank = len(self.x.dims)
        if given is None or given == []:
            return list(range(rank))
        numbers = cast("list[int]", given if isinstance(given, list) else [given])
        return sorted({at % rank for at in numbers})

    def numbered(self, key: object) -> int:
        """How many times the same was drawn before."""
        self.counts[key] = self.counts.get(key, -1) + 1
        return self.counts[key]


OPERATORS: dict[str, Callable[[AtenCall], Result]] = {}


def operator(*names: str) -> Callable[[Callable[[AtenCall], Result]], Callable[[AtenCall], Result]]:
    """Enter a function under the names of aten's operators, without `aten::` and the underscore of in-place ones."""

    def enter(function: Callable[[AtenCall], Result]) -> Callable[[AtenCall], Result]:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def rounded(number: Any) -> float:
    """A number to 9 digits, more than its float32 has, so that `1 - 0.9997` is 0.0003.

    >>> rounded(1 - 0.9997)
    0.0003
    """
    return float(f"{number:.9g}")
