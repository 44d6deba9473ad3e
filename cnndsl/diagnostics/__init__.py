"""Render diagnostics as text for people, editors and continuous integration.

Nothing is printed here. Text from a file is escaped first, so that no input can control the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cnndsl.errors import Diagnostic

FORMATS = ("full", "concise", "json", "github", "sarif")


def render(diagnostics: Sequence[Diagnostic], format: str = "full", *, colour: bool = False) -> str:
    """Return the diagnostics in one of `FORMATS`, without a final line break.

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
