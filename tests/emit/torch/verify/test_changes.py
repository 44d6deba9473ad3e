"""Right texts with one thing changed: all of these are told."""

from __future__ import annotations

import pytest

from tests.emit.torch.verify.support import BLOCK_PROGRAM, BLOCK_TEXT, UNET_PROGRAM, UNET_TEXT, changed, told

BLOCK_CHANGES = [
    # arguments of layers
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", "self.stem = nn.Conv2d(3, 8, 3)"),
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", "self.stem = nn.Conv2d(3, 8, 5, padding=2)"),
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", "self.stem = nn.Conv2d(3, 8, 3, padding=1, bias=False)"),
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", 'self.stem = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")'),
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", "self.stem = nn.Conv2d(3, 8.0, 3, padding=1)"),
    ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", "self.stem = nn.Conv2d(3, 8, 3, padding=1, extra=1)"),
    ("self.bn1 = nn.BatchNorm2d(c)", "self.bn1 = nn.BatchNorm2d(c, momentum=0.01)"),
    ("self.bn1 = nn.BatchNorm2d(c)", "self.bn1 = nn.BatchNorm2d(c, affine=False)"),
    ("self.bn1 = nn.BatchNorm2d(c)", "self.bn1 = nn.BatchNorm1d(c)"),
    ("self.bn1 = nn.BatchNorm2d(c)", "self.bn1 = nn.BatchNorm2d(c, track_running_stats=False)"),
    ("self.dropout = nn.Dropout(0.2)", "self.dropout = nn.Dropout(0.5)"),
    ("self.dropout = nn.Dropout(0.2)", "self.dropout = nn.Dropout2d(0.2)"),
    ("self.dropout = nn.Dropout(0.2)", "self.dropout = nn.Identity()"),
    ("self.gap = nn.AdaptiveAvgPool2d(1)", "self.gap = nn.AdaptiveMaxPool2d(1)"),
    ("self.gap = nn.AdaptiveAvgPool2d(1)", "self.gap = nn.AdaptiveAvgPool2d(2)"),
    ("self.relu1 = nn.ReLU(inplace=True)", "self.relu1 = nn.ReLU6(inplace=True)"),
    ("3, stride=s, padding=1", "3, stride=1, padding=1"),
    ("if s != 1 or in_channels != c:", "if s != 1 and in_channels == c:"),
    ("if s != 1 or in_channels != c:", "if in_channels != c or s > 2 or True:"),
    ("classes: int = 10", "classes: int = 11"),
    ("Unit(8, 16, 2)", "Unit(8, 16)"),
    ("for _ in range(2)", "for _ in range(3)"),
    ("for _ in range(2)", "for _ in range(1)"),
    # names and places
    (
        "self.conv2 = nn.Conv2d(c, c, 3, padding=1, bias=False)",
        "self.conv3 = nn.Conv2d(c, c, 3, padding=1, bias=False)",
    ),
    ('add_module("1", nn.Linear(8, 3))', 'add_module("2", nn.Linear(8, 3))'),
    ("self.early.append(nn.AdaptiveAvgPool2d(1))", "self.aux_early.append(nn.AdaptiveAvgPool2d(1))"),
    (
        "self.fc = nn.Linear(16, classes)",
        "self.fc = nn.Linear(16, classes)\nself.fc2 = self.fc".replace("\n", "\n        "),
    ),
    ("self.fc = nn.Linear(16, classes)", "self.fc = nn.Linear(16, classes)\n        self.more = nn.Linear(16, 2)"),
    ("self.fc = nn.Linear(16, classes)", "self.fc = nn.Linear(16, classes)\n        self.more = nn.ReLU()"),
    ("self.early.flatten = nn.Flatten()\n", "pass\n"),
    # what is called on what
    ("y = self.relu1(self.bn1(self.conv1(x)))", "y = self.relu1(self.conv1(self.bn1(x)))"),
    ("y = self.relu1(self.bn1(self.conv1(x)))", "y = self.bn1(self.relu1(self.conv1(x)))"),
    ("y = self.relu1(self.bn1(self.conv1(x)))", "y = self.bn1(self.conv1(x))"),
    ("y = self.bn2(self.conv2(y))", "y = self.bn2(self.conv2(x))"),
    ("y = self.bn2(self.conv2(y))", "y = self.bn2(self.bn2(self.conv2(y)))"),
    ("y += self.down(x)", "y += x"),
    ("y += self.down(x)", "y *= self.down(x)"),
    ("y += self.down(x)", "x += self.down(y)"),
    ("y += self.down(x)", "y = y - self.down(x)"),
    ("y += self.down(x)\n", "pass\n"),
    ("return self.relu2(y)", "return y"),
    ("return self.relu2(y)", "self.relu2(y)"),
    ("return self.relu2(y)", "return self.relu2(y, y)"),
    ("return self.relu2(y)", "return self.relu3(y)"),
    ("return self.relu2(y)", "return self.relu2(z)"),
    ("y += self.down(x)", "y += self.down(x)\n        del y"),
    ("early = self.early(x)", "early = self.early(self.stem(x))"),
    ("early = self.early(x)\n        x = self.layer(x)", "x = self.layer(x)\n        early = self.early(x)"),
    ("torch.flatten(x, 1)", "torch.flatten(x)"),
    ("torch.flatten(x, 1)", "torch.flatten(x, 2)"),
    ("torch.flatten(x, 1)", "x"),
    # modes and results
    ("if self.training:\n            aux = self.aux(x)", "aux = self.aux(x)"),
    ("if self.training:", "if not self.training:"),
    ("if self.training:\n            aux = self.aux(x)\n", "pass\n"),
    ("early, aux)", "aux, early)"),
    ("early, aux)", "early)"),
    ("    early: Tensor\n", "    late: Tensor\n"),
    ("    early: Tensor\n    aux: Tensor | None = None\n", "    aux: Tensor\n    early: Tensor | None = None\n"),
    ("return Results(self.fc(torch.flatten(x, 1)), early, aux)", "return self.fc(torch.flatten(x, 1)), early, aux"),
    ("return Results(self.fc(torch.flatten(x, 1)), early, aux)", "return self.fc(torch.flatten(x, 1))"),
    # memory: the first is read by the residual, the second by the units behind
    ("self.relu = nn.ReLU(inplace=True)", "self.relu = nn.SiLU(inplace=True)"),
    (
        "self.conv1 = nn.Conv2d(in_channels, c, 3",
        "self.relu0 = nn.ReLU(inplace=True)\n        self.conv1 = nn.Conv2d(in_channels, c, 3",
    ),
    ("y = self.bn2(self.conv2(y))", "y = self.bn2(self.conv2(y))\n        y = self.relu1(y)"),
    ("x = self.dropout(self.gap(x))", "x = self.dropout(self.gap(x))\n        x += early"),
    # Python
    ("super().__init__()\n        self.conv1", "self.conv1"),
    ("import torch\nfrom torch import Tensor, nn", "import torch\nfrom torch import nn"),
    ("from typing import NamedTuple\n", ""),
    ("import torch\nfrom", "from"),
    ('    """The network."""', '    """The network."""\n    width = 3'),
    (
        "    def forward(self, x: Tensor) -> Results:",
        "    @torch.no_grad()\n    def forward(self, x: Tensor) -> Results:",
    ),
]

UNET_CHANGES = [
    ("return_indices=True", "return_indices=False"),
    ("nn.MaxUnpool2d(2)", "nn.MaxUnpool2d(2, stride=1)"),
    ("nn.MaxUnpool2d(2)", "nn.MaxUnpool2d(3)"),
    ("skip.shape[2:]", "y.shape[2:]"),
    ("skip.shape[2:]", "[15, 15]"),
    ("skip.shape[2:]", "[14, 13]"),
    ("indices, skip.shape[2:]", "y, skip.shape[2:]"),
    ("[:, 1:3]", "[:, 0:2]"),
    ("[:, 1:3]", "[1:3]"),
    ("[:, 1:3]", "[:, 1:4]"),
    ("[:, 1:3]", ""),
    ("skip[:, :, 1:-1, 1:-1]", "skip[:, :, 1:-1]"),
    ("skip[:, :, 1:-1, 1:-1]", "skip[:, :, 0:-2, 1:-1]"),
    ("skip[:, :, 1:-1, 1:-1]", "skip[:, :, 1:-1, 1:-0]"),
    ("skip[:, :, 1:-1, 1:-1]", "skip[:, :, 2:-2, 2:-2]"),
    ("[skip[:, :, 1:-1, 1:-1], y[:, :, 1:-1, 1:-1]", "[y[:, :, 1:-1, 1:-1], skip[:, :, 1:-1, 1:-1]"),
    ("z[:, :, 1:-1, 1:-1]], 1)", "z[:, :, 1:-1, 1:-1]], 2)"),
    ("z[:, :, 1:-1, 1:-1]], 1)", "z[:, :, 1:-1, 1:-1]])"),
    (", z[:, :, 1:-1, 1:-1]]", "]"),
    ("[:, :, None, None]", ""),
    ("[:, :, None, None]", "[:, :, None]"),
    ("[:, :, None, None]", "[:, None, None, :]"),
    ("y = y * self.gate(y)[:, :, None, None]", "y = y + self.gate(y)[:, :, None, None]"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "self.a(y) + self.b(y) + self.c(y) / 3"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "(self.a(y) + self.b(y) + self.c(y)) / 2"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "(self.a(y) + (self.b(y) + self.c(y))) / 3"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "(self.a(y) + self.c(y) + self.b(y)) / 3"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "(self.a(y) + self.b(y)) / 3"),
    ("(self.a(y) + self.b(y) + self.c(y)) / 3", "(self.a(y) + self.b(y) + self.c(y)) * 0.3333333333333333"),
    (
        "torch.maximum(torch.maximum(y, self.tanh(y)), y * 0.3)",
        "torch.maximum(y, torch.maximum(self.tanh(y), y * 0.3))",
    ),
    ("y * 0.3", "y * 0.30000000000000004"),
    ("y * 0.3", "y / 0.3"),
    ("y * 0.3", "y + 0.3"),
    ("self.relu = nn.ReLU(inplace=True)", "self.relu = nn.ReLU(True, True)"),
    ("self.enc = nn.Conv2d(2, 4, 3)", "self.relu0 = self.enc = nn.Conv2d(2, 4, 3)"),
    ("        del indices\n", "        del indices, skip\n"),
    ("y, indices = self.p(skip)", "y = self.p(skip)"),
    ("y, indices = self.p(skip)", "y, indices = self.mid(skip)"),
    ("self.gate.flatten = nn.Flatten()\n", "self.gate.flatten = nn.Flatten(2)\n"),
    ("self.tanh = nn.Tanh()", "self.tanh = nn.Tanhshrink()"),
    ("self.tanh = nn.Tanh()", "self.tanh = nn.Sigmoid()"),
]


def test_the_texts_are_right() -> None:
    assert told(BLOCK_PROGRAM, BLOCK_TEXT) == []
    assert told(UNET_PROGRAM, UNET_TEXT) == []


@pytest.mark.parametrize(("old", "new"), BLOCK_CHANGES)
def test_a_change_of_the_residual_network_is_told(old: str, new: str) -> None:
    text = BLOCK_TEXT.replace(old, new, 1)
    assert text != BLOCK_TEXT
    assert told(BLOCK_PROGRAM, text)


@pytest.mark.parametrize(("old", "new"), UNET_CHANGES)
def test_a_change_of_the_network_with_skips_is_told(old: str, new: str) -> None:
    assert told(UNET_PROGRAM, changed(UNET_TEXT, old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("y += self.down(x)", "y = self.down(x) + y"),
        ("y += self.down(x)", "z = y\n        z += self.down(x)\n        y = z"),
        ("self.relu1 = nn.ReLU(inplace=True)", "self.relu1 = nn.ReLU()"),
        (
            "self.stem = nn.Conv2d(3, 8, 3, padding=1)",
            "self.stem = nn.Conv2d(3, 8, (3, 3), (1, 1), (1, 1), 1, 1, True)",
        ),
        ("self.stem = nn.Conv2d(3, 8, 3, padding=1)", 'self.stem = nn.Conv2d(3, 8, 3, padding="same")'),
        ("self.bn1 = nn.BatchNorm2d(c)", "self.bn1 = nn.BatchNorm2d(num_features=c, eps=1e-05)"),
        ("torch.flatten(x, 1)", "x.flatten(1)"),
        ("torch.flatten(x, 1)", "torch.flatten(x, start_dim=1)"),
        ("if self.training:\n            aux = self.aux(x)", "aux = self.aux(x) if self.training else None"),
        ("*[Unit(16, 16) for _ in range(2)]", "*[Unit(c, c) for c in (16, 16)]"),
        ("*[Unit(16, 16) for _ in range(2)]", "Unit(16, 16), Unit(16, 16, s=1)"),
        ("early, aux)", "aux=aux, early=early)"),
        ("class Unit(nn.Module)", "class Unit(nn.Sequential)"),
        ("x = self.dropout(self.gap(x))", "x = self.gap(x)\n        x = self.dropout(torch.flatten(x, 1))"),
    ],
)
def test_the_same_in_other_words_is_right(old: str, new: str) -> None:
    assert told(BLOCK_PROGRAM, changed(BLOCK_TEXT, old, new)) == []
