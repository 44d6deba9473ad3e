"""The lines of a block: one for each layer that a paper's table names, in execution order.

Activations, dropout and layers that only rearrange values have no line, and normalisations only on request; a branch
that only crops or pads has one if there are other branches. In a sum the branch that computes stands for the block. A
projection has no line, since it depends on the block's input.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from cnndsl.emit.configuration.model import StageLine
from cnndsl.emit.drawing.cards.words import TIMES, layer_text, merge_word, slide_text, width_of
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph
from cnndsl.graph.node import Node
from cnndsl.graph.parts import LayerPart, MergePart, Part, ReferencePart, TapPart
from cnndsl.graph.traversal import inner_parts, nodes_of, walk

_HIDDEN = frozenset({"activation", "arrangement", "identity", "input", "merge"})
_ARROW = " \u2192 "


class Lines:
    """The lines of the parts of one network."""

    def __init__(self, graph: Graph, shown: Collection[str]) -> None:
        self._graph = graph
        self._shown = shown

    def of(self, part: Part) -> tuple[StageLine, ...]:
        """Return the lines of a part, empty if no layer of the part has a line."""
        if isinstance(part, LayerPart):
            return self._layer(self._graph.nodes[part.node])
        if isinstance(part, MergePart):
            return self._merge(part)
        if isinstance(part, TapPart):
            return ()
        return tuple(line for each in inner_parts(part) for line in self.of(each))

    def _layer(self, node: Node) -> tuple[StageLine, ...]:
        role = node.layer.ROLE
        if role in _HIDDEN or (role == "normalisation" and node.kind not in self._shown):
            return ()
        rank = self._graph.shapes(node)[0].rank
        text = layer_text(node, rank, is_open=True, stride="")
        if role == "dense":
            text = f"{node.kind} {width_of(node.layer) or ''}".rstrip()
        return (StageLine(text, slide_text(node.layer), role_of(node.layer)),)

    def _merge(self, part: MergePart) -> tuple[StageLine, ...]:
        layer = self._graph.nodes[part.node].layer
        parts = [(branch, lines) for branch in part.branches if (lines := self.of(branch))]
        if layer.JOINS_CHANNELS and len(parts) == 1:
            parts = [(each, lines) for each in part.branches if (lines := self.of(each) or self._arranged(each))]
        if layer.SIGN == "+" and len(parts) > 1:
            parts = [(branch, lines) for branch, lines in parts if not self._is_projection(branch)] or parts
        branches = [lines for _, lines in parts]
        if len(branches) > 1:
            return tuple(map(_branch, branches))
        if branches and layer.SIGN == TIMES:
            line = _branch(branches[0])
            return (StageLine(f"{merge_word(layer)} with {line.full}", "", "gate"),)
        return branches[0] if branches else ()

    def _arranged(self, branch: Part) -> tuple[StageLine, ...]:
        """Return the lines of a branch that only crops or pads its input; empty for a skip, which is not a step."""
        if any(isinstance(each, ReferencePart) for each in walk(branch)):
            return ()
        found: list[StageLine] = []
        for node in (self._graph.nodes[at] for at in nodes_of(branch)):
            fits = node.layer.ROLE == "arrangement" and len(node.inputs) == 1
            if fits and node.shape.spatial != self._graph.shapes(node)[0].spatial:
                found.append(StageLine(layer_text(node, node.shape.rank, is_open=True), "", role_of(node.layer)))
        return tuple(found)

    def _is_projection(self, branch: Part) -> bool:
        """Return whether a branch only computes other channels at each position."""
        nodes = [self._graph.nodes[at] for at in nodes_of(branch)]
        weighed = [node for node in nodes if node.layer.ROLE not in ("normalisation", "identity")]
        if len(weighed) != 1 or weighed[0].layer.ROLE != "convolution":
            return False
        return set(weighed[0].layer.filter_size(*self._graph.shapes(weighed[0]))) == {1}


def _branch(lines: Sequence[StageLine]) -> StageLine:
    """Return a branch as one line."""
    if len(lines) == 1:
        return lines[0]
    return StageLine(_ARROW.join(line.full for line in lines), "", lines[-1].role)


def broken(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """Return a branch on as many lines as it needs for the width `room`: all but the first start with an arrow.

    >>> broken("a \u2192 bb \u2192 c", 6, len)
    ['a \u2192 bb', '\u2192 c']
    """
    lines, line = list[str](), ""
    for piece in text.split(_ARROW):
        longer = f"{line}{_ARROW}{piece}" if line else piece
        if line and width(longer) > room:
            lines.append(line)
            longer = f"{_ARROW.lstrip()}{piece}"
        line = longer
    return [*lines, line]
