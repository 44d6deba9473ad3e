"""What is held for a moment inside of a layer: measured on live modules, storage by storage."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cnndsl.layers import activation
from cnndsl.layers.arrange import Pick
from cnndsl.layers.base import Layer
from cnndsl.layers.dense import RadialBasis
from cnndsl.layers.local import LocallyConnected
from cnndsl.layers.merge import Max
from cnndsl.layers.norm import LocalResponseNorm, Scale
from cnndsl.layers.pool import GlobalAvgPool, LPPool, MaxPool
from cnndsl.shape import Shape
from tests.layers.cases import CASES, Case, name
from tests.support import Live

BATCH = 2


class Peak(TorchDispatchMode):
    """Follows the storages that operations make: how many bytes of them are alive, and the most there were."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.most = 0
        self.known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in tree_leaves((args, kwargs)):
            if isinstance(tensor, torch.Tensor):
                self.known.add(tensor.untyped_storage()._cdata)
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, torch.Tensor):
                self.meet(tensor.untyped_storage())
        return result

    def meet(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.known:
            return
        self.known.add(key)
        self.alive += size
        self.most = max(self.most, self.alive)
        weakref.finalize(storage, self.part, key, size)

    def part(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.alive -= size


ROUGHLY = ("LOCAL", "RBF", "ADD", "MAX", "MEAN", "MUL")
"""Kinds whose most is a bound, or whose emitted line is another than the test's: `y += x`."""

ALONE = [case for case in CASES if case[0].kind() not in ROUGHLY and getattr(case[0], "countpad", True)]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("case", ALONE, ids=map(name, ALONE))
def test_in_use(case: Case) -> None:
    """What is held at the most beside inputs and output; what a kernel writes for a backward pass is counted there."""
    layer, inputs = case
    live = Live(layer, inputs)
    live.module.eval()
    example = live.example(BATCH)
    with torch.no_grad(), Peak() as peak:
        output = live(*example)
    scratch, _ = layer.scratch(*inputs)
    written = sum((size or 4) * number * BATCH for size, number, _ in layer.saved(*inputs).extra if size or number < 10)
    held = peak.most - peak.alive
    assert held in (4 * BATCH * scratch, 4 * BATCH * scratch + written) or layer.kind() == "IN"
    assert output.shape[0] == BATCH


X = Shape(6, (5, 4))
# 6*5*4 = 120 values in and out. What each holds follows from its derivative, written beside it.
BACKWARD = [
    (activation.Relu(), 0),
    (activation.PRelu(), 120),  # x where it is negative, summed to the slopes' gradient
    (activation.Softsign(), 3 * 120),  # 1/d, x/d^2 and the sign of x
    (activation.Tanh(scale=2.0), 0),
    (activation.LogSigmoid(), 0),
    (LocalResponseNorm(), 3 * 120),
    (Scale(), 120),  # the gradient times x, summed to the weights'
    (Scale(bias=False), 120),
    (Scale(weight=False), 0),
    (Pick((0, 3)), 120),  # zeros of the input's size, into which the gradient is written
    (RadialBasis(10), 3 * 1200),  # 2, the difference and their product, for each of 10 centres
    (MaxPool(), 0),
    (GlobalAvgPool(), 0),
]


@pytest.mark.parametrize(("layer", "values"), BACKWARD, ids=repr)
def test_in_the_backward_pass(layer: Layer, values: int) -> None:
    assert layer.scratch(X)[1] == values


HOLDS = ("PRELU", "SOFTSIGN", "LRN", "SCALE", "PICK", "RBF", "LPPOOL", "LOCAL", "MAX")


@pytest.mark.parametrize("case", [case for case in CASES if case[0].kind() not in HOLDS], ids=name)
def test_the_others_hold_nothing_in_the_backward_pass(case: Case) -> None:
    """Their gradients are made by one kernel, out of what is saved."""
    layer, inputs = case
    assert layer.scratch(*inputs)[1] == 0


def test_a_maximum_holds_where_each_was_larger() -> None:
    """A byte and a half-weight for ties, of four each, and the gradient there: 3/2 of 120 values; none for one."""
    assert Max().scratch(X, X) == (0, 180)
    assert Max().scratch(X) == (0, 0)


def test_local_connection_holds_patches_and_what_they_are_of() -> None:
    """3x3 patches of 6 channels at 13 x 13 positions, 8 filters: 54*169 values beside 6*15*15 of the padded input, or
    beside 8*169 products; the output is not counted."""
    patches, padded, products = 54 * 169, 6 * 15 * 15, 8 * 169
    x = Shape(6, (13, 13))
    assert LocallyConnected((3,), 8).scratch(x) == (patches + max(products, padded - products), patches - x.numel)
    assert LocallyConnected((3,), 1).scratch(x)[0] == patches + max(169, padded - 169)
    assert LocallyConnected((1,), 8).scratch(x) == (x.numel + products, 0)


def test_distances_hold_differences_and_squares() -> None:
    """120 differences from each of 10 centres, and their squares."""
    assert RadialBasis(10).scratch(X)[0] == 2 * 1200


def test_normalisation_over_neighbours_holds_denominators() -> None:
    """LRN: two maps of denominators beside the third in use; three factors of the quotient's gradient."""
    assert LocalResponseNorm().scratch(Shape(6, (5, 4))) == (2 * 120, 3 * 120)


def test_norm_pooling_holds_powers() -> None:
    """The powers of 6*8*8 values; of 6*4*4 windows sum, sign and size, and as many factors of the gradient."""
    assert LPPool().scratch(Shape(6, (8, 8))) == (384, 3 * 96)
    # With one padding that is 6*9*9 values, and again as many powers.
    assert LPPool((3,), (2,), pad=(1,)).scratch(Shape(6, (8, 8))) == (2 * 486, 3 * 96)
