"""Decide whether the extents of an input can be chosen axis by axis: a network works with H and W if it works with
each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from cnndsl.elaborate.shape_log import ShapeQuestion
from cnndsl.shape import Shape
from cnndsl.sweeping.replay import Replayed, ShapeReplay
from cnndsl.sweeping.size_search import InputExtents, SizeSearch

_PAIRS = 12
"""The number of extents of each axis that are tried in combination, in addition to the argument."""


def are_separate(search: SizeSearch, lines: Sequence[Sequence[InputExtents]]) -> bool:
    """Return whether an input works exactly if it works with each of its extents alone.

    `lines` has for each axis the inputs with another extent along it, which were solved. One elaboration has to answer
    for all of them. Then each layer must treat each axis by itself (`Layer.mixes_axes`), which is checked for every
    layer on every line; conditions that depend on several axes together must not change. Some combinations are tried as
    well.
    """
    known = search.replayed(search.base)
    if known is None:
        return False
    replay = known.replay
    several = [[replay(search.shapes(point)) for point in line] for line in lines]
    if any(each.verdict == "open" or _is_too_large(replay, each) for line in several for each in line):
        return False
    return _Argument(replay, several).holds() and all(
        _agrees(search, replay, point) for point in _combinations(lines, search.base)
    )


def _is_too_large(replay: ShapeReplay, found: Replayed) -> bool:
    """Return whether a replay fails with more values than the limits allow, whose number depends on all axes."""
    error = replay.error(found) if found.verdict == "fails" else None
    return error is not None and error.code == "E0203"


class _Argument:
    """The results of a replay for the inputs of each line, each combination of shapes once."""

    def __init__(self, replay: ShapeReplay, lines: Sequence[Sequence[Replayed]]) -> None:
        self.replay, self._lines = replay, lines
        self._every = [each for line in lines for each in line]
        self._mixing: dict[tuple[int, ...], bool] = {}
        self._varying = {at for at in range(len(replay.questions)) if len(self._channels(at)) > 1}
        """The questions whose layers return other numbers of channels for other inputs, such as those of FLATTEN."""

    def holds(self) -> bool:
        """Return whether each layer treats each axis by itself."""
        return all(self._is_separate(at, each) for at, each in enumerate(self.replay.questions))

    def _channels(self, at: int) -> set[int]:
        if self.replay.questions[at].kind != "made":
            return set()
        made = {each.shapes[at] for each in self._every if each.at > at}
        return {self.replay.numbered(number).channels for number in made}

    def _entering(self, at: int, several: Sequence[Replayed]) -> list[tuple[Shape, ...]]:
        """Return the input shapes of a question, each combination once."""
        inputs = self.replay.questions[at].inputs
        keys = {tuple([found.shapes[each] for each in inputs]) for found in several if found.at > at}
        return [tuple(map(self.replay.numbered, key)) for key in keys]

    def _is_separate(self, at: int, question: ShapeQuestion) -> bool:
        if not question.inputs:
            return True
        if question.kind == "same":
            return all(first == again for first, again in self._entering(at, self._every))
        if question.kind == "fits":
            lines = [self._entering(at, line) for line in self._lines]
            return question.answer or (not self._varying & {*question.inputs} and _always_differs(lines))
        every = self._entering(at, self._every)
        if any(each in self._varying for each in question.inputs) and not self._takes_any(at, question, every):
            return False
        if question.layer.REPEATS_ONE and not (self._never_fails(at) and _repeats_alike(every)):
            return False
        return question.kind == "refused" or not any(self._mixes(question, each) for each in every)

    def _never_fails(self, at: int) -> bool:
        return all(each.verdict != "fails" or each.at != at for each in self._every)

    def _takes_any(self, at: int, question: ShapeQuestion, every: Sequence[tuple[Shape, ...]]) -> bool:
        """Return whether a layer accepts any number of channels, if that of its input varies."""
        if len(question.inputs) > 1:
            return False
        return at not in self._varying or all(question.layer.is_elementwise(*shapes) for shapes in every)

    def _mixes(self, question: ShapeQuestion, shapes: tuple[Shape, ...]) -> bool:
        key = (id(question.layer), *(each.channels for each in shapes), *(n for each in shapes for n in each.spatial))
        if key not in self._mixing:
            self._mixing[key] = question.layer.mixes_axes(*shapes)
        return self._mixing[key]


def _repeats_alike(every: Sequence[tuple[Shape, ...]]) -> bool:
    """Return whether the same operands have one position for all inputs, if some have and others do not. Whether one
    has depends on all axes."""
    vectors = {tuple([shape.is_vector for shape in shapes]) for shapes in every}
    return len(vectors) < 2 or all(len(set(each)) == 1 for each in vectors)


def _always_differs(lines: Sequence[Sequence[tuple[Shape, ...]]]) -> bool:
    """Return whether two feature maps differ in their channels, or along one axis whatever its extent."""
    if all(choice.channels != target.channels for line in lines for choice, target in line):
        return True
    return any(
        all(
            min(choice.rank, target.rank) > axis and choice.spatial[axis] != target.spatial[axis]
            for choice, target in line
        )
        for axis, line in enumerate(lines)
    )


def _combinations(lines: Sequence[Sequence[InputExtents]], base: InputExtents) -> Iterator[InputExtents]:
    """Yield combinations of some extents of each axis, those of the base among them."""
    chosen = [
        sorted({base[axis], *(point[axis] for point in line[:: max(1, len(line) // _PAIRS)])})
        for axis, line in enumerate(lines)
    ]
    return product(*chosen)


def _agrees(search: SizeSearch, replay: ShapeReplay, point: InputExtents) -> bool:
    """Return whether a combination works exactly if each of its extents does."""
    base = search.base
    alone = all(
        extent == base[axis] or search.outcomes[(*base[:axis], extent, *base[axis + 1 :])].works
        for axis, extent in enumerate(point)
    )
    return replay(search.shapes(point)).verdict == ("works" if alone else "fails")
