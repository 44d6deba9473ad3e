"""Numbers that are proportional to their position in the network: stochastic depth rates are `0.2*place/16`.

Implementations compute such a rate for each unit from the number of units before it. Written as plain numbers, no two
units are alike. Written by position, each is its predecessor plus one, so a run of units is a repeat again.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from cnndsl.graph import Graph, Node, wired
from cnndsl.importers.raising.terms import (
    CallTerm,
    Counting,
    Formula,
    LayerTerm,
    PlacedTerm,
    RaisedTerm,
    Share,
    TermChain,
    TermNumber,
    TermProgram,
    TermValue,
)
from cnndsl.importers.raising.walks import inner, mapped, with_parts
from cnndsl.layers.base import Layer
from cnndsl.records import record

_FEWEST = 4
"""The minimum number of distinct values needed to detect growth."""
_CLOSE = 1e-11
"""The tolerance between a number and the value computed from its position: readers round to twelve digits."""
_SUM = re.compile(r"([A-Za-z_]\w*)([+-])(\d+)")


@record(slots=True)
class _Scale:
    """Numbers of the form `whole*place/parts`, with an integer `place`."""

    whole: Fraction
    parts: int

    def place(self, value: float) -> int:
        return round(value * self.parts / float(self.whole))

    def value(self, place: int) -> float:
        return float(self.whole * place / self.parts)


_Scales = Mapping[tuple[type[Layer], str], _Scale]


def with_exact_shares(graph: Graph) -> Graph:
    """Return the graph in which numbers proportional to their position are exact; they may have been rounded.

    >>> from cnndsl.network import loads
    >>> rates = (0.0333333333333, 0.0666666666667, 0.1, 0.133333333333)
    >>> units = " -> ".join(f"(CONV1-3 -> DROPPATH({rate}) + ID)" for rate in rates)
    >>> made = with_exact_shares(loads(f"INPUT 4x4x3 -> {units}").graph)
    >>> [float(node.layer.p) for node in made if node.kind == "DROPPATH"]
    [0.03333333333333333, 0.06666666666666667, 0.1, 0.13333333333333333]
    """
    scales = _scales(graph)
    return replace(graph, digraph=wired([_exact(node, scales) for node in graph.nodes])) if scales else graph


def _exact(node: Node, scales: _Scales) -> Node:
    found = {
        name: scale.value(scale.place(getattr(node.layer, name)))
        for (kind, name), scale in scales.items()
        if type(node.layer) is kind
    }
    return replace(node, layer=replace(node.layer, **found)) if found else node


def with_shares(program: TermProgram, graph: Graph) -> TermProgram:
    """Return the program in which numbers proportional to their position are written as shares of the last one."""
    scales = _scales(graph)
    if not scales:
        return program
    return TermProgram(tuple([(node, _with_shares(chain, scales)) for node, chain in program.chains]), program.blocks)


def _with_shares(chain: TermChain, scales: _Scales) -> TermChain:
    return tuple([_step_with_shares(step, scales) for step in chain])


def _step_with_shares(step: PlacedTerm, scales: _Scales) -> PlacedTerm:
    term = step.term
    if not isinstance(term, LayerTerm):
        return step.over(with_parts(term, lambda chain: _with_shares(chain, scales)))
    options = [(name, _share(value, scales.get((term.kind, name)))) for name, value in term.options]
    return step.over(LayerTerm(term.kind, tuple(options), term.references))


def _share(value: TermValue, scale: _Scale | None) -> TermValue:
    if scale is None or not isinstance(value, int | float):
        return value
    return Share(scale.place(value), float(scale.whole), scale.parts)


def _scales(graph: Graph) -> _Scales:
    """Return the scale of each option that has one."""
    values: dict[tuple[type[Layer], str], set[float]] = defaultdict(set)
    for node in graph.nodes:
        for name, rule in node.layer.options().items():
            value: object = getattr(node.layer, name)
            if rule.type == "number" and isinstance(value, int | float):
                values[type(node.layer), name].add(value)
    found = {each: _scale(sorted(several)) for each, several in values.items()}
    return {each: scale for each, scale in found.items() if scale is not None}


def _scale(values: Sequence[float]) -> _Scale | None:
    """Return the scale of sorted numbers, if most positions up to the last one have a value; else None."""
    values = [each for each in values if each]
    if len(values) < _FEWEST or values[0] < 0:
        return None
    least = min(other - one for one, other in pairwise((0.0, *values)))
    last = round(values[-1] / least)
    if last >= 2 * len(values):
        return None
    step = values[-1] / last
    if any(abs(each - round(each / step) * step) > _CLOSE for each in values):
        return None
    return min(_wholes(step, last), key=lambda each: len(str(float(each.whole))), default=None)


def _wholes(step: float, last: int) -> Iterator[_Scale]:
    """Yield scales with round totals that the steps may divide: code divides by the number of places or the last."""
    for parts in range(last, 2 * last):
        whole = round(Fraction(step * parts), 4)
        if whole and abs(float(whole) / parts - step) * last <= _CLOSE:
            yield _Scale(whole, parts)


def is_place(role: str) -> bool:
    """Return whether a number with this role, or a parameter of this name, counts positions."""
    return "place" in role and re.fullmatch(r"(.*\.)?place\d*", role) is not None


def split_sum(value: TermValue) -> tuple[str, float]:
    """Split a number, or a name plus a number, into both parts; the name is empty if there is none.

    >>> split_sum(3), split_sum(Formula("place-1")), split_sum(Formula("2*c"))
    (('', 3), ('place', -1), ('2*c', 0))
    """
    if isinstance(value, int | float):
        return "", value
    found = _SUM.fullmatch(str(value))
    return (found[1], int(f"{found[2]}{found[3]}")) if found else (str(value), 0)


def plus(value: TermNumber, more: int) -> TermNumber:
    """Return a number or a name plus another number.

    >>> plus(3, -1), plus(Formula("place"), 2), plus(Formula("place+2"), -2)
    (2, 'place+2', 'place')
    """
    if not isinstance(value, Formula):
        return value + more
    name, number = split_sum(value)
    total = int(number) + more
    return Formula(f"{name}{total:+d}" if total else name)


def less(value: TermValue, other: TermValue) -> int | None:
    """Return the difference between two positions; None if it is not known."""
    if not isinstance(value, int | Formula) or not isinstance(other, int | Formula):
        return None
    (one, number), (two, before) = split_sum(value), split_sum(other)
    return int(number - before) if one == two else None


def filled(values: Sequence[TermValue]) -> list[TermValue]:
    """Fill in undetermined positions if the others increase by one from each to the next.

    >>> filled([None, 1, 2, None, 4]), filled([None, 1, 3])
    ([0, 1, 2, 3, 4], [None, 1, 3])
    """
    starts = {value - at if type(value) is int else None for at, value in enumerate(values) if value is not None}
    start = starts.pop() if len(starts) == 1 else None
    return list(values) if start is None else [start + at for at in range(len(values))]


def _has_places(chain: TermChain) -> bool:
    """Return whether a chain contains positions; faster than listing them."""
    return any(
        any(is_place(name) for name, _ in step.term.arguments)
        if isinstance(step.term, CallTerm)
        else isinstance(step.term, LayerTerm) and any(isinstance(value, Share) for _, value in step.term.options)
        for step in inner(chain)
    )


def _places(chain: TermChain) -> list[TermValue]:
    """Return the positions in a chain, in order."""
    found: list[TermValue] = []

    def note(role: str, value: TermValue) -> TermValue:
        if is_place(role):
            found.append(value)
        return value

    mapped(chain, note)
    return found


def without_places(step: PlacedTerm) -> PlacedTerm:
    """Return the step without positions."""
    if not _has_places((step,)):
        return step
    return mapped((step,), lambda role, value: 0 if is_place(role) else value)[0]


def _counts(chain: TermChain) -> bool:
    """Return whether a repeat in a chain counts positions."""
    return any(isinstance(value, Counting) for each in inner(chain) for value in _own_values(each))


def _own_values(step: PlacedTerm) -> Iterable[TermValue]:
    if isinstance(step.term, CallTerm):
        return [value for _, value in step.term.arguments]
    if isinstance(step.term, LayerTerm):
        return [value.number for _, value in step.term.options if isinstance(value, Share)]
    return ()


def growth(turns: Sequence[TermChain]) -> int | None:
    """Return the amount by which all positions increase per iteration; None if they do not increase uniformly."""
    if not _has_places(turns[0]):
        return 0
    several = [_places(each) for each in turns]
    found = {less(after, before) for one, other in pairwise(several) for before, after in zip(one, other, strict=True)}
    if not found:
        return 0
    step = found.pop()
    return None if found or (step and _counts(turns[0])) else step


def counting(chain: TermChain, step: int) -> TermChain:
    """Return the first iteration of a repeat as its body: its positions follow from `i`."""

    def count(role: str, value: TermValue) -> TermValue:
        if not is_place(role) or not isinstance(value, int | Formula):
            return value
        return Counting(plus(value, -step), step)

    return mapped(chain, count) if step else chain


def at_turn(chain: TermChain, number: int) -> TermChain:
    """Return the body of a repeat as it is in one of its iterations."""
    return tuple([step.over(_at_turn(step.term, number)) for step in chain])


def _at_turn(term: RaisedTerm, number: int) -> RaisedTerm:
    if isinstance(term, CallTerm):
        return CallTerm(term.block, tuple([(name, _turned(value, number)) for name, value in term.arguments]))
    return with_parts(term, lambda chain: at_turn(chain, number))


def _turned(value: TermValue, number: int) -> TermValue:
    if not isinstance(value, Counting):
        return value
    return None if value.before is None else plus(value.before, value.step * number)


def later(call: CallTerm, turns: int) -> CallTerm:
    """Return a call in a repeat that begins the given number of iterations later."""
    arguments = [
        (name, Counting(plus(value.before, turns * value.step), value.step))
        if isinstance(value, Counting) and value.before is not None
        else (name, value)
        for name, value in call.arguments
    ]
    return CallTerm(call.block, tuple(arguments))
