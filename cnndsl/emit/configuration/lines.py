"""The lines of a block: a line for each layer that a paper's table names, in the order in which they run.

Activations, dropout and what only rearranges values have no line, and normalisations only where they are asked for; a
branch beside others that does no more than crop or pad has one. In a sum the branch that computes stands for the block;
a projection has no line, as it depends on what enters.
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
        """Return the lines of a part, none for a part that has no layer with a line."""
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
        """The lines of a branch that only crops or pads what enters; that of a skip is no step of the main line."""
        if any(isinstance(each, ReferencePart) for each in walk(branch)):
            return ()
        found: list[StageLine] = []
        for node in (self._graph.nodes[at] for at in nodes_of(branch)):
            fits = node.layer.ROLE == "arrangement" and len(node.inputs) == 1
            if fits and node.shape.spatial != self._graph.shapes(node)[0].spatial:
                found.append(StageLine(layer_text(node, node.shape.rank, is_open=True), "", role_of(node.layer)))
        return tuple(found)

    def _is_projection(self, branch: Part) -> bool:
        """Whether a branch computes nothing but other channels at each position."""
        nodes = [self._graph.nodes[at] for at in nodes_of(branch)]
        weighed = [node for node in nodes if node.layer.ROLE not in ("normalisation", "identity")]
        if len(weighed) != 1 or weighed[0].layer.ROLE != "convolution":
            return False
        return set(weighed[0].layer.filter_size(*self._graph.shapes(weighed[0]))) == {1}


def _branch(lines: Sequence[StageLine]) -> StageLine:
    """A branch as one line."""
    if len(lines) == 1:
        return lines[0]
    return StageLine(_ARROW.join(line.full for line in lines), "", lines[-1].role)


def broken(text: str, room: float, width: Callable[[str], float]) -> list[str]:
    """Return a branch on as many lines as it needs in a room: all but the first begin with an arrow.

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
