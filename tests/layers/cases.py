"""Every kind with its options, on inputs of one, two and three axes, and on vectors."""

from __future__ import annotations

from cnndsl.layers import activation as act
from cnndsl.layers import arrange, conv, dense, dropout, local, margin, merge, norm, pool, resize, transposed
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape

Case = tuple[Layer, tuple[Shape, ...]]

MAPS = {1: Shape(6, (13,)), 2: Shape(6, (9, 8)), 3: Shape(6, (5, 7, 6))}
VECTOR = Shape(6)

ACTIVATIONS: list[Layer] = [
    act.Relu(),
    act.Relu6(),
    act.LeakyRelu(0.1),
    act.PRelu(),
    act.PRelu(shared=True, init=0.1),
    act.Sigmoid(),
    act.Tanh(),
    act.Tanh(scale=1.7159, slope=2 / 3),
    act.Elu(),
    act.Elu(0.5),
    act.Celu(),
    act.Celu(2.0),
    act.Selu(),
    act.Gelu(),
    act.Gelu(approximate=True),
    act.Silu(),
    act.HardSigmoid(),
    act.HardSwish(),
    act.Mish(),
    act.Softplus(),
    act.Softplus(beta=2.0),
    act.Softsign(),
    act.HardTanh(),
    act.LogSigmoid(),
    act.Softmax(),
    act.LogSoftmax(),
]

ANYWHERE: list[Layer] = [
    *ACTIVATIONS,
    norm.BatchNorm(),
    norm.BatchNorm(eps=1e-3, momentum=0.01, affine=False),
    norm.LayerNorm(),
    norm.LayerNorm(affine=False),
    norm.LayerNorm(over="channels", eps=1e-6),
    norm.LayerNorm(over="channels", affine=False),
    norm.GroupNorm(groups=3),
    norm.GroupNorm(groups=2, affine=False),
    norm.GroupNorm(eps=1e-3, groups=1),
    norm.Scale(),
    norm.Scale(weight=False),
    norm.Scale(bias=False, init=1e-6),
    dropout.Dropout(),
    dropout.Dropout(0.0),
    dropout.Dropout(1.0),
    dropout.DropPath(),
    dropout.DropPath(0.0),
    dropout.DropPath(1.0),
    arrange.Flatten(),
    arrange.Identity(),
    arrange.Slice(0, 3),
    arrange.Slice(2, 6),
    arrange.Pick((0, 3, 5)),
    arrange.Pick((4,)),
    dense.Dense(10),
    dense.Dense(3, bias=False),
    dense.RadialBasis(10),
]

ON_MAPS: list[Layer] = [
    conv.Conv(),
    conv.Conv((2,), 4),
    conv.Conv((4,), 5, stride=(2,)),
    conv.Conv((3,), 4, stride=(2,), pad=(1,), dilation=(2,), groups=2, bias=False),
    conv.Conv((3,), 4, pad="valid"),
    conv.Conv((3,), 4, pad="full"),
    conv.Conv((1,), 4, stride=(2,)),
    conv.DepthwiseConv(),
    conv.DepthwiseConv((2,), 12, stride=(3,)),
    transposed.ConvTranspose((2,), 4, stride=(2,)),
    transposed.ConvTranspose((4,), 4, stride=(2,), groups=2, bias=False),
    transposed.ConvTranspose((3,), 4, stride=(2,), pad=(1,), out_pad=(1,), dilation=(2,)),
    local.LocallyConnected((3,), 4),
    local.LocallyConnected((2,), 4, stride=(2,), pad="valid", bias=False),
    local.LocallyConnected((1,), 4),
    pool.MaxPool(),
    pool.MaxPool((3,), (2,), pad=(1,)),
    pool.MaxPool((3,), (2,), ceil=True),
    pool.MaxPool((3,), (1,), pad="same"),
    pool.MaxPool((2,), (1,), pad="same"),
    pool.MaxPool((3,), (2,), pad="full", ceil=True),
    pool.MaxPool((2,), (1,), dilation=(2,)),
    pool.MaxPool((2,), (2,), pad="same", dilation=(3,)),
    pool.MaxPool(out=(3,)),
    pool.MaxPool(out=(1,)),
    pool.AvgPool(),
    pool.AvgPool((3,), (2,), pad=(1,)),
    pool.AvgPool((3,), (2,), pad=(1,), countpad=False),
    pool.AvgPool((3,), (2,), ceil=True),
    pool.AvgPool((2,), (1,), pad="same"),
    pool.AvgPool((2,), (1,), pad="same", countpad=False),
    pool.AvgPool((3,), (2,), pad="full", countpad=False),
    pool.AvgPool(out=(3,)),
    pool.AvgPool(out=(1,)),
    pool.SumPool(),
    pool.SumPool((3,), (2,), pad=(1,)),
    pool.SumPool((2,), (1,), pad="same"),
    pool.SumPool((3,), (2,), ceil=True),
    pool.LPPool(),
    pool.LPPool((3,), (1,), p=3),
    pool.LPPool((3,), (2,), ceil=True),
    pool.LPPool((3,), (2,), pad=(1,), p=1),
    pool.GlobalAvgPool(),
    pool.GlobalMaxPool(),
    resize.Upsample(),
    resize.Upsample((3,), mode="linear"),
    resize.Upsample((2,), mode="linear"),
    resize.Upsample((2,), mode="linear", align=True),
    resize.Upsample(out=(4,)),
    resize.Upsample(out=(11,)),
    resize.Upsample(out=(11,), mode="linear"),
    resize.Upsample(out=(4,), mode="linear"),
    resize.Upsample(out=(4,), mode="linear", align=True),
    resize.Upsample(out=(1,), mode="linear", align=True),
    norm.LocalResponseNorm(),
    norm.LocalResponseNorm(4, alpha=1e-3, beta=0.5, k=2),
    norm.LocalResponseNorm(1),
    norm.InstanceNorm(),
    norm.InstanceNorm(eps=1e-3, affine=True),
    dropout.Dropout(0.3, channels=True),
    margin.ZeroPad((2,)),
    margin.ZeroPad((0,), after=(1,)),
    margin.Crop((1,)),
    margin.Crop((0,), after=(2,)),
    margin.ZeroPad(out=(16,)),
    margin.Crop(out=(3,)),
    arrange.Times(0.25),
    arrange.PadChannels(6),
    arrange.PadChannels(9, (2,)),
    arrange.PadChannels(9, (2,), where="both"),
    arrange.Shuffle(2),
    arrange.Shuffle(3),
]

PLANE = MAPS[2]
ONLY_2D: list[Case] = [
    (resize.PixelShuffle(1), (PLANE,)),
    (resize.PixelShuffle(2), (Shape(8, (3, 5)),)),
    (resize.PixelShuffle(3), (Shape(18, (2, 4)),)),
    (conv.Conv((1, 7), 4), (PLANE,)),
    (conv.Conv((2, 3), 4), (PLANE,)),
    (conv.Conv((2, 5), 4, stride=(2, 1)), (PLANE,)),
    (conv.Conv((3,), 4, dilation=(1, 2)), (PLANE,)),
    (conv.Conv((3,), 4, pad=(0, 1)), (PLANE,)),
    (transposed.ConvTranspose((3,), 4, stride=(1, 2), pad=(0, 1), out_pad=(0, 1), dilation=(2, 1)), (PLANE,)),
    (local.LocallyConnected((3, 1), 4, stride=(1, 2)), (PLANE,)),
    (pool.MaxPool((2,), (1,), dilation=(1, 2)), (PLANE,)),
    (pool.AvgPool((2, 3), (2, 1), pad="same"), (PLANE,)),
    (pool.MaxPool((3,), (1,), pad=(2, 0)), (PLANE,)),
    (pool.AvgPool((3,), (1,), pad=(0, 2)), (PLANE,)),
    (pool.MaxPool((2, 3), (1, 2)), (PLANE,)),
    (pool.MaxPool((1, 2), pad=(0, 1)), (PLANE,)),
    (pool.AvgPool(out=(3, 8)), (PLANE,)),
    (pool.AvgPool(out=(6, 3)), (PLANE,)),
    (pool.LPPool((2, 3)), (PLANE,)),
    (resize.Upsample((1, 2)), (PLANE,)),
    (resize.Upsample((1, 2), mode="linear"), (PLANE,)),
    (resize.Upsample((2,), mode="bilinear"), (PLANE,)),
    (resize.Upsample((2,), mode="bicubic"), (PLANE,)),
    (resize.Upsample(out=(7, 5), mode="bicubic"), (PLANE,)),
    (margin.ZeroPad((1, 2)), (PLANE,)),
    (margin.Crop((1, 0), (0, 2)), (PLANE,)),
    (margin.ZeroPad((0, 2), (1, 3)), (PLANE,)),
    (arrange.PadChannels(8, (2, 1)), (PLANE,)),
    (norm.LayerNorm(), (Shape(6, (1, 1)),)),
    (dense.Dense(4), (Shape(6, (1, 1)),)),
    (resize.Upsample((4,), mode="bilinear", align=True), (Shape(6, (1, 1)),)),
    (resize.Upsample((4,), mode="bilinear"), (Shape(6, (1, 1)),)),
]

GATE = Shape(6, (1, 1))
FLAT = Shape(1, (9, 8))
MERGES: list[Case] = [
    (kind(), inputs)
    for kind in (merge.Add, merge.Max, merge.Mean, merge.Mul, merge.Concat)
    for x in (*MAPS.values(), VECTOR)
    for inputs in ((x,), (x, x), (x, x, x), (x, x, x, x))
] + [
    (merge.Concat(), (PLANE, FLAT)),
    (merge.Mul(), (PLANE, GATE)),
    (merge.Mul(), (GATE, PLANE)),
    (merge.Mul(), (PLANE, VECTOR)),
    (merge.Mul(), (VECTOR, PLANE)),
    (merge.Mul(), (PLANE, FLAT)),
    (merge.Mul(), (GATE, FLAT)),
    (merge.Mul(), (VECTOR, FLAT, PLANE)),
    (merge.Mul(), (GATE, VECTOR)),
    (merge.Mul(), (MAPS[1], VECTOR)),
    (merge.Mul(), (MAPS[3], VECTOR)),
]

CASES: list[Case] = [
    *((layer, (x,)) for layer in ANYWHERE for x in (VECTOR, *MAPS.values())),
    *((layer, (x,)) for layer in ON_MAPS for x in MAPS.values()),
    *ONLY_2D,
    *MERGES,
]


def name(case: Case) -> str:
    layer, inputs = case
    return f"{layer!r} on {' '.join(map(repr, inputs))}"
