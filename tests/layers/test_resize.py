"""Unpooling with the switches of a pool, and upsampling."""

from __future__ import annotations

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from cnndsl.layers.arrange import Identity
from cnndsl.layers.base import LayerError, Slot, TorchCall, Window
from cnndsl.layers.pool import AvgPool, MaxPool
from cnndsl.layers.resize import Unpool, Upsample
from cnndsl.shape import Shape
from tests.support import Live, saved_bytes


@settings(max_examples=100)
@given(
    st.lists(st.integers(2, 9), min_size=1, max_size=3).map(tuple),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from(["valid", (1,), "same"]),
    st.booleans(),
)
def test_unpooling_undoes_pooling(
    spatial: tuple[int, ...], kernel: int, stride: int, pad: str | tuple[int, ...], ceil: bool
) -> None:
    """Each maximum returns to its place; all else is zero."""
    x, pool = Shape(2, spatial), MaxPool((kernel,), (stride,), pad, ceil)
    try:
        pooled = pool.output(x)
        layer = Unpool((kernel,), (stride,)).referring(pool, x)
    except LayerError:
        assume(False)
        return
    assert layer.output(pooled, pooled) == x
    example = torch.rand(2, 2, *spatial) + 0.5
    module = Live(pool, (x,)).module
    module.return_indices = True
    values, indices = module(example)
    values.requires_grad_()
    live = Live(layer, (pooled, pooled))
    result = live(values, indices)
    assert result.shape == example.shape
    taken = result != 0
    assert torch.equal(result[taken], example[taken])
    assert set(result.unique().tolist()) <= {0.0, *values.unique().tolist()}
    assert not saved_bytes(lambda: live(values, indices), [indices])
    assert layer.saved(pooled, pooled).extra == ()


@pytest.mark.parametrize(
    ("unpool", "target", "message"),
    [
        (Unpool(), AvgPool(), "UNPOOL needs the switches of a POOL, but this is AVGPOOL"),
        (Unpool(), Identity(), "UNPOOL needs the switches of a POOL, but this is ID"),
        (Unpool(), MaxPool(out=(3,)), "UNPOOL needs the switches"),
        (Unpool(), MaxPool((3,)), "the size 2 of UNPOOL differs from the size 3 of its POOL"),
        (Unpool((3,)), MaxPool((3,), (2,)), "the stride 3 of UNPOOL differs from the stride 2"),
        (Unpool(), MaxPool((2,), (1,), pad="same"), "pads unevenly or is dilated"),
        (Unpool(), MaxPool(dilation=(2,)), "pads unevenly or is dilated"),
    ],
)
def test_what_cannot_be_undone(unpool: Unpool, target: Identity, message: str) -> None:
    with pytest.raises(LayerError, match=message) as caught:
        unpool.referring(target, Shape(4, (8, 8)))
    assert caught.value.code == "E0306"


def test_unpooling_alone_multiplies() -> None:
    x = Shape(4, (3, 5))
    assert Unpool().output(x, x) == Shape(4, (6, 10))
    assert Unpool().window(x, x) == Window((2, 2), (1, 1), (0, 0), (2, 2))
    assert Unpool().output_size(x) is None


def test_what_a_pool_left_over_is_named() -> None:
    """7 = 2*3 + 1: PyTorch needs to be told of the seventh."""
    layer = Unpool().referring(MaxPool(), Shape(4, (7, 6)))
    x = Shape(4, (3, 3))
    assert layer.output_size(x) == (7, 6)
    assert isinstance(Live(layer, (x, x)).module, nn.MaxUnpool2d)


def test_the_call_of_an_unpooling() -> None:
    """Size, and the stride and padding where they are others than PyTorch takes."""
    x = Shape(4, (3, 3))
    assert Unpool((3,)).torch(x, x) == TorchCall("nn.MaxUnpool2d", (Slot(3, "kernel"),))
    assert Unpool((2, 3), (2, 3)).torch(x, x) == TorchCall("nn.MaxUnpool2d", (Slot((2, 3), "kernel"),))
    strided = Unpool((3,), (2,)).referring(MaxPool((3,), (2,), (1,)), Shape(4, (6, 6)))
    keywords = (("stride", Slot(2, "stride")), ("padding", Slot(1, "padding")))
    assert strided.torch(x, x) == TorchCall("nn.MaxUnpool2d", (Slot(3, "kernel"),), keywords)
    assert strided.window(x, x) == Window((3, 3), (1, 1), (1, 1), (2, 2))
    assert Unpool((3,)).stride == (3,)
    assert Unpool((3,), (2,)).output(x, x) == Shape(4, (7, 7))
    assert Unpool() == Unpool((2,), (2,))


def test_the_call_of_an_upsampling() -> None:
    """`linear` by the name that PyTorch has for the number of axes."""
    assert Upsample().torch(Shape(3, (4,))) == TorchCall("nn.Upsample", (), (("scale_factor", Slot(2, "scale")),))
    for rank, mode in ((1, "linear"), (2, "bilinear"), (3, "trilinear")):
        call = Upsample(out=(8,), mode="linear", align=True).torch(Shape(3, (4,) * rank))
        assert call == TorchCall(
            "nn.Upsample", (), (("size", Slot(8, "out")), ("mode", Slot(mode)), ("align_corners", Slot(True)))
        )
