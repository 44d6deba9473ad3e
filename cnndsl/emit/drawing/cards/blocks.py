"""The blocks of a drawing: parts that are equal except for widths and strides, with all their instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from fractions import Fraction

from cnndsl.emit.drawing.cards.items import ItemChain, Signatures, UnitItem, nodes_in, units_in
from cnndsl.emit.drawing.cards.letters import BlockLetters, letters
from cnndsl.emit.drawing.cards.terms import part_name
from cnndsl.emit.drawing.cards.words import (
    dilation_text,
    dims_text,
    layer_text,
    stride_of,
    stride_text,
    width_of,
    window_of,
)
from cnndsl.graph.graph import Graph
from cnndsl.values import Value


@dataclass(eq=False)
class BlockVariant:
    """A block, or a variant of it: its instances in order, and the cards in which they are."""

    number: int
    family: object
    title: str
    instances: list[UnitItem] = field(default_factory=list[UnitItem])
    cards: list[int] = field(default_factory=list[int])
    is_inset: bool = False
    at_first: int = 0
    """The number of instances that are the first of a card and differ from the others."""


class BlockBook:
    """All blocks that cards show, by their number in `Signatures`."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._graph: Graph = signatures.graph
        self._by_sign: dict[int, BlockVariant] = {}
        self._letters: dict[int, BlockLetters] = {}
        self._dilated: dict[int, list[str]] = {}
        self._calls: Counter[str] = Counter()
        self._places: dict[tuple[int, int], int] = {}
        self.variants: list[BlockVariant] = []
        self.taken: frozenset[str] = frozenset()
        """Letters with another meaning: the names of tables."""

    def add(self, item: UnitItem, card: int, *, is_inset: bool = False) -> BlockVariant:
        """Record an instance of a block in a card (-1: in another block), and return the block."""
        sign = self._signatures.of(item.chain)
        found = self._by_sign.get(sign)
        if found is None:
            found = BlockVariant(
                len(self.variants), item.title or sign, part_name(self._graph, item), is_inset=is_inset
            )
            self._by_sign[sign] = found
            self.variants.append(found)
        self._places[(found.number, min(nodes_in(item.chain)))] = len(found.instances)
        found.instances.append(item)
        found.cards.append(card)
        return found

    def count(self, chain: ItemChain) -> None:
        """Record the calls of blocks in a whole network, including those that no card shows."""
        for each in units_in(chain):
            if each.title:
                self._calls[each.title] += 1

    def shows_all(self, variant: BlockVariant) -> bool:
        """Return whether cards show all calls of a block, in any of its variants."""
        title = variant.instances[0].title
        return not title or self._calls[title] == len(self.relatives(variant))

    def of(self, item: UnitItem) -> BlockVariant:
        """Return the block of an instance."""
        return self._by_sign[self._signatures.of(item.chain)]

    def place(self, item: UnitItem) -> int:
        """Return the position of a part among the instances of its block."""
        return self._places[(self.of(item).number, min(nodes_in(item.chain)))]

    def relatives(self, variant: BlockVariant) -> list[UnitItem]:
        """Return the instances of all variants of a block."""
        return [item for each in self.variants if each.family == variant.family for item in each.instances]

    def letters(self, variant: BlockVariant) -> BlockLetters:
        """Return the letters of a block."""
        known = self._letters.get(variant.number)
        if known is None:
            known = letters(self._graph, variant.instances, self.relatives(variant), self.taken)
            self._letters[variant.number] = known
        return known

    def difference(self, item: UnitItem) -> str:
        """Return the difference between an instance and the others of its block: `c = 128, /2`."""
        variant = self.of(item)
        found, at = self.letters(variant), self.place(item)
        values = found.values[at]
        parts = [f"{name} = {value}" for name, value in values] if len(values) == 1 else [f"{n} {v}" for n, v in values]
        if found.slides[at]:
            parts.append(found.slides[at])
        dilations = self._dilations(variant)
        if dilations and (dilations[at] != "1" or not parts):
            parts.append(f"dilated {dilations[at]}")
        return ", ".join(parts)

    def _dilations(self, variant: BlockVariant) -> list[str]:
        """Return the dilation of each instance of a block, empty if all have the same."""
        if variant.number not in self._dilated:
            rows = [[self._graph.nodes[node].layer for node in nodes_in(each.chain)] for each in variant.instances]
            texts = [[dilation_text(layer) for layer in row] for row in rows]
            varied = [at for at in range(len(rows[0])) if len({row[at] for row in texts}) > 1]
            found = [", ".join(dict.fromkeys(row[at] for at in varied)) for row in texts] if varied else []
            self._dilated[variant.number] = found
        return self._dilated[variant.number]


def matched(graph: Graph, whole: UnitItem, others: Sequence[UnitItem]) -> dict[int, dict[int, int]]:
    """Return for each node of a part the corresponding node of each other part: that of the same location in the
    program, and among those, by the order of layer types."""
    base = nodes_in(whole.chain)
    found: dict[int, dict[int, int]] = {node: {} for node in base}
    for number, other in enumerate(others):
        for node, mate in _pairs(graph, base, nodes_in(other.chain)):
            found[node][number] = mate
    return found


def _pairs(graph: Graph, one: Sequence[int], other: Sequence[int]) -> Iterator[tuple[int, int]]:
    def written(node: int) -> object:
        span = graph.nodes[node].span
        return (_type(graph, node), span.source.name, span.start)

    before = 0, 0
    matcher = SequenceMatcher(None, list(map(written, one)), list(map(written, other)), False)
    for block in matcher.get_matching_blocks():
        gaps = one[before[0] : block.a], other[before[1] : block.b]
        left, right = ([_type(graph, node) for node in gap] for gap in gaps)
        for inner in SequenceMatcher(None, left, right, False).get_matching_blocks():
            yield from zip(gaps[0][inner.a :][: inner.size], gaps[1][inner.b :][: inner.size], strict=True)
        yield from zip(one[block.a :][: block.size], other[block.b :][: block.size], strict=True)
        before = block.a + block.size, block.b + block.size


def _type(graph: Graph, node: int) -> str:
    """Return the type by which a layer is matched: all activations are the same."""
    at = graph.nodes[node]
    return at.layer.ROLE if at.layer.ROLE == "activation" else at.kind


def _entering(graph: Graph, item: UnitItem) -> int:
    """Return the input channels of a part."""
    first = graph.nodes[nodes_in(item.chain)[0]]
    return graph.shapes(first)[0].channels if first.inputs else first.shape.channels


def _table_width(
    columns: Mapping[str, Mapping[int, Value]], width: Mapping[int, int], entering: Mapping[int, int]
) -> str:
    """Return a width as a column of the table, a multiple of one, that many times the input channels, or a fraction of
    a column; otherwise a letter of its own."""
    ratios: dict[str, Fraction] = {}
    for name, column in columns.items():
        every = {Fraction(width[at], value) if isinstance(value, int) and value else 0 for at, value in column.items()}
        if len(every) == 1 and (ratio := Fraction(min(every))):
            ratios[name] = ratio
    whole = {name: ratio.numerator for name, ratio in ratios.items() if ratio.denominator == 1}
    if whole:
        name = min(whole, key=whole.__getitem__)
        return f"{whole[name]}{name}" if whole[name] > 1 else name
    for name, column in columns.items():
        if all(isinstance(value, int) and value * entering[at] == width[at] for at, value in column.items()):
            return f"{name}C"
    parts = {name: ratio.denominator for name, ratio in ratios.items() if ratio.numerator == 1}
    if parts:
        name = min(parts, key=parts.__getitem__)
        return f"{name}/{parts[name]}"
    return next(each for each in "ewuvxyz" if each not in columns)


def window_letter(names: Collection[str]) -> str:
    """Return the letter for a window that is in no column of a table, whose `names` are taken."""
    return next(each for each in ("k", "m", "n", "k′") if each not in names)


def table_letters(
    graph: Graph,
    whole: UnitItem,
    turns: Sequence[UnitItem],
    names: Sequence[str],
    rows: Sequence[Sequence[Value]],
    elsewhere: Sequence[UnitItem] = (),
) -> tuple[BlockLetters, frozenset[int], Mapping[int, str]]:
    """Return letters for a block whose instances are the rows of a table: the names of the table if a column has a
    layer's widths or strides; the nodes that some rows lack; and texts for layers whose window or type varies.
    `elsewhere` are further calls of the block, in which a width has the same name."""
    pairs = matched(graph, whole, turns)
    calls = [each for each in elsewhere if set(names) <= dict(each.parameters).keys()]
    further = matched(graph, whole, calls) if calls else {}
    widths: dict[int, str] = {}
    strides: dict[int, str] = {}
    texts: dict[int, str] = {}
    optional: set[int] = set()
    for at, (node, others) in enumerate(pairs.items()):
        if len(others) < len(turns):
            optional.add(node)
        layers = {number: graph.nodes[each].layer for number, each in others.items()}
        columns = {name: {number: rows[number][place] for number in layers} for place, name in enumerate(names)}
        width = {number: width_of(layer) for number, layer in layers.items()}
        if len(set(width.values())) > 1:
            entering = {number: _entering(graph, turns[number]) for number in layers}
            told = {name: dict(column) for name, column in columns.items()}
            for number, mate in further.get(node, {}).items():
                width[-1 - number] = width_of(graph.nodes[mate].layer)
                entering[-1 - number] = _entering(graph, calls[number])
                for name, column in told.items():
                    column[-1 - number] = dict(calls[number].parameters)[name]
            widths[at] = _table_width(told, width, entering)
        slide = {stride_of(layer) for layer in layers.values()}
        if len(slide) > 1:
            strides[at] = "/s"
        layer = graph.nodes[node].layer
        sizes = {number: window_of(each) for number, each in layers.items()}
        if len(set(sizes.values())) > 1:
            windows = {name: {number: (value,) for number, value in each.items()} for name, each in columns.items()}
            name = next((name for name, window in windows.items() if window == sizes), window_letter(names))
            rank = graph.nodes[node].shape.rank
            size = dims_text((0,), rank).replace("0", name)
            texts[node] = layer_text(
                graph.nodes[node], rank, is_open=True, width=widths.get(at, ""), stride=strides.get(at), size=size
            )
        if layer.ROLE == "activation" and len({each.kind() for each in layers.values()}) > 1:
            texts[node] = "activation"
    values = tuple(() for _ in turns)
    return BlockLetters(widths, strides, values, tuple(stride_text(()) for _ in turns)), frozenset(optional), texts
