"""The arithmetic written out: every printed equation is evaluated here and compared with the figures of `stats`.

The text is read again by this file's own patterns. Its expressions are Python's, so that Python evaluates them; those
of LaTeX are translated back.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import cnndsl
from cnndsl.network import Network
from cnndsl.report.derivation import derivations
from cnndsl.report.math_notation import as_math
from cnndsl.testing import programs
from tests.bundled import ZOO
from tests.commands.running import run

BOARD = "INPUT 227x227x3 -> conv: CONV11-96/4(pad=0) -> RELU -> pool: POOL3/2 -> FC-10"


def value(expression: str) -> Fraction:
    """What Python gives for an expression of whole numbers: exact, a quotient is a fraction."""
    text = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", expression)
    assert re.fullmatch(r"(\d|[-+*/(), ]|floor|ceil|max|min)+", text), expression
    exact = re.sub(r"\d+", lambda found: f"F({found[0]})", text)
    names = {"F": Fraction, "floor": math.floor, "ceil": math.ceil, "max": max, "min": min, "__builtins__": {}}
    return Fraction(eval(exact, names))


@dataclass
class Paragraph:
    """A layer of the text: the line above, and the lines by their names."""

    head: str
    lines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def results(self, name: str) -> list[Fraction]:
        """The number on the right of each equation of a line, checked against the expressions to the left of it."""
        found: list[Fraction] = []
        for equation in self.lines.get(name, []):
            text = re.sub(r" (bytes|\(remainder \d+\)|\(at most\))$", "", equation)
            sides = [side for side in text.split(" = ") if side not in ("r", "j")]
            numbers = [value(side) for side in sides]
            assert len(set(numbers)) == 1, equation
            found.append(numbers[-1])
        return found


def paragraphs(text: str) -> list[Paragraph]:
    """The layers of a text; lines that go on further in belong to the one before."""
    found: list[Paragraph] = []
    for block in text.split("\n\n")[2:]:
        head, *lines = re.sub(r"\n {6,}", " ", block).split("\n")
        found.append(Paragraph(head))
        for line in lines:
            name, _, rest = line.strip().partition("  ")
            equations = re.split(", " if name.startswith("then") else r", (?=[rj] = )", rest.strip())
            found[-1].lines.setdefault(name, []).extend(equations)
    return found


def each(figure: Any) -> list[Any]:
    return figure if isinstance(figure, list) else [figure]


def check(network: Network) -> list[Paragraph]:
    """Compare a network's text with its JSON, number by number."""
    stats = network.stats()
    text = stats.render("derivation")
    data = json.loads(stats.render("json", columns=["memory", "stride", "receptive_field", "macs", "params"]))
    found = paragraphs(text)
    model = derivations(stats)
    assert len(found) == len(model)
    for line in text.splitlines():
        assert len(line) <= 100 or " " not in line.strip(), line
    graph, count = network.graph, len(network.graph.inputs)
    seen: set[int] = set()
    for paragraph, entry in zip(found[count:-1], model[count:-1], strict=True):
        rows = [data["layers"][at - count] for at in entry.nodes]
        seen.update(entry.nodes)
        for row in rows:
            compare(paragraph, row, graph.nodes[entry.nodes[0]].shape.hwc)
        compare_fields(paragraph, rows)
    silent = [row for at, row in enumerate(data["layers"], count) if at not in seen]
    assert not any(row["params"] or row["macs"] or row["memory"] for row in silent)
    totals = data["totals"]
    assert found[-1].results("params") == [totals["params"]]
    assert found[-1].results("multiply-adds") == [totals["macs"]]
    assert found[-1].results("memory") == [totals["memory_bytes"]]
    return found


def compare(paragraph: Paragraph, row: dict[str, Any], hwc: tuple[int, ...]) -> None:
    lines = paragraph.lines
    given = lines.get("size", [""])[0].endswith("given")
    sizes = [] if given else paragraph.results("size") * (len(hwc) - 1)
    sizes = sizes or [size for name in ("depth", "height", "width") for size in paragraph.results(name)]
    assert sizes == list(hwc[:-1]) or not sizes
    assert paragraph.results("channels") in ([], [hwc[-1]])
    shared = lines.get("params", [""])[0].startswith("those of")
    assert ([] if shared else paragraph.results("params")) == ([row["params"]] if row["params"] else [])
    assert all(" = " in line for line in lines.get("multiply-adds", []))
    assert paragraph.results("multiply-adds") == ([row["macs"]] if row["macs"] else [])
    assert paragraph.results("memory") == ([row["memory"]] if row["memory"] else [])


def compare_fields(paragraph: Paragraph, rows: Sequence[dict[str, Any]]) -> None:
    names = [name for name in paragraph.lines if name.startswith("field")]
    for axis, name in enumerate(names):
        size, *stride = paragraph.results(name)
        then = paragraph.results(name.replace("field", "then"))
        sizes = [each(row["receptive_field"])[axis if len(each(row["receptive_field"])) > 1 else 0] for row in rows]
        assert size == sizes[0]
        assert then == sizes[1:]
        steps = each(rows[0]["stride"])
        assert float(stride[0] if stride else 0) == pytest.approx(steps[axis if len(steps) > 1 else 0])


# Whole networks


@pytest.mark.parametrize("name", ZOO)
def test_every_equation_of_the_bundled_networks_holds(name: str) -> None:
    assert len(check(cnndsl.load(name))) > 3


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(programs())
def test_every_equation_of_random_programs_holds(text: str) -> None:
    check(cnndsl.loads(text))


def translated(math: str) -> str:
    """LaTeX as Python's expression, from the innermost fraction outwards."""
    text = math.replace("{,}", "").replace(r"\cdot ", "*")
    for left, right, name in ((r"\left\lfloor", r"\right\rfloor", "floor"), (r"\left\lceil", r"\right\rceil", "ceil")):
        text = text.replace(left, f"{name}(").replace(right, ")")
    text = text.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\operatorname", "")
    text = re.sub(r"\{(max|min)\}", r"\1", text)
    while r"\frac" in text:
        text, before = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text), text
        assert text != before, math
    return text


def formulas(text: str) -> Iterator[str]:
    """The equations of a Markdown text, without units."""
    for line in text.splitlines():
        yield from (re.sub(r"\\ \\text\{.*\}$", "", found) for found in re.findall(r"\$([^$]+)\$", line))


@pytest.mark.parametrize(
    "name", ["alexnet", "resnet18", "unet", "googlenet", "fcn8s", "segnet", "c3d", "timeseries_fcn"]
)
def test_markdown_and_latex_have_the_equations_of_the_text(name: str) -> None:
    stats = cnndsl.load(name).stats()
    text, marked, latex = (stats.render(f"derivation{end}") for end in ("", "-markdown", "-latex"))
    wanted = [
        value(side)
        for part in paragraphs(text)
        for key in part.lines
        if key != "operands"
        for side in sides_of(part.lines[key])
    ]
    for found in (marked, "\n".join(f"${part}$" for part in rows_of(latex))):
        sides = [value(translated(side)) for each in formulas(found) for side in each.split(" = ") if side not in "rj"]
        assert sides == wanted


def sides_of(equations: list[str]) -> Iterator[str]:
    for equation in equations:
        if equation.endswith("given") or equation.startswith("those of"):
            continue
        yield from (
            side
            for side in re.sub(r" (bytes|\(remainder \d+\)|\(at most\))$", "", equation).split(" = ")
            if side not in "rj"
        )


def rows_of(latex: str) -> Iterator[str]:
    """The equations of the rows; a sum that goes on in the next row is put together."""
    for line in latex.replace(" \\\\\n & \\quad {} + ", " + ").splitlines():
        if " & " in line:
            row = line.partition(" & ")[2].removesuffix(r" \\")
            yield from () if row.startswith((r"\text", r"\parbox")) else row.split(r",\quad ")


@pytest.mark.parametrize("name", ["alexnet", "googlenet", "unet"])
def test_latex_is_balanced(name: str) -> None:
    latex = "\n".join(
        line for line in cnndsl.load(name).stats().render("derivation-latex").splitlines() if not line.startswith("%")
    )
    bare = latex.replace(r"\{", "").replace(r"\}", "")
    assert bare.count("{") == bare.count("}")
    assert latex.count(r"\left") == latex.count(r"\right")
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") > 3
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end", latex, re.DOTALL):
        rows = block.split("\\\\\n")
        assert all(row.count(" & ") == 1 and row.strip() for row in rows)
        assert not block.endswith("\\\\")
    assert set(re.findall(r"\\([a-zA-Z]+)", latex)) <= {
        *("noindent", "textbf", "texttt", "quad", "times", "to", "begin", "end", "text", "colon", "cdot", "frac"),
        *("left", "right", "lfloor", "rfloor", "lceil", "rceil", "operatorname", "ldots", "textbar"),
        *("parbox", "linewidth", "raggedright"),
    }
    assert latex.replace(r"\$", "").count("$") % 2 == 0


# By hand


def one(text: str, path: str) -> dict[str, list[str]]:
    """The lines of one layer of a program."""
    return next(part.lines for part in check(cnndsl.loads(text)) if re.split(r"[ ,]", part.head)[0] == path)


def test_the_equations_of_the_board() -> None:
    """CS231n, convolutional networks: AlexNet's first layer. (227-11)/4+1 = 55; 11*11*3*96 weights and 96 biases."""
    lines = one(BOARD, "conv")
    assert lines == {
        "size": ["(227 - 11 + 2*0)/4 + 1 = 55"],
        "params": ["(11*11*3)*96 + 96 = 34,944"],
        "multiply-adds": ["55*55*(11*11*3)*96 = 105,415,200"],
        "memory": ["55*55*96*4 = 1,161,600 bytes"],
        "field": ["r = 1 + (11 - 1)*1 = 11", "j = 1*4 = 4"],
    }
    assert one(BOARD, "pool")["field"] == ["r = 11 + (3 - 1)*4 = 19", "j = 4*2 = 8"]


@pytest.mark.parametrize(
    ("layer", "shape", "name", "equation"),
    [
        ("CONV7-64/2", "224x224x3", "size", "floor((224 - 7 + 2*3)/2) + 1 = 112 (remainder 1)"),
        ("CONV2-4", "8x8x3", "size", "(8 - 2 + 0 + 1)/1 + 1 = 8"),
        ("CONV3-4(dilation=2)", "8x8x3", "size", "(8 - (2*(3 - 1) + 1) + 2*2)/1 + 1 = 8"),
        ("CONV3-4(groups=2)", "8x8x6", "params", "(3*3*6/2)*4 + 4 = 112"),
        ("DWCONV3(bias=no)", "8x8x6", "params", "(3*3*6/6)*6 = 54"),
        ("CONV(kernel=3x5, filters=4)", "9x8x2", "height", "(9 - 3 + 2*1)/1 + 1 = 9"),
        ("CONV3-4", "5x7x6x2", "depth", "(5 - 3 + 2*1)/1 + 1 = 5"),
        ("CONV9-4/2(pad=valid)", "33x2", "size", "(33 - 9 + 2*0)/2 + 1 = 13"),
        ("CONVT3-4/2(pad=1, out_pad=1)", "8x8x6", "size", "(8 - 1)*2 - 2*1 + 3 + 1 = 16"),
        ("CONVT2-4/2(groups=2)", "8x8x6", "params", "(2*2*6)*4/2 + 4 = 52"),
        ("CONVT2-4/2", "8x8x6", "multiply-adds", "8*8*(2*2*6)*4 = 6144"),
        ("POOL3/2(ceil=yes)", "8x8x3", "size", "ceil((8 - 3 + 2*0)/2) + 1 = 4"),
        ("POOL2/2(ceil=yes, pad=1)", "9x9x3", "size", "ceil((9 - 2 + 2*1)/2) + 1 - 1 = 5"),
        ("AVGPOOL(out=3x2)", "9x8x3", "size", "3x2, given"),
        ("GAP", "9x8x3", "size", "1x1, given"),
        ("GAP", "9x8x3", "field (width)", "r = 1 + (8 - 1)*1 = 8"),
        ("UPSAMPLE2", "8x8x3", "size", "8*2 = 16"),
        ("UPSAMPLE2", "8x8x3", "field", "r = 1 + (1 - 1)*1 = 1"),
        ("PIXELSHUFFLE2", "8x8x12", "channels", "12/(2*2) = 3"),
        ("PADCHANNELS-8/2", "7x7x3", "size", "ceil(7/2) = 4"),
        ("ZEROPAD(1, after=2)", "8x8x3", "size", "8 + 1 + 2 = 11"),
        ("CROP(out=5)", "8x8x3", "size", "8 - 1 - 2 = 5"),
        ("SLICE(1, 3)", "8x8x4", "channels", "3 - 1 = 2"),
        ("PICK(0, 3, 1)", "8x8x4", "channels", "1 + 1 + 1 = 3"),
        ("FLATTEN", "6x5x4", "channels", "6*5*4 = 120"),
        ("FC-10", "6x5x4", "params", "6*5*4*10 + 10 = 1210"),
        ("LOCAL3-2", "6x5x4", "params", "6*5*(3*3*4)*2 + 2*6*5 = 2220"),
        ("BN", "8x8x6", "params", "6 + 6 = 12"),
        ("LN", "3x2x6", "params", "3*2*6 + 6*3*2 = 72"),
        ("SCALE(weight=no)", "8x8x6", "params", "6 = 6"),
        ("PRELU", "8x8x6", "params", "6 = 6"),
        ("(ID | CONV1-2)", "8x8x3", "channels", "3 + 2 = 5"),
        ("(CONV1-2 + CONV3-2)", "8x8x3", "operands", "0, 1"),
        ("(CONV1-2 + CONV3-2)", "8x8x3", "field", "r = max(3, 1) = 3"),
    ],
)
def test_a_layer(layer: str, shape: str, name: str, equation: str) -> None:
    lines = check(cnndsl.loads(f"INPUT {shape} -> {layer}"))[-2].lines
    assert equation.replace("6 = 6", "6") in lines[name]


def test_a_field_behind_aligned_upsampling_is_counted_from_the_first_to_the_last_position() -> None:
    lines = check(
        cnndsl.loads("INPUT 16 x 16 x 1 -> CONV3-2/2 -> UPSAMPLE2(mode=linear) -> c: CONV3-2".replace(" x ", "x"))
    )
    assert any(" + 1 = " in each or "*" in each for each in lines[-2].lines["field"])


def test_the_turns_of_a_repeat_are_written_once() -> None:
    found = check(cnndsl.loads("INPUT 16x16x4 -> b: [[CONV3-4 -> RELU]*4] -> GAP"))
    (convolution,) = [part for part in found if "CONV3-4" in part.head]
    assert convolution.head == "b.0, …, b.6  x4  CONV3-4  16x16x4 -> 16x16x4"
    assert convolution.lines["field"] == ["r = 1 + (3 - 1)*1 = 3", "j = 1*1 = 1"]
    assert convolution.lines["then"] == ["r = 5", "7", "9"]
    assert found[-1].lines["params"] == ["4*148 = 592"] or found[-1].lines["params"] == ["592"]


def test_weights_that_are_used_again_count_once() -> None:
    lines = one("INPUT 8x8x3 -> a: CONV3-3 -> RELU -> b: again a", "a@2")
    assert lines["params"] == ["those of a, used once more"]


def test_parts_for_training_only_are_marked() -> None:
    found = check(cnndsl.loads("INPUT 8x8x3 -> CONV3-3 -> tap aux(train): [GAP -> FC-2] -> CONV3-4 -> FC-2"))
    assert [part.head for part in found if "(in training only)" in part.head]


# Formats


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
