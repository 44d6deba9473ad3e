"""The turns of a repeat: what is known in each, the loop that makes them, what is known behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from cnndsl.emit.flow import Flow
from cnndsl.emit.layout import Call, Display, Doc, Item, Text
from cnndsl.emit.names import variable
from cnndsl.emit.parts import output
from cnndsl.emit.plan import ChainItem, Line, Loop
from cnndsl.emit.scope import Mismatch, python_value, same
from cnndsl.emit.terms import Const, Term, Var, add, mul, names, text
from cnndsl.graph import Loop as LoopPart
from cnndsl.graph import Part

if TYPE_CHECKING:
    from cnndsl.emit.units import Unit


class Turns:
    """All turns of a repeat in all frames, as frames of one scope."""

    def __init__(self, unit: Unit, loops: Sequence[LoopPart], flow: Flow, carried: str = "", skipped: int = 0) -> None:
        self.unit, self.loops, self.outer, self.carried, self.skipped = unit, loops, flow, carried, skipped
        first = loops[0]
        self.is_table = first.count is None
        if self.is_table and any(loop.rows != first.rows for loop in loops):
            raise Mismatch
        taken = unit.taken | set(flow.scope.frames[0])
        self.targets = {name: variable(name, taken) for name in first.names}
        self.parts: list[Part] = [turn for loop in loops for turn in loop.turns]

    def flow(self) -> Flow:
        """The flow into each turn."""
        outer, frames, nodes, roots, widths = (
            self.outer,
            list[dict[str, object]](),
            list[int](),
            list[str](),
            list[int](),
        )
        for place, loop in enumerate(self.loops):
            if len(loop.rows) != len(loop.turns) + self.skipped:
                raise Mismatch
            entry = outer.nodes[place]
            for turn, (part, row) in enumerate(zip(loop.turns, loop.rows[self.skipped :], strict=True)):
                width = outer.widths[place] if turn == 0 else self.unit.graph.nodes[entry].shape.channels
                values = {self.targets[name]: python_value(value) for name, value in zip(loop.names, row, strict=True)}
                counted = {self.carried: width} if self.carried else {}
                frames.append({**outer.scope.frames[place], **values, **counted})
                nodes.append(entry)
                roots.append(outer.roots[place])
                widths.append(width)
                entry = output(part, entry)
        look = {name: Var(target) for name, target in self.targets.items()}
        scope = outer.scope.with_names(look, frames)
        return replace(outer, scope=scope, nodes=tuple(nodes), roots=tuple(roots), widths=tuple(widths), term=None)

    def loop(self, items: list[ChainItem], before: Line | None = None, after: Line | None = None) -> Loop:
        used = [name for name in self.loops[0].names if self.targets[name] in self.unit.uses]
        if self.is_table:
            return Loop(self._row_targets(used), self._rows(used), tuple(items), before, after)
        counts = [len(loop.turns) for loop in self.loops]
        written = self.outer.scope.common(loop.count for loop in self.loops)
        number = self.outer.scope.express(counts, None if written is None else add(written, Const(-self.skipped)))
        if not used:
            return Loop("_", Call("range", (Item(self.unit.doc(number)),)), tuple(items), before, after)
        start, stop = Const(1 + self.skipped), add(number, Const(1 + self.skipped))
        bounds = (Item(self.unit.doc(start)), Item(self.unit.doc(stop)))
        return Loop(self.targets[used[0]], Call("range", bounds), tuple(items), before, after)

    def _row_targets(self, used: list[str]) -> str:
        return ", ".join(self.targets[name] for name in used) if used else "_"

    def _rows(self, used: list[str]) -> Doc:
        loop = self.loops[0]
        if not used:
            return Call("range", (Item(Text(str(len(loop.rows)))),))
        places = [loop.names.index(name) for name in used]
        rows = [[Text(text(Const(python_value(row[at])))) for at in places] for row in loop.rows]
        items = [row[0] if len(row) == 1 else Display("()", tuple(map(Item, row))) for row in rows]
        return Display("()", tuple(map(Item, items)))

    def behind(self, flow: Flow, leaving: Term | None, carried: str = "") -> Flow:
        """The flow behind the repeat; what only its body knows is no longer said."""
        nodes = [output(loop, entry) for loop, entry in zip(self.loops, flow.nodes, strict=True)]
        inside = {*self.targets.values(), *([carried] if leaving != Var(carried) else [])}
        if leaving is not None and inside & set(names(leaving)):
            leaving = None
        if not carried:
            return flow.after(nodes, leaving)
        after = flow.after(nodes, None if leaving == Var(carried) else leaving)
        if leaving == Var(carried):
            after = replace(after, term=leaving)
        frames = [{**frame, carried: width} for frame, width in zip(flow.scope.frames, after.widths, strict=True)]
        return replace(after, scope=replace(flow.scope, frames=tuple(frames)), term=after.term or Var(carried))


def in_turn(flow: Flow, loops: Sequence[LoopPart], turn: int) -> Flow:
    """One turn by itself: the loop's names are numbers."""
    rows = [loop.rows[turn] for loop in loops if len(loop.rows) == len(loop.turns)]
    if len(rows) < len(loops):
        return flow
    look: dict[str, Term] = {}
    for at, name in enumerate(loops[0].names):
        values = [python_value(row[at]) for row in rows]
        if all(same(value, values[0]) for value in values):
            look[name] = Const(values[0])
    return replace(flow, scope=flow.scope.with_names(look, flow.scope.frames))


def step_of(name: str, leaving: Term) -> Line:
    """What the variable that counts channels becomes at the end of a turn."""
    more = add(leaving, mul(Const(-1), Var(name)))
    if name not in names(more) and name in names(leaving):
        return Line(f"{name} += ", Text(text(more)))
    return Line(f"{name} = ", Text(text(leaving)))


def counted(found: list[str]) -> list[str | Term]:
    """`conv1`, `conv2` as a pattern over the turn `i`."""
    first = found[0].rstrip("0123456789")
    number = found[0][len(first) :]
    steps = {
        int(b[len(first) :] or 0) - int(a[len(first) :] or 0) for a, b in pairwise(found) if b[len(first) :].isdigit()
    }
    if not number or steps != {1}:
        raise Mismatch
    return [first, add(Var("i"), Const(int(number) - 1))]
