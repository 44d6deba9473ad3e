"""Display lists for the tests of what writes them."""

from __future__ import annotations

from cnndsl.emit.drawing.display import DisplayItem, GroupItem, PathItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.themes import PALETTE

NASTY = '<b>&"]]>\x1b[31m\u202e\\input{x}%$#_^~{}\ud800 卷'
"""What a program may call something: markup of every format, and characters that no file should have."""


def boxes() -> tuple[DisplayItem, ...]:
    """A box of each role, with its bar and a text, in a group with a tooltip and a link."""
    return tuple(
        GroupItem(
            f"layer1.{role}",
            (
                RectangleItem(0, 24 * at, 150, 18, role, f"{role}-stroke", 0.9, 3),
                RectangleItem(0, 24 * at, 3.5, 18, f"{role}-stroke", radius=3, rounded="left", hatch=role),
                TextItem(76, 24 * at + 12.3, f"3×3 {role}, 64, /2", 9, 500, anchor="middle", room=140),
            ),
            f"layer1.{role}\n112×112×64, 1,728 parameters",
            f"net.cnn#L{at}",
        )
        for at, role in enumerate(PALETTE)
    )


def everything() -> Picture:
    """A picture with every kind of item."""
    items = (
        *boxes(),
        PathItem((("M", (160, 10)), ("L", (200, 10)), ("C", (206, 10, 206, 10, 206, 16))), stroke="line", line=1),
        PathItem((("M", (206, 20)), ("L", (203, 15)), ("L", (209, 15)), ("Z", ())), fill="line"),
        RectangleItem(160, 40, 60, 30, "panel", "hair", 0.8, 5, dash=(4, 3)),
        RectangleItem(160, 40, 60, 30),
        TextItem(230, 140, "identity", 8.5, paint="mute", turned=True),
        TextItem(240, 60, "INPUT  -> CONV3", 8.5, mono=True),
        TextItem(318, 100, "4c′", 9, 700, anchor="end"),
    )
    return Picture("resnet50", 320, 192, items, "A network", "A box of each role.")


def text_alone(text: str, **options: bool) -> Picture:
    """A picture of one text."""
    return Picture("net", 320, 30, (TextItem(4, 20, text, 10, **options),), "Text")
