"""Values written in other ways: lists, elements, powers, choices, names in a block, braces.

A program is written anew with the same meaning: what compiles must give the same layers. So a program that is drawn
meets lists and `let`s in all places of numbers, and the two can be compared.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from cnndsl.expr import evaluate
from cnndsl.expressions import Expr, Literal, ShapeExpr, names
from cnndsl.layers import find
from cnndsl.syntax import ast
from cnndsl.testing.crossings.rewriting import Rewrite, Rewriting
from cnndsl.values import show

OTHERS = ("1", "2", "3", "7")
"""What stands in lists and choices beside what is meant."""


def with_values(text: str, dice: random.Random, share: float = 0.3) -> str:
    """Write so large a share of the values of a program in another way.

    >>> print(with_values("INPUT 8x8x3 -> CONV3-4 -> for c in 4, 8 [CONV3-c]", random.Random(3), 1))
    let rows1 = (4, 8)
    INPUT 8x8x3 -> CONV3-{(4, 2)[1..1][1]} -> for c in rows1 [CONV3-{max((c, 0))}]
    """
    rewriting = Rewriting(text)
    drawn = _Rewritten(rewriting, dice, share)
    return rewriting.applied([*drawn.blocks(), *drawn.loops(), *drawn.numbers()])


class _Rewritten:
    """The edits of a program."""

    def __init__(self, rewriting: Rewriting, dice: random.Random, share: float) -> None:
        self.rewriting, self.dice, self.share = rewriting, dice, share
        flags = [each for each in rewriting.parameters if each.default is not None and each.domain is None]
        self.flags = [each.name for each in flags if isinstance(each.default, Literal) and each.default.value is True]

    def _happens(self) -> bool:
        return self.dice.random() < self.share

    def numbers(self) -> Iterator[Rewrite]:
        """Widths, strides, counts and arguments."""
        for place in self.rewriting.places():
            if not self._happens():
                continue
            text = self._number(place.text, place.expr, place.turns, place.is_width)
            if place.is_argument and self.dice.random() < 0.3:
                text = f"{{{place.text}}}"
            if isinstance(place.expr, Literal) and isinstance(place.expr.value, tuple):
                text = self._extents(place.expr.value) if place.is_argument else place.text
            yield place.edit(text)

    def _extents(self, extents: Sequence[int]) -> str:
        shown = [f"{{{each}}}" if self.dice.random() < 0.6 else str(each) for each in extents]
        return "x".join(shown)

    def _number(self, text: str, expr: Expr, turns: int, is_positive: bool) -> str:
        """The same number, written differently."""
        own = {each.name for each in names(expr)}
        if turns and own == {"i"}:
            shown = ", ".join(_shown(expr, turn) for turn in range(1, turns + 1))
            return f"({shown},)[i]"
        ways = [
            f"({text}, {self._other()})[1]",
            f"({self._other()}, {text}, {self._other()})[2]",
            f"(({self._other()},), ({self._other()}, {text}))[2][2]",
            f"({text}, {self._other()})[1..1][1]",
            f"({text})**1",
            f"sum(({text},))",
            f"max(({text}, 0))",
            f"({text}) if {self._true()} else {self._other()}",
            f"{self._other()} if not ({self._true()}) else {text}",
        ]
        if is_positive:
            ways.append(f"1/({text})**-1")
        if isinstance(expr, Literal) and isinstance(expr.value, int) and not isinstance(expr.value, bool):
            ways += _of_literal(expr.value)
        return self.dice.choice(ways)

    def _other(self) -> str:
        return self.dice.choice(OTHERS)

    def _true(self) -> str:
        """A test that holds in every setting."""
        if self.flags and self.dice.random() < 0.5:
            flag = self.dice.choice(self.flags)
            return f"{flag} or not {flag}"
        return self.dice.choice(("yes", "1 < 2", "2**3 == 8", "len((1, 2)) == 2"))

    def loops(self) -> Iterator[Rewrite]:
        """The rows of a `for`: a list, or one with a name."""
        for item in self.rewriting.loops():
            if not self._happens():
                continue
            rows = self.rewriting.text_of(item.span_of_rows)
            if item.is_range:
                first, last = (each.value if isinstance(each, Literal) else None for each in item.rows)
                if not isinstance(first, int) or not isinstance(last, int):
                    continue
                listed = ", ".join(str(each) for each in range(first, last + 1))
                yield Rewrite.at(item.span_of_rows, f"({listed},)" if listed else "()")
                continue
            if len(item.rows) == 1:
                continue
            written = f"({rows},)" if self.dice.random() < 0.3 else f"({rows})"
            if all(map(_is_known, item.rows)) and self.dice.random() < 0.7:
                yield Rewrite.at(item.span_of_rows, self.rewriting.name(written, self.dice.random() < 0.5))
            else:
                yield Rewrite.at(item.span_of_rows, written)

    def blocks(self) -> Iterator[Rewrite]:
        """A width in a block, as a value that the block names."""
        for block in self.rewriting.blocks():
            changing = {"i", *(name for node in ast.walk([block.body]) for name in ast.bound_names(node))}
            places = [
                each
                for each in self.rewriting.places([block.body])
                if each.is_width and not changing.intersection(name.name for name in names(each.expr))
            ]
            if not places or not self._happens():
                continue
            chosen = self.dice.sample(places, min(len(places), self.dice.choice((1, 1, 2))))
            lets: list[str] = []
            for each in sorted(chosen, key=lambda place: place.span.start):
                name = self.rewriting.free_name("v")
                lets.append(f"let {name} = {each.text}")
                yield each.edit(name)
            yield self.rewriting.opening(block, "  ".join(lets), self.dice.random() < 0.5)


def _of_literal(value: int) -> Iterator[str]:
    if value > 0 and value & (value - 1) == 0:
        yield f"2**{value.bit_length() - 1}"
    if 0 < value <= 6:
        yield f"len(({', '.join('1' * value)},))"
        yield f"len((3, 1, 2, 5, 4, 7, 6)[2..{value + 1}])"
    yield f"sum(({value - 1}, 1))"
    yield f"min(({value}, {value + 3}))"


def _shown(expr: Expr, turn: int) -> str:
    return show(evaluate(expr, {"i": turn}))


def _is_known(expr: Expr) -> bool:
    """Whether an expression means the same everywhere: numbers, shapes and layer types alone."""
    return not isinstance(expr, ShapeExpr) and all(find(each.name) is not None for each in names(expr))
