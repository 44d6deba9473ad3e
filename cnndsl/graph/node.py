"""A layer at its position in a network."""

from __future__ import annotations

from cnndsl.errors import Span
from cnndsl.expressions import Expr
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class Iteration:
    """One iteration of a repeat: the `number`th (from 1) of `count`, of the repeat written at `span`."""

    number: int
    count: int
    span: Span


@record(slots=True)
class Node:
    """A layer at its position in a network.

    `path` is the path of its weights (`layer3.2.conv1`), `text` the layer as written with its values filled in,
    `inputs` the indices of the nodes that it reads, `written` the expressions for its options, by option. In `written`,
    a call of a function `default` encloses an expression from a `default`, whose names are those of the file, and a
    call of `extents` encloses the extents of several axes. In a part that is applied again, `weights_of` is the node
    that owns the module: the same layer in the first application. Elsewhere it is -1.
    """

    index: int
    path: str
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    text: str
    written: tuple[tuple[str, Expr], ...] = ()
    turns: tuple[Iteration, ...] = ()
    training_only: bool = False
    weights_of: int = -1

    @property
    def value_inputs(self) -> tuple[int, ...]:
        """Return the nodes whose values it reads: `inputs` without the one that only determines extents."""
        at = self.layer.extents_of
        return (*self.inputs[:at], *self.inputs[at + 1 :]) if at else self.inputs

    @property
    def kind(self) -> str:
        """Return the name of the layer type, such as `CONV`."""
        return self.layer.kind()
