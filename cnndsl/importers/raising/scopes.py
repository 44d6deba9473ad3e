"""Names of values: a value that is read elsewhere is named after its layer or module, or gets a second name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from cnndsl.graph import Graph
from cnndsl.importers.raising.again import applied_again
from cnndsl.importers.raising.chains import input_name, output_names
from cnndsl.importers.raising.regions import ModuleRegion, bits
from cnndsl.importers.raising.stars import DenseRun
from cnndsl.importers.raising.terms import (
    AgainTerm,
    GroupTerm,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    SameTerm,
    StartTerm,
    TapTerm,
    TermChain,
    TermValue,
)
from cnndsl.importers.raising.walks import links, mapped, parts, with_parts


class ModuleOfNames(Protocol):
    """The properties of a module that naming needs: its contents, first input, results and main result."""

    graph: Graph
    region: ModuleRegion
    exports: dict[int, str]
    names: set[str]
    tapped: set[int]
    run: DenseRun | None

    @property
    def inner(self) -> Sequence[ModuleOfNames]:
        """Return the modules in it."""
        ...

    @property
    def read(self) -> Sequence[int]:
        """Return the values that it reads from outside, its entry value first."""
        ...

    @property
    def results(self) -> Sequence[int]:
        """Return the values that are read outside it."""
        ...

    @property
    def main(self) -> int:
        """Return its main result."""
        ...

    @property
    def height(self) -> int:
        """Return how deep modules in it nest."""
        ...

    def is_input(self, at: int) -> bool:
        """Return whether a node is one of several inputs."""
        ...

    def unit(self, at: int) -> ModuleOfNames | int:
        """Return the module in it that contains a node, or the node itself."""
        ...


LETTERS = "yzuvwpqt"
"""Prefixes of second names, by the height of the module: no module uses the names of an enclosing one."""

ValueVisit = Callable[[TermValue, int], TermValue]
"""Returns the replacement of a value, given how many levels of modules deeper it is read."""


def in_order(chains: Sequence[tuple[int, TermChain]], module: ModuleOfNames) -> bool:
    """Return whether the chains contain everything in a module, and only read earlier values."""
    known = {each.index for each in module.graph.inputs if module.is_input(each.index)}
    named = {name: at for at, name in module.region.layers.items()}
    named |= {each.region.name: each.main for each in module.inner}

    def reads_known(step: PlacedTerm) -> bool:
        if isinstance(step.term, AgainTerm) and named.get(step.term.name) not in known:
            return False
        return all(each not in module.region or each in known for each in links((step,)))

    def walk(chain: TermChain) -> bool:
        for step in chain:
            if isinstance(step.term, MergeTerm):
                if not all(walk(each) for each in step.term.branches):
                    return False
            elif not reads_known(step):
                return False
            if isinstance(step.term, StartTerm):
                continue
            unit = module.unit(step.node)
            known.update((step.node,) if isinstance(unit, int) else unit.results)
        return True

    return all(walk(chain) for _, chain in chains) and all(
        (at if isinstance(unit := module.unit(at), int) else unit.main) in known
        for at in bits(module.region.nodes)
        if at not in module.tapped
    )


def with_values(chain: TermChain, visit: ValueVisit, depth: int = 0) -> TermChain:
    """Return the chain with each value that it refers to replaced.

    Args:
        chain: The chain to traverse.
        visit: Takes a value and how many levels of modules deeper it is read.
        depth: The nesting depth of the chain.
    """
    return tuple([_with_values(step, visit, depth) for step in chain])


def _with_values(step: PlacedTerm, visit: ValueVisit, depth: int) -> PlacedTerm:
    inside = depth + isinstance(step.term, GroupTerm)
    if parts(step.term):
        return step.over(with_parts(step.term, lambda chain: with_values(chain, visit, inside)))
    return mapped((step,), lambda _, value: visit(value, depth) if isinstance(value, Link | NameRef) else value)[0]


def name_values(chains: Sequence[tuple[int, TermChain]], module: ModuleOfNames) -> tuple[tuple[str, TermChain], ...]:
    """Return a module's chains with names for the values that are read by reference, and record in `module.exports` the
    names of those read from outside; each chain has a name if it needs one."""
    return _Naming(module).chains(chains)


class _Naming:
    def __init__(self, module: ModuleOfNames) -> None:
        self.module = module
        self.inner = set[str]().union(*(each.names for each in module.inner))
        labels = [*module.region.layers.values(), *(each.region.name for each in module.inner)]
        self.taken = {each.partition(".")[0] for each in labels}
        self.taken |= {
            input_name(module.graph, each.index) for each in module.graph.inputs if module.is_input(each.index)
        }
        self.found: dict[int, str] = {}
        """The names of values in the module."""
        self.aliases: dict[int, str] = {}
        self.deep: set[int] = set()
        """The values that are read inside its child modules."""

    def chains(self, chains: Sequence[tuple[int, TermChain]]) -> tuple[tuple[str, TermChain], ...]:
        """Return the chains with names."""
        module = self.module
        read: list[int] = []

        def note(value: TermValue, depth: int) -> TermValue:
            if isinstance(value, Link):
                read.append(value.node)
                if depth:
                    self.deep.add(value.node)
            return value

        for _, chain in chains:
            with_values(chain, note)
        entry = module.read[0] if module.read and module.region.path else -1
        run = module.run
        apart = run.root if run is not None and module.main in run.outputs else -1
        several = module.graph.main_outputs
        listed = module.results if module.region.path else several if several[1:] else ()
        exported = [at for at in listed if at != module.main or not module.region.path]
        for at in dict.fromkeys([*read, *exported]):
            if at in module.region or (at == entry and at != apart):
                self.found[at] = self._name(at)
        module.exports = {at: self.found[at] for at in exported if at in self.found}
        module.names = self.taken | self.inner
        named = [self._with_names(chain) for _, chain in chains]
        whole = [self._chain(at, chain) for at, chain in enumerate(named)]
        return tuple(self._with_entry(entry, whole) if entry in self.aliases else whole)

    def _with_entry(self, entry: int, chains: list[tuple[str, TermChain]]) -> list[tuple[str, TermChain]]:
        """Name the entry value before the first of the chains."""
        alias = self.aliases[entry]
        (_, first), *others = chains
        same = PlacedTerm(SameTerm(), entry, first[0].channels, alias=alias)
        if not isinstance(first[0].term, StartTerm):
            return [("", (same, *first)), *others]
        if first[0].node == entry:
            return [("", (same, *first[1:])), *others]
        return [(alias, (same.also(""),)), *chains]

    def _chain(self, number: int, chain: TermChain) -> tuple[str, TermChain]:
        """Return a chain with its name: that of its last value, or any name if it does not begin with a reference."""
        last = chain[-1]
        is_named = bool(number) or self.module.is_input(0)
        if is_named and last.alias and not isinstance(last.term, StartTerm):
            return last.alias, (*chain[:-1], last.also(""))
        is_reference = isinstance(chain[0].term, StartTerm)
        is_begun = not number and not self.module.is_input(0)
        return ("" if is_reference or is_begun or (self.module.region.path and not number) else self._free()), chain

    def _name(self, at: int) -> str:
        if at in self.aliases:
            return self.aliases[at]
        unit = self.module.unit(at)
        if isinstance(unit, int):
            name, rest = self.module.region.layers.get(unit, ""), ""
        else:
            if at != unit.main and applied_again(unit.region.name):
                return self._in_application(unit, at)
            name, rest = unit.region.name, "" if at == unit.main else f".{unit.exports[at]}"
        if applied_again(name):
            name = ""
        first = name.partition(".")[0]
        is_hidden = at in self.deep and first in self.inner
        if name and (rest or (not first.isdigit() and not is_hidden)):
            return name + rest
        if self.module.is_input(at):
            return input_name(self.module.graph, at)
        self.aliases[at] = self._listed(at) or self._free()
        return self.aliases[at]

    def _in_application(self, unit: ModuleOfNames, at: int) -> str:
        """Return the name of a value in a part that is applied again, and label that part."""
        first = next(each for each in self.module.inner if each.region.name == applied_again(unit.region.name))
        label = self.aliases.setdefault(unit.main, self._free())
        return f"{label}.{first.exports[unit.region.shown[at]]}"

    def _listed(self, at: int) -> str:
        """Return the program's name for one of its outputs, if it is not used yet."""
        graph = self.module.graph
        if self.module.region.path or not graph.main_outputs[1:]:
            return ""
        names = dict(zip(graph.main_outputs, output_names(graph), strict=True))
        found = names.get(at, "")
        if found in self.taken or found in self.inner:
            return ""
        self.taken.add(found)
        return found

    def _free(self) -> str:
        letter = LETTERS[min(self.module.height, len(LETTERS) - 1)]
        number = 1
        while f"{letter}{number}" in self.taken:
            number += 1
        self.taken.add(f"{letter}{number}")
        return f"{letter}{number}"

    def _with_names(self, chain: TermChain) -> TermChain:
        def name(value: TermValue, depth: int) -> TermValue:
            is_here = isinstance(value, Link) and value.node in self.found
            return NameRef(self.found[value.node], depth) if is_here and isinstance(value, Link) else value

        return _with_aliases(with_values(chain, name), self.aliases)


def _with_aliases(chain: TermChain, aliases: Mapping[int, str]) -> TermChain:
    steps: list[PlacedTerm] = []
    for step in chain:
        if isinstance(step.term, MergeTerm):
            step = step.over(step.term.over(tuple([_with_aliases(each, aliases) for each in step.term.branches])))
        is_it = step.node in aliases and not isinstance(step.term, StartTerm | TapTerm)
        steps.append(step.also(aliases[step.node]) if is_it else step)
    return tuple(steps)


def first_names(chain: TermChain) -> set[str]:
    """Return the first components of the names by which values of this module are read."""
    found: set[str] = set()

    def note(value: TermValue, depth: int) -> TermValue:
        if isinstance(value, NameRef) and value.up == depth:
            found.add(value.name.partition(".")[0])
        return value

    with_values(chain, note)
    return found
