"""Where the parser stopped: what it found there, what it would have taken, what stands before.

What is said about it is not this module's: see `expected`, `brackets` and `hints`.
"""

from __future__ import annotations

import re
from functools import cached_property

from cnndsl.errors import Source, Span
from cnndsl.records import record

STATEMENTS = ("cnn", "net", "use", "let", "default", "block", "assert")
"""The words that begin a statement; the network itself begins with INPUT."""

QUOTE_OR_COMMENT = r'"[^"\n]*"?|#[^\n]*'
"""Quotes, which end with their line, and comments. What stands in one of them begins no other, and no bracket."""

_LAST_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?<!-)$")


@record
class Stop:
    """The place at which a text ceases to be a program.

    `start` is where its parsing began; `end` is `offset` at the end of what was parsed. `type` is the terminal that
    was found, empty for the end and for characters of which none is made; `accepts` are the terminals that could have
    followed.
    """

    source: Source
    start: int
    offset: int
    end: int
    type: str
    accepts: frozenset[str]

    @property
    def is_end(self) -> bool:
        """Return whether the parser stopped at the end of the text."""
        return self.offset == self.end

    @property
    def found(self) -> str:
        """The text of what was found."""
        return self.source.text[self.offset : self.end]

    @property
    def after(self) -> str:
        """The text from the place on, to the end of the line."""
        return self.source.text[self.offset :].partition("\n")[0]

    @cached_property
    def before(self) -> str:
        """The text in front of the place, from the start of parsing on, without comments."""
        text = self.source.text[self.start : self.offset]
        return re.sub(QUOTE_OR_COMMENT, lambda match: match[0] if match[0][0] == '"' else " " * len(match[0]), text)

    @property
    def end_of_before(self) -> str:
        """The end of the text in front of the place, for patterns that end there: however long the text is."""
        return self.before[-2000:]

    @property
    def word(self) -> str:
        """The word in front of the place, with or without a blank between; empty where there is none."""
        match = _LAST_WORD.search(self.end_of_before.rstrip())
        return match[0] if match else ""

    @property
    def is_adjacent(self) -> bool:
        """Whether no blank stands in front of the place."""
        return bool(self.before) and not self.before[-1].isspace()

    @property
    def begins_statement(self) -> bool:
        """Whether what was found begins a statement."""
        return self.found in STATEMENTS or self.found.upper() == "INPUT"

    @property
    def begins_chain(self) -> bool:
        """Whether what was found begins a further chain, `name = …`, or `output`."""
        return re.match(r"output[ \t]+[A-Za-z0-9_\"]|[A-Za-z_]\w*(\{[^{}]*\}\w*)*\s*=(?!=)", self.after) is not None

    @property
    def span(self) -> Span:
        """What was found; of the end of a text its last character."""
        if not self.is_end:
            return Span(self.source, self.offset, self.end)
        end = self.start + len(self.before.rstrip())
        return Span(self.source, max(end - 1, 0), end)

    def takes(self, *terminals: str) -> bool:
        """Whether any of these could have followed."""
        return not self.accepts.isdisjoint(terminals)
