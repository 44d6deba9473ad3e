"""Edits for numbers of an assertion with units as in papers: `0.5 GMACs`, `25.6M params`, `1.2 million`."""

from __future__ import annotations

import re

from cnndsl.errors import Edit, Fix, Source, Span
from cnndsl.syntax.edits import line_of
from cnndsl.syntax.parse_failure import Stop

_SCALES = {"thousand": "K", "million": "M", "mio": "M", "billion": "G", "trillion": "T"}
_COUNTED = (
    r"(?P<counted>MACs?|MAdds?|FLOPs?|mult-?adds?|multiply-adds|params?|parameters|weights|ops|operations|"
    r"layers?|channels?|pixels?|px|positions?|bytes?|B)"
)
_NUMBER = re.compile(
    r"(?<![\w.@{-])(?P<number>[0-9][0-9_]*(?:\.[0-9]+)?)[ \t]*"
    rf"(?P<scale>[KMGT]i(?=B|[ \t]|$)|[KMGT](?![a-z]*i)|{'|'.join(_SCALES)}|)[ \t]*{_COUNTED}?(?![\w.(])",
    re.IGNORECASE,
)


def measured(source: Source, at: int) -> Fix | None:
    """Return the fix for all numbers with units in the assertion whose line contains an offset; None if there are none,
    or if the offset comes before them.

    >>> str(measured(Source("net.cnn", "assert macs <= 0.5 GMACs"), 19))
    'a unit is K, M, G or T right after its number: `assert macs <= 0.5G`'
    """
    line = line_of(source, at)
    code = line.text.partition("#")[0].rstrip()
    if not re.match(r"assert\b", code):
        return None
    edits: list[Edit] = []
    for found in _NUMBER.finditer(code):
        text = f"{found['number']}{_unit(found['scale'], found['counted'] or '')}"
        if text != found[0].rstrip():
            place = Span(source, line.start + found.start(), line.start + found.start() + len(found[0].rstrip()))
            edits.append(Edit(place, text))
    if not edits or at < edits[0].span.start:
        return None
    if all(edit.text.replace("_", "").isdigit() for edit in edits):
        rule = "a number of an assertion has no noun after it"
    elif all(edit.text == re.sub(r"\s", "", edit.span.text) for edit in edits):
        rule = "a unit follows its number without a space"
    else:
        rule = "a unit is K, M, G or T right after its number"
    return Fix(tuple(edits), f"{rule}: {{}}", Span(source, line.start, line.start + len(code)))


def _unit(scale: str, counted: str) -> str:
    """Return the unit in cnndsl for a scale and a counted quantity; it ends with `B` only if bytes are counted."""
    unit = _SCALES.get(scale.lower(), scale[:1].upper() + scale[1:].lower())
    return f"{unit}B" if unit and counted.lower() in ("b", "byte", "bytes") else unit


def is_unit(text: str) -> bool:
    """Return whether a text is a unit of the language.

    >>> is_unit("MiB"), is_unit("GMACs")
    (True, False)
    """
    return re.fullmatch(r"[KMGT]i?B?", text) is not None


def unit(stop: Stop) -> Fix | None:
    """Fix `assert params < 1 M`."""
    return measured(stop.source, stop.offset)
