"""Networks that go down to small feature maps and up again, with links between maps of one size: U-Net and its kin.

Such a network is drawn as bars on rows, one row for each size. It has a main path and skips: every node is on the main
path, or on the way of a skip.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log2

from cnndsl.emit.drawing.cards.model import GroupTag, UBar, UShape, USkip
from cnndsl.emit.drawing.cards.words import dims_text, layer_text, window_of
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph
from cnndsl.graph.node import Node

_ATTACHED = frozenset({"normalisation", "activation", "arrangement", "identity"})
_LEAST = 2
"""The fewest skips, and the fewest levels below the first."""
_STEP = 0.6
"""A change of the logarithm of the extent that leads to another row."""


def u_shape(graph: Graph) -> UShape | None:
    """Return a network as a U, or None if it does not have this form."""
    if len(graph.inputs) != 1 or graph.taps or any(node.weights_of >= 0 for node in graph):
        return None
    path = _main_path(graph)
    skips = _skips(graph, path)
    if skips is None or len(skips) < _LEAST:
        return None
    bars, homes = _bars(graph, path)
    if not bars or max(bar.level for bar in bars) < _LEAST or min(bar.level for bar in bars) < 0:
        return None
    found = [_skip(graph, homes, each) for each in skips]
    links = [each for each in found if each is not None]
    if len(links) < len(found) or any(not _is_over(bars, each) for each in links):
        return None
    merged = {each.target: graph.nodes[each.merge] for each in links if each.merge >= 0}
    if any(node.layer.ROLE == "merge" and node not in merged.values() for node in graph):
        return None
    return UShape(tuple(bars), tuple(links))


def _main_path(graph: Graph) -> list[int]:
    """Return the nodes from the input to the output; of several inputs of a node, the one that most nodes lead to."""
    depth: list[int] = []
    for node in graph:
        depth.append(max((depth[at] + 1 for at in node.value_inputs), default=0))
    path = [graph.output]
    while graph.nodes[path[-1]].inputs:
        node = graph.nodes[path[-1]]
        path.append(node.inputs[0] if node.layer.INDICES_OF else max(node.value_inputs, key=depth.__getitem__))
    return path[::-1]


def _skips(graph: Graph, path: Sequence[int]) -> list[list[int]] | None:
    """Return the paths beside the main path, each between two of its nodes; None if there is anything else."""
    inside = set(path)
    found: list[list[int]] = []
    seen = set(path)
    for at, node in enumerate(path):
        before = path[at - 1] if at else -1
        for other in graph.nodes[node].inputs if at else ():
            if other == before:
                continue
            way = [node]
            while other not in inside:
                way.append(other)
                inputs = graph.nodes[other].value_inputs
                if len(inputs) != 1 or graph.readers[other] != (way[-2],):
                    return None
                if not inside.issuperset(set(graph.nodes[other].inputs) - set(inputs)):
                    return None
                seen.add(other)
                other = inputs[0]
            found.append([*way, other][::-1])
        if at and list(graph.nodes[node].inputs).count(before) > 1:
            if not graph.nodes[node].layer.INDICES_OF:
                return None
            found.append([before, node])
    return found if len(seen) == len(graph) else None


def _bars(graph: Graph, path: Sequence[int]) -> tuple[list[UBar], dict[int, int]]:
    """Return a bar for each layer that isn't attached to the one before, on the row of its size, and the bar of each
    node."""
    bars: list[UBar] = []
    homes: dict[int, int] = {}
    level = 0
    extent = _extent(graph.nodes[path[0]])
    for at, index in enumerate(path):
        node = graph.nodes[index]
        is_attached = node.layer.ROLE in _ATTACHED or node.layer.ROLE == "merge"
        if at and is_attached:
            last = bars[-1]
            notes = last.notes if node.layer.ROLE == "merge" else (*last.notes, layer_text(node, node.shape.rank))
            is_size = node.layer.ROLE == "arrangement" and node.shape.spatial != graph.nodes[path[at - 1]].shape.spatial
            bars[-1] = replace(last, notes=notes, absorbed=(*last.absorbed, index))
            if is_size:
                bars[-1] = replace(bars[-1], extent=_extent(node), size=_size(node))
        else:
            if not node.shape.spatial or node.shape.pixels == 1:
                return [], {}
            change = log2(_extent(node) / extent)
            level -= round(change) if abs(change) > _STEP else 0
            rank = node.shape.rank
            text = dims_text(window_of(node.layer), rank) if window_of(node.layer) else ""
            word = layer_text(node, rank, width="-").replace(", -", "") if node.layer.WIDTH else layer_text(node, rank)
            word = f"{word} to the size before the pool" if node.layer.INDICES_OF else word
            notes = (word,) if node.inputs else ()
            bars.append(
                UBar(
                    index, node.shape.channels, _extent(node), role_of(node.layer), text, level, notes, (), _size(node)
                )
            )
        extent = _extent(node)
        homes[index] = len(bars) - 1
    return bars, homes


def _extent(node: Node) -> int:
    return max(node.shape.spatial, default=1)


def _size(node: Node) -> str:
    spatial = node.shape.spatial
    return f"{spatial[0]}²" if len(spatial) == 2 and len(set(spatial)) == 1 else dims_text(spatial, len(spatial))


def _skip(graph: Graph, homes: Mapping[int, int], way: Sequence[int]) -> USkip | None:
    """Return a skip between bars. One that carries indices comes from the bar of the pool."""
    source, target = way[0], way[-1]
    node = graph.nodes[target]
    words = [layer_text(graph.nodes[each], graph.nodes[each].shape.rank, is_open=True) for each in way[1:-1]]
    inner = tuple(way[1:-1])
    if node.layer.INDICES_OF and len(way) == 2:
        return USkip(homes[source], homes[target], "indices", -1, False, 0, inner, has_indices=True)
    if node.layer.ROLE != "merge":
        return None
    channels = graph.nodes[way[-2]].shape.channels
    is_join = node.layer.JOINS_CHANNELS
    main = next(at for at, each in enumerate(node.inputs) if homes.get(each) == homes[target])
    is_behind = is_join and node.inputs.index(way[-2]) > main
    return USkip(homes[source], homes[target], ", ".join(words), target, is_join, channels, inner, is_behind=is_behind)


def _is_over(bars: Sequence[UBar], skip: USkip) -> bool:
    """Return whether a skip bypasses smaller maps and ends at the first bar on the same row on the way up. Indices come
    from the row below."""
    between = bars[skip.source + (not skip.has_indices) : skip.target]
    row = bars[skip.source].level - skip.has_indices
    goes_up = bars[skip.target].level < bars[skip.target - 1].level
    return row == bars[skip.target].level and goes_up and any(bar.level > row for bar in between)


def gathered(shape: UShape) -> UShape:
    """Return a U with equal adjacent bars combined."""
    bars: list[UBar] = []
    homes: list[int] = []
    for at, bar in enumerate(shape.bars):
        before = bars[-1] if bars else None
        if before and _is_same(before, bar) and not any(skip.target == at for skip in shape.skips):
            absorbed = (*before.absorbed, bar.node, *bar.absorbed)
            tag = _both(before.tag, bar.tag)
            bars[-1] = replace(before, absorbed=absorbed, times=before.times + 1, tag=tag)
        else:
            bars.append(bar)
        homes.append(len(bars) - 1)
    skips = (replace(each, source=homes[each.source], target=homes[each.target]) for each in shape.skips)
    return UShape(tuple(bars), tuple(skips))


def _both(one: GroupTag | None, other: GroupTag | None) -> GroupTag | None:
    """Return the tag of two bars that are drawn as one: a line for each."""
    return replace(one, title=f"{one.title}\n{other.title}") if one and other else one


def _is_same(one: UBar, other: UBar) -> bool:
    parts = ((each.channels, each.size, each.role, each.level, each.notes, each.mark) for each in (one, other))
    return next(parts) == next(parts)
