"""Layers that move values about, in pairs that give the shape back that they take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cnndsl.testing.crossings.frames import GeneratedScope, Piece
from cnndsl.testing.crossings.widths import Misfit, PieceShape

DrawText: TypeAlias = Callable[[GeneratedScope, PieceShape, tuple[int, ...]], str]


def arranged(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws layers that arrange a map of a known size, with dice of their own. Raises Misfit for others."""
    space = form.space
    if space is None or space.size is None or space.base or space.steps:
        raise Misfit
    draw = frame.pen.forms.choice(_MENU)
    return Piece(draw(frame, form, space.size), form)


def _order(frame: GeneratedScope, *others: str) -> str:
    order = frame.pen.forms.choice(("", "", "blocks", "channels", *others))
    return f"(order={order})" if order else ""


def _blocks(frame: GeneratedScope, form: PieceShape, size: tuple[int, ...]) -> str:
    """Positions to channels and back."""
    if len(size) != 2 or any(extent % 2 for extent in size):
        raise Misfit
    darknet = ("darknet",) * frame.divides(4, form.width)
    return f"[PIXELUNSHUFFLE2{_order(frame, *darknet)} -> PIXELSHUFFLE2{_order(frame)}]"


def _pixels(frame: GeneratedScope, form: PieceShape, size: tuple[int, ...]) -> str:
    """Channels to positions and back."""
    if len(size) != 2 or max(size) > 8 or not frame.divides(4, form.width):
        raise Misfit
    return f"[PIXELSHUFFLE2{_order(frame)} -> PIXELUNSHUFFLE2{_order(frame)}]"


_MENU: tuple[DrawText, ...] = (_blocks, _pixels)
