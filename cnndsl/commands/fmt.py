"""`cnndsl fmt`: format files in the canonical style."""

from __future__ import annotations

import click

from cnndsl.commands.common import complain, echo, note, read, report
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import CnnError, Source
from cnndsl.files import FileError, exists, write


@click.command("fmt", cls=Subcommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Write nothing; the exit code is 1 if a file is not formatted.")
@click.option("--diff", is_flag=True, help="Write nothing; print the changes. The exit code is 1 if there are any.")
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...], check: bool, diff: bool) -> None:
    """Format files in the canonical style.

    Files are changed in place; - reads the standard input and prints the result. Comments stay where they are, and the
    meaning does not change.

    \b
    cnndsl fmt net.cnn
    cnndsl fmt *.cnn --check
    """
    changed = failed = 0
    for file in files:
        try:
            changed += _format(file, check, diff)
        except CnnError as stop:
            report(stop.diagnostics)
            failed += 1
        except FileError as stop:
            complain(str(stop))
            failed += 1
    ctx.exit(1 if failed or (changed and (check or diff)) else 0)


def _format(file: str, check: bool, diff: bool) -> bool:
    """Format a file. Return whether that changed anything, or would."""
    from cnndsl.finding import read as read_file
    from cnndsl.resources import architecture
    from cnndsl.syntax.format import format
    from cnndsl.syntax.parse import parse

    if not exists(file) and architecture(file) is not None:
        raise FileError(f"there is no file {file}, and bundled networks are formatted; `cnndsl new {file}` copies one")
    source = read(file) if file == "-" else read_file(file)
    text = format(parse(source))
    changed = text != source.text
    if diff and changed:
        echo(_difference(source, text))
    if file == "-" and not check and not diff:
        echo(text.removesuffix("\n"))
    elif check and changed:
        note(f"{source.name} is not formatted")
    elif changed and not diff:
        write(file, text.encode(), force=True)
        note(f"formatted {source.name}")
    return changed


def _difference(source: Source, text: str) -> str:
    from difflib import unified_diff

    from cnndsl.terminal import clean

    lines = unified_diff(source.text.splitlines(), text.splitlines(), source.name, source.name, lineterm="")
    return "\n".join(clean(line) for line in lines)
