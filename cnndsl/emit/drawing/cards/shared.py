"""Label steps that reuse the weights of earlier layers with the name of their owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cnndsl.analysis.cost import Cost
from cnndsl.emit.drawing.cards.account import step_nodes
from cnndsl.emit.drawing.cards.model import CardLine, FusedRow, NetCard, SpineStep
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import AgainPart
from cnndsl.graph.traversal import nodes_of, walk


def with_shared(graph: Graph, figures: Mapping[int, Cost], steps: Sequence[SpineStep]) -> tuple[SpineStep, ...]:
    """Return the steps of a spine. Steps and rows of cards that reuse the weights of earlier layers name these, by
    their name in their card, otherwise by their path."""
    if all(node.weights_of < 0 for node in graph):
        return tuple(steps)
    cards = {node: each for each in steps if isinstance(each, NetCard) for node in step_nodes(each)}
    paths = {node: part.path for part in walk(graph.tree) if isinstance(part, AgainPart) for node in nodes_of(part)}

    def owner(nodes: Iterable[int], own: NetCard | None) -> str:
        """Return the remark that names the owner of the weights of some nodes; empty if they have their own, or
        none."""
        known = [graph.nodes[node] for node in nodes]
        shared = [each for each in known if each.weights_of >= 0 and figures[each.weights_of].params]
        if not shared or any(figures[each.index].params for each in known):
            return ""
        card = cards.get(shared[0].weights_of)
        name = card.name if card and card is not own else ""
        return f"weights of {name or paths.get(shared[0].index, graph.nodes[shared[0].weights_of].path)}"

    def line(card: NetCard, each: CardLine) -> CardLine:
        text = owner((node for nodes in each.nodes for node in nodes), card)
        if not text or each.row is None:
            return replace(each, text=", ".join(filter(None, (each.text, text))))
        *cells, last = each.row.cells
        return replace(each, row=FusedRow((*cells, replace(last, text=f"{last.text}, {text}"))))

    found: list[SpineStep] = []
    for step in steps:
        text = owner(step_nodes(step), None)
        if isinstance(step, NetCard):
            lines = step.lines if text else tuple(line(step, each) for each in step.lines)
            found.append(replace(step, lines=lines, weights=text))
        else:
            found.append(replace(step, weights=text))
    return tuple(found)


def edge_text(step: SpineStep) -> str:
    """Return the label of the edge that leaves a step: its shape, and the owner of the weights of open layers."""
    return step.shape if isinstance(step, NetCard) or not step.weights else f"{step.shape}, {step.weights}"
