"""The gallery shows what its commands draw, and every picture that a page shows is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.gallery import DOCS, commands, drawn, drawn_for_readme

PAGES = (DOCS / "gallery.md", DOCS.parent / "README.md")


def test_the_committed_pictures_are_what_the_commands_draw() -> None:
    """If this fails after a change of the layout, `make pictures` draws them anew."""
    committed = {path.name: path.read_bytes() for path in (DOCS / "pictures").iterdir()}
    pictures = drawn()
    assert sorted(committed) == sorted(pictures)
    assert [name for name, content in pictures.items() if committed[name] != content] == []
    assert sum(map(len, committed.values())) < 1_500_000


def test_the_picture_of_the_readme_is_drawn_from_its_program() -> None:
    assert {path.name: path.read_bytes() for path in (DOCS / "readme").glob("*.svg")} == drawn_for_readme()


def test_there_are_sixteen_views() -> None:
    assert len(commands()) == 16


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_a_page_shows_pictures_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    shown: list[str] = re.findall(r'(?:src|srcset)="([^"]+)"|!\[[^]]*\]\(([^)]+)\)', text)
    files = [first or second for first, second in shown]
    assert files
    assert [file for file in files if not (page.parent / file).is_file()] == []
