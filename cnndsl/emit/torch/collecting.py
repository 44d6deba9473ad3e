"""Calls whose values meet in one merge, as `(@stem | @unit*)` reads a value of every unit: what one loop can stand for.

Written out, each call has a line and a name of its own, and the merge repeats all the names. A loop appends the values
to a list, and the merge reads the list:

    x, skip = self.units.u1(x)                     skips = []
    x, skip2 = self.units.u2(x)         becomes    for unit in self.units.values():
    x, skip3 = self.units.u3(x)                        x, skip = unit(x)
    x = torch.cat([skip, skip2, skip3], 1)             skips.append(skip)
                                                   x = torch.cat(skips, 1)

A dense loop makes the concatenation of all values so far after each call, which reads the one before.

Before: the steps of a `forward`. After: the same steps in the same order, with a `Collected` in place of those that one
loop stands for.
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
"""Fewer calls are as easy to read one by one."""
FEWEST_LISTS = 3
"""The same of calls that take and give a list."""
COLLECTING = ("concat", "sum")
"""The operations that can read a list."""


@record(slots=True)
class Collected:
    """Calls, one after the other, whose output at the position `at` is collected.

    `carried` is the position of the input that is an output of the call before, and of that output; None where all
    calls read the same. The list holds `before`, then what is collected. A dense loop has the merge of the list after
    each call in `merges`, and the next call reads that: its `carried` is the position of this input, and `at`. `reads`
    is how many merges read the list after the loop.
    """

    calls: tuple[Apply, ...]
    at: int
    carried: tuple[int, int] | None
    before: tuple[int, ...] = ()
    merges: tuple[Compute, ...] = ()
    reads: int = 0

    @property
    def values(self) -> tuple[int, ...]:
        """What the list holds after the loop."""
        return (*self.before, *(call.outputs[self.at] for call in self.calls))

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that the loop stands for."""
        if not self.merges:
            return self.calls
        return tuple(step for pair in zip(self.calls, self.merges, strict=True) for step in pair)


@record(slots=True)
class ListCalls:
    """Calls that take and give a list, each what the one before gives; a loop where there are several."""

    calls: tuple[Apply, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that it stands for."""
        return self.calls


WrittenStep: TypeAlias = Step | Collected | ListCalls


class Walks(Protocol):
    """What a class can run over: all its children, or those in one of its containers."""

    def walk(self, child: str) -> tuple[str, ...]:
        """Return the children that a loop calls whose first one this is, in their order; none where no loop is."""
        ...

    def takes_list(self, child: str) -> bool:
        """Return whether a child takes its values as a list."""
        ...


def collected(steps: Sequence[Step], results: Sequence[int], walks: Walks) -> list[WrittenStep]:
    """Return the steps with a loop wherever one can collect the values of four calls or more."""
    finder = _Finder(steps, results, walks)
    done: list[WrittenStep] = []
    at = 0
    while at < len(steps):
        found = finder.at(at)
        done.append(found or steps[at])
        at += len(found.steps) if found else 1
    return done


class _Finder:
    """Looks for loops that begin with a step. `readers` are the steps that read a value, one entry a use; the results
    are read after the last step. `makers` is the step that makes a value."""

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
        """Return the loop that begins with a step."""
        first = self.steps[at]
        if isinstance(first, Apply) and self.walks.takes_list(first.child):
            return ListCalls(self._chained(at, self.walks.walk(first.child)) or (first,))
        children = self.walks.walk(first.child) if isinstance(first, Apply) else ()
        if len(children) < FEWEST:
            return None
        return self._dense(at, children) or self._row(at, children)

    def _calls(self, at: int, children: Sequence[str], stride: int) -> tuple[Apply, ...]:
        """The calls of these children, in their order; none where others come between."""
        steps = self.steps[at : at + stride * len(children) : stride]
        calls = tuple(step for step in steps if isinstance(step, Apply) and not step.template)
        return calls if [call.child for call in calls] == [*children] else ()

    def _chained(self, at: int, children: Sequence[str]) -> tuple[Apply, ...]:
        """The calls of children each of which takes all that the one before gives, and nothing else reads that."""
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
            return None  # written out, each is added as soon as it is made
        first = found.values[0]
        begins = {merge.inputs[: merge.inputs.index(first)] for merge in merges if merge.operation == "concat"}
        is_shared = len(begins) == 1 and all(merge.operation == "concat" for merge in merges)
        before = begins.pop() if is_shared else ()
        is_made = all(self.makers.get(value, -1) < at for value in before)
        return replace(found, before=before if is_made else (), reads=len(merges))

    def _merges(self, found: Collected) -> list[Compute]:
        """The merges that read the values, all of them in their order."""
        places = {place for place in self.readers[found.values[0]] if place < len(self.steps)}
        steps = [self.steps[place] for place in sorted(places)]
        return [step for step in steps if isinstance(step, Compute) and _reads_all(step, found.values)]

    def _is_closed(self, found: Collected) -> bool:
        """Whether the merges and the next call alone read what a call gives, but for what the last one hands on."""
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
            return None  # what all calls read besides would live on during the last merge
        carried = _carried(calls, (merges[0].output,))
        found = Collected(calls, 0, carried, merges[0].inputs[:-1], merges)
        return found if carried and _is_regular(found) and self._is_dense(found, at) else None

    def _is_dense(self, found: Collected, at: int) -> bool:
        """Whether each merge is that of the list, and nothing else reads what is collected or merged."""
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
    """Whether a merge reads the values once, one after the other."""
    at = step.inputs.index(values[0])
    is_once = not set(values) & {*step.inputs[:at], *step.inputs[at + len(values) :]}
    return step.operation in COLLECTING and is_once and step.inputs[at : at + len(values)] == tuple(values)


def _carried(calls: Sequence[Apply], given: Sequence[int]) -> tuple[int, int] | None:
    """The input of the second call that is given by what is before it, and which of the values that is."""
    for position, value in enumerate(calls[1].inputs):
        if value in given:
            return position, given.index(value)
    return None


def _is_regular(found: Collected) -> bool:
    """Whether the calls look the same, and all read the same but for the one value that each hands on to the next."""
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
