"""Terms against Python itself, and against the language's own arithmetic."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from cnndsl.emit.terms import Const, Op, Term, Unknown, Var, add, evaluate, floordiv, mul, negated, substitute, text
from cnndsl.emit.translate import translate
from cnndsl.errors import Source, Span
from cnndsl.expr import Binary, Call, Expr, Literal, Name
from cnndsl.expr import evaluate as meaning

ENV = {"a": 6, "b": 35, "c": 64}
PYTHON = {**ENV, "divisible": lambda value, divisor=8: evaluate(Op("divisible", (Const(value), Const(divisor))), {})}
SPAN = Span(Source("", ""), 0, 0)

leaves = st.one_of(st.sampled_from(sorted(ENV)).map(Var), st.integers(1, 9).map(Const))


def nodes(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        pairs.map(lambda pair: mul(*pair)),
        pairs.map(lambda pair: floordiv(pair[0], add(pair[1], Const(1)))),
        pairs.map(lambda pair: Op("%", (pair[0], add(pair[1], Const(1))))),
        st.tuples(st.sampled_from(["min", "max"]), pairs).map(lambda drawn: Op(drawn[0], drawn[1])),
        inner.map(lambda term: Op("neg", (term,))),
    )


terms = st.recursive(leaves, nodes, max_leaves=8)
tests = st.tuples(st.sampled_from(["==", "!=", "<", ">="]), terms, terms).map(lambda drawn: Op(drawn[0], drawn[1:]))
logic = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(lambda drawn: Op(drawn[0], drawn[1:])),
        inner.map(lambda term: Op("not", (term,))),
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
    except Unknown:
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
    with pytest.raises(Unknown):
        evaluate(Var("d"), ENV)


# The language

written_leaves = st.one_of(
    st.sampled_from(sorted(ENV)).map(lambda name: Name(name, SPAN)),
    st.integers(1, 9).map(lambda value: Literal(value, str(value), SPAN)),
    st.sampled_from([Fraction(1, 2), Fraction(1, 4), Fraction(3, 2)]).map(lambda value: Literal(value, "", SPAN)),
)


def written_nodes(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    binary = st.tuples(st.sampled_from("+-*/"), inner, inner).map(lambda drawn: Binary(*drawn, SPAN))
    called = st.tuples(st.sampled_from(["floor", "ceil", "round", "divisible"]), inner)
    return st.one_of(binary, called.map(lambda drawn: Call(drawn[0], (drawn[1],), SPAN)))


@given(st.recursive(written_leaves, written_nodes, max_leaves=5))
def test_a_whole_number_of_the_language_is_that_of_its_term(expr: Expr) -> None:
    from cnndsl.errors import CnnError

    try:
        wanted = meaning(expr, ENV)
    except CnnError:
        return
    term = translate(expr, lambda name: Var(name))
    if isinstance(wanted, int) and term is not None:
        assert in_python(term) == wanted
