"""The number of channels that reach a module, as the program writes it.

A `Cursor` follows the value that enters the next module of a chain, in every frame at once. Its term is an expression
for the number of channels; it follows from the terms of the previous layers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from cnndsl.emit.torch.followed import is_number
from cnndsl.emit.torch.scope import Scope
from cnndsl.emit.torch.terms import Const, Term, mul
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import Layer, LayerError
from cnndsl.records import record
from cnndsl.shape import Shape


@record
class Cursor:
    """For each frame of the scope, the path of the module that is filled and the node whose value enters next. `term`
    is its number of channels, or of all its values if `flat`; None if the program has no term for it. `closed` is the
    same number in names that are known outside the constructor, if `term` is a local variable. `renumbered` says that
    an earlier module has no number in the program. After a choice that no single term follows, `ways` are the terms
    that hold in some of the frames."""

    graph: Graph
    scope: Scope
    roots: tuple[str, ...]
    nodes: tuple[int, ...]
    term: Term | None
    flat: bool = False
    closed: Term | None = None
    renumbered: bool = False
    ways: tuple[Term, ...] = ()

    @property
    def shapes(self) -> list[Shape]:
        """Return the shape of the value in each frame."""
        return [self.graph.nodes[at].shape for at in self.nodes]

    @property
    def widths(self) -> tuple[object, ...]:
        """Return the channels of the value in each frame."""
        return tuple(self.scope.followed.width(self.graph, at, self.flat) for at in self.nodes)

    def after(self, nodes: Sequence[int], term: Term | None, flat: bool = False) -> Cursor:
        """Return the cursor after nodes whose channels are a term; the term is dropped if it does not hold."""
        closed = self.closed if term is not None and term == self.term else None
        made = replace(self, nodes=tuple(nodes), term=term, flat=flat, closed=closed, ways=())
        return replace(made, term=width_term(self.scope, made.widths, term))

    def flattened(self) -> Cursor:
        """Return the cursor after a flattening."""
        return replace(self, term=flat_term(self.shapes, self.term), flat=True)

    def where(self, chosen: Sequence[int]) -> Cursor:
        """Return the cursor restricted to some of the frames."""
        scope, nodes = self.scope.where(chosen), tuple(self.nodes[at] for at in chosen)
        some = replace(self, scope=scope, roots=tuple(self.roots[at] for at in chosen), nodes=nodes)
        holding = (term for term in self.ways if scope.holds(term, some.widths))
        return replace(some, term=next(holding, None)) if self.term is None else some

    def scope_term(self, inner: Cursor) -> Term | None:
        """Return the channels that leave an inner cursor, in names that are known here."""
        return width_term(self.scope, inner.widths, inner.term)

    def comment(self) -> str:
        """Return the shape that leaves: a single one, or the first and the last of several at one call site."""
        shapes = [str(shape.numel if self.flat else shape) for shape in self.shapes]
        if len(set(shapes)) == 1:
            return shapes[0]
        return f"{shapes[0]} to {shapes[-1]}" if len(set(self.roots)) == 1 else ""


def width_term(scope: Scope, widths: Sequence[object], term: Term | None) -> Term | None:
    """Return the term if it holds, else the number if it is the same everywhere, else None."""
    if scope.holds(term, widths):
        return term
    return Const(widths[0]) if len(set(widths)) == 1 and not is_number(widths[0]) else None


def flat_term(shapes: Sequence[Shape], term: Term | None) -> Term | None:
    """Return the number of values in maps with this number of channels."""
    pixels = {shape.pixels for shape in shapes}
    return mul(Const(pixels.pop()), term) if len(pixels) == 1 and term is not None else None


def follows(graph: Graph, node: Node) -> bool:
    """Return whether the channels of a layer's output are always the same multiple of those that enter."""
    return _follows(node.layer, *graph.shapes(node))


@lru_cache(maxsize=4096)
def _follows(layer: Layer, *inputs: Shape) -> bool:
    doubled = [Shape(2 * shape.channels, shape.spatial) for shape in inputs]
    try:
        return layer.output(*doubled).channels == 2 * layer.output(*inputs).channels
    except LayerError:
        return False
