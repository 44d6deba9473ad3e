"""lark's tables in the form that `drive` runs over: what a text that is right needs, and nothing else.

Runs where the tables are generated, never where they are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any

SHIFT = 0
"""How lark writes an action that goes on to another state; the others are reductions."""

_ASCII = [chr(code) for code in range(128)]


def condensed(saved: Mapping[str, Any], lark: Any, builder: type) -> str:
    """JSON of the tables: `rows` of actions and gotos by symbol, the row of each state, the rules, the terminals.

    An action is the state to go to, or `~rule` for a reduction. A rule is its symbol, its length, the method of the
    builder (empty for a list of things), the children that are lists to be joined. A terminal has its pattern (empty
    for a plain text), the texts with which it can begin, and the keywords that it may turn out to be; terminals stand
    in the order in which lark tries them. lark's own objects are untyped.
    """
    table = saved["data"]["parser"]["parser"]
    rules = [(number, rule) for number, rule in saved["memo"].items() if rule["__type__"] == "Rule"]
    place = {number: at for at, (number, _) in enumerate(rules)}
    written = [_rule(rule, builder) for _, rule in rules]
    states = [
        {
            table["tokens"][symbol]: to if kind == SHIFT else ~place[to["@"]]
            for symbol, (kind, to) in sorted(table["states"][state].items())
        }
        for state in range(len(table["states"]))
    ]
    shorter = [_without_detours(row, states, written) for row in states]
    rows: list[dict[str, int]] = []
    for row in shorter:
        if row not in rows:
            rows.append(row)
    found = {
        "start": table["start_states"]["file"],
        "end": table["end_states"]["file"],
        "states": [rows.index(row) for row in shorter],
        "rows": rows,
        "rules": written,
        "terminals": _terminals(lark),
    }
    return json.dumps(found, separators=(",", ":"))


def _rule(rule: Mapping[str, Any], builder: type) -> list[Any]:
    name: str = rule["alias"] or rule["origin"]["name"]
    joined = [at for at, symbol in enumerate(rule["expansion"]) if symbol["name"].startswith("__") and _is_list(symbol)]
    method = name if hasattr(builder, name) else ""
    passes = rule["options"]["expand1"] and not rule["alias"] and len(rule["expansion"]) == 1
    return [rule["origin"]["name"], len(rule["expansion"]), "=" if passes else method, joined]


def _is_list(symbol: Mapping[str, Any]) -> bool:
    return symbol["__type__"] == "NonTerminal"


def _without_detours(row: Mapping[str, int], states: list[dict[str, int]], rules: list[list[Any]]) -> dict[str, int]:
    """A row whose gotos pass over the states that can do nothing but hand their one child on."""
    straight = dict(row)
    for symbol, target in row.items():
        while target >= 0 and not symbol.isupper():
            actions = set(states[target].values())
            rule = ~next(iter(actions), 0)
            if len(actions) != 1 or rule < 0 or rules[rule][2] != "=":
                break
            target = row[rules[rule][0]]
        straight[symbol] = target
    return straight


def _terminals(lark: Any) -> list[list[Any]]:
    lexer = lark.parser.lexer.root_lexer
    plain = [each for each in lexer.terminals if each.pattern.type == "str"]
    written: list[list[Any]] = []
    for each in lexer.terminals:
        if each.name == "__IGNORE_0":
            continue
        pattern: str = each.pattern.to_regexp()
        if each in plain:
            written.append([each.name, "", [each.pattern.value], {}])
            continue
        words = {
            word.pattern.value: word.name
            for word in plain
            if word.priority == each.priority and re.fullmatch(pattern, word.pattern.value)
        }
        written.append([each.name, pattern, sorted(_beginnings(pattern)), words])
    return written


def _beginnings(pattern: str) -> set[str]:
    """The ASCII characters with which a match can begin."""
    # The parser of regular expressions is the standard library's own business, and has no types.
    parser: Any = import_module("re._parser")
    return _first(parser.parse(pattern))


def _first(items: Any) -> set[str]:
    found: set[str] = set()
    for kind, what in items:
        name = str(kind)
        if name == "LITERAL":
            return found | {chr(what)}
        if name == "IN":
            return found | {char for char in _ASCII if _is_in(char, what)}
        if name == "SUBPATTERN":
            inner = _first(what[-1])
            return found | ({char.swapcase() for char in inner} | inner if what[1] & re.IGNORECASE else inner)
        if name == "BRANCH":
            return found.union(*map(_first, what[1]))
        if name == "MAX_REPEAT":
            found |= _first(what[2])
            if what[0]:
                return found
        elif name not in ("ASSERT", "ASSERT_NOT", "AT"):
            raise AssertionError(f"a terminal begins with {name}, which nobody has thought of")
    return found


def _is_in(char: str, members: Any) -> bool:
    is_negated = str(members[0][0]) == "NEGATE"
    inside = any(
        ord(char) == what if str(kind) == "LITERAL" else what[0] <= ord(char) <= what[1]
        for kind, what in members[is_negated:]
    )
    return inside is not is_negated
