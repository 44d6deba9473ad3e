"""Fixes for ranges that run downwards and for Python's ranges: `2..0`, `range(3, 0, -1)`, `reversed(widths)`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.errors import CnnError, Diagnostic, Edit, Fix, Help, Span, replacement
from cnndsl.expressions import Call, Expr
from cnndsl.values import Value

_MOST_LISTED = 12
_LISTED = "list the values: {}"


def downwards(place: Span, ends: Sequence[Expr], values: tuple[int, int], word: str, names: Sequence[str]) -> CnnError:
    """Return the error for a `for` or `each` at a location whose range runs downwards. `ends` are the range's ends as
    written, `values` their values, and `names` the names of the rows."""
    first, last = values
    message = f"the range {first}..{last} is invalid: a range runs upwards"
    is_written = all(end.span.text.isdigit() for end in ends) and first - last < _MOST_LISTED
    help = _listed(place, range(first, last - 1, -1)) if is_written else _counted_down(ends, word, names[0])
    return CnnError(Diagnostic("E0213", message, place).advised(help))


def _listed(place: Span, values: Sequence[int]) -> Fix:
    return replacement(place, ", ".join(map(str, values)), _LISTED)


def _counted_down(ends: Sequence[Expr], word: str, name: str) -> str:
    """Return the help for counting down from an end that a parameter sets."""
    first, last = (end.span.text for end in ends)
    total = f"{first} + {last}" if last != "0" else first
    return f"count up, `{word} {name} in {last}..{first}`, and write `{{{total} - {name}}}` where the body has `{name}`"


def elements_downwards(place: Span, name: str, first: int, last: int) -> Help:
    """Return the fix that lists the elements of a downward slice at a location."""
    if not name.isidentifier() or first - last >= _MOST_LISTED:
        return "list the elements"
    elements = ", ".join(f"{name}[{at}]" for at in range(first, last - 1, -1))
    return replacement(place, f"({elements})", "list the elements: {}")


def python_range(call: Call) -> Fix | None:
    """Return the fix for a call of Python's `range`; None if it cannot be rewritten."""
    texts = [each.span.text for each in call.arguments]
    if len(texts) == 3:
        numbers = [int(text) for text in texts if text.lstrip("-").isdigit()]
        if len(numbers) < 3 or not numbers[2] or not 0 < len(range(*numbers)) <= _MOST_LISTED:
            return None
        return _listed(call.span, range(*numbers))
    if len(texts) not in (1, 2):
        return None
    first, end = texts[0] if len(texts) == 2 else "0", texts[-1]
    last = str(int(end) - 1) if end.isdigit() else end.removesuffix("+ 1").removesuffix("+1").strip()
    if last == end:
        last = f"{end} - 1"
    return replacement(call.span, f"{first}..{last}", "a range has two dots and includes its last value: {}")


def python_reversed(call: Call, items: Sequence[Value] | None) -> Fix | None:
    """Return the fix for `reversed(widths)`, given the elements of that list; None if they are unknown or too many."""
    name = call.arguments[0].span.text if len(call.arguments) == 1 else ""
    if not name.isidentifier() or not items or len(items) > _MOST_LISTED:
        return None
    elements = ", ".join(f"{name}[{at}]" for at in range(len(items), 0, -1))
    return replacement(call.span, f"({elements})", "list the elements, the last one first: {}")


def counted_from_one(index: Span, number: int) -> Fix | None:
    """Return the fix for `for k in 0..3 [… widths[k] …]` over four elements, if `k` is only used as their index and in
    labels; else None."""
    name, text = index.text, index.source.text
    if not name.isidentifier():
        return None
    walks = list(re.finditer(rf"\b(?:for|each)\s+{name}\s+in\s+(?P<range>0\.\.{number - 1})\s*(?=\[)", text))
    walk = next((each for each in reversed(walks) if each.end() <= index.start), None)
    end = _closing(text, walk.end()) if walk is not None else -1
    if walk is None or end < index.end:
        return None
    rest = re.sub(rf"\w\[\s*{name}\s*\]|[A-Za-z_]\{{{name}\}}(?=\w*:)", "", text[walk.end() : end])
    if re.search(rf"\b{name}\b", rest):
        return None
    source = index.source
    edit = Edit(Span(source, *walk.span("range")), f"1..{number}")
    return Fix((edit,), "the elements are counted from 1: {}", Span(source, walk.start(), walk.end("range")))


def _closing(text: str, at: int) -> int:
    """Return the offset of the closing square bracket for the one at an offset; -1 if there is none."""
    depth = 0
    for found in re.finditer(r"[\[\]]", text[at:]):
        depth += 1 if found[0] == "[" else -1
        if depth == 0:
            return at + found.start()
    return -1
