"""A step of a network as a list of events, each with the storages that it allocates and frees.

A storage's size is linear in the batch, so one simulation answers for all batches: `levels` replays it for one,
`largest_batch` solves for the largest that fits. What happens in which order is decided by `forward` and `backward`.
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
    """A piece of memory: `fixed` bytes, and `image` bytes for each image of the batch. `node` is whose it is."""

    node: int
    purpose: Purpose
    fixed: int
    image: int

    def bytes(self, batch: int, rounded: bool = False) -> int:
        """Its size; `rounded` to what CUDA's allocator would take.

        >>> Storage(1, "activations", 0, 1000).bytes(2), Storage(1, "activations", 0, 1000).bytes(2, rounded=True)
        (2000, 2048)
        """
        exact = self.fixed + batch * self.image
        return -(-exact // BLOCK) * BLOCK if rounded else exact


@dataclass(slots=True)
class Event:
    """Something that happens at a node: first all of `allocated` comes into being, at last `freed` goes."""

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
    """How many bytes are alive while something happens, and how many stay when it is over."""

    phase: Phase
    node: int
    bytes: int
    after: int


class TraceBuilder:
    """Writes a step down: storages live as long as something holds them."""

    def __init__(self) -> None:
        self._storages: list[Storage] = []
        self._holders: list[int] = []
        self._events: list[Event] = []

    def event(self, phase: Phase, node: int) -> None:
        """What follows happens there."""
        self._events.append(Event(phase, node))

    def new(self, node: int, purpose: Purpose, fixed: int, image: int) -> int:
        """A new storage with one holder."""
        number = len(self._storages)
        self._storages.append(Storage(node, purpose, fixed, image))
        self._holders.append(1)
        self._events[-1].allocated.append(number)
        return number

    def hold(self, storage: int) -> None:
        """Note that one more reads a storage, which is freed when all have dropped it."""
        self._holders[storage] += 1

    def drop(self, storage: int) -> None:
        """One holder less; without any the storage is freed at the end of the event."""
        self._holders[storage] -= 1
        if not self._holders[storage]:
            self._events[-1].freed.append(storage)

    def holders(self, storage: int) -> int:
        """Return how many still hold a storage."""
        return self._holders[storage]

    def step(self) -> StepTrace:
        """Return the events so far as a step, which nothing changes any more."""
        return StepTrace(tuple(self._storages), tuple(self._events))


def levels(step: StepTrace, batch: int, rounded: bool = False) -> Iterator[MemorySample]:
    """The bytes that are alive at each event."""
    sizes = [storage.bytes(batch, rounded) for storage in step.storages]
    alive = 0
    for event in step.events:
        alive += sum(sizes[storage] for storage in event.allocated)
        highest = alive
        alive -= sum(sizes[storage] for storage in event.freed)
        yield MemorySample(event.phase, event.node, highest, alive)


def peak(step: StepTrace, batch: int, rounded: bool = False) -> MemorySample:
    """The first event at which most is alive."""
    return max(levels(step, batch, rounded), key=lambda level: level.bytes)


def largest_batch(step: StepTrace, available: int, rounded: bool = False) -> int:
    """The largest batch whose peak is within so many bytes; 0 where not even one image fits.

    Without rounding the peak is a maximum of lines in the batch, so each event gives its own bound; with it, the
    answer lies not above that one, and is found by bisection.
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
