"""A slide: the spine flows to the right, on several lines if it is long; the panels are beneath it or beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import TypeAlias

from cnndsl.emit.drawing.cards.model import (
    BlockPanel,
    Branching,
    DrawingModel,
    FusedRow,
    InsetBox,
    LayerCell,
    NetCard,
    PanelElement,
    RepeatFrame,
)
from cnndsl.emit.drawing.cards.words import TIMES
from cnndsl.emit.drawing.layout.arrange import BETWEEN, GUTTER, Arrangement, PanelPlace, extent, narrowness, on_shelves
from cnndsl.emit.drawing.layout.legend import chosen, in_lines
from cnndsl.emit.drawing.layout.panel import STYLE_COUNT, PanelArtist
from cnndsl.emit.drawing.layout.pieces import Fragment
from cnndsl.emit.drawing.layout.sketch import Sketch
from cnndsl.emit.drawing.layout.stations import (
    GAP,
    WIDEST,
    Station,
    drawn_lines,
    is_boxed,
    line_height,
    line_width,
    lines_of,
    stations,
)

_WIDTHS = (WIDEST, 124.0, 104.0, 90.0)
_NARROWER, _LINE, _STANDING, _SMALLER = 0.05, 0.1, 0.15, 0.25
"""The strain of narrower cards, of each further line, of upright panels, of half the scale."""
_SHARES = (0.22, 0.27, 0.33, 0.4, 0.5, 0.6)
"""The shares of the width that panels at the right may take."""
_MOST_SETS = 40
"""The most choices of panels to try."""
SCALES = (1.42, 1.6, 1.8, 2.0)
"""A slide is laid out smaller and enlarged: at the first scale no text is smaller than 12 pixels."""
_MOST_AREA = 1.3
"""Panels are not tried lying if they would take a larger share of a slide than this."""
_Known: TypeAlias = dict[tuple[tuple[int, ...], str], BlockPanel]
_WEIGHTS = ("conv", "fc", "up")


def flowing(model: DrawingModel, across: float, height: float) -> tuple[Arrangement, float] | None:
    """Return the arrangement, with its scale, of a network whose spine is a chain on a slide of a size in pixels, or
    None.

    If not all panels fit, those are shown that cover the most weight layers; a network that doesn't fit without any
    panel gets a higher picture.
    """
    if model.links or not all(model.is_joined[1:]):
        return None
    artist = PanelArtist(across / SCALES[0])
    known: _Known = {}
    found: list[tuple[float, Arrangement, float]] = []
    for shown in _choices(model):
        areas = (each.width * each.height for panel in shown if (each := artist.lying(panel)) is not None)
        if sum(areas) * SCALES[0] ** 2 > _MOST_AREA * across * height:
            continue
        whole = _with_panels(model, shown, known)
        found = _fitting(_Slide(artist, model, whole), across, height)
        found = found or _fitting(_Slide(artist, model, _without_values(whole, known)), across, height)
        if found:
            break
    if not found:
        options = list(_Slide(artist, model, _with_panels(model, (), known)).options(across / SCALES[0]))
        return (min(options, key=lambda each: each.height), SCALES[0]) if options else None
    _, best, scale = min(found, key=lambda each: each[0])
    return best, scale


def _fitting(slide: _Slide, across: float, height: float) -> list[tuple[float, Arrangement, float]]:
    """Return the arrangements that fit, each with its strain and its scale."""
    found: list[tuple[float, Arrangement, float]] = []
    for scale in SCALES:
        options = [each for each in slide.options(across / scale) if each.height <= height / scale]
        smaller = _SMALLER * (SCALES[-1] / scale - 1)
        found += ((each.strain + smaller, each, scale) for each in options)
        if not options:
            break
    return found


def _without_values(model: DrawingModel, known: _Known) -> DrawingModel:
    """Return the network without the values of block letters in boxes that have no room for them, and without these
    letters in panels."""
    boxed = [step for step in model.steps if is_boxed(step) and step.lines[0].text]
    names: dict[int, set[str]] = {}
    for step in boxed:
        line = step.lines[0]
        names.setdefault(line.block, {"/s", f"{TIMES}s"}).update(
            each.partition(" ")[0] for each in line.text.split(", ")
        )
    told = [replace(step, lines=(replace(step.lines[0], text=""),)) if step in boxed else step for step in model.steps]
    panels: list[BlockPanel] = []
    for panel in model.panels:
        key = panel.nodes, f"{panel.key} without values"
        if panel.block in names and key not in known:
            known[key] = replace(panel, elements=_without_letters(panel.elements, names[panel.block]))
        panels.append(known[key] if panel.block in names else panel)
    return replace(model, steps=tuple(told), panels=tuple(panels))


def _without_letters(elements: Sequence[PanelElement], names: Collection[str]) -> tuple[PanelElement, ...]:
    """Return elements whose layers have no width or stride that is one of these letters, or a multiple of it."""
    found: list[PanelElement] = []
    for each in elements:
        if isinstance(each, FusedRow):
            cells = tuple(replace(cell, text=_plain(cell.text, names), short="") for cell in each.cells)
            found.append(FusedRow(cells))
        elif isinstance(each, RepeatFrame):
            found.append(replace(each, elements=_without_letters(each.elements, names)))
        elif isinstance(each, Branching):
            found.append(replace(each, branches=tuple(_without_letters(one, names) for one in each.branches)))
        else:
            found.append(each)
    return tuple(found)


def _plain(text: str, names: Collection[str]) -> str:
    first, *others = text.split(", ")
    kept = (each for each in others if each.lstrip("0123456789").partition("/")[0] not in names and each not in names)
    return ", ".join([first, *kept])


def _choices(model: DrawingModel) -> Iterator[tuple[BlockPanel, ...]]:
    """Yield choices of panels, those that cover the most weight layers first; blocks inside others are chosen only
    with them."""
    worths = [_worth(each) for each in model.panels]
    places = range(len(model.panels))
    every = [each for count in reversed(range(len(places) + 1)) for each in combinations(places, count)]
    every.sort(key=lambda choice: -sum(worths[at] for at in choice))
    for choice in [each for each in every if _is_closed(model, each)][:_MOST_SETS]:
        yield tuple(model.panels[at] for at in choice)


def _worth(panel: BlockPanel) -> float:
    """Return how much a panel explains: its number of weight layers, as often as they occur."""
    if panel.kind == "growth":
        return 0.5
    count = sum(cell.role in _WEIGHTS for cell in _cells(panel.elements))
    return count * (panel.times if panel.kind == "block" else 1) + 1


def _is_closed(model: DrawingModel, chosen: Sequence[int]) -> bool:
    """Return whether every key in the chosen panels has a panel, and no panel's block is closed in none of them and in
    no card."""
    shown = [model.panels[at] for at in chosen]
    keys = {each.key for panel in shown for each in _insets(panel.elements) if each.key}
    inside = {each.title for panel in model.panels for each in _insets(panel.elements)}
    drawn = {each.title for panel in shown for each in _insets(panel.elements)}
    own = {panel.key for panel in shown}
    used = keys | {line.key for step in model.steps if isinstance(step, NetCard) for line in step.lines}
    return keys <= own and all(
        panel.key in used if panel.key else panel.title not in inside or panel.title in drawn for panel in shown
    )


def _cells(elements: Iterable[PanelElement]) -> Iterator[LayerCell]:
    for each in _elements(elements):
        if isinstance(each, FusedRow):
            yield from each.cells


def _insets(elements: Iterable[PanelElement]) -> list[InsetBox]:
    return [each for each in _elements(elements) if isinstance(each, InsetBox)]


def _elements(elements: Iterable[PanelElement]) -> Iterator[PanelElement]:
    for each in elements:
        yield each
        if isinstance(each, RepeatFrame):
            yield from _elements(each.elements)
        elif isinstance(each, Branching):
            for branch in each.branches:
                yield from _elements(branch)


def _with_panels(model: DrawingModel, shown: Sequence[BlockPanel], known: _Known) -> DrawingModel:
    """Return the network with some of its panels, their letters in order; the cards name the other blocks. Panels with
    the same letter are the same in all choices, and drawn once."""
    given = sorted(panel.key for panel in model.panels if panel.key)
    keys = dict(zip([panel.key for panel in shown if panel.key], given, strict=False))
    steps = tuple(
        replace(step, lines=tuple(replace(line, key=keys.get(line.key, "")) for line in step.lines))
        if isinstance(step, NetCard)
        else step
        for step in model.steps
    )
    for panel in shown:
        key = keys.get(panel.key, "")
        if (panel.nodes, key) not in known:
            known[panel.nodes, key] = replace(panel, key=key, elements=_with_keys(panel.elements, keys))
    panels = tuple(known[panel.nodes, keys.get(panel.key, "")] for panel in shown)
    return replace(model, panels=panels, steps=steps)


def _with_keys(elements: Sequence[PanelElement], keys: Mapping[str, str]) -> tuple[PanelElement, ...]:
    """Return elements in which closed parts have other letters."""
    return tuple(replace(each, key=keys.get(each.key, "")) if isinstance(each, InsetBox) else each for each in elements)


class _Slide:
    """The arrangements of a network with some of its panels. `whole` has all of them."""

    def __init__(self, artist: PanelArtist, whole: DrawingModel, model: DrawingModel) -> None:
        self._artist = artist
        self._whole = whole
        self._model = model
        self._stations = cache(self._drawn_stations)

    def _drawn_stations(self, across: float) -> list[Station]:
        """Return the stations with rows of a width; 0 for rows in stations of their own."""
        return stations(self._model, self._whole.panels, across)

    def options(self, room: float) -> Iterator[Arrangement]:
        """Yield arrangements that use the width of the room."""
        for narrower, across in enumerate((*_WIDTHS, 0.0)):
            stations = self._stations(across)
            for region, own, strain in self._regions(room):
                if region is not None and region.width > room + 0.1:
                    continue
                lines = lines_of(stations, own)
                if max(map(line_width, lines)) > own + 0.1:
                    continue
                strain += _NARROWER * narrower + _LINE * (len(lines) - 1)
                yield self._arranged(lines, region, own, room, strain)

    def _regions(self, room: float) -> Iterator[tuple[Arrangement | None, float, float]]:
        """Yield panels, the width that they leave to the spine, and their strain."""
        panels = self._model.panels
        if not panels:
            yield None, room, 0
            return
        flat = [self._artist.lying(each) for each in panels]
        lying = [each for each in flat if each is not None]
        widest = max([each.width for each in lying], default=0)
        if len(lying) == len(panels) and widest <= room:
            yield _rows_of(lying, room), room, 0
            if widest < 0.6 * room:
                yield _rows_of(lying, widest), room - widest - GUTTER, 0
        yield from self._mixed(room)
        standing = on_shelves(self._artist, panels, room, is_left=False, above=BETWEEN)
        yield _placed(standing), room, _STANDING + narrowness(self._artist, standing)

    def _mixed(self, room: float) -> Iterator[tuple[Arrangement, float, float]]:
        """Yield panels one below the other at the right, each in the form that takes less width, or less height within
        a width."""
        for share in _SHARES:
            made: list[Fragment] = []
            strain = 0.0
            for each in self._model.panels:
                lying = self._artist.lying(each)
                widths = (self._artist.natural_width(each, style) for style in range(STYLE_COUNT))
                forms = [lying, *(self._artist.panel(each, across) for across in widths if across <= share * room)]
                options = [one for one in forms if one is not None and one.width <= share * room + 0.1]
                if not options:
                    break
                made.append(min(options, key=lambda one: one.height))
                strain += 0 if made[-1] is lying else _STANDING
            else:
                region = _rows_of(made, max(each.width for each in made))
                yield region, room - region.width - GUTTER, strain / len(made)

    def _arranged(
        self, lines: list[list[Station]], region: Arrangement | None, own: float, room: float, strain: float
    ) -> Arrangement:
        pieces = [station.piece for line in lines for station in line]
        entries = chosen(self._model, pieces)
        letters = in_lines(entries, room) if entries else None
        high = sum(line_height(line) for line in lines) + GAP * (len(lines) - 1)
        is_beside = own < room
        low = 0.0 if region is None else region.height
        content = max(high, low) if is_beside else high + (GAP + low if region else 0)
        height = content + (6 + letters.height if letters else 0)

        def draw() -> Sketch:
            sketch = Sketch()
            sketch.place(drawn_lines(lines), (own - max(map(line_width, lines))) / 2 if len(lines) == 1 else 0, 0)
            if region is not None:
                x = own + GUTTER if is_beside else (room - region.width) / 2
                sketch.place(region.draw(), x, 0 if is_beside else high + GAP)
            if letters:
                sketch.place(letters.sketch, 0, content + 6)
            return sketch

        return Arrangement(room, height, draw, strain)


def _rows_of(panels: Sequence[Fragment], room: float) -> Arrangement:
    """Return panels in rows of about the same length."""
    rows: list[list[Fragment]] = [[]]
    for each in panels:
        if rows[-1] and sum(one.width + BETWEEN for one in rows[-1]) + each.width > room:
            rows.append([])
        rows[-1].append(each)
    heights = [max(each.height for each in line) for line in rows]
    across = max(sum(each.width for each in line) + BETWEEN * (len(line) - 1) for line in rows)

    def draw() -> Sketch:
        sketch = Sketch()
        y = 0.0
        for line, height in zip(rows, heights, strict=True):
            x = 0.0
            for each in line:
                sketch.place(each.sketch, x, y)
                x += each.width + BETWEEN
            y += height + BETWEEN
        return sketch

    return Arrangement(across, sum(heights) + BETWEEN * (len(rows) - 1), draw)


def _placed(placed: Sequence[PanelPlace]) -> Arrangement:
    def draw() -> Sketch:
        sketch = Sketch()
        for each in placed:
            sketch.place(each.fragment.sketch, each.x, each.y)
        return sketch

    across, low = extent(placed, None)
    return Arrangement(across, low, draw)
