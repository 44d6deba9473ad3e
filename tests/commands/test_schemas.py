"""Every command that prints JSON has a schema beside docs/json.md, and what it prints is of that form."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest

from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.cli import COMMANDS, module
from tests.commands.running import DOCS, data, run

LISTED = dict(
    re.findall(r"^\| `cnndsl (\w+) .*`.*\[(\w+\.schema\.json)\]", (DOCS / "json.md").read_text("utf-8"), re.M)
)
"""The table of docs/json.md: command and schema."""

FAMILY = (
    "net F(n in {1, 2, 9}, wide in {no, yes}, act in {RELU, GELU})\nINPUT 8x8x3 -> [CONV3-4 -> act -> POOL2]*n -> FC-2"
)


def prints_json(command: str) -> bool:
    found: object = import_module(f"cnndsl.commands.{module(command)}").command
    assert isinstance(found, click.Command)
    choices = [each.type.choices for each in found.params if isinstance(each.type, click.Choice)]
    return any("json" in each for each in choices)


def schema(name: str) -> Any:
    return json.loads((DOCS / name).read_text(encoding="utf-8"))


def test_the_page_lists_all_commands_that_print_json() -> None:
    assert set(LISTED) == {command for command in COMMANDS if prints_json(command)}


@pytest.mark.parametrize("name", sorted(path.name for path in DOCS.glob("*.schema.json")))
def test_a_schema_is_one_and_is_listed(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    assert name in LISTED.values()


def test_sweep() -> None:
    Path("family.cnn").write_text(FAMILY)
    found = data("sweep", "family.cnn", "--columns", ",".join(OF_NETWORKS))
    assert [row["settings"]["n"] for row in found[::4]] == [1, 2, 9]
    assert found[0]["settings"] == {"n": 1, "wide": False, "act": "RELU"}
    assert set(found[0]["figures"]) == set(OF_NETWORKS)
    assert found[-1]["figures"] is None
    assert "E0301" in found[-1]["reason"]
    assert data("sweep", "family.cnn", "--set", "input={8x8x3, 16x16x3}", "--set", "n=1")[0]["settings"]["input"] == [
        8,
        8,
        3,
    ]


@pytest.mark.parametrize("options", [(), ("--training", "--batch", "2")])
def test_bench(options: tuple[str, ...]) -> None:
    found = data("bench", "-", "--device", "cpu", "--runs", "2", *options, stdin="INPUT 8x8x3 -> CONV3-4 -> FC-2")
    assert found["seconds"]["min"] <= found["seconds"]["median"] <= found["seconds"]["max"]


def test_check() -> None:
    wrong = sorted((Path(__file__).parents[1] / "gallery" / "wrong").glob("*.cnn"))
    result = run("check", *map(str, wrong), "--output-format", "json")
    found = json.loads(result.stdout)
    jsonschema.validate(found, schema(LISTED["check"]))
    assert len(found) > 150
    assert {True, False} == {bool(each["others"]) for each in found} == {bool(each["context"]) for each in found}


def test_lint() -> None:
    Path("net.cnn").write_text("INPUT 8x8x3 -> CONV3-8/2(pad=0) -> BN -> FC-2\n")
    found = json.loads(run("lint", "net.cnn", "--output-format", "json").stdout)
    jsonschema.validate(found, schema(LISTED["lint"]))
    assert {each["severity"] for each in found} == {"warning"}


def test_metrics_are_described_as_in_their_table() -> None:
    rows = schema("sweep.schema.json")["items"]["properties"]["figures"]["oneOf"][0]["properties"]
    assert set(rows) - set(OF_NETWORKS) == {"receptive_field_at_most"}
    assert {name: rows[name]["description"] for name in OF_NETWORKS} == {
        name: METRICS[name].definition for name in OF_NETWORKS
    }
