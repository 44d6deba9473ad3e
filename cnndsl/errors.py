"""Where something stands in a file, and what is wrong with it.

Everything that can be said against an input is a `Diagnostic`; `CnnError` carries one or more of them.
This module does not print: `diagnostics` turns a diagnostic into text, JSON or SARIF. Of ours it imports nothing but
`records`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from cnndsl.records import record


@dataclass(frozen=True, eq=False)
class Source:
    """A text and the name under which messages mention it.

    >>> Source("net.cnn", "INPUT\\n-> RELU").position(9)
    (2, 4)
    """

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        starts.extend(at + 1 for at, char in enumerate(self.text) if char == "\n")
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a line (from 1), without its end."""
        start = self._starts[number - 1]
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")


@record(slots=True)
class Span:
    """A half-open range of offsets in a source."""

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        """Return the line of its first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """Return the column of its first character, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """Return the characters that it covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """From the start of this to the end of the other, which lies in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@record(slots=True)
class Annotation:
    """A place that a diagnostic points at, and what to say of it."""

    span: Span
    text: str = ""


@record(slots=True)
class Diagnostic:
    """One thing that is wrong.

    `span` is the place, `label` is said right under it, `others` are further places involved, `context` tells
    through which calls and repeats the place was reached (innermost first), `help` is the way out.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    others: tuple[Annotation, ...] = ()
    context: tuple[str, ...] = ()
    help: str = ""
    severity: str = "error"

    def within(self, frame: str) -> Diagnostic:
        """The same, reached through one more call or repeat."""
        return replace(self, context=(*self.context, frame))

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        tail = f" (help: {self.help})" if self.help else ""
        return f"{place}{self.severity}[{self.code}]: {self.message}{tail}"


@record(slots=True)
class MessageText:
    """A diagnostic in the pieces in which it is printed: the lines of its message, its place, those of the program with
    their underlines, the calls and repeats around it where the place has no room for them, the lines of its help.
    `frames` are the calls and repeats in any case, the innermost first."""

    code: str
    message: tuple[str, ...]
    place: str
    excerpt: tuple[str, ...]
    context: tuple[str, ...]
    help: tuple[str, ...]
    frames: tuple[str, ...] = ()


class CnnError(Exception):
    """An input that is not a network: one or more diagnostics, in the order of their places."""

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic]) -> None:
        several = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("\n".join(map(str, several)))
        self.diagnostics = several


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names as a message lists them: the first ones, and how many more there are.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')
    """
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)


_LONGEST_GUESSED = 80
_MOST_GUESSED = 2000
"""Names that are looked at for one that is near: the search is slow."""


def closest(name: str, known: Sequence[str]) -> str:
    """Return the known name nearest to an unknown one; empty where none is near.

    >>> closest("CNOV", ["CONV", "POOL"])
    'CONV'
    """
    if len(name) > _LONGEST_GUESSED:
        return ""
    folded = {each.casefold(): each for each in known[:_MOST_GUESSED]}
    from difflib import get_close_matches

    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.62)
    return folded[close[0]] if close else ""


def did_you_mean(name: str) -> str:
    """Return the hint that offers a name."""
    return f"did you mean `{name}`?"


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint that offers the known name nearest to an unknown one; empty where none is near.

    >>> nearest("CNOV", ["CONV", "POOL"])
    'did you mean `CONV`?'
    """
    close = closest(name, known)
    return did_you_mean(close) if close else ""
