"""docs/emit.md shows what the emitter makes."""

from __future__ import annotations

import re
from pathlib import Path

import cnndsl

GUIDE = (Path(__file__).parents[3] / "docs" / "emit.md").read_text(encoding="utf-8")


def block(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)


def test_the_example_is_what_is_emitted() -> None:
    (program,) = block("cnn")
    text = cnndsl.loads(program).source()
    shown = block("python")
    assert len(shown) == 2
    assert all(each in text for each in shown)


def test_the_files_of_the_steps_exist() -> None:
    folder = Path(cnndsl.__file__).parent / "emit" / "torch"
    table = GUIDE[GUIDE.index("| step |") : GUIDE.index("**Words used here.**")]
    named = set(re.findall(r"`(\w+\.py)`", table))
    assert len(named) >= 12
    assert [name for name in named if not (folder / name).is_file()] == []
    assert "def _repeat(" in (folder / "chain.py").read_text(encoding="utf-8")
