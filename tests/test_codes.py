"""Every code of an error is explained, by examples that are what they say."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.analysis.assertions import check
from cnndsl.analysis.execution import unknown
from cnndsl.cli import cli
from cnndsl.codes import CODES, Code
from cnndsl.codes.entry import COMMAND, PYTHON
from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.resources import architecture
from cnndsl.syntax.parse import parse

PACKAGE = Path(__file__).parent.parent / "cnndsl"
EACH = pytest.mark.parametrize("entry", CODES.values(), ids=list(CODES))


def sources_of(example: str) -> dict[str, Source]:
    """The files of an example by name; the first is net.cnn."""
    first, *others = re.split(r"^# file: (\S+)\n", example, flags=re.MULTILINE)
    texts = {"net.cnn": first, **dict(zip(others[::2], others[1::2], strict=True))}
    return {name: Source(name, text) for name, text in texts.items()}


def codes_of(example: str) -> list[str]:
    """The codes of the errors that an example gives."""
    if example.startswith(COMMAND):
        program, *arguments = shlex.split(example.removeprefix(COMMAND))
        assert program == "cnndsl"
        result = CliRunner().invoke(cli, arguments)
        said = result.output + result.stderr
        codes = re.findall(r"error\[(E\d+)\]", said)
        assert result.exit_code == (1 if codes else 0), said
        return codes
    if example.startswith(PYTHON):
        try:
            exec("\n".join(line.removeprefix(PYTHON) for line in example.splitlines()), {})
        except CnnError as stop:
            return [each.code for each in stop.diagnostics]
        return []
    files: Mapping[str, Source] = sources_of(example)
    try:
        graph = elaborate(parse(files["net.cnn"]), {}, lambda name, _: files.get(name) or architecture(name) or "")
    except CnnError as stop:
        return [each.code for each in stop.diagnostics]
    return [each.code for each in check(graph, unknown)]


def test_every_code_that_is_raised_is_explained_and_no_other() -> None:
    texts = (path.read_text("utf-8") for path in PACKAGE.rglob("*.py") if "codes" not in path.parts)
    assert {code for text in texts for code in re.findall(r'"(E\d{4})"', text)} == set(CODES)


def test_the_codes_are_in_order() -> None:
    assert list(CODES) == sorted(CODES)


@EACH
def test_the_wrong_example_is_wrong_in_this_way_alone(entry: Code) -> None:
    assert set(codes_of(entry.wrong)) == {entry.number}


@EACH
def test_the_right_example_is_right(entry: Code) -> None:
    assert codes_of(entry.right) == []


@EACH
def test_the_texts_can_be_read(entry: Code) -> None:
    assert entry.title == entry.title.strip().rstrip(".")
    assert entry.rule.endswith(".")
    explained = CliRunner().invoke(cli, ["explain", entry.number])
    assert explained.exit_code == 0
    assert explained.output == f"{entry}\n"
    prose = str(entry).split("Wrong:")[0]
    assert max(map(len, prose.splitlines())) <= 100


def test_codes_are_found_as_messages_show_them() -> None:
    assert CliRunner().invoke(cli, ["explain", "error[e0312]".removeprefix("error")]).output.startswith("E0312: ")


def test_an_unknown_code_offers_the_nearest() -> None:
    result = CliRunner().invoke(cli, ["explain", "E0132"])
    assert result.exit_code == 1
    assert "there is no error E0132; did you mean `E0" in result.stderr
