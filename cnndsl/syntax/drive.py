"""Runs over lark's tables, for texts that are right: nearly all, and several times faster than lark does.

The tables are lark's (`generate`), and so is every word about a text that they do not take: then nothing comes of
this, and `parse` asks lark itself. A text that both take gives the same tree, which the tests hold up.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from cnndsl.errors import CnnError

if TYPE_CHECKING:
    from cnndsl.syntax import ast
    from cnndsl.syntax.build import TreeBuilder

_BLANKS = re.compile(r"[ \t\r\n\f]*")

_Match: TypeAlias = Callable[..., "re.Match[str] | None"]
_Choice: TypeAlias = tuple[str, "str | _Match", dict[str, str]]


class Token(str):
    """A word of the text with its place."""

    __slots__ = ("end_pos", "start_pos", "type")
    type: str
    start_pos: int
    end_pos: int


class _Tables:
    """The tables, with what is made of them when it is first needed."""

    def __init__(self) -> None:
        from cnndsl.syntax.tables import AUTOMATON

        self.start: int = AUTOMATON["start"]
        self.end: int = AUTOMATON["end"]
        states: list[int] = AUTOMATON["states"]
        rows: list[dict[str, int]] = AUTOMATON["rows"]
        choices: list[dict[str, tuple[_Choice, ...]]] = [{} for _ in rows]
        self.rows = [rows[at] for at in states]
        self.choices = [choices[at] for at in states]
        self.rules: list[list[Any]] = AUTOMATON["rules"]
        self.gotos: dict[tuple[int, str, str], int] = {}
        self._terminals: list[list[Any]] = AUTOMATON["terminals"]
        self._matches: dict[str, _Match] = {}

    def go(self, state: int, symbol: str, ahead: str) -> int:
        """Where a state goes with a symbol, and on from there as long as the symbol is only handed on."""
        target = self.rows[state][symbol]
        action = self.rows[target].get(ahead, 0)
        if action < 0 and self.rules[~action][2] == "=":
            target = self.go(state, self.rules[~action][0], ahead)
        self.gotos[state, symbol, ahead] = target
        return target

    def choose(self, state: int, char: str) -> tuple[_Choice, ...]:
        """The terminals that a state takes and that begin with a character, in lark's order."""
        accepted = self.rows[state]
        found: list[_Choice] = []
        for name, pattern, beginnings, words in self._terminals:
            begins = char in beginnings if pattern else beginnings[0][0] == char
            if begins and (name in accepted or name == "COMMENT"):
                found.append((name, self._match(name, pattern) if pattern else beginnings[0], words))
        self.choices[state][char] = tuple(found)
        return self.choices[state][char]

    def _match(self, name: str, pattern: str) -> _Match:
        if name not in self._matches:
            self._matches[name] = re.compile(pattern).match
        return self._matches[name]


_tables = cache(_Tables)


def drive(text: str, builder: TreeBuilder) -> tuple[tuple[ast.Statement, ...], list[Token]] | None:
    """The statements and comments of a text, or None where it is wrong in any way.

    The builder makes the tree, and knows its source.
    """
    try:
        return _Run(text, builder).statements()
    except (KeyError, CnnError):
        return None


class _Run:
    """One run over a text."""

    def __init__(self, text: str, builder: TreeBuilder) -> None:
        self._text = text
        self._tables = _tables()
        self._methods: list[Any] = [
            getattr(builder, method) if method not in ("", "=") else None for _, _, method, _ in self._tables.rules
        ]
        self._states = [self._tables.start]
        self._values: list[Any] = []
        self._comments: list[Token] = []

    def statements(self) -> tuple[tuple[ast.Statement, ...], list[Token]]:
        """Raises KeyError where the grammar does not go on, CnnError where the builder does not."""
        tables, states, values = self._tables, self._states, self._values
        rows, at = tables.rows, 0
        while (token := self._next(at)) is not None:
            kind = token.type
            while (action := rows[states[-1]][kind]) < 0:
                self._reduce(~action, kind)
            states.append(action)
            values.append(token)
            at = token.end_pos
        while states[-1] != tables.end:
            self._reduce(~rows[states[-1]]["$END"], "$END")
        return values[-1], self._comments

    def _next(self, at: int) -> Token | None:
        """The token behind a place; None at the end. Raises KeyError where the state takes nothing that is there."""
        text = self._text
        while True:
            blanks = _BLANKS.match(text, at)
            at = blanks.end() if blanks else at
            if at == len(text):
                return None
            token = self._token(at)
            if token.type != "COMMENT":
                return token
            self._comments.append(token)
            at = token.end_pos

    def _token(self, at: int) -> Token:
        text, tables, state = self._text, self._tables, self._states[-1]
        char = text[at]
        choices = tables.choices[state].get(char)
        for name, match, words in tables.choose(state, char) if choices is None else choices:
            if isinstance(match, str):
                if not text.startswith(match, at):
                    continue
                value = match
            else:
                found = match(text, at)
                if found is None:
                    continue
                value = found[0]
                if value in words and words[value] in tables.rows[state]:
                    name = words[value]
            token = Token(value)
            token.type, token.start_pos, token.end_pos = name, at, at + len(value)
            return token
        raise KeyError(char)

    def _reduce(self, number: int, ahead: str) -> None:
        tables, states, values = self._tables, self._states, self._values
        symbol, size, method, lists = tables.rules[number]
        if method == "=":
            states.pop()
        else:
            at = len(values) - size
            children = values[at:]
            del states[len(states) - size :], values[at:]
            for place in reversed(lists):
                children = _joined(children, place)
            values.append(self._methods[number](children) if method else children)
        target = tables.gotos.get((states[-1], symbol, ahead))
        states.append(tables.go(states[-1], symbol, ahead) if target is None else target)


def _joined(children: list[Any], place: int) -> list[Any]:
    """Children with the list at a place opened; one that stands first grows, however long it is."""
    if place:
        children[place : place + 1] = children[place]
        return children
    children[0].extend(children[1:])
    return children[0]
