"""What is written down about PyTorch is what PyTorch does."""

from __future__ import annotations

from inspect import Parameter, signature
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from cnndsl.emit.torch.verify.effects import ALIASES, KEEPS_INPUT, KEEPS_OUTPUT, WRITES
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule, has_state
from cnndsl.emit.torch.verify.lower import lower
from cnndsl.emit.torch.verify.lower_helpers import _DIGESTS, digest, is_helper, lower_helper
from cnndsl.emit.torch.verify.reserved import CONTAINER, MODULE
from cnndsl.emit.torch.verify.shapes import shape_after
from cnndsl.emit.torch.verify.signatures import FUNCTIONS, SIGNATURES, bind, of_class, parameters
from cnndsl.emit.torch.verify.simple import SIMPLE
from cnndsl.emit.torch.verify.values import REQUIRED, Trouble
from cnndsl.layers import HELPERS
from cnndsl.shape import Shape

NAMES: dict[str, Any] = {"torch": torch, "nn": nn, "F": functional}
for text in HELPERS.values():
    exec(text, NAMES)


def written(text: str) -> list[tuple[str, object]]:
    return list(parameters(text)[0])


def documented(call: Any) -> list[tuple[str, object]]:
    found = [each for each in signature(call).parameters.values() if each.name != "self"]
    return [(each.name, REQUIRED if each.default is Parameter.empty else each.default) for each in found]


UNDOCUMENTED = "Sigmoid LogSigmoid Tanh Softsign".split()
"""Classes without arguments, whose constructor is that of every module."""

LATER = {"bias"}
"""Arguments of normalisations that newer versions of PyTorch have."""

DEPRECATED = {"min_value", "max_value"}


@pytest.mark.parametrize("name", [name for name in SIGNATURES if name not in UNDOCUMENTED])
def test_constructors_are_as_documented(name: str) -> None:
    ours = written(SIGNATURES[name])
    known = {each for each, _ in ours}
    theirs = documented(getattr(nn, name).__init__)
    assert ours == [each for each in theirs if each[0] in known or each[0] not in LATER | DEPRECATED]


@pytest.mark.parametrize("name", UNDOCUMENTED)
def test_some_take_nothing(name: str) -> None:
    assert SIGNATURES[name] == ""
    with pytest.raises(TypeError):
        getattr(nn, name)(True)


@pytest.mark.parametrize(
    "name", [name for name in FUNCTIONS if not name.startswith("torch.") and not name.endswith("pool1d")]
)
def test_functions_are_as_documented(name: str) -> None:
    home = {"F": functional, "nn": nn.init}[name.split(".")[0]]
    last = name.split(".")[-1]
    assert written(FUNCTIONS[name]) == documented(getattr(home, f"{last}_with_indices", None) or getattr(home, last))


def test_names_of_modules_are_known() -> None:
    plain = {name for name in dir(nn.Module()) if not name.startswith("__")}
    assert plain == MODULE
    for kind, made in (("sequential", nn.Sequential()), ("list", nn.ModuleList()), ("dict", nn.ModuleDict())):
        assert {name for name in dir(made) if not name.startswith("__")} - plain == CONTAINER[kind]


MAP = (2, 4, 6, 6)
CALLS: list[tuple[str, tuple[object, ...], dict[str, object], tuple[int, ...]]] = [
    ("Conv2d", (4, 8, 3), {"stride": 2, "padding": 1}, MAP),
    ("Conv2d", (4, 8, (4, 3)), {"padding": "same"}, MAP),
    ("Conv2d", (4, 8, 3), {"padding": "same", "dilation": 2, "groups": 2}, MAP),
    ("ConvTranspose2d", (4, 8, 3), {"stride": 2, "padding": 1, "output_padding": 1}, MAP),
    ("Conv1d", (4, 8, 3), {}, (2, 4, 9)),
    ("Conv3d", (4, 2, 3), {}, (2, 4, 5, 5, 5)),
    ("Linear", (4, 3), {}, (2, 4)),
    ("MaxPool2d", (3,), {"stride": 2, "ceil_mode": True}, MAP),
    ("MaxPool2d", (2,), {"padding": 1, "dilation": 2}, MAP),
    ("AvgPool2d", (3,), {"stride": 2, "padding": 1, "ceil_mode": True}, MAP),
    ("AvgPool2d", (2,), {"divisor_override": 1}, MAP),
    ("AvgPool1d", (2,), {}, (2, 4, 7)),
    ("LPPool2d", (2, 3), {"ceil_mode": True}, MAP),
    ("AdaptiveAvgPool2d", (1,), {}, MAP),
    ("AdaptiveAvgPool2d", ((2, 3),), {}, MAP),
    ("AdaptiveMaxPool2d", (1,), {}, MAP),
    ("AdaptiveAvgPool1d", (1,), {}, (2, 4, 7)),
    ("AdaptiveAvgPool3d", (1,), {}, (2, 4, 3, 3, 3)),
    ("Upsample", (), {"scale_factor": 2}, MAP),
    ("Upsample", (), {"size": (7, 9), "mode": "bilinear", "align_corners": True}, MAP),
    ("BatchNorm2d", (4,), {}, MAP),
    ("BatchNorm1d", (4,), {"affine": False}, (3, 4)),
    ("InstanceNorm2d", (4,), {}, MAP),
    ("LocalResponseNorm", (3,), {}, MAP),
    ("LayerNorm", ([4, 6, 6],), {}, MAP),
    ("LayerNorm", ([4, 6, 6],), {"elementwise_affine": False}, MAP),
    ("GroupNorm", (2, 4), {}, MAP),
    ("ReLU", (), {}, MAP),
    ("ReLU6", (), {}, MAP),
    ("Hardtanh", (), {}, MAP),
    ("LeakyReLU", (0.1,), {}, MAP),
    ("PReLU", (4,), {}, MAP),
    ("ELU", (), {}, MAP),
    ("CELU", (), {}, MAP),
    ("SELU", (), {}, MAP),
    ("GELU", (), {}, MAP),
    ("SiLU", (), {}, MAP),
    ("Mish", (), {}, MAP),
    ("Hardswish", (), {}, MAP),
    ("Sigmoid", (), {}, MAP),
    ("Hardsigmoid", (), {}, MAP),
    ("LogSigmoid", (), {}, MAP),
    ("Tanh", (), {}, MAP),
    ("Softplus", (), {}, MAP),
    ("Softsign", (), {}, MAP),
    ("Softmax", (1,), {}, MAP),
    ("RadixSoftmax", (2,), {}, MAP),
    ("RadixSoftmax", (2,), {"groups": 2}, MAP),
    ("LogSoftmax", (1,), {}, MAP),
    ("Dropout", (0.5,), {}, MAP),
    ("Dropout", (0.0,), {}, MAP),
    ("Dropout2d", (0.5,), {}, MAP),
    ("ZeroPad2d", (1,), {}, MAP),
    ("ZeroPad2d", ((-1, 0, -1, 2),), {}, MAP),
    ("ReflectionPad2d", (2,), {}, MAP),
    ("ReflectionPad3d", (1,), {}, (2, 4, 3, 3, 3)),
    ("ReplicationPad2d", ((1, 0, 3, 7),), {}, MAP),
    ("CircularPad2d", ((1, 2, 0, 6),), {}, MAP),
    ("CropTo2d", ((4, 3),), {}, MAP),
    ("CropTo1d", (4,), {}, (2, 4, 7)),
    ("PadTo2d", ((7, 9),), {}, MAP),
    ("PixelShuffle", (2,), {}, MAP),
    ("Unflatten", (1, (2, 3, 4)), {}, (2, 24)),
    ("FlattenChannelsLast", (), {}, MAP),
    ("Reshape", ((2, 3, 24),), {}, MAP),
    ("ReshapeChannelsLast", ((2, 3, 4),), {}, (2, 24)),
    ("ReshapeChannelsLast", ((12, 12),), {}, MAP),
    ("Permute", ((0, 3, 1, 2),), {}, MAP),
    ("Permute", ((0, 2, 1),), {}, (2, 4, 7)),
    ("ChannelMax", (), {}, MAP),
    ("ChannelMean", (), {}, MAP),
    ("DepthToSpace", (2,), {}, MAP),
    ("DepthToSpace", (1,), {}, MAP),
    ("PixelUnshuffle", (2,), {}, MAP),
    ("SpaceToDepth", (3,), {}, MAP),
    ("Reorg", (2,), {}, MAP),
    ("ChannelShuffle", (2,), {}, MAP),
    ("PaddedConv2d", (4, 8, 4), {"pads": (1, 2, 1, 2)}, MAP),
    ("Conv2d", (4, 8, 3), {"padding": 1, "padding_mode": "reflect"}, MAP),
    ("Conv2d", (4, 8, 2), {"padding": "same", "padding_mode": "replicate"}, MAP),
    ("Conv2d", (4, 8, 3), {"padding": (1, 0), "padding_mode": "circular"}, MAP),
    ("Conv2d", (4, 8, 3), {"padding_mode": "reflect"}, MAP),
    ("SameConv2d", (4, 8, 3), {}, MAP),
    ("SameConv2d", (4, 8, 4), {"stride": 2, "bias": False}, MAP),
    ("SameConv2d", (4, 8, 3), {"stride": 2}, (2, 4, 7, 7)),
    ("StdConv2d", (4, 8, 3), {"padding": 1}, MAP),
    ("ScaledStdConv2d", (4, 8, 3), {"stride": 2, "gamma": 1.7}, MAP),
    ("SameStdConv2d", (4, 8, 3), {}, MAP),
    ("SameScaledStdConv2d", (4, 8, 3), {"stride": 2, "groups": 2}, (2, 4, 7, 7)),
    ("PaddedMaxPool2d", (2,), {"stride": 1, "pads": (0, 1, 0, 1)}, MAP),
    ("PaddedAvgPool2d", (2,), {"stride": 1, "pads": (0, 1, 0, 1), "count_include_pad": False}, MAP),
    ("PaddedSumPool2d", (2,), {"stride": 1, "pads": (0, 1, 0, 1)}, MAP),
    ("PaddedLPPool2d", (2, 2), {"stride": 1, "pads": (0, 1, 0, 1)}, MAP),
    ("SumPool1d", (2, 2), {}, (2, 4, 7)),
    ("LocallyConnected", (4, 3, (3, 3), (4, 4)), {"stride": (1, 1)}, MAP),
    ("PointwiseLinear2d", (4, 3), {"bias": False}, MAP),
    ("PointwiseLinear1d", (4, 3), {}, (2, 4, 7)),
    ("PointwiseLinear3d", (4, 3), {}, (2, 4, 3, 3, 3)),
    ("RadialBasis", (4, 3), {}, (2, 4)),
    ("ScaledTanh", (1.7159, 0.6667), {}, MAP),
    ("SameMaxPool2d", (3,), {"stride": 2, "dilation": 2}, MAP),
    ("SameAvgPool2d", (3, 2), {"count_include_pad": False}, MAP),
    ("SameAvgPool1d", (4,), {}, (2, 4, 7)),
    ("BlurPool2d", (), {}, MAP),
    ("BlurPool1d", (4, 1), {"padding_mode": "zeros"}, (2, 4, 7)),
    ("ChannelNorm", (4,), {}, MAP),
    ("ChannelConv", (3,), {}, (2, 4)),
    ("ChannelConv", (5,), {"bias": True, "padding_mode": "circular"}, (2, 4, 1, 1)),
    ("GlobalResponseNorm", (4,), {}, MAP),
    ("StarReLU", (), {"bias": 0}, MAP),
    ("ChannelRMSNorm", (4,), {}, MAP),
    ("ChannelRMSNorm", (4,), {"affine": False, "deviation": True}, MAP),
    ("FilterResponseNorm", (4,), {}, MAP),
    ("FilterResponseNorm", (4,), {"tlu": False}, MAP),
    ("L2Norm", (4,), {}, MAP),
    ("L2Norm", (4,), {"affine": True, "init": 20}, MAP),
    ("PositionResponseNorm1d", (3,), {}, (2, 4, 7)),
    ("PositionResponseNorm2d", (3,), {"k": 2}, MAP),
    ("PositionResponseNorm3d", (3,), {}, (2, 4, 3, 3, 3)),
    ("EvoNorm", (4, 2), {}, MAP),
    ("EvoNorm", (4, 2), {"act": False}, MAP),
    ("Scale", (4,), {"init": 1}, MAP),
    ("Scale", (4,), {"weight": False}, MAP),
    ("Scale", (4,), {"weight": False, "bias": False}, MAP),
    ("Times", (0.3,), {}, MAP),
    ("DropPath", (0.5,), {}, MAP),
    ("DropPath", (0.0,), {}, MAP),
    ("PadChannels2d", (4, 7), {"stride": 2, "where": "both"}, MAP),
    ("Slice", (1, 3), {}, MAP),
    ("Pick", ((3, 1),), {}, MAP),
]
# Even windows that pad alike copy their input; a window of nothing has nothing to draw.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'", "ignore:Initializing zero-element")

IN_PLACE = "ReLU ReLU6 Hardtanh LeakyReLU ELU CELU SELU SiLU Mish Hardswish Hardsigmoid Dropout Dropout2d".split()
CALLS += [(name, (), {"inplace": True}, MAP) for name in IN_PLACE]
each_call = pytest.mark.parametrize(("name", "given", "named", "shape"), CALLS)


def leaf(name: str, given: tuple[object, ...], named: dict[str, object]) -> LeafModule:
    if name in HELPERS:
        params, star = of_class(HELPERS[name])
        return lower_helper(name, bind(name, params, star, given, named), Forms())
    params, star = parameters(SIGNATURES[name])
    return lower(name, bind(name, params, star, given, named), Forms())


def made(name: str, given: tuple[object, ...], named: dict[str, object]) -> nn.Module:
    return (NAMES[name] if name in HELPERS else getattr(nn, name))(*given, **named)


def start(shape: tuple[int, ...]) -> torch.Tensor:
    """A tensor that autograd looks at, and that is no leaf."""
    return torch.rand(shape).add(0.1).requires_grad_() * 1.0


def test_every_helper_is_known_by_its_text() -> None:
    """Whoever changes one reads in `lower_helpers` whether it still computes that, and writes the new digest there."""
    assert {name: digest(text) for name, text in HELPERS.items()} == _DIGESTS
    assert all(is_helper(name, text) for name, text in HELPERS.items())
    assert not any(is_helper(name, text.replace("return", "return 2 *")) for name, text in HELPERS.items())


def test_every_row_is_called() -> None:
    """So that what it says of effects, shapes and state is compared with PyTorch."""
    called = {(name, bool(named.get("inplace"))) for name, _, named, _ in CALLS}
    rows = {(row.cls, False) for row in SIMPLE} | {(row.cls, True) for row in SIMPLE if row.inplace}
    assert rows - called == set()


@each_call
@pytest.mark.parametrize("training", [False, True])
def test_effects(
    name: str, given: tuple[object, ...], named: dict[str, object], shape: tuple[int, ...], training: bool
) -> None:
    """What autograd keeps must not be written over: writing there and going back shows whether it keeps it."""
    effect = leaf(name, given, named).effects[training]
    module = made(name, given, named).train(training)
    x = start(shape)
    version = x._version
    y = module(x)
    shared = y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert (x._version != version) is bool(effect & WRITES)
    # Shuffling may give a view on other devices.
    assert shared is bool(effect & (ALIASES | WRITES)) or name == "ChannelShuffle"
    kept = bool(effect & KEEPS_INPUT), bool(effect & KEEPS_OUTPUT)
    if not effect & WRITES:
        assert fails(module, shape, "input") is (kept[0] or (shared and kept[1]))
    assert fails(module, shape, "output") is (kept[1] or (shared and kept[0]))


def fails(module: nn.Module, shape: tuple[int, ...], where: str) -> bool:
    """Whether going back fails after one of both was written into."""
    x = start(shape)
    y = module(x)
    (x if where == "input" else y).add_(1.0)
    try:
        y.sum().backward()
    except RuntimeError:
        return True
    return False


@each_call
def test_shapes(name: str, given: tuple[object, ...], named: dict[str, object], shape: tuple[int, ...]) -> None:
    expected = made(name, given, named)(torch.rand(shape)).shape
    found = shape_after(leaf(name, given, named).form, Shape(shape[1], shape[2:]))
    assert (found.channels, *found.spatial) == tuple(expected[1:])


@each_call
def test_state(name: str, given: tuple[object, ...], named: dict[str, object], shape: tuple[int, ...]) -> None:
    del shape
    assert has_state(leaf(name, given, named).form) is bool(made(name, given, named).state_dict())


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("Conv2d", (4, 8.0, 3), {}),
        ("Conv2d", (4, 8, 3), {"groups": 3}),
        ("Conv2d", (4, 8, 3), {"stride": 2, "padding": "same"}),
        ("Conv2d", (4, 8, 3), {"padding": -1}),
        ("Conv2d", (4, 8, 3, 0), {}),
        ("Conv2d", (4, 8, 3), {"padding": 1.0}),
        ("Conv2d", (4, 8, 0), {}),
        ("Conv2d", (4, 8, 3), {"padding": 1, "padding_mode": "mirror"}),
        ("StdConv2d", (4, 4, 1), {"groups": 4}),
        ("SameConv2d", (4, 8, 3), {"groups": 3}),
        ("ChannelConv", (3,), {"padding_mode": "mirror"}),
        ("MaxPool2d", (2,), {"padding": 2}),
        ("MaxPool2d", (2.0,), {}),
        ("MaxPool2d", (2,), {"ceil_mode": 1}),
        ("BatchNorm2d", (4.0,), {}),
        ("GroupNorm", (3, 4), {}),
        ("EvoNorm", (4, 3), {}),
        ("Dropout", (1.5,), {}),
        ("Upsample", (), {"scale_factor": 2, "align_corners": False}),
        ("Upsample", (), {}),
        ("LPPool2d", (0, 2), {}),
        ("ZeroPad2d", ((1, 2, 3),), {}),
        ("ReflectionPad2d", ((1, 2, 3),), {}),
        ("ReflectionPad2d", (1.0,), {}),
        ("ConvTranspose2d", (4, 8, 3), {"stride": 2, "output_padding": 2}),
        ("LayerNorm", ([4.0, 6, 6],), {}),
        ("Permute", ((0, 2, 1, 1),), {}),
        ("CELU", (0,), {}),
        ("Sigmoid", (), {"inplace": True}),
    ],
)
def test_what_pytorch_does_not_take_is_trouble(name: str, given: tuple[object, ...], named: dict[str, object]) -> None:
    with pytest.raises((TypeError, ValueError, RuntimeError, ZeroDivisionError)):
        made(name, given, named)(torch.rand(MAP))
    with pytest.raises(Trouble):
        leaf(name, given, named)
