"""The spine: input, open rows and cards on one axis, with lanes for edges that skip some of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from cnndsl.emit.drawing.cards.ends import told_ends
from cnndsl.emit.drawing.cards.model import (
    Branching,
    DrawingModel,
    GroupTag,
    NamedEnd,
    NetCard,
    PartState,
    SpineBranching,
    SpineRow,
    SpineStep,
)
from cnndsl.emit.drawing.cards.operands import in_order
from cnndsl.emit.drawing.cards.shared import edge_text
from cnndsl.emit.drawing.cards.states import UNKNOWN
from cnndsl.emit.drawing.layout import card as cards
from cnndsl.emit.drawing.layout.interior import MOST_ROUND, PORT, InteriorStyle, branching, ports
from cnndsl.emit.drawing.layout.lanes import ENDING, LABELLED, PLAIN, Lane
from cnndsl.emit.drawing.layout.layered import layered
from cnndsl.emit.drawing.layout.looks import EdgeLook, edge_look, edge_state, entering, leaving
from cnndsl.emit.drawing.layout.pieces import Fragment, has_sign, mark_bar, merge, merge_box, row
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.layout.strips import is_plain, strip, strip_width, strips
from cnndsl.emit.drawing.measure import shortened, width

_SKIP = "mute"
_SKIP_LINE = 1.4
_DASH = (4.0, 3.0)
_MOST_LABEL = 240.0
"""The largest width of the label of an edge."""
_WIDEST_ROW = 220.0
"""The largest width of rows; wider cards have rows of this width between them."""
_SIGN = 20.0
"""The space for a symbol at the left of a piece."""


@dataclass(eq=False)
class SpinePieces:
    """The pieces of the spine, whether an edge leads to each from the one before it, and the label of that edge."""

    pieces: list[Fragment]
    joined: list[bool]
    labels: list[str]
    lanes: list[Lane]
    names: list[str]
    """The stages that begin with a piece."""
    breaks: list[bool]
    """Whether a column may begin with a piece."""
    across: float = 0
    """The largest width of the pieces."""
    homes: list[int] = field(default_factory=list[int])
    """The piece that contains each step of the network."""
    headed: dict[int, Fragment] = field(default_factory=dict[int, Fragment])
    """Cards with the heads of their columns, which are drawn if a column of the page begins with them."""
    has_figures: bool = True
    """Whether cards have room for their parameters."""
    given: frozenset[int] = frozenset()
    """The pieces from which an edge leads to a panel."""
    looks: list[EdgeLook] = field(default_factory=list[EdgeLook])
    """The looks of the edges that lead to pieces, and of the one that leaves; empty if all are plain."""


def natural_width(model: DrawingModel, *, is_wide: bool) -> float:
    """Return the width of the spine's steps that has room for all texts."""
    return max([80.0, *(_natural(step, is_wide) for step in model.steps)])


def _natural(step: SpineStep, is_wide: bool) -> float:
    match step:
        case SpineRow():
            return width(step.row.cells[0].text, 9, 500) + 24 if step.is_input else row(step.row).width
        case SpineBranching():
            return branching(step.element, InteriorStyle(is_narrow=not is_wide)).width if step.element.branches else 0
        case NetCard():
            return max(cards.natural_width(step), cards.columns_width(step) if is_wide else 0)


def spine(model: DrawingModel, across: float, *, is_wide: bool = False) -> SpinePieces:
    """Draw the steps of the spine, each of the given width."""
    found = SpinePieces([], [], [], [], [], [], across)
    heads: tuple[str, ...] = ()
    form = cards.form([step for step in model.steps if isinstance(step, NetCard)], across, is_wide=is_wide)
    found.has_figures = form.has_params
    groups = strips(model, across) if is_wide else [[at] for at in range(len(model.steps))]
    for group in groups:
        at = group[0]
        step, last = model.steps[at], model.steps[group[-1]]
        before = model.steps[at - 1] if at else None
        rows = [each for each in model.steps[at : group[-1] + 1] if _is_open_row(each)] if is_wide else []
        is_gone = bool(model.marks) and _is_gone(last)
        if rows and is_plain(model) and strip_width(rows) <= across:
            piece, shows = strip(rows, model.tags[at : group[-1] + 1], across), False
        else:
            piece, shows = piece_of(step, across, form, heads), _shows_shape(step, is_wide=is_wide)
            if model.marks and (mark := model.marks[at]):
                piece = replace(piece, marks=[(0.0, piece.height, mark)])
            piece = _tagged(_marked(piece) if piece.marks else piece, model.tags[at])
            if isinstance(step, NetCard) and step.heads and step.heads == heads and is_wide:
                found.headed[len(found.pieces)] = _tagged(piece_of(step, across, form, ()), model.tags[at])
        heads = last.heads if isinstance(last, NetCard) else ()
        found.pieces.append(piece)
        found.joined.append(model.is_joined[at])
        changed = (
            before is None
            or edge_text(last) != last.shape
            or last.shape != before.shape
            or (last is model.steps[-1] and is_gone)
        )
        found.labels.append(edge_text(last) if shows and changed else "")
        found.names.append(step.stage)
        found.breaks.append(_may_begin(step, before))
        found.homes += [len(found.pieces) - 1] * len(group)
    found.given = frozenset(found.homes[step] for panel in model.panels for step in panel.steps)
    _tell(found, model)
    if model.faults:
        _with_states(found, model.steps)
    _link(found, model, across)
    return found


def with_heads(drawn: SpinePieces, parts: Sequence[tuple[int, int]]) -> SpinePieces:
    """Return the pieces; in each column after the first, the first card that has branches has heads above them."""
    pieces = list(drawn.pieces)
    for start, stop in parts[1:]:
        for at in sorted(drawn.headed.keys() & range(start, stop))[:1]:
            pieces[at] = drawn.headed[at]
    return replace(drawn, pieces=pieces)


def _tell(found: SpinePieces, model: DrawingModel) -> None:
    """Add the names of outputs to the labels."""
    told: dict[int, list[NamedEnd]] = {}
    shapes = {home: model.steps[step].shape for step, home in enumerate(found.homes)}
    for end in model.ends:
        told.setdefault(found.homes[end.step], []).append(end)
    for home, ends in told.items():
        shape = found.labels[home] or shapes[home]
        forms = [[shape, *told_ends(ends, shapes[home])], [shape, *told_ends(ends)], told_ends(ends)]
        texts = [", ".join(each) for each in forms]
        found.labels[home] = next((each for each in texts if width(each, SMALL) <= _MOST_LABEL), texts[-1])
    for step, text in model.carried:
        home = found.homes[step]
        found.labels[home] = f"{found.labels[home]}, {text}" if found.labels[home] else text
    found.labels = [shortened(each, SMALL, _MOST_LABEL) for each in found.labels]


def _link(found: SpinePieces, model: DrawingModel, across: float) -> None:
    """Add the lanes of edges that skip some pieces."""
    style = _SKIP if any(each.target - each.source > 1 for each in model.links) else "line"
    for link in model.links:
        target = model.steps[link.target]
        port = None
        if isinstance(target, SpineBranching) and link.branch >= 0:
            port = ports(target.element, _style(target.element, across)).get(link.branch)
        dash = _DASH if link.is_dashed else ()
        state = edge_state(_leaving(model.steps[link.source]), _entering(target)) if model.faults else ""
        look = edge_look(state) if state else EdgeLook(style, _SKIP_LINE, dash)
        is_only = sum(each.target == link.target for each in model.links) == 1 and isinstance(target, SpineBranching)
        label = model.steps[link.source].shape if state == "failing" and is_only else ""
        line = max(look.line, _SKIP_LINE)
        lane = Lane(link.source, link.target, port, look.paint, line, look.dash, label, link.row, link.start)
        found.lanes.append(replace(lane, name=link.label))


def _with_states(drawn: SpinePieces, steps: Sequence[SpineStep]) -> None:
    """Give edges the looks of a network with errors, and shapes to those that enter or leave a failing part."""
    before: PartState = ""
    for at, step in enumerate(steps):
        state = edge_state(before, _entering(step))
        drawn.looks.append(edge_look(state if at else ""))
        if at and state == "failing" and not drawn.labels[at - 1]:
            drawn.labels[at - 1] = steps[at - 1].shape
        before = _leaving(step)
        if before:
            drawn.labels[at] = step.shape if step.shape == UNKNOWN else ""
    drawn.looks.append(edge_look(edge_state(before, "")))


def _entering(step: SpineStep) -> PartState:
    match step:
        case SpineRow():
            return entering(step.row)
        case SpineBranching():
            return entering(step.element)
        case NetCard():
            return ""


def _leaving(step: SpineStep) -> PartState:
    match step:
        case SpineRow():
            return leaving(step.row)
        case SpineBranching():
            return leaving(step.element)
        case NetCard():
            return step.state


def _is_open_row(step: SpineStep) -> TypeGuard[SpineRow]:
    return isinstance(step, SpineRow) and not step.is_input and not step.stage


def _is_gone(step: SpineStep) -> bool:
    """Return whether a step exists only in the network that the drawing is compared with."""
    return isinstance(step, SpineRow) and all(cell.role == "ghost" for cell in step.row.cells)


def _shows_shape(step: SpineStep, *, is_wide: bool) -> bool:
    """Return whether the edge that leaves a step shows its shape."""
    if isinstance(step, NetCard):
        return not (step.growth or (is_wide and step.heads and len(step.lines) == 1))
    return not (isinstance(step, SpineRow) and step.is_input)


def in_ranks(model: DrawingModel, drawn: SpinePieces, room: float, *, always: bool = False) -> Fragment | None:
    """Draw a spine with skips that is not a chain in ranks, or `always` any spine, within a width if possible; return
    None for any other one, and if ranks cannot show it."""
    links = [each for each in model.links if each.branch < 0]
    if (all(drawn.joined[1:]) and not always) or len(links) < len(model.links) or any(drawn.names):
        return None
    joined = [bool(at) and is_joined for at, is_joined in enumerate(drawn.joined)]
    edges = [(each.source, each.target) for each in in_order(links, joined)]
    if any(source >= target for source, target in edges):
        return None
    degrees = Counter(target for _, target in edges)
    pieces, rounds = list(drawn.pieces), set[int]()
    for at, step in enumerate(model.steps):
        mark = model.marks[at] if model.marks else None
        if isinstance(step, SpineRow) and not step.is_input and mark is None:
            pieces[at] = _tagged(row(step.row, most=max(drawn.across, 60)), model.tags[at])
        if isinstance(step, SpineBranching) and not step.element.branches and mark is None:
            if has_sign(step.element) and degrees[at] <= MOST_ROUND:
                rounds.add(at)
            else:
                pieces[at] = _tagged(merge_box(step.element, PORT * degrees[at]), model.tags[at])
    sources = {source for source, _ in edges}
    labelled = [
        _with_label(piece, label, at not in sources)
        for at, (piece, label) in enumerate(zip(pieces, drawn.labels, strict=True))
    ]
    ordered = {each.target for each in links if each.operand >= 0}
    return layered(labelled, edges, rounds, room, is_left=False, ordered=ordered)


def _with_label(piece: Fragment, label: str, is_end: bool) -> Fragment:
    """Return a piece with its output beside the beginning of the edge."""
    if not label:
        return piece
    sketch = Sketch()
    sketch.place(piece.sketch, 0, 0)
    low = piece.height + ENDING + piece.below
    sketch.line([(0, piece.height), (0, low)], head=is_end)
    sketch.text(7, low - 0.5, label, SMALL, paint="mute")
    return replace(piece, right=max(piece.right, 9 + width(label, SMALL)), height=low, sketch=sketch)


def _style(element: Branching, across: float) -> InteriorStyle:
    """Return the widest style in which branches fit a width."""
    styles = (InteriorStyle(), InteriorStyle(most=118), InteriorStyle(is_narrow=True))
    fitting = (each for each in styles if branching(element, each).width <= across)
    return next(fitting, styles[-1])


def piece_of(step: SpineStep, across: float, form: cards.CardForm, heads: tuple[str, ...]) -> Fragment:
    """Draw a step of the spine at the given width."""
    match step:
        case SpineRow():
            if step.is_input:
                return _pill(step.row.cells[0].text)
            has_main = any(cell.role not in ("act", "norm", "io") for cell in step.row.cells)
            return row(step.row, least=min(across, _WIDEST_ROW) if has_main else 0, most=max(across, 60))
        case SpineBranching():
            if not step.element.branches:
                return merge(step.element)
            return branching(step.element, _style(step.element, across))
        case NetCard():
            return cards.card(step, across, form, with_heads=step.heads != heads)


def _pill(text: str) -> Fragment:
    across = width(text, 9, 500) + 24
    sketch = Sketch()
    sketch.box(-across / 2, 0, across, 17, "io", "io-stroke", 0.9, 8.5)
    sketch.text(0, 11.7, text, 9, 500, anchor="middle")
    return Fragment(across / 2, across / 2, 17, sketch)


def _marked(piece: Fragment) -> Fragment:
    """Return the piece with a bar at the left of marked parts, and a symbol before that, since a colour alone is not
    enough."""
    sketch = Sketch()
    sketch.place(piece.sketch, 0, 0)
    for top, low, mark in piece.marks:
        mark_bar(sketch, -piece.left - 7, top, low - top, mark)
        sketch.text(-piece.left - 10, (top + low) / 2 + 3.6, mark.sign, 10, 700, mark.paint, "end")
    return replace(piece, left=piece.left + _SIGN, sketch=sketch)


def _tagged(piece: Fragment, tag: GroupTag) -> Fragment:
    """Return the piece as a group with the name of the step's path."""
    return replace(piece, sketch=piece.sketch.grouped(tag.id, tag.title, tag.link))


def _may_begin(step: SpineStep, before: SpineStep | None) -> bool:
    if isinstance(step, NetCard) or step.stage:
        return True
    return isinstance(before, SpineRow) and any(cell.role == "pool" for cell in before.row.cells)


def heights(drawn: SpinePieces) -> list[float]:
    """Return for each piece its height with the gap before it."""
    found: list[float] = []
    for at, piece in enumerate(drawn.pieces):
        label = drawn.labels[at - 1] if at else ""
        is_labelled = bool(drawn.names[at]) or (bool(label) and (drawn.joined[at] or "," in label))
        found.append(piece.height + ((LABELLED if is_labelled else PLAIN) if at else 0))
    return found
