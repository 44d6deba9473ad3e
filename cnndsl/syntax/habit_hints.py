"""Hints for habits from other languages: options without parentheses, lists in square brackets, commas for arrows.

Each hint contains the intended text, so that it can be typed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.syntax.brackets import opened_at, opened_in, partner, split
from cnndsl.syntax.parse_failure import STATEMENTS, Stop

_LONGEST_SHOWN = 80
_LONGEST_LINE = 300
"""The number of characters of a line that are examined on each side of a location."""
_NO_LAYERS = rf"(?!(?:{'|'.join(STATEMENTS)}|tap|for|each|in|if|else|or|and|not|again|output|INPUT)\b)"
_VALUE = r"[A-Za-z0-9_.]+"
_LAYER = rf"(?<![\w.]){_NO_LAYERS}[A-Za-z_][\w{{}}./-]*(?<![-/])"
_SETTING = rf"(?!(?:if|else|or|and)\b)([A-Za-z_]+)[ \t]*(?:=[ \t]*|[ \t])({_VALUE})"
_OPTIONS = re.compile(
    rf"(?P<layer>{_LAYER})(?:\((?P<given>[^()]*)\))?(?P<settings>(?:,?[ \t]+{_SETTING})+)(?=\s*(?:->|[\])|+,]|$))"
)
_FOR_HEAD = re.compile(r"\b(?:for|each)\s[^\[\]{}]*\bin\b[^\[\]{}]*$")
_LIKE_A_LAYER = r"(?:@|[A-Z][A-Z0-9]|\[|\()"


def options_at(text: str, at: int) -> tuple[int, int, str] | None:
    """Return the start and end of a layer whose options follow it without parentheses, at an offset or before it, and
    its valid form; None if there is none.

    >>> options_at("CONV3-16 stride 2 -> RELU", 9)
    (0, 17, 'CONV3-16(stride=2)')
    """
    start = max(text.rfind("\n", 0, at) + 1, at - _LONGEST_LINE)
    line = text[start : at + _LONGEST_LINE].partition("\n")[0]
    for found in _OPTIONS.finditer(line):
        if found.start("settings") <= at - start <= found.end("settings"):
            settings = [f"{name}={value}" for name, value in re.findall(_SETTING, found["settings"])]
            listed = ", ".join([found["given"].strip(), *settings] if found["given"] else settings)
            return start + found.start(), start + found.end(), f"{found['layer']}({listed})"
    return None


def options_without_brackets(text: str, at: int) -> str:
    """Return the hint for a layer whose options follow it without parentheses, at an offset or before it; empty if none
    do."""
    found = options_at(text, at)
    return f"options go in parentheses: `{found[2]}`" if found else ""


def combined(text: str, at: int, operator: str, name: str) -> str:
    """Return the branches in the parentheses around an offset, or after the `=` of a chain, as a call of a merge; empty
    if there are none.

    >>> combined("INPUT 8 -> (CONV3-16 * SIGMOID)", 20, "*", "MUL")
    'MUL(CONV3-16, SIGMOID)'
    """
    opened = next(reversed(opened_in(text, 0, at)), -1)
    if opened >= 0:
        end = partner(text, opened)
        if text[opened] != "(" or end < 0 or re.search(r"\w$", text[max(opened - 1, 0) : opened]):
            return ""
        start = opened + 1
    else:
        begun = re.search(r"=\s*(?=@)", text[text.rfind("\n", 0, at) + 1 : at])
        start = text.rfind("\n", 0, at) + 1 + (begun.end() if begun else 0)
        end = text.find("\n", at) if "\n" in text[at:] else len(text)
        if begun is None:
            return ""
    branches = [each.strip() for each in split(text[start:end], operator)]
    is_merge = len(branches) > 1 and all(branches) and not any(re.match(r"[0-9{]", each) for each in branches)
    return f"{name}({', '.join(' '.join(each.split()) for each in branches)})" if is_merge else ""


def _options(stop: Stop) -> str:
    """Return the hint for `CONV3-16 stride 2`, `CONV3-16, stride=2`."""
    return options_without_brackets(stop.source.text, stop.offset)


def _product(stop: Stop) -> str:
    """Return the hint for `(CONV3-16 * GAP -> SIGMOID)`, `x = @a * @b`."""
    before = re.search(r"\*\s*(?P<word>[A-Z][A-Z0-9]+)?$", stop.end_of_before)
    if before is None or not (before["word"] or re.match(_LIKE_A_LAYER, stop.after)):
        return ""
    shown = combined(stop.source.text, stop.offset, "*", "MUL")
    return f"branches are multiplied by MUL: `{shown}`" if shown else ""


def _difference(stop: Stop) -> str:
    """Return the hint for `(@a - @b)`."""
    if stop.found != "-" or not re.match(rf"-\s+{_LIKE_A_LAYER}", stop.after) or stop.is_adjacent:
        return ""
    shown = combined(stop.source.text, stop.offset, "-", "SUB")
    return f"the difference of two branches is `{shown}`; an arrow is `->`" if shown else ""


def _expression(stop: Stop) -> str:
    """Return the hint for `CONV3-(16*3)`, `CONV(k)-16`."""
    if stop.found not in ("-", "/") or not stop.is_adjacent:
        return ""
    start = stop.offset - len(stop.word)
    inside = re.match(r"[-/]\(([^()\n]*)\)(\S*?)(?=[\s()\[\],]|$)", stop.after)
    if inside and stop.word:
        return f"an expression goes in braces: `{stop.word}{stop.found}{{{inside[1]}}}{inside[2]}`"
    sized = re.search(r"([A-Za-z_]\w*)\(([^()\n=,@]+)\)$", stop.end_of_before)
    rest = re.match(r"[-/][\w{}/]+", stop.after)
    if sized is None or rest is None or start < 0:
        return ""
    size = sized[2].strip() if sized[2].strip().isdigit() else f"{{{sized[2].strip()}}}"
    return f"the size comes right after the name: `{sized[1]}{size}{rest[0]}`"


def _square(stop: Stop) -> str:
    """Return the hint for `[A | B]`, `[@a, ID]`."""
    opened = opened_at(stop)
    text = stop.source.text
    if stop.found not in ("+", "|", ",") or not opened or text[opened[-1]] != "[" or stop.takes("EQUAL", "PERCENT"):
        return ""
    end = partner(text, opened[-1])
    inside = text[opened[-1] + 1 : end]
    operator = stop.found
    branches = [" ".join(each.split()) for each in split(inside, operator)]
    if end < 0 or len(branches) < 2 or re.search(r"\w\s*=(?!=)", re.sub(r"\([^()]*\)", "", inside)):
        return ""
    if operator == ",":
        if not any(re.match(r"@|ID$", each) for each in branches):
            return ""
        operator = "|"
    shown = f"({f' {operator} '.join(branches)})"
    shown = f"[{shown}]" if _FOR_HEAD.search(text[: opened[-1]]) else shown
    return f"branches go in parentheses: `{shown if len(shown) <= _LONGEST_SHOWN else f'(A {operator} B)'}`"


def _comma(stop: Stop) -> str:
    """Return the hint for `INPUT 32x32x3, CONV3-16, RELU`, `[CONV3-16, RELU]`."""
    opened = opened_at(stop)
    text = stop.source.text
    if stop.found != "," or not re.match(r",\s*[A-Za-z_\[(@]", text[stop.offset :][:200]):
        return ""
    if opened and (text[opened[-1]] != "[" or stop.takes("EQUAL", "PERCENT", "RBRACE")):
        return ""
    begins = re.match(r"\s*(\w+)", stop.before[-20_000:].rpartition("\n")[2])
    if begins and begins[1] in ("let", "output", "use", "assert", "net", "cnn"):
        return ""
    end = partner(text, opened[-1]) if opened else -1
    end = end if end >= 0 else text.find("\n", stop.offset)
    rest = text[stop.offset + 1 : end if end >= 0 else len(text)].partition("#")[0]
    chain = " -> ".join(" ".join(each.split()) for each in split(rest, ",") if each.strip())
    first = split(rest, ",")[0].strip()
    return f"layers are separated by arrows: `-> {chain if len(chain) <= _LONGEST_SHOWN else first}`"


def _list(stop: Stop) -> str:
    """Return the hint for `[3, 5, 7]` as a value."""
    if stop.found != "[" or not stop.takes("NUMBER") or stop.takes("LSQB"):
        return ""
    end = partner(stop.source.text, stop.offset)
    inside = stop.source.text[stop.offset + 1 : end].strip()
    if end < 0 or "->" in inside or len(inside) > _LONGEST_SHOWN:
        return ""
    elements = re.sub(r"\s*,\s*", ", ", inside.rstrip(" ,"))
    if re.search(r"\w\s+in\s*$", stop.end_of_before) and not re.search(r"\b(for|each)\b[^\n]*$", stop.end_of_before):
        return f"the values of a parameter go in braces: `{{{elements}}}`"
    nested = elements.replace("[", "(").replace("]", ")")
    return f"a list goes in parentheses: `({nested}{',' * ('[' not in elements and ',' not in elements)})`"


def _quoted(stop: Stop) -> str:
    """Return the hint for `pad="same"`."""
    word = re.fullmatch(r"[\"']([A-Za-z_]\w*)[\"']", stop.found)
    return f"words and names take no quotation marks: `{word[1]}`" if word and stop.takes("NUMBER") else ""


def _layer_as_value(stop: Stop) -> str:
    """Return the hint for `Unit(16, LEAKYRELU(slope=0.1))`: a layer with options as a value."""
    opened = opened_at(stop)
    text = stop.source.text
    if stop.found != "=" or not opened or text[opened[-1]] != "(" or stop.takes("EQUAL"):
        return ""
    head = re.search(r"[A-Za-z]\w*$", text[max(opened[-1] - 200, 0) : opened[-1]])
    end = partner(text, opened[-1])
    is_value = len(opened) > 1 or re.search(r"\blet\s+\w+\s*=\s*\w+$", text[max(opened[-1] - 200, 0) : opened[-1]])
    if head is None or end < 0 or not is_value:
        return ""
    layer = head[0] + text[opened[-1] : end + 1]
    return f"a layer with options is not a value; name it as a block, `block Act = {layer}`, then write `Act`"


def _braces(stop: Stop) -> str:
    """Return the hint for `block U(c) { A -> B }`, `{ A -> B }*2`, `CONV3-16{stride=2}`."""
    text = stop.source.text
    opened = opened_at(stop)
    at = stop.offset if stop.found == "{" else opened[-1] if opened else -1
    end = partner(text, at) if at >= 0 and text[at] == "{" else -1
    if end < 0:
        return ""
    body, before = " ".join(text[at + 1 : end].split()), text[max(at - 2000, stop.start) : at]
    shown = body if len(body) <= _LONGEST_SHOWN else "…"
    head = re.search(r"\bblock\s+(\w+\s*(?:\([^()]*\))?)\s*$", before)
    if head:
        return f"a block has a `=`, and its body goes in square brackets: `block {head[1].strip()} = [{shown}]`"
    if re.search(r"\bnet\s+\w+\s*(\([^()]*\))?\s*$", before):
        return "`net` has no body: remove `{` and `}`"
    layer = re.search(r"([A-Za-z_][\w./-]*)$", before)
    if layer and re.fullmatch(r"\w+\s*[=:]\s*[\w.]+(\s*,\s*\w+\s*[=:]\s*[\w.]+)*", body):
        settings = ", ".join(re.sub(r"\s*[=:]\s*", "=", each.strip()) for each in body.split(","))
        return f"options go in parentheses: `{layer[1]}({settings})`"
    if "->" in body or _FOR_HEAD.search(before) or (stop.found == "{" and stop.takes("LSQB")):
        return f"layers go in square brackets: `[{shown}]`"
    return ""


def _range(stop: Stop) -> str:
    """Return the hint for `SLICE(0:8)`, `widths[1:3]`."""
    rest = re.match(r":\s*([A-Za-z0-9_*/+]+)\s*[)\]]", stop.after)
    first = re.search(r"[(\[]\s*([A-Za-z0-9_*/+]+)\s*$", stop.end_of_before)
    if stop.found != ":" or rest is None or first is None:
        return ""
    if stop.takes("COMMA") and stop.end_of_before[first.start()] == "(" and re.match(r"[0-9A-Z]", first[1]):
        return f"start and end are two values: `({first[1]}, {rest[1]})`"
    return f"a range of a list has two dots: `[{first[1]}..{rest[1]}]`" if stop.takes("DOTS") else ""


HABIT_HINTS: tuple[Callable[[Stop], str], ...] = (
    _options,
    _product,
    _difference,
    _expression,
    _square,
    _comma,
    _list,
    _quoted,
    _layer_as_value,
    _braces,
    _range,
)
