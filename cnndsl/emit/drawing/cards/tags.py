"""The tooltip of each part of a picture: its metrics, and its location in the program."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from cnndsl.analysis.cost import Cost, total
from cnndsl.emit.drawing.cards.model import GroupTag, NetCard, SpineRow, SpineStep, UBar, UShape, USkip
from cnndsl.emit.drawing.cards.words import shape_text
from cnndsl.errors import Span
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import CallPart, LayerPart, LoopPart, MergePart, Part
from cnndsl.graph.traversal import inner_parts

LinkOf: TypeAlias = Callable[[Span], str]
"""Returns the address of a location in a program, "" if there is none."""


def no_link(_span: Span) -> str:
    """Return no address."""
    return ""


@dataclass(slots=True)
class _WrittenPart:
    """A call or a repeat: its location, and the range of its nodes."""

    span: Span
    first: int
    last: int


class Tagger:
    """Makes the tags of steps and bars. Those of `unknown` nodes have no metrics."""

    def __init__(self, graph: Graph, figures: Mapping[int, Cost], link: LinkOf, unknown: Collection[int] = ()) -> None:
        self._graph = graph
        self._figures = figures
        self._link = link
        self._unknown = frozenset(unknown)
        self._around: dict[int, tuple[_WrittenPart, ...]] = {}
        if link is not no_link:
            self._note(graph.tree)

    def step(self, step: SpineStep, nodes: Sequence[int]) -> GroupTag:
        """Return the tag of a step of the spine."""
        path = step.path or self._graph.nodes[nodes[0]].path
        return self._tag(path, _name(step) or path, step.shape, nodes)

    def bars(self, shape: UShape | None) -> UShape | None:
        """Return a U whose bars have tags, and those links that have operations."""
        if shape is None:
            return None
        bars: list[UBar] = []
        for bar in shape.bars:
            node = self._graph.nodes[bar.node]
            name = ", ".join(bar.notes) or node.path
            tag = self._tag(node.path, name, shape_text(node.shape), (bar.node, *bar.absorbed))
            bars.append(replace(bar, tag=tag))
        return replace(shape, bars=tuple(bars), skips=tuple(map(self._skip, shape.skips)))

    def _skip(self, skip: USkip) -> USkip:
        if not skip.nodes:
            return skip
        last = self._graph.nodes[skip.nodes[-1]]
        return replace(skip, tag=self._tag(last.path, skip.label or last.path, shape_text(last.shape), skip.nodes))

    def _tag(self, path: str, name: str, shape: str, nodes: Sequence[int]) -> GroupTag:
        cost = total(self._figures[node] for node in nodes)
        has_inputs = any(self._graph.nodes[node].inputs for node in nodes) and self._unknown.isdisjoint(nodes)
        figures = f", {cost.params:,} parameters, {cost.macs:,} multiply-adds" if has_inputs else ""
        title = f"{name}: {shape}{figures}"
        return GroupTag(path, title, self._link(self._place(nodes)))

    def _place(self, nodes: Sequence[int]) -> Span:
        """Return the largest call or repeat that has no other nodes, otherwise the first layer."""
        first, last = min(nodes), max(nodes)
        whole = (each for each in self._around.get(first, ()) if first <= each.first and each.last <= last)
        found = next(whole, None)
        return found.span if found else self._graph.nodes[nodes[0]].span

    def _note(self, tree: Part) -> None:
        """Record for each node the calls and repeats around it, the outermost first."""
        stack: list[tuple[Part, tuple[_WrittenPart, ...]]] = [(tree, ())]
        while stack:
            part, around = stack.pop()
            if isinstance(part, CallPart | LoopPart):
                around = (*around, _WrittenPart(part.span, len(self._graph), -1))
            if isinstance(part, LayerPart | MergePart):
                self._around[part.node] = around
                for each in around:
                    each.first, each.last = min(each.first, part.node), max(each.last, part.node)
            stack.extend((each, around) for each in inner_parts(part))


def _name(step: SpineStep) -> str:
    match step:
        case NetCard():
            return step.name or step.title
        case SpineRow():
            return "" if step.is_input else ", ".join(cell.text for cell in step.row.cells)
        case _:
            return step.element.word
