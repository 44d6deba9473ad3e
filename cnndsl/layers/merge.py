"""Merges of parallel branches: `(A + B)`, `(A | B)`, `MUL`, `MAX`, `MEAN`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Saved, TorchFunction
from cnndsl.shape import Shape

MANY = 10**6
"""As many branches as anyone would write."""


@dataclass(frozen=True)
class Merge(Layer):
    """What the merges of equal shapes share."""

    INPUTS: ClassVar = (1, MANY)
    OPERATOR: ClassVar[str] = ""

    def output(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise LayerError("E0312", f"the branches of `{self.OPERATOR}` have different shapes")
        return inputs[0]


@dataclass(frozen=True)
class Add(Merge):
    NAMES: ClassVar = ("ADD",)
    OPERATOR: ClassVar = "+"

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction(" + ".join(f"{{{at}}}" for at in range(len(inputs))))


@dataclass(frozen=True)
class Concat(Merge):
    NAMES: ClassVar = ("CONCAT",)
    OPERATOR: ClassVar = "|"

    def output(self, *inputs: Shape) -> Shape:
        if len({x.spatial for x in inputs}) > 1:
            raise LayerError("E0312", "the branches of `|` have different shapes")
        return Shape(sum(x.channels for x in inputs), inputs[0].spatial)

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction("torch.cat([{inputs}], 1)")


@dataclass(frozen=True)
class Mul(Merge):
    NAMES: ClassVar = ("MUL",)
    OPERATOR: ClassVar = "MUL"

    def output(self, *inputs: Shape) -> Shape:
        channels = max(x.channels for x in inputs)
        largest = max(inputs, key=lambda x: (x.pixels, x.rank))
        for x in inputs:
            if (x.pixels > 1 and x.spatial != largest.spatial) or x.channels not in (1, channels):
                raise LayerError("E0312", "the branches of `MUL` have different shapes")
        return Shape(channels, largest.spatial)


@dataclass(frozen=True)
class Max(Merge):
    NAMES: ClassVar = ("MAX",)
    OPERATOR: ClassVar = "MAX"

    def saved(self, *inputs: Shape) -> Saved:
        return Saved(inputs=tuple(range(len(inputs))))


@dataclass(frozen=True)
class Mean(Merge):
    NAMES: ClassVar = ("MEAN",)
    OPERATOR: ClassVar = "MEAN"


MERGES: dict[str, type[Merge]] = {kind.OPERATOR: kind for kind in (Add, Concat, Mul, Max, Mean)}
"""The merges by the operator of the language."""
