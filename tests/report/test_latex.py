"""The LaTeX table: what it is made of, and that nothing of a program reaches LaTeX unescaped."""

from __future__ import annotations

import re

import pytest

from cnndsl import loads
from cnndsl.report.latex import escape

SMALL = "net Small_Net(classes=10) INPUT 8x6x3 -> a_b: [CONV3-4 -> RELU] -> fc: FC-classes"


def test_a_table_of_booktabs() -> None:
    lines = loads(SMALL).stats().render("latex", columns=["path", "text", "output", "params"]).splitlines()
    assert lines[0] == "% Small_Net (classes=10)"
    assert lines[lines.index(r"\toprule") - 1] == r"\begin{tabular}{lllr}"
    # CONV3-4: 3*3*3*4 + 4 = 112. FC-10 on 8*6*4 = 192 values: 1920 + 10.
    assert lines[lines.index(r"\toprule") + 1 :] == [
        r"name & layer & output & params \\",
        r"\midrule",
        r"a\_b.0 & CONV3-4 & 8$\times$6$\times$4 & 112 \\",
        r"a\_b.1 & RELU & 8$\times$6$\times$4 & -- \\",
        r"fc & FC-10 & 10 & 1.93K \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_what_is_in_a_group_stands_further_in() -> None:
    text = loads(SMALL).stats().render("latex", depth=2)
    assert r"\quad a\_b.0 & CONV3-4 & 1 &" in text


@pytest.mark.parametrize("char", list("&%$#_{}~^\\"))
def test_no_special_character_is_left(char: str) -> None:
    """The ten characters that LaTeX reads as commands. Source: Lamport, LaTeX, Section 2.1."""
    plain = re.sub(r"\\[&%$#_{}]|\\text\w+\{\}", "", escape(f"a{char}b"))
    assert plain == "ab"


def test_a_row_cannot_be_taken_for_an_option_of_the_line_before() -> None:
    lines = loads("INPUT 8 -> [FC-8 -> RELU]*2").stats().render("latex", depth=1, columns=["text", "params"])
    assert "\n{}[FC-8 -\\textgreater{} RELU] x2 & 144 \\\\\n" in lines
