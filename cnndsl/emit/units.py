"""One class of the emitted file in the making: its modules, its names, its plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar, cast

from cnndsl.emit.assemble import assembled
from cnndsl.emit.chain import ChainBuilder
from cnndsl.emit.construct import DEFAULTS, Site, construct
from cnndsl.emit.dataflow import Tracer
from cnndsl.emit.flow import Flow
from cnndsl.emit.initialise import initialisation
from cnndsl.emit.layout import Call, Doc, Infix, Item, Text
from cnndsl.emit.names import variable
from cnndsl.emit.parts import elements, members, only, output
from cnndsl.emit.peak import Peak
from cnndsl.emit.plan import ChildName, ClassPlan, Element, Parameter
from cnndsl.emit.scope import Mismatch, Scope, same
from cnndsl.emit.sequential import body
from cnndsl.emit.terms import Code, Const, Env, Op, Term, Var, evaluate, names, substitute, text
from cnndsl.emit.values import Program
from cnndsl.graph import Called, Leaf, Loop, Named, Part, Tapped

if TYPE_CHECKING:
    from cnndsl.emit.emission import Emission

_Result = TypeVar("_Result")
MOST_ASKED = 3
"""With more arguments that its block does not have, a class says less than two classes."""
ENTERING = ("in_channels", "in_features")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a unit had made at some time."""

    uses: set[str]
    helpers: set[str]
    inner: list[ClassPlan]
    strides: list[Term]
    taken: set[str]
    asked: tuple[str, ...]


class Unit:
    """What one class uses and defines. `taken` are names that its local variables may not have, `open_frames` the
    frames of its places, if it may take arguments that its block does not have."""

    def __init__(
        self,
        emission: Emission,
        taken: Iterable[str] = (),
        is_root: bool = False,
        open_frames: Sequence[dict[str, object]] = (),
    ) -> None:
        self.emission, self.is_root, self.open_frames = emission, is_root, open_frames
        self.asked: tuple[str, ...] = ()
        self.graph, self.structure, self.overwritten = emission.graph, emission.structure, emission.overwritten
        self.taken = {*taken, *ENTERING, "block_channels", "block_features"}
        self.uses: set[str] = set()
        self.helpers: set[str] = set()
        self.inner: list[ClassPlan] = []
        self.strides: list[Term] = []
        self.counter = variable("in_width", self.taken) if "channels" in self.taken else "channels"
        """The variable that counts channels from turn to turn of a repeat."""
        self.taken.add(self.counter)
        self.nesting = 0
        """How many repeats are open that are being written as loops."""

    # Names

    def use(self, term: Term) -> None:
        """The class needs the names of a term."""
        self.uses.update(names(term))

    def doc(self, term: Term) -> Doc:
        """A term as it stands in the code of the class."""
        self.use(term)
        if isinstance(term, Op) and term.operator in ("or", "and"):
            return Infix(term.operator, tuple(Text(_within(term, each)) for each in term.operands))
        return Text(text(term))

    def local(self, name: str) -> str:
        """A new local variable."""
        number, result = 1, name
        while result in self.taken:
            number += 1
            result = f"{name}{number}"
        self.taken.add(result)
        return result

    def attempt(self, action: Callable[[], _Result]) -> _Result | None:
        """The result, or None where that is a Mismatch: then nothing of it stays."""
        kept = self.snapshot()
        try:
            return action()
        except Mismatch:
            self.restore(kept)
            return None

    def snapshot(self) -> Snapshot:
        """What was made so far."""
        return Snapshot(
            set(self.uses), set(self.helpers), list(self.inner), list(self.strides), set(self.taken), self.asked
        )

    def restore(self, kept: Snapshot) -> None:
        """Goes back to what was made then."""
        self.uses, self.helpers, self.taken = set(kept.uses), set(kept.helpers), set(kept.taken)
        self.inner, self.strides = list(kept.inner), list(kept.strides)
        for name in set(self.asked) - set(kept.asked):
            for frame in self.open_frames:
                del frame[name]
        self.asked = kept.asked

    def ask(self, scope: Scope, wish: str, wanted: Sequence[object]) -> Term:
        """A further argument of the class, for what no expression gives. Raises Mismatch where it may have none."""
        own = {id(frame): frame for frame in self.open_frames}
        frames = [own.get(id(frame)) for frame in scope.frames]
        known = [frame for frame in frames if frame is not None]
        name = variable(wish)
        if (
            not wish
            or wish in ENTERING
            or len(known) < len(frames)
            or name in self.taken
            or len(self.asked) >= MOST_ASKED
        ):
            raise Mismatch
        for frame in self.open_frames:
            frame[name] = DEFAULTS.get(wish, wanted[0])
        for frame, value in zip(known, wanted, strict=True):
            frame[name] = value
        self.asked = (*self.asked, name)
        self.taken.add(name)
        return Var(name)

    # Modules

    def module(self, parts: Sequence[Part], flow: Flow, name: ChildName) -> tuple[Element | None, Flow]:
        """The construction of a child that is these parts, and the flow behind it; None for no module at all."""
        first = parts[0]
        if isinstance(first, Leaf):
            return self._layer(only(parts, Leaf), flow, name)
        outputs = [output(part, entry) for part, entry in zip(parts, flow.nodes, strict=True)]
        if isinstance(first, Called):
            plan = self.emission.class_of(only(parts, Called))
            return self._call(plan, only(parts, Called), flow, outputs, name)
        inner = [part.part for part in parts if isinstance(part, Named | Tapped)]
        paths = tuple(part.path for part in parts if isinstance(part, Named | Tapped))
        if len(inner) < len(parts):
            raise Mismatch
        chained = (self.structure.is_chain(part, entry) for part, entry in zip(inner, flow.nodes, strict=True))
        if all(chained):
            chain, after = ChainBuilder(self).build(inner, replace(flow, roots=paths))
            return Element(name, None, chain), replace(flow, scope=after.scope).after(outputs, after.term)
        plan = self._pseudo(inner, paths, flow)
        return self._call(plan, parts, flow, outputs, name)

    def _layer(self, leaves: Sequence[Leaf], flow: Flow, name: ChildName) -> tuple[Element | None, Flow]:
        numbers = [leaf.node for leaf in leaves]
        nodes = tuple(self.graph.nodes[at] for at in numbers)
        if all(self.structure.made(at) is None for at in numbers):
            return None, flow.after(numbers, flow.term)
        site = Site(
            self.graph,
            nodes,
            flow.term,
            inplace=all(at in self.overwritten for at in numbers),
            indices=all(at in self.structure.switched for at in numbers),
            flat=flow.flat,
        )
        made = construct(site, flow.scope, lambda wish, wanted: self.ask(flow.scope, wish, wanted))
        self.uses |= made.uses
        self.helpers |= made.helpers
        if made.stride is not None and made.stride not in self.strides:
            self.strides.append(made.stride)
        after = flow.after(numbers, made.leaving)
        if flow.flat and all(self.structure.is_elementwise(at) for at in numbers):
            after = replace(after, flat=True, widths=flow.widths, term=flow.term)
        return Element(name, made.doc), after

    def _call(
        self, plan: ClassPlan, parts: Sequence[Part], flow: Flow, outputs: Sequence[int], name: ChildName
    ) -> tuple[Element, Flow]:
        """The construction of a class: each argument is an expression that is right in every place."""
        if plan not in self.inner:
            self.inner.append(plan)
        values = [plan.values[part.path] for part in parts if isinstance(part, Called | Named | Tapped)]
        given: dict[str, Term] = {}
        items: list[Item] = []
        skipped = False
        for parameter in plan.parameters:
            wanted = [env[parameter.name] for env in values]
            default = parameter.default
            if default is not None and all(same(value, evaluate(default, {})) for value in wanted):
                given[parameter.name], skipped = default, True
                continue
            try:
                term = flow.scope.express(wanted, *self._candidates(parameter, parts, flow))
            except Mismatch:
                term = self.ask(flow.scope, parameter.name, wanted)
            given[parameter.name] = term
            by_name = skipped or parameter.is_asked or isinstance(wanted[0], bool | Code)
            items.append(Item(self.doc(term), f"{parameter.name}=" if by_name else ""))
            skipped = by_name
        leaving = None if plan.leaving is None else substitute(plan.leaving, given)
        return Element(name, Call(plan, tuple(items))), flow.after(outputs, leaving)

    def _candidates(self, parameter: Parameter, parts: Sequence[Part], flow: Flow) -> list[Term | None]:
        if parameter.name in ENTERING:
            return [flow.term]
        first = parts[0]
        if isinstance(first, Called):
            written = [dict(part.written).get(parameter.option) for part in parts if isinstance(part, Called)]
            return [flow.scope.common(written), Var(parameter.name)]
        renamed = parameter.name.replace("block_", "in_")
        return [Var(renamed if renamed in ENTERING else parameter.name)]

    # Classes

    def _pseudo(self, parts: Sequence[Part], paths: Sequence[str], flow: Flow) -> ClassPlan:
        """A class for a label on a part with branches. It knows the names around it."""
        moved = {name: name.replace("in_", "block_") for name in ENTERING}
        frames: list[dict[str, object]] = []
        for env, width in zip(flow.scope.frames, flow.widths, strict=True):
            frames.append({"in_channels": width, **{moved.get(name, name): value for name, value in env.items()}})
        terms = {name: Var(other) for name, other in moved.items()}
        look = {name: substitute(term, terms) for name, term in flow.scope.look.items()}
        scope = replace(flow.scope, look=look, frames=tuple(frames))
        alone = isinstance(flow.term, Const) and len(parts) == 1
        term = flow.term if alone else Var("in_channels")
        inside = replace(flow, scope=scope, roots=tuple(paths), term=term, flat=False)
        unit = Unit(self.emission, self.taken | set(frames[0]))
        return unit.plan(paths[0].rpartition(".")[2], parts, inside)

    def plan(
        self,
        name: str,
        parts: Sequence[Part],
        flow: Flow,
        options: Mapping[str, str] | None = None,
        defaults: Mapping[str, Term] | None = None,
    ) -> ClassPlan:
        """The class of these parts. `options` are the block's own names of its parameters, by those of Python."""
        program: Program | None = None
        peak: Peak | None = None
        if self._is_sequential(parts, flow):
            base = "nn.Sequential"
            chain, after = ChainBuilder(self).build(parts, flow)
            init, leaving = body(chain, self.local), after.term
        else:
            traced = Tracer(self, flow.roots, parts, flow.nodes).trace()
            base, init, leaving = assembled(self, traced, flow)
            program = traced.program
            peak = Peak(self.emission, program, {name: each.parts for name, each in traced.children.items()})
        if self.is_root:
            init = [*init, *initialisation(self.graph)]
        known = list(flow.scope.frames[0])
        used = [each for each in known if each in self.uses]
        return ClassPlan(
            name,
            base,
            _described(flow, parts),
            tuple(self._parameters(used, flow.scope.frames, options or {}, defaults or {})),
            tuple(init),
            program,
            peak,
            leaving,
            dict(zip(flow.roots, flow.scope.frames, strict=True)),
            tuple(self.inner),
            frozenset(self.helpers) | {each for each in self.uses if each.endswith("()")},
        )

    def _is_sequential(self, parts: Sequence[Part], flow: Flow) -> bool:
        """Whether the class is an `nn.Sequential`. The network's own, if its parts have names and are no loop, rather
        says in a `forward` what it does."""
        if not all(self.structure.is_chain(part, entry) for part, entry in zip(parts, flow.nodes, strict=True)):
            return False
        if not self.is_root:
            return True
        held = members(parts[0], "", self.graph)
        loops = [each for each in elements(parts[0]) if isinstance(each, Loop) and len(each.turns) > 1]
        return bool(loops) or all(name.isdigit() for name in held)

    def _parameters(
        self, used: Sequence[str], frames: Sequence[Env], options: Mapping[str, str], defaults: Mapping[str, Term]
    ) -> list[Parameter]:
        result: list[Parameter] = []
        is_last = True
        for name in reversed(used):
            values = [env[name] for env in frames]
            default = defaults.get(name) if is_last else None
            if name in self.asked and is_last and any(same(value, DEFAULTS.get(name)) for value in values):
                default = Const(DEFAULTS[name])
            is_last = default is not None
            result.append(Parameter(name, _type(values), options.get(name, ""), default, name in self.asked))
        return result[::-1]


def _within(term: Op, operand: Term) -> str:
    """An operand with the brackets that it needs: `and` inside `or` needs none, `or` inside `and` does."""
    written = text(operand)
    needs = term.operator == "and" and isinstance(operand, Op) and operand.operator == "or"
    return f"({written})" if needs else written


def _type(values: Sequence[object]) -> str:
    if any(isinstance(value, Code) for value in values):
        return "type[nn.Module]"
    lengths = {len(cast("tuple[object, ...]", value)) for value in values if isinstance(value, tuple)}
    if lengths:
        each = f"tuple[{', '.join(['int'] * lengths.pop())}]"
        return each if all(isinstance(value, tuple) for value in values) else f"int | {each}"
    for kind in (float, bool, int):
        if any(isinstance(value, kind) for value in values):
            return kind.__name__
    return "str"


def _described(flow: Flow, parts: Sequence[Part]) -> str:
    """What the class takes and gives, in one line."""
    nodes = flow.graph.nodes
    spans = [
        f"{nodes[entry].shape} -> {nodes[output(part, entry)].shape}"
        for entry, part in zip(flow.nodes, parts, strict=True)
    ]
    if len(set(spans)) == 1:
        return f"{spans[0]}{f', {len(spans)} times' if len(spans) > 1 else ''}."
    return f"Used {len(spans)} times, from {spans[0]} to {spans[-1]}."
