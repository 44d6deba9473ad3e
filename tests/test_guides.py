"""The examples of guides show what happens."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize(("guide", "fewest"), [("networkx.md", 20), ("how-it-works.md", 12)])
def test_the_examples(guide: str, fewest: int) -> None:
    path = ROOT / "docs" / guide
    text = path.read_text(encoding="utf-8").replace("```", "")
    example = doctest.DocTestParser().get_doctest(text, {}, guide, str(path), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL | doctest.NORMALIZE_WHITESPACE)
    runner.run(example)
    assert runner.summarize(verbose=False).failed == 0
    assert runner.tries >= fewest
