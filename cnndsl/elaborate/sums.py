"""Sums over the layers of parts of networks, kept from network to network of a family.

A part is known by what its elaboration depends on: the elements as written, the shape that enters, the values of local
names, and the parameters of the net that the names in it lead to. If parameters are mentioned only in parts of a part,
then the nodes of the whole are the same for all values of these for which its parts give the same shapes: that is its
`Plan`, by which the sums follow from those of its parts.
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
"""So many sums are kept; then all are forgotten, so that memory does not grow with the number of networks."""


class UnsummedError(Exception):
    """A network, or a part of one, of which no sums can be made: it has to be elaborated as a whole."""


@record(slots=True)
class Summand:
    """A layer to be counted: `shape` is that of its output. A layer that is `shared` has the weights of another one."""

    layer: Layer
    shape: Shape
    inputs: tuple[Shape, ...]
    shared: bool = False
    training_only: bool = False


Weigh: TypeAlias = Callable[[Summand], tuple[Sums, bool]]
"""Returns what a layer adds to each sum, and whether it adds to the length of a path."""


@record(slots=True)
class PartSums:
    """What is known of a part: the shape that leaves, its sums, and the longest path through it.

    `steps` and `deepest` are what its elaboration took of the limits, `labels` the names that it gives in the module
    around it. `nodes` is 0 for a part that passes on what enters, which has no sums.
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
    """A part of a part as it was met: what it is known by, without the parameters of the net that it depends on. It
    was met at a `depth` of nesting, and gave a `shape` and `labels`."""

    place: ValueKey
    parameters: tuple[str, ...]
    depth: int
    shape: Shape
    labels: tuple[str, ...]


@record(slots=True)
class PlannedNode:
    """A node: those whose values it reads, and which of the plan's parts it is, or what it adds to a path."""

    inputs: tuple[int, ...]
    part: int
    is_weighted: bool = False


@record(slots=True)
class Plan:
    """The nodes of a part after the one that enters, whatever the parameters that are mentioned in its parts alone.

    `own` is what is known of the part without its parts; its sums are those of layers that are in none of them. `parts`
    are all that were looked at, also by an `or` that chose another one.
    """

    own: PartSums
    parts: tuple[PlannedPart, ...]
    nodes: tuple[PlannedNode, ...]
    output: int


@dataclass(slots=True)
class Kept:
    """What is kept from network to network of one family.

    Attributes:
        weigh: Counts a layer.
        dependence: Says which parameters of the net a name leads to.
        labels: Says which labels are referred to.
        excluded: The ids of elements that are always elaborated.
        chosen: The values of the parameters of the net that is being summed up.
        state: Holds the layers that were bound and their shapes.
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
        """Return what an element depends on; None for one that is always elaborated."""
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
        """What tells a value from others; None for one that belongs to a single place, as an output does. The names
        that are met are added to the words."""
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
        """Return the sums of a part if they are known, or follow from a plan. Raises KeyError if neither is so."""
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
        """The sums of a part by its plan; None if its parts do not give what was planned."""
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
        """Keep the sums of a part; None for one that has none."""
        if len(self.parts) >= MOST_KEPT:
            self.parts.clear()
            self._plans.clear()
            self.state = State()
        self.parts[(place, *[self.chosen[name] for name in parameters])] = part

    def keep_plan(self, place: ValueKey, direct: tuple[str, ...], plan: Plan) -> None:
        """Keep the plan of a part, and the parameters that are mentioned outside of its parts."""
        plans = self._plans.setdefault(place, {}).setdefault(direct, {})
        plans[tuple([self.chosen[name] for name in direct])] = plan


def identity(item: ast.ChainItem) -> int:
    """Return what tells an element from all others: of brackets their chain, since every turn of a `for` has brackets
    of its own."""
    return id(item.body) if isinstance(item, ast.Group) else id(item)


@record(slots=True)
class _Names:
    """The local names in an element, which is kept alive here, and the parameters to which all of its names lead."""

    item: ast.ChainItem
    local: tuple[str, ...]
    parameters: tuple[str, ...]


@record(slots=True)
class PartPlace:
    """What an element depends on: itself, what enters and the values of local names; the parameters of the net; and
    the words among the values."""

    key: ValueKey
    parameters: tuple[str, ...]
    words: tuple[str, ...] = ()
