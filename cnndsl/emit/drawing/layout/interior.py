"""The inside of a block: a chain on an axis, skips on lanes at its right, branches as columns in the order written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cnndsl.emit.drawing.cards.model import (
    Branching,
    FusedRow,
    InsetBox,
    PanelElement,
    PartState,
    RepeatFrame,
    SkipLink,
)
from cnndsl.emit.drawing.cards.operands import in_order, is_ordered
from cnndsl.emit.drawing.layout.lanes import Lane, stacked
from cnndsl.emit.drawing.layout.layered import layered
from cnndsl.emit.drawing.layout.looks import PLAIN_EDGE, EdgeLook, edge_look, edge_state, entering, first_state, leaving
from cnndsl.emit.drawing.layout.pieces import (
    MERGE,
    ROW,
    Fragment,
    badge,
    badge_width,
    has_sign,
    inset,
    merge,
    merge_box,
    merge_sign,
    narrow_row,
    row,
)
from cnndsl.emit.drawing.layout.sketch import SMALL, Sketch
from cnndsl.emit.drawing.measure import width

_SHAPED = 24.0
"""The gap between a branch and a failing merge, with a shape between."""
_FORK = 8.0
"""The distance from the entry of a fork to its first boxes."""
_GAP = 11.0
_BETWEEN, _CLOSE, _MANY = 9.0, 6.0, 8
"""The gap between columns; the gap if there are more columns than the third number."""
_DASH = (4.0, 3.0)
_SKIP_ROWS = 2
"""The most rows of a branch that can be drawn on a lane beside the main one."""
MOST_ROUND = 3
"""The most inputs of a merge that is drawn as a circle; a merge of more is a box, which has room for the edges."""
PORT = 28.0
"""The width of that room for each edge."""
_END = 14.0
"""The height of a named input or output."""


@dataclass(eq=False)
class InteriorStyle:
    """The width of rows, whether they are narrow columns, whether a long identity is named, and whether the pieces of a
    block that is not a chain are stacked."""

    most: float = 1e9
    is_narrow: bool = False
    names_identity: bool = True
    is_laned: bool = False


def chain(elements: Sequence[PanelElement], style: InteriorStyle) -> Fragment:
    """Draw elements in sequence."""
    pieces = [piece(each, style) for each in elements]
    labels, looks = _edges(elements)
    return stacked(pieces, [True] * len(pieces), labels, looks=looks)


def _edges(elements: Sequence[PanelElement]) -> tuple[list[str], list[EdgeLook]]:
    """Return the shapes beside the edges between elements, and the looks of these edges, for a network with errors."""
    labels, looks = [""] * len(elements), [PLAIN_EDGE] * (len(elements) + 1)
    before: PartState = ""
    for at, element in enumerate(elements):
        looks[at] = edge_look(edge_state(before, entering(element)))
        if at and isinstance(element, FusedRow):
            labels[at - 1] = element.cells[0].entering
        before = before or leaving(element)
    return (labels, looks) if looks != [PLAIN_EDGE] * len(looks) else (labels, [])


@dataclass(eq=False)
class PanelEdges:
    """The edges of elements that are not a chain: links over others, those that read the one before, inputs and
    outputs, as in `BlockPanel`."""

    links: Sequence[SkipLink]
    joined: Sequence[bool]
    inputs: Sequence[str]
    outputs: Sequence[tuple[int, str]] = ()


def graph(elements: Sequence[PanelElement], edges: PanelEdges, style: InteriorStyle, room: float) -> Fragment:
    """Draw elements that are not a chain in ranks, or, in a stacked style or if they are too many, one below the other
    with lanes for skips. Ranks take no more than `room` if possible."""
    if not style.is_laned and (found := _in_ranks(elements, edges, style, room)) is not None:
        return found
    inputs = [_end(each) for each in edges.inputs] if len(edges.inputs) > 1 else []
    before = len(inputs)
    pieces = [*inputs, *(piece(each, style) for each in elements), *(_end(name) for _, name in edges.outputs)]
    lanes: list[Lane] = []
    for each in edges.links:
        state = leaving(elements[each.source]) if each.source >= 0 else ""
        look = edge_look(edge_state(state, entering(elements[each.target])))
        source = each.source + before if each.source >= 0 else -1 - each.source if inputs else -1
        lanes.append(Lane(source, each.target + before, None, look.paint, look.line, look.dash))
    first = before + len(elements)
    lanes += [Lane(source + before, first + at) for at, (source, _) in enumerate(edges.outputs)]
    labels, looks = _edges(elements)
    joined = [*(False for _ in inputs), *edges.joined, *(False for _ in edges.outputs)]
    labels = [*("" for _ in inputs), *labels, *("" for _ in edges.outputs)]
    made = stacked(pieces, joined, labels, lanes, looks=looks if len(pieces) == len(elements) else [])
    return replace(made, has_inputs=bool(inputs))


def _in_ranks(
    elements: Sequence[PanelElement], panel: PanelEdges, style: InteriorStyle, room: float
) -> Fragment | None:
    own = in_order(panel.links, panel.joined)
    count = len(panel.inputs)
    edges = [(each.source + count if each.source >= 0 else -1 - each.source, each.target + count) for each in own]
    pieces = [_end(each) if count > 1 else _input(each) for each in panel.inputs]
    rounds = set[int]()
    for at, element in enumerate(elements):
        degree = sum(target == at + count for _, target in edges)
        if not isinstance(element, Branching) or element.branches:
            pieces.append(piece(element, style))
        elif has_sign(element) and degree <= MOST_ROUND:
            rounds.add(at + count)
            pieces.append(merge(element))
        else:
            pieces.append(merge_box(element, PORT * degree))
    edges += [(source + count, len(pieces) + at) for at, (source, _) in enumerate(panel.outputs)]
    pieces += [_end(name) for _, name in panel.outputs]
    ordered = {each.target + count for each in panel.links if each.operand >= 0}
    found = layered(pieces, edges, rounds, room, is_left=not panel.outputs, ordered=ordered)
    return None if found is None else replace(found, has_inputs=True)


def _input(name: str) -> Fragment:
    """Draw the edge that enters, with its label."""
    sketch = Sketch()
    sketch.text(6, 7, name, SMALL, paint="mute")
    sketch.line([(0, 0), (0, 9)])
    return Fragment(2, 8 + width(name, SMALL), 9, sketch)


def _end(name: str) -> Fragment:
    """Draw an input or output of a block that has several, by its name."""
    across = width(name, SMALL, 500) + 14
    sketch = Sketch()
    sketch.box(-across / 2, 0, across, _END, "io", "io-stroke", 0.9, _END / 2)
    sketch.text(0, _END / 2 + 3, name, SMALL, 500, anchor="middle")
    return Fragment(across / 2, across / 2, _END, sketch)


def piece(element: PanelElement, style: InteriorStyle) -> Fragment:
    """Draw one element."""
    match element:
        case FusedRow():
            return narrow_row(element) if style.is_narrow else row(element, most=style.most)
        case InsetBox():
            return inset(element)
        case RepeatFrame():
            return _framed(element, style)
        case Branching():
            return branching(element, style) if element.branches else merge(element)


def branching(element: Branching, style: InteriorStyle) -> Fragment:
    """Draw branches and their merge: one beside a lane if possible, otherwise as columns."""
    skip = skip_of(element)
    return _columns(element, style) if skip is None else _beside(element, skip, style)


def ports(element: Branching, style: InteriorStyle) -> dict[int, tuple[float, float]]:
    """Return where branches that begin elsewhere are entered: the distances of each from the axis and the top."""
    if not any(source >= 0 for source in element.sources):
        return {}
    pieces = _branches(element, style)
    found: dict[int, tuple[float, float]] = {}
    for at, x in enumerate(_axes(pieces)):
        if element.sources[at] >= 0:
            found[at] = (x, _bus(element, at))
    return found


def has_circle(element: Branching) -> bool:
    """Return whether the merge of branches is drawn as a circle, not as a box with its name."""
    return has_sign(element) if not element.branches else skip_of(element) is not None


def skip_of(element: Branching) -> int | None:
    """Return which of two branches can be drawn on a lane beside the other one; None if neither."""
    if (
        element.counts
        or len(element.branches) != 2
        or not has_sign(element)
        or any(each >= 0 for each in element.sources)
    ):
        return None
    rows = [_rows(branch) for branch in element.branches]
    if min(rows) > _SKIP_ROWS or rows == [0, 0]:
        return None
    short = rows.index(min(rows)) if rows[0] != rows[1] else 1
    is_plain = all(isinstance(each, FusedRow | InsetBox) for each in element.branches[short])
    if not is_plain or (rows[short] and rows[1 - short] <= rows[short]):
        return None
    return short


def _rows(elements: Sequence[PanelElement]) -> int:
    total = 0
    for each in elements:
        match each:
            case FusedRow() | InsetBox():
                total += 1
            case RepeatFrame():
                total += _rows(each.elements)
            case Branching():
                total += 1 + max((_rows(branch) for branch in each.branches), default=0)
    return total


def _beside(element: Branching, skip: int, style: InteriorStyle) -> Fragment:
    """Draw a main branch on the axis, the other one on a lane at its right; at its left if it is the first in a
    concatenation."""
    main = chain(element.branches[1 - skip], style)
    beside = [narrow_row(each) if isinstance(each, FusedRow) else piece(each, style) for each in element.branches[skip]]
    sketch = Sketch()
    top = _FORK + 3
    side = -1 if skip == 0 and is_ordered(element) else 1
    looks = _branch_looks(element)
    first, last = looks[1 - skip]
    sketch.line([(0, 0), (0, top)], paint=first.paint, line=first.line, dash=first.dash, head=not main.parts)
    sketch.place(main.sketch, 0, top)
    inner = main.height if not beside else max(main.height, sum(each.height for each in beside) + 6 * len(beside) + 6)
    merge_y = top + inner + (_SHAPED if element.shapes else _GAP) + MERGE
    points = [(0.0, top + main.height), (0.0, merge_y - MERGE)]
    sketch.line(points, paint=last.paint, line=last.line, dash=last.dash, head=True)
    name = "identity" if not beside and style.names_identity and element.word == "sum" else ""
    is_named = bool(name) and main.height > width(name, SMALL) + 8
    is_dashed = bool(element.optional) and element.optional[skip]
    inward = [each.left if side > 0 else each.right for each in beside]
    lane = side * ((main.right if side > 0 else main.left) + (7 + max(inward) if beside else 22 if is_named else 12))
    entry, end = looks[skip]
    dash = _DASH if is_dashed else entry.dash
    sketch.dot(0, 3, paint=entry.paint)
    y = top + (inner - sum(each.height for each in beside) - 6 * max(len(beside) - 1, 0)) / 2
    points = [(0.0, 3.0), (lane, 3.0)]
    for each in beside:
        sketch.line([*points, (lane, y)], paint=entry.paint, line=entry.line, dash=dash)
        sketch.place(each.sketch, lane, y)
        y += each.height
        points = [(lane, y)]
        y += 6
    dash = _DASH if is_dashed else end.dash
    sketch.line(
        [*points, (lane, merge_y), (side * MERGE, merge_y)], paint=end.paint, line=end.line, dash=dash, head=True
    )
    if is_named:
        sketch.text(lane - side * 5, top + main.height / 2, name, SMALL, paint="mute", anchor="middle", turned=True)
    sketch.place(merge_sign(element), 0, merge_y)
    outward = max((each.right if side > 0 else each.left for each in beside), default=2)
    left, right = (main.left, lane + outward) if side > 0 else (outward - lane, main.right)
    if element.shapes:
        on_main, on_skip = element.shapes[1 - skip], element.shapes[skip]
        near, far = ("end", "start") if side > 0 else ("start", "end")
        sketch.text(-5 * side, merge_y - MERGE - 9, on_main, SMALL, 600, last.label, near)
        sketch.text(lane + 5 * side, merge_y + 3, on_skip, SMALL, 600, end.label, far)
        reach = width(on_main, SMALL, 600) + 7, side * lane + 7 + width(on_skip, SMALL, 600)
        left, right = (max(one, two) for one, two in zip((left, right), reach[::side], strict=True))
    return Fragment(left, right, merge_y + MERGE, sketch, (0, merge_y + MERGE + 2.5), parts=True)


def _branch_looks(element: Branching) -> list[tuple[EdgeLook, EdgeLook]]:
    """Return for each branch the look of the edge that enters it and of the one from its end to the merge."""
    found: list[tuple[EdgeLook, EdgeLook]] = []
    for branch in element.branches:
        end = first_state([leaving(each) for each in branch])
        last = edge_look(edge_state(end, element.state))
        found.append((edge_look(edge_state("", entering(branch[0]))) if branch else last, last))
        if branch and entering(branch[0]) == "ghost":
            found[-1] = (edge_look("ghost"), last)
    return found


def _branch(elements: Sequence[PanelElement], style: InteriorStyle) -> Fragment:
    inner = InteriorStyle(style.most, style.is_narrow, names_identity=False)
    return chain(elements, inner) if elements else Fragment(4, 4, ROW, Sketch())


def _branches(element: Branching, style: InteriorStyle) -> list[Fragment]:
    pieces = [_branch(branch, style) for branch in element.branches]
    counts = element.counts or (1,) * len(pieces)
    return [_several(each, count) if count > 1 else each for each, count in zip(pieces, counts, strict=True)]


def _with_room(piece: Fragment, shape: str, name: str) -> Fragment:
    """Return a branch with room for a shape at the right of its axis, and for the name of its input at the left."""
    left = width(f"@{name}", SMALL) + 7 if name else 0
    return replace(piece, left=max(piece.left, left), right=max(piece.right, width(shape, SMALL, 600) + 5))


def _axes(pieces: Sequence[Fragment]) -> list[float]:
    """Return the axes of columns, centred as a whole on x = 0; the axis of a single column is there."""
    if len(pieces) == 1:
        return [0.0]
    between = _BETWEEN if len(pieces) <= _MANY else _CLOSE
    total = sum(each.width for each in pieces) + between * (len(pieces) - 1)
    x = -total / 2
    found: list[float] = []
    for each in pieces:
        found.append(x + each.left)
        x += each.width + between
    return found


def _bus(element: Branching, branch: int) -> float:
    """Return the height at which a branch that begins elsewhere is entered: each from a line of its own above the
    columns."""
    outer = [at for at, source in enumerate(element.sources) if source >= 0]
    return 8.0 + 9 * (len(outer) - outer.index(branch)) + (4 if len(outer) < len(element.branches) else 0)


def _columns(element: Branching, style: InteriorStyle) -> Fragment:
    """Draw branches side by side, from a line above them to a box that merges them."""
    pieces = _branches(element, style)
    if element.shapes:
        names = element.names or ("",) * len(pieces)
        pieces = [_with_room(each, text, name) for each, text, name in zip(pieces, element.shapes, names, strict=False)]
    looks = _branch_looks(element)
    axes = _axes(pieces)
    sources = element.sources or (-1,) * len(pieces)
    own = [at for at, source in enumerate(sources) if source < 0]
    outer = [at for at in range(len(pieces)) if at not in own]
    top = (4 if own else 0) + 9 * len(outer) + 14
    tallest = max(each.height for each in pieces)
    half = max(-(axes[0] - pieces[0].left), axes[-1] + pieces[-1].right)
    sketch = Sketch()
    if own:
        sketch.line([(0, 0), (0, 4)])
    for at in own:
        look = looks[at][0]
        dash = _DASH if element.optional and element.optional[at] else look.dash
        head = bool(element.branches[at]) and not pieces[at].parts
        points = [(0.0, 4.0), (axes[at], 4.0), (axes[at], top)]
        sketch.line(points, paint=look.paint, line=look.line, head=head, dash=dash)
    for at in outer:
        y = _bus(element, at)
        look = looks[at][0]
        has_head = bool(element.branches[at]) and not pieces[at].parts
        sketch.line([(axes[at], y), (axes[at], top)], paint=look.paint, line=look.line, dash=look.dash, head=has_head)
        if element.shapes and element.names[at]:
            sketch.text(axes[at] - 5, y + 8, f"@{element.names[at]}", SMALL, paint="mute", anchor="end")
    bottom = top + tallest + (22 if element.shapes else 14)
    for at, (each, x) in enumerate(zip(pieces, axes, strict=True)):
        sketch.place(each.sketch, x, top)
        look = looks[at][1]
        dash = _DASH if element.optional and element.optional[at] else look.dash
        start = top if not element.branches[at] else top + each.height
        sketch.line([(x, start), (x, bottom)], paint=look.paint, line=look.line, head=True, dash=dash)
        if at < len(element.shapes):
            sketch.text(x + 5, bottom - 9, element.shapes[at], SMALL, look.weight, look.label)
    box = merge_box(element, 2 * half)
    sketch.place(box.sketch, 0, bottom)
    half = max(half, box.right)
    return Fragment(half, half, bottom + box.height, sketch, (half, bottom + box.height / 2), parts=True)


def _framed(element: RepeatFrame, style: InteriorStyle) -> Fragment:
    """Draw elements in a frame with their number of iterations."""
    return _in_frame(chain(element.elements, style), element.text or element.times)


def _several(piece: Fragment, count: int) -> Fragment:
    """Draw a branch in a frame with the number of such branches; outlines behind the frame show that too."""
    made = _in_frame(piece, count)
    sketch = Sketch()
    for by in (4.0, 2.0):
        right, bottom = made.right + by, made.height + by
        sketch.line([(by + 4 - made.left, bottom), (right, bottom), (right, by + 4)], paint="hair")
    sketch.place(made.sketch, 0, 0)
    return replace(made, right=made.right + 4, sketch=sketch)


def _in_frame(inner: Fragment, times: int | str) -> Fragment:
    sketch = Sketch()
    left, right = max(inner.left + 6, 24.0), max(inner.right + 6, 14 + badge_width(times))
    height = inner.height + 26
    sketch.box(-left, 0, left + right, height, "", "hair", 1, 4)
    badge(sketch, right - 4, 3, times)
    sketch.line([(0, 0), (0, 20)], head=not inner.parts)
    sketch.place(inner.sketch, 0, 20)
    sketch.line([(0, 20 + inner.height), (0, height)])
    return Fragment(left, right, height, sketch)
