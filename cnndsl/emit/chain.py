"""From a chain of parts to the plan of an `nn.Sequential`, for all of its places at once.

Repeats become loops and choices conditions where one piece of code can say them; where none can, a repeat is written
out turn by turn, and a choice raises Mismatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from cnndsl.emit.flow import Flow
from cnndsl.emit.layout import Call, Display, Doc, Item, Text, flat
from cnndsl.emit.names import attribute, variable
from cnndsl.emit.parts import child, elements, output
from cnndsl.emit.plan import Chain, ChainItem, ChildName, Condition, Element, Line, Loop
from cnndsl.emit.scope import Mismatch, python_value, same
from cnndsl.emit.terms import Const, Term, Unknown, Var, add, evaluate, mul, names, text
from cnndsl.expr import Expr
from cnndsl.graph import Called, Choice, Leaf, Named, Part, Through
from cnndsl.graph import Loop as LoopPart
from cnndsl.graph import Sequence as SequencePart

if TYPE_CHECKING:
    from cnndsl.emit.units import Snapshot, Unit

_DEEPEST = 4
"""Repeats within repeats beyond this depth are written out: each level is tried in several ways."""
Template = tuple[str | Expr, ...]
Kind = TypeVar("Kind", bound=Part)


@dataclass
class ChainBuilder:
    """Fills the plan of one `nn.Sequential`. A flattening that it begins with was left to the caller."""

    unit: Unit
    renumbered: bool = False
    """Whether a flattening stands in between, so that PyTorch would count one too many."""
    depth: int = 0
    carried: list[str] = field(default_factory=list[str])
    nesting: int = 0

    def build(self, parts: Sequence[Part | None], flow: Flow) -> tuple[Chain, Flow]:
        items, flow = self.sequence(parts, flow)
        return Chain(tuple(items)), flow

    def sequence(self, parts: Sequence[Part | None], flow: Flow) -> tuple[list[ChainItem], Flow]:
        rows = [elements(part) for part in parts]
        if len({len(row) for row in rows}) > 1:
            raise Mismatch
        items: list[ChainItem] = []
        for row in zip(*rows, strict=True):
            made, flow = self.part(row, flow)
            items += made
        return items, flow

    def part(self, parts: Sequence[Part], flow: Flow, template: Template = ()) -> tuple[list[ChainItem], Flow]:
        first = parts[0]
        if any(type(part) is not type(first) for part in parts):
            raise Mismatch
        if isinstance(first, LoopPart):
            return self._loop(only(parts, LoopPart), flow)
        if isinstance(first, Choice):
            return self._choice(only(parts, Choice), flow)
        if isinstance(first, Named) and not first.is_module:
            inner = [part.part for part in only(parts, Named)]
            return self.part(inner, flow, first.template)
        if isinstance(first, SequencePart | Through):
            return self.sequence(parts, flow)
        return self._element(parts, flow, template)

    # Modules

    def _element(self, parts: Sequence[Part], flow: Flow, template: Template) -> tuple[list[ChainItem], Flow]:
        items: list[ChainItem] = []
        if self._must_flatten(parts, flow):
            items, flow = self._flatten(flow), flow.flattened()
        first = parts[0]
        paths = [self._path(part) for part in parts]
        template = first.template if isinstance(first, Named) else template
        name = self._name([child(path, root) for path, root in zip(paths, flow.roots, strict=True)], flow, template)
        outputs = [output(part, entry) for part, entry in zip(parts, flow.nodes, strict=True)]
        element, after = self.unit.module(parts, flow, name)
        if element is None and not name.text:
            element = Element(name, Call("nn.Identity"))
        if element is not None:
            items.append(replace(element, comment=flow.comment(outputs)))
        return items, after

    def _path(self, part: Part) -> str:
        if isinstance(part, Leaf):
            return self.unit.graph.nodes[part.node].path
        if isinstance(part, Called | Named):
            return part.path
        raise Mismatch

    def _must_flatten(self, parts: Sequence[Part], flow: Flow) -> bool:
        wants = self.unit.structure.wants_flat
        return not flow.flat and any(wants(part, entry) for part, entry in zip(parts, flow.nodes, strict=True))

    def _flatten(self, flow: Flow) -> list[ChainItem]:
        if self.depth:
            raise Mismatch
        self.renumbered = True
        flat = {self.unit.graph.nodes[at].shape.numel for at in flow.nodes}
        return [Element(ChildName("flatten"), Call("nn.Flatten"), comment=str(flat.pop()) if len(flat) == 1 else "")]

    def _name(self, found: list[str], flow: Flow, template: Template) -> ChildName:
        """The name of a child that is called so in each frame."""
        if all(name.isdigit() for name in found) and not self.renumbered:
            return ChildName()
        for name in found:
            attribute(name)
        if len(set(found)) == 1:
            return ChildName(found[0])
        pieces = [piece if isinstance(piece, str) else flow.scope.term(piece) for piece in template]
        pattern = self._pattern(pieces or _counted(found), found, flow)
        return ChildName(pattern, is_pattern=True)

    def _pattern(self, pieces: Sequence[str | Term | None], found: list[str], flow: Flow) -> str:
        written = ""
        for frame, name in zip(flow.scope.frames, found, strict=True):
            try:
                made = [
                    each if isinstance(each, str) else str(evaluate(each, frame)) for each in pieces if each is not None
                ]
            except Unknown:
                raise Mismatch from None
            if "".join(made) != name or None in pieces:
                raise Mismatch
        for each in pieces:
            if isinstance(each, str):
                written += each
            elif each is not None:
                self.unit.use(each)
                written += f"{{{text(each)}}}"
        return written

    # Choices

    def _choice(self, choices: Sequence[Choice], flow: Flow) -> tuple[list[ChainItem], Flow]:
        if len({choice.taken for choice in choices}) == 1:
            return self.sequence([choice.part for choice in choices], flow)
        taken = [at for at, choice in enumerate(choices) if choice.taken == 0]
        others = [at for at, choice in enumerate(choices) if choice.taken != 0]
        if len({choices[at].taken for at in others}) > 1:
            raise Mismatch
        term = flow.scope.common(None if isinstance(choice.test, str) else choice.test for choice in choices)
        if term is None or not flow.scope.holds(term, [choice.taken == 0 for choice in choices]):
            raise Mismatch
        self.depth += 1
        items, after = self.sequence([choices[at].part for at in taken], flow.where(taken))
        otherwise, after_others = self.sequence([choices[at].part for at in others], flow.where(others))
        self.depth -= 1
        nodes = list(flow.nodes)
        for chosen, branch in ((taken, after), (others, after_others)):
            for at, node in zip(chosen, branch.nodes, strict=True):
                nodes[at] = node
        widths = [self.unit.graph.nodes[at].shape.channels for at in nodes]
        leaving = next((each for each in (after.term, after_others.term) if flow.scope.holds(each, widths)), None)
        if not items and not otherwise:
            return [], flow.after(nodes, leaving)
        if not items:
            term, items, otherwise = negated(term), otherwise, items
        return [Condition(self.unit.doc(term), tuple(items), tuple(otherwise))], flow.after(nodes, leaving)

    # Repeats

    def _loop(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        items: list[ChainItem] = []
        if not any(loop.turns for loop in loops):
            return items, flow
        firsts = [loop.turns[0] if loop.turns else None for loop in loops]
        wants = self.unit.structure.wants_flat
        if not flow.flat and any(wants(part, entry) for part, entry in zip(firsts, flow.nodes, strict=True)):
            items, flow = self._flatten(flow), flow.flattened()
        made = self._shortest(loops, flow)
        return [*items, *made[0]], made[1]

    def _shortest(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """The repeat as a loop, or turn by turn where that is no longer and loses no parameter."""
        rolled = None
        if any(len(loop.turns) > 1 for loop in loops) and self.nesting < _DEEPEST:
            rolled = self._rolled(loops, flow)
        if rolled is not None and not _is_literal(rolled[0]):
            return rolled[:2]
        restore = rolled[2] if rolled is not None else None
        kept = self.unit.snapshot()
        if restore is not None:
            self.unit.restore(restore)
        unrolled = self.unit.attempt(lambda: self._in_loop(self._unrolled, loops, flow))
        if unrolled is not None and (rolled is None or cost(unrolled[0]) <= cost(rolled[0])):
            return unrolled
        if rolled is None:
            raise Mismatch
        self.unit.restore(kept)
        return rolled[:2]

    def _rolled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow, Snapshot] | None:
        """The first way to write a loop that is right, and what the unit was before."""
        before = self.unit.snapshot()
        self.nesting += 1
        try:
            for way in (self._same, self._peeled, self._carried):
                made = self.unit.attempt(lambda way=way: self._in_loop(way, loops, flow))
                if made is not None:
                    return (*made, before)
            return None
        finally:
            self.nesting -= 1

    def _in_loop(
        self,
        way: Callable[[Sequence[LoopPart], Flow], tuple[list[ChainItem], Flow]],
        loops: Sequence[LoopPart],
        flow: Flow,
    ) -> tuple[list[ChainItem], Flow]:
        before = (self.renumbered, self.depth, list(self.carried))
        try:
            return way(loops, flow)
        except Mismatch:
            self.renumbered, self.depth, self.carried = before
            raise

    def _unrolled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        if len({len(loop.turns) for loop in loops}) > 1:
            raise Mismatch
        items: list[ChainItem] = []
        for turn in range(len(loops[0].turns)):
            made, after = self.sequence([loop.turns[turn] for loop in loops], _in_turn(flow, loops, turn))
            flow = replace(after, scope=flow.scope, flat=False)
            items += made
        return items, flow

    def _same(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """Every turn takes as many channels as the first."""
        turns = _Turns(self.unit, loops, flow)
        inside = turns.flow()
        if not inside.scope.holds(flow.term, inside.widths):
            raise Mismatch
        items, after = self._body(turns, replace(inside, term=flow.term))
        return [turns.loop(items)], turns.behind(flow, after.term)

    def _carried(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """The turns take different numbers of channels: a variable keeps count."""
        if flow.term is None:
            raise Mismatch
        reused = isinstance(flow.term, Var) and flow.term.name in self.carried
        name = flow.term.name if reused and isinstance(flow.term, Var) else self.unit.local("channels")
        turns = _Turns(self.unit, loops, flow, name)
        if not reused:
            self.carried.append(name)
        items, after = self._body(turns, replace(turns.flow(), term=Var(name)))
        if after.term is None:
            raise Mismatch
        self.unit.use(after.term)
        start = None if reused else Line(f"{name} = ", self.unit.doc(flow.term))
        step = None if after.term == Var(name) else _step(name, after.term)
        flow = turns.behind(flow, Var(name) if reused else after.term, name)
        return [turns.loop(items, start, step)], flow

    def _peeled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """The first turn differs by the channels that it takes, and is a single module."""
        if any(not loop.turns or loop.count is None for loop in loops):
            raise Mismatch
        firsts, rest = [loop.turns[0] for loop in loops], [replace(loop, turns=loop.turns[1:]) for loop in loops]
        head, behind = self.sequence(firsts, _in_turn(flow, loops, 0))
        behind = replace(behind, scope=flow.scope)
        if len(head) != 1 or not isinstance(head[0], Element) or not any(loop.turns for loop in rest):
            raise Mismatch
        turns = _Turns(self.unit, rest, behind, skipped=1)
        inside = turns.flow()
        if not inside.scope.holds(behind.term, inside.widths):
            raise Mismatch
        items, after = self._body(turns, replace(inside, term=behind.term))
        return [*head, turns.loop(items)], turns.behind(behind, after.term)

    def _body(self, turns: _Turns, inside: Flow) -> tuple[list[ChainItem], Flow]:
        self.depth += 1
        items, after = self.sequence(turns.parts, inside)
        self.depth -= 1
        if not items:
            raise Mismatch
        return items, after


class _Turns:
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
        inside = set(self.targets.values()) | ({carried} if leaving != Var(carried) else set())
        if leaving is not None and inside & set(names(leaving)):
            leaving = None
        if not carried:
            return flow.after(nodes, leaving)
        after = flow.after(nodes, None if leaving == Var(carried) else leaving)
        if leaving == Var(carried):
            after = replace(after, term=leaving)
        frames = [{**frame, carried: width} for frame, width in zip(flow.scope.frames, after.widths, strict=True)]
        return replace(after, scope=replace(flow.scope, frames=tuple(frames)), term=after.term or Var(carried))


def _in_turn(flow: Flow, loops: Sequence[LoopPart], turn: int) -> Flow:
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


def _step(name: str, leaving: Term) -> Line:
    """What the variable that counts channels becomes at the end of a turn."""
    more = add(leaving, mul(Const(-1), Var(name)))
    if name not in names(more) and name in names(leaving):
        return Line(f"{name} += ", Text(text(more)))
    return Line(f"{name} = ", Text(text(leaving)))


def _counted(found: list[str]) -> list[str | Term]:
    """`conv1`, `conv2` as a pattern over the turn `i`."""
    first = found[0].rstrip("0123456789")
    number = found[0][len(first) :]
    steps = {
        int(b[len(first) :] or 0) - int(a[len(first) :] or 0) for a, b in pairwise(found) if b[len(first) :].isdigit()
    }
    if not number or steps != {1}:
        raise Mismatch
    return [first, add(Var("i"), Const(int(number) - 1))]


def negated(term: Term) -> Term:
    """The opposite of a test."""
    from cnndsl.emit.terms import Op

    opposite = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
    if isinstance(term, Op) and term.operator in opposite:
        return Op(opposite[term.operator], term.operands)
    if isinstance(term, Op) and term.operator == "not":
        return term.operands[0]
    return Op("not", (term,))


def cost(items: Iterable[ChainItem]) -> int:
    """About how many lines the items take."""
    return sum(_cost(item) for item in items)


def _cost(item: ChainItem) -> int:
    if isinstance(item, Element):
        return 1 if item.nested is None else 1 + cost(item.nested.items)
    if isinstance(item, Condition):
        return 1 + cost(item.items) + (1 + cost(item.otherwise) if item.otherwise else 0)
    around = (item.before is not None) + (item.after is not None)
    alone = not around and len(item.items) == 1 and isinstance(item.items[0], Element) and not item.items[0].name.text
    return 1 if alone else 1 + around + cost(item.items)


def _is_literal(items: Sequence[ChainItem]) -> bool:
    """Whether the number of turns is a number."""
    return all(
        not isinstance(item, Loop)
        or flat(item.iterable).replace(" ", "")[6:-1].replace(",", "").isdigit()
        or item.targets != "_"
        for item in items
    )


def only(parts: Sequence[Part], kind: type[Kind]) -> list[Kind]:
    """The parts, known to be of one kind. Raises Mismatch where they are not."""
    found = [part for part in parts if isinstance(part, kind)]
    if len(found) < len(parts):
        raise Mismatch
    return found
