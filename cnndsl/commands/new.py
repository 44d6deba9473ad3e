"""`cnndsl new`: copy a bundled network."""

from __future__ import annotations

import click

from cnndsl.commands.common import echo, force_option, note
from cnndsl.commands.usage import Subcommand
from cnndsl.files import FileError


@click.command("new", cls=Subcommand)
@click.argument("name")
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Where to write; - is the standard output.  [default: NAME.cnn in the current folder]",
)
@force_option
def command(name: str, output: str | None, force: bool) -> None:
    """Copy a bundled network to start from.

    `cnndsl zoo` lists the names.

    \b
    cnndsl new vgg16
    cnndsl new vgg16 -o mine.cnn
    """
    from cnndsl import resources
    from cnndsl.files import write

    source = resources.architecture(name)
    if source is None:
        hint = resources.similar(name) or "`cnndsl zoo` lists the names"
        raise FileError(f"there is no bundled network {name!r}; {hint}")
    if output == "-":
        echo(source.text.rstrip("\n"))
        return
    target = source.name if output is None else output
    write(target, source.text.encode(), force=force)
    note(f"wrote {target}")
