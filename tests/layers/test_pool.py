"""Pooling of every geometry, against loops over each window."""

from __future__ import annotations

import importlib
from itertools import product
from math import prod

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from cnndsl.layers.base import LayerError
from cnndsl.layers.blur import BlurPool
from cnndsl.layers.pool import AvgPool, LPPool, MaxPool, SlidingPool, SumPool
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape
from tests.oracle import torchvision
from tests.support import Live, saved_bytes

timm = importlib.import_module("timm.layers")  # which imports torchvision, as `tests.oracle` made it possible
pools = importlib.import_module("timm.layers.pool2d_same")
assert torchvision

# 6 positions in windows of 3 by strides of 2: with `ceil` the last one overhangs by one.
OVERHANG = {"kernel": (3,), "stride": (2,), "pad": "valid", "ceil": True}
# 8 positions, padded by 1 and 2, in windows of 4: the last one overhangs the padding by one.
OVERHANG_BEHIND_PADDING = {"kernel": (4,), "stride": (4,), "pad": "same", "ceil": True}
PADS = st.sampled_from(["valid", "same", "full", (0,), (1,), (2,)])


@st.composite
def maps(draw: st.DrawFn) -> Shape:
    return Shape(2, tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=3))))


@st.composite
def geometry(draw: st.DrawFn) -> dict[str, object]:
    return {
        "kernel": (draw(st.integers(1, 4)),),
        "stride": (draw(st.integers(1, 4)),),
        "pad": draw(PADS),
        "ceil": draw(st.booleans()),
    }


def _accepted(layer: SlidingPool, x: Shape) -> Shape:
    try:
        return layer.output(x)
    except LayerError:
        assume(False)
        raise


def _padding(layer: SlidingPool, dilation: int = 1) -> tuple[int, int]:
    """The padding in front and behind, by the table of the language reference."""
    overlap = dilation * (layer.kernel[0] - 1)
    by_name = {"valid": (0, 0), "same": (overlap // 2, overlap - overlap // 2), "full": (overlap, overlap)}
    return by_name[layer.pad] if isinstance(layer.pad, str) else (layer.pad[0], layer.pad[0])


def _windows(
    layer: SlidingPool, x: Shape, output: Shape, dilation: int = 1
) -> dict[tuple[int, ...], list[tuple[int, ...]]]:
    """For each output position the input positions in its window, padding left out: the definition, in loops."""
    (kernel,), (stride,) = layer.kernel, layer.stride
    pad, _ = _padding(layer, dilation)
    found = {}
    for at in product(*map(range, output.spatial)):
        reach = [[p * stride - pad + k * dilation for k in range(kernel)] for p in at]
        inside = [[i for i in axis if 0 <= i < size] for axis, size in zip(reach, x.spatial, strict=True)]
        found[at] = list(product(*inside))
    return found


@settings(max_examples=150)
@given(maps(), geometry(), st.integers(1, 5))
@example(Shape(2, (6, 6)), OVERHANG, 1)
@example(Shape(2, (1, 1)), {"kernel": (3,), "stride": (1,), "pad": "same", "ceil": False}, 2)
@example(Shape(2, (1,)), {"kernel": (3,), "stride": (3,), "pad": "same", "ceil": False}, 2)
def test_max_pooling(x: Shape, options: dict[str, object], dilation: int) -> None:
    layer = MaxPool(**options, dilation=(dilation,))
    output = _accepted(layer, x)
    example = torch.randn(2, 2, *x.spatial)
    result = Live(layer, (x,))(example)
    for at, window in _windows(layer, x, output, dilation).items():
        values = torch.stack([example[(..., *position)] for position in window])
        assert torch.equal(result[(..., *at)], values.amax(0))


@pytest.mark.parametrize("pad", ["same", "full", (1,), (2,), (3,)])
def test_what_is_refused_has_windows_in_padding_alone(pad: str | tuple[int, ...]) -> None:
    """Dilations that step over the map: refused where a window touches no position, by the loops, and nowhere else."""
    seen: set[bool] = set()
    for size, kernel, stride, dilation, ceil in product((1, 2, 3), (2, 3, 4), (1, 2, 3), (2, 3, 5), (False, True)):
        layer, x = MaxPool((kernel,), (stride,), pad=pad, dilation=(dilation,), ceil=ceil), Shape(1, (size,))
        before, after = _padding(layer, dilation)
        if max(before, after) > dilation * (kernel - 1) or size + before + after < dilation * (kernel - 1) + 1:
            continue
        axis = layer._axes(x)[0]  # pyright: ignore[reportPrivateUsage]
        touched = _windows(layer, x, Shape(1, (axis.output,)), dilation)
        try:
            layer.output(x)
            is_refused = False
        except LayerError:
            is_refused = True
        assert is_refused == (not all(touched.values()))
        seen.add(is_refused)
    assert seen == {False, True} or pad == "full"


def _padded_size(layer: SlidingPool, x: Shape, at: tuple[int, ...]) -> int:
    """The positions of a window, padding among them; what `ceil` lets overhang the padding is none (nn.AvgPool2d)."""
    (kernel,), (stride,) = layer.kernel, layer.stride
    before, after = _padding(layer)
    starts = [p * stride - before for p in at]
    return prod(min(start + kernel, size + after) - start for start, size in zip(starts, x.spatial, strict=True))


@settings(max_examples=150)
@given(maps(), geometry(), st.booleans())
@example(Shape(2, (6, 6)), OVERHANG, False)
@example(Shape(2, (6, 6)), OVERHANG, True)
@example(Shape(2, (8, 8)), OVERHANG_BEHIND_PADDING, True)
@example(Shape(2, (8, 7, 3)), OVERHANG_BEHIND_PADDING, True)
def test_mean_pooling(x: Shape, options: dict[str, object], countpad: bool) -> None:
    layer = AvgPool(**options, countpad=countpad)
    output = _accepted(layer, x)
    example = torch.randn(2, 2, *x.spatial)
    result = Live(layer, (x,))(example)
    for at, window in _windows(layer, x, output).items():
        values = torch.stack([example[(..., *position)] for position in window])
        mean = values.sum(0) / (_padded_size(layer, x, at) if countpad else len(window))
        torch.testing.assert_close(result[(..., *at)], mean)


@settings(max_examples=100)
@given(maps(), geometry())
@example(Shape(2, (6,)), OVERHANG)
@example(Shape(2, (6, 6)), OVERHANG)
@example(Shape(2, (6, 6, 6)), OVERHANG)
def test_sum_pooling(x: Shape, options: dict[str, object]) -> None:
    layer = SumPool(**options)
    output = _accepted(layer, x)
    example = torch.randn(2, 2, *x.spatial)
    result = Live(layer, (x,))(example)
    for at, window in _windows(layer, x, output).items():
        values = torch.stack([example[(..., *position)] for position in window])
        torch.testing.assert_close(result[(..., *at)], values.sum(0))


@settings(max_examples=100)
@given(maps(), geometry(), st.sampled_from([1, 2, 3, 2.5]))
@example(Shape(2, (6,)), OVERHANG, 2)
@example(Shape(2, (6, 6)), OVERHANG, 2)
def test_norm_pooling(x: Shape, options: dict[str, object], p: float) -> None:
    layer = LPPool(**options, p=p)
    output = _accepted(layer, x)
    example = torch.rand(2, 2, *x.spatial)
    result = Live(layer, (x,))(example)
    for at, window in _windows(layer, x, output).items():
        values = torch.stack([example[(..., *position)] for position in window])
        torch.testing.assert_close(result[(..., *at)], values.pow(p).sum(0).pow(1 / p))


@settings(max_examples=150)
@given(maps(), geometry(), st.sampled_from([MaxPool, AvgPool, SumPool, LPPool]))
@example(Shape(2, (6, 6)), OVERHANG, MaxPool)
@example(Shape(2, (6, 6)), OVERHANG, AvgPool)
@example(Shape(2, (6, 6)), OVERHANG, SumPool)
@example(Shape(2, (6, 6)), OVERHANG, LPPool)
def test_what_autograd_keeps(x: Shape, options: dict[str, object], kind: type[SlidingPool]) -> None:
    layer = kind(**options)
    _accepted(layer, x)
    live = Live(layer, (x,))
    example = torch.randn(2, 2, *x.spatial, requires_grad=True)
    found = saved_bytes(lambda: live(example), [])
    saved = layer.saved(x)
    extra = sum((size if size > 0 else 4) * number * (2 if per_image else 1) for size, number, per_image in saved.extra)
    assert sum(found.values()) == extra + len(saved.inputs) * example.untyped_storage().nbytes()


@settings(max_examples=60)
@given(maps(), st.integers(1, 5), st.sampled_from([MaxPool, AvgPool]))
def test_adaptive_pooling_sees_its_window(x: Shape, out: int, kind: type[MaxPool | AvgPool]) -> None:
    """PyTorch cuts output p from floor(p*size/out) to ceil((p+1)*size/out)."""
    layer = kind(out=(out,))
    assert layer.output(x) == Shape(2, (out,) * x.rank)
    window = layer.window(x)
    if window is None:
        assert out == 1
        return
    for axis, size in enumerate(x.spatial):
        extent, step, before, grow = window.extent[axis], window.step[axis], window.before[axis], window.grow[axis]
        for p in range(out):
            low = p * step - before if grow == 1 else -((extent - 1 - before - p * step) // grow)
            high = low + extent - 1 if grow == 1 else (p * step + before) // grow
            assert (low, high) == (p * size // out, -(-(p + 1) * size // out) - 1)


def test_stride_is_the_size_unless_given() -> None:
    assert MaxPool((3,)).stride == (3,)
    assert MaxPool() == MaxPool((2,), (2,))
    assert AvgPool(out=(6,)).kernel == ()


@pytest.mark.parametrize(
    ("layer", "remainder"),
    [(MaxPool((3,), (2,)), (1, 0)), (MaxPool((3,), (2,), ceil=True), ()), (MaxPool(out=(3,)), ())],
)
def test_remainder(layer: MaxPool, remainder: tuple[int, ...]) -> None:
    """(8 - 3) mod 2 = 1, (7 - 3) mod 2 = 0; with `ceil` a last window reaches what is left over."""
    assert layer.remainder(Shape(4, (8, 7))) == remainder


def test_operations_are_the_values_in_all_windows() -> None:
    x = Shape(64, (8, 8))
    assert MaxPool((2,)).operations(x) == 4 * 4 * 64 * 2 * 2
    assert AvgPool((3,), (1,)).operations(x) == 6 * 6 * 64 * 3 * 3
    assert AvgPool(out=(2,)).operations(x) == prod((8, 8, 64))


@pytest.mark.parametrize(
    ("size", "values"),
    # Along one axis. 10 to 7: windows of 2, 3, 2, 2, 2, 3, 2 values; 1 to 7: the value seven times.
    [(10, 16), (1, 7), (5, 11), (20, 26), (14, 14), (7, 7)],
)
def test_operations_of_windows_that_overlap(size: int, values: int) -> None:
    """PyTorch's window i begins at floor(i*size/7) and ends ahead of ceil((i+1)*size/7): a mean of values that are
    one hands back one share for each value that it reads."""
    x = torch.ones(1, 1, size, requires_grad=True)
    reads = 0
    for mean in torch.nn.functional.adaptive_avg_pool1d(x, 7)[0, 0]:
        (share,) = torch.autograd.grad(mean, x, retain_graph=True)
        reads += int((share != 0).sum())
    assert reads == values
    assert AvgPool(out=(7,)).operations(Shape(3, (size,))) == 3 * values
    assert AvgPool(out=(7, 7)).operations(Shape(3, (size, size))) == 3 * values**2


def test_a_window_may_be_as_large_as_the_map() -> None:
    """In 3-D PyTorch's mean wants a map as large as the window, and padded maps too."""
    x = Shape(2, (2, 2, 2))
    for layer in (AvgPool((2,)), AvgPool((2,), (1,), pad=(1,))):
        assert layer.even_padding(x) == layer.even_padding(Shape(2, (3, 3, 3))) is not None
        assert Live(layer, (x,))(torch.ones(1, 2, 2, 2, 2)).shape[2:] == layer.output(x).spatial
    assert AvgPool((3,), (1,), pad=(1,)).even_padding(x) is None
    assert AvgPool((3,), (1,), pad=(1,)).even_padding(Shape(2, (2, 2))) == (1, 1)
    assert MaxPool((2,)).output(Shape(2, (2, 2))) == Shape(2, (1, 1))


def test_bare_pools_halve_and_bare_upsampling_doubles() -> None:
    assert MaxPool().output(Shape(2, (8, 6))) == Shape(2, (4, 3))
    assert Upsample().output(Shape(2, (8, 6))) == Shape(2, (16, 12))
    assert Upsample((3,)).output(Shape(2, (8, 6))) == Shape(2, (24, 18))


@pytest.mark.parametrize("border", ["reflect", "zeros"])
@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (2, 2), (5, 1), (4, 3)])
def test_blur_pooling_is_timms(kernel: int, stride: int, border: str) -> None:
    """And in one axis the filter is a row of Pascal's triangle: 1, 2, 1 over 4."""
    x = torch.randn(2, 6, 9, 8)
    mode = "constant" if border == "zeros" else border
    theirs = timm.BlurPool2d(6, kernel, stride, mode)
    torch.testing.assert_close(Live(BlurPool(kernel, stride, border), (Shape(6, (9, 8)),))(x), theirs(x))
    row = Live(BlurPool(border="zeros"), (Shape(1, (5,)),))(torch.tensor([[[1.0, 2.0, 3.0, 4.0, 5.0]]]))
    assert row.flatten().tolist() == [(2 * 1 + 2) / 4, (2 + 2 * 3 + 4) / 4, (4 + 2 * 5) / 4]


@settings(max_examples=60)
@given(st.tuples(st.integers(1, 12), st.integers(1, 12)), st.integers(1, 4), st.integers(1, 4), st.integers(1, 2))
def test_tensorflows_padding_is_timms(size: tuple[int, int], kernel: int, stride: int, dilation: int) -> None:
    """Of a module that was made for one size and is given another one."""
    made, x = (Shape(3, (9, 8)),), torch.randn(2, 3, *size)
    largest = Live(MaxPool((kernel,), (stride,), "tfsame", dilation=(dilation,)), made).module
    torch.testing.assert_close(largest(x), pools.MaxPool2dSame(kernel, stride, dilation=dilation)(x))
    mean = Live(AvgPool((kernel,), (stride,), "tfsame"), made).module
    torch.testing.assert_close(mean(x), pools.AvgPool2dSame(kernel, stride)(x))
    # TensorFlow's own mean is over the values of the map alone.
    counted = pools.AvgPool2dSame(kernel, stride)(torch.ones_like(x))
    inside = Live(AvgPool((kernel,), (stride,), "tfsame", countpad=False), made).module
    torch.testing.assert_close(inside(x), pools.AvgPool2dSame(kernel, stride)(x) / counted)
