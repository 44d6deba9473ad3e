"""The rules of `lint` about misplaced or useless layers. Those about sizes, windows and fields are in modules of their
own. Each rule is a function: the first line of its docstring states the rule, `Source:` names its origin. To add a
rule, add such a function and a line in `lint.RULES`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.analysis.cost import costs, network_total
from cnndsl.analysis.depth import is_weighted
from cnndsl.analysis.findings import Finding, magnifies, reads_map, shared_filters, source_of_vector
from cnndsl.graph import CallPart, Graph, Node, walk


def dropout_between_convolutions(graph: Graph) -> Iterator[Finding]:
    """Dropout of single values does little between convolutions: their neighbours carry the same.

    Source: Tompson et al. 2015, arXiv:1411.4280, Section 3.2.
    """
    below: set[int] = set()
    for node in graph.nodes:
        if shared_filters(graph, node) or below.intersection(node.inputs):
            below.add(node.index)
    for node in graph.layers:
        drops = node.layer.drops_values() and node.shape.pixels > 1
        if drops and node.index in below and _meets_convolution(graph, node):
            yield Finding(node.span, f"{node.text} comes between convolutions", "drop whole channels with channels=yes")


def _meets_convolution(graph: Graph, node: Node) -> bool:
    """Return whether the first layer with weights after a node, on any path, is a convolution wider than one pixel."""
    ahead, met = [node.index], set[int]()
    while ahead:
        for at in graph.readers[ahead.pop()]:
            reader = graph.nodes[at]
            if not is_weighted(graph, reader):
                ahead.extend({at} - met)
            elif set(shared_filters(graph, reader)) - {1}:
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
            message = f"the BN after {node.text} cancels its bias of {biases[0].numel:,} parameters"
            yield Finding(node.span, message, f"write bias=no, or once for all layers: default {node.kind}(bias=no)")


def first_fc(graph: Graph) -> Iterator[Finding]:
    """Most parameters should not lie in the first FC: global pooling ahead of it saves them.

    One that is split has several, in branches or towers. Behind a pooling that copies values, magnifying-pool speaks.
    Source: Lin et al. 2014, arXiv:1312.4400, Section 3.2; CS231n, "Convolutional Networks", Case studies (VGGNet).
    """
    each = costs(graph)
    everything = network_total(graph, each).params
    found = _first_dense(graph)
    before = [source_of_vector(graph, node) for node in found]
    params = sum(each[node.index].params for node in found)
    if 2 * params <= everything or any(node.inputs and magnifies(graph, node) for node in before):
        return
    weights = [each[node.index].weights for node in found]
    saved = sum(count - count // node.shape.pixels for count, node in zip(weights, before, strict=True))
    them = "it" if len(found) == 1 else "them"
    inputs = {graph.shapes(node)[0].numel // source.shape.pixels for node, source in zip(found, before, strict=True)}
    for_inputs = f", for {inputs.pop()} inputs{' each' if them == 'them' else ''}," if len(inputs) == 1 else ""
    message = f"{params:,} of the {everything:,} parameters are in {_listed(found)}, the first FC"
    advice = f"GAP before {them}{for_inputs} saves {saved:,} parameters"
    yield Finding(found[0].span, message + "s" * (them == "them"), advice)


def _first_dense(graph: Graph) -> list[Node]:
    """Return the dense layers that read a map, with no other before them; training-only layers do not count."""
    behind, first = set[int](), dict[int, Node]()
    for node in graph.layers:
        if not behind.isdisjoint(node.inputs) or not first.keys().isdisjoint(node.inputs):
            behind.add(node.index)
        elif reads_map(graph, node) and not node.training_only:
            first[node.index] = node
    return list(first.values())


def _listed(nodes: Sequence[Node]) -> str:
    """Format the paths of layers, three at most."""
    *paths, last = (node.path for node in nodes)
    if len(paths) > 2:
        return f"{paths[0]}, {paths[1]} and {len(paths) - 1} others"
    return f"{', '.join(paths)} and {last}" if paths else last


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
    """A layer type that is written like a block is easily mistaken for it: `Conv3-64` beside a block `Conv`.

    In capitals it is plain, and in the definition of the block itself there is no other. Source: the reference of the
    language.
    """
    calls = {part.block.upper(): part for part in walk(graph.tree) if isinstance(part, CallPart)}
    for node in graph.layers:
        word = re.match("[A-Za-z_]*", node.span.text)
        call = calls.get(word[0].upper()) if word else None
        if word is None or call is None or word[0].isupper() or node.span.source is not call.span.source:
            continue
        inside = call.definition.source is node.span.source and (
            call.definition.start <= node.span.start < call.definition.end
        )
        if not inside:
            message = f"`{word[0]}` is the layer type here, but `{call.block}` is a block"
            yield Finding(node.span, message, "give the block another name")


def _operands(graph: Graph, node: Node) -> Iterator[tuple[Node, int, int]]:
    """Yield the nodes that a concatenation consists of, each with its range of channels; any other node as a whole."""
    if not node.layer.JOINS_CHANNELS:
        yield node, 0, node.shape.channels
        return
    start = 0
    for at in node.inputs:
        part = graph.nodes[at]
        yield part, start, start + part.shape.channels
        start += part.shape.channels
