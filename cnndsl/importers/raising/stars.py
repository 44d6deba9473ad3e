"""Modules that each merge everything that comes before them, as in a DenseNet: `(@x | @layer*)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cnndsl.graph import Node
from cnndsl.importers.raising.terms import Link, MergeTerm, NameRef, PlacedTerm, StartTerm
from cnndsl.layers.merge import MERGES
from cnndsl.records import record


@record(slots=True)
class DenseRun:
    """A value and modules `layer1`, `layer2` … that each merge it with the outputs of all modules before them; `joins`
    maps each merge node to the number of modules that it merges."""

    root: int
    prefix: str
    outputs: tuple[int, ...]
    joins: Mapping[int, int]

    def term(self, up: int) -> MergeTerm:
        """Return the term that merges them, for use in a module nested `up` levels deeper."""
        root = PlacedTerm(StartTerm(Link(self.root)), self.root, -1)
        star = PlacedTerm(StartTerm(NameRef(f"{self.prefix}*", up)), -1, -1)
        return MergeTerm("|", ((root,), (star,)))


def dense_run(names: Mapping[int, str], joins: Sequence[Node]) -> DenseRun | None:
    """Return the run of such modules inside a module; None if there is none.

    Args:
        names: The names of the modules in it, by the nodes that they return.
        joins: Merge nodes of this module and of the modules in it.
    """
    several = [each for each in joins if type(each.layer) is MERGES["|"] and len(each.inputs) > 2]
    if not several:
        return None
    last = max(several, key=lambda each: len(each.inputs))
    root, *outputs = last.inputs
    parts = [re.fullmatch(r"(.*\D)(\d+)", names.get(each, "")) for each in outputs]
    if any(each is None for each in parts) or [each[2] for each in parts if each] != [
        str(number) for number in range(1, len(parts) + 1)
    ]:
        return None
    prefixes = {each[1] for each in parts if each}
    found = {
        each.index: len(each.inputs) - 1
        for each in joins
        if type(each.layer) is MERGES["|"] and each.inputs == last.inputs[: len(each.inputs)]
    }
    if len(prefixes) != 1 or sorted(found.values()) != list(range(1, len(outputs) + 1)):
        return None
    return DenseRun(root, prefixes.pop(), tuple(outputs), found)
