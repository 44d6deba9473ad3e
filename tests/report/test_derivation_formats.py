"""The written arithmetic in each format, on the command line, and where there is much of it or none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cnndsl
from cnndsl.report.math_notation import as_math
from tests.commands.running import run
from tests.report.test_derivation import BOARD, check


def test_the_command(tmp_path: Path) -> None:
    assert "(227 - 11 + 2*0)/4 + 1 = 55" in run("stats", "-", "--format", "derivation", stdin=BOARD).stdout
    for name, begins in (("a.md", "# "), ("a.tex", "% "), ("a.txt", "")):
        assert run("stats", "-", "--format", "derivation", "-o", str(tmp_path / name), stdin=BOARD).exit_code == 0
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert text.startswith(begins)
        assert (r"\frac{227 - 11 + 2\cdot 0}{4} + 1 = 55" in text) == bool(begins)


def test_the_example_of_the_documentation() -> None:
    """In docs/cli.md, after the command that prints it."""
    page = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
    program, example = re.findall(
        r'\$ echo "(.*)" \| cnndsl stats - --format derivation\n    …\n((?:    .*\n)+)', page
    )[0]
    assert re.sub(r"(?m)^    ", "", example) in run("stats", "-", "--format", "derivation", stdin=program).stdout


@pytest.mark.parametrize("option", [("--by", "kind"), ("--depth", "2"), ("--sort", "params"), ("--batch", "4")])
def test_what_a_derivation_has_no_room_for_is_a_misuse(option: tuple[str, str]) -> None:
    result = run("stats", "-", "--format", "derivation-latex", *option, stdin=BOARD)
    assert result.exit_code == 2
    assert "are for the tables" in result.stderr


@pytest.mark.parametrize("text", ["1 +", "(2", "2)", "floor(2", "a_b", "$", "2 2", "*2"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        as_math(text)


def test_many_branches_are_no_matter() -> None:
    """A sum of 3000 terms, in all formats; of the operands' shapes the first three and the last are shown."""
    stats = cnndsl.loads(f"INPUT 2x2x1 -> ({' | '.join(['ID'] * 3000)})").stats()
    for end in ("", "-markdown", "-latex"):
        assert "…, " in (text := stats.render(f"derivation{end}")) or "ldots" in text


def test_a_formula_of_another_package_that_is_no_expression_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnndsl.layers.conv.Conv.weights_formula", lambda *_: "k^2 & $C")
    stats = cnndsl.loads(BOARD).stats()
    assert "k^2 & $C + 96 = 34,944" in stats.render("derivation")
    assert r"\text{k\textasciicircum{}2 \& \$C + 96} = 34{,}944" in stats.render("derivation-latex")


def test_a_layer_type_without_formulas_has_its_tensors_and_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one of another package: the weight of 96x3x11x11 values, the multiply-adds without a product."""
    for name in ("weights_formula", "macs_formula"):
        monkeypatch.setattr(f"cnndsl.layers.conv.Conv.{name}", lambda *_: "")
    text = cnndsl.loads(BOARD).stats().render("derivation")
    assert "  params         96*3*11*11 + 96 = 34,944\n  multiply-adds  105,415,200\n" in text


def test_a_long_sum_has_several_rows_in_latex() -> None:
    """Parameters of five convolutions and three dense layers, eight terms, of which six are in a row."""
    latex = cnndsl.load("alexnet").stats().render("derivation-latex")
    assert "+ 37{,}752{,}832 \\\\\n & \\quad {} + 16{,}781{,}312 + 4{,}097{,}000 = 61{,}100{,}840" in latex


def test_totals_leave_layers_out_that_add_nothing() -> None:
    """By hand: CONV3-4 on 3 channels has 112 parameters, on 4 channels 148; the poolings between have none."""
    found = check(cnndsl.loads("INPUT 16x16x3 -> CONV3-4 -> [POOL2 -> RELU]*2 -> [CONV3-4 -> RELU]*2"))
    assert found[-1].lines["params"] == ["112 + 2*148 = 408"]


def test_a_field_that_is_a_bound_says_so() -> None:
    net = "INPUT 6000x1 -> (CONV3-2 + CONV2-2/2 -> UPSAMPLE2(mode=linear, align=yes)) -> [CONV3-2 -> CONV1-2]*2"
    text = run("stats", "-", "--format", "derivation", stdin=net).stdout
    # Two positions of CONV2-2/2 see 4 positions, and pairs of units share a box: 6, one of the input further on.
    assert "r = 5 - 0 + 1 = 6 (at most), j = 2*2999/5999" in text
    assert "r = max(6, 3) = 6 (at most), j = 1" in text
    assert "r = 1 + (3 - 1)*1 = 3, j = 1*1 = 1" in text
    fields = [paragraph.lines.get("field", [""])[0] for paragraph in check(cnndsl.loads(net))]
    assert sum("(at most)" in each for each in fields) >= 3
    assert r"= 6\ \text{(at most)}" in run("stats", "-", "--format", "derivation-latex", stdin=net).stdout


def test_the_names_of_many_operands_are_broken_into_lines() -> None:
    branches = " | ".join(f"a_branch_with_a_long_name{at}: CONV1-2" for at in range(4))
    text = run("stats", "-", "--format", "derivation-latex", stdin=f"INPUT 8x8x3 -> ({branches})").stdout
    (row,) = [line for line in text.splitlines() if line.startswith(r"\text{operands}")]
    assert re.search(r"& \\parbox\[t\]\{\.75\\linewidth\}\{\\raggedright a\\_branch.*\} \\\\$", row)
    short = run("stats", "-", "--format", "derivation-latex", stdin="INPUT 8x8x3 -> (a: CONV1-2 | b: CONV1-2)").stdout
    assert r"\text{a, b}" in short
