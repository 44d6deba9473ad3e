"""Which name of a `forward` holds which value, and which names hold what nobody needs any more."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from cnndsl.emit.names import variable
from cnndsl.emit.values import Value

_SPARE = ("x", "y", "z", "u", "v", "w")


class Bindings:
    """`left` counts the reads that are still to come, by value. `lent` are those that the caller holds anyway."""

    def __init__(self) -> None:
        self.holds: dict[str, Value] = {}
        self.left: dict[int, int] = {}
        self.lent: list[Value] = []
        self.shared: set[int] = set()
        """Values that have several readers, not counting those that only training has."""
        self.pinned: Counter[int] = Counter()
        """Values that expressions read which are not written yet."""
        self._memory: dict[int, Value] = {}

    def copy(self) -> Bindings:
        """The same, to go on by itself."""
        other = Bindings()
        other.holds, other.left, other.lent = dict(self.holds), dict(self.left), self.lent
        other.shared = self.shared
        other._memory = dict(self._memory)
        return other

    # Reads

    def expect(self, values: Iterable[Value], in_training: bool = False) -> None:
        """These reads are to come."""
        for value in values:
            if self.left.get(id(value), 0) and not in_training:
                self.shared.add(id(value))
            self.left[id(value)] = self.left.get(id(value), 0) + 1

    def read(self, value: Value) -> bool:
        """One read less; whether it was the last."""
        self.left[id(value)] = self.left.get(id(value), 0) - 1
        return self.left[id(value)] <= 0

    def is_alive(self, value: Value) -> bool:
        return self.left.get(id(value), 0) > 0 or self.pinned[id(value)] > 0

    def pin(self, values: Iterable[Value], times: int = 1) -> None:
        """An expression that is still to be written reads these values; it is written, with `times` of -1."""
        for value in values:
            self.pinned[id(value)] += times

    # Names

    def name(self, value: Value) -> str | None:
        """The name that holds a value."""
        return next((name for name, held in self.holds.items() if held is value), None)

    def bind(self, value: Value, name: str, over: Value | None = None) -> None:
        """Gives a value its name; `over` is the value whose memory it is written over."""
        for other in [other for other, held in self.holds.items() if held is value]:
            del self.holds[other]
        self.holds[name] = value
        if over is not None:
            self._memory[id(value)] = self._root(over)

    def lend(self, value: Value, wish: str) -> str:
        """An argument of `forward`: the caller holds it."""
        self.lent.append(value)
        name = "x" if not self.holds else self._wished(wish or "skip")
        self.bind(value, name)
        return name

    def target(self, value: Value, frees: Sequence[Value]) -> str:
        """The name for a new value: its own if it has several readers, else that of a value that ends with it."""
        hint = re.sub(r"\W", "_", value.hint)
        if hint and not hint.isdigit() and hint != "x" and id(value) in self.shared:
            return self._wished(hint)
        ending = [name for name, held in self.holds.items() if any(held is each for each in frees)]
        for name in (*ending, *_SPARE):
            if name in _SPARE and not self._is_taken(name):
                return name
        return self._wished("y")

    def fresh(self, wish: str) -> str:
        """A name that nothing has, like the wished one."""
        return self._wished(wish)

    def _wished(self, wish: str) -> str:
        base = variable(wish)
        name, number = base, 1
        while self._is_taken(name) or (name in self.holds and name not in _SPARE):
            number += 1
            name = f"{base}{number}"
        return name

    def _is_taken(self, name: str) -> bool:
        return name in self.holds and self.is_alive(self.holds[name])

    # Memory

    def stale(self) -> list[tuple[str, Value]]:
        """Names that keep memory alive which nobody needs, with the value that each holds."""
        needed = {id(self._root(held)) for held in self.holds.values() if self.is_alive(held)}
        needed |= {id(value) for value in self.lent}
        return [
            (name, held)
            for name, held in self.holds.items()
            if not self.is_alive(held) and id(self._root(held)) not in needed
        ]

    def drop(self, name: str) -> None:
        """`del name`."""
        del self.holds[name]

    def _root(self, value: Value) -> Value:
        return self._memory.get(id(value), value)
