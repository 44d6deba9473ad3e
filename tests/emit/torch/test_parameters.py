"""Parameters of the module around a layer, `SCALE(bias=no, parameter=map)`: names, text, values."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnndsl.errors import CnnError
from cnndsl.network import loads
from cnndsl.testing.oracle import differences, network_class


class Block(nn.Module):
    """A block of ConvNeXt with convolutions of 1x1, written by hand."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.BatchNorm2d(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("fc1", nn.Conv2d(width, 4 * width, 1))
        self.mlp.add_module("act", nn.GELU())
        self.mlp.add_module("fc2", nn.Conv2d(4 * width, width, 1))
        self.gamma = nn.Parameter(1e-6 * torch.ones(width))
        self.layer_scale = nn.Parameter(0.1 * torch.ones(width, 1, 1))
        self.gain = nn.Parameter(torch.tensor(0.0))

    def forward(self, x: Tensor) -> Tensor:
        y = self.mlp(self.norm(self.conv_dw(x)))
        return x + y * self.gamma[:, None, None] * self.layer_scale * self.gain


BLOCK = """
net N(start=0.1)
block Unit(c) = (
  ID
+ [ conv_dw: DWCONV7 -> norm: BN -> mlp: [fc1: CONV1-{4*c} -> act: GELU -> fc2: CONV1-c]
    -> gamma: SCALE(bias=no, init=1e-6, parameter=vector)
    -> layer_scale: SCALE(bias=no, init=start, parameter=map)
    -> gain: SCALE(bias=no, init=0, parameter=number) ]
)
INPUT 8x8x6 -> [Unit(6)*2]
"""


def test_a_block_loads_the_weights_of_a_module_written_by_hand() -> None:
    theirs = nn.Sequential(Block(6), Block(6)).double()
    ours = loads(BLOCK).module().double()
    fresh = {name: value.clone() for name, value in theirs.state_dict().items() if "ga" in name or "scale" in name}
    assert len(fresh) == 6
    for name, value in fresh.items():
        torch.testing.assert_close(ours.state_dict()[name], value)
    for parameter in theirs.parameters():
        nn.init.normal_(parameter)
    ours.load_state_dict(theirs.state_dict(), strict=True)
    x = torch.randn(3, 6, 8, 8, dtype=torch.float64)
    weights = torch.randn(3, 6, 8, 8, dtype=torch.float64)
    for module in (theirs, ours):
        (module(x) * weights).sum().backward()
    torch.testing.assert_close(ours(x), theirs(x))
    wanted = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, wanted[name].grad)


def test_the_parameters_count_one_tensor_each() -> None:
    network = loads(BLOCK)
    theirs = sum(parameter.numel() for parameter in nn.Sequential(Block(6), Block(6)).parameters())
    assert network.stats().totals.params == theirs


def test_an_argument_may_be_a_whole_number() -> None:
    made = network_class(loads(BLOCK).source())(start=1)
    torch.testing.assert_close(made.get_parameter("0.layer_scale"), torch.ones(6, 1, 1))


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 4x4x3 -> a: SCALE(bias=no, parameter=vector)",
        "INPUT 4x4x3 -> CONV1-4 -> p: SCALE(weight=no, parameter=vector) -> g: SCALE(bias=no, parameter=number)",
        "INPUT 4x4x3 -> a: SCALE(bias=no, parameter=singleton) -> b: SCALE(weight=no, parameter=singleton) -> CONV3-4",
        "INPUT 4x4x3 -> SCALE(shared=yes) -> SCALE(bias=no, shared=yes) -> GAP -> FC-5 -> SCALE(weight=no, shared=yes)",
        "block B(s) = CONV1-4 -> SCALE(shared=s)\nINPUT 4x4x4 -> B(yes) -> B(no)",
        "INPUT 6x2 -> [m{i}: [a: SCALE(bias=no, parameter=map)] -> CONV3-2]*3",
        "INPUT 4x4x3 -> GAP -> FC-5 -> a: SCALE(bias=no, parameter=vector) -> b: SCALE(weight=no, parameter=map)",
        "INPUT 4x4x3 -> for n in 1, 2 [s{n}: [CONV3-{4*n} -> g: SCALE(bias=no, init=n/2, parameter=vector) if n > 1]]",
        "INPUT 4x4x3 -> g: SCALE(bias=no, parameter=map) -> CONV3-3 -> again g",
        "block B(c) = [CONV3-c -> g: SCALE(bias=no, parameter=batch)]\nINPUT 4x4x3 -> B(4) -> B(5)",
        "INPUT 6x2 -> g: SCALE(weight=no, parameter=batch) -> GAP -> FC-5 -> h: SCALE(bias=no, parameter=batch)",
        "INPUT 4x4x3 -> s: (ID | g: SCALE(bias=no, parameter=map)) -> tap t: [h: SCALE(weight=no, parameter=number)]",
        "INPUT 3x3x3x2 -> g: SCALE(bias=no, parameter=vector) -> MUL(ID, g2: SCALE(bias=no, parameter=map))",
        "block B(n) = [CONV3-3 -> g: SCALE(bias=no, init=n, parameter=map) if n > 0]\nINPUT 4x4x3 -> B(0) -> B(0.5)",
    ],
)
def test_emitted_modules_agree_with_a_plain_reading(text: str) -> None:
    assert differences(text) == []


@pytest.mark.parametrize(
    ("text", "said", "help"),
    [
        ("SCALE(bias=no, parameter=map)", "a parameter needs a label", "`gamma: SCALE(bias=no, parameter=map)`"),
        ("gamma: SCALE(parameter=map)", "makes one parameter", "keep the weight: SCALE(bias=no, parameter=map)"),
        ("0: SCALE(bias=no, parameter=map)", "`0` cannot be the name of a parameter", "letters"),
        ('"a-b": SCALE(bias=no, parameter=map)', "`a-b` cannot be the name of a parameter", "letters"),
        (
            "ls.gamma: SCALE(bias=no, parameter=map)",
            "cannot be part of a module that is split",
            "ls: [gamma: …]",
        ),
        ("gamma: SCALE(bias=no, parameter=row)", "one of none, vector, map, batch, number, singleton", ""),
    ],
)
def test_what_cannot_be_a_parameter(text: str, said: str, help: str) -> None:
    with pytest.raises(CnnError) as stop:
        loads(f"INPUT 4x4x3 -> {text} -> CONV3-4")
    (found,) = stop.value.diagnostics
    assert said in found.message
    assert help in found.help
