"""The inside of a block that is not series-parallel: which parts of it stay closed, its inputs, and its edges."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypedDict

from cnndsl.emit.drawing.cards.account import element_nodes
from cnndsl.emit.drawing.cards.items import (
    ForkItem,
    ItemChain,
    ReferenceItem,
    RepeatItem,
    Signatures,
    TapItem,
    UnitItem,
    flat,
    nodes_in,
)
from cnndsl.emit.drawing.cards.model import PanelElement, SkipLink
from cnndsl.emit.drawing.cards.operands import operands
from cnndsl.emit.drawing.cards.raw import value_text
from cnndsl.emit.drawing.cards.rows import fused
from cnndsl.emit.drawing.cards.wiring import entry_of, is_nested
from cnndsl.emit.drawing.cards.words import ENTERING, TIMES, shape_text
from cnndsl.graph.graph import Graph
from cnndsl.values import OutputSymbol

_MOST_ROWS = 60
"""A block of more rows has no panel."""
_MOST_NAMES, _LONGEST = 2, 12
"""The most names of a value that are shown, and the most characters of them together."""


class PanelWires(TypedDict):
    """The edges of a panel, as its model has them."""

    joined: tuple[bool, ...]
    links: tuple[SkipLink, ...]
    inputs: tuple[str, ...]
    outputs: tuple[tuple[int, str], ...]


def is_plain(graph: Graph, chain: ItemChain) -> bool:
    """Return whether nested boxes show all edges of a chain, and it has one input and one output."""
    is_one = len(outer_inputs(graph, chain)) < 2 and not inner_outputs(graph, chain)
    return is_one and is_nested(graph, chain, entry_of(graph, chain))


def inner_outputs(graph: Graph, chain: ItemChain) -> list[int]:
    """Return the positions of the nodes of a chain, except the last, that are read outside it or are outputs of the
    network."""
    nodes = nodes_in(chain)
    inside, given = set(nodes), {graph.output, *(each.node for each in graph.taps)}
    return [at for at, node in enumerate(nodes[:-1]) if node in given or not inside.issuperset(graph.readers[node])]


def is_crossed_block(graph: Graph, item: UnitItem, given: Collection[int]) -> bool:
    """Return whether a part is the call of a block whose inside a panel can show, but nested boxes cannot."""
    if not item.title or any(isinstance(each, TapItem) for each in flat(item.chain)) or is_plain(graph, item.chain):
        return False
    closed = closed_units(graph, item.chain, given)
    inside = {node for several in closed for each in several for node in nodes_in(each.chain)}
    rows = [node for node in nodes_in(item.chain) if node not in inside]
    return len(closed) + len(fused(graph, rows, given)) <= _MOST_ROWS


def outer_inputs(graph: Graph, chain: ItemChain) -> dict[int, str]:
    """Return the nodes outside a chain that it reads, in order, with the names that it has for them."""
    inside = set(nodes_in(chain))
    names = {each.node: each.name for each in _references(chain) if each.node not in inside}
    found: dict[int, str] = {}
    for node in sorted(inside):
        for before in graph.nodes[node].inputs:
            if before not in inside:
                found.setdefault(before, names.get(before, ""))
    return found


def input_names(graph: Graph, item: UnitItem) -> list[str]:
    """Return the names that a block has for its inputs, in their order; "" for an input without a name."""
    found = list(outer_inputs(graph, item.chain).values())
    free = [name for name, value in item.parameters if isinstance(value, OutputSymbol) and name not in found]
    if found.count("") == len(free) == 1:
        found[found.index("")] = free[0]
    return found


def shared_names(graph: Graph, instances: Sequence[UnitItem], whole: UnitItem) -> tuple[str, ...]:
    """Return the names that all instances of a block have for its inputs; for an input with several names, two short
    names or their common shape."""
    own = input_names(graph, whole)
    alike = [each for each in instances if len(outer_inputs(graph, each.chain)) == len(own)]
    rows = [input_names(graph, each) for each in alike]
    nodes = [list(outer_inputs(graph, each.chain)) for each in alike]
    found: list[str] = []
    for at, name in enumerate(own):
        names = list(dict.fromkeys(row[at] for row in rows))
        shapes = {graph.nodes[row[at]].shape for row in nodes}
        told = ", ".join(names)
        if len(names) > _MOST_NAMES or len(told) > _LONGEST:
            told = shape_text(graph.nodes[nodes[0][at]].shape) if len(shapes) == 1 else ENTERING
        found.append(told if len(names) > 1 else name)
    return tuple(found)


def output_names(graph: Graph, items: Sequence[UnitItem]) -> dict[int, str]:
    """Return the positions of the nodes that compute the outputs of a block, with their names; empty if it has one
    output."""
    inner = {at for each in items for at in inner_outputs(graph, each.chain)}
    found: dict[int, str] = {}
    for item in items if inner else ():
        nodes = nodes_in(item.chain)
        places = {node: at for at, node in enumerate(nodes)}
        last = len(nodes) - 1
        if graph.readers[nodes[last]] or nodes[last] == graph.output or nodes[last] in {t.node for t in graph.taps}:
            inner.add(last)
        start = f"{getattr(item.part, 'path', '')}."
        several = [*((path, named.output) for path, named in graph.names.items()), *graph.modules.items()]
        for path, node in several:
            at = places.get(node, -1)
            if at in inner and path.startswith(start) and "." not in path[len(start) :]:
                found.setdefault(at, path[len(start) :])
    return {at: found.get(at, "") for at in sorted(inner)}


def _references(chain: ItemChain) -> list[ReferenceItem]:
    found: list[ReferenceItem] = []
    for each in flat(chain):
        if isinstance(each, ReferenceItem):
            found.append(each)
        elif isinstance(each, ForkItem):
            found += (inner for branch in each.branches for inner in _references(branch))
    return found


def closed_units(graph: Graph, chain: ItemChain, given: Collection[int]) -> list[tuple[UnitItem, ...]]:
    """Return the calls of blocks in a chain that have one input, one output and several rows: they stay closed, those
    of a repeat together."""
    found: list[tuple[UnitItem, ...]] = []
    for item in chain:
        match item:
            case UnitItem() if item.title and _is_closed(graph, item, given):
                found.append((item,))
            case UnitItem() | TapItem():
                found += closed_units(graph, item.chain, given)
            case ForkItem():
                found += (each for branch in item.branches for each in closed_units(graph, branch, given))
            case RepeatItem() if not item.names and all(
                each.title and _is_closed(graph, each, given) for each in item.turns
            ):
                found.append(item.turns)
            case RepeatItem():
                found += closed_units(graph, item.turns, given)
            case _:
                pass
    return found


def _is_closed(graph: Graph, item: UnitItem, given: Collection[int]) -> bool:
    if any(isinstance(each, TapItem | ReferenceItem) for each in flat(item.chain)) or not is_plain(graph, item.chain):
        return False
    nodes = nodes_in(item.chain)
    return len(fused(graph, nodes, given, leads=True)) > 1


def titles(closed: Sequence[Sequence[UnitItem]]) -> dict[int, str]:
    """Return the titles of closed parts, by their first nodes: the block's name, the arguments that differ, and the
    number of consecutive calls."""
    found: dict[int, str] = {}
    items = [several[0] for several in closed]
    for item, several in zip(items, closed, strict=True):
        alike = [each for each in items if each.title == item.title]
        shown = [
            (name, value_text(value))
            for at, (name, value) in enumerate(item.parameters)
            if len({str(each.parameters[at : at + 1]) for each in alike}) > 1
        ]
        words = [f"{name} = {value}" for name, value in shown] if len(shown) == 1 else [f"{n} {v}" for n, v in shown]
        times = f" {TIMES}{len(several)}" if len(several) > 1 else ""
        found[nodes_in(item.chain)[0]] = ", ".join([item.title, *words]) + times
    return found


def most_inputs(signatures: Signatures, items: Sequence[UnitItem]) -> UnitItem:
    """Return the instance of a block with the most inputs: two parameters may be given the same value."""
    return max(items, key=lambda each: len(outer_inputs(signatures.graph, each.chain)))


def wires(
    graph: Graph, elements: Sequence[PanelElement], chain: ItemChain, instances: Sequence[UnitItem] = ()
) -> PanelWires:
    """Return which elements of a panel read the one before, and the links over others; with the `instances` of a block,
    its inputs and outputs have names."""
    if is_plain(graph, chain):
        return {"joined": (True,) * len(elements), "links": (), "inputs": (), "outputs": ()}
    outer = outer_inputs(graph, chain)
    whole = next((each for each in instances if each.chain == chain), None)
    names = tuple(outer.values()) if whole is None else shared_names(graph, instances, whole)
    nodes = nodes_in(chain)
    homes = {node: at for at, each in enumerate(elements) for node in element_nodes(each)}
    homes |= {node: -1 - at for at, node in enumerate(outer)}
    joined = [False] * len(elements)
    links: dict[tuple[int, int], None] = {}
    for node, at in homes.items():
        for before in graph.nodes[node].inputs if at >= 0 else ():
            source = homes[before]
            if source == at - 1 and at:
                joined[at] = True
            elif source != at:
                links[(source, at)] = None
    order = {
        (homes[before], at): place
        for at, each in enumerate(elements)
        for place, before in enumerate(operands(graph, element_nodes(each)))
    }
    return {
        "joined": tuple(joined),
        "links": tuple(SkipLink(*each, operand=order.get(each, -1)) for each in links),
        "inputs": names,
        "outputs": tuple((homes[nodes[at]], name) for at, name in output_names(graph, instances).items()),
    }
