"""Name the parts that have no name in the program: after the blocks in them, otherwise by the terms of papers.

Terms follow from layers and wiring alone: a residual block (He et al. 2015, arXiv:1512.03385), a bottleneck (ibid.,
Figure 5), an inverted residual (Sandler et al. 2018, arXiv:1801.04381), a dense layer (Huang et al. 2016,
arXiv:1608.06993), an Inception block (Szegedy et al. 2014, arXiv:1409.4842), a depthwise separable convolution (Howard
et al. 2017, arXiv:1704.04861), squeeze and excitation (Hu et al. 2017, arXiv:1709.01507).
"""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.drawing.cards.items import (
    ForkItem,
    ItemChain,
    LayerItem,
    ReferenceItem,
    UnitItem,
    flat,
    nodes_in,
)
from cnndsl.emit.drawing.cards.rows import ATTACHED
from cnndsl.emit.drawing.cards.words import merge_word, window_of, word_of
from cnndsl.emit.drawing.themes import role_of
from cnndsl.graph.graph import Graph
from cnndsl.layers.base import Layer

_SEVERAL = 3
"""The least number of branches, with several windows, of an Inception block."""
_SHOWN = 2
"""The most consecutive blocks that a part is named after."""
_LISTED = 3
"""The most labels in the title of a panel."""
_CHAINS = {"conv": "Conv block", "up": "Up-conv block", "fc": "Fully connected block", "pool": "Pooling"}


def part_name(graph: Graph, item: UnitItem) -> str:
    """Return the name of a part: its block or label, the blocks that it consists of, otherwise a term."""
    return item.title or item.name or " → ".join(_blocks(graph, item.chain)) or term(graph, item.chain)


def _blocks(graph: Graph, chain: ItemChain) -> tuple[str, ...]:
    """Return the names of the few blocks of which a chain consists, if it has nothing else but activations and the
    like."""
    found: list[str] = []
    for item in chain:
        if isinstance(item, UnitItem) and (item.title or item.name):
            found.append(item.title or item.name)
        elif not isinstance(item, LayerItem) or graph.nodes[item.node].layer.ROLE not in ATTACHED:
            return ()
    return tuple(found) if len(found) <= _SHOWN else ()


def term(graph: Graph, chain: ItemChain) -> str:
    """Return the term for the function of a chain of layers and merges."""
    items = flat(chain)
    forks = [each for each in items if isinstance(each, ForkItem)]
    if not forks:
        return _chain_term(_layers(graph, nodes_in(chain)))
    found = _fork_term(graph, forks[-1])
    if len(forks) > 1 and found.endswith("block") and {_fork_term(graph, each) for each in forks} == {found}:
        return f"{len(forks)} {found[0].lower()}{found[1:]}s"
    return found


def _layers(graph: Graph, nodes: Sequence[int]) -> list[Layer]:
    return [graph.nodes[node].layer for node in nodes]


def _chain_term(layers: Sequence[Layer]) -> str:
    convs = [each for each in layers if role_of(each) == "conv"]
    if len(convs) == 2 and _is_depthwise(convs[0]) and _is_pointwise(convs[1]):
        return "Depthwise separable conv"
    roles = [role_of(each) for each in layers]
    return next((word for role, word in _CHAINS.items() if role in roles), "Block")


def _is_pointwise(layer: Layer) -> bool:
    return role_of(layer) == "conv" and set(window_of(layer)) == {1}


def _is_depthwise(layer: Layer) -> bool:
    return word_of(layer.kind()) == "depthwise"


def _fork_term(graph: Graph, fork: ForkItem) -> str:
    merge = graph.nodes[fork.node].layer
    branches = [_layers(graph, nodes_in(branch)) for branch in fork.branches]
    if any(branch and isinstance(branch[0], ReferenceItem) for branch in fork.branches):
        return f"{merge_word(merge).capitalize()} with a skip"
    if merge.JOINS_CHANNELS:
        return _join_term(branches)
    if merge.GRADIENT == "broadcast":
        is_squeezed = any(layer.ROLE == "pooling" for branch in branches for layer in branch)
        return "Squeeze and excitation" if is_squeezed else "Gate"
    mains = [branch for branch in branches if not _is_shortcut(branch)]
    if merge.GRADIENT != "handed on":
        return merge_word(merge).capitalize()
    if len(mains) != 1 or len(mains) == len(branches):
        return "Sum of branches"
    convs = [each for each in mains[0] if role_of(each) == "conv"]
    if len(convs) == _SEVERAL and _is_pointwise(convs[0]) and _is_pointwise(convs[2]):
        return "Inverted residual block" if _is_depthwise(convs[1]) else "Bottleneck block"
    return "Residual block"


def _is_shortcut(branch: Sequence[Layer]) -> bool:
    """Return whether a branch only adapts the shape: an identity, a projection, a pooling."""
    convs = [each for each in branch if role_of(each) in ("conv", "fc", "up")]
    return all(map(_is_pointwise, convs)) and len(convs) <= 1 and not any(each.ROLE == "activation" for each in branch)


def _join_term(branches: Sequence[Sequence[Layer]]) -> str:
    if not all(branches):
        return "Dense layer"
    windows = {window_of(each) for branch in branches for each in branch if role_of(each) == "conv"}
    return "Inception block" if len(branches) >= _SEVERAL and len(windows) > 1 else "Branches"


def listed(names: Sequence[str]) -> str:
    """Return names separated by commas; of many, the first and the last.

    >>> listed(["p3", "p2"]), listed(["unit1", "unit2", "unit3", "unit4"])
    ('p3, p2', 'unit1 to unit4')
    """
    several = list(dict.fromkeys(names))
    return ", ".join(several) if len(several) <= _LISTED else f"{several[0]} to {several[-1]}"


def title_of(graph: Graph, several: Sequence[UnitItem]) -> str:
    """Return the name of an opened part: its block, otherwise the labels of its instances if these are written one by
    one, and not as `unit{i}`."""
    names = [each.name for each in several]
    places = {graph.nodes[nodes_in(each.chain)[0]].span.start for each in several}
    is_listed = all(names) and len(places) == len(set(names))
    return several[0].title or (listed(names) if is_listed else common_name(several))


def common_name(several: Sequence[UnitItem]) -> str:
    """Return the common name of iterations: their block, otherwise the common part of their labels, `unit` of
    `unit1`."""
    names = {each.name if len(several) == 1 else each.name.rstrip("0123456789").rstrip("_.") for each in several}
    return several[0].title or (min(names) if len(names) == 1 else "")
