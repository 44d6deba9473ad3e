"""Find equal parts: exactly equal, or equal except for widths, strides and projections.

Every part gets two numbers by hash-consing: equal parts have equal tuples of their components, and a dictionary numbers
the tuples. The keys are exact, so there are no hash collisions. Time and memory are linear in the number of nodes; the
nesting depth of rows is limited.

Equality depends on what is computed, and in which order: the options of layers, merges, auxiliary outputs, which value
each layer reads, and whether it has weights of its own or those of an earlier one. Names, blocks, square brackets,
repeats, decided optional parts and shapes do not count. A value from outside a part counts by its relation to the part:
it is the one that enters the part, or the first, second, … of the others that the part reads. So equal parts compute
the same from equal values, up to weights.

Abstract classes also ignore options for widths and strides. In a sum with a branch that computes something, a
projection (a layer that works at each position separately and sets the width, possibly with normalisation) equals `ID`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import accumulate, chain
from typing import TypeAlias

from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import LayerPart, MergePart, Part, ReferencePart, TapPart
from cnndsl.graph.traversal import entered, inner_parts, nodes_of
from cnndsl.layers.base import Layer
from cnndsl.records import record

_Item: TypeAlias = "int | tuple[int, ...]"
"""The number of a part's class, followed by the codes of what the part reads from outside, if anything."""

_ENTRY = -1
"""The code of the value that enters a part. Nodes in it are 0, 1, …, other values from outside -2, -3, …"""

_NONE: Mapping[int, int] = {}

_POINTWISE = (1, (1,), (1, 1), (1, 1, 1))
"""Sizes of windows with a single position."""

_OTHER, _NOTHING, _NORM, _PROJECTION = range(4)
"""The effects of a branch on the value that enters it."""


@record(slots=True)
class PartClass:
    """The numbers of a part's classes. If `exact` is equal, so is `abstract`."""

    exact: int
    abstract: int


class PartClasses:
    """The classes of all parts of some graphs.

    >>> from cnndsl import loads
    >>> from cnndsl.graph.traversal import walk
    >>> graph = loads("INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> c: CONV3-8/2").graph
    >>> classes = PartClasses(graph)
    >>> a, b, c = (classes.of(part) for part in walk(graph.tree) if isinstance(part, LayerPart) and part.node)
    >>> a.exact == b.exact, b.exact == c.exact, b.abstract == c.abstract
    (True, False, True)
    """

    def __init__(self, *graphs: Graph) -> None:
        self._graphs = graphs
        """Parts are identified by their id, so they must stay alive."""
        self._numbers: dict[object, int] = {}
        self._layers: dict[int, tuple[Layer, PartClass]] = {}
        self._nothing = self._number("nothing")
        self._classes: dict[int, PartClass] = {}
        for graph in graphs:
            self._add(graph)

    def of(self, part: Part) -> PartClass:
        """Return the class of a part. Raises KeyError for a part of any other graph."""
        return self._classes[id(part)]

    def layer(self, layer: Layer) -> PartClass:
        """Return the class of a layer on its own, regardless of its position."""
        known = self._layers.get(id(layer))
        if known is None:
            kind = type(layer)
            exact, abstract = (
                self._number((kind, *(getattr(layer, name) for name in names))) for names in _counting(kind)
            )
            known = self._layers[id(layer)] = layer, PartClass(exact, abstract)
        return known[1]

    def _number(self, key: object) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def _add(self, graph: Graph) -> None:
        wiring = _Wiring(graph)
        everything = list(range(len(wiring.place) + 1))
        exact, abstract = dict[int, int](), dict[int, int]()
        for part, entry in wiring.upwards:
            number = self._of(part, entry, exact, wiring, everything, is_abstract=False)
            exact[id(part)] = number
            abstract[id(part)] = self._of(part, entry, abstract, wiring, wiring.without_projections, is_abstract=True)
            self._classes[id(part)] = PartClass(number, abstract[id(part)])

    def _of(
        self,
        part: Part,
        entry: int,
        known: Mapping[int, int],
        wiring: _Wiring,
        before: Sequence[int],
        *,
        is_abstract: bool,
    ) -> int:
        """Return the number of a part, from those of its children. `before` counts the nodes before a position."""

        def item(child: Part) -> _Item:
            number, outside = known[id(child)], wiring.outside[id(child)]
            return (number, *wiring.codes(part, entry, outside, before)) if outside else number

        if isinstance(part, LayerPart | MergePart):
            node = wiring.graph.nodes[part.node]
            found = self.layer(node.layer)
            layer = found.abstract if is_abstract else found.exact
            if isinstance(part, LayerPart):
                is_again = ("again",) if node.weights_of >= 0 else ()
                return self._number((LayerPart, layer, *is_again, *wiring.codes(part, entry, node.inputs, before)))
            projections = wiring.projections.get(id(part), ()) if is_abstract else ()
            branches = (self._nothing if at in projections else item(branch) for at, branch in enumerate(part.branches))
            return self._number((MergePart, layer, *branches))
        if isinstance(part, TapPart):
            return self._number((TapPart, part.training_only, item(part.part)))
        if isinstance(part, ReferencePart) and part.node != entry:
            return self._number(ReferencePart)
        inner = [each for each in inner_parts(part) if wiring.items[id(each)]]
        if len(inner) > 1:
            return self._number(("row", *map(item, wiring.items[id(part)])))
        return known[id(inner[0])] if inner else self._nothing


@cache
def _counting(kind: type[Layer]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the fields of a layer that count in exact and in abstract classes. Names of outputs never count."""
    options = kind.options()
    exact = tuple(each.name for each in fields(kind) if each.name not in options or not _is_name(kind, each.name))
    return exact, tuple(name for name in exact if name in options and name not in (kind.WIDTH, kind.STRIDE))


def _is_name(kind: type[Layer], option: str) -> bool:
    return kind.options()[option].type == "reference"


class _Wiring:
    """What each part of a graph reads, and which branches are projections."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.place = {node: at for at, node in enumerate(nodes_of(graph.tree))}
        self.upwards = list(_upwards(graph.tree))
        """Every part with the node that enters it, each after its children."""
        self.span: dict[int, range] = {}
        """The positions of a part's nodes."""
        self.items: dict[int, Sequence[Part]] = {}
        """The elements of a row, without those that only pass the value on."""
        self.outside: dict[int, Mapping[int, int]] = {}
        """The nodes outside a part that it reads, except the one that enters it, in reading order."""
        self.projections: dict[int, tuple[int, ...]] = {}
        """The positions of the branches of a sum that are projections."""
        effects = dict[int, int]()
        left_out = set[int]()
        for part, entry in self.upwards:
            self.span[id(part)] = self._span(part)
            self.items[id(part)] = self._items(part, entry)
            self.outside[id(part)] = self._outside(part, entry)
            effects[id(part)] = self._effect(part, entry, effects)
            if isinstance(part, MergePart) and graph.nodes[part.node].layer.GRADIENT == "handed on":
                found = [effects[id(branch)] for branch in part.branches]
                if not all(effect in (_NOTHING, _PROJECTION) for effect in found):
                    self.projections[id(part)] = tuple(at for at, each in enumerate(found) if each == _PROJECTION)
                    for at in self.projections[id(part)]:
                        left_out.update(self.span[id(part.branches[at])])
        counted = (at not in left_out for at in range(len(self.place)))
        self.without_projections = list(accumulate(counted, initial=0))
        """The number of nodes before a position that are in no projection."""

    def codes(self, part: Part, entry: int, read: Iterable[int], before: Sequence[int]) -> Iterator[int]:
        """Yield, for each node that a part reads, the code of its relation to the part."""
        inside, outside = self.span[id(part)], self.outside[id(part)]
        for node in read:
            if node == entry:
                yield _ENTRY
            elif node in outside:
                yield _ENTRY - 1 - outside[node]
            else:
                yield before[self.place[node]] - before[inside.start]

    def _span(self, part: Part) -> range:
        own = part.node if isinstance(part, LayerPart | MergePart) else None
        spans = [each for child in inner_parts(part) if (each := self.span[id(child)])]
        if own is not None:
            spans.append(range(self.place[own], self.place[own] + 1))
        return range(spans[0].start, spans[-1].stop) if spans else range(0)

    def _items(self, part: Part, entry: int) -> Sequence[Part]:
        if isinstance(part, ReferencePart) and part.node == entry:
            return ()
        if isinstance(part, LayerPart | MergePart | TapPart | ReferencePart):
            return (part,)
        rows = [items for each in inner_parts(part) if (items := self.items[id(each)])]
        return rows[0] if len(rows) == 1 else tuple(chain.from_iterable(rows))

    def _outside(self, part: Part, entry: int) -> Mapping[int, int]:
        if isinstance(part, ReferencePart):
            return _NONE if part.node == entry else {part.node: 0}
        if isinstance(part, LayerPart):
            read: Iterable[int] = self.graph.nodes[part.node].inputs
            if read == (entry,):
                return _NONE
        else:
            read = list(chain.from_iterable(self.outside[id(child)] for child in inner_parts(part)))
            if not read:
                return _NONE
        inside = self.span[id(part)]
        found = dict.fromkeys(at for at in read if at != entry and self.place.get(at, -1) not in inside)
        return {node: number for number, node in enumerate(found)} if found else _NONE

    def _effect(self, part: Part, entry: int, effects: Mapping[int, int]) -> int:
        """Return the effect of a part on the value that enters it."""
        if isinstance(part, LayerPart):
            node = self.graph.nodes[part.node]
            return _of_layer(node.layer) if node.inputs == (entry,) else _OTHER
        if isinstance(part, ReferencePart):
            return _NOTHING if part.node == entry else _OTHER
        if isinstance(part, MergePart | TapPart):
            return _OTHER
        found = [effects[id(child)] for child in inner_parts(part)]
        return _OTHER if _OTHER in found else max(found, default=_NOTHING)


def _of_layer(layer: Layer) -> int:
    if layer.ROLE == "normalisation":
        return _NORM
    is_pointwise = not layer.SIZE or getattr(layer, layer.SIZE) in _POINTWISE
    return _PROJECTION if layer.WIDTH and is_pointwise else _OTHER


def _upwards(tree: Part) -> Iterator[tuple[Part, int]]:
    """Yield every part with the node that enters it, each after its children."""
    downwards, stack = list[tuple[Part, int]](), [(tree, -1)]
    while stack:
        part, entry = stack.pop()
        downwards.append((part, entry))
        stack.extend(entered(part, entry))
    return reversed(downwards)
