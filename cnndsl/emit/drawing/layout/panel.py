"""Panels: a block opened, with its key, its name, and its iterations."""

from __future__ import annotations

from dataclasses import replace

from cnndsl.emit.drawing.cards.model import BlockPanel, FusedRow
from cnndsl.emit.drawing.display import PathItem
from cnndsl.emit.drawing.layout.across import Strip, lying
from cnndsl.emit.drawing.layout.interior import InteriorStyle, PanelEdges, chain, graph
from cnndsl.emit.drawing.layout.looks import HEAVY, edge_look, edge_state, entering, leaving
from cnndsl.emit.drawing.layout.pieces import ROW, Fragment, badge, key_disc, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

PAD = 7.0
_STYLES = (
    InteriorStyle(),
    InteriorStyle(most=118),
    InteriorStyle(most=84),
    InteriorStyle(is_narrow=True),
    InteriorStyle(is_narrow=True, names_identity=False),
    InteriorStyle(is_narrow=True, names_identity=False, is_laned=True),
)
"""From the widest to the narrowest."""
STYLE_COUNT = len(_STYLES)


class PanelArtist:
    """Draws panels, and caches their insides in each style: several widths are tried, up to `widest`."""

    def __init__(self, widest: float) -> None:
        self._widest = widest - 2 * PAD
        self._known: dict[tuple[int, int], Fragment] = {}
        self._made: dict[tuple[int, float], Fragment] = {}
        self._lying: dict[int, Fragment | None] = {}

    def _interior(self, panel: BlockPanel, style: int) -> Fragment:
        key = (id(panel), style)
        if key not in self._known:
            self._known[key] = _interior(panel, _STYLES[style], self._widest)
        return self._known[key]

    def _fitting(self, panel: BlockPanel, room: float) -> Fragment:
        """Return the inside of a panel in the widest style that fits a width, otherwise in the narrowest."""
        styles = self._styles(panel)
        found = next((each for each in styles if self._interior(panel, each).width <= room), None)
        if found is not None:
            return self._interior(panel, found)
        return min((self._interior(panel, each) for each in styles), key=lambda each: each.width)

    def _styles(self, panel: BlockPanel) -> range:
        """Return the styles of a panel: the one with lanes only if all others are wider than `widest`."""
        others = range(len(_STYLES) - 1)
        has_room = any(self._interior(panel, each).width <= self._widest for each in others)
        return others if has_room else range(len(_STYLES))

    def style(self, panel: BlockPanel, across: float) -> int:
        """Return the style in which a panel of a width is drawn, 0 for the one that has room for everything."""
        room = across - 2 * PAD
        styles = self._styles(panel)
        return next((each for each in styles if self._interior(panel, each).width <= room + 0.1), len(_STYLES))

    def least_width(self, panel: BlockPanel) -> float:
        """Return the width of a panel in the narrowest style."""
        inner = min(self._interior(panel, style).width for style in self._styles(panel))
        return max(inner + 2 * PAD, 110)

    def natural_width(self, panel: BlockPanel, style: int = 0) -> float:
        """Return the width of a panel in a style, by default the widest."""
        inner = self._interior(panel, min(style, self._styles(panel)[-1])).width
        notes = max((width(each, SMALL) for each in (panel.caption, *panel.notes)), default=0)
        return max(inner + 2 * PAD, width(panel.title, 10, 600) + 40, notes + 2 * PAD + 4)

    def panel(self, model: BlockPanel, across: float) -> Fragment:
        """Draw a panel of a width, which it exceeds if it must. Its left side is at x = 0."""
        key = (id(model), across)
        if key not in self._made:
            self._made[key] = self._drawn(model, across)
        return self._made[key]

    def lying(self, model: BlockPanel) -> Fragment | None:
        """Draw a panel that flows to the right, at its natural width; None if that is impossible. Its left side is at x
        = 0."""
        if id(model) not in self._lying:
            inner = lying(model)
            self._lying[id(model)] = None if inner is None else _lying(model, inner)
        return self._lying[id(model)]

    def _drawn(self, model: BlockPanel, across: float) -> Fragment:
        if model.kind == "growth":
            return _growth(model, across)
        inner = self._fitting(model, across - 2 * PAD)
        across = max(across, inner.width + 2 * PAD)
        sketch = Sketch()
        y = _title(sketch, model, across)
        axis = (across - inner.width) / 2 + inner.left
        if inner.has_inputs:
            sketch.place(inner.sketch, axis, y)
        else:
            y += _entering(sketch, model, axis, y, across)
            sketch.place(inner.sketch, axis, y)
        y += inner.height
        if model.outputs:
            y += 3
        else:
            y += _leaving(sketch, model, axis + inner.exit, y, across - PAD, is_chain=not inner.has_inputs)
        for note in model.notes:
            y += 13
            sketch.text(PAD + 2, y, note, SMALL, paint="mute", room=across - 2 * PAD - 2)
        y += PAD - 2
        outline = Sketch()
        dash = (4.0, 3.0) if model.kind == "training" else ()
        is_failing = model.state == "failing"
        stroke, line = ("error", HEAVY) if is_failing else ("mute" if dash else "hair", 0.8)
        outline.box(0, 0, across, y, "panel", stroke, line, 5, dash)
        outline.place(sketch, 0, 0)
        return Fragment(0, across, y, outline)


def _lying(model: BlockPanel, inner: Strip) -> Fragment:
    """Draw a panel around a piece that flows to the right."""
    before, after = (width(each, SMALL) + 4 if each else 12.0 for each in (model.entering, model.leaving))
    notes = max((width(each, SMALL) for each in (model.caption, *model.notes)), default=0)
    across = max(before + inner.length + after + 2 * PAD, width(model.title, 10, 600) + 60, notes + 2 * PAD + 4)
    sketch = Sketch()
    y = _title(sketch, model, across) + max(inner.up + 1, 16.0)
    x = PAD + (across - before - inner.length - after - 2 * PAD) / 2
    sketch.line([(x, y), (x + before, y)], head=_begins_with_box(model))
    sketch.text(x, y - 5.5, model.entering, SMALL, paint="mute")
    sketch.place(inner.sketch, x + before, y)
    x += before + inner.length
    sketch.line([(x, y), (x + after, y)], head=True)
    sketch.text(x + after - 1, y - 5.5, model.leaving, SMALL, paint="mute", anchor="end")
    y += inner.down
    for note in model.notes:
        y += 13
        sketch.text(PAD + 2, y, note, SMALL, paint="mute")
    y += PAD
    outline = Sketch()
    dash = (4.0, 3.0) if model.kind == "training" else ()
    outline.box(0, 0, across, y, "panel", "mute" if dash else "hair", 0.8, 5, dash)
    outline.place(sketch, 0, 0)
    return Fragment(0, across, y, outline)


def _entering(sketch: Sketch, model: BlockPanel, axis: float, y: float, across: float) -> float:
    """Draw the edge that enters a panel, with its label beside it, or above it if there is no room. Return how far down
    it extends."""
    text = width(model.entering, SMALL)
    above = 0.0
    has_lanes = any(each.source < 0 for each in model.links)  # they begin at the right of the edge
    if axis - 5 - text > PAD:
        sketch.text(axis - 5, y + 7, model.entering, SMALL, paint="mute", anchor="end")
    elif axis + 6 + text <= across - 2 and not has_lanes:
        sketch.text(axis + 6, y + 7, model.entering, SMALL, paint="mute")
    else:
        x = min(max(axis, PAD + text / 2), across - PAD - text / 2)
        sketch.text(x, y + 7, model.entering, SMALL, paint="mute", anchor="middle")
        above = 10.0
    look = edge_look(edge_state("", entering(model.elements[0])))
    ends = [(axis, y + above), (axis, y + above + 12)]
    sketch.line(ends, paint=look.paint, line=look.line, dash=look.dash, head=_begins_with_box(model))
    return above + 12


def _leaving(sketch: Sketch, model: BlockPanel, axis: float, y: float, right: float, *, is_chain: bool) -> float:
    """Draw the output of a panel: beside its last row if that is short and belongs to a chain, otherwise at an arrow.
    Return how far down it extends."""
    last = model.elements[-1]
    beside = axis + row(last).width / 2 + 6 if isinstance(last, FusedRow) else right
    if model.leaving and is_chain and len(model.elements) > 1 and beside + width(model.leaving, SMALL) <= right:
        sketch.text(beside, y - ROW / 2 + 3, model.leaving, SMALL, paint="mute")
        return 1
    look = edge_look(edge_state(leaving(last), ""))
    sketch.line([(axis, y), (axis, y + 10)], paint=look.paint, line=look.line, dash=look.dash, head=True)
    across = width(model.leaving, SMALL)
    if not model.leaving:
        return 10
    if axis + 7 + across <= right:
        sketch.text(axis + 7, y + 9, model.leaving, SMALL, paint=look.label)
    elif axis - 7 - across >= PAD:
        sketch.text(axis - 7, y + 9, model.leaving, SMALL, paint=look.label, anchor="end")
    else:
        x = min(max(axis, PAD + across / 2), right - across / 2)
        sketch.text(x, y + 19, model.leaving, SMALL, paint=look.label, anchor="middle")
        return 20
    return 10


def _growth(model: BlockPanel, across: float) -> Fragment:
    """Draw how each layer of a dense block reads all before it."""
    sketch = Sketch()
    height = 86.0
    sketch.box(0, 0, across, height, "panel", "hair", 0.8, 5)
    sketch.text(PAD, 16.5, model.title, 10, 600, room=across - 2 * PAD)
    step = min((across - 2 * PAD - 14) / 4, 32)
    left = (across - 4 * step) / 2
    y = 56.0
    for first in range(5):
        for last in range(first + 2, 5):
            start, stop = left + first * step, left + last * step
            rise = 7.0 * (last - first)
            curve = ("C", (start, y - 5 - rise, stop, y - 5 - rise, stop, y - 5))
            sketch.items.append(PathItem((("M", (start, y - 5)), curve), "", "conv-stroke", 0.8))
        role = "conv" if first else "io"
        sketch.box(left + first * step - 5, y - 5, 10, 10, role, f"{role}-stroke", 0.9, 2)
        if first:
            sketch.line([(left + (first - 1) * step + 6, y), (left + first * step - 6, y)], head=True)
    sketch.text(PAD + 1, height - 9, model.notes[0], SMALL, paint="mute", room=across - 2 * PAD)
    return Fragment(0, across, height, sketch)


def _interior(panel: BlockPanel, style: InteriorStyle, room: float) -> Fragment:
    if not panel.links and not panel.outputs and all(panel.joined[1:]):
        return chain(panel.elements, style)
    if panel.state:
        style = replace(style, is_laned=True)  # ranks do not show the part that fails
    inputs = [each or panel.entering for each in panel.inputs] if len(panel.inputs) > 1 else [panel.entering]
    return graph(panel.elements, PanelEdges(panel.links, panel.joined, inputs, panel.outputs), style, room)


def _begins_with_box(model: BlockPanel) -> bool:
    from cnndsl.emit.drawing.cards.model import Branching

    return not isinstance(model.elements[0], Branching) or not model.elements[0].branches


def _title(sketch: Sketch, model: BlockPanel, across: float) -> float:
    """Draw the key, the name and the caption; return where the inside begins."""
    x = PAD
    if model.key:
        key_disc(sketch, PAD + 6, 13, model.key)
        x += 17
    right = across - PAD
    if model.kind != "block" and model.times > 1:
        right -= badge(sketch, right, 6.5, model.times) + 5
    sketch.text(x, 16.5, model.title, 10, 600, room=right - x)
    if not model.caption:
        return 22
    sketch.text(PAD + 1, 30, model.caption, SMALL, paint="mute", room=across - 2 * PAD)
    return 34
