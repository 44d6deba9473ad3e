"""Reads the bundled fonts for pictures: a subset of characters as a font to embed, and texts as outlines.

It only reads what `make fonts` writes: TrueType with simple glyphs and one character map. Source of the formats: the
OpenType specification 1.9, and WOFF File Format 1.0 (W3C).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, TypeAlias

from cnndsl.emit.drawing.display import Weight
from cnndsl.emit.drawing.measure import FONTS, UNITS
from cnndsl.records import record
from cnndsl.resources import folder
from cnndsl.terminal import clean

FACES = ("Inter-400", "Inter-500", "Inter-600", "Inter-700", "Mono-400")
"""The bundled fonts: a proportional one in four weights, and one for code."""

REPLACEMENT = "□"
"""The character drawn for those that the bundled fonts lack, if no other font can be used."""

Point: TypeAlias = tuple[float, float, bool]
"""A point of a contour, and whether it lies on the curve."""

GlyphCommand: TypeAlias = tuple[Literal["M", "L", "Q", "Z"], tuple[float, ...]]
"""A step of an outline, as of a path, but with quadratic curves: a control point and the end."""


def face_name(weight: Weight, mono: bool) -> str:
    """Return the bundled font of a text: code has one weight."""
    return "Mono-400" if mono else f"Inter-{weight}"


@record(slots=True)
class Face:
    """A font: its tables, the glyph of each character, and the location of each glyph's outline."""

    tables: Mapping[str, bytes]
    glyphs: Mapping[str, int]
    offsets: Sequence[int]

    def advance(self, glyph: int) -> int:
        """Return the width of a glyph in units of the em."""
        (count,) = struct.unpack_from(">H", self.tables["hhea"], 34)
        (advance,) = struct.unpack_from(">H", self.tables["hmtx"], 4 * min(glyph, count - 1))
        return advance

    def outline(self, glyph: int) -> bytes:
        """Return the data of a glyph; empty for a blank one."""
        return self.tables["glyf"][self.offsets[glyph] : self.offsets[glyph + 1]]


@cache
def face(name: str) -> Face:
    """Return a bundled font."""
    data = (folder(FONTS) / f"{name}.ttf").read_bytes()
    (count,) = struct.unpack_from(">H", data, 4)
    entries = (struct.unpack_from(">4sIII", data, 12 + 16 * at) for at in range(count))
    tables = {tag.decode(): data[start : start + length] for tag, _, start, length in entries}
    is_long = struct.unpack_from(">h", tables["head"], 50)[0]
    loca = tables["loca"]
    offsets = struct.unpack(f">{len(loca) // 4}I", loca) if is_long else _doubled(loca)
    return Face(tables, dict(_characters(tables["cmap"])), offsets)


def _doubled(loca: bytes) -> tuple[int, ...]:
    return tuple(2 * each for each in struct.unpack(f">{len(loca) // 2}H", loca))


def _characters(cmap: bytes) -> Iterator[tuple[str, int]]:
    """Yield the glyph of each character, from a character map of format 4."""
    (start,) = struct.unpack_from(">I", cmap, 8)
    (twice,) = struct.unpack_from(">H", cmap, start + 6)
    columns = [start + 14 + place for place in (0, twice + 2, 2 * twice + 2, 3 * twice + 2)]
    for at in range(0, twice, 2):
        last, first, delta, offset = (struct.unpack_from(">H", cmap, column + at)[0] for column in columns)
        for code in range(first, min(last, 0xFFFE) + 1):
            place = columns[3] + at + offset + 2 * (code - first)
            glyph = struct.unpack_from(">H", cmap, place)[0] if offset else code
            yield chr(code), (glyph + delta) % 0x10000


def shown(text: str, name: str) -> str:
    """Return a text as a bundled font alone can show it, with `REPLACEMENT` for each character that it lacks."""
    known, safe = face(name).glyphs, clean(text)
    return safe if all(map(known.__contains__, safe)) else "".join(c if c in known else REPLACEMENT for c in safe)


def text_width(text: str, size: float, name: str) -> float:
    """Return the width in pixels of a text as a bundled font sets it."""
    font = face(name)
    return sum(font.advance(font.glyphs[character]) for character in shown(text, name)) * size / UNITS


def glyph_outline(character: str, name: str) -> tuple[GlyphCommand, ...]:
    """Return the outline of a character that a bundled font has, in units of the em, from its baseline, y down."""
    font = face(name)
    contours = _contours(font.outline(font.glyphs[character]))
    return tuple(command for contour in contours for command in _curves([(x, -y, on) for x, y, on in contour]))


def _contours(data: bytes) -> Iterator[list[Point]]:
    """Yield the contours of a simple glyph."""
    if not data:
        return
    (count,) = struct.unpack_from(">h", data)
    ends = struct.unpack_from(f">{count}H", data, 10)
    (hints,) = struct.unpack_from(">H", data, 10 + 2 * count)
    flags, place = _flags(data, 12 + 2 * count + hints, ends[-1] + 1)
    across, place = _coordinates(data, place, flags, 0x02, 0x10)
    up, _ = _coordinates(data, place, flags, 0x04, 0x20)
    points = [(x, y, bool(flag & 1)) for x, y, flag in zip(across, up, flags, strict=True)]
    first = 0
    for end in ends:
        yield points[first : end + 1]
        first = end + 1


def _flags(data: bytes, place: int, count: int) -> tuple[list[int], int]:
    flags: list[int] = []
    while len(flags) < count:
        flag, again = data[place], data[place + 1] if data[place] & 0x08 else 0
        flags += [flag] * (again + 1)
        place += 2 if flag & 0x08 else 1
    return flags, place


def _coordinates(data: bytes, place: int, flags: Sequence[int], short: int, same: int) -> tuple[list[float], int]:
    """Return the coordinates of one axis: each is the difference from the last, in zero, one or two bytes."""
    value, values = 0, list[float]()
    for flag in flags:
        if flag & short:
            value += data[place] if flag & same else -data[place]
            place += 1
        elif not flag & same:
            value += struct.unpack_from(">h", data, place)[0]
            place += 2
        values.append(value)
    return values, place


def _curves(points: Sequence[Point]) -> Iterator[GlyphCommand]:
    """Yield the lines and curves of a contour; between two points off the curve lies one on it."""
    start = next(at for at, point in enumerate(points) if point[2])
    first, *others = [*points[start:], *points[: start + 1]]
    yield "M", first[:2]
    control: tuple[float, float] | None = None
    for x, y, on in others:
        if control is not None:
            end = (x, y) if on else ((control[0] + x) / 2, (control[1] + y) / 2)
            yield "Q", (*control, *end)
        elif on:
            yield "L", (x, y)
        control = None if on else (x, y)
    yield "Z", ()


def woff(name: str, characters: Iterable[str]) -> bytes:
    """Return a font with a subset of the characters of a bundled one, to be embedded."""
    font = face(name)
    kept = {character: at + 1 for at, character in enumerate(sorted(set(characters) & font.glyphs.keys()))}
    glyphs = [0, *(font.glyphs[character] for character in kept)]
    outlines = [font.outline(glyph) for glyph in glyphs]
    offsets = [0]
    for each in outlines:
        offsets.append(offsets[-1] + len(each))
    count, head, hhea, maxp = len(glyphs), *(bytearray(font.tables[tag]) for tag in ("head", "hhea", "maxp"))
    struct.pack_into(">h", head, 50, 1)
    struct.pack_into(">H", hhea, 34, count)
    struct.pack_into(">H", maxp, 4, count)
    tables = {
        **{tag: font.tables[tag] for tag in ("OS/2", "name", "post")},
        "head": bytes(head),
        "hhea": bytes(hhea),
        "maxp": bytes(maxp),
        "cmap": _cmap(kept),
        "glyf": b"".join(outlines),
        "loca": struct.pack(f">{len(offsets)}I", *offsets),
        "hmtx": b"".join(struct.pack(">Hh", font.advance(glyph), _bearing(font.outline(glyph))) for glyph in glyphs),
    }
    return _packed(tables)


def _bearing(outline: bytes) -> int:
    """Return the left end of a glyph, which the table of widths repeats."""
    return struct.unpack_from(">h", outline, 2)[0] if outline else 0


def _cmap(kept: Mapping[str, int]) -> bytes:
    """Return a character map of format 12, with one group for each character."""
    groups = b"".join(struct.pack(">III", ord(character), ord(character), glyph) for character, glyph in kept.items())
    length = 16 + len(groups)
    return struct.pack(">HHHHI", 0, 1, 3, 10, 12) + struct.pack(">HHIII", 12, 0, length, 0, len(kept)) + groups


def _packed(tables: Mapping[str, bytes]) -> bytes:
    """Return the tables as a WOFF, each deflated if that makes it smaller."""
    header = 44 + 20 * len(tables)
    entries, bodies, place, full = list[bytes](), list[bytes](), header, 12 + 16 * len(tables)
    for tag, data in sorted(tables.items()):
        # A table of the same length as the original is taken as it is.
        body = min(data, zlib.compress(data, 9), key=len)
        entries.append(struct.pack(">4sIIII", tag.encode(), place, len(body), len(data), _checksum(data)))
        bodies.append(body + bytes(-len(body) % 4))
        place += len(bodies[-1])
        full += len(data) + -len(data) % 4
    start = struct.pack(">4sIIHHIHHIIIII", b"wOFF", 0x00010000, place, len(tables), 0, full, 1, 0, 0, 0, 0, 0, 0)
    return b"".join((start, *entries, *bodies))


def _checksum(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    return sum(struct.unpack(f">{len(padded) // 4}I", padded)) & 0xFFFFFFFF
