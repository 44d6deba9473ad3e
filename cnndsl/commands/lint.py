"""`cnndsl lint`: check networks against rules of thumb."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import click

from cnndsl.commands.common import echo, known_names, network, settings_option
from cnndsl.commands.findings import deliver_findings, findings_options
from cnndsl.commands.usage import Subcommand
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import FileError


def _list(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Print the rules and exit."""
    if not wanted:
        return
    from cnndsl.linting.lint import RULES

    echo("\n".join(f"{rule.name}\n  {rule.summary}\n  {rule.source}" for rule in RULES))
    ctx.exit()


@click.command("lint", cls=Subcommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@settings_option
@click.option("--select", metavar="RULES", help="Check only these rules, as in even-kernel,first-fc.")
@click.option("--ignore", metavar="RULES", help="Skip these rules.")
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="List the rules with their sources."
)
@findings_options
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if something is found.")
@click.pass_context
def command(
    ctx: click.Context,
    files: tuple[str, ...],
    settings: tuple[str, ...],
    select: str | None,
    ignore: str | None,
    output_format: str | None,
    output: str | None,
    force: bool,
    exit_zero: bool,
) -> None:
    """Check networks against rules of thumb.

    Each rule comes from a lecture or a paper; --list names the sources. A comment `# cnndsl: allow(RULE)` switches a
    rule off: at the end of a line for that line, on a line of its own for the file. The exit code is 1 if anything is
    found or a file is invalid.

    \b
    cnndsl lint net.cnn --ignore first-fc
    cnndsl lint *.cnn --format github
    """
    from cnndsl.linting.lint import RULES, lint

    names = [rule.name for rule in RULES]
    chosen = known_names(select, names, "rule") or names
    dropped = {*known_names(ignore, names, "rule"), *(name for name in names if name not in chosen)}
    found: list[Diagnostic] = []
    broken = False
    for file in files:
        try:
            graph = network(file, settings).graph
            found.extend(_cited(each) for each in lint(graph, dropped))
        except CnnError as stop:
            broken = True
            found.extend(stop.diagnostics)
        except FileError as stop:
            broken = True
            found.append(Diagnostic("E0502", str(stop)))
    summary = partial(_summary, len(files), len(found))
    deliver_findings(found, output_format, output, force=force, summary=summary)
    ctx.exit(1 if broken or (found and not exit_zero) else 0)


def _cited(finding: Diagnostic) -> Diagnostic:
    """Return the finding with the source of its rule."""
    from cnndsl.linting.lint import RULES

    source = next((rule.source for rule in RULES if rule.name == finding.code), "")
    return replace(finding, help="\n".join(filter(None, (finding.help, source and f"source: {source}"))))


def _summary(files: int, findings: int) -> str:
    """Return a summary in words.

    >>> _summary(1, 0), _summary(3, 2)
    ('1 file, nothing found', '3 files, 2 findings')
    """
    found = {0: "nothing found", 1: "1 finding"}.get(findings, f"{findings} findings")
    return f"{'1 file' if files == 1 else f'{files} files'}, {found}"
