"""An elaboration that continues after errors, so that a diagram can show everything that is written.

A layer that rejects its input gets a guess for its output, and a part that cannot be made at all becomes one node with
its source. What depends on these is unknown: its connections are right, its shapes are not. The graph of a valid
network never comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape

ErrorPlace: TypeAlias = tuple[str, str, int, int]
"""The code of an error, its file, and the range of characters that it points at."""


@record
class Unreadable(Layer):
    """The layer that replaces a part that cannot be made."""

    NAMES: ClassVar[tuple[str, ...]] = ("?",)
    INPUTS: ClassVar[tuple[int, int]] = (0, 1)


@dataclass(slots=True)
class Repairs:
    """Records failures in an elaboration that continues after errors. `known` are the errors by location; `failing` has
    the error of each node that fails, `unknown` the nodes whose shapes are guesses, `texts` the source of nodes that
    cannot be made, `loose` those of them without inputs."""

    known: Mapping[ErrorPlace, int]
    failing: dict[int, int] = field(default_factory=dict[int, int])
    unknown: set[int] = field(default_factory=set[int])
    texts: dict[int, str] = field(default_factory=dict[int, str])
    loose: set[int] = field(default_factory=set[int])

    def fails(self, node: int, stop: CnnError) -> None:
        """Record that the next node cannot be made as written, with its error, unless that follows from another one."""
        self.unknown.add(node)
        for each in stop.diagnostics:
            number = self.known.get(place_of(each))
            if number is not None and number not in self.failing.values():
                self.failing[node] = number

    def entered(self, node: int, inputs: Sequence[int]) -> None:
        """Record the inputs of a node: a node that reads an unknown value is unknown."""
        if not self.unknown.isdisjoint(inputs):
            self.unknown.add(node)

    def forget(self, first: int) -> None:
        """Discard the nodes from an index on, which were only tried out."""
        self.failing = {node: number for node, number in self.failing.items() if node < first}
        self.texts = {node: text for node, text in self.texts.items() if node < first}
        self.unknown = {node for node in self.unknown if node < first}
        self.loose = {node for node in self.loose if node < first}


def place_of(found: Diagnostic) -> ErrorPlace:
    """Return the key that identifies an error in two elaborations of one program."""
    if found.span is None:
        return found.code, "", -1, -1
    return found.code, found.span.source.name, found.span.start, found.span.end


def guess(layer: Layer, wires: Sequence[NodeOutput]) -> Shape:
    """Return a shape for the output of a layer that rejects its inputs: its width and the first input's size."""
    width: object = getattr(layer, layer.WIDTH) if layer.WIDTH else None
    channels = width if isinstance(width, int) and width > 0 else wires[0].shape.channels
    return Shape(channels, wires[0].shape.spatial)
