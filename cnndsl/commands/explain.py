"""`cnndsl explain`: explain an error code."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from cnndsl.commands.common import force_option
from cnndsl.commands.tables import deliver, output_option
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import closest, did_you_mean
from cnndsl.files import FileError


@click.command("explain", cls=Subcommand)
@click.argument("code", required=False)
@output_option
@force_option
def command(code: str | None, output: str | None, force: bool) -> None:
    """Explain an error code or a rule of lint.

    Prints the rule, an invalid example and a valid one; for a rule of lint, the rule and its source. Without CODE,
    lists all codes and rules with a line for each.

    \b
    cnndsl explain E0312
    cnndsl explain unused
    cnndsl explain
    """
    deliver(_explained(code) if code is not None else _list(), output, force=force)


def _list() -> str:
    """Return every code and every rule, each with its line."""
    from cnndsl.codes import CODES
    from cnndsl.linting.lint import RULES

    longest = max(len(rule.name) for rule in RULES)
    codes = [f"{name}  {CODES[name].title}" for name in sorted(CODES)]
    return "\n".join([*codes, "", *(f"{rule.name:<{longest}}  {rule.summary}" for rule in RULES)])


def _explained(code: str) -> str:
    """Return the text on a code or a rule. Raises FileError for an unknown one."""
    from cnndsl.codes import CODES

    rules = _rules()
    if code.lower() in rules:
        return rules[code.lower()]
    wanted = code.strip("[]").upper()
    if wanted in CODES:
        return str(CODES[wanted])
    raise FileError(f"there is no error {wanted}; {_hint(code, list(rules), list(CODES))}")


def _hint(code: str, rules: Sequence[str], codes: Sequence[str]) -> str:
    """Return a suggestion for an unknown code: one with other digits, a rule, a layer type or a metric."""
    from cnndsl.analysis.metric_table import METRICS
    from cnndsl.layers import find

    digits = re.sub(r"\D", "", code)
    if re.fullmatch(r"\W*[Ee]?\W*\d{1,4}\W*", code) and f"E{digits:0>4}" in codes:
        return did_you_mean(f"E{digits:0>4}")
    head = re.match(r"[A-Za-z]*", code)
    if head and find(head[0].upper()) is not None:
        return f"{head[0].upper()} is a layer type, which docs/language.md describes"
    if code.lower() in METRICS:
        return f"{code.lower()} is a metric, which docs/figures.md defines"
    near = closest(code.lower(), rules) or closest(code.upper(), codes)
    return did_you_mean(near) if near else "`cnndsl explain` lists the codes and rules"


def _rules() -> dict[str, str]:
    """Return the description of each rule of `lint`."""
    from inspect import getdoc

    from cnndsl.linting.lint import RULES

    return {rule.name: f"{rule.name}: a rule of lint\n\n{getdoc(rule.check)}" for rule in RULES}
