"""Statements of Python, before they are lines: expressions are layout documents."""

from __future__ import annotations

from typing import TypeAlias

from cnndsl.emit.torch.layout import Doc
from cnndsl.records import record


@record(slots=True)
class Line:
    """A statement: what precedes its expression, the expression, a comment at its end."""

    lead: str
    doc: Doc
    comment: str = ""


@record(slots=True)
class Suite:
    """`if …:` or `for …:` and what is indented under it; `otherwise` is what `else:` has under it."""

    lead: str
    doc: Doc
    body: tuple[PythonStatement, ...]
    otherwise: tuple[PythonStatement, ...] = ()
    comment: str = ""


PythonStatement: TypeAlias = Line | Suite
