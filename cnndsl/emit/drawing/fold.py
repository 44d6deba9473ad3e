"""Selects the nodes that a drawing shows: repeats folded into their first iteration, layers stacked on others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from cnndsl.analysis.equality import PartClasses
from cnndsl.graph import (
    CallPart,
    Graph,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Node,
    Output,
    Part,
    TapPart,
    inner_parts,
    nodes_of,
    walk,
)
from cnndsl.layers.base import Role

Folded: TypeAlias = "Mapping[int, int]"
"""For each node, the node that is drawn instead of it."""

_UPON: frozenset[Role] = frozenset({"normalisation", "activation", "arrangement", "identity"})
"""The roles of layers that are stacked on the layer before them."""


def is_frame(part: Part) -> bool:
    """Return whether a part is drawn with a frame around it: a module."""
    return isinstance(part, CallPart | TapPart) or (isinstance(part, NamedPart) and part.is_module)


def is_folded(part: Part, folded: Folded) -> bool:
    """Return whether a part is a repeat whose later iterations are drawn as its first one."""
    return (
        isinstance(part, LoopPart) and len(part.turns) > 1 and any(folded[at] != at for at in nodes_of(part.turns[1]))
    )


def unfolded(graph: Graph) -> Folded:
    """Return the mapping of every node to itself."""
    return {node.index: node.index for node in graph.nodes}


def fold(graph: Graph) -> Folded:
    """Map the nodes of later iterations of a repeat to those of the first if all iterations are equal."""
    folded = dict(unfolded(graph))
    _fold(PartClasses(graph), graph.tree, folded)
    return folded


def _fold(classes: PartClasses, part: Part, folded: dict[int, int]) -> None:
    if isinstance(part, LoopPart) and part.count is not None and len(part.turns) > 1:
        first, *later = [list(nodes_of(turn)) for turn in part.turns]
        if first and len({classes.of(turn).exact for turn in part.turns}) == 1:
            _fold(classes, part.turns[0], folded)
            for turn in later:
                folded.update({node: folded[shown] for node, shown in zip(turn, first, strict=True)})
            return
    for child in inner_parts(part):
        _fold(classes, child, folded)


def named_outputs(graph: Graph) -> tuple[Output, ...]:
    """Return the outputs to mark with their names, in order: those that the program lists, and the taps without
    layers of their own, which no frame names."""
    framed = {part.name for part in walk(graph.tree) if isinstance(part, TapPart) and list(nodes_of(part))}
    first = (Output(graph.output_name, graph.output, False, False),) if graph.output_name else ()
    return first + tuple(each for each in graph.taps if not each.is_tap or each.name not in framed)


def stack(graph: Graph, folded: Folded) -> dict[int, list[int]]:
    """Return the nodes that are drawn, each with those stacked directly on it, as BN and RELU on a convolution.
    Nothing is stacked on a marked output."""
    given = {output.node for output in named_outputs(graph)}
    frames: dict[int, int] = {}
    _assign(graph.tree, 0, frames, folded)
    stacks: dict[int, list[int]] = {}
    below: dict[int, int] = {}
    for node in graph.nodes:
        if folded[node.index] != node.index:
            continue
        before = node.inputs[0] if len(node.inputs) == 1 else -1
        if (
            before in below
            and before not in given
            and _stands_upon(graph, node, before)
            and frames.get(before) == frames.get(node.index)
        ):
            below[node.index] = below[before]
            stacks[below[before]].append(node.index)
            continue
        stacks[node.index] = [node.index]
        if len(node.inputs) == 1:
            below[node.index] = node.index
    return stacks


def _stands_upon(graph: Graph, node: Node, before: int) -> bool:
    """Return whether a node's role and unchanged shape allow stacking it on the node that it alone reads."""
    is_alone = graph.readers[before] == (node.index,)
    return is_alone and graph.nodes[before].shape == node.shape and node.layer.ROLE in _UPON


def _assign(part: Part, frame: int, frames: dict[int, int], folded: Folded) -> int:
    """Number the frames, and set the frame of each node; return the last number assigned."""
    last = frame
    if isinstance(part, LayerPart | MergePart):
        frames[part.node] = frame
    for child in inner_parts(part):
        inner = last + 1 if is_frame(part) or is_folded(part, folded) else frame
        last = max(last, _assign(child, inner, frames, folded))
    return last
