"""Where values lie, how wide they are, who refers to them how long."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.lifetimes import Device, Dtype, Lifetimes
from cnndsl.graph import Graph


def graph_of(chain: str) -> Graph:
    return cnndsl.loads(f"INPUT 8x8x4 -> {chain}").graph


def widths(chain: str, dtype: Dtype, device: Device = "cpu") -> list[int]:
    return list(Lifetimes(graph_of(chain), True, dtype, device).width.values())


@pytest.mark.parametrize(("dtype", "width"), [("fp32", 4), ("fp16", 2), ("bf16", 2)])
def test_one_type_for_all(dtype: Dtype, width: int) -> None:
    assert widths("CONV3-4 -> SOFTMAX -> LRN", dtype) == [width] * 4


@pytest.mark.parametrize("kind", ["SOFTMAX", "LOGSOFTMAX", "SOFTPLUS", "LN", "GN2"])
def test_autocast_on_a_gpu_widens_what_pytorch_lists(kind: str) -> None:
    """ "CUDA Ops that can autocast to float32" (docs.pytorch.org, amp): softmax, log_softmax, softplus, layer_norm,
    group_norm. Convolutions and products go to 16 bits; all else takes the widest of its inputs."""
    assert widths(f"CONV3-4 -> {kind} -> RELU -> CONV3-4", "amp", "cuda") == [4, 2, 4, 4, 2]
    assert widths(f"CONV3-4 -> {kind} -> RELU -> CONV3-4", "amp", "cpu") == [4, 2, 2, 2, 2]


@pytest.mark.parametrize("kind", ["RELU", "BN", "POOL2", "SIGMOID"])
def test_autocast_leaves_the_rest(kind: str) -> None:
    assert widths(f"CONV3-4 -> {kind} -> RELU", "amp", "cuda") == [4, 2, 2, 2]
    assert widths(f"{kind} -> RELU -> CONV3-4", "amp", "cuda") == [4, 4, 4, 2]


def test_a_learned_scale_widens_by_promotion() -> None:
    """A product of 2 bytes with weights of 4 has 4 (docs.pytorch.org, type promotion)."""
    for device in ("cpu", "cuda"):
        assert widths("CONV3-4 -> SCALE -> RELU", "amp", device) == [4, 2, 4, 4]


def test_local_response_normalisation_has_a_power_inside() -> None:
    """pow is on that list too, and on the CPU's."""
    for device in ("cpu", "cuda"):
        assert widths("CONV3-4 -> LRN -> RELU", "amp", device) == [4, 2, 4, 4]


def test_a_merge_is_as_wide_as_its_widest_operand() -> None:
    assert widths("(CONV3-4 | ID) -> RELU", "amp") == [4, 2, 4, 4]


def test_a_sum_that_is_written_over_an_operand_keeps_its_type() -> None:
    """`y += x` in place: PyTorch casts x (docs.pytorch.org, Tensor Attributes, torch.dtype)."""
    assert widths("(CONV3-4 + ID) -> RELU", "amp") == [4, 2, 2, 2]


@pytest.mark.parametrize(
    ("chain", "training", "shared"),
    [
        ("CONV3-4 -> FLATTEN", True, 1),
        ("CONV3-4 -> SLICE(0, 2)", True, 1),
        ("CONV3-4 -> DROPOUT", True, None),
        ("CONV3-4 -> DROPOUT", False, 1),
        ("CONV3-4 -> DROPOUT(0)", True, 1),
        ("CONV3-4 -> DROPPATH", False, 1),
        ("CONV3-4 -> DROPPATH", True, None),
        ("CONV3-4 -> POOL(out=8)", True, None),
        ("CONV3-4 -> POOL(out=4)", True, None),
        ("CONV3-4 -> RELU", True, 1),
        ("CONV3-4 -> SIGMOID", True, None),
        ("CONV3-4 -> CONV3-4", True, None),
    ],
)
def test_whose_memory_a_value_lies_in(chain: str, training: bool, shared: int | None) -> None:
    graph = graph_of(chain)
    assert Lifetimes(graph, training).shared(graph.nodes[2]) == shared


def test_gradients_flow_from_the_first_parameters_on() -> None:
    graph = graph_of("RELU -> (POOL2 | CONV3-4/2) -> (BN | AVGPOOL1) -> tap side: GAP -> GAP")
    values = Lifetimes(graph, True)
    paths = {node.path: needed for node, needed in zip(graph.nodes, values.needs_gradient.values(), strict=True)}
    assert [path for path, needed in paths.items() if not needed] == [graph.nodes[0].path, "relu", "pool"]
    assert not any(Lifetimes(graph, False).needs_gradient.values())
    assert len(values.learning) == 2


def test_buffers_take_no_gradient() -> None:
    graph = graph_of("BN(affine=no) -> GAP")
    assert not any(Lifetimes(graph, True).needs_gradient.values())
    assert Lifetimes(graph, True).learning == ()
    assert Lifetimes(graph, True).needs[1] == (False, False)


def test_unpooling_names_its_pool() -> None:
    graph = graph_of("p: POOL2 -> CONV3-4 -> u: UNPOOL2(@p)")
    assert Lifetimes(graph, True).unpooled == {graph.by_path["p"].index: graph.by_path["u"].index}
