"""The expressions of a `forward` that are not written yet."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.torch.ir import StepOperation
from cnndsl.emit.torch.layout import Display, Doc, Infix, Item, flat
from cnndsl.records import record

LONGEST = 70
"""Maximum length of an expression that still nests in another, in characters."""
CALLED: frozenset[StepOperation] = frozenset(("concat", "maximum", "flatten"))
"""Operations written as a call, whose arguments can span several lines. Operands of an operator read worse so."""


@record(slots=True)
class Waiting:
    """A value that has no name yet: its expression, the nesting depth of that, the named values that it reads, whether
    it shares the memory of `over`, and the number of its step in a row of stages."""

    value: int
    doc: Doc
    depth: int
    reads: tuple[int, ...]
    is_view: bool = False
    over: int | None = None
    stage: int = 0


def length(waiting: Sequence[Waiting], inputs: Sequence[int]) -> int:
    """Return the total length of the operands of an operator, which are hard to read on several lines."""
    return sum(len(flat(each.doc)) + 3 for each in waiting if each.value in inputs)


def depth_of(waiting: Sequence[Waiting], inputs: Sequence[int]) -> tuple[int, int]:
    """Return the nesting depth of the operands, and how many of them wait."""
    inside = [each.depth for each in waiting if each.value in inputs]
    return max(inside, default=0), len(inside)


def named(waiting: Sequence[Waiting], inputs: Sequence[int]) -> tuple[int, ...]:
    """Return the named values that an expression of these inputs reads."""
    reads = {each.value: each.reads for each in waiting}
    return tuple(found for value in inputs for found in reads.get(value, (value,)))


def together(docs: Sequence[Doc]) -> Doc:
    """Return the return expression: several values without parentheses if they fit on a line."""
    if len(docs) == 1:
        return docs[0]
    fits = sum(len(flat(doc)) + 2 for doc in docs) <= LONGEST
    return Infix(",", tuple(docs)) if fits else Display("()", tuple(map(Item, docs)))


def in_lines(names: Sequence[str]) -> list[str]:
    """Return names with commas, as many on a line as fit.

    >>> in_lines(["x", "y"]), in_lines([])
    (['x, y'], [])
    """
    found: list[str] = []
    for name in names:
        if found and len(f"{found[-1]}, {name}") <= LONGEST:
            found[-1] += f", {name}"
        else:
            found.append(name)
    return found
