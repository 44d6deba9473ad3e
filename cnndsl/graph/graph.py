"""The one type that travels: a network as an immutable graph that remembers where it came from.

A `Graph` holds a frozen `networkx.DiGraph` (`wiring.py`) and the tree of parts, as written: calls of blocks, repeats,
branches, names. Nodes are numbered in an order in which they can be executed. Facts about nodes are not stored here:
they are computed by `analysis` and passed as arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import field
from functools import cached_property
from itertools import takewhile
from ntpath import basename

import networkx as nx

from cnndsl.errors import Source
from cnndsl.expressions import Expr
from cnndsl.graph.node import Node
from cnndsl.graph.parts import Part
from cnndsl.layers.base import Tensor
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.values import Value, show


@record(slots=True)
class Output:
    """A named output beside the first one: a tap, or one of those that the program lists with `output`."""

    name: str
    node: int
    training_only: bool
    is_tap: bool = True


@record(slots=True)
class ValueName:
    """What a name of a program means: `output` is the node whose value has it, `path` that of the part or layer which
    gives the value. `nodes` are those of a chain or a further application, none of a second name for a value; None
    stands for all that the part has."""

    path: str
    output: int
    nodes: range | None = None


@record
class Graph:
    """A network. Its first nodes are its inputs; `output` is the node whose value it gives.

    `digraph` has an attribute `node` for each index, and an edge for each value that a node reads (see `wired`).
    `modules` maps the path of each named part and block call to the node whose output is the part's. `settings` are the
    parameters of the net with their values, `domains` those that have one with what they may be; `lets` are the
    expressions of file-level names. `output_name` is how the program calls what the network gives first, where it names
    its outputs; `taps` are the others. `input_names` are the names that the program gives to its inputs, none where it
    has one without a name. `defaults` are those of the parameters; `names` are the chains and second labels, which make
    no parts of their own, by their paths. `is_program` says that `source` is a program, of which the graph was made.
    """

    name: str
    digraph: nx.DiGraph[int] = field(repr=False, compare=False)
    output: int
    taps: tuple[Output, ...]
    tree: Part
    modules: Mapping[str, int]
    settings: Mapping[str, Value]
    lets: Mapping[str, Expr]
    contracts: tuple[Expr, ...]
    source: Source
    sources: tuple[Source, ...] = ()
    output_name: str = ""
    input_names: tuple[str, ...] = ()
    domains: Mapping[str, SequenceOf[Value]] = field(default_factory=dict[str, SequenceOf[Value]])
    defaults: Mapping[str, Value] = field(default_factory=dict[str, Value])
    names: Mapping[str, ValueName] = field(default_factory=dict[str, ValueName])
    is_program: bool = True

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes in executable order; each stands at its index."""
        return tuple([found["node"] for _, found in self.digraph.nodes(data=True)])

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of what the network was made from: the texts and the settings."""
        import hashlib

        digest = hashlib.sha256()
        for source in self.sources:
            digest.update(source.text.replace("\r\n", "\n").encode("utf-8", "surrogatepass") + b"\0")
        digest.update(repr(sorted((name, show(value)) for name, value in self.settings.items())).encode())
        return digest.hexdigest()

    @property
    def main_outputs(self) -> tuple[int, ...]:
        """The nodes of the outputs that are no taps, in their order."""
        return (self.output, *(each.node for each in self.taps if not each.is_tap))

    @property
    def title(self) -> str:
        """The name of the net, or of its file where it has none."""
        return self.name or self.file.removesuffix(".cnn").strip("<>")

    @property
    def file(self) -> str:
        """The name of its file without folders and drive, the same on every system."""
        return basename(self.source.name)

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """The nodes of the inputs in their order: the first ones."""
        return tuple(takewhile(lambda node: not node.inputs, self.nodes))

    @property
    def input(self) -> Shape:
        """The shape of the input, of several that of the first."""
        return self.nodes[0].shape

    @property
    def layers(self) -> tuple[Node, ...]:
        """All nodes but the inputs."""
        return self.nodes[len(self.inputs) :]

    def shapes(self, node: Node) -> tuple[Shape, ...]:
        """The shapes of a node's inputs."""
        nodes = self.nodes
        return tuple([nodes[at].shape for at in node.inputs])

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """Return the parameters and buffers that a node has of its own: none where it shares those of another one."""
        return node.layer.tensors(*self.shapes(node)) if node.inputs and node.weights_of < 0 else ()

    @cached_property
    def applications(self) -> Mapping[int, tuple[int, ...]]:
        """For each node whose module is applied several times all nodes that are applications of it, itself first."""
        found: dict[int, list[int]] = {}
        for node in self.nodes:
            if node.weights_of >= 0:
                found.setdefault(node.weights_of, [node.weights_of]).append(node.index)
        return {at: tuple(several) for at, several in found.items()}

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """For each node the nodes that read it, one entry an edge."""
        readers: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for at in node.inputs:
                readers[at].append(node.index)
        return tuple(map(tuple, readers))

    @cached_property
    def by_path(self) -> Mapping[str, Node]:
        """The nodes by their paths."""
        return {node.path: node for node in self.nodes}

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """The node whose value each layer, named part and block call gives, by path."""
        return {path: node.index for path, node in self.by_path.items()} | dict(self.modules)

    def named(self, path: str) -> ValueName | None:
        """Return what a path means: a part, a chain, or a value by a second name; None where nothing is called so. It
        may lead through names of values: `b.y1`, where the chain `b` ends with a module.

        >>> from cnndsl.network import loads
        >>> graph = loads("INPUT 8x8x4 -> a: [conv: CONV3-4] -> b: again a -> FC-2").graph
        >>> graph.named("b.conv")
        ValueName(path='a@2.conv', output=2, nodes=None)
        """
        for _ in path.split("."):
            if path in self.parts:
                return ValueName(path, self.parts[path])
            if path in self.names:
                return self.names[path]
            path = self._followed(path)
        return None

    def _followed(self, path: str) -> str:
        """The path with the longest name of a value at its beginning replaced by the path of what gives the value."""
        names = path.split(".")
        for length in range(len(names) - 1, 0, -1):
            value = self.names.get(".".join(names[:length]))
            if value is not None:
                return ".".join((value.path, *names[length:]))
        return path
