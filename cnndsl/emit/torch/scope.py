"""The names of numbers at a location of the emitted code, and their values wherever it occurs.

A class serves all calls of a block, and a loop's body all its iterations: a `Scope` has one frame for each. A number is
written as the term that the program gives it. The term is checked in every frame; it is never guessed from the values,
since two numbers may be equal by accident.
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
    """An argument that a class has beyond those of its block: its name, its preferred name, its values by call site. If
    an expression gives it in the scope around the class, `written` is that expression."""

    name: str
    wish: str
    values: tuple[tuple[int, object], ...]
    written: Expr | None = None


@record
class Scope:
    """`look` maps the language's names to Python terms, and `widths[i]` in a loop over the list `widths[]`; `frames`
    map Python's names to values; `places` are the call sites of the frames. `offered` are the network parameters that
    are arguments, `followed` the numbers that follow these, `repeats` the names of the repeats around a class that all
    iterations share."""

    look: Mapping[str, Term]
    frames: tuple[Env, ...]
    places: tuple[int, ...]
    offered: frozenset[str] = frozenset()
    extras: tuple[Extra, ...] = ()
    is_loop: bool = False
    repeats: frozenset[str] = frozenset()
    followed: Followed = field(default_factory=Followed)
    turning: frozenset[str] = frozenset()
    """Python names that change from iteration to iteration: the frames contain each of their values."""

    def whole(self, exprs: Iterable[Expr | None]) -> Whole | None:
        """Translate the expressions of an integer option; None if they differ, or if Python lacks a name."""
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
        """Return a term without the choices that have the same outcome in each iteration."""
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
        """Return whether a term has the wanted value in every frame."""
        if term is None:
            return False
        try:
            return all(self._is(evaluate(term, env), value) for env, value in zip(self.frames, wanted, strict=True))
        except UnknownName:
            return False

    def _is(self, value: object, wanted: object) -> bool:
        """Return whether a value is the wanted one, at every setting of the parameters that it follows."""
        return same(value, wanted) or (isinstance(wanted, bool) and self.followed.is_always(value, wanted))

    def mentioned(self, exprs: Iterable[Expr | None]) -> frozenset[str]:
        """Return the offered network parameters that expressions mention, including those that cannot be translated."""
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
        """Return the first term that the program gives and that holds; else the number, if it is the same everywhere.
        `exprs` are the expressions of the terms.

        Raises Missing if it is not, Fixed if the number follows a network parameter in a way that no term expresses.
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
        """Return the scope with further names of the language. Lists whose name or index they hide are dropped."""
        known = {
            name: term
            for name, term in self.look.items()
            if not name.endswith("]") or look.keys().isdisjoint(name[:-1].split("["))
        }
        return replace(self, look={**known, **look})


def same(a: object, b: object) -> bool:
    """Return whether two values are equal, where 1 and True differ."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def plain(value: object) -> object:
    """Return a value as in Python code: a fraction as a float."""
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else float(value)
    return value


def python_value(value: Value) -> object:
    """Return the Python value of an argument of the language; for a layer type, the class of its module."""
    if isinstance(value, Symbol):
        return CodeValue(module_of(getattr(value, "name", "")) or "")
    return plain(value)


def module_of(kind: str) -> str | None:
    """Return the PyTorch module that a layer type without options becomes; None if there is none."""
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
    """Return the term of a list of numbers, booleans or layer types; None for a nested list.

    >>> list_term(ListValue((16, 32)))
    Const(value=(16, 32))
    """
    if not isinstance(value, ListValue) or any(isinstance(each, ListValue) for each in value.items):
        return None
    items = tuple(map(python_value, value.items))
    return None if CodeValue("") in items else Const(items)


def known_terms(values: Iterable[tuple[str, Value]]) -> dict[str, Term]:
    """Return the names of a repeat that is written out, as constants."""
    return {name: Const(python_value(value)) for name, value in values}
