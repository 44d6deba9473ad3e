"""The location where the parser stopped: what it found, which terminals it accepts, and the source before it.

`expected`, `brackets` and `hints` build the messages.
"""

from __future__ import annotations

import re
from functools import cached_property

from cnndsl.errors import Source, Span
from cnndsl.records import record

STATEMENTS = ("cnn", "net", "use", "let", "default", "block", "assert")
"""The keywords that begin a statement; the network itself begins with INPUT."""

QUOTE_OR_COMMENT = r'"[^"\n]*"?|#[^\n]*'
"""Matches quotes, which end with their line, and comments. Nothing inside one begins another, or a bracket."""

_LAST_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?<!-)$")


@record
class Stop:
    """The location at which a source stops being a valid program.

    `start` is where parsing began. What was found goes from `offset` to `end`; at the end of the parsed range `end`
    equals `offset`. `type` is the terminal that was found; it is empty at the end and for characters that form no
    terminal. `accepts` are the terminals that could have followed.
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
        """Return the text that was found."""
        return self.source.text[self.offset : self.end]

    @property
    def after(self) -> str:
        """Return the text from the stop to the end of its line."""
        return self.source.text[self.offset :].partition("\n")[0]

    @cached_property
    def before(self) -> str:
        """Return the text from the start of parsing to the stop, with spaces in place of comments."""
        text = self.source.text[self.start : self.offset]
        return re.sub(QUOTE_OR_COMMENT, lambda match: match[0] if match[0][0] == '"' else " " * len(match[0]), text)

    @property
    def end_of_before(self) -> str:
        """Return the last part of `before`, of bounded length, for patterns that match at its end."""
        return self.before[-2000:]

    @property
    def word(self) -> str:
        """Return the word before the stop, with or without spaces between; empty if there is none."""
        match = _LAST_WORD.search(self.end_of_before.rstrip())
        return match[0] if match else ""

    @property
    def is_adjacent(self) -> bool:
        """Return whether no space precedes the stop."""
        return bool(self.before) and not self.before[-1].isspace()

    @property
    def begins_statement(self) -> bool:
        """Return whether what was found begins a statement."""
        return self.found in STATEMENTS or self.found.upper() == "INPUT"

    @property
    def begins_chain(self) -> bool:
        """Return whether what was found begins a further chain, `name = …`, or `output`."""
        return re.match(r"output[ \t]+[A-Za-z0-9_\"]|[A-Za-z_]\w*(\{[^{}]*\}\w*)*\s*=(?!=)", self.after) is not None

    @property
    def span(self) -> Span:
        """Return the span of what was found; at the end of a source that of its last character."""
        if not self.is_end:
            return Span(self.source, self.offset, self.end)
        end = self.start + len(self.before.rstrip())
        return Span(self.source, max(end - 1, 0), end)

    def takes(self, *terminals: str) -> bool:
        """Return whether any of these terminals could have followed."""
        return not self.accepts.isdisjoint(terminals)
