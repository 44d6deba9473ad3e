"""Edits for layers as in papers, on blackboards and in other frameworks: `3x3 conv, 64`, `CONV 3-64`, `DROPOUT0.5`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnndsl.errors import Fix, Source, Span, replacement
from cnndsl.layers import KINDS
from cnndsl.syntax.edits import line_of, named
from cnndsl.syntax.foreign_layers import call_at
from cnndsl.syntax.parse_failure import Stop

_ADVICE = "a layer is KIND[size][-width][/stride] without spaces: {}"
_NUMBER = r"(?:[0-9]+|[A-Za-z_]\w*|\{[^{}\n]*\})"
_SPACED = re.compile(
    r"(?<![\w.@\-/])(?P<kind>[A-Za-z]+?)(?P<size>[0-9]+(?:x[0-9]+)*)?"
    r"(?:(?P<gap>[ \t]+)(?P<number>[0-9]+(?:x[0-9]+)*))?"
    rf"(?:[ \t]*-[ \t]*(?P<width>{_NUMBER}))?(?:[ \t]*/[ \t]*(?P<stride>{_NUMBER}))?(?![\w.])"
)
_NAMES = {
    **dict.fromkeys(("conv", "convolution", "convolutional"), "CONV"),
    **dict.fromkeys(("maxpool", "maxpooling", "pool", "pooling", "max"), "POOL"),
    **dict.fromkeys(("avgpool", "averagepool", "avgpooling", "averagepooling", "avg", "average"), "AVGPOOL"),
    **dict.fromkeys(("dwconv", "depthwiseconv", "depthwise", "dw"), "DWCONV"),
    **dict.fromkeys(("deconv", "upconv", "transposedconv", "convtranspose", "tconv"), "CONVT"),
    **dict.fromkeys(("fc", "dense", "linear", "fullyconnected"), "FC"),
}
_KIND = (
    r"(?P<kind>(?:(?:max|avg|average|depthwise|transposed|fully)[ \t-]?)?"
    r"(?:pool(?:ing)?|conv(?:olution)?\w*?|connected))"
)
_TAIL = (
    r"(?:(?:[ \t]*,[ \t]*|[ \t]*-[ \t]*|[ \t]+)(?P<width>[0-9]+))?"
    r"(?:[ \t]*,?[ \t]*(?:/|stride[ \t]*=?[ \t]*|s)[ \t]*(?P<stride>[0-9]+))?"
)
_PAPER = (
    re.compile(rf"(?<![\w.])(?P<size>[0-9]+x[0-9]+)[ \t,-]*{_KIND}{_TAIL}(?![\w.])", re.IGNORECASE),
    re.compile(rf"(?<![\w.]){_KIND}[ \t-]*(?P<size>[0-9]+(?:x[0-9]+)?){_TAIL}(?![\w.])", re.IGNORECASE),
)
_SHARE = re.compile(r"(?<![\w.@])(?P<kind>[A-Za-z]+)[ \t_-]?(?P<number>[0-9]+\.[0-9]+|\.[0-9]+)(?![\w.])")
_INPUT = re.compile(
    r"(?<![\w.@])(?i:input)(?:layer)?[ \t]*(?P<open>[-:=(\[ \t]*(?:shape[ \t]*=[ \t]*)?[(\[]*)[ \t]*"
    r"(?P<extents>[0-9]+(?:(?:[ \t]*[,x×*X][ \t]*|[ \t]+)[0-9]+){0,3})[ \t]*,?[ \t]*(?P<close>[)\]]*)"
)


def _in_line(pattern: re.Pattern[str], source: Source, at: int) -> Iterator[re.Match[str]]:
    """Yield the matches in a line that contain an offset, or end right before it."""
    line = line_of(source, at)
    for found in pattern.finditer(source.text, max(line.start, at - 300), min(line.end, at + 300)):
        if found.start() <= at and not source.text[found.end() : max(at, found.end())].strip(" \t"):
            yield found


def _squared(size: str) -> str:
    extents = size.split("x")
    return extents[0] if len(set(extents)) == 1 else size


def spaced(source: Source, at: int) -> Fix | None:
    """Return the fix for a layer with spaces in it: `CONV 3-64`, `CONV3 64`, `FC 10`."""
    for found in _in_line(_SPACED, source, at):
        kind = KINDS.get(found["kind"].upper())
        size, number, width, stride = (found[each] or "" for each in ("size", "number", "width", "stride"))
        if kind is None or kind.kind() == "INPUT" or " " not in found[0]:
            continue
        if number and (size or not kind.SIZE or (kind.WIDTH and not width and "x" not in number and int(number) > 11)):
            if width or not kind.WIDTH:
                continue
            width, number = number, ""
        is_name = width and not re.match(r"[0-9{]", width)
        if is_name and (width.upper() in KINDS or re.match(r"[A-Z]", width)):
            continue
        text = found["kind"] + size + number + (f"-{width}" if width else "") + (f"/{stride}" if stride else "")
        end = found.end("number") if number and not width and not stride else found.end()
        if text != found[0]:
            return replacement(Span(source, found.start(), end), text, _ADVICE)
    return None


def _spaced(stop: Stop) -> Fix | None:
    return spaced(stop.source, stop.offset)


def _paper(stop: Stop) -> Fix | None:
    """Fix `3x3 conv, 64`, `7x7 conv, 64, /2`, `2x2 max pool, /2`, `conv3x3, 64`."""
    for pattern in _PAPER:
        for found in _in_line(pattern, stop.source, stop.offset):
            name = _NAMES.get(re.sub(r"[ \t-]", "", found["kind"]).lower())
            if name is None or (found["width"] and not KINDS[name].WIDTH):
                continue
            text = name + _squared(found["size"])
            text += f"-{found['width']}" if found["width"] else ""
            text += f"/{found['stride']}" if found["stride"] else ""
            if text.lower() != found[0].lower():
                return replacement(Span(stop.source, found.start(), found.end()), text, _ADVICE)
    return None


_ORDER = re.compile(
    r"(?<![\w.@])(?P<head>[A-Za-z]+(?:[0-9]+(?:x[0-9]+)*)?)"
    r"(?:/(?P<first>[0-9]+)-(?P<last>[0-9]+)|-(?P<width>[0-9]+)(?:-|s|/s)(?P<stride>[1-4]))(?![\w.])"
)
_BARE = re.compile(
    r"(?<![\w.@])(?:(?P<fc>fc|dense|linear)[ \t]*,[ \t]*(?P<width>[0-9]+)"
    r"|(?P<pool>max|avg|average)?[ \t-]?pool(?:ing)?[ \t]*,?[ \t]*/[ \t]*(?P<stride>[0-9]))(?![\w.])",
    re.IGNORECASE,
)


def _order(stop: Stop) -> Fix | None:
    """Fix `CONV3/2-64`, `CONV3-64-2`, `CONV3-64s2`."""
    return ordered(stop.source, stop.offset)


def ordered(source: Source, at: int) -> Fix | None:
    """Return the fix for a layer whose stride does not follow its width, or has another symbol."""
    for found in _in_line(_ORDER, source, at):
        kind = KINDS.get(re.sub(r"[0-9].*", "", found["head"]).upper())
        if kind is not None and kind.WIDTH and kind.STRIDE:
            width, stride = found["last"] or found["width"], found["first"] or found["stride"]
            advice = "the stride comes last: {}" if found["first"] else "the stride follows a slash: {}"
            return replacement(Span(source, *found.span()), f"{found['head']}-{width}/{stride}", advice)
    return None


def _bare(stop: Stop) -> Fix | None:
    """Fix `fc, 1000`, `max pool, /2`."""
    for found in _in_line(_BARE, stop.source, stop.offset):
        kind = "AVGPOOL" if (found["pool"] or "").lower().startswith("av") else "POOL"
        text = f"FC-{found['width']}" if found["fc"] else f"{kind}{found['stride']}"
        return replacement(Span(stop.source, *found.span()), text, _ADVICE)
    return None


def _without_input(stop: Stop) -> Fix | None:
    """Fix `32x32x3 -> CONV3-64`."""
    volume = re.match(r"[0-9]+(?:x[0-9]+){0,3}(?=\s*->)", stop.after)
    if volume is None or stop.before.strip():
        return None
    place = Span(stop.source, stop.offset, stop.offset + volume.end())
    return replacement(place, f"INPUT {volume[0]}", "a network begins with its input: {}")


def _share(stop: Stop) -> Fix | None:
    """Fix `DROPOUT0.5`, `LEAKYRELU-0.1`."""
    for found in _in_line(_SHARE, stop.source, stop.offset):
        kind = KINDS.get(found["kind"].upper())
        if kind is not None and kind.POSITIONAL and kind.options()[kind.POSITIONAL[0]].type == "number":
            number = found["number"] if found["number"][0] != "." else f"0{found['number']}"
            place = Span(stop.source, found.start(), found.end())
            return replacement(place, f"{found['kind']}({number})", "its number is an option: {}")
    return None


def volume(source: Source, at: int) -> Fix | None:
    """Return the fix for an input whose shape is written differently: `INPUT(32, 32, 3)`, `INPUT 32, 32, 3`."""
    for found in _in_line(_INPUT, source, at):
        extents = re.findall("[0-9]+", found["extents"])
        opened = re.sub(r"[^(\[]", "", found["open"])
        text = f"INPUT {'x'.join(extents)}"
        if len(opened) == len(found["close"]) and text != found[0]:
            end = found.end() if opened else found.end("extents")
            if source.text[found.start() : end] != text:
                advice = _shape_advice(found["open"], found["extents"])
                return replacement(Span(source, found.start(), end), text, advice)
    return None


def _shape_advice(opening: str, extents: str) -> str:
    """Return the advice for an invalid shape, by what precedes it and separates its extents."""
    if opening.strip() == "-":
        return "a space, not a dash, comes before the shape: {}"
    if "×" in extents:
        return named("×", "x")
    is_spaced = not opening.strip() and re.fullmatch(r"[0-9]+(?:[ \t]*x[ \t]*[0-9]+)+", extents)
    return "a shape has no spaces: {}" if is_spaced else "separate extents with `x`: {}"


def _volume(stop: Stop) -> Fix | None:
    return volume(stop.source, stop.offset)


def _foreign(stop: Stop) -> Fix | None:
    return call_at(stop.source, stop.offset)


LAYER_FIXES: tuple[Callable[[Stop], Fix | None], ...] = (
    _foreign,
    _volume,
    _without_input,
    _paper,
    _bare,
    _order,
    _share,
    _spaced,
)
