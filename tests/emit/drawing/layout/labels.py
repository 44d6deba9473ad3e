"""Whether what a drawing says is what the network has: shapes of steps, parameters of cards, totals, letters, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cnndsl.analysis.cost import costs
from cnndsl.analysis.execution import unknown
from cnndsl.emit.drawing.cards.account import step_nodes
from cnndsl.emit.drawing.cards.model import DrawingModel, NetCard
from cnndsl.emit.drawing.display import Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.shapes import flat
from cnndsl.graph import Graph
from cnndsl.report.metrics import metrics
from cnndsl.report.number_format import human

LETTER = re.compile(r"[\d×kx]+(?: \w+)*, \d*([a-z]\d?′?)(?:/\d)?(?:, .*)?")
"""A layer whose width is a letter: `3×3, 4c, /s`."""


def wrong_figures(graph: Graph, drawing: DrawingModel) -> Iterator[str]:
    """Figures of the model that differ from those of the graph."""
    figures = costs(graph)
    for step in drawing.steps:
        nodes = list(step_nodes(step))
        shapes = {"×".join(map(str, graph.nodes[node].shape.hwc)) for node in nodes}
        if step.shape not in shapes:
            yield f"{step.shape} leaves no layer of {step.path}"
        if isinstance(step, NetCard):
            params = sum(figures[node].weights + figures[node].biases for node in nodes)
            if step.params != params:
                yield f"{step.name} has {params} parameters, not {step.params}"
            if any(len(line.nodes) != line.times for line in step.lines):
                yield f"a row of {step.name} is not as often as it says"


def unexplained(drawn: Picture) -> Iterator[str]:
    """Keys without a panel or a row, and letters of widths that no legend has."""
    items = list(flat(drawn.items))
    discs = [item for item in items if isinstance(item, RectangleItem) and item.fill == "line"]
    texts = [item for item in items if isinstance(item, TextItem)]
    keys = [
        each.text for each in texts if each.weight == 700 and re.fullmatch("[A-Z]", each.text) and _in_disc(each, discs)
    ]
    yield from (f"the key {key} stands once" for key in set(keys) if keys.count(key) < 2)
    words = {each.text for each in texts}
    legend = {word.strip(",") for each in texts if each.weight == 600 for word in each.text.split()}
    for text in words:
        match = LETTER.fullmatch(text)
        if match and match[1] not in legend and not any("…" in word for word in legend):
            yield f"{match[1]} of {text!r} is not explained"


def _in_disc(text: TextItem, discs: list[RectangleItem]) -> bool:
    return any(each.x <= text.x <= each.x + each.width and each.y <= text.y <= each.y + each.height for each in discs)


def wrong_totals(graph: Graph, drawn: Picture) -> Iterator[str]:
    """A header that does not say what `stats` does, with what exists in training only and without."""
    totals, figures = metrics(graph, unknown).totals, costs(graph)
    training = sum(figures[node.index].params for node in graph if node.training_only)
    texts = " ".join(item.text for item in flat(drawn.items) if isinstance(item, TextItem))
    told = [human(figure) for figure in (totals.params - training, totals.macs) if figure]
    for text in (*told, *([f"{human(totals.params)} in training"] if training else [])):
        if text not in texts:
            yield f"{text} is not told"
