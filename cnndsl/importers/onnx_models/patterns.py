"""Replace several operators by one layer, where exporters have to compose a layer because ONNX has no operator for it.

Nodes are visited in order, and each match becomes an operator of its own. A normalisation can therefore absorb the
product after it, and then the sum after that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from cnndsl.importers.onnx_models.model import OnnxModel, OnnxNode
from cnndsl.importers.onnx_models.products import Found, chosen, logarithm, product, quotient
from cnndsl.importers.onnx_models.ranges import padded_channels, sliced
from cnndsl.importers.onnx_models.statistics import (
    biased,
    by_deviation,
    global_response,
    group_norm,
    is_weight,
    local_response,
    pooled_powers,
    times_inverse,
    weighted,
)

ExportPattern = Callable[[OnnxModel, OnnxNode], Found | None]


def unchanged(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a product with 1, a sum with 0, and a value that is repeated once."""
    if node.op == "Expand":
        is_same = model.dims.get(node.inputs[0]) == model.dims.get(node.outputs[0], ())
        return Found("Identity", node.inputs[:1], {}) if is_same else None
    neutral = {"Mul": 1, "Add": 0, "Div": 1, "Sub": 0}[node.op]
    for x, other in (node.inputs, node.inputs[::-1])[: 2 if node.op in ("Mul", "Add") else 1]:
        constant = model.constants.get(other)
        if constant is not None and not constant.root and constant.only() == neutral and constant.numel == 1:
            return Found("Identity", (x,), {})
    return None


def linear(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find the bias of a matrix product."""
    for name, bias in (node.inputs, node.inputs[::-1]):
        giver = model.made_by(name, "MatMul")
        if giver is not None and _fits(model, bias, model.dims.get(node.outputs[0], ())[-1:]):
            return Found("linear", (*giver.inputs, bias), {})
    return None


def longer(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a sum of three or more values, as it is computed: from the first one on."""
    before = model.made_by(node.inputs[0], "Add", "Sum")
    if before is None or any(name in model.constants for name in (*before.inputs, *node.inputs)):
        return None
    several = (*before.inputs, *node.inputs[1:])
    return Found("Sum", several, {}) if len({model.dims.get(name) for name in several}) == 1 else None


def _fits(model: OnnxModel, bias: str, extents: Sequence[int]) -> bool:
    """Return whether a tensor is a bias along the last axis."""
    constant = model.constants.get(bias)
    return constant is not None and bool(constant.root) and constant.dims[-1:] == tuple(extents) == (constant.numel,)


def convolved(model: OnnxModel, node: OnnxNode) -> Sequence[OnnxNode] | None:
    """Find the bias of a convolution, possibly after Keras's transpose; return the nodes that replace these."""
    for name, bias in (node.inputs, node.inputs[::-1]):
        turned = model.made_by(name, "Transpose")
        conv = model.made_by(turned.inputs[0] if turned is not None else name, "Conv", "ConvTranspose")
        if conv is None or len(conv.inputs) > 2 or not is_weight(model, bias):
            continue
        dims = model.dims.get(node.outputs[0], ())
        order = turned.several("perm") if turned is not None else tuple(range(len(dims)))
        given = model.constants[bias].dims
        given = (1,) * (len(dims) - len(given)) + given
        if len(given) != len(order) or given[order.index(1)] != model.constants[bias].numel:
            continue
        if turned is None:
            return [replace(conv, inputs=(*conv.inputs, bias), outputs=node.outputs)]
        inner = f"{node.outputs[0]}/turned"
        whole = replace(conv, inputs=(*conv.inputs, bias), outputs=(inner,))
        return [whole, replace(turned, inputs=(inner,), outputs=node.outputs)]
    return None


def picked(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find a selection of channels: transposed to the front, selected, and transposed back."""
    chosen = model.made_by(node.inputs[0], "GatherND")
    turned = model.made_by(chosen.inputs[0], "Transpose") if chosen is not None else None
    if chosen is None or turned is None or chosen.whole("batch_dims", 0):
        return None
    order = (1, 0, *range(2, len(model.dims.get(node.outputs[0], ()))))
    index = model.constants.get(chosen.inputs[1])
    if index is None or index.dims != (index.numel, 1) or not turned.several("perm") == node.several("perm") == order:
        return None
    return Found("pick", (turned.inputs[0], chosen.inputs[1]), {"axis": 1})


def strided(model: OnnxModel, node: OnnxNode) -> Found | None:
    """Find PyTorch's `as_strided` if it changes nothing: all values are gathered by index in their order."""
    flat = model.made_by(node.inputs[0], "Reshape")
    index = model.constants.get(node.inputs[1])
    if flat is None or index is None or len(model.dims.get(flat.outputs[0], ())) != 1:
        return None
    is_all = index.integers() == tuple(range(index.numel)) and index.dims == model.dims.get(flat.inputs[0])
    return Found("Identity", flat.inputs[:1], {}) if is_all else None


PATTERNS: Mapping[str, tuple[ExportPattern, ...]] = {
    "Add": (unchanged, linear, global_response, biased, longer),
    "Div": (unchanged, local_response, by_deviation, quotient),
    "Expand": (unchanged,),
    "Gather": (strided,),
    "Log": (logarithm,),
    "Mul": (unchanged, times_inverse, weighted, product),
    "Pad": (padded_channels,),
    "Pow": (pooled_powers,),
    "Reshape": (group_norm,),
    "Slice": (sliced,),
    "Sub": (unchanged,),
    "Transpose": (picked,),
    "Where": (chosen,),
}
"""The patterns for each operator; the first one that matches is used."""

INNER = frozenset("Abs Erf Exp GatherND Greater Log Pow Reciprocal ReduceL2 Sign Sqrt Where".split())
"""Operators that only occur in patterns."""


def found(model: OnnxModel) -> OnnxModel:
    """Return the model with one node in place of several that are one layer."""
    at = 0
    while at < len(model.nodes):
        node = model.nodes[at]
        several = _several(model, node)
        if several is not None:
            nodes = list(model.nodes)
            nodes[at : at + 1] = several
            model = replace(model, nodes=tuple(nodes))
        at += 1 if several is None else len(several)
    return model.live()


def _several(model: OnnxModel, node: OnnxNode) -> Sequence[OnnxNode] | None:
    if node.op == "Add" and (several := convolved(model, node)) is not None:
        return several
    for pattern in PATTERNS.get(node.op, ()):
        if (one := pattern(model, node)) is not None:
            return [replace(node, op=one.op, inputs=one.inputs, attributes=one.attributes)]
    return None
