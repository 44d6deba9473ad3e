"""Whether layers treat each axis by itself, held against their shape rules on all maps of some extents."""

from __future__ import annotations

from itertools import product

import pytest

from cnndsl.layers import blur, conv, dense, margin, merge, norm, pixel_shuffle, pool, reshape, resize, transposed
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.infer import infer
from cnndsl.shape import Shape
from tests.layers.cases import CASES, Case, name

EXTENTS = range(1, 11)


def result(layer: Layer, shapes: tuple[Shape, ...]) -> tuple[int, ...] | None:
    """The extents of the output; None where the layer does not take its inputs."""
    try:
        return infer(layer, shapes).spatial
    except LayerError:
        return None


def differs(layer: Layer, channels: int) -> bool:
    """Whether a map is taken though one of its extents is not, beside one of a map that is, or the other way round; or
    whether its output has other extents. Maps of which the layer says that it mixes axes there don't count."""
    base = next((each for each in product(EXTENTS, EXTENTS) if result(layer, (Shape(channels, each),))), None)
    if base is None:
        return False
    lines = [(high, base[1]) for high in EXTENTS] + [(base[0], wide) for wide in EXTENTS]
    taken = [Shape(channels, each) for each in lines if result(layer, (Shape(channels, each),))]
    if any(layer.mixes_axes(each) for each in taken):
        return False
    for high, wide in product(EXTENTS, EXTENTS):
        both, rows, columns = (
            result(layer, (Shape(channels, each),)) for each in ((high, wide), (high, base[1]), (base[0], wide))
        )
        if (both is None) != (rows is None or columns is None):
            return True
        if both and rows and columns and both != (rows[0], columns[1]):
            return True
    return False


PLANES = [case for case in CASES if len(case[1]) == 1 and case[1][0].rank == 2]


@pytest.mark.parametrize("case", PLANES, ids=name)
def test_what_treats_each_axis_by_itself(case: Case) -> None:
    layer, (x,) = case
    assert not differs(layer, x.channels)


@pytest.mark.parametrize(
    ("layer", "mixes"),
    [
        (conv.Conv((3,), 6), False),
        (pool.MaxPool((2,)), False),
        (resize.Upsample((2,)), False),
        (blur.BlurPool(), False),
        (margin.Crop((1,)), False),
        (transposed.ConvTranspose((2,), 6, (2,)), False),
        (pixel_shuffle.PixelUnshuffle(1), False),
        (dense.Dense(4), False),
        (reshape.Reshape((432,)), True),
        (reshape.Permute("whc"), True),
        (reshape.Permute("hwc"), False),
        (norm.InstanceNorm(), False),
    ],
)
def test_which_layers_mix_axes(layer: Layer, mixes: bool) -> None:
    assert layer.mixes_axes(Shape(6, (9, 8))) is mixes


@pytest.mark.parametrize(
    ("layer", "mixes"),
    [(norm.InstanceNorm(), True), (norm.GroupNorm(groups=6), True), (norm.GroupNorm(groups=3), False)],
)
def test_normalisations_that_refuse_one_value(layer: Layer, mixes: bool) -> None:
    """Of a map of one row a single column is refused."""
    assert layer.mixes_axes(Shape(6, (1, 8))) is mixes


def test_which_merges_repeat_an_operand() -> None:
    assert [each.OPERATOR for each in merge.MERGES.values() if each.REPEATS_ONE] == ["MUL"]
