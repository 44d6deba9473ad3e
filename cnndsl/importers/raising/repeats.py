"""Write equal consecutive steps as repeats: `A -> A -> A` is `A*3`."""

from __future__ import annotations

from collections.abc import Set

from cnndsl.importers.raising.progress import counting, growth, without_places
from cnndsl.importers.raising.terms import Formula, MergeTerm, PlacedTerm, RaisedTerm, RepeatTerm, TermChain
from cnndsl.importers.raising.walks import TermKey, inner, key, label_numbers, unnumbered

LONGEST = 40
"""The maximum number of steps in one iteration."""


def folded(chain: TermChain, named: Set[int], is_deep: bool = True) -> TermChain:
    """Return the chain with its repeats, including those in its branches.

    Args:
        chain: The chain to fold.
        named: The nodes that have labels; an iteration contains none, but the last one may end with one.
        is_deep: Whether to fold branches as well.
    """
    if is_deep:
        chain = tuple([step.over(_inside(step.term, named)) for step in chain])
    keys = [key((without_places(unnumbered(step).also("")),)) for step in chain]
    steps: list[PlacedTerm] = []
    at = 0
    while at < len(chain):
        period, count = _longest(chain, keys, at, named)
        if count > 1:
            last = chain[at + period * count - 1]
            body = counting(_counting(chain[at : at + period]), _growth(chain[at : at + period * count], period) or 0)
            term = RepeatTerm(body, count)
            steps.append(PlacedTerm(term, last.node, chain[at].channels, alias=last.alias))
            at += period * count
        else:
            steps.append(chain[at])
            at += 1
    return tuple(steps)


def _inside(term: RaisedTerm, named: Set[int]) -> RaisedTerm:
    if isinstance(term, MergeTerm):
        return term.over(tuple([folded(each, named) for each in term.branches]))
    return term


def _longest(chain: TermChain, keys: list[TermKey], start: int, named: Set[int]) -> tuple[int, int]:
    """Return the period and the number of iterations (at least 2) that leave the fewest steps; (1, 1) if none."""
    best = (1, 1)
    for period in range(1, min(LONGEST, (len(chain) - start) // 2) + 1):
        count = 1
        while keys[start + period * count : start + period * (count + 1)] == keys[start : start + period]:
            count += 1
        while count > 1 and not _are_turns(chain[start : start + period * count], period):
            count -= 1
        while count > 1 and names_inside(chain[start : start + period * count], named):
            count -= 1
        if period * (count - 1) > best[0] * (best[1] - 1):
            best = (period, count)
    return best


def _are_turns(chain: TermChain, period: int) -> bool:
    """Return whether label numbers, and positions likewise, increase by one per iteration, and only the last value has
    a second name."""
    if any(step.alias for step in chain[:-1]) or _growth(chain, period) is None:
        return False
    first = label_numbers(chain[:period])
    return not first or all(
        label_numbers(chain[at : at + period]) == [each + at // period for each in first if isinstance(each, int)]
        for at in range(0, len(chain), period)
    )


def _growth(chain: TermChain, period: int) -> int | None:
    return growth([chain[at : at + period] for at in range(0, len(chain), period)])


def _counting(chain: TermChain) -> TermChain:
    """Return the first iteration as the body of a repeat: label numbers follow from the iteration number, `i`."""
    steps: list[PlacedTerm] = []
    for step in chain:
        if isinstance(step.term, MergeTerm):
            step = step.over(step.term.over(tuple([_counting(each) for each in step.term.branches])))
        if isinstance(step.number, int):
            more = step.number - 1
            step = step.labelled(step.name, Formula(f"i{more:+d}" if more else "i"))
        steps.append(step)
    return tuple(steps)


def names_inside(chain: TermChain, named: Set[int]) -> bool:
    """Return whether any step except the last has a label."""
    last = chain[-1].node
    return any(step.node in named and step.node != last for step in inner(chain))
