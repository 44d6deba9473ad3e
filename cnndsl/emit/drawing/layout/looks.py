"""The looks of boxes and edges: by the role of a layer, or by the state of a part of a network with errors."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.model import Branching, FusedRow, InsetBox, PanelElement, PartState, RepeatFrame
from cnndsl.emit.drawing.display import Weight
from cnndsl.records import record

GHOST_DASH = (3.0, 2.5)
HEAVY = 1.8
"""The line width of failing parts."""


@record(slots=True)
class BoxLook:
    """The fill, outline and text of a box."""

    fill: str
    stroke: str
    line: float = 0.9
    dash: tuple[float, ...] = ()
    ink: str = "ink"
    weight: Weight = 500


@record(slots=True)
class EdgeLook:
    """The line of an edge, and the shape beside it."""

    paint: str = "line"
    line: float = 1
    dash: tuple[float, ...] = ()
    label: str = "mute"
    weight: Weight = 400


PLAIN_EDGE = EdgeLook()
_EDGES: dict[PartState, EdgeLook] = {
    "": PLAIN_EDGE,
    "failing": EdgeLook("error", HEAVY, (), "error", 600),
    "ghost": EdgeLook("ghost", 1, GHOST_DASH, "error", 400),
}
_BOXES = {
    "failing": BoxLook("error-ground", "error", HEAVY, (), "error", 600),
    "ghost": BoxLook("card", "ghost", 0.9, GHOST_DASH, "ghost"),
}


def box_look(role: str) -> BoxLook:
    """Return the look of a box in the colours of a role, or of a state."""
    return _BOXES.get(role) or BoxLook(role, f"{role}-stroke")


def edge_look(state: PartState) -> EdgeLook:
    """Return the look of an edge."""
    return _EDGES[state]


def edge_state(before: PartState, after: PartState) -> PartState:
    """Return the state of an edge: that of an edge from a failing part is unknown; an edge into one fails."""
    if before:
        return "ghost"
    return "failing" if after == "failing" else ""


def entering(element: PanelElement) -> PartState:
    """Return the state of the part that an edge into an element leads to."""
    match element:
        case FusedRow():
            return state_of(element.cells[0].role)
        case InsetBox():
            return state_of(element.role)
        case RepeatFrame():
            return entering(element.elements[0])
        case Branching():
            return element.state if not element.branches else ""


def leaving(element: PanelElement) -> PartState:
    """Return the state of an element's output."""
    match element:
        case FusedRow():
            return first_state([state_of(cell.role) for cell in element.cells])
        case InsetBox():
            return state_of(element.role)
        case RepeatFrame():
            return leaving(element.elements[-1])
        case Branching():
            return element.state


def first_state(states: Sequence[PartState]) -> PartState:
    """Return the first state of several in sequence that isn't known; later ones don't matter."""
    for state in states:
        if state:
            return state
    return ""


def state_of(role: str) -> PartState:
    """Return the state that is given in place of a role, if there is one."""
    return "failing" if role == "failing" else "ghost" if role == "ghost" else ""
