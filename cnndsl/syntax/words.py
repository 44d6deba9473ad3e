"""Parse the tokens of the language: layer heads, numbers and labels.

The grammar reads `CONV{k}x7-{4*c}/2` as one token with placeholders; this module takes it apart. Layer types are not
looked up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from cnndsl.errors import Edit, Fix, Span, replacement
from cnndsl.expr import error
from cnndsl.expressions import Expr, Literal, Name, ShapeExpr
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.values import excess, is_bounded

_HOLE = "\0"
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BINARY_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)(?:[eE]([+-]?[0-9]+))?([KMGT]?i?)B?")
_HEAD = re.compile(r"([^-/]*)(?:-([^-/]+))?(?:/([^-/]+))?")
_SIZED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*?)([0-9]+(?:x[0-9]+)*)")
_SIZES = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*?)((?:[0-9]+x)*(?:[0-9]+|{_HOLE})(?:x(?:[0-9]+|{_HOLE}))*)")
LABEL = r'(?:[A-Za-z0-9_.]|"[^"\n]*"|\{[^{}]*\})+'
"""The pattern for the label of a part."""
UNITS = "the units are K, M, G, T (powers of 1000) and Ki, Mi, Gi, Ti (powers of 1024); add a B for bytes"


@record(slots=True)
class Word:
    """A token from the grammar: adjacent texts and placeholders, each with its span."""

    pieces: tuple[tuple[str | Expr, Span], ...]
    span: Span


@record(slots=True)
class Head:
    """A layer's head, split into its components."""

    name: str
    size: tuple[Expr, ...]
    width: Expr | None
    stride: Expr | None


def number(text: str, span: Span) -> Literal:
    """Parse a number with its unit: `25_557_032`, `0.5`, `4.1G`, `8GiB`. Raises CnnError if it exceeds 10^18."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise error("E0104", f"`{text}` is not a number", span, UNITS)
    mantissa, exponent, unit = match.groups()
    if unit not in _UNITS and unit not in _BINARY_UNITS:
        raise error("E0104", f"`{text}` has an unknown unit", span, UNITS)
    digits = mantissa.replace("_", "")
    most = current().digits
    if len(digits) > most + 1 or abs(int((exponent or "0")[:6])) > most:
        raise error("E0104", f"numbers may have at most {most} digits", span)
    value = Fraction(digits) * Fraction(10) ** int(exponent or 0) * (_UNITS | _BINARY_UNITS)[unit]
    if not is_bounded(value):
        raise error("E0104", f"this number {excess(value)}", span)
    return Literal(value.numerator if value.denominator == 1 else value, text, span)


def dims(text: str, span: Span) -> Literal:
    """Parse a shape: `224x224x3`. Raises CnnError if an extent has too many digits."""
    parts = text.split("x")
    most = current().digits
    if any(len(part) > most for part in parts):
        raise error("E0104", f"numbers may have at most {most} digits", span)
    return Literal(tuple(map(int, parts)), text, span)


def whole_extents(text: str, span: Span) -> list[Expr]:
    """Return the extents written as digits before, between or after braces: `1x2x` of `1x2x{d}`."""
    return [
        _digits(each[0], Span(span.source, span.start + each.start(), span.start + each.end()))
        for each in re.finditer("[0-9]+", text)
    ]


def head(word: Word) -> Head:
    """Parse a layer's head. Raises CnnError if it does not have the form KIND[size][-width][/stride]."""
    text, places = _flatten(word)
    match = _HEAD.fullmatch(text)
    if match is None:
        raise _malformed(word)
    holes = _Holes(word, places)
    width = _operand(match, 2, holes) if match[2] else None
    stride = _operand(match, 3, holes) if match[3] else None
    if _HOLE not in match[1]:
        return Head(match[1], (), width, stride)
    sized = _SIZES.fullmatch(match[1])
    if sized is None:
        raise _malformed(word)
    return Head(sized[1], extents(sized[2], sized.start(2), holes), width, stride)


@lru_cache(maxsize=4096)
def name_and_size(head: str) -> tuple[str, str]:
    """Split a head into a name and the size at its end, which is empty if there is none.

    >>> name_and_size("CONV3"), name_and_size("conv1x7"), name_and_size("RELU")
    (('CONV', '3'), ('conv', '1x7'), ('RELU', ''))
    """
    match = _SIZED.fullmatch(head)
    return (match[1], match[2]) if match else (head, "")


def input_dims(word: Word) -> tuple[Expr, ...]:
    """Parse the shape after INPUT: `224x224x3`, `{s}x{s}x3`."""
    text, places = _flatten(word)
    if not re.fullmatch(rf"([0-9]+|{_HOLE})(x([0-9]+|{_HOLE}))*", text):
        raise _malformed(word)
    return extents(text, 0, _Holes(word, places))


class Quoted(str):
    """A text that was in quotes, where a name may contain other characters."""

    __slots__ = ()


def label(word: Word) -> tuple[str | Expr, ...]:
    """Return the texts and placeholders of a name. Raises CnnError if a text is not valid in a name."""
    joined(word.pieces)
    for piece, span in word.pieces:
        if isinstance(piece, str) and not re.fullmatch(r"[A-Za-z0-9_]+", piece):
            plain = re.sub(r"[^A-Za-z0-9_]", "_", piece)
            help = f"names are letters, digits and `_`: `{plain}`"
            raise error("E0106", f"`{piece}` cannot be part of a name", span, help)
    return tuple(piece for piece, _ in word.pieces)


def path(word: Word, is_reference: bool = False) -> tuple[str | Expr, ...]:
    """Return the texts and placeholders of a label or a reference without quotes; dots separate modules.

    Raises CnnError if a text without quotes is not valid in a path, or if a name between dots is empty.
    """
    joined(word.pieces)
    for piece, span in word.pieces:
        if isinstance(piece, str) and not isinstance(piece, Quoted) and not re.fullmatch(r"[A-Za-z0-9_.*]*", piece):
            quoted = f'{"@" * is_reference}"{word.span.text.lstrip("@")}"'
            raise error("E0106", f"`{piece}` can only be part of a name in quotation marks", span, f"write `{quoted}`")
    parts: list[str | Expr] = []
    for piece, _ in word.pieces:
        if isinstance(piece, str) and parts and isinstance(parts[-1], str):
            parts[-1] += str(piece)
        elif piece != "":
            parts.append(str(piece) if isinstance(piece, str) else piece)
    names = "".join(part if isinstance(part, str) else _HOLE for part in parts).split(".")
    if not parts and not is_reference:
        return ("",)
    if "" in names:
        message = f"`{word.span.text}` has an empty name" if parts else "a reference needs a name"
        raise error("E0106", message, word.span, "a dot goes between two names: `convs.1`")
    return tuple(parts)


def unquoted(text: str) -> str:
    """Return a path without its quotes.

    >>> unquoted('features."block1-0".conv')
    'features.block1-0.conv'
    """
    return text.replace('"', "")


class _Holes:
    """The placeholders of a token, by their offset in its flattened text."""

    def __init__(self, word: Word, places: dict[int, Expr]) -> None:
        self.word, self.places = word, places

    def at(self, offset: int) -> Expr:
        return self.places[offset]

    def span(self, start: int, end: int) -> Span:
        """Return the span of a literal piece; placeholders before it make the token longer than its flattened text."""
        at = 0
        for piece, span in self.word.pieces:
            length = len(piece) if isinstance(piece, str) else 1
            if at <= start < at + length:
                return Span(span.source, span.start + start - at, span.start + end - at)
            at += length
        return self.word.span


def _flatten(word: Word) -> tuple[str, dict[int, Expr]]:
    text, places = "", dict[int, Expr]()
    if len(word.pieces) == 1 and isinstance(only := word.pieces[0][0], str):
        return only, places
    for piece, _ in word.pieces:
        if isinstance(piece, str):
            text += piece
        else:
            places[len(text)] = piece
            text += _HOLE
    return text, places


def extents(text: str, offset: int, holes: _Holes) -> tuple[Expr, ...]:
    """Return one expression for each extent of `3x{k}`."""
    result: list[Expr] = []
    for part in text.split("x"):
        result.append(holes.at(offset) if part == _HOLE else _digits(part, holes.span(offset, offset + len(part))))
        offset += len(part) + 1
    return tuple(result)


def _operand(match: re.Match[str], group: int, holes: _Holes) -> Expr:
    """Parse a width or a stride: a number, a name, a shape or a placeholder."""
    text, start = match[group], match.start(group)
    if text == _HOLE:
        return holes.at(start)
    if _HOLE in text and re.fullmatch(rf"(?:[0-9]+|{_HOLE})(?:x(?:[0-9]+|{_HOLE}))+", text):
        parts = extents(text, start, holes)
        return ShapeExpr(parts, parts[0].span.to(parts[-1].span))
    span = holes.span(start, start + len(text))
    if text.isdecimal() or re.fullmatch(r"[0-9][0-9_]*", text):
        return _digits(text, span)
    if re.fullmatch(r"[0-9]+(x[0-9]+)+", text):
        return dims(text, span)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text):
        return Name(text, span)
    shown = text.replace(_HOLE, "{…}")
    product = re.sub(r"(?<=[0-9])(?=[A-Za-z_])", "*", shown)
    advice = "an expression goes in braces: {}"
    stride = re.fullmatch(r"([0-9]+)s([1-4])", text)
    if stride:
        raise error(
            "E0106",
            f"`{text}` is neither a number nor a name",
            span,
            _whole_layer(replacement(span, f"{stride[1]}/{stride[2]}", "the stride follows a slash: {}")),
        )
    whole = f"{{{product}}}"
    help = advice.replace("{}", f"`{whole}`") if _HOLE in text else replacement(span, whole, advice)
    raise error("E0106", f"`{shown}` is neither a number nor a name", span, help)


def _whole_layer(fix: Fix) -> Fix:
    """Return the same fix, but show the whole layer: also the characters directly before the fix's location."""
    place = fix.edits[0].span
    start = place.start
    while start > 0 and re.match(r"[\w-]", place.source.text[start - 1]):
        start -= 1
    return replace(fix, place=Span(place.source, start, place.end))


def _digits(text: str, span: Span) -> Literal:
    if len(text) > current().digits:
        return number(text, span)
    return Literal(int(text.replace("_", "")), text, span)


def _malformed(word: Word) -> Exception:
    return error(
        "E0106", f"`{word.span.text}` is not of the form KIND[size][-width][/stride]", word.span, "as in CONV3-64/2"
    )


def joined(pieces: Sequence[tuple[str | Expr, Span]]) -> Word:
    """Join pieces to one token. Raises CnnError for spaces between them, or a label without an arrow before it."""
    if len(pieces) == 1:
        return Word(tuple(pieces), pieces[0][1])
    for (_, before), (piece, after) in pairwise(pieces):
        if before.end != after.start and (isinstance(piece, Quoted) or after.line != before.line):
            text, place = after.source.text, after.to(pieces[-1][1])
            start = place.start - text[: place.start].endswith("{")
            label = re.compile(LABEL).match(text, start)
            place = Span(after.source, start, label.end() if label else place.end)
            message = f"expected `->`, found `{place.text}`"
            help = Fix((Edit(Span(place.source, place.start, place.start), "-> "),), "an arrow is missing", place)
            raise error("E0102", message, place, help)
        if before.end != after.start:
            gap = Span(before.source, before.end, after.start)
            raise error("E0106", "a word has no spaces inside", gap, "write the braces right after the name: `CONV{k}`")
    return Word(tuple(pieces), pieces[0][1].to(pieces[-1][1]))
