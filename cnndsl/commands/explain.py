"""`cnndsl explain`: explain an error code."""

from __future__ import annotations

import click

from cnndsl.commands.common import echo
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import closest, nearest
from cnndsl.files import FileError


@click.command("explain", cls=Subcommand)
@click.argument("code")
def command(code: str) -> None:
    """Explain an error code or a rule of lint.

    Prints the rule, an invalid example and a valid one; for a rule of lint, the rule and its source.

    \b
    cnndsl explain E0312
    cnndsl explain unused
    """
    from cnndsl.codes import CODES

    rules = _rules()
    if code.lower() in rules:
        echo(rules[code.lower()])
        return
    wanted = code.strip("[]").upper()
    if wanted not in CODES:
        near = closest(code.lower(), list(rules))
        hint = f"did you mean `{near}`?" if near else nearest(wanted, list(CODES))
        raise FileError(f"there is no error {wanted}{f'; {hint}' if hint else ''}")
    echo(str(CODES[wanted]))


def _rules() -> dict[str, str]:
    """What is said of each rule of `lint`."""
    from inspect import getdoc

    from cnndsl.linting.lint import RULES

    return {rule.name: f"{rule.name}: a rule of lint\n\n{getdoc(rule.check)}" for rule in RULES}
