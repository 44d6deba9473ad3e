"""The constructor's arguments, held against what the compiler makes of them."""

from __future__ import annotations

import pytest

from tests.emit.torch.verify.support import network, refused


def differences(program: str, text: str) -> list[str]:
    return [each.message for each in refused(program, text)]


FC = "INPUT 8x8x4 -> FLATTEN -> fc: FC-{width}"


def fc(width: str, arguments: str, before: str = "pass") -> str:
    return network(f"{before}\nself.fc = nn.Linear(256, {width})", "return self.fc(torch.flatten(x, 1))", arguments)


@pytest.mark.parametrize(
    ("head", "width", "text"),
    [
        ("net N(n=10)", "n", fc("n", ", n: int = 10")),
        ("net N(n in 8..20 = 10)", "{2*n + 1}", fc("2 * n + 1", ", n: int = 10")),
        ("net N(n=10)", "{2*n + 1}", fc("21", "")),
        ("net N(n=10)", "{n/2}", fc("n // 2", ", n: int = 10", "if n % 2:\n    raise ValueError(n)")),
        ("net N(n in 8..12 = 10, m in 2..4 = 3)", "{n*m}", fc("m * n", ", n: int = 10, m: int = 3")),
        ("net N(class=10)", "class", fc("class_", ", class_: int = 10")),
        ("net N(n in 5..20 = 10)", "n", fc("n", ", n: int = 10")),
        ("net N(b in {yes, no} = yes)", "{10}", fc("10", ", b: bool = True")),
        ("net N(w in {0.25, 0.5, 1} = 0.5)", "{8*w}", fc("int(8 * w)", ", w: float = 0.5")),
    ],
)
def test_right_arguments(head: str, width: str, text: str) -> None:
    assert differences(f"{head}\n{FC.replace('{width}', width)}", text) == []


@pytest.mark.parametrize(
    ("head", "width", "text", "message"),
    [
        ("net N(n=10)", "n", fc("10", ", n: int = 10"), "with n=9, `self.fc` is Linear(256, 10)"),
        (
            "net N(n=10)",
            "{2*n + 1}",
            fc("2 * n + 1", ", n: int = 10"),
            "with n=10.5, `Linear` is given out_features=22.0",
        ),
        ("net N(n=10)", "n", fc("n", ", n: int = 11"), "the default of `n` is 11, expected 10"),
        ("net N(n=10)", "n", fc("n", ", n: int = 10, m: int = 3"), "`m` is no parameter of the net"),
        ("net N(n=10)", "{n/2}", fc("n // 2", ", n: int = 10"), "the class accepts n=11, which the compiler refuses"),
        (
            "net N(n=10)",
            "n",
            fc("n", ", n: int = 10", "if n > 11:\n    raise ValueError(n)"),
            "refuses what the compiler",
        ),
        (
            "net N(n in 1..32 = 10)",
            "{min(max(n, 2), 16)}",
            fc("2 if n == 1 else 16 if n > 11 else 10", ", n: int = 10"),
            "with n=9",
        ),
        ("net N(n=10, m=3)", "{n + m}", fc("n + 3", ", n: int = 10, m: int = 3"), "with m=2"),
        ("net N(n=10, m=3)", "{n*m - 3*n - 10*m + 60}", fc("30", ", n: int = 10, m: int = 3"), "with n=9, m=2"),
        ("net N(w in {0.25, 0.5, 1} = 0.5)", "{8*w}", fc("8 * w", ", w: float = 0.5"), "out_features=2.0"),
        ("net N(w=0.5)", "{ceil(8*w)}", fc("int(8 * w)", ", w: float = 0.5"), "with w=0.3"),
        ("net N(b in {yes, no} = yes)", "{10 if b else 11}", fc("10", ", b: bool = True"), "with b=no"),
    ],
)
def test_wrong_arguments(head: str, width: str, text: str, message: str) -> None:
    program = f"{head}\n{FC.replace('{width}', width)}"
    if " if " in width:
        program = f"{head}\nINPUT 8x8x4 -> FLATTEN -> fc: [FC-10 if b else FC-11]".replace("fc: [", "[").replace(
            "FLATTEN ->", ""
        )
        text = network(
            "self.add_module('0', nn.Linear(256, 10))", "return self.fc(torch.flatten(x, 1))", ", b: bool = True"
        )
        text = text.replace("nn.Module", "nn.Sequential").replace("self.fc(", "self[0](")
    assert any(message in each for each in differences(program, text))


def test_shapes_refuse_too() -> None:
    """A window that grows beyond its map is refused by the compiler, and by PyTorch when it runs."""
    program = "net N(k=8)\nINPUT 8x8x4 -> a: CONV{k}-4(pad=valid)"
    text = network("self.a = nn.Conv2d(4, 4, k)", "return self.a(x)", ", k: int = 8")
    assert differences(program, text) == []
    loose = network("self.a = nn.Conv2d(4, 4, min(k, 8))", "return self.a(x)", ", k: int = 8")
    assert any("the class accepts k=9" in each for each in differences(program, loose))


def test_kinds_are_classes() -> None:
    program = "net N(act in {RELU, TANH} = RELU)\nINPUT 8x8x4 -> a: CONV1-4 -> b: act"
    init = "self.a = nn.Conv2d(4, 4, 1)\nself.b = {}()"
    forward = "return self.b(self.a(x))"
    text = network(init.format("act"), forward, ", act: type[nn.Module] = None")
    assert any("no argument" in each or "default" in each for each in differences(program, text))
    fixed = network(init.format("nn.ReLU"), forward)
    assert differences(program, fixed) == []
