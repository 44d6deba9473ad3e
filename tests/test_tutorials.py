"""The tutorials: their programs and commands, run in the order in which they stand, give what the pages show."""

from __future__ import annotations

import doctest
import re
from contextlib import chdir
from pathlib import Path

import pytest

from tests.playing import play

DOCS = Path(__file__).parents[1] / "docs"
TUTORIALS = {"tutorial-student.md": 6, "tutorial-paper.md": 8, "tutorial-gpu.md": 10}
"""Each page, and how many commands it has at least."""


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_shows_what_happens(name: str, tmp_path: Path) -> None:
    assert play(DOCS / name, tmp_path) >= TUTORIALS[name]
    with chdir(tmp_path):
        assert doctest.testfile(str(DOCS / name), module_relative=False).failed == 0


@pytest.mark.parametrize("name", TUTORIALS)
def test_links_lead_somewhere(name: str) -> None:
    targets = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", (DOCS / name).read_text(encoding="utf-8"))
    assert len(targets) >= 1
    assert [target for target in targets if not (DOCS / target).exists()] == []
