"""Convolutions of every geometry, against torch's on an input that was padded by hand."""

from __future__ import annotations

import importlib
import warnings

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cnndsl.layers.base import LayerError
from cnndsl.layers.conv import Conv, DepthwiseConv
from cnndsl.layers.local import LocallyConnected
from cnndsl.layers.transposed import ConvTranspose
from cnndsl.network import loads
from cnndsl.shape import Shape
from tests.oracle import torchvision
from tests.support import Live, flops, saved_bytes

CONVOLUTIONS = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}
PADS = st.sampled_from(["valid", "same", "full", (0,), (1,), (3,)])


@st.composite
def maps(draw: st.DrawFn) -> Shape:
    return Shape(4, tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))))


def _padded(x: torch.Tensor, pad: object, extent: int) -> torch.Tensor:
    """`same` pads e-1 in all, floor half of it in front; `full` e-1 on both sides."""
    sides = {
        "valid": (0, 0),
        "same": ((extent - 1) // 2, extent - 1 - (extent - 1) // 2),
        "full": (extent - 1, extent - 1),
    }
    front, back = sides[pad] if isinstance(pad, str) else (pad[0], pad[0])
    return F.pad(x, (front, back) * (x.dim() - 2))


@settings(max_examples=150)
@given(maps(), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3), PADS, st.sampled_from([1, 2]), st.booleans())
def test_convolution(
    x: Shape, kernel: int, stride: int, dilation: int, pad: str | tuple[int, ...], groups: int, bias: bool
) -> None:
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel", UserWarning)
    layer = Conv((kernel,), 6, (stride,), pad, (dilation,), groups, bias)
    try:
        output = layer.output(x)
    except LayerError:
        assume(False)
        return
    live = Live(layer, (x,))
    example = torch.randn(2, 4, *x.spatial, requires_grad=True)
    result = live(example)
    padded = _padded(example, pad, dilation * (kernel - 1) + 1)
    expected = CONVOLUTIONS[x.rank](padded, live.module.weight, live.module.bias, stride, 0, dilation, groups)
    torch.testing.assert_close(result, expected)
    assert tuple(result.shape[2:]) == output.spatial
    assert flops(lambda: live(example)) == 2 * 2 * layer.macs(x)
    found = saved_bytes(lambda: live(example), list(live.module.parameters()))
    saved = layer.saved(x)
    extra = sum(4 * number * 2 for _, number, _ in saved.extra)
    assert sum(found.values()) == extra + len(saved.inputs) * example.untyped_storage().nbytes()
    if pad == "same":
        assert output.spatial == tuple(-(-size // stride) for size in x.spatial)


@settings(max_examples=60)
@given(maps(), st.integers(1, 3), st.integers(1, 2), PADS)
def test_local_connection_with_equal_weights_is_a_convolution(
    x: Shape, kernel: int, stride: int, pad: str | tuple[int, ...]
) -> None:
    layer, shared = LocallyConnected((kernel,), 3, (stride,), pad), Conv((kernel,), 3, (stride,), pad)
    try:
        output = layer.output(x)
    except LayerError:
        assume(False)
        return
    assert output == shared.output(x)
    live = Live(layer, (x,))
    weight, bias = torch.randn(3, 4, *(kernel,) * x.rank), torch.randn(3)
    with torch.no_grad():
        live.module.weight.copy_(weight.flatten(1).expand_as(live.module.weight))
        live.module.bias.copy_(bias.reshape(3, *(1,) * x.rank).expand_as(live.module.bias))
    example = torch.randn(2, 4, *x.spatial)
    expected = CONVOLUTIONS[x.rank](_padded(example, pad, kernel), weight, bias, stride)
    torch.testing.assert_close(live(example), expected)


@settings(max_examples=80)
@given(maps(), st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(0, 1), st.integers(1, 2))
def test_transposed_convolution(x: Shape, kernel: int, stride: int, pad: int, extra: int, dilation: int) -> None:
    layer = ConvTranspose((kernel,), 6, (stride,), (pad,), (extra,), (dilation,))
    try:
        output = layer.output(x)
    except LayerError:
        assume(False)
        return
    live = Live(layer, (x,))
    example = torch.randn(1, 4, *x.spatial)
    assert tuple(live(example).shape[1:]) == (6, *output.spatial)
    assert flops(lambda: live(example)) == 2 * layer.macs(x)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (4, 2), (3, 3), (3, 1), (5, 1)])
def test_transposed_same_multiplies_the_extents(kernel: int, stride: int) -> None:
    layer = ConvTranspose((kernel,), 8, (stride,))
    assert layer.output(Shape(4, (7, 5))) == Shape(8, (7 * stride, 5 * stride))


def test_remainder() -> None:
    """(227 - 11) mod 4 = 0, (224 - 11) mod 4 = 1: why AlexNet's input must be 227 wide."""
    layer = Conv((11,), 96, (4,), pad="valid")
    assert layer.remainder(Shape(3, (227, 224))) == (0, 1)
    assert LocallyConnected((11,), 96, (4,), pad="valid").remainder(Shape(3, (227, 224))) == (0, 1)


def test_remainder_of_uneven_padding() -> None:
    """A kernel of 4 pads 1 ahead and 2 behind: (9 + 1 + 2 - 4) mod 3 = 2."""
    assert Conv((4,), 8, (3,)).remainder(Shape(3, (9,))) == (2,)


def test_a_transposed_convolution_may_make_one_position() -> None:
    assert ConvTranspose((1,), 8).output(Shape(3, (1, 1))) == Shape(8, (1, 1))
    assert ConvTranspose((3,), 8, pad=(1,)).output(Shape(3, (1, 4))) == Shape(8, (1, 4))


def test_parameters_as_the_lecture_counts_them() -> None:
    """CS231n notes: the first layer of VGG has (3*3*3)*64 = 1,728 weights, AlexNet's 96*(11*11*3) = 34,848."""
    x = Shape(3, (224, 224))
    assert Conv((3,), 64).formula(x) == "(3*3*3)*64"
    assert Conv((3,), 64).tensors(x)[0].numel == 1_728
    assert Conv((11,), 96, (4,)).tensors(Shape(3, (227, 227)))[0].numel == 34_848


def test_depthwise_takes_a_filter_for_each_channel() -> None:
    x = Shape(32, (8, 8))
    assert DepthwiseConv().output(x) == x
    assert [tensor.shape for tensor in DepthwiseConv().tensors(x)] == [(32, 1, 3, 3), (32,)]
    assert DepthwiseConv(filters=64).output(x).channels == 64


def test_local_weights_are_not_shared() -> None:
    """Taigman et al. 2014: weights of a local layer are those of a convolution once for each output position."""
    x = Shape(16, (10, 10))
    assert LocallyConnected((3,), 8, pad="valid").tensors(x)[0].numel == 8 * 8 * (3 * 3 * 16 * 8)


timm = importlib.import_module("timm.layers")  # which imports torchvision, as `tests.oracle` made it possible
assert torchvision


@settings(max_examples=60)
@given(
    st.tuples(st.integers(1, 14), st.integers(1, 14)),
    st.integers(1, 5),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from([None, "weights", "scaled"]),
)
def test_tensorflows_padding_and_standardised_weights_are_timms(
    size: tuple[int, int], kernel: int, stride: int, dilation: int, standardise: str | None
) -> None:
    """Of a module that was made for one size and is given another one, forward and backward."""
    x = Shape(4, (9, 8))
    layer = Conv(
        *((kernel,), 6, (stride,), "tfsame", (dilation,)), standardise=standardise or "none", gamma=1.7, eps=1e-5
    )
    names = {None: "Conv2dSame", "weights": "StdConv2dSame", "scaled": "ScaledStdConv2dSame"}
    extra = {"gamma": 1.7} if standardise == "scaled" else {}
    more = {"eps": 1e-5, **extra} if standardise else {}
    given = {"stride": stride, "dilation": dilation, "bias": True, **more}
    if standardise:
        given["padding"] = "SAME"
    theirs = getattr(timm, names[standardise])(4, 6, kernel, **given)
    ours = Live(layer, (x,)).module
    ours.load_state_dict(theirs.state_dict(), strict=True)
    image = torch.randn(2, 4, *size, dtype=torch.float64)
    results: list[list[torch.Tensor]] = []
    for module in (ours.double(), theirs.double()):
        entering = image.clone().requires_grad_()
        given = module(entering)
        given.sin().sum().backward()
        results.append([given, entering.grad, *(each.grad for each in module.parameters())])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("border", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("rank", [1, 2, 3])
def test_what_lies_beyond_the_border(border: str, rank: int) -> None:
    """As `F.pad` says, for odd and even kernels; a number pads on both sides."""
    x = Shape(4, (5, 6, 7)[:rank])
    example = torch.randn(2, 4, *x.spatial)
    for layer, before, after in (
        (Conv((3,), 6, (2,), border), 1, 1),
        (Conv((4,), 6, pad=border), 1, 2),
        (Conv((1,), 6, pad=(2,), border=border), 2, 2),
    ):
        live = Live(layer, (x,))
        padded = F.pad(example, (before, after) * rank, mode=border)
        stride = layer.stride[0]
        expected = CONVOLUTIONS[rank](padded, live.module.weight, live.module.bias, stride)
        torch.testing.assert_close(live(example), expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("factor", [2, 4])
def test_a_bilinear_transposed_convolution_interpolates(rank: int, groups: int, factor: int) -> None:
    """With twice the factor for its size; up to the border, where `F.interpolate` repeats it. And it is not trained."""
    size = "x".join(["6"] * rank)
    layer = f"CONVT{2 * factor}-2/{factor}(init=bilinear, groups={groups}, frozen=yes, bias=no)"
    network = loads(f"INPUT {size}x2 -> {layer} -> CONV1-3").module()
    x = torch.randn(2, 2, *[6] * rank)
    found = network[0](x)
    mode = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
    inner = (slice(None), slice(None), *[slice(factor, -factor)] * rank)
    torch.testing.assert_close(found[inner], F.interpolate(x, scale_factor=factor, mode=mode)[inner])
    assert [name for name, each in network.named_parameters() if each.requires_grad] == ["1.weight", "1.bias"]


def test_the_published_filter_of_odd_size() -> None:
    """`upsample_filt(3)` of Long et al.: factor 2, centre 1, so 1/2, 1, 1/2."""
    network = loads("INPUT 6x1 -> CONVT3-1/2(init=bilinear, pad=1, out_pad=1)").module()
    assert network[0].weight.flatten().tolist() == [0.5, 1.0, 0.5]
