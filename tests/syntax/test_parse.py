"""From text to tree: what each construct becomes and where it stands."""

from __future__ import annotations

import pickletools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from cnndsl import expr
from cnndsl.errors import CnnError, Source, Span
from cnndsl.files import decode
from cnndsl.syntax import ast
from cnndsl.syntax.parse import _parser, parse
from cnndsl.testing import programs

ROOT = Path(__file__).parents[2]


def tree(text: str) -> ast.File:
    return parse(Source("net.cnn", text))


def elements(text: str) -> tuple[ast.ChainItem, ...]:
    """What follows the input of a network."""
    (main,) = tree(f"INPUT -> {text}").statements
    assert isinstance(main, ast.Main)
    return main.chain.items[1:]


def element(text: str) -> Any:
    (only,) = elements(text)
    return only


def value(text: str) -> Any:
    (statement,) = tree(f"let it = {text}").statements
    assert isinstance(statement, ast.Let)
    return statement.value


def nodes(node: Any) -> Iterator[Any]:
    """Every node of a tree that has a place."""
    if isinstance(node, tuple):
        for each in node:
            yield from nodes(each)
    elif is_dataclass(node) and not isinstance(node, Span):
        if hasattr(node, "span"):
            yield node
        for field in fields(node):
            yield from nodes(getattr(node, field.name))


# The tables


def test_the_tables_are_those_of_the_grammar() -> None:
    from cnndsl.syntax.generate import tables

    written = ROOT.joinpath("cnndsl", "syntax", "tables.py").read_text("utf-8")
    assert tables() == written, "run python -m cnndsl.syntax.generate"


def test_the_tables_do_not_depend_on_the_order_of_sets() -> None:
    code = (
        "from cnndsl.syntax.generate import tables; import hashlib; print(hashlib.md5(tables().encode()).hexdigest())"
    )
    made = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}, capture_output=True
        ).stdout
        for seed in "12"
    }
    assert len(made) == 1
    assert made != {b""}


def test_the_tables_name_the_builder_and_nothing_else() -> None:
    """A pickle may call whatever it names."""
    from cnndsl.syntax.tables import SAVED

    operations = [(code.name, argument) for code, argument, _ in pickletools.genops(SAVED)]
    named = [
        (operations[at - 4][1], operations[at - 2][1])
        for at, (name, _) in enumerate(operations)
        if name == "STACK_GLOBAL"
    ]
    assert named == [("cnndsl.syntax.build", "TreeBuilder"), ("builtins", "getattr")]
    assert not {name for name, _ in operations} & {"GLOBAL", "INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID"}


def test_the_parser_is_not_built_from_the_grammar(monkeypatch: pytest.MonkeyPatch) -> None:
    import lark

    monkeypatch.setattr(lark.Lark, "__init__", lambda *_, **__: pytest.fail("the grammar was read"))
    _parser.cache_clear()
    assert tree("INPUT 8x8x3 -> RELU").statements


# Words


@pytest.mark.parametrize(
    "text",
    [
        "block each(c) = CONV3-c\nINPUT 8x8x3 -> each(4) -> each\nblock in(c) = CONV3-c",
        "INPUT 8x8x3 -> each\nlet in = 3",
        "INPUT 8x8x3 -> each: CONV3-4\neach = @each -> CONV3-each",
        "INPUT 8x8x3 -> for each in 1..2 [CONV3-each]",
        "INPUT 8x8x3 -> a: each\nin = @a -> RELU",
    ],
)
def test_each_is_a_name_as_well(text: str) -> None:
    assert not any(isinstance(node, ast.Each) for node in ast.walk(parse(Source("", text)).statements))


@pytest.mark.parametrize(
    ("text", "head", "size", "width", "stride"),
    [
        ("RELU", "RELU", [], None, None),
        ("CONV3", "CONV3", [], None, None),
        ("CONV3-64", "CONV3", [], "64", None),
        ("CONV3-64/2", "CONV3", [], "64", "2"),
        ("POOL3/2", "POOL3", [], None, "2"),
        ("CONV1x7-192/1x2", "CONV1x7", [], "192", "1x2"),
        ("CONV{k}-c/s", "CONV", ["k"], "c", "s"),
        ("CONV{k}x7-{4*c}/{s}", "CONV", ["k", "7"], "4*c", "s"),
        ("CONV3x{2*k + 1}", "CONV", ["3", "2*k + 1"], None, None),
        ("CONV3-1_000", "CONV3", [], "1_000", None),
        ("CONV3-{ 64 }", "CONV3", [], "64", None),
        ("Bottleneck2", "Bottleneck2", [], None, None),
    ],
)
def test_words_come_apart(text: str, head: str, size: list[str], width: str | None, stride: str | None) -> None:
    layer = element(text)
    assert isinstance(layer, ast.WrittenLayer)
    assert layer.head == head
    assert [each.span.text for each in layer.size] == size
    assert (layer.width and layer.width.span.text) == width
    assert (layer.stride and layer.stride.span.text) == stride


@pytest.mark.parametrize(
    "text", ["INPUT 224x224x3", "input 224x224x3", "INPUT {2*h}x{w}x3", "INPUT {h}x224x{c}", "INPUT 784"]
)
def test_volumes(text: str) -> None:
    (main,) = tree(text).statements
    assert isinstance(main, ast.Main)
    (layer,) = main.chain.items
    assert isinstance(layer, ast.WrittenLayer)
    assert layer.head.upper() == "INPUT"
    assert len(layer.dims) == text.count("x") + 1


def test_options() -> None:
    layer = element("CONV3(pad=same, 3, @pool1, bias = no, )")
    assert [(each.name, each.value.span.text) for each in layer.arguments] == [
        ("pad", "same"),
        (None, "3"),
        (None, "@pool1"),
        ("bias", "no"),
    ]
    assert element("CONV3()").arguments == ()
    assert element("CONV3").arguments is None


# Composition


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[A -> B]", ast.Group),
        ("(A -> B)", ast.Group),
        ("A*3", ast.Repeat),
        ("A*n", ast.Repeat),
        ("[A]*{n - 1}", ast.Repeat),
        ("A?", ast.Optional),
        ("[A -> B]?bn", ast.Optional),
        ("(A + B)", ast.Merge),
        ("(A | B | C)", ast.Merge),
        ("MUL(A, B)", ast.Merge),
        ("max(A, B -> C, D)", ast.Merge),
        ("MEAN(A, B,)", ast.Merge),
        ("A or B", ast.Either),
        ("name: A", ast.Label),
        ("unit{i}_{2*i}: A", ast.Label),
        ("block: A", ast.Label),
        ("block{i}: A", ast.Label),
        ("@name", ast.Ref),
        ("@a.b{i}", ast.Ref),
        ("tap aux: A", ast.Tap),
        ("tap aux(train): [A -> B]", ast.Tap),
        ("A if n > 1", ast.Conditional),
        ("A if n > 1 else B", ast.Conditional),
        ("for c in 1, 2 [A]", ast.For),
        ("for c, n in (1, 2), (3, 4) [A -> B]", ast.For),
        ("for k in 1..n [A]", ast.For),
        ("each d in 6, 12, 18 [A]", ast.Each),
        ("each c, k in (8, 1), (16, 3) [A -> B]", ast.Each),
        ("each # rates\n each in 1..n [A]", ast.Each),
    ],
)
def test_constructs(text: str, kind: type) -> None:
    made = element(text)
    assert isinstance(made, kind)
    assert made.span.text == text


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("a: A*3", [ast.Label, ast.Repeat, ast.WrittenLayer]),
        ("a: A?", [ast.Label, ast.Optional, ast.WrittenLayer]),
        ("tap a: A*3", [ast.Tap, ast.Repeat, ast.WrittenLayer]),
        ("A*3?", [ast.Optional, ast.Repeat, ast.WrittenLayer]),
        ("A?b*3", [ast.Repeat, ast.Optional, ast.WrittenLayer]),
        ("a: A if yes", [ast.Conditional, ast.Label, ast.WrittenLayer]),
        ("A or b: B if yes", [ast.Conditional, ast.Either, ast.WrittenLayer]),
    ],
)
def test_what_binds_tighter(text: str, nested: list[type]) -> None:
    made: Any = element(text)
    for kind in nested:
        assert isinstance(made, kind)
        made = made.choices[0] if isinstance(made, ast.Either) else getattr(made, "body", None)


def test_branches_hold_chains() -> None:
    merge = element("(A -> B + C if yes else D + E or F)")
    assert [len(branch.items) for branch in merge.branches] == [2, 1, 1]
    assert [type(branch.items[-1]) for branch in merge.branches] == [ast.WrittenLayer, ast.Conditional, ast.Either]


def test_an_else_belongs_to_the_nearest_if() -> None:
    made = element("A if a else B if b else C")
    assert isinstance(made.otherwise, ast.Conditional)
    assert made.otherwise.otherwise.head == "C"


# Statements


def test_statements_in_a_row_need_no_line_breaks() -> None:
    text = 'cnn 1 net N(a, b=1, c in 1..3, d in {1, 2} = 2) use "f.cnn": A, B let k = 3 default CONV3(bias=no) '
    text += "block P(x, y=2) = A -> B block Q = C INPUT 3 -> P(1) assert params == 1 assert yes"
    kinds = [
        ast.Version,
        ast.Net,
        ast.Use,
        ast.Let,
        ast.Default,
        ast.Block,
        ast.Block,
        ast.Main,
        ast.Assert,
        ast.Assert,
    ]
    assert [type(each) for each in tree(text).statements] == kinds


def test_parameters() -> None:
    (net,) = tree("net N(a, b=1, c in 0..3, d in {1, 2.5} = 2.5)").statements
    assert isinstance(net, ast.Net)
    assert net.parameters is not None
    assert [each.name for each in net.parameters] == list("abcd")
    assert [each.default.span.text if each.default else None for each in net.parameters] == [None, "1", None, "2.5"]
    domains = [each.domain for each in net.parameters]
    assert [domain and domain.is_range for domain in domains] == [None, None, True, False]


def test_comments_are_kept() -> None:
    file = tree("# one\nINPUT 3 # two  \n-> FC-1 #\n#three")
    assert [each.text for each in file.comments] == ["# one", "# two", "#", "#three"]
    assert [each.span.line for each in file.comments] == [1, 2, 3, 4]


def test_comments_are_those_of_one_text() -> None:
    before = tree("INPUT -> RELU # one")
    with pytest.raises(CnnError):
        tree("INPUT -> # two")
    assert [each.text for each in tree("INPUT -> RELU # three").comments] == ["# three"]
    assert [each.text for each in before.comments] == ["# one"]


# Expressions


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1 + 2*3", 7),
        ("(1 + 2)*3", 9),
        ("7/2", Fraction(7, 2)),
        ("7//2*2", 6),
        ("-7//2", -4),
        ("-7 % 3", 2),
        ("2 - 3 - 4", -5),
        ("- -3", 3),
        ("25_557_032", 25_557_032),
        ("4.1G", 4_100_000_000),
        ("8GiB", 8 * 2**30),
        ("3KB", 3000),
        ("1e3", 1000),
        ("1e-2", Fraction(1, 100)),
        ("1 < 2 and 2 < 3 or no", True),
        ("not 1 == 2", True),
        ("not yes or yes", True),
        ("1 == 1 and not 2 != 2", True),
        ("14x14x8", (14, 14, 8)),
        ("1x1x8 == 8", True),
        ("max(1, 2, min(7, 5))", 5),
        ("round(5/2) + floor(5/2) + ceil(5/2) + abs(0 - 1)", 9),
        # The MobileNet rounding: 33 lies nearest to 32; 9 to 8, which is below 90% of it.
        ("divisible(33, 8) + divisible(9) + divisible(1)", 32 + 16 + 8),
    ],
)
def test_expressions(text: str, result: expr.Value) -> None:
    assert expr.evaluate(value(text), {}) == result
    assert value(text).span.text == text.strip("()") or "(" in text


# Places


@settings(max_examples=100)
@given(programs())
def test_every_node_stands_where_it_says(text: str) -> None:
    file = tree(text)
    for node in nodes(file.statements):
        span = node.span
        assert 0 <= span.start < span.end <= len(text)
        assert span.text == span.text.strip()
        for inner in nodes(tuple(getattr(node, field.name) for field in fields(node))):
            assert span.start <= inner.span.start <= inner.span.end <= span.end


def test_the_mark_of_editors_is_no_part_of_the_text() -> None:
    source = decode("net.cnn", b"\xef\xbb\xbfINPUT 3 -> -> FC-1")
    with pytest.raises(CnnError) as caught:
        parse(source)
    assert str(caught.value.diagnostics[0].span) == "net.cnn:1:12"
