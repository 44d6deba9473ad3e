"""A step of a network as a list of events, each with the storages that it allocates and frees.

A storage's size is linear in the batch, so one simulation covers all batches: `levels` replays it for one,
`largest_batch` solves for the largest that fits. `forward` and `backward` decide what happens in which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from cnndsl.records import record

Phase = Literal["start", "forward", "loss", "backward", "update"]
Purpose = Literal[
    "input", "parameters", "buffers", "optimizer", "activations", "extras", "scratch", "gradients", "weight gradients"
]

BLOCK = 512
"""CUDA's caching allocator hands out multiples of this many bytes (c10/core/AllocatorConfig.h, `kMinBlockSize`)."""


@record(slots=True)
class Storage:
    """A piece of memory: `fixed` bytes, and `image` bytes per image of the batch. It belongs to `node`."""

    node: int
    purpose: Purpose
    fixed: int
    image: int

    def bytes(self, batch: int, rounded: bool = False) -> int:
        """Return its size in bytes; `rounded` up to what CUDA's allocator would allocate.

        >>> Storage(1, "activations", 0, 1000).bytes(2), Storage(1, "activations", 0, 1000).bytes(2, rounded=True)
        (2000, 2048)
        """
        exact = self.fixed + batch * self.image
        return -(-exact // BLOCK) * BLOCK if rounded else exact


@dataclass(slots=True)
class Event:
    """Something that happens at a node: first all of `allocated` is allocated, at the end `freed` is freed."""

    phase: Phase
    node: int
    allocated: list[int] = field(default_factory=list[int])
    freed: list[int] = field(default_factory=list[int])


@record(slots=True)
class StepTrace:
    """All events of a step, and the storages that they mention by number."""

    storages: tuple[Storage, ...]
    events: tuple[Event, ...]


@record(slots=True)
class MemorySample:
    """How many bytes are alive during an event, and how many remain after it."""

    phase: Phase
    node: int
    bytes: int
    after: int


class TraceBuilder:
    """Records a step: storages live as long as something holds them."""

    def __init__(self) -> None:
        self._storages: list[Storage] = []
        self._holders: list[int] = []
        self._events: list[Event] = []

    def event(self, phase: Phase, node: int) -> None:
        """Start a new event at a node, for all that follows."""
        self._events.append(Event(phase, node))

    def new(self, node: int, purpose: Purpose, fixed: int, image: int) -> int:
        """Allocate a storage with one holder, and return its number."""
        number = len(self._storages)
        self._storages.append(Storage(node, purpose, fixed, image))
        self._holders.append(1)
        self._events[-1].allocated.append(number)
        return number

    def hold(self, storage: int) -> None:
        """Add a holder to a storage, which is freed when all have dropped it."""
        self._holders[storage] += 1

    def drop(self, storage: int) -> None:
        """Remove a holder from a storage, which is freed at the end of the event if none is left."""
        self._holders[storage] -= 1
        if not self._holders[storage]:
            self._events[-1].freed.append(storage)

    def holders(self, storage: int) -> int:
        """Return how many still hold a storage."""
        return self._holders[storage]

    def step(self) -> StepTrace:
        """Return the events so far as an immutable step."""
        return StepTrace(tuple(self._storages), tuple(self._events))


def levels(step: StepTrace, batch: int, rounded: bool = False) -> Iterator[MemorySample]:
    """Yield the bytes that are alive at each event."""
    sizes = [storage.bytes(batch, rounded) for storage in step.storages]
    alive = 0
    for event in step.events:
        alive += sum(sizes[storage] for storage in event.allocated)
        highest = alive
        alive -= sum(sizes[storage] for storage in event.freed)
        yield MemorySample(event.phase, event.node, highest, alive)


def peak(step: StepTrace, batch: int, rounded: bool = False) -> MemorySample:
    """Return the first event with the most bytes alive."""
    return max(levels(step, batch, rounded), key=lambda level: level.bytes)


def largest_batch(step: StepTrace, available: int, rounded: bool = False) -> int:
    """Return the largest batch whose peak is at most `available` bytes; 0 if not even one image fits.

    Without rounding the peak is a maximum of functions linear in the batch, so each event gives its own bound. With
    rounding the answer is at most that, and bisection finds it.
    """
    bound = _unrounded_batch(step, available)
    if not rounded or bound < 1:
        return bound
    low, high = 0, bound
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if peak(step, middle, rounded).bytes <= available else (low, middle - 1)
    return low


def _unrounded_batch(step: StepTrace, available: int) -> int:
    fixed = image = 0
    bound = 10**18
    for event in step.events:
        fixed += sum(step.storages[at].fixed for at in event.allocated)
        image += sum(step.storages[at].image for at in event.allocated)
        if fixed > available:
            return 0
        bound = min(bound, (available - fixed) // image) if image else bound
        fixed -= sum(step.storages[at].fixed for at in event.freed)
        image -= sum(step.storages[at].image for at in event.freed)
    return bound
