"""Render diagnostics for programs: one line each, JSON, GitHub's workflow commands, SARIF 2.1.0."""

from __future__ import annotations

import json
from collections.abc import Sequence
from ntpath import splitdrive
from typing import TypeAlias
from urllib.parse import quote

from cnndsl.errors import Diagnostic, Fix, Span
from cnndsl.terminal import clean

DiagnosticJson: TypeAlias = "str | int | list[DiagnosticJson] | dict[str, DiagnosticJson] | None"
"""The JSON values in a diagnostic: no fractions."""

_GITHUB = {"error": "error", "warning": "warning"}
_SARIF = {"error": "error", "warning": "warning"}


def concise(diagnostics: Sequence[Diagnostic]) -> str:
    """Return one line for each diagnostic: `net.cnn:3:7: E0102 there is no kind `CNOV``."""
    return "\n".join(map(_line, diagnostics))


def as_json(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a JSON list of objects; lines and columns count from 1, in characters."""
    return json.dumps([_object(each) for each in diagnostics], indent=2)


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Return workflow commands, which GitHub Actions shows beside the changed lines.

    Source: docs.github.com, "Workflow commands for GitHub Actions".
    """
    return "\n".join(map(_command, diagnostics))


def sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """Return a SARIF 2.1.0 log (OASIS standard), which code scanners accept."""
    codes = sorted({each.code for each in diagnostics})
    driver: dict[str, DiagnosticJson] = {"name": "cnndsl", "rules": [{"id": code} for code in codes]}
    run: dict[str, DiagnosticJson] = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each, codes.index(each.code)) for each in diagnostics],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


def _line(diagnostic: Diagnostic) -> str:
    place = f"{clean(str(diagnostic.span))}: " if diagnostic.span else ""
    mark = "" if diagnostic.severity == "error" else f"{diagnostic.severity} "
    return f"{place}{mark}{diagnostic.code} {clean(diagnostic.message)}"


def _place(span: Span) -> dict[str, DiagnosticJson]:
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.name,
        "line": span.line,
        "column": span.column,
        "end_line": end_line,
        "end_column": end_column,
    }


def _object(diagnostic: Diagnostic) -> dict[str, DiagnosticJson]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "place": _place(diagnostic.span) if diagnostic.span else None,
        "label": diagnostic.label,
        "others": [{"place": _place(other.span), "label": other.text} for other in diagnostic.others],
        "context": list(diagnostic.context),
        "help": diagnostic.help,
        "fix": _fix(diagnostic.fix) if diagnostic.fix else None,
    }


def _fix(fix: Fix) -> dict[str, DiagnosticJson]:
    edits: list[DiagnosticJson] = [{"place": _place(edit.span), "text": edit.text} for edit in fix.edits]
    return {"edits": edits}


def _sentence(diagnostic: Diagnostic) -> str:
    """Return the message with everything that has no field of its own."""
    message = ", ".join((diagnostic.message, *diagnostic.context))
    return f"{message}; help: {diagnostic.help}" if diagnostic.help else message


def _command(diagnostic: Diagnostic) -> str:
    properties = [f"title={_property(diagnostic.code)}"]
    if diagnostic.span:
        place = _place(diagnostic.span)
        properties[:0] = [
            f"file={_property(str(place['file']))}",
            f"line={place['line']}",
            f"endLine={place['end_line']}",
            f"col={place['column']}",
            f"endColumn={place['end_column']}",
        ]
    command = _GITHUB.get(diagnostic.severity, "notice")
    return f"::{command} {','.join(properties)}::{_data(_sentence(diagnostic))}"


def _data(text: str) -> str:
    return clean(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _uri(path: str) -> str:
    """Return a path as a URI reference, relative if the path is; a drive and a server need the scheme.

    >>> _uri("nets/my net.cnn"), _uri("C:\\\\nets\\\\a.cnn"), _uri("\\\\\\\\server\\\\share\\\\a.cnn")
    ('nets/my%20net.cnn', 'file:///C:/nets/a.cnn', 'file://server/share/a.cnn')
    """
    drive, rest = splitdrive(path)
    if not rest.startswith(("/", "\\")):
        drive, rest = "", path
    quoted = quote(rest.replace("\\", "/"), safe="/", errors="replace")
    if not drive:
        return quoted
    home = drive.replace("\\", "/")
    return f"file:///{home}{quoted}" if home.endswith(":") else f"file:{quote(home, safe='/')}{quoted}"


def _region(span: Span) -> dict[str, DiagnosticJson]:
    place = _place(span)
    return {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }


def _location(span: Span, message: str = "") -> dict[str, DiagnosticJson]:
    file: dict[str, DiagnosticJson] = {"uri": _uri(span.source.name)}
    location: dict[str, DiagnosticJson] = {"physicalLocation": {"artifactLocation": file, "region": _region(span)}}
    if message:
        location["message"] = {"text": message}
    return location


def _result(diagnostic: Diagnostic, rule: int) -> dict[str, DiagnosticJson]:
    result: dict[str, DiagnosticJson] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": _SARIF.get(diagnostic.severity, "note"),
        "message": {"text": _sentence(diagnostic)},
    }
    if diagnostic.span:
        result["locations"] = [_location(diagnostic.span)]
    if diagnostic.others:
        result["relatedLocations"] = [_location(other.span, other.text) for other in diagnostic.others]
    if diagnostic.fix:
        result["fixes"] = [_sarif_fix(diagnostic.fix, diagnostic.help)]
    return result


def _sarif_fix(fix: Fix, text: str) -> dict[str, DiagnosticJson]:
    """Return a fix in SARIF format (section 3.55): replacements by file."""
    changes: dict[str, list[DiagnosticJson]] = {}
    for edit in fix.edits:
        replaced: dict[str, DiagnosticJson] = {
            "deletedRegion": _region(edit.span),
            "insertedContent": {"text": edit.text},
        }
        changes.setdefault(_uri(edit.span.source.name), []).append(replaced)
    listed: list[DiagnosticJson] = [
        {"artifactLocation": {"uri": uri}, "replacements": each} for uri, each in changes.items()
    ]
    return {"description": {"text": text}, "artifactChanges": listed}
