"""The table of docs/lines.md is what `tests.zoo.lines` counts."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path

import pytest

from tests.zoo import lines

PAGE = (Path(__file__).parents[2] / "docs" / "lines.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in row.split("|")] for row in re.findall(r"^\| (\w+ \| \d.*) \|$", PAGE, re.MULTILINE)]


def test_lines_of_our_files() -> None:
    assert [row[0] for row in ROWS] == [*lines.TORCHVISION, *lines.TIMM, *lines.ALONE]
    for name, own, whole, *_ in ROWS:
        path = lines.ARCHITECTURES / f"{name}.cnn"
        assert int(own) == lines.of_file(path)
        assert int(whole or own) == sum(lines.of_file(each) for each in lines.used(path))


@pytest.mark.slow
def test_lines_of_the_references() -> None:
    for library in ("torchvision", "timm"):
        if f"{library} {importlib.metadata.version(library).partition('+')[0]}" not in PAGE:
            pytest.skip(f"the table is of another version of {library}")
    assert [row[3:] for row in ROWS] == [
        [library, "" if other is None else str(other)] for *_, library, other in lines.rows()
    ]


def test_what_counts_as_a_line(tmp_path: Path) -> None:
    file = tmp_path / "small.cnn"
    file.write_text("# One.\nnet Small\n\nINPUT 8x8x3\n-> CONV3-8  # two\nassert params == 224\n", encoding="utf-8")
    assert lines.of_file(file) == 3
