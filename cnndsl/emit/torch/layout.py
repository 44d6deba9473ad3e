"""Lines of Python exactly as `ruff format` formats them, for the few forms that emitted code has.

An expression stays on one line if it fits; otherwise the arguments of a call share an indented line; otherwise each has
its own, with a comma after the last. Displays and comprehensions go straight to one item per line. This is not a
general formatter: it prints what the emitter builds, and knows no other syntax.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

WIDTH = 88
"""The default line length of ruff."""
STEP = 4


@dataclass(frozen=True, slots=True)
class Text:
    """Text that is never broken: a name, a number, a short term."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """An argument: `name=value`, `*value`, or one with a comment, which keeps it on a line of its own."""

    doc: Doc
    lead: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class CallDoc:
    """A call. `head` is the callee, whose text may become known only when the line is written."""

    head: object
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Display:
    """A tuple, list or dict: its delimiters and items."""

    brackets: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """`[element for … in …]`."""

    element: Doc
    clause: str


@dataclass(frozen=True, slots=True)
class Infix:
    """Operands with an operator between them: ` + `, ` or `."""

    operator: str
    operands: tuple[Doc, ...]


Doc: TypeAlias = Text | CallDoc | Display | Comprehension | Infix


def flat(doc: Doc) -> str:
    """Render a document on one line.

    >>> flat(CallDoc("nn.ReLU", (Item(Text("True"), "inplace="),)))
    'nn.ReLU(inplace=True)'
    """
    if isinstance(doc, Text):
        return doc.text
    if isinstance(doc, CallDoc):
        return f"{doc.head}({_flat_items(doc.items)})"
    if isinstance(doc, Display):
        comma = "," if doc.brackets == "()" and len(doc.items) == 1 else ""
        return f"{doc.brackets[0]}{_flat_items(doc.items)}{comma}{doc.brackets[1]}"
    if isinstance(doc, Comprehension):
        return f"[{flat(doc.element)} {doc.clause}]"
    return f" {doc.operator} ".join(map(flat, doc.operands))


def _flat_items(items: tuple[Item, ...]) -> str:
    return ", ".join(item.lead + flat(item.doc) for item in items)


def comments_in(doc: Doc) -> list[str]:
    """Return the comments of the items of an expression."""
    if isinstance(doc, CallDoc | Display):
        return [each for item in doc.items for each in (*comments_in(item.doc), item.comment)]
    return comments_in(doc.element) if isinstance(doc, Comprehension) else []


def without_comments(doc: Doc) -> Doc:
    """Return an expression without the comments of its items."""
    if isinstance(doc, CallDoc | Display):
        return replace(doc, items=tuple(Item(without_comments(item.doc), item.lead) for item in doc.items))
    return replace(doc, element=without_comments(doc.element)) if isinstance(doc, Comprehension) else doc


def _must_break(doc: Doc) -> bool:
    """Return whether a comment inside prevents code after it on the same line."""
    if isinstance(doc, CallDoc | Display):
        return any(item.comment or _must_break(item.doc) for item in doc.items)
    return isinstance(doc, Comprehension) and _must_break(doc.element)


def lines(doc: Doc, indent: int, lead: str = "", comment: str = "", tail: str = "") -> list[str]:
    """Return the lines of a statement: `lead` is the text before the expression, `tail` the text after it, `comment`
    the comment at its end.

    A comment that makes a short line too long is omitted: the formatter would break the line for it.

    >>> lines(Text("3"), 4, "x = ", "a number")
    ['    x = 3  # a number']
    """
    behind = tail + (f"  # {comment}" if comment else "")
    if not _must_break(doc):
        for end in (behind, tail):
            line = " " * indent + lead + flat(doc) + end
            if len(line) <= WIDTH:
                return [line]
    if isinstance(doc, Infix):
        together = " " * (indent + STEP) + flat(doc)
        operands = [together] if len(together) <= WIDTH else _infix(doc, indent + STEP, "")
        return [" " * indent + lead + "(", *operands, " " * indent + ")" + behind]
    return list(_broken(doc, indent, lead, behind))


def _fitting(doc: Doc, indent: int, lead: str, tail: str) -> list[str]:
    """Return the lines of an argument: one if it fits, else several."""
    line = " " * indent + lead + flat(doc) + tail
    if not _must_break(doc) and len(line.split("  #")[0]) <= WIDTH:
        return [line]
    if isinstance(doc, Infix):
        return _infix(doc, indent, tail, lead)
    return list(_broken(doc, indent, lead, tail))


def _infix(doc: Infix, indent: int, tail: str, lead: str = "") -> list[str]:
    first, *rest = map(flat, doc.operands)
    margin = " " * indent
    return [
        margin + lead + first,
        *(f"{margin}{doc.operator} {each}" for each in rest[:-1]),
        f"{margin}{doc.operator} {rest[-1]}{tail}",
    ]


def _broken(doc: Doc, indent: int, lead: str, tail: str) -> Iterator[str]:
    margin = " " * indent
    if isinstance(doc, Comprehension):
        yield f"{margin}{lead}["
        yield from _comprehended(doc, indent + STEP)
        yield f"{margin}]{tail}"
    elif isinstance(doc, CallDoc) and doc.items:
        yield f"{margin}{lead}{doc.head}("
        yield from _arguments(doc, indent + STEP)
        yield f"{margin}){tail}"
    elif isinstance(doc, Display) and doc.items:
        yield f"{margin}{lead}{doc.brackets[0]}"
        yield from _one_a_line(doc.items, indent + STEP)
        yield f"{margin}{doc.brackets[1]}{tail}"
    else:
        yield f"{margin}{lead}{flat(doc)}{tail}"


def _comprehended(doc: Comprehension, indent: int) -> Iterator[str]:
    together = f"{flat(doc.element)} {doc.clause}"
    if indent + len(together) <= WIDTH:
        yield " " * indent + together
    else:
        yield from _fitting(doc.element, indent, "", "")
        yield " " * indent + doc.clause


def _arguments(call: CallDoc, indent: int) -> Iterator[str]:
    together = _flat_items(call.items)
    if not _must_break(call) and indent + len(together) <= WIDTH:
        yield " " * indent + together
    elif len(call.items) == 1 and not call.items[0].comment:
        only = call.items[0]
        yield from _fitting(only.doc, indent, only.lead, "")
    else:
        yield from _one_a_line(call.items, indent)


def _one_a_line(items: tuple[Item, ...], indent: int) -> Iterator[str]:
    for item in items:
        comment = f"  # {item.comment}" if item.comment else ""
        room = WIDTH - indent - len(item.lead + flat(item.doc)) - 1
        yield from _fitting(item.doc, indent, item.lead, "," + (comment if len(comment) <= room else ""))
