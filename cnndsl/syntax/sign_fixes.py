"""Edits for symbols that the language does not have: typographic dashes and arrows, `×`, `;`, `$`, `&&`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnndsl.errors import Fix
from cnndsl.syntax.edits import code, fix, line_of, named, statement_end, word_at
from cnndsl.syntax.parse_failure import Stop

_ARROWS = "→⟶➔➜⇒⟹⟼↦"
_LONGEST = 80
"""For a longer line only the word is shown."""
_DASHES = "–—−‐‑"  # noqa: RUF001 - dashes that are meant as `-` or as arrows
_TIMES = "×✕✖"
_PLAIN = {
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("·∙⋅", "*"),
    "⊕": "+",
    "⊙": "*",
    "∥": "|",
    "‖": "|",
    ";": "",
    "~": "not ",
    "\u00a0": " ",
    "\u3000": " ",
    "（": "(",  # noqa: RUF001 - full-width signs
    "）": ")",  # noqa: RUF001 - full-width signs
    "，": ",",  # noqa: RUF001 - full-width signs
}
_FULL_WIDTH = "（），"  # noqa: RUF001 - signs of East Asian keyboards, which come together
_LAYERS_ARROW = re.compile(r"-->|=>|\|>|~>|--|-[ \t]+>|(?<![-=<>!])>(?![=>])|(?<=\s)-(?=\s)")


def sign(stop: Stop) -> Fix | None:
    """Return the fix for a character that the language does not have, wherever it occurs in the file."""
    is_value = stop.after.startswith(("-$", "/$"))
    char, at = ("$", stop.offset + 1) if is_value else (stop.found[:1], stop.offset)
    chars = _FULL_WIDTH if char and char in _FULL_WIDTH else char
    found = [] if stop.type and not is_value else [each for one in chars for each in _replaced(code(stop.source), one)]
    if char == "&" and stop.takes("PLUS", "VBAR"):
        found = [(at, at + 1 + stop.after.startswith("&&"), "|")]
    if stop.found == "|" and stop.before.endswith("|"):
        at, found = stop.offset - 1, [(stop.offset - 1, stop.offset + 1, "|")]
    if not any(start <= at < end for start, end, _ in found):
        return None
    written = next(text for start, end, text in found if start <= at < end)
    line, word = line_of(stop.source, stop.offset), word_at(stop.source, at)
    if not char.isascii() and written != "->":
        return fix(stop.source, found, named(char, written), word if char in word.text else line)
    advice = "statements need no separator: {}" if char == ";" else "write {}"
    advice = "an arrow is `->`: {}" if written == "->" else advice
    return fix(stop.source, found, advice, word if len(line.text) > _LONGEST else line)


def _replaced(text: str, char: str) -> Iterator[tuple[int, int, str]]:
    """Yield the edits that replace a character."""
    for match in re.finditer(re.escape(char), text) if char else ():
        at = match.start()
        before, after = text[max(at - 20, 0) : at], text[at + 1 : at + 40]
        if char in _ARROWS:
            yield at, at + 1, "->"
        elif char in _DASHES:
            is_sign = re.search(r"[\w})\]]$", before) and re.match(r"[\w{]", after)
            yield at, at + 1 + (after[:1] == ">"), "-" if is_sign else "->"
        elif char in _TIMES:
            is_extent = re.search(r"[0-9}]\s*$", before) and re.match(r"\s*[0-9{]", after)
            yield at, at + 1, "x" if is_extent else "*"
        elif char in _PLAIN:
            yield at, at + 1, _PLAIN[char]
        else:
            yield from _of_others(char, at, before, after)


def _of_others(char: str, at: int, before: str, after: str) -> Iterator[tuple[int, int, str]]:
    """Yield the edits that replace symbols of programming languages and of shells."""
    if char == "^":
        yield at, at + 1, "*" if re.search(r"[\])]\s*$", before) else "**"
    elif char == "&" and before[-1:] != "&":
        yield at, at + 1 + (after[:1] == "&"), "and"
    elif char == "!" and after[:1] != "=":
        yield at, at + 1, "not "
    elif char == "$":
        is_reference = re.match(r"\w", after) and re.search(r"[(|+]\s*$", before)
        yield at, at + 1, "@" if is_reference else ""


def arrow(stop: Stop) -> Fix | None:
    """Fix `=>`, `-->`, `|>`, `>`, ` - ` in place of arrows, in the whole statement."""
    starts_one = _LAYERS_ARROW.match(stop.source.text, stop.offset)
    if starts_one is None or not stop.takes("ARROW", "LSQB", "COMMA", "MINUS"):
        return None
    start, end = line_of(stop.source, stop.offset).start, statement_end(stop.source, stop.offset)
    if re.match(r"\s*(?:assert|let)\b", stop.source.text[start:end]):
        return None
    text = code(stop.source, start, end)
    found = [
        (start + match.start(), start + match.end(), "->")
        for match in _LAYERS_ARROW.finditer(text)
        if text.count("{", 0, match.start()) == text.count("}", 0, match.start())
    ]
    if not any(at == stop.offset for at, _, _ in found):
        return None
    return fix(stop.source, found, "an arrow is `->`: {}", line_of(stop.source, stop.offset))


SIGN_FIXES: tuple[Callable[[Stop], Fix | None], ...] = (sign, arrow)
