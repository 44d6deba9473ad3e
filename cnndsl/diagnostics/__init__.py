"""Diagnostics as text: for people, for editors, for continuous integration.

Nothing is printed here. Whatever comes from a file is escaped first, so that no input can steer the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cnndsl.errors import Diagnostic

FORMATS = ("full", "concise", "json", "github", "sarif")


def render(diagnostics: Sequence[Diagnostic], format: str = "full", *, colour: bool = False) -> str:
    """The diagnostics in one of `FORMATS`, without a line break at the end.

    Raises KeyError for another format.
    """
    if format == "full":
        from cnndsl.diagnostics.full import full

        return "\n\n".join(full(each, colour=colour) for each in diagnostics)
    from cnndsl.diagnostics import machine

    others: Mapping[str, Callable[[Sequence[Diagnostic]], str]] = {
        "concise": machine.concise,
        "json": machine.as_json,
        "github": machine.github,
        "sarif": machine.sarif,
    }
    return others[format](diagnostics)
