"""Graph -> DOT: boxes coloured by family, volumes on the edges, modules as frames, repeats folded when asked.

Only text is made here; `draw` turns it into pictures. Everything that comes from a program is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import zip_longest
from typing import TypeAlias

from cnndsl.graph import Called, Choice, Graph, Join, Leaf, Loop, Named, Node, Part, Sequence, Tapped
from cnndsl.layers.base import Layer
from cnndsl.terminal import clean

FONT = "Helvetica,Arial,sans-serif"
_FAMILIES = {
    "conv": ("#dbe8fb", "#5b8ad6"),
    "pool": ("#fbdcd9", "#d2695f"),
    "dense": ("#e6defa", "#8a6fd0"),
    "norm": ("#fdf0cf", "#cfa23a"),
    "activation": ("#dff3e1", "#62ac6c"),
    "merge": ("#ffffff", "#4a5568"),
    "resize": ("#fde5d2", "#d98945"),
}
"""Fill and line of the kinds of each file of `layers`."""
_OTHERS = ("#eef0f3", "#8b95a5")
_INPUT = ("#ffffff", "#4a5568")
_SIGNS = {"ADD": "+", "MUL": "×", "CONCAT": "|"}  # noqa: RUF001
_HEAD = f"""\
  graph [rankdir=TB, nodesep=0.3, ranksep=0.32, bgcolor=white, fontname="{FONT}", fontsize=11, fontcolor="#687284"]
  node [shape=box, style="rounded,filled", height=0.3, margin="0.14,0.05"]
  node [fontname="{FONT}", fontsize=12, fontcolor="#1c2430"]
  edge [color="#8b95a5", arrowsize=0.6, fontname="{FONT}", fontsize=10, fontcolor="#687284"]"""

Folded: TypeAlias = "dict[int, int]"
"""For each node the one that is drawn in its place."""


def dot(graph: Graph, *, fold: bool = False) -> str:
    """The network as DOT. With `fold` a repeat is drawn by its first turn, marked with the number of turns."""
    folded = _fold(graph) if fold else {node.index: node.index for node in graph.nodes}
    lines = [f"digraph {_quoted(graph.name)} {{", _HEAD]
    inside = set(_leaves(graph.tree))
    lines += [_node(node, "  ") for node in graph.nodes if node.index not in inside]
    lines += _part(graph, graph.tree, folded, "  ")
    lines += _edges(graph, folded)
    return "\n".join([*lines, "}", ""])


def _part(graph: Graph, part: Part, folded: Folded, indent: str) -> Iterator[str]:
    """The nodes of a part, in the frames of their modules."""
    if isinstance(part, Leaf):
        yield _node(graph.nodes[part.node], indent)
    elif isinstance(part, Loop) and _is_folded(part, folded):
        title = f"×{len(part.turns)}"  # noqa: RUF001
        yield from _frame(graph, part.turns[0], folded, indent, title, style="dashed")
    elif isinstance(part, Named) and part.is_module:
        yield from _frame(graph, part.part, folded, indent, part.path)
    elif isinstance(part, Called):
        yield from _frame(graph, part.body, folded, indent, _call(part))
    elif isinstance(part, Tapped):
        yield from _frame(graph, part.part, folded, indent, f"tap {part.name}", style="dashed")
    else:
        for child in _children(part):
            yield from _part(graph, child, folded, indent)
        if isinstance(part, Join):
            yield _node(graph.nodes[part.node], indent)


def _children(part: Part) -> tuple[Part, ...]:
    if isinstance(part, Sequence):
        return part.parts
    if isinstance(part, Loop):
        return part.turns
    if isinstance(part, Join):
        return part.branches
    if isinstance(part, Choice):
        return (part.part,) if part.part else ()
    if isinstance(part, Named | Tapped):
        return (part.part,)
    return (part.body,) if isinstance(part, Called) else ()


def _leaves(part: Part) -> Iterator[int]:
    """The nodes of a part, in order."""
    if isinstance(part, Leaf):
        yield part.node
    for child in _children(part):
        yield from _leaves(child)
    if isinstance(part, Join):
        yield part.node


def _frame(graph: Graph, body: Part, folded: Folded, indent: str, title: str, style: str = "solid") -> Iterator[str]:
    inner = list(_part(graph, body, folded, indent + "  "))
    if not inner:
        return
    first = min(_leaves(body))
    yield f"{indent}subgraph {_quoted(f'cluster_{first}_{len(indent)}')} {{"
    style = f"rounded,{style}"
    yield f'{indent}  label={_quoted(title)}; labeljust=l; style="{style}"; color="#c3cad5"; margin=10'
    yield from inner
    yield f"{indent}}}"


def _call(part: Called) -> str:
    from cnndsl.expr import show

    call = f"{part.block}({', '.join(map(show, part.arguments))})" if part.arguments else part.block
    return f"{part.path}: {call}" if part.path else call


def _node(node: Node, indent: str) -> str:
    fill, line = _colours(node)
    attributes = [
        f"label=<{_label(node)}>",
        f'fillcolor="{fill}"',
        f'color="{line}"',
        f"tooltip={_quoted(_tooltip(node))}",
    ]
    if node.kind in _SIGNS:
        attributes += ["shape=circle", 'style="filled"', "width=0.3", "fixedsize=true", "margin=0"]
    if node.training_only:
        attributes.append('style="rounded,filled,dashed"')
    return f"{indent}n{node.index} [{', '.join(attributes)}]"


def _label(node: Node) -> str:
    """The layer in bold, its options small behind it."""
    if node.kind in _SIGNS:
        return f"<b>{escape(_SIGNS[node.kind])}</b>"
    if not node.inputs:
        return f"<b>INPUT</b> {escape(str(node.shape))}"
    head, bracket, options = clean(node.text or node.kind).partition("(")
    label = f"<b>{escape(head)}</b>"
    return f'{label}<font point-size="9" color="#687284">{escape(bracket + options)}</font>' if bracket else label


def _tooltip(node: Node) -> str:
    return f"{node.path or node.kind}: {node.shape}"


def _colours(node: Node) -> tuple[str, str]:
    return _FAMILIES.get(family(node.layer), _OTHERS) if node.inputs else _INPUT


def family(layer: Layer) -> str:
    """The family of a kind: the file of `layers` that defines it, or what it extends; empty for neither.

    >>> from cnndsl.layers import find
    >>> family(find("CONV")())
    'conv'
    """
    for kind in type(layer).__mro__:
        package, _, name = kind.__module__.rpartition(".")
        if package == "cnndsl.layers":
            return name
    return ""


def _edges(graph: Graph, folded: Folded) -> Iterator[str]:
    """An edge for each input; a volume is written where it changed, once."""
    drawn: set[tuple[int, int, int]] = set()
    told: set[int] = set()
    for node in graph.nodes:
        for operand, at in enumerate(node.inputs):
            start, end = folded[at], folded[node.index]
            operand = operand if folded[node.index] == node.index else -1 - operand
            if start >= end or (start, end, abs(operand)) in drawn or (operand < 0 and folded[at] != at):
                continue
            drawn.add((start, end, abs(operand)))
            label = ""
            if start not in told and _changes(graph, graph.nodes[start]):
                told.add(start)
                label = f' [label=" {graph.nodes[start].shape}"]'
            yield f"  n{start} -> n{end}{label}"


def _changes(graph: Graph, node: Node) -> bool:
    return any(shape != node.shape for shape in graph.shapes(node))


def _fold(graph: Graph) -> Folded:
    folded = {node.index: node.index for node in graph.nodes}
    _fold_part(graph, graph.tree, folded)
    return folded


def _fold_part(graph: Graph, part: Part, folded: Folded) -> None:
    """Maps the nodes of later turns to those of the first, from the outside in."""
    if isinstance(part, Loop) and part.count is not None and len(part.turns) > 1:
        turns = [list(_leaves(turn)) for turn in part.turns]
        if turns[0] and all(_alike(graph, turns[0], turn) for turn in turns[1:]):
            _fold_part(graph, part.turns[0], folded)
            for turn in turns[1:]:
                folded.update({later: folded[first] for later, first in zip(turn, turns[0], strict=True)})
            return
    for child in _children(part):
        _fold_part(graph, child, folded)


def _alike(graph: Graph, first: list[int], later: list[int]) -> bool:
    return all(
        a is not None and b is not None and graph.nodes[a].kind == graph.nodes[b].kind
        for a, b in zip_longest(first, later)
    )


def _is_folded(part: Loop, folded: Folded) -> bool:
    return len(part.turns) > 1 and any(folded[at] != at for at in _leaves(part.turns[1]))


def _quoted(text: str) -> str:
    r"""A string of DOT.

    >>> _quoted('a"b\\')
    '"a\\"b\\\\"'
    """
    escaped = clean(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
