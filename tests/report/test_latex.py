"""The LaTeX table: what it is made of, and that nothing of a program reaches LaTeX unescaped."""

from __future__ import annotations

import re

import pytest

from cnndsl import loads
from cnndsl.report.latex_text import escape

SMALL = "net Small_Net(classes=10) INPUT 8x6x3 -> a_b: [CONV3-4 -> RELU] -> fc: FC-classes"


def test_a_table_of_booktabs() -> None:
    lines = loads(SMALL).stats().render("latex", columns=["path", "text", "output", "params"]).splitlines()
    assert lines[0] == "% Small_Net (classes=10)"
    assert lines[lines.index(r"\toprule") - 1] == r"\begin{tabular}{@{}lllr@{}}"
    # CONV3-4: 3*3*3*4 + 4 = 112. FC-10 on 8*6*4 = 192 values: 1920 + 10.
    assert lines[lines.index(r"\toprule") + 1 :] == [
        r"name & layer & output & params \\",
        r"\midrule",
        r"a\_b.0 & CONV3-4 & 8$\times$6$\times$4 & 112 \\",
        r"a\_b.1 & RELU & 8$\times$6$\times$4 & -- \\",
        r"fc & FC-10 & 10 & 1,930 \\",
        r"\midrule",
        r"total &  &  & 2,042 \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table*}",
    ]


def test_caption_and_label() -> None:
    text = loads(SMALL).stats().render("latex")
    assert r"\caption{Layers of Small\_Net (classes=10). Values are for one input of 8$\times$6$\times$3.}" in text
    assert r"\label{tab:small-net-classes-10}" in text


def test_what_is_in_a_group_stands_further_in() -> None:
    text = loads(SMALL).stats().render("latex", depth=2)
    assert r"\quad a\_b.0 & CONV3-4 & 1 &" in text


def test_what_runs_in_training_only_has_a_total_of_its_own() -> None:
    """CONV1-1 on 4x4x1 has 16 multiply-adds, each FC-1 on 16 values too."""
    program = "INPUT 4x4x1 -> a: CONV1-1 -> tap aux(train): (@a -> FC-1) -> FC-1"
    lines = loads(program).stats().render("latex", columns=["path", "macs"]).splitlines()
    assert lines[-7:-4] == [r"fc & 16 \\", r"\midrule", r"total at inference & 32 \\"]
    assert lines[-4] == r"total in training & 48 \\"


def test_a_network_that_is_longer_than_a_page_is_a_longtable() -> None:
    text = loads("INPUT 8 -> [FC-8]*60").stats().render("latex")
    assert r"\begin{longtable}" in text
    assert "table*" not in text
    assert loads("INPUT 8 -> [FC-8]*20").stats().render("latex").count("longtable") == 0


def test_memory_and_times_say_of_what() -> None:
    text = loads(SMALL).stats(64, optimizer="adam").render("latex")
    assert "Memory is that of 64 images in fp32, trained with adam, on a CPU." in text


@pytest.mark.parametrize("char", list("&%$#_{}~^\\"))
def test_no_special_character_is_left(char: str) -> None:
    """The ten characters that LaTeX reads as commands. Source: Lamport, LaTeX, Section 2.1."""
    plain = re.sub(r"\\[&%$#_{}]|\\text\w+\{\}", "", escape(f"a{char}b"))
    assert plain == "ab"


def test_a_row_cannot_be_taken_for_an_option_of_the_line_before() -> None:
    lines = loads("INPUT 8 -> [FC-8 -> RELU]*2").stats().render("latex", depth=1, columns=["text", "params"])
    assert "\n{}[FC-8 -\\textgreater{} RELU] $\\times$2 & 144 \\\\\n" in lines
