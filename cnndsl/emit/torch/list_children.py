"""Step 3d: the children of a class with lists: containers whose modules a loop builds, as many as an argument says.

    self.branches = nn.ModuleList([Branch(w * 2**j) for j in range(n)])

Before: the loops of a class (`rerolling`). After: its children, and the channels of each result. Each module is built
once for all iterations at all call sites: a term that holds in every one of these frames is right for all, and the
bounds of a loop are those that the program writes. Raises Differ, Missing or Fixed if no such term exists.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from cnndsl.emit.torch.child_loops import ChildBuilder
from cnndsl.emit.torch.cursor import Cursor
from cnndsl.emit.torch.ir import (
    Build,
    Child,
    ChildName,
    CountedRange,
    Element,
    Key,
    LoopItem,
    SequentialBuild,
    node_of,
)
from cnndsl.emit.torch.iterations import built_names
from cnndsl.emit.torch.list_records import InnerLoop, ItemCall, Joined, ListExpression, ListItem
from cnndsl.emit.torch.names import variable
from cnndsl.emit.torch.part_queries import InIteration
from cnndsl.emit.torch.rerolling import ListedModule, Rerolled
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.scope import Scope, python_value
from cnndsl.emit.torch.terms import Const, Term, Var, add, mul, names, substitute
from cnndsl.emit.torch.trace_records import Traced
from cnndsl.expressions import Expr
from cnndsl.graph import LoopPart
from cnndsl.records import record

_PROBE = "(channels)"
"""Placeholder for the channels of the first list until their name is known. It is not a valid Python name."""


@record(slots=True)
class LoopCounter:
    """The variable of a loop in a constructor, its name in the program, its first value, and the terms for its first
    value and for one past its last."""

    name: str
    look: str
    start: int
    first: Term
    stop: Term


class ListChildren:
    """The children of a class with lists."""

    def __init__(self, modules: ChildBuilder, cursor: Cursor, traced: Traced, found: Rerolled) -> None:
        self.modules, self.cursor, self.traced, self.found = modules, cursor, traced, found
        self.graph = modules.graph
        self.widths: dict[int, tuple[Term, LoopCounter]] = {}
        """The channels of the values of each list, and the variable that they depend on."""
        self.counters: dict[str, tuple[LoopCounter, ...]] = {}
        self.built: dict[str, tuple[Build | SequentialBuild, Term | None]] = {}
        for at, loop in enumerate(found.forward.loops):
            name = loop.containers[0]
            counters = self._counters(found.modules[name])[:1]
            term = self._width(loop.element, counters)
            if term is not None:
                self.widths[at + 1] = term, counters[0]

        self.made = self._children()

    def _children(self) -> tuple[Child, ...]:
        """Return the children, in the order of the `state_dict`."""
        order = [*self.traced.children]
        first = {
            name: min(order.index(each.name) for each in held if each.name in self.traced.children)
            for name, held in self.found.modules.items()
        }
        return tuple(self._child(name) for name in sorted(first, key=first.__getitem__))

    def leaving(self) -> tuple[Term | None, ...]:
        """Return the channels of each result."""
        results = self.traced.forward.results
        known = self.widths.get(len(self.found.forward.loops))
        if known is None:
            return (None,) * len(results)
        term, counter = known
        found = [substitute(term, {counter.name: Const(counter.start + at)}) for at in range(len(results))]
        return tuple(
            each if self.cursor.scope.holds(each, self._widths_of(value)) else None
            for each, value in zip(found, results, strict=True)
        )

    def _widths_of(self, value: int) -> list[object]:
        keys = self.traced.forward.values[value].keys
        return [self.cursor.scope.followed.width(self.graph, node_of(what)) for what in keys if what is not None]

    def _child(self, name: str) -> Child:
        module, _ = self.built[name]
        for counter in reversed(self.counters[name]):
            targets, over = (counter.name,), CountedRange(counter.first, counter.stop)
            if counter.name not in built_names(module):
                targets, over = (), CountedRange(Const(0), add(counter.stop, mul(Const(-1), counter.first)))
            module = SequentialBuild((LoopItem(targets, over, (Element(ChildName(), module),)),), is_list=True)
        return Child(name, module)

    # Channels

    def _width(self, expression: ListExpression, counters: tuple[LoopCounter, ...]) -> Term | None:
        """Build the modules that an expression calls. Returns the channels of the expression."""
        if isinstance(expression, ListItem):
            known = self.widths.get(expression.listed)
            if known is None:
                return None
            term, counter = known
            here = counters[expression.depth]
            return substitute(term, {counter.name: add(Var(here.name), Const(counter.start - here.start))})
        if isinstance(expression, ItemCall):
            return self._called(expression, counters)
        if isinstance(expression, InnerLoop):
            return self._joined(expression, self._counters(self.found.modules[expression.row]))
        assert isinstance(expression, Joined)
        return next(filter(None, [self._width(each, counters) for each in expression.operands]), None)

    def _joined(self, expression: InnerLoop, counters: tuple[LoopCounter, ...]) -> Term | None:
        term, inner = self._width(expression.element, counters), counters[-1]
        if term is None or inner.name in names(term):
            return None
        if expression.operation == "sum":
            return term
        return mul(add(inner.stop, mul(Const(-1), inner.first)), term)

    def _called(self, call: ItemCall, counters: tuple[LoopCounter, ...]) -> Term | None:
        """Build the modules of a container. The channels that enter the first module of all lists have no name in the
        program; they are those that leave, if these are equal in every iteration."""
        operand, held = call.operand, self.found.modules[call.child]
        entering = self._width(operand, counters)
        self.counters[call.child] = counters[: len(held[0].numbers)]
        if entering is None and isinstance(operand, ListItem) and operand.listed == 0:
            inside = self._inside(held, counters, Var(_PROBE))
            _, entering = self._built(held, inside)
            if entering is None or not inside.scope.holds(entering, inside.widths) or _PROBE in names(entering):
                raise Differ
            self.widths[0] = entering, counters[operand.depth]
        self.built[call.child] = self._built(held, self._inside(held, counters, entering))
        return self.built[call.child][1]

    # Modules

    def _inside(self, held: Sequence[ListedModule], counters: tuple[LoopCounter, ...], term: Term | None) -> Cursor:
        """Return the cursor at the inputs of a container's modules, in each iteration at each call site."""
        cursor, places = self.cursor, range(len(self.cursor.roots))
        values = self.traced.forward.values
        nodes = [_node(values[each.entering].keys[place]) for each in held for place in places]
        widths = [cursor.scope.followed.width(self.graph, node) for node in nodes]
        frames = [
            {**cursor.scope.frames[place], **_numbers(each.iterations, counters, place)}
            for each in held
            for place in places
        ]
        if term == Var(_PROBE):
            frames = [{**env, _PROBE: width} for env, width in zip(frames, widths, strict=True)]
        scope = self._scope(counters, frames, [place for _ in held for place in places])
        inside = Cursor(self.graph, scope, cursor.roots * len(held), tuple(nodes), None)
        return inside.after(nodes, term)

    def _scope(
        self, counters: tuple[LoopCounter, ...], frames: Sequence[Mapping[str, object]], places: Sequence[int]
    ) -> Scope:
        scope, look = self.cursor.scope, {each.look: Var(each.name) for each in counters}
        return replace(
            scope.with_names(look),
            frames=tuple(frames),
            places=tuple(scope.places[place] for place in places),
            is_loop=True,
            turning=scope.turning | {each.name for each in counters},
        )

    def _built(self, held: Sequence[ListedModule], inside: Cursor) -> tuple[Build | SequentialBuild, Term | None]:
        """Return one constructor call for all modules of a container."""
        parts = [part for each in held for part in each.parts]
        module, after = self.modules.module(parts, inside)
        if not held[0].numbers and inside.scope.turning & {*built_names(module)}:
            raise Differ
        return module, after.term

    # Loops

    def _counters(self, held: Sequence[ListedModule]) -> tuple[LoopCounter, ...]:
        """Return the loops that build the modules of a container, the outer one first."""
        counters: tuple[LoopCounter, ...] = ()
        for depth in range(len(held[0].numbers)):
            counters += (self._counter(held, depth, counters),)
        return counters

    def _counter(self, held: Sequence[ListedModule], depth: int, around: tuple[LoopCounter, ...]) -> LoopCounter:
        """Return the loop at a depth, inside the given ones. Raises Differ if the program does not write its bounds."""
        frames: list[Mapping[str, object]] = []
        loops: list[LoopPart] = []
        starts: set[int] = set()
        stops: list[int] = []
        for _, group in groupby(held, key=lambda each: each.numbers[:depth]):
            members = list(group)
            for place in range(len(self.cursor.roots)):
                values = {each.numbers[depth]: _number(each.iterations[depth], place) for each in members}
                starts |= {value - number for number, value in values.items()}
                stops.append(values[0] + len(values))
                loops.append(members[0].iterations[depth].loops[place])
                numbers = _numbers(members[0].iterations[:depth], around, place)
                frames.append({**self.cursor.scope.frames[place], **numbers})
        look = loops[0].names[0]
        taken = {*frames[0], *(each.name for each in around)}
        rounds = len(loops) // len(self.cursor.roots)
        scope = self._scope(around, frames, [*range(len(self.cursor.roots))] * rounds)
        first, stop = _bounds(loops, scope)
        if len(starts) > 1 or not scope.holds(stop, stops):
            raise Differ
        start = starts.pop()
        if not scope.holds(first, [start] * len(loops)):
            raise Differ
        return LoopCounter(variable(look, taken), look, start, first, stop)


def _node(found: Key | None) -> int:
    if found is None:
        raise Differ
    return node_of(found)


def _numbers(iterations: Sequence[InIteration], counters: Sequence[LoopCounter], place: int) -> dict[str, object]:
    """Return the values of the variables of loops in one iteration at a call site."""
    return {counter.name: _number(each, place) for each, counter in zip(iterations, counters, strict=False)}


def _number(iteration: InIteration, place: int) -> int:
    """Return the value of a repeat's variable in an iteration. Raises Differ if it is not a number."""
    row = iteration.loops[place].rows[iteration.number]
    value = python_value(row[0]) if len(row) == 1 else None
    if not isinstance(value, int) or isinstance(value, bool):
        raise Differ
    return value


def _bounds(loops: Sequence[LoopPart], scope: Scope) -> tuple[Term, Term]:
    """Return the first number of a repeat, and one past its last, as the program writes them."""
    if loops[0].count is None and not loops[0].is_range:
        raise Differ
    if loops[0].count is not None:
        return Const(1), add(_term([loop.count for loop in loops], scope), Const(1))
    first, last = (_term([loop.cells[0][at] for loop in loops], scope) for at in range(2))
    return first, add(last, Const(1))


def _term(written: Sequence[Expr | None], scope: Scope) -> Term:
    found = scope.whole(written)
    if found is None or found.dividend is not None:
        raise Differ
    return found.term
