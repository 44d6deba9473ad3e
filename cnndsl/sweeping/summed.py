"""Metrics of configurations without a graph for each: sums over layers, the depth and the output shape.

Each part of a network is elaborated once for its arguments and its input shape (`elaborate.family_sums`). A
configuration for which that is impossible, such as an invalid one, has to be elaborated as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import cast

from cnndsl.analysis.cost import Cost, layer_cost
from cnndsl.analysis.depth import has_weights
from cnndsl.analysis.lecture import BYTES_A_VALUE, has_row
from cnndsl.analysis.metric_table import OF_NETWORKS, MetricValue
from cnndsl.analysis.region import Region
from cnndsl.elaborate.family_sums import FamilySums, NetworkSums
from cnndsl.elaborate.program import Find
from cnndsl.elaborate.sums import PartSums, Summand, Sums, UnsummedError
from cnndsl.errors import CnnError
from cnndsl.expr import truth
from cnndsl.expressions import Expr, Literal, Name, Path, ReferenceExpr, mapped, operands
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import Value, plain_value

NOT_SUMS = frozenset({"inference", "saved", "training", "receptive_field"})
"""The metrics that need the whole graph."""


@record
class SummedNetwork:
    """A network, or a part of one, whose sums are known; metrics read it as they read a `Region`."""

    network: NetworkSums | PartSums

    @property
    def cost(self) -> Cost:
        """Return the sum over the layers, without the activations of inputs."""
        weights, biases, buffers, counters, frozen, macs, operations, activations, _ = self.network.sums
        return Cost(weights, biases, buffers, macs, operations, activations, counters, frozen)

    @property
    def volume(self) -> int:
        """Return the lecture's memory, in bytes."""
        return self.network.sums[-1]

    @property
    def depth(self) -> int:
        """Return the largest number of weight layers on a path to an output."""
        return self.network.depth

    @property
    def extents(self) -> tuple[int, ...]:
        """Return the shape of the output: H, W, C."""
        return self.network.shape.hwc


def weigh(summand: Summand) -> tuple[Sums, bool]:
    """Return a layer's contribution to the sums of `SummedNetwork`, and whether it is a weight layer."""
    sums, is_weighted = _weighed(summand.layer, summand.shape, *summand.inputs)
    if summand.shared:
        sums = (0, 0, 0, 0, 0, *sums[5:])
    if summand.training_only:
        sums = (*sums[:5], 0, 0, 0, 0)
    return sums, is_weighted


@lru_cache(maxsize=4096)
def _weighed(layer: Layer, output: Shape, *inputs: Shape) -> tuple[Sums, bool]:
    cost = layer_cost(layer, output, *inputs)
    volume = BYTES_A_VALUE * output.numel if has_row(layer, output, *inputs) else 0
    parameters = cost.weights, cost.biases, cost.buffers, cost.counters, cost.frozen
    if not inputs:
        return (*parameters, 0, 0, 0, volume), False
    arithmetic = cost.macs, cost.operations, cost.activations
    return (*parameters, *arithmetic, volume), has_weights(layer, *inputs)


class _AssertedValues(Mapping[str, Value]):
    """The values that an `assert` may mention: those of parameters and `let`s, then metrics."""

    def __init__(self, own: Mapping[str, Value], network: SummedNetwork) -> None:
        self._own, self._network = own, network

    def __getitem__(self, name: str) -> Value:
        return plain_value(self._own[name]) if name in self._own else metric(self._network, name)

    def __contains__(self, name: object) -> bool:
        return name in self._own or name in OF_NETWORKS

    def __iter__(self) -> Iterator[str]:
        return iter({**self._own, **OF_NETWORKS})

    def __len__(self) -> int:
        return len({**self._own, **OF_NETWORKS})


def metric(network: SummedNetwork, name: str) -> MetricValue:
    """Return a metric that is a sum, the depth or the output shape."""
    # Such metrics ask a region only for the properties that `SummedNetwork` has too.
    return OF_NETWORKS[name](cast("Region", network))


class SummedFamily:
    """The metrics of a family's configurations, if sums determine them."""

    def __init__(
        self, file: ast.File, domains: Mapping[str, Sequence[Value]], find: Find, names: Sequence[str]
    ) -> None:
        self._names = tuple(names)
        self._asserts = tuple(each.test for each in file.statements if isinstance(each, ast.Assert))
        paths = {".".join(path.names[:-1]) for test in self._asserts for path in _paths(test)}
        self._sums = FamilySums(file, domains, find, weigh, tuple(paths))

    @staticmethod
    def applies(file: ast.File, domains: Mapping[str, Sequence[Value]], names: Sequence[str]) -> bool:
        """Return whether the metrics, and those that the file asserts, are sums."""
        own = {*domains, *(each.name for each in file.statements if isinstance(each, ast.Let))}
        tests = [each.test for each in file.statements if isinstance(each, ast.Assert)]
        known = own | (OF_NETWORKS.keys() - NOT_SUMS)
        return not NOT_SUMS & set(names) and all(_mentions_only(test, known) for test in tests)

    def figures(self, settings: Mapping[str, Value]) -> dict[str, Value] | None:
        """Return the metrics of a configuration; None if it has to be elaborated as a whole."""
        try:
            found = self._sums.of(settings)
        except UnsummedError:
            return None
        network = SummedNetwork(found)
        if self._asserts and found.is_as_written:
            values = _AssertedValues(found.values, network)
            try:
                if not all(truth(_resolved(test, found.parts), values) for test in self._asserts):
                    return None
            except CnnError:
                return None
        return {name: metric(network, name) for name in self._names}


def _mentions_only(expr: Expr, known: Collection[str]) -> bool:
    if isinstance(expr, Path):
        return expr.names[-1] in OF_NETWORKS.keys() - NOT_SUMS
    if isinstance(expr, ReferenceExpr) or (isinstance(expr, Name) and expr.name not in known):
        return False
    return all(_mentions_only(each, known) for each in operands(expr))


def _paths(expr: Expr) -> Iterator[Path]:
    if isinstance(expr, Path):
        yield expr
    for each in operands(expr):
        yield from _paths(each)


def _resolved(expr: Expr, parts: Mapping[str, PartSums]) -> Expr:
    """Return the expression with the metric of each part replaced by its value."""
    if isinstance(expr, Path):
        value = metric(SummedNetwork(parts[".".join(expr.names[:-1])]), expr.names[-1])
        return Literal(value, ".".join(expr.names), expr.span)
    return mapped(expr, lambda operand: _resolved(operand, parts)) if parts else expr
