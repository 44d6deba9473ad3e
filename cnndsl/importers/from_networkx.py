"""Build a network from a networkx graph.

Each node has a layer in the language's notation, `layer="CONV3-64"`, and each edge is a value that a layer reads.
The parser, the options and the shape rules are those of every program.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeAlias, cast

import networkx as nx

from cnndsl.elaborate.outputs import Bound, NodeOutput, merging
from cnndsl.elaborate.single_layer import LayerReader
from cnndsl.errors import Annotation, CnnError, Diagnostic, Source, Span
from cnndsl.graph import Graph, LayerPart, MergePart, Node, Output, Part, ReferencePart, SequencePart, wired
from cnndsl.graph.labels import why_not
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.infer import infer
from cnndsl.layers.merge import MERGES
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse

AnyGraph: TypeAlias = "nx.Graph[Any]"
_MERGES = {"ADD": "+", "CONCAT": "|"}
"""Merges by the name of their type, in addition to the operators."""


def graph_from_networkx(graph: AnyGraph, name: str = "", output: Hashable = None) -> Graph:
    """Return the graph of a network. Raises CnnError if the input is invalid; each error names the node.

    See `cnndsl.from_networkx`.
    """
    return _Import(graph, name).result(output)


@record(slots=True)
class _Written:
    """A node of the input: its label, its line in the source shown in messages, the values that it reads."""

    label: str
    source: Source
    text: str
    inputs: tuple[Hashable, ...]

    @property
    def span(self) -> Span:
        start = len(self.label) + 2
        return Span(self.source, start, start + len(self.text))

    def error(self, message: str, help: str = "", code: str = "E0504", others: Iterable[Annotation] = ()) -> CnnError:
        return CnnError(Diagnostic(code, message, self.span, others=tuple(others), help=help))


class _Import:
    """The conversion of one graph to a network."""

    def __init__(self, graph: AnyGraph, name: str) -> None:
        self.graph, self.name = graph, name
        if not graph.is_directed():
            raise _refused("the edges of a network must have a direction", "build a networkx.DiGraph")
        if len(graph) > current().layers:
            raise _refused(f"the graph has more than {current().layers:,} nodes", code="E0209")
        self.labels = _labels(graph)
        self.inputs: list[Hashable] = []
        self.written = {node: self._written(node) for node in self._in_order()}
        self.nodes: list[Node] = []
        self.reader = LayerReader()
        self.index: dict[Hashable, int] = {}

    def result(self, output: Hashable) -> Graph:
        """Build the nodes in order, and their graph."""
        errors: list[Diagnostic] = []
        for node, written in self.written.items():
            if any(each not in self.index for each in written.inputs):
                continue
            try:
                made = self._node(written)
            except CnnError as stop:
                errors.extend(stop.diagnostics)
                continue
            self.index[node] = made.index
            self.nodes.append(made)
            self.reader.name(made.path, NodeOutput(made.index, made.shape), made.span)
        if errors:
            raise CnnError(errors[: current().errors])
        last, taps = self._outputs(output)
        text = "".join(f"{each.source.text}\n" for each in self.written.values())
        source = Source("<networkx>", text)
        return Graph(
            name=self.name,
            digraph=wired(self.nodes),
            output=last,
            taps=taps,
            tree=self._tree(last),
            modules={},
            settings={},
            lets={},
            contracts=(),
            source=source,
            sources=(source,),
            input_names=tuple(self.labels[node] for node in self.inputs) if len(self.inputs) > 1 else (),
            is_program=False,
        )

    # Input nodes

    def _in_order(self) -> list[Hashable]:
        """Return the nodes, each after those that it reads; otherwise in the order of the graph."""
        place = {node: at for at, node in enumerate(self.graph)}
        networkx = cast("Any", nx)
        try:
            order: list[Hashable] = list(networkx.lexicographical_topological_sort(self.graph, key=place.__getitem__))
        except nx.NetworkXUnfeasible:
            circle: list[tuple[Hashable, ...]] = list(networkx.find_cycle(self.graph))
            way = " -> ".join(str(self.labels[edge[0]]) for edge in circle)
            raise _refused(f"the graph has a cycle: {way} -> {self.labels[circle[0][0]]}") from None
        inputs = [node for node in order if self._head(node) == "INPUT"]
        if not inputs:
            raise _refused("the graph has no INPUT", 'a node with layer="INPUT 224x224x3"')
        self.inputs = inputs
        return [*inputs, *(node for node in order if node not in inputs)]

    def _head(self, node: Hashable) -> str:
        layer = self.graph.nodes[node].get("layer")
        words = layer.split() if isinstance(layer, str) else []
        return words[0].upper() if words else ""

    def _written(self, node: Hashable) -> _Written:
        layer = self.graph.nodes[node].get("layer")
        label = self.labels[node]
        if not isinstance(layer, str):
            message = f"the node {label} has no layer" if layer is None else f"the layer of {label} is {layer!r}"
            raise _refused(message, 'give each node an attribute such as layer="CONV3-64"')
        text = " ".join(layer.split())
        source = Source(f"<node {label}>", f"{label}: {text}")
        return _Written(label, source, text, self._inputs(node, label))

    def _inputs(self, node: Hashable, label: str) -> tuple[Hashable, ...]:
        """Return the nodes that a node reads, in the order of its operands."""
        several: list[tuple[int | None, Hashable]] = []
        edges: Any = cast("Any", self.graph).in_edges(node, data=True)
        for before, _, attributes in edges:
            places = attributes.get("operands", attributes.get("operand"))
            listed = cast("Sequence[Any]", places) if isinstance(places, list | tuple) else (places,)
            several += [(place, before) for place in listed]
        if all(place is None for place, _ in several):
            return tuple(before for _, before in several)
        if sorted(str(place) for place, _ in several) != sorted(str(at) for at in range(len(several))):
            given = ", ".join(str(place) for place, _ in several)
            message = f"the operands of {label} are {given}, but {len(several)} edges lead to it"
            raise _refused(message, f"number them from 0 to {len(several) - 1}, or remove all of them")
        return tuple(before for _, before in sorted(several, key=lambda each: each[0] or 0))

    # Built nodes

    def _node(self, written: _Written) -> Node:
        bound = self._bound(written)
        inputs = tuple(self.index[each] for each in written.inputs)
        named = tuple(each.node for each in bound.references if each is not None)
        inputs += named if len(inputs) <= len(named) else ()
        layer = self._referring(bound.layer, inputs, written)
        shapes = [self.nodes[at].shape for at in inputs]
        try:
            shape = infer(layer, shapes)
        except LayerError as stop:
            others = [Annotation(self.nodes[at].span, f"outputs {self.nodes[at].shape}") for at in inputs]
            raise written.error(stop.message, stop.help, stop.code, others) from None
        return Node(len(self.nodes), written.label, layer, inputs, shape, written.span, bound.text, bound.written)

    def _bound(self, written: _Written) -> Bound:
        """Return the layer that a node's text specifies. Raises CnnError for an invalid text."""
        text = written.text.upper() if written.text.isalpha() else written.text
        operator = _MERGES.get(text, text)
        if operator in MERGES:
            return merging(operator)
        bound = self.reader.layer(_parsed(written))
        if bound is None:
            raise written.error("a node must compute something; ID does not", "remove it and connect its neighbours")
        return bound

    def _referring(self, layer: Layer, inputs: Sequence[int], written: _Written) -> Layer:
        """Return the layer with its other operands set, such as the pooling that an UNPOOL undoes."""
        if layer.ROLE == "merge":
            return layer
        for at in inputs[1:]:
            target = self.nodes[at]
            try:
                layer = layer.referring(target.layer, *(self.nodes[each].shape for each in target.inputs))
            except LayerError as stop:
                raise written.error(stop.message, stop.help, stop.code) from None
        return layer

    # The result

    def _outputs(self, output: Hashable) -> tuple[int, tuple[Output, ...]]:
        """Return the node of the network's main output, and further outputs."""
        named = {node: self.graph.nodes[node].get("tap") for node in self.written}
        ends = [node for node in self.written if not cast("Any", self.graph).out_degree(node) and not named[node]]
        if output is not None and output not in self.index:
            raise _refused(f"no node is called {output!r}, which is given as the output")
        last = output if output is not None else ends[-1] if len(ends) == 1 else None
        others = [self.labels[node] for node in ends if node != last]
        if last is None or others:
            found = ", ".join(others or [self.labels[node] for node in ends]) or "none"
            help = 'give the others the attribute tap="name", or name one as the output'
            raise _refused(f"a network has one output, but nothing reads {found}", help)
        taps = tuple(Output(str(name), self.index[node], False) for node, name in named.items() if name)
        return self.index[last], taps

    def _tree(self, last: int) -> Part:
        count = len(self.inputs)
        parts: list[Part] = [LayerPart(at) for at in range(count)]
        at = count - 1
        for node in self.nodes[count:]:
            if node.layer.ROLE == "merge":
                parts.append(MergePart(tuple(self._reference(each) for each in node.inputs), node.index))
            else:
                parts += [self._reference(node.inputs[0])] if node.inputs[0] != at else []
                parts.append(LayerPart(node.index))
            at = node.index
        return SequencePart((*parts, self._reference(last)) if at != last else tuple(parts))

    def _reference(self, node: int) -> ReferencePart:
        return ReferencePart(node, self.nodes[node].path)


def _parsed(written: _Written) -> ast.WrittenLayer:
    """Parse the text of a node as one labelled layer."""
    statements = parse(written.source).statements
    main = statements[0] if len(statements) == 1 else None
    item = main.chain.items[0] if isinstance(main, ast.Main) and len(main.chain.items) == 1 else None
    if isinstance(item, ast.Label):
        item = item.body
    if not isinstance(item, ast.WrittenLayer):
        raise written.error(f"`{written.text}` is not one layer", 'give it one, as in layer="CONV3-64"')
    return item


def _labels(graph: AnyGraph) -> dict[Hashable, str]:
    """Return a label for each node, in the graph's order: its name if that is valid, numbered if two would be equal."""
    found: dict[Hashable, str] = {}
    taken: set[str] = set()
    for node in graph:
        plain = re.sub(r"\W", "_", str(node), flags=re.ASCII)
        base = plain if plain and not plain[0].isdigit() else f"node{plain}"
        base = f"{base.lstrip('_') or 'node'}_" if why_not(base) else base
        label, number = base, 2
        while label in taken:
            label, number = f"{base}_{number}", number + 1
        taken.add(label)
        found[node] = label
    return found


def _refused(message: str, help: str = "", code: str = "E0504") -> CnnError:
    return CnnError(Diagnostic(code, message, help=help))
