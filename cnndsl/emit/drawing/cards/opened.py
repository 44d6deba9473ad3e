"""An opened block as elements: fused rows, branches, frames around what repeats, closed boxes for gates in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

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
from cnndsl.emit.drawing.cards.letters import BlockLetters
from cnndsl.emit.drawing.cards.model import (
    Branching,
    FusedRow,
    InsetBox,
    LayerCell,
    PanelElement,
    RepeatFrame,
)
from cnndsl.emit.drawing.cards.rows import fused
from cnndsl.emit.drawing.cards.words import layer_text, merge_word
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph

_PLANE = 2
_ALIKE = 3
"""The least number of equal adjacent branches that are drawn once."""


class Opener:
    """Opens chains. `given` are nodes after which a row ends; `inset` returns the number of a block that is drawn
    closed, None if it is opened in place."""

    def __init__(
        self, signatures: Signatures, given: Collection[int], inset: Callable[[UnitItem], int | None] | None = None
    ) -> None:
        self._signatures = signatures
        self._graph: Graph = signatures.graph
        self._given = given
        self._inset = inset
        self._letters: Mapping[int, tuple[str, str | None]] = {}
        self._optional: Collection[int] = ()

    def elements(
        self, chain: ItemChain, letters: BlockLetters | None = None, optional: Collection[int] = ()
    ) -> tuple[PanelElement, ...]:
        """Return the elements of a chain, with letters for the values that vary. `optional` are nodes that some
        instances of it lack."""
        nodes = nodes_in(chain)
        self._optional = optional
        self._letters = (
            {}
            if letters is None
            else {node: (letters.widths.get(at, ""), letters.strides.get(at)) for at, node in enumerate(nodes)}
        )
        return self._chain(chain)

    def branching(self, item: ForkItem) -> Branching:
        """Return branches that stand in the spine."""
        self._letters, self._optional = {}, ()
        if not any(nodes_in(branch) for branch in item.branches):
            return self._merge(item.node)
        return self._fork(item)

    def row(self, nodes: Sequence[int], *, is_open: bool = True) -> FusedRow:
        """Return layers as a fused row."""
        return FusedRow(tuple(self._cell(node, is_open) for node in nodes))

    def flat_elements(
        self, chain: ItemChain, letters: BlockLetters | None = None, closed: Sequence[InsetBox] = ()
    ) -> tuple[PanelElement, ...]:
        """Return the elements of a chain that isn't series-parallel: rows, merges and closed parts in execution
        order."""
        nodes = nodes_in(chain)
        self._letters = (
            {}
            if letters is None
            else {node: (letters.widths.get(at, ""), letters.strides.get(at)) for at, node in enumerate(nodes)}
        )
        boxes = {box.nodes[0]: box for box in closed}
        inside = {node for box in closed for node in box.nodes}
        found: list[PanelElement] = []
        pending: list[int] = []
        for node in sorted(nodes):
            is_merge = self._graph.nodes[node].layer.ROLE == "merge" and node not in inside
            if node in boxes or is_merge:
                found += self._rows(pending)
                pending = []
                found.append(self._merge(node) if is_merge else boxes[node])
            elif node not in inside:
                pending.append(node)
        return (*found, *self._rows(pending))

    def _merge(self, node: int) -> Branching:
        layer = self._graph.nodes[node].layer
        widths = tuple(each.channels for each in self._graph.shapes(self._graph.nodes[node]))
        return Branching(node, layer.SIGN, merge_word(layer), widths if layer.JOINS_CHANNELS else (), ())

    def _cell(self, node: int, is_open: bool) -> LayerCell:
        at = self._graph.nodes[node]
        rank = self._graph.shapes(at)[0].rank if at.inputs else at.shape.rank
        rank = rank or _PLANE  # a window on a vector is an error, and drawn as one
        width, stride = self._letters.get(node, ("", None))
        text = layer_text(at, rank, is_open=is_open, width=width, stride=stride)
        short = "" if is_open else layer_text(at, rank, is_open=True, width=width, stride=stride)
        return LayerCell(node, text, role_of(at.layer), node in self._optional, short=short)

    def _chain(self, chain: ItemChain) -> tuple[PanelElement, ...]:
        found: list[PanelElement] = []
        pending: list[int] = []
        for item in self._unwrapped(chain):
            if isinstance(item, LayerItem):
                pending.append(item.node)
                continue
            found += self._rows(pending, not found)
            pending = []
            found += self._other(item)
        return (*found, *self._rows(pending, not found))

    def _rows(self, nodes: Sequence[int], leads: bool = False) -> list[FusedRow]:
        return [self.row(each) for each in fused(self._graph, nodes, self._given, leads=leads)] if nodes else []

    def _unwrapped(self, chain: ItemChain) -> list[DrawnItem]:
        """Return the items of a chain, with the parts in it opened that have no repeat of their own."""
        found: list[DrawnItem] = []
        for item in chain:
            if isinstance(item, UnitItem) and self._block_of(item) is None:
                found += self._unwrapped(item.chain)
            elif isinstance(item, RepeatItem) and self._times(item) == 0:
                found += self._unwrapped(item.turns)
            else:
                found.append(item)
        return found

    def _block_of(self, item: UnitItem) -> int | None:
        return self._inset(item) if self._inset is not None else None

    def _times(self, loop: RepeatItem) -> int:
        """Return the number of iterations of a repeat, or 0 if its iterations differ."""
        numbers = {self._signatures.exact(turn.chain) for turn in loop.turns}
        is_chained = not any(isinstance(each, ReferenceItem | TapItem) for turn in loop.turns for each in turn.chain)
        has_names = any(node in self._given for turn in loop.turns for node in nodes_in(turn.chain))
        return len(loop.turns) if len(numbers) == 1 and is_chained and not has_names else 0

    def _other(self, item: DrawnItem) -> list[PanelElement]:
        match item:
            case ForkItem():
                return [self._fork(item)]
            case UnitItem():
                block = self._block_of(item)
                is_optional = any(node in self._optional for node in nodes_in(item.chain))
                role, number = gate_role(self._graph, item), -1 if block is None else block
                return [InsetBox(item.title or item.name, "", role, nodes_in(item.chain), number, is_optional)]
            case RepeatItem():
                further = tuple(node for turn in item.turns[1:] for node in nodes_in(turn.chain))
                return [RepeatFrame(self._chain(item.turns[0].chain), self._times(item), further)]
            case _:
                return []

    def _alike(self, branches: Sequence[ItemChain]) -> list[tuple[ItemChain, int, tuple[int, ...]]]:
        """Return branches with equal adjacent ones combined: one of them, their number, the nodes of the others."""
        numbers = [self._signatures.exact(branch) if nodes_in(branch) else -at for at, branch in enumerate(branches)]
        found: list[tuple[ItemChain, int, tuple[int, ...]]] = []
        at = 0
        while at < len(branches):
            stop = at + 1
            while stop < len(branches) and numbers[stop] == numbers[at] and not _begins_elsewhere(branches[stop]):
                stop += 1
            if stop - at < _ALIKE or _begins_elsewhere(branches[at]):
                stop = at + 1
            further = tuple(node for branch in branches[at + 1 : stop] for node in nodes_in(branch))
            found.append((branches[at], stop - at, further))
            at = stop
        return found

    def _fork(self, item: ForkItem) -> Branching:
        groups = self._alike(item.branches)
        branches = [branch for branch, _, _ in groups]
        starts = [branch[0] if branch and isinstance(branch[0], ReferenceItem) else None for branch in branches]
        has_several = len(groups) < len(item.branches)
        return replace(
            self._merge(item.node),
            branches=tuple(map(self._chain, branches)),
            sources=tuple(-1 if each is None else each.node for each in starts),
            names=tuple("" if each is None else each.name for each in starts),
            counts=tuple(count for _, count, _ in groups) if has_several else (),
            further=tuple(node for _, _, nodes in groups for node in nodes),
        )


def _begins_elsewhere(branch: ItemChain) -> bool:
    return bool(branch) and isinstance(branch[0], ReferenceItem)


def gate_role(graph: Graph, item: UnitItem) -> str:
    """Return the role, in the palette, of a part that is drawn closed: a gate, or that of most of its weight layers."""
    chain = item.chain
    while len(chain) == 1 and isinstance(chain[0], UnitItem):
        chain = chain[0].chain
    if chain and isinstance(chain[-1], ForkItem) and graph.nodes[chain[-1].node].layer.GRADIENT == "broadcast":
        return "gate"
    return "conv" if has_fork(chain) or chain else "io"
