"""The iterations of a repeat: the names known in each, the loop that builds them, and the names known after it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import cast

from cnndsl.emit.torch.cursor import Cursor
from cnndsl.emit.torch.ir import (
    Assign,
    Build,
    ConditionalItem,
    CountedRange,
    Element,
    LoopItem,
    Rows,
    SequentialBuild,
    SequentialItem,
)
from cnndsl.emit.torch.names import item_of, variable
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.scope import python_value
from cnndsl.emit.torch.terms import Const, Term, Var, add, mul, names
from cnndsl.graph import LoopPart, Part, output
from cnndsl.records import record
from cnndsl.values import Value

FEWEST_ITEMS = 3
"""Minimum number of items for a loop over a list; fewer are as easy to read one by one."""


@record(slots=True)
class CountedList:
    """A list indexed by the iteration number, `widths[i]`: how the language writes it, the loop's variable for its
    items, and which of the repeat's names is the index."""

    written: str
    target: str
    at: int
    items: tuple[object, ...]


class Iterations:
    """All iterations of a repeat in all frames, as frames of one scope. `carried` is the variable that counts channels,
    `skipped` the number of iterations that were written before the loop."""

    def __init__(self, loops: Sequence[LoopPart], cursor: Cursor, carried: str = "", skipped: int = 0) -> None:
        self.loops, self.outer, self.carried, self.skipped = loops, cursor, carried, skipped
        first = loops[0]
        self.is_table = first.count is None
        if self.is_table and any(len(loop.rows) != len(first.rows) for loop in loops):
            raise Differ
        if any(len(loop.rows) != len(loop.turns) + skipped for loop in loops):
            raise Differ
        taken = {*cursor.scope.frames[0], *(name for term in cursor.scope.look.values() for name in names(term))}
        self.targets = {name: variable(name, taken) for name in first.names}
        self.columns = list(self._columns(taken | {*self.targets.values()}))
        self.own = {*self.targets.values(), *(column.target for column in self.columns)}
        self.parts: list[Part] = [turn for loop in loops for turn in loop.turns]

    def _columns(self, taken: set[str]) -> Iterator[CountedList]:
        """Yield the lists that the repeat can index."""
        for at, name in enumerate(self.loops[0].names):
            numbers = [row[at] for loop in self.loops for row in loop.rows]
            for written, _, items in columns(self.outer.scope.look, name, numbers):
                target = item_of(written.partition("[")[0], taken)
                taken.add(target)
                yield CountedList(written, target, at, items)

    def cursor(self, term: Term | None) -> Cursor:
        """Return the cursor into each iteration; `term` is the number of channels, dropped if it does not hold."""
        frames: list[Mapping[str, object]] = []
        nodes: list[int] = []
        roots: list[str] = []
        places: list[int] = []
        outer = self.outer
        for at, loop in enumerate(self.loops):
            entry, is_first = outer.nodes[at], True
            for part, row in zip(loop.turns, loop.rows[self.skipped :], strict=True):
                width = outer.widths[at] if is_first else outer.scope.followed.width(outer.graph, entry)
                values = {self.targets[name]: python_value(value) for name, value in zip(loop.names, row, strict=True)}
                values |= {each.target: _item(each, row) for each in self.columns}
                counted = {self.carried: width} if self.carried else {}
                frames.append({**outer.scope.frames[at], **values, **counted})
                nodes.append(entry)
                roots.append(outer.roots[at])
                places.append(outer.scope.places[at])
                entry, is_first = output(part, entry), False
        if not frames:
            raise Differ
        look = {name: Var(target, self._is_whole(name)) for name, target in self.targets.items()}
        for each in self.columns:
            look[each.written] = Var(each.target, not any(isinstance(item, float) for item in each.items))
        scope = replace(
            outer.scope.with_names(look),
            frames=tuple(frames),
            places=tuple(places),
            is_loop=True,
            turning=outer.scope.turning | self.own,
        )
        inside = replace(outer, scope=scope, roots=tuple(roots), nodes=tuple(nodes), flat=outer.flat)
        return replace(inside, term=term if scope.holds(term, inside.widths) else None)

    def _is_whole(self, name: str) -> bool:
        values = (row[loop.names.index(name)] for loop in self.loops for row in loop.rows)
        return not any(isinstance(value, Fraction) for value in values)

    def repeat(
        self, items: Sequence[SequentialItem], before: Assign | None = None, after: Assign | None = None
    ) -> LoopItem:
        """Return the loop around items. Raises Differ if no expression gives the number of iterations."""
        used = set(used_names(items)) | set(names(after.term) if after else ())
        targets = tuple(target for target in self.targets.values() if target in used)
        columns = [column for column in self.columns if column.target in used]
        if columns:
            over, targets = self._table(targets, columns), (*targets, *(column.target for column in columns))
        else:
            over = self._rows(targets) if self.is_table else self._counted(bool(targets))
        return LoopItem(targets, over, tuple(items), before, after)

    def _rows(self, targets: Sequence[str]) -> Rows | CountedRange:
        loop = self.loops[0]
        if not targets:
            return CountedRange(Const(0), Const(len(loop.rows)))
        columns = [loop.names.index(name) for name, target in self.targets.items() if target in targets]
        if loop.is_range and len(loop.rows) > 2:
            first, last = loop.rows[0][0], loop.rows[-1][0]
            return CountedRange(Const(first), Const(cast("int", last) + 1))
        return Rows(tuple(tuple(self._cell(row, at) for at in columns) for row in range(len(loop.rows))))

    def _table(self, targets: Sequence[str], columns: Sequence[CountedList]) -> Rows:
        """Return the rows of a loop over lists. Raises Differ if the call sites differ, or for few iterations."""
        first = self.loops[0]
        if len(first.rows) - self.skipped < FEWEST_ITEMS:
            raise Differ
        if any(loop.rows != first.rows for loop in self.loops) or not (
            self.is_table or isinstance(self.count(), Const)
        ):
            raise Differ
        wanted = [first.names.index(name) for name, target in self.targets.items() if target in targets]
        has_cells = len(first.cells) == len(first.rows)
        rows: list[tuple[Term, ...]] = []
        for at in range(self.skipped, len(first.rows)):
            row = first.rows[at]
            counted = [self._cell(at, each) if has_cells else Const(python_value(row[each])) for each in wanted]
            rows.append((*counted, *(Const(_item(column, row)) for column in columns)))
        return Rows(tuple(rows))

    def _cell(self, row: int, column: int) -> Term:
        """Return a value of the table, as the program writes it. Raises Differ if call sites have different ones."""
        wanted = [python_value(loop.rows[row][column]) for loop in self.loops]
        written = [loop.cells[row][column] if len(loop.cells) == len(loop.rows) else None for loop in self.loops]
        scope = self.outer.scope
        found = scope.whole(written)
        terms = (None if found is None or found.dividend is not None else found.term, scope.real(written))
        return scope.agree(wanted, terms, "")

    def _counted(self, is_named: bool) -> CountedRange:
        number = self.count()
        if not is_named:
            return CountedRange(Const(0), number)
        first = 1 + self.skipped
        return CountedRange(Const(first), add(number, Const(first)))

    def count(self) -> Term:
        """Return the number of iterations. Raises Differ if no term holds at every call site."""
        scope = self.outer.scope
        counts = [len(loop.turns) for loop in self.loops]
        found = scope.whole(loop.count for loop in self.loops)
        written = None if found is None or found.dividend is not None else add(found.term, Const(-self.skipped))
        return scope.agree(counts, [written], "")

    def after(self, cursor: Cursor, leaving: Term | None, carried: str = "") -> Cursor:
        """Return the cursor after the repeat, without the names that only its body knows."""
        nodes = [output(loop, entry) for loop, entry in zip(self.loops, cursor.nodes, strict=True)]
        if carried and self._is_constant(cursor.term, leaving):
            return cursor.after(nodes, None)
        if carried:
            closed = self._closed(cursor.term, leaving)
            widths = [cursor.scope.followed.width(cursor.graph, at) for at in nodes]
            frames = tuple({**env, carried: width} for env, width in zip(cursor.scope.frames, widths, strict=True))
            scope = replace(cursor.scope, frames=frames)
            return replace(cursor.after(nodes, None), scope=scope, term=Var(carried), closed=closed)
        if leaving is not None and self.own & set(names(leaving)):
            leaving = None
        return cursor.after(nodes, leaving)

    def _is_constant(self, start: Term | None, leaving: Term | None) -> bool:
        """Return whether the channels that leave depend on constants only."""
        inside = {self.carried, *self.own}
        is_fixed = isinstance(start, Const) and leaving is not None and set(names(leaving)) <= inside
        return is_fixed and (self.is_table or isinstance(self.count(), Const)) and not self._is_open()

    def _is_open(self) -> bool:
        """Return whether a cell of the table is more than a number."""
        columns = range(len(self.loops[0].names))
        rows = range(len(self.loops[0].rows)) if self.is_table else ()
        return any(not isinstance(self._cell(row, column), Const) for row in rows for column in columns)

    def _closed(self, start: Term | None, leaving: Term | None) -> Term | None:
        """Return the channels that leave if each iteration adds the same number: start + count * step."""
        if start is None or leaving is None or self.is_table:
            return None
        step = add(leaving, mul(Const(-1), Var(self.carried)))
        if {self.carried, *self.own} & set(names(step)) or self.carried in names(start):
            return None
        return add(start, mul(self.count(), step))


def columns(
    look: Mapping[str, Term], name: str, numbers: Sequence[Value]
) -> Iterator[tuple[str, str, tuple[object, ...]]]:
    """Yield the lists of a scope that a name with these values can index: the item in the language's notation, the
    name, the list."""
    if not all(type(number) is int for number in numbers):
        return
    for listed, term in look.items():
        items = cast("tuple[object, ...]", term.value) if listed.endswith("[]") and isinstance(term, Const) else ()
        if items and all(0 < cast("int", number) <= len(items) for number in numbers):
            yield f"{listed[:-1]}{name}]", name, items


def _item(column: CountedList, row: Sequence[Value]) -> object:
    return column.items[cast("int", row[column.at]) - 1]


def used_names(items: Iterable[SequentialItem]) -> list[str]:
    """Return every name that the constructor calls of items use."""
    found: list[str] = []
    for item in items:
        if isinstance(item, Element):
            found += pattern_names(item.name.text) if item.name.is_pattern else []
            found += built_names(item.module)
        elif isinstance(item, ConditionalItem):
            found += [*names(item.test), *used_names((*item.items, *item.otherwise))]
        else:
            found += used_names(item.items)
            found += [name for each in (item.before, item.after) if each for name in (*names(each.term), each.name)]
            if isinstance(item.over, CountedRange):
                found += [*names(item.over.start), *names(item.over.stop)]
    return found


def built_names(module: Build | SequentialBuild) -> list[str]:
    """Return every name that the constructor calls of a module use."""
    if isinstance(module, SequentialBuild):
        return used_names(module.items)
    own = [module.callee] if isinstance(module.callee, str) else []
    return [*own, *(name for argument in module.arguments for name in names(argument.term))]


def pattern_names(pattern: str) -> list[str]:
    """Return the names in an f-string."""
    import re

    return [name for piece in re.findall(r"\{([^}]*)\}", pattern) for name in re.findall(r"[A-Za-z_]\w*", piece)]
