"""Which parameters of a net stay arguments of its class: those that change what the last layers give, or a rate.

A parameter is fixed where a repeat, a choice, a window or a name depends on it, and where a width that it sets is
read by a layer with weights: then other numbers of the file depend on it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.parts import inner, output
from cnndsl.expr import Expr, names
from cnndsl.graph import Called, Choice, Graph, Join, Leaf, Loop, Named, Node, Part
from cnndsl.graph import Sequence as SequencePart

Stain = frozenset[str]
"""Parameters of the net that a number depends on."""
_CLEAN: Stain = frozenset()


def kept(graph: Graph) -> frozenset[str]:
    """The parameters that stay arguments.

    >>> from cnndsl.network import loads
    >>> text = "net N(classes=10, w=8, n=2, p=0.5) INPUT 8x8x3 -> [CONV3-w]*n -> DROPOUT(p) -> FC-classes -> RELU"
    >>> sorted(kept(loads(text).graph))
    ['classes', 'p']
    """
    numbers = {name for name, value in graph.settings.items() if not isinstance(value, bool | tuple)}
    return frozenset(numbers) - _Stains(graph).fixed


class _Stains:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.fixed: set[str] = set()
        self.widths: dict[int, Stain] = {}
        look: dict[str, Stain] = {name: frozenset({name}) for name in graph.settings}
        for name, expr in graph.lets.items():
            look.setdefault(name, self._of(expr, look))
        self._part(graph.tree, look, 0)

    def _of(self, expr: Expr, look: Mapping[str, Stain]) -> Stain:
        return frozenset[str]().union(*(look.get(name.name, _CLEAN) for name in names(expr)))

    def _part(self, part: Part, look: Mapping[str, Stain], entry: int) -> None:
        """Goes through a part that the value of `entry` enters."""
        entering = self.widths.get(entry, _CLEAN)
        if isinstance(part, Leaf):
            self._layer(self.graph.nodes[part.node], {"C": entering, **look})
            return
        self._decided(part, {"C": entering, **look}, entering)
        if isinstance(part, Called):
            given = {name: self._of(expr, look) for name, expr in part.written}
            names_of_file = {
                name: stain for name, stain in look.items() if name in self.graph.settings or name in self.graph.lets
            }
            look = {**names_of_file, **dict.fromkeys(part.parameters, _CLEAN), **given, "C": entering}
        for each in inner(part):
            self._part(each, look, entry)
            if isinstance(part, SequencePart | Loop):
                entry = output(each, entry)
        if isinstance(part, Join):
            self._merge(self.graph.nodes[part.node])

    def _decided(self, part: Part, look: Mapping[str, Stain], entering: Stain) -> None:
        """What the structure depends on cannot be an argument."""
        exprs: Sequence[Expr] = ()
        if isinstance(part, Loop):
            exprs = () if part.count is None else (part.count,)
        elif isinstance(part, Choice) and part.kind == "either":
            self.fixed |= entering
        elif isinstance(part, Choice) and isinstance(part.test, str):
            self.fixed.add(part.test)
        elif isinstance(part, Choice) and part.test is not None and not isinstance(part.test, str):
            exprs = (part.test,)
        elif isinstance(part, Named):
            exprs = tuple(piece for piece in part.template if not isinstance(piece, str))
        for expr in exprs:
            self.fixed |= self._of(expr, look)

    def _layer(self, node: Node, look: Mapping[str, Stain]) -> None:
        written = {option: self._of(expr, look) for option, expr in node.written}
        entering = frozenset[str]().union(*(self.widths.get(at, _CLEAN) for at in node.inputs))
        for option, stain in written.items():
            if option != node.layer.WIDTH and node.layer.options()[option].type != "number":
                self.fixed |= stain
        if node.layer.tensors(*self.graph.shapes(node)) or node.layer.WIDTH in written:
            self.fixed |= entering
        self.widths[node.index] = written.get(node.layer.WIDTH, _CLEAN) | entering

    def _merge(self, node: Node) -> None:
        stains = [self.widths.get(at, _CLEAN) for at in node.inputs]
        union = frozenset[str]().union(*stains)
        if len(stains) > 1:
            self.fixed |= union
        self.widths[node.index] = union
