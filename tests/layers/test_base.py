"""What all kinds lean on: extents for each axis, hints, defaults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from cnndsl.layers.base import (
    Layer,
    LayerError,
    Option,
    Saved,
    Slot,
    Tensor,
    TorchCall,
    Window,
    common_divisors,
    each_axis,
    need_spatial,
    squeeze,
)
from cnndsl.layers.dense import Input
from cnndsl.shape import Shape


@pytest.mark.parametrize(
    ("numbers", "hint"),
    [
        ((6, 64), "`groups` can be 1 or 2"),
        ((7, 64), "`groups` can only be 1"),
        ((1,), "`groups` can only be 1"),
        # 24 has eight divisors, 2520 has 48.
        ((24,), "`groups` can be 1, 2, 3, 4, 6, 8, 12 or 24"),
        ((36,), "`groups` can be 1, 2, 3, 4, …, 9, 12, 18 or 36"),
        ((2520, 5040), "`groups` can be 1, 2, 3, 4, …, 630, 840, 1260 or 2520"),
        # 2^5 * 5^4; nothing above 10,000 is tried.
        ((20_000,), "`groups` can be 1, 2, 4, 5, …, 2500, 4000, 5000 or 10000"),
    ],
)
def test_common_divisors(numbers: tuple[int, ...], hint: str) -> None:
    assert common_divisors(*numbers) == hint


def test_an_extent_for_each_axis() -> None:
    assert each_axis((3,), 2, "kernel") == (3, 3)
    assert each_axis((3,), 1, "kernel") == (3,)
    assert each_axis((1, 7), 2, "kernel") == (1, 7)
    with pytest.raises(LayerError) as stopped:
        each_axis((1, 7), 3, "kernel")
    assert (stopped.value.code, stopped.value.message) == (
        "E0303",
        "the kernel 1x7 has 2 axes, but the input has 3",
    )
    assert stopped.value.help == "for the last 2 axes only, write `1x1x7`"


def test_what_is_equal_on_all_axes_is_one_number() -> None:
    assert (squeeze((3, 3)), squeeze((3,)), squeeze((1, 7))) == (3, 3, (1, 7))


def test_a_vector_has_no_axes() -> None:
    need_spatial("CONV", Shape(3, (1,)))
    with pytest.raises(LayerError) as stopped:
        need_spatial("CONV", Shape(3))
    assert stopped.value.code == "E0302"
    assert str(stopped.value) == "CONV needs a spatial input, but this is a vector of 3 values"


@dataclass(frozen=True)
class Plain(Layer):
    """A kind that says nothing but its name."""

    NAMES: ClassVar = ("PLAIN",)


def test_a_kind_that_says_nothing_passes_its_input_on() -> None:
    layer, x = Plain(), Shape(4, (5, 6))
    assert (layer.kind(), layer.options(), layer.INPUTS, layer.VIEW) == ("PLAIN", {}, (1, 1), False)
    assert (layer.SIZE, layer.WIDTH, layer.STRIDE, layer.POSITIONAL) == ("", "", "", ())
    assert layer.referring(layer, x) is layer
    assert layer.output(x) == x
    assert layer.is_identity(x) is False
    assert (layer.tensors(x), layer.macs(x), layer.operations(x), layer.scratch(x)) == ((), 0, 0, (0, 0))
    assert layer.window(x) == Window((1, 1), (1, 1), (0, 0), ())
    assert layer.saved(x) == Saved((), False, (), False, False)
    assert (layer.formula(x), layer.remainder(x)) == ("", ())
    with pytest.raises(NotImplementedError):
        layer.torch(x)


def test_what_is_left_out_of_facts() -> None:
    assert Tensor("w", (2, 3)) == Tensor("w", (2, 3), "weight", "float")
    assert Tensor("w", (2, 3)).numel == 6
    assert Tensor("n", ()).numel == 1
    assert Slot(3).role == ""
    assert TorchCall("nn.ReLU") == TorchCall("nn.ReLU", (), (), False, False, False)
    assert Option("int") == Option("int", (), None, None, (), False)
    assert LayerError("E0301", "no").help == ""


def test_the_input_is_that_of_imagenet_unless_it_is_said() -> None:
    """224x224x3: Krizhevsky et al. 2012, Simonyan and Zisserman 2014."""
    assert Input().output() == Shape(3, (224, 224))
    assert Input.INPUTS == (0, 0)
    assert Input((8,)).output() == Shape(8)
    assert Input((8,)).window() == Window((), (), ())
    assert Input((9, 8, 7, 3)).window() == Window((1, 1, 1), (1, 1, 1), (0, 0, 0))
