"""Measure the configurations of a family in sequence, in several processes if that is faster.

Configurations are returned in their order, and only a few of them are in memory at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from itertools import chain, islice
from typing import TypeAlias

from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.elaborate.program import Find
from cnndsl.errors import Diagnostic, Source
from cnndsl.limits import Limits, current, limits
from cnndsl.records import record
from cnndsl.sweeping.sweep import CHECKED_OF, Configuration, Family, Meter, Plain, plain
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

CHUNK = 2 * CHECKED_OF
"""The number of configurations that a process receives at a time."""
_ALONE = 1.0
"""Seconds after which processes are started: most sweeps have ended by then."""

_Measured: TypeAlias = "tuple[Mapping[str, Value] | None, Diagnostic | None, frozenset[str]]"


@record
class SweepRow:
    """A configuration of a sweep as plain data.

    Attributes:
        settings: The value of each parameter: a number, a truth value, a name, or a list for a shape and for a list.
        metrics: The value of each metric; None if the configuration is invalid.
        error: What is wrong with an invalid configuration.
        at_most: The metrics that are upper bounds.
    """

    settings: dict[str, Plain]
    metrics: dict[str, Plain] | None
    error: Diagnostic | None = None
    at_most: frozenset[str] = frozenset()


def as_row(member: Configuration, names: Sequence[str]) -> SweepRow:
    """Return a configuration with some of its metrics as plain data."""
    metrics = None if member.figures is None else {name: plain(member.figures[name]) for name in names}
    settings = {name: plain(value) for name, value in member.settings.items()}
    return SweepRow(settings, metrics, member.reason, member.at_most & frozenset(names))


def cores() -> int:
    """Return how many processes can run at a time."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def measured(
    family: Family, numbers: Iterable[int], runs: ExecutionsOf, names: Sequence[str], jobs: int = 1
) -> Iterator[Configuration]:
    """Yield the configurations of these numbers in their order, each with its metrics or its error.

    Args:
        family: The family.
        numbers: Which of its members, by their numbers from 0.
        runs: How modules run, for metrics of memory. With several jobs, a function of a module.
        names: The metrics.
        jobs: The most processes. Several are started only for a sweep that takes longer than a second.
    """
    meter, left = Meter(family, runs, names), iter(numbers)
    if jobs <= 1:
        yield from meter.measure(map(family.at, left))
        return
    started = time.monotonic()
    while time.monotonic() - started < _ALONE and (some := list(islice(left, CHUNK))):
        yield from meter.measure(map(family.at, some))
    first = next(left, None)
    if first is not None:
        yield from _in_processes(meter, chain((first,), left), jobs)


def _in_processes(meter: Meter, numbers: Iterator[int], jobs: int) -> Iterator[Configuration]:
    # A copy of this process shares its caches, and starts at once; with other threads running that is not safe.
    can_copy = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if can_copy else "spawn")
    family = meter.family
    given = (family.file.source, dict(family.domains), family.find, meter.runs, meter.names, current())
    begin = partial(_begin, meter) if can_copy else partial(_begin_anew, *given)
    pool = ProcessPoolExecutor(jobs, context, begin)
    waiting: deque[tuple[list[int], Future[list[_Measured]]]] = deque()
    try:
        while True:
            while len(waiting) < 2 * jobs and (some := list(islice(numbers, CHUNK))):
                waiting.append((some, pool.submit(_chunk, some)))
            if not waiting:
                return
            some, future = waiting.popleft()
            for number, (figures, reason, at_most) in zip(some, future.result(), strict=True):
                yield Configuration(family.at(number), figures, reason, at_most)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_meters: list[Meter] = []
"""The meter of a process, if it is one of those that measure."""


def _begin(meter: Meter) -> None:
    """Begin a process. An interruption is handled by the one that started it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _meters[:] = [meter]


def _begin_anew(
    source: Source,
    domains: dict[str, Sequence[Value]],
    find: Find,
    runs: ExecutionsOf,
    names: tuple[str, ...],
    most: Limits,
) -> None:
    """Begin a process without any caches."""
    limits(**asdict(most)).__enter__()  # they apply for the lifetime of the process
    _begin(Meter(Family(parse(source), domains, find), runs, names))


def _chunk(numbers: list[int]) -> list[_Measured]:
    """Return the results for configurations, in a process."""
    (meter,) = _meters
    found = meter.measure(map(meter.family.at, numbers))
    return [(each.figures, each.reason, each.at_most) for each in found]
