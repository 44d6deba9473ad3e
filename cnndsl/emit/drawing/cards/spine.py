"""Decide which parts of a network become cards, and which are drawn open in the spine.

A named part that contains several blocks or a repeat becomes a card; a part that contains such parts is opened.
Iterations of a repeat, and consecutive blocks of one type, are the rows of a card.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from cnndsl.emit.drawing.cards.crossed import is_crossed_block
from cnndsl.emit.drawing.cards.items import (
    DrawnItem,
    ForkItem,
    ItemChain,
    LayerItem,
    ReferenceItem,
    RepeatItem,
    Signatures,
    TapItem,
    UnitItem,
    has_fork,
    nodes_in,
)
from cnndsl.emit.drawing.cards.loops import holds_loop, is_loop, is_table, loops_in, row_name, varying
from cnndsl.emit.drawing.cards.periods import folded
from cnndsl.emit.drawing.cards.raw import (
    RawCard,
    RawFork,
    RawRow,
    RawStep,
    named_apart,
    table_instances,
    with_open_ends,
)
from cnndsl.emit.drawing.cards.rows import fused
from cnndsl.emit.drawing.cards.terms import common_name
from cnndsl.graph.graph import Graph
from cnndsl.graph.parts import CallPart

OPEN_ROWS = 6
"""A block that is used once is drawn open if it has at most this many rows."""
_TABLE_NAMES = 3
_ALIKE = 2
"""More parts than this of the same layer types are cards, whatever their size."""
_WHOLE = 0.6
_FOLDED = 3
"""The least number of times that two rows repeat to be a block."""


class SpineBuilder:
    """Collects the steps of the spine from the items of a network; `taps` are the parts beside it, `params` the
    parameters of nodes."""

    def __init__(
        self,
        signatures: Signatures,
        given: Collection[int],
        *,
        unfold: bool = False,
        levels: int | None = None,
        params: Mapping[int, int] | None = None,
    ) -> None:
        self.graph: Graph = signatures.graph
        self._params = params or {}
        self._unfold = unfold
        self._levels = levels
        self._level = 0
        self._stage = ""
        self.signatures = signatures
        self.given = given
        self.steps: list[RawStep] = []
        self.taps: list[TapItem] = []
        self._pending: list[int] = []
        self._run: list[UnitItem] = []
        self._uses: Counter[str] = Counter()
        self._alike: Counter[frozenset[str]] = Counter()
        self._turned: set[str] = set()
        """Blocks of which a repeat consists: they are rows of cards."""

    def build(self, chain: ItemChain) -> Sequence[RawStep]:
        """Return the steps of a whole network."""
        self._count(chain)
        self._walk(chain)
        self._flush()
        if self._unfold:
            return self.steps
        return named_apart(folded(with_open_ends(self.steps, self._params), self.signatures))

    def _count(self, chain: ItemChain) -> None:
        stack: list[DrawnItem] = list(chain)
        while stack:
            item = stack.pop()
            if isinstance(item, UnitItem):
                self._uses[item.title] += 1
                if (
                    item.name
                    and not has_fork(item.chain)
                    and len(fused(self.graph, nodes_in(item.chain), self.given)) > 1
                ):
                    self._alike[self._kinds(item)] += 1
                stack.extend(item.chain)
            elif isinstance(item, RepeatItem):
                if not item.names:
                    self._turned.update(each.title for each in item.turns if each.title and has_fork(each.chain))
                stack.extend(item.turns)
            elif isinstance(item, ForkItem):
                stack.extend(each for branch in item.branches for each in branch)
            elif isinstance(item, TapItem):
                stack.extend(item.chain)

    def _walk(self, chain: ItemChain) -> None:
        for item in chain:
            match item:
                case LayerItem():
                    self._end_run()
                    self._pending.append(item.node)
                case ReferenceItem():
                    self._flush()
                case ForkItem():
                    self._flush()
                    self._fork(item)
                case TapItem():
                    self._tap(item)
                case RepeatItem():
                    self._loop(item)
                case UnitItem():
                    self._unit(item)

    def _flush(self) -> None:
        self._end_run()
        self._rows()

    def _rows(self) -> None:
        if self._pending:
            for each in fused(self.graph, self._pending, self.given):
                self.steps.append(RawRow(each, self._begun()))
            self._pending = []

    def _begun(self) -> str:
        """Return the name of the opened part that begins here, once."""
        stage, self._stage = self._stage, ""
        return stage

    def _end_run(self) -> None:
        """End a run of blocks without names: they become one card, named after the block."""
        if not self._run:
            return
        self._rows()
        self._card(self._run[0].title, "", tuple(self._run))
        self._run = []

    def _card(
        self,
        name: str,
        path: str,
        parts: tuple[UnitItem | tuple[int, ...], ...],
        *,
        is_plain: bool = False,
        is_repeat: bool = False,
        is_call: bool = False,
    ) -> None:
        """Add a card, under the name of the opened part that begins with it; omit parts without layers."""
        parts = tuple([each for each in parts if isinstance(each, tuple) or nodes_in(each.chain)])
        if not parts:
            return
        stage = self._begun()
        self.steps.append(RawCard(name, path, parts, is_plain, is_repeat=is_repeat, stage=stage, is_call=is_call))

    def _fork(self, item: ForkItem) -> None:
        inner = sum(len(fused(self.graph, nodes_in(branch), self.given)) for branch in item.branches)
        if inner <= OPEN_ROWS or self._unfold:
            self.steps.append(RawFork(item, self._begun()))
            return
        part = UnitItem("", "", "", (item,), self.graph.tree)
        self._card("", "", (part,))

    def _tap(self, item: TapItem) -> None:
        inside = set(nodes_in(item.chain))
        if any(reader not in inside for node in inside for reader in self.graph.readers[node]):
            self._flush()
            self._walk(item.chain)
            self._flush()
        else:
            self.taps.append(item)

    def _opened(self, item: UnitItem) -> None:
        """Collect the steps of a part that isn't drawn as a card, under its name if it has several layers."""
        is_stage = bool(item.name) and has_fork(item.chain) and (self._unfold or self._levels is not None)
        if is_stage:
            self._flush()
            self._stage = item.name
        self._level += bool(item.name or item.title)
        self._walk(item.chain)
        self._level -= bool(item.name or item.title)
        if is_stage:
            self._flush()
            self._stage = ""

    def _unit(self, item: UnitItem) -> None:
        if self._unfold or (self._levels is not None and self._level < self._levels - 1):
            self._opened(item)
            return
        kind = self._kind(item)
        if self._levels is not None and kind == "open" and item.name and len(nodes_in(item.chain)) > OPEN_ROWS:
            kind = "stage"
        if kind == "open":
            if item.name and is_loop(item):
                self._flush()
                self._stage = item.name
            self._end_run()
            self._walk(item.chain)
        elif kind == "block" and not item.name:
            self._instance(item)
        else:
            self._flush()
            is_one = kind == "block" or item.title in self._turned
            parts = (item,) if is_one else tuple(self._parts(item.chain))
            is_plain = kind == "plain" and bool(item.name) and self._alike[self._kinds(item)] <= _ALIKE
            is_plain = is_plain and not loops_in(item.chain)
            name, is_call = item.name or item.title, isinstance(item.part, CallPart) and not item.name
            self._card(name, item.path, parts, is_plain=is_plain, is_repeat=is_loop(item), is_call=is_call)

    def _instance(self, item: UnitItem) -> None:
        if self._run and not self._is_like(self._run[-1], item):
            self._end_run()
        if not self._run:
            self._rows()
        self._run.append(item)

    def _is_like(self, one: UnitItem, other: UnitItem) -> bool:
        if one.title and one.title == other.title:
            return True
        return self.signatures.of(one.chain) == self.signatures.of(other.chain)

    def _kind(self, item: UnitItem) -> str:
        """Return how a part is drawn: `open`, `plain` or `stage` for a card with rows, `block` for an instance."""
        if not has_fork(item.chain):
            return self._plain_kind(item)
        if is_crossed_block(self.graph, item, self.given):
            return "block"
        if item.name and not item.title and _gathers(item.chain):
            return "open"
        inner = [each for each in item.chain if _is_structural(each)]
        is_direct = any(isinstance(each, ForkItem) for each in item.chain)
        if len(inner) == 1 and is_direct:
            return "block"
        is_whole = len(nodes_in(item.chain)) > _WHOLE * len(self.graph)
        if len(inner) == 1 and isinstance(inner[0], UnitItem):
            return "open" if len(item.chain) > 1 and is_whole else "stage"
        has_layers = any(isinstance(each, LayerItem) for each in item.chain)
        if (is_whole and has_layers) or any(self._holds_cards(each) for each in inner):
            return "open"
        return "stage"

    def _holds_cards(self, item: DrawnItem) -> bool:
        if isinstance(item, RepeatItem):
            return len(varying(item)) >= _TABLE_NAMES or any(self._kind(turn) == "open" for turn in item.turns[:1])
        return isinstance(item, UnitItem) and self._kind(item) in ("stage", "open")

    def _plain_kind(self, item: UnitItem) -> str:
        nodes = nodes_in(item.chain)
        rows = len(fused(self.graph, nodes, self.given))
        if rows <= 1:
            return "open"
        loops = loops_in(item.chain)
        if any(each.names and len(each.turns) > 1 and holds_loop(each) for each in loops):
            return "open"
        if any(len(varying(each)) >= _TABLE_NAMES for each in loops):
            return "open"
        if item.title and self._uses[item.title] > 1 and rows <= OPEN_ROWS and not loops:
            return "block"
        if item.name and self._alike[self._kinds(item)] > _ALIKE:
            return "plain"
        if len(nodes) > _WHOLE * len(self.graph) and not loops:
            return "open"
        own = sum(self._params.get(node, 0) for node in nodes)
        is_heavy = bool(item.name) and own > sum(self._params.values()) / 2
        return "plain" if loops or is_heavy or rows > OPEN_ROWS else "open"

    def _kinds(self, item: UnitItem) -> frozenset[str]:
        return frozenset(self.graph.nodes[node].kind for node in nodes_in(item.chain))

    def _loop(self, loop: RepeatItem) -> None:
        if self._unfold:
            for turn in loop.turns:
                self._opened(turn)
            return
        if len(varying(loop)) >= _TABLE_NAMES and is_table(loop):
            self._flush()
            self._table(loop)
            return
        if loop.names:
            if self._levels is None:
                self._stage = ""  # above the first of several cards it would read as the name of that one
            for turn, row in zip(loop.turns, loop.rows, strict=True):
                self._turn(turn, row_name(loop, row))
            return
        if loop.turns[0].title and all(self._kind(turn) == "block" and not turn.name for turn in loop.turns):
            for turn in loop.turns:
                self._instance(turn)
            return
        self._flush()
        if all(len(fused(self.graph, nodes_in(turn.chain), self.given)) == 1 for turn in loop.turns):
            plain = tuple(row for turn in loop.turns for row in fused(self.graph, nodes_in(turn.chain), self.given))
            self._card("", "", plain, is_plain=True)
            return
        self._card(common_name(loop.turns), "", loop.turns, is_repeat=True)

    def _table(self, loop: RepeatItem) -> None:
        """Add a table, named after its block, otherwise after the label before the `for`."""
        stage = self._begun()
        table = RawCard("", "", loop.turns, False, loop.names, loop.rows)
        titles = {each.title for each, _ in table_instances(table)}
        title = min(titles) if len(titles) == 1 else ""
        title = title or common_name(loop.turns)
        self.steps.append(replace(table, name=title or stage, stage=stage if title else ""))

    def _turn(self, turn: UnitItem, name: str) -> None:
        if turn.name or turn.title:
            self._unit(turn)
            return
        named = [each for each in turn.chain if isinstance(each, UnitItem)]
        if named and all(isinstance(each, UnitItem | LayerItem) for each in turn.chain):
            self._walk(turn.chain)
            return
        self._flush()
        self._unit(replace(turn, title=name))
        self._flush()

    def _parts(self, chain: ItemChain) -> list[UnitItem | tuple[int, ...]]:
        """Return the blocks of a card, and the layers between them as rows."""
        found: list[UnitItem | tuple[int, ...]] = []
        pending: list[int] = []

        def rows() -> None:
            found.extend(fused(self.graph, pending, self.given))
            pending.clear()

        for item in chain:
            match item:
                case LayerItem():
                    pending.append(item.node)
                case TapItem():
                    self._tap(item)
                case ReferenceItem():
                    rows()
                case ForkItem():
                    rows()
                    found.append(UnitItem("", "", "", (item,), self.graph.tree))
                case RepeatItem():
                    rows()
                    found += self._turns(item)
                case UnitItem():
                    kind = self._kind(item)
                    if kind == "open" and not has_fork(item.chain):
                        pending.extend(nodes_in(item.chain))
                        continue
                    rows()
                    is_closed = kind == "block" or item.title in self._turned
                    found += [item] if is_closed else self._parts(item.chain)
        rows()
        return found

    def _turns(self, loop: RepeatItem) -> list[UnitItem | tuple[int, ...]]:
        found: list[UnitItem | tuple[int, ...]] = []
        most = 2 if len(loop.turns) < _FOLDED else 1
        for turn in loop.turns:
            rows = fused(self.graph, nodes_in(turn.chain), self.given)
            is_small = not has_fork(turn.chain) and len(rows) <= most
            found += rows if is_small else [turn]
        return found


def _is_structural(item: DrawnItem) -> bool:
    if isinstance(item, ForkItem):
        return True
    if isinstance(item, UnitItem):
        return has_fork(item.chain)
    return isinstance(item, RepeatItem) and has_fork(item.turns)


def _gathers(chain: ItemChain) -> bool:
    """Return whether a chain begins with a merge of values that are all computed elsewhere, and has no other merge."""
    first, *others = chain
    return isinstance(first, ForkItem) and not has_fork(tuple(others)) and not any(map(nodes_in, first.branches))
