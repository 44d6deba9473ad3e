"""What numbers are called at a place of the emitted code, and what they are worth wherever the place occurs.

A class stands for all calls of a block, a loop's body for all its iterations: a `Scope` has one frame for each. A
number is written as the term that the program gives it. The term is checked in every frame; it is never guessed from
the values, since two numbers may be equal by accident.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from fractions import Fraction
from typing import cast

from cnndsl.emit.torch.followed import Followed, is_number
from cnndsl.emit.torch.operators import UnknownName
from cnndsl.emit.torch.restart import Differ, Fixed, Missing
from cnndsl.emit.torch.terms import CodeValue, Const, Env, Op, Term, Var, evaluate, names
from cnndsl.emit.torch.translate import Whole, real, test, whole
from cnndsl.expressions import Call, Expr
from cnndsl.expressions import names as names_in
from cnndsl.records import record
from cnndsl.values import ListValue, Symbol, Value


@record(slots=True)
class Extra:
    """An argument that a class has beside those of its block: its name, what it was wished for, its values by place. If
    an expression gives it around the class, `written` is that."""

    name: str
    wish: str
    values: tuple[tuple[int, object], ...]
    written: Expr | None = None


@record
class Scope:
    """`look` says what the language's names are in Python, and `widths[i]` in a loop over the list `widths[]`; `frames`
    what Python's names are worth; `places` are the places of the class that the frames belong to. `offered` are the
    parameters of the net that are arguments, `followed` the numbers that follow these, `repeats` the names of the
    repeats around a class that all iterations share."""

    look: Mapping[str, Term]
    frames: tuple[Env, ...]
    places: tuple[int, ...]
    offered: frozenset[str] = frozenset()
    extras: tuple[Extra, ...] = ()
    is_loop: bool = False
    repeats: frozenset[str] = frozenset()
    followed: Followed = field(default_factory=Followed)
    turning: frozenset[str] = frozenset()
    """Python's names that change from iteration to iteration: the frames have every value that they take."""

    def whole(self, exprs: Iterable[Expr | None]) -> Whole | None:
        """Translate the expressions of an integer option; None where they differ, or Python lacks a name."""
        found = [None if expr is None else whole(expr, self.look.get) for expr in exprs]
        first = found[0]
        if first is None or any(each != first for each in found):
            return None
        dividend, divisor = (each and self._settled(each) for each in (first.dividend, first.divisor))
        return Whole(self._settled(first.term), dividend, divisor)

    def real(self, exprs: Iterable[Expr | None]) -> Term | None:
        """Translate the expressions of an option of real numbers."""
        found = [None if expr is None else real(expr, self.look.get) for expr in exprs]
        first = found[0]
        return None if first is None or any(each != first for each in found) else self._settled(first)

    def _settled(self, term: Term) -> Term:
        """A term without the choices that come out the same in each iteration."""
        if not isinstance(term, Op) or not self.turning:
            return term
        if term.operator == "if" and self.turning.issuperset(names(term.operands[0])):
            held = {bool(evaluate(term.operands[0], frame)) for frame in self.frames}
            if len(held) == 1:
                return self._settled(term.operands[1 if held.pop() else 2])
        return Op(term.operator, tuple(map(self._settled, term.operands)))

    def test(self, exprs: Iterable[Expr | None]) -> Term | None:
        """Translate conditions."""
        found = [None if expr is None else test(expr, self.look.get) for expr in exprs]
        return found[0] if all(each == found[0] for each in found) else None

    def holds(self, term: Term | None, wanted: Sequence[object]) -> bool:
        """Whether a term has the wanted value in every frame."""
        if term is None:
            return False
        try:
            return all(self._is(evaluate(term, env), value) for env, value in zip(self.frames, wanted, strict=True))
        except UnknownName:
            return False

    def _is(self, value: object, wanted: object) -> bool:
        """Whether a value is the wanted one, at every setting of what it follows."""
        return same(value, wanted) or (isinstance(wanted, bool) and self.followed.is_always(value, wanted))

    def mentioned(self, exprs: Iterable[Expr | None]) -> frozenset[str]:
        """Return the offered parameters of the net that expressions mention, also those that cannot be translated."""
        found: set[str] = set()
        for expr in exprs:
            mark = "::" if isinstance(expr, Call) and expr.function == "default" else ""
            for each in names_in(expr) if expr is not None else ():
                term = self.look.get(f"{mark}{each.name}")
                found.update(names(term) if term is not None else ())
        return self.offered & found

    def agree(
        self, wanted: Sequence[object], terms: Iterable[Term | None], wish: str, exprs: Iterable[Expr | None] = ()
    ) -> Term:
        """Return the first term that the program gives and that holds; else the number, where it is one everywhere.
        `exprs` are the expressions behind it.

        Raises Missing where it is not, Fixed where the number follows a parameter of the net in a way that is not
        written.
        """
        found = [term for term in terms if term is not None]
        for term in found:
            if self.holds(term, wanted):
                return term
        followed = self.offered.intersection(name for term in found for name in names(term)) | self.mentioned(exprs)
        if followed:
            raise Fixed(followed)
        if all(same(value, wanted[0]) for value in wanted) and not is_number(wanted[0]):
            return Const(plain(wanted[0]))
        if any(map(is_number, wanted)) and len({*self.places}) == 1 and not self.is_loop:
            raise Fixed(frozenset(name for value in wanted if is_number(value) for name in names(cast("Term", value))))
        for extra in self.extras:
            if extra.wish == wish and self.holds(Var(extra.name), wanted):
                return Var(extra.name)
        if self.is_loop or not wish:
            raise Differ
        raise Missing(wish, dict(zip(self.places, wanted, strict=True)))

    def where(self, chosen: Sequence[int]) -> Scope:
        """Return the scope with only some of its frames."""
        return replace(
            self, frames=tuple(self.frames[at] for at in chosen), places=tuple(self.places[at] for at in chosen)
        )

    def with_names(self, look: Mapping[str, Term]) -> Scope:
        """Return the scope with further names of the language; lists that they hide, or counted, are known no more."""
        known = {
            name: term
            for name, term in self.look.items()
            if not name.endswith("]") or look.keys().isdisjoint(name[:-1].split("["))
        }
        return replace(self, look={**known, **look})


def same(a: object, b: object) -> bool:
    """Equality that tells 1 from True."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def plain(value: object) -> object:
    """Return a value as Python code shows it: a fraction as a float."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def python_value(value: Value) -> object:
    """Return what an argument of the language is in Python; a layer type is the class of its module."""
    if isinstance(value, Symbol):
        return CodeValue(module_of(getattr(value, "name", "")) or "")
    return plain(value)


def module_of(kind: str) -> str | None:
    """Return the module of PyTorch that a layer type without options becomes; None where there is none."""
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


def list_term(value: Value) -> Term | None:
    """Return a list of numbers, truths or layer types; None for one with lists in it.

    >>> list_term(ListValue((16, 32)))
    Const(value=(16, 32))
    """
    if not isinstance(value, ListValue) or any(isinstance(each, ListValue) for each in value.items):
        return None
    items = tuple(map(python_value, value.items))
    return None if CodeValue("") in items else Const(items)


def known_terms(values: Iterable[tuple[str, Value]]) -> dict[str, Term]:
    """Return the names of a repeat that is written out as constants."""
    return {name: Const(python_value(value)) for name, value in values}
