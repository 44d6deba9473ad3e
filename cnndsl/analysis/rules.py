"""The rules of thumb that `lint` knows. One function a rule: its docstring's first line says the rule, `Source:`
where it is from. A new rule is a function here and a line in `lint.RULES`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from math import prod

from cnndsl.analysis.cost import costs, network_total
from cnndsl.analysis.depth import is_dense, is_weighted
from cnndsl.analysis.receptive_field import Field, last_map, receptive_fields
from cnndsl.errors import Diagnostic, Span
from cnndsl.graph import CallPart, Graph, Node, descendants, walk
from cnndsl.layers.base import Window
from cnndsl.records import record
from cnndsl.shape import Shape

FAR_LARGER = 4
"""How many times the input a field is when it is far larger."""


@record(slots=True)
class Finding:
    """Something that goes against a rule, and the way out."""

    span: Span
    message: str
    help: str = ""

    def diagnostic(self, code: str) -> Diagnostic:
        """Return the finding as the diagnostic of a rule."""
        return Diagnostic(code, self.message, self.span, help=self.help, severity="warning")


Check = Callable[[Graph], Iterator[Finding]]


def odd_input(graph: Graph) -> Iterator[Finding]:
    """The input should be divisible by two as often as the network halves it.

    Source: CS231n, "Convolutional Networks", Layer Sizing Patterns.
    """
    for start, _, field in _last_maps(graph):
        for extent, stride in zip(start.shape.spatial, field.local.stride, strict=False):
            halvings = _twos(int(stride)) if stride == int(stride) else 0
            if extent > 1 and _twos(extent) < halvings:
                factor = 2**halvings
                message = f"{factor} does not divide the input's {extent}, and the network halves it {halvings} times"
                below, above = extent // factor * factor, -(-extent // factor) * factor
                yield Finding(start.span, message, f"take {below} or {above}" if below else f"take {above}")
                break


def _last_maps(graph: Graph) -> Iterator[tuple[Node, Node, Field]]:
    """Each input that has a plane, with the last map that depends on it and the field of that."""
    for start in graph.inputs:
        fields = receptive_fields(graph, start.index)
        last = last_map(graph, fields)
        field = fields[last]
        if start.shape.rank and field is not None:
            yield start, graph.nodes[last], field


def _input(graph: Graph, start: Node) -> str:
    return "the input" if len(graph.inputs) == 1 else start.path


def _twos(number: int) -> int:
    """How often two divides a number that is not 0."""
    return (number & -number).bit_length() - 1


def large_kernel(graph: Graph) -> Iterator[Finding]:
    """A stack of 3x3 convolutions sees as much as a large kernel, with fewer parameters and more nonlinearities.

    Source: Simonyan and Zisserman 2014, arXiv:1409.1556, Section 2.3.
    """
    for node, kernel, window in _convolutions(graph):
        if not node.layer.SHARES_WEIGHTS:
            continue
        (x,) = graph.shapes(node)
        size, filters, rank = kernel[0], node.shape.channels, x.rank
        one = size**rank * x.channels * filters
        weights = sum(tensor.numel for tensor in node.layer.tensors(x) if tensor.role == "weight")
        dilated = window.extent != kernel
        if set(window.step) != {1} or dilated or len(set(kernel)) > 1 or weights != one or size < 5 or size % 2 == 0:
            continue
        turns = (size - 1) // 2
        stack = 3**rank * filters * (x.channels + (turns - 1) * filters)
        if stack < one:
            small, large = _by((3,) * rank), _by(kernel)
            message = f"{turns} layers of {small} see as much as one of {large}: {stack:,} weights instead of {one:,}"
            yield Finding(node.span, message, f"[CONV3-{filters} -> RELU]*{turns}")


def even_kernel(graph: Graph) -> Iterator[Finding]:
    """An even kernel has no centre: the map is shifted by half a pixel, or padded unevenly.

    Source: Wu et al. 2019, arXiv:1903.08385, "Convolution with even-sized kernels and symmetric padding", Section 3.
    """
    for node, kernel, window in _convolutions(graph):
        if any(size % 2 == 0 and size != step for size, step in zip(kernel, window.step, strict=True)):
            message = f"the kernel {_by(kernel)} of {node.text} has no centre"
            yield Finding(node.span, message, f"take {_by(tuple(size + 1 - size % 2 for size in kernel))}")


def stride_remainder(graph: Graph) -> Iterator[Finding]:
    """The windows should fit the input without a remainder: (W - F + 2P)/S + 1 should be an integer.

    Source: CS231n, "Convolutional Networks", Spatial arrangement ("constraints on strides").
    """
    for node in graph.layers:
        remainder = node.layer.remainder(*graph.shapes(node))
        if not any(remainder):
            continue
        rows = max(remainder)
        lines = "1 line" if rows == 1 else f"{rows} lines"
        padded = _padded(graph, node)
        which = "input" if padded == graph.shapes(node)[0] else "padded input"
        message = f"the windows of {node.text} leave {lines} of the {which} {padded} over"
        yield Finding(node.span, message, "change the padding, or pad only where a window reaches")


def _padded(graph: Graph, node: Node) -> Shape:
    """The padded input of a layer with windows: what they span, and what they leave over."""
    x, window = graph.shapes(node)[0], node.layer.window(*graph.shapes(node))
    if window is None:
        return x
    numbers = zip(node.shape.spatial, window.step, window.extent, node.layer.remainder(x), strict=True)
    return Shape(x.channels, tuple((out - 1) * step + extent + rest for out, step, extent, rest in numbers))


def dropout_between_convolutions(graph: Graph) -> Iterator[Finding]:
    """Dropout of single values does little between convolutions: their neighbours carry the same.

    Source: Tompson et al. 2015, arXiv:1411.4280, Section 3.2.
    """
    below: set[int] = set()
    for node in graph.nodes:
        if _shared_filters(graph, node) or below.intersection(node.inputs):
            below.add(node.index)
    for node in graph.layers:
        drops = node.layer.drops_values() and node.shape.pixels > 1
        if drops and node.index in below and _meets_convolution(graph, node):
            yield Finding(node.span, f"{node.text} stands between convolutions", "drop whole channels: channels=yes")


def _meets_convolution(graph: Graph, node: Node) -> bool:
    """True where the first layer with weights behind a node, on any way, is a convolution wider than one pixel."""
    ahead, met = [node.index], set[int]()
    while ahead:
        for at in graph.readers[ahead.pop()]:
            reader = graph.nodes[at]
            if not is_weighted(graph, reader):
                ahead.extend({at} - met)
            elif set(_shared_filters(graph, reader)) - {1}:
                return True
            met.add(at)
    return False


def bias_before_bn(graph: Graph) -> Iterator[Finding]:
    """A bias before batch normalisation is subtracted again with the mean.

    Source: Ioffe and Szegedy 2015, arXiv:1502.03167, Section 3.2.
    """
    for node in graph.layers:
        applied = graph.applications.get(node.index, (node.index,))
        readers = [graph.nodes[at].layer for each in applied for at in graph.readers[each]]
        biases = [tensor for tensor in graph.tensors(node) if tensor.role == "bias"]
        if (
            all(graph.readers[each] for each in applied)
            and biases
            and is_weighted(graph, node)
            and all(each.SUBTRACTS_MEAN for each in readers)
        ):
            message = f"the bias of {node.text} is lost in the BN behind it: {biases[0].numel:,} parameters"
            yield Finding(node.span, message, f"bias=no, or once for all: default {node.kind}(bias=no)")


def narrow_field(graph: Graph) -> Iterator[Finding]:
    """A unit of the last map should see the whole object; unless it is said otherwise, that fills the input.

    Where FC layers read that map they see the rest, and nothing is said. Source: Araujo et al. 2019, Distill,
    doi 10.23915/distill.00021; Luo et al. 2016, arXiv:1701.04128.
    """
    for start, node, field in _last_maps(graph):
        size, plane = field.local.size, start.shape.spatial
        after = (graph.nodes[at] for at in descendants(graph.digraph, node.index))
        if not node.inputs or any(_reads_map(graph, each) for each in after):
            continue
        if any(seen < extent for seen, extent in zip(size, plane, strict=True)):
            whose = f"{_input(graph, start)}'s {_by(plane)}"
            message = f"a unit of the last map, {node.path}, sees {_most(field)}{_by(size)} of {whose}"
            yield Finding(node.span, message, "go deeper, stride or dilate")
            return


def wide_field(graph: Graph) -> Iterator[Finding]:
    """A field far larger than the input sees padding most of all.

    Source: Araujo et al. 2019, Distill, doi 10.23915/distill.00021, "Discussion".
    """
    for start, node, field in _last_maps(graph):
        size, plane = field.local.size, start.shape.spatial
        if node.inputs and any(seen > FAR_LARGER * extent for seen, extent in zip(size, plane, strict=False)):
            which = _input(graph, start)
            message = (
                f"a unit of the last map, {node.path}, sees {_most(field)}{_by(size)}, and {which} has {_by(plane)}"
            )
            yield Finding(node.span, message, "a larger input, or fewer layers, would use it")
            return


def _most(field: Field) -> str:
    return "at most " if field.local.at_most else ""


def first_fc(graph: Graph) -> Iterator[Finding]:
    """Most parameters should not lie in the first FC: global pooling ahead of it saves them.

    Source: Lin et al. 2014, arXiv:1312.4400, Section 3.2.
    """
    each = costs(graph)
    everything = network_total(graph, each).params
    for node in graph.layers:
        if not _reads_map(graph, node):
            continue
        cost, (x,) = each[node.index], graph.shapes(node)
        pixels = _flattened_pixels(graph, node)
        saved = cost.weights - cost.weights // pixels
        if 2 * cost.params > everything:
            message = f"{cost.params:,} of the {everything:,} parameters are in {node.path}, the first FC"
            yield Finding(node.span, message, f"GAP ahead of it, for {x.numel // pixels} inputs, saves {saved:,}")
        return


def dead_branch(graph: Graph) -> Iterator[Finding]:
    """What no output depends on is computed for nothing: here, channels that all readers leave out.

    Source: the graph itself.
    """
    kept = {graph.output, *(tap.node for tap in graph.taps)}
    for node in graph.layers:
        readers = [graph.nodes[at].layer for at in graph.readers[node.index]]
        if node.index in kept or any(layer.channels_read() is None for layer in readers):
            continue
        read = {at for layer in readers for at in layer.channels_read() or ()}
        for part, start, stop in _operands(graph, node):
            if not read.intersection(range(start, stop)):
                yield Finding(part.span, f"nothing reads the output of {part.path}", "merge it, tap it or remove it")
        unread = sum(1 for at in range(node.shape.channels) if at not in read)
        if read and unread and not node.layer.JOINS_CHANNELS:
            message = f"nothing reads {unread} of the {node.shape.channels} channels of {node.path}"
            yield Finding(node.span, message, f"make it {node.shape.channels - unread} channels wide")


def block_like_kind(graph: Graph) -> Iterator[Finding]:
    """A block and a layer type whose names differ in case only are easily mistaken for one another.

    Layers in the definition of the block itself are not counted. Source: the language's reference.
    """
    calls = {part.block.upper(): part for part in walk(graph.tree) if isinstance(part, CallPart)}
    for node in graph.layers:
        word = re.match("[A-Za-z_]*", node.span.text)
        call = calls.get(word[0].upper()) if word else None
        if word is None or call is None or node.span.source is not call.span.source:
            continue
        inside = call.definition.source is node.span.source and (
            call.definition.start <= node.span.start < call.definition.end
        )
        if not inside:
            message = f"`{word[0]}` is the layer type here, and `{call.block}` is a block"
            yield Finding(node.span, message, "give the block another name")


def _operands(graph: Graph, node: Node) -> Iterator[tuple[Node, int, int]]:
    """The nodes that a concatenation is made of, each with its range of channels; another node as a whole."""
    if not node.layer.JOINS_CHANNELS:
        yield node, 0, node.shape.channels
        return
    start = 0
    for at in node.inputs:
        part = graph.nodes[at]
        yield part, start, start + part.shape.channels
        start += part.shape.channels


def _by(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


def _convolutions(graph: Graph) -> Iterator[tuple[Node, tuple[int, ...], Window]]:
    """The layers whose filters slide over their input, each with the filters' extents and its window."""
    for node in graph.layers:
        shapes = graph.shapes(node)
        size, window = node.layer.filter_size(*shapes), node.layer.window(*shapes)
        if size and window is not None:
            yield node, size, window


def _shared_filters(graph: Graph, node: Node) -> tuple[int, ...]:
    """The extents of the filters of a convolution that has the same weights everywhere; empty for other layers."""
    return node.layer.filter_size(*graph.shapes(node)) if node.inputs and node.layer.SHARES_WEIGHTS else ()


def _reads_map(graph: Graph, node: Node) -> bool:
    """True for a dense layer that reads a map of more than one pixel."""
    return is_dense(graph, node) and _flattened_pixels(graph, node) > 1


def _flattened_pixels(graph: Graph, node: Node) -> int:
    """The pixels of the map that an FC reads, flattened before it or by it."""
    before = graph.nodes[node.inputs[0]]
    while before.inputs and not before.shape.rank and not is_weighted(graph, before) and len(before.inputs) == 1:
        before = graph.nodes[before.inputs[0]]
    return prod(before.shape.spatial)
