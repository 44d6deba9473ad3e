"""What is known of numbers at a place of the emitted code: their names, and their values wherever the place occurs.

A class stands for all calls of a block, a loop's body for all its turns. A `Scope` holds one frame for each of them. A
number is written as a term only if the term has the right value in every frame: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from cnndsl.emit.terms import Code, Const, Env, Term, Unknown, Var, evaluate
from cnndsl.emit.translate import translate
from cnndsl.expr import Expr, Symbol, Value


class Mismatch(Exception):
    """Places that one piece of code cannot stand for."""


@dataclass(frozen=True)
class Scope:
    """`look` says what the language's names are in Python, `frames` what Python's names are worth."""

    look: Mapping[str, Term]
    frames: tuple[Env, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def term(self, expr: Expr | None) -> Term | None:
        """An expression of the program as a term; None where Python lacks one of its names."""
        return None if expr is None else translate(expr, self.look.get)

    def common(self, exprs: Iterable[Expr | None]) -> Term | None:
        """The one term that all expressions are, wherever they are written; None where they differ."""
        terms = [self.term(expr) for expr in exprs]
        return terms[0] if all(term == terms[0] for term in terms) else None

    def holds(self, term: Term | None, wanted: Sequence[object]) -> bool:
        """Whether a term has the wanted value in every frame."""
        if term is None:
            return False
        try:
            return all(same(evaluate(term, env), value) for env, value in zip(self.frames, wanted, strict=True))
        except Unknown:
            return False

    def express(self, wanted: Sequence[object], *candidates: Term | None) -> Term:
        """The first candidate that holds; else the value where it is the same everywhere, else a name that has it.

        Raises Mismatch where there is neither.
        """
        for term in candidates:
            if self.holds(term, wanted) and term is not None:
                return term
        if all(same(value, wanted[0]) for value in wanted):
            return Const(plain(wanted[0]))
        for name in self.frames[0]:
            if self.holds(Var(name), wanted):
                return Var(name)
        raise Mismatch

    def where(self, chosen: Sequence[int]) -> Scope:
        """The scope with only some of its frames."""
        return replace(self, frames=tuple(self.frames[at] for at in chosen))

    def with_names(self, look: Mapping[str, Term], frames: Sequence[Env]) -> Scope:
        """The scope with further names."""
        return Scope({**self.look, **look}, tuple(frames))


def same(a: object, b: object) -> bool:
    """Equality that tells 1 from True."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def plain(value: object) -> object:
    """A value as Python code can show it."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def python_value(value: Value) -> object:
    """What an argument of the language is in Python: a kind is the class of its module."""
    if isinstance(value, Symbol):
        return Code(module_of(getattr(value, "name", "")) or "")
    return plain(value)


def module_of(kind: str) -> str | None:
    """The module of PyTorch that a kind of layer without options becomes; None where there is none."""
    from cnndsl.layers import find
    from cnndsl.layers.base import LayerError, TorchCall
    from cnndsl.shape import Shape

    found = find(kind)
    if found is None:
        return None
    try:
        call = found().torch(Shape(64, (8, 8)))
    except (LayerError, TypeError, ValueError, NotImplementedError):
        return None
    return call.name if isinstance(call, TorchCall) and not call.helper else None
