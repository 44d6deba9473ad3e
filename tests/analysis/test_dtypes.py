"""Memory in fp32, bf16 and under autocast, against what a live module keeps and allocates on the CPU.

Expectations are measurements of PyTorch (cnndsl.testing.memory): bytes kept are equal, peaks lie within 2%.
"""

from __future__ import annotations

import pytest
import torch
from _pytest.mark import ParameterSet
from hypothesis import HealthCheck, Phase, given, seed, settings

import cnndsl
from cnndsl.analysis.memory import inference, training
from cnndsl.emit.torch.execution import executions
from cnndsl.finding import find
from cnndsl.testing import programs
from cnndsl.testing.memory import DTYPES, measure, measure_module, memory_differences
from tests.oracle import torchvision

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

FOUND = """\
INPUT 8x8x4 -> MUL(ID, CONV1-1)
INPUT 8x8x4 -> p: POOL2 -> CONV1-4 -> UNPOOL2(@p)
INPUT 8x8x4 -> CONV1-4 -> BN
INPUT 8x8x4 -> CONV1-4 -> LN(over=channels)
INPUT 6x6x6x4 -> CONV1-4 -> POOL2
INPUT 10x4 -> CONV1-4 -> LRN3
INPUT 8x8x4 -> CONV1-4 -> RBF-4
INPUT 8x8x4 -> CONV1-4 -> PRELU
INPUT 8x8x4 -> CONV1-4 -> IN(affine=yes)
INPUT 8x8x4 -> CONV1-4 -> MUL(SCALE, CONV1-4)
INPUT 8x8x4 -> FC-5
INPUT 24x24x4 -> CONV1-4 -> LN(over=channels) -> CONV1-4
INPUT 24x24x4 -> CONV1-4 -> LOCAL3-4 -> CONV1-4
INPUT 8x8x8x4 -> CONV1-4 -> LPPOOL3/2(p=3) -> CONV1-4
INPUT 24x24x4 -> CONV1-4 -> RBF-4
INPUT 12x6x8 -> CONV1-C -> LRN6 -> LOCAL4-9 -> CELU -> FC-1
INPUT 21x1 -> CONV1-C -> LPPOOL4/2(pad=1, p=1) -> SILU -> SOFTPLUS -> MISH
INPUT 24x6 -> CONV1-C -> RELU -> SHUFFLE2 -> [MAX(SHUFFLE2, HARDTANH) -> RELU]?maybe1 -> DROPOUT
INPUT 5x5x3 -> CONV1-C -> SELU -> SELU -> SHUFFLE3 -> SILU -> SHUFFLE3 -> FC-5
INPUT 19x5 -> CONV1-C -> GAP -> GAP -> FLATTEN -> LN(affine=no) -> FLATTEN
INPUT 8x8x4 -> CONV1-4 -> (TANH + SIGMOID + CONV1-4) -> MEAN(TANH, ID, CONV1-4) -> FC-2
INPUT 8x16x16x3 -> CONV3-8 -> BN -> RELU -> POOL1x2x2 -> CONV3-16 -> POOL2 -> (CONV3-16 + ID) -> AVGPOOL2 -> FC-9
INPUT 4x8x8x3 -> POOL2 -> (CONV3-3 + ID) -> RELU -> AVGPOOL2 -> FC-2
INPUT 16x16x3 -> p: POOL2 -> CONV3-3 -> u: UNPOOL2(@p) -> (CONV3-3 + ID) -> LRN5 -> CONV3-2
INPUT 8x8x4 -> CONV1-4 -> LRN3 -> (ID + CONV1-4 + TANH) -> CONV1-4
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> FC-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> RELU -> FC-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> GN2 -> CONV1-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> SLICE(0, 3) -> FC-3
INPUT 12x12x4 -> CONV1-4 -> SLICE(1, 2) -> IN -> CONV1-3
INPUT 8x8x4 -> CONV1-4 -> PIXELUNSHUFFLE2 -> PIXELSHUFFLE2 -> CONV1-4
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> RESHAPE(4x4x16) -> CONV1-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> RESHAPE(4x4x16, channels=last) -> CONV1-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> PERMUTE(hwc) -> CONV1-3
INPUT 12x12x4 -> CONV1-6 -> SLICE(1, 4) -> PERMUTE(hwc) -> CONV1-3
INPUT 12x12x4 -> CONV1-1 -> CROP(2) -> FLATTEN(channels=last) -> RELU -> FC-3
INPUT 8x8x4 -> CONV1-16 -> CHANNELMAX -> CONV1-4
INPUT 12x4 -> CONV1-16 -> CHANNELMEAN -> CONV1-4
INPUT 12x12x4 -> CONV1-8 -> MUL(ID, (CHANNELMAX | CHANNELMEAN) -> CONV7-1 -> SIGMOID) -> CONV1-3
INPUT 8x8x4 -> CONV1-4 -> FLATTEN(channels=last) -> FC-12 -> RESHAPE(2x2x3, channels=last) -> CONV1-4
INPUT 8x8x4 -> CONV1-4 -> RESHAPE(4x4x16) -> CONV1-4 -> RESHAPE(64, channels=last) -> RESHAPE(8x8x1) -> CONV1-2
INPUT 8x6x4 -> CONV1-4 -> PERMUTE(whc) -> RELU -> PERMUTE(cwh) -> CONV1-4 -> PERMUTE(hwc) -> FC-3
INPUT 1x1x4 -> CONV1-4 -> PERMUTE(cwh) -> RELU -> FLATTEN(channels=last) -> FC-3
INPUT 9x4 -> CONV1-4 -> (PERMUTE(cw) -> PERMUTE(cw) + ID) -> RESHAPE(3x2x6, channels=last) -> CONV1-3
INPUT 8x8x4 -> CONV1-4 -> RELU -> PIXELUNSHUFFLE2(order=blocks) -> RELU -> PIXELSHUFFLE2(order=blocks) -> FC-3
INPUT 12x12x4 -> CONV1-4 -> CROP(2) -> PIXELUNSHUFFLE2(order=darknet) -> CONV1-4
INPUT 12x12x4 -> CONV1-9 -> SLICE(1, 5) -> PIXELUNSHUFFLE2(order=darknet) -> CONV1-4
INPUT 1x1x4 -> CONV1-4 -> PIXELSHUFFLE2(order=blocks) -> CONV1-4
INPUT 2x2x4 -> CONV1-1 -> PIXELUNSHUFFLE2(order=blocks) -> CONV1-4
INPUT 4x4x6x1 -> CONV1-C -> RELU -> RMSNORM(affine=no)
INPUT 1x1x4 -> CONV1-C -> FRN(tlu=no)
INPUT 3x3x3x2 -> CONV1-C -> LRN5(over=positions)
""".splitlines()
"""Programs whose memory was wrong in some type."""

ON_MAPS = """\
RELU6; PRELU(shared=yes); TANH(scale=2); SOFTPLUS; SOFTSIGN; LOGSIGMOID; SOFTMAX; GELU; BN(affine=no); LN;
LN(affine=no); GN2; GN2(affine=no); IN; LRN3; SCALE; SCALE(bias=no); POOL2; POOL3/2(pad=1); AVGPOOL2; GAP; GMP; LPPOOL2;
SUMPOOL2; FC-5(over=channels); FC-4(over=channels, bias=no) -> RELU; FC-4(over=channels, frozen=yes); DROPOUT;
LOCAL3-4; LOCAL3-4(bias=no) -> RELU;
DROPOUT(p=1); DROPOUT(channels=yes); DROPPATH(0.5); TIMES(2); UPSAMPLE2;
CONV2-4; CONV2-4/2; CONVT2-4/2; PADCHANNELS-6/2; PICK(0, 2); SHUFFLE2; AVGPOOL(out=2); POOL(out=2); ZEROPAD(1);
CONV3-4/2(pad=tfsame); CONV4-4/2(pad=tfsame); CONV3-4(pad=reflect); CONV2-4(pad=replicate); CONV3-4/2(pad=circular);
CONV3-4(standardise=weights); CONV3-4(standardise=scaled, bias=no); CONV3-4/2(standardise=scaled, pad=tfsame);
MUL(ID, GAP -> CHANNELCONV3 -> SIGMOID); MUL(ID, GAP -> CHANNELCONV3(bias=yes, border=circular));
CONV3-4(frozen=yes); CONVT4-4/2(frozen=yes, init=bilinear); RELU -> DWCONV3(frozen=yes, standardise=weights);
POOL3/2(pad=tfsame); AVGPOOL3/2(pad=tfsame); AVGPOOL2/1(pad=tfsame, countpad=no);
BLURPOOL; BLURPOOL5(border=zeros); REFLECTPAD(1); REPLICATEPAD(1, after=2); CIRCULARPAD(1);
CONV3-4(standardise=weights, pad=circular); DWCONV3(standardise=scaled, pad=reflect);
(SCALE + ID); SUB(SCALE, RELU); SUB(RELU, CONV1-4); SUB(SUB(ID, TANH), SUB(RELU, CONV1-4));
MAX(RELU, TANH, SIGMOID) -> GAP; MEAN(CONV1-4, SCALE); IN(affine=yes) -> RELU; GRN;
STARRELU; EVONORM2; EVONORM1(act=no); SCALE(shared=yes);
RMSNORM; RMSNORM(affine=no); RMSNORM(by=deviation); FRN; FRN(tlu=no); SOFTMAX(radix=2);
L2NORM; L2NORM(affine=yes); LRN3(over=positions)
""".replace("\n", " ").split("; ")
"""Layers that autocast treats in its own way, or that consist of several operations."""


def slow(*values: object) -> ParameterSet:
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize("text", FOUND)
def test_programs_that_were_wrong(text: str) -> None:
    assert memory_differences(text) == []


@pytest.mark.parametrize("chain", ON_MAPS)
@pytest.mark.parametrize("shape", ["8x8x4", slow("12x4"), slow("6x6x6x4")])
def test_layers_of_several_operations(chain: str, shape: str) -> None:
    assert memory_differences(f"INPUT {shape} -> CONV1-4 -> {chain} -> CONV1-4") == []


UNEXPLAINED = {"INPUT 12x1\n-> tap aux1: [GAP -> FC-4] -> TANH -> FC-5\n": ["training/amp: 770 of 802"]}
"""What is still wrong: two losses under autocast, in a network of so few bytes that 32 are more than 2%."""


@pytest.mark.parametrize("text", UNEXPLAINED)
def test_what_is_unexplained_is_still_so(text: str) -> None:
    assert memory_differences(text) == UNEXPLAINED[text]


@pytest.mark.parametrize(("count", "has_weights"), [(20, True), (15, False), slow(60, True), slow(40, False)])
def test_random_programs(count: int, has_weights: bool) -> None:
    """With a convolution in front, so that gradients flow everywhere, and without."""
    drawn: list[str] = []

    @settings(max_examples=count, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)
    @seed(13)
    @given(programs())
    def draw(text: str) -> None:
        drawn.append(text)

    draw()
    wrong: dict[str, list[str]] = {}
    for text in drawn:
        head, arrow, tail = text.rpartition("INPUT")[2].partition("\n-> ")
        front = f"{text.rpartition('INPUT')[0]}INPUT{head}{arrow}CONV1-C -> {tail}"
        if told := memory_differences(front if has_weights else text):
            wrong[text] = told
    assert len(drawn) >= count * 5 // 6
    assert {text: told for text, told in wrong.items() if text not in UNEXPLAINED} == {}


@pytest.mark.parametrize(
    "name", ["resnet18", "squeezenet1_1", slow("mobilenet_v3_large"), slow("densenet121"), slow("googlenet")]
)
def test_networks_of_torchvision(name: str) -> None:
    """Training against torchvision's modules, use against the emitted one as well: torchvision's DenseNet-121 holds the
    list of its layers longer. On images of 64x64, since real values are computed in three types."""
    source = find(name).text.replace("INPUT 224x224x3", "INPUT 64x64x3")
    graph = cnndsl.loads("\n".join(line for line in source.splitlines() if not line.startswith("assert"))).graph
    undrawn = {"init_weights": False} if name == "googlenet" else {}
    network, images = torchvision.models.get_model(name, **undrawn), [torch.randn(2, 3, 64, 64)]
    runs = executions(graph)
    for dtype in DTYPES:
        measured = measure_module(network, images, dtype)
        memory = training(graph, dtype, tracked=True, executions=runs)
        assert memory.saved(2) == measured.saved, dtype
        use = inference(graph, dtype, executions=runs)
        peaks = [(memory, measured.training), (use, measure(graph, 2, dtype).inference)]
        for predicted, peak in peaks if name == "densenet121" else [*peaks, (use, measured.inference)]:
            found = predicted.peak(2).bytes - measured.fixed
            assert found == pytest.approx(peak - measured.fixed, rel=0.02), dtype
