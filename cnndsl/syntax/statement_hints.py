"""Hints for beginnings of statements and chains: words that are not allowed there, chains without a start."""

from __future__ import annotations

import re
from itertools import chain, count

from cnndsl.errors import Span
from cnndsl.syntax.brackets import opened_at
from cnndsl.syntax.parse_failure import STATEMENTS, Stop

_LONGEST_SHOWN = 80
_STATEMENT_AS_LABEL = re.compile(rf"\b({'|'.join(STATEMENTS)})\s+$")
_STATEMENT = re.compile(r"^(?:(block|net|let|use|assert|default|output)\b|\w+\s*=|INPUT\b)", re.MULTILINE)
_LABELLED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*\s*:(?!:)\s*")


def free_name(text: str) -> str:
    """Return a name for a value that a text does not contain yet.

    >>> free_name("INPUT -> CONV"), free_name("x = INPUT")
    ('x', 'x1')
    """
    taken = set(re.findall(r"[A-Za-z0-9_]+", text))
    return next(name for name in chain(["x"], (f"x{number}" for number in count(1))) if name not in taken)


def misplaced(stop: Stop) -> tuple[Span, str, str] | None:
    """Return the span of a word that is not allowed at the stop, the message (empty to keep the parser's), and a hint;
    None if there is no such word."""
    return _for(stop) or _statement(stop) or _label(stop)


def _for(stop: Stop) -> tuple[Span, str, str] | None:
    """Return span, message and hint for `for` at the beginning of a statement, or after a chain in brackets."""
    word = re.search(r"\bfor\s+$", stop.before)
    goes_on = stop.takes("ARROW") or (stop.takes("RSQB", "PLUS") and not stop.takes("LSQB", "MINUS"))
    if stop.found == "for" and goes_on:
        place, said = stop.span, ""
    elif word is not None and stop.takes("COLON"):
        start = stop.start + word.start()
        place = Span(stop.source, start, start + len("for"))
        said = "expected `->` or a new statement, found `for`"
    else:
        return None
    above = "`-> for …` to continue the chain above"
    help = f"a `for` must follow an arrow: write {above}, or `@a -> for …` to start a new one"
    return place, said, help


def _statement(stop: Stop) -> tuple[Span, str, str] | None:
    """Return span, message and hint for `let c = 8` in brackets or after an arrow, with `let` read as a label."""
    word = _STATEMENT_AS_LABEL.search(stop.before)
    is_inside = word is not None and (opened_at(stop) or stop.before[: word.start()].rstrip().endswith("->"))
    if stop.found in STATEMENTS and opened_at(stop):
        name, place = stop.found, stop.span
    elif word is not None and is_inside and stop.takes("COLON"):
        name = word[1]
        start = stop.start + word.start()
        place = Span(stop.source, start, start + len(name))
    else:
        return None
    before = stop.source.text[stop.start : place.start]
    statements = _STATEMENT.findall(before[-20_000:])
    help = "write it as a statement of its own, outside chains and parts"
    if name == "let" and statements[-1:] == ["block"]:
        help = "move it to the start of the block, right after the `=`"
    return place, f"`{name}` is not allowed here", help


def _label(stop: Stop) -> tuple[Span, str, str] | None:
    """Return span, message and hint for `stage2.0: Block(@a)` as a statement, and `a: b.0: CONV3-4`, two labels."""
    if stop.found not in (".", ":") or not stop.word or not stop.is_adjacent:
        return None
    start = stop.offset - len(stop.word)
    text = stop.source.text[start:].partition("\n")[0]
    label = _LABELLED.match(text)
    if label is None:
        return None
    place = Span(stop.source, start, start + text.index(":"))
    outer = re.search(r"([A-Za-z0-9_.]+)\s*:\s*$", stop.before[: -len(stop.word)])
    if outer is not None:
        body = _element(text)
        return (
            place,
            f"expected a layer, found `{place.text}`",
            f"a part has one label; to label one inside it, write `{outer[1]}: [{body}]`",
        )
    before = stop.before[: -len(stop.word)]
    if not stop.takes("ARROW") or not before[-1:].isspace():
        return None
    begins_line = not before.rpartition("\n")[2].strip()
    help = beginning(text, stop.source.text) if begins_line else f"an arrow is missing: `-> {_element(text)}`"
    return place, "", help


def _element(text: str) -> str:
    """Return a labelled layer as written, up to its closing parenthesis."""
    whole = re.match(r"[^\s:]+:\s*[^\s()\[\],]+(\([^()]*\))?", text)
    return whole[0] if whole else "…"


def beginning(line: str, text: str) -> str:
    """Return the hint for a line that continues a chain or is one of its own."""
    written = _written(line)
    shown = written if len(written) <= _LONGEST_SHOWN else "…"
    return named_chain(line, text) or f"an arrow is missing: `-> {shown}`"


def named_chain(line: str, text: str) -> str:
    """Return the hint for a line that begins with a call or a merge whose parentheses begin with a reference, and
    becomes a chain; empty for any other line."""
    written = _written(line)
    label = _LABELLED.match(written)
    if not re.match(r"[A-Za-z_][A-Za-z0-9_]*\s*[(\[]\s*@", written[label.end() :] if label else written):
        return ""
    is_whole = len(written) <= _LONGEST_SHOWN and all(written.count(a) == written.count(b) for a, b in ("()", "[]"))
    shown = written if is_whole else f"{written.partition('(')[0]}(…)"
    return f"a chain begins with `name =` or a reference: `{free_name(text)} = {shown}`"


def in_brackets(text: str, at: int, name: str) -> str:
    """Return the hint for a line that is a chain beginning with parentheses."""
    start = text.rfind("\n", 0, at) + 1
    written = _written(text[start : at + _LONGEST_SHOWN].partition("\n")[0])
    is_whole = len(written) <= _LONGEST_SHOWN and written.count("(") == written.count(")")
    return f"a chain that begins with parentheses needs a name: `{name} = {written if is_whole else '(@a + @b)'}`"


def _written(line: str) -> str:
    return re.sub(r"#.*", "", line).strip()
