"""Protobuf's text format: fields in order, whose values are words or messages; their meaning is up to the caller.

A `Message` records which of its fields are read, so that `check` finds unknown ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

from cnndsl.errors import CnnError, Source
from cnndsl.importers.flat import located
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.resources import folder


@record(slots=True)
class ProtoField:
    """`name: value` or `name { … }`, and its position in the file."""

    name: str
    value: str | Message
    place: int


class Message:
    """Fields between two braces, or those of the whole file.

    >>> found = parsed(Source("net.prototxt", 'pool { kernel_size: 3 pad: [1, 2] } name: "a"'))
    >>> pool = found.message("pool")
    >>> pool.number("kernel_size"), pool.numbers("pad"), pool.number("stride", 1), found.word("name")
    (3, [1, 2], 1, 'a')
    """

    def __init__(self, name: str, fields: Sequence[ProtoField], place: int, source: Source) -> None:
        self.name, self.fields, self.place, self.source = name, fields, place, source
        self._asked: set[str] = set()
        self._entered: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return any(each.name == key for each in self.fields)

    def known(self, *keys: str) -> None:
        """Record fields as known, whatever their values."""
        self._asked.update(keys)

    def words(self, key: str) -> list[str]:
        """Return the values of a repeatable field. Raises CnnError for a message."""
        self._asked.add(key)
        found: list[str] = []
        for each in self.fields:
            if each.name == key:
                if isinstance(each.value, Message):
                    raise self.error(f"`{key}` must be a value, not a message", key)
                found.append(each.value)
        return found

    def word(self, key: str, default: str = "") -> str:
        """Return the value of a field. Raises CnnError if it is given twice."""
        found = self.words(key)
        if len(found) > 1:
            raise self.error(f"`{key}` is given {len(found)} times", key)
        return found[0] if found else default

    def truth(self, key: str, default: bool = False) -> bool:
        """Return a field as a boolean. Raises CnnError for any other value."""
        text = self.word(key, "true" if default else "false")
        if text not in ("true", "false", "True", "False", "t", "f", "1", "0"):
            raise self.error(f"`{key}` must be true or false, not {text!r}", key)
        return text in ("true", "True", "t", "1")

    def numbers(self, key: str) -> list[int]:
        """Return the integers of a field. Raises CnnError for any other value."""
        found = self.words(key)
        for text in found:
            if not re.fullmatch(r"[+-]?\d{1,12}", text):
                raise self.error(f"`{key}` must be a whole number, not {text!r}", key)
        return [int(text) for text in found]

    def number(self, key: str, default: int = 0) -> int:
        """Return a field as an integer. Raises CnnError for any other value, or if it is given twice."""
        self.word(key)
        return (self.numbers(key) or [default])[0]

    def decimals(self, key: str) -> list[float]:
        """Return the numbers of a field. Raises CnnError for any other value."""
        found = self.words(key)
        for text in found:
            if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?[fF]?", text):
                raise self.error(f"`{key}` must be a number, not {text!r}", key)
        return [float(text.rstrip("fF")) for text in found]

    def decimal(self, key: str, default: float) -> float:
        """Return a field as a number. Raises CnnError for any other value, or if it is given twice."""
        self.word(key)
        return (self.decimals(key) or [default])[0]

    def messages(self, key: str) -> list[Message]:
        """Return the messages of a repeatable field. Raises CnnError for a value."""
        self._entered.add(key)
        found: list[Message] = []
        for each in self.fields:
            if each.name == key:
                if not isinstance(each.value, Message):
                    raise self.error(f"`{key}` must be a message, `{key} {{ … }}`", key)
                found.append(each.value)
        return found

    def message(self, key: str) -> Message:
        """Return the message of a field, an empty one if it is missing. Raises CnnError if it is given twice."""
        found = self.messages(key)
        if len(found) > 1:
            raise self.error(f"`{key}` is given {len(found)} times", key)
        return found[0] if found else Message(key, (), self.place, self.source)

    def check(self, *apart: str) -> None:
        """Raise CnnError for a field that was not read, here or in messages that were read, except those in `apart`."""
        for each in self.fields:
            if each.name in self._asked or each.name in apart:
                continue
            if isinstance(each.value, Message) and each.name in self._entered:
                each.value.check()
            else:
                message = f"the key `{each.name}` of `{self.name}` is unknown and could change the network"
                raise self.error(message, each.name, "remove it if it does not")

    def error(self, message: str, key: str = "", help: str = "") -> CnnError:
        """Return the error for a field, or for the message itself."""
        place = next((each.place for each in self.fields if each.name == key), self.place)
        return located(self.source, message, place, help)


def parsed(source: Source) -> Message:
    """Return the fields of a file. Raises CnnError if it is not in protobuf's text format."""
    from lark.exceptions import UnexpectedInput

    if len(source.text) > current().characters:
        raise located(source, f"the file has more than {current().characters:,} characters", 0, code="E0103")
    try:
        fields: list[ProtoField] = _made(_parser().parse(source.text), source)
    except UnexpectedInput as stop:
        place: int | None = cast("Any", stop).pos_in_stream
        last = max(len(source.text.rstrip()) - 1, 0)
        message = "this is not protobuf's text format: a field is `name: value` or `name { … }`"
        raise located(source, message, last if place is None or place < 0 else min(place, last)) from None
    return Message("the file", fields, 0, source)


@cache
def _parser() -> Any:
    from lark import Lark

    grammar = folder("grammars").joinpath("prototxt.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start="file", maybe_placeholders=False)


def _made(tree: Any, source: Source) -> list[ProtoField]:
    """Return the fields below a node of lark's untyped tree. Iterative, because messages may nest to any depth."""
    whole: list[ProtoField] = []
    todo: list[tuple[Any, list[ProtoField]]] = [(tree, whole)]
    while todo:
        node, fields = todo.pop()
        for child in node.children[node.data != "file" :]:
            name = child.children[0]
            place = int(name.start_pos)
            if child.data == "message":
                inner: list[ProtoField] = []
                fields.append(ProtoField(str(name), Message(str(name), inner, place, source), place))
                todo.append((child, inner))
                continue
            fields += [ProtoField(str(name), _value(each), place) for each in child.children[1:]]
    return whole


def _value(node: Any) -> str:
    texts: list[str] = [str(each) for each in node.children]
    return "".join(each[1:-1] for each in texts) if node.data == "text" else texts[0]
