"""What the tests of the verification share: programs, and texts that are right beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cnndsl.emit.torch.verify import Difference, check_arguments, verify
from cnndsl.graph import Graph
from cnndsl.network import loads
from cnndsl.values import Value

HEAD = "import torch\nfrom torch import Tensor, nn\nfrom torch.nn import functional as F\n\n\n"


def told(program: str, text: str, **settings: object) -> list[str]:
    """The differences between a text and the program's graph, as messages."""
    graph = loads(program, **settings).graph
    return [str(each) for each in verify(text, graph).differences]


def refused(program: str, text: str, **settings: object) -> tuple[Difference, ...]:
    """The differences of the constructor's arguments."""
    graph = loads(program, **settings).graph

    def elaborate(values: Mapping[str, Value]) -> Graph:
        return loads(program, **values).graph

    domains = {name: tuple(values) for name, values in getattr(graph, "domains", {}).items()}
    return check_arguments(text, elaborate, graph.settings, domains=domains)


def network(init: str, forward: str, arguments: str = "", takes: str = "x: Tensor") -> str:
    """A text with one class; the bodies are indented here."""
    init = "\n".join(f"        {line}" for line in init.strip().split("\n"))
    forward = "\n".join(f"        {line}" for line in forward.strip().split("\n"))
    return (
        f"{HEAD}class Net(nn.Module):\n    def __init__(self{arguments}) -> None:\n"
        f"        super().__init__()\n{init}\n\n"
        f"    def forward(self, {takes}) -> Tensor:\n{forward}\n"
    )


def changed(text: str, old: str, new: str) -> str:
    """The text with one place changed, which must be there once."""
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
    return text.replace(old, new)


def without_main(text: str) -> str:
    """A text without what it does when it is run."""
    return re.split(r"\n\n\nif __name__", text)[0] + "\n"


BLOCK_PROGRAM = """
block Unit(c, s=1) = (
    conv1: CONV3-c/s(bias=no) -> bn1: BN -> RELU -> conv2: CONV3-c(bias=no) -> bn2: BN
  + ID or down: [CONV1-c/s(bias=no) -> BN]
) -> RELU
INPUT 16x16x3 -> stem: CONV3-8 -> RELU -> tap early: [GAP -> FC-3] -> layer: [Unit(8) -> Unit(16, 2)*1 -> Unit(16)*2]
-> tap aux(train): [GAP -> FC-4] -> GAP -> DROPOUT(0.2) -> fc: FC-10
"""

BLOCK_TEXT = '''"""A small residual network."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Unit(nn.Module):
    """A residual unit."""

    def __init__(self, in_channels: int, c: int, s: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, c, 3, stride=s, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(c)
        self.down = nn.Identity()
        if s != 1 or in_channels != c:
            self.down = nn.Sequential(nn.Conv2d(in_channels, c, 1, stride=s, bias=False), nn.BatchNorm2d(c))
        self.relu2 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.down(x)
        return self.relu2(y)


class Results(NamedTuple):
    """The output, and the taps."""

    output: Tensor
    early: Tensor
    aux: Tensor | None = None


class Net(nn.Module):
    """The network."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.early = nn.Sequential()
        self.early.append(nn.AdaptiveAvgPool2d(1))
        self.early.flatten = nn.Flatten()
        self.early.add_module("1", nn.Linear(8, 3))
        self.layer = nn.Sequential(Unit(8, 8), Unit(8, 16, 2), *[Unit(16, 16) for _ in range(2)])
        self.aux = nn.Sequential()
        self.aux.append(nn.AdaptiveAvgPool2d(1))
        self.aux.flatten = nn.Flatten()
        self.aux.add_module("1", nn.Linear(16, 4))
        self.gap = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(16, classes)

    def forward(self, x: Tensor) -> Results:
        x = self.relu(self.stem(x))
        early = self.early(x)
        x = self.layer(x)
        aux: Tensor | None = None
        if self.training:
            aux = self.aux(x)
        x = self.dropout(self.gap(x))
        return Results(self.fc(torch.flatten(x, 1)), early, aux)
'''

UNET_PROGRAM = """
INPUT 16x16x2 -> enc: CONV3-4(pad=valid) -> relu: RELU -> p: POOL2 -> mid: CONV3-4 -> BN -> un: UNPOOL2(@p)
-> (@relu -> CROP(1) | CROP(1) | conv: CONV1-4 -> SLICE(1, 3) -> CROP(1)) -> MUL(ID, gate: [GAP -> FC-10 -> SIGMOID])
-> MEAN(a: CONV1-4, b: CONV1-4, c: CONV1-4) -> MAX(ID, tanh: TANH, TIMES(0.3)) -> out: CONV1-2
"""

UNET_TEXT = """import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Conv2d(2, 4, 3)
        self.relu = nn.ReLU(inplace=True)
        self.p = nn.MaxPool2d(2, return_indices=True)
        self.mid = nn.Conv2d(4, 4, 3, padding=1)
        self.bn = nn.BatchNorm2d(4)
        self.un = nn.MaxUnpool2d(2)
        self.conv = nn.Conv2d(4, 4, 1)
        self.gate = nn.Sequential()
        self.gate.append(nn.AdaptiveAvgPool2d(1))
        self.gate.flatten = nn.Flatten()
        self.gate.add_module("1", nn.Linear(10, 10))
        self.gate.add_module("2", nn.Sigmoid())
        self.a = nn.Conv2d(10, 4, 1)
        self.b = nn.Conv2d(10, 4, 1)
        self.c = nn.Conv2d(10, 4, 1)
        self.tanh = nn.Tanh()
        self.out = nn.Conv2d(4, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.relu(self.enc(x))
        y, indices = self.p(skip)
        y = self.un(self.bn(self.mid(y)), indices, skip.shape[2:])
        del indices
        z = self.conv(y)[:, 1:3]
        y = torch.cat([skip[:, :, 1:-1, 1:-1], y[:, :, 1:-1, 1:-1], z[:, :, 1:-1, 1:-1]], 1)
        del skip, z
        y = y * self.gate(y)[:, :, None, None]
        y = (self.a(y) + self.b(y) + self.c(y)) / 3
        y = torch.maximum(torch.maximum(y, self.tanh(y)), y * 0.3)
        return self.out(y)
"""
