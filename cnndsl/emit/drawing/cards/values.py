"""Edges that carry further outputs of blocks besides the last one: their names, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cnndsl.emit.drawing.cards.model import NetCard, SpineStep
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.graph.graph import Graph


def further_values(graph: Graph, homes: Mapping[int, int], steps: Sequence[SpineStep]) -> dict[tuple[int, int], str]:
    """Return labels for the edges from one step to another: `skip ×8` if one of the values is not the last output of
    its block, `indices` if a layer reads those of a pool. `homes` has the step of each node."""
    cards = [step for step in steps if isinstance(step, NetCard)]
    instances = [nodes for card in cards for line in card.lines if line.row is None for nodes in line.nodes]
    lasts = {node: nodes[-1] for nodes in instances for node in nodes}
    alike = sorted(graph.names.items(), key=lambda each: len(each[1].nodes or ()) or len(graph), reverse=True)
    names = {named.output: path.rpartition(".")[2] for path, named in alike}  # that of the shortest chain
    found: dict[tuple[int, int], dict[int, str]] = {}
    for node in graph:
        for before in node.inputs:
            source, target = homes.get(before), homes.get(node.index)
            if before in lasts and source is not None and target is not None and source != target:
                found.setdefault((source, target), {})[before] = names.get(before, "")
    pools = [(node.inputs[node.layer.INDICES_OF], node.index) for node in graph if node.layer.INDICES_OF]
    indices = [(homes[pool], homes[node]) for pool, node in pools if pool in homes and node in homes]
    return {source_target: "indices" for source_target in indices if len(set(source_target)) > 1} | {
        ends: _counted(list(values.values()))
        for ends, values in found.items()
        if all(values.values()) and any(lasts[node] != node for node in values)
    }


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{name} {TIMES}{count}" if count > 1 else name for name, count in Counter(names).items())
