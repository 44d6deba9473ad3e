"""Random programs held against the emitted module, to the bit and to the byte kept for backward; and formatted."""

from __future__ import annotations

import warnings

import torch
from hypothesis import assume, given
from torch import nn

from cnndsl.analysis.memory import training
from cnndsl.elaborate import elaborate
from cnndsl.emit.torch.execution import executions
from cnndsl.errors import Source
from cnndsl.graph import Graph
from cnndsl.layers.norm import LayerNorm
from cnndsl.runtime.live import module
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from cnndsl.testing import Reference, programs
from tests.analysis.measuring import saved_bytes
from tests.random.test_programs import batch, examples, graph_of


@examples
@given(programs())
def test_the_emitted_module_computes_what_the_graph_says(text: str) -> None:
    """In use; the reference has the same weights and runs node by node."""
    graph = graph_of(text)
    emitted = module(graph)
    reference = Reference(graph)
    reference.load(emitted.state_dict())
    reference.train(False)
    emitted.eval()
    x = batch(graph)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")
        expected, found = reference(x), emitted(x)
    if isinstance(found, tuple):
        values = reference.values(x)
        # What exists in training only is None in evaluation, behind the others.
        extras = [extra for extra in found[1:] if extra is not None]
        for tap, extra in zip((tap for tap in graph.taps if not tap.training_only), extras, strict=True):
            assert torch.equal(extra, values[tap.node]) or both_nan(extra, values[tap.node])
        found = found[0]
    assert torch.equal(found.reshape(expected.shape), expected) or both_nan(found, expected)
    tensors = ((node, tensor) for node in graph.layers for tensor in node.layer.tensors(*graph.shapes(node)))
    names = [f"{node.path}.{tensor.name}" for node, tensor in tensors if tensor.persistent]
    entries = list(emitted.state_dict())
    assert sorted(entries) == sorted(names)
    # One class of places that choose differently has what they share in one order.
    assert entries == names or " if rich" in text


def both_nan(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal but for places where both are no numbers: extreme settings overflow in both alike."""
    return torch.equal(one.nan_to_num(), other.nan_to_num().reshape(one.shape)) and bool(other.isnan().any())


@examples
@given(programs(ranks=(1, 2)))
def test_bytes_kept_for_the_backward_pass(text: str) -> None:
    """Behind a convolution, so that a gradient flows everywhere. In 3-D PyTorch's CPU convolution keeps more with one
    thread than with two; tests/analysis has such nets."""
    graph = behind_a_convolution(text)
    assume(takes_a_loss(graph))
    check_bytes_kept(graph)


def behind_a_convolution(text: str) -> Graph:
    head, arrow, tail = text.rpartition("INPUT")[2].partition("\n-> ")
    return graph_of(f"{text.rpartition('INPUT')[0]}INPUT{head}{arrow}CONV1-C -> {tail}")


def check_bytes_kept(graph: Graph) -> None:
    emitted = module(graph)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same'")
        kept = saved_bytes(emitted, batch(graph))
    assert training(graph, executions=executions(graph)).saved(2) == kept


def takes_a_loss(graph: Graph) -> bool:
    """BN needs more than one value of a channel in training. What SLICE and CROP give does not lie in one piece, what
    LN(over=channels) gives lies channels last: some kernels keep a copy, which is not modelled (docs/figures.md)."""
    kinds = {node.kind for node in graph.layers}
    if kinds & {"SLICE", "CROP"} or any(
        isinstance(node.layer, LayerNorm) and node.layer.over == "channels" for node in graph
    ):
        return False
    return not ("BN" in kinds and any(node.shape.pixels == 1 for node in graph.layers if node.kind == "BN"))


@examples
@given(programs())
def test_formatting_keeps_the_meaning(text: str) -> None:
    formatted = format(parse(Source("drawn.cnn", text)))
    assert format(parse(Source("drawn.cnn", formatted))) == formatted
    before, after = graph_of(text), elaborate(parse(Source("drawn.cnn", formatted)))
    assert [(node.path, node.layer, node.inputs, node.shape) for node in before] == [
        (node.path, node.layer, node.inputs, node.shape) for node in after
    ]


def test_the_reference_runs_modules_alone() -> None:
    """It shares nothing with the emitter but the layers' own calls."""
    reference = Reference(graph_of("INPUT 4x4x1 -> CONV3-2 -> RELU"))
    assert [type(each) for each in reference.modules.values()] == [nn.Conv2d, nn.ReLU]
