"""A network, or a part of one, from which metrics are read; each property is computed on first use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from cnndsl.analysis.cost import Cost, costs, network_total
from cnndsl.analysis.depth import depth
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.layer_memory import LayerMemory, by_layer, together
from cnndsl.analysis.lecture import lecture_bytes, lecture_volumes
from cnndsl.analysis.receptive_field import Field, last_map, receptive_fields
from cnndsl.graph import Graph, Node
from cnndsl.records import record


@record
class GraphFacts:
    """The metrics of each node of a graph, for one image, by index. Memory is for fp32, SGD and a CPU, and for a module
    that runs as `runs` says."""

    graph: Graph
    runs: ExecutionsOf

    @cached_property
    def costs(self) -> Mapping[int, Cost]:
        """Return the cost of each node."""
        return costs(self.graph)

    @cached_property
    def fields(self) -> Mapping[int, Field | None]:
        """Return the receptive field of each node."""
        return receptive_fields(self.graph)

    @cached_property
    def volumes(self) -> Mapping[int, int]:
        """Return the bytes of each node in the lecture's table."""
        return lecture_volumes(self.graph)

    @cached_property
    def loads(self) -> Sequence[LayerMemory]:
        """Return the memory of each node."""
        from cnndsl.analysis.memory import inference, training

        found = self.runs(self.graph)
        return by_layer(inference(self.graph, executions=found), training(self.graph, executions=found))

    def region(self, nodes: Sequence[Node], output: int, in_training: bool = False) -> Region:
        """Return a part of the graph: its nodes, and the one whose output is the part's."""
        return Region(self, tuple(nodes), output, in_training)

    def whole(self, in_training: bool = False) -> Region:
        """Return the network."""
        return self.region(self.graph.nodes, self.graph.output, in_training)


@record
class Region:
    """A network, or a part of one: its nodes and the one whose output is the part's.

    Parameters and buffers are those of all nodes. Arithmetic, values and volumes are those of a forward pass at
    inference, so without layers that exist only in training, unless `in_training`.
    """

    facts: GraphFacts
    nodes: tuple[Node, ...]
    output: int
    in_training: bool = False

    @property
    def is_all(self) -> bool:
        """Return whether this is the whole network."""
        return len(self.nodes) == len(self.facts.graph)

    @cached_property
    def cost(self) -> Cost:
        """Return the sum over the layers; an input has no activations."""
        return network_total(self.nodes, self.facts.costs, self.in_training)

    @property
    def volume(self) -> int:
        """Return the lecture's memory, in bytes: that of the inputs and of each layer that has a row in its table."""
        return lecture_bytes(self.facts.graph, self.nodes, self.in_training)

    @cached_property
    def load(self) -> LayerMemory:
        """Return the memory that one image needs while these layers run, and what they save for the backward pass."""
        return together(self.facts.loads[node.index] for node in self.nodes)

    @property
    def layers(self) -> int:
        """Return the number of layers, including those that exist only in training."""
        return sum(bool(node.inputs) for node in self.nodes)

    @property
    def depth(self) -> int:
        """Return the most weight layers on a path."""
        graph = self.facts.graph
        return depth(graph) if self.is_all else depth(graph, {node.index for node in self.nodes})

    @property
    def extents(self) -> tuple[int, ...]:
        """Return the shape of the output: H, W, C."""
        return self.facts.graph.nodes[self.output].shape.hwc

    @property
    def receptive_field(self) -> tuple[int, ...]:
        """Return the local field for each axis: the last map's for the network, the output's for a part."""
        return self._local.size if self._local else ()

    @property
    def receptive_field_at_most(self) -> bool:
        """Return whether the receptive field is a bound."""
        return self._local is not None and self._local.at_most

    @cached_property
    def _local(self) -> Field | None:
        graph, fields = self.facts.graph, self.facts.fields
        field = fields[last_map(graph, fields) if self.is_all else self.output]
        return field.local if field else None
