"""Modules that compute: the form in which they are compared, and their effect on the storage of their input."""

from __future__ import annotations

from typing import TypeAlias

from cnndsl.emit.torch.verify.effects import MemoryEffect, effects
from cnndsl.emit.torch.verify.forms import HOLDS_STATE, Form

Effects: TypeAlias = tuple[int, int]
"""The effects of a call in evaluation and in training, see `effects`."""


class LeafModule:
    """A module that computes one thing.

    `form` describes the computation so that equal computations have equal forms; `number` identifies the form. `passes`
    is true for modules that return their input (Identity) or a view of it that is not a layer (Flatten).
    """

    __slots__ = ("effects", "form", "indices", "inplace", "memory", "number", "passes", "random", "stateful")

    def __init__(self, form: Form, number: int, inplace: bool, indices: bool, memory: MemoryEffect) -> None:
        self.form, self.number, self.inplace, self.indices = form, number, inplace, indices
        self.memory: MemoryEffect = memory
        self.stateful = has_state(form)
        self.random = form[0] in ("dropout", "droppath")
        self.passes = form[0] in ("identity", "flatten")
        self.effects: Effects = (effects(form, inplace, memory, False), effects(form, inplace, memory, True))


def has_state(form: Form) -> bool:
    """Return whether a module of this form has weights or buffers.

    >>> has_state(("ln", (4,), 1e-05, False)), has_state(("bn", 2, 4, 1e-05, 0.1, False))
    (False, True)
    """
    where = HOLDS_STATE.get(str(form[0]))
    return where is not None and (not where or any(form[at] is True for at in where))


class Forms:
    """Assigns numbers to forms: equal forms have the same number."""

    __slots__ = ("_leaves", "_numbers", "known")

    def __init__(self) -> None:
        self._numbers: dict[Form, int] = {}
        self._leaves: dict[tuple[Form, bool, bool, MemoryEffect], LeafModule] = {}
        self.known: list[Form] = []

    def number(self, form: Form) -> int:
        """Return the number of a form."""
        found = self._numbers.get(form)
        if found is None:
            found = self._numbers[form] = len(self.known)
            self.known.append(form)
        return found

    def leaf(self, form: Form, inplace: bool = False, indices: bool = False, memory: MemoryEffect = "") -> LeafModule:
        """Return the leaf of a form."""
        key = (form, inplace, indices, memory)
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = LeafModule(form, self.number(form), inplace, indices, memory)
        return found
