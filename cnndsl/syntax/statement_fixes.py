"""Edits for statements and values: `def`, `block U(c):`, lists in square brackets, quotes, options with colons."""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.errors import Fix, Source, Span, meant, replacement, unmistakable
from cnndsl.syntax.brackets import opened_at, opened_in, partner
from cnndsl.syntax.edits import fix, line_of
from cnndsl.syntax.habit_hints import combined, options_at
from cnndsl.syntax.parse_failure import STATEMENTS, Stop

_KEYWORDS = {
    **dict.fromkeys(("def", "function", "func", "fn", "class", "module", "define", "fun", "sub", "macro"), "block"),
    **dict.fromkeys(("const", "var", "val", "set", "int", "float", "auto", "number"), "let"),
    **dict.fromkeys(("import", "include", "from", "require"), "use"),
    **dict.fromkeys(("network", "model"), "net"),
}
_HEAD = re.compile(
    r"[ \t]*(?P<word>[A-Za-z_]+)[ \t]+(?P<name>[A-Za-z_]\w*)[ \t]*(?P<parameters>\((?:[^()\n]|\([^()\n]*\))*\))?"
    r"[ \t]*(?P<sign>:=|=|:|->|\{)?[ \t]*(?:\n[ \t]*)?(?P<return>return\b[ \t]*)?"
)

_LONGEST_SHOWN = 60
"""The longest line that a help message repeats completely."""
_WALK = re.compile(r"\bfor\s+\w+(?:\s*,\s*\w+)*\s+in\s+(?P<list>\[[^\[\]]*\]|[^\[\]:]*?)\s*(?P<colon>:)?\s*$")


def head(stop: Stop) -> Fix | None:
    """Fix `def U(c): A`, `block U(c): A`, `const c = 64`, `blok U(c) = A`."""
    text = stop.source.text
    line = text.rfind("\n", 0, stop.offset) + 1
    found = _HEAD.match(text, max(line, stop.start))
    if found is None or found.end() < stop.offset:
        line = text.rfind("\n", 0, max(line - 1, 0)) + 1
        found = _HEAD.match(text, max(line, stop.start)) if line < stop.offset else None
    if found is None or not found.start("word") <= stop.offset <= found.end() + 1:
        return None
    word, edits = found["word"], list[tuple[int, int, str]]()
    keyword = _KEYWORDS.get(word, word)
    if keyword not in STATEMENTS:
        keyword = unmistakable(word, STATEMENTS)
    if keyword not in ("block", "let", "net") or (keyword == word and found["sign"] == "="):
        return None
    if keyword != word:
        edits.append((*found.span("word"), keyword))
    if keyword != "net" and found["sign"] is None and stop.offset == found.end() and stop.takes("EQUAL"):
        edits.append((stop.offset, stop.offset, "= "))
    if keyword != "net" and found["sign"] in (":", ":=", "->"):
        gap = "" if text[found.start("sign") - 1].isspace() else " "
        edits.append((*found.span("sign"), f"{gap}="))
    elif keyword == "block" and found["sign"] == "{":
        end = partner(text, found.start("sign"))
        edits += [(*found.span("sign"), "= ["), (end, end + 1, "]")] if end > 0 else []
    if found["return"]:
        edits.append((*found.span("return"), ""))
    inserted = max((end for _, end, _ in edits), default=0)
    place = Span(stop.source, found.start("word"), max(found.end("sign"), found.end("name"), inserted))
    return _advised(stop.source, edits, keyword, place) if edits else None


def _advised(source: Source, edits: list[tuple[int, int, str]], keyword: str, place: Span) -> Fix:
    """Return the fix for the head of a statement: the replacements, and the line if it is short."""
    start, end, text = edits[0]
    written = source.text[start:end]
    if len(edits) == 1 and text == keyword and written not in _KEYWORDS:
        return fix(source, edits, "did you mean {}?", Span(source, start, end))
    line = line_of(source, place.start)
    is_whole = line.start == place.start and len(line.text) <= _LONGEST_SHOWN and "#" not in line.text
    shown = line if is_whole and all(last <= line.end for _, last, _ in edits) else place
    if text == keyword:
        also = " and `=`" if len(edits) > 1 and keyword != "net" else ""
        return fix(source, edits, f"write `{keyword}`{also}, not `{written}`: {{}}", shown)
    instead = f", not `{written}`" if written else ""
    return fix(source, edits, f"a `{keyword}` needs `=`{instead}: {{}}", shown)


def value(stop: Stop) -> Fix | None:
    """Fix `c = 64` as a statement."""
    begun = re.search(r"(?:^|\n)[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*=[ \t]*$", stop.end_of_before)
    if begun is None or not re.match(r"[0-9]|-[0-9]|(?:yes|no)\b|\(\s*[0-9]", stop.after):
        return None
    at = stop.offset - len(stop.end_of_before) + begun.start("name")
    place = Span(stop.source, at, line_of(stop.source, stop.offset).end)
    return fix(stop.source, [(at, at, "let ")], "name a value with `let`: {}", place)


def quoted(stop: Stop) -> Fix | None:
    """Fix `pad="same"`, `pad='same'`."""
    word = re.match(r"([\"'])([A-Za-z_]\w*)\1", stop.after)
    if word is None or not stop.takes("NUMBER"):
        return None
    place = Span(stop.source, stop.offset, stop.offset + word.end())
    return replacement(place, word[2], "words and names take no quotation marks: {}")


def listed(stop: Stop) -> Fix | None:
    """Fix `[3, 5, 7]` as a value, and Python's `for c in [3, 5]: […]`."""
    text = stop.source.text
    walk = _WALK.search(stop.end_of_before)
    if walk and (walk["colon"] or stop.found == ":"):
        start = stop.offset - len(stop.end_of_before)
        end = stop.offset + 1 if stop.found == ":" else stop.offset
        edits = [(start + walk.end("list"), end, " " if stop.found != ":" else "")]
        if walk["list"][:1] == "[":
            edits = [(start + walk.start("list"), end, f"{walk['list'][1:-1]}{' ' * (stop.found != ':')}")]
        return fix(stop.source, edits, "a `for` has no colon: {}", line_of(stop.source, stop.offset))
    if stop.found != "[" or not stop.takes("NUMBER") or stop.takes("LSQB"):
        return None
    end = partner(text, stop.offset)
    inside = text[stop.offset + 1 : end].strip()
    if end < 0 or "->" in inside or not inside:
        return None
    colon = re.match(r"\s*:(?=\s*\[)", text[end + 1 : end + 40])
    is_walk = re.search(r"\b(for|each)\s+[\w\s,]+\bin\s*$", stop.end_of_before) is not None
    place = Span(stop.source, stop.offset, end + 1 + (colon.end() if colon else 0))
    if is_walk and "[" not in inside:
        return replacement(place, re.sub(r"\s*,\s*", ", ", inside), "the values of a `for` take no brackets: {}")
    if re.search(r"\w\s+in\s*$", stop.end_of_before) and not is_walk:
        return replacement(place, f"{{{inside}}}", "the values of a parameter go in braces: {}")
    nested = inside.rstrip(" ,").replace("[", "(").replace("]", ")")
    comma = "," * ("[" not in inside and "," not in nested)
    return replacement(place, f"({nested}{comma})", "a list goes in parentheses: {}")


def options(stop: Stop) -> Fix | None:
    """Fix `CONV3-16 stride 2`, `CONV3-16, stride=2`."""
    return options_fix(stop.source, stop.offset)


def options_fix(source: Source, at: int) -> Fix | None:
    """Return the fix for a layer whose options follow it without parentheses, at an offset or before it."""
    found = options_at(source.text, at)
    if found is None:
        return None
    start, end, written = found
    return replacement(Span(source, start, end), written, "options go in parentheses: {}")


def option(stop: Stop) -> Fix | None:
    """Fix `pad: 1`."""
    sign = re.match(r":\s*(?=[A-Za-z0-9_.{(])", stop.after)
    is_option = stop.takes("EQUAL") and stop.takes("COMMA") and stop.takes("PERCENT")
    if sign is None or not is_option or not stop.word or not opened_at(stop):
        return None
    start = stop.offset - len(stop.before) + len(stop.before.rstrip()) - len(stop.word)
    rest = re.compile(r"[^,()\n]*").match(stop.source.text, stop.offset + sign.end())
    place = Span(stop.source, start, rest.end() if rest else stop.offset + sign.end())
    return fix(stop.source, [(stop.offset, stop.offset + sign.end(), "=")], "set an option with `=`: {}", place)


def expression(stop: Stop) -> Fix | None:
    """Fix `CONV3-(16*3)`, `CONV(k)-16`."""
    if stop.found not in ("-", "/") or not stop.is_adjacent or not stop.word:
        inside = None
    else:
        inside = re.match(r"[-/]\(([^()\n]*)\)", stop.after)
    if inside:
        place = Span(stop.source, stop.offset - len(stop.word), stop.offset + inside.end())
        edits = [(stop.offset + 1, stop.offset + inside.end(), f"{{{inside[1]}}}")]
        return fix(stop.source, edits, "an expression goes in braces: {}", place)
    sized = re.search(r"([A-Za-z_]\w*)\(([^()\n=,@]+)\)$", stop.end_of_before)
    rest = re.match(r"[-/][\w{}/]+", stop.after)
    if sized is None or rest is None or stop.found not in ("-", "/"):
        return None
    size = sized[2].strip() if sized[2].strip().isdigit() else f"{{{sized[2].strip()}}}"
    place = Span(stop.source, stop.offset - len(sized[0]), stop.offset + rest.end())
    return replacement(place, f"{sized[1]}{size}{rest[0]}", "the size comes right after the name: {}")


def _product(stop: Stop) -> Fix | None:
    """Fix `(A * B)`, `(@a - @b)`."""
    is_minus = stop.found == "-" and re.match(r"-\s+(?:@|[A-Z][A-Z0-9]|\[|\()", stop.after) and not stop.is_adjacent
    return product(stop.source, stop.offset, "-" if is_minus else "*")


def product(source: Source, at: int, operator: str = "*") -> Fix | None:
    """Return the fix for branches around an offset that are joined by the symbol of a product or a difference."""
    name = "MUL" if operator == "*" else "SUB"
    found = combined(source.text, at, operator, name)
    opened = next(reversed(opened_in(source.text, 0, at)), -1)
    end = partner(source.text, opened) if opened >= 0 else -1
    if not found or end < 0:
        return None
    advice = f"branches are {'multiplied' if operator == '*' else 'subtracted'} by {name}: {{}}"
    return replacement(Span(source, opened, end + 1), found, advice)


def signs(stop: Stop) -> Fix | None:
    """Fix `// comment`, `stem=CONV3-64`, `assert a = 2`, `@ a`, `50%`."""
    if stop.after.startswith("//"):
        place = Span(stop.source, stop.offset, line_of(stop.source, stop.offset).end)
        found = [each.span() for each in re.finditer(r"(?<=\s)//(?=[^\n{}]*$)", stop.source.text, re.MULTILINE)]
        edits = [(start, end, "#") for start, end in found] or [(stop.offset, stop.offset + 2, "#")]
        return fix(stop.source, edits, "a comment begins with `#`: {}", place)
    if stop.found == "=" and not stop.takes("EQUAL"):
        if stop.takes("COMPARISON"):
            return replacement(stop.span, "==", "to compare two values, use {}")
        if stop.takes("ARROW") and stop.word.isidentifier():
            before = stop.before.rstrip()
            start = stop.start + len(before) - len(stop.word)
            end = re.compile(r"=[ \t]*").match(stop.source.text, stop.offset)
            value = re.compile(r"[^\s()\[\],]*").match(stop.source.text, end.end() if end else stop.end)
            shown = Span(stop.source, start, value.end() if value else stop.end)
            edit = (stop.start + len(before), end.end() if end else stop.end, ": ")
            return fix(stop.source, [edit], "a label is followed by a colon: {}", shown)
    spaced = re.match(r"@\s+([A-Za-z_][\w.]*)", stop.after)
    if spaced:
        return replacement(Span(stop.source, stop.offset, stop.offset + spaced.end()), f"@{spaced[1]}")
    share = re.search(r"([0-9]{1,3})\s*%\s*$", stop.end_of_before)
    if share and not stop.takes("PERCENT"):
        start = stop.offset - len(share[0])
        return replacement(
            Span(stop.source, start, stop.offset), f"{int(share[1]) / 100:g}", "write the percentage as a decimal: {}"
        )
    return None


def misspelt(stop: Stop) -> Fix | None:
    """Fix a statement whose first word is misspelt."""
    text = stop.source.text
    line = max(text.rfind("\n", 0, stop.offset) + 1, stop.start)
    match = re.compile(r"[ \t]*([A-Za-z_]+)(?=[ \t]+[A-Za-z_\"0-9])").match(text, line)
    if match is None or match.end() > stop.offset or match[1] in STATEMENTS or match[1].upper() == "INPUT":
        return None
    near = unmistakable(match[1], [*STATEMENTS, "INPUT", "output"])
    return meant(Span(stop.source, *match.span(1)), near) if near and near != match[1] else None


def extents(stop: Stop) -> Fix | None:
    """Fix `pad=0xk`."""
    mixed = re.match(r"([0-9]+(?:x[0-9]+)*)x([A-Za-z_]\w*)", stop.after)
    if mixed is None or not stop.takes("NUMBER"):
        return None
    place = Span(stop.source, stop.offset, stop.offset + mixed.end())
    return replacement(place, f"{mixed[1]}x{{{mixed[2]}}}", "a name in a shape goes in braces: {}")


STATEMENT_FIXES: tuple[Callable[[Stop], Fix | None], ...] = (
    head,
    value,
    quoted,
    listed,
    options,
    option,
    expression,
    _product,
    signs,
    extents,
    misspelt,
)
