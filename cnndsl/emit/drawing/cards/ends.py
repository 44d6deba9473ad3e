"""The named outputs that layers of the spine compute, and their labels beside the spine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from cnndsl.emit.drawing.cards.model import BlockPanel, NamedEnd
from cnndsl.emit.drawing.cards.words import TIMES, shape_text
from cnndsl.graph.graph import Graph


def ends_of(graph: Graph, homes: Mapping[int, int], beside: Sequence[BlockPanel]) -> tuple[NamedEnd, ...]:
    """Return the named outputs that the spine computes."""

    def end(name: str, node: int, *, training_only: bool) -> NamedEnd:
        return NamedEnd(name, homes[node], training_only, shape_text(graph.nodes[node].shape))

    found = [end(graph.output_name, graph.output, training_only=False)] if graph.output_name else []
    own = {node for panel in beside for nodes in (panel.nodes, *panel.others) for node in nodes}
    taps = [each for each in graph.taps if each.node not in own]
    return (*found, *(end(each.name, each.node, training_only=each.training_only) for each in taps))


def told_ends(ends: Sequence[NamedEnd], shape: str | None = None) -> list[str]:
    """Return the names of some outputs, those that exist in training only listed separately; equal names once, with
    their number. Each has its shape if it differs from the `shape` beside which it is written, if there is one.

    >>> told_ends([NamedEnd("a", 1, False, "8"), NamedEnd("b", 1, False, "4"), NamedEnd("c", 2, True, "8")] * 2, "8")
    ['outputs: a ×2, b (4) ×2', 'in training only: c ×2']
    """
    found: list[str] = []
    for training_only in (False, True):
        own = [each for each in ends if each.training_only == training_only]
        counts = Counter(each.name if shape in (None, each.shape) else f"{each.name} ({each.shape})" for each in own)
        names = [f"{name} {TIMES}{count}" if count > 1 else name for name, count in counts.items()]
        word = "in training only" if training_only else "output" if len(own) == 1 else "outputs"
        found += [f"{word}: {', '.join(names)}"] if names else []
    return found
