"""The calls that layers become: nothing that PyTorch does by itself, and for each number where it is from."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import get_args

import pytest
import torch

from cnndsl.layers import HELPERS, arrange, dropout, pool
from cnndsl.layers.activation import Activation
from cnndsl.layers.base import Dims, Layer, Padding, Slot, TorchCall, TorchFunction, squeeze
from cnndsl.layers.conv import PADDINGS
from cnndsl.shape import Shape
from tests.layers.cases import ACTIVATIONS, CASES, MAPS, Case, name
from tests.support import Live, namespace

CALLS = [case for case in CASES if isinstance(case[0].torch(*case[1]), TorchCall)]
every_call = pytest.mark.parametrize("case", CALLS, ids=map(name, CALLS))
every_kind = pytest.mark.parametrize("case", CASES, ids=map(name, CASES))


def made(case: Case) -> TorchCall:
    layer, inputs = case
    call = layer.torch(*inputs)
    assert isinstance(call, TorchCall)
    return call


def parameters(call: TorchCall) -> dict[str, Parameter]:
    kind = eval(call.name, namespace())
    return dict(signature(kind.__init__).parameters.items())


def slots(call: TorchCall) -> Iterator[tuple[str, Slot]]:
    """Each number of a call, with the name of the argument."""
    places = [each for each in parameters(call) if each != "self"]
    for place, slot in (*zip(places, call.arguments, strict=False), *call.keywords):
        assert isinstance(slot, Slot)
        yield place, slot


@every_call
def test_nothing_is_said_that_goes_without_saying(case: Case) -> None:
    call = made(case)
    usual = parameters(call)
    assert [key for key, slot in call.keywords if isinstance(slot, Slot) and slot.value == usual[key].default] == []


def _origin(layer: Layer, x: Shape, role: str) -> list[object]:
    """What a number can be, by where it is from."""
    facts: dict[str, object] = {
        "in_channels": x.channels,
        "in_features": x.numel,
        "extents": (x.channels, *x.spatial),
    }
    if role in facts:
        return [facts[role]]
    if role == "margins":
        return [_margins(layer.pad, layer.after, x.rank)]
    assert role in layer.options()
    value = getattr(layer, role)
    return [value, squeeze(value), value * x.rank] if isinstance(value, tuple) and value else [value]


def _margins(before: tuple[int, ...], after: tuple[int, ...], rank: int) -> object:
    """As `nn.ZeroPad2d` takes them: left, right, top, bottom. What is written once holds for each axis."""
    sides = [each * rank if len(each) == 1 else each for each in (before, after or before)]
    return tuple(side for pair in list(zip(*sides, strict=True))[::-1] for side in pair)


@every_call
def test_each_number_is_from_where_it_says(case: Case) -> None:
    """A padding is worked out, and so are the groups and filters of a depthwise convolution."""
    layer, inputs = case
    for place, slot in slots(made(case)):
        if slot.role == "padding" or layer.kind() == "DWCONV":
            assert slot.role in ("", "padding", "groups", "in_channels", *layer.options()), place
        elif slot.role:
            assert slot.value in _origin(layer, inputs[0], slot.role), place


NAMED = {
    "in_channels": "in_channels",
    "num_channels": "in_channels",
    "num_parameters": "in_channels",
    "in_features": "in_features",
    "out_channels": "filters",
    "out_features": "features",
    "kernel_size": "kernel",
    "stride": "stride",
    "dilation": "dilation",
    "groups": "groups",
    "num_groups": "groups",
    "output_size": "out",
    "scale_factor": "scale",
    "eps": "eps",
    "momentum": "momentum",
    "negative_slope": "slope",
    "alpha": "alpha",
    "beta": "beta",
    "p": "p",
    "norm_type": "p",
}
"""Where an argument of PyTorch's comes from, wherever a kind has such an option."""


@every_call
def test_arguments_of_pytorchs_come_from_the_options_of_their_names(case: Case) -> None:
    """The features that enter a layer at one position are its channels."""
    layer, _ = case
    is_pointwise = made(case).name.startswith("PointwiseLinear")
    for place, slot in slots(made(case)):
        role = NAMED.get(place, "") if place != "in_features" or not is_pointwise else "in_channels"
        if place in ("kernel_size", "stride", "output_size") and not isinstance(slot.value, int):
            assert slot.role in (role, ""), place
        elif role in layer.options() or role.startswith("in_"):
            assert slot.role == role, place
        elif layer.kind() == "DWCONV" and place == "groups":
            assert slot.role == "groups"


@every_call
def test_what_pytorch_lacks_has_a_helper(case: Case) -> None:
    call = made(case)
    assert call.helper is not call.name.startswith("nn.")
    assert call.helper is (call.name in HELPERS)


@every_call
def test_only_dense_layers_on_maps_are_flattened(case: Case) -> None:
    layer, (x, *_) = case
    over_all = layer.kind() in ("FC", "RBF") and getattr(layer, "over", "all") == "all"
    assert made(case).flatten is (over_all and x.rank > 0)


TENSORS = {("weight", "float"), ("bias", "float"), ("buffer", "float"), ("buffer", "int64")}


@every_kind
def test_facts_are_of_their_types(case: Case) -> None:
    layer, inputs = case
    call = layer.torch(*inputs)
    assert isinstance(layer.formula(*inputs), str)
    assert {(each.role, each.dtype) for each in layer.tensors(*inputs)} <= TENSORS
    assert isinstance(layer.remainder(*inputs), tuple)
    assert isinstance(layer.is_identity(*inputs), bool)
    assert type(layer.macs(*inputs)) is type(layer.operations(*inputs)) is int
    assert layer.macs(*inputs) >= 0 <= layer.operations(*inputs)
    assert min(layer.scratch(*inputs)) >= 0
    assert isinstance(call, TorchFunction | TorchCall) or layer.is_identity(*inputs)
    assert not isinstance(call, TorchCall) or isinstance(call.inplace, bool)


@every_kind
def test_what_is_left_out_has_no_parameters_and_does_nothing(case: Case) -> None:
    layer, inputs = case
    if layer.is_identity(*inputs):
        assert layer.output(*inputs) == inputs[0]
        assert layer.tensors(*inputs) == ()
        assert layer.kind() == "ID"


@pytest.mark.parametrize(
    ("layer", "extents", "nothing"),
    [
        (pool.GlobalAvgPool(), (1, 1), False),
        (pool.GlobalMaxPool(), (1,), False),
        (pool.GlobalAvgPool(), (1, 2), False),
        (pool.AvgPool(out=(4,)), (4, 4), False),
        (pool.MaxPool(out=(4, 5)), (4, 5), False),
        (pool.AvgPool(out=(4,)), (4, 5), False),
        (pool.MaxPool((1,)), (4, 5), False),
        (arrange.Identity(), (4, 5), True),
        (dropout.Dropout(0.0), (4, 5), False),
    ],
    ids=repr,
)
def test_what_does_nothing(layer: Layer, extents: tuple[int, ...], nothing: bool) -> None:
    """PyTorch's own module gives the values back, and the emitted code has none."""
    assert layer.is_identity(Shape(3, extents)) is nothing
    if nothing:
        x = torch.randn(2, 3, *extents)
        assert torch.equal(Live(layer, (Shape(3, extents),))(x), x)


@pytest.mark.parametrize("layer", ACTIVATIONS, ids=repr)
def test_in_place_where_pytorch_can(layer: Activation) -> None:
    call = layer.torch(MAPS[2])
    assert call is not None
    assert call.inplace is ("inplace" in parameters(call))
    assert layer.INPLACE in ("", "free", "copy")
    assert layer.KEEPS in ("input", "output")


def test_paddings_are_written_in_these_words() -> None:
    assert get_args(get_args(Padding)[1]) == PADDINGS
    assert Dims == tuple[int, ...]
