"""Commands called as the command line calls them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
from click.testing import CliRunner, Result

from cnndsl.cli import cli

DOCS = Path(__file__).parents[2] / "docs"


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def table(*arguments: str, stdin: str | None = None) -> list[list[str]]:
    """The words of each line that a command prints."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code == 0, result.output
    return [line.split() for line in result.stdout.splitlines()]


def data(command: str, *arguments: str, stdin: str | None = None, code: int = 0) -> Any:
    """What a command gives as JSON, held against its published schema."""
    result = run(command, *arguments, "--format", "json", stdin=stdin)
    assert result.exit_code == code, result.output
    found = json.loads(result.stdout)
    schema = json.loads((DOCS / f"{command}.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(found, schema)
    return found
