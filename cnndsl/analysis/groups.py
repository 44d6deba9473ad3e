"""Gather the nodes of a network into rows: by block as in the file, by stage, or by layer type.

Groups contain node numbers, not metrics: sum any metric over `nodes`. `report` lays out the rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from cnndsl.graph import (
    AgainPart,
    CallPart,
    ChoicePart,
    Graph,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    SequencePart,
    TapPart,
)
from cnndsl.records import record
from cnndsl.values import NameSymbol, OutputSymbol, Value, show

By = Literal["block", "stage", "kind"]


@record(slots=True)
class RowGroup:
    """Some nodes in one row. `times` is 3 for a repeat of three iterations; `parts` are the rows that opening it shows.

    `path` is its location (empty if it has no name), `title` its description (`Bottleneck(64)`, `CONV3-64`).
    """

    path: str
    title: str
    nodes: tuple[int, ...]
    times: int = 1
    parts: tuple[RowGroup, ...] = ()


def grouped(graph: Graph, by: By) -> tuple[RowGroup, ...]:
    """Return the whole network as groups, in order; every node except the input is in exactly one."""
    if by == "kind":
        return _flat(graph, {node.index: node.kind for node in graph.nodes})
    if by == "stage":
        return _flat(graph, stages(graph))
    return tuple(_groups(graph, graph.tree))


def unfolded(groups: Iterable[RowGroup], depth: int | None = None, level: int = 0) -> Iterator[tuple[int, RowGroup]]:
    """Yield the rows of groups opened to a depth (1: none is opened, None: all are), each with its level from 0."""
    for group in groups:
        yield level, group
        if group.parts and (depth is None or level + 1 < depth):
            yield from unfolded(group.parts, depth, level + 1)


def stages(graph: Graph) -> dict[int, str]:
    """Return the stage of each node: the size of its map, `56x56`; `vector` after the last map.

    Nodes between a map and a gate on a larger map (squeeze-and-excite) belong to the stage of the larger one.
    """
    largest: list[tuple[int, ...]] = [node.shape.spatial if node.shape.pixels > 1 else () for node in graph.nodes]
    for node in reversed(graph.nodes):
        if not largest[node.index]:
            largest[node.index] = max((largest[at] for at in graph.readers[node.index]), key=_pixels, default=())
    return {at: show(extents) if extents else "vector" for at, extents in enumerate(largest)}


def _pixels(extents: tuple[int, ...]) -> int:
    product = 1
    for extent in extents:
        product *= extent
    return product if extents else 0


def _flat(graph: Graph, names: Mapping[int, str]) -> tuple[RowGroup, ...]:
    members: dict[str, list[int]] = defaultdict(list)
    for node in graph.layers:
        members[names[node.index]].append(node.index)
    return tuple(
        RowGroup("", name, tuple(nodes), parts=tuple(_leaf(graph, at) for at in nodes))
        for name, nodes in members.items()
    )


def _leaf(graph: Graph, at: int) -> RowGroup:
    node = graph.nodes[at]
    return RowGroup(node.path, node.text, (at,))


def _groups(graph: Graph, part: Part) -> list[RowGroup]:
    match part:
        case LayerPart():
            return [_leaf(graph, part.node)] if graph.nodes[part.node].inputs else []
        case SequencePart():
            return [group for each in part.parts for group in _groups(graph, each)]
        case MergePart():
            branches = [group for branch in part.branches for group in _groups(graph, branch)]
            return [*branches, _leaf(graph, part.node)]
        case ChoicePart():
            return _groups(graph, part.part) if part.part is not None else []
        case LoopPart():
            return _repeat(graph, part)
        case NamedPart() | TapPart():
            return _named(graph, part)
        case AgainPart():
            return _groups(graph, part.part)
        case CallPart():
            title = f"{part.block}({', '.join(map(_written, part.arguments))})" if part.arguments else part.block
            return _gathered(part.path, title, _groups(graph, part.body))
        case _:
            return []


def _written(argument: Value) -> str:
    """Format an argument as it appears in a call: a name without the words that messages add to it."""
    if isinstance(argument, NameSymbol):
        return argument.name
    return f"@{argument.name}" if isinstance(argument, OutputSymbol) else show(argument)


def _gathered(path: str, title: str, parts: list[RowGroup], times: int = 1) -> list[RowGroup]:
    """Return one group that combines several; an empty list if there are none."""
    nodes = tuple(at for part in parts for at in part.nodes)
    return [RowGroup(path, title, nodes, times, tuple(parts))] if nodes else []


def _repeat(graph: Graph, loop: LoopPart) -> list[RowGroup]:
    turns = [_groups(graph, turn) for turn in loop.turns]
    if len(turns) < 2:
        return [group for turn in turns for group in turn]
    opened = [turn[0] if len(turn) == 1 else group for turn in turns for group in _gathered("", _title(turn), turn)]
    titles = list(dict.fromkeys(group.title for group in opened))
    title = titles[0] if len(titles) == 1 else f"{titles[0]} … {titles[-1]}" if titles else ""
    return _gathered("", title, opened, len(turns))


def _title(parts: list[RowGroup]) -> str:
    """Return the title of an iteration without a name: its parts, with the middle omitted if there are many."""
    titles = [part.title for part in parts]
    return " -> ".join(titles if len(titles) <= 3 else [titles[0], "…", titles[-1]])


def _named(graph: Graph, part: NamedPart | TapPart) -> list[RowGroup]:
    parts = _groups(graph, part.part)
    if isinstance(part, NamedPart) and not part.is_module:
        return parts
    if len(parts) == 1 and parts[0].times > 1:
        return [replace(parts[0], path=part.path)]
    return _gathered(part.path, part.name, parts)
