"""Numbers of channels and extents as a program writes them, so that shapes are followed whatever the settings are.

A width is a sum of terms such as `2*n`, where a term is anything that the language can compute. Two widths with the
same terms are equal in every setting; two that are merely equal in one are not, and no program relies on it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from types import CodeType
from typing import Any, TypeAlias

from cnndsl.functions import FUNCTIONS

WidthValues: TypeAlias = Mapping[str, Fraction | int]
"""The values of names."""

NUMERAL = re.compile(r"(?<![\w.])\d[\d.]*(?!\w)")
NAME = re.compile(r"[A-Za-z_]\w*")
_FUNCTIONS: dict[str, Any] = {"F": Fraction, "__builtins__": {}, **{name: each[0] for name, each in FUNCTIONS.items()}}


class Misfit(Exception):
    """Says that what is being drawn does not fit here; something else is drawn."""


@lru_cache(maxsize=4096)
def _code(text: str) -> CodeType:
    return compile(NUMERAL.sub(r'F("\g<0>")', text), text, "eval")


def evaluate(text: str, env: WidthValues) -> Fraction | None:
    """Computes an expression exactly; None where a name has no value yet.

    >>> evaluate("ceil(n/2) + 0.5", {"n": 5})
    Fraction(7, 2)
    """
    if "@" in text:
        return None
    try:
        return Fraction(eval(_code(text), _FUNCTIONS, dict(env)))
    except NameError:
        return None


def substituted(text: str, bindings: Mapping[str, Width]) -> str:
    """Writes other expressions in place of names."""
    return re.sub(r"@?[A-Za-z_][\w.]*", lambda found: _inserted(found[0], bindings), text)


def _inserted(name: str, bindings: Mapping[str, Width]) -> str:
    if name not in bindings:
        return name
    text = bindings[name].shown
    return text if re.fullmatch(r"@?[\w.]+", text) else f"({text})"


@dataclass(frozen=True, slots=True)
class Width:
    """A sum of terms with whole factors; the term without text is the constant."""

    terms: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, what: str | int, factor: int = 1) -> Width:
        """Makes a width of a number or of one term."""
        return cls((("", what * factor),)) if isinstance(what, int) else cls(((what, factor),))

    def __add__(self, other: Width) -> Width:
        sums = dict(self.terms)
        for term, factor in other.terms:
            sums[term] = sums.get(term, 0) + factor
        return Width(tuple(sorted((term, factor) for term, factor in sums.items() if factor)))

    def times(self, number: int) -> Width:
        """Multiplies by a whole number."""
        return Width(tuple((term, factor * number) for term, factor in self.terms))

    @property
    def is_writable(self) -> bool:
        """Tells whether a program can say it here: not what an output given to a block has, for one."""
        return not any("@" in term for term, _ in self.terms)

    @property
    def shown(self) -> str:
        """Shows it as an expression."""
        if len(self.terms) == 1 and self.terms[0][1] == 1 and self.terms[0][0].startswith("("):
            return self.terms[0][0][1:-1]
        parts = [
            str(factor) if not term else term if factor == 1 else f"{factor}*{term}" for term, factor in self._order
        ]
        return " + ".join(parts) or "0"

    @property
    def _order(self) -> list[tuple[str, int]]:
        return sorted(self.terms, key=lambda each: (not each[0], each[0]))

    @property
    def word(self) -> str:
        """Shows it as the width of a layer: a number, a name, or something in braces."""
        if not self.is_writable:
            raise Misfit
        return self.shown if re.fullmatch(r"\w+", self.shown) else f"{{{self.shown}}}"

    def value(self, env: WidthValues) -> Fraction | None:
        """Computes it; None where it is not known."""
        total = Fraction(0)
        for term, factor in self.terms:
            value = evaluate(term, env) if term else Fraction(1)
            if value is None:
                return None
            total += value * factor
        return total

    def bound(self, bindings: Mapping[str, Width]) -> Width:
        """Gives names their values: those of a block's parameters at a call, that of `i` in a turn."""
        total = Width(())
        for term, factor in self.terms:
            total += _bound(term, bindings).times(factor)
        return total


def _bound(term: str, bindings: Mapping[str, Width]) -> Width:
    if not term:
        return Width.of(1)
    if term in bindings:
        return bindings[term]
    text = substituted(term, bindings)
    number = evaluate(text, {})
    return Width.of(text if number is None or number.denominator > 1 else int(number))


@dataclass(frozen=True, slots=True)
class Space:
    """Extents: `size` where they are known, else what was done (`steps`) to what enters (`base`)."""

    base: str
    size: tuple[int, ...] | None
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def is_pixel(self) -> bool:
        """Tells whether it is one position, wherever it stands."""
        return not self.steps and self.size is not None and all(extent == 1 for extent in self.size)

    def stepped(self, how: str, by: str, env: WidthValues) -> Space:
        """Divides extents, rounded up (`ceil`) or down (`floor`), multiplies them (`times`) or takes off (`less`)."""
        number = evaluate(by, env)
        is_fixed = evaluate(by, {}) is not None
        if is_fixed and number == (0 if how == "less" else 1):
            return self
        size = None
        if self.size is not None and number is not None:
            size = tuple(_step(how, extent, int(number)) for extent in self.size)
            if min(size) < 1:
                raise Misfit
        if is_fixed and not self.base and not self.steps:
            return Space("", size)
        return replace(self, size=size, steps=(*self.steps, (how, by)))

    def bound(self, bases: Mapping[str, Space], bindings: Mapping[str, Width], env: WidthValues) -> Space:
        """Does the same steps to what enters a call."""
        space = bases.get(self.base, self)
        if space is self:
            return self
        for how, by in self.steps:
            space = space.stepped(how, substituted(by, bindings), env)
        return space


def _step(how: str, extent: int, by: int) -> int:
    if how == "ceil":
        return -(-extent // by)
    return {"floor": extent // by, "times": extent * by, "less": extent - by}[how]


@dataclass(frozen=True, slots=True)
class PieceShape:
    """A shape: its width, and its space, which a vector lacks."""

    width: Width
    space: Space | None

    def wide(self, width: Width) -> PieceShape:
        """Gives it another width."""
        return replace(self, width=width)

    def bound(self, bases: Mapping[str, Space], bindings: Mapping[str, Width], env: WidthValues) -> PieceShape:
        """Gives names and what enters their values."""
        space = self.space and self.space.bound(bases, bindings, env)
        return PieceShape(self.width.bound(bindings), space)


PIXEL = Space("", (1,))
