"""How much of anything a program may have, so that no text takes all time and memory. It counts nothing itself.

The defaults let every published network through, and 100,000 layers. `CNNDSL_LIMITS="layers=10000 nesting=20"`
changes them for a process, `with limits(layers=10_000):` for a piece of Python; a server that compiles the
programs of strangers lowers them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, replace
from functools import cache

from cnndsl.errors import CnnError, Diagnostic, nearest
from cnndsl.records import record

VARIABLE = "CNNDSL_LIMITS"


@record(slots=True)
class Limits:
    """The most there may be of each thing."""

    characters: int = 4_000_000
    """In one file."""
    word: int = 1000
    """Letters of a name, a number or a path."""
    digits: int = 18
    """Of a number: none is beyond 10^18."""
    nesting: int = 50
    """Brackets within brackets, calls within calls, files that use files. Brackets, labels, calls and their bodies
    together may nest twice as deep, and operators in an expression four times as deep."""
    layers: int = 250_000
    """Of a network; and the turns of its repeats."""
    values: int = 100_000
    """Of a parameter's domain."""
    elements: int = 1000
    """Of a list, those of the lists in it included."""
    members: int = 1_000_000
    """Of a family that is walked whole."""
    errors: int = 50
    """After so many the rest is not looked for."""


_chosen: ContextVar[Limits | None] = ContextVar("limits", default=None)


def current() -> Limits:
    """The limits in force. Raises CnnError where CNNDSL_LIMITS cannot be read."""
    return _chosen.get() or of_environment()


@contextmanager
def limits(**numbers: int) -> Generator[Limits]:
    """Other limits inside a `with`, in this thread or task alone.

    >>> with limits(layers=3):
    ...     current().layers
    3
    """
    chosen = replace(current(), **numbers)
    token = _chosen.set(chosen)
    try:
        yield chosen
    finally:
        _chosen.reset(token)


@cache
def of_environment() -> Limits:
    """The limits of this process: read once. Raises CnnError where they cannot be read."""
    return _read(os.environ.get(VARIABLE, ""))


def _read(text: str) -> Limits:
    names = [each.name for each in fields(Limits)]
    numbers: dict[str, int] = {}
    for part in text.replace(",", " ").split():
        name, _, number = part.partition("=")
        if name not in names:
            raise _refused(part, f"there is no such limit; {nearest(name, names) or ', '.join(names)}")
        if not re.fullmatch(r"[0-9_]{1,18}", number) or not number.strip("_"):
            raise _refused(part, "a limit is a whole number")
        numbers[name] = int(number.replace("_", ""))
    return replace(Limits(), **numbers)


def _refused(part: str, why: str) -> CnnError:
    help = f'for example, `{VARIABLE}="layers=10000 nesting=20"`'
    return CnnError(Diagnostic("E0501", f"cannot read `{part}` in {VARIABLE}: {why}", help=help))
