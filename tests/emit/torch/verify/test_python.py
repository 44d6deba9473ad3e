"""The subset of Python: what is followed, by Python's rules, and what is said to be outside of it."""

from __future__ import annotations

import pytest

from cnndsl.emit.torch.verify import verify
from cnndsl.network import loads
from tests.emit.torch.verify.support import HEAD, network, told

ONE = "INPUT 8x8x4 -> a: CONV3-8"
THREE = "INPUT 8x8x4 -> [CONV3-4 -> RELU]*3"
PAIR = "INPUT 8x8x4 -> a: CONV3-4 -> relu: RELU"


def one(init: str, functions: str = "") -> list[str]:
    """A network of one convolution, made so."""
    text = network(init, "return self.a(x)")
    return told(ONE, text.replace("class Net", f"{functions}class Net") if functions else text)


@pytest.mark.parametrize(
    "init",
    [
        "self.a = nn.Conv2d(4, 8, 3, padding=3 // 2)",
        "c = 4\nself.a = nn.Conv2d(c, 2 * c, 3, padding=1)",
        "c, k = 4, 3\nself.a = nn.Conv2d(c, c + c, k, padding=k // 2)",
        "c = 4\nc *= 2\nself.a = nn.Conv2d(4, c, 3, padding=1)",
        "for c in (2, 4, 8):\n    pass\nself.a = nn.Conv2d(4, c, 3, padding=1)",
        "widths = [c * 2 for c in (1, 2, 4)]\nself.a = nn.Conv2d(4, widths[-1], 3, padding=1)",
        "widths = [c for i, c in enumerate((4, 8)) if i == 1]\nself.a = nn.Conv2d(4, *widths, 3, padding=1)",
        "kind = nn.Conv2d\nself.a = kind(4, 8, 3, padding=1)",
        "if 4 > 3 and not 4 == 5:\n    self.a = nn.Conv2d(4, 8, 3, padding=1)\nelse:\n    raise ValueError('no')",
        "self.a = nn.Conv2d(4, max(8, int(7.9), round(7.6)), 3, padding=1)",
        "setattr_ = 'a'\nself.add_module(f'{setattr_}', nn.Conv2d(4, 8, 3, padding=1))",
        "a = nn.Conv2d(4, 8, 3, padding=1)\nself.a = a",
        "self.c = 8\nself.a = nn.Conv2d(4, self.c, 3, padding=1)",
        "self.a = nn.Identity()\nself.a = nn.Conv2d(4, 8, 3, padding=1)",
        "pairs = zip((4,), (8,), strict=True)\nfor c, d in pairs:\n    self.a = nn.Conv2d(c, d, 3, padding=1)",
    ],
)
def test_constructors_are_followed(init: str) -> None:
    assert one(init) == []


@pytest.mark.parametrize(
    "init",
    [
        "self.a = nn.Conv2d(4, 16 / 2, 3, padding=1)",
        "self.a = nn.Conv2d(4, 16 // 2.0, 3, padding=1)",
        "self.a = nn.Conv2d(4, True + 6, 3, padding=1)",
        "self.a = nn.Conv2d(4, int(0.29 * 100) - 21, 3, padding=1)",
        "self.a = nn.Conv2d(4, c, 3, padding=1)",
        "[c for c in (8,)]\nself.a = nn.Conv2d(4, c, 3, padding=1)",
        "self.a = nn.Conv2d(4, 8, 3, padding=1)\ndel a",
        "print = 3\nself.a = nn.Conv2d(4, 8, len, padding=1)",
        "c = 1 // 0\nself.a = nn.Conv2d(4, 8, 3, padding=1)",
        "c, d = 4, 8, 9\nself.a = nn.Conv2d(4, 8, 3, padding=1)",
        "self.a = nn.Conv2d(4, (4, 8)[2], 3, padding=1)",
        "self.a = nn.Conv2d(4, 8, 3, padding=1)\nself.a = 3",
        "self.type = nn.Conv2d(4, 8, 3, padding=1)",
        "self.b = nn.Conv2d(4, 8, 3, padding=1)",
        "a = nn.Conv2d(4, 8, 3, padding=1)\nself.a = a\nself.b = a",
        "self.a = [nn.Conv2d(4, 8, 3, padding=1)][0:1]",
        "self['a'] = nn.Conv2d(4, 8, 3, padding=1)",
        "self.append(nn.Conv2d(4, 8, 3, padding=1))",
        "raise ValueError('no')",
    ],
)
def test_what_goes_wrong_in_a_constructor_is_told(init: str) -> None:
    assert one(init)


@pytest.mark.parametrize(
    "statement",
    [
        "while True:\n    break",
        "try:\n    pass\nfinally:\n    pass",
        "with x:\n    pass",
        "import os",
        "global c",
        "lambda: 3",
        "exec('3')",
        "getattr(self, 'a')",
        "self.a.weight = 3",
        "c = {1: 2}",
        "c = {1, 2}",
        "c = [a for a in (1,) for b in (2,)]",
        "c = 2**99999",
        "c = 3 @ 4",
        "c = f'{3:02d}'",
        "c = (d := 3)",
        "torch.manual_seed(0)",
        "self.p = nn.Parameter(torch.zeros(3))",
        "self.register_buffer('b', None)",
        "assert True",
        "super().__setattr__('a', 3)",
        "nn.init.zeros_(3)",
        "if self.training is None:\n    raise XValueError('no')",
        "for _ in range(0):\n    raise TypeError('no')",
        "if 1 > 2:\n    raise ValueError",
        "if 1 > 2:\n    raise ValueError('no') from None",
    ],
)
def test_what_is_not_understood_is_told(statement: str) -> None:
    assert one(f"self.a = nn.Conv2d(4, 8, 3, padding=1)\n{statement}")


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "from os import path",
        "import torch.nn.functional",
        "torch.manual_seed(0)",
        "x = 3",
        "class Net(object):\n    pass",
        "class Other(Net):\n    pass",
        "async def f():\n    pass",
        "def f(*args):\n    return 3",
        "def f(a=[]):\n    return 3",
        "def f(a: Unknown):\n    return 3",
        "@staticmethod\ndef f():\n    return 3",
        "class Scale(nn.Module):\n    def extra_repr(self) -> str:\n        return ''",
        "from torch import nn",
        "def nn():\n    return 3",
    ],
)
def test_what_is_not_understood_in_the_file_is_told(line: str) -> None:
    text = network("self.a = nn.Conv2d(4, 8, 3, padding=1)", "return self.a(x)").replace(
        "class Net", f"{line}\n\n\nclass Net"
    )
    assert told(ONE, text)


def test_functions_of_the_text_are_followed() -> None:
    double = "def double(value: float, by: int = 2) -> int:\n    if value < 0:\n        raise ValueError(value)\n"
    double += "    return int(value * by)\n\n\n"
    assert one("self.a = nn.Conv2d(4, double(4), 3, padding=1)", double) == []
    assert one("self.a = nn.Conv2d(4, double(value=2, by=4), 3, padding=1)", double) == []
    assert one("self.a = nn.Conv2d(4, double(5), 3, padding=1)", double)
    assert one("self.a = nn.Conv2d(4, double(-4), 3, padding=1)", double) == [
        "line 8: the class refuses these arguments"
    ]
    assert one("self.a = nn.Conv2d(4, double(4, 2, 2), 3, padding=1)", double)


@pytest.mark.parametrize(
    "forward",
    [
        "for layer in self.layers:\n    x = layer(x)\nreturn x",
        "a, b, c, d, e, f = self.layers\nreturn f(e(d(c(b(a(x))))))",
        "for at in range(5):\n    x = self.layers[at](x)\nreturn self.layers[-1](x)",
        "return self.layers(x)",
    ],
)
def test_children_are_called_in_many_ways(forward: str) -> None:
    program = "INPUT 8x8x4 -> layers: [[CONV3-4 -> RELU]*3]"
    layers = "[nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), "
    kind = "nn.Sequential(*" if "return self.layers(x)" in forward else "nn.ModuleList("
    text = network(f"self.layers = {kind}{layers}nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()])", forward)
    assert told(program, text) == []


def test_containers_number_their_children() -> None:
    text = HEAD + (
        "class Net(nn.Sequential):\n    def __init__(self) -> None:\n        super().__init__()\n"
        "        for _ in range(3):\n            self.append(nn.Conv2d(4, 4, 3, padding=1))\n"
        "            self.append(nn.ReLU())\n"
    )
    assert told(THREE, text) == []
    assert told(THREE, text.replace("self.append(nn.ReLU())", "self.add_module('relu', nn.ReLU())"))
    assert told(THREE, text.replace("range(3)", "range(2)"))
    assert told(THREE, text.replace("nn.Sequential", "nn.ModuleList")) == ["line 6: `Net` has no `forward`"]


def test_a_list_in_forward_collects_tensors() -> None:
    program = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (@a | ID)"
    init = "self.a = nn.Conv2d(4, 4, 3, padding=1)\nself.b = nn.Conv2d(4, 4, 3, padding=1)"
    forward = "xs = [self.a(x)]\nxs.append(self.b(xs[-1]))\nreturn torch.cat(xs, 1)"
    assert told(program, network(init, forward)) == []
    assert told(program, network(init, forward.replace("xs[-1]", "x")))


@pytest.mark.parametrize(
    "forward",
    [
        "return self.relu(self.a(y))",
        "y = self.a(x)\ndel y\nreturn self.relu(y)",
        "if x:\n    return self.relu(self.a(x))\nreturn x",
        "self.relu(self.a(x))",
        "return self.relu(self.a)",
        "return self.relu(self.a(x), x)",
        "return self.relu()",
        "return self.missing(self.a(x))",
        "return torch.relu(self.a(x))",
        "return self.relu(self.a(x)).relu()",
        "return self.forward(x)",
        "return self(x)",
        "return nn.ReLU()(self.a(x))",
        "self.b = 3\nreturn self.relu(self.a(x))",
        "x = yield x",
        "return self.relu(self.a(x)), None",
        "return None",
        "return [self.relu(self.a(x))]",
        "return (self.relu(self.a(x)),)",
        "return self.relu(self.a(x)) if x.shape[0] > 1 else x",
    ],
)
def test_what_goes_wrong_in_forward_is_told(forward: str) -> None:
    init = "self.a = nn.Conv2d(4, 4, 3, padding=1)\nself.relu = nn.ReLU()"
    assert told(PAIR, network(init, "return self.relu(self.a(x))", takes="x: Tensor")) == []
    assert told(PAIR, network(init, forward))


def test_a_helper_whose_text_differs_is_not_taken_as_it_is() -> None:
    program = "INPUT 8x8x4 -> TIMES(0.2)"
    graph = loads(program).graph
    from cnndsl.layers import HELPERS

    helper = HELPERS["Times"]
    text = (
        HEAD
        + helper
        + "\n\nclass Net(nn.Sequential):\n    def __init__(self) -> None:\n        super().__init__(Times(0.2))\n"
    )
    found = verify(text, graph)
    assert found.agrees
    assert found.trusted == ("Times",)
    for wrong in (
        text.replace("x * self.by", "x + self.by"),
        text.replace("import functional as F", "import functional as G"),
    ):
        changed = verify(wrong.replace("nn.Module):", "nn.Module):", 1), graph)
        assert changed.agrees is ("x * self.by" in wrong)
    assert not verify(text.replace("Times(0.2))", "Times(0.25))"), graph).agrees
    assert not verify(text.replace("from torch import Tensor, nn", "from torch import Tensor"), graph).agrees


ODD = """class Odd(nn.Module):
    def __init__(self, by: int = 2) -> None:
        super().__init__()
        self.by = 2**by

    def forward(self, x: Tensor) -> Tensor:
        return x << self.by
"""


def test_a_class_of_a_plugin_is_taken_where_its_text_is_known() -> None:
    graph = loads("INPUT 8x8x4 -> a: CONV3-8").graph
    text = network("self.a = Odd(3)", "return self.a(x)").replace("class Net", f"{ODD}\n\nclass Net")
    found = verify(text, graph, plugins={"Odd": ODD})
    assert found.trusted == ("Odd",)
    assert "Odd(('by', 3))" in str(found.differences[0])
    assert verify(text, graph).trusted == ()


@pytest.mark.parametrize(
    ("init", "statement", "right"),
    [
        ("kaiming", "nn.init.kaiming_normal_(self.a.weight, mode='fan_out', nonlinearity='relu')", True),
        ("kaiming", "nn.init.kaiming_normal_(self.a.weight)", False),
        ("kaiming", "pass", False),
        ("default", "nn.init.kaiming_normal_(self.a.weight, mode='fan_out', nonlinearity='relu')", False),
        ("xavier_uniform", "nn.init.xavier_uniform_(self.get_parameter('a.weight'))", True),
        ("xavier_uniform", "nn.init.xavier_uniform_(self.get_parameter('a.bias'))", False),
        (
            "normal",
            "for m in self.modules():\n    if isinstance(m, nn.Conv2d):\n        nn.init.normal_(m.weight, std=0.01)",
            True,
        ),
        (
            "normal",
            "for m in self.modules():\n    if isinstance(m, nn.Linear):\n        nn.init.normal_(m.weight, std=0.01)",
            False,
        ),
        ("trunc_normal", "for n in ('a.weight',):\n    nn.init.trunc_normal_(self.get_parameter(n), std=0.02)", True),
        ("zeros", "nn.init.ones_(self.a.weight)\nnn.init.zeros_(self.a.weight)", True),
        ("zeros", "nn.init.zeros_(self.a.weight)\nnn.init.ones_(self.a.weight)", False),
        ("zeros", "nn.init.zeros_(self.a.weight)\nnn.init.zeros_(self.a.bias)", False),
    ],
)
def test_how_weights_are_drawn(init: str, statement: str, right: bool) -> None:
    text = network(f"self.a = nn.Conv2d(4, 8, 3, padding=1)\n{statement}", "return self.a(x)")
    assert (told(f"INPUT 8x8x4 -> a: CONV3-8(init={init})", text) == []) is right
