"""From a part with branches to the steps of a `forward` and the children of its module, for all places at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnndsl.emit.choices import Decision, Places, chosen, sometimes_joined
from cnndsl.emit.merges import steps_of
from cnndsl.emit.names import attribute
from cnndsl.emit.parts import child, elements, only, output
from cnndsl.emit.scope import Mismatch, python_value, same
from cnndsl.emit.terms import Const, Term
from cnndsl.emit.values import Apply, Compute, Program, Step, Training, Value, early
from cnndsl.graph import Called, Choice, From, Join, Leaf, Loop, Named, Part, Tapped
from cnndsl.graph import Sequence as SequencePart
from cnndsl.layers.base import TorchCall, TorchFunction

if TYPE_CHECKING:
    from cnndsl.emit.units import Unit


@dataclass
class Child:
    """A child of the module: what it is in each place that has it, what enters it, the decision that it hangs on."""

    name: str
    parts: dict[int, Part] = field(default_factory=dict[int, Part])
    entries: dict[int, int] = field(default_factory=dict[int, int])
    look: Mapping[str, Term] = field(default_factory=dict[str, Term])
    decision: Decision | None = None


@dataclass
class Traced:
    """What came of it."""

    program: Program
    children: dict[str, Child]
    decisions: list[Decision]


class Tracer:
    """Walks over the same part in all places at once."""

    def __init__(self, unit: Unit, roots: Sequence[str], parts: Sequence[Part], entries: Sequence[int]) -> None:
        self.unit, self.roots = unit, roots
        self.all: Places = tuple(range(len(parts)))
        self.parts = parts
        entry = Value(dict(enumerate(entries)), "x")
        self.program = Program(entry)
        self._values: dict[tuple[int, int], list[Value]] = {}
        """Values by place and node there, the latest last."""
        self._enter(entry)
        self.steps: list[Step] = self.program.steps
        self.children: dict[str, Child] = {}
        self.look: dict[str, Term] = {}
        self.decision: Decision | None = None
        self.in_training = False
        self.renamed: dict[int, Value] = {}
        """Values that another one stands for, since two branches begin with the same steps."""
        self.decisions: list[Decision] = []

    def trace(self) -> Traced:
        """The whole `forward`. Raises Mismatch where the places differ in more than code can say."""
        out = self.walk(list(self.parts), self.all, self.program.entry)
        self.program.outs.append(out.real)
        exposed = [self._exposed(part) for part in self.parts]
        if len({len(each) for each in exposed}) > 1:
            raise Mismatch
        for nodes in zip(*exposed, strict=True):
            value = self._find(self.all, nodes)
            if value is None:
                raise Mismatch
            if not any(value.real is each for each in self.program.training):
                self.program.outs.append(value.real)
        self.program.steps[:] = early(self.program.steps)
        return Traced(self.program, self.children, self.decisions)

    def _exposed(self, part: Part) -> tuple[int, ...]:
        if not self.unit.is_root:
            return self.unit.structure.exposed(part)
        taps = sorted(self.unit.graph.taps, key=lambda tap: tap.training_only)
        return tuple(tap.node for tap in taps)

    # Values

    def new(self, places: Places, nodes: Sequence[int], hint: str = "") -> Value:
        value = Value(dict(zip(places, nodes, strict=True)), hint)
        self._enter(value)
        return value

    def _enter(self, value: Value) -> None:
        for key in value.nodes.items():
            self._values.setdefault(key, []).append(value)

    def _find(self, places: Places, nodes: Sequence[int]) -> Value | None:
        """The latest value that is these nodes."""
        for value in reversed(self._values.get((places[0], nodes[0]), ())):
            if all(value.nodes.get(place) == node for place, node in zip(places, nodes, strict=True)):
                return value
        return None

    def _read(self, places: Places, nodes: Sequence[int], hint: str = "") -> Value:
        """A value made here, or one from outside."""
        found = self._find(places, nodes)
        if found is not None:
            return found
        own = [set(self.unit.structure.own(self.parts[place])) for place in places]
        if places != self.all or any(max(node, ~node) in mine for node, mine in zip(nodes, own, strict=True)):
            raise Mismatch
        value = self.new(places, nodes, hint or "skip")
        self.program.reads.append(value)
        return value

    # Parts

    def walk(self, parts: Sequence[Part | None], places: Places, value: Value) -> Value:
        if all(isinstance(part, SequencePart) for part in parts):
            columns = [part.parts for part in parts if isinstance(part, SequencePart)]
            if len({len(column) for column in columns}) == 1:
                for row in zip(*columns, strict=True):
                    value = self.walk(row, places, value)
                return value
        if len({isinstance(part, Join) for part in parts}) > 1:
            return sometimes_joined(self, parts, places, value)
        rows = [elements(part) for part in parts]
        if len({len(row) for row in rows}) > 1:
            raise Mismatch
        for row in zip(*rows, strict=True):
            value = self._part(row, places, value)
        return value

    def _part(self, parts: Sequence[Part], places: Places, value: Value) -> Value:
        first = parts[0]
        if any(type(part) is not type(first) for part in parts):
            raise Mismatch
        if isinstance(first, Choice):
            return chosen(self, only(parts, Choice), places, value)
        if isinstance(first, Loop):
            return self._loop(only(parts, Loop), places, value)
        if isinstance(first, Join):
            return self._join(only(parts, Join), places, value)
        if isinstance(first, From):
            return self._read(places, [part.node for part in only(parts, From)], first.name)
        if isinstance(first, Tapped):
            return self._tap(only(parts, Tapped), places, value)
        if isinstance(first, Leaf):
            return self._leaf(only(parts, Leaf), places, value)
        if isinstance(first, Called) or (isinstance(first, Named) and first.is_module):
            return self._module(parts, places, value)
        if isinstance(first, Named):
            return self.walk([part.part for part in only(parts, Named)], places, value)
        raise Mismatch

    def _loop(self, loops: Sequence[Loop], places: Places, value: Value) -> Value:
        if len({len(loop.turns) for loop in loops}) > 1:
            raise Mismatch
        outer = self.look
        for turn in range(len(loops[0].turns)):
            rows = [loop.rows[turn] for loop in loops if len(loop.rows) == len(loop.turns)]
            known: dict[str, Term] = {}
            if len(rows) == len(loops):
                for at, name in enumerate(loops[0].names):
                    values = [python_value(row[at]) for row in rows]
                    if all(same(each, values[0]) for each in values):
                        known[name] = Const(values[0])
            self.look = {**outer, **known}
            value = self.walk([loop.turns[turn] for loop in loops], places, value)
        self.look = outer
        return value

    def _join(self, joins: Sequence[Join], places: Places, value: Value) -> Value:
        if len({len(join.branches) for join in joins}) > 1:
            raise Mismatch
        rows = zip(*(join.branches for join in joins), strict=True)
        operands = tuple(self.walk(row, places, value) for row in rows)
        return self.function([join.node for join in joins], places, operands)

    def function(self, nodes: Sequence[int], places: Places, operands: tuple[Value, ...]) -> Value:
        made = [self.unit.structure.made(node) for node in nodes]
        templates = {each.template for each in made if isinstance(each, TorchFunction)}
        if len(templates) != 1 or not all(isinstance(each, TorchFunction) for each in made):
            raise Mismatch
        over = {self.unit.overwritten.get(node, -1) for node in nodes}
        *before, last = steps_of(templates.pop())
        for template in before:
            between = Value(dict(zip(places, nodes, strict=True)))
            self.steps.append(Compute(template, _real(operands), between))
            operands = (between,)
        out = self.new(places, nodes)
        self.steps.append(Compute(last, _real(operands), out, over.pop() if len(over) == 1 else -1))
        return out

    def _tap(self, taps: Sequence[Tapped], places: Places, value: Value) -> Value:
        training = all(tap.training_only for tap in taps) and self.unit.is_root and not self.in_training
        parts = [tap.part for tap in taps]
        if not training:
            self.walk(parts, places, value)
            return value
        outer, self.steps, self.in_training = self.steps, [], True
        out = self.walk(parts, places, value)
        steps, self.steps, self.in_training = self.steps, outer, False
        out = out.real
        out.hint = taps[0].name
        self.steps.append(Training(tuple(steps), (out,)))
        self.program.training.append(out)
        return value

    # Children

    def _leaf(self, leaves: Sequence[Leaf], places: Places, value: Value) -> Value:
        nodes = [leaf.node for leaf in leaves]
        made = [self.unit.structure.made(node) for node in nodes]
        inputs = self._inputs(nodes, places, value)
        if all(each is None for each in made):
            again = self.new(places, nodes)
            again.source = value
            return again
        if isinstance(made[0], TorchFunction):
            return self.function(nodes, places, inputs)
        calls = [each for each in made if isinstance(each, TorchCall)]
        if len(calls) < len(made):
            raise Mismatch
        if any(call.flatten for call in calls):
            inputs = (self._flattened(inputs[0]), *inputs[1:])
        name = self._register(leaves, places, [self.unit.graph.nodes[node].path for node in nodes], inputs[0])
        outs = [self.new(places, nodes, name)]
        if all(node in self.unit.structure.switched for node in nodes):
            outs.append(self.new(places, [~node for node in nodes], "indices"))
        over = all(node in self.unit.overwritten for node in nodes) and all(call.inplace for call in calls)
        extra = self._unpooled(nodes)
        self.steps.append(Apply(name, _real(inputs), tuple(outs), not over, extra, self._is_heavy(nodes)))
        return outs[0]

    def _is_heavy(self, nodes: Sequence[int]) -> bool:
        found = [self.unit.graph.nodes[node] for node in nodes]
        return any(node.layer.macs(*self.unit.graph.shapes(node)) for node in found)

    def _inputs(self, nodes: Sequence[int], places: Places, value: Value) -> tuple[Value, ...]:
        rows = [self.unit.structure.inputs(node) for node in nodes]
        if any(value.nodes.get(place) != row[0] for place, row in zip(places, rows, strict=True)):
            raise Mismatch
        return (value, *(self._read(places, column) for column in zip(*(row[1:] for row in rows), strict=True)))

    def _flattened(self, value: Value) -> Value:
        for step in self.steps:
            if isinstance(step, Compute) and step.is_view and step.inputs == (value.real,):
                return step.out
        out = Value(dict(value.nodes), "x")
        self.steps.append(Compute("torch.flatten({0}, 1)", (value.real,), out, is_view=True))
        return out

    def _unpooled(self, nodes: Sequence[int]) -> str:
        """The size that an unpooling must be told, because more than one would do."""
        sizes = {self.unit.structure.unpooled_size(node) for node in nodes}
        if len(sizes) > 1:
            raise Mismatch
        size = sizes.pop()
        return f"[{', '.join(map(str, size))}]" if size else ""

    def _module(self, parts: Sequence[Part], places: Places, value: Value) -> Value:
        structure = self.unit.structure
        value = self._entering(parts, places, value)
        reads = [
            tuple(at for at in structure.reads(part) if at != value.nodes[place])
            for part, place in zip(parts, places, strict=True)
        ]
        exposed = [structure.exposed(part) for part in parts]
        if len({(len(a), len(b)) for a, b in zip(reads, exposed, strict=True)}) > 1:
            raise Mismatch
        others = [self._read(places, column) for column in zip(*reads, strict=True)]
        if any(structure.wants_flat(part, value.nodes[place]) for part, place in zip(parts, places, strict=True)):
            value = self._flattened(value)
        name = self._register(parts, places, [_path(part) for part in parts], value)
        nodes = [output(part, value.nodes[place]) for part, place in zip(parts, places, strict=True)]
        outs = [self.new(places, nodes, name), *(self.new(places, column) for column in zip(*exposed, strict=True))]
        self.steps.append(Apply(name, _real((value, *others)), tuple(outs), is_heavy=True))
        return outs[0]

    def _entering(self, parts: Sequence[Part], places: Places, value: Value) -> Value:
        """The value that enters a module: of one that reads other values alone, the first of them."""
        entries = [
            self.unit.structure.entry(part, value.nodes[place]) for part, place in zip(parts, places, strict=True)
        ]
        if all(value.nodes[place] == entry for place, entry in zip(places, entries, strict=True)):
            return value
        return self._read(places, entries)

    def _register(self, parts: Sequence[Part], places: Places, paths: Sequence[str], value: Value) -> str:
        found = {child(path, self.roots[place]) for path, place in zip(paths, places, strict=True)}
        if len(found) > 1 and not (all(name.isdigit() for name in found) and not any(map(self._has_weights, parts))):
            raise Mismatch
        name = attribute(max(found, key=lambda each: (len(each), each)))
        each = self.children.setdefault(name, Child(name, look=self.look, decision=self.decision))
        if each.decision is not self.decision:
            each.decision = None
        for part, place in zip(parts, places, strict=True):
            if place in each.parts:
                raise Mismatch
            each.parts[place], each.entries[place] = part, value.nodes[place]
        return name

    def _has_weights(self, part: Part) -> bool:
        if not isinstance(part, Leaf):
            return True
        node = self.unit.graph.nodes[part.node]
        return bool(node.layer.tensors(*self.unit.graph.shapes(node)))


def _real(values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(value.real for value in values)


def _path(part: Part) -> str:
    if isinstance(part, Called | Named):
        return part.path
    raise Mismatch
