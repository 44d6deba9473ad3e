"""The tree of parts without details that don't matter to a drawing: wrappers, decided choices, identities.

A chain is a tuple of items that follow one another. Equality is decided by hash-consing: `Signatures` numbers a chain
by its layers without widths and strides, but with its projections, so that variants of a block differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

from cnndsl.analysis.equality import PartClasses
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import (
    CallPart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    TapPart,
)
from cnndsl.graph.traversal import entered, nodes_of
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.values import Value


@record(slots=True)
class LayerItem:
    """A layer."""

    node: int


@record(slots=True)
class ReferenceItem:
    """Continues the chain from an earlier node."""

    node: int
    name: str


@record(slots=True)
class ForkItem:
    """Branches, and the node that merges them."""

    node: int
    branches: tuple[ItemChain, ...]


@record(slots=True)
class UnitItem:
    """A part with a name, the call of a block, or an iteration of a repeat. `parameters` are the call's with their
    values."""

    name: str
    title: str
    path: str
    chain: ItemChain
    part: Part
    parameters: tuple[tuple[str, Value], ...] = ()


@record(slots=True)
class RepeatItem:
    """The iterations of a repeat. `names` are those that a `for` varies, empty for a repeat; `rows` their values."""

    turns: tuple[UnitItem, ...]
    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@record(slots=True)
class TapItem:
    """An output beside the main line, with layers of its own."""

    name: str
    chain: ItemChain
    output: int
    training_only: bool


DrawnItem: TypeAlias = LayerItem | ReferenceItem | ForkItem | UnitItem | RepeatItem | TapItem
ItemChain: TypeAlias = "tuple[DrawnItem, ...]"


def items_of(part: Part, entry: int = -1) -> ItemChain:
    """Return the items of a part whose input is the value of `entry`."""
    match part:
        case LayerPart():
            return (LayerItem(part.node),)
        case ReferencePart():
            return () if part.node == entry else (ReferenceItem(part.node, part.name),)
        case MergePart():
            return (ForkItem(part.node, tuple(items_of(each, at) for each, at in entered(part, entry))),)
        case LoopPart():
            return _loop(part, entry)
        case TapPart():
            inner = _chained(part, entry)
            is_real = any(True for _ in nodes_of(part))
            return (TapItem(part.name, inner, part.output, part.training_only),) if is_real else ()
        case NamedPart():
            return _named(part, _chained(part, entry))
        case CallPart():
            inner = _chained(part, entry)
            if not any(True for _ in nodes_of(part)):
                return inner
            parameters = tuple(zip(part.parameters, part.arguments, strict=False))
            return (UnitItem("", part.block, part.path, inner, part, parameters),)
        case _:
            return _chained(part, entry)


def _chained(part: Part, entry: int) -> ItemChain:
    return tuple(item for each, at in entered(part, entry) for item in items_of(each, at))


def _named(part: NamedPart, inner: ItemChain) -> ItemChain:
    if not inner or (len(inner) == 1 and isinstance(inner[0], LayerItem | TapItem | ReferenceItem)):
        return inner
    name = ".".join(part.path.split(".")[-2:]) if part.name.isdigit() else part.name
    if len(inner) == 1 and isinstance(inner[0], UnitItem) and not inner[0].name:
        return (replace(inner[0], name=name, path=part.path),)
    return (UnitItem(name, "", part.path, inner, part),)


def _loop(part: LoopPart, entry: int) -> ItemChain:
    turns: list[UnitItem] = []
    for each, at in entered(part, entry):
        inner = items_of(each, at)
        if len(inner) == 1 and isinstance(inner[0], UnitItem):
            turns.append(inner[0])
        elif inner:
            turns.append(UnitItem("", "", "", inner, each))
    if len(part.turns) < 2 or len(turns) < 2:
        return tuple(item for turn in turns for item in (turn.chain if not turn.name and not turn.title else (turn,)))
    is_for = part.count is None and len(turns) == len(part.rows)
    return (RepeatItem(tuple(turns), part.names if is_for else (), part.rows if is_for else ()),)


def nodes_in(chain: ItemChain) -> tuple[int, ...]:
    """Return the nodes of a chain in execution order."""
    found: list[int] = []
    stack: list[DrawnItem | int] = list(reversed(chain))
    while stack:
        item = stack.pop()
        if isinstance(item, int):
            found.append(item)
        elif isinstance(item, LayerItem):
            found.append(item.node)
        elif isinstance(item, ForkItem):
            stack.append(item.node)
            stack.extend(each for branch in reversed(item.branches) for each in reversed(branch))
        elif isinstance(item, UnitItem | TapItem):
            stack.extend(reversed(item.chain))
        elif isinstance(item, RepeatItem):
            stack.extend(reversed(item.turns))
    return tuple(found)


def flat(chain: ItemChain) -> ItemChain:
    """Return a chain with units and repeats opened: layers, forks, references and taps."""
    found: list[DrawnItem] = []
    stack: list[DrawnItem] = list(reversed(chain))
    while stack:
        item = stack.pop()
        if isinstance(item, UnitItem):
            stack.extend(reversed(item.chain))
        elif isinstance(item, RepeatItem):
            stack.extend(reversed(item.turns))
        else:
            found.append(item)
    return tuple(found)


def has_fork(chain: ItemChain) -> bool:
    """Return whether a chain contains a merge."""
    return any(isinstance(each, ForkItem) for each in flat(chain))


def units_in(chain: ItemChain) -> Iterator[UnitItem]:
    """Yield the units of a chain, including nested ones."""
    stack: list[DrawnItem] = list(chain)
    while stack:
        item = stack.pop()
        if isinstance(item, UnitItem):
            yield item
        if isinstance(item, UnitItem | TapItem):
            stack.extend(item.chain)
        elif isinstance(item, RepeatItem):
            stack.extend(item.turns)
        elif isinstance(item, ForkItem):
            stack.extend(each for branch in item.branches for each in branch)


class Signatures:
    """Numbers for chains: equal ones differ only in names, widths, strides and dilations (`of`), or only in names
    (`exact`).

    The wiring of nodes counts, by their distance from the first one of the chain; inputs from outside the chain do not,
    since they differ from one call of a block to the next.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.classes = PartClasses(graph)
        self._numbers: dict[object, int] = {}
        self._plain: dict[int, tuple[Layer, Layer]] = {}

    def of(self, chain: ItemChain) -> int:
        """Return the number of a chain without widths and strides."""
        return self._chain(flat(chain), False, _first(chain))

    def exact(self, chain: ItemChain) -> int:
        """Return the number of a chain with all options."""
        return self._chain(flat(chain), True, _first(chain))

    def layer(self, node: int) -> int:
        """Return the number of a layer with all options."""
        return self.classes.layer(self.graph.nodes[node].layer).exact

    def _chain(self, chain: ItemChain, is_exact: bool, first: int) -> int:
        return self._number(
            tuple(self._key(item, is_exact, first) for item in chain if not isinstance(item, ReferenceItem))
        )

    def _key(self, item: DrawnItem, is_exact: bool, first: int) -> object:
        match item:
            case LayerItem():
                return self._layer(item.node, is_exact, first)
            case ForkItem():
                branches = (self._chain(flat(branch), is_exact, first) for branch in item.branches)
                return ("fork", self._layer(item.node, is_exact, first), *branches)
            case TapItem():
                return ("tap", item.training_only, self._chain(flat(item.chain), is_exact, first))
            case _:
                raise AssertionError(f"{item} has no layer")

    def _layer(self, node: int, is_exact: bool, first: int) -> object:
        at = self.graph.nodes[node]
        if at.layer.passes(training=False):  # the rate of a dropout follows the place and is no other block
            return (at.kind, tuple(max(each - first, -1) for each in at.inputs))
        found = self.classes.layer(at.layer if is_exact else self._undilated(at.layer))
        if not is_exact and at.layer.ROLE == "arrangement" and not at.layer.WIDTH:
            return (at.kind, tuple(max(each - first, -1) for each in at.inputs))
        wires = tuple(max(each - first, -1) for each in at.inputs)
        return (found.exact if is_exact else found.abstract, at.weights_of >= 0, wires)

    def _undilated(self, layer: Layer) -> Layer:
        """Return a layer with the default dilation: dilation may vary from one instance of a block to the next."""
        if getattr(layer, "dilation", ()) in ((), (1,)):
            return layer
        known = self._plain.get(id(layer))
        if known is None:
            plain: Layer = replace(layer, dilation=(1,))
            known = self._plain[id(layer)] = layer, plain
        return known[1]

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


def _first(chain: ItemChain) -> int:
    return min(nodes_in(chain), default=0)
