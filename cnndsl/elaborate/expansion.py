"""The result of expanding an element, and the interface that expands nested elements."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.state import Environment, ModuleScope, State
from cnndsl.errors import Span
from cnndsl.expressions import Expr
from cnndsl.graph import Part
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import Unknown, Value


@record(slots=True)
class Expansion:
    """The outgoing value and the part that was made; no part if there is nothing."""

    wire: NodeOutput | None
    part: Part | None


@record(slots=True)
class PendingLabel:
    """A label that is about to name a part."""

    name: str
    template: tuple[str | Expr, ...]
    span: Span
    family: str | None = None
    """The text before its last placeholder, if it ends with one: see `stars`."""
    is_again: bool = False
    """Whether it is for another application of a part, and has the name made for that."""


def axes_of(wire: NodeOutput | None) -> dict[str, Value]:
    """Return C, H and W of a value (also D in 3-D, only C and W in 1-D)."""
    if wire is None:
        return dict.fromkeys("CHWD", Unknown())
    shape = wire.shape
    return {"C": shape.channels, **dict(zip("DHW"[3 - shape.rank :], shape.spatial, strict=True))}


def here(env: Environment, wire: NodeOutput | None) -> Environment:
    """Return the names in scope: outside blocks C, H and W are the shape that enters the part."""
    return env if env.in_block else replace(env, values={**env.values, **axes_of(wire)})


class Expander(Protocol):
    """The methods of the elaborator that calls, repeats and merges use."""

    state: State

    def frame(self, text: str) -> AbstractContextManager[None]:
        """Make errors inside mention this call or repeat."""
        ...

    def chain(self, chain: ast.Chain, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand a chain, starting from a value."""
        ...

    def element(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None = None
    ) -> Expansion:
        """Expand one element and report its errors."""
        ...

    def labelled(self, body: ast.ChainItem, tag: PendingLabel, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand the labelled element, under that name or another one."""
        ...

    def shape_of(self, layer: Layer, wires: list[NodeOutput]) -> Shape:
        """Return the shape of a layer's output. Raises LayerError if the layer rejects these values."""
        ...

    def check_use(self, wires: list[NodeOutput], span: Span) -> None:
        """Raise CnnError if a training-only value enters a layer that always runs."""
        ...

    def node(
        self,
        bound: Bound,
        wires: list[NodeOutput],
        shape: Shape,
        span: Span,
        env: Environment,
        label: str | None = None,
        counted: bool = True,
    ) -> Expansion:
        """Make a node on the given values; `shape` is the layer's output shape."""
        ...

    def name(
        self, tag: PendingLabel, made: Expansion, env: Environment, scope: ModuleScope | None, is_module: bool = True
    ) -> Expansion:
        """Give the result its label."""
        ...

    def check_free(self, tag: PendingLabel, env: Environment, is_part: bool = True) -> None:
        """Raise CnnError if a part cannot have this name, or if the module already has the name."""
        ...
