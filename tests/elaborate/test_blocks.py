"""Blocks, definitions, defaults of parameters, other files."""

from __future__ import annotations

import pytest

from cnndsl.graph import CallPart
from tests.elaborate.making import codes, graph, output, paths, wrong

PAIR = "block Pair(c, k=3, s=1) = conv: CONV{k}-c/s -> RELU\n"


@pytest.mark.parametrize(
    ("call", "shape"),
    [
        ("Pair(8)", "8x8x8"),
        ("Pair(8, 5)", "8x8x8"),
        ("Pair(8, 5, 2)", "4x4x8"),
        ("Pair(8, s=2)", "4x4x8"),
        ("Pair(s=2, c=8)", "4x4x8"),
        ("Pair(2*C + 2)", "8x8x8"),
        ("pair: Pair(8)", "8x8x8"),
        ("Pair(8)*2", "8x8x8"),
        ("Pair(8)?", "8x8x8"),
    ],
)
def test_calls(call: str, shape: str) -> None:
    assert output(f"{PAIR}INPUT 8x8x3 -> {call}") == shape


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("Pair", "E0241"),
        ("Pair()", "E0241"),
        ("Pair(s=2)", "E0241"),
        ("Pair(8, 3, 1, 1)", "E0240"),
        ("Pair(8, stride=2)", "E0242"),
        ("Pair(8, c=8)", "E0222"),
        ("Pair(c=8, c=8)", "E0222"),
        ("Pair-8", "E0244"),
        ("Pair/2", "E0244"),
        ("Pair8", "E0231"),
        ("pair(8)", "E0231"),
        ("Piar(8)", "E0231"),
        ("Pair(8, 3.5)", "E0208"),
        ("Pair(RELU)", "E0226"),
        ("Pair(0)", "E0227"),
        ("Pair(w)", "E0201"),
    ],
)
def test_calls_that_do_not_fit(call: str, found: str) -> None:
    if call in ("Pair(RELU)", "Pair(w)"):
        # A name without a value is a word, which is no width.
        found = "E0226"
    assert codes(f"net Net\n{PAIR}INPUT 8x8x3 -> {call}") == [found]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("block A(nl=RELU) = BN -> nl\nINPUT 8x8x3 -> A -> A(TANH) -> A(nl=leakyrelu)", "BN RELU BN TANH BN LEAKYRELU"),
        ("block A(x) = x -> x\nINPUT 8x8x3 -> A(RELU)", "RELU RELU"),
        ("block A(x) = B(x)\nblock B(y) = y\nINPUT 8x8x3 -> A(TANH)", "TANH"),
        ("block A(x) = x\nblock B = RELU -> BN\nINPUT 8x8x3 -> A(B)", "RELU BN"),
        ("block A(x) = x(8)\nblock B(c) = CONV1-c\nINPUT 8x8x3 -> A(B)", "CONV"),
        ("block A(x) = x3-8\nINPUT 8x8x3 -> A(CONV) -> A(LOCAL)", "CONV LOCAL"),
        ("block A(x) = x\nINPUT 8x8x4 -> A(POOL2) -> A(POOL4) -> A(GN2)", "POOL POOL GN"),
        ("block A(b) = BN if b -> RELU\nINPUT 8x8x3 -> A(yes) -> A(no)", "BN RELU RELU"),
        ("block A(p) = CONV3-8(pad=p)\nINPUT 8x8x3 -> A(valid) -> A(same)", "CONV CONV"),
        ("net N(act=RELU)\nINPUT 8x8x3 -> act -> [act]*2", "RELU RELU RELU"),
        ("INPUT 8x8x3 -> for a in RELU, TANH [a]", "RELU TANH"),
    ],
)
def test_parameters_may_be_kinds_blocks_truths_and_words(text: str, kinds: str) -> None:
    assert [node.kind for node in graph(text).layers] == kinds.split()


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("block A = A\nINPUT 3 -> A", ["called at net.cnn:2:12"]),
        ("block A = RELU -> [A]*2\nINPUT 3 -> A", ["in repeat 1 of 2", "called at net.cnn:2:12"]),
        ("block A = B\nblock B = A\nINPUT 3 -> A", ["called at net.cnn:1:11", "called at net.cnn:3:12"]),
        ("block A(x) = x\nblock B = A(B)\nINPUT 3 -> B", ["called at net.cnn:2:11", "called at net.cnn:3:12"]),
    ],
)
def test_blocks_do_not_recurse(text: str, calls: list[str]) -> None:
    (diagnostic,) = wrong(text)
    assert diagnostic.code == "E0243"
    assert [frame.split(", ")[-1] for frame in diagnostic.context] == calls


def test_a_block_may_be_called_again_in_its_argument_s_place() -> None:
    assert paths("block A(x) = RELU -> x\nblock B = TANH\nINPUT 3 -> A(B) -> A(B)") == "0.0 0.1.0 1.0 1.1.0".split()


def test_a_kind_as_an_argument_may_have_a_size() -> None:
    assert output("block A(x) = x\nINPUT 12x12x4 -> A(POOL2) -> A(POOL3)") == "2x2x4"
    assert output("block A(x) = x-8/2\nINPUT 12x12x4 -> A(CONV5)") == "6x6x8"
    assert codes("block A(x) = x3\nINPUT 12x12x4 -> A(POOL2)") == ["E0231"]


def test_a_call_remembers_its_arguments() -> None:
    made = graph(f"{PAIR}INPUT 8x8x3 -> Pair(2*C, s=2)")
    (call,) = [part for part in getattr(made.tree, "parts", ()) if isinstance(part, CallPart)]
    assert (call.block, call.parameters, call.arguments) == ("Pair", ("c", "k", "s"), (6, 3, 2))
    assert [name for name, _ in call.written] == ["c", "s"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("let a = 1\nlet a = 2\n", ["E0245"]),
        ("block A = RELU\nblock A = TANH\n", ["E0245"]),
        ("let A = 1\nblock A = TANH\n", ["E0245"]),
        ("net N(a=1)\nlet a = 2\n", ["E0245"]),
        ("net N(a=1, a=2)\n", ["E0245"]),
        ("block A(x, x) = RELU\n", ["E0245"]),
        ("block RELU = TANH\n", ["E0247"]),
        ("block relu = TANH\n", []),
        ("default A(c=1)\nblock A = TANH\n", ["E0231"]),
        ("block A = TANH\ndefault A(c=1)\n", ["E0246"]),
        ("default RELU(x=1)\n", ["E0221"]),
        ("default CONV(bias=1)\n", []),
        ("let a = 1\nnet N\n", ["E0217"]),
        ("net N\nnet M\n", ["E0217"]),
        ("cnn 1\nnet N\n", []),
        ("net N\ncnn 1\n", ["E0105"]),
        ("INPUT 4 -> TANH\n", ["E0218"]),
    ],
)
def test_definitions(text: str, found: list[str]) -> None:
    program = f"{text}INPUT 3 -> RELU"
    if found:
        assert codes(program) == found
    else:
        assert graph(program)


# Other files

LIBRARY = """net Library(w=8, act=RELU)
let k = 3
default CONV(bias=no)
block One = CONV{k}-w -> act
block Two = One -> One
"""


def test_blocks_of_another_file_keep_their_surroundings() -> None:
    made = graph('use "a.cnn": Two\nlet k = 5\nINPUT 8x8x3 -> Two -> CONV{k}-4', files={"a.cnn": LIBRARY})
    params = [sum(t.numel for t in node.layer.tensors(*made.shapes(node))) for node in made.layers]
    assert params == [3 * 9 * 8, 0, 8 * 9 * 8, 0, 8 * 25 * 4 + 4]


def test_the_network_and_the_asserts_of_another_file_are_not_looked_at() -> None:
    library = f"{LIBRARY}INPUT 3 -> CONV3-8 -> FOO\nassert no"
    assert graph('use "a.cnn": One\nINPUT 8x8x3 -> One', files={"a.cnn": library}).contracts == ()


def test_a_file_hands_on_what_it_uses() -> None:
    files = {"a.cnn": LIBRARY, "b.cnn": 'use "a.cnn": One\nblock Three = [One]*3'}
    assert len(graph('use "b.cnn": One, Three\nINPUT 8x8x3 -> One -> Three', files=files)) == 9


@pytest.mark.parametrize(
    ("text", "files", "found"),
    [
        ('use "b.cnn": One\nINPUT 3 -> One', {"a.cnn": LIBRARY}, ["E0250"]),
        ('use "a.cnn": Three\nINPUT 3 -> Three', {"a.cnn": LIBRARY}, ["E0251"]),
        ('use "a.cnn": One, One\nINPUT 8x8x3 -> One', {"a.cnn": LIBRARY}, ["E0245"]),
        ('use "a.cnn": One\nblock One = RELU\nINPUT 8x8x3 -> One', {"a.cnn": LIBRARY}, ["E0245"]),
        ('use "a.cnn": A\nINPUT 3 -> A', {"a.cnn": 'use "net.cnn": B\nblock A = RELU'}, ["E0252"]),
        (
            'use "a.cnn": A\nINPUT 3 -> A',
            {"a.cnn": 'use "b.cnn": B\nblock A = B', "b.cnn": 'use "a.cnn": A\nblock B = A'},
            ["E0252"],
        ),
        ('use "a.cnn": A\nINPUT 3 -> A', {"a.cnn": "block A = RELU ->"}, ["E0102"]),
        ('use "a.cnn": A\nINPUT 3 -> A', {"a.cnn": "block A = FOO -> BAR"}, ["E0231", "E0231"]),
        ('use "a.cnn": A\nINPUT 3 -> A', {"a.cnn": "cnn 2\nblock A = RELU"}, ["E0105"]),
        ('use "a.cnn": A\nINPUT 3 -> A', {"a.cnn": "net N(w)\nblock A = FC-w"}, ["E0201"]),
    ],
)
def test_what_can_be_wrong_with_other_files(text: str, files: dict[str, str], found: list[str]) -> None:
    assert codes(text, files=files) == found


def test_an_error_in_another_file_tells_the_way() -> None:
    (diagnostic,) = wrong('use "a.cnn": A\nINPUT 3 -> A', files={"a.cnn": "block A = FC-0"})
    assert str(diagnostic.span) == "a.cnn:1:14"
    assert diagnostic.context == ("in A, called at net.cnn:2:12",)
    (diagnostic,) = wrong('use "a.cnn": A\nINPUT 3 -> A', files={"a.cnn": "block A = ]"})
    assert diagnostic.context == ("used at net.cnn:1:5",)
