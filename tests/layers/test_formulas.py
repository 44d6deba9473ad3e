"""The arithmetic that layer types write out, evaluated by Python and compared with live modules of PyTorch."""

from __future__ import annotations

from math import ceil, floor, prod

import pytest

from cnndsl.report.math_notation import as_math
from tests.layers.cases import CASES, Case, name
from tests.support import Live, flops

NAMES = {"floor": floor, "ceil": ceil, "__builtins__": {}}
BATCH = 2

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")

every_kind = pytest.mark.parametrize("case", CASES, ids=map(name, CASES))


@every_kind
def test_sizes_and_channels_are_those_of_the_module(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    _, channels, *spatial = live(*live.example(BATCH)).shape
    sizes = layer.size_formula(*inputs)
    assert [eval(each, NAMES) for each in sizes] in ([], spatial)
    assert eval(layer.channels_formula(*inputs) or str(channels), NAMES) == channels


@every_kind
def test_a_size_that_changes_is_written_unless_it_is_given(case: Case) -> None:
    """GAP, GMP and the layers with `out` give it; what makes a vector has no size."""
    layer, inputs = case
    before, after = inputs[0], layer.output(*inputs)
    changes = after.spatial not in {x.spatial for x in inputs}
    given = getattr(layer, "out", ()) or getattr(layer, "like", False) or after.pixels == 1 or layer.kind() == "RESHAPE"
    if changes and not given:
        assert len(layer.size_formula(*inputs)) == after.rank
    chosen = hasattr(layer, "filters") or layer.ROLE == "dense" or layer.kind() == "RESHAPE"
    if after.channels != before.channels and not chosen:
        assert layer.channels_formula(*inputs) or len(inputs) > 1


@every_kind
def test_weights_and_multiply_adds_are_those_of_the_module(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    weights = sum(tensor.numel for tensor in layer.tensors(*inputs) if tensor.role == "weight")
    assert eval(layer.weights_formula(*inputs) or str(weights), NAMES) == weights
    example = live.example(BATCH)
    assert flops(lambda: live(*example)) == 2 * BATCH * eval(layer.macs_formula(*inputs) or "0", NAMES)


@every_kind
def test_formulas_can_be_set_in_latex(case: Case) -> None:
    layer, inputs = case
    texts = [*layer.size_formula(*inputs), layer.channels_formula(*inputs), layer.weights_formula(*inputs)]
    for text in filter(None, [*texts, layer.macs_formula(*inputs)]):
        assert as_math(text).count("{") == as_math(text).count("}")


def test_the_positions_of_a_transposed_convolution_are_those_of_its_input() -> None:
    """Two layers by hand: 4*4 positions, 2*2*3 weights for each of 5 filters; 3*3 with two groups of 4/2 channels."""
    from cnndsl.layers.conv import Conv
    from cnndsl.layers.transposed import ConvTranspose
    from cnndsl.shape import Shape

    assert ConvTranspose((2,), 5, stride=(2,)).macs_formula(Shape(3, (4, 4))) == "4*4*(2*2*3)*5"
    assert Conv((3,), 6, groups=2).weights_formula(Shape(4, (4, 4))) == "(3*3*4/2)*6"
    assert prod((3, 3, 2, 6)) == 108
