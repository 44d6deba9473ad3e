"""The input sizes with which a network works, as rules; where the others fail; and the sizes of its feature maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from fractions import Fraction
from functools import cached_property
from typing import TypeAlias, overload

from cnndsl.analysis.receptive_field import last_map, receptive_fields
from cnndsl.analysis.size_rule import SizeRule
from cnndsl.errors import Diagnostic, Span
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.sweeping.size_search import InputExtents, Outcome, PlaceKey, SizeSearch

SizeRow: TypeAlias = dict[str, "str | int | bool | None"]
"""One size as plain data: see `InputSizes`."""


@record
class SizeLine:
    """Inputs that differ along some axes, all of which have the same extent: squares, or images of other heights.

    `axes` are their letters, `base` the input of which they are a variation, `outcomes` the result for each size.
    `same_weights` are the sizes that work and have weights of the same names and shapes as the base.
    """

    axes: str
    varied: tuple[int, ...]
    base: InputExtents
    outcomes: Mapping[int, Outcome] = field(repr=False)
    works: SizeRule
    same_weights: SizeRule

    def point(self, size: int) -> InputExtents:
        """Return the input of a size."""
        return tuple(size if axis in self.varied else extent for axis, extent in enumerate(self.base))


@record
class FailurePlace:
    """A location in the program at which inputs fail: the layer's path, if it is known, its input shapes in an example,
    and why it rejects these. `sizes` are all sizes of a line, which varies `axes`, that fail there."""

    path: str
    span: Span | None
    example: InputExtents
    axes: str = ""
    axis: int = 0
    sizes: tuple[int, ...] = ()
    entering: tuple[Shape, ...] = ()
    operator: str = ""
    message: str = ""

    @property
    def size(self) -> int:
        """Return the size of the example on its line, along the first axis that varies."""
        return self.example[self.axis]

    @property
    def meeting(self) -> tuple[int, int, int] | None:
        """Return the axis along which two branches of a merge differ, and their extents there; None for any other
        layer."""
        first, *others = self.entering if self.operator else (None,)
        for other in others:
            for axis, (one, another) in enumerate(zip(first.spatial if first else (), other.spatial, strict=False)):
                if one != another:
                    return axis, one, another
        return None


@record
class MapSize:
    """An output, or the last feature map before an output without one: the distance of its positions on the input."""

    name: str
    shape: Shape
    stride: tuple[int | Fraction, ...]


@record
class AskedSize:
    """An input that was asked for: its result, and the location of the failure; then the nearest inputs that work."""

    text: str
    point: InputExtents
    row: SizeRow
    place: FailurePlace | None = None
    nearest: tuple[InputExtents, ...] = ()


class InputSizes(Sequence[SizeRow]):
    """The input sizes with which a network works: a row for each size that was tried, as plain data.

    A row has the `input` as it is written, whether it `works`, whether it has the `same_weights` as the base, the
    `output`, and the location of the failure: the `path` of the layer and the `line` of the program. The rules are in
    `lines`, each of which has one for `works` and one for `same_weights`.
    """

    def __init__(self, search: SizeSearch, lines: Sequence[SizeLine], up_to: int, *, is_separate: bool) -> None:
        self._search, self.lines, self.up_to, self.is_separate = search, tuple(lines), up_to, is_separate
        self._places: dict[PlaceKey, FailurePlace] = {}
        self.failures = self._failures()
        self._rows = [self._row(line.point(size)) for line in lines for size in range(1, up_to + 1)]

    @overload
    def __getitem__(self, index: int) -> SizeRow: ...
    @overload
    def __getitem__(self, index: slice) -> list[SizeRow]: ...
    def __getitem__(self, index: int | slice) -> SizeRow | list[SizeRow]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        rules = "; ".join(f"{self.title(line.axes)}: {line.works.text}" for line in self.lines)
        return f"InputSizes({self.name}, {rules})"

    @property
    def name(self) -> str:
        """Return the network's name, or its file's if it has none."""
        return self._search.title

    @property
    def base(self) -> InputExtents:
        """Return the extents of the input with which others are compared: one that works, if any does."""
        return self._search.base

    @property
    def input(self) -> Shape:
        """Return the first input that varies, as large as the base."""
        return self.shape(self.base)

    @property
    def written(self) -> Shape:
        """Return the first input that varies, as it is written."""
        return self.shape(self._search.written)

    @property
    def varied(self) -> tuple[str, ...]:
        """Return the names of the inputs that vary; empty if the input has no name."""
        names = self._search.input_names
        return tuple(names[at] for at in self._search.varied) if names else ()

    @property
    def fixed(self) -> Mapping[str, Shape]:
        """Return the inputs that stay as they are written, by name."""
        search = self._search
        return {name: search.entering[at] for at, name in enumerate(search.input_names) if at not in search.varied}

    @property
    def names_axis(self) -> Span | None:
        """Return the location at which the program names an extent, so that each size was compiled; None if it does
        not."""
        return self._search.names_axis

    @property
    def works(self) -> bool:
        """Return whether any size works."""
        return any(line.works.ranges for line in self.lines)

    def shape(self, point: InputExtents) -> Shape:
        """Return the first input that varies, with these extents."""
        return self._search.shapes(point)[self._search.varied[0]]

    def title(self, axes: str) -> str:
        """Return the axes of a rule: `H and W`; if they cannot be chosen independently, `H = W` or `H with W = 48`."""
        if self.is_separate:
            return " and ".join(", ".join(axes).rsplit(", ", 1))
        pairs = zip("DHW"[3 - len(self.base) :], self.base, strict=True)
        others = ", ".join(f"{axis} = {extent}" for axis, extent in pairs if axis not in axes)
        return f"{axes} with {others}" if others else " = ".join(axes)

    @cached_property
    def graph(self) -> Graph | None:
        """Return the network with the base as its input; None if no size works."""
        search = self._search
        if not search.outcomes[search.base].works:
            return None
        is_first = search.first.graph is not None and search.written == search.base
        return search.first.graph if is_first else search.attempt(search.base).graph

    @cached_property
    def as_written(self) -> FailurePlace | None:
        """Return where the network fails with the input as it is written; None if it works."""
        written = self._search.written
        return None if self._search.outcomes[written].works else self._place(written)

    def error(self, place: FailurePlace) -> Diagnostic | None:
        """Return the message of the compiler for the example of a location."""
        return self._search.attempt(place.example).log.error if self._search.can_elaborate else None

    def sized_weights(self) -> tuple[str, ...]:
        """Return the layers with other weights in the nearest size that works but has other weights than the base."""
        search = self._search
        others = [line.point(size) for line in self.lines for size in {*line.works} - {*line.same_weights}]
        if not others:
            return ()
        base, other = search.replayed(self.base), search.replayed(min(others, key=search.distance))
        if base is None or other is None or base.graph is not other.graph:
            return ()
        replay = base.replay
        pairs = zip(replay.weighted, replay.weights(base.found), replay.weights(other.found), strict=True)
        nodes = [base.graph.nodes[replay.nodes.index(at)] for at, one, another in pairs if one != another]
        return tuple(each.path for each in nodes if each.weights_of < 0)

    def ask(self, text: str, point: InputExtents) -> AskedSize:
        """Return the result for any input, including one that was not tried."""
        self._search.solve([point])
        if self._search.outcomes[point].works:
            return AskedSize(text, point, self._row(point))
        place = self._place(point)
        row: SizeRow = self._row(point) | {"path": place.path or None, "line": place.span.line if place.span else None}
        return AskedSize(text, point, row, place, tuple(dict.fromkeys(self._nearest(point))))

    def _nearest(self, point: InputExtents) -> list[InputExtents]:
        """Return the nearest inputs that work: smaller ones, then larger ones."""
        found: list[InputExtents] = []
        several = [next((line for line in self.lines if axis in line.varied), None) for axis in range(len(point))]
        is_on_line = len(set(point)) == 1 and len(self.lines) == 1
        for side in range(2):
            extents: list[int] = []
            for line, extent in zip(several, point, strict=True):
                if line is not None and (self.is_separate or is_on_line):
                    near = extent if extent in line.works else line.works.nearest(extent)[side]
                    extents += [near] if near else []
            found += [tuple(extents)] if len(extents) == len(point) else []
        return found

    def _row(self, point: InputExtents) -> SizeRow:
        outcomes = self._search.outcomes
        outcome, place = outcomes[point], self._places.get(outcomes[point].place)
        return {
            "input": str(self.shape(point)),
            "works": outcome.works,
            "same_weights": outcome.works and outcome.weights == outcomes[self.base].weights,
            "output": str(outcome.output) if outcome.output else None,
            "path": (place.path or None) if place else None,
            "line": place.span.line if place and place.span else None,
        }

    def _failures(self) -> tuple[FailurePlace, ...]:
        """Return the locations at which sizes fail, those with the most sizes first."""
        found: dict[tuple[object, ...], FailurePlace] = {}
        for line in self.lines:
            sizes: dict[PlaceKey, list[int]] = {}
            for size, outcome in line.outcomes.items():
                if not outcome.works:
                    sizes.setdefault(outcome.place, []).append(size)
            for key, several in sizes.items():
                about = self.base[line.varied[0]]
                example = min(several, key=lambda size, about=about: (abs(size - about), -size))
                place = replace(
                    self._place(line.point(example)), axes=line.axes, axis=line.varied[0], sizes=tuple(several)
                )
                where = (line.axes, place.path, place.span)
                known = found.get(where)
                found[where] = self._places[key] = place if known is None else _joined(known, place, about)
        return tuple(sorted(found.values(), key=lambda each: -len(each.sizes)))

    def _place(self, point: InputExtents) -> FailurePlace:
        """Return where an input fails, and why."""
        known = self._search.replayed(point)
        if known is None or known.found.verdict != "fails":
            return self._elaborated_place(point)
        replay, found = known.replay, known.found
        question = replay.questions[found.at]
        made = question.inputs[-1] if question.kind == "same" else found.at
        node = known.graph.nodes[replay.nodes.index(made)]
        error = replay.error(found)
        message = error.message if error is not None else "its weights cannot be shared there"
        operator = node.text if node.layer.ROLE == "merge" else ""
        return FailurePlace(node.path, node.span, point, "", 0, (), replay.entering(found, made), operator, message)

    def _elaborated_place(self, point: InputExtents) -> FailurePlace:
        """Return where an input fails for which only the message is known."""
        error = self._search.attempt(point).log.error
        if error is None:
            return FailurePlace("", None, point)
        shapes = [each.strip("[]") for each in (error.label, *(other.text for other in error.others)) if each]
        message = f"{error.message}: {', '.join(shapes)}" if shapes else error.message
        return FailurePlace(self._search.path_of_failure(point), error.span, point, message=message)


def _joined(one: FailurePlace, other: FailurePlace, about: int) -> FailurePlace:
    """Return a location that was found in two elaborations."""
    nearer = min((one, other), key=lambda each: abs(each.size - about))
    return replace(nearer, sizes=tuple(sorted({*one.sizes, *other.sizes})))


def map_sizes(graph: Graph) -> tuple[tuple[MapSize, ...], tuple[int, ...], bool]:
    """Return the feature maps that a network outputs, or the last one before it outputs a vector; its receptive field,
    and whether that is a bound."""
    fields = receptive_fields(graph)
    last = last_map(graph, fields)
    names = {graph.output: graph.output_name, **{each.node: each.name for each in graph.taps if not each.is_tap}}
    maps = [at for at in graph.main_outputs if graph.nodes[at].shape.pixels > 1]
    found: list[MapSize] = []
    for at in maps or [last]:
        seen = fields[at]
        if seen is not None and not seen.local.whole and seen.tracks:
            name = names.get(at, "") if maps else graph.nodes[at].path
            found.append(MapSize(name, graph.nodes[at].shape, seen.local.stride))
    seen = fields[last]
    return tuple(found), seen.local.size if seen else (), seen is not None and seen.local.at_most
