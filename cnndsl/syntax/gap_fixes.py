"""The error for a number after a word and a space, which is only valid after INPUT: `CONV3 64`, `[A] x 3`."""

from __future__ import annotations

import re

from cnndsl.errors import CnnError, Span, replacement
from cnndsl.expr import error
from cnndsl.syntax.layer_fixes import spaced, volume
from cnndsl.syntax.statement_fixes import options_fix


def after_a_gap(word: Span, place: Span) -> CnnError:
    """Return the error for a word and the number after it, which together span `place`."""
    source, name = word.source, word.text
    options = options_fix(source, place.start)
    if options is not None:
        return error("E0102", f"expected `->`, found `{name}`", word, options)
    before = source.text[max(0, word.start - 200) : word.start].rstrip()
    if name.upper() == "X" and before[-1:] in ("]", ")"):
        number = re.search(r"[0-9]+$", place.text)
        start = word.start - (word.start - len(source.text[: word.start].rstrip()))
        whole = Span(source, start, place.end)
        help = replacement(whole, f"*{number[0]}", "to repeat a part, use {}") if number else ""
        return error("E0102", f"expected `->`, found `{name}`", word, help)
    if name.upper() == "X" and (shape := volume(source, place.start)):
        return error("E0106", "expected one shape after `INPUT`", shape.place or place, shape)
    help = spaced(source, place.end)
    number = re.search(r"[0-9][0-9x]*$", place.text)
    if help and number and "x" not in number[0]:
        behind = Span(source, place.start + number.start(), place.end)
        return error("E0102", f"expected `->` or a new statement, found `{number[0]}`", behind, help)
    return error("E0106", "only INPUT is followed by a shape", place, help or _FORM)


_FORM = "a layer is KIND[size][-width][/stride] without spaces, as in CONV3-64/2"
