"""The table of imported networks: what a run goes on from, and the page that is made of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tools.imports import chosen, networks, new, refused
from tools.imports_page import write
from tools.imports_results import ImportResult, keep, read_results, result

TEXT = {"text": "…", "words": 80, "blocks": 2, "references": 1, "layers": 50, "merges": 3, "wide": 0, "joined": 0}
GOOD = result("timm:b", "resnet", "1a", {**TEXT, "seconds": 2.5, "checked": 9.0, "failing": ("rf: a | b", "lint: c")})
BAD = result("timm:a", "nfnet", "1a", {"refused": "in evaluation: conv\tis\n  linear", "seconds": 4.0})
FAMILIES = {"timm:b": "resnet", "timm:a": "nfnet", "timm:c": "resnet", "timm:d": "vgg"}


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    table = tmp_path / "imports.tsv"
    keep(GOOD, table)
    keep(BAD, table)
    assert read_results(table) == {"timm:a": BAD, "timm:b": GOOD}
    assert [line.split("\t")[0] for line in table.read_text("utf-8").splitlines()] == ["network", "timm:a", "timm:b"]


def test_the_later_row_of_a_network_counts(tmp_path: Path) -> None:
    table = tmp_path / "imports.tsv"
    better = replace(BAD, outcome="imported", reason="", commit="2b")
    keep(BAD, table)
    keep(better, tmp_path / "other.tsv")
    merged = table.read_text("utf-8") + (tmp_path / "other.tsv").read_text("utf-8").splitlines()[1] + "\n"
    table.write_text(merged, "utf-8")
    assert read_results(table) == {"timm:a": better}
    keep(GOOD, table)
    assert len(table.read_text("utf-8").splitlines()) == 3


def test_outcomes() -> None:
    assert GOOD.outcome == "imported"
    assert result("timm:b", "resnet", "1a", {**TEXT, "references": 4}).outcome == "not raised"
    assert result("timm:b", "resnet", "1a", {**TEXT, "references": 9, "wide": 1, "joined": 7}).outcome == "imported"
    assert (BAD.outcome, BAD.reason) == ("refused", "in evaluation: conv is linear")
    long = "conv is linear (original: a.b, /usr/lib/timm/layers/conv.py:16; emitted: a.b, <source>:47)"
    assert result("timm:b", "resnet", "1a", {"refused": long}).reason == "conv is linear (original: a.b, conv.py:16)"
    assert result("timm:b", "resnet", "1a", {"failed": "its process ended"}).outcome == "failed"


def test_what_is_tried() -> None:
    known = {"timm:a": BAD, "timm:b": GOOD}
    assert new(FAMILIES, known, "") == ["timm:c", "timm:d"]
    assert new(FAMILIES, known, "timm:[ab]") == ["timm:b", "timm:a", "timm:d", "timm:c"]
    assert refused(FAMILIES, known, "2b") == ["timm:a"]
    assert refused(FAMILIES, known, "1a") == []
    assert chosen(FAMILIES, "*", 1) == {"timm:b": "resnet", "timm:a": "nfnet", "timm:d": "vgg"}


def test_less_than_earlier() -> None:
    assert BAD.is_worse_than(GOOD)
    assert not GOOD.is_worse_than(BAD)
    assert GOOD.is_worse_than(replace(GOOD, failing=()))
    assert not GOOD.is_worse_than(GOOD)


def test_the_page(tmp_path: Path) -> None:
    page = tmp_path / "imports.md"
    write(FAMILIES, {"timm:a": BAD, "timm:b": GOOD}, page)
    text = page.read_text("utf-8")
    assert "2 of 4 networks were tried: 1 imported, 0 not raised, 1 refused, 0 failed.\n" in text
    assert "| resnet | 2 | 1 | 1 | 0 | 0 | 0 | 80 | 2 | 2.0 | 2.5 |\n" in text
    assert "| vgg | 1 | 0 | 0 | 0 | 0 | 0 |  |  |  |  |\n" in text
    assert "| `timm:a` | refused | 1a | in evaluation: conv is linear |\n" in text
    assert "| conv is linear | 1 | `timm:a` |\n" in text
    assert "| rf: a \\| b | 1 | `timm:b` |\n" in text


def test_reasons_that_differ_in_names_and_numbers_are_one(tmp_path: Path) -> None:
    page = tmp_path / "imports.md"
    told = [
        "in evaluation: bn with stem.0.weight: momentum 0.0 is 0.1",
        "in training: bn with a.bias: momentum 0.5 is 0.1",
    ]
    rows = [replace(BAD, network=net, reason=reason) for net, reason in zip(("timm:a", "timm:b"), told, strict=True)]
    write(FAMILIES, {row.network: row for row in rows}, page)
    assert "| bn with …: momentum … is … | 2 | `timm:b` |\n" in page.read_text("utf-8")


def test_the_table_has_networks_of_the_list() -> None:
    families = networks()
    rows: dict[str, ImportResult] = read_results()
    assert {net: row.family for net, row in rows.items()} == {net: families[net] for net in rows}
