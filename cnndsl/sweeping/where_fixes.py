"""Tests as other languages write them, `params < 10M && top1 > 75`, and their form in `--where`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cnndsl.records import record

_COMPARISONS = {
    "lt": "<",
    "le": "<=",
    "lte": "<=",
    "gt": ">",
    "ge": ">=",
    "gte": ">=",
    "eq": "==",
    "equals": "==",
    "is": "==",
    "like": "==",
    "contains": "==",
    "ne": "!=",
}


@record(slots=True)
class _Rule:
    """A notation that `--where` does not have: a pattern, its replacement, and the rule that it breaks."""

    pattern: re.Pattern[str]
    written: str | Callable[[re.Match[str]], str]
    message: str


@record(slots=True)
class WhereFix:
    """The meaning of a test: the rule that it breaks first, where, and the whole test as it is meant."""

    message: str
    start: int
    end: int
    text: str


def _rule(pattern: str, written: str | Callable[[re.Match[str]], str], message: str) -> _Rule:
    return _Rule(re.compile(pattern), written, message)


_RULES = (
    _rule(r"""(["'])([A-Za-z][\w-]*)\1""", r"\2", "names have no quotes, unlike {}"),
    _rule(r"\s*&&?\s*", " and ", "tests are joined by `and`, not {}"),
    _rule(r"\s*\|\|?\s*", " or ", "tests are joined by `or`, not {}"),
    _rule(r"\b(?:AND|OR|NOT|And|Or|Not)\b", lambda found: found[0].lower(), "words are in lower case, unlike {}"),
    _rule(r"!(?!=)\s*", "not ", "a test is reversed by `not`, not {}"),
    _rule(r"=<|≤", "<=", "at most is `<=`, not {}"),
    _rule(r"=>|≥", ">=", "at least is `>=`, not {}"),
    _rule(r"<>|≠|!==|~=", "!=", "inequality is `!=`, not {}"),
    _rule(r"===|(?<![<>=!~])=(?!=)", "==", "equality is `==`, not {}"),
    _rule(r"\b(\w+) between ([\w.]+) and ([\w.]+)", r"\1 >= \2 and \1 <= \3", "a range is two tests joined by `and`"),
    _rule(
        rf"(?<=\w) +({'|'.join(_COMPARISONS)}) +(?=\w)",
        lambda found: f" {_COMPARISONS[found[1]]} ",
        "comparisons are `<`, `<=`, `>`, `>=`, `==` and `!=`, not {}",
    ),
    _rule(r"\b\d{1,3}(?:,\d{3})+\b", lambda found: found[0].replace(",", "_"), "digits are grouped by `_`, unlike {}"),
    _rule(r"\b(\d[\d_.]*) +([KMGTkmgt]i?[Bb]?)\b", r"\1\2", "a unit follows its number without a space, unlike {}"),
    _rule(
        r"\b(\d[\d_.]*)(?=[KMGTkmgt]i?[Bb]?\b)([kmgt]i?[Bb]?|[KMGT]i?b)\b",
        lambda found: f"{found[1]}{found[2][0].upper()}{found[2][1:].replace('b', 'B')}",
        "units are K, M, G and T, with a B for bytes, unlike {}",
    ),
    _rule(r"\b(\d[\d_.]*) ?(?:million|mil|mio)\b", r"\1M", "a million is M, unlike {}"),
    _rule(r"\b(\d[\d_.]*) ?(?:billion|bn)\b", r"\1G", "a thousand million is G, unlike {}"),
    _rule(r"\b(\d[\d_.]*)\s*%", r"\1", "a percentage is a plain number, not {}"),
    _rule(r"[\s,;]+(and|or|,|;)\s*$", "", "a test is missing after {}"),
    _rule(r"\s*[,;]\s*", " and ", "tests are joined by `and`, not {}"),
    _rule(r"\b([A-Za-z_]\w*) +(?=\d)(?<!and )(?<!or )(?<!not )", r"\1 < ", "a comparison is missing after {}"),
)


def where_fix(text: str, accepts: Callable[[str], bool]) -> WhereFix | None:
    """Return the meaning of a test in another notation; None if the result of the rules is not a test either.

    >>> where_fix("params < 10 M && top1 > 75%", lambda test: "%" not in test).text
    'params < 10M and top1 > 75'
    """
    fixed, found = text, list[tuple[re.Match[str], _Rule]]()
    for rule in _RULES:
        first = rule.pattern.search(text)
        changed = rule.pattern.sub(rule.written, fixed)
        if changed != fixed and not (found and accepts(fixed)):
            fixed = changed
            if first is not None:
                found.append((first, rule))
    if not found or not accepts(fixed):
        return None
    match, rule = min(found, key=lambda each: each[0].start())
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    shown = match[0].strip()
    return WhereFix(rule.message.format(f"`{shown}`"), start, start + len(shown), " ".join(fixed.split()))


NAMES: Mapping[str, str] = {
    **dict.fromkeys(("accuracy", "acc", "acc1", "top_1", "imagenet", "precision"), "top1"),
    **dict.fromkeys(("acc5", "top_5"), "top5"),
    **dict.fromkeys(("madds", "mac", "multadds", "mult_adds", "multiply_adds", "gmacs", "mmacs", "madd"), "macs"),
    **dict.fromkeys(("gflops", "mflops", "flop"), "flops"),
    **dict.fromkeys(("parameters", "num_params", "n_params", "nparams", "parameter", "param"), "params"),
    **dict.fromkeys(("rf", "field", "receptivefield"), "receptive_field"),
    **dict.fromkeys(("layers", "num_layers", "n_layers"), "depth"),
    **dict.fromkeys(("ram", "vram", "peak"), "training"),
    **dict.fromkeys(("resolution", "image_size", "input_size", "shape", "in_shape"), "input"),
    **dict.fromkeys(("arch", "architecture", "type", "kind"), "family"),
    **dict.fromkeys(("published", "date"), "year"),
    **dict.fromkeys(("activation", "acts"), "activations"),
}
"""The names of metrics in other tools, in lower case, and their names here."""
