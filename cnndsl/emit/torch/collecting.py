"""Calls whose values one merge reads, as `(@stem | @unit*)` reads a value of every unit, and the loop that replaces
them.

Written out, each call has a line and a name of its own, and the merge repeats all the names. A loop appends the values
to a list, and the merge reads the list:

    x, skip = self.units.u1(x)                     skips = []
    x, skip2 = self.units.u2(x)         becomes    for unit in self.units.values():
    x, skip3 = self.units.u3(x)                        x, skip = unit(x)
    x = torch.cat([skip, skip2, skip3], 1)             skips.append(skip)
                                                   x = torch.cat(skips, 1)

A dense loop concatenates all values so far after each call, and the next call reads the result.

Before: the steps of a `forward`. After: the same steps in the same order, with a `Collected` in place of those that one
loop replaces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol, TypeAlias

from cnndsl.emit.torch.ir import Apply, Compute, Step
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.records import record

FEWEST = 4
"""Minimum number of calls for a loop; fewer are as easy to read one by one."""
FEWEST_LISTS = 3
"""Minimum number of calls for a loop, if the calls take and give a list."""
COLLECTING = ("concat", "sum")
"""The operations that can read a list."""


@record(slots=True)
class Collected:
    """Consecutive calls whose output at the position `at` is collected.

    `carried` is the position of the input that is an output of the previous call, and the position of that output; None
    if all calls read the same values. The list holds `before`, then the collected values. A dense loop merges the list
    after each call (`merges`), and the next call reads the merge: then `carried` is the position of this input, and
    `at`. `reads` is the number of merges that read the list after the loop.
    """

    calls: tuple[Apply, ...]
    at: int
    carried: tuple[int, int] | None
    before: tuple[int, ...] = ()
    merges: tuple[Compute, ...] = ()
    reads: int = 0

    @property
    def values(self) -> tuple[int, ...]:
        """Return the values in the list after the loop."""
        return (*self.before, *(call.outputs[self.at] for call in self.calls))

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps that the loop replaces."""
        if not self.merges:
            return self.calls
        return tuple(step for pair in zip(self.calls, self.merges, strict=True) for step in pair)


@record(slots=True)
class ListCalls:
    """Calls that take and give a list; each takes the list of the previous call. Several calls become a loop."""

    calls: tuple[Apply, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """Return the steps that this replaces."""
        return self.calls


WrittenStep: TypeAlias = Step | Collected | ListCalls


class Walks(Protocol):
    """The interface for what a class can loop over: all its children, or those in one of its containers."""

    def walk(self, child: str) -> tuple[str, ...]:
        """Return the children of a loop that starts with this child, in order; an empty tuple if there is no loop."""
        ...

    def takes_list(self, child: str) -> bool:
        """Return whether a child takes its values as a list."""
        ...


def collected(steps: Sequence[Step], results: Sequence[int], walks: Walks) -> list[WrittenStep]:
    """Return the steps with a loop wherever one can collect the values of at least `FEWEST` calls."""
    finder = _Finder(steps, results, walks)
    done: list[WrittenStep] = []
    at = 0
    while at < len(steps):
        found = finder.at(at)
        done.append(found or steps[at])
        at += len(found.steps) if found else 1
    return done


class _Finder:
    """Finds the loop that begins with a step. `readers` maps a value to the steps that read it, one entry per use; the
    results are read after the last step. `makers` maps a value to the step that makes it."""

    def __init__(self, steps: Sequence[Step], results: Sequence[int], walks: Walks) -> None:
        self.steps, self.walks = steps, walks
        self.readers: dict[int, list[int]] = defaultdict(list)
        self.makers = {value: at for at, step in enumerate(steps) for value in made_by(step)}
        for at, step in enumerate(steps):
            for value in used_by(step):
                self.readers[value].append(at)
        for value in results:
            self.readers[value].append(len(steps))

    def at(self, at: int) -> Collected | ListCalls | None:
        """Return the loop that begins with a step, None if there is none."""
        first = self.steps[at]
        if isinstance(first, Apply) and self.walks.takes_list(first.child):
            return ListCalls(self._chained(at, self.walks.walk(first.child)) or (first,))
        children = self.walks.walk(first.child) if isinstance(first, Apply) else ()
        if len(children) < FEWEST:
            return None
        return self._dense(at, children) or self._row(at, children)

    def _calls(self, at: int, children: Sequence[str], stride: int) -> tuple[Apply, ...]:
        """Return the calls of these children, in order; an empty tuple if other steps come between them."""
        steps = self.steps[at : at + stride * len(children) : stride]
        calls = tuple(step for step in steps if isinstance(step, Apply) and not step.template)
        return calls if [call.child for call in calls] == [*children] else ()

    def _chained(self, at: int, children: Sequence[str]) -> tuple[Apply, ...]:
        """Return the calls of children that each take all outputs of the previous call, if nothing else reads these."""
        calls = self._calls(at, children, 1) if len(children) >= FEWEST_LISTS else ()
        for number, (call, after) in enumerate(pairwise(calls), at + 1):
            if call.outputs != after.inputs or any(self.readers[value] != [number] for value in call.outputs):
                return ()
        return calls

    # Calls whose values a later merge reads

    def _row(self, at: int, children: Sequence[str]) -> Collected | None:
        calls = self._calls(at, children, 1)
        if not calls:
            return None
        carried = _carried(calls, calls[0].outputs)
        rows = (Collected(calls, position, carried) for position in range(len(calls[0].outputs)))
        found = next((row for row in rows if _is_regular(row) and self._is_closed(row)), None)
        if found is None:
            return None
        merges = self._merges(found)
        if carried is None and any(merge.operation == "sum" for merge in merges):
            return None  # written out, each value is added as soon as it is made
        first = found.values[0]
        begins = {merge.inputs[: merge.inputs.index(first)] for merge in merges if merge.operation == "concat"}
        is_shared = len(begins) == 1 and all(merge.operation == "concat" for merge in merges)
        before = begins.pop() if is_shared else ()
        is_made = all(self.makers.get(value, -1) < at for value in before)
        return replace(found, before=before if is_made else (), reads=len(merges))

    def _merges(self, found: Collected) -> list[Compute]:
        """Return the merges that read the values, all of them in order."""
        places = {place for place in self.readers[found.values[0]] if place < len(self.steps)}
        steps = [self.steps[place] for place in sorted(places)]
        return [step for step in steps if isinstance(step, Compute) and _reads_all(step, found.values)]

    def _is_closed(self, found: Collected) -> bool:
        """Return whether only the merges and the next call read a call's outputs, except the last carried one."""
        merges = len(self._merges(found))
        for call in found.calls:
            is_last = call is found.calls[-1]
            for position, value in enumerate(call.outputs):
                is_handed_on = found.carried is not None and found.carried[1] == position
                wanted = merges * (position == found.at) + (is_handed_on and not is_last)
                if len(self.readers[value]) != wanted and not (is_last and is_handed_on):
                    return False
        return merges > 0

    # Calls that read the concatenation of all values before them

    def _dense(self, at: int, children: Sequence[str]) -> Collected | None:
        calls = self._calls(at, children, 2)
        steps = self.steps[at + 1 : at + 2 * len(calls) : 2]
        merges = tuple(step for step in steps if isinstance(step, Compute) and step.operation == "concat")
        if not calls or len(merges) < len(calls) or any(len(call.inputs + call.outputs) > 2 for call in calls):
            return None  # another value that all calls read would stay alive during the last merge
        carried = _carried(calls, (merges[0].output,))
        found = Collected(calls, 0, carried, merges[0].inputs[:-1], merges)
        return found if carried and _is_regular(found) and self._is_dense(found, at) else None

    def _is_dense(self, found: Collected, at: int) -> bool:
        """Return whether each merge is that of the list, and nothing else reads the collected or merged values."""
        begin, end = len(found.before), at + 2 * len(found.calls)
        for number, (call, merge) in enumerate(zip(found.calls, found.merges, strict=True)):
            place = at + 2 * number + 1
            if merge.inputs != found.values[: begin + number + 1]:
                return False
            if self.readers[call.outputs[0]] != [*range(place, end, 2)]:
                return False
            if merge is not found.merges[-1] and self.readers[merge.output] != [place + 1]:
                return False
        return True


def _reads_all(step: Compute, values: Sequence[int]) -> bool:
    """Return whether a merge reads the values once, one after the other."""
    at = step.inputs.index(values[0])
    is_once = not set(values) & {*step.inputs[:at], *step.inputs[at + len(values) :]}
    return step.operation in COLLECTING and is_once and step.inputs[at : at + len(values)] == tuple(values)


def _carried(calls: Sequence[Apply], given: Sequence[int]) -> tuple[int, int] | None:
    """Return the position of the second call's input that is one of the given values, and that value's position."""
    for position, value in enumerate(calls[1].inputs):
        if value in given:
            return position, given.index(value)
    return None


def _is_regular(found: Collected) -> bool:
    """Return whether the calls have the same form and inputs, except for the value that each carries to the next."""
    first, carried = found.calls[0], found.carried
    for number, call in enumerate(found.calls):
        if call.overwrites or len(call.outputs) != len(first.outputs):
            return False
        wanted = [*first.inputs]
        if number and carried:
            before = found.merges[number - 1].output if found.merges else found.calls[number - 1].outputs[carried[1]]
            wanted[carried[0]] = before
        if [*call.inputs] != wanted:
            return False
    return True
