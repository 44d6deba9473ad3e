"""One form for the concatenations of a picture: boxes if one of them is a box, otherwise circles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from cnndsl.emit.drawing.cards.model import Branching, DrawingModel, PanelElement, RepeatFrame, SpineBranching
from cnndsl.emit.drawing.layout.interior import MOST_ROUND, has_circle


def joins(model: DrawingModel) -> Iterator[Branching]:
    """Yield the concatenations of panels and of the spine, including nested ones."""
    elements: list[PanelElement] = [each for panel in model.panels for each in panel.elements]
    elements += [step.element for step in model.steps if isinstance(step, SpineBranching)]
    while elements:
        each = elements.pop()
        if isinstance(each, RepeatFrame):
            elements += each.elements
        if isinstance(each, Branching):
            elements += [inner for branch in each.branches for inner in branch]
            if each.word == "concatenate":
                yield each


def with_one_form(model: DrawingModel) -> DrawingModel:
    """Return a drawing whose concatenations are all boxes if one of them has no room as a circle."""
    found = list(joins(model))
    if not any(map(_is_box, found)) or not any(each.sign for each in found):
        return model
    panels = (replace(panel, elements=_boxed(panel.elements)) for panel in model.panels)
    steps = (
        replace(step, element=_box(step.element)) if isinstance(step, SpineBranching) else step for step in model.steps
    )
    return replace(model, panels=tuple(panels), steps=tuple(steps))


def _is_box(element: Branching) -> bool:
    return not has_circle(element) or (not element.branches and len(element.widths) > MOST_ROUND)


def _boxed(elements: Iterable[PanelElement]) -> tuple[PanelElement, ...]:
    return tuple(_element(each) for each in elements)


def _element(element: PanelElement) -> PanelElement:
    match element:
        case Branching():
            return _box(element)
        case RepeatFrame():
            return replace(element, elements=_boxed(element.elements))
        case _:
            return element


def _box(element: Branching) -> Branching:
    """Return a merge without the sign that makes it a circle, if it is a concatenation."""
    sign = "" if element.word == "concatenate" else element.sign
    return replace(element, sign=sign, branches=tuple(map(_boxed, element.branches)))
