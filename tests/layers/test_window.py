"""What an output position sees: found by putting NaN into one input position after the other.

Linear resampling reads a neighbour also where its share is zero, and NaN times zero is NaN.
"""

from __future__ import annotations

import warnings
from itertools import product

import pytest
import torch

from cnndsl.layers.base import Window
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape
from tests.layers.cases import CASES, Case, name
from tests.support import Live


def _poisoned(live: Live, example: list[torch.Tensor], operand: int) -> dict[tuple[int, ...], set[tuple[int, ...]]]:
    """For each position of the output the positions of an input that reach it."""
    shape = live.layer.output(*live.inputs)
    seen: dict[tuple[int, ...], set[tuple[int, ...]]] = {at: set() for at in product(*map(range, shape.spatial))}
    for position in product(*map(range, live.inputs[operand].spatial)):
        poisoned = [x.clone() for x in example]
        poisoned[operand][(0, slice(None), *position)] = torch.nan
        reached = live(*poisoned)[0].isnan().any(0)
        for at in reached.nonzero().tolist():
            seen[tuple(at)].add(position)
    return seen


MOVING = {"FLATTEN", "RESHAPE", "PERMUTE", "PIXELUNSHUFFLE"}
"""Layers that see everything since their values come from anywhere, each from one place."""


def _range(window: Window, axis: int, at: int, size: int) -> tuple[int, int]:
    """The first and last input that a window says output `at` sees, within the input."""
    extent, step, before = window.extent[axis], window.step[axis], window.before[axis]
    grow = window.grow[axis] if window.grow else 1
    if grow == 1:
        low, high = at * step - before, at * step - before + extent - 1
    else:
        low, high = -((extent - 1 - before - at * step) // grow), (at * step + before) // grow
    return max(low, 0), min(high, size - 1)


SPATIAL = [case for case in CASES if all(x.rank in (1, 2) for x in case[1])]


@pytest.mark.parametrize("case", SPATIAL, ids=map(name, SPATIAL))
def test_window_is_what_reaches_the_output(case: Case) -> None:
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel", UserWarning)
    torch.manual_seed(0)
    layer, inputs = case
    live = Live(layer, inputs)
    live.module.eval()
    example = [torch.rand(1, x.channels, *x.spatial) + 0.1 for x in inputs]
    window = layer.window(*inputs)
    for operand, x in enumerate(inputs):
        for at, seen in _poisoned(live, example, operand).items():
            if window is None or x.pixels == 1:
                assert seen == set(product(*map(range, x.spatial))) or layer.kind() in MOVING
                continue
            mine = [_range(window, axis, at[axis], size) for axis, size in enumerate(x.spatial)]
            theirs = [(min(several), max(several)) for several in zip(*seen, strict=True)]
            if layer.kind() == "UPSAMPLE":
                pairs = zip(mine, theirs, strict=True)
                assert all(low - 1 <= first <= last <= high + 1 for (low, high), (first, last) in pairs)
            elif theirs:
                assert theirs == mine or _has_gaps(case) or _is_filled(case)
            else:
                assert any(low > high for low, high in mine) or _has_gaps(case)


def _is_filled(case: Case) -> bool:
    """What lies beyond the border is padding, although it repeats positions of the map that may be further away."""
    layer, _ = case
    return (
        hasattr(layer, "FILLING")
        or {getattr(layer, "border", ""), getattr(layer, "pad", "")} & {"reflect", "replicate", "circular"} != set()
    )


def _has_gaps(case: Case) -> bool:
    """With dilation, or a stride beyond the kernel, a window at the edge may begin or end in a gap."""
    layer, _ = case
    return getattr(layer, "dilation", (1,)) != (1,)


UPSAMPLING = [case for case in SPATIAL if case[0].kind() == "UPSAMPLE"]


@pytest.mark.parametrize("case", UPSAMPLING, ids=map(name, UPSAMPLING))
def test_window_of_upsampling_is_the_support_of_the_gradient(case: Case) -> None:
    """Where an output lies on an input exactly, a cubic's other shares are zero."""
    layer, (x,) = case
    live, window = Live(layer, (x,)), layer.window(x)
    example = torch.rand(1, x.channels, *x.spatial, requires_grad=True)
    output = live(example)[0, 0]
    for at in product(*map(range, output.shape)):
        (gradient,) = torch.autograd.grad(output[at], example, retain_graph=True)
        seen = (gradient[0, 0].abs() > 1e-5).nonzero().tolist()
        theirs = [(min(several), max(several)) for several in zip(*seen, strict=True)]
        mine = [_range(window, axis, at[axis], size) for axis, size in enumerate(x.spatial)]
        on_a_pixel = layer.mode == "bicubic" and all(
            low <= first and last <= high for (first, last), (low, high) in zip(theirs, mine, strict=True)
        )
        assert theirs == mine or on_a_pixel


@pytest.mark.parametrize(("scale", "extent", "before"), [(2, 4, 1), (3, 5, 1), (4, 8, 2)])
def test_linear_upsampling_spans_what_its_triangle_does(scale: int, extent: int, before: int) -> None:
    """Output p lies at (p + 1/2)/s - 1/2 and takes the inputs q less than 1 away: |p - s*q + (1 - s)/2| < s."""
    window = Upsample((scale,), mode="linear").window(Shape(1, (8,)))
    assert window == Window((extent,), (1,), (before,), (scale,))
