"""A gallery of wrong programs, one for each kind of mistake, each with the exact message that it gets; and right ones.

The messages are the files beside the programs, written by `pytest tests/test_gallery.py --update-golden` and read by
a person: would a student know what to do? A file whose name begins with `_` is used by others. A first line
`# --set n=3` sets a parameter.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.analysis.assertions import check
from cnndsl.analysis.execution import unknown
from cnndsl.diagnostics import render
from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import read
from cnndsl.finding import used
from cnndsl.fixes import tried
from cnndsl.settings import parse_settings
from cnndsl.syntax.parse import parse

GALLERY = Path(__file__).parent / "gallery"
WRONG = sorted(path for path in (GALLERY / "wrong").glob("*.cnn") if not path.name.startswith("_"))
RIGHT = sorted((GALLERY / "right").glob("*.cnn"))


def wrong_with(path: Path) -> tuple[Diagnostic, ...]:
    """Everything that is wrong with a program, which is found in the folder at hand."""
    source = read(path.name)
    first, *settings = source.line(1).split()
    given = parse_settings(settings[1::2] if first == "#" and "--set" in settings else ())
    try:
        graph = elaborate(parse(source), given, used)
    except CnnError as stop:
        return tried(stop, source, given, used).diagnostics
    return tried(CnnError(check(graph, unknown)), source, given, used).diagnostics


@pytest.fixture
def update(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.mark.parametrize("path", WRONG, ids=[path.stem for path in WRONG])
def test_wrong(path: Path, update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    said = render(wrong_with(path)) + "\n"
    golden = path.with_suffix(".txt")
    if update:
        golden.write_text(said, "utf-8")
    assert said == golden.read_text("utf-8")
    assert said.startswith("error[E0")


@pytest.mark.parametrize("path", RIGHT, ids=[path.stem for path in RIGHT])
def test_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    assert render(wrong_with(path)) == ""


def test_the_gallery_is_complete() -> None:
    assert len(WRONG) >= 75
    assert len(RIGHT) >= 20
    golden = {path.stem for path in (GALLERY / "wrong").glob("*.txt")}
    assert golden == {path.stem for path in WRONG}
