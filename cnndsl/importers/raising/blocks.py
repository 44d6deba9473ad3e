"""Turn parts of equal structure into blocks.

Of all sequences that occur several times, the one that shortens the program most becomes a block. This repeats until
none shortens it: grammar inference from repetitions, as in Nevill-Manning and Witten 1997 (arXiv:cs/9709102).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set

from cnndsl.importers.raising.terms import (
    CallTerm,
    LayerTerm,
    MergeTerm,
    PlacedTerm,
    RaisedTerm,
    RepeatTerm,
    StartTerm,
    TapTerm,
    TermBlock,
    TermChain,
    TermProgram,
)
from cnndsl.importers.raising.unify import skeleton, unified
from cnndsl.importers.raising.walks import inner, links, reads, renamed
from cnndsl.records import record

LOCAL = -2
"""The first number of a label inside a block: those of the graph's nodes are not negative."""
LOCALS = 1000
"""The maximum number of labels in a block."""
LONGEST = 40
"""The maximum number of steps of a block."""
_CANDIDATES = 8
"""The number of sequences tried each time, in order of decreasing expected savings."""

_OFTEN = 3
"""How many of the most frequent ones may come first even if others promise to save more: the layers of a unit."""

WordCount = Callable[[TermProgram], int]


def with_blocks(program: TermProgram, named: Set[int], cost: WordCount) -> TermProgram:
    """Return the program with the blocks that make it shorter.

    Args:
        program: Chains of layers.
        named: The nodes that have labels.
        cost: Returns the cost of a program, in words.
    """
    often = sorted(_candidates(program, named), key=lambda each: (-len(each.places), -each.length))
    least = cost(program)
    begun, fewer = _with_best(program, least, often[:_OFTEN], named, cost)
    several = [_with_more(program, least, named, cost)]
    if fewer < least:
        several.append(_with_more(begun, fewer, named, cost))
    return min(several, key=lambda each: each[1])[0]


def _with_more(program: TermProgram, least: int, named: Set[int], cost: WordCount) -> tuple[TermProgram, int]:
    """Return the program with more blocks, tried in order of expected savings, and its cost."""
    while True:
        several = _candidates(program, named | local_names(program))
        made, words = _with_best(program, least, several[:_CANDIDATES], named, cost)
        if words >= least:
            return program, least
        program, least = made, words


def _with_best(
    program: TermProgram, least: int, several: Sequence[_Candidate], named: Set[int], cost: WordCount
) -> tuple[TermProgram, int]:
    """Return the program with the candidate block that makes it shortest, and its cost; unchanged if none does."""
    known = named | local_names(program)
    tried = [(made, cost(made)) for each in several if (made := _made(program, each, known))]
    return min([(program, least), *tried], key=lambda each: each[1])


@record(slots=True)
class _Place:
    """The location of a sequence: the index of its chain in the order of `_all`, and its first step."""

    chain: int
    start: int


@record(slots=True)
class _Candidate:
    """Locations of sequences that may become one block; `number` is that of the block, from 1."""

    length: int
    places: tuple[_Place, ...]
    number: int


def _all(program: TermProgram) -> Iterator[TermChain]:
    """Yield all chains: the network's, those in branches, those of blocks."""
    for _, chain in program.chains:
        yield from _within(chain)
    for block in program.blocks:
        yield from _within(block.body)


def _within(chain: TermChain) -> Iterator[TermChain]:
    yield chain
    for step in chain:
        if isinstance(step.term, MergeTerm):
            for branch in step.term.branches:
                yield from _within(branch)


def _candidates(program: TermProgram, named: Set[int]) -> list[_Candidate]:
    """Return the sequences that occur several times, in order of decreasing expected savings."""
    ids: dict[object, int] = {}
    found: dict[tuple[int, int], list[_Place]] = defaultdict(list)
    weights: dict[tuple[int, int], int] = {}
    whole = (*(chain for _, chain in program.chains), *(block.body for block in program.blocks))
    readers = Counter(each for chain in whole for each in reads(chain))
    for number, chain in enumerate(_all(program)):
        kinds = [ids.setdefault(skeleton((step,)), len(ids)) for step in chain]
        for start in range(len(chain)):
            if isinstance(chain[start].term, StartTerm):
                continue
            prefix, weight = -1, 0
            for length in range(1, min(LONGEST, len(chain) - start) + 1):
                step = chain[start + length - 1]
                prefix = ids.setdefault((prefix, kinds[start + length - 1]), len(ids))
                weight += _words(step.term)
                if _is_closed(chain[start : start + length], named, readers):
                    found[prefix, length].append(_Place(number, start))
                    weights[prefix, length] = weight
    several = [
        (weights[each] * (len(places) - 1) - 3 * len(places), _Candidate(each[1], places, len(program.blocks) + 1))
        for each, listed in found.items()
        if weights[each] > 3 and len(places := _apart(listed, each[1])) > 1
    ]
    return [each for gain, each in sorted(several, key=lambda each: -each[0]) if gain > 0]


def _apart(places: Sequence[_Place], length: int) -> tuple[_Place, ...]:
    """Return the locations that do not overlap, from the first one on."""
    found: list[_Place] = []
    for each in places:
        if not found or found[-1].chain != each.chain or found[-1].start + length <= each.start:
            found.append(each)
    return tuple(found)


def _is_closed(chain: TermChain, named: Set[int], readers: Mapping[int, int]) -> bool:
    """Return whether labels inside a sequence are only read inside it."""
    if len(chain) == 1 and isinstance(chain[0].term, LayerTerm | CallTerm | RepeatTerm | StartTerm):
        return False
    if any(isinstance(step.term, TapTerm) for step in inner(chain)):
        return False
    labels = {step.node for step in inner(chain) if not isinstance(step.term, StartTerm)} & named
    labels.discard(chain[-1].node)
    if not labels:
        return True
    inside = Counter(reads(chain))
    return all(readers[each] and inside[each] == readers[each] for each in labels)


def _words(term: RaisedTerm) -> int:
    match term:
        case LayerTerm():
            return 2
        case MergeTerm():
            return 1 + sum(1 + sum(_words(step.term) for step in branch) for branch in term.branches)
        case RepeatTerm():
            return 2 + sum(_words(step.term) for step in term.body)
        case _:
            return 2


def _made(program: TermProgram, candidate: _Candidate, named: Set[int]) -> TermProgram | None:
    """Return the program with a block for a candidate; None if its occurrences cannot be unified."""
    chains = list(_all(program))
    places = [chains[each.chain][each.start : each.start + candidate.length] for each in candidate.places]
    local = [_local(each, named, candidate.number) for each in places]
    found = unified(local, has_channels=True)
    if found is None or any(each >= -1 for each in links(found.body)):
        return None
    name = f"B{candidate.number}"
    block = TermBlock(name, found.parameters, found.body)
    calls: dict[tuple[int, int], CallTerm] = {}
    for place, arguments in zip(candidate.places, found.arguments, strict=True):
        given = zip((each.name for each in found.parameters), arguments, strict=True)
        calls[place.chain, place.start] = CallTerm(name, tuple(given))
    rewritten = _WithCalls(candidate.length, calls)
    main = tuple([(node, rewritten.chain(chain)) for node, chain in program.chains])
    blocks = tuple([TermBlock(each.name, each.parameters, rewritten.chain(each.body)) for each in program.blocks])
    return TermProgram(main, (block, *blocks))


def _local(chain: TermChain, named: Set[int], number: int) -> TermChain:
    """Return the chain with its labels counted from its beginning, so that they are equal at all locations."""
    labels = {step.node for step in inner(chain) if not isinstance(step.term, StartTerm)} & named
    labels.discard(chain[-1].node)
    ordered = sorted(labels, reverse=min(labels, default=0) < 0)
    known = {node: LOCAL - LOCALS * number - at for at, node in enumerate(ordered)}
    return renamed(chain, known)


class _WithCalls:
    """Chains with calls at the locations of a block, visited in the order of `_all`."""

    def __init__(self, length: int, calls: Mapping[tuple[int, int], CallTerm]) -> None:
        self.length, self.calls = length, calls
        self.number = -1

    def chain(self, chain: TermChain) -> TermChain:
        self.number += 1
        own = self.number
        steps: list[PlacedTerm] = []
        until = 0
        for at, step in enumerate(chain):
            inside = step.over(self._inside(step.term))
            if at < until:
                continue
            call = self.calls.get((own, at))
            if call is None:
                steps.append(inside)
                continue
            until = at + self.length
            steps.append(PlacedTerm(call, chain[until - 1].node, step.channels))
        return tuple(steps)

    def _inside(self, term: RaisedTerm) -> RaisedTerm:
        if isinstance(term, MergeTerm):
            return term.over(tuple([self.chain(each) for each in term.branches]))
        return term


def local_names(program: TermProgram) -> frozenset[int]:
    """Return the labels inside blocks."""
    return frozenset(step.node for block in program.blocks for step in inner(block.body) if step.node <= LOCAL)
