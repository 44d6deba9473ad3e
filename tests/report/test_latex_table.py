"""Tables that fit: what is left out, made smaller, broken or split for a width, and the two ways to set them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from cnndsl.report.latex_table import LatexColumn, LatexTable, TableWidth, write
from cnndsl.report.latex_text import breakable, lines, width

ROWS = tuple((f"layer{at}", f"{at},000") for at in range(3))
TWO = (LatexColumn("name"), LatexColumn("params", is_number=True))


def table(columns: tuple[LatexColumn, ...], *parts: tuple[tuple[str, ...], ...]) -> LatexTable:
    return LatexTable(columns, parts, "A caption.", "a-label")


@pytest.mark.parametrize(("made_for", "name"), [("column", "table"), ("page", "table*")])
def test_a_page_spans_both_columns(made_for: TableWidth, name: str) -> None:
    text = write(table(TWO, ROWS), made_for)
    assert rf"\begin{{{name}}}[tbp]" in text
    assert r"\caption{A caption.}\label{tab:a-label}" in text


def test_parts_have_rules_between_them() -> None:
    text = write(table(TWO, ROWS, (("total", "3,000"),)))
    assert text.count(r"\midrule") == 2
    assert text.index("2,000") < text.rindex(r"\midrule") < text.index("total")


def test_columns_that_nobody_asked_for_go_first() -> None:
    """Nine columns of ten digits at 8 pt, 4.25 pt a digit, are wider than 345 pt; the highest ranks go."""
    columns = (LatexColumn("name"), *(LatexColumn(f"c{at}", is_number=True, rank=at) for at in range(10)))
    text = write(table(columns, (("x", *["1234567890"] * 10),)))
    kept = re.findall(r"c\d", text)
    assert 4 < len(kept) < 10
    assert kept == [f"c{at}" for at in range(len(kept))]


def test_columns_that_were_asked_for_go_into_a_further_table() -> None:
    columns = (LatexColumn("name"), *(LatexColumn(f"c{at}", is_number=True) for at in range(10)))
    text = write(table(columns, (("x", *["1234567890"] * 10),)))
    assert re.findall(r"c\d", text) == [f"c{at}" for at in range(10)]
    assert text.count(r"\begin{table*}") == text.count("name &") == 2
    assert text.count(r"\label") == 1
    assert r"\addtocounter{table}{-1}" in text


def test_every_further_table_says_what_its_rows_are() -> None:
    """Both keys stand in both tables; else two rows of the second one would begin with the same 1."""
    columns = (LatexColumn("N"), LatexColumn("M"), *(LatexColumn(f"c{at}", is_number=True) for at in range(10)))
    rows = tuple((n, m, *["1234567890"] * 10) for n in "12" for m in "34")
    text = write(replace(table(columns, rows), keys=2))
    assert text.count(r"\begin{table*}") == text.count("N & M &") == text.count("\n1 & 4 &") == 2


def test_rows_are_numbered_where_keys_leave_no_room() -> None:
    """Four words of 15 letters, 75 pt or more at 10 pt, take more than a column of 229.5 pt."""
    columns = (*(LatexColumn(f"parameter_{at}_{at}_{at}", is_number=True) for at in range(4)), LatexColumn("params"))
    text = write(replace(table(columns, (tuple("abcde"), tuple("fghij"))), keys=4), "column")
    assert text.count(r"\begin{table}") == text.count("no. &") == 2
    assert "\n1 & a &" in text
    assert re.search(r"\n2 & .*j \\\\", text)


def test_a_caption_does_not_touch_the_rule_beneath_it() -> None:
    """article sets \\belowcaptionskip to 0 pt: it expects captions beneath."""
    text = write(table(TWO, ROWS))
    assert text.index(r"\setlength{\belowcaptionskip}{5pt}") < text.index(r"\caption") < text.index(r"\toprule")


def test_long_texts_are_broken() -> None:
    text = write(table(TWO, (("a long name of many words " * 8, "1"),)), "column")
    room = float(re.findall(r"p\{([\d.]+)pt\}", text)[0])
    assert room < 229.5
    assert r"\usepackage{booktabs,array}" in text


def test_what_is_higher_than_a_page_is_set_in_one_column() -> None:
    text = write(table(TWO, ROWS * 30))
    assert r"\begin{longtable}" in text
    assert text.index(r"\onecolumn") < text.index(r"\begin{longtable}") < text.index(r"\end{longtable}")
    assert text.rstrip().endswith(r"\cnndslcolumns")
    assert text.count(r"name & params") == 2, "the head stands on every page"


def test_a_unit_stands_beneath_its_title() -> None:
    columns = (LatexColumn("name"), LatexColumn("multiply-adds", is_number=True, unit="(M)"))
    assert r"name & multiply- \\" + "\n" + r" & adds (M) \\" in write(table(columns, (("x", "1"),)))


def test_widths_are_those_of_computer_modern() -> None:
    """A digit of cmr10 is 5.00002 pt wide, of cmr8 4.25006 pt. Source: cmr10.tfm, cmr8.tfm."""
    assert width("0123456789", 10) == pytest.approx(50.0, abs=0.01)
    assert width("0123456789", 8) == pytest.approx(42.5, abs=0.05)


def test_an_ellipsis_is_three_points_with_even_gaps() -> None:
    """A point of cmr10 is 2.78 pt wide, a thin space a sixth of the size: 3 * 2.78 + 2 * 1.67 = 11.67."""
    assert breakable("a … b", 100, 10) == r"a .\,.\,. b"
    assert width("…", 10) == pytest.approx(11.67, abs=0.02)


def test_lines_are_not_underestimated() -> None:
    assert lines("one", 100, 8) == 1
    assert lines("one two", width("one ", 8) + 1, 8) == 2
    assert lines("a" * 100, width("a" * 25, 8) + 0.1, 8) == 4


def test_a_word_that_is_too_wide_is_broken_anywhere() -> None:
    assert breakable("abcd", 5, 8) == r"a\hspace{0pt}b\hspace{0pt}c\hspace{0pt}d"
    assert breakable("ab cd", 12, 8) == "ab cd"
