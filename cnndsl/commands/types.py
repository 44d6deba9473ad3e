"""Types of option values whose messages name the option, the values that it accepts, and what to type."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from cnndsl.errors import nearest

if TYPE_CHECKING:  # click 8.1 has no types as parameters
    _OneOfBase = click.Choice[str]
    _WholeBase = click.ParamType[int]
else:
    _OneOfBase, _WholeBase = click.Choice, click.ParamType

_NUMBER = re.compile(r"[+-]?\d{1,4000}", re.ASCII)


class OneOf(_OneOfBase):
    """One of several words."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.choices:
            return str(value)
        from cnndsl.commands.synonyms import VALUE_SYNONYMS, meaning

        text, known = str(value), list(self.choices)
        option = option_name(param)
        meant = meaning(text.strip().casefold(), VALUE_SYNONYMS, frozenset(known)) or text.strip().casefold()
        hint = f"write {option} {meant}" if meant in known else nearest(text, known)
        raise click.BadParameter(
            f"{option} must be {alternatives(known)}, not {text!r}{f'; {hint}' if hint else ''}", ctx, param
        )


class WholeNumber(_WholeBase):
    """A whole number from a smallest to a largest one."""

    name = "number"

    def __init__(self, smallest: int | None = None, largest: int | None = None) -> None:
        self.smallest = smallest
        self.largest = largest

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        if _NUMBER.fullmatch(text):
            number = int(text)
            if (self.smallest is None or number >= self.smallest) and (self.largest is None or number <= self.largest):
                return number
        raise click.BadParameter(f"{option_name(param)} must be {self._wanted()}, not {str(value)!r}", ctx, param)

    def _wanted(self) -> str:
        if self.smallest is None:
            return "a whole number"
        if self.largest is None:
            return f"a whole number, {self.smallest} or more"
        return f"a whole number from {self.smallest} to {self.largest}"


def option_name(param: click.Parameter | None) -> str:
    """Return the name of an option as it is typed, or of an argument as the usage line shows it."""
    if param is None:
        return "the value"
    if isinstance(param, click.Option):
        return next((name for name in param.opts if name.startswith("--")), param.opts[0])
    return (param.metavar or param.name or "").removesuffix("...")


def alternatives(words: Sequence[str]) -> str:
    """Return a list of words as in a sentence.

    >>> alternatives(["table", "json", "csv"]), alternatives(["cpu"])
    ('table, json or csv', 'cpu')
    """
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
