"""How lists, powers, choices, extents and the values of a block are written, with their comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnndsl.errors import CnnError, Source
from cnndsl.expressions import Expr
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from tests.syntax.test_format import check, essence

ROWS = [f"({number}, 64)" for number in range(10, 25)]
STYLE = {
    "lists": ("let a=( 1,2 , 3 ,)\nlet b = (1 ,)\nlet c = ( )", "let a = (1, 2, 3)\nlet b = (1,)\nlet c = ()\n"),
    "rows": ("let a = ((1,2),(3,4))", "let a = ((1, 2), (3, 4))\n"),
    "elements": ("let a = w[ 1 ]+w[k+1][2]-w[1 .. k + 1][1]", "let a = w[1] + w[k+1][2] - w[1..k+1][1]\n"),
    "powers": ("let a = (2**3)**2*2 ** 3 ** 2", "let a = (2**3)**2*2**3**2\n"),
    "powers and signs": ("let a = (-2)**2 - -(2**k) + 2**(-k)", "let a = (-2)**2 - -2**k + 2**-k\n"),
    "powers of sums": ("let a = (b + 1)**(c*2)", "let a = (b + 1)**(c*2)\n"),
    "choices": (
        "let a = (b) if (c==1) else (d if e else (f))\nlet g = (a if b else c) if d else 2*(a if b else c)",
        "let a = b if c == 1 else d if e else f\nlet g = (a if b else c) if d else 2*(a if b else c)\n",
    ),
    "choices among arguments": (
        "INPUT -> U((relu if a else tanh), k=(1 if a else 2), (@x, @y)) if (a if b else c)",
        "INPUT -> U(relu if a else tanh, k=1 if a else 2, (@x, @y)) if (a if b else c)\n",
    ),
    "extents": (
        "INPUT -> CONV1x{k}(pad=0x{ k//2 }, dilation={2*d}, stride={s}x2x{t})",
        "INPUT -> CONV1x{k}(pad=0x{k//2}, dilation=2*d, stride={s}x2x{t})\n",
    ),
    "extents in an assert": ("assert output=={s}x{ s+1 }x3", "assert output == {s}x{s+1}x3\n"),
    "a table of a list": (
        "INPUT -> for c in (w) [X] -> for d in (1,2) [X]",
        "INPUT -> for c in w [X] -> for d in (1, 2) [X]\n",
    ),
    "an index in a table": (
        "INPUT -> for c in (w[k]),w[1] [X] -> for d in 1..(w[k]) [X] -> for e in (w[1])..w[2] [X]",
        "INPUT -> for c in (w[k]), w[1] [X] -> for d in 1..w[k] [X] -> for e in (w[1])..w[2] [X]\n",
    ),
    "a test in a table": (
        "INPUT -> for c in (a if b else d), (a < b) [X]",
        "INPUT -> for c in (a if b else d), (a < b) [X]\n",
    ),
    "a domain": (
        "net N(w in {(1,2),(3,)}=(1,2), n in (w[1])..3)",
        "net N(w in {(1, 2), (3,)} = (1, 2), n in (w[1])..3)\n",
    ),
    "values of a block": (
        "block B(c)=let m=c//4  let k = 3\nCONV{k}-m->RELU",
        "block B(c) =\n    let m = c//4\n    let k = 3\n    CONV{k}-m -> RELU\n",
    ),
    "values in brackets": (
        "block B(c)=[let m=c  x=ID y = @x -> CONV3-m]",
        "block B(c) = [\n  let m = c\n  x = ID\n  y = @x -> CONV3-m\n]\n",
    ),
    "values in brackets of one chain": (
        "block B(c)=[let m=c CONV3-m -> RELU]",
        "block B(c) = [\n  let m = c\n  CONV3-m -> RELU\n]\n",
    ),
    "comments at values of a block": (
        "block B(c) = # a\n let m = c # b\n# c\nlet n = m\n# d\n# e\nCONV3-n # f",
        "block B(c) =  # a\n    let m = c  # b\n    # c\n    let n = m\n    # d\n    # e\n    CONV3-n  # f\n",
    ),
    "comments at values in brackets": (
        "block B(c) = [ # a\n let m = c # b\n# c\nx = ID # d\ny = @x -> CONV3-m\n# e\n]",
        "block B(c) = [  # a\n  let m = c  # b\n  # c\n  x = ID  # d\n  y = @x -> CONV3-m\n  # e\n]\n",
    ),
    "a comment in a list": ("let a = (1, # a\n 2)", "let a = (\n  1,  # a\n  2\n)\n"),
    "a list that the author broke": (
        "let a = ((1, 2),\n(3, 4), (5, 6))\nnet N(b=((1, 2),\n(3, 4)))",
        "let a = (\n  (1, 2),\n  (3, 4), (5, 6)\n)\nnet N(\n  b=(\n    (1, 2),\n    (3, 4)\n  )\n)\n",
    ),
    "a list that is too long": (
        f"let a = ({', '.join(ROWS)})",
        "let a = (\n  " + ",\n  ".join(ROWS) + "\n)\n",
    ),
}


@pytest.mark.parametrize("name", STYLE)
def test_style(name: str) -> None:
    text, expected = STYLE[name]
    assert check(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "let = 3",
        "let a = 2 ** ",
        "let a = (1,,2)",
        "let a = (,)",
        "let a = w[1",
        "let a = w[]",
        "let a = w[1..]",
        "let a = w [1]",
        "let a = b if c",
        "let a = b if c else",
        "INPUT 8x8x3 -> CONV3-8(pad={1)",
        "INPUT 8x8x3 -> CONV3-8(pad=1x{2}x)",
        "INPUT 8x8x3 -> CONV3-8(pad={1}x{2} x3)",
        "block B = let m = 2",
        "block B = let m = 2 let",
        "block B = let m = 2 -> CONV3-m",
    ],
)
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(CnnError):
        parse(Source("net.cnn", text))


CHAINS = (
    *("(A + B)", "[A -> B]*2", "A", "A(1)", "{m}: A", "0: A", '"a-b": A', "a.b: A", "@c -> A", "MUL(A, B)"),
    *("for k in 1..2 [A]", "again t", "tap t: A", "x{m}: A"),
)
VALUES = ("c", "c//2", "2*c", "max(c, 2)", "max (c, 2)", "(c, 2)", "w[1]", "3", "a if b else c", "2x3", "yes")


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("value", VALUES)
def test_a_chain_follows_values(value: str, chain: str) -> None:
    """Whatever it begins with."""
    (block,) = parse(Source("net.cnn", f"block B(c) = let m = {value} {chain}")).statements
    (same,) = parse(Source("net.cnn", f"block B(c) = let m = {value}\n{chain}")).statements
    (plain,) = parse(Source("net.cnn", f"block B(c) = {chain}")).statements
    for each in (block, same):
        assert isinstance(each, ast.Block)
        assert isinstance(plain, ast.Block)
        assert essence(each.body) == essence(plain.body)
        assert [let.name for let in each.values] == ["m"]


def expressions() -> st.SearchStrategy[str]:
    """Texts of expressions, with more brackets than are needed."""
    leaves = st.sampled_from(["1", "a", "b", "2.5", "yes", "8x8", "(1, a)", "()", "{a}x2", "w[1]", "w[1..a]", "len(w)"])

    def more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        binary = st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "==", "<", "and", "or"]), inner)
        return st.one_of(
            binary.map(lambda each: f"({each[0]}) {each[1]} ({each[2]})"),
            inner.map(lambda each: f"-({each})"),
            inner.map(lambda each: f"not ({each})"),
            st.tuples(inner, inner, inner).map(lambda each: f"(({each[0]}) if ({each[1]}) else ({each[2]}))"),
            st.tuples(inner, inner).map(lambda each: f"(({each[0]}), ({each[1]}))[{each[1]}]"),
            st.tuples(inner, inner).map(lambda each: f"max(({each[0]}), ({each[1]}))"),
            inner.map(lambda each: f"(({each}),)"),
        )

    return st.recursive(leaves, more, max_leaves=8)


@given(expressions(), st.sampled_from(["let x = {}", "assert {}", "INPUT 8 -> FC-{{{}}}", "INPUT 8 -> U(({}), k={})"]))
def test_formatting_keeps_the_meaning(text: str, place: str) -> None:
    check(place.format(text, text))


@given(expressions(), expressions())
def test_formatting_keeps_tables(one: str, other: str) -> None:
    check(f"INPUT 8 -> for c in ({one}), ({other}) [FC-c] -> for d in ({one})..({other}) [FC-d]")


def test_every_expression_has_its_place() -> None:
    text = "let x = w[1] + (a, b)[2..3] + (c if d else e) + 1x{k} ** 2"
    (let,) = parse(Source("net.cnn", text)).statements
    exprs = [each for each in ast.walk([let]) if isinstance(each, Expr)]  # type: ignore[arg-type]
    assert all(0 <= each.span.start < each.span.end <= len(text) for each in exprs)
