"""An output of a node while the graph is being made, and a layer whose options refer to outputs."""

from __future__ import annotations

from functools import cache

from cnndsl.expressions import Expr
from cnndsl.layers.base import Layer
from cnndsl.layers.merge import MERGES
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class NodeOutput:
    """The output of a node: the node's index, and the shape."""

    node: int
    shape: Shape


@record(slots=True)
class Bound:
    """A layer, the outputs that its options refer to, the layer as text, and the expressions of its options."""

    layer: Layer
    references: tuple[NodeOutput | None, ...]
    text: str
    written: tuple[tuple[str, Expr], ...]


@cache
def merging(operator: str) -> Bound:
    """Return the layer of a merge, the same one for every merge with this operator."""
    return Bound(MERGES[operator](), (), operator, ())
