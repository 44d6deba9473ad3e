"""`cnndsl explain`: explain an error code."""

from __future__ import annotations

import click

from cnndsl.commands.common import echo
from cnndsl.errors import nearest
from cnndsl.files import FileError


@click.command("explain")
@click.argument("code")
def command(code: str) -> None:
    """Explain an error code.

    Prints the rule, an invalid example and a valid one.

    \b
    cnndsl explain E0312
    """
    from cnndsl.codes import CODES

    wanted = code.strip("[]").upper()
    if wanted not in CODES:
        hint = nearest(wanted, list(CODES))
        raise FileError(f"there is no error {wanted}{f'; {hint}' if hint else ''}")
    echo(str(CODES[wanted]))
