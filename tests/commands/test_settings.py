"""`--input` and `--set` as other tools would have them: the message says what to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.running import run

POOLED = "INPUT 32x32x3 -> [CONV3-8 -> POOL2]*4 -> AVGPOOL(out=2x2) -> FC-10\n"
"""Three rows are too few for four poolings."""
GLOBAL = "INPUT 32x32x3 -> CONV3-8 -> GAP -> FC-10\n"
"""This takes a map of any size."""
FAMILY = "net F(n=1)\nINPUT 32x32x3 -> [CONV3-8]*n -> FC-10\n"


@pytest.mark.parametrize(
    "given",
    ["224,224,3", "[224,224,3]", "224 224 3", "224X224X3", "224*224*3", "(3, 224, 224)", "1,3,224,224"],
)
def test_extents_are_joined_by_x(given: str) -> None:
    result = run("stats", "-", "--input", given, stdin=GLOBAL)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[0].endswith("; write --input 224x224x3")


@pytest.mark.parametrize("given", ["224x224x", "224x224x-3", "224x224x0", "", "hd"])
def test_what_is_no_shape(given: str) -> None:
    result = run("stats", "-", "--input", given, stdin=GLOBAL)
    assert result.exit_code == 2
    assert f"as in --input 224x224x3, not {given!r}" in result.stderr


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("3x224x224", "3x224x224 has 224 channels, since channels come last"),
        ("1x3x224x224", "1x3x224x224 is a volume of depth 1, since a shape has no batch size"),
        ("1x224x224x3", "1x224x224x3 is a volume of depth 1, since a shape has no batch size"),
        ("224x224", "224x224 is a line of 224 positions with 224 channels"),
        ("224", "224 is a vector of 224 values"),
    ],
)
def test_an_order_that_does_not_compile_is_said_to_be_another(given: str, rule: str) -> None:
    Path("net.cnn").write_text(POOLED)
    for options in (("--input", given), ("--set", f"input={given}")):
        result = run("stats", "net.cnn", *options)
        assert (result.exit_code, result.stdout) == (1, "")
        first, help = result.stderr.splitlines()
        assert first == f"error[E0501]: cannot set `input={given}`: {rule}"
        assert help.strip() == "= help: write --input 224x224x3"
    assert run("stats", "net.cnn", "--input", "224x224x3").stderr == ""


@pytest.mark.parametrize("given", ["3x224x224", "224x224"])
def test_an_order_that_compiles_is_doubted(given: str) -> None:
    Path("net.cnn").write_text(GLOBAL)
    result = run("stats", "net.cnn", "--input", given)
    assert result.exit_code == 0
    assert result.stderr.endswith("; --input 224x224x3 may be meant\n")
    assert run("stats", "net.cnn", "--input", "2x224x3").stderr == ""


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("n=1-3", "n=1..3"),
        ("n=1:3", "n=1..3"),
        ("n=1...3", "n=1..3"),
        ("n=1to3", "n=1..3"),
        ("n in 1..3", "n=1..3"),
        ("n: 1-3", "n=1..3"),
        ("n=range(1, 4)", "n=1..3"),
        ("n=range(1, 8, 2)", "n=1,3,5,7"),
        ("n=[1,2,3]", "n=1,2,3"),
        ("n=1 2 3", "n=1,2,3"),
        ("n=1;2;3", "n=1,2,3"),
        ("n=1,,3", "n=1,3"),
    ],
)
def test_the_values_to_sweep_over(given: str, meant: str) -> None:
    result = run("sweep", "-", "--set", given, stdin=FAMILY)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines()[0].endswith(f"; write --set {meant}")
    assert run("sweep", "-", "--set", meant, stdin=FAMILY).exit_code == 0


@pytest.mark.parametrize("given", ["n=1,2,3", "n=1, 2, 3", "n={1,2,3}", "n=1..3"])
def test_values_need_no_quotes(given: str) -> None:
    rows = run("sweep", "-", "--set", given, "--columns", "depth", stdin=FAMILY).stdout.split("\n")[1:4]
    # Each iteration is a convolution; FC is one more layer with weights.
    assert [row.split() for row in rows] == [["1", "2"], ["2", "3"], ["3", "4"]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("classes:10", "write --set classes=10"),
        ("classes 10", "write --set classes=10"),
        ("classes==10", "write --set classes=10"),
        ("a=1,b=2", "--set a=1 --set b=2"),
        ("n=1..3", "`cnndsl sweep --set n=1..3` tries several"),
        ("n=1,2", "`cnndsl sweep --set n=1,2` tries each"),
    ],
)
def test_a_setting_of_another_form(given: str, message: str) -> None:
    result = run("stats", "-", "--set", given, stdin=FAMILY)
    assert result.exit_code == 1
    assert message in result.stderr
