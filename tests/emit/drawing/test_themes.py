"""The palette: the tables of the design, and what they promise to those who see it otherwise.

Contrast is WCAG 2.1's, colour blindness that of Machado, Oliveira and Fernandes (2009, Table 1, severity 1),
differences are CIE76.
"""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from cnndsl.emit.drawing.themes import PALETTE, THEMES, ThemeName, role_of, theme
from cnndsl.layers import find

Colour = tuple[float, float, float]

MATRICES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "none": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
}
IN_COLOUR: tuple[ThemeName, ...] = ("paper", "dark")


def linear(value: str) -> Colour:
    """Linear RGB of #RRGGBB (IEC 61966-2-1)."""
    parts = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(colour: Colour) -> float:
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), colour, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted(luminance(linear(each)) + 0.05 for each in (one, other))
    return high / low


def seen(value: str, sight: str) -> Colour:
    parts = linear(value)
    red, green, blue = (
        min(max(sum(share * part for share, part in zip(row, parts, strict=True)), 0.0), 1.0) for row in MATRICES[sight]
    )
    return red, green, blue


def lab(colour: Colour) -> Colour:
    """CIELAB of linear RGB under D65."""
    rows = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        _root(sum(share * part for share, part in zip(row, colour, strict=True)) / full)
        for row, full in zip(rows, white, strict=True)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def _root(part: float) -> float:
    return part ** (1 / 3) if part > (6 / 29) ** 3 else part / (3 * (6 / 29) ** 2) + 4 / 29


def test_contrast_is_that_of_the_standard() -> None:
    """Black on white is 21:1; #767676 is the lightest grey of 4.5:1 on white."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert 4.5 <= contrast("#767676", "#FFFFFF") < 4.55


def test_a_difference_is_that_of_the_standard() -> None:
    """White is (100, 0, 0); sRGB's red (53.24, 80.09, 67.20)."""
    assert lab(linear("#FFFFFF")) == pytest.approx((100, 0, 0), abs=0.02)
    assert lab(linear("#FF0000")) == pytest.approx((53.24, 80.09, 67.20), abs=0.05)


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_read_on_every_fill(name: ThemeName) -> None:
    colours = theme(name).colours
    for ground in (*PALETTE, "bg", "panel", "card", "error-ground"):
        assert contrast(colours["ink"], colours[ground]) >= 5, ground
    assert contrast(colours["mute"], colours["bg"]) >= 6
    for ground in ("panel", "card"):
        assert contrast(colours["mute"], colours[ground]) >= 5, ground
    for ground in ("bg", "error-ground"):
        assert contrast(colours["error"], colours[ground]) >= 4.5, ground


@pytest.mark.parametrize("step", range(5))
def test_text_on_heat_has_the_greater_contrast(step: int) -> None:
    colours = theme("paper").colours
    ground = colours[f"heat-{step}"]
    ink = max(("#18212B", "#FFFFFF"), key=lambda each: contrast(each, ground))
    assert colours[f"heat-{step}-ink"] == ink
    assert contrast(ink, ground) >= 4


@pytest.mark.parametrize("sight", MATRICES)
@pytest.mark.parametrize("name", IN_COLOUR)
def test_fills_stay_different_for_the_colour_blind(name: ThemeName, sight: str) -> None:
    colours = theme(name).colours
    for one, other in combinations(PALETTE, 2):
        first, second = (lab(seen(colours[role], sight)) for role in (one, other))
        assert sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) ** 0.5 >= 12, (one, other)


def test_fills_of_paper_stay_different_in_grey() -> None:
    """Lightness falls from 96 to 62 in steps of about 4 to 6."""
    values = [theme("paper").colours[role] for role in PALETTE]
    lightness = sorted((lab(linear(value))[0] for value in values), reverse=True)
    assert (round(lightness[0]), round(lightness[-1])) == (96, 62)
    assert all(3 <= above - below <= 7 for above, below in pairwise(lightness))


def test_roles_without_colours_differ_by_fill_or_pattern() -> None:
    found = {(theme("mono").colours[role], theme("mono").hatches.get(role, "")) for role in PALETTE}
    assert len(found) == len(PALETTE)
    assert {value for value, _ in found if luminance(linear(value)) > 0.99} == {"#FFFFFF"}


def test_heat_gets_darker_step_by_step() -> None:
    lightness = [lab(linear(theme("paper").colours[f"heat-{step}"]))[0] for step in range(5)]
    assert all(above - below >= 8 for above, below in pairwise(lightness))


KINDS = {
    "conv": ("CONV", "DWCONV", "LOCAL"),
    "pool": ("MAXPOOL", "AVGPOOL", "LPPOOL", "SUMPOOL", "GAP", "GMP"),
    "norm": ("BN", "LRN", "LN", "GN", "IN", "SCALE", "RMSNORM", "L2NORM", "FRN", "GRN", "EVONORM"),
    "act": ("RELU", "SIGMOID", "PRELU", "STARRELU", "HSWISH", "SOFTMAX", "LOGSOFTMAX"),
    "fc": ("FC", "RBF"),
    "up": ("CONVT", "UPSAMPLE", "PIXELSHUFFLE", "UNPOOL"),
    "io": ("DROPOUT", "FLATTEN", "SHUFFLE"),
}
"""From the table of the palette."""


@pytest.mark.parametrize(("role", "kind"), [(role, kind) for role, kinds in KINDS.items() for kind in kinds])
def test_the_role_of_a_layer(role: str, kind: str) -> None:
    layer = find(kind)
    assert layer is not None
    assert role_of(layer.__new__(layer)) == role


@pytest.mark.parametrize("name", THEMES)
def test_every_theme_has_every_colour(name: ThemeName) -> None:
    assert theme(name).colours.keys() == theme("paper").colours.keys()
    assert theme(name).value("") == ""
