"""The table of docs/test-log.md: each feature that published networks need has a spelling, a network, and a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnndsl.network import loads

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / name for name in ("tests/census", "tests/zoo/published", "architectures")]
SECTION = (ROOT / "docs" / "test-log.md").read_text(encoding="utf-8").partition("## Networks that can be written")[2]
ROWS = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", SECTION.partition("\n## ")[0], re.MULTILINE)[1:]]


def test_one_feature_is_missing() -> None:
    (missing,) = [row for row in ROWS if row[2] == "-"]
    assert missing[0] == "weights computed from the image"
    assert f"{722 - int(missing[1])} have none left" in SECTION


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "-"], ids=lambda row: row[0])
def test_each_other_has_a_spelling_a_network_and_a_test(row: list[str]) -> None:
    _, _, now, networks, test = row
    for spelling in re.findall(r"`([^`]+)`", now):
        assert loads(f"INPUT 8x8x32 -> {spelling}").graph.layers
    tested = (ROOT / test.strip("`")).read_text(encoding="utf-8")
    for name in networks.split(", "):
        assert any((folder / f"{name}.cnn").is_file() for folder in FOLDERS)
        assert f'"{name}' in tested
