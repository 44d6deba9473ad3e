"""What docs/quality.md says of the tests is so: its files and targets exist, its counts are those of the folders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("docs/quality.md", "docs/test-log.md")


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_files_and_targets_exist(page: str) -> None:
    text, targets = text_of(page), (ROOT / "Makefile").read_text(encoding="utf-8")
    files: list[str] = re.findall(r"\b((?:tests|fuzz|benchmarks|docs)/[\w/.]*\w)", text)
    assert len(files) > 5
    assert [file for file in files if not (ROOT / file).exists()] == []
    assert [name for name in re.findall(r"make ([a-z-]+)\b", text) if f"\n{name}:" not in targets] == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_headings(page: str) -> None:
    for file, heading in re.findall(r"\]\(([\w.-]+)#([\w-]+)\)", text_of(page)):
        titles = re.findall(r"^#+ (.+)$", text_of(f"docs/{file}"), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_number_of_invalid_programs() -> None:
    (stated,) = re.findall(r"(\d+) invalid programs", text_of("docs/quality.md"))
    assert 0 <= len(list((ROOT / "tests" / "gallery" / "wrong").glob("*.txt"))) - int(stated) < 50


def test_the_tables_are_those_of_the_log() -> None:
    """Each line of a table of times, and each value of the other table, is in the log."""
    short, log = text_of("docs/quality.md"), text_of("docs/test-log.md")
    times = re.findall(r"^    \w.* ms .*$", short, re.MULTILINE)
    assert len(times) == 6
    assert [line for line in times if line not in log] == []
    for net, phase, plain, last in re.findall(
        r"^\| (\w+) \| (\w+) \| (\S+ / \S+) \| (\S+ / \S+) \|$", short, re.MULTILINE
    ):
        (row,) = re.findall(rf"^\| {net} \| {phase} \| (.+)$", log, re.MULTILINE)
        assert {plain, last} <= set(row.split(" | "))
