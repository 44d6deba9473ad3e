"""A call of an operator with its arguments by name, and the table of functions that know what operators compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from cnndsl.importers.torch_compare.sizes import TriedExtent
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import TensorView

Result: TypeAlias = "TensorView | tuple[TensorView, ...]"


class AtenCall:
    """A call: tensors are views, sizes are extents. `shapes` are those of the results; `count` numbers equal calls."""

    def __init__(self, table: ValueTable, arguments: dict[str, Any], shapes: Sequence[tuple[TriedExtent, ...]]) -> None:
        self.table, self.arguments, self.shapes = table, arguments, shapes
        self.operator = self.type = ""
        self.keeps_type = True
        self.counts: dict[object, int] = {}
        self.effects: list[tuple[str, TensorView]] = []

    def __getitem__(self, name: str) -> Any:
        return self.arguments[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an argument, or the default if the operator does not have it."""
        return self.arguments.get(name, default)

    @property
    def x(self) -> TensorView:
        """The tensor that the operator works on."""
        found = self.arguments.get("self", self.arguments.get("input"))
        assert isinstance(found, TensorView)
        return found

    @property
    def shape(self) -> tuple[TriedExtent, ...]:
        """The shape of the first result."""
        return self.shapes[0]

    def dims(self, name: str = "dim") -> list[int]:
        """Return dimensions as indices from 0; all of them if none is given."""
        given = self.arguments.get(name)
        rank = len(self.x.dims)
        if given is None or given == []:
            return list(range(rank))
        numbers = cast("list[int]", given if isinstance(given, list) else [given])
        return sorted({at % rank for at in numbers})

    def numbered(self, key: object) -> int:
        """Return how many times the same key was drawn before."""
        self.counts[key] = self.counts.get(key, -1) + 1
        return self.counts[key]


OPERATORS: dict[str, Callable[[AtenCall], Result]] = {}


def operator(*names: str) -> Callable[[Callable[[AtenCall], Result]], Callable[[AtenCall], Result]]:
    """Register a function under names of ATen operators, without `aten::` and the underscore of in-place ones."""

    def enter(function: Callable[[AtenCall], Result]) -> Callable[[AtenCall], Result]:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return enter


def rounded(number: Any) -> float:
    """Return a number rounded to 9 digits, more than float32 has, so that `1 - 0.9997` is 0.0003.

    >>> rounded(1 - 0.9997)
    0.0003
    """
    return float(f"{number:.9g}")
