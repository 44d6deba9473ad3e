"""Layers that a network seldom has, which give the shape that they take, drawn often enough to meet all the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cnndsl.testing.crossings.frames import GeneratedScope
from cnndsl.testing.crossings.numbers import rate
from cnndsl.testing.crossings.widths import Misfit, PieceShape

DrawSeldom: TypeAlias = Callable[[GeneratedScope, PieceShape], str]


def seldom(frame: GeneratedScope, form: PieceShape) -> str:
    """Draws such a layer, with dice of their own. Raises Misfit where the one that is drawn does not fit."""
    return frame.pen.forms.choice(_MENU)(frame, form)


def _scalar(frame: GeneratedScope, _: PieceShape) -> str:
    """A weight and a bias for all channels, one number each, or one of the two."""
    more = ("", "", ", bias=no", ", weight=no", f", bias=no, init={rate(frame)}")
    return f"SCALE(shared={frame.pen.forms.choice(('yes', 'yes', frame.one('flag')))}{frame.pen.forms.choice(more)})"


def _interpolated(frame: GeneratedScope, form: PieceShape) -> str:
    """Twice as large by a convolution that starts as an interpolation of each channel, and smaller again."""
    size = form.space.size if form.space is not None else None
    if size is None or max(size) > 9 or not form.width.is_writable:
        raise Misfit
    forms = frame.pen.forms
    options = forms.choice(
        ("", "", ", frozen=yes", ", bias=no", ", frozen=yes, bias=no", f", bias={frame.one('flag')}")
    )
    smaller = forms.choice(("POOL2", "AVGPOOL2", "SUMPOOL2", "LPPOOL2", "BLURPOOL3"))
    return f"[CONVT{forms.choice('24')}-{form.width.word}/2(init=bilinear{options}) -> {smaller}]"


def _pooled(frame: GeneratedScope, form: PieceShape) -> str:
    """A window that keeps the extents."""
    size = form.space.size if form.space is not None else None
    if size is None or min(size) < 3:
        raise Misfit
    return frame.pen.forms.choice(
        (
            "SUMPOOL3/1(pad=1)",
            "[RELU -> LPPOOL3/1(pad=1)]",
            "BLURPOOL3/1",
            "BLURPOOL3/1(border=zeros)",
            "SUMPOOL3/1(pad=same)",
        )
    )


def _by_position(frame: GeneratedScope, form: PieceShape) -> str:
    """Weights of their own at each position."""
    size = form.space.size if form.space is not None else None
    if size is None or not form.width.is_writable or len(size) != 2:
        raise Misfit
    return f"LOCAL{frame.pen.forms.choice('13')}-{form.width.word}{frame.pen.forms.choice(('', '(bias=no)'))}"


def _normalised(frame: GeneratedScope, form: PieceShape) -> str:
    """Norms that few networks have."""
    flag, small = frame.one("flag"), f"eps={rate(frame)} + 1e-6"
    norms = [f"RMSNORM({small})", f"RMSNORM(affine={flag}, by=rms)", f"L2NORM(affine=yes, init={rate(frame)})", "PRELU"]
    if form.space is not None and not form.space.is_pixel:
        norms += [f"FRN({small})", f"FRN(tlu={flag})", f"GRN({small})", "LRN5(over=positions)"]
    if frame.divides(2, form.width):
        norms += [f"EVONORM2({small})", f"EVONORM1(act={flag})"]
    return frame.pen.forms.choice(norms)


def _along_channels(frame: GeneratedScope, form: PieceShape) -> str:
    """A gate of each channel by its neighbours."""
    if form.space is None or form.space.is_pixel:
        raise Misfit
    border = frame.pen.forms.choice(("", "(bias=yes)", "(border=circular)"))
    return f"MUL(ID, GAP -> CHANNELCONV{frame.pen.forms.choice('35')}{border} -> SIGMOID)"


def _less(frame: GeneratedScope, _: PieceShape) -> str:
    """A difference of two branches."""
    other = frame.pen.forms.choice(("TANH", "SCALE(shared=yes)", "TIMES(0.5)", "AVGPOOL1", "BN"))
    return f"SUB({frame.pen.forms.choice(('ID', 'ID', 'SIGMOID'))}, {other})"


_MENU: tuple[DrawSeldom, ...] = (
    _scalar,
    _scalar,
    _interpolated,
    _interpolated,
    _pooled,
    _by_position,
    _by_position,
    _normalised,
    _normalised,
    _along_channels,
    _less,
)
