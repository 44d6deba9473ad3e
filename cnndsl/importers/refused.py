"""Reasons why a network cannot be written as a program: as an error for people, and itemised for reports."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.errors import CnnError, Diagnostic
from cnndsl.records import record


@record(slots=True)
class ImportFault:
    """Something that no program can express, or that the generated program expresses differently.

    `times` is how often it occurs; `module` and `line` are the path of the module and the source line of the first one.
    """

    what: str
    times: int = 1
    module: str = ""
    line: str = ""

    def __str__(self) -> str:
        if not self.module:
            return self.what
        return f"{self.what}, {self.times} time{'s' * (self.times > 1)}, first in {self.module}: {self.line}"


class RefusedError(CnnError):
    """A module that cannot be written as a program, with all reasons."""

    def __init__(
        self, heading: str, faults: Sequence[ImportFault], said: Sequence[object] = (), help: str = ""
    ) -> None:
        several = "\n".join(f"  {each}" for each in said or faults)
        super().__init__(Diagnostic("E0505", f"{heading}:\n{several}", help=help))
        self.faults = tuple(faults)


def faults_of(stop: Exception) -> tuple[ImportFault, ...]:
    """Return the reasons in an error, itemised if it has them."""
    if isinstance(stop, RefusedError):
        return stop.faults
    if isinstance(stop, CnnError):
        lines = stop.diagnostics[0].message.splitlines()
        return tuple([ImportFault(each.strip()) for each in lines[1:] or lines])
    return (ImportFault(str(stop)),)
