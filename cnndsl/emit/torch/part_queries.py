"""Queries on the tree of parts of a graph, each answered in this module only.

Which nodes does a part make, which values does it read from outside, and which of its values are needed outside? The
answers hold for one part of one graph. `of_type` and `in_iteration` are queries on a row, the same part at all call
sites of a class; `trace` finds out what else the call sites have in common.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar

from cnndsl.emit.torch.ir import Key, key, node_of
from cnndsl.emit.torch.restart import Differ
from cnndsl.graph import (
    AgainPart,
    CallPart,
    ChoicePart,
    Graph,
    IdentityPart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    SequencePart,
    TapPart,
    entered,
    inner_parts,
    output,
    walk,
)
from cnndsl.layers.base import TorchCall, TorchFunction
from cnndsl.records import record
from cnndsl.values import Value

AnyPart = TypeVar("AnyPart", bound=Part)


def calls(part: Part) -> Iterator[CallPart]:
    """Yield the calls of blocks in a part, outer ones first."""
    return (each for each in walk(part) if isinstance(each, CallPart))


def is_module(part: Part | None) -> bool:
    """Return whether a part is a module with parts of its own: the call of a block, or a label on several layers."""
    return isinstance(part, CallPart) or (isinstance(part, NamedPart) and part.is_module)


def path_of(part: Part, graph: Graph) -> str:
    """Return the path of a layer, a call or a label."""
    return graph.nodes[part.node].path if isinstance(part, LayerPart) else getattr(part, "path", "")


def child_name(path: str, root: str) -> str:
    """Return the name, in the module `root`, of the part with a path, be it the first application or a later one."""
    return first_name(path[len(root) + 1 :] if root else path)


def first_name(path: str) -> str:
    """Return the path of the first application of a part, in the module that it belongs to.

    >>> first_name("net@2.tower@3"), first_name("net@2.tower")
    ('net@2.tower', 'net@2.tower')
    """
    return path.rpartition("@")[0] if "@" in path.rpartition(".")[2] else path


def is_further(part: Part, graph: Graph) -> bool:
    """Return whether a module is one that was applied before."""
    path = path_of(part, graph)
    return first_name(path) != path


def module_of(part: Part) -> Part:
    """Return the module that a further application of a part applies, without the parts around it."""
    while isinstance(part, AgainPart | ChoicePart) or (isinstance(part, NamedPart) and not part.is_module):
        (part,) = inner_parts(part)
    return part


def elements(part: Part | None) -> list[Part]:
    """Return the parts of a row one by one, without those that only pass the value on."""
    if part is None or isinstance(part, IdentityPart):
        return []
    if isinstance(part, AgainPart):
        return [module_of(part)]
    if isinstance(part, SequencePart):
        return [each for inside in part.parts for each in elements(inside)]
    if isinstance(part, ChoicePart) and part.kind == "absent":
        return elements(part.part)
    return [part]


def row_of(part: Part | None) -> list[Part]:
    """Return the parts of a row one by one, but keep a merge with at most one remaining branch as one part."""
    if isinstance(part, SequencePart):
        return [each for inside in part.parts for each in row_of(inside)]
    if part is not None and is_absent(part) and not isinstance(left_of(part), MergePart):
        return [part]
    return elements(part)


def is_absent(part: Part) -> bool:
    """Return whether a part is a merge that lacks a branch, or the branch that remains of one."""
    return isinstance(part, ChoicePart) and part.kind == "absent"


def left_of(part: Part | None) -> Part | None:
    """Return a merge without the marker for absent branches, or its only remaining branch."""
    while isinstance(part, ChoicePart) and part.kind == "absent":
        part = part.part
    return part


def is_nothing(part: Part | None) -> bool:
    """Return whether a part makes nothing and passes the value on unchanged."""
    if part is None or isinstance(part, IdentityPart):
        return True
    return not isinstance(part, LayerPart | ReferencePart | MergePart | TapPart) and all(
        map(is_nothing, inner_parts(part))
    )


def members(part: Part | None, root: str, graph: Graph) -> Iterator[str]:
    """Yield the names of the children of the module `root`, which consists of a part."""
    if part is None:
        return
    if isinstance(part, LayerPart) or is_module(part):
        yield child_name(path_of(part, graph), root)
        return
    for each in inner_parts(part):
        yield from members(each, root, graph)


@record(slots=True)
class Application:
    """A further application of a module: the part, and the node that it reads."""

    part: Part
    entry: int


@record(slots=True)
class InIteration:
    """One iteration of a repeat that is written out: the repeat at all call sites of a class, and the iteration's
    number from 0."""

    loops: tuple[LoopPart, ...]
    number: int


@record(slots=True)
class Known:
    """The names of a `for` or a repeat that is written out, in one iteration: their values, by name. `iterations` are
    those of all repeats around it, the outermost first."""

    values: tuple[tuple[str, Value], ...] = ()
    iterations: tuple[InIteration, ...] = ()


def of_type(parts: Sequence[Part], kind: type[AnyPart]) -> list[AnyPart]:
    """Return the parts, typed as this type. Raises Differ if not all of them have it."""
    found = [part for part in parts if isinstance(part, kind)]
    if len(found) < len(parts):
        raise Differ
    return found


def in_iteration(outer: Known, loops: Sequence[LoopPart], turn: int) -> Known:
    """Return the names of a repeat in one iteration, those that have the same value at every call site."""
    rows = [loop.rows[turn] for loop in loops if len(loop.rows) == len(loop.turns)]
    if len(rows) < len(loops):
        return outer
    same = {name: rows[0][at] for at, name in enumerate(loops[0].names) if len({str(row[at]) for row in rows}) == 1}
    return Known(tuple((dict(outer.values) | same).items()), (*outer.iterations, InIteration(tuple(loops), turn)))


class Borders:
    """The values that cross the border of a part, in one graph."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._own: dict[int, tuple[Part, frozenset[int]]] = {}
        self._made: dict[int, TorchCall | TorchFunction] = {}
        self._results = {graph.output, *(tap.node for tap in graph.taps)}

    def made(self, node: int) -> TorchCall | TorchFunction:
        """Return what a node becomes in PyTorch: an identity if a layer becomes nothing."""
        if node not in self._made:
            found = self.graph.nodes[node]
            self._made[node] = found.layer.torch(*self.graph.shapes(found)) or TorchCall("nn.Identity")
        return self._made[node]

    def helpers(self) -> dict[str, str]:
        """Return the source of each class and function that layers need and PyTorch lacks, by its name."""
        made = [self.made(node.index) for node in self.graph.layers]
        return {call.name: call.source.strip("\n") for call in made if call.source}

    @cached_property
    def _applied(self) -> Mapping[str, tuple[Application, ...]]:
        """Return all applications of the modules that are applied several times, by the path of the first."""
        if not self.graph.applications:
            return {}
        again = {each.path for each in walk(self.graph.tree) if isinstance(each, AgainPart)}
        found: dict[str, list[Application]] = {path: [] for path in again}
        stack = [(self.graph.tree, 0)]
        while stack:
            part, entry = stack.pop()
            path = first_name(path_of(part, self.graph))
            is_whole = isinstance(part, LayerPart | CallPart) or is_module(part)
            if is_whole and path in found:
                found[path].append(Application(part, entry))
            stack.extend(reversed(list(entered(part, entry))))
        return {path: tuple(several) for path, several in found.items()}

    def applications(self, part: Part) -> tuple[Application, ...]:
        """Return all applications of a part's module, the first one first; an empty tuple if there is only one."""
        return self._applied.get(first_name(path_of(part, self.graph)), ()) if self._applied else ()

    @cached_property
    def pooled(self) -> frozenset[int]:
        """Return the max-pools whose indices are read, with all applications of each."""
        read = {node.inputs[node.layer.INDICES_OF] for node in self.graph if node.layer.INDICES_OF}
        groups = (several for several in self.graph.applications.values() if read.intersection(several))
        return frozenset(read.union(*groups))

    def reads(self, node: int) -> tuple[Key, ...]:
        """Return the values that a node reads, in the order of its operands."""
        found = self.graph.nodes[node]
        if found.layer.INDICES_OF:
            value, pool = found.inputs
            return key(value), key(pool, "indices"), key(pool, "size")
        return tuple(key(at) for at in found.inputs)

    def own(self, part: Part | None) -> frozenset[int]:
        """Return the nodes that a part makes."""
        if part is None:
            return frozenset()
        if id(part) not in self._own:
            mine = {part.node} if isinstance(part, LayerPart | MergePart) else set[int]()
            self._own[id(part)] = part, frozenset(mine.union(*(self.own(each) for each in inner_parts(part))))
        return self._own[id(part)][1]

    def outside(self, part: Part | None) -> frozenset[Key]:
        """Return the values that a part reads and does not make."""
        own = self.own(part)
        return frozenset(read for node in own for read in self.reads(node) if node_of(read) not in own)

    def is_needed(self, what: Key, own: frozenset[int]) -> bool:
        """Return whether a value of a part that makes the nodes `own` is read outside, or a network's result."""
        node = node_of(what)
        if what == key(node) and node in self._results:
            return True
        return any(reader not in own and what in self.reads(reader) for reader in self.graph.readers[node])

    def is_closed(self, part: Part, entry: int) -> bool:
        """Return whether a part reads only its input, and only its output is needed outside."""
        own = self.own(part)
        last = output(part, entry)
        if not self.outside(part) <= {key(entry)}:
            return False
        whats = [key(node) for node in own if node != last]
        whats += [key(node, what) for node in own & self.pooled for what in ("indices", "size")]
        return not any(self.is_needed(what, own) for what in whats)

    def is_training_only(self, part: Part | None) -> bool:
        """Return whether a part makes something, and all of it in training only."""
        own = self.own(part)
        return bool(own) and all(self.graph.nodes[node].training_only for node in own)

    def has_tensors(self, node: int) -> bool:
        """Return whether a layer has weights or buffers in the `state_dict`."""
        found = self.graph.nodes[node]
        return any(tensor.persistent for tensor in found.layer.tensors(*self.graph.shapes(found)))

    def is_elementwise(self, node: int) -> bool:
        """Return whether a layer works on each value separately, so that its input may be flattened."""
        found = self.graph.nodes[node]
        return found.layer.is_elementwise(*self.graph.shapes(found))
