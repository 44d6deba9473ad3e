"""Edits for chains and branches: commas and spaces in place of arrows, counts, brackets of the wrong type."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnndsl.errors import Fix, Span, replacement
from cnndsl.syntax.brackets import opened_at, partner
from cnndsl.syntax.branch_fixes import mixed
from cnndsl.syntax.edits import code, fix, line_of, statement_end
from cnndsl.syntax.parse_failure import STATEMENTS, Stop
from cnndsl.syntax.words import LABEL

_LOGIC = r"(?:if|else|or|and|not|in|for|each|tap|again|yes|no|output)"
_RESERVED = rf"(?:{'|'.join(STATEMENTS)}|{_LOGIC}|(?i:INPUT))\b"
_ELEMENT = re.compile(
    rf"(?!{_RESERVED})(?:{LABEL}[ \t]*:[ \t]*)?(?!{_RESERVED})@?[A-Za-z_][\w{{}}/.*-]*(?<![-/.])"
    r"(?P<options>\([^()]*(?:\([^()]*\)[^()]*)*\))?(?:\*[0-9]+)?"
)
_FOLLOWED = re.compile(r"(?:[ \t]*(?:\n[ \t]*)*)")
_MOST = 200


def missing_arrows(stop: Stop) -> Fix | None:
    """Fix `A B C`, on one line or on several: insert every missing arrow from the stop on."""
    is_label = stop.type in ("QUOTED", "OPENING", "NUMBERED", "DOTTED")
    begins = is_label or stop.type in ("WORD", "LSQB", "MERGE", "NAME", "LPAR", "EQUATION")
    goes_on = stop.takes("ARROW") or (stop.takes("RSQB", "PLUS") and not stop.takes("LSQB", "MINUS"))
    if not begins or not goes_on or re.match(rf"{_RESERVED}|[A-Za-z_]\w*[ \t]+\d|[xX][0-9]", stop.after):
        return None
    if re.search(rf"(?<![\w.@-])(?:{'|'.join(STATEMENTS)}|output)[ \t]+[^\n]*$", stop.end_of_before.rstrip(" \t")) and (
        "->" not in stop.end_of_before.rpartition("\n")[2] and "=" not in stop.end_of_before.rpartition("\n")[2]
    ):
        return None
    if re.search(rf"\b{_LOGIC}\s*$", stop.end_of_before):
        return None
    places = list(_gaps(stop))
    if not places:
        return None
    span = Span(stop.source, stop.offset, line_of(stop.source, stop.offset).end)
    advice = "an arrow is missing: {}" if len(places) == 1 else "arrows are missing: {}"
    if len(places) == 1:
        element = _ELEMENT.match(stop.source.text, stop.offset)
        span = Span(stop.source, stop.offset, element.end() if element else stop.end)
    return fix(stop.source, [(at, at, "-> ") for at in places], advice, span)


def _gaps(stop: Stop) -> Iterator[int]:
    """Yield the offsets of elements that lack an arrow before them: the one at the stop, and those right after it."""
    text, at = stop.source.text, stop.offset
    yield at
    for _ in range(_MOST):
        element = _ELEMENT.match(text, at)
        if element is None:
            return
        gap = _FOLLOWED.match(text, element.end())
        at = gap.end() if gap else element.end()
        if at == element.end() or _ELEMENT.match(text, at) is None:
            return
        if re.match(r"[A-Za-z_]\w*(?:\{[^{}]*\}\w*)*[ \t]*=(?!=)", text[at : at + 200]):
            return
        yield at


def commas(stop: Stop) -> Fix | None:
    """Fix `A, B, C`: replace every comma of the chain."""
    text = stop.source.text
    if stop.found != "," or not stop.takes("ARROW", "RSQB") or stop.takes("EQUAL", "PERCENT", "RBRACE"):
        return None
    opened = opened_at(stop)
    if opened and text[opened[-1]] != "[":
        return None
    line = stop.before[-20_000:].rpartition("\n")[2]
    if re.match(r"\s*(?:let|output|use|assert|net|cnn)\b", line):
        return None
    end = partner(text, opened[-1]) if opened else statement_end(stop.source, stop.offset)
    inside = code(stop.source, stop.offset, end if end >= 0 else statement_end(stop.source, stop.offset))
    found: list[tuple[int, int, str]] = []
    depth = 0
    for at, char in enumerate(inside):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            goes_on = re.match(r",\s*(?:->)?", inside[at:])
            is_last = not inside[at + 1 :].strip()
            arrow = "" if is_last or (goes_on and goes_on[0].endswith("->")) else " ->"
            found.append((stop.offset + at, stop.offset + at + 1, arrow))
        elif depth == 0 and inside.startswith("@", at):
            return None
    if not re.match(r",\s*[A-Za-z_\[(]", inside) or re.match(r",\s*[A-Za-z_]\w*\s*=", inside):
        return None
    first = line_of(stop.source, stop.offset)
    return fix(stop.source, found, "separate layers with arrows, not commas: {}", first)


def count(stop: Stop) -> Fix | None:
    """Fix `[A]x3`, `[A] x 3`, `3x[A]`, `3*CONV3-64`."""
    text = stop.source.text
    after = re.match(r"([xX×][ \t]*)([0-9]+|\{[^{}]*\})", stop.after)
    before = stop.before.rstrip()
    if stop.found == "*" and before.endswith("*") and (number := re.match(r"\*[ \t]*([0-9]+)", stop.after)):
        place = Span(stop.source, stop.start + len(before) - 1, stop.offset + number.end())
        return replacement(place, f"*{number[1]}", "to repeat a part, use {}")
    is_layer = bool(re.search(r"(?:->|[\[(=+|:])\s*[A-Za-z][\w/{}-]*$", before)) and stop.takes("ARROW", "RSQB")
    if after and (before[-1:] in ("]", ")") or is_layer):
        start = stop.start + len(before)
        part = re.search(r"(?:\[[^\[\]\n]*\]|[\w/{}-]+)$", before)
        place = Span(stop.source, stop.start + part.start() if part else start, stop.offset + after.end())
        edit = (start, stop.offset + after.end(), f"*{after[2]}")
        return fix(stop.source, [edit], "to repeat a part, use `*`: {}", place)
    line = line_of(stop.source, stop.offset)
    if stop.takes("NUMBER") and not stop.takes("LSQB"):
        return None
    for found in re.finditer(r"(?<![\w.\])}/-])([0-9]+)[ \t]*[xX*×][ \t]*(?=[A-Za-z_@\[(])", line.text):
        start = line.start + found.start()
        if not start <= stop.offset <= line.start + found.end():
            continue
        at = line.start + found.end()
        element = _ELEMENT.match(text, at)
        end = partner(text, at) + 1 if text[at] in "[(" else element.end() if element else 0
        if end > at:
            place = Span(stop.source, start, end)
            return replacement(place, f"{text[at:end]}*{found[1]}", "the count follows the part: {}")
    return None


def square(stop: Stop) -> Fix | None:
    """Fix `[A | B]`, `[@a, ID]`."""
    opened = opened_at(stop)
    text = stop.source.text
    if stop.found not in ("+", "|", ",") or not opened or text[opened[-1]] != "[" or stop.takes("EQUAL", "PERCENT"):
        return None
    start, end = opened[-1], partner(text, opened[-1])
    if end < 0 or re.search(r"\w\s*=(?!=)", re.sub(r"\([^()]*\)", "", text[start:end])):
        return None
    edits = [(start, start + 1, "("), (end, end + 1, ")")]
    if stop.found == ",":
        inside = text[start + 1 : end]
        if not re.search(r"(?:^|,)\s*(?:@|ID\b)", inside) or "->" in inside or "(" in inside:
            return None
        edits += [(start + 1 + each.start(), start + 1 + each.end(), " |") for each in re.finditer(r"\s*,", inside)]
    if re.search(r"\b(?:for|each)\s[^\[\]{}]*\bin\b[^\[\]{}]*$", text[max(0, start - 300) : start]):
        edits[:2] = [(start, start + 1, "[("), (end, end + 1, ")]")]
    return fix(stop.source, edits, "branches go in parentheses: {}", Span(stop.source, start, end + 1))


def sum_without(stop: Stop) -> Fix | None:
    """Fix `CONV3-64 + @a` outside parentheses. If the other branch is not a reference, the position of the opening
    parenthesis matters and the text does not show it."""
    if stop.found not in ("+", "|") or not stop.takes("ARROW") or opened_at(stop):
        return None
    text = stop.source.text
    start = _element_before(stop)
    if start < stop.start or re.search(r"\bif\b|\n", text[start : stop.offset]):
        return None
    end = re.compile(r"[^\n#]*?(?=\s*(?:->|$|#|\n))").match(text, stop.offset)
    if end is None or start < 0:
        return None
    branches = re.split(r"\s[+|]\s", f" {text[stop.offset : end.end()]}")[1:]
    is_inside = text[:start].rstrip().endswith("->")
    if is_inside and not all(each.strip().startswith("@") for each in branches):
        return None
    place = Span(stop.source, start, end.end())
    edits = [(start, start, "("), (place.end, place.end, ")")]
    return fix(stop.source, edits, "branches go in parentheses: {}", place)


def _element_before(stop: Stop) -> int:
    """Return the offset of the element before the stop; -1 if there is no arrow or symbol before it."""
    text, depth = stop.source.text, 0
    for at in range(stop.offset - 1, stop.start, -1):
        depth += (text[at] in ")]}") - (text[at] in "([{")
        if depth < 0:
            return -1
        if depth == 0 and (text[at - 1 : at + 1] == "->" or (text[at] == "=" and text[at - 1] not in "=!<>")):
            return at + 1 + len(text[at + 1 :]) - len(text[at + 1 :].lstrip())
    return -1


def walk_body(stop: Stop) -> Fix | None:
    """Fix `for c in 64, 128 (CONV3-c)`."""
    end = partner(stop.source.text, stop.offset) if stop.found == "(" else -1
    if end < 0 or not stop.takes("LSQB") or stop.takes("REFERENCE"):
        return None
    place = Span(stop.source, stop.offset, end + 1)
    edits = [(stop.offset, stop.offset + 1, "["), (end, end + 1, "]")]
    return fix(stop.source, edits, "the body goes in square brackets: {}", place)


def braces(stop: Stop) -> Fix | None:
    """Fix `block U(c) { A -> B }`, `{ A -> B }*2`, `CONV3-16{stride=2}`, `net N { … }`."""
    text = stop.source.text
    opened = opened_at(stop)
    at = stop.offset if stop.found in ("{", "[") else opened[-1] if opened else -1
    end = partner(text, at) if at >= 0 and text[at] in "{[" else -1
    if end < 0:
        return None
    inside, before = text[at + 1 : end], text[max(at - 2000, stop.start) : at]
    place = Span(stop.source, at, end + 1)
    layer = re.search(r"(?<![\w@])([A-Za-z][\w./-]*)$", before)
    if layer and re.fullmatch(r"\s*\w+\s*[=:]\s*[\w.]+(\s*,\s*\w+\s*[=:]\s*[\w.]+)*\s*", inside):
        whole = Span(stop.source, at - len(layer[1]), end + 1)
        settings = re.sub(r"\s*[=:]\s*", "=", inside.strip())
        return replacement(whole, f"{layer[1]}({settings})", "options go in parentheses: {}")
    if text[at] == "[":
        return None
    if re.search(r"\bblock\s+\w+\s*(?:\([^()]*\))?\s*$", before):
        line = Span(stop.source, at - len(before) + before.rindex("block"), end + 1)
        return fix(stop.source, [(at, at + 1, "= ["), (end, end + 1, "]")], "write a block as {}", line)
    if re.search(r"\bnet\s+\w+\s*(\([^()]*\))?\s*$", before):
        edits = [(at, at + 1, ""), (end, end + 1, "")]
        return Fix(fix(stop.source, edits, "", place).edits, "`net` has no body: remove the braces")
    if "->" in inside or re.search(r"(?:\bin\b[^\[\]{}]*|=\s*|->\s*|:\s*)$", before):
        return fix(stop.source, [(at, at + 1, "["), (end, end + 1, "]")], "layers go in square brackets: {}", place)
    return None


def superfluous(stop: Stop) -> Fix | None:
    """Fix `-> ->`, and an arrow at the end."""
    before = stop.before.rstrip()
    if not before.endswith("->"):
        return None
    start = stop.start + len(before) - 2
    if stop.found == "->":
        place = Span(stop.source, start, stop.end)
        advice = "remove one of the arrows, or put a layer between them (`ID` does nothing)"
        return Fix(replacement(place, "->").edits, advice)
    ends = stop.is_end or stop.begins_statement or stop.found in ("]", ")")
    if not ends:
        return None
    kept = start - (len(before) - 2 - len(before[:-2].rstrip()))
    edits = fix(stop.source, [(kept, start + 2, "")], "", stop.span).edits
    return Fix(edits, "the arrow before it leads nowhere: remove the arrow, or continue the chain")


CHAIN_FIXES: tuple[Callable[[Stop], Fix | None], ...] = (
    count,
    walk_body,
    braces,
    square,
    mixed,
    commas,
    sum_without,
    superfluous,
)
LAST_FIXES: tuple[Callable[[Stop], Fix | None], ...] = (missing_arrows,)
