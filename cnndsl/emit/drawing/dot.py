"""Converts graphs to DOT: boxes coloured by role, shapes on edges, frames around modules, folded repeats on request.

This module only produces text; `draw` renders it. Everything that comes from a program is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from cnndsl.emit.drawing.fold import Folded, fold, is_folded, is_frame, named_outputs, stack, unfolded
from cnndsl.graph import (
    CallPart,
    Graph,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Node,
    Part,
    TapPart,
    inner_parts,
    nodes_of,
)
from cnndsl.layers.base import Role
from cnndsl.terminal import clean
from cnndsl.values import OutputSymbol, Value, show_setting

FONT = "Helvetica,Arial,sans-serif"
_COLOURS: Mapping[Role, tuple[str, str]] = {
    "input": ("#ffffff", "#4a5568"),
    "convolution": ("#dbe8fb", "#5b8ad6"),
    "pooling": ("#fbdcd9", "#d2695f"),
    "dense": ("#e6defa", "#8a6fd0"),
    "normalisation": ("#fdf0cf", "#cfa23a"),
    "activation": ("#dff3e1", "#62ac6c"),
    "merge": ("#ffffff", "#4a5568"),
    "resize": ("#fde5d2", "#d98945"),
}
"""Fill and line of the layers of each role."""
_PLAIN_STRIDE = re.compile(r"/1(x1)*$")
"""A stride that equals the default."""
_OTHERS = ("#eef0f3", "#8b95a5")
_HEAD = f"""\
  graph [rankdir=TB, nodesep=0.3, ranksep=0.3, bgcolor=white, pad=0.1]
  graph [fontname="{FONT}", fontsize=10, fontcolor="#687284"]
  node [fontname="{FONT}", fontsize=12, fontcolor="#1c2430"]
  edge [color="#8b95a5", arrowsize=0.6, fontname="{FONT}", fontsize=10, fontcolor="#687284"]"""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """The state of a drawing: the nodes at the bottom of each stack with those upon them, and each node's box."""

    graph: Graph
    folded: Folded
    stacks: Mapping[int, list[int]]
    place: Mapping[int, int]


def dot(graph: Graph, *, fold_repeats: bool = False) -> str:
    """Return the network as DOT. With `fold_repeats`, a repeat is drawn once, with its number of iterations."""
    folded = fold(graph) if fold_repeats else unfolded(graph)
    stacks = stack(graph, folded)
    bottom = {at: head for head, several in stacks.items() for at in several}
    drawing = _Drawing(graph, folded, stacks, {at: bottom[shown] for at, shown in folded.items()})
    inside = set(nodes_of(graph.tree))
    lines = [f"digraph {_quoted(graph.title)} {{", _HEAD]
    lines += [line for node in graph.nodes if node.index not in inside for line in _node(drawing, node.index, "  ")]
    lines += _part(drawing, graph.tree, "  ")
    told: set[int] = set()
    lines += _edges(drawing, told)
    lines += _outputs(drawing, told)
    return "\n".join([*lines, "}", ""])


def _part(drawing: _Drawing, part: Part, indent: str) -> Iterator[str]:
    """Yield the nodes of a part, in the frames of their modules."""
    if is_frame(part):
        yield from _frame(drawing, inner_parts(part)[0], indent, _title(part), isinstance(part, TapPart))
    elif isinstance(part, LoopPart) and is_folded(part, drawing.folded):
        yield from _frame(drawing, part.turns[0], indent, f"×{len(part.turns)}", True)
    else:
        for child in inner_parts(part):
            yield from _part(drawing, child, indent)
        if isinstance(part, LayerPart | MergePart):
            yield from _node(drawing, part.node, indent)


def _frame(drawing: _Drawing, body: Part, indent: str, title: str, dashed: bool) -> Iterator[str]:
    inner = list(_part(drawing, body, indent + "  "))
    if not inner:
        return
    yield f"{indent}subgraph cluster_{min(nodes_of(body))}_{len(indent) // 2} {{"
    style = "rounded,dashed" if dashed else "rounded"
    yield f'{indent}  label={_quoted(title)}; labeljust=l; style="{style}"; color="#c3cad5"; margin=10'
    yield from inner
    yield f"{indent}}}"


def _title(part: Part) -> str:
    if isinstance(part, CallPart | NamedPart) and (again := _again(part.path)):
        return again
    if isinstance(part, CallPart):
        call = f"{part.block}({', '.join(map(_value, part.arguments))})" if part.arguments else part.block
        return f"{part.path}: {call}" if part.path else call
    if isinstance(part, TapPart):
        return f"tap {part.name}"
    return part.path if isinstance(part, NamedPart) else ""


def _value(value: Value) -> str:
    """Return an argument as text: an output, a layer type or a block by its name."""
    return f"@{value.name}" if isinstance(value, OutputSymbol) else show_setting(value)


def _again(path: str) -> str:
    """Return the label of a part that is applied again; empty for the path of a first application.

    >>> _again("tower@2"), _again("tower@2.conv")
    ('again tower', '')
    """
    outer, _, name = path.rpartition(".")
    first, mark, _ = name.partition("@")
    return f"again {outer}{'.' if outer else ''}{first}" if mark else ""


def _node(drawing: _Drawing, at: int, indent: str) -> Iterator[str]:
    """Yield the box of a stack, at its lowest node."""
    if at not in drawing.stacks:
        return
    nodes = [drawing.graph.nodes[each] for each in drawing.stacks[at]]
    tooltip = _quoted("\n".join(f"{node.path or node.kind}: {node.shape}" for node in nodes))
    shape = _sign(nodes[0]) if nodes[0].layer.SIGN else f"shape=plain, label=<{_table(drawing.graph, nodes)}>"
    yield f"{indent}n{at} [{shape}, tooltip={tooltip}]"


def _sign(node: Node) -> str:
    fill, line = _colours(node)
    label = f"label=<<b>{escape(node.layer.SIGN)}</b>>"
    return f'{label}, shape=circle, style=filled, fillcolor="{fill}", color="{line}", width=0.28, fixedsize=true'


def _table(graph: Graph, nodes: list[Node]) -> str:
    """Return a box with one row for each layer; its border has the colours of the first one."""
    rows = _row(graph, nodes[0], "12") + "".join(_row(graph, node, "10") for node in nodes[1:])
    return f'<table border="0" cellborder="1" cellspacing="0" cellpadding="3">{rows}</table>'


def _row(graph: Graph, node: Node, size: str) -> str:
    fill, line = _colours(node)
    style = ' style="dashed"' if node.training_only else ""
    text = f'<font point-size="{size}">{_label(graph, node)}</font>'
    return f'<tr><td bgcolor="{fill}" color="{line}"{style}>{text}</td></tr>'


def _label(graph: Graph, node: Node) -> str:
    """Return the layer in bold, followed by its options in small type."""
    if not node.inputs:
        name = f"{escape(node.path)} = " if graph.input_names else ""
        return f"{name}<b>INPUT</b> {escape(str(node.shape))}"
    head, bracket, options = clean(node.text or node.kind).partition("(")
    label = f"<b>{escape(_PLAIN_STRIDE.sub('', head))}</b>"
    if again := _again(node.path):
        label = f"{label} {escape(again)}"
    return f'{label} <font point-size="9" color="#687284">{escape(bracket + options)}</font>' if bracket else label


def _colours(node: Node) -> tuple[str, str]:
    return _COLOURS.get(node.layer.ROLE, _OTHERS)


def _edges(drawing: _Drawing, told: set[int]) -> Iterator[str]:
    """Yield an edge for each input; a changed shape is shown once. `told` are the nodes whose shape was shown."""
    drawn: set[tuple[int, int, int]] = set()
    for node in drawing.graph.nodes:
        for operand, at in enumerate(node.inputs):
            edge = (drawing.place[at], drawing.place[node.index], _strand(node, operand))
            if edge[0] >= edge[1] or edge in drawn:
                continue
            drawn.add(edge)
            attributes = ["weight=8"] if len(node.inputs) == 1 and len(drawing.graph.readers[at]) == 1 else []
            if operand and operand == node.layer.extents_of:
                attributes.append("style=dotted")
            attributes += _volume(drawing, edge[0], told)
            yield f"  n{edge[0]} -> n{edge[1]} [{', '.join(attributes)}]"


def _outputs(drawing: _Drawing, told: set[int]) -> Iterator[str]:
    """Yield an arrow to the name of each named output, dashed for those in training only."""
    for number, output in enumerate(named_outputs(drawing.graph)):
        at = drawing.place[output.node]
        attributes = [*_volume(drawing, at, told), *(["style=dashed"] if output.training_only else [])]
        label = f'label={_quoted(output.name)}, fontsize=10, fontcolor="#687284"'
        yield f"  o{number} [shape=plaintext, {label}, width=0.2, height=0.2]"
        yield f"  n{at} -> o{number} [{', '.join(attributes)}]"


def _volume(drawing: _Drawing, at: int, told: set[int]) -> list[str]:
    """Return the edge label with the output shape of a node if the node changes the shape; once for each node."""
    if at in told or not _changes(drawing, at):
        return []
    told.add(at)
    return [f'label=" {drawing.graph.nodes[at].shape}"']


def _strand(node: Node, operand: int) -> int:
    """Return a number that distinguishes the edges of `x + x`."""
    return list(node.inputs[:operand]).count(node.inputs[operand])


def _changes(drawing: _Drawing, at: int) -> bool:
    graph = drawing.graph
    return any(shape != graph.nodes[at].shape for shape in graph.shapes(graph.nodes[at]))


def _quoted(text: str) -> str:
    r"""Return a string literal of DOT.

    >>> _quoted('a"b\\')
    '"a\\"b\\\\"'
    """
    lines = (clean(line).replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in text.split("\n"))
    return f'"{"&#10;".join(lines)}"'
