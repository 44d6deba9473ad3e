"""The classes of a network: which calls of a block can share one, and the class of the network itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from cnndsl.analysis.inplace import overwritten
from cnndsl.emit.flow import Flow
from cnndsl.emit.names import variable
from cnndsl.emit.parts import Structure, child, inner, nodes, output
from cnndsl.emit.peak import chain_extra
from cnndsl.emit.plan import ClassPlan
from cnndsl.emit.scope import Mismatch, Scope, plain, python_value, same
from cnndsl.emit.terms import Code, Const, Term, Var
from cnndsl.emit.translate import translate
from cnndsl.emit.units import Unit
from cnndsl.graph import Called, Graph, Leaf, Part
from cnndsl.graph import Sequence as SequencePart
from cnndsl.layers.base import TorchCall

_AXES = {1: ("width",), 2: ("height", "width"), 3: ("depth", "height", "width")}
_LETTERS = {"height": "H", "width": "W", "depth": "D"}


class Emission:
    """The classes made so far. `kept` are the parameters of the net that stay arguments of the class."""

    def __init__(self, graph: Graph, kept: frozenset[str]) -> None:
        self.graph = graph
        self.structure = Structure(graph)
        self.overwritten = overwritten(graph)
        self.settings: Mapping[str, object] = {name: python_value(value) for name, value in graph.settings.items()}
        self.kept = {name: variable(name) for name in graph.settings if name in kept}
        self._look = self._file_names()
        self._classes: dict[str, ClassPlan] = {}
        self._calls = list(_calls(graph.tree))

    def _file_names(self) -> dict[str, Term]:
        """What the parameters of the net and the names of its file are in Python."""
        look: dict[str, Term] = {}
        for name, value in self.settings.items():
            look[name] = Var(self.kept[name]) if name in self.kept else Const(value)
        for name, expr in self.graph.lets.items():
            term = translate(expr, look.get)
            if term is not None:
                look.setdefault(name, term)
        return look

    def _kept_values(self) -> dict[str, object]:
        return {python: self.settings[name] for name, python in self.kept.items()}

    # The network

    def root(self) -> ClassPlan:
        """The class of the whole network. Raises CnnError for a label that PyTorch cannot bear."""
        body = _without_input(self.graph.tree)
        scope = Scope(self._look, (self._kept_values(),))
        width = self.graph.input.channels
        flow = Flow(self.graph, scope, ("",), (0,), (width,), Const(width))
        unit = Unit(self, self._kept_values(), is_root=True)
        defaults: dict[str, Term] = {python: Const(self.settings[name]) for name, python in self.kept.items()}
        return unit.plan(self.graph.name, [body], flow, defaults=defaults)

    # Blocks

    def class_of(self, calls: Sequence[Called]) -> ClassPlan:
        """The class of these calls. Raises Mismatch where they have different ones."""
        if calls[0].path not in self._classes:
            self._define(calls[0])
        plans = {id(self._classes[call.path]): self._classes[call.path] for call in calls if call.path in self._classes}
        if len(plans) != 1 or any(call.path not in self._classes for call in calls):
            raise Mismatch
        return plans.popitem()[1]

    def _define(self, call: Called) -> None:
        """The classes of all calls of a block: one if that can be, else one for each kind of call."""
        same_block = [each for each in self._calls if each.definition == call.definition and each.block == call.block]
        keys = (_any_call, self._signature, self._identity, _path)
        for key, may_ask in product(keys, (False, True)):
            groups: dict[object, list[Called]] = {}
            for each in same_block:
                groups.setdefault(key(each), []).append(each)
            plans = [self._attempt(group, may_ask) for group in groups.values()]
            if all(plan is not None for plan in plans):
                for plan, group in zip(plans, groups.values(), strict=True):
                    self._classes.update({each.path: plan for each in group if plan is not None})
                return
        raise AssertionError(f"no class can stand for {call.block}")

    def inside(self, call: Called, workspace: bool) -> int | None:
        """What the class of a call allocates at its most, in values of one image; None where that is not known."""
        plan = self._classes.get(call.path)
        if plan is None:
            return None
        if plan.peak is not None:
            return plan.peak.extra(tuple(plan.values).index(call.path), workspace)
        return chain_extra(self, call.body, workspace)

    def size_of(self, part: Part) -> int:
        """The number of values that a module gives."""
        return self.graph.nodes[output(part, 0)].shape.numel

    def _signature(self, call: Called) -> object:
        """What calls have in common that can share a class: the layers and their names."""
        made: list[tuple[str, str]] = []
        for at in nodes(call.body):
            built = self.structure.made(at)
            head = built.name if isinstance(built, TorchCall) else str(built)
            made.append((child(self.graph.nodes[at].path, call.path), head))
        return tuple(made)

    def _identity(self, call: Called) -> object:
        """Calls that do the same."""
        return self._signature(call), tuple(map(str, call.arguments)), self.graph.nodes[call.entry].shape

    def _attempt(self, calls: Sequence[Called], may_ask: bool) -> ClassPlan | None:
        try:
            return self._class(calls, may_ask)
        except Mismatch:
            return None

    def _class(self, calls: Sequence[Called], may_ask: bool) -> ClassPlan:
        first = calls[0]
        flat = any(self.structure.wants_flat(call, self._entry(call)) for call in calls)
        entering = "in_features" if flat else "in_channels"
        taken: set[str] = {"in_channels", "in_features", "block_channels", "block_features"}
        options: dict[str, str] = {}
        for name in first.parameters:
            options[name] = variable(name, taken)
            taken.add(options[name])
        frames = tuple(self._frame(call, entering, options) for call in calls)
        axes = [name for name in ("height", "width", "depth") if name in frames[0]]
        if any([name for name in ("height", "width", "depth") if name in frame] != axes for frame in frames):
            raise Mismatch
        look: dict[str, Term] = {**self._look, **{_LETTERS[name]: Var(name) for name in axes}}
        if not flat:
            look["C"] = Var("in_channels")
        look |= {name: Var(python) for name, python in options.items()}
        shapes = [self.graph.nodes[self._entry(call)].shape for call in calls]
        widths = tuple(shape.numel if flat else shape.channels for shape in shapes)
        scope = Scope(look, frames)
        roots, entries = tuple(call.path for call in calls), tuple(map(self._entry, calls))
        flow = Flow(self.graph, scope, roots, entries, widths, Var(entering), flat)
        unit = Unit(self, taken, open_frames=frames if may_ask else ())
        parts = [call.body for call in calls]
        backwards = {python: name for name, python in options.items()}
        return unit.plan(first.block, parts, flow, backwards, self._defaults(calls, options))

    def _entry(self, call: Called) -> int:
        return self.structure.entry(call, call.entry)

    def _frame(self, call: Called, entering: str, options: Mapping[str, str]) -> dict[str, object]:
        shape = self.graph.nodes[self._entry(call)].shape
        values = {
            options[name]: python_value(value) for name, value in zip(call.parameters, call.arguments, strict=True)
        }
        known = {name: value for name, value in values.items() if value != Code("")}
        width = shape.numel if entering == "in_features" else shape.channels
        axes = {
            name: extent
            for name, extent in zip(_AXES.get(shape.rank, ()), shape.spatial, strict=True)
            if name not in known
        }
        outside = {name: value for name, value in self._kept_values().items() if name not in known}
        return {entering: width, **known, **axes, **outside}

    def _defaults(self, calls: Sequence[Called], options: Mapping[str, str]) -> dict[str, Term]:
        """The values of parameters where the calls leave them away."""
        defaults: dict[str, Term] = {}
        for at, name in enumerate(calls[0].parameters):
            values = [plain(python_value(call.arguments[at])) for call in calls if name not in dict(call.written)]
            if values and values[0] != Code("") and all(same(value, values[0]) for value in values):
                defaults[options[name]] = Const(values[0])
        return defaults


def _any_call(_: Called) -> object:
    return None


def _path(call: Called) -> object:
    return call.path


def _calls(part: Part) -> Iterator[Called]:
    if isinstance(part, Called):
        yield part
    for each in inner(part):
        yield from _calls(each)


def _without_input(tree: Part) -> Part:
    if isinstance(tree, Leaf) and tree.node == 0:
        return SequencePart(())
    if isinstance(tree, SequencePart):
        return SequencePart(tuple(_without_input(part) for part in tree.parts))
    return tree
