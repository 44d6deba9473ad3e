"""The rows of cards: runs of equal instances and rows, and the differences between them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.analysis.cost import Cost
from cnndsl.emit.drawing.cards.blocks import BlockBook
from cnndsl.emit.drawing.cards.items import (
    ForkItem,
    ItemChain,
    LayerItem,
    ReferenceItem,
    Signatures,
    UnitItem,
    flat,
    has_fork,
    nodes_in,
)
from cnndsl.emit.drawing.cards.model import (
    CardLine,
    FusedRow,
    GrowthBar,
    NetCard,
    SpineBranching,
    SpineRow,
    SpineStep,
)
from cnndsl.emit.drawing.cards.opened import Opener
from cnndsl.emit.drawing.cards.raw import RawCard, RawFork, RawRow, RawStep, table_instances
from cnndsl.emit.drawing.cards.tables import card_table
from cnndsl.emit.drawing.cards.terms import common_name, part_name
from cnndsl.emit.drawing.cards.wiring import entry_of, is_nested
from cnndsl.emit.drawing.cards.words import dims_text, shape_text, width_of, window_of
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph

_MOST_BRANCHES = 6
_BRANCHES = 3
"""The least number of branches for which a concatenation has columns and a bar."""


class CardMaker:
    """Makes the steps of the spine from the parts that `spine` gathered."""

    def __init__(
        self,
        graph: Graph,
        signatures: Signatures,
        book: BlockBook,
        given: Collection[int],
        figures: Mapping[int, Cost],
    ) -> None:
        self._graph = graph
        self._signatures = signatures
        self._book = book
        self._given = given
        self._figures = figures

    def note(self, card: RawCard, at: int) -> None:
        """Record the blocks of a card in the book."""
        items = [each for each in card.parts if isinstance(each, UnitItem)]
        if card.names:
            items = [each for each, _ in table_instances(card)]
        variants = [self._book.add(each, at) for each in items]
        if len(variants) > 1 and variants[0] is not variants[1]:
            variants[0].at_first += 1

    def with_closed(self, steps: Sequence[RawStep]) -> list[RawStep]:
        """Return the steps, with branches that nested boxes cannot show replaced by a card."""
        found: list[RawStep] = []
        for at, step in enumerate(steps):
            if isinstance(step, RawFork) and not self._is_open(step.item):
                part = UnitItem("", "", "", (step.item,), self._graph.tree)
                step = RawCard("", "", (part,))
                self.note(step, at)
            found.append(step)
        return found

    def _is_open(self, item: ForkItem) -> bool:
        inside = set(nodes_in((item,)))
        leaves = any(
            reader not in inside for node in inside - {item.node} for reader in self._graph.readers[node]
        ) or any(node in self._given for node in inside - {item.node})
        inner = [each for branch in item.branches for each in flat(branch)]
        is_deep = any(isinstance(each, ForkItem) and _has_source(each) for each in inner)
        entry = entry_of(self._graph, (item,))
        return not leaves and not is_deep and is_nested(self._graph, (item,), entry)

    def step(self, step: RawStep, at: int, opener: Opener, keys: Mapping[int, str]) -> SpineStep:
        """Return a step of the spine. `keys` has the letter of each block that is opened."""
        if isinstance(step, RawRow):
            last = self._graph.nodes[step.nodes[-1]]
            is_input = not self._graph.nodes[step.nodes[0]].inputs
            row = opener.row(step.nodes, is_open=False)
            if is_input and len(self._graph.inputs) > 1:
                cell = row.cells[0]
                row = FusedRow((replace(cell, text=f"{last.path}: {cell.text}"), *row.cells[1:]))
            return SpineRow(row, shape_text(last.shape), is_input, last.path, step.stage)
        if isinstance(step, RawFork):
            node = self._graph.nodes[step.item.node]
            return SpineBranching(opener.branching(step.item), shape_text(node.shape), node.path, step.stage)
        return self._card(step, opener, keys)

    def _card(self, card: RawCard, opener: Opener, keys: Mapping[int, str]) -> NetCard:
        nodes = [node for each in card.parts for node in _nodes(each)]
        items = [each for each in card.parts if isinstance(each, UnitItem)]
        lines = tuple(self._lines(card, opener, keys))
        params = sum(self._figures[node].params for node in nodes)
        shape = shape_text(self._graph.nodes[self._leaving(card)].shape)
        table = card_table(self._graph, card) if card.names else None
        name = card.name or self._unnamed(card)
        heads = self._heads(items)
        times = self._times(card)
        if card.names:
            items = [each for each, _ in table_instances(card)]
        title = items[0].title if items and len({each.title for each in items}) == 1 else ""
        growth = self._growth(items)
        is_told = _is_told(name, lines)
        return NetCard(
            name, params, times, lines, shape, card.path, heads, growth, table, title, is_told, stage=card.stage
        )

    def _times(self, card: RawCard) -> int:
        """Return how many iterations of one block or its variants a card consists of; 1 if it has anything else."""
        if card.names:
            items = [each for each, _ in table_instances(card)]
            return len(items) if len({each.title for each in items}) == 1 else 1
        items = [each for each in card.parts if isinstance(each, UnitItem)]
        titles = {each.title or self._signatures.of(each.chain) for each in items}
        is_whole = len(items) == len(card.parts) and not card.is_call and (len(titles) == 1 or card.is_repeat)
        return len(items) if is_whole else 1

    def _leaving(self, card: RawCard) -> int:
        return _nodes(card.parts[-1])[-1]

    def _unnamed(self, card: RawCard) -> str:
        """Return the name of a card without one: that of its first block."""
        return next((part_name(self._graph, each) for each in card.parts if isinstance(each, UnitItem)), "")

    def _branches(self, item: UnitItem) -> str:
        """Return the windows in the branches of a block without a name and a panel that consists only of its
        branches."""
        chain = flat(item.chain)
        if item.title or item.name or len(chain) != 1 or not isinstance(chain[0], ForkItem):
            return ""
        heads = [self._head(branch) for branch in chain[0].branches]
        runs = [(head, sum(1 for _ in several)) for head, several in groupby(heads)]
        shown = [f"{count} of {head}" if count > 1 else head for head, count in runs]
        return " | ".join(shown) if all(heads) else ""

    def _lines(self, card: RawCard, opener: Opener, keys: Mapping[int, str]) -> list[CardLine]:
        if card.names:  # the table has the rows
            return [CardLine("", 1, False, (_nodes(each),)) for each in card.parts]
        runs: list[tuple[object, list[UnitItem | tuple[int, ...]]]] = []
        for part in card.parts:
            key = self._key(part)
            if runs and runs[-1][0] == key:
                runs[-1][1].append(part)
            else:
                runs.append((key, [part]))
        found: list[CardLine] = []
        for at, (_, parts) in enumerate(runs):
            is_first = at == 0 and len(parts) == 1 and len(runs) == 2 and _is_relative(parts[0], runs[1][1][0])
            found.append(self._line(parts, opener, keys, is_first))
        return found

    def _key(self, part: UnitItem | tuple[int, ...]) -> object:
        if isinstance(part, tuple):
            return ("row", *(self._signatures.layer(node) for node in part))
        return (self._book.of(part).number, self._signatures.exact(part.chain), self._book.difference(part))

    def _line(
        self,
        parts: Sequence[UnitItem | tuple[int, ...]],
        opener: Opener,
        keys: Mapping[int, str],
        is_first: bool,
    ) -> CardLine:
        nodes = tuple(_nodes(each) for each in parts)
        first = parts[0]
        if isinstance(first, tuple):
            row = opener.row(first, is_open=False)
            return CardLine("", len(parts), False, nodes, row=row, role=row.cells[0].role)
        variant = self._book.of(first)
        columns, bar = self._columns(first)
        key = keys.get(variant.number, "")
        return CardLine(
            self._book.difference(first) or ("" if key else self._branches(first)),
            len(parts),
            is_first,
            nodes,
            variant.number,
            key,
            common_name([each for each in parts if isinstance(each, UnitItem)]) or part_name(self._graph, first),
            None,
            columns,
            bar,
            _main_role(self._graph, first),
        )

    def _columns(self, item: UnitItem) -> tuple[tuple[str, ...], tuple[tuple[int, str], ...]]:
        """Return the widths in each branch of a concatenation, and the channels of each branch with the role of its
        last layer."""
        fork = self._joining(item)
        if fork is None:
            return (), ()
        columns: list[str] = []
        bar: list[tuple[int, str]] = []
        inputs = self._graph.nodes[fork.node].inputs
        for branch, before in zip(fork.branches, inputs, strict=True):
            widths = [width_of(self._graph.nodes[node].layer) for node in nodes_in(branch)]
            columns.append(" → ".join(str(each) for each in widths if each) or "·")
            layers = [self._graph.nodes[node].layer for node in nodes_in(branch)]
            mains = [each for each in layers if each.ROLE in ("convolution", "pooling")]
            role = role_of(mains[0]) if mains else "io"
            bar.append((self._graph.nodes[before].shape.channels, role))
        return tuple(columns), tuple(bar)

    def _joining(self, item: UnitItem) -> ForkItem | None:
        """Return the concatenation of chains that a block consists of, or None."""
        chain = item.chain
        while len(chain) == 1 and isinstance(chain[0], UnitItem):
            chain = chain[0].chain
        if len(chain) != 1 or not isinstance(chain[0], ForkItem) or len(chain[0].branches) < _BRANCHES:
            return None
        fork = chain[0]
        is_plain = not any(has_fork(branch) or not nodes_in(branch) for branch in fork.branches)
        few = all(sum(bool(width_of(self._graph.nodes[n].layer)) for n in nodes_in(b)) <= 3 for b in fork.branches)
        is_join = self._graph.nodes[fork.node].layer.JOINS_CHANNELS
        return fork if is_plain and few and len(fork.branches) <= _MOST_BRANCHES and is_join else None

    def _heads(self, items: Sequence[UnitItem]) -> tuple[str, ...]:
        """Return the heads of the columns of a card with branches: windows and poolings."""
        if not items or len({self._signatures.of(each.chain) for each in items}) != 1:
            return ()
        fork = self._joining(items[0])
        return tuple(self._head(branch) for branch in fork.branches) if fork is not None else ()

    def _head(self, branch: ItemChain) -> str:
        words: list[str] = []
        for node in nodes_in(branch):
            layer = self._graph.nodes[node].layer
            if layer.ROLE == "pooling":
                words.append("pool")
            elif width_of(layer) and layer.SIZE:
                words.append(dims_text(window_of(layer), self._graph.nodes[node].shape.rank))
        return " → ".join(words)

    def _growth(self, items: Sequence[UnitItem]) -> GrowthBar | None:
        """Return the growth of equal dense layers, each of which reads all earlier outputs."""
        if len(items) < 2 or len({self._signatures.of(each.chain) for each in items}) != 1:
            return None
        chain = items[0].chain
        if len(chain) != 1 or not isinstance(chain[0], ForkItem) or len(chain[0].branches) != 2:
            return None
        steps: list[int] = []
        entering = 0
        for at, item in enumerate(items):
            fork = item.chain[0]
            if not isinstance(fork, ForkItem) or all(nodes_in(branch) for branch in fork.branches):
                return None
            node = self._graph.nodes[fork.node]
            if not node.layer.JOINS_CHANNELS:
                return None
            before = self._graph.nodes[entry_of(self._graph, item.chain)].shape.channels
            entering = before if at == 0 else entering
            steps.append(node.shape.channels - before)
        return GrowthBar(entering, len(items), steps[0]) if len(set(steps)) == 1 else None


def _nodes(part: UnitItem | tuple[int, ...]) -> tuple[int, ...]:
    return part if isinstance(part, tuple) else nodes_in(part.chain)


def _is_relative(one: UnitItem | tuple[int, ...], other: UnitItem | tuple[int, ...]) -> bool:
    return isinstance(one, UnitItem) and isinstance(other, UnitItem) and one.title == other.title


def _is_told(name: str, lines: Sequence[CardLine]) -> bool:
    """Return whether the rows of a card have the widths that its name states."""
    shown = {part for line in lines if line.row for cell in line.row.cells for part in cell.text.split(", ")}
    values = [each.partition(" = ")[2] for each in name.split(", ")]
    return all(values) and shown.issuperset(values)


def _has_source(item: ForkItem) -> bool:
    return any(branch and isinstance(branch[0], ReferenceItem) for branch in item.branches)


def _main_role(graph: Graph, item: UnitItem) -> str:
    """Return the role, in the palette, of at least two thirds of a block's layers that have weights or pool, otherwise
    a neutral one."""
    roles = [role_of(graph.nodes[each.node].layer) for each in flat(item.chain) if isinstance(each, LayerItem)]
    mains = [role for role in roles if role in ("conv", "fc", "up", "pool")]
    most = max(dict.fromkeys(mains), key=mains.count, default="conv")
    return most if 3 * mains.count(most) >= 2 * len(mains) else "io"
