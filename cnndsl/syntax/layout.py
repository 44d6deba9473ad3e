"""Line layout: where to break a chain, a merge or a table of rows, and where its comments go.

The rules, for every run of parts (a chain, the branches of a merge, the rows of a `for`, arguments):

1. The author's line breaks stay, and a comment is followed by one. Breaks between arguments are not kept.
2. A line that is still too long opens the merge that it begins with; otherwise each of its parts gets a line.
3. A part that is still too long for its line opens its brackets, its lists of arguments last.

What is opened once stays open, so formatting twice changes nothing. `format` decides what the text contains.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Generic, Literal, TypeAlias, TypeVar

from cnndsl.records import record

WIDTH = 108
"""The maximum line length, without comments."""

T_co = TypeVar("T_co", covariant=True)
Style: TypeAlias = Literal["group", "merge", "call", "list", "rows"]


@record
class Unit(Generic[T_co]):
    """A part of a run, the comments above and beside it, and whether the author began a line here."""

    content: T_co
    breaks: bool
    above: tuple[str, ...]
    beside: str


@record
class Brackets:
    """Something in brackets: one run, or one for each branch of a merge.

    `group` is a chain, or several, each on its own line. `merge` has its `operator` between the branches. `call` and
    `list` have commas; the branches of `call` are chains. `rows` is a list without brackets.
    """

    style: Style
    open: str
    runs: tuple[Unit[Run], ...]
    close: str
    operator: str = ""
    beside: str = ""
    """The comment right after the opening bracket."""
    inside: tuple[str, ...] = ()
    """The comments above the closing bracket."""

    @cached_property
    def flat(self) -> str:
        """Return the text on one line."""
        runs = (run.content.flat for run in self.runs)
        between = f" {self.operator} " if self.style == "merge" else ", "
        return f"{self.open}{between.join(runs)}{self.close}"

    @cached_property
    def is_open(self) -> bool:
        """Return whether it needs several lines: for a comment, for several chains, or because the author broke it."""
        return bool(
            self.beside
            or self.inside
            or (self.style == "group" and len(self.runs) > 1)
            or any(run.above or run.beside or run.breaks or run.content.is_broken for run in self.runs)
        )


LayoutPiece: TypeAlias = str | Brackets
Entry: TypeAlias = Unit[tuple[LayoutPiece, ...]]


@record
class Run:
    """Parts in sequence, with `->` before each but the first or `,` after each but the last."""

    link: Literal["->", ","]
    entries: tuple[Entry, ...]

    @cached_property
    def flat(self) -> str:
        """Return the text on one line."""
        return self.between.join("".join(map(_flat, entry.content)) for entry in self.entries)

    @property
    def between(self) -> str:
        """Return the separator between two units."""
        return " -> " if self.link == "->" else ", "

    @cached_property
    def is_broken(self) -> bool:
        """Return whether it always needs several lines."""
        return any(
            entry.above or entry.beside or entry.breaks or any(_is_open(piece) for piece in entry.content)
            for entry in self.entries
        )


def _flat(piece: LayoutPiece) -> str:
    return piece if isinstance(piece, str) else piece.flat


def _is_open(piece: LayoutPiece) -> bool:
    return isinstance(piece, Brackets) and piece.is_open


def _opened(pieces: Sequence[LayoutPiece], *styles: Style) -> frozenset[int]:
    """Return the ids of the brackets to open: those that must be, and those of the given styles."""
    return frozenset(
        id(piece) for piece in pieces if isinstance(piece, Brackets) and (piece.is_open or piece.style in styles)
    )


class Page:
    """Text under construction, line by line."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line = ""
        self._note = ""

    @property
    def column(self) -> int:
        """Return the number of characters in the last line."""
        return len(self._line)

    def text(self) -> str:
        """Return all lines."""
        self.newline(0)
        text = "\n".join(self._lines).strip("\n")
        return f"{text}\n" if text else ""

    def write(self, text: str) -> None:
        """Add characters to the last line."""
        self._line += text if self._line.strip() else text.lstrip(" ")

    def note(self, comment: str) -> None:
        """Set the comment at the end of the current line."""
        if comment:
            self._note = f"  {comment}"

    def newline(self, column: int) -> None:
        """Begin a line with `column` spaces."""
        self._lines.append(self._line.rstrip() + self._note)
        self._line, self._note = " " * column, ""

    def comments(self, comments: Sequence[str], column: int) -> None:
        """Write comments from the current line on, each followed by a new line."""
        for comment in comments:
            self.write(comment)
            self.newline(column)

    def run(self, run: Run, column: int) -> None:
        """Write a run whose further lines begin at a column; the current line is ready for the first."""
        start = column
        for number, segment in enumerate(_segments(run)):
            if number:
                start = self._next(segment[0], run.link, column)
            self._segment(segment, run, column, start)

    def hugs(self, run: Run) -> bool:
        """Return whether a run can begin on the current line and close its brackets at column 0: `= (` … `) ->
        RELU`."""
        segments = list(_segments(run))
        if len(segments) > 1 or run.entries[0].above:
            return False
        opened = self._plan(segments[0], run, 0)
        return opened is not None and opened <= _opened(run.entries[0].content, "group", "merge", "call", "rows")

    def _next(self, entry: Entry, link: str, column: int) -> int:
        """End the line, begin one for an entry, and return the column at which its content begins."""
        if link == ",":
            self.write(",")
        self.newline(column)
        self.comments(entry.above, column)
        if link == "->":
            self.write("-> ")
        return self.column

    def _segment(self, segment: Sequence[Entry], run: Run, column: int, start: int) -> None:
        """Write entries that the author put on one line."""
        together = self._plan(segment, run, start)
        for number, entry in enumerate(segment):
            if number and together is None:
                start = self._next(entry, run.link, column)
            elif number:
                self.write(run.between)
            opened = self._plan([entry], run, start) if together is None else together
            self._entry(entry, start, opened or frozenset())
            self.note(entry.beside)

    def _plan(self, segment: Sequence[Entry], run: Run, start: int) -> frozenset[int] | None:
        """Return the ids of the brackets to open in a line; None if each of its entries needs its own line."""
        first = segment[0].content
        pieces = [*first, *(piece for entry in segment[1:] for piece in (run.between, *entry.content))]
        must = _opened(pieces)
        if self._fits(pieces, must, start):
            return must
        if len(segment) > 1:
            merges = must | _opened(first, "merge", "call")
            return merges if merges > must and self._fits(pieces, merges, start) else None
        chains = _opened(pieces, "group", "merge", "call")
        return (
            chains if self._fits(pieces, chains, start) else _opened(pieces, "group", "merge", "call", "rows", "list")
        )

    def _fits(self, pieces: Sequence[LayoutPiece], opened: frozenset[int], start: int) -> bool:
        at = self.column
        for piece in pieces:
            if isinstance(piece, Brackets) and id(piece) in opened:
                if at + len(piece.open) > WIDTH:
                    return False
                at = start + len(piece.close)
            else:
                at += len(_flat(piece))
        return at <= WIDTH

    def _entry(self, entry: Entry, start: int, opened: frozenset[int]) -> None:
        for piece in entry.content:
            if isinstance(piece, Brackets) and id(piece) in opened:
                self._brackets(piece, start)
            else:
                self.write(_flat(piece))

    def _brackets(self, piece: Brackets, start: int) -> None:
        """Write brackets over several lines, the closing one at a column."""
        self.write(piece.open)
        self.note(piece.beside)
        inner = start + (4 if piece.style in ("merge", "rows") else 2)
        for number, run in enumerate(piece.runs):
            self.newline(inner)
            self.comments((*run.above, *run.content.entries[0].above), inner)
            if number and piece.style == "merge":
                self._line = " " * (inner - 2)
                self.write(f"{piece.operator} ")
            self.run(run.content, inner)
            if piece.style == "call" and run is not piece.runs[-1]:
                self.write(",")
            self.note(run.beside)
        if piece.inside:
            self.newline(inner)
            self.comments(piece.inside[:-1], inner)
            self.write(piece.inside[-1])
        self.newline(start)
        self.write(piece.close)


def _segments(run: Run) -> Iterator[list[Entry]]:
    """Yield the entries of a run, line by line as the author broke them."""
    segment: list[Entry] = []
    for entry in run.entries:
        if segment and (entry.breaks or entry.above or segment[-1].beside):
            yield segment
            segment = []
        segment.append(entry)
    yield segment
