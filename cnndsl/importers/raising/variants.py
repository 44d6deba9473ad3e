"""Modules that differ only in parts that some of them lack, written as one block with `A if test`."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.importers.raising.solving import TermColumn, Unified, solved
from cnndsl.importers.raising.terms import (
    IMPLICIT,
    ChoiceTerm,
    GroupTerm,
    KindTerm,
    LayerTerm,
    MergeTerm,
    PlacedTerm,
    TermChain,
    TermNumber,
)
from cnndsl.importers.raising.unify import LaidUpon
from cnndsl.importers.raising.walks import key

_Column = dict[int, PlacedTerm]
"""The step in each chain that has it, by the chain's number."""


def joined(several: Sequence[TermChain], entering: Sequence[TermNumber]) -> Unified | None:
    """Join modules of which some lack parts of the others; None if that is impossible.

    Args:
        several: The body of each.
        entering: The input channels of each.
    """
    laid = _LaidWithGaps()
    template = laid.chain(tuple(_with_skips(several)))
    return None if template is None else solved(template, laid.columns, entering, len(several), laid.widths)


def _with_skips(several: Sequence[TermChain]) -> list[TermChain]:
    """Return the chains, with a sum of a single branch where others add their input."""
    skips = [at for at in map(_skip, several) if at is not None]
    if not skips or any(at is None and _has_sum(chain) for at, chain in zip(map(_skip, several), several, strict=True)):
        return list(several)
    first = next(chain for chain in several if _skip(chain) is not None)
    before, behind = skips[0], len(first) - skips[0] - 1
    return [chain if _skip(chain) is not None else _wrapped(chain, before, len(chain) - behind) for chain in several]


def _skip(chain: TermChain) -> int | None:
    """Return the index of a sum whose second branch is `ID`; None if there is none."""
    found = (
        at
        for at, step in enumerate(chain)
        if isinstance(step.term, MergeTerm) and step.term.operator == "+" and step.term.branches[1:] == ((),)
    )
    return next(found, None)


def _has_sum(chain: TermChain) -> bool:
    return any(isinstance(step.term, MergeTerm) and step.term.operator == "+" for step in chain)


def _wrapped(chain: TermChain, begin: int, end: int) -> TermChain:
    inside = chain[begin:end]
    if not inside:
        return chain
    step = PlacedTerm(MergeTerm("+", (inside,)), inside[-1].node, inside[0].channels)
    return (*chain[:begin], step, *chain[end:])


class _LaidWithGaps(LaidUpon):
    def chain(self, several: tuple[TermChain | None, ...]) -> TermChain | None:
        """Return the chain with all parts that any of them has, and tests around the parts that some lack."""
        columns = _aligned(several)
        there = [chain is not None for chain in several]
        steps: list[PlacedTerm] = []
        at = 0
        while at < len(columns):
            lacking = {number for number, is_there in enumerate(there) if is_there and number not in columns[at]}
            end = at + 1
            while lacking and end < len(columns) and _lacking(columns[end], there) == lacking:
                end += 1
            found: list[PlacedTerm] = []
            for column in columns[at:end]:
                step = self.step(tuple([column.get(number) for number in range(len(several))]))
                if step is None or (lacking and step.alias):
                    return None
                found.append(step)
            if lacking:
                steps.append(self._choice(tuple(found), there, lacking))
            else:
                steps += found
            at = end
        names = {step.name for column in columns for step in column.values() if step.name}
        return None if IMPLICIT in names and names - {IMPLICIT, '""'} else tuple(steps)

    def step(self, several: tuple[PlacedTerm | None, ...]) -> PlacedTerm | None:
        there = [step for step in several if step is not None]
        if len({(step.name, step.alias) for step in there}) > 1:
            return None
        if all(_is_activation(step) for step in there) and len({key((step,)) for step in there}) > 1:
            kinds = tuple([None if step is None else _kind(step) for step in several])
            self.columns.append(TermColumn("kind", kinds))
            return there[0].over(KindTerm(0))
        is_leaf = not isinstance(there[0].term, MergeTerm | GroupTerm)
        if is_leaf and len({key((step,), with_numbers=False) for step in there}) > 1:
            return None
        return super().step(several)

    def merge(self, several: tuple[MergeTerm | None, ...], first: MergeTerm) -> MergeTerm | None:
        there = [each for each in several if each is not None]
        most = max(len(each.branches) for each in there)
        if all(len(each.branches) == most for each in there):
            mark = len(self.columns)
            if (found := super().merge(several, first)) is not None:
                return found
            del self.columns[mark:]
        branches: list[TermChain] = []
        for at in range(most):
            column = [None if each is None or at >= len(each.branches) else each.branches[at] for each in several]
            branch = self.chain(tuple(column))
            if branch is None:
                return None
            lacking = {number for number, each in enumerate(several) if each is not None and column[number] is None}
            if lacking:
                branch = (self._choice(branch, [each is not None for each in several], lacking),)
            branches.append(branch)
        return MergeTerm(first.operator, tuple(branches), False, first.keeps_shape)

    def _choice(self, body: TermChain, there: Sequence[bool], lacking: set[int]) -> PlacedTerm:
        values = tuple([number not in lacking if is_there else None for number, is_there in enumerate(there)])
        self.columns.append(TermColumn(f"test.{_hint(body)}", values))
        return PlacedTerm(ChoiceTerm(0, body), -1, -1)


def _lacking(column: _Column, there: Sequence[bool]) -> set[int]:
    return {number for number, is_there in enumerate(there) if is_there and number not in column}


def _hint(body: TermChain) -> str:
    """Return the name of a parameter that controls whether a part is present."""
    if not body:
        return "skip"
    step = body[0]
    if step.name.isidentifier():
        return step.name
    if isinstance(step.term, MergeTerm):
        return {"MUL": "gate", "+": "sum"}.get(step.term.operator, "join")
    if isinstance(step.term, GroupTerm):
        return _hint(step.term.body)
    if isinstance(step.term, LayerTerm):
        return step.term.kind.NAMES[0].lower()
    return "more"


def _is_activation(step: PlacedTerm) -> bool:
    """Return whether a step is an activation without options and without tensors (tensors have names)."""
    term = step.term
    return (
        isinstance(term, LayerTerm)
        and term.kind.ROLE == "activation"
        and not step.alias
        and not step.name
        and all(value == term.kind.__dataclass_fields__[name].default for name, value in term.options)
    )


def _kind(step: PlacedTerm) -> str:
    assert isinstance(step.term, LayerTerm)
    return step.term.kind.NAMES[0]


def _aligned(several: tuple[TermChain | None, ...]) -> list[_Column]:
    """Align the steps of the chains: each column contains similar steps, and all chains keep their order."""
    ordered = sorted(range(len(several)), key=lambda number: -len(several[number] or ()))
    columns: list[tuple[object, _Column]] = []
    for number in ordered:
        own = [(_mark(step), step) for step in several[number] or ()]
        merged: list[tuple[object, _Column]] = []
        mine = place = 0
        for left, right in [
            *_common([mark for mark, _ in own], [mark for mark, _ in columns]),
            (len(own), len(columns)),
        ]:
            merged += columns[place:right]
            merged += [(mark, {number: step}) for mark, step in own[mine:left]]
            if left < len(own):
                merged.append((own[left][0], {**columns[right][1], number: own[left][1]}))
            mine, place = left + 1, right + 1
        columns = merged
    return [column for _, column in columns]


def _common(one: Sequence[object], other: Sequence[object]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence of two sequences."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for at in reversed(range(len(one))):
        for to in reversed(range(len(other))):
            is_same = one[at] == other[to]
            lengths[at][to] = lengths[at + 1][to + 1] + 1 if is_same else max(lengths[at + 1][to], lengths[at][to + 1])
    found: list[tuple[int, int]] = []
    at = to = 0
    while at < len(one) and to < len(other):
        if one[at] == other[to]:
            found.append((at, to))
            at, to = at + 1, to + 1
        elif lengths[at + 1][to] >= lengths[at][to + 1]:
            at += 1
        else:
            to += 1
    return found


def _mark(step: PlacedTerm) -> object:
    """Return a key that similar steps share."""
    if isinstance(step.term, MergeTerm):
        return (step.term.operator, step.name)
    if isinstance(step.term, GroupTerm):
        return ("[", step.name, _mark(step.term.body[0]) if step.name == IMPLICIT else "")
    return ("activation", step.name) if _is_activation(step) else key((step,), with_numbers=False)
