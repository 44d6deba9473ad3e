"""Sums over the layers of parts of networks, kept across the configurations of a parameterised network.

A part is identified by what its elaboration depends on: the elements as written, the input shape, the values of local
names, and the network's parameters to which the names in it lead. If parameters are mentioned only in parts of a part,
then the nodes of the whole are the same for all values for which its parts return the same shapes. Its `Plan` records
these nodes, and computes the sums of the whole from those of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cnndsl.elaborate.mentions import Dependence, Labels, can_be_summed, readings, written_names
from cnndsl.elaborate.state import Environment, NameValue, State
from cnndsl.layers.base import Layer
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import ListValue, NameSymbol, Symbol, Value

Sums: TypeAlias = tuple[int, ...]
ValueKey: TypeAlias = tuple[object, ...]
MOST_KEPT = 50_000
"""Maximum number of sums kept; then all are discarded, so that memory does not grow with the number of networks."""


class UnsummedError(Exception):
    """Raised for a network or part whose sums cannot be computed: it has to be elaborated as a whole."""


@record(slots=True)
class Summand:
    """A layer to be counted, with its output `shape`. A `shared` layer has the weights of another one."""

    layer: Layer
    shape: Shape
    inputs: tuple[Shape, ...]
    shared: bool = False
    training_only: bool = False


Weigh: TypeAlias = Callable[[Summand], tuple[Sums, bool]]
"""Returns the amounts that a layer adds to each sum, and whether it adds to the length of a path."""


@record(slots=True)
class PartSums:
    """The metrics of a part: its output shape, its sums, and the longest path through it.

    `steps` and `deepest` are the elements and nesting that its elaboration used, `labels` the names that it defines in
    the module around it. `nodes` is 0 for a part that returns its input, which has no sums.
    """

    shape: Shape
    sums: Sums
    depth: int
    nodes: int
    steps: int
    deepest: int
    labels: tuple[str, ...] = ()


@record(slots=True)
class PlannedPart:
    """A part inside a part: its key without the network parameters that it depends on, its nesting `depth`, and the
    `shape` and `labels` that it had."""

    place: ValueKey
    parameters: tuple[str, ...]
    depth: int
    shape: Shape
    labels: tuple[str, ...]


@record(slots=True)
class PlannedNode:
    """A node: the nodes whose values it reads, and its part in the plan, or what it adds to a path."""

    inputs: tuple[int, ...]
    part: int
    is_weighted: bool = False


@record(slots=True)
class Plan:
    """The nodes of a part after its input, which do not depend on parameters that are mentioned only in its parts.

    `own` are the metrics of the part without its parts; its sums are those of layers outside them. `parts` include all
    parts that were expanded, even by an `or` that chose another one.
    """

    own: PartSums
    parts: tuple[PlannedPart, ...]
    nodes: tuple[PlannedNode, ...]
    output: int


@dataclass(slots=True)
class Kept:
    """The results kept across the configurations of a parameterised network.

    Attributes:
        weigh: Counts a layer.
        dependence: Finds the network parameters to which a name leads.
        labels: Finds the labels that are referred to.
        excluded: The ids of elements that are always elaborated.
        chosen: The parameter values of the network that is being summed up.
        state: Holds the layers made so far and their shapes.
    """

    weigh: Weigh
    dependence: Dependence
    labels: Labels
    excluded: frozenset[int]
    chosen: Mapping[str, ValueKey] = field(default_factory=dict[str, ValueKey])
    state: State = field(default_factory=State)
    parts: dict[ValueKey, PartSums | None] = field(default_factory=dict[ValueKey, "PartSums | None"])
    _plans: dict[ValueKey, dict[tuple[str, ...], dict[ValueKey, Plan]]] = field(
        default_factory=dict[ValueKey, "dict[tuple[str, ...], dict[ValueKey, Plan]]"]
    )
    _names: dict[int, _Names | None] = field(default_factory=dict[int, "_Names | None"])
    _reached: dict[ValueKey, tuple[str, ...]] = field(default_factory=dict[ValueKey, tuple[str, ...]])

    def place(self, item: ast.ChainItem, shape: Shape, env: Environment, choices: int) -> PartPlace | None:
        """Return the dependencies of an element; None for one that is always elaborated."""
        at = identity(item)
        try:
            names = self._names[at]
        except KeyError:
            names = self._names[at] = self._names_of(item, env)
        if names is None:
            return None
        found: list[object] = [at, shape, choices, id(env.defaults), *map(id, env.calls)]
        words: list[str] = []
        for name in names.local:
            known = self._keyed(env.values.get(name), env, words)
            if known is None:
                return None
            found.append(known)
        parameters = names.parameters if not words else self._parameters(names, tuple(words))
        return PartPlace(tuple(found), parameters, tuple(words))

    def _names_of(self, item: ast.ChainItem, env: Environment) -> _Names | None:
        if not can_be_summed(item, self.labels, self.excluded):
            return None
        names = written_names([item], env.home.choices)
        local = tuple(sorted(names & self.dependence.local))
        return _Names(item, local, tuple(sorted(self.dependence.of(names))))

    def _parameters(self, names: _Names, words: tuple[str, ...]) -> tuple[str, ...]:
        key = (id(names), words)
        found = self._reached.get(key)
        if found is None:
            given = (name for word in words for name in readings(word))
            found = tuple(sorted({*names.parameters, *self.dependence.of(given)}))
            self._reached[key] = found
        return found

    def _keyed(self, value: Value | None, env: Environment, words: list[str]) -> ValueKey | None:
        """Return a key that distinguishes a value from others; None for one that belongs to a single location, such as
        an output. Words that are found are added to `words`."""
        if value is None or not isinstance(value, Symbol):
            return (type(value), value)
        if isinstance(value, ListValue):
            items = [self._keyed(each, env, words) for each in value.items]
            return None if None in items else (ListValue, *items)
        if not isinstance(value, NameSymbol) or not self.dependence.is_word(value.name):
            return None
        words.append(value.name)
        home = value.env.home if isinstance(value, NameValue) and value.env is not None else env.home
        return (NameSymbol, value.name, id(home))

    def known(self, place: ValueKey, parameters: Sequence[str]) -> PartSums | None:
        """Return the sums of a part if they are known, or follow from a plan. Raises KeyError otherwise."""
        chosen = self.chosen
        key = (place, *[chosen[name] for name in parameters])
        if key in self.parts:
            return self.parts[key]
        for direct, plans in self._plans.get(place, {}).items():
            plan = plans.get(tuple([chosen[name] for name in direct]))
            part = self._planned(plan) if plan is not None else None
            if part is not None:
                self.keep(place, parameters, part)
                return part
        raise KeyError

    def _planned(self, plan: Plan) -> PartSums | None:
        """Return the sums of a part computed from its plan; None if its parts differ from the plan."""
        own, found = plan.own, list[PartSums]()
        steps, deepest = own.steps, own.deepest
        for each in plan.parts:
            try:
                part = self.known(each.place, each.parameters)
            except KeyError:
                return None
            if part is None or not part.nodes or part.shape != each.shape or part.labels != each.labels:
                return None
            steps += part.steps
            deepest = max(deepest, each.depth + part.deepest)
            found.append(part)
        if deepest > 2 * current().nesting:
            return None
        longest, sums = [0], [own.sums]
        for node in plan.nodes:
            before = max([longest[at] for at in node.inputs])
            if node.part < 0:
                longest.append(before + node.is_weighted)
            else:
                longest.append(before + found[node.part].depth)
                sums.append(found[node.part].sums)
        total = tuple(map(sum, zip(*sums, strict=True)))
        return PartSums(own.shape, total, longest[plan.output], own.nodes, steps, deepest, own.labels)

    def keep(self, place: ValueKey, parameters: Sequence[str], part: PartSums | None) -> None:
        """Keep the sums of a part, or None for one that has none."""
        if len(self.parts) >= MOST_KEPT:
            self.parts.clear()
            self._plans.clear()
            self.state = State()
        self.parts[(place, *[self.chosen[name] for name in parameters])] = part

    def keep_plan(self, place: ValueKey, direct: tuple[str, ...], plan: Plan) -> None:
        """Keep the plan of a part, and the parameters that are mentioned outside its parts."""
        plans = self._plans.setdefault(place, {}).setdefault(direct, {})
        plans[tuple([self.chosen[name] for name in direct])] = plan


def identity(item: ast.ChainItem) -> int:
    """Return the id of an element; for square brackets the id of their chain, since every iteration of a `for` makes
    new ones."""
    return id(item.body) if isinstance(item, ast.Group) else id(item)


@record(slots=True)
class _Names:
    """The local names in an element, which is kept alive here, and the parameters to which all of its names lead."""

    item: ast.ChainItem
    local: tuple[str, ...]
    parameters: tuple[str, ...]


@record(slots=True)
class PartPlace:
    """The dependencies of an element: itself, its input and the values of local names; the network's parameters; and
    the words among the values."""

    key: ValueKey
    parameters: tuple[str, ...]
    words: tuple[str, ...] = ()
