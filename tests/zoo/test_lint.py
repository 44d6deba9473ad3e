"""What `lint` says of every bundled network is in docs/lint.md, with a judgement; so is every rule with its source."""

from __future__ import annotations

import re
from pathlib import Path

import cnndsl
from cnndsl.linting.lint import RULES, lint

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "lint.md").read_text(encoding="utf-8")


def rows(section: str) -> list[list[str]]:
    """The cells of the table of a section."""
    lines = re.findall(r"^\| (`.+) \|$", section, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def test_every_finding_in_the_zoo_is_judged() -> None:
    judged = {(rule.strip("`"), net) for rule, nets, _ in rows(PAGE.partition("## ")[2]) for net in nets.split(", ")}
    nets = [file.stem for file in (ROOT / "architectures").glob("*.cnn")]
    assert {(each.code, net) for net in nets for each in lint(cnndsl.load(net).graph)} == judged


def test_every_rule_is_on_the_page() -> None:
    listed = [row[0].strip("`") for row in rows(PAGE.partition("## ")[0])]
    assert sorted(listed) == sorted(rule.name for rule in RULES)
    assert [name for name in listed if name in {rule.name for rule in RULES if rule.strict}] == listed[:10]
    assert [rule.name for rule in RULES if rule.checked] == listed[2:10]


def test_the_page_names_the_years_of_its_sources() -> None:
    """The rule's own source is a paper or the notes, and the page names the same."""
    for name, _, _, source in (row for row in rows(PAGE.partition("## ")[0])):
        (rule,) = [each for each in RULES if each.name == name.strip("`")]
        assert set(re.findall(r"\b(?:19|20)\d\d\b", source)) == set(re.findall(r"\b(?:19|20)\d\d\b(?=,)", rule.source))
        assert ("the notes" in source) == ("CS231n" in rule.source)
