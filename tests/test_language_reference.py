"""docs/language.md: every example compiles, every wrong one fails as it says, and the table of kinds is complete."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cnndsl.analysis.contracts import check
from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.expr import show
from cnndsl.layers import KINDS
from cnndsl.layers.base import Layer
from cnndsl.network import used
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse

PAGE = Path(__file__).parent.parent / "docs" / "language.md"
TEXT = PAGE.read_text(encoding="utf-8")
RIGHT = re.findall(r"^```cnn\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
WRONG = re.findall(r"^```cnn-wrong (E\d{4})\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
TABLE = "\n".join(line for line in TEXT.splitlines() if line.startswith("| `"))


@pytest.mark.parametrize("example", RIGHT)
def test_an_example_compiles(example: str) -> None:
    file = parse(Source("example.cnn", example))
    assert check(elaborate(file, {}, used)) == []
    assert parse(Source("example.cnn", format(file)))


@pytest.mark.parametrize(("code", "example"), WRONG)
def test_a_wrong_example_fails_as_it_says(code: str, example: str) -> None:
    with pytest.raises(CnnError) as stop:
        elaborate(parse(Source("example.cnn", example)), {}, used)
    assert [each.code for each in stop.value.diagnostics] == [code]


def test_there_are_examples_of_both() -> None:
    assert len(RIGHT) >= 15
    assert len(WRONG) >= 6


def row(kind: type[Layer]) -> str:
    """The line of a kind in the table, as the kind itself states it."""
    defaults = {field.name: field.default for field in fields(kind)}
    suffixes = [kind.SIZE or "-", kind.WIDTH or "-", kind.STRIDE or "-"]
    options: list[str] = []
    for name, rule in kind.options().items():
        names = "/".join((name, *rule.aliases))
        if rule.required:
            options.append(f"**`{names}`**")
            continue
        default = defaults[name]
        shown = shown_default(default)
        options.append(f"`{names}={shown}`" if shown else f"`{names}`")
    names = ", ".join(f"`{name}`" for name in kind.NAMES)
    return f"| {names} | {' | '.join(suffixes)} | {', '.join(options) or '-'} |"


def shown_default(default: object) -> str:
    if isinstance(default, float):
        return f"{default:g}"
    return show(default) if isinstance(default, bool | int | tuple) else str(default)


@pytest.mark.parametrize(
    "kind", sorted(set(KINDS.values()), key=lambda kind: kind.kind()), ids=lambda kind: kind.kind()
)
def test_the_table_of_kinds_has_every_kind_as_it_is(kind: type[Layer]) -> None:
    assert row(kind) in TEXT
