"""Step 3c: the children of a class with a `forward`, in the order in which they are called.

The channels of each value follow from the steps, so each child is built with the program's own term for its input. A
child that does not exist at some call sites depends on a test, and so does a flag that chooses between steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from cnndsl.emit.torch.child_loops import BuiltChild, child_loops
from cnndsl.emit.torch.cursor import Cursor, flat_term, width_term
from cnndsl.emit.torch.ir import (
    Apply,
    BranchStep,
    Build,
    Child,
    ChildLoop,
    Compute,
    Flag,
    ModuleClass,
    RepeatStep,
    SequentialBuild,
    Step,
    node_of,
    what_of,
)
from cnndsl.emit.torch.part_queries import of_type
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.scope import known_terms
from cnndsl.emit.torch.terms import Const, Op, Term, Var, add, conditional, mul, negated, op, summands
from cnndsl.emit.torch.trace_records import Candidate, Decision, Traced
from cnndsl.emit.torch.walk import builds, leaving_of, strides
from cnndsl.graph import CallPart, Graph, Part, output


class Modules(Protocol):
    """The interface that builds modules."""

    graph: Graph

    def module(
        self, parts: Sequence[Part], cursor: Cursor, traced: Traced | None = None
    ) -> tuple[Build | SequentialBuild, Cursor]:
        """Build a child from these parts; return it and the cursor after it."""
        ...

    def listed(self, parts: Sequence[Part], cursor: Cursor) -> tuple[SequentialBuild, Cursor, Term]:
        """Build a list of modules; return it, the cursor after it, and its length."""
        ...

    def class_at(self, part: Part) -> ModuleClass | None:
        """Return the class of a call, None for any other part."""
        ...

    def instance(
        self,
        made: ModuleClass,
        parts: Sequence[Part],
        cursor: Cursor,
        outputs: Sequence[int],
        widths: Mapping[str, Term | None],
    ) -> tuple[Build, Cursor]:
        """Build an instance of a class of the file; return it and the cursor after it."""
        ...


class Children:
    """The children and flags of one class."""

    def __init__(self, modules: Modules, cursor: Cursor, traced: Traced, entering: Sequence[str]) -> None:
        self.modules, self.cursor, self.traced = modules, cursor, traced
        self.graph = modules.graph
        self.terms: dict[int, Term | None] = {}
        self.many: dict[int, tuple[Term, Term]] = {}
        """The length of each list, and the channels of each of its values."""
        for value, name in zip(traced.forward.inputs, entering, strict=True):
            whole: Term | None = cursor.term if value == 0 else Var(name) if name else None
            self.terms[value] = self._known(value, whole)
        self.flat: set[int] = {0} if cursor.flat else set()
        self._built: dict[str, BuiltChild] = {}
        self._leaving: dict[str, Sequence[Term | None]] = {}
        self._steps(traced.forward.steps)
        tests = {id(each): self._test(each) for each in traced.decisions}
        flags: dict[Term, Flag] = {}
        self.same_flags: dict[str, str] = {}
        for each in traced.decisions:
            if each.flag:
                flag = flags.setdefault(tests[id(each)], Flag(each.flag, tests[id(each)]))
                self.same_flags[each.flag] = flag.name
        self.flags = tuple(flags.values())
        loops = child_loops(modules, cursor, [self._built[name] for name in traced.children])
        self.made = tuple(self._child(each, tests, loops.get(each.name)) for each in traced.children.values())

    def leaving(self) -> tuple[Term | None, ...]:
        """Return the channels of each result."""
        return tuple(self.terms.get(value) for value in self.traced.forward.results)

    def _child(self, candidate: Candidate, tests: Mapping[int, Term], loop: ChildLoop | None) -> Child:
        built = self._built[candidate.name]
        test = None if candidate.decision is None else tests[id(candidate.decision)]
        return Child(candidate.name, built.module, built.comment, test, loop)

    # Channels

    def _steps(self, steps: Sequence[Step]) -> None:
        for step in steps:
            if isinstance(step, Apply):
                self._apply(step)
            elif isinstance(step, Compute):
                self._compute(step)
            elif isinstance(step, RepeatStep):
                self._repeat(step)
            elif isinstance(step, BranchStep):
                self._steps((*step.then, *step.otherwise))
                ends = self.terms.get(step.chosen), self.terms.get(step.other)
                self.terms[step.output] = self._known(step.output, *ends, self._either(step, *ends))
            else:
                self._steps(step.steps)

    def _either(self, step: BranchStep, chosen: Term | None, other: Term | None) -> Term | None:
        """Return the channels that leave either branch, if the program writes which branch is taken."""
        decision = next(each for each in self.traced.decisions if each.flag == step.flag)
        is_written = decision.choice.test is not None and not isinstance(decision.choice.test, str)
        if not is_written or chosen is None or other is None or chosen == other:
            return None
        return conditional(self._test(decision), chosen, other)

    def _apply(self, step: Apply) -> None:
        child = self.traced.children[step.child]
        if step.child not in self._built:
            inside = self._inside(child)
            parts = [child.parts[at] for at in sorted(child.parts)] + [each.part for _, each in child.further]
            widths = [self.terms.get(value) for value in step.inputs]
            module, after = self._module(step, child, parts, inside)
            comment = "" if step.template else after.comment()
            self._built[step.child] = BuiltChild(child, inside, module, comment, widths)
            found = leaving_of(module) if isinstance(module, Build) else ()
            self._leaving[step.child] = found if len(found) == len(step.outputs) else (after.term,) * len(step.outputs)
        for value, term in zip(step.outputs, self._leaving[step.child], strict=True):
            self.terms[value] = self._known(value, term)

    def _repeat(self, step: RepeatStep) -> None:
        """Build a list of modules. If all modules give the same number of channels, the list's total is the length
        times that number."""
        child = self.traced.children[step.child]
        inside = self._inside(child)
        module, after, count = self.modules.listed([child.parts[at] for at in sorted(child.parts)], inside)
        self._built[step.child] = BuiltChild(child, inside, module, "", [self.terms.get(step.inputs[0])])
        listed, last = step.outputs
        self.terms[last] = self._known(last, after.term)
        width, scope = self.terms[last], self.cursor.scope
        widths = [
            {scope.followed.width(self.graph, node_of(what)) for what in items}
            for items in self.traced.forward.values[listed].items
        ]
        is_one = width is not None and all(len(each) == 1 for each in widths)
        if is_one and width is not None:
            self.terms[listed], self.many[listed] = mul(count, width), (count, width)

    def _inside(self, child: Candidate) -> Cursor:
        """Return the cursor at a child's input, at each of its call sites and in each further application."""
        places = sorted(child.parts)
        values = {child.entering[at] for at in places}
        found = {self.terms.get(value) for value in values}
        term = found.pop() if len(found) == 1 else None
        nodes = (
            *(self._node(child.entering[at], at) for at in places),
            *(application.entry for _, application in child.further),
        )
        cursor = self.cursor.where([*places, *(at for at, _ in child.further)])
        scope = cursor.scope.with_names(known_terms(child.known.values))
        flat = values <= self.flat
        inside = Cursor(self.graph, scope, cursor.roots, nodes, None, flat)
        holds = term if scope.holds(term, inside.widths) else width_term(scope, inside.widths, None)
        return Cursor(self.graph, scope, cursor.roots, nodes, holds, flat)

    def _module(
        self, step: Apply, child: Candidate, parts: Sequence[Part], inside: Cursor
    ) -> tuple[Build | SequentialBuild, Cursor]:
        if not isinstance(parts[0], CallPart):
            return self.modules.module(parts, inside, child.traced)
        made = self.modules.class_at(parts[0])
        of_type(parts, CallPart)
        if made is None or any(self.modules.class_at(part) is not made for part in parts):
            raise Differ
        widths = {name: self.terms.get(value) for name, value in zip(made.entering, step.inputs, strict=True) if name}
        outputs = [output(part, at) for part, at in zip(parts, inside.nodes, strict=True)]
        return self.modules.instance(made, parts, inside, outputs, widths)

    def _compute(self, step: Compute) -> None:
        terms = [self.terms.get(value) for value in step.inputs]
        if step.operation == "flatten":
            keys = self.traced.forward.values[step.output].keys
            shapes = [self.graph.nodes[node_of(what)].shape for what in keys if what is not None]
            self.terms[step.output] = flat_term(shapes, terms[0])
            self.flat.add(step.output)
            return
        if step.operation == "view" and len(step.inputs) == 1:
            keys = self.traced.forward.values[step.inputs[0]].keys
            shapes = [self.graph.nodes[node_of(what)].shape for what in keys if what is not None]
            terms.append(flat_term(shapes, terms[0]))
        known = [term for term in terms if term is not None]
        total = self._total(step.inputs, known) if len(known) == len(terms) and step.operation == "concat" else None
        self.terms[step.output] = self._known(step.output, total, *([] if total else known))

    def _total(self, inputs: Sequence[int], terms: Sequence[Term]) -> Term:
        """Return the channels of a concatenation. For a list and single values of the same width: `(n + 2) * width`."""
        listed = [at for at, value in enumerate(inputs) if value in self.many]
        if len(listed) == 1:
            count, width = self.many[inputs[listed[0]]]
            others = dict(summands(add(*(term for at, term in enumerate(terms) if at not in listed))))
            (each, weight), *more = dict(summands(width)).items()
            if not more and weight == 1 and others.keys() == {each}:
                return mul(add(count, Const(others[each])), width)
        return add(*terms)

    def _node(self, value: int, place: int) -> int:
        what = self.traced.forward.values[value].keys[place]
        if what is None:
            raise Differ
        return node_of(what)

    def _known(self, value: int, *candidates: Term | None) -> Term | None:
        """Return the first candidate that holds wherever the value exists; else the number, if it is constant."""
        keys = {at: what for at, what in enumerate(self.traced.forward.values[value].keys) if what is not None}
        if not keys or any(what_of(what) != "value" for what in keys.values()):
            return None
        scope = self.cursor.scope.where(tuple(keys))
        widths = [scope.followed.width(self.graph, node_of(what)) for what in keys.values()]
        for term in candidates:
            if scope.holds(term, widths):
                return term
        return width_term(scope, widths, None)

    # Decisions

    def _test(self, decision: Decision) -> Term:
        """Return the condition of a decision. Raises Differ if no expression gives it at every call site."""
        wanted = [place in decision.places for place in range(len(self.cursor.scope.frames))]
        for term in self._tests(decision):
            if self.cursor.scope.holds(term, wanted):
                return term
            if self.cursor.scope.holds(negated(term), wanted):
                return negated(term)
        raise Differ

    def _tests(self, decision: Decision) -> Iterator[Term]:
        choice = decision.choice
        scope = self.cursor.scope.with_names(known_terms(decision.known.values))
        if isinstance(choice.test, str):
            return
        if choice.test is not None:
            written = scope.test([choice.test])
            if written is not None:
                yield written
            return
        entering, leaving = self.terms.get(decision.entering), self.terms.get(decision.leaving)
        strides = [op("!=", stride, Const(1)) for stride in self._strides()]
        widths: list[Term] = []
        if entering is not None and leaving is not None and not isinstance(entering, Const):
            widths.append(Op("!=", (entering, leaving)))
        yield from (Op("or", (stride, width)) for stride in strides for width in widths)
        yield from widths
        yield from strides

    def _strides(self) -> list[Term]:
        """Return the strides of layers that are arguments of the class, including layers in classes that it uses."""
        found = (each for built in self._built.values() for build in builds(built.module) for each in strides(build))
        return list(dict.fromkeys(term for term in found if not isinstance(term, Const)))
