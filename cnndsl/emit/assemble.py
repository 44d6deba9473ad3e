"""The `__init__` of a module with a `forward` of its own: its children, in the order in which they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from cnndsl.emit.dataflow import Child, Decision, Traced
from cnndsl.emit.flow import Flow
from cnndsl.emit.layout import Call
from cnndsl.emit.plan import ChildName, Element, Line, Statement, Suite
from cnndsl.emit.scope import Mismatch
from cnndsl.emit.sequential import assignment
from cnndsl.emit.terms import Const, Op, Term, Var, add, mul, negated
from cnndsl.emit.values import Apply, Branch, Compute, Step, Training, Value

if TYPE_CHECKING:
    from cnndsl.emit.units import Unit


def assembled(unit: Unit, traced: Traced, flow: Flow) -> tuple[str, list[Statement], Term | None]:
    """The base class, the statements of `__init__`, and the channels that leave. Raises Mismatch where a child
    cannot be said once for all places."""
    return _Assembly(unit, traced, flow).run()


class _Assembly:
    def __init__(self, unit: Unit, traced: Traced, flow: Flow) -> None:
        self.unit, self.traced, self.flow = unit, traced, flow
        self.made: dict[str, Element] = {}
        self.entered: dict[int, Value] = {}
        is_numbered = all(name.isdigit() for name in traced.children)
        self.base = "nn.ModuleDict" if is_numbered and traced.children else "nn.Module"

    def run(self) -> tuple[str, list[Statement], Term | None]:
        program = self.traced.program
        program.entry.term = self.flow.term
        for value in program.reads:
            value.term = self._known(value)
        self._terms(program.steps)
        statements: list[Statement] = [Line("", Call("super().__init__"))]
        tests = {id(each): self._test(each) for each in self.traced.decisions}
        flagged = [decision for decision in self.traced.decisions if decision.flag]
        statements += [Line(f"self.{each.flag} = ", self.unit.doc(tests[id(each)])) for each in flagged]
        statements += self._children(tests)
        return self.base, statements, program.outs[0].term

    # Terms

    def _terms(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Apply):
                self._apply(step)
            elif isinstance(step, Compute):
                step.out.term = self._computed(step)
            elif isinstance(step, Branch):
                self._terms(step.steps)
                self._terms(step.otherwise)
                step.out.term = self._known(step.out, step.chosen.term, step.other.term)
            else:
                self._terms(step.steps)

    def _apply(self, step: Apply) -> None:
        child = self.traced.children[step.child]
        if child.name not in self.made:
            self.made[child.name], leaving = self._element(child, step)
        else:
            leaving = None
        for out in step.outs:
            out.term = self._known(out, leaving, step.outs[0].term) if max(out.nodes.values()) >= 0 else None

    def _element(self, child: Child, step: Apply) -> tuple[Element, Term | None]:
        places = sorted(child.parts)
        flow = self.flow.where(places)
        nodes = tuple(child.entries[place] for place in places)
        entering = step.inputs[0]
        flat = self._is_flat(entering)
        shapes = [self.flow.graph.nodes[at].shape for at in nodes]
        widths = tuple(shape.numel if flat else shape.channels for shape in shapes)
        scope = flow.scope.with_names(child.look, flow.scope.frames)
        term = entering.term if scope.holds(entering.term, widths) else None
        inside = replace(flow, scope=scope, nodes=nodes, widths=widths, term=term, flat=flat)
        parts = [child.parts[place] for place in places]
        element, after = self.unit.module(parts, inside, ChildName(child.name))
        if element is None:
            raise Mismatch
        return replace(element, comment=self.flow.where(places).comment(after.nodes)), after.term

    def _is_flat(self, value: Value) -> bool:
        return id(value) in self._flat

    @cached_property
    def _flat(self) -> frozenset[int]:
        """The values that a view gives, by identity."""
        steps = _all(self.traced.program.steps)
        return frozenset(id(step.out) for step in steps if isinstance(step, Compute) and step.is_view)

    def _computed(self, step: Compute) -> Term | None:
        if step.is_view:
            shapes = [self.flow.graph.nodes[at].shape for at in step.out.nodes.values()]
            pixels = {shape.pixels for shape in shapes}
            entering = step.inputs[0].term
            return mul(Const(pixels.pop()), entering) if len(pixels) == 1 and entering is not None else None
        terms = [value.term for value in step.inputs]
        known = [term for term in terms if term is not None]
        total = add(*known) if len(known) == len(terms) else None
        return self._known(step.out, *terms, total)

    def _known(self, value: Value, *candidates: Term | None) -> Term | None:
        """The first candidate that is right wherever the value is."""
        places = sorted(value.nodes)
        if any(value.nodes[place] < 0 for place in places):
            return None
        scope = self.flow.scope.where(places)
        wanted = [self.flow.graph.nodes[value.nodes[place]].shape.channels for place in places]
        for term in candidates:
            if scope.holds(term, wanted):
                return term
        try:
            return scope.express(wanted)
        except Mismatch:
            return None

    # Decisions

    def _test(self, decision: Decision) -> Term:
        """When the decision falls so. Raises Mismatch where no expression says it in every place."""
        wanted = [place in decision.places for place in range(len(self.flow.scope))]
        scope = self.flow.scope.with_names(decision.look, self.flow.scope.frames)
        for term in self._tests(decision):
            if scope.holds(term, wanted):
                return term
            if scope.holds(negated(term), wanted):
                return negated(term)
        raise Mismatch

    def _tests(self, decision: Decision) -> list[Term]:
        choice = decision.choice
        scope = self.flow.scope.with_names(decision.look, self.flow.scope.frames)
        if choice.kind == "if" and not isinstance(choice.test, str):
            written = scope.term(choice.test)
            return [written] if written is not None else []
        entering, leaving = decision.entering.real.term, decision.leaving.term if decision.leaving else None
        strides = [Op("!=", (stride, Const(1))) for stride in self.unit.strides if not isinstance(stride, Const)]
        widths: list[Term] = []
        if entering is not None and leaving is not None and not isinstance(entering, Const):
            widths.append(Op("!=", (entering, leaving)))
        both: list[Term] = [Op("or", (stride, width)) for stride in strides for width in widths]
        flags: list[Term] = [Var(name) for name, value in self.flow.scope.frames[0].items() if isinstance(value, bool)]
        return [*both, *widths, *strides, *flags]

    # Children

    def _children(self, tests: dict[int, Term]) -> list[Statement]:
        statements: list[Statement] = []
        pending: list[Child] = []
        for child in self.traced.children.values():
            if pending and child.decision is not pending[0].decision:
                statements += self._conditional(pending, tests)
                pending = []
            if child.decision is None:
                statements += self._assigned(child)
            else:
                pending.append(child)
        return statements + (self._conditional(pending, tests) if pending else [])

    def _assigned(self, child: Child) -> list[Statement]:
        return assignment(self.made[child.name], self._target(child.name), self.unit.local)

    def _target(self, name: str) -> str:
        return f'self["{name}"]' if self.base == "nn.ModuleDict" else f"self.{name}"

    def _conditional(self, children: Sequence[Child], tests: dict[int, Term]) -> list[Statement]:
        """Identities, replaced where the decision falls so."""
        decision = children[0].decision
        if decision is None:
            raise Mismatch
        absent = [Line(f"{self._target(child.name)} = ", Call("nn.Identity")) for child in children]
        present = [line for child in children for line in self._assigned(child)]
        return [*absent, Suite("if ", self.unit.doc(tests[id(decision)]), tuple(present))]


def _all(steps: Sequence[Step]) -> list[Step]:
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if isinstance(step, Branch):
            found += _all((*step.steps, *step.otherwise))
        elif isinstance(step, Training):
            found += _all(step.steps)
    return found
