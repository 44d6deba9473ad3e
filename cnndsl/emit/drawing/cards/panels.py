"""Choose the blocks that are opened in panels, and make these."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from cnndsl.emit.drawing.cards.blocks import BlockBook, BlockVariant, table_letters
from cnndsl.emit.drawing.cards.conditions import conditions, windows
from cnndsl.emit.drawing.cards.counts import with_counts
from cnndsl.emit.drawing.cards.crossed import closed_units, is_plain, most_inputs, titles, wires
from cnndsl.emit.drawing.cards.items import (
    ForkItem,
    ItemChain,
    Signatures,
    TapItem,
    UnitItem,
    flat,
    nodes_in,
)
from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    InsetBox,
    PanelElement,
)
from cnndsl.emit.drawing.cards.notes import with_notes, without_widths
from cnndsl.emit.drawing.cards.opened import Opener, gate_role
from cnndsl.emit.drawing.cards.raw import RawCard, RawStep, table_instances
from cnndsl.emit.drawing.cards.retold import cells_in, retold, with_one_letter
from cnndsl.emit.drawing.cards.terms import listed, title_of
from cnndsl.emit.drawing.cards.wiring import entry_of
from cnndsl.emit.drawing.cards.words import ENTERING, dilation_text, layer_text, shape_text, word_of
from cnndsl.graph.graph import Graph

MOST_PANELS = 4
_MOST_VALUES = 4
"""The most values of an option that are listed."""
_CHANNELS = re.compile(r"\b\w?C\b")
"""`C`, or a multiple of it, `tC`."""
_KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class PanelMaker:
    """Makes panels. `keys` has the letter of each block that is opened, by number."""

    def __init__(self, graph: Graph, signatures: Signatures, book: BlockBook, given: Collection[int]) -> None:
        self._graph = graph
        self._signatures = signatures
        self._book = book
        self._given = given
        self._tables: dict[int, RawCard] = {}
        self.keys: dict[int, str] = {}

    def chosen(self, steps: Sequence[RawStep], opened: Collection[str]) -> list[BlockPanel]:
        """Return the panels of a network: those that cover the most weight layers, in order of appearance."""
        opened = frozenset(opened)
        self._tables = {
            self._book.of(_largest(step)).number: step for step in steps if isinstance(step, RawCard) and step.names
        }
        self._book.taken = frozenset(name for step in self._tables.values() for name in step.names)
        hidden = {
            self._book.of(part).number for step in self._tables.values() for part, _ in table_instances(step)
        } - set(self._tables)
        for variant in list(self._book.variants):
            for each in variant.instances:
                for gate in self._gates(each.chain):
                    self._book.add(gate, -1, is_inset=True)
                if not is_plain(self._graph, each.chain):
                    for several in closed_units(self._graph, each.chain, self._given):
                        for item in several:
                            self._book.add(item, -1)
        variants = [each for each in self._book.variants if each.number not in hidden and self._is_worth(each)]
        asked = [each for each in variants if not opened.isdisjoint(self._names(each, steps))]
        ranked = sorted(variants, key=self._weight, reverse=True)
        most = [*asked, *(each for each in ranked if each not in asked)][: max(MOST_PANELS, len(asked))]
        shown = self._ordered([each for each in variants if each in most])
        several = len(shown) > 1 or any(len(step.parts) > 1 for step in steps if isinstance(step, RawCard))
        for at, variant in enumerate(shown):
            if several and not variant.is_inset and variant.number not in self._tables:
                self.keys[variant.number] = _KEYS[at]
        return [*with_one_letter([self._panel(each) for each in shown], self._book.taken), *self._growth(shown)]

    def _names(self, variant: BlockVariant, steps: Sequence[RawStep]) -> set[str]:
        """Return the name of a block, and the parts in which it occurs."""
        cards = [step for at in variant.cards if at >= 0 and isinstance(step := steps[at], RawCard)]
        return {variant.title, *(card.name for card in cards), *(card.path for card in cards)} - {""}

    def _growth(self, shown: Sequence[BlockVariant]) -> list[BlockPanel]:
        """Return a picture of the connections between the layers of a dense block, if one is opened."""
        if not any(self._is_dense(each) for each in shown):
            return []
        return [BlockPanel("", "In a block", "", (), (), kind="growth", notes=("each layer sees all before it",))]

    def _is_dense(self, variant: BlockVariant) -> bool:
        """Return whether a block concatenates its input with its result, several times in a row."""
        chain = variant.instances[0].chain
        fork = chain[0] if len(chain) == 1 else None
        if not isinstance(fork, ForkItem) or len(variant.instances) <= len(set(variant.cards)) + 1:
            return False
        return self._graph.nodes[fork.node].layer.JOINS_CHANNELS and any(not branch for branch in fork.branches)

    def _ordered(self, shown: Sequence[BlockVariant]) -> list[BlockVariant]:
        """Return the panels with the variants of one block adjacent, that with the identity first; gates last."""
        first = {each.family: min(v.number for v in shown if v.family == each.family) for each in shown}
        return sorted(
            shown, key=lambda each: (each.is_inset, first[each.family], -len(self._identities(each)), each.number)
        )

    def _is_worth(self, variant: BlockVariant) -> bool:
        return len(nodes_in(variant.instances[0].chain)) > 1

    def _weight(self, variant: BlockVariant) -> int:
        roles = [self._graph.nodes[node].layer.ROLE for node in nodes_in(variant.instances[0].chain)]
        count = roles.count("convolution") + roles.count("dense")
        several = self._tables.get(variant.number)
        return count * (len(table_instances(several)) if several else len(variant.instances)) - (
            1000 if variant.is_inset else 0
        )

    def _identities(self, variant: BlockVariant) -> list[int]:
        """Return the sums of a block that have an identity among their branches."""
        if not is_plain(self._graph, variant.instances[0].chain):
            return []
        return [
            each.node
            for each in flat(variant.instances[0].chain)
            if isinstance(each, ForkItem) and any(not branch for branch in each.branches)
        ]

    def _gates(self, chain: ItemChain) -> list[UnitItem]:
        """Return the gates in a block that have a name, which are drawn closed."""
        found: list[UnitItem] = []
        stack = list(chain)
        while stack:
            item = stack.pop()
            if isinstance(item, UnitItem) and self._is_gate(item):
                found.append(item)
            elif isinstance(item, UnitItem):
                stack.extend(item.chain)
            elif isinstance(item, ForkItem):
                stack.extend(each for branch in item.branches for each in branch)
        return found

    def _is_gate(self, item: UnitItem) -> bool:
        return bool(item.title or item.name) and gate_role(self._graph, item) == "gate"

    def _inset(self, item: UnitItem) -> int | None:
        if not self._is_gate(item):
            return None
        return self._book.of(item).number

    def _panel(self, variant: BlockVariant) -> BlockPanel:
        table = self._tables.get(variant.number)
        if table is not None:
            return self._table_panel(variant, table)
        item = most_inputs(self._signatures, variant.instances)
        opener = Opener(self._signatures, self._given, None if variant.is_inset else self._inset)
        found = self._book.letters(variant)
        if is_plain(self._graph, item.chain):
            elements = opener.elements(item.chain, found)
        else:
            elements = opener.flat_elements(item.chain, found, self._closed(item.chain))
        elements = retold(elements, self._varied(variant, item))
        elements = _dilated(elements, self._dilations(variant, item))
        if len({self._graph.nodes[nodes_in(each.chain)[-1]].shape.channels for each in variant.instances}) > 1:
            elements = without_widths(elements)
        elements, notes = with_notes(elements)
        entering, leaving = self._ends_of(variant)
        return BlockPanel(
            self.keys.get(variant.number, ""),
            title_of(self._graph, variant.instances) or variant.title,
            self._caption(variant),
            elements,
            nodes_in(item.chain),
            entering,
            leaving,
            times=len(variant.instances) if not variant.is_inset else 1,
            block=variant.number,
            notes=notes,
            **wires(self._graph, elements, item.chain, variant.instances),
        )

    def _varied(self, variant: BlockVariant, item: UnitItem) -> dict[int, str]:
        """Return labels for the layers whose options vary among the instances, such as the margins of a crop."""
        found: dict[int, str] = {}
        rows = [nodes_in(each.chain) for each in variant.instances]
        for at, node in enumerate(nodes_in(item.chain)):
            layer = self._graph.nodes[node].layer
            if layer.ROLE != "arrangement" or layer.WIDTH:
                continue
            layers = [self._graph.nodes[row[at]] for row in rows]
            texts = list(dict.fromkeys(layer_text(each, each.shape.rank) for each in layers))
            word = word_of(layer.kind())
            if len(texts) > 1 and all(text.startswith(f"{word} ") for text in texts):
                found[node] = f"{word} {_told([text.removeprefix(f'{word} ') for text in texts])}"
        return found

    def _dilations(self, variant: BlockVariant, item: UnitItem) -> dict[int, str]:
        """Return the dilations of the layers in which they vary among the instances."""
        found: dict[int, str] = {}
        rows = [nodes_in(each.chain) for each in variant.instances]
        for at, node in enumerate(nodes_in(item.chain)):
            texts = dict.fromkeys(dilation_text(self._graph.nodes[row[at]].layer) for row in rows)
            if len(texts) > 1:
                found[node] = f"dilated {_told(list(texts), 2)}"
        return found

    def _closed(self, chain: ItemChain) -> list[InsetBox]:
        """Return the parts that stay closed in a block that is not series-parallel, each with its key."""
        found: list[InsetBox] = []
        closed = closed_units(self._graph, chain, self._given)
        names = titles(closed)
        for several in closed:
            item = several[0]
            nodes, number = nodes_in(several), self._book.of(item).number
            key = self.keys.get(number, "")
            found.append(InsetBox(names[nodes[0]], key, gate_role(self._graph, item), nodes, number))
        return found

    def _table_panel(self, variant: BlockVariant, table: RawCard) -> BlockPanel:
        several = table_instances(table)
        turns = [each for each, _ in several]
        item = _largest(table)
        own = {nodes_in(each.chain)[0] for each in turns}
        others = [each for each in self._book.relatives(variant) if nodes_in(each.chain)[0] not in own]
        rows = [row for _, row in several]
        found, optional, texts = table_letters(self._graph, item, turns, table.names, rows, others)
        opener = Opener(self._signatures, self._given, self._inset)
        elements = _dashed(retold(opener.elements(item.chain, found, optional), texts), optional)
        if len({self._graph.nodes[nodes_in(each.chain)[-1]].shape.channels for each in turns}) > 1:
            elements = without_widths(elements)
        elements = with_counts(elements, item, turns, table.names)
        dashed = conditions(self._graph, item, turns, table.names, elements)
        notes = (*dashed, *windows(self._graph, item, turns, table.names, elements))
        uses_channels = any(_CHANNELS.search(each) for each in (*found.widths.values(), *notes))
        return BlockPanel(
            "",
            variant.title,
            "dashed: not always there" if dashed else "",
            elements,
            nodes_in(item.chain),
            "C" if uses_channels else ENTERING,
            "",
            times=len(turns),
            block=variant.number,
            notes=notes,
            joined=(True,) * len(elements),
        )

    def beside(self, taps: Sequence[TapItem], homes: Mapping[int, int]) -> BlockPanel:
        """Return the panel of equal outputs beside the main line."""
        chain = taps[0].chain
        opener = Opener(self._signatures, self._given)
        title = next((each.title for each in chain if isinstance(each, UnitItem) and each.title), "")
        shapes = {self._graph.nodes[each.output].shape for each in taps}
        sources = tuple(
            dict.fromkeys(
                homes[before]
                for tap in taps
                for node in nodes_in(tap.chain)
                for before in self._graph.nodes[node].inputs
                if before in homes
            )
        )
        training = taps[0].training_only
        elements = (opener.elements if is_plain(self._graph, chain) else opener.flat_elements)(chain)
        names = ", ".join(each.name for each in taps)
        return BlockPanel(
            "",
            title or listed([each.name for each in taps]),
            f"{names}, in training only" if training else f"output {names}",
            elements,
            nodes_in(chain),
            "",
            shape_text(next(iter(shapes))) if len(shapes) == 1 else "",
            "training" if training else "output",
            len(taps),
            -1,
            sources,
            tuple(nodes_in(each.chain) for each in taps[1:]),
            **wires(self._graph, elements, chain),
        )

    def _caption(self, variant: BlockVariant) -> str:
        several = [each for each in self._book.variants if each.family == variant.family and not each.is_inset]
        if variant.is_inset:
            return ""
        count, every = len(variant.instances), sum(len(each.instances) for each in several)
        is_all = self._book.shows_all(variant)
        if len(several) == 1:
            return f"{count} times" if count > 1 and is_all else ""
        if self._identities(variant):
            kind = "identity"
        elif any(self._identities(each) for each in several):
            kind = "projection"
        else:
            kind = ""
        is_first = variant.at_first == count and count > 1
        is_first = is_first and set(variant.cards) == {at for each in several for at in each.cards}
        where = "first of a stage" if is_first else f"{count} of {every}"
        return " · ".join(each for each in (kind, where if is_all else "") if each)

    def _ends_of(self, variant: BlockVariant) -> tuple[str, str]:
        """Return the input and output labels of a block, with its letters for values that vary."""
        entries = [self._graph.nodes[entry_of(self._graph, each.chain)] for each in variant.instances]
        exits = [self._graph.nodes[nodes_in(each.chain)[-1]] for each in variant.instances]
        letters = self._book.letters(variant)
        known = {name: tuple(dict(row)[name] for row in letters.values) for name, _ in letters.values[0]}
        entering = _channels([each.shape.channels for each in entries], known)
        leaving = _channels([each.shape.channels for each in exits], known)
        if len({each.shape for each in entries}) == 1:
            entering = shape_text(entries[0].shape)
        if len({each.shape for each in exits}) == 1:
            leaving = shape_text(exits[0].shape)
        if letters.uses_channels and len({each.shape for each in entries}) > 1:
            entering = "C"
        added = {after.shape.channels - before.shape.channels for before, after in zip(entries, exits, strict=True)}
        if not leaving and not entering[1:] and len(added) == 1 and min(added) > 0:
            leaving = f"{entering or ENTERING} + {min(added)}"
        return entering or ENTERING, leaving


def _told(values: Sequence[str], most: int = _MOST_VALUES) -> str:
    return ", ".join(values) if len(values) <= most else f"{values[0]} to {values[-1]}"


def _channels(values: Sequence[int], known: Mapping[str, tuple[int, ...]]) -> str:
    """Return channels as the smallest multiple of a letter, "" if they are not a multiple."""
    multiples: list[tuple[int, str]] = []
    for name, others in known.items():
        ratios = {Fraction(value, other) for value, other in zip(values, others, strict=True)}
        if len(ratios) == 1 and min(ratios).denominator == 1:
            multiples.append((min(ratios).numerator, name))
    ratio, name = min(multiples, key=lambda each: each[0], default=(0, ""))
    return f"{ratio}{name}" if ratio > 1 else name


def _largest(card: RawCard) -> UnitItem:
    return max((each for each, _ in table_instances(card)), key=lambda each: len(nodes_in(each.chain)))


def _dilated(elements: Sequence[PanelElement], dilations: Mapping[int, str]) -> tuple[PanelElement, ...]:
    """Return the elements with other dilations for some nodes."""
    texts = {
        cell.node: f"{cell.text.partition(', dilated ')[0]}, {dilations[cell.node]}"
        for cell in cells_in(elements)
        if cell.node in dilations
    }
    return retold(elements, texts) if texts else tuple(elements)


def _dashed(elements: Sequence[PanelElement], optional: Collection[int]) -> tuple[PanelElement, ...]:
    """Return the elements; the identity of a merge that some rows lack is optional."""
    return tuple(
        replace(each, optional=tuple(not branch for branch in each.branches))
        if isinstance(each, Branching) and each.node in optional
        else each
        for each in elements
    )
