"""Write a flat graph as chains, one for each output that no earlier chain contains."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set

from cnndsl.graph import Graph, Node, Output
from cnndsl.importers.raising.nesting import ChainNester, NestedItem
from cnndsl.importers.raising.terms import LayerTerm, Link, PlacedTerm, StartTerm, TapTerm, TermChain, TermProgram
from cnndsl.layers.base import Layer
from cnndsl.layers.merge import MERGES

SIGNS: Mapping[type[Layer], str] = {kind: sign for sign, kind in MERGES.items()}
"""The operator of each merge."""


def chains(graph: Graph) -> TermProgram:
    """Return the chains of a graph: that of the first output, and one for each further output that is in none."""
    found: list[tuple[int, TermChain]] = []
    several = [each.index for each in graph.inputs[1:] and graph.inputs]
    nester = ChainNester([item(node) for node in graph])
    nester.placed.update(several)
    for at, node in enumerate(graph.main_outputs):
        if node not in nester.placed:
            found.append((node if at or several else -1, nester.chain(node, -1)))
    names = _unique([each.name for each in graph.taps if each.is_tap], set(output_names(graph)))
    for name, each in zip(names, (each for each in graph.taps if each.is_tap), strict=True):
        found[0] = (-1, _tapped(found[0][1], each, name, nester.chain(each.node, -1)))
    return TermProgram(tuple(found))


def item(node: Node, name: str = "") -> NestedItem:
    """Return a node as an item of chains."""
    if node.layer.ROLE == "merge":
        return NestedItem(node.index, node.inputs, node.shape, operator=SIGNS[type(node.layer)])
    return NestedItem(node.index, node.inputs, node.shape, leaf(node), name=name)


def output_names(graph: Graph) -> list[str]:
    """Return names for the outputs that are not auxiliary: their own, if these are valid and distinct."""
    first = graph.output_name or "y"
    return _unique([first, *(each.name for each in graph.taps if not each.is_tap)], set())


def input_name(graph: Graph, node: int) -> str:
    """Return a name for one of several inputs: its own, or a number."""
    listed = graph.input_names
    return listed[node] if node < len(listed) else f"input{node + 1}"


def _unique(names: Sequence[str], taken: Set[str]) -> list[str]:
    found: list[str] = []
    for name in names:
        plain = re.sub(r"\W", "_", name, flags=re.ASCII).lstrip("_0123456789") or "y"
        numbered = (plain, *(f"{plain}_{number}" for number in range(2, len(names) + len(taken) + 3)))
        found.append(next(each for each in numbered if each not in taken and each not in found))
    return found


def _tapped(chain: TermChain, output: Output, name: str, body: TermChain) -> TermChain:
    """Return the chain with a tap after the value that it starts from, or at the end if no step has that value."""
    start = body[0].node if body else output.node
    at = next((at for at, step in enumerate(chain) if step.node == start), len(chain) - 1)
    is_here = chain[at].node == start and len(body) > 1
    body = body[1:] if is_here else body or (PlacedTerm(StartTerm(Link(output.node)), output.node, -1),)
    tap = PlacedTerm(TapTerm(name, output.training_only, body), chain[at].node, chain[at].channels)
    return (*chain[: at + 1], tap, *chain[at + 1 :])


def leaf(node: Node) -> LayerTerm:
    """Return a layer as a term."""
    if not node.inputs:
        return LayerTerm(type(node.layer), (("volume", str(node.shape)),))
    options = tuple([(name, getattr(node.layer, name)) for name in _options(node.layer)])
    return LayerTerm(type(node.layer), options, tuple([Link(each) for each in node.inputs[1:]]))


def _options(layer: Layer) -> list[str]:
    return [name for name, rule in layer.options().items() if rule.type != "reference"] + [
        rule.like for rule in layer.options().values() if rule.like
    ]
