"""Statements of Python before layout: expressions are layout documents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeAlias

from cnndsl.emit.torch.layout import Doc, comments_in, without_comments
from cnndsl.records import record


@record(slots=True)
class Line:
    """A statement: the text before its expression, the expression, and a comment at its end."""

    lead: str
    doc: Doc
    comment: str = ""


@record(slots=True)
class Suite:
    """`if …:` or `for …:` and the statements of its body; `otherwise` are those of `else:`."""

    lead: str
    doc: Doc
    body: tuple[PythonStatement, ...]
    otherwise: tuple[PythonStatement, ...] = ()
    comment: str = ""


PythonStatement: TypeAlias = Line | Suite


def comments(statements: Iterable[PythonStatement]) -> list[str]:
    """Return the comments of statements, and an empty one for a statement without a comment."""
    found: list[str] = []
    for each in statements:
        found += [*comments_in(each.doc), each.comment]
        if isinstance(each, Suite):
            found += comments((*each.body, *each.otherwise))
    return found


def uncommented(statements: Iterable[PythonStatement]) -> tuple[PythonStatement, ...]:
    """Return statements without their comments."""
    found: list[PythonStatement] = []
    for each in statements:
        bare = replace(each, doc=without_comments(each.doc), comment="")
        if isinstance(bare, Suite):
            bare = replace(bare, body=uncommented(bare.body), otherwise=uncommented(bare.otherwise))
        found.append(bare)
    return tuple(found)
