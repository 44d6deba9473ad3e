"""Step 1: which calls of a block share a class.

All calls of a block share one class if one source is right for all of them. If there is none, the calls are split step
by step. Calls share a class if they differ only in the number of iterations of their repeats; those that still need
several classes share one if they have the same layers under the same names, then if these layers also read the same
values, then if they also have the same arguments and input. As a last resort each call has its own class, which is
always right. `class_of` returns the class of a call, and all other code uses it.

Before: a graph. After: the class of the network, and through it all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product

from cnndsl.analysis.inplace import overwritten
from cnndsl.emit.torch.builder import ClassBuilder
from cnndsl.emit.torch.call_kinds import CallKinds, weights_of
from cnndsl.emit.torch.chain_queries import Chains
from cnndsl.emit.torch.class_plan import MOST_EXTRAS, ClassPlan, extra
from cnndsl.emit.torch.ir import Key, ModuleClass, key
from cnndsl.emit.torch.names import variable
from cnndsl.emit.torch.parameters import followed
from cnndsl.emit.torch.part_queries import Borders, calls
from cnndsl.emit.torch.restart import Differ, Missing
from cnndsl.emit.torch.scope import Extra, Scope, known_terms, list_term, plain, python_value, same
from cnndsl.emit.torch.siblings import Siblings
from cnndsl.emit.torch.terms import CodeValue, Const, Term, Var, substitute
from cnndsl.emit.torch.trace import trace
from cnndsl.emit.torch.trace_records import Border, Traced
from cnndsl.emit.torch.translate import real, whole
from cnndsl.expressions import Expr, ListExpr, names
from cnndsl.graph import (
    CallPart,
    Graph,
    LayerPart,
    NamedPart,
    Part,
    SequencePart,
    output,
)
from cnndsl.shape import axis_names
from cnndsl.values import Symbol, Value

_WAYS = tuple(product((False, True), (False, True)))
"""Whether a class may have arguments that its block lacks, and whether fractions are constants of the class."""
_PLAIN_WAYS = tuple(way for way in _WAYS if not way[0])
_LETTERS: Mapping[str, str] = {"height": "H", "width": "W", "depth": "D"}


class Classes:
    """The classes of a network. `offered` are the parameters of the network that are arguments of its class."""

    def __init__(self, graph: Graph, offered: frozenset[str]) -> None:
        self.graph, self.borders = graph, Borders(graph)
        self.followed = followed(graph, offered)
        self.chains = Chains(self.borders, self._is_link)
        self.overwritten: Mapping[int, int] = overwritten(graph)
        self.offered = {name: variable(name) for name in graph.settings if name in offered}
        self._calls: dict[object, list[CallPart]] = {}
        self._first: dict[str, CallPart] = {}
        for call in calls(graph.tree):
            self._first.setdefault(weights_of(call), call)
            self._calls.setdefault(_block(call), []).append(call)
        self.kinds = CallKinds(self.borders, self._first)
        self.by_path: dict[str, ModuleClass] = {}
        self.traced: dict[int, Traced] = {}
        self.siblings = Siblings(graph)
        self.shared: dict[str, ModuleClass | None] = {}
        self._look = self._file_names()

    def root(self) -> ModuleClass:
        """Return the class of the network. Raises CnnError for a label that PyTorch does not accept, Fixed for
        parameters that cannot be arguments."""
        self._define_innermost_first()
        body = _without_inputs(self.graph.tree, len(self.graph.inputs))
        scope = Scope(
            self._look,
            (self._offered_values(),),
            (0,),
            frozenset(self.offered.values()),
            followed=self.followed,
        )
        defaults: dict[str, Term] = {
            python: Const(plain(self.graph.settings[name])) for name, python in self.offered.items()
        }
        plan = ClassPlan(
            self.graph.name, (body,), ("",), (0,), scope, Const(self.graph.input.channels), defaults=defaults
        )
        return ClassBuilder(self, plan, is_root=True).build()

    def _file_names(self) -> dict[str, Term]:
        """Return the Python terms of the network's parameters and of the `let`s of its file."""
        look: dict[str, Term] = {}
        for name, value in self.graph.settings.items():
            is_whole = isinstance(value, int)
            look[name] = Var(self.offered[name], is_whole) if name in self.offered else _constant(value)
            look[f"::{name}"] = look[name]
            look |= _listed(name, value)
        for name, term in _name_values(self.graph.lets.items(), look):
            look[f"::{name}"] = term
        look |= {f"::{name}": look[name] for name in list(look) if name.endswith("[]")}
        return look

    def _offered_values(self) -> dict[str, object]:
        return {
            python: Var(name) if isinstance(value := self.graph.settings[name], int) else plain(python_value(value))
            for name, python in self.offered.items()
        }

    # Borders

    def border_of(self, parts: Sequence[Part], entries: Sequence[int]) -> Border:
        """Return what modules take and give. Raises Differ if they do not belong to one class."""
        if all(isinstance(part, CallPart) for part in parts):
            return self._border_of_calls([part for part in parts if isinstance(part, CallPart)])
        labels = [part for part in parts if isinstance(part, NamedPart)]
        if len(labels) < len(parts):
            raise Differ
        if all(
            self.chains.is_sequential(label.part, self.chains.entry(label, at))
            for label, at in zip(labels, entries, strict=True)
        ):
            is_flat = any(self.chains.wants_flat(label, at) for label, at in zip(labels, entries, strict=True))
            return self._border_of_chains(labels, entries, is_flat)
        traced = trace(self, [label.path for label in labels], [label.part for label in labels], entries, False)
        values = traced.forward.values
        inputs, results = (
            tuple((tuple(at for at in values[value].keys if at is not None), values[value].name) for value in found)
            for found in (traced.forward.inputs, traced.forward.results)
        )
        return Border(inputs, results, traced.forward.main, traced=traced)

    def _border_of_calls(self, found: Sequence[CallPart]) -> Border:
        made = self.class_of(found)
        if made.forward is None:
            return self._border_of_chains(found, [call.entry for call in found], made.is_flat)
        values = made.forward.values
        at = [made.places[call.path] for call in found]
        inputs, results = (
            tuple((_column(values[value].keys, at), values[value].name) for value in each)
            for each in (made.forward.inputs, made.forward.results)
        )
        return Border(inputs, results, made.forward.main)

    def _border_of_chains(self, parts: Sequence[Part], entries: Sequence[int], is_flat: bool) -> Border:
        entering = tuple(key(self.chains.entry(part, at)) for part, at in zip(parts, entries, strict=True))
        leaving = tuple(key(output(part, at)) for part, at in zip(parts, entries, strict=True))
        return Border(((entering, "x"),), ((leaving, ""),), is_flat=is_flat)

    def _is_link(self, call: CallPart, entry: int) -> bool:
        """Return whether a call takes only the value of `entry` and gives only its output."""
        border = self._border_of_calls([call])
        return (
            [column for column, _ in border.inputs] == [(key(entry),)]
            and border.main == 0
            and len(border.results) == 1
            and self.borders.is_closed(call, entry)
        )

    # Which calls share a class

    def class_of(self, found: Sequence[CallPart]) -> ModuleClass:
        """Return the class of these calls. Raises Differ if they have different classes."""
        if found[0].path not in self.by_path:
            self._define(found[0])
        made = self.by_path[found[0].path]
        if any(self.by_path.get(call.path) is not made for call in found):
            raise Differ
        return made

    def _define_innermost_first(self) -> None:
        """Build the classes from the inside out, so that no class waits for those of blocks called in it. Python's
        stack stays shallow however deeply blocks call each other."""
        for call in reversed(list(calls(self.graph.tree))):
            if call.path not in self.by_path and self.borders.own(call):
                self._define(call)

    def _define(self, call: CallPart) -> None:
        """Build the classes of all calls of a block: one if that is right, else one for each group of calls."""
        groups = self._without_class([self._calls[_block(call)]], _WAYS)
        for key_of, ways in (
            (self.kinds.written, _PLAIN_WAYS),
            (self.kinds.signature, _WAYS),
            (self.kinds.wiring, _WAYS),
            (self.kinds.identity, _WAYS),
            (weights_of, _WAYS),
        ):
            groups = self._without_class([group for whole in groups for group in _grouped(whole, key_of)], ways)
            if not groups:
                return
        raise AssertionError(f"no class can stand for {call.block}")

    def _without_class(
        self, groups: Sequence[list[CallPart]], ways: Sequence[tuple[bool, bool]]
    ) -> list[list[CallPart]]:
        """Build the classes of groups of calls. Returns the groups that cannot share one."""
        return [group for group in groups if not any(self._shared(group, *how) for how in ways)]

    def _shared(self, group: Sequence[CallPart], may_ask: bool, folds: bool) -> bool:
        """Build one class for a group of calls. Returns whether that is possible."""
        made = self._attempt(group, may_ask, folds)
        if made is not None:
            self.by_path.update(dict.fromkeys(made.places, made))
        return made is not None

    def _attempt(self, found: Sequence[CallPart], may_ask: bool, folds: bool) -> ModuleClass | None:
        """Return the class of some calls, None if there is none. `may_ask` allows arguments that the block lacks. With
        `folds`, an argument that is the same fraction in all calls is a constant of the class, so that it can be
        computed with exactly."""
        extras: tuple[Extra, ...] = ()
        while len(extras) <= (MOST_EXTRAS if may_ask else 0):
            try:
                return ClassBuilder(self, self._plan(found, extras, folds)).build()
            except Differ:
                return None
            except Missing as missing:
                extras = (*extras, extra(missing, extras, len(found), found[0].parameters))
        return None

    def _plan(self, found: Sequence[CallPart], extras: tuple[Extra, ...], folds: bool) -> ClassPlan:
        first = found[0]
        is_flat = any(self.chains.wants_flat(call, call.entry) for call in found)
        entering = "in_features" if is_flat else "in_channels"
        taken: set[str] = {"in_channels", "in_features", "block_channels", "block_features"}
        options: dict[str, str] = {}
        for name in first.parameters:
            options[name] = variable(name, taken)
            taken.add(options[name])
        entries = tuple(self.chains.entry(call, call.entry) for call in found)
        frames = [self._frame(call, at, entering, options) for call, at in zip(found, entries, strict=True)]
        axes = [name for name in ("height", "width", "depth") if name in frames[0]]
        if any([name for name in ("height", "width", "depth") if name in frame] != axes for frame in frames):
            raise Differ
        is_own_file = first.definition.source is self.graph.source
        look: dict[str, Term] = dict(self._look) if is_own_file else {}
        look |= {_LETTERS[name]: Var(name) for name in axes}
        if not is_flat and entries == tuple(call.entry for call in found):
            look["C"] = Var("in_channels")
        for name, python in options.items():
            values = [frame.get(python) for frame in frames]
            is_whole = not any(isinstance(value, float) for value in values)
            is_one = folds and not is_whole and len(set(values)) == 1
            look[name] = Const(values[0]) if is_one else Var(python, is_whole)
            look.pop(f"{name}[]", None)
            lists = {call.arguments[call.parameters.index(name)] for call in found}
            look |= _listed(name, lists.pop()) if len(lists) == 1 else {}
        _name_values(first.lets, look)
        for at, frame in enumerate(frames):
            frame |= {each.name: dict(each.values)[at] for each in extras}
        look, offered = self._hidden(look, options)
        scope = Scope(look, tuple(frames), tuple(range(len(found))), offered, extras, followed=self.followed)
        roots, parts = tuple(call.path for call in found), tuple(call.body for call in found)
        backwards = {python: name for name, python in options.items()}
        defaults = self._defaults(found, options)
        return ClassPlan(first.block, parts, roots, entries, scope, Var(entering), is_flat, backwards, defaults)

    def _hidden(self, look: dict[str, Term], options: Mapping[str, str]) -> tuple[dict[str, Term], frozenset[str]]:
        """Return the terms of the network's parameters in a block whose own arguments hide some of them. A hidden
        parameter has no name there: code that needs it raises Fixed."""
        offered = frozenset(self.offered.values())
        own = set(options.values())
        hidden: dict[str, Term] = {name: Var(f"::{name}") for name in offered & own}
        if hidden:
            look = {name: term if name in options else substitute(term, hidden) for name, term in look.items()}
        return look, (offered - own) | {f"::{name}" for name in hidden}

    def _frame(self, call: CallPart, entry: int, entering: str, options: Mapping[str, str]) -> dict[str, object]:
        shape = self.graph.nodes[entry].shape
        terms = self.followed.arguments.get(call.path, {})
        values = {
            options[name]: terms.get(name, python_value(value))
            for name, value in zip(call.parameters, call.arguments, strict=True)
        }
        known = {name: value for name, value in values.items() if value != CodeValue("")}
        width = self.followed.width(self.graph, entry, entering == "in_features")
        axes = dict(zip(axis_names(shape.rank), shape.spatial, strict=True)) if entry == call.entry else {}
        axes = {name: extent for name, extent in axes.items() if name not in known}
        outside = {name: value for name, value in self._offered_values().items() if name not in known}
        return {entering: width, **known, **axes, **outside}

    def _defaults(self, found: Sequence[CallPart], options: Mapping[str, str]) -> dict[str, Term]:
        """Return the values of parameters that calls omit."""
        defaults: dict[str, Term] = {}
        for at, name in enumerate(found[0].parameters):
            left = [call for call in found if name not in dict(call.written)]
            if any(_is_computed(dict(call.defaults).get(name), call.arguments[at]) for call in left):
                continue
            values = [plain(python_value(call.arguments[at])) for call in left]
            if values and values[0] != CodeValue("") and all(same(value, values[0]) for value in values):
                defaults[options[name]] = Const(values[0])
        return defaults


def _name_values(lets: Iterable[tuple[str, Expr]], look: dict[str, Term]) -> list[tuple[str, Term]]:
    """Add the values that `let`s name. A `let` that Python cannot compute hides an outer name."""
    found: list[tuple[str, Term]] = []
    for name, expr in lets:
        translated = whole(expr, look.get)
        is_exact = translated is not None and translated.dividend is None
        term = translated.term if translated is not None and is_exact else real(expr, look.get)
        for hidden in (name, f"{name}[]"):
            look.pop(hidden, None)
        if isinstance(expr, ListExpr):
            items = [real(each, look.get) for each in expr.items]
            known = [each.value for each in items if isinstance(each, Const)]
            look |= {f"{name}[]": Const(tuple(known))} if len(known) == len(items) else {}
        if term is not None:
            look[name] = term
            found.append((name, term))
    return found


def _listed(name: str, value: Value) -> dict[str, Term]:
    """Return the items of a list, under its name."""
    term = list_term(value)
    return {} if term is None else {f"{name}[]": term}


def _column(keys: Sequence[Key | None], at: Sequence[int]) -> tuple[Key, ...]:
    found = tuple(each for each in (keys[place] for place in at) if each is not None)
    if len(found) < len(at):
        raise Differ
    return found


def _is_computed(default: Expr | None, value: Value) -> bool:
    """Return whether a default is more than a number or the name of a layer type."""
    return default is None or (not isinstance(value, Symbol) and any(names(default)))


def _block(call: CallPart) -> object:
    return call.definition, call.block


def _grouped(calls: Sequence[CallPart], key_of: Callable[[CallPart], object]) -> list[list[CallPart]]:
    groups: dict[object, list[CallPart]] = {}
    for call in calls:
        groups.setdefault(key_of(call), []).append(call)
    return list(groups.values())


def _constant(value: Value) -> Term:
    return known_terms([("", value)])[""]


def _without_inputs(tree: Part, count: int) -> Part:
    if isinstance(tree, LayerPart) and tree.node < count:
        return SequencePart(())
    if isinstance(tree, SequencePart):
        return SequencePart(tuple(_without_inputs(part, count) for part in tree.parts))
    return tree
