"""`cnndsl zoo`: the bundled networks."""

from __future__ import annotations

import sys

import click

from cnndsl.commands.common import echo, terminal_width
from cnndsl.terminal import width


@click.command("zoo")
@click.argument("words", nargs=-1, metavar="[WORD]...")
def command(words: tuple[str, ...]) -> None:
    """List the bundled networks.

    With words: those that have each of them in their name or description.

    \b
    cnndsl zoo resnet
    """
    from cnndsl import resources

    rows = [(name, resources.description(name)) for name in resources.zoo()]
    chosen = [row for row in rows if all(word.casefold() in " ".join(row).casefold() for word in words)]
    widest = max((width(name) for name, _ in chosen), default=0)
    longest = max(terminal_width() - widest - 2, 20) if sys.stdout.isatty() else None
    for name, text in chosen:
        echo(f"{name:<{widest}}  {_shortened(text, longest)}".rstrip())


def _shortened(text: str, longest: int | None) -> str:
    """The text, cut behind a word where it is too long.

    >>> _shortened("VGG-16, configuration D.", 20)
    'VGG-16, …'
    """
    if longest is None or len(text) <= longest:
        return text
    return f"{text[: longest - 1].rpartition(' ')[0]} …"
