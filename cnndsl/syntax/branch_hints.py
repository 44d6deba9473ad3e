"""Hints for branches whose parentheses or operators are missing or invalid."""

from __future__ import annotations

import re

from cnndsl.syntax.brackets import opened_at, partner, split
from cnndsl.syntax.parse_failure import Stop
from cnndsl.syntax.statement_hints import free_name


def branches(stop: Stop) -> str:
    """Return the hint for `A + B` without parentheses, `(A, B)`, `(A + B | C)`, `MUL(A | B)`."""
    if stop.found in ("+", "|") and (leading := _leading(stop)):
        return leading
    if stop.found in ("+", "|") and (beginning := _of_values(stop)):
        return beginning
    if stop.found in ("+", "|") and re.search(r"\bif\b[^()]*$", stop.before):
        return "in the test of an `if`, put a sum in parentheses: `if (a + b) > c`"
    if stop.found in ("+", "|") and stop.takes("ARROW", "$END"):
        return f"a merge goes in parentheses that open where its branches begin: `{_parted(stop)}`"
    if stop.found in ("+", "|") and stop.takes("PLUS", "VBAR"):
        return "a pair of parentheses has one operator: `((A + B) | C)` or `(A + (B | C))`"
    if (
        stop.found in ("+", "|")
        and stop.takes("COMMA")
        and re.search(r"\b(?i:MUL|SUB|MAX|MEAN)\s*\([^()]*$", stop.before)
    ):
        return "the branches of MUL, SUB, MAX and MEAN are separated by commas: `MUL(A, B)`"
    if stop.found == "," and re.search(r"INPUT\s+[0-9]+$", stop.before.rstrip(), re.IGNORECASE):
        return "write a shape as HxWxC without spaces: `INPUT 224x224x3`"
    if stop.found == "," and stop.takes("PLUS", "VBAR"):
        return _joined(stop)
    return ""


def _parted(stop: Stop) -> str:
    """Return the last two layers before an operator, and what follows it, in parentheses."""
    line = stop.before[-2000:].rpartition("\n")[2]
    layers = [each.strip() for each in line.split("->") if each.strip() and not re.match(r"\s*(?i:INPUT)\b", each)]
    other = re.match(r"[+|]\s*([A-Za-z_@][\w./@-]*(?<![-/.]))", stop.after)
    return f"({' -> '.join(layers[-2:]) or 'A'} {stop.found} {other[1] if other else 'B'})"


def _joined(stop: Stop) -> str:
    """Return the hint for `(A, B)`: concatenate or add, with the branches as written."""
    opened = opened_at(stop)
    end = partner(stop.source.text, opened[-1]) if opened else -1
    branches = [each.strip() for each in split(stop.source.text[opened[-1] + 1 : end], ",")] if end > 0 else []
    is_short = sum(map(len, branches)) <= 40 and "\n" not in "".join(branches) and len(branches) > 1
    shown = branches if is_short else ["A", "B"]
    return f"`|` concatenates channels, `({' | '.join(shown)})`, and `+` adds: `({' + '.join(shown)})`"


def _of_values(stop: Stop) -> str:
    """Return the hint for `x = @a + @b`, `@a + @b` on a line of its own, `CONV3-8 (@a + @b)`."""
    line = stop.before[-2000:].rpartition("\n")[2]
    rest = stop.source.text[stop.offset : stop.offset + 200].partition("\n")[0].partition("#")[0].rstrip()
    behind = re.search(r"[\w)\]}][ \t]+(\(\s*@[^()]*)$", line)
    if behind and stop.takes("COMMA") and rest.count(")") > rest.count("("):
        return f"an arrow is missing: `-> {behind[1]}{rest}`"
    begun = re.match(r"\s*(?P<named>\w+\s*=\s*)?(?P<first>@[\w.]+\s*)$", line)
    if begun is None or re.search(r"[(\[]", rest.partition("->")[0]):
        return ""
    branches, arrow, behind_it = rest.partition(" -> ")
    shown = f"({begun['first']}{branches}){arrow}{behind_it}"
    if begun["named"]:
        return f"branches go in parentheses: `{shown}`"
    name = free_name(stop.source.text)
    return f"branches go in parentheses, and a chain that begins with them needs a name: `{name} = {shown}`"


def _leading(stop: Stop) -> str:
    """Return the hint for `(| A | B)`, `MUL(+ @u*)`: an operator before branches that do not need one there."""
    rest = re.match(r"[+|]\s*([^()]*)\)", stop.after)
    kind = re.search(r"\b((?i:MUL|MAX|MEAN)|SUB)\s*\(\s*$", stop.before)
    if kind:
        shown = re.sub(r"\s*[+|]\s*", ", ", rest[1].strip()) if rest else "A, B"
        return f"separate its branches with commas; a star stands for several: `{kind[1]}({shown})`"
    opened = opened_at(stop)
    inside = stop.before[opened[-1] - stop.start :] if opened else ""
    first = re.match(r"\(\s*[+|](.*)", inside, re.DOTALL)
    if first is None:
        return ""
    shown = f"{first[1].strip()} {stop.found} {rest[1].strip() if rest else '…'}"
    return f"a leading operator is for a single star; these are several branches: `({shown})`"
