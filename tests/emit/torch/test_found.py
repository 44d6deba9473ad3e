"""Programs that somebody's generator found to be compiled wrongly, one for each fault, each as small as it gets."""

from __future__ import annotations

import pytest
import torch

import cnndsl
from cnndsl.testing import differences

FOUND = {
    "a default of PyTorch that is another one for another class": "INPUT 7x4x2 -> [IN(affine=i == 2)]*2 -> SOFTMAX",
    "a check of an argument that nothing else uses": "block T(c) = POOL2/{6/C} -> RELU\nINPUT 16x6 -> T(3)",
    "a view made in training, read always": "INPUT 8x8x2 -> GAP -> tap t(train): FC-3 -> FC-5",
    "a part of which only a tap runs in training only": (
        "INPUT 5 -> tap a: FC-3 -> tap d: [@a -> tap e(train): FC-2] -> FC-4"
    ),
    "a call that passes on what enters, with a tap for training": (
        "block H(c) = tap aux(train): CONV1-3 -> [CONV1-c if C == c]\nINPUT 8x8x4 -> H(8) -> H(4)"
    ),
    "an argument that has the name of a parameter of the net": (
        "net N(s=2)\nblock U(c, s=1) = CONV3-c/s -> RELU\nINPUT 8x8x4 -> U(4) -> U(4, 2) -> FC-s"
    ),
    "a value that has the name of what enters": "INPUT 8x8x4 -> x: CONV3-4 -> g: [CONV3-4 -> (ID + @x)]",
    "a mean as a later operand": "INPUT 8x8x4 -> MUL(CONV1-4, MEAN(CONV1-4, CONV3-4, ID))",
    "a class that hides a name of the file": "block F = POOL3/2(pad=same) -> CONV3-4\nINPUT 9x9x4 -> F",
    "two taps of one name": "block B = tap t: CONV1-2 -> CONV3-4\nINPUT 8x8x4 -> B -> B",
    "the least of one number": "block S(s) = CONV-6(groups=min(s))\nINPUT 8x8x4 -> S(2)",
    "a class that derives from another one, and is drawn in another way": (
        "INPUT 5x5x1 -> CONV1-1(bias=no, init=kaiming) -> CONV2-1/2(bias=no)"
    ),
    "a name that is a number in one place and a kind in another": (
        "block B(q, c=4) = CONV2-c/2 -> mid: [[[TIMES(1/4) -> e: DROPOUT(1/24)] if C == c] -> POOL5/1(pad=same)]"
        " -> again mid -> MUL(ID, @q -> GAP -> FC-c)\n"
        "INPUT 8x8x4 -> u: CONV2-16 -> CONV1-4 -> d: CONV3-16 -> B(@u, 6) -> B(@d, 6)"
    ),
    "indices of a pooling that is applied twice, read once": (
        "INPUT 8x8x4 -> low: [h: POOL2] -> UNPOOL2(@low.h) -> again low -> FC-6"
    ),
    "an output that is an input": "INPUT 8x8x4 -> tap t: CONV1-2",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_it_computes_what_the_program_says(text: str) -> None:
    assert differences(text) == []


def test_zeros_of_the_padding_count_where_a_mean_is_rounded_up() -> None:
    """Pairs of 1 to 5 and one 0 of the padding: (1 + 2)/2, (3 + 4)/2, (5 + 0)/2."""
    module = cnndsl.loads("INPUT 5x1 -> AVGPOOL(kernel=2, pad=same, ceil=yes)").module()
    x = torch.arange(1.0, 6.0).reshape(1, 1, 5)
    assert module(x).tolist() == [[[1.5, 3.5, 2.5]]]
