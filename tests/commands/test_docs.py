"""docs/cli.md has every command and every option, and none that there is not; docs/json.md shows what is printed."""

from __future__ import annotations

import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import jsonschema
import pytest

from cnndsl import loads
from cnndsl.cli import COMMANDS, module
from tests.commands.running import DOCS, run
from tests.playing import play

PAGE = (DOCS / "cli.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## cnndsl (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def options(command: str) -> set[str]:
    """The options of a command, all spellings."""
    found: object = import_module(f"cnndsl.commands.{module(command)}").command
    assert isinstance(found, click.Command)
    return {name for each in found.params if isinstance(each, click.Option) for name in each.opts}


def test_every_command_has_a_section() -> None:
    assert list(SECTIONS) == list(COMMANDS), "docs/cli.md lists the commands in the order of `cnndsl --help`"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_begins_with_the_line_of_the_help(command: str) -> None:
    assert SECTIONS[command].strip().splitlines()[0] == COMMANDS[command]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_section_has_the_options_that_there_are(command: str) -> None:
    rows = [line.split("|")[1] for line in SECTIONS[command].splitlines() if line.startswith("| `-")]
    written = {name for row in rows for name in re.findall(r"(?<![\w-])--?[a-z][\w-]*", row)}
    assert written == options(command), f"docs/cli.md, section cnndsl {command}"


def test_choices_and_columns_are_listed() -> None:
    from cnndsl.commands.stats import BY
    from cnndsl.report.columns import COLUMNS
    from cnndsl.report.formats import FORMATS

    assert all(f"`{word}`" in SECTIONS["stats"] for word in (*FORMATS, *BY, *COLUMNS))


def test_the_example_of_the_json_is_what_is_printed() -> None:
    page = (DOCS / "json.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    example = json.loads(text)
    jsonschema.validate(example, json.loads((DOCS / "stats.schema.json").read_text(encoding="utf-8")))
    net = "net Small INPUT 8x8x3 -> features: [CONV3-4 -> RELU -> POOL2] -> fc: FC-10"
    printed = json.loads(loads(net).stats().render("json"))
    assert {**printed, "layers": printed["layers"][:1]} == example


def test_links_lead_somewhere() -> None:
    for page in ("cli.md", "json.md"):
        targets = re.findall(r"\]\(([^)#:]+)\)", (DOCS / page).read_text(encoding="utf-8"))
        assert [target for target in targets if not (DOCS / target).exists()] == []


def test_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    assert play(DOCS / "cli.md", tmp_path) == 5


def test_the_commands_for_papers_write_their_files() -> None:
    """Those of docs/latex.md, each by itself."""
    commands = re.findall(r"^    cnndsl (.+ -o (\S+))$", (DOCS / "latex.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 5
    for command, file in commands:
        result = run(*shlex.split(command))
        assert result.exit_code in (0, 1), result.output  # `diff` has 1 for a difference
        assert Path(file).stat().st_size > 0
