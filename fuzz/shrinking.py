"""Makes a program smaller while something stays true of it: parts are left out, unwrapped, replaced by plain ones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping

ProgramSettings = Mapping[str, object]
Holds = Callable[[str, ProgramSettings], bool]

OPENING, CLOSING = "([{", ")]}"
SEPARATORS = (" -> ", " + ", " | ", ", ")


def shrunk(text: str, settings: ProgramSettings, holds: Holds, seconds: float = 20) -> tuple[str, ProgramSettings]:
    """Looks for the smallest program of which it still holds, for so much time."""
    until = time.monotonic() + seconds
    found = True
    while found:
        found = False
        for smaller, fewer in sorted(candidates(text, settings), key=lambda each: len(each[0])):
            if time.monotonic() > until:
                return text, settings
            if (len(smaller), len(fewer)) < (len(text), len(settings)) and holds(smaller, fewer):
                text, settings, found = smaller, fewer, True
                break
    return text, settings


def candidates(text: str, settings: ProgramSettings) -> Iterator[tuple[str, ProgramSettings]]:
    """Lists all that is smaller by one step."""
    for each in (*without_lines(text), *without_parts(text), *unwrapped(text), *plainer(text)):
        yield tidied(each), settings
    for name in settings:
        yield text, {other: value for other, value in settings.items() if other != name}
    yield from without_parameters(text, settings)


def without_lines(text: str) -> Iterator[str]:
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if not line.startswith("INPUT"):
            yield "\n".join([*lines[:at], *lines[at + 1 :]])


def levels(text: str) -> list[int]:
    """Tells how deep each character lies in brackets."""
    level, found = 0, list[int]()
    for char in text:
        level -= char in CLOSING
        found.append(level)
        level += char in OPENING
    return found


def without_parts(text: str) -> Iterator[str]:
    """Leaves out what stands between two separators of one level, and a separator."""
    deep = levels(text)
    cuts = [(at, sign) for sign in SEPARATORS for at in range(len(text)) if text.startswith(sign, at)]
    for at, sign in cuts:
        start = at + len(sign)
        end = start
        while end < len(text) and deep[end] >= deep[at] and text[end] != "\n":
            if deep[end] == deep[at] and (text.startswith(SEPARATORS, end) or text[end] in CLOSING):
                break
            end += 1
        yield text[:at] + text[end:]
        begin = at - 1
        while begin >= 0 and deep[begin] >= deep[at] and text[begin] != "\n":
            if deep[begin] == deep[at] and (text.endswith(SEPARATORS, 0, begin + 1)):
                break
            begin -= 1
        yield text[: begin + 1] + text[start:]


def unwrapped(text: str) -> Iterator[str]:
    """Takes brackets away; of a merge nothing stays but one branch."""
    deep = levels(text)
    for at, char in enumerate(text):
        if char not in "([":
            continue
        end = next((each for each in range(at + 1, len(text)) if deep[each] == deep[at]), len(text) - 1)
        inner = text[at + 1 : end]
        before = re.sub(r"(?:MUL|SUB|MAX|MEAN)$", "", text[:at])
        yield before + inner + text[end + 1 :]
        yield text[:at] + text[end + 1 :]
        for branch in split(inner):
            yield before + branch + text[end + 1 :]
            yield f"{before}[{branch}]{text[end + 1 :]}"


def split(inner: str) -> list[str]:
    deep = levels(inner)
    signs = (" + ", " | ", ", ")
    places = [at for at in range(len(inner)) if deep[at] == 0 and inner.startswith(signs, at)]
    ends = [*places, len(inner)]
    starts = [0, *(at + (2 if inner[at] == "," else 3) for at in places)]
    return [inner[start:end] for start, end in zip(starts, ends, strict=True)] if places else []


def plainer(text: str) -> Iterator[str]:
    """Leaves out labels, counts, choices, kernels and expressions."""
    rules = (
        (r"[\w{}]+: ", ""),
        (r"tap [\w{}]+(?:\(train\))?: ", ""),
        (r"\(train\)", ""),
        (r"\*(?:\d+|\w+|\{[^{}]*\})", ""),
        (r"\?\w*", ""),
        (r" if [^\]\[>|+]*?(?= else | ->|\]|\)| \+| \||,|$)", ""),
        (r" else [^\s,]+", ""),
        (r"\{[^{}]*\}", "4"),
        (r"-\w+", "-4"),
        (r"(?<=CONV)[^-(\s]+-", "1-"),
        (r"\d{2,}", "4"),
        (r"\w+(?:\([^()]*\))?", "RELU"),
        (r"/\w+", ""),
        (r" in (?:\{[^}]*\}|\d+\.\.\d+)", ""),
        (r"@[\w.{}]+ -> ", ""),
    )
    for pattern, by in rules:
        for found in re.finditer(pattern, text, re.MULTILINE):
            yield text[: found.start()] + by + text[found.end() :]


def without_parameters(text: str, settings: ProgramSettings) -> Iterator[tuple[str, ProgramSettings]]:
    """Writes the value of a parameter of the net in its place."""
    head, _, rest = text.partition("\n")
    if not head.startswith("net "):
        return
    for found in re.finditer(r"(\w+)(?: in [^=]*)?=([^,()]+)", head):
        name, value = found[1], str(settings.get(found[1], found[2]))
        value = {"True": "yes", "False": "no"}.get(value, value)
        left = re.sub(r"\(, ", "(", head.replace(found[0], "").replace(", , ", ", ").replace(", )", ")"))
        fewer = {other: each for other, each in settings.items() if other != name}
        places = rf"(?<![@\w.]){name}(?![\w:])"
        yield tidied("\n".join((left, re.sub(places, value, rest)))), fewer


def tidied(text: str) -> str:
    """Mends what leaving out leaves: empty brackets, arrows without a layer."""
    text = re.sub(r"net \w+\(\)\n", "", text)
    text = re.sub(r"\{(\w+)\}", r"\1", text) if not re.search(r"\{i\}", text) else text
    return re.sub(r"(?:-> )+->", "->", text).strip()
