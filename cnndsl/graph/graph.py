"""The type that all stages share: a network as an immutable graph that records its origin.

A `Graph` holds a frozen `networkx.DiGraph` (`wiring.py`) and the tree of parts as written: block calls, repeats,
branches, names. Nodes are numbered in an executable order. Properties of nodes are not stored here: `analysis` computes
them, and they are passed as arguments.
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
    """A named output besides the first one: a tap, or one that the program lists with `output`."""

    name: str
    node: int
    training_only: bool
    is_tap: bool = True


@record(slots=True)
class ValueName:
    """The meaning of a name in a program: `output` is the node that computes its value, `path` the path of the part or
    layer with this value. `nodes` are the nodes of a chain or a further application, empty for a second name of a
    value; None means all nodes of the part."""

    path: str
    output: int
    nodes: range | None = None


@record
class Graph:
    """A network. Its first nodes are its inputs; `output` is the node that computes its output.

    `digraph` has an attribute `node` for each index, and an edge for each value that a node reads (see `wired`).
    `modules` maps the path of each named part and block call to the node whose output is the part's. `settings` maps
    the parameters of the net to their values, `defaults` to their defaults, and `domains` those with a domain to their
    allowed values. `lets` are the expressions of file-level names. `output_name` is the program's name for the first
    output, if it names its outputs; `taps` are the others. `input_names` are the program's names for its inputs, empty
    if an input is unnamed. `names` maps the paths of chains and second labels, which are not parts of their own, to
    their meaning. `is_program` means that the graph was built from a program, `source`.
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
        """Return all nodes in executable order; each is at its own index."""
        return tuple([found["node"] for _, found in self.digraph.nodes(data=True)])

    def __len__(self) -> int:
        return len(self.nodes)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    @cached_property
    def digest(self) -> str:
        """Return the SHA-256 of the inputs that the network was built from: the sources and the settings."""
        import hashlib

        digest = hashlib.sha256()
        for source in self.sources:
            digest.update(source.text.replace("\r\n", "\n").encode("utf-8", "surrogatepass") + b"\0")
        digest.update(repr(sorted((name, show(value)) for name, value in self.settings.items())).encode())
        return digest.hexdigest()

    @property
    def main_outputs(self) -> tuple[int, ...]:
        """Return the nodes of the outputs that are not taps, in order."""
        return (self.output, *(each.node for each in self.taps if not each.is_tap))

    @property
    def title(self) -> str:
        """Return the name of the net, or of its file if it has none."""
        return self.name or self.file.removesuffix(".cnn").strip("<>")

    @property
    def file(self) -> str:
        """Return the name of its file without folders and drive, the same on every system."""
        return basename(self.source.name)

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """Return the nodes of the inputs in order; they are the first ones."""
        return tuple(takewhile(lambda node: not node.inputs, self.nodes))

    @property
    def input(self) -> Shape:
        """Return the shape of the input, or of the first one if there are several."""
        return self.nodes[0].shape

    @property
    def layers(self) -> tuple[Node, ...]:
        """Return all nodes except the inputs."""
        return self.nodes[len(self.inputs) :]

    def shapes(self, node: Node) -> tuple[Shape, ...]:
        """Return the shapes of a node's inputs."""
        nodes = self.nodes
        return tuple([nodes[at].shape for at in node.inputs])

    def tensors(self, node: Node) -> tuple[Tensor, ...]:
        """Return the parameters and buffers that a node owns: none if it shares those of another node."""
        return node.layer.tensors(*self.shapes(node)) if node.inputs and node.weights_of < 0 else ()

    @cached_property
    def applications(self) -> Mapping[int, tuple[int, ...]]:
        """Return, for each node whose module is applied several times, all its applications, itself first."""
        found: dict[int, list[int]] = {}
        for node in self.nodes:
            if node.weights_of >= 0:
                found.setdefault(node.weights_of, [node.weights_of]).append(node.index)
        return {at: tuple(several) for at, several in found.items()}

    @cached_property
    def readers(self) -> tuple[tuple[int, ...], ...]:
        """Return, for each node, the nodes that read it, one entry per edge."""
        readers: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for at in node.inputs:
                readers[at].append(node.index)
        return tuple(map(tuple, readers))

    @cached_property
    def by_path(self) -> Mapping[str, Node]:
        """Return the nodes by path."""
        return {node.path: node for node in self.nodes}

    @cached_property
    def parts(self) -> Mapping[str, int]:
        """Return by path the node that computes the value of each layer, named part and block call."""
        return {path: node.index for path, node in self.by_path.items()} | dict(self.modules)

    def named(self, path: str) -> ValueName | None:
        """Return what a path refers to: a part, a chain, or a value by a second name; None if nothing has that name.
        The path may go through names of values: `b.y1`, if the chain `b` ends with a module.

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
        """Replace the longest name of a value at the start of a path by the path of the part with this value."""
        names = path.split(".")
        for length in range(len(names) - 1, 0, -1):
            value = self.names.get(".".join(names[:length]))
            if value is not None:
                return ".".join((value.path, *names[length:]))
        return path
