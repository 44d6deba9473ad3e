"""Queries on chains: which parts are chains, where a chain starts, and which parts take vectors.

A chain only calls its modules one after the other. Steps 1 to 3 use these queries before they decide what a part
becomes. The answers follow from the graph alone, except for calls of blocks: their class knows what they take and give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cnndsl.emit.torch.ir import key, node_of, what_of
from cnndsl.emit.torch.part_queries import Borders, is_module
from cnndsl.graph import (
    AgainPart,
    CallPart,
    IdentityPart,
    LayerPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    TapPart,
    entered,
    inner_parts,
    output,
)
from cnndsl.layers.base import TorchCall


class Chains:
    """The chains of one graph. `is_link` returns whether a call takes only the value of a node and gives only its
    output."""

    def __init__(self, borders: Borders, is_link: Callable[[CallPart, int], bool]) -> None:
        self.borders, self._is_link = borders, is_link
        self._known: dict[tuple[int, int], tuple[Part, bool]] = {}

    def entry(self, part: Part, entry: int) -> int:
        """Return the node whose value a chain starts from: what enters, or the only other value that it reads."""
        outside = self.borders.outside(part)
        if key(entry) in outside or len(outside) != 1:
            return entry
        (only,) = outside
        return node_of(only) if what_of(only) == "value" else entry

    def is_sequential(self, part: Part | None, entry: int) -> bool:
        """Return whether a part can be an `nn.Sequential`: a chain of which no inner value is read elsewhere."""
        return self.is_chain(part, entry) and (part is None or self.borders.is_closed(part, entry))

    def is_chain(self, part: Part | None, entry: int) -> bool:
        """Return whether a part only calls its modules one after the other, starting from the value of `entry`."""
        if part is None or isinstance(part, IdentityPart):
            return True
        if (id(part), entry) not in self._known:
            self._known[id(part), entry] = part, self._is_chain(part, entry)
        return self._known[id(part), entry][1]

    def _is_chain(self, part: Part, entry: int) -> bool:
        if isinstance(part, LayerPart):
            made = self.borders.made(part.node)
            is_call = isinstance(made, TorchCall) and not made.applied
            return is_call and self.borders.reads(part.node) == (key(entry),) and part.node not in self.borders.pooled
        if isinstance(part, ReferencePart):
            return part.node == entry
        if isinstance(part, MergePart | TapPart | AgainPart) or (isinstance(part, NamedPart) and part.is_scattered):
            return False
        if isinstance(part, CallPart):
            return self._is_link(part, entry) if self.borders.own(part) else output(part, entry) == entry
        if isinstance(part, NamedPart) and part.is_module:
            return self.borders.is_closed(part, entry)
        return all(self.is_chain(each, at) for each, at in entered(part, entry))

    def wants_flat(self, part: Part | None, entry: int) -> bool:
        """Return whether a part, or the first module of a chain, takes vectors while something else enters it.

        Elementwise layers may precede it in a chain, since they can work on vectors as well.
        """
        if isinstance(part, LayerPart):
            made = self.borders.made(part.node)
            return isinstance(made, TorchCall) and made.flatten
        is_class = is_module(part)
        if (
            part is not None
            and is_class
            and not all(self.is_chain(each, self.entry(part, entry)) for each in inner_parts(part))
        ):
            return False
        for leaf in _leaves(part):
            made = self.borders.made(leaf.node)
            if isinstance(made, TorchCall) and made.flatten:
                return True
            if not (is_class and self.borders.is_elementwise(leaf.node)):
                return False
        return False


def _leaves(part: Part | None) -> Iterator[LayerPart]:
    """Yield the layers of a chain in order, up to the first part that is not a layer."""
    if isinstance(part, LayerPart):
        yield part
        return
    if part is None or isinstance(part, MergePart | TapPart):
        return
    for each in inner_parts(part):
        yield from _leaves(each)
        if not _is_plain(each):
            return


def _is_plain(part: Part) -> bool:
    return not isinstance(part, MergePart | TapPart) and all(map(_is_plain, inner_parts(part)))
