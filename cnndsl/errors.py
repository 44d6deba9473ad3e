"""Locations in a file, and diagnostics about them.

Every problem with an input is reported as a `Diagnostic`; `CnnError` carries one or more of them. This module does not
print: `diagnostics` turns a diagnostic into text, JSON or SARIF. The only module of this package that it imports is
`records`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

from cnndsl.records import record


@dataclass(frozen=True, eq=False)
class Source:
    """A source text and the name that messages use for it.

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
        """Return the line and column of an offset, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a line (from 1), without its line break."""
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
        """The line of its first character, from 1."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """The column of its first character, from 1."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters that it covers."""
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """Return the span from the start of this one to the end of the other, which is in the same source."""
        return Span(self.source, self.start, max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@record(slots=True)
class Annotation:
    """A location that a diagnostic points at, and the text for it."""

    span: Span
    text: str = ""


@record(slots=True)
class Edit:
    """A change to a program: `text` replaces the source at `span`."""

    span: Span
    text: str


@record(slots=True)
class Fix:
    """Edits that turn a program into the intended one. `str(fix)` builds the text of the help from them.

    `advice` gives the reason; `{}` in it is replaced by the text at `place` after the edits, which is appended if there
    is no `{}`. Without a `place` the advice is the whole text. `otherwise` is the help if the edits don't compile;
    `marks` are locations to point at if they do.

    >>> span = Span(Source("net.cnn", "INPUT RELU"), 6, 10)
    >>> str(Fix((Edit(Span(span.source, 6, 6), "-> "),), "an arrow is missing", span))
    'an arrow is missing: `-> RELU`'
    """

    edits: tuple[Edit, ...]
    advice: str = "write {}"
    place: Span | None = None
    otherwise: str = ""
    marks: tuple[Annotation, ...] = ()

    def __str__(self) -> str:
        if self.place is None:
            return self.advice
        shown = f"`{_shortened(edited(self.place, self.edits))}`"
        return self.advice.replace("{}", shown) if "{}" in self.advice else f"{self.advice}: {shown}"


Help: TypeAlias = "str | Fix"
"""The help of a diagnostic: text only, or edits."""

_LONGEST_HELP = 100


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_HELP else f"{line[: _LONGEST_HELP - 2]} …"


def edited(place: Span, edits: Sequence[Edit]) -> str:
    """Return the text at a location after edits; edits in other sources are ignored.

    >>> source = Source("net.cnn", "RELUU -> TAHN")
    >>> edited(Span(source, 0, 13), [Edit(Span(source, 9, 13), "TANH"), Edit(Span(source, 0, 5), "RELU")])
    'RELU -> TANH'
    """
    pieces, at = list[str](), place.start
    for edit in sorted(edits, key=lambda each: (each.span.start, each.span.end)):
        if edit.span.source is place.source and place.start <= edit.span.start and edit.span.end <= place.end:
            pieces += [place.source.text[at : edit.span.start], edit.text]
            at = edit.span.end
    return "".join((*pieces, place.source.text[at : place.end]))


def replacement(span: Span, text: str, advice: str = "write {}", otherwise: str = "") -> Fix:
    """Return the fix that replaces the text at a span with another one, and shows the new text."""
    return Fix((Edit(span, text),), advice, span, otherwise)


@record(slots=True)
class Diagnostic:
    """One error or warning in a program.

    `span` is the location, `label` the text printed under it, and `others` are further locations involved. `context`
    lists the calls and repeats that led to the location, innermost first. `help` says what to do. `fix` holds the edits
    that the help describes, if a program can apply them.
    """

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    others: tuple[Annotation, ...] = ()
    context: tuple[str, ...] = ()
    help: str = ""
    severity: str = "error"
    fix: Fix | None = None

    def advised(self, help: Help) -> Diagnostic:
        """Return the same diagnostic with another help."""
        return replace(self, help=str(help), fix=help if isinstance(help, Fix) else None)

    def within(self, frame: str) -> Diagnostic:
        """Return the same diagnostic, reached through one more call or repeat."""
        return replace(self, context=(*self.context, frame))

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        tail = f" (help: {self.help})" if self.help else ""
        return f"{place}{self.severity}[{self.code}]: {self.message}{tail}"


@record(slots=True)
class MessageText:
    """The printed parts of a diagnostic: the lines of its message, its location, the source lines with underlines, the
    enclosing calls and repeats if the location has no room for them, and the lines of its help. `frames` always holds
    the calls and repeats, innermost first."""

    code: str
    message: tuple[str, ...]
    place: str
    excerpt: tuple[str, ...]
    context: tuple[str, ...]
    help: tuple[str, ...]
    frames: tuple[str, ...] = ()


class CnnError(Exception):
    """An invalid program: one or more `diagnostics`, in the order of their locations."""

    def __init__(self, diagnostics: Diagnostic | Sequence[Diagnostic]) -> None:
        several = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("\n".join(map(str, several)))
        self.diagnostics = several


def listed(names: Sequence[str], most: int = 8) -> str:
    """List names for a message: the first ones, and the number of further ones.

    >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
    ('a, b', 'a, b and 2 more')
    """
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more:,} more" if more > 0 else ", ".join(names)


def enumerated(names: Sequence[str], last: str = "and") -> str:
    """List all names, with a word before the last one.

    >>> enumerated(["a"]), enumerated(["a", "b", "c"]), enumerated(["3", "5"], "or")
    ('a', 'a, b and c', '3 or 5')
    """
    return f" {last} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


_LONGEST_GUESSED = 80
_MOST_GUESSED = 2000
"""The maximum number of names searched for a similar one: the search is slow."""


def closest(name: str, known: Sequence[str]) -> str:
    """Return the known name nearest to an unknown one; empty if none is near.

    >>> closest("CNOV", ["CONV", "POOL"])
    'CONV'
    """
    if len(name) > _LONGEST_GUESSED:
        return ""
    folded = {each.casefold(): each for each in known[:_MOST_GUESSED]}
    from difflib import get_close_matches

    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.62)
    return folded[close[0]] if close else ""


def unmistakable(name: str, known: Sequence[str]) -> str:
    """Return the only known name that an unknown one can stand for: with one letter too many, too few or wrong, or with
    its letters in another order; a long name may have several wrong letters. Empty unless exactly one is that near.

    >>> unmistakable("CNOV", ["CONV", "POOL"]), unmistakable("XN", ["BN", "LN"]), unmistakable("active", ["dilation"])
    ('CONV', '', '')
    >>> unmistakable("RULE", ["RELU", "TILE"])
    'RELU'
    """
    if len(name) > _LONGEST_GUESSED:
        return ""
    most = 1 if len(name) < 7 else 2 if len(name) < 12 else 3
    folded = {each.casefold(): each for each in known[:_MOST_GUESSED]}
    distances = {each: _distance(name.casefold(), each) for each in folded if abs(len(each) - len(name)) <= most}
    least = min(distances.values(), default=most + 1)
    nearest = [each for each, distance in distances.items() if distance == least]
    if least > min(most, len(name) - 2):
        letters = sorted(name.casefold())
        same = [each for each in folded if sorted(each) == letters]
        return folded[same[0]] if len(same) == 1 and len(name) > 3 else ""
    if len(nearest) > 1:
        from difflib import SequenceMatcher

        ratios = sorted(
            ((SequenceMatcher(None, name.casefold(), each).ratio(), each) for each in nearest), reverse=True
        )
        nearest = [ratios[0][1]] if ratios[0][0] > ratios[1][0] else []
    return folded[nearest[0]] if nearest else ""


def _distance(one: str, other: str) -> int:
    """Return the number of letters to change, add, remove or swap with the next one."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            least = min(rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, rows[i - 2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


def meant(span: Span, name: str) -> Fix:
    """Return the fix that replaces an unknown name."""
    return replacement(span, name, "did you mean {}?")


def did_you_mean(name: str) -> str:
    """Return the hint that suggests a name."""
    return f"did you mean `{name}`?"


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint that suggests the known name nearest to an unknown one; empty if none is near.

    >>> nearest("CNOV", ["CONV", "POOL"])
    'did you mean `CONV`?'
    """
    close = closest(name, known)
    return did_you_mean(close) if close else ""
