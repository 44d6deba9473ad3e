"""Texts beside a program that applies parts again: the right one passes, those with one thing changed are told."""

from __future__ import annotations

import pytest

from tests.emit.torch.verify.support import changed, network, told

PROGRAM = """
INPUT 8x8x4 -> a: CONV3-4
x = @a -> t: [conv: CONV3-4 -> bn: BN]
y = (@x + @a) -> again t
z = @y -> again t
output x, z
"""
INIT = """
self.a = nn.Conv2d(4, 4, 3, padding=1)
self.t = nn.Sequential()
self.t.conv = nn.Conv2d(4, 4, 3, padding=1)
self.t.bn = nn.BatchNorm2d(4)
"""
FORWARD = """
a = self.a(x)
x = self.t(a)
y = self.t(x + a)
z = self.t(y)
return x, z
"""
RIGHT = network(INIT, FORWARD)


def test_the_right_text() -> None:
    assert told(PROGRAM, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("z = self.t(y)", "z = y"),
        ("z = self.t(y)", "z = self.t(x)"),
        ("z = self.t(y)", "z = self.t(self.t(y))"),
        ("y = self.t(x + a)", "y = self.t(a + a)"),
        ("z = self.t(y)", "z = self.t.conv(y)"),
        ("return x, z", "self.t(x)\n        return x, z"),
        ("return x, z", "return x, y"),
        ("self.t.bn = nn.BatchNorm2d(4)", "self.t.bn = nn.BatchNorm2d(4)\n        self.u = nn.BatchNorm2d(4)"),
    ],
)
def test_what_is_changed_is_told(old: str, new: str) -> None:
    assert told(PROGRAM, changed(RIGHT, old, new)) != []


def test_weights_of_their_own_are_told() -> None:
    more = 'self.u = nn.Sequential()\nself.u.add_module("conv", nn.Conv2d(4, 4, 3, padding=1))\n'
    more += 'self.u.add_module("bn", nn.BatchNorm2d(4))'
    text = network(INIT + more, FORWARD.replace("z = self.t(y)", "z = self.u(y)"))
    assert told(PROGRAM, text) != []


def test_statistics_are_updated_in_the_order_of_the_program() -> None:
    program = "INPUT 8x8x4 -> a: CONV3-4\nx = @a -> t: BN\ny = @a -> TANH -> again t\noutput x, y"
    init = "self.a = nn.Conv2d(4, 4, 3, padding=1)\nself.t = nn.BatchNorm2d(4)\nself.tanh = nn.Tanh()"
    right = "a = self.a(x)\nx = self.t(a)\ny = self.t(self.tanh(a))\nreturn x, y"
    swapped = "a = self.a(x)\ny = self.t(self.tanh(a))\nx = self.t(a)\nreturn x, y"
    assert told(program, network(init, right)) == []
    assert any("another order" in each for each in told(program, network(init, swapped)))
    # A convolution does not remember what it was applied to.
    program, init = program.replace("BN", "CONV3-4"), init.replace("nn.BatchNorm2d(4)", "nn.Conv2d(4, 4, 3, padding=1)")
    assert told(program, network(init, swapped)) == []
