"""Diagnostics for programs, held against the formats' own definitions."""

from __future__ import annotations

import json

import pytest

from cnndsl.diagnostics import render
from cnndsl.errors import Annotation, Diagnostic, Source, Span

SOURCE = Source("nets/a b.cnn", "INPUT\n-> CNOV3\n")
CNOV = Span(SOURCE, 9, 14)
DIAGNOSTIC = Diagnostic(
    "E0211",
    "there is no kind `CNOV`",
    CNOV,
    "here",
    (Annotation(Span(SOURCE, 0, 5), "start"),),
    help="did you mean `CONV`?",
)


def test_concise() -> None:
    assert render([DIAGNOSTIC, Diagnostic("E0501", "no place", severity="warning")], "concise") == (
        "nets/a b.cnn:2:4: E0211 there is no kind `CNOV`\nwarning E0501 no place"
    )


def test_json() -> None:
    (found,) = json.loads(render([DIAGNOSTIC], "json"))
    assert found["place"] == {"file": "nets/a b.cnn", "line": 2, "column": 4, "end_line": 2, "end_column": 9}
    assert found["others"][0]["place"]["line"] == 1
    assert found["code"] == "E0211"
    assert json.loads(render([], "json")) == []


def test_github() -> None:
    # Commas and colons are escaped in properties, line breaks and percent signs everywhere.
    # Source: actions/toolkit, packages/core/src/command.ts.
    source = Source("a,b:c%.cnn", "INPUT")
    diagnostic = Diagnostic("E0211", "100%\nbad", Span(source, 0, 5))
    assert render([diagnostic], "github") == (
        "::error file=a%2Cb%3Ac%25.cnn,line=1,endLine=1,col=1,endColumn=6,title=E0211::100%25%0Abad"
    )
    assert render([Diagnostic("W1", "x", severity="warning")], "github") == "::warning title=W1::x"


def test_sarif() -> None:
    log = json.loads(render([DIAGNOSTIC, DIAGNOSTIC, Diagnostic("E0501", "no place")], "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["tool"]["driver"]["rules"] == [{"id": "E0211"}, {"id": "E0501"}]
    first, _, last = run["results"]
    assert first["ruleId"] == "E0211"
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "nets/a%20b.cnn"},
        "region": {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 9},
    }
    assert first["relatedLocations"][0]["message"] == {"text": "start"}
    assert "locations" not in last
    assert last["ruleIndex"] == 1


def test_an_unknown_format() -> None:
    with pytest.raises(KeyError):
        render([DIAGNOSTIC], "xml")
