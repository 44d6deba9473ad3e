"""Terms against Python itself, and against the language's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cnndsl.emit.torch.functions import DIVISIBLE
from cnndsl.emit.torch.operators import UnknownName
from cnndsl.emit.torch.terms import (
    Const,
    Term,
    Var,
    add,
    ceildiv,
    evaluate,
    floordiv,
    mul,
    negated,
    op,
    substitute,
    text,
)
from cnndsl.emit.torch.translate import real, whole
from cnndsl.emit.torch.translate import test as condition
from cnndsl.errors import CnnError, Source, Span
from cnndsl.expr import evaluate as meaning
from cnndsl.expressions import Binary, Call, Expr, Literal, Name
from cnndsl.functions import divisible as exactly_divisible

ENV = {"a": 6, "b": 35, "c": 64}
PYTHON: dict[str, object] = {**ENV, "Fraction": Fraction}
exec(DIVISIBLE, PYTHON)
SPAN = Span(Source("", ""), 0, 0)

leaves = st.one_of(st.sampled_from(sorted(ENV)).map(Var), st.integers(1, 9).map(Const))


def nodes(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        pairs.map(lambda pair: mul(*pair)),
        pairs.map(lambda pair: floordiv(pair[0], add(pair[1], Const(1)))),
        pairs.map(lambda pair: ceildiv(pair[0], add(pair[1], Const(1)))),
        pairs.map(lambda pair: op("%", pair[0], add(pair[1], Const(1)))),
        st.tuples(st.sampled_from(["min", "max"]), pairs).map(lambda drawn: op(drawn[0], *drawn[1])),
        inner.map(lambda term: op("neg", term)),
    )


terms = st.recursive(leaves, nodes, max_leaves=8)
tests = st.tuples(st.sampled_from(["==", "!=", "<", ">="]), terms, terms).map(lambda drawn: op(*drawn))
logic = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(lambda drawn: op(*drawn)),
        inner.map(lambda term: op("not", term)),
    ),
    max_leaves=4,
)


def in_python(term: Term) -> object:
    """What Python makes of the text; a division by zero is no example."""
    try:
        return eval(text(term), dict(PYTHON))
    except ZeroDivisionError:
        reject()


def value(term: Term) -> object:
    """What the term is worth; all of its operands must have a value, even where Python would not look at them."""
    try:
        return evaluate(term, ENV)
    except UnknownName:
        reject()


@given(st.one_of(terms, logic))
def test_the_text_has_the_value(term: Term) -> None:
    assert in_python(term) == value(term)


@given(terms)
def test_filling_in_changes_no_value(term: Term) -> None:
    wanted = in_python(term)
    assert evaluate(substitute(term, {"a": Const(6), "b": add(Var("c"), Const(-29))}), ENV) == wanted


@given(logic)
def test_the_opposite_is_the_opposite(term: Term) -> None:
    assert in_python(negated(term)) is not in_python(term)


def test_a_name_without_a_value_is_unknown() -> None:
    with pytest.raises(UnknownName):
        evaluate(Var("d"), ENV)


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (op("divisible", Const(24), Const(1), Const(8)), "24"),
        (op("min", Const(10), Const(16)), "10"),
        (ceildiv(Var("c"), Const(2)), "(c + 1) // 2"),
        (add(mul(Const(-1), Var("p")), Const(1)), "1 - p"),
        (op("divisible", Var("c"), Const(4), Const(8)), "divisible(c / 4)"),
        (op("divisible", Var("c"), Const(3), Const(16)), "divisible(Fraction(c, 3), 16)"),
    ],
)
def test_constants_are_folded_and_sums_read_well(term: Term, written: str) -> None:
    assert text(term) == written


@given(st.fractions(0, 4096, max_denominator=1000), st.integers(1, 64))
def test_the_emitted_rounding_is_exact(number: Fraction, divisor: int) -> None:
    assert eval("divisible(number, divisor)", {**PYTHON, "number": number, "divisor": divisor}) == exactly_divisible(
        number, divisor
    )


# The language

written_leaves = st.one_of(
    st.sampled_from(sorted(ENV)).map(lambda name: Name(name, SPAN)),
    st.integers(1, 9).map(lambda value: Literal(value, str(value), SPAN)),
    st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(29, 100)]).map(lambda value: Literal(value, "", SPAN)),
)


def written_nodes(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    binary = st.tuples(st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner, inner).map(
        lambda drawn: Binary(*drawn, SPAN)
    )
    one = st.tuples(st.sampled_from(["floor", "ceil", "round", "abs", "divisible"]), inner)
    two = st.tuples(st.sampled_from(["min", "max"]), inner, inner)
    return st.one_of(
        binary,
        one.map(lambda drawn: Call(drawn[0], (drawn[1],), SPAN)),
        two.map(lambda drawn: Call(drawn[0], drawn[1:], SPAN)),
    )


written = st.recursive(written_leaves, written_nodes, max_leaves=6)


def named(name: str) -> Term:
    return Var(name)


@given(written, st.fixed_dictionaries({name: st.integers(1, 200) for name in ENV}))
def test_a_number_of_the_language_is_that_of_its_term(expr: Expr, env: dict[str, int]) -> None:
    """Whatever the names hold: an integer exactly, or a remainder that says that it is none; a fraction to the bit."""
    try:
        wanted = meaning(expr, env)
    except CnnError:
        return
    assert isinstance(wanted, int | Fraction)
    found, rate = whole(expr, named), real(expr, named)
    python = {**PYTHON, **env}
    if found is not None and found.dividend is not None and found.divisor is not None:
        divides = eval(text(op("%", found.dividend, found.divisor)), dict(python)) == 0
        assert divides is isinstance(wanted, int)
    if found is not None and isinstance(wanted, int):
        assert eval(text(found.term), dict(python)) == wanted
    if rate is not None:
        assert eval(text(rate), dict(python)) == (wanted if isinstance(wanted, int) else float(wanted))


@given(written, written, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
def test_a_condition_of_the_language_is_that_of_its_term(left: Expr, right: Expr, operator: str) -> None:
    expr = Binary(operator, left, right, SPAN)
    try:
        wanted = meaning(expr, ENV)
    except CnnError:
        return
    term = condition(expr, named)
    if term is not None:
        assert eval(text(term), dict(PYTHON)) == wanted


@pytest.mark.parametrize("operation", ["p + 1", "2 * p", "p / 2"])
def test_a_name_that_may_be_a_fraction_is_not_computed_with(operation: str) -> None:
    left, operator, right = operation.split()
    operands = [Name(each, SPAN) if each == "p" else Literal(int(each), each, SPAN) for each in (left, right)]
    expr = Binary(operator, *operands, SPAN)
    assert real(expr, lambda name: Var(name, whole=False)) is None
    assert whole(expr, lambda name: Var(name, whole=False)) is None


def test_a_constant_is_whole_or_a_fraction() -> None:
    half = Literal(Fraction(1, 2), "0.5", SPAN)
    assert whole(half, named) is None
    assert real(half, named) == Const(0.5)
    twice = Binary("*", half, Literal(4, "4", SPAN), SPAN)
    found = whole(twice, named)
    assert found is not None
    assert found.term == Const(2)
