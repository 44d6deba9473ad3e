"""Where the writing of a chain stands: the values that came so far, in every place that the code stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnndsl.emit.scope import Mismatch, Scope
from cnndsl.emit.terms import Const, Term, mul
from cnndsl.graph import Graph


@dataclass(frozen=True)
class Flow:
    """For each frame of the scope the path of the module that is being filled, the node whose value comes in, and
    its width: its channels, or all its values once it is flattened. `term` is the width in Python, if known."""

    graph: Graph
    scope: Scope
    roots: tuple[str, ...]
    nodes: tuple[int, ...]
    widths: tuple[int, ...]
    term: Term | None
    flat: bool = False

    def after(self, nodes: Sequence[int], term: Term | None) -> Flow:
        """Behind nodes that give the channels of a term; it counts only where it is right."""
        widths = tuple(self.graph.nodes[at].shape.channels for at in nodes)
        if not self.scope.holds(term, widths):
            try:
                term = self.scope.express(widths)
            except Mismatch:
                term = None
        return replace(self, nodes=tuple(nodes), widths=widths, term=term, flat=False)

    def flattened(self) -> Flow:
        """Behind a flattening."""
        shapes = [self.graph.nodes[at].shape for at in self.nodes]
        pixels = {shape.pixels for shape in shapes}
        term = mul(Const(pixels.pop()), self.term) if len(pixels) == 1 and self.term is not None else None
        return replace(self, widths=tuple(shape.numel for shape in shapes), term=term, flat=True)

    def where(self, chosen: Sequence[int]) -> Flow:
        """In some of the frames only."""
        return replace(
            self,
            scope=self.scope.where(chosen),
            roots=tuple(self.roots[at] for at in chosen),
            nodes=tuple(self.nodes[at] for at in chosen),
            widths=tuple(self.widths[at] for at in chosen),
        )

    def comment(self, nodes: Sequence[int]) -> str:
        """The shapes that nodes give: one, or the first and the last of one place's several."""
        shapes = [str(self.graph.nodes[at].shape) for at in nodes]
        if self.flat:
            shapes = [str(width) for width in self.widths]
        if len(set(shapes)) == 1:
            return shapes[0]
        single = len(set(self.roots)) == 1
        return f"{shapes[0]} to {shapes[-1]}" if single else ""
