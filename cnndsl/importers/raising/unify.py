"""Unify chains of equal structure: one chain in which the numbers that differ are expressions.

A number that is the same everywhere stays. One that follows from the input channels becomes `C` or a multiple of it,
and one that follows from another number a multiple of that. All others become parameters (Plotkin's anti-unification,
1970, with arithmetic).
"""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.importers.raising.solving import TermColumn, Unified, marked, solved
from cnndsl.importers.raising.terms import (
    CallTerm,
    ChainsTerm,
    GroupTerm,
    LayerTerm,
    MergeTerm,
    PlacedTerm,
    RepeatTerm,
    TermChain,
    TermNumber,
)
from cnndsl.importers.raising.walks import TermKey, key, numbers


def skeleton(chain: TermChain) -> TermKey:
    """Return a key that chains share if `unified` can join them.

    The key ignores numbers, and whether the shorter branch of a sum of two is `ID` or a projection.
    """
    return tuple([_skeleton(step) for step in chain])


def _skeleton(step: PlacedTerm) -> object:
    term = step.term
    if isinstance(term, MergeTerm):
        branches = term.branches[:1] if is_shortcut(term) else term.branches
        return (term.operator, len(term.branches), tuple([skeleton(each) for each in branches]), step.alias)
    if isinstance(term, RepeatTerm):
        return skeleton(term.body)[0] if _is_single(term) else ("*", skeleton(term.body))
    if isinstance(term, GroupTerm):
        return ("[", step.label, step.alias, skeleton(term.body))
    if isinstance(term, ChainsTerm):
        return ("=", tuple([(name, skeleton(chain)) for name, chain in term.chains]))
    return key((step,), with_numbers=False)[0]


def _is_single(term: RepeatTerm) -> bool:
    """Return whether a repeat contains a single call or merge, so that other chains may have it without a repeat."""
    (only, *others) = term.body
    return not others and isinstance(only.term, CallTerm | MergeTerm) and not only.name and only.number is None


def _with_turns(several: tuple[PlacedTerm | None, ...]) -> tuple[PlacedTerm | None, ...]:
    """Convert calls or merges that align with repeats of them into repeats of one iteration."""
    if not any(step is not None and isinstance(step.term, RepeatTerm) for step in several):
        return several
    return tuple(
        [step.over(_turn(step)) if step and isinstance(step.term, CallTerm | MergeTerm) else step for step in several]
    )


def _turn(step: PlacedTerm) -> RepeatTerm:
    return RepeatTerm((PlacedTerm(step.term, step.node, step.channels),), 1)


def is_shortcut(merge: MergeTerm) -> bool:
    """Return whether the second branch of a sum of two is `ID`, or one convolution and the layers after it."""
    if merge.operator != "+" or len(merge.branches) != 2:
        return False
    short = merge.branches[1]
    group = short[0].term if len(short) == 1 else None
    short = group.body if isinstance(group, GroupTerm) else short
    if len(short) > 3 or not all(
        isinstance(step.term, LayerTerm) or (isinstance(step.term, CallTerm) and step.name) for step in short
    ):
        return False
    return len(merge.branches[0]) > len(short)


def unified(
    several: Sequence[TermChain], has_channels: bool, entering: Sequence[TermNumber] | None = None
) -> Unified | None:
    """Join chains of one skeleton; None if that is impossible.

    Args:
        several: The chains.
        has_channels: Whether `C`, the number of input channels, may be used.
        entering: The input channels of each chain, if they differ from those of its first step.
    """
    aligned = LaidUpon()
    template = aligned.chain(tuple(several))
    if template is None:
        return None
    entering = entering or [chain[0].channels for chain in several]
    return solved(template, aligned.columns, entering if has_channels else (), len(several), aligned.widths)


class LaidUpon:
    """Aligned chains: the first one's numbers stand for all, in the order of `mapped`."""

    def __init__(self) -> None:
        self.columns: list[TermColumn] = []
        self.widths: list[tuple[TermNumber | None, ...]] = []
        """The input channels of steps in each chain, where they differ."""

    def chain(self, several: tuple[TermChain | None, ...]) -> TermChain | None:
        """Return the chain with the structure of all, None if there is none; absent chains are None in `several`."""
        there = [chain for chain in several if chain is not None]
        steps: list[PlacedTerm] = []
        for at in range(len(there[0])):
            found = self.step(tuple([None if chain is None else chain[at] for chain in several]))
            if found is None:
                return None
            steps.append(found)
        return tuple(steps)

    def step(self, several: tuple[PlacedTerm | None, ...]) -> PlacedTerm | None:
        """Return the step with the structure of all; None if there is none."""
        several = _with_turns(several)
        there = [step for step in several if step is not None]
        first = there[0]
        channels = self._channels([None if step is None else step.channels for step in several])
        node = first.node if first.node < -1 else -1
        made = PlacedTerm(first.term, node, channels, first.name, first.number, first.alias)
        terms = [None if step is None else step.term for step in several]
        if first.number is not None and isinstance(first.term, GroupTerm | ChainsTerm | MergeTerm | RepeatTerm):
            self.columns.append(TermColumn("label", tuple([None if step is None else step.number for step in several])))
        if isinstance(first.term, GroupTerm):
            bodies = tuple([each.body if isinstance(each, GroupTerm) else None for each in terms])
            body = self.chain(bodies)
            return None if body is None else made.over(GroupTerm(body, first.term.path))
        if isinstance(first.term, ChainsTerm):
            return self._chains(made, tuple([each if isinstance(each, ChainsTerm) else None for each in terms]))
        if isinstance(first.term, RepeatTerm):
            return self._repeat(made, tuple([each if isinstance(each, RepeatTerm) else None for each in terms]))
        if not isinstance(first.term, MergeTerm):
            self._note([None if step is None else (step,) for step in several])
            return made
        term = self.merge(tuple([each if isinstance(each, MergeTerm) else None for each in terms]), first.term)
        return None if term is None else made.over(term)

    def _channels(self, several: Sequence[TermNumber | None]) -> TermNumber:
        """Return the input channels of a step, or their placeholder."""
        there = [each for each in several if each is not None]
        if type(there[0]) is int and all(each == there[0] for each in there):
            return there[0]
        self.widths.append(tuple(several))
        return marked(len(self.widths) - 1)

    def _repeat(self, made: PlacedTerm, several: tuple[RepeatTerm | None, ...]) -> PlacedTerm | None:
        body = self.chain(tuple([None if each is None else each.body for each in several]))
        self.columns.append(TermColumn("count", tuple([None if each is None else each.count for each in several])))
        return None if body is None else made.over(RepeatTerm(body, 0))

    def _chains(self, made: PlacedTerm, several: tuple[ChainsTerm | None, ...]) -> PlacedTerm | None:
        assert isinstance(made.term, ChainsTerm)
        found: list[tuple[str, TermChain]] = []
        for at, (name, _) in enumerate(made.term.chains):
            chain = self.chain(tuple([None if each is None else each.chains[at][1] for each in several]))
            if chain is None:
                return None
            found.append((name, chain))
        return made.over(ChainsTerm(tuple(found)))

    def merge(self, several: tuple[MergeTerm | None, ...], first: MergeTerm) -> MergeTerm | None:
        """Return the merge with the structure of all, None if there is none; `first` is one of them."""
        branches: list[TermChain] = []
        is_optional = first.is_optional
        if any(merge is not None and merge.is_optional != is_optional for merge in several):
            return None
        for at in range(len(first.branches)):
            column = [None if merge is None else merge.branches[at] for merge in several]
            kinds = {key(each, with_numbers=False) for each in column if each is not None}
            if len(kinds) > 1:
                keeping = [merge is not None and merge.keeps_shape for merge in several]
                if len(kinds) != 2 or () not in kinds or not _may_choose(column, keeping):
                    return None
                is_optional = True
                column = [each or None for each in column]
            chain = self.chain(tuple(column))
            if chain is None:
                return None
            branches.append(chain)
        return MergeTerm(first.operator, tuple(branches), is_optional, first.keeps_shape)

    def _note(self, several: Sequence[TermChain | None]) -> None:
        """Record the numbers of one step, each with its values in all chains."""
        lists = [None if chain is None else numbers(chain) for chain in several]
        roles = next(each for each in lists if each is not None)
        for at, (role, _) in enumerate(roles):
            values = tuple([None if each is None else each[at][1] for each in lists])
            self.columns.append(TermColumn(role, values))


def _may_choose(column: Sequence[TermChain | None], keeping: Sequence[bool]) -> bool:
    """Return whether `ID or X` would select `ID` exactly in the chains that have it: those where the shapes match."""
    return all(branch is None or (not branch) == keeps for branch, keeps in zip(column, keeping, strict=True))
