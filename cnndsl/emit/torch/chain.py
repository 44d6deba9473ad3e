"""Step 3b: a chain of parts as the items of an `nn.Sequential`, for all call sites at once.

A repeat becomes a loop if one body is right in every iteration (`_repeat` decides); otherwise it is written out. A
choice becomes a test; a choice that no test expresses raises Differ. These are pure functions: a loop that is tried and
rejected leaves no trace.

Before: parts that form a chain. After: items whose every argument holds in every iteration and at every call site.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count, pairwise
from typing import Protocol

from cnndsl.emit.torch.chain_queries import Chains
from cnndsl.emit.torch.cursor import Cursor
from cnndsl.emit.torch.ir import (
    Assign,
    Build,
    ChildName,
    ConditionalItem,
    Element,
    LoopItem,
    Rows,
    SequentialBuild,
    SequentialItem,
)
from cnndsl.emit.torch.iterations import Iterations
from cnndsl.emit.torch.names import attribute
from cnndsl.emit.torch.part_queries import (
    Borders,
    Known,
    child_name,
    elements,
    in_iteration,
    is_module,
    members,
    of_type,
    path_of,
)
from cnndsl.emit.torch.patterns import NameTemplate, pattern
from cnndsl.emit.torch.restart import Differ, Missing
from cnndsl.emit.torch.scope import known_terms
from cnndsl.emit.torch.terms import Const, Term, Var, add, mul, names, negated
from cnndsl.graph import ChoicePart, LayerPart, LoopPart, NamedPart, Part, ReferencePart

DEEPEST = 4
"""Maximum depth of nested loops; deeper repeats are written out, since each level is tried in several ways."""
MOST_GAP = 4
"""Maximum difference between consecutive child numbers that are not written explicitly."""
SHORTEST_TABLE = 3
"""A `for` with at least this many rows stays a table."""
_FLATTENING = ChildName("flatten")
"""The provisional name of a flattening that the program does not write. `told_apart` assigns the final one."""
Made = tuple[list[SequentialItem], Cursor]


class ModuleBuilder(Protocol):
    """The interface that builds the modules of a chain."""

    borders: Borders
    chains: Chains
    counter: str

    def module(self, parts: Sequence[Part], cursor: Cursor) -> tuple[Build | SequentialBuild, Cursor]:
        """Build a child from these parts; return it and the cursor after it."""
        ...


class ChainBuilder:
    """Fills one `nn.Sequential`. The caller adds a flattening that the chain begins with."""

    def __init__(self, builder: ModuleBuilder, depth: int = 0) -> None:
        self.builder, self.depth = builder, depth
        self.graph = builder.borders.graph

    def build(self, parts: Sequence[Part | None], cursor: Cursor) -> tuple[SequentialBuild, Cursor]:
        """Return the chain and the cursor after it. Raises Differ, Missing or Fixed."""
        items, after = self.row(parts, replace(cursor, renumbered=self._has_own_numbers(parts, cursor)))
        return SequentialBuild(counted(told_apart(items))), after

    def _has_own_numbers(self, parts: Sequence[Part | None], cursor: Cursor) -> bool:
        """Return whether module numbers differ from those that PyTorch assigns: with gaps, or mixed with names."""
        if cursor.renumbered:
            return True
        for part, root in zip(parts, cursor.roots, strict=True):
            names = list(members(part, root, self.graph))
            if any(name.isdigit() for name in names) and names != [*map(str, range(len(names)))]:
                return True
        return False

    def row(self, parts: Sequence[Part | None], cursor: Cursor) -> Made:
        """Build a row of parts."""
        rows = [elements(part) for part in parts]
        if len({len(row) for row in rows}) > 1:
            raise Differ
        items: list[SequentialItem] = []
        for row in zip(*rows, strict=True):
            made, cursor = self._part(row, cursor)
            items += made
        return items, cursor

    def _part(self, parts: Sequence[Part], cursor: Cursor, template: NameTemplate = ()) -> Made:
        first = parts[0]
        if any(type(part) is not type(first) for part in parts):
            raise Differ
        if isinstance(first, LoopPart):
            return self._loop(of_type(parts, LoopPart), cursor)
        if isinstance(first, ChoicePart):
            return self._choice(of_type(parts, ChoicePart), cursor)
        if isinstance(first, ReferencePart):
            return [], cursor.after([part.node for part in of_type(parts, ReferencePart)], cursor.term)
        if isinstance(first, NamedPart) and not first.is_module:
            inner = [part.part for part in of_type(parts, NamedPart)]
            return self._named(inner, cursor, first.template)
        return self._element(parts, cursor, template)

    def _named(self, parts: Sequence[Part], cursor: Cursor, template: NameTemplate) -> Made:
        """Build the parts under a label. A layer or a call takes the label as its name."""
        if isinstance(parts[0], LayerPart) or is_module(parts[0]):
            return self._part(parts, cursor, template)
        return self.row(parts, cursor)

    # Modules

    def _element(self, parts: Sequence[Part], cursor: Cursor, template: NameTemplate) -> Made:
        if not any(map(self.builder.borders.own, parts)):
            return self._placeholder(parts, cursor)
        items: list[SequentialItem] = []
        if self._must_flatten(parts, cursor):
            items, cursor = self._flatten(cursor)
        first = parts[0]
        name = self._name(parts, cursor, first.template if isinstance(first, NamedPart) else template)
        module, after = self.builder.module(parts, cursor)
        return [*items, Element(name, module, after.comment())], replace(after, renumbered=cursor.renumbered)

    def _placeholder(self, parts: Sequence[Part], cursor: Cursor) -> Made:
        """Return an identity for a call that makes nothing but takes a number; no item if the call has a name."""
        name = self._name(parts, cursor, ())
        return ([Element(name, Build("nn.Identity"))] if not name.text else []), cursor

    def _must_flatten(self, parts: Sequence[Part | None], cursor: Cursor) -> bool:
        wants = self.builder.chains.wants_flat
        return not cursor.flat and any(wants(part, entry) for part, entry in zip(parts, cursor.nodes, strict=True))

    def _flatten(self, cursor: Cursor) -> Made:
        """Add a flattening between modules. From here on, PyTorch's own numbering would be one too high."""
        if self.depth:
            raise Differ
        cursor = replace(cursor.flattened(), renumbered=True)
        return [Element(_FLATTENING, Build("nn.Flatten"), cursor.comment())], cursor

    def _name(self, parts: Sequence[Part], cursor: Cursor, template: NameTemplate) -> ChildName:
        """Return the name of a child, which holds in each frame."""
        paths = [path_of(part, self.graph) for part in parts]
        found = [child_name(path, root) for path, root in zip(paths, cursor.roots, strict=True)]
        if all(name.isdigit() for name in found) and not cursor.renumbered:
            return ChildName()
        for name in found:
            attribute(name)
        if len(set(found)) == 1:
            return ChildName(found[0])
        return ChildName(pattern(template, found, cursor), is_pattern=True)

    # Choices

    def _choice(self, choices: Sequence[ChoicePart], cursor: Cursor) -> Made:
        if len({choice.taken for choice in choices}) == 1:
            return self.row([choice.part for choice in choices], cursor)
        taken = [at for at, choice in enumerate(choices) if choice.taken == 0]
        others = [at for at, choice in enumerate(choices) if choice.taken != 0]
        if not taken or len({choices[at].taken for at in others}) > 1:
            raise Differ
        test = cursor.scope.test(None if isinstance(choice.test, str) else choice.test for choice in choices)
        if test is None or not cursor.scope.holds(test, [choice.taken == 0 for choice in choices]):
            raise Differ
        inner = ChainBuilder(self.builder, self.depth + 1)
        items, after = inner.row([choices[at].part for at in taken], cursor.where(taken))
        otherwise, after_others = inner.row([choices[at].part for at in others], cursor.where(others))
        nodes = list(cursor.nodes)
        for at, node in (*zip(taken, after.nodes, strict=True), *zip(others, after_others.nodes, strict=True)):
            nodes[at] = node
        joined = cursor.after(nodes, after.term)
        if joined.term != after.term:
            joined = cursor.after(nodes, after_others.term)
        if joined.term is None:
            joined = replace(joined, ways=tuple(each for each in (after.term, after_others.term) if each is not None))
        if not items and not otherwise:
            return [], joined
        if not items:
            test, items, otherwise = negated(test), otherwise, items
        return [ConditionalItem(test, tuple(items), tuple(otherwise))], joined

    # Repeats

    def _loop(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        if not any(loop.turns for loop in loops):
            return [], cursor
        items: list[SequentialItem] = []
        if self._must_flatten([loop.turns[0] if loop.turns else None for loop in loops], cursor):
            items, cursor = self._flatten(cursor)
        made, cursor = self._repeat(loops, cursor)
        return [*items, *made], cursor

    def _repeat(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        """Return the repeat as a loop if one body is right in every iteration and the loop is worth it (see
        `is_worth_it`); otherwise write out the iterations."""
        rolled = self._rolled(loops, cursor)
        if rolled is not None and is_worth_it(rolled[0], loops):
            return rolled
        written_out = attempt(lambda: self._written_out(loops, cursor))
        if written_out is not None:
            return written_out
        if rolled is None:
            raise Differ
        return rolled

    def _rolled(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made | None:
        """Return the first valid way to write a loop; None if there is none."""
        if self.depth >= DEEPEST or not any(len(loop.turns) > 1 for loop in loops):
            return None
        for way in (self._same, self._peeled, self._carried):
            made = attempt(lambda way=way: way(loops, cursor))
            if made is not None:
                return made
        return None

    def _written_out(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        if len({len(loop.turns) for loop in loops}) > 1:
            raise Differ
        items: list[SequentialItem] = []
        for turn in range(len(loops[0].turns)):
            known = in_iteration(Known(), loops, turn)
            inside = replace(cursor, scope=cursor.scope.with_names(known_terms(known.values)))
            made, after = self.row([loop.turns[turn] for loop in loops], inside)
            cursor = replace(after, scope=cursor.scope, flat=False, term=cursor.scope_term(after))
            items += made
        return items, cursor

    def _same(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        """Build a loop in which every iteration takes as many channels as the first."""
        turns = Iterations(loops, cursor)
        inside = turns.cursor(cursor.term)
        if inside.term is None or inside.term != cursor.term:
            raise Differ
        items, after = self._body(turns, inside)
        return [turns.repeat(items)], turns.after(cursor, after.term)

    def _peeled(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        """Build a loop after a first iteration that takes a different number of channels and is a single module."""
        if any(not loop.turns or loop.count is None for loop in loops):
            raise Differ
        known = in_iteration(Known(), loops, 0)
        first = replace(cursor, scope=cursor.scope.with_names(known_terms(known.values)))
        head, behind = self.row([loop.turns[0] for loop in loops], first)
        behind = replace(behind, scope=cursor.scope, term=cursor.scope_term(behind))
        rest = [replace(loop, turns=loop.turns[1:]) for loop in loops]
        if len(head) != 1 or not isinstance(head[0], Element) or not any(loop.turns for loop in rest):
            raise Differ
        turns = Iterations(rest, behind, skipped=1)
        inside = turns.cursor(behind.term)
        if inside.term is None or inside.term != behind.term:
            raise Differ
        items, after = self._body(turns, inside)
        return [*head, turns.repeat(items)], turns.after(behind, after.term)

    def _carried(self, loops: Sequence[LoopPart], cursor: Cursor) -> Made:
        """Build a loop whose iterations take different numbers of channels, which a variable counts."""
        if cursor.term is None:
            raise Differ
        name = self.builder.counter
        is_reused = cursor.term == Var(name)
        turns = Iterations(loops, cursor, name)
        items, after = self._body(turns, turns.cursor(Var(name)))
        if after.term is None:
            raise Differ
        start = None if is_reused else Assign(name, cursor.term)
        step = None if after.term == Var(name) else _step(name, after.term)
        return [turns.repeat(items, start, step)], turns.after(cursor, after.term, name)

    def _body(self, turns: Iterations, inside: Cursor) -> Made:
        items, after = ChainBuilder(self.builder, self.depth + 1).row(turns.parts, inside)
        if not items:
            raise Differ
        return items, after


def told_apart(items: Sequence[SequentialItem]) -> list[SequentialItem]:
    """Return the modules of a chain with a unique name for each flattening between them: `flatten`, then `flatten2`."""
    names = [item.name for item in items if isinstance(item, Element)]
    taken = {name.text for name in names if name is not _FLATTENING}
    free = (name for at in count(1) if (name := f"flatten{at if at > 1 else ''}") not in taken)
    made: list[SequentialItem] = []
    for item in items:
        is_flattening = isinstance(item, Element) and item.name is _FLATTENING
        made.append(replace(item, name=ChildName(next(free))) if is_flattening else item)
    return made


def counted(items: Sequence[SequentialItem]) -> tuple[SequentialItem, ...]:
    """Return the modules of a chain so that PyTorch numbers them, if their names are numbers with small gaps.
    Identities fill the gaps."""
    names = [item.name.text for item in items if isinstance(item, Element) and not item.name.is_pattern]
    numbers = [int(name) for name in names if name.isdigit() and str(int(name)) == name]
    if len(numbers) < len(items) or any(not 0 < b - a <= MOST_GAP for a, b in pairwise([-1, *numbers])):
        return tuple(items)
    filled: list[SequentialItem] = []
    for item, number in zip(items, numbers, strict=True):
        filled += [
            Element(ChildName(), Build("nn.Identity"), f"no layer has the number {free}")
            for free in range(len(filled), number)
        ]
        filled.append(replace(item, name=ChildName()))
    return tuple(filled)


def attempt(way: Callable[[], Made]) -> Made | None:
    """Return the result of a way to write a repeat, None if this way is invalid."""
    try:
        return way()
    except (Differ, Missing):
        return None


def is_worth_it(items: Sequence[SequentialItem], loops: Sequence[LoopPart]) -> bool:
    """Return whether a loop is more general than its written-out iterations, or shorter."""
    turns = max(len(loop.turns) for loop in loops)
    is_table = loops[0].count is None
    has_rows = any(isinstance(item, LoopItem) and isinstance(item.over, Rows) for item in items)
    counts_lists = has_rows and (not is_table or loops[0].is_range)
    if not counts_lists and (not all(map(_is_literal, items)) or (is_table and turns >= SHORTEST_TABLE)):
        return True
    body = max(cost(item.items) for item in items if isinstance(item, LoopItem))
    return cost(items) < turns * body


def _is_literal(item: SequentialItem) -> bool:
    """Return whether the number of iterations is a constant, and nothing in them depends on the iteration number."""
    if not isinstance(item, LoopItem):
        return True
    if isinstance(item.over, Rows):
        return not item.targets
    return not item.targets and isinstance(item.over.start, Const) and isinstance(item.over.stop, Const)


def cost(items: Sequence[SequentialItem]) -> int:
    """Return the approximate number of lines of the items."""
    return sum(map(_cost, items))


def _cost(item: SequentialItem) -> int:
    if isinstance(item, Element):
        return 1 if isinstance(item.module, Build) else 1 + cost(item.module.items)
    if isinstance(item, ConditionalItem):
        return 1 + cost(item.items) + (1 + cost(item.otherwise) if item.otherwise else 0)
    around = (item.before is not None) + (item.after is not None)
    only = item.items[0] if len(item.items) == 1 else None
    alone = not around and isinstance(only, Element) and not only.name.text
    return 1 if alone else 1 + around + cost(item.items)


def _step(name: str, leaving: Term) -> Assign:
    """Return the assignment that updates the channel-counting variable at the end of an iteration."""
    more = added(name, leaving)
    return Assign(name, leaving) if more is None else Assign(name, more, adds=True)


def added(name: str, leaving: Term) -> Term | None:
    """Return the term that is added to a variable, None if the new value is not a sum with the variable."""
    more = add(leaving, mul(Const(-1), Var(name)))
    return more if name not in names(more) and name in names(leaving) else None
