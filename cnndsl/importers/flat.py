"""A flat graph read from a file of another tool: a list of layers, each with the values that it reads.

Shapes follow the same rules as in every program. Parts have no names and no structure yet: `raising` adds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.graph import Graph, LayerPart, Node, Output, SequencePart, wired
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.dense import Input
from cnndsl.layers.infer import infer
from cnndsl.records import record
from cnndsl.shape import Shape


@record(slots=True)
class Imported:
    """A network as its reader returns it, its number of parameters by the rules of its own format, and remarks."""

    graph: Graph
    params: int
    notes: tuple[str, ...] = ()


def located(source: Source, message: str, place: int, help: str = "", code: str = "E0505") -> CnnError:
    """Return an error at a position of a file, up to the end of its line."""
    end = source.text.find("\n", place)
    return CnnError(Diagnostic(code, message, Span(source, place, end if end >= 0 else len(source.text)), help=help))


class FlatGraph:
    """Collects layers in order and builds the graph.

    >>> from cnndsl.layers.activation import Relu
    >>> made = FlatGraph(Source("net.cfg", "[net]"))
    >>> made.add(Relu(), [made.input(Shape(3, (8, 8)), 0)], 0)
    1
    >>> print(made.shape(1))
    8x8x3
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._nodes: list[Node] = []

    def input(self, shape: Shape, place: int, *, path: str = "") -> int:
        """Add an input, found at offset `place` in the file, and return its number."""
        extents = (*shape.spatial, shape.channels)
        return self._append(Input(extents), (), shape, place, path)

    def add(
        self,
        layer: Layer,
        inputs: Sequence[int],
        place: int,
        path: str = "",
        *,
        training_only: bool = False,
        weights_of: int = -1,
    ) -> int:
        """Add a layer and return its number. Raises CnnError if it rejects the shapes of its inputs.

        Args:
            layer: The layer.
            inputs: The numbers of the values that it reads.
            place: Its offset in the file.
            path: Its name in the code that the file comes from: the common prefix of its tensors' names, or the
                enclosing module and a last component.
            training_only: Whether it is only computed in training.
            weights_of: The number of the layer whose weights it shares; -1 if it has its own.
        """
        self._bounds(layer, place)
        try:
            shape = infer(layer, [self._nodes[at].shape for at in inputs])
        except LayerError as stop:
            raise self.error(stop.message, place, stop.help, stop.code) from None
        return self._append(layer, tuple(inputs), shape, place, path, training_only, weights_of)

    def shape(self, at: int) -> Shape:
        """Return the shape of a value."""
        return self._nodes[at].shape

    def graph(
        self, outputs: Sequence[tuple[str, int]], inputs: Sequence[str] = (), taps: Sequence[tuple[str, int]] = ()
    ) -> Graph:
        """Return the graph with these outputs, given as names and values; several inputs have names, too.

        The outputs in `taps` are only returned in training, in addition to the others.
        """
        (first, output), *others = outputs
        return Graph(
            name="",
            digraph=wired(self._nodes),
            output=output,
            taps=(
                *(Output(name, node, False, is_tap=False) for name, node in others),
                *(Output(name, node, True) for name, node in taps),
            ),
            tree=SequencePart(tuple([LayerPart(each.index) for each in self._nodes])),
            modules={},
            settings={},
            lets={},
            contracts=(),
            source=self.source,
            sources=(self.source,),
            output_name=first if others else "",
            input_names=tuple(inputs),
            is_program=False,
        )

    def error(self, message: str, place: int, help: str = "", code: str = "E0505") -> CnnError:
        """Return an error for a part of the file that is not understood."""
        return located(self.source, message, place, help, code)

    def _bounds(self, layer: Layer, place: int) -> None:
        """Raise CnnError for an option value that no program could give the layer."""
        for name, rule in layer.options().items():
            value: object = getattr(layer, name)
            for each in cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,):
                if not isinstance(each, int | float):
                    continue
                if rule.minimum is not None and each < rule.minimum:
                    raise self.error(f"`{name}` of {layer.kind()} is at least {rule.minimum:g}, not {each:g}", place)
                if rule.maximum is not None and each > rule.maximum:
                    raise self.error(f"`{name}` of {layer.kind()} is at most {rule.maximum:g}, not {each:g}", place)

    def _append(
        self,
        layer: Layer,
        inputs: tuple[int, ...],
        shape: Shape,
        place: int,
        path: str = "",
        training_only: bool = False,
        weights_of: int = -1,
    ) -> int:
        number = len(self._nodes)
        span = Span(self.source, place, place + 1)
        name = path or f"layer{number}"
        made = Node(number, name, layer, inputs, shape, span, layer.kind(), (), (), training_only, weights_of)
        self._nodes.append(made)
        return number
