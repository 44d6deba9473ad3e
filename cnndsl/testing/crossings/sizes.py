"""Layers that take the extents of another map over."""

from __future__ import annotations

from cnndsl.testing.crossings.frames import GeneratedScope, Misfit, Mode, Piece
from cnndsl.testing.crossings.widths import PieceShape, Space


def resized(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Brings a map to the extents of another one, whatever these are when the module runs."""
    if form.space is None:
        raise Misfit
    fitting = [
        (mark.name, mark.form.space)
        for mark in frame.marks()
        if mark.form.space is not None and (mode == "free" or mark.form.space == form.space)
    ]
    if not fitting:
        raise Misfit
    name, space = frame.pick(fitting)
    frame.spend()
    kinds = ["UPSAMPLE", "UPSAMPLE", "POOL", "AVGPOOL"]
    kinds += ["CROP"] * 3 * _covers(form.space, space) + ["ZEROPAD"] * 3 * _covers(space, form.space)
    kind = frame.pick(kinds)
    way = frame.pick(("", "", ", mode=linear", ", mode=linear, align=yes")) if kind == "UPSAMPLE" else ""
    return Piece(f"{kind}(out=@{name}{way})", PieceShape(form.width, space))


def _covers(space: Space, other: Space) -> bool:
    """Tells whether a map is at least as large as another one, at every place where the text stands."""
    if space == other:
        return True
    if space.base or other.base or space.steps or other.steps or space.size is None or other.size is None:
        return False
    return len(space.size) == len(other.size) and all(a >= b for a, b in zip(space.size, other.size, strict=True))
