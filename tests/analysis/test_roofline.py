"""Least times by hand from the cards' datasheets, and traffic against hand counts."""

from __future__ import annotations

import pytest
import torch

from cnndsl import load, loads
from cnndsl.analysis.cards import CARDS
from cnndsl.analysis.layer_time import LayerTime
from cnndsl.analysis.lifetimes import Dtype, Lifetimes
from cnndsl.analysis.roofline import roofline, traffic
from cnndsl.runtime.live import module

A100 = CARDS["A100-SXM4-80GB"]


def moved(text: str, batch: int = 1, dtype: Dtype = "fp32") -> list[int]:
    """The traffic of each layer, that of the input left out."""
    return list(traffic(Lifetimes(loads(text).graph, False, dtype, "cuda"), batch).values())[1:]


def test_the_first_convolution_of_resnet_50_on_an_a100_by_hand() -> None:
    # 7x7x3 windows, 64 filters, on 112x112: 118,013,952 multiply-adds. 224x224x3 in, 112x112x64 out, 9,408 weights.
    graph = load("resnet50").graph
    flops, read, weights, written = 2 * 118_013_952, 224 * 224 * 3, 7 * 7 * 3 * 64, 112 * 112 * 64
    # fp32: 236 Mflop at 156 Tflop/s of TF32 take 1.51 us, 3.85 MB at 2039 GB/s 1.89 us.
    time = roofline(graph, A100).times[1]
    assert time == LayerTime(bandwidth=pytest.approx(4 * (read + weights + written) / 2039e9))
    assert time.seconds == pytest.approx(1.889e-6, rel=1e-3)
    assert (time.bound, flops / 156e12 < time.seconds) == ("bandwidth", True)
    # 256 images in bf16: 60.4 Gflop at 312 Tflop/s take 194 us, 488 MB 239 us.
    many = roofline(graph, A100, 256, "bf16").times[1]
    assert many.seconds == pytest.approx(2 * (256 * (read + written) + weights) / 2039e9)
    assert many.seconds == pytest.approx(239.4e-6, rel=1e-3)


def test_a_3x3_convolution_of_resnet_50_on_an_a100_by_hand() -> None:
    # layer4.2.conv2, 512 to 512 channels on 7x7: 115,605,504 multiply-adds, 2,359,296 weights.
    graph = load("resnet50").graph
    at = graph.by_path["layer4.2.conv2"].index
    values = 7 * 7 * 512
    one = roofline(graph, A100).times[at]
    # 9.64 MB take 4.73 us, the arithmetic 1.48 us: weights that serve one image.
    assert one == LayerTime(bandwidth=pytest.approx(4 * (2 * values + 2_359_296) / 2039e9))
    assert one.seconds == pytest.approx(4.727e-6, rel=1e-3)
    # For 64 images the arithmetic takes 64 times as long, 94.9 us, the traffic 11 us.
    many = roofline(graph, A100, 64).times[at]
    assert many == LayerTime(arithmetic=pytest.approx(64 * 2 * 115_605_504 / 156e12))
    assert many.seconds == pytest.approx(94.85e-6, rel=1e-3)


def test_without_tf32_the_peak_is_that_of_fp32() -> None:
    # V100: 15.7 Tflop/s in fp32, 125 in fp16. On 64 images 64*2*115.6M operations: 943 us and 118 us.
    graph = load("resnet50").graph
    at = graph.by_path["layer4.2.conv2"].index
    assert roofline(graph, CARDS["V100-SXM2-16GB"], 64).times[at].arithmetic == pytest.approx(942.5e-6, rel=1e-3)
    assert roofline(graph, CARDS["V100-SXM2-16GB"], 64, "fp16").times[at].arithmetic == pytest.approx(
        118.4e-6, rel=1e-3
    )
    assert roofline(graph, CARDS["V100-SXM2-16GB"], 64, "amp").times[at].seconds == pytest.approx(118.4e-6, rel=1e-3)


@pytest.mark.parametrize("name", ["T4", "V100-SXM2-32GB", "P100-PCIe-16GB", "RTX-2080-Ti"])
def test_cards_without_bf16(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} has no arithmetic in bf16; take fp16 or amp"):
        roofline(loads("INPUT 8 -> FC-8").graph, CARDS[name], 1, "bf16")


def test_traffic_by_hand() -> None:
    # 8x8x4 in (256 values), 3x3 windows, 8 filters: 288 weights, 8 biases, 512 values out. BN: 8 scales, 8 shifts.
    text = "INPUT 8x8x4 -> CONV3-8 -> BN -> RELU -> POOL2 -> FLATTEN -> DROPOUT -> FC-10"
    assert moved(text, 3) == [
        4 * (3 * (256 + 512) + 288 + 8),
        4 * (3 * (512 + 512) + 16),
        4 * 3 * (512 + 512),
        4 * 3 * (512 + 128),
        0,
        0,
        4 * (3 * (128 + 10) + 1280 + 10),
    ]
    assert moved(text, 3, "bf16") == [size // 2 for size in moved(text, 3)]


def test_windows_that_leave_positions_out_read_less() -> None:
    # A 1x1 convolution of stride 2 reads 4x4 of 8x8 positions; one of 3x3 and stride 2 all of them.
    assert moved("INPUT 8x8x4 -> CONV1-8/2(bias=no)") == [4 * (4 * 4 * 4 + 4 * 4 * 8 + 32)]
    assert moved("INPUT 8x8x4 -> CONV3-8/2(bias=no)") == [4 * (8 * 8 * 4 + 4 * 4 * 8 + 9 * 4 * 8)]
    # Global pooling, upsampling and transposed convolutions read everything.
    assert moved("INPUT 8x8x4 -> GAP") == [4 * (256 + 4)]
    assert moved("INPUT 8x8x4 -> UPSAMPLE2") == [4 * (256 + 1024)]
    assert moved("INPUT 8x8x4 -> CONVT2-4/2(bias=no)") == [4 * (256 + 1024 + 64)]


@pytest.mark.parametrize(
    "layer",
    [
        "CONV1-8/2",
        "CONV2-8/3(pad=valid)",
        "CONV3-8/2(pad=valid)",
        "CONV3-8/2",
        "CONV5-8/4",
        "CONV1-8/3(pad=1)",
        "AVGPOOL2/3",
        "AVGPOOL3/2(pad=1)",
        "AVGPOOL(out=3)",
        "LPPOOL2",
        "BN",
    ],
)
@pytest.mark.parametrize("size", ["8x8x4", "9x7x4", "13x10x4"])
def test_what_is_read_is_what_has_a_gradient(layer: str, size: str) -> None:
    graph = loads(f"INPUT {size} -> {layer}").graph
    network = module(graph).eval()
    x = torch.rand(1, 4, *graph.input.spatial, requires_grad=True)
    network(x).square().sum().backward()
    assert x.grad is not None
    parameters = sum(each.numel() for each in network.parameters())
    read = int(x.grad.count_nonzero())
    assert moved(f"INPUT {size} -> {layer}") == [4 * (read + graph.nodes[1].shape.numel + parameters)]


def test_merges_read_each_input_once() -> None:
    assert moved("INPUT 8x8x4 -> (ID + ID)") == [4 * (256 + 256)]
    assert moved("INPUT 8x8x4 -> (RELU + ID)")[-1] == 4 * (256 + 256 + 256)
    assert moved("INPUT 8x8x4 -> (RELU | ID)")[-1] == 4 * (256 + 256 + 512)


def test_shared_weights_are_read_at_each_application() -> None:
    first, second = moved("INPUT 16 -> t: FC-16(bias=no) -> again t")
    assert first == second == 4 * (16 + 16 + 256)


def test_under_autocast_weights_have_four_bytes_and_values_of_convolutions_two() -> None:
    (size,) = moved("INPUT 8x8x4 -> CONV3-8(bias=no)", 1, "amp")
    assert size == 4 * 256 + 2 * 512 + 4 * 288


def test_training_only_parts_take_no_time() -> None:
    graph = loads("INPUT 8x8x4 -> CONV3-8 -> tap aux(train): [GAP -> FC-5] -> GAP -> FC-2").graph
    times = roofline(graph, A100).times
    assert [node.training_only for node in graph.nodes if node.inputs and not times[node.index].seconds] == [True, True]


def test_totals_are_sums() -> None:
    found = roofline(load("resnet50").graph, A100, 64)
    assert found.total.seconds == pytest.approx(sum(time.seconds for time in found.times))
    assert found.total.arithmetic > 0 < found.total.bandwidth
    # At least all multiply-adds at the peak (4.089G, docs of the network), and all traffic at full bandwidth.
    assert found.total.seconds >= 64 * 2 * 4.089e9 / 156e12
