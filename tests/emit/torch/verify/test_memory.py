"""Values that are overwritten while somebody needs them: in place, through views, behind autograd's back."""

from __future__ import annotations

import pytest

from tests.emit.torch.verify.support import network, told

CONVS = "self.a = nn.Conv2d(4, 4, 1)\nself.b = nn.Conv2d(4, 4, 1)\n"


def found(program: str, init: str, forward: str) -> list[str]:
    return told(program, network(init, forward))


@pytest.mark.parametrize(
    ("program", "init", "forward"),
    [
        # The caller's input.
        ("INPUT 8x8x4 -> relu: RELU", "self.relu = nn.ReLU(inplace=True)", "return self.relu(x)"),
        ("INPUT 8x8x4 -> (ID + a: CONV1-4)", "self.a = nn.Conv2d(4, 4, 1)", "x += self.a(x)\nreturn x"),
        (
            "INPUT 8x8x4 -> FLATTEN -> relu: RELU",
            "self.relu = nn.ReLU(inplace=True)",
            "return self.relu(torch.flatten(x, 1))",
        ),
        # Read once more afterwards.
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (relu: RELU | ID)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\nreturn torch.cat([self.relu(x), x], 1)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (ID | relu: RELU)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\nreturn torch.cat([x, self.relu(x)], 1)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> tap b: CONV1-4 -> relu: RELU",
            f"{CONVS}self.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\nt = self.b(x)\nreturn self.relu(x), t",
        ),
        # Kept by autograd: the output of one, the input of the other.
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> s: SIGMOID -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.s = nn.Sigmoid()\nself.relu = nn.ReLU(inplace=True)",
            "return self.relu(self.s(self.a(x)))",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (s: SILU + b: CONV1-4)",
            f"{CONVS}self.s = nn.SiLU(inplace=True)",
            "x = self.a(x)\nreturn self.b(x) + self.s(x)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> MUL(ID, b: CONV1-4) -> relu: RELU",
            f"{CONVS}self.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\ny = self.b(x)\nx *= y\nreturn self.relu(x)",
        ),
        # Through a view.
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (s: SLICE(0, 2) -> relu: RELU | ID)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\ny = self.relu(x[:, 0:2])\nreturn torch.cat([y, x], 1)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (d: DROPOUT -> relu: RELU | ID)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.d = nn.Dropout(0.5)\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\ny = self.relu(self.d(x))\nreturn torch.cat([y, x], 1)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> (relu: RELU | ID)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.i = nn.Identity()\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\ny = self.relu(self.i(x))\nreturn torch.cat([y, x], 1)",
        ),
        # A result that is smaller than what it must become.
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> MUL(gap: GAP, ID)",
            "self.a = nn.Conv2d(4, 4, 1)\nself.gap = nn.AdaptiveAvgPool2d(1)",
            "x = self.a(x)\ny = self.gap(x)\ny *= x\nreturn y",
        ),
        # Two results, one of which is written into the other's memory.
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> tap t: FLATTEN -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.t = nn.Flatten()\nself.relu = nn.ReLU(inplace=True)",
            "x = self.a(x)\nt = self.t(x)\nreturn self.relu(x), t",
        ),
    ],
)
def test_what_is_needed_is_not_overwritten(program: str, init: str, forward: str) -> None:
    assert any("overwrit" in each for each in found(program, init, forward))


@pytest.mark.parametrize(
    ("program", "init", "forward"),
    [
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> bn: BN -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.bn = nn.BatchNorm2d(4)\nself.relu = nn.ReLU(inplace=True)",
            "return self.relu(self.bn(self.a(x)))",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> relu: RELU -> d: DROPOUT -> (ID + b: CONV1-4)",
            f"{CONVS}self.relu = nn.ReLU(inplace=True)\nself.d = nn.Dropout(0.5)",
            "x = self.d(self.relu(self.a(x)))\nreturn x + self.b(x)",
        ),
        (
            "INPUT 8x8x4 -> (a: CONV1-4 + b: CONV1-4) -> relu: RELU",
            f"{CONVS}self.relu = nn.ReLU(inplace=True)",
            "y = self.a(x)\ny += self.b(x)\nreturn self.relu(y)",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> s: SILU -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.s = nn.SiLU(inplace=True)\nself.relu = nn.ReLU(inplace=True)",
            "return self.relu(self.s(self.a(x)))",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> gap: GAP -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.gap = nn.AdaptiveAvgPool2d(1)\nself.relu = nn.ReLU(inplace=True)",
            "return self.relu(self.gap(self.a(x)))",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> MEAN(ID, b: CONV1-4)",
            CONVS,
            "x = self.a(x)\ny = x + self.b(x)\ny /= 2\nreturn y",
        ),
        (
            "INPUT 8x8x4 -> a: CONV1-4 -> p: ZEROPAD(1) -> relu: RELU",
            "self.a = nn.Conv2d(4, 4, 1)\nself.relu = nn.ReLU(inplace=True)",
            "return self.relu(F.pad(self.a(x), (1, 1, 1, 1)))",
        ),
    ],
)
def test_what_nobody_needs_may_be_overwritten(program: str, init: str, forward: str) -> None:
    assert found(program, init, forward) == []
