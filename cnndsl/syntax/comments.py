"""The comments of a file while it is formatted."""

from __future__ import annotations

from bisect import bisect_left

from cnndsl.syntax import ast


class Comments:
    """The comments of a file, returned in order, each once."""

    def __init__(self, file: ast.File) -> None:
        self._comments = file.comments
        self._starts = [comment.span.start for comment in file.comments]
        self._next = 0

    def before(self, offset: int) -> tuple[ast.Comment, ...]:
        """Return the comments before an offset that have not been returned yet."""
        first, self._next = self._next, max(self._next, bisect_left(self._starts, offset))
        return self._comments[first : self._next]

    def at(self, offset: int) -> ast.Comment | None:
        """Return the comment that contains an offset; None if there is none."""
        number = bisect_left(self._starts, offset + 1) - 1
        comment = self._comments[number] if number >= 0 else None
        return comment if comment and offset < comment.span.end else None
