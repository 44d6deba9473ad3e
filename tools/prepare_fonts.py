"""Write the bundled fonts and the table of their widths: `make fonts`.

Reads Inter and DejaVu as Debian's packages `fonts-inter` and `fonts-dejavu-core` install them, keeps the characters of
diagrams and charts, and writes `cnndsl/emit/drawing/fonts/`. Layout features are dropped, so that a text is exactly as
wide as its characters together. Needs fonttools, which nothing needs at run time.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.filterPen import DecomposingFilterPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.scaleUpem import scale_upem

TARGET = Path(__file__).parent.parent / "cnndsl" / "emit" / "drawing" / "fonts"
WEIGHTS = {400: "Regular", 500: "Medium", 600: "SemiBold", 700: "Bold"}
UNITS = 1000
"""Units of an em in the fonts and in the table."""
ERROR = 0.8
"""So many units a curve may differ from the original's."""

LATIN = [*range(0x20, 0x7F), *range(0xA0, 0xAD), *range(0xAE, 0x149), *range(0x14A, 0x180)]
"""Without the soft hyphen and what is deprecated."""
GREEK = [*range(0x391, 0x3A2), *range(0x3A3, 0x3AA), *range(0x3B1, 0x3CA), 0x3D5, 0x3F5]
SIGNS = (
    "‐‑–—‘’‚“”„†‡•…‰′″‹›€™⁰⁴⁵⁶⁷⁸⁹⁺⁻ⁿ₀₁₂₃₄₅₆₇₈₉←↑→↓↔↕↗↘⇒⇔"  # noqa: RUF001 - what the font has
    "∂∅∆∏∑−√∞∫≈≠≤≥■□▲▼●○✓✗"
)
WANTED = frozenset([*LATIN, *GREEK, *map(ord, SIGNS)])


def reduced(path: Path) -> TTFont:
    """Return a font with the wanted characters alone, without hints, kerning and other features."""
    options = subset.Options(hinting=False, layout_features=[], name_IDs=[0, 1, 2], notdef_outline=True)
    options.drop_tables += ["DSIG", "GDEF", "GPOS", "GSUB", "STAT", "FFTM", "gasp", "kern", "meta"]
    font = TTFont(path, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=sorted(WANTED))
    cutter.subset(font)
    return font


def as_truetype(font: TTFont) -> None:
    """Replace all outlines by whole ones of quadratic curves, in units of a thousandth of an em."""
    scale_upem(font, UNITS)
    is_cubic = "CFF " in font
    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    drawn = {}
    for name in order:
        pen = TTGlyphPen(None)
        curves = Cu2QuPen(pen, ERROR, reverse_direction=is_cubic)
        glyphs[name].draw(DecomposingFilterPen(curves, glyphs))
        drawn[name] = pen.glyph()
    for tag in ("CFF ", "VORG"):
        if tag in font:
            del font[tag]
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder = order
    font["glyf"].glyphs = drawn
    for name in order:
        drawn[name].recalcBounds(font["glyf"])
        font["hmtx"][name] = font["hmtx"][name][0], drawn[name].xMin if drawn[name].numberOfContours else 0
    most = font["maxp"] = newTable("maxp")
    most.tableVersion, most.numGlyphs = 0x00010000, len(order)
    for name in ("maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements"):
        setattr(most, name, 0)
    most.maxZones, most.maxSizeOfInstructions, most.maxComponentElements = 1, 0, 0
    font["post"].formatType, font["post"].glyphOrder = 3.0, None
    font.sfntVersion = "\0\1\0\0"


def named(font: TTFont, family: str, style: str) -> None:
    """Give a font the name by which viewers find it, and no other name."""
    for record in list(font["name"].names):
        if record.nameID in (1, 2, 4, 6) or record.platformID != 3:
            font["name"].removeNames(record.nameID, record.platformID)
    for number, text in ((1, family), (2, style), (4, f"{family} {style}"), (6, f"{family}-{style}".replace(" ", ""))):
        font["name"].setName(text, number, 3, 1, 0x409)


def advances(font: TTFont) -> dict[str, float]:
    """Return the widths of the wanted characters that a font has, in thousandths of an em."""
    widths, units = font["hmtx"].metrics, font["head"].unitsPerEm
    return {chr(at): widths[name][0] * UNITS / units for at, name in font.getBestCmap().items() if at in WANTED}


def table(columns: dict[str, dict[str, float]]) -> str:
    """Return the table of widths: the characters, then a line a font; -1 where it lacks a character."""
    characters = sorted(set().union(*columns.values()))
    lines = ["".join(characters)]
    for name, widths in columns.items():
        cells = (str(round(widths.get(character, -1))) for character in characters)
        lines.append(f"{name} {' '.join(cells)}")
    return "\n".join([*lines, ""])


def prepare(inter: Path, dejavu: Path, target: Path) -> None:
    """Write the fonts and the table into a folder."""
    columns: dict[str, dict[str, float]] = {}
    for weight, style in WEIGHTS.items():
        font = reduced(inter / f"Inter-{style}.otf")
        as_truetype(font)
        named(font, "Inter", style)
        columns[f"Inter-{weight}"] = advances(font)
        font.save(target / f"Inter-{weight}.ttf")
    for weight, file in ((400, "DejaVuSans.ttf"), (700, "DejaVuSans-Bold.ttf")):
        columns[f"DejaVu-{weight}"] = advances(TTFont(dejavu / file))
    mono = reduced(dejavu / "DejaVuSansMono.ttf")
    as_truetype(mono)
    named(mono, "DejaVu Sans Mono", "Book")
    columns["Mono-400"] = advances(mono)
    mono.save(target / "Mono-400.ttf")
    (target / "advances.txt").write_text(table(columns), encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inter", type=Path, default=Path("/usr/share/fonts/opentype/inter"))
    parser.add_argument("--dejavu", type=Path, default=Path("/usr/share/fonts/truetype/dejavu"))
    arguments = parser.parse_args()
    prepare(arguments.inter, arguments.dejavu, TARGET)
