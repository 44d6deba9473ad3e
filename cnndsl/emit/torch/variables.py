"""Which local name of a `forward` holds which value, and which names hold values that are no longer needed.

A value is alive while reads of it are still to come (`left`), or while an unwritten expression reads it (`pinned`). A
name is given to another value only if the one that it holds is not alive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from cnndsl.emit.torch.ir import Compute, Forward
from cnndsl.emit.torch.names import numbered, variable, word
from cnndsl.emit.torch.steps import is_aside, used_by

SPARE = ("x", "y", "z", "u", "v", "w")


class Variables:
    """The names at one point of a `forward`. `hints` are preferred names, `lent` the values that the caller holds."""

    def __init__(self, hints: Mapping[int, str]) -> None:
        self.hints = dict(hints)
        self.holds: dict[str, int] = {}
        self.lists: dict[str, tuple[int, ...]] = {}
        """The names that hold lists of values."""
        self.open: set[int] = set()
        """The values that are themselves lists, whose length is an argument of the class."""
        self.loops: set[str] = set()
        """The names of modules in loops."""
        self.left: Counter[int] = Counter({-1: 0})
        self.pinned: Counter[int] = Counter()
        self.lent: set[int] = set()
        self.shared: set[int] = set()
        """Values that deserve a name: they are read several times, not counting minor reads (by training, or of a
        size), or are one of several results."""
        self.given: dict[int, str] = {}
        """The names that values must get."""
        self.memory: dict[int, int] = {}
        """Maps a value to the one in whose memory it lives."""

    def copy(self) -> Variables:
        """Return an independent copy of the names."""
        other = Variables(self.hints)
        other.holds, other.left, other.pinned = dict(self.holds), Counter(self.left), Counter(self.pinned)
        other.lent, other.shared, other.memory = self.lent, self.shared, dict(self.memory)
        other.lists, other.loops, other.open = dict(self.lists), set(self.loops), self.open
        return other

    # Reads

    def expect(self, values: Iterable[int], is_aside: bool = False) -> None:
        """Expect these reads, which belong to one step."""
        found = [*values]
        if not is_aside:
            self.shared.update(value for value in found if self.left[value])
        self.left.update(found)

    def share(self, value: int, other: int) -> None:
        """Record that another value overwrites a value, which can have the other's name if that has one of its own."""
        if other in self.shared and value not in self.shared:
            self.shared.add(value)
            self.hints[value] = self.hints.get(other, "")

    def is_alive(self, value: int) -> bool:
        """Return whether a value is read later."""
        return self.left[value] > 0 or self.pinned[value] > 0

    # Names

    def name(self, value: int) -> str | None:
        """Return the name that holds a value, or its item in a list; None if there is none."""
        found = next((name for name, held in self.holds.items() if held == value), None)
        if found is not None:
            return found
        return next((f"{name}[{held.index(value)}]" for name, held in self.lists.items() if value in held), None)

    def is_listed(self, value: int) -> bool:
        """Return whether a value has no name except as an item of a list."""
        return value not in self.holds.values() and any(value in held for held in self.lists.values())

    def bind(self, value: int, name: str, over: int | None = None) -> None:
        """Give a value its name; `over` is the value in whose memory it lives."""
        for other in [other for other, held in self.holds.items() if held == value]:
            del self.holds[other]
        self.holds[name] = value
        if over is not None:
            self.memory[value] = self.root(over)

    def reserve(self, name: str) -> None:
        """Keep a name from other values until it is bound."""
        value = min(self.left, default=0) - 1
        self.holds[name], self.left[value] = value, 1

    def drop(self, name: str) -> None:
        """Remove a name, after `del`."""
        self.holds.pop(name, None)
        self.lists.pop(name, None)

    def lend(self, values: Sequence[int], given: Sequence[str] = ()) -> list[str]:
        """Name the arguments of `forward`, which the caller holds: by the given names, else by their hints."""
        self.lent.update(values)
        if not given:
            return [self._lend(value) for value in values]
        for value, name in zip(values, given, strict=True):
            self.bind(value, name)
        return list(given)

    def _lend(self, value: int) -> str:
        name = numbered(word(self.hints.get(value, "")) or "skip", self.holds) if self.holds else "x"
        self.bind(value, name)
        return name

    def target(self, value: int, ended: Iterable[int], is_costly: bool = False) -> str:
        """Return the name for a new value: its own if it is read several times, else that of one that ends with it. A
        value's own name is reused only if it would otherwise have to be deleted for its memory."""
        if value in self.given:
            return self.given[value]
        hint = re.sub(r"\W", "_", re.sub(r".*\.\d+", "", self.hints.get(value, "")))  # a list index carries no meaning
        if hint in ("size", "indices") or (hint and not hint.isdigit() and hint != "x" and value in self.shared):
            return self.wished(hint)
        gone = set(ended)
        ending = [name for name, held in self.holds.items() if held in gone]
        for name in (*ending, *SPARE):
            is_free = name in SPARE or (is_costly and self.holds[name] not in self.lent)
            if is_free and not self.is_taken(name):
                return name
        return self.wished("y")

    def own(self, value: int) -> str:
        """Return the name for a new value that does not reuse another's name."""
        return self.given.get(value) or self.wished(self.hints[value] or "y")

    def wished(self, wish: str) -> str:
        """Return a name that no live value has, close to the preferred one. A value's own name is reused only for
        another value of that name."""
        base = variable(re.sub(r"\W", "_", wish)) if not wish.isdigit() else "y"
        base = wish if base.rstrip("_") in SPARE and wish in SPARE else base
        name, number = base, 1
        while name in {*self.lists, *self.loops} or (
            name in self.holds and (self.is_taken(name) or not (name in SPARE or self._was(name, wish)))
        ):
            number += 1
            name = f"{base}{number}"
        return name

    def _was(self, name: str, wish: str) -> bool:
        """Return whether a name holds a value whose preferred name is this."""
        return re.sub(r".*\.", "", self.hints.get(self.holds[name], "")) == wish

    def is_taken(self, name: str) -> bool:
        """Return whether a name holds a value that is read later."""
        return name in self.holds and self.is_alive(self.holds[name])

    # Memory

    def stale(self) -> list[tuple[str, list[int]]]:
        """Return the names that keep unneeded memory alive, with the values that each holds."""
        held = {**{name: (value,) for name, value in self.holds.items()}, **self.lists}
        needed = {self.root(each) for values in held.values() for each in values if self.is_alive(each)} | self.lent
        named = {*self.holds.values()}
        found: list[tuple[str, list[int]]] = []
        for name, values in held.items():
            unneeded = [value for value in values if self.root(value) not in needed]
            is_read = any(self.is_alive(value) and (name in self.holds or value not in named) for value in values)
            if unneeded and not is_read:
                found.append((name, unneeded))
        return found

    def root(self, value: int) -> int:
        """Return the value in whose memory a value lives."""
        return self.memory.get(value, value)


def variables_of(forward: Forward) -> Variables:
    """Return the names at the start of a `forward`, with all reads expected."""
    found = Variables({at: value.name for at, value in enumerate(forward.values)})
    for step in forward.steps:
        if not is_aside(step):
            found.expect(used_by(step))
    found.expect(forward.results)
    for step in forward.steps:
        if is_aside(step):
            found.expect(used_by(step), is_aside=True)
    if len(forward.results) - len(forward.training) > 1:
        found.shared.update(forward.results)
    found.shared.update(at for at, value in enumerate(forward.values) if value.is_named)
    for step in reversed(forward.steps):
        if isinstance(step, Compute) and step.over >= 0:
            found.share(step.inputs[step.over], step.output)
    return found
