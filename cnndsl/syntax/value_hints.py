"""Hints for values: powers, elements of lists, shapes, outputs in place of a number."""

from __future__ import annotations

import re
from collections.abc import Callable

from cnndsl.syntax.parse_failure import Stop

_MIXED = re.compile(r"([0-9]+(?:x[0-9]+)*)x([A-Za-z_]\w*)")


def _power(stop: Stop) -> str:
    """Return the hint for `[A]*2**n`."""
    is_power = stop.found == "*" and stop.before.endswith("*")
    return "a computed count goes in braces: `[…]*{2**n}`" if is_power else ""


def _index(stop: Stop) -> str:
    """Return the hint for `widths[k], …` in the rows of a `for`, with its brackets read as the body; `widths [1]`;
    `CONV3-w[1]`."""
    text = f"{stop.end_of_before}{stop.after}"
    at = len(stop.end_of_before)
    for found in re.finditer(r"([A-Za-z_][A-Za-z0-9_]*)([ \t]*)\[([A-Za-z0-9_ +*/%.-]*)\]", text):
        if not found.start(2) <= at <= found.end():
            continue
        name, gap, index = found.groups()
        if name == "again":
            continue
        if re.search(r"\bfor\b[^\[\]]*\bin\b[^\[\]]*$", text[: found.start(2)]):
            return f"in the rows of a `for`, put an index in parentheses: `({name}[{index}])`"
        if gap and stop.takes("RBRACE", "IF"):
            return f"write an index without a space before it: `{name}[{index}]`"
        if not gap and stop.takes("ARROW") and re.search(r"[-/*]$", text[: found.start()]):
            return f"anything more than a name goes in braces: `{{{name}[{index}]}}`"
        if not gap and stop.takes("ARROW"):
            return f"give the element a name to use it as a layer: `let act = {name}[{index}]`"
    return ""


def is_mixed(stop: Stop) -> bool:
    """Return whether what was found is a shape of numbers and a name, `0xk`."""
    return _MIXED.match(stop.after) is not None


def _extent(stop: Stop) -> str:
    """Return the hint for `pad=kx{n}`, `pad=0xk`, `{n}xk`."""
    named = re.search(r"\b([A-Za-z_]\w*)x$", stop.end_of_before) if stop.found == "{" and stop.is_adjacent else None
    if named:
        return f"a name in a shape goes in braces: `{{{named[1]}}}x{{…}}`"
    mixed = _MIXED.match(stop.after)
    if mixed and stop.takes("NUMBER"):
        return f"a name in a shape goes in braces: `{mixed[1]}x{{{mixed[2]}}}`"
    last = re.match(r"x([A-Za-z_]\w*)", stop.after)
    if last and stop.is_adjacent and stop.before.endswith("}"):
        return f"a name in a shape goes in braces: `x{{{last[1]}}}`"
    return ""


def _tested_output(stop: Stop) -> str:
    """Return the hint for `A if @far != no`, `2*@x`."""
    if not stop.found.startswith("@") or stop.is_adjacent or not stop.takes("MINUS") or stop.takes("REFERENCE"):
        return ""
    if re.search(r"\bif\s+(not\s+)?$", stop.end_of_before):
        return f"a parameter is asked by its name, without `@`: `if {stop.found[1:]} != no`"
    return "nothing is computed with an output: it is an argument, or begins a branch"


VALUE_HINTS: tuple[Callable[[Stop], str], ...] = (_index, _extent, _tested_output, _power)
