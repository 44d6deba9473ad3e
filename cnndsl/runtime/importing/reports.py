"""Report which networks can be imported, and what in the others has no counterpart: `cnndsl import --report`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from typing import Any

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.files import FileError
from cnndsl.finding import used
from cnndsl.importers.raising.page import words
from cnndsl.importers.refused import ImportFault, faults_of
from cnndsl.records import record
from cnndsl.report.table import in_columns
from cnndsl.runtime.importing.imported import text_of_module
from cnndsl.runtime.importing.targets import LIBRARIES, built
from cnndsl.shape import Shape
from cnndsl.syntax.parse import parse


@record(slots=True)
class ImportOutcome:
    """The result of importing a network: the layers and words of its program, or the reasons for failure."""

    target: str
    faults: tuple[ImportFault, ...]
    layers: int = 0
    words: int = 0

    @property
    def result(self) -> str:
        """The result in a word."""
        return "refused" if self.faults else "imported"


def outcomes(pattern: str, given: Mapping[str, object], shapes: Sequence[Shape] = ()) -> Iterator[ImportOutcome]:
    """Import each network of a pattern and yield the outcome.

    Args:
        pattern: `timm:resnet50d`, or with `*` and `?` several networks of timm or torchvision, `timm:resnet*`.
        given: Arguments for the code.
        shapes: The input shapes, if the code does not specify them.

    Raises:
        FileError: if there is no such code.
    """
    for target in targets(pattern):
        yield _outcome(target, given, shapes)


def as_table(found: Sequence[ImportOutcome]) -> str:
    """Return two tables: the networks, then each feature without a counterpart, with its location and number of
    occurrences."""
    rows = [["network", "result", "layers", "words"]]
    rows += [
        [each.target, each.result, *(f"{number:,}" if number else "" for number in (each.layers, each.words))]
        for each in found
    ]
    lines = in_columns(rows, left={0, 1})
    reasons = [
        [each.target, fault.what, str(fault.times), fault.module, fault.line] for each in found for fault in each.faults
    ]
    if reasons:
        heads = ["network", "has no counterpart", "times", "first in", "line"]
        lines += ["", *in_columns([heads, *reasons], left={0, 1, 3, 4})]
    return "\n".join(lines)


def as_json(found: Sequence[ImportOutcome]) -> str:
    """Return the outcomes as JSON; see docs/json.md."""
    rows = [
        {
            "network": each.target,
            "result": each.result,
            "layers": each.layers or None,
            "words": each.words or None,
            "faults": [
                {"what": fault.what, "times": fault.times, "module": fault.module, "line": fault.line}
                for fault in each.faults
            ],
        }
        for each in found
    ]
    return json.dumps(rows, indent=2)


def targets(pattern: str) -> list[str]:
    """Return the targets that a pattern matches, in order. Raises FileError if there are none."""
    home, _, name = pattern.rpartition(":")
    if home not in LIBRARIES or not set(name) & {"*", "?"}:
        return [pattern]
    library: Any = import_module({"torchvision": "torchvision.models"}.get(home, home))
    found = [f"{home}:{each}" for each in library.list_models() if fnmatch(each, name)]
    if not found:
        raise FileError(f"cannot import {pattern}: {home} has no model with a name like this")
    return found


def _outcome(target: str, given: Mapping[str, object], shapes: Sequence[Shape]) -> ImportOutcome:
    try:
        made = built(target, given)
        entering = shapes or ([made.shape] if made.shape is not None else [])
        if not entering:
            raise FileError("the input shape is unknown; give it with --input 224x224x3")
        text = text_of_module(made.module, entering, target)
    except (CnnError, FileError) as stop:
        return ImportOutcome(target, faults_of(stop))
    graph = elaborate(parse(Source("<import>", text)), {}, used)
    return ImportOutcome(target, (), len(graph) - len(graph.inputs), words(text))
