"""The one type that travels: a network as an immutable graph that remembers where it came from.

Nodes stand in an order in which they can be executed; each names its inputs, in order. Beside the nodes the graph
keeps the tree of parts, as written: calls of blocks, repeats, branches, names. A table groups by it, a diagram
folds it, the emitted source has a class a call and a loop a repeat. Facts about nodes are not stored here: they are
computed by `analysis` and passed as arguments. This is the only file that imports networkx, and only when asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import field
from functools import cached_property
from ntpath import basename
from typing import TYPE_CHECKING, Literal, TypeAlias

from cnndsl.errors import Source, Span
from cnndsl.expr import Expr, Value, show
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape

if TYPE_CHECKING:
    import networkx as nx


@record(slots=True)
class Turn:
    """Which turn of which repeat: the `number`th (from 1) of `count`, of the repeat written at `span`."""

    number: int
    count: int
    span: Span


@record(slots=True)
class Node:
    """A layer in its place.

    `path` is where its weights live (`layer3.2.conv1`), `text` the layer as written with its values filled in,
    `inputs` the indices of the nodes that it reads, `written` the expressions behind its options, by option. There the
    call of a function `default` stands around what a `default` gives, whose names are those of the file, and `extents`
    around the extents of several axes.
    """

    index: int
    path: str
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    text: str
    written: tuple[tuple[str, Expr], ...] = ()
    turns: tuple[Turn, ...] = ()
    training_only: bool = False

    @property
    def kind(self) -> str:
        return self.layer.kind()


@record(slots=True)
class Leaf:
    """A layer."""

    node: int


@record(slots=True)
class Through:
    """`ID`: the value goes on as it is, without a node."""


@record(slots=True)
class From:
    """`@name`: the chain starts at an earlier node."""

    node: int
    name: str


@record(slots=True)
class Sequence:
    """Parts one after the other."""

    parts: tuple[Part, ...]


@record(slots=True)
class Loop:
    """A repeat or a `for`: its turns in order.

    `names` are the variables that change from turn to turn (`i`, or those of the `for`), `rows` their values.
    `count` is the expression of a repeat, None for a `for`, `cells` the expressions of a table's rows: for a range
    one row of its two ends.
    """

    turns: tuple[Part, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    count: Expr | None
    span: Span
    cells: tuple[tuple[Expr, ...], ...] = ()


@record(slots=True)
class Join:
    """Parallel branches on one input, and the node that merges them."""

    branches: tuple[Part, ...]
    node: int


@record(slots=True)
class Choice:
    """A part that was decided upon when compiled.

    `kind` is `either` (`ID or X`), `if`, `maybe` (`A?`), or `absent`: a merge that lacks a branch since a `test` fails.
    `taken` is the number of the alternative that holds here, -1 for none; `test` the condition of an `if`, or the name
    of an `A?`.
    """

    kind: Literal["either", "if", "maybe", "absent"]
    taken: int
    part: Part | None
    test: Expr | str | None
    span: Span


@record(slots=True)
class Named:
    """A label and what it names. `name` is final, `template` as written (`denselayer{i}`).

    `path` is the full path. `is_module` is false for the label of a single layer or of a block call, whose own
    path it becomes; such a label wraps the Leaf or Call.
    """

    name: str
    template: tuple[str | Expr, ...]
    path: str
    part: Part
    is_module: bool


@record(slots=True)
class Called:
    """The call of a block. `arguments` are its parameters' values in order, `written` the expressions that the
    call gave them, `defaults` those of the block for parameters that the call leaves out, `entry` the node that it
    reads, `first` and `stop` the range of its nodes."""

    block: str
    span: Span
    path: str
    parameters: tuple[str, ...]
    arguments: tuple[Value, ...]
    written: tuple[tuple[str, Expr], ...]
    entry: int
    body: Part
    first: int
    stop: int
    definition: Span
    defaults: tuple[tuple[str, Expr], ...] = ()


@record(slots=True)
class Tapped:
    """An extra, named output that starts from the main line and leaves it unchanged."""

    name: str
    path: str
    part: Part
    output: int
    training_only: bool


Part: TypeAlias = Leaf | Through | From | Sequence | Loop | Join | Choice | Named | Called | Tapped


@record(slots=True)
class Output:
    """A named extra output."""

    name: str
    node: int
    training_only: bool


@record
class Graph:
    """A network. Node 0 is its INPUT; `output` is the node whose value it gives.

    `modules` maps the path of each named part and block call to the node whose output is the part's.
    `settings` are the parameters of the net with their values, `domains` those that have one with what they may be;
    `lets` are the expressions of file-level names.
    """

    name: str
    nodes: tuple[Node, ...]
    output: int
    taps: tuple[Output, ...]
    tree: Part
    modules: Mapping[str, int]
    settings: Mapping[str, Value]
    lets: Mapping[str, Expr]
    contracts: tuple[Expr, ...]
    source: Source
    sources: tuple[Source, ...] = ()
    domains: Mapping[str, SequenceOf[Value]] = field(default_factory=dict[str, SequenceOf[Value]])

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
    def title(self) -> str:
        """The name of the net, or of its file where it has none."""
        return self.name or self.file.removesuffix(".cnn").strip("<>")

    @property
    def file(self) -> str:
        """The name of its file without folders and drive, the same on every system."""
        return basename(self.source.name)

    @property
    def input(self) -> Shape:
        return self.nodes[0].shape

    @property
    def layers(self) -> tuple[Node, ...]:
        """All nodes but the input."""
        return self.nodes[1:]

    def shapes(self, node: Node) -> tuple[Shape, ...]:
        """The shapes of a node's inputs."""
        return tuple(self.nodes[at].shape for at in node.inputs)

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
        return {node.path: node for node in self.nodes}

    def networkx(self) -> nx.MultiDiGraph[int]:
        """The graph for networkx's algorithms: an edge for each input, with its place as `operand`."""
        import networkx as nx

        graph: nx.MultiDiGraph[int] = nx.MultiDiGraph(name=self.name)
        for node in self.nodes:
            graph.add_node(node.index, path=node.path, kind=node.kind, shape=node.shape.hwc)
            for operand, at in enumerate(node.inputs):
                graph.add_edge(at, node.index, operand=operand)
        return graph
