"""What the expansion of an element gives, and who expands the elements inside of another."""

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
    """The value that goes out, and the part that was made; no part where there is nothing."""

    wire: NodeOutput | None
    part: Part | None


@record(slots=True)
class PendingLabel:
    """A label on its way to what it names."""

    name: str
    template: tuple[str | Expr, ...]
    span: Span
    family: str | None = None
    """What stands before its last hole, where it ends with one: see `stars`."""
    is_again: bool = False
    """Whether it stands for another application of a part, and has the name that was made for that."""


def axes_of(wire: NodeOutput | None) -> dict[str, Value]:
    """C, H and W (D before them in 3-D, W alone in 1-D) of a value."""
    if wire is None:
        return dict.fromkeys("CHWD", Unknown())
    shape = wire.shape
    return {"C": shape.channels, **dict(zip("DHW"[3 - shape.rank :], shape.spatial, strict=True))}


def here(env: Environment, wire: NodeOutput | None) -> Environment:
    """The names in force at a place: outside blocks C, H and W are the shape that enters the part."""
    return env if env.in_block else replace(env, values={**env.values, **axes_of(wire)})


class Expander(Protocol):
    """What calls, repeats and merges ask of the elaborator that they are part of."""

    state: State

    def frame(self, text: str) -> AbstractContextManager[None]:
        """Let errors inside say that they were reached through this call or repeat."""
        ...

    def chain(self, chain: ast.Chain, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand a chain, from a value."""
        ...

    def element(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None = None
    ) -> Expansion:
        """Expand one element; what is wrong with it is reported."""
        ...

    def labelled(self, body: ast.ChainItem, tag: PendingLabel, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand what a label stands at, under that name or another one."""
        ...

    def shape_of(self, layer: Layer, wires: list[NodeOutput]) -> Shape:
        """Return the shape of a layer's output. Raises LayerError where it does not take these values."""
        ...

    def check_use(self, wires: list[NodeOutput], span: Span) -> None:
        """Raise CnnError where a value that exists in training only goes into what always runs."""
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
        """Make a node on the given values, of which the layer makes this shape."""
        ...

    def name(
        self, tag: PendingLabel, made: Expansion, env: Environment, scope: ModuleScope | None, is_module: bool = True
    ) -> Expansion:
        """Let a label name what was made."""
        ...

    def check_free(self, tag: PendingLabel, env: Environment, is_part: bool = True) -> None:
        """Raise CnnError where a part cannot be called so, or the module has that name already."""
        ...
