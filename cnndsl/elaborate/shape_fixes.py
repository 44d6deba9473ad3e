"""Edits for layers that reject their input: no spatial axes, a width among the sizes, or an invalid width."""

from __future__ import annotations

import re
from dataclasses import replace
from math import isqrt

from cnndsl.elaborate.state import PendingNode
from cnndsl.errors import Annotation, Edit, Fix, Help, Span, replacement
from cnndsl.layers.base import Layer, LayerError
from cnndsl.syntax.edits import code, statement_end
from cnndsl.syntax.edits import fix as fix_of

_LARGEST_IMAGE = 1024
_SMALLEST_IMAGE = 24


def fix(stop: LayerError, layer: Layer, span: Span, before: PendingNode, first: PendingNode) -> Help:
    """Return the help for a layer that rejects the output of the node before it; `first` is the first input."""
    if stop.code == "E0301":
        is_as_large = first.shape.spatial == before.shape.spatial and "earlier" in stop.help
        otherwise = "use a larger input or a smaller window" if is_as_large else stop.help
        return _channels_last(first, otherwise) or otherwise
    if stop.code == "E0302" and not before.inputs:
        started = _from_a_vector(before.span, layer, span, stop)
        return started or _input_volume(before.span, layer, stop.help) or stop.help
    if stop.code == "E0302" and before.layer.ROLE == "arrangement":
        return _flattened_later(before.span, stop.help) or stop.help
    if stop.code == "E0303":
        return _width_among_extents(span, layer, before.shape.rank, stop.help) or stop.help
    if stop.divisor:
        return _squared_factor(before.span, span, stop) or stop.help
    if "write DWCONV" in stop.help:
        return _depthwise(span, stop) or stop.help
    if stop.width_is_optional:
        return _without_width(span, stop) or stop.help
    return _with_options(span, stop) or stop.help


def _channels_last(node: PendingNode, otherwise: str) -> Fix | None:
    """Fix `INPUT 1x22x500`, PyTorch's axis order for 22 electrodes and 500 samples, which is INPUT 22x500x1 here."""
    written = re.fullmatch(r"(\w+)\s+([134])((?:x[0-9]+){2,3})", node.span.text)
    batch = re.fullmatch(r"(\w+)\s+1x([134])x([0-9]+)x([0-9]+)", node.span.text)
    if batch and not node.inputs and min(int(batch[3]), int(batch[4])) >= _SMALLEST_IMAGE:
        text = f"{batch[1]} {batch[3]}x{batch[4]}x{batch[2]}"
        advice = "an input is height x width x channels, without the batch: {}"
        return replacement(node.span, text, advice, otherwise)
    if written is None or node.inputs or node.shape.channels <= node.shape.spatial[0]:
        return None
    text = f"{written[1]} {written[3][1:]}x{written[2]}"
    *extents, channels = written[3][1:].split("x")
    axes = f"{written[2]} high, {extents[0]} wide" if len(extents) == 1 else "x".join((written[2], *extents))
    mark = Annotation(node.span, f"this is {axes}, with {channels} channels")
    fix = replacement(node.span, text, "channels come last: {}", otherwise)
    return replace(fix, marks=(mark,))


def _from_a_vector(place: Span, layer: Layer, span: Span, stop: LayerError) -> Fix | None:
    """Fix `INPUT 100 -> CONVT4-512`, a generator whose first layer makes a single-position map."""
    written = re.fullmatch(r"(\w+)\s+([0-9]+)", place.text)
    size = re.match(r"[A-Za-z]+([0-9]+)-\w+$", span.text)
    gap = place.source.text[place.end : span.start] if place.source is span.source else ""
    is_first = "out_pad" in layer.options() and gap.strip() == "->"
    if written is None or size is None or size[1] == "1" or not is_first:
        return None
    edits = (Edit(place, f"{written[1]} 1x1x{written[2]}"), Edit(span, f"{span.text}(pad=valid)"))
    return Fix(edits, "a transposed convolution starts from a map: {}", place.to(span), stop.help)


def _input_volume(place: Span, layer: Layer, otherwise: str) -> Fix | None:
    """Fix an input without spatial axes: `INPUT 224 -> CONV3-64` is an image, `INPUT 784` one of digits, `INPUT 100 ->
    CONVT4-512` a noise vector, `INPUT 16000` a recording."""
    written = re.fullmatch(r"(\w+)\s+([0-9]+)", place.text)
    if written is None:
        return None
    size = int(written[2])
    side = isqrt(size)
    if layer.WIDENS or "out_pad" in layer.options() or size < _SMALLEST_IMAGE:
        text = f"1x1x{size}"
    elif size <= _LARGEST_IMAGE:
        is_square = side * side == size and size > 256
        text = f"{side}x{side}x1" if is_square else f"{size}x{size}x{1 if size == 28 else 3}"
    else:
        text = f"{size}x1"
    return replacement(place, f"{written[1]} {text}", "give the input spatial axes: {}", otherwise)


def _flattened_later(place: Span, otherwise: str) -> Fix | None:
    """Fix `FLATTEN -> CONV3-32 -> FC-10`: FLATTEN moves to the next dense layer, which itself flattens too."""
    source, text = place.source, place.source.text
    arrow = re.search(r"\s*->\s*$", text[max(0, place.start - 200) : place.start])
    if arrow is None:
        return None
    start = place.start - len(arrow[0])
    edits = [(start, place.end, "")]
    dense = re.search(r"->\s*(?=(?i:FC)\b)", code(source, place.end, statement_end(source, place.end)))
    if dense:
        at = place.end + dense.end()
        edits.append((at, at, f"{place.text} -> "))
        moved = fix_of(source, edits, f"move `{place.text}` to where the convolutions end, before the first FC", place)
    else:
        moved = fix_of(source, edits, f"remove `{place.text}`: an FC flattens its input", place)
    return replace(moved, place=None, otherwise=otherwise)


def _width_among_extents(place: Span, layer: Layer, rank: int, otherwise: str) -> Fix | None:
    """Fix `CONV3x3x64`, which is CONV3-64."""
    written = re.match(r"([A-Za-z]+)([0-9]+(?:x[0-9]+)*)x([0-9]+)(?![\w-])", place.text)
    if written is None or not layer.WIDTH or written[2].count("x") + 1 != rank:
        return None
    extents = [*written[2].split("x"), written[3]]
    if len(set(extents[1:])) == 1 and int(extents[0]) > int(extents[1]):
        head = Span(place.source, place.start, place.start + written.end())
        return replacement(head, f"{written[1]}{extents[1]}-{extents[0]}", "the width follows a dash: {}", otherwise)
    if int(extents[-1]) <= max(map(int, extents[:-1])):
        return None
    extents = extents[:-1]
    size = extents[0] if len(set(extents)) == 1 else written[2]
    head = Span(place.source, place.start, place.start + written.end())
    return replacement(head, f"{written[1]}{size}-{written[3]}", "the width follows a dash: {}", otherwise)


def _squared_factor(before: Span, place: Span, stop: LayerError) -> Fix | None:
    """Fix `CONV3-{c*r} -> PIXELSHUFFLE{r}`, which needs CONV3-{c*r**2}."""
    head = re.match(r"[A-Za-z]+[0-9x]*-(?:\{(?P<inner>[^{}]*)\}|(?P<plain>\w+))", before.text)
    factor = re.match(r"[A-Za-z]+(?:\{(?P<name>\w+)\}|(?P<number>[0-9]+))", place.text)
    if head is None or factor is None:
        return None
    width, size = head["inner"] or head["plain"], factor["name"] or factor["number"]
    product = re.sub(rf"\*\s*{size}(?=\s*(?:\*[^*]|$))|^{size}(?=\s*\*[^*])", r"\g<0>**2", width, count=1)
    if product == width:
        is_product = re.fullmatch(r"[\w*]+", width) is not None
        product = f"{width if is_product else f'({width})'}*{size}**2"
    start = before.start + (head.start("inner") - 1 if head["inner"] else head.start("plain"))
    edit = Edit(Span(before.source, start, before.start + head.end()), f"{{{product}}}")
    shown = Span(before.source, before.start, before.start + head.end())
    return Fix((edit,), f"{stop.help.partition(':')[0]}: write {{}} before it", shown, stop.help)


def _depthwise(place: Span, stop: LayerError) -> Fix | None:
    """Fix `CONV3-32/s(groups=32, bias=no)`, which is DWCONV3/s(bias=no)."""
    written = re.fullmatch(
        r"CONV(?P<size>[0-9x]+|\{[^{}]*\})-(?:\{[^{}]*\}|\w+)(?P<stride>/\S+?)?\((?P<options>[^()]*)\)", place.text
    )
    if written is None:
        return None
    kept = [each.strip() for each in written["options"].split(",") if not re.match(r"\s*groups\s*=", each)]
    text = f"DWCONV{written['size']}{written['stride'] or ''}" + (f"({', '.join(kept)})" if kept else "")
    return replacement(place, text, stop.help.replace("write DWCONV", "write {}"), stop.help)


def _without_width(place: Span, stop: LayerError) -> Fix | None:
    """Fix `DWCONV3-c/s`, which is DWCONV3/s."""
    width = re.match(r"[^-(]+(?P<width>-(?:\{[^{}]*\}|\w+))", place.text)
    if width is None:
        return None
    start, end = (place.start + at for at in width.span("width"))
    advice = "without a width it has as many filters as its input has channels: {}"
    return Fix((Edit(Span(place.source, start, end), ""),), advice, place, stop.help)


def _with_options(place: Span, stop: LayerError) -> Fix | None:
    """Return the layer with the options that its error proposes."""
    if not stop.options:
        return None
    text = place.text
    written = f"{text[:-1]}, {stop.options})" if text.endswith(")") else f"{text}({stop.options})"
    return replacement(place, written, stop.help.partition(":")[0] + ": {}", stop.help)
