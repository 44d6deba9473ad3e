"""Memory: what autograd keeps, to the byte; peaks, and the largest batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cnndsl
from cnndsl.analysis.fit import fit
from cnndsl.analysis.lecture import lecture_bytes
from cnndsl.analysis.memory import STATES, Optimizer, inference, training

REFERENCE = Path(__file__).parent.parent / "reference"
SAVED: list[dict[str, Any]] = json.loads((REFERENCE / "saved_for_backward.json").read_text(encoding="utf-8"))["nets"]
OPTIMIZERS: list[Optimizer] = ["sgd", "momentum", "adam", "adamw"]


@pytest.mark.parametrize("row", SAVED, ids=lambda row: f"{row['net']}-{row['batch']}")
def test_autograd_keeps_what_was_measured_to_the_byte(row: dict[str, Any]) -> None:
    graph = cnndsl.load(row["net"]).graph
    memory = training(graph)
    assert memory.saved(row["batch"]) == row["total_unique"]
    # The images and their classes.
    assert memory.saved_by_node(row["batch"])[0] == row["total_unique"] - row["total_unique_ex_input"]
    assert (memory.parameters, memory.gradients) == (row["param_bytes"], row["param_bytes"])


def test_the_lecture_sums_volumes() -> None:
    # The rows of the table of VGG-16 in the CS231n notes: 150528 + 2*3211264 + 802816 + 2*1605632 + 401408 +
    # 3*802816 + 200704 + 3*401408 + 100352 + 3*100352 + 25088 + 2*4096 + 1000 values.
    assert lecture_bytes(cnndsl.load("vgg16").graph) == 4 * 15_237_608


def test_inference_holds_a_layers_input_and_output() -> None:
    graph = cnndsl.loads("INPUT 8x8x2 -> CONV3-4(bias=no) -> CONV3-16(bias=no) -> CONV3-1(bias=no)").graph
    memory = inference(graph)
    # The input stays with the caller: 128 + 256 + 1024 values while the second convolution runs, or 128 + 1024 + 64.
    weights = 9 * (2 * 4 + 4 * 16 + 16)
    assert memory.peak().bytes == 4 * (128 + 256 + 1024 + weights)
    assert memory.peak().node == 2
    assert (memory.gradients, memory.optimizer, memory.fixed) == (0, 0, 4 * weights)
    assert memory.peak(10).bytes == 4 * (10 * (128 + 256 + 1024) + weights)
    assert memory.saved() == 0


def test_inference_of_a_skip_holds_what_is_skipped() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> (CONV3-4 -> CONV3-4 -> CONV3-4 + ID) -> CONV1-1").graph
    one = 4 * 8 * 8 * 4
    assert inference(graph).peak().bytes - inference(graph).parameters == 4 * one


def test_half_precision_halves_everything_but_indices() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> RELU -> CONV3-4").graph
    assert 2 * inference(graph, "bf16").peak(3).bytes == inference(graph).peak(3).bytes
    assert 2 * training(graph, "fp16").gradients == training(graph).gradients


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_remember(optimizer: Optimizer) -> None:
    graph = cnndsl.load("lenet5").graph
    memory = training(graph, optimizer=optimizer)
    # Kingma and Ba 2015: two moments for each parameter; momentum: one velocity.
    assert memory.optimizer == STATES[optimizer] * 4 * 61_706
    assert memory.peak(800).bytes == training(graph).peak(800).bytes + memory.optimizer


def test_adams_update_makes_a_root_of_second_moments() -> None:
    graph = cnndsl.loads("INPUT 8 -> FC-1000(bias=no) -> FC-2(bias=no)").graph
    memory = training(graph, optimizer="adam", device="cuda")
    # Parameters, gradients, two moments and the root, 4 bytes each, beside the batch and its outputs.
    assert memory.peak().phase == "update"
    assert memory.peak().bytes == 5 * 4 * 10_000 + 4 * 8 + 8 + 4 * 2 + 4


def test_dropouts_mask_is_a_byte_a_value_on_a_gpu() -> None:
    graph = cnndsl.loads("INPUT 8 -> FC-100 -> DROPOUT -> FC-2").graph
    assert training(graph).saved(5) - training(graph, device="cuda").saved(5) == 5 * 100 * 3


def test_the_largest_batch_fits_and_one_more_does_not() -> None:
    for memory in (inference(cnndsl.load("vgg16").graph), training(cnndsl.load("vgg16").graph)):
        for rounded in (False, True):
            images = memory.largest_batch(8 * 10**9, rounded)
            assert memory.peak(images, rounded).bytes <= 8 * 10**9 < memory.peak(images + 1, rounded).bytes


def test_nothing_fits_into_nothing() -> None:
    assert inference(cnndsl.load("vgg16").graph).largest_batch(10**6) == 0


def test_rounding_is_to_blocks_of_512_bytes() -> None:
    graph = cnndsl.loads("INPUT 1 -> FC-1(bias=no)").graph
    # Input, weight and output, 4 bytes each.
    assert inference(graph).peak().bytes == 12
    assert inference(graph).peak(rounded=True).bytes == 3 * 512


def test_a_step_ends_with_parameters_gradients_and_the_batch() -> None:
    graph = cnndsl.load("lenet5").graph
    memory = training(graph)
    last = memory.timeline(4)[-1]
    # The images, and a class each; the outputs stay with the caller, as does the loss.
    batch = 4 * (graph.input.numel * 4 + 8)
    assert last.after == 2 * 4 * 61_706 + batch + 4 * 4 * 10 + 4
    assert {level.phase for level in memory.timeline(4)} == {"start", "forward", "loss", "backward"}


def test_fit_names_the_layer_at_which_memory_peaks() -> None:
    graph = cnndsl.loads("INPUT 32x32x3 -> a: CONV3-4 -> b: CONV3-64 -> c: CONV3-64 -> d: GAP -> e: FC-2").graph
    fitted = fit(graph, 10**8)
    # While c runs, 64 channels go in and 64 come out; every image also has its 3 of the batch, all in 4 bytes.
    assert fitted.layer.path == "c"
    parameters = 4 * (28 * 4 + 37 * 64 + 577 * 64 + 130)
    assert fitted.batch == pytest.approx((10**8 - parameters) / (4 * 1024 * (64 + 64 + 3)), abs=1)
    assert fit(graph, 10**8, train=True).batch < fitted.batch


def test_what_does_not_fit_says_what_one_image_needs() -> None:
    graph = cnndsl.load("vgg16").graph
    fitted = fit(graph, 10**6)
    assert fitted.peak == inference(graph, device="cuda").peak(1, rounded=True)
    assert fitted.batch == 0
    assert fitted.peak.bytes > 553_430_176


def test_figures_are_for_the_cpu_and_a_fit_for_a_gpu_unless_it_is_said() -> None:
    graph = cnndsl.loads("INPUT 8x8x4 -> CONV3-4 -> SOFTMAX -> CONV3-4 -> DROPOUT -> FC-2").graph
    for dtype in ("fp32", "amp"):
        assert inference(graph, dtype).timeline() == inference(graph, dtype, "cpu").timeline()
        assert training(graph, dtype).timeline() == training(graph, dtype, "sgd", "cpu").timeline()
    for train in (False, True):
        fitted = fit(graph, 10**6, train=train)
        assert fitted == fit(graph, 10**6, train=train, dtype="fp32", optimizer="sgd", device="cuda")
        memory = training(graph, device="cuda") if train else inference(graph, device="cuda")
        # In blocks of 512 bytes.
        assert fitted.batch == memory.largest_batch(10**6) == memory.largest_batch(10**6, True)
        assert fitted.peak == memory.peak(fitted.batch, True)
    assert fit(graph, 10**6) == fit(graph, 10**6, train=False)


def test_softmax_is_widened_by_autocast_on_a_gpu_alone() -> None:
    """A map of 256 values: what it makes of it is 4 bytes a value there, 2 on the CPU."""
    graph = cnndsl.loads("INPUT 8x8x4 -> CONV3-4(bias=no) -> SOFTMAX").graph
    sizes = {device: inference(graph, "amp", device).step.storages[-1] for device in ("cpu", "cuda")}
    assert (sizes["cpu"].image, sizes["cuda"].image) == (2 * 256, 4 * 256)


def test_what_is_fixed_is_all_that_stays() -> None:
    # FC: 8*4 + 4 parameters; BN: 4 + 4, mean and variance of 4 bytes and a counter of 8.
    memory = training(cnndsl.loads("INPUT 8 -> FC-4 -> BN").graph, optimizer="adam")
    assert (memory.parameters, memory.buffers) == (4 * 44, 4 * 8 + 8)
    assert memory.fixed == 4 * 44 * (1 + 1 + 2) + 40
    half = training(cnndsl.loads("INPUT 8 -> FC-4 -> BN").graph, "bf16")
    assert (half.parameters, half.buffers) == (2 * 44, 2 * 8 + 8)


def test_what_is_saved_is_the_sum_over_the_nodes() -> None:
    memory = training(cnndsl.load("lenet5").graph)
    for batch in (1, 3):
        assert sum(memory.saved_by_node(batch).values()) == memory.saved(batch)
    assert memory.saved() == memory.saved(1)
    graph = cnndsl.load("lenet5").graph
    assert inference(graph).saved_by_node() == dict.fromkeys(range(len(graph)), 0)
