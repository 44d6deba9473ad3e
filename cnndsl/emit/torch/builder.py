"""Step 3: the constructor of a class: which arguments it has, and how it builds each module.

Before: the parts of a class at all its call sites, and the values of their names there. After: a `ModuleClass`, in
which every argument of every module is a term that holds at every call site. Raises Differ if no such class exists,
Missing if the class needs an argument that its block does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Protocol

from cnndsl.emit.torch.chain import ChainBuilder
from cnndsl.emit.torch.children import Children
from cnndsl.emit.torch.class_plan import MOST_EXTRAS, ClassPlan, arguments, extra
from cnndsl.emit.torch.constructor_call import ENTERING, construct
from cnndsl.emit.torch.cursor import Cursor
from cnndsl.emit.torch.duplicates import stem
from cnndsl.emit.torch.ir import (
    Build,
    BuildArgument,
    ConstructorParameter,
    Forward,
    Guard,
    ModuleClass,
    SequentialBuild,
    key,
    node_of,
    what_of,
)
from cnndsl.emit.torch.iterations import Iterations, built_names, used_names
from cnndsl.emit.torch.list_children import ListChildren
from cnndsl.emit.torch.names import numbered, variable, word
from cnndsl.emit.torch.part_queries import Borders, elements, members, of_type
from cnndsl.emit.torch.rerolling import rerolled
from cnndsl.emit.torch.restart import Differ, Fixed, Missing
from cnndsl.emit.torch.scope import Extra, Scope, same
from cnndsl.emit.torch.siblings import SiblingPlan, Siblings, is_border
from cnndsl.emit.torch.steps import with_flags
from cnndsl.emit.torch.terms import CodeValue, Const, Term, Var, evaluate, names, substitute
from cnndsl.emit.torch.trace import trace
from cnndsl.emit.torch.trace_records import Callees, Traced
from cnndsl.emit.torch.walk import builds
from cnndsl.expressions import Expr
from cnndsl.graph import CallPart, Graph, LayerPart, LoopPart, NamedPart, Part, output

MOST_POSITIONAL = 3
"""Maximum number of positional arguments in a call, as in calls of `nn.Conv2d`: a fourth number would be unreadable."""


class Registry(Callees, Protocol):
    """The classes of the network, with a method that returns the class of a call."""

    graph: Graph
    borders: Borders
    by_path: dict[str, ModuleClass]
    traced: dict[int, Traced]
    siblings: Siblings
    shared: dict[str, ModuleClass | None]

    def class_of(self, found: Sequence[CallPart]) -> ModuleClass:
        """Return the class that calls of a block share."""
        ...


class ClassBuilder:
    """Builds one class."""

    def __init__(self, registry: Registry, plan: ClassPlan, is_root: bool = False) -> None:
        self.registry, self.plan, self.is_root = registry, plan, is_root
        self.graph, self.borders, self.chains = registry.graph, registry.borders, registry.chains
        known = {*plan.scope.frames[0], *ENTERING}
        self.counter = variable("in_width", known) if "channels" in known else "channels"

    def build(self) -> ModuleClass:
        """Return the class."""
        plan = self.plan
        cursor = Cursor(self.graph, plan.scope, plan.roots, plan.entries, plan.entering, plan.is_flat)
        if plan.traced is None and self._is_sequential():
            chain, after = ChainBuilder(self).build(plan.parts, cursor)
            local = {self.counter}
            leaving = after.closed if after.term is not None and local & set(names(after.term)) else after.term
            return self._finished(cursor, chain, None, None, (leaving,), ("",))
        traced = plan.traced
        if traced is None:
            traced = trace(self.registry, plan.roots, plan.parts, plan.entries, self.is_root)
        scope, entering = self._with_inputs(plan.scope, traced.forward)
        children = Children(self, replace(cursor, scope=scope), traced, entering)
        steps = tuple(with_flags(step, children.same_flags) for step in traced.forward.steps)
        forward = replace(traced.forward, steps=steps)
        made = self._with_lists(replace(cursor, scope=scope), traced, forward)
        if made is None:
            made = self._finished(replace(cursor, scope=scope), None, forward, children, children.leaving(), entering)
        self.registry.traced[id(made)] = traced
        return made

    def _with_lists(self, cursor: Cursor, traced: Traced, forward: Forward) -> ModuleClass | None:
        """Return the class with lists for the values of streams; None if it would need arguments of its own."""
        if self.is_root:
            return None
        try:
            found = rerolled(traced, self.graph, self.plan.roots)
            children = ListChildren(self, cursor, traced, found)
        except (Differ, Missing, Fixed):
            return None
        forward = replace(forward, lists=found.forward)
        return self._finished(cursor, None, forward, children, children.leaving(), ("",) * len(forward.inputs))

    def _is_sequential(self) -> bool:
        """Return whether the class is an `nn.Sequential`. The network's own class has a `forward` instead if its parts
        have names and none is a loop, or if its inputs have names."""
        plan = self.plan
        if not all(map(self.chains.is_sequential, plan.parts, plan.entries)):
            return False
        if not self.is_root:
            return True
        if self.graph.input_names:
            return False
        held = members(plan.parts[0], "", self.graph)
        loops = [each for each in elements(plan.parts[0]) if isinstance(each, LoopPart) and len(each.turns) > 1]
        return bool(loops) or all(name.isdigit() for name in held)

    def _with_inputs(self, scope: Scope, forward: Forward) -> tuple[Scope, tuple[str, ...]]:
        """Return the scope with a name for the channels of each input other than the one that enters. The channels of
        the network's own inputs, and those of a label that occurs once, are numbers."""
        if self.is_root or isinstance(self.plan.entering, Const):
            return scope, ("",) * len(forward.inputs)
        found: list[str] = []
        frames = [dict(env) for env in scope.frames]
        for value in forward.inputs:
            keys = [what for what in forward.values[value].keys if what is not None and what_of(what) == "value"]
            if value == 0 or len(keys) < len(frames):
                found.append(ENTERING[self.plan.is_flat] if value == 0 else "")
                continue
            wish = word(forward.values[value].name) or "skip"
            name = numbered(f"{wish}_channels", {*frames[0], *ENTERING})
            for env, what in zip(frames, keys, strict=True):
                env[name] = scope.followed.width(self.graph, node_of(what))
            found.append(name)
        return replace(scope, frames=tuple(frames)), tuple(found)

    # Modules

    def listed(self, parts: Sequence[Part], cursor: Cursor) -> tuple[SequentialBuild, Cursor, Term]:
        """Build a list of modules for a label on a repeat. Returns the list, the cursor after it and its length."""
        labels = of_type(parts, NamedPart)
        inside = replace(cursor, roots=tuple(label.path for label in labels), renumbered=False)
        chain, after = ChainBuilder(self).build([label.part for label in labels], inside)
        count = Iterations(
            of_type([each for label in labels for each in elements(label.part)], LoopPart), cursor
        ).count()
        outputs = [output(part, entry) for part, entry in zip(parts, cursor.nodes, strict=True)]
        made = replace(chain, is_list=True)
        return made, replace(cursor, scope=after.scope).after(outputs, after.term), count

    def module(
        self, parts: Sequence[Part], cursor: Cursor, traced: Traced | None = None
    ) -> tuple[Build | SequentialBuild, Cursor]:
        """Build a child from these parts. Returns the child and the cursor after it."""
        first = parts[0]
        if isinstance(first, LayerPart):
            return self._layer(of_type(parts, LayerPart), cursor)
        outputs = [output(part, entry) for part, entry in zip(parts, cursor.nodes, strict=True)]
        if isinstance(first, CallPart):
            found = of_type(parts, CallPart)
            return self.instance(self.registry.class_of(found), found, cursor, outputs, {})
        labels = of_type(parts, NamedPart)
        inner, paths = [label.part for label in labels], tuple(label.path for label in labels)
        if traced is None and all(map(self.chains.is_sequential, inner, cursor.nodes)):
            chain, after = ChainBuilder(self).build(inner, replace(cursor, roots=paths, renumbered=False))
            return chain, replace(cursor, scope=after.scope).after(outputs, after.term)
        made = self._shared(labels, cursor, traced) or self._labelled(inner, paths, cursor, traced)
        return self.instance(made, labels, cursor, outputs, {})

    def _layer(self, leaves: Sequence[LayerPart], cursor: Cursor) -> tuple[Build, Cursor]:
        numbers = [leaf.node for leaf in leaves]
        nodes = [self.graph.nodes[at] for at in numbers]
        inplace = all(at in self.registry.overwritten for at in numbers)
        made = construct(nodes, cursor, inplace, all(at in self.borders.pooled for at in numbers))
        flat = cursor.flat and all(self.borders.is_elementwise(at) for at in numbers)
        return made.build, cursor.after(numbers, made.leaving, flat)

    def class_at(self, part: Part) -> ModuleClass | None:
        """Return the class of a call, None for any other part."""
        return self.registry.class_of([part]) if isinstance(part, CallPart) else None

    def instance(
        self,
        made: ModuleClass,
        parts: Sequence[Part],
        cursor: Cursor,
        outputs: Sequence[int],
        widths: Mapping[str, Term | None],
    ) -> tuple[Build, Cursor]:
        """Build an instance of a class of the file. Each argument is a term that holds at every call site. `widths` are
        the channels of inputs other than the first."""
        values = [made.environments[made.places[part.path]] for part in parts if isinstance(part, CallPart | NamedPart)]
        given: dict[str, Term] = {}
        options: dict[str, Term] = {}
        arguments: list[BuildArgument] = []
        guards: list[Guard] = []
        skipped = False
        for parameter in made.parameters:
            wanted = [env[parameter.name] for env in values]
            candidates = [*self._candidates(parameter, parts, cursor, options), widths.get(parameter.name)]
            wish = "" if parameter.name in ENTERING else parameter.name
            term = cursor.scope.agree(wanted, candidates, wish, self._written(parameter, parts))
            given[parameter.name] = term
            options[parameter.option or parameter.name] = term
            default = parameter.default
            if default is not None and isinstance(term, Const) and same(term.value, evaluate(default, {})):
                skipped = True
                continue
            by_name = skipped or parameter.by_keyword or isinstance(wanted[0], bool | CodeValue)
            by_name = by_name or len(arguments) >= MOST_POSITIONAL
            arguments.append(BuildArgument(term, parameter.name if by_name else ""))
            skipped = by_name
        main = 0 if made.forward is None else made.forward.main
        leaving = made.leaving[main] if made.leaving else None
        if cursor.term is not None:
            given = {ENTERING[cursor.flat]: cursor.term, **given}
        after = cursor.after(outputs, None if leaving is None else substitute(leaving, given))
        return Build(made, tuple(arguments), tuple(guards)), after

    def _candidates(
        self, parameter: ConstructorParameter, parts: Sequence[Part], cursor: Cursor, given: Mapping[str, Term]
    ) -> Iterator[Term | None]:
        if parameter.name in ENTERING:
            yield cursor.term
            return
        first = parts[0]
        if isinstance(first, CallPart) and parameter.option:
            found = of_type(parts, CallPart)
            is_whole = parameter.type == "int"
            yield from self._translated(
                [dict(part.written).get(parameter.option) for part in found], cursor.scope, is_whole
            )
            scope = self._of_block(found[0], cursor, given)
            yield from self._translated([dict(part.defaults).get(parameter.option) for part in found], scope, is_whole)
        elif isinstance(first, CallPart):
            yield cursor.scope.look.get(parameter.name)
            yield self._own(parameter.name, cursor)
        else:
            renamed = parameter.name.replace("block_", "in_")
            yield self._own(renamed if renamed in ENTERING else parameter.name, cursor)
            yield cursor.scope.look.get(parameter.name)
            if parameter.written is not None:
                yield cursor.scope.real([parameter.written])

    def _written(self, parameter: ConstructorParameter, parts: Sequence[Part]) -> list[Expr | None]:
        """Return the expressions that calls give for a parameter of their block."""
        return [dict(part.written).get(parameter.option) for part in parts if isinstance(part, CallPart)]

    def _of_block(self, call: CallPart, cursor: Cursor, given: Mapping[str, Term]) -> Scope:
        """Return the scope of a block's own defaults: its file's names, what enters, the preceding arguments."""
        file = {name: term for name, term in cursor.scope.look.items() if name.startswith("::")}
        is_own_file = call.definition.source is self.graph.source
        look: dict[str, Term] = {name[2:]: term for name, term in file.items()} if is_own_file else {}
        if cursor.term is not None and not cursor.flat:
            look["C"] = cursor.term
        return replace(cursor.scope, look={**look, **given})

    def _translated(self, written: Sequence[Expr | None], scope: Scope, is_whole: bool) -> Iterator[Term | None]:
        found = scope.whole(written)
        if found is not None and found.dividend is None:
            yield found.term
        elif is_whole:
            # A division: a float is not a valid size, and rounding down would hide what the compiler rejects.
            yield None if found is None or scope.offered.intersection(names(found.term)) else found.term
            return
        yield scope.real(written)
        yield scope.test(written)

    def _own(self, name: str, cursor: Cursor) -> Term | None:
        """Return a name of the class itself: one from the scope around a label, or a parameter of the network."""
        return Var(name) if all(name in env for env in cursor.scope.frames) else None

    # Labels on parts with branches

    def _shared(self, labels: Sequence[NamedPart], cursor: Cursor, traced: Traced | None) -> ModuleClass | None:
        """Return the class that a label shares in all iterations of the repeats around it; None if they share none."""
        registry, paths = self.registry, [label.path for label in labels]
        if paths[0] not in registry.shared:
            rows = registry.siblings.rows(labels[0], self.plan.roots)
            registry.shared |= dict.fromkeys([*paths, *(each.part.path for row in rows for each in row)])
            plan = None if cursor.flat else registry.siblings.plan(registry, rows, self.plan.scope)
            if plan is not None:
                self._share(plan)
        made = registry.shared[paths[0]]
        if made is None or not {*paths} <= {*made.places}:
            return None
        at = [made.places[path] for path in paths]
        whole = registry.traced[id(made)]
        one = traced or registry.border_of(labels, cursor.nodes).traced
        return made if one is not None and is_border(whole, one, at) else None

    def _share(self, plan: SiblingPlan) -> None:
        """Build the class that a label shares in all iterations, if there is one."""
        paths = tuple(each.part.path for each in plan.siblings)
        values, inputs = plan.traced.forward.values, plan.traced.forward.inputs
        keys = values[inputs[0]].keys if inputs else [key(each.entry) for each in plan.siblings]
        nodes = tuple(node_of(what) for what in keys if what is not None)
        places = tuple(range(len(paths)))
        scope = replace(self.plan.scope, look=plan.look, frames=plan.frames, places=places, repeats=plan.repeats)
        inside = Cursor(self.graph, scope, paths, nodes, None)
        with suppress(Differ):
            made = self._labelled([each.part.part for each in plan.siblings], paths, inside, plan.traced)
            self.registry.shared |= dict.fromkeys(paths, made)

    def _labelled(
        self, inner: Sequence[Part | None], paths: tuple[str, ...], cursor: Cursor, traced: Traced | None
    ) -> ModuleClass:
        """Return the class of a label. Its arguments are those names around the label that it uses."""
        if paths[0] in self.registry.by_path and set(self.registry.by_path[paths[0]].places) == set(paths):
            return self.registry.by_path[paths[0]]
        moved = {name: name.replace("in_", "block_") for name in ENTERING}
        frames: list[dict[str, object]] = []
        for env, width in zip(cursor.scope.frames, cursor.widths, strict=True):
            frames.append({"in_channels": width, **{moved.get(name, name): value for name, value in env.items()}})
        terms = {name: Var(other) for name, other in moved.items()}
        look = {name: substitute(term, terms) for name, term in cursor.scope.look.items()}
        alone = isinstance(cursor.term, Const) and len(paths) == 1
        entering = cursor.term if alone and cursor.term is not None else Var("in_channels")
        extras: tuple[Extra, ...] = ()
        while True:
            places = tuple(range(len(paths)))
            known = [{**env, **{each.name: dict(each.values)[at] for each in extras}} for at, env in enumerate(frames)]
            scope = replace(cursor.scope, look=look, frames=tuple(known), places=places, extras=extras, is_loop=False)
            name = _name_of(paths)
            plan = ClassPlan(name, tuple(inner), paths, cursor.nodes, scope, entering, traced=traced)
            try:
                made = ClassBuilder(self.registry, plan).build()
            except Missing as missing:
                if len(extras) == MOST_EXTRAS:
                    raise Differ from None
                extras = (*extras, extra(missing, extras, len(paths), tuple(frames[0])))
                continue
            self.registry.by_path.update(dict.fromkeys(made.places, made))
            return made

    # The class as a whole

    def _finished(
        self,
        cursor: Cursor,
        chain: SequentialBuild | None,
        forward: Forward | None,
        children: Children | ListChildren | None,
        leaving: tuple[Term | None, ...],
        entering: tuple[str, ...],
    ) -> ModuleClass:
        made = children.made if children is not None else ()
        flags = children.flags if isinstance(children, Children) else ()
        used = set(used_names(chain.items)) if chain is not None else set[str]()
        for child in made:
            used |= {*built_names(child.module), *(names(child.test) if child.test is not None else ())}
        used |= {name for flag in flags for name in names(flag.test)}
        if self.is_root:
            used |= {variable(given) for each in cursor.scope.followed.common.values() for given in each.values()}
        frames = cursor.scope.frames
        parameters = arguments(self.plan, [name for name in frames[0] if name in used], frames)
        known = {parameter.name for parameter in parameters}
        found = [each for module in (chain, *(child.module for child in made)) if module for each in builds(module)]
        guards = dict.fromkeys(guard for build in found for guard in build.guards if guard.names <= known)
        first = self.plan.entries
        shapes = tuple(
            (str(self.graph.nodes[at].shape), str(self.graph.nodes[output(part, at)].shape))
            for part, at in zip(self.plan.parts, first, strict=True)
        )
        places = {path: at for at, path in enumerate(self.plan.roots)}
        outside = tuple(term if term is not None and set(names(term)) <= set(frames[0]) else None for term in leaving)
        return ModuleClass(
            self.plan.name,
            tuple(parameters),
            tuple(guards),
            flags,
            made,
            chain,
            forward,
            places,
            frames,
            outside,
            entering,
            self.plan.is_flat,
            shapes,
        )


def _name_of(paths: Sequence[str]) -> str:
    """Return the name for the class of a label; labels that differ in their numbers share the rest."""
    name = paths[0].rpartition(".")[2]
    name = name if name[0].isalpha() else "_".join(paths[0].split(".")[-2:])
    return name if len({path.rpartition(".")[2] for path in paths}) == 1 else stem(name, frozenset())
