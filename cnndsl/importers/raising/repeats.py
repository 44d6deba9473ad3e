"""Steps that follow themselves as repeats: `A -> A -> A` is `A*3`."""

from __future__ import annotations

from collections.abc import Set

from cnndsl.importers.raising.terms import MergeTerm, PlacedTerm, RaisedTerm, RepeatTerm, TermChain, TermKey, inner, key

LONGEST = 40
"""The most steps in one turn."""


def folded(chain: TermChain, named: Set[int]) -> TermChain:
    """Return the chain with its repeats, those in its branches too.

    Args:
        chain: What to fold.
        named: The nodes that have labels; a turn holds none, but the last one may end with one.
    """
    chain = tuple([PlacedTerm(_inside(step.term, named), step.node, step.channels) for step in chain])
    keys = [key((step,)) for step in chain]
    steps: list[PlacedTerm] = []
    at = 0
    while at < len(chain):
        period, count = _longest(chain, keys, at, named)
        if count > 1:
            last = chain[at + period * count - 1]
            steps.append(PlacedTerm(RepeatTerm(chain[at : at + period], count), last.node, chain[at].channels))
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
    """The period and the number of turns, at least 2, that leave the fewest steps; (1, 1) for none."""
    best = (1, 1)
    for period in range(1, min(LONGEST, (len(chain) - start) // 2) + 1):
        count = 1
        while keys[start + period * count : start + period * (count + 1)] == keys[start : start + period]:
            count += 1
        while count > 1 and names_inside(chain[start : start + period * count], named):
            count -= 1
        if period * (count - 1) > best[0] * (best[1] - 1):
            best = (period, count)
    return best


def names_inside(chain: TermChain, named: Set[int]) -> bool:
    """Whether something in these steps has a label, other than their last value."""
    last = chain[-1].node
    return any(step.node in named and step.node != last for step in inner(chain))
