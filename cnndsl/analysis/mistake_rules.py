"""Rules for networks that are plausible but probably not intended: size and width swapped, channels first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.analysis.findings import Finding, by, convolutions
from cnndsl.errors import Annotation, Diagnostic, Edit, Fix, Help, Span, replacement
from cnndsl.graph import CallPart, Graph, Node, nodes_of, walk

_LEAST_SIZE = 16
_MOST_WIDTH = 11
_SIZE_AND_WIDTH = r"([A-Za-z]+)([0-9]+)(?:x[0-9]+)*-([0-9]+)"
_CHANNELS = (1, 3, 4)
_LEAST_EXTENT = 8


def swapped_size(graph: Graph) -> Iterator[Finding]:
    """A convolution with a kernel of 16 or more and fewer filters than that has its size and its width swapped.

    With a stride of 16 or more, fewer filters and a smaller kernel, width and stride are swapped.

    CONV64-3 has 3 filters of 64x64; CONV3-64 was meant. Source: the reference of the language.
    """
    for node, size, window in convolutions(graph):
        shape = graph.shapes(node)[0]
        largest = max(size, default=0)
        is_square = len(size) > 1 and min(size) == largest >= _LEAST_SIZE
        is_whole_map = size == shape.spatial and node.shape.pixels == 1
        is_narrow = node.shape.channels <= _MOST_WIDTH and not is_whole_map
        step = max(window.step, default=1)
        if step >= _LEAST_SIZE and largest <= _MOST_WIDTH and node.shape.channels <= _MOST_WIDTH:
            message = (
                f"{node.text} has {node.shape.channels} filters and stride {step}: width and stride may be swapped"
            )
            span, help = _unswapped(graph, node, step, r"(\w+-)([0-9]+)/([0-9]+)")
            yield Finding(span, message, help)
        is_patch = step >= largest or "out_pad" in node.layer.options()
        if not is_square or not is_narrow or is_patch:
            continue
        message = f"{node.text} has {node.shape.channels} filters of {by(size)}: the size and the width may be swapped"
        span, help = _unswapped(graph, node, largest)
        yield Finding(span, message, help)


def _unswapped(graph: Graph, node: Node, size: int, form: str = _SIZE_AND_WIDTH) -> tuple[Span, Help]:
    """Return the location of a layer and its fix; if a block call passes both numbers, those of the call."""
    written = re.match(form, node.span.text)
    if written is not None:
        head = Span(node.span.source, node.span.start, node.span.start + written.end())
        sign = "-" if form == _SIZE_AND_WIDTH else "/"
        return node.span, replacement(head, f"{written[1]}{written[3]}{sign}{written[2]}", "did you mean {}?")
    calls = [part for part in walk(graph.tree) if isinstance(part, CallPart) and node.index in set(nodes_of(part))]
    if calls:
        fix = swapped_arguments(calls[-1].span, str(size), str(node.shape.channels))
        return calls[-1].span, fix or "swap the arguments"
    return node.span, f"did you mean CONV{node.shape.channels}-{size}?"


def swapped_arguments(call: Span, one: str, other: str) -> Fix | None:
    """Return a fix with two arguments of a call swapped; None unless each occurs in it exactly once."""
    text = call.text
    places = [[found.span() for found in re.finditer(rf"(?<![\w.]){each}(?![\w.])", text)] for each in (one, other)]
    if one == other or any(len(each) != 1 for each in places):
        return None
    (first,), (second,) = places
    (start, end), (begin, stop) = sorted((first, second))
    swapped = f"{text[:start]}{text[begin:stop]}{text[end:begin]}{text[start:end]}{text[stop:]}"
    return replacement(call, swapped, "did you mean {}?")


def size_for_width(graph: Graph) -> Iterator[Finding]:
    """A kernel of a small odd height and a width of 16 or more, without a number of filters, was meant as a size and
    its filters: CONV3x64 has 3x64 kernels, CONV3-64 was meant.

    Source: the reference of the language.
    """
    for node, size, _ in convolutions(graph):
        written = re.match(r"([A-Za-z]+)([13579]|11)x([0-9]+)(?![\w-])", node.span.text)
        shape = graph.shapes(node)[0]
        is_strip = len(size) == 2 and size[0] * 3 <= size[1] and size[1] >= _LEAST_SIZE and size[0] > 1
        if written is None or not is_strip or not node.layer.WIDTH or size[1] == shape.spatial[1]:
            continue
        head = Span(node.span.source, node.span.start, node.span.start + written.end())
        message = f"{node.text} has {node.shape.channels} filters of {by(size)}; the width follows a dash"
        yield Finding(
            node.span, message, replacement(head, f"{written[1]}{written[2]}-{written[3]}", "did you mean {}?")
        )


def channels_first(graph: Graph) -> Iterator[Finding]:
    """An input is height x width x channels: one of 3 rows and hundreds of channels has its channels first.

    PyTorch's order is written here the other way round. Source: the reference of the language.
    """
    yield from reshaped_channels_first(graph)
    for node in graph.inputs:
        extents = node.shape.spatial
        if len(extents) < 2 or extents[0] not in _CHANNELS or graph.settings.keys() & {"input"}:
            continue
        rest = (*extents[1:], node.shape.channels)
        is_image = extents[0] > 1 and min(rest) >= _LEAST_EXTENT
        is_square = len(set(rest)) == 1 and rest[0] >= _LEAST_EXTENT
        if not (is_image or is_square or _reads_lines(graph, node)):
            continue
        found = re.search(r"[0-9]+(?:x[0-9]+)+", node.span.text)
        message = f"this input has {extents[0]} row{'s' * (extents[0] > 1)} and {node.shape.channels} channels"
        text = "x".join(map(str, (*rest, extents[0])))
        help: Help = f"channels come last: {text}"
        if found and found[0] == "x".join(map(str, (*extents, node.shape.channels))):
            start = node.span.start + found.start()
            place = Span(node.span.source, start, start + len(found[0]))
            help = Fix((Edit(place, text),), "channels come last, as in height x width x channels: {}", node.span)
        yield Finding(node.span, message, help)


def reshaped_channels_first(graph: Graph) -> Iterator[Finding]:
    """A vector that becomes a map of more rows than columns, with as many channels as columns, has its channels first.

    RESHAPE(128x7x7) has 128 rows; RESHAPE(7x7x128) was meant. Source: the reference of the language.
    """
    for node in graph.layers:
        rows, *rest = node.shape.hwc
        is_reshaped = "shape" in node.layer.options() and len(rest) > 1 and len(set(rest)) == 1
        if not is_reshaped or not rows > rest[0] > 1 or graph.shapes(node)[0].rank:
            continue
        written, text = by(node.shape.hwc), by((*rest, rows))
        message = f"this map has {rows} rows and {node.shape.channels} channels"
        start = node.span.start + node.span.text.find(written)
        help: Help = f"channels come last: {text}"
        if written in node.span.text:
            place = Span(node.span.source, start, start + len(written))
            help = Fix((Edit(place, text),), "channels come last, as in height x width x channels: {}", node.span)
        yield Finding(node.span, message, help)


def _reads_lines(graph: Graph, node: Node) -> bool:
    """Return whether a map of one row and very many channels enters filters that are taller than it, as if EEG
    electrodes and samples were given in PyTorch's order."""
    if node.shape.spatial[0] != 1 or node.shape.channels < 10 * _LEAST_EXTENT:
        return False
    return any(size[0] > 1 and graph.shapes(each)[0].spatial[0] == 1 for each, size, _ in convolutions(graph))


def blamed(failed: Diagnostic, graph: Graph) -> Diagnostic:
    """Add the layers that are probably unintended, those that a rule of this module finds, to the diagnostic of an
    assertion that does not hold."""
    for rule in (channels_first, swapped_size, size_for_width):
        findings = list({each.span: each for each in rule(graph)}.values())
        if findings:
            return _blamed(failed, findings)
    return failed


def _blamed(failed: Diagnostic, findings: Sequence[Finding]) -> Diagnostic:
    first = findings[0]
    message = re.sub(r"^this (?:map|input)\b", f"`{first.span.text}`", first.message).partition(": ")[0]
    lines = list(dict.fromkeys(each.span.line for each in findings if each.span.line != first.span.line))
    more = ""
    if lines:
        listed = f"{', '.join(map(str, lines[:-1]))} and {lines[-1]}" if len(lines) > 1 else f"{lines[0]}"
        more = f" (likewise in line{'s' * (len(lines) > 1)} {listed})"
    failed = replace(failed, others=(*failed.others, Annotation(first.span)))
    advice = f"in line {first.span.line}, {message}; "
    fixes = [each.help for each in findings if isinstance(each.help, Fix)]
    if len(fixes) < len(findings) or not isinstance(first.help, Fix):
        return failed.advised(f"{advice}{first.help}{more}")
    edits = tuple(edit for each in fixes for edit in each.edits)
    return failed.advised(replace(first.help, edits=edits, advice=f"{advice}{first.help.advice}{more}"))


def for_a_rounded_number(failed: Diagnostic) -> str:
    """Return the hint for `params == 1.24M` if there are 1,235,496; empty for a number that the actual one does not
    round to."""
    number = r"[0-9][0-9,]*\b"
    values = re.match(
        rf"(?P<what>.+?) is (?P<true>{number}).*, but the file asserts (?P<asserted>{number})", failed.message
    )
    if values is None:
        return ""
    true, asserted = (int(values[each].replace(",", "")) for each in ("true", "asserted"))
    zeros = len(str(asserted)) - len(str(asserted).rstrip("0"))
    if zeros < 2 or abs(true - asserted) * 2 > 10**zeros:
        return ""
    return f"{asserted:,} is rounded; the exact number is `{values['what']} == {true:_}`"
