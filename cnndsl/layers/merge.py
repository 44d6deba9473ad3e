"""Merges of parallel branches: `(A + B)`, `(A | B)`, `MUL(A, B)`, `SUB(A, B)`, `MAX(A, B)`, `MEAN(A, B)`.

`MERGES` maps operators to merges. They are expressions of their inputs, not modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from itertools import accumulate
from typing import ClassVar, Literal

from cnndsl.layers.base import Layer, LayerError, Saved, TorchFunction
from cnndsl.layers.steps import LayerStep, product
from cnndsl.records import record
from cnndsl.shape import Shape

MANY = 10**6
"""More branches than any realistic program has."""


@record
class MergeLayer(Layer):
    """The base of merges: branches of equal shapes, merged value by value."""

    ROLE: ClassVar = "merge"
    INPUTS: ClassVar = (2, MANY)
    OPERATOR: ClassVar[str] = ""
    AGREE: ClassVar[Literal["shape", "extents", "broadcast"]] = "shape"
    """What must agree between the branches: the whole shape, all except the channels, or what is not broadcast."""
    RULE: ClassVar[str] = ""
    """The addition to a message about the shapes that fit."""

    def output(self, *inputs: Shape) -> Shape:
        if len(set(inputs)) > 1:
            raise self._mismatch()
        return inputs[0]

    def _mismatch(self) -> LayerError:
        return LayerError("E0312", f"the branches of `{self.OPERATOR}` have different shapes{self.RULE}")

    def operations(self, *inputs: Shape) -> int:
        """Return one operation for each value of the output and each branch after the first."""
        return (len(inputs) - 1) * self.output(*inputs).numel


def _sums(inputs: tuple[Shape, ...]) -> tuple[LayerStep, ...]:
    """Return the sum of the branches from left to right; a single one passes through."""
    n = inputs[0].numel
    return tuple(LayerStep(pair, n, gradient="handed on") for pair in _pairs(len(inputs)))


def _pairs(count: int) -> list[tuple[int, int]]:
    """Return what each operation of a chain reads: the result so far, and the next branch.

    >>> _pairs(4)
    [(0, 1), (4, 2), (5, 3)]
    """
    return [(count + at - 2 if at > 1 else 0, at) for at in range(1, count)]


def _sum(count: int) -> str:
    return " + ".join(f"{{{at}}}" for at in range(count))


@record
class Add(MergeLayer):
    """`(A + B)`: the sum. Autograd saves nothing for it."""

    GRADIENT: ClassVar = "handed on"
    NAMES: ClassVar = ("ADD",)
    SIGN: ClassVar = "+"
    OPERATOR: ClassVar = "+"

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a sum of two for each branch after the first."""
        return _sums(inputs)

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction(_sum(len(inputs)), "sum")


@record
class Concat(MergeLayer):
    """`(A | B)`: the channels of A, then those of B."""

    GRADIENT: ClassVar = "parts"
    JOINS_CHANNELS: ClassVar = True
    NAMES: ClassVar = ("CONCAT",)
    SIGN: ClassVar = "|"
    OPERATOR: ClassVar = "|"
    AGREE: ClassVar = "extents"
    RULE: ClassVar = " (all but the channels must agree)"

    def output(self, *inputs: Shape) -> Shape:
        if len({x.spatial for x in inputs}) > 1:
            raise self._mismatch()
        return Shape(sum(x.channels for x in inputs), inputs[0].spatial)

    def channels_formula(self, *inputs: Shape) -> str:
        return " + ".join(str(x.channels) for x in inputs)

    def operations(self, *inputs: Shape) -> int:
        """Return 0: values are copied."""
        return 0

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return one copy of all branches; autocast casts them to the widest type among them."""
        return (self.single_step(*inputs, autocast="widest", on_cuda="widest"),)

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction("torch.cat([{inputs}], 1)", "concat")


@record
class Mean(MergeLayer):
    """`MEAN(A, B)`: the mean, value by value. Autograd saves nothing for it."""

    GRADIENT: ClassVar = "divided"
    NAMES: ClassVar = ("MEAN",)
    OPERATOR: ClassVar = "MEAN"

    def operations(self, *inputs: Shape) -> int:
        """Return one operation for each value and branch: additions and a division."""
        return len(inputs) * self.output(*inputs).numel

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the sum, and its quotient."""
        return (*_sums(inputs), LayerStep((len(inputs) + len(inputs) - 2,), inputs[0].numel))

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction(f"({_sum(len(inputs))}) / {len(inputs)}", "mean")


@record
class Max(MergeLayer):
    """`MAX(A, B)`: the maximum, value by value: maxout (Goodfellow et al. 2013)."""

    NAMES: ClassVar = ("MAX",)
    OPERATOR: ClassVar = "MAX"

    def saved(self, *inputs: Shape) -> Saved:
        """Return all operands of each `torch.maximum`, including intermediate results."""
        return _kept(inputs, [inputs[0]] * (len(inputs) - 2))

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a maximum of two for each branch after the first. Its backward pass computes half of the gradient, and
        maps of where both are equal and where the other is larger."""
        n = inputs[0].numel
        usual = LayerStep((), n, keeps=(0, 1), gradient="broadcast", scratch=(0, n), flags=2 * n)
        return tuple(replace(usual, reads=pair) for pair in _pairs(len(inputs)))

    def torch(self, *inputs: Shape) -> TorchFunction:
        operands = [f"{{{at}}}" for at in range(len(inputs))]
        template = reduce(lambda left, right: f"torch.maximum({left}, {right})", operands)
        return TorchFunction(template, "maximum")


@record
class Mul(MergeLayer):
    """`MUL(A, B)`: the product. An operand of one position, or of one channel, is broadcast over the other's: a gate.

    Source: Hu et al. 2018 (squeeze-and-excitation), Section 3.
    """

    GRADIENT: ClassVar = "broadcast"
    NAMES: ClassVar = ("MUL",)
    SIGN: ClassVar = "×"
    OPERATOR: ClassVar = "MUL"
    AGREE: ClassVar = "broadcast"
    REPEATS_ONE: ClassVar = True
    RULE: ClassVar = " (only an operand of 1x1 pixels or of one channel is repeated)"

    def output(self, *inputs: Shape) -> Shape:
        return reduce(self._product, inputs)

    def _product(self, a: Shape, b: Shape) -> Shape:
        if a.rank and b.rank and a.rank != b.rank:
            raise self._mismatch()
        if a.channels != b.channels and 1 not in (a.channels, b.channels):
            raise self._mismatch()
        if a.spatial != b.spatial and not (a.is_vector or b.is_vector):
            raise self._mismatch()
        return Shape(max(a.channels, b.channels), max(a, b, key=lambda x: (x.pixels, x.rank)).spatial)

    def saved(self, *inputs: Shape) -> Saved:
        """Return both operands of each product, including intermediate results."""
        return _kept(inputs, list(accumulate(inputs, self._product))[1:-1])

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return a product of two for each branch after the first."""
        sizes = list(accumulate(inputs, self._product))[1:]
        return tuple(product(*pair, y.numel) for pair, y in zip(_pairs(len(inputs)), sizes, strict=True))

    def torch(self, *inputs: Shape) -> TorchFunction:
        rank = self.output(*inputs).rank
        operands = (f"{{{at}}}{_positions(rank - x.rank)}" for at, x in enumerate(inputs))
        return TorchFunction(" * ".join(operands), "product")


@record
class Sub(MergeLayer):
    """`SUB(A, B)`: the difference, value by value. Autograd saves nothing for it."""

    GRADIENT: ClassVar = "negated"
    NAMES: ClassVar = ("SUB",)
    OPERATOR: ClassVar = "SUB"

    def output(self, *inputs: Shape) -> Shape:
        if len(inputs) != 2:
            message = f"SUB subtracts its second branch from the first, but there are {len(inputs)} branches"
            raise LayerError("E0317", message, "to subtract several, add them first: `SUB(A, (B + C))`")
        return super().output(*inputs)

    def torch(self, *inputs: Shape) -> TorchFunction:
        return TorchFunction("{0} - {1}")


def _positions(missing: int) -> str:
    """Return the index that adds the missing axes to a vector."""
    return f"[:, :{', None' * missing}]" if missing else ""


def _kept(inputs: tuple[Shape, ...], between: list[Shape]) -> Saved:
    """Return the operands of a chain of binary operations; a single operand passes through."""
    if len(inputs) == 1:
        return Saved()
    return Saved(inputs=tuple(range(len(inputs))), extra=tuple((0, shape.numel, True) for shape in between))


MERGES: Mapping[str, type[MergeLayer]] = {kind.OPERATOR: kind for kind in (Add, Concat, Mul, Sub, Max, Mean)}
"""The merges by the operator of the language."""
