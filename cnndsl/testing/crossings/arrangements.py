"""Layers that move values about, in pairs that give the shape back that they take."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import TypeAlias

from cnndsl.testing.crossings.frames import GeneratedScope, Piece
from cnndsl.testing.crossings.widths import Misfit, PieceShape

DrawText: TypeAlias = Callable[[GeneratedScope, PieceShape, tuple[int, ...]], str]


def arranged(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws layers that arrange a map of a known size, with dice of their own. Raises Misfit for others."""
    space = form.space
    if space is None or space.size is None or space.base or space.steps or len(space.size) != frame.pen.rank:
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
    darknet = ("darknet", "darknet") * frame.divides(4, form.width)
    return f"[PIXELUNSHUFFLE2{_order(frame, *darknet)} -> PIXELSHUFFLE2{_order(frame)}]"


def _pixels(frame: GeneratedScope, form: PieceShape, size: tuple[int, ...]) -> str:
    """Channels to positions and back."""
    if len(size) != 2 or max(size) > 8 or not frame.divides(4, form.width):
        raise Misfit
    return f"[PIXELSHUFFLE2{_order(frame)} -> PIXELUNSHUFFLE2{_order(frame)}]"


def _reshaped(frame: GeneratedScope, form: PieceShape, size: tuple[int, ...]) -> str:
    """A map as a vector, or as a line of positions, and back."""
    values = frame.values(form.width)
    if not values or len(set(values)) > 1 or frame.hidden:
        raise Misfit
    forms, channels = frame.pen.forms, int(values[0])
    pixels = prod(size)
    first = forms.choice(
        ("FLATTEN", "FLATTEN(channels=last)", f"RESHAPE({pixels * channels})", f"RESHAPE({pixels}x{channels})")
    )
    back = f"RESHAPE({'x'.join(map(str, (*size, channels)))}{forms.choice(('', ', channels=last'))})"
    return f"[{first} -> {back}]"


def _attended(frame: GeneratedScope, _: PieceShape, __: tuple[int, ...]) -> str:
    """A gate for each position, of what its channels hold."""
    pooled = frame.pen.forms.choice(("CHANNELMAX", "CHANNELMEAN", "(CHANNELMAX | CHANNELMEAN) -> CONV3-1"))
    return f"MUL({frame.pen.forms.choice(('ID', 'RELU'))}, {pooled} -> SIGMOID)"


def _turned(frame: GeneratedScope, _: PieceShape, size: tuple[int, ...]) -> str:
    """Axes in another order, and back; a square may stay turned."""
    if len(size) == 2 and size[0] == size[1] and frame.pen.forms.random() < 0.5:
        return "PERMUTE(whc)"
    there, back = frame.pen.forms.choice(_TURNS[len(size)])
    return f"[PERMUTE({there}) -> {frame.pen.forms.choice(('RELU', 'TANH', 'ID'))} -> PERMUTE({back})]"


_TURNS = {
    1: (("cw", "cw"),),
    2: (("whc", "whc"), ("cwh", "cwh"), ("hcw", "hcw"), ("wch", "chw"), ("chw", "wch")),
    3: (("cwhd", "cwhd"), ("hwdc", "wdhc"), ("dchw", "dwch")),
}
"""Orders of axes by their number, each with the way back."""

_MENU: tuple[DrawText, ...] = (_blocks, _pixels, _reshaped, _turned, _attended)
