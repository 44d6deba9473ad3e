"""Arguments mean what they say: the class made with them is what the compiler makes of the same settings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import cnndsl
from cnndsl.emit.torch.verified import argument_differences
from cnndsl.emit.torch.verify import verify
from cnndsl.finding import find
from cnndsl.network import graph_of
from cnndsl.values import Value
from tests.bundled import HEAVY, ZOO
from tests.commands.running import run

FAMILIES: dict[str, list[dict[str, Value]]] = {
    "cifar_densenet": [{"k": 24}, {"L": 250, "k": 24}, {"L": 190, "k": 40, "classes": 100}],
    "cifar_resnet": [{"layers": 32}, {"projection": True}, {"layers": 110, "projection": True, "classes": 100}],
    "mobilenet_v1": [{"width": Fraction(1, 4)}, {"width": Fraction(1, 2)}, {"width": Fraction(3, 4), "classes": 10}],
    "preact_resnet": [{"layers": 1001}, {"classes": 100}, {"layers": 1001, "classes": 7}],
    "resnet_orders": [{"order": each, "layers": layers} for each in (1, 2, 3, 4) for layers in (20, 164)],
    "wrn": [{"layers": 16, "k": 1}, {"dropout": Fraction(3, 10)}, {"layers": 40, "k": 4, "dropout": Fraction(1, 2)}],
    "ghostnet": [{"width": Fraction(1, 2), "classes": 10}],
    "googlenet": [{"aux": False, "classes": 10}],
    "hrnet": [{"w": 32}],
    "mobilenet_v2": [{"width": Fraction(7, 5)}],
    "repvgg": [{"widths": (2, 2, 2, 4), "depths": (4, 6, 16, 1)}],
    "resnext": [{"groups": 2, "width": 40}, {"groups": 1, "width": 64, "depths": (3, 24, 36, 3), "classes": 10}],
    "tcn": [{"levels": 4, "c": 150, "k": 3}],
    "wavenet": [{"cycles": 2, "layers": 5}],
}


@pytest.mark.parametrize("name", ZOO)
def test_every_argument_of_every_bundled_network(name: str) -> None:
    net, program = cnndsl.load(name), find(name)
    differences = argument_differences(net.source(), net.graph, lambda settings: graph_of(program, settings))
    assert [str(each) for each in differences] == []


@pytest.mark.parametrize(
    ("name", "at"),
    [
        pytest.param(name, at, marks=[pytest.mark.slow] if at or name in HEAVY else [])
        for name, several in FAMILIES.items()
        for at in range(len(several))
    ],
)
def test_families_at_other_settings(name: str, at: int) -> None:
    settings, program = FAMILIES[name][at], find(name)
    net = cnndsl.load(name, **settings)
    text = net.source()
    assert verify(text, net.graph).agrees
    differences = argument_differences(text, net.graph, lambda given: graph_of(program, given))
    assert [str(each) for each in differences] == []


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("net N(p=0.1) INPUT 8x8x4 -> LEAKYRELU(p)", True),
        ("net N(p=0.1) INPUT 8x8x4 -> LEAKYRELU(p/2) -> LEAKYRELU(p)", False),
        ("net N(p=0.1) INPUT 8x8x4 -> [CONV1-4 -> LEAKYRELU(p*i)]*3", False),
        ("net N(n=10) INPUT 8x8x4 -> CONV1-n -> LN(affine=no)", True),
        ("net N(n=10) INPUT 8x8x4 -> FC-{n/2}", True),
        ("net N(n=100) INPUT 8x8x4 -> FC-{0.29*n}", False),
        ("net N(n in 1..1000=100) INPUT 8x8x4 -> FC-{0.29*n}", True),
        ("net N(n in 1..1000=100) INPUT 8x8x4 -> FC-{3*(n + 5)}", True),
        ("net N(w=1) INPUT 8x8x4 -> FC-{ceil(8*w)}", False),
        ("net N(p=1/8) default DROPOUT(p) INPUT 8x8x4 -> CONV1-4 -> DROPOUT", True),
        ("net N(p=0.1) default BN(momentum=p) INPUT 8x8x4 -> CONV1-4 -> BN -> DROPOUT(p)", True),
        ("net N(k=3) INPUT 8x8x4 -> CONV{k}x1-4 -> FC-k", False),
        ("net N(n=4) INPUT 8x8x4 -> for c in n, 2*n [CONV1-c] -> FC-n", False),
        ("net N(n in {4, 8}=4) block U(c, m=2*n) = CONV1-c -> GAP -> FC-m INPUT 8x8x4 -> U(4)", True),
        ("net N(n=3) INPUT 6 -> (RELU if n == 1 | FC-n)", False),
        ("net N(n=3) INPUT 8x8x4 -> (CONV-4 + x: [CONV1-4] if n > 5 + ID) -> GAP -> FC-n", False),
        ("net N(n=3) block B(m) = (CONV-4 + CONV1-4 if m > 5) INPUT 8x8x4 -> B(2*n) -> GAP -> FC-n", False),
        ("net N(w in {0.5, 1}=1) INPUT 8x8x4 -> FC-{8*w}", False),
        ("net N(n=4) INPUT 8x8x{n} -> CONV1-n", False),
        ("net N(n=8) let m = 2*n INPUT 8x{m}x3 -> FC-n", False),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> BN -> RELU -> DWCONV3 -> CONV1-8", True),
        ("net N(n=4) INPUT 8x8x4 -> (CONV3-n | CONV3-8 | ID) -> CONV3-2", True),
        ("net N(n=4) INPUT 8x8x4 -> s: CONV3-n -> (@s | POOL2 -> UPSAMPLE(out=@s)) -> FC-5", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-n + ID) -> FLATTEN -> FC-5", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-4 + ID)", False),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> MUL(ID, GAP -> CONV1-n -> SIGMOID) -> FC-5", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> MUL(ID, CONV1-1 -> SIGMOID) -> FC-5", False),
        ("net N(n in 1..64=4) block B = CONV3-{2*C} -> CONV3-{C/2} INPUT 8x8x4 -> CONV3-{2*n} -> B -> B", True),
        ("net N(n in 1..64=4) block B = SLICE(0, C//2) -> CONV3-C INPUT 8x8x4 -> CONV3-{2*n} -> B -> B", True),
        (
            "net N(n in 1..9=4) let w = (8, 6) block B(b=max(w[2], n)) = CONV3-b INPUT 8x8x4 -> B -> FC-3",
            True,
        ),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-8 + ID or CONV1-8)", False),
        ("net N(n in {4, 6}=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-8 + ID or CONV1-8)", True),
        ("net N(n in {4, 8}=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-8 + ID or CONV1-8)", False),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-8/2 + ID or CONV1-8/2)", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> (CONV3-n + ID or CONV1-n)", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> CONV3-2 if C > 3", False),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> [CONV3-4]*{C//2}", False),
        ("net N(n=4) block U(c) = (CONV3-c + ID or CONV1-c) INPUT 8x8x4 -> CONV3-n -> U(4) -> U(n)", False),
        ("net N(n in {6, 8}=6) block U(c) = (CONV3-c + ID or CONV1-c) INPUT 8x8x4 -> CONV3-n -> U(4) -> U(n)*2", True),
        ("net N(n=4) INPUT 8x8x4 -> CONV3-n -> a: CONV3-n -> again a -> FC-5", True),
        ("net N(n=4) INPUT 8x8x4 -> a: CONV3-4 -> CONV3-n -> again a -> FC-5", False),
    ],
)
def test_which_parameters_are_offered(text: str, offered: bool) -> None:
    net = cnndsl.loads(text)
    name = next(iter(net.graph.settings))
    source = net.source()
    signature = source[source.rindex("def __init__(self") :].splitlines()[0]
    assert (f" {name}: " in signature) is offered
    differences = argument_differences(source, net.graph, lambda given: graph_of(net.graph.source, given))
    assert [str(each) for each in differences] == []
    if not offered:
        assert f"with {name} = " in source


def test_numbers_that_are_equal_by_accident_are_not_tied() -> None:
    text = "block U(c) = CONV3-c -> RELU -> CONV3-16\nINPUT 8x8x3 -> U(16)"
    assert "nn.Conv2d(c, 16, 3, padding=1)" in cnndsl.loads(text).source()


def test_a_value_that_the_program_refuses_is_a_value_error(tmp_path: Path) -> None:
    program = tmp_path / "net.cnn"
    program.write_text(
        "net N(n=10, m in {4, 8}=4, p in 1..9=2)\nINPUT 8x8x3 -> tap t: FC-{n/2} -> tap u: FC-m -> FC-p\n"
    )
    done = run("compile", str(program), "--check-arguments", "-o", str(tmp_path / "net.py"))
    assert done.exit_code == 0, done.output
    names: dict[str, object] = {}
    exec((tmp_path / "net.py").read_text(), names)
    made = names["N"]
    assert callable(made)
    for wrong in ({"n": 21}, {"m": 6}, {"p": 10}):
        with pytest.raises(ValueError, match=r"multiple of 2|one of 4, 8|from 1 to 9"):
            made(**wrong)
