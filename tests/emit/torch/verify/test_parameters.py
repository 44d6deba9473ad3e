"""Texts with parameters of their own beside their program: the right one passes, those with one change are told."""

from __future__ import annotations

import pytest

from tests.emit.torch.verify.support import changed, network, told

PROGRAM = """
INPUT 8x8x4 -> conv: CONV3-4
-> gamma: SCALE(bias=no, init=0.5, parameter=vector)
-> scale: SCALE(bias=no, parameter=map)
-> shift: SCALE(weight=no, parameter=map)
-> gain: SCALE(bias=no, init=2, parameter=number)
-> one: SCALE(weight=no, parameter=singleton)
"""
INIT = """
self.conv = nn.Conv2d(4, 4, 3, padding=1)
self.gamma = nn.Parameter(torch.full((4,), 0.5))
self.scale = nn.Parameter(torch.ones(4, 1, 1))
self.shift = nn.Parameter(torch.zeros(4, 1, 1))
self.gain = nn.Parameter(torch.full((), 2.0))
self.one = nn.Parameter(torch.zeros(1))
"""
FORWARD = """
x = self.conv(x) * self.gamma.reshape(-1, 1, 1)
x = x * self.scale + self.shift
return x * self.gain + self.one
"""
RIGHT = network(INIT, FORWARD)


def test_the_right_text() -> None:
    assert told(PROGRAM, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("self.gamma = ", "self.weight = "),
        ("torch.full((4,), 0.5)", "torch.full((4,), 0.25)"),
        ("torch.full((4,), 0.5)", "torch.full((4, 1, 1), 0.5)"),
        ("torch.full((4,), 0.5)", "torch.ones(4)"),
        ("torch.full((4,), 0.5)", "torch.full((5,), 0.5)"),
        ("torch.full((), 2.0)", "torch.full((), 2)"),
        ("torch.full((), 2.0)", "torch.full((1,), 2.0)"),
        ("torch.ones(4, 1, 1)", "torch.ones(4)"),
        ("torch.ones(4, 1, 1)", "torch.zeros(4, 1, 1)"),
        ("nn.Parameter(torch.ones(4, 1, 1))", "torch.ones(4, 1, 1)"),
        ("self.gamma.reshape(-1, 1, 1)", "self.gamma"),
        ("self.gamma.reshape(-1, 1, 1)", "self.gamma.reshape(1, -1, 1)"),
        ("self.gamma.reshape(-1, 1, 1)", "self.gamma.reshape(3, 1, 1)"),
        ("self.gamma.reshape(-1, 1, 1)", "self.scale"),
        ("x * self.scale + self.shift", "x + self.scale * self.shift"),
        ("x * self.scale + self.shift", "(x + self.shift) * self.scale"),
        ("x * self.scale + self.shift", "x * self.scale"),
        ("x * self.scale + self.shift", "x * self.scale - self.shift"),
        ("x * self.gain", "self.gain(x)"),
        ("x * self.gain", "x * self.gain * self.gain"),
        ("torch.zeros(1)", "torch.zeros(())"),
        ("torch.zeros(1)", "torch.zeros(1, 1)"),
        ("torch.zeros(1)", "torch.zeros(4)"),
        ("+ self.one", "+ self.one.reshape(1, 1)"),
        ("x = x * self.scale", "x *= self.scale\n        x = x * self.scale"),
    ],
)
def test_what_is_changed_is_told(old: str, new: str) -> None:
    assert told(PROGRAM, changed(RIGHT, old, new)) != []


def test_a_parameter_too_many_is_told() -> None:
    text = network(INIT + "self.more = nn.Parameter(torch.ones(4))", FORWARD)
    assert told(PROGRAM, text) != []


@pytest.mark.parametrize(
    "statement",
    [
        'self.add_module("gain", nn.Parameter(torch.full((), 2.0)))',
        "self.gain = nn.Sequential(nn.Parameter(torch.full((), 2.0)))",
        "self.gain = nn.Parameter(self.conv)",
        "self.gain = nn.Parameter(2.0)",
    ],
)
def test_what_torch_refuses_is_told(statement: str) -> None:
    assert told(PROGRAM, changed(RIGHT, "self.gain = nn.Parameter(torch.full((), 2.0))", statement)) != []
