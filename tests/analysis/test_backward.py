"""The backward pass and mixed precision, event by event: bytes by hand, for what no CPU can measure."""

from __future__ import annotations

import cnndsl
from cnndsl.analysis.memory import Memory, inference, training


def memory(text: str, dtype: str = "fp32", device: str = "cpu", optimizer: str = "sgd") -> Memory:
    return training(cnndsl.loads(text).graph, dtype, optimizer, device)  # type: ignore[arg-type]  # plain strings, from parameters of tests


def purposes(found: Memory) -> dict[str, list[tuple[int, int, int]]]:
    """The storages by purpose: node, fixed bytes, bytes an image."""
    each: dict[str, list[tuple[int, int, int]]] = {}
    for storage in found.step.storages:
        each.setdefault(storage.purpose, []).append((storage.node, storage.fixed, storage.image))
    return each


FC = "INPUT 8 -> FC-4"


def test_every_storage_of_a_linear_layer() -> None:
    assert purposes(memory(FC)) == {
        "parameters": [(1, 4 * 32, 0), (1, 4 * 4, 0)],
        # A class is an int64; 8 values come in.
        "input": [(0, 0, 8), (0, 0, 32)],
        "activations": [(1, 0, 16)],
        # Log-probabilities and the sum of weights; the loss itself.
        "extras": [(1, 0, 16), (1, 4, 0)],
        "scratch": [(1, 4, 0)],
        # The seed; the gradients of the log-probabilities and of the output. The input needs none.
        "gradients": [(1, 4, 0), (1, 0, 16), (1, 0, 16)],
        "weight gradients": [(1, 4 * 32, 0), (1, 4 * 4, 0)],
    }


def test_every_storage_of_a_linear_layer_under_autocast() -> None:
    """Parameters and their gradients stay in fp32; copies of 2 bytes of weights, bias and input; the loss in fp32."""
    found = purposes(memory(FC, "amp", "cuda"))
    assert found["parameters"] == [(1, 128, 0), (1, 16, 0)]
    # In the 2 bytes of the product, then each in fp32.
    assert found["weight gradients"] == [(1, 64, 0), (1, 8, 0), (1, 128, 0), (1, 16, 0)]
    assert found["input"] == [(0, 0, 8), (0, 0, 32)]
    # The input cast, then the output.
    assert found["activations"] == [(1, 0, 16), (1, 0, 8)]
    # The weights cast, the bias cast; log-probabilities, the sum of weights. The input has no gradient, for which alone
    # the weights would be kept.
    assert found["extras"] == [(1, 64, 0), (1, 8, 0), (1, 0, 16), (1, 4, 0)]
    # The loss and the output widened for it.
    assert sorted(found["scratch"]) == sorted([(1, 4, 0), (1, 0, 16)])
    # The seed; log-probabilities and outputs in fp32, the output's in 2 bytes.
    assert found["gradients"] == [(1, 4, 0), (1, 0, 16), (1, 0, 16), (1, 0, 8)]


def test_half_precision_is_two_bytes_throughout() -> None:
    found = purposes(memory(FC, "bf16"))
    assert found["parameters"] == found["weight gradients"] == [(1, 64, 0), (1, 8, 0)]
    assert found["extras"] == [(1, 0, 8), (1, 2, 0)]
    assert found["gradients"] == [(1, 2, 0), (1, 0, 8), (1, 0, 8)]
    assert found["scratch"] == [(1, 2, 0)]


def test_optimizers_state_is_beside_each_parameter() -> None:
    assert purposes(memory(FC, optimizer="momentum"))["optimizer"] == [(1, 128, 0), (1, 16, 0)]
    assert purposes(memory(FC, optimizer="adam"))["optimizer"] == [(1, 128, 0), (1, 128, 0), (1, 16, 0), (1, 16, 0)]


def test_the_update_of_adam() -> None:
    """On a GPU a root of all second moments; on the CPU root and quotient of the largest tensor."""
    assert purposes(memory(FC, optimizer="adam", device="cuda"))["scratch"][-1] == (0, 144, 0)
    assert purposes(memory(FC, optimizer="adamw"))["scratch"][-1] == (0, 2 * 128, 0)
    # Buffers are not updated: 36 values of FC-4, 8 of BN.
    assert purposes(memory("INPUT 8 -> FC-4 -> BN", optimizer="adam", device="cuda"))["scratch"][-1] == (0, 4 * 44, 0)
    phases = [level.phase for level in memory(FC, optimizer="adam").timeline()]
    assert phases[-1] == "update"
    assert "update" not in [level.phase for level in memory(FC, optimizer="momentum").timeline()]


def test_gradients_of_a_mean_are_divided_once() -> None:
    """FC-4 twice on 8 values: the outputs' gradient, its half, handed to both; biases left out."""
    found = purposes(memory("INPUT 8 -> MEAN(FC-4(bias=no), FC-4(bias=no))"))
    assert found["gradients"] == [(3, 4, 0), (3, 0, 16), (3, 0, 16), (3, 0, 16)]
    assert found["weight gradients"] == [(2, 128, 0), (1, 128, 0)]


def test_a_value_that_is_added_to_itself_has_a_sum_of_its_own() -> None:
    """Both gradients are one memory, so neither can be written over."""
    found = purposes(memory("INPUT 8 -> FC-4(bias=no) -> (ID + ID)"))
    assert found["gradients"] == [(2, 4, 0), (2, 0, 16), (2, 0, 16), (1, 0, 16)]


def test_buffers_have_no_gradients() -> None:
    found = purposes(memory("INPUT 8 -> FC-4 -> BN"))
    assert found["weight gradients"] == [(2, 16, 0), (2, 16, 0), (1, 128, 0), (1, 16, 0)]
    assert purposes(memory("INPUT 8x8x4 -> POOL2", optimizer="adam"))["scratch"][-1] == (0, 0, 0)


def test_a_sum_hands_its_gradient_on() -> None:
    found = purposes(memory("INPUT 8 -> (FC-4(bias=no) + FC-4(bias=no))"))
    assert found["gradients"] == [(3, 4, 0), (3, 0, 16), (3, 0, 16)]


def test_gradients_that_meet_are_added() -> None:
    """FC-8 is read by two layers; each gives it a gradient of its own, the second is added to the first in place."""
    found = purposes(memory("INPUT 8 -> FC-8(bias=no) -> (FC-4(bias=no) | FC-4(bias=no))"))
    assert found["gradients"] == [(4, 4, 0), (4, 0, 32), (4, 0, 32), (3, 0, 32), (2, 0, 32)]


def test_a_gate_is_summed_over_the_map() -> None:
    """64 positions of 4 channels, gated: gradients of the map and, before it is summed, of the gate."""
    found = purposes(memory("INPUT 8x8x4 -> CONV1-4(bias=no) -> MUL(ID, GAP -> FC-4(bias=no)) -> GAP"))
    # Map and gate from the product, the gate's sum, the pooled from FC, the map's second from GAP.
    assert [image for _, _, image in found["gradients"]] == [0, 16, 16, 1024, 1024, 1024, 16, 16, 1024]


def test_the_loss_of_a_map_has_a_class_for_each_pixel() -> None:
    found = memory("INPUT 8x8x4 -> CONV1-2")
    assert purposes(found)["input"] == [(0, 0, 64 * 8), (0, 0, 4 * 256)]


def test_switches_that_an_unpooling_takes_are_indices() -> None:
    """16 windows of 4 channels, 8 bytes each."""
    found = purposes(memory("INPUT 8x8x4 -> CONV1-4 -> p: POOL2 -> UNPOOL2(@p)"))
    assert (2, 0, 8 * 64) in found["extras"]


def test_buffers_of_batch_normalisation() -> None:
    """Mean and variance of 4 channels in the network's type, and how many batches there were, an int64."""
    assert purposes(memory("INPUT 8 -> FC-4 -> BN"))["buffers"] == [(2, 16, 0), (2, 16, 0), (2, 8, 0)]
    assert purposes(memory("INPUT 8 -> FC-4 -> BN", "bf16"))["buffers"] == [(2, 8, 0), (2, 8, 0), (2, 8, 0)]


def test_what_the_forward_pass_holds_for_a_moment() -> None:
    """LRN5 on 4 channels of 8x8: squares, those of 4 + 4 padded channels, mean, multiple, sum, power, quotient."""
    graph = cnndsl.loads("INPUT 8x8x4 -> LRN").graph
    chain = [256, 512, 256, 256, 256, 256, 256]
    assert purposes(inference(graph))["activations"] == [(1, 0, 4 * values) for values in chain]
    assert purposes(inference(graph, "bf16"))["activations"] == [(1, 0, 2 * values) for values in chain]
    # Beside 9 values of weights: what is kept is the input, the padded squares, the denominator before and after.
    kept = memory("INPUT 8x8x4 -> CONV1-4(bias=no) -> LRN").saved_by_node()
    assert kept[2] == 4 * (512 + 256 + 256) + 4 * 256 + 4


def test_maxima_write_their_switches_in_use_too() -> None:
    """16 windows of 4 channels, an int64 each."""
    graph = cnndsl.loads("INPUT 8x8x4 -> POOL2").graph
    assert purposes(inference(graph))["scratch"] == [(1, 0, 8 * 64)]
    assert purposes(inference(graph))["activations"] == [(1, 0, 4 * 64)]


def test_what_autocast_keeps() -> None:
    """The input in 2 bytes, no copy of the bias; log-probabilities, a sum of weights, the class. The weights' copy is
    kept for the gradient of the input alone (addmm in tools/autograd/derivatives.yaml), which a second layer's has."""
    found = memory(FC, "amp", "cuda")
    assert (found.saved(1), found.saved(3)) == (16 + 16 + 4 + 8, 3 * (16 + 16 + 8) + 4)
    assert memory(f"{FC}(bias=no) -> FC-4", "amp", "cuda").saved(1) == 16 + 8 + 32 + 16 + 4 + 8
    assert memory(FC).saved(1) == 32 + 16 + 4 + 8


def test_what_only_reshapes_hands_its_gradient_on() -> None:
    """Four values of a map, flattened: seed, log-probabilities, output; then the map's own, the same memory."""
    found = purposes(memory("INPUT 1x1x8 -> CONV1-4(bias=no) -> FLATTEN"))
    assert found["gradients"] == [(2, 4, 0), (2, 0, 16), (2, 0, 16)]
    # A slice's gradient is written into zeros of the whole.
    found = purposes(memory("INPUT 1x1x8 -> CONV1-4(bias=no) -> SLICE(0, 2)"))
    assert found["gradients"] == [(2, 4, 0), (2, 0, 8), (2, 0, 8), (2, 0, 16)]
