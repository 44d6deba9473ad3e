"""Find repeats that a program writes out: consecutive equal steps of the spine become one card."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.items import LayerItem, Signatures, UnitItem
from cnndsl.emit.drawing.cards.raw import RawCard, RawFork, RawRow, RawStep, raw_nodes
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import Part

_LONGEST = 4
"""The most steps that repeat together."""
_LEAST_TIMES, _LEAST_SAVED = 3, 4
"""How often they must occur, and how many steps a card must save."""


def folded(steps: Sequence[RawStep], signatures: Signatures) -> list[RawStep]:
    """Return the steps with cards in place of those that repeat."""
    signs = [_sign(step, signatures) for step in steps]
    found: list[RawStep] = []
    at = 0
    while at < len(steps):
        length, times = _period(signs, at)
        runs = [steps[at + turn * length : at + (turn + 1) * length] for turn in range(times)]
        if runs and _is_sequence(runs, signatures.graph):
            found.append(RawCard("", "", tuple(_part(run, signatures.graph) for run in runs)))
            at += length * times
        else:
            found.append(steps[at])
            at += 1
    return found


def _sign(step: RawStep, signatures: Signatures) -> object:
    """Return a key for the function of a step; cards and inputs are unlike all others."""
    graph = signatures.graph
    if isinstance(step, RawRow) and graph.nodes[step.nodes[0]].inputs and not step.stage:
        is_chained = all(graph.nodes[node].inputs == (node - 1,) for node in step.nodes)
        return ("row", *(signatures.layer(node) for node in step.nodes)) if is_chained else id(step)
    return ("fork", signatures.exact((step.item,))) if isinstance(step, RawFork) and not step.stage else id(step)


def _period(signs: Sequence[object], at: int) -> tuple[int, int]:
    """Return how many steps repeat from a position on, and how often; 0 times if that is not worth a card."""
    for length in range(1, _LONGEST + 1):
        times = 1
        while signs[at + times * length : at + (times + 1) * length] == signs[at : at + length]:
            times += 1
            if at + times * length >= len(signs):
                break
        if times >= _LEAST_TIMES and (times - 1) * length >= _LEAST_SAVED:
            return length, times
    return 0, 0


def _is_sequence(runs: Sequence[Sequence[RawStep]], graph: Graph) -> bool:
    """Return whether repeats are consecutive: each reads only the last layer of the one before."""
    entry = -1
    for run in runs:
        nodes = [node for step in run for node in raw_nodes(step)]
        inside = set(nodes)
        outer = {before for node in nodes for before in graph.nodes[node].inputs} - inside
        leaves = any(reader not in inside for node in nodes[:-1] for reader in graph.readers[node])
        if leaves or len(outer) > 1 or (entry >= 0 and outer != {entry}):
            return False
        entry = nodes[-1]
    return True


def _part(run: Sequence[RawStep], graph: Graph) -> UnitItem | tuple[int, ...]:
    if len(run) == 1 and isinstance(run[0], RawRow):
        return run[0].nodes
    chain = tuple(
        item for step in run for item in ([step.item] if isinstance(step, RawFork) else map(LayerItem, raw_nodes(step)))
    )
    tree: Part = graph.tree
    return UnitItem("", "", "", chain, tree)
