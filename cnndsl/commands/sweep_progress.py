"""The progress line of a sweep on a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TextIO, TypeVar

from cnndsl.commands.common import terminal_width

_LATER = 2.0
"""Seconds after which the line is shown: most sweeps have ended by then."""
_EACH = 0.2
"""Seconds between two lines."""
_BAR = 20

Shown = TypeVar("Shown")


class SweepProgress:
    """Shows on a terminal how much is done, and how long the rest will take; on any other stream nothing."""

    def __init__(self, stream: TextIO, later: float = _LATER) -> None:
        self._stream, self._later = stream, later
        self._is_shown = False

    def shown(self, items: Iterable[Shown], done: int, total: int) -> Iterator[Shown]:
        """Yield the items; `done` of the total were done before."""
        if not self._stream.isatty():
            yield from items
            return
        started = time.monotonic()
        following = started + self._later
        try:
            for number, item in enumerate(items, 1):
                yield item
                if number % 16 == 0 and time.monotonic() >= following:
                    following = time.monotonic() + _EACH
                    self._write(progress_line(done + number, total, number / (time.monotonic() - started)))
        finally:
            if self._is_shown:
                self._write("")

    def _write(self, text: str) -> None:
        self._is_shown = True
        self._stream.write(f"\r\x1b[K{text[: terminal_width() - 1]}")
        self._stream.flush()


def progress_line(done: int, total: int, rate: float) -> str:
    """Return the progress of a sweep, and how long the rest will take at a rate per second.

    >>> progress_line(5_000, 15_625, 1000.0)
    '[######--------------]  5,000 of 15,625  1,000/s  11 s left'
    """
    filled = _BAR * done // max(total, 1)
    left = round((total - done) / rate) if rate else 0
    minutes, seconds = divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    time_left = f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"[{'#' * filled}{'-' * (_BAR - filled)}]  {done:,} of {total:,}  {rate:,.0f}/s  {time_left} left"
