"""A receptive field that is a bound says so wherever a command shows it. `stats` and `rf` have tests of their own."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from cnndsl import resources
from cnndsl.errors import Source
from tests.commands.running import data, run, table

BOUND = "INPUT 5000x1 -> (ID | POOL(out=2) -> UPSAMPLE(out=5000, mode=linear, align=yes)) -> CONV1-n"
"""Branches of different strides meet on a map of more than 4096 positions, of which each sees at most 5000."""


@pytest.fixture(autouse=True)
def _files() -> None:
    Path("bound.cnn").write_text(f"net Bound(n in {{1, 2}} = 1)\n{BOUND}\n")
    Path("exact.cnn").write_text("net Exact(n in {1, 2} = 1)\nINPUT 5000x1 -> CONV3-n\n")


def test_diff() -> None:
    result = run("diff", "exact.cnn", "bound.cnn")
    (row,) = [line.split("  ") for line in result.stdout.splitlines() if line.startswith("receptive field")]
    assert [cell.strip() for cell in row if cell.strip()] == ["receptive field", "3", "at most 5000"]
    (row,) = [
        line
        for line in run("diff", "bound.cnn", "bound.cnn", "--set-b", "n=2", "--format", "markdown").stdout.splitlines()
        if line.startswith("| receptive field")
    ]
    assert row == "| receptive field | at most 5000 | at most 5000 |  |"
    figures = data("diff", "exact.cnn", "bound.cnn", code=1)["figures"]
    assert figures["receptive_field"] == {"before": [3], "after": [5000], "change": None, "after_at_most": True}
    assert "after_at_most" not in figures["params"]


def test_sweep() -> None:
    options = ("--columns", "params,receptive_field")
    # CONV1 on 2 channels.
    assert table("sweep", "bound.cnn", *options)[1:] == [
        ["1", "3", "at", "most", "5000"],
        ["2", "6", "at", "most", "5000"],
    ]
    assert data("sweep", "bound.cnn", *options)[0]["figures"] == {
        "params": 3,
        "receptive_field": 5000,
        "receptive_field_at_most": True,
    }
    rows = list(csv.DictReader(io.StringIO(run("sweep", "bound.cnn", *options, "--format", "csv").stdout)))
    assert [row["receptive_field"] for row in rows] == ["at most 5000"] * 2
    assert data("sweep", "exact.cnn", *options)[0]["figures"] == {"params": 4, "receptive_field": 3}
    # Tests and orders take the bound as it is.
    assert len(data("sweep", "bound.cnn", "--where", "receptive_field == 5000", "--sort", "-receptive_field")) == 2


def test_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "zoo", lambda: ["bound"])
    monkeypatch.setattr(resources, "description", lambda _: "")
    monkeypatch.setattr(resources, "architecture", lambda name: Source(name, Path("bound.cnn").read_text()))
    assert table("zoo", "--columns", "receptive_field")[1:] == [["bound", "at", "most", "5000"]]
    monkeypatch.setattr(resources, "comment", lambda _: "")
    assert "receptive field     at most 5000" in run("zoo", "bound").stdout.splitlines()


def test_columns_of_layers() -> None:
    columns = ("--columns", "path,receptive_field,local", "--set", "n=1")
    first, *_, last = data("stats", "bound.cnn", *columns)["layers"]
    assert (last["receptive_field_at_most"], last["local"], last["local_at_most"]) == (True, 5000, True)
    assert "local_at_most" not in first


def test_a_node_of_networkx() -> None:
    import cnndsl

    nodes = cnndsl.load("bound.cnn").networkx().nodes
    assert [nodes[at].get("local_at_most") for at in nodes] == [None, None, True, True, True]
