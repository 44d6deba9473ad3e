"""Questions about the tree of parts, asked before any code is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from cnndsl.emit.scope import Mismatch
from cnndsl.graph import (
    Called,
    Choice,
    From,
    Graph,
    Join,
    Leaf,
    Loop,
    Named,
    Part,
    Sequence,
    Tapped,
    Through,
)
from cnndsl.layers.activation import Activation
from cnndsl.layers.arrange import Dropout
from cnndsl.layers.base import TorchCall, TorchFunction

Kind = TypeVar("Kind", bound=Part)


def output(part: Part | None, entry: int) -> int:
    """The node whose value leaves a part that the value of `entry` enters."""
    if part is None or isinstance(part, Through | Tapped):
        return entry
    if isinstance(part, Leaf | From | Join):
        return part.node
    if isinstance(part, Sequence | Loop):
        for each in part.parts if isinstance(part, Sequence) else part.turns:
            entry = output(each, entry)
        return entry
    return output(part.body if isinstance(part, Called) else part.part, entry)


def inner(part: Part) -> tuple[Part, ...]:
    """The parts of a part."""
    if isinstance(part, Sequence):
        return part.parts
    if isinstance(part, Loop):
        return part.turns
    if isinstance(part, Join):
        return part.branches
    if isinstance(part, Called):
        return (part.body,)
    if isinstance(part, Named | Tapped | Choice):
        return () if part.part is None else (part.part,)
    return ()


def nodes(part: Part) -> Iterator[int]:
    """The nodes that a part makes, in order."""
    for each in inner(part):
        yield from nodes(each)
    if isinstance(part, Leaf | Join):
        yield part.node


def members(part: Part | None, root: str, graph: Graph) -> Iterator[str]:
    """The names of what the module at the path `root` holds."""
    if part is None:
        return
    if isinstance(part, Leaf):
        yield child(graph.nodes[part.node].path, root)
    elif isinstance(part, Called) or (isinstance(part, Named) and part.is_module):
        yield child(part.path, root)
    else:
        for each in inner(part):
            yield from members(each, root, graph)


def child(path: str, root: str) -> str:
    """The name in its module of what stands at a path."""
    return path[len(root) + 1 :] if root else path


class Structure:
    """The same questions, where the graph has a say in the answer."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.switched = frozenset(node.inputs[1] for node in graph if node.kind == "UNPOOL" and len(node.inputs) > 1)
        """The max-pools whose indices are read."""
        self._tapped = frozenset(tap.node for tap in graph.taps)

    def made(self, node: int) -> TorchCall | TorchFunction | None:
        """What a node becomes in PyTorch; None for nothing, as a pooling to the size that its input has."""
        found = self.graph.nodes[node]
        shapes = self.graph.shapes(found)
        made = found.layer.torch(*shapes)
        if isinstance(made, TorchCall) and made.name.startswith("nn.Adaptive") and shapes[0] == found.shape:
            return None
        return made

    def is_chain(self, part: Part | None, entry: int) -> bool:
        """Whether calling its modules one after the other, from the value of `entry` on, is all that a part does."""
        if part is None or isinstance(part, Through):
            return True
        if isinstance(part, Leaf):
            is_module = not isinstance(self.made(part.node), TorchFunction)
            return is_module and self.graph.nodes[part.node].inputs == (entry,) and part.node not in self.switched
        if isinstance(part, From):
            return part.node == entry
        if isinstance(part, Join | Tapped):
            return False
        if isinstance(part, Called) or (isinstance(part, Named) and part.is_module):
            return self.is_closed(part, entry)
        for each in inner(part):
            if not self.is_chain(each, entry):
                return False
            entry = output(each, entry)
        return True

    def is_closed(self, part: Part, entry: int) -> bool:
        """Whether a part reads the value of `entry` alone, and is itself read at its end alone."""
        return self.reads(part) in ((), (entry,)) and not self.exposed(part)

    def own(self, part: Part) -> frozenset[int]:
        """The nodes that a part makes."""
        return frozenset(nodes(part))

    def unpooled_size(self, node: int) -> tuple[int, ...]:
        """The extents of an unpooling, which do not follow from those of its input; nothing for others."""
        found = self.graph.nodes[node]
        if found.kind != "UNPOOL":
            return ()
        return found.shape.spatial

    def inputs(self, node: int) -> tuple[int, ...]:
        """The values that a node reads: the node that gives each, or for a pool's indices its complement `~node`."""
        found = self.graph.nodes[node]
        if found.kind == "UNPOOL":
            return (found.inputs[0], ~found.inputs[1])
        return found.inputs

    def entry(self, part: Part, entry: int) -> int:
        """The value that enters a module. One that reads only other values than the one before it, takes the first."""
        reads = self.reads(part)
        return entry if entry in reads or not reads or reads[0] < 0 else reads[0]

    def reads(self, part: Part) -> tuple[int, ...]:
        """The values from outside of a part that it reads, the first read first."""
        own = set(nodes(part))
        found = dict.fromkeys(at for index in sorted(own) for at in self.inputs(index) if max(at, ~at) not in own)
        return tuple(found)

    def exposed(self, part: Part) -> tuple[int, ...]:
        """The values of a part, but its last, that are read outside of it or are outputs of the network."""
        own = set(nodes(part))
        last = output(part, -1)
        values = [at for at in sorted(own) if at != last and self._is_needed(at, own)]
        indices = [
            ~at
            for at in sorted(own & self.switched)
            if any(~at in self.inputs(r) and r not in own for r in self.graph.readers[at])
        ]
        return (*values, *indices)

    def _is_needed(self, at: int, own: set[int]) -> bool:
        if at in self._tapped or at == self.graph.output:
            return True
        return any(reader not in own and at in self.inputs(reader) for reader in self.graph.readers[at])

    def wants_flat(self, part: Part | None, entry: int) -> bool:
        """Whether a part, or the first module of a chain, takes vectors, and something else enters it.

        What works value by value may come ahead in a chain: it can as well work on vectors.
        """
        if isinstance(part, Leaf):
            made = self.made(part.node)
            return isinstance(made, TorchCall) and made.flatten
        is_module = isinstance(part, Called) or (isinstance(part, Named) and part.is_module)
        if is_module and not all(self.is_chain(each, entry) for each in inner(part or Through())):
            return False
        for leaf in _leaves(part):
            made = self.made(leaf.node)
            if isinstance(made, TorchCall) and made.flatten:
                return True
            if made is not None and not (is_module and self.is_elementwise(leaf.node)):
                return False
        return False

    def is_elementwise(self, node: int) -> bool:
        """Whether a layer works on each value by itself."""
        found = self.graph.nodes[node]
        made = self.made(node)
        if isinstance(found.layer, Dropout):
            return not found.layer.channels
        has_axis = isinstance(made, TorchCall) and any(keyword == "dim" for keyword, _ in made.keywords)
        return (
            isinstance(found.layer, Activation) and not found.layer.tensors(*self.graph.shapes(found)) and not has_axis
        )


def _leaves(part: Part | None) -> Iterator[Leaf]:
    """The modules of a chain in order, up to the first part that is none."""
    if isinstance(part, Leaf):
        yield part
        return
    if part is None or isinstance(part, Join | Tapped):
        return
    for each in inner(part):
        yield from _leaves(each)
        if not _is_plain(each):
            return


def _is_plain(part: Part) -> bool:
    return not isinstance(part, Join | Tapped) and all(map(_is_plain, inner(part)))


def elements(part: Part | None) -> list[Part]:
    """The parts of a chain one by one, without what lets the value through."""
    if part is None or isinstance(part, Through):
        return []
    if isinstance(part, Sequence):
        return [each for inside in part.parts for each in elements(inside)]
    return [part]


def is_nothing(part: Part | None) -> bool:
    """Whether the value goes through a part as it is."""
    return (
        part is None
        or isinstance(part, Through)
        or (not isinstance(part, Leaf | From | Join) and all(map(is_nothing, inner(part))))
    )


def only(parts: Iterable[Part], kind: type[Kind]) -> list[Kind]:
    """The parts, known to be of one kind. Raises Mismatch where they are not."""
    found: list[Kind] = []
    for part in parts:
        if not isinstance(part, kind):
            raise Mismatch
        found.append(part)
    return found
