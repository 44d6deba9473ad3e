"""Repeats whose values are all read, and whose number of iterations differs between the call sites of a class.

`m: [[{i-1}: Unit]*n]`, of which a concatenation reads `@m.*`, gives n values. If n differs between the calls of a
block, the values cannot have names: they are one value of the class, a list. A `RepeatStep` builds it, and a merge that
reads all of it has the list as an operand, at any position.

Before: labels on repeats, merges with more branches at some call sites. After: steps with lists. Raises Differ if the
values are needed one by one, if a module takes or gives more than one value, or if its name is not a number.
"""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.torch.ir import Key, RepeatStep, key
from cnndsl.emit.torch.part_queries import elements, is_module
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.trace_records import Places, Walker
from cnndsl.graph import (
    AgainPart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    entered,
    output,
    walk,
)
from cnndsl.layers.base import TorchFunction


def repeat_in(label: Part) -> LoopPart | None:
    """Return the repeat that is the only content of a label, None if there is none."""
    inner = elements(label.part) if isinstance(label, NamedPart) and label.is_module else []
    return inner[0] if len(inner) == 1 and isinstance(inner[0], LoopPart) else None


def repeats(tracer: Walker, parts: Sequence[Part], value: int, places: Places) -> list[LoopPart]:
    """Return the repeats of labels if their lengths differ between call sites and they are no chains; else []."""
    loops = [repeat_in(part) for part in parts]
    found = [loop for loop in loops if loop is not None]
    if len(found) < len(loops) or len({len(loop.turns) for loop in found}) == 1:
        return []
    entries = [tracer.node(value, at) for at in places]
    chains = tracer.callees.chains
    return [] if all(map(chains.is_sequential, found, entries)) else found


def repeated(tracer: Walker, parts: Sequence[Part], loops: Sequence[LoopPart], places: Places, value: int) -> int:
    """Walk over labels on such repeats. Returns the value that the last module gives."""
    if tracer.decision is not None or len(places) < len(tracer.own):
        raise Differ
    lists = [_values(tracer, *each) for each in zip(parts, loops, places, [value] * len(loops), strict=True)]
    child = tracer.register(parts, places, value)
    if not child.name.isidentifier():
        raise Differ
    child.is_list = True
    made = tracer.new_list(lists)
    last = tracer.new(places, [items[-1] for items in lists])
    tracer.put(RepeatStep(child.name, (tracer.real(value),), (made, last)))
    return last


def _values(tracer: Walker, label: Part, loop: LoopPart, place: int, value: int) -> tuple[Key, ...]:
    """Return the values that the modules of a repeat give at one call site."""
    borders, own = tracer.callees.borders, tracer.own[place]
    if borders.is_training_only(label) or borders.applications(label) or not loop.turns:
        raise Differ
    if tracer.callees.chains.wants_flat(label, tracer.node(value, place)):
        raise Differ
    if any(isinstance(each, AgainPart) for each in walk(loop)):
        raise Differ
    found: list[Key] = []
    for number, (turn, entry) in enumerate(entered(loop, tracer.node(value, place))):
        (only,) = elements(turn) if len(elements(turn)) == 1 else (None,)
        name = only.name if isinstance(only, NamedPart) else ""
        module = only.part if isinstance(only, NamedPart) and not only.is_module else only
        is_one = isinstance(module, LayerPart) or (module is not None and is_module(module))
        if not is_one or name not in ("", str(number)) or not tracer.callees.chains.is_sequential(turn, entry):
            raise Differ
        found.append(key(output(turn, entry)))
    if any(borders.is_needed(what, own) for what in found[:-1]) or len({*found}) < len(found):
        raise Differ
    return tuple(found)


def operands_with_lists(tracer: Walker, merges: Sequence[MergePart], places: Places, value: int) -> list[int]:
    """Walk over the branches of merges, which may read lists. Returns the operands. Raises Differ if they are not the
    same values and lists at every call site."""
    branches = [merge.branches for merge in merges]
    at = [0] * len(places)
    operands: list[int] = []
    while any(place < len(row) for place, row in zip(at, branches, strict=True)):
        for made, lists in tracer.lists.items():
            items = [lists[place] for place in places]
            if all(
                _reads(row[begin : begin + len(each)], each)
                for row, begin, each in zip(branches, at, items, strict=True)
            ):
                operands.append(made)
                at = [begin + len(each) for begin, each in zip(at, items, strict=True)]
                break
        else:
            if any(place >= len(row) for place, row in zip(at, branches, strict=True)):
                raise Differ
            row = [row[place] for place, row in zip(at, branches, strict=True)]
            operands.append(tracer.walk(row, places, value))
            at = [place + 1 for place in at]
    return operands


def is_one_merge(functions: Sequence[TorchFunction], has_list: bool) -> bool:
    """Return whether merges do the same at every call site: one function, or sums that at some call sites also add a
    list to a value."""
    return len({*functions}) == 1 or (has_list and {each.operation for each in functions} == {"sum"})


def _reads(branches: Sequence[Part], items: Sequence[Key]) -> bool:
    """Return whether branches are references to these values."""
    found = [elements(branch) for branch in branches]
    nodes = [each[0].node for each in found if len(each) == 1 and isinstance(each[0], ReferencePart)]
    return [*map(key, nodes)] == [*items]
