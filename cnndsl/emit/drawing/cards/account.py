"""Check that a drawing shows every node exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cnndsl.emit.drawing.cards.model import (
    Branching,
    DrawingModel,
    FusedRow,
    InsetBox,
    NetCard,
    PanelElement,
    RepeatFrame,
    SpineBranching,
    SpineRow,
    SpineStep,
    UShape,
)


def inner_chains(element: PanelElement) -> tuple[tuple[PanelElement, ...], ...]:
    """Return the chains of elements that an element consists of: its branches, or what it repeats."""
    match element:
        case Branching():
            return element.branches
        case RepeatFrame():
            return (element.elements,)
        case _:
            return ()


def element_nodes(element: PanelElement) -> Iterator[int]:
    """Yield the nodes that an element stands for."""
    for chain in inner_chains(element):
        for each in chain:
            yield from element_nodes(each)
    match element:
        case FusedRow():
            for cell in element.cells:
                yield cell.node
                yield from cell.absorbed
        case InsetBox() | RepeatFrame():
            yield from element.nodes
        case Branching():
            yield from element.further
            yield element.node


def step_nodes(step: SpineStep) -> Iterator[int]:
    """Yield the nodes that a step of the spine stands for."""
    match step:
        case SpineRow():
            yield from element_nodes(step.row)
        case SpineBranching():
            yield from element_nodes(step.element)
        case NetCard():
            yield from (node for line in step.lines for nodes in line.nodes for node in nodes)


def shown(drawing: DrawingModel) -> Counter[int]:
    """Return how often the spine and the panels beside it show each node; each repeat counts as many times as it
    states."""
    found: Counter[int] = Counter()
    for step in drawing.steps:
        found.update(step_nodes(step))
    for panel in drawing.panels:
        if panel.kind != "block":
            for element in panel.elements:
                found.update(element_nodes(element))
            found.update(node for nodes in panel.others for node in nodes)
    return found


def opened(drawing: DrawingModel) -> dict[str, tuple[Counter[int], Counter[int]]]:
    """Return for each panel the nodes that its elements show, and those of the instance that it opens."""
    return {
        f"{panel.key} {panel.title}": (
            Counter(node for element in panel.elements for node in element_nodes(element)),
            Counter(panel.nodes),
        )
        for panel in drawing.panels
    }


def shown_as_u(shape: UShape) -> Counter[int]:
    """Return how often the bars and skips of a U show each node."""
    found: Counter[int] = Counter()
    for bar in shape.bars:
        found.update((bar.node, *bar.absorbed))
    for skip in shape.skips:
        found.update(skip.nodes)
    return found
