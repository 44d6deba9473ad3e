"""What is wrong with a picture, in words."""

from __future__ import annotations

from cnndsl.emit.drawing.display import Picture
from cnndsl.emit.drawing.geometry import findings


def faults(picture: Picture) -> list[str]:
    """Everything that the checks of `geometry` find."""
    return [f"{each.text!r} {each.problem} {each.other!r} in {each.id!r}" for each in findings(picture)]
