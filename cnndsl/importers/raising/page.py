"""The parts of a program other than its chains: useful defaults and block definitions; also counts its words."""

from __future__ import annotations

import re

from cnndsl.importers.raising.terms import (
    CallTerm,
    Formula,
    LayerTerm,
    RaisedTerm,
    RepeatTerm,
    Share,
    TableTerm,
    TermBlock,
    TermChain,
    TermValue,
)
from cnndsl.importers.raising.walks import inner
from cnndsl.importers.raising.writing import TermWriter, UsualOptions
from cnndsl.layers.base import Layer

_STEP = 10
"""The cost of a step, in addition to its words."""
_LINE = 5
"""The cost of a line, in words."""
LONGEST_LINE = 108
"""The line length, as the formatter fills lines."""
_NUMBER = 4
"""The cost, in words, of a numeric label before `[` or `(`."""
_NUMBERED_GROUP = re.compile(r"[\[( ](\d+|\{[^}]*\}): [\[(]")
_FEWEST_ROWS = 3
"""The number of rows that make a table's pattern visible."""


def words(text: str) -> int:
    """Return the number of words and symbols in a program."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def lines(text: str) -> int:
    """Return the cost of a program's lines in addition to its words; a line that is too long counts as three."""
    return _LINE * sum(3 if len(each) > LONGEST_LINE else 1 for each in text.splitlines())


def numbered(text: str) -> int:
    """Return the cost of numeric labels before `[` or `(`, in addition to their words: neither a call of a block nor
    the parts next to it need any."""
    return _NUMBER * len(_NUMBERED_GROUP.findall(text))


def weight(chain: TermChain, writer: TermWriter) -> int:
    """Return the cost of writing a chain in some way: its words, and a little for each step.

    A table counts as one step, unless it is no easier to read than what it replaces: a table of two rows, or of calls,
    which name their numbers as well as its head does.
    """
    text = writer.chain(chain)
    return words(text) + numbered(text) + _STEP * sum(_steps(step.term) for step in chain)


def _steps(term: RaisedTerm) -> int:
    if not isinstance(term, TableTerm):
        return 1
    if len(term.rows) < _FEWEST_ROWS:
        return len(term.rows) * len(term.body)
    inside: RaisedTerm = term
    while isinstance(inside, TableTerm | RepeatTerm) and len(inside.body) == 1 and inside.body[0].number is None:
        inside = inside.body[0].term
    return len(term.rows) if isinstance(inside, CallTerm) else 1


def defaults(several: list[TermChain]) -> dict[tuple[type[Layer], str], TermValue]:
    """Return the options shared by most layers of a type, if a `default` statement is shorter."""
    counted: dict[tuple[type[Layer], str], dict[TermValue, int]] = {}
    for chain in several:
        for step in inner(chain):
            if isinstance(step.term, LayerTerm):
                _count(step.term, counted)
    found: dict[tuple[type[Layer], str], TermValue] = {}
    for (kind, name), values in counted.items():
        usual = kind.__dataclass_fields__[name].default
        value, often = max(values.items(), key=lambda each: each[1])
        if value != usual and not isinstance(value, Formula | Share) and 4 * often > 6 + 4 * values.get(usual, 0) + 4:
            found[kind, name] = value
    return found


def _count(leaf: LayerTerm, counted: dict[tuple[type[Layer], str], dict[TermValue, int]]) -> None:
    kind = leaf.kind
    for name, value in leaf.options:
        rule = kind.options().get(name)
        is_written = rule and not rule.required and name not in (kind.SIZE, kind.WIDTH, kind.STRIDE)
        if is_written and not isinstance(value, tuple):
            values = counted.setdefault((kind, name), {})
            values[value] = values.get(value, 0) + 1


def default_lines(usual: UsualOptions, writer: TermWriter) -> list[str]:
    """Return the `default` statements, one for each layer type."""
    found: dict[str, list[str]] = {}
    for (kind, name), value in usual.items():
        found.setdefault(kind.NAMES[0], []).append(f"{name}={writer.value(value)}")
    return [f"default {kind}({', '.join(options)})" for kind, options in found.items()]


def block_line(block: TermBlock, writer: TermWriter) -> str:
    """Return the definition of a block."""
    parameters = [
        each.name if each.default is None else f"{each.name}={writer.value(each.default)}" for each in block.parameters
    ]
    head = f"{block.name}({', '.join(parameters)})" if parameters else block.name
    return f"block {head} = {writer.chain(block.body)}"
