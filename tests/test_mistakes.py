"""Mistakes that people make, each with the program that its author meant: what a message offers gives that program.

The files in `mistakes/` are data that anybody can add to. `LEAST` is how many of them are fixed; the others have a
message without a fix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from cnndsl import CnnError, loads
from cnndsl.fixes import fixed
from cnndsl.linting.lint import RULES, lint
from cnndsl.testing.fixing import after_fixes, structure

FILES = sorted((Path(__file__).parent / "mistakes").glob("*.txt"))
LEAST = 380


def entries() -> Iterator[tuple[str, str, str]]:
    """The name of each mistake, the text with it, and the text that was meant."""
    for file in FILES:
        for entry in re.split(r"^## ", file.read_text("utf-8"), flags=re.MULTILINE)[1:]:
            name, _, texts = entry.partition("\n")
            wrong, meant = texts.split("\n=>\n")
            yield name, wrong.strip("\n"), meant.strip("\n")


MISTAKES = {name: (wrong, meant) for name, wrong, meant in entries()}


@cache
def is_offered(name: str) -> bool:
    """Check whether a message offers a fix for a mistake; a program that compiles gets a warning with one."""
    try:
        loads(MISTAKES[name][0])
    except CnnError as stop:
        return any(each.fix for each in stop.diagnostics)
    return True


@cache
def is_fixed(name: str) -> bool:
    """Check whether a message offers a fix for a mistake; fail if following it gives another network."""
    text, meant = MISTAKES[name]
    if not is_offered(name):
        return False
    try:
        graph = loads(text).graph
    except CnnError:
        pass
    else:
        codes = {rule.name for rule in RULES if rule.checked}
        warnings = [each for each in lint(graph) if each.code in codes]
        assert warnings, "neither an error nor a warning of `check`"
        assert structure(loads(fixed(graph.source, warnings)).graph) == structure(loads(meant).graph)
        return True
    assert structure(loads(after_fixes(text)).graph) == structure(loads(meant).graph)
    return True


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_offered_is_what_was_meant(name: str) -> None:
    is_fixed(name)


def test_most_mistakes_are_fixed() -> None:
    assert sum(map(is_offered, MISTAKES)) >= LEAST
    assert len(MISTAKES) >= 150
