"""From a chain of parts to the plan of an `nn.Sequential`, for all of its places at once.

Repeats become loops and choices conditions where one piece of code can say them; where none can, a repeat is written
out turn by turn, and a choice raises Mismatch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from cnndsl.emit.flow import Flow
from cnndsl.emit.layout import Call, flat
from cnndsl.emit.names import attribute
from cnndsl.emit.parts import child, elements, only, output
from cnndsl.emit.plan import Chain, ChainItem, ChildName, Condition, Element, Line, Loop, cost
from cnndsl.emit.scope import Mismatch
from cnndsl.emit.terms import Term, Unknown, Var, evaluate, negated, text
from cnndsl.emit.turns import Turns, counted, in_turn, step_of
from cnndsl.expr import Expr
from cnndsl.graph import Called, Choice, From, Leaf, Named, Part, Through
from cnndsl.graph import Loop as LoopPart
from cnndsl.graph import Sequence as SequencePart

if TYPE_CHECKING:
    from cnndsl.emit.units import Snapshot, Unit

_DEEPEST = 4
"""Repeats within repeats beyond this depth are written out: each level is tried in several ways."""
_SHORTEST_TABLE = 3
"""A `for` with as many rows stays a table."""
Template = tuple[str | Expr, ...]
Kind = TypeVar("Kind", bound=Part)


@dataclass
class ChainBuilder:
    """Fills the plan of one `nn.Sequential`. A flattening that it begins with was left to the caller."""

    unit: Unit
    renumbered: bool = False
    """Whether a flattening stands in between, so that PyTorch would count one too many."""
    depth: int = 0

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
        if isinstance(first, From):
            return [], flow
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
            items.append(replace(element, comment=after.comment(outputs)))
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
        pattern = self._pattern(pieces or counted(found), found, flow)
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
        if any(len(loop.turns) > 1 for loop in loops) and self.unit.nesting < _DEEPEST:
            rolled = self._rolled(loops, flow)
        if rolled is not None and _is_worth_it(rolled[0], loops):
            return rolled[:2]
        if rolled is not None:
            self.unit.restore(rolled[2])
        unrolled = self.unit.attempt(lambda: self._in_loop(self._unrolled, loops, flow))
        if unrolled is not None:
            return unrolled
        rolled = None if rolled is None else self._rolled(loops, flow)
        if rolled is None:
            raise Mismatch
        return rolled[:2]

    def _rolled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow, Snapshot] | None:
        """The first way to write a loop that is right, and what the unit was before."""
        before = self.unit.snapshot()
        self.unit.nesting += 1
        try:
            for way in (self._same, self._peeled, self._carried):
                made = self.unit.attempt(lambda way=way: self._in_loop(way, loops, flow))
                if made is not None:
                    return (*made, before)
            return None
        finally:
            self.unit.nesting -= 1

    def _in_loop(
        self,
        way: Callable[[Sequence[LoopPart], Flow], tuple[list[ChainItem], Flow]],
        loops: Sequence[LoopPart],
        flow: Flow,
    ) -> tuple[list[ChainItem], Flow]:
        before = (self.renumbered, self.depth)
        try:
            return way(loops, flow)
        except Mismatch:
            self.renumbered, self.depth = before
            raise

    def _unrolled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        if len({len(loop.turns) for loop in loops}) > 1:
            raise Mismatch
        items: list[ChainItem] = []
        for turn in range(len(loops[0].turns)):
            made, after = self.sequence([loop.turns[turn] for loop in loops], in_turn(flow, loops, turn))
            flow = replace(after, scope=flow.scope, flat=False)
            items += made
        return items, flow

    def _same(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """Every turn takes as many channels as the first."""
        turns = Turns(self.unit, loops, flow)
        inside = turns.flow()
        if not inside.scope.holds(flow.term, inside.widths):
            raise Mismatch
        items, after = self._body(turns, replace(inside, term=flow.term))
        return [turns.loop(items)], turns.behind(flow, after.term)

    def _carried(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """The turns take different numbers of channels: a variable keeps count."""
        if flow.term is None:
            raise Mismatch
        name = self.unit.counter
        reused = flow.term == Var(name)
        turns = Turns(self.unit, loops, flow, name)
        items, after = self._body(turns, replace(turns.flow(), term=Var(name)))
        if after.term is None:
            raise Mismatch
        self.unit.use(after.term)
        start = None if reused else Line(f"{name} = ", self.unit.doc(flow.term))
        step = None if after.term == Var(name) else step_of(name, after.term)
        flow = turns.behind(flow, Var(name) if reused else after.term, name)
        return [turns.loop(items, start, step)], flow

    def _peeled(self, loops: Sequence[LoopPart], flow: Flow) -> tuple[list[ChainItem], Flow]:
        """The first turn differs by the channels that it takes, and is a single module."""
        if any(not loop.turns or loop.count is None for loop in loops):
            raise Mismatch
        firsts, rest = [loop.turns[0] for loop in loops], [replace(loop, turns=loop.turns[1:]) for loop in loops]
        head, behind = self.sequence(firsts, in_turn(flow, loops, 0))
        behind = replace(behind, scope=flow.scope)
        if len(head) != 1 or not isinstance(head[0], Element) or not any(loop.turns for loop in rest):
            raise Mismatch
        turns = Turns(self.unit, rest, behind, skipped=1)
        inside = turns.flow()
        if not inside.scope.holds(behind.term, inside.widths):
            raise Mismatch
        items, after = self._body(turns, replace(inside, term=behind.term))
        return [*head, turns.loop(items)], turns.behind(behind, after.term)

    def _body(self, turns: Turns, inside: Flow) -> tuple[list[ChainItem], Flow]:
        self.depth += 1
        items, after = self.sequence(turns.parts, inside)
        self.depth -= 1
        if not items:
            raise Mismatch
        return items, after


def _is_worth_it(items: Sequence[ChainItem], loops: Sequence[LoopPart]) -> bool:
    """Whether a loop says more, or the same in fewer lines, than its turns written out."""
    turns = max(len(loop.turns) for loop in loops)
    if not _is_literal(items) or (loops[0].count is None and turns >= _SHORTEST_TABLE):
        return True
    body = max(cost(item.items) for item in items if isinstance(item, Loop))
    return cost(items) < turns * body


def _is_literal(items: Sequence[ChainItem]) -> bool:
    """Whether the number of turns is a number."""
    return all(
        not isinstance(item, Loop)
        or flat(item.iterable).replace(" ", "")[6:-1].replace(",", "").isdigit()
        or item.targets != "_"
        for item in items
    )
