"""What the modules compute, against the formulas of their papers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnndsl.layers import activation as act
from cnndsl.layers import arrange, dense, dropout, evonorm, local_norm, margin, merge, norm, response, scale, softmax
from cnndsl.layers.base import Layer, Saved, TorchFunction, Window
from cnndsl.layers.channel_pool import ChannelMax, ChannelMean
from cnndsl.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from cnndsl.layers.pool import GlobalAvgPool, LPPool, SumPool
from cnndsl.layers.reshape import Permute, Reshape
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape
from tests.support import Live, build

X = torch.linspace(-4, 4, 2 * 6 * 5 * 4).reshape(2, 6, 5, 4)
MAP, GATE, PLANE, VECTOR = Shape(6, (5, 4)), Shape(6, (1, 1)), Shape(1, (5, 4)), Shape(6)


def sigmoid(x: Tensor) -> Tensor:
    return 1 / (1 + (-x).exp())


def relu6(x: Tensor) -> Tensor:
    return x.clamp(0, 6)


FORMULAS: list[tuple[Layer, Callable[[Tensor], Tensor]]] = [
    (act.Relu(), lambda x: x.clamp(min=0)),
    (act.Relu6(), relu6),
    (act.LeakyRelu(0.1), lambda x: torch.where(x < 0, 0.1 * x, x)),
    (act.PRelu(), lambda x: torch.where(x < 0, 0.25 * x, x)),
    (act.PRelu(shared=True, init=0.1), lambda x: torch.where(x < 0, 0.1 * x, x)),
    (act.StarRelu(), lambda x: 0.8944 * x.clamp(min=0).square() - 0.4472),
    (act.Sigmoid(), sigmoid),
    (act.Tanh(), lambda x: 2 * sigmoid(2 * x) - 1),
    (act.Tanh(scale=1.7159, slope=2 / 3), lambda x: 1.7159 * (2 * sigmoid(4 / 3 * x) - 1)),
    (act.Elu(0.5), lambda x: torch.where(x < 0, 0.5 * (x.exp() - 1), x)),
    (act.Celu(2.0), lambda x: torch.where(x < 0, 2 * ((x / 2).exp() - 1), x)),
    (act.Selu(), lambda x: 1.0507009873554805 * torch.where(x < 0, 1.6732632423543772 * (x.exp() - 1), x)),
    (act.Gelu(), lambda x: x * (1 + torch.erf(x / math.sqrt(2))) / 2),
    (act.Gelu(approximate=True), lambda x: x * sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    (act.Silu(), lambda x: x * sigmoid(x)),
    (act.HardSigmoid(), lambda x: relu6(x + 3) / 6),
    (act.HardSwish(), lambda x: x * relu6(x + 3) / 6),
    (act.Mish(), lambda x: x * torch.tanh((1 + x.exp()).log())),
    (act.Softplus(beta=2.0), lambda x: (1 + (2 * x).exp()).log() / 2),
    (act.Softsign(), lambda x: x / (1 + x.abs())),
    (act.HardTanh(), lambda x: x.clamp(-1, 1)),
    (act.LogSigmoid(), lambda x: sigmoid(x).log()),
    (softmax.Softmax(), lambda x: x.exp() / x.exp().sum(1, keepdim=True)),
    (softmax.Softmax(radix=2), lambda x: x.exp() / (x.exp()[:, :3] + x.exp()[:, 3:]).repeat(1, 2, 1, 1)),
    (softmax.LogSoftmax(), lambda x: x - x.exp().sum(1, keepdim=True).log()),
    (scale.Scale(init=0.5), lambda x: 0.5 * x),
    (scale.Scale(init=0.5, shared=True), lambda x: 0.5 * x),
    (
        norm.LayerNorm(over="channels", eps=0.1),
        lambda x: (x - x.mean(1, True)) / (x.var(1, False, keepdim=True) + 0.1).sqrt(),
    ),
    (response.RootMeanSquareNorm(eps=0.1), lambda x: x / (x.square().sum(1, True) / 6 + 0.1).sqrt()),
    (
        response.RootMeanSquareNorm(eps=0.1, by="deviation"),
        lambda x: x / ((x - x.mean(1, True)).square().sum(1, True) / 5 + 0.1).sqrt(),
    ),
    (response.EuclideanNorm(), lambda x: x / x.square().sum(1, True).sqrt()),
    (response.EuclideanNorm(eps=5.0), lambda x: x / x.square().sum(1, True).sqrt().clamp(min=5)),
    (response.EuclideanNorm(affine=True, init=20.0), lambda x: 20 * x / x.square().sum(1, True).sqrt()),
    # w and b start at 0 (Woo et al. 2023, Section 3.2), which makes the layer the identity.
    (response.GlobalResponse(), lambda x: x),
    (arrange.Slice(1, 3), lambda x: x[:, 1:3]),
    (arrange.Pick((5, 0, 3)), lambda x: x[:, [5, 0, 3]]),
    (arrange.Flatten(), lambda x: x.reshape(2, -1)),
    (arrange.Shuffle(2), lambda x: x[:, [0, 3, 1, 4, 2, 5]]),
    (arrange.Shuffle(3), lambda x: x[:, [0, 2, 4, 1, 3, 5]]),
    (arrange.PadChannels(8, (2,)), lambda x: torch.cat([x[:, :, ::2, ::2], torch.zeros(2, 2, 3, 2)], 1)),
    (
        arrange.PadChannels(9, where="both"),
        lambda x: torch.cat([torch.zeros(2, 1, 5, 4), x, torch.zeros(2, 2, 5, 4)], 1),
    ),
    (margin.Crop((1, 0), after=(0, 2)), lambda x: x[:, :, 1:, :-2]),
    (arrange.Times(-0.5), lambda x: -0.5 * x),
    (margin.ZeroPad((1, 0), after=(0, 2)), lambda x: nn.functional.pad(x, (0, 2, 1, 0))),
    (margin.ReflectPad((0, 1), after=(2, 0)), lambda x: x[:, :, [0, 1, 2, 3, 4, 3, 2]][..., [1, 0, 1, 2, 3]]),
    (margin.ReplicatePad((0, 1), after=(2, 0)), lambda x: x[:, :, [0, 1, 2, 3, 4, 4, 4]][..., [0, 0, 1, 2, 3]]),
    (margin.CircularPad((0, 1), after=(2, 0)), lambda x: x[:, :, [0, 1, 2, 3, 4, 0, 1]][..., [3, 0, 1, 2, 3]]),
]


@pytest.mark.parametrize(("layer", "formula"), FORMULAS, ids=[repr(layer) for layer, _ in FORMULAS])
def test_value(layer: Layer, formula: Callable[[Tensor], Tensor]) -> None:
    torch.testing.assert_close(Live(layer, (MAP,))(X), formula(X))


def test_local_response_normalisation_divides_alpha_by_the_size() -> None:
    """x / (k + alpha/n * the sum of squares over n channels around)^beta."""
    x = torch.rand(1, 4, 2, 2)
    squares = nn.functional.pad(x.square(), (0, 0, 0, 0, 1, 1))
    summed = squares[:, 0:4] + squares[:, 1:5] + squares[:, 2:6]
    expected = x / (2 + 0.5 / 3 * summed) ** 0.75
    layer = local_norm.LocalResponseNorm(3, alpha=0.5, beta=0.75, k=2)
    torch.testing.assert_close(Live(layer, (Shape(4, (2, 2)),))(x), expected)


def test_global_response_normalisation_is_that_of_its_paper() -> None:
    """Woo et al. 2023, Section 3.2: gamma * (x * N(G(x))) + beta + x, where N divides by the mean over channels."""
    live = Live(response.GlobalResponse(eps=0.1), (MAP,))
    gamma, beta = nn.init.normal_(live.module.weight), nn.init.normal_(live.module.bias)
    norms = X.square().sum((2, 3)).sqrt()
    relative = norms / (norms.mean(1, keepdim=True) + 0.1)
    scaled = torch.einsum("nchw,nc,c->nchw", X, relative, gamma)
    torch.testing.assert_close(live(X), scaled + beta[:, None, None] + X)


def test_split_attention_chooses_between_the_splits_of_each_group() -> None:
    """Two groups of three splits of one channel: 0, 1, 2 and 3, 4, 5 enter, and 0, 3, 1, 4, 2, 5 leave."""
    powers = X.exp()
    sums = powers[:, :3].sum(1), powers[:, 3:].sum(1)
    expected = torch.stack([powers[:, at + 3 * group] / sums[group] for at in range(3) for group in range(2)], 1)
    torch.testing.assert_close(Live(softmax.Softmax(radix=3, groups=2), (MAP,))(X), expected)


def test_local_response_normalisation_within_a_channel_is_caffes() -> None:
    """Its layer catalogue: x / (1 + alpha/n^2 * the sum of squares over n x n positions around, zeros beyond)^beta."""
    x = torch.rand(1, 2, 4, 3)
    squares = nn.functional.pad(x.square(), (1, 1, 1, 1))
    summed = torch.stack([squares[:, :, i : i + 4, j : j + 3] for i in range(3) for j in range(3)]).sum(0)
    layer = local_norm.LocalResponseNorm(3, alpha=0.5, beta=0.75, over="positions")
    torch.testing.assert_close(Live(layer, (Shape(2, (4, 3)),))(x), x / (1 + 0.5 / 9 * summed) ** 0.75)
    assert layer.window(MAP) == Window((3, 3), (1, 1), (1, 1))


@pytest.mark.parametrize("tlu", [True, False])
def test_filter_response_normalisation_is_that_of_its_paper(tlu: bool) -> None:
    """Singh and Krishnan 2020, equations 2 and 3: max(gamma * x / sqrt(nu^2 + eps) + beta, tau)."""
    live = Live(response.FilterResponse(eps=0.1, tlu=tlu), (MAP,))
    gamma, beta = nn.init.normal_(live.module.weight), nn.init.normal_(live.module.bias)
    mean_square = X.square().mean((2, 3), keepdim=True)
    expected = gamma[:, None, None] * X / (mean_square + 0.1).sqrt() + beta[:, None, None]
    if tlu:
        tau = nn.init.normal_(live.module.tau)[:, None, None]
        expected = torch.where(expected > tau, expected, tau)
    torch.testing.assert_close(live(X), expected)


@pytest.mark.parametrize("act", [True, False])
def test_evonorm_is_that_of_its_paper(act: bool) -> None:
    """Liu et al. 2020, Table 4: x * sigmoid(v * x) / sqrt(s^2 + eps) * gamma + beta, s^2 the variance of a group."""
    live = Live(evonorm.EvoNorm(groups=2, eps=0.1, act=act), (MAP,))
    gamma, beta = nn.init.normal_(live.module.weight), nn.init.normal_(live.module.bias)
    variances = torch.stack([X[:, :3].var((1, 2, 3), False), X[:, 3:].var((1, 2, 3), False)], 1)
    deviations = (variances + 0.1).sqrt().repeat_interleave(3, 1)[:, :, None, None]
    gate = sigmoid(nn.init.normal_(live.module.v)[:, None, None] * X) if act else 1
    torch.testing.assert_close(live(X), X * gate / deviations * gamma[:, None, None] + beta[:, None, None])


def test_radial_basis_is_the_squared_distance() -> None:
    live = Live(dense.RadialBasis(3), (Shape(4),))
    centers = live.module.centers
    assert set(centers.unique().tolist()) <= {-1.0, 1.0}
    x = torch.randn(2, 4)
    expected = torch.stack([(x - center).square().sum(1) for center in centers], 1)
    torch.testing.assert_close(live(x), expected)


def test_the_channels_of_each_position_are_pooled() -> None:
    """As CBAM's spatial attention has it: the largest and the mean of each column of channels."""
    assert torch.equal(Live(ChannelMax(), (MAP,))(X)[:, 0], X.max(1).values)
    torch.testing.assert_close(Live(ChannelMean(), (MAP,))(X)[:, 0], sum(X[:, at] for at in range(6)) / 6)
    assert ChannelMax().output(VECTOR) == ChannelMean().output(VECTOR) == Shape(1)


def test_values_in_another_shape() -> None:
    """In the order of PyTorch, channels first, or of Keras, channels last."""
    x = torch.arange(2 * 24.0).reshape(2, 24)
    assert torch.equal(Live(Reshape((2, 3, 4)), (Shape(24),))(x), x.reshape(2, 4, 2, 3))
    last = x.reshape(2, 2, 3, 4).permute(0, 3, 1, 2)
    assert torch.equal(Live(Reshape((2, 3, 4), channels="last"), (Shape(24),))(x), last)
    assert torch.equal(Live(arrange.Flatten(channels="last"), (Shape(4, (2, 3)),))(last), x)
    assert torch.equal(Live(Reshape((6, 4)), (Shape(4, (2, 3)),))(last), last.reshape(2, 4, 6))


@pytest.mark.parametrize("order", ["hwc", "whc", "hcw", "cwh", "wch", "chw"])
def test_axes_in_another_order(order: str) -> None:
    """As einsum orders them: of the output's height, width and channels each is the input's axis of that letter."""
    h, w, c = order
    found = Live(Permute(order), (MAP,))(X)
    assert torch.equal(found, torch.einsum(f"nchw->n{c}{h}{w}", X))
    assert found.is_contiguous()


def test_channels_are_blocks_of_positions() -> None:
    """Place (i, j) of a block, channel c: c*r*r + i*r + j in PyTorch's order, (i*r + j)*C + c in TensorFlow's."""
    x = torch.arange(2 * 3 * 6 * 8.0).reshape(2, 3, 6, 8)
    ordered, blocks = torch.empty(2, 12, 3, 4), torch.empty(2, 12, 3, 4)
    for c, i, j in itertools.product(range(3), range(2), range(2)):
        ordered[:, 4 * c + 2 * i + j] = blocks[:, (2 * i + j) * 3 + c] = x[:, c, i::2, j::2]
    whole, parts = (Shape(3, (6, 8)),), (Shape(12, (3, 4)),)
    assert torch.equal(Live(PixelUnshuffle(2), whole)(x), ordered)
    assert torch.equal(Live(PixelUnshuffle(2, order="blocks"), whole)(x), blocks)
    assert torch.equal(Live(PixelShuffle(2), parts)(ordered), x)
    assert torch.equal(Live(PixelShuffle(2, order="blocks"), parts)(blocks), x)


@pytest.mark.parametrize("s", [2, 3])
def test_the_reorg_layer_of_darknet(s: int) -> None:
    """Index by index as `reorg_cpu` of Darknet's src/blas.c, without `forward`, goes over an image of C x H x W."""
    c, h, w = 2 * s * s, 2 * s, 3 * s
    x = torch.arange(float(c * h * w))
    expected = torch.empty_like(x)
    for k, j, i in itertools.product(range(c), range(h), range(w)):
        place, channel = divmod(k, c // (s * s))
        row, column = j * s + place // s, i * s + place % s
        expected[i + w * (j + h * k)] = x[column + w * s * (row + h * s * channel)]
    found = Live(PixelUnshuffle(s, order="darknet"), (Shape(c, (h, w)),))(x.reshape(1, c, h, w))
    assert torch.equal(found, expected.reshape(1, c * s * s, h // s, w // s))


@pytest.mark.parametrize("extents", [(), (5,), (5, 4), (3, 5, 4)])
def test_fully_connected_at_each_position(extents: tuple[int, ...]) -> None:
    """Feature f at a position is b_f + the sum over the channels c of w_fc times channel c there."""
    live = Live(dense.Dense(3, over="channels"), (Shape(6, extents),))
    x, weight, bias = torch.randn(2, 6, *extents), live.module.weight, live.module.bias
    assert weight.shape == (3, 6)
    expected = torch.einsum("nc...,fc->nf...", x, weight) + bias.reshape(-1, *(1,) * len(extents))
    torch.testing.assert_close(live(x), expected)


def test_subsampling_of_lenet_5() -> None:
    """LeCun et al. 1998, layer S2: 6 maps of 28x28 to 14x14, with 12 trainable parameters."""
    x = Shape(6, (28, 28))
    pooled = SumPool().output(x)
    assert pooled == Shape(6, (14, 14))
    assert sum(tensor.numel for tensor in scale.Scale().tensors(pooled)) == 12


def test_stochastic_depth_drops_whole_images() -> None:
    torch.manual_seed(0)
    x = torch.ones(1000, 2, 3)
    result = Live(dropout.DropPath(0.25), (Shape(2, (3,)),))(x)
    kept = result.amax((1, 2))
    assert torch.equal(result, kept[:, None, None].expand_as(x))
    assert kept.unique().tolist() == pytest.approx([0, 4 / 3])
    assert 0.7 < (kept > 0).float().mean() < 0.8
    assert not Live(dropout.DropPath(1.0), (Shape(2, (3,)),))(x).any()


def test_channels_are_dropped_as_a_whole() -> None:
    torch.manual_seed(0)
    result = Live(dropout.Dropout(0.5, channels=True), (Shape(8, (5, 4)),))(torch.ones(4, 8, 5, 4))
    assert {tuple(sorted(set(channel.flatten().tolist()))) for image in result for channel in image} == {(0.0,), (2.0,)}


def _merged(layer: merge.MergeLayer, *inputs: Tensor) -> Tensor:
    call = layer.torch(*(Shape(x.shape[1], tuple(x.shape[2:])) for x in inputs))
    assert isinstance(call, TorchFunction)
    return build(call)(*inputs)


def test_merges() -> None:
    a, b, c = torch.randn(3, 2, 6, 5, 4)
    assert torch.equal(_merged(merge.Add(), a, b, c), a + b + c)
    assert torch.equal(_merged(merge.Sub(), a, b), a - b)
    torch.testing.assert_close(_merged(merge.Mean(), a, b, c), torch.stack([a, b, c]).mean(0))
    assert torch.equal(_merged(merge.Max(), a, b, c), torch.stack([a, b, c]).amax(0))
    assert torch.equal(_merged(merge.Mul(), a, b, c), a * b * c)
    assert torch.equal(_merged(merge.Concat(), a, b[:, :1], c), torch.cat([a, b[:, :1], c], 1))


def test_a_gate_is_repeated_over_positions() -> None:
    x, gate, plane = torch.randn(2, 6, 5, 4), torch.randn(2, 6), torch.randn(2, 1, 5, 4)
    expected = torch.einsum("nchw,nc->nchw", x, gate)
    torch.testing.assert_close(_merged(merge.Mul(), x, gate), expected)
    torch.testing.assert_close(_merged(merge.Mul(), gate, x), expected)
    torch.testing.assert_close(_merged(merge.Mul(), x, gate[:, :, None, None]), expected)
    torch.testing.assert_close(_merged(merge.Mul(), x, plane), torch.einsum("nchw,nhw->nchw", x, plane[:, 0]))


@pytest.mark.parametrize(
    ("inputs", "output"),
    [
        ((MAP, GATE), MAP),
        ((VECTOR, MAP), MAP),
        ((PLANE, MAP), MAP),
        ((PLANE, GATE), MAP),
        ((VECTOR, VECTOR), VECTOR),
        ((GATE, VECTOR), GATE),
        ((Shape(1), MAP), MAP),
    ],
)
def test_shape_of_a_product(inputs: tuple[Shape, ...], output: Shape) -> None:
    assert merge.Mul().output(*inputs) == output


OPERATIONS = [
    (act.Relu(), (MAP,), 120),
    (act.StarRelu(), (MAP,), 4 * 120),
    (softmax.Softmax(), (MAP,), 3 * 120),
    (norm.BatchNorm(), (MAP,), 2 * 120),
    (local_norm.LocalResponseNorm(5), (MAP,), 10 * 120),
    (local_norm.LocalResponseNorm(3, over="positions"), (MAP,), (9 + 5) * 120),
    (norm.LayerNorm(), (MAP,), 7 * 120),
    (norm.InstanceNorm(), (MAP,), 5 * 120),
    (response.GlobalResponse(), (MAP,), 4 * 120),
    (response.EuclideanNorm(), (MAP,), 3 * 120),
    (response.EuclideanNorm(affine=True), (MAP,), 4 * 120),
    (response.FilterResponse(), (MAP,), 5 * 120),
    (response.FilterResponse(tlu=False), (MAP,), 4 * 120),
    (response.RootMeanSquareNorm(), (MAP,), 4 * 120),
    (response.RootMeanSquareNorm(affine=False, by="deviation"), (MAP,), 4 * 120),
    (evonorm.EvoNorm(groups=2), (MAP,), 8 * 120),
    (evonorm.EvoNorm(groups=2, act=False), (MAP,), 5 * 120),
    (scale.Scale(bias=False), (MAP,), 120),
    (norm.GroupNorm(groups=2, affine=False), (MAP,), 5 * 120),
    (LPPool(), (Shape(6, (4, 4)),), 2 * 96 + 24),
    (GlobalAvgPool(), (MAP,), 120),
    (ChannelMax(), (MAP,), 120),
    (ChannelMean(), (MAP,), 120),
    (Upsample(), (MAP,), 4 * 120),
    (Upsample(mode="linear"), (MAP,), 4 * 4 * 120),
    (Upsample(mode="bicubic"), (MAP,), 16 * 4 * 120),
    (dropout.Dropout(), (MAP,), 0),
    (arrange.Flatten(), (MAP,), 0),
    (dense.Dense(10), (MAP,), 0),
    (dense.RadialBasis(10), (VECTOR,), 3 * 60),
    (merge.Add(), (MAP, MAP, MAP), 2 * 120),
    (merge.Mean(), (MAP, MAP), 2 * 120),
    (merge.Sub(), (MAP, MAP), 120),
    (merge.Concat(), (MAP, MAP), 0),
    (merge.Mul(), (MAP, GATE), 120),
]


@pytest.mark.parametrize(("layer", "inputs", "operations"), OPERATIONS, ids=[repr(each[0]) for each in OPERATIONS])
def test_operations(layer: Layer, inputs: tuple[Shape, ...], operations: int) -> None:
    """6 channels of 5x4 positions are 120 values; see each kind for what it counts."""
    assert layer.operations(*inputs) == operations
    assert layer.macs(*inputs) == (1200 if layer.kind() == "FC" else 0)


def test_one_byte_for_each_value_of_a_mask_on_a_gpu() -> None:
    assert dropout.Dropout().saved(MAP) == Saved(extra=((0, 120, True),), mask=True)
    assert not dropout.Dropout(channels=True).saved(MAP).mask


def test_statistics_of_one_position_see_it_alone() -> None:
    for layer in (norm.LayerNorm(), norm.GroupNorm(groups=2), norm.LayerNorm(over="channels")):
        assert layer.window(GATE) == Window((1, 1), (1, 1), (0, 0))
    assert norm.LayerNorm().window(MAP) is None
    assert norm.LayerNorm(over="channels").window(MAP) == Window((1, 1), (1, 1), (0, 0))
