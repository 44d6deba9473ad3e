"""`cnndsl check`: the errors in files."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from cnndsl.commands.common import network, settings_option
from cnndsl.commands.findings import deliver_findings, findings_options
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import FileError
from cnndsl.graph import Graph


@click.command("check", cls=Subcommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@settings_option
@click.option(
    "--strict",
    is_flag=True,
    help="Warnings are errors, and so are rows and columns that no window reaches, and poolings that copy values.",
)
@findings_options
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    strict: bool,
    output_format: str | None,
    output: str | None,
    force: bool,
) -> None:
    """Check files and report every error.

    Checks syntax, shapes and assertions. Warns about unused names and likely mistakes. Prints errors and
    warnings to standard output. The exit code is 1 if there is an error. `cnndsl lint` checks more rules than --strict;
    `cnndsl lint --help` explains how to disable them.

    \b
    cnndsl check net.cnn --strict
    cnndsl check *.cnn -o findings.sarif
    """
    found: list[Diagnostic] = []
    for file in files:
        try:
            graph = network(file, settings).graph
            found.extend(_warnings(graph, strict))
        except CnnError as stop:
            found.extend(stop.diagnostics)
        except FileError as stop:
            found.append(Diagnostic("E0502", str(stop)))
    errors = sum(each.severity == "error" for each in found)
    summary = partial(_summary, len(files), errors, len(found) - errors)
    deliver_findings(found, output_format, output, force=force, summary=summary)
    ctx.exit(1 if errors else 0)


def _warnings(graph: Graph, strict: bool) -> list[Diagnostic]:
    """Return the findings of those rules of `lint` that `check` includes; with `strict`, of more rules, as errors."""
    from cnndsl.linting.lint import RULES, lint

    asked = [rule.name for rule in RULES if (rule.strict if strict else rule.checked)]
    others = [rule.name for rule in RULES if rule.name not in asked]
    found = [each for each in lint(graph, others) if each.code in asked]
    return [replace(each, severity="error") for each in found] if strict else found


def _summary(files: int, errors: int, warnings: int) -> str:
    """Return a summary in words.

    >>> _summary(1, 0, 0), _summary(3, 2, 1)
    ('1 file checked, no errors', '3 files checked, 2 errors, 1 warning')
    """
    checked = "1 file checked" if files == 1 else f"{files} files checked"
    counted = "no errors" if not errors else "1 error" if errors == 1 else f"{errors} errors"
    more = f", {warnings} warning{'s' * (warnings > 1)}" if warnings else ""
    return f"{checked}, {counted}{more}"
