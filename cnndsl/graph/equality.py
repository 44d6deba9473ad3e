"""Which parts are equal: decided exactly, by giving equal parts equal numbers.

A part is written as a tuple of its layer, or of its inner parts' numbers, and each tuple gets a number when it is first
seen (hash-consing). There are two ways to write a layer. `exact` has its options. `abstract` leaves out width and
stride, and takes a projection (a 1x1 convolution alone in a branch, with a normalisation or without) for an identity:
so the units of a residual stage are equal, whatever their width. Labels, blocks and repeats do not count, nor does how
a sequence is bracketed. A reference counts by its distance: how many nodes before the place that it enters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from itertools import islice

from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import LayerPart, MergePart, Part, ReferencePart, TapPart
from cnndsl.graph.traversal import inner_parts, nodes_of
from cnndsl.layers.base import Layer
from cnndsl.records import record


@record(slots=True)
class PartClass:
    """The numbers of a part: parts are equal where they agree."""

    exact: int
    abstract: int


class PartClasses:
    """The numbers of the parts of a graph; comparable with those of the graph whose numbers are given as `like`.

    Takes time and memory in proportion to the number of nodes times the depth of the tree.
    """

    def __init__(self, graph: Graph, like: PartClasses | None = None) -> None:
        self.graph = graph
        self._numbers: dict[tuple[object, ...], int] = {} if like is None else like._numbers
        self._rows: dict[int, tuple[int, ...]] = {} if like is None else like._rows
        self._found: dict[int, PartClass] = {}
        self._visit(graph.tree, 0)

    def of(self, part: Part) -> PartClass:
        """Return the numbers of a part of the graph.

        >>> from cnndsl.graph import LayerPart
        >>> from cnndsl.network import loads
        >>> classes = PartClasses(loads("INPUT 8x8x4 -> CONV3-4 -> CONV3-4 -> CONV3-8/2").graph)
        >>> one, same, other = (classes.of(LayerPart(at)) for at in (1, 2, 3))
        >>> one == same, one.exact == other.exact, one.abstract == other.abstract
        (True, False, True)
        """
        return self._layer(part.node) if isinstance(part, LayerPart) else self._found[id(part)]

    def _visit(self, part: Part, at: int) -> tuple[PartClass, int]:
        """The numbers of a part whose first node is `at`, and the node after its last."""
        if isinstance(part, LayerPart):
            return self._layer(part.node), part.node + 1
        classes: list[PartClass] = []
        for each in inner_parts(part):
            found, at = self._visit(each, at)
            classes.append(found)
        if isinstance(part, MergePart):
            made = self._merge(part, classes)
            at = part.node + 1
        elif isinstance(part, ReferencePart):
            number = self._number(("reference", at - part.node))
            made = PartClass(number, number)
        else:
            made = PartClass(
                self._row([each.exact for each in classes]), self._row([each.abstract for each in classes])
            )
            if isinstance(part, TapPart):
                made = PartClass(
                    *(self._number(("tap", part.training_only, each)) for each in (made.exact, made.abstract))
                )
        self._found[id(part)] = made
        return made, at

    def _layer(self, node: int) -> PartClass:
        found = self.graph.nodes[node]
        others = tuple(node - at for at in found.inputs[1:])
        exact = self._number(("layer", found.layer, *others))
        return PartClass(exact, self._number(("kind", *_abstract(found.layer), *others)))

    def _merge(self, part: MergePart, classes: Sequence[PartClass]) -> PartClass:
        kind = self.graph.nodes[part.node].kind
        skip = self._row([])
        branches = [
            skip if self._is_projection(branch) else found.abstract
            for branch, found in zip(part.branches, classes, strict=True)
        ]
        exact = self._number(("merge", kind, *(found.exact for found in classes)))
        return PartClass(exact, self._number(("merge", kind, *branches)))

    def _is_projection(self, branch: Part) -> bool:
        """Whether a branch is a convolution of one position, with normalisations behind it or without."""
        layers = [self.graph.nodes[at].layer for at in islice(nodes_of(branch), 3)]
        if not layers or layers[0].ROLE != "convolution" or set(getattr(layers[0], "kernel", ())) != {1}:
            return False
        return all(layer.ROLE == "normalisation" for layer in layers[1:])

    def _row(self, numbers: Sequence[int]) -> int:
        """The number of a sequence: rows in it are joined, and one part alone is itself."""
        flat = tuple(each for number in numbers for each in self._rows.get(number, (number,)))
        if len(flat) == 1:
            return flat[0]
        made = self._number(("row", *flat))
        self._rows[made] = flat
        return made

    def _number(self, key: tuple[object, ...]) -> int:
        return self._numbers.setdefault(key, len(self._numbers))


@lru_cache(maxsize=4096)
def _abstract(layer: Layer) -> tuple[object, ...]:
    """A layer without its width and its stride."""
    left_out = (layer.WIDTH, layer.STRIDE)
    return type(layer), *(getattr(layer, each.name) for each in fields(layer) if each.name not in left_out)
