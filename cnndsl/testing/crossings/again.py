"""Parts that are applied again, with the same weights."""

from __future__ import annotations

from cnndsl.testing.crossings.chains import single
from cnndsl.testing.crossings.frames import GeneratedScope, Mode, NamedOutputs, Piece
from cnndsl.testing.crossings.widths import Misfit, PieceShape


def again(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws a part of the module at hand once more, or several times. Raises Misfit where none takes what comes in."""
    fitting = [mark for mark in frame.parts() if mark.given == form and (mode == "free" or mark.form == form)]
    if not fitting:
        raise Misfit
    part = frame.pick(fitting[:4])
    frame.spend(2)
    text = f"again {part.name}"
    if part.form == form and frame.chance(0.3):
        text = f"[{text} -> {single(frame.deeper(), form, 'keep').text}]*2" if frame.mark == "!" else f"{text}*2"
    elif frame.mark != "!" and frame.chance(0.3):
        label = frame.label()
        frame.room.marks.append(NamedOutputs(label, part.form, frame.training))
        text = f"{label}: {text}"
    return Piece(text, part.form)
