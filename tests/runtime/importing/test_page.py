"""docs/import.md: its classes are imported, and the programs and errors on the page are what comes out."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.running import run
from tests.oracle import torchvision

PAGE = (Path(__file__).parents[3] / "docs" / "import.md").read_text(encoding="utf-8")
CODE = "\n\n".join(re.findall(r"```python\n# nets\.py\n(.*?)```", PAGE, re.DOTALL))
PRINTED = re.findall(
    r"`cnndsl import (?:--report )?(nets\.py:\w+) --input (\w+)` prints\n\n```(?:cnn|text)\n(.*?)```", PAGE, re.DOTALL
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "nets.py").write_text(CODE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    known = list(sys.path)
    yield
    sys.path[:] = known
    sys.modules.pop("nets", None)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("target", "volume", "expected"), PRINTED, ids=[each[0] for each in PRINTED])
def test_classes_of_the_page(target: str, volume: str, expected: str) -> None:
    report = ["--report"] * expected.startswith("network ")
    done = run("import", *report, target, "--input", volume)
    told = [line for line in done.stderr.splitlines() if not line.startswith("this runs")]
    assert (done.stdout or "\n".join(told)).strip() == expected.strip()


def test_the_page_has_five_classes() -> None:
    assert len(PRINTED) == 5


def test_the_network_of_a_library() -> None:
    assert torchvision.__name__ in sys.modules
    written = re.search(r"```sh\ncnndsl import (\S+) -o \S+\n```\n\nwrites\n\n```cnn\n(.*?)```", PAGE, re.DOTALL)
    assert written is not None
    assert run("import", written[1]).stdout == written[2]
