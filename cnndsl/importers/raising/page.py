"""What a page has beside its chains: defaults that pay, and definitions of blocks; how many words it has."""

from __future__ import annotations

import re

from cnndsl.importers.raising.terms import Formula, LayerTerm, TermBlock, TermChain, TermValue
from cnndsl.importers.raising.walks import inner
from cnndsl.importers.raising.writing import TermWriter
from cnndsl.layers.base import Layer


def words(text: str) -> int:
    """Return how many words and signs a text has."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def defaults(several: list[TermChain]) -> dict[tuple[type[Layer], str], TermValue]:
    """Return the options that most layers of a kind have, where saying so once is shorter."""
    counted: dict[tuple[type[Layer], str], dict[TermValue, int]] = {}
    for chain in several:
        for step in inner(chain):
            if isinstance(step.term, LayerTerm):
                _count(step.term, counted)
    found: dict[tuple[type[Layer], str], TermValue] = {}
    for (kind, name), values in counted.items():
        usual = kind.__dataclass_fields__[name].default
        value, often = max(values.items(), key=lambda each: each[1])
        if value != usual and not isinstance(value, Formula) and 4 * often > 6 + 4 * values.get(usual, 0) + 4:
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


def default_line(kind: type[Layer], name: str, value: TermValue, writer: TermWriter) -> str:
    """Return a `default` statement."""
    return f"default {kind.NAMES[0]}({name}={writer.value(value)})"


def block_line(block: TermBlock, writer: TermWriter) -> str:
    """Return the definition of a block."""
    parameters = [
        each.name if each.default is None else f"{each.name}={writer.value(each.default)}" for each in block.parameters
    ]
    head = f"{block.name}({', '.join(parameters)})" if parameters else block.name
    return f"block {head} = {writer.chain(block.body)}"
