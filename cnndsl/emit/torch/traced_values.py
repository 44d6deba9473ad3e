"""Step 2: the values of a class, each of which has a key at each of the class's call sites."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.torch.ir import Compute, Key, Step, Training, key
from cnndsl.emit.torch.part_queries import Known
from cnndsl.emit.torch.steps import made_by
from cnndsl.emit.torch.trace_records import Places
from cnndsl.graph import Graph


class TracedValues:
    """The values and steps of a `forward` under construction; `same` maps an alias to its value."""

    def __init__(self, places: int) -> None:
        self.all: Places = tuple(range(places))
        self.values: list[dict[int, Key]] = []
        self.names: list[str] = []
        self.lists: dict[int, list[tuple[Key, ...]]] = {}
        """The values that are lists, and the items of each at each call site."""
        self.known_as: dict[tuple[int, Key], list[int]] = {}
        self.same: dict[int, int] = {}
        self.later: set[int] = set()
        """Results that exist in training only, although their values always exist."""
        self.steps: list[Step] = []
        self.known = Known()
        self.origins: dict[int, Known] = {}
        """The iteration in which each value is made."""
        self.flattened: dict[int, int] = {}
        self.chains: set[int] = set()
        """The values of chains that have a name."""
        self.several: set[int] = set()
        """The values that a call gives together with others, under their names in the callee."""

    def new(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a new value with one of these keys at each of the call sites."""
        value = len(self.values)
        self.values.append({})
        self.names.append(name)
        self.enter(value, places, keys)
        return value

    def new_list(self, items: list[tuple[Key, ...]]) -> int:
        """Return a new value that is a list of these values at each call site."""
        self.values.append({})
        self.names.append("")
        self.lists[len(self.values) - 1] = items
        return len(self.values) - 1

    def enter(self, value: int, places: Places, keys: Sequence[Key]) -> None:
        """Record the keys of a value at some call sites."""
        for at, what in zip(places, keys, strict=True):
            self.values[value][at] = what
            self.known_as.setdefault((at, what), []).append(value)

    def find(self, places: Places, keys: Sequence[Key]) -> int | None:
        """Return the value that has these keys at all of these call sites, None if there is none."""
        for value in reversed(self.known_as.get((places[0], keys[0]), ())):
            held = self.values[value]
            if all(held.get(at) == what for at, what in zip(places, keys, strict=True)):
                return self.real(value)
        return None

    def flat(self, value: int) -> int:
        """Return the flattened value."""
        real = self.real(value)
        if real not in self.flattened:
            self.values.append(dict(self.values[real]))
            self.names.append("x")
            self.flattened[real] = len(self.values) - 1
            self.put(Compute("flatten", "torch.flatten({0}, 1)", (real,), self.flattened[real]))
        return self.flattened[real]

    def real(self, value: int) -> int:
        """Return the value that a value is an alias of, or the value itself."""
        return self.same.get(value, value)

    def put(self, step: Step) -> None:
        """Add a step."""
        self.steps.append(step)
        self.origins.update(dict.fromkeys(made_by(step), self.known))


def given(values: TracedValues, node: int) -> int:
    """Return the value of a node that the network gives."""
    value = values.find(values.all, [key(node)])
    assert value is not None, "what the network gives is made somewhere"
    return value


def taps(values: TracedValues, graph: Graph) -> list[int]:
    """Return the results of the network after its output: those that always exist first."""
    found: list[int] = []
    for tap in sorted(graph.taps, key=lambda tap: tap.training_only):
        value = given(values, tap.node)
        if tap.training_only and not graph.nodes[tap.node].training_only:
            value = _only_in_training(values, value, tap.name)
        found.append(value)
    return found


def _only_in_training(values: TracedValues, value: int, name: str) -> int:
    """Return a result in training only for a value that always exists."""
    values.values.append(dict(values.values[value]))
    values.names.append(name)
    again = len(values.values) - 1
    values.put(Training((Compute("same", "{0}", (value,), again),), ()))
    values.later.add(again)
    return again
