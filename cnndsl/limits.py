"""Limits on the size of a program, so that no source uses up all time and memory. This module does not enforce them.

The defaults admit every published network, and 100,000 layers. `CNNDSL_LIMITS="layers=10000 nesting=20"` changes them
for a process, `with limits(layers=10_000):` for a block of Python. A server that compiles untrusted programs should
lower them.
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
    """The maximum of each quantity."""

    characters: int = 4_000_000
    """Characters in one file."""
    word: int = 1000
    """Letters of a name, a number or a path."""
    digits: int = 18
    """Digits of a number: none is beyond 10^18."""
    nesting: int = 50
    """Depth of nested parentheses, square brackets and braces, of nested calls, and of files that use files. Groups in
    parentheses or square brackets, labels, calls and their bodies together may nest twice as deep, and operators in
    an expression four times as deep."""
    layers: int = 250_000
    """Layers of a network, and iterations of its repeats."""
    values: int = 100_000
    """Values in a parameter's domain."""
    elements: int = 1000
    """Elements of a list, including those of nested lists."""
    members: int = 1_000_000
    """Configurations of a family that is swept completely."""
    errors: int = 50
    """Errors after which the search for further ones stops."""


_chosen: ContextVar[Limits | None] = ContextVar("limits", default=None)


def current() -> Limits:
    """Return the limits in force. Raises CnnError if CNNDSL_LIMITS is invalid."""
    return _chosen.get() or of_environment()


@contextmanager
def limits(**numbers: int) -> Generator[Limits]:
    """Change limits inside a `with`, only in this thread or task.

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
    """Return the limits of this process, read once. Raises CnnError if they are invalid."""
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
