"""Lists, powers, choices between values, values in a block, extents: what they are worth, and what is wrong."""

from __future__ import annotations

import pytest

from cnndsl.errors import CnnError, Source
from cnndsl.graph import LoopPart, walk
from cnndsl.network import loads
from cnndsl.syntax import ast
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from tests.elaborate.making import codes, graph, output, paths, wrong

NET = "net N(w=(8, 16, 32), r=((1, 4), (2, 6)), k=3, wide=no)\n"


def value(expression: str, **settings: object) -> int:
    """What an expression is worth: the width of a layer."""
    made = graph(f"{NET}INPUT 8x8x64 -> CONV1-{{{expression}}}", **settings)
    return made.nodes[made.output].shape.channels


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("w[1]", 8),
        ("w[3]", 32),
        ("w[len(w)]", 32),
        ("w[k]", 32),
        ("w[2*k - 4]", 16),
        ("r[2][1]", 2),
        ("r[2][2]", 6),
        ("sum(w)", 56),
        ("sum(w[1..2])", 24),
        ("sum(w[2..2])", 16),
        ("sum(w[1..0]) + 1", 1),
        ("sum(w[4..3]) + 1", 1),
        ("len(w[2..3])", 2),
        ("len(())+1", 1),
        ("len(r)", 2),
        ("max(w) - min(w)", 24),
        ("max((3, 5))", 5),
        ("min(3, 5)", 3),
        ("(4, 8)[2]", 8),
        ("(4,)[1]", 4),
        ("w[1..2][2]", 16),
        ("2**3", 8),
        ("2**3**2", 512),
        ("(2**3)**2", 64),
        ("-2**2 + 5", 1),
        ("(-2)**2", 4),
        ("8*2**-1", 4),
        ("(1/2)**-4", 16),
        ("C**2/C", 64),
        ("0**0", 1),
        ("1**10**18", 1),
        ("10**18/10**17", 10),
        ("C/4 if wide else C/16", 4),
        ("3 if k > 3 else 4 if k > 2 else 5", 4),
        ("(3 if wide else 4)*2", 8),
        ("1 if w == (8, 16, 32) else 2", 1),
        ("1 if w == (8, 16) else 2", 2),
        ("1 if r == ((1, 4), (2, 6)) else 2", 1),
        ("{k} + {2}", 5),
        ("7 if yes else 1/0", 7),
    ],
)
def test_expressions(expression: str, expected: int) -> None:
    assert value(expression) == expected


def test_settings() -> None:
    """As tuples and lists of Python, and as texts."""
    assert value("sum(w)", w=(1, 2)) == value("sum(w)", w=[1, 2]) == value("sum(w)", w="1, 2") == 3
    assert value("len(w)", w=(5,)) == value("len(w)", w="(5,)") == value("len(w)", w="5,") == 1
    assert value("r[1][2]", r=((2, 5), (1, 3))) == value("r[1][2]", r="((2, 5), (1, 3))") == 5
    assert value("C/4 if wide else C/16", wide=True) == 16


@pytest.mark.parametrize(
    ("expression", "code", "message", "help"),
    [
        ("w[4]", "E0210", "`w` has 3 elements, so it has no element 4", "the last one is `w[3]`"),
        (
            "w[0]",
            "E0210",
            "`w` has 3 elements, so it has no element 0",
            "`w[1]` is the first",
        ),
        ("w[-1]", "E0210", "so it has no element -1", "the last one is `w[3]`"),
        ("w[2..4][1]", "E0210", "so it has no element 4", "the last one is `w[3]`"),
        ("()[1]", "E0210", "is empty", ""),
        ("w[3..1][1]", "E0213", "the range 3..1 is invalid", "`(w[3], w[2], w[1])`"),
        ("w[1/2]", "E0208", "an index must be an integer, not 0.5", ""),
        ("k[1]", "E0205", "only a list has elements, but this is 3", "(32, 64, 128)"),
        ("w", "E0226", "must be an integer, not the list (8, 16, 32)", "`w[1]`"),
        ("2*w", "E0205", "found the list (8, 16, 32)", "`w[1]`"),
        ("w + w", "E0205", "expected a number", "`w[1]`"),
        ("len(k)", "E0206", "`len` takes a list, not 3", "`(3,)`"),
        ("sum(r)", "E0205", "element 1 is the list (1, 4)", ""),
        ("sum(1, 2)", "E0206", "`sum` takes 1 argument, not 2", ""),
        ("max(())", "E0206", "an empty list has no `max`", ""),
        ("2**64", "E0203", "exceeds 10^18", ""),
        ("2**10**9", "E0203", "exceeds 10^18", ""),
        ("(1/3)**-10**6", "E0203", "exceeds 10^18", ""),
        ("2**0.5", "E0208", "an exponent must be an integer, not 0.5", "roots are not supported"),
        ("0**-1", "E0202", "division by zero: 0 ** -1 is 1/0", ""),
        ("2**yes", "E0205", "expected a number, found yes", ""),
        ("3 if k else 4", "E0205", "a test must be yes or no, not 3", "`k == 3`"),
    ],
)
def test_mistakes(expression: str, code: str, message: str, help: str) -> None:
    (found,) = wrong(f"{NET}INPUT 8x8x64 -> CONV1-{{{expression}}}")
    assert found.code == code
    assert message in found.message
    assert help in found.help


def test_what_people_asked_for() -> None:
    """Section 3 of the reports: WaveNet's dilations, EEGNet's extents, the choice of a width, SSD's boxes."""
    tcn = loads("net Tcn(n=4)\nINPUT 1000x8 -> for k in 0..n - 1 [CONV3-8(dilation=2**k)]")
    # 1 + 2*(1 + 2 + 4 + 8)
    assert tcn.stats().totals.receptive_field == (31,)
    # 500 + 2*16 - 32 + 1
    assert output("net E(k=32)\nINPUT 22x500x1 -> CONV1x{k}-8(pad=0x{k//2})") == "22x501x8"
    block = "block Se(r) = MUL(ID, GAP -> FC-r -> FC-C -> SIGMOID)"
    gate = f"net N(wide=no)\n{block}\nINPUT 8x8x64 -> Se(C/4 if wide else C/16)"
    assert loads(gate).stats().totals.params == 64 * 4 + 4 + 4 * 64 + 64
    assert loads(gate, wide=True).stats().totals.params == 64 * 16 + 16 + 16 * 64 + 64
    # Liu et al. 2016: 38*38*4 + 19*19*6 + 10*10*6 + 5*5*6 + 3*3*4 + 4 boxes.
    maps = " -> ".join(f"m{at}: AVGPOOL(out={size})" for at, size in enumerate((38, 19, 10, 5, 3, 1)))
    each = " + ".join(f"{boxes}*m{at}.output.H*m{at}.output.W" for at, boxes in enumerate((4, 6, 6, 6, 4, 4)))
    loads(f"INPUT 300x300x3 -> {maps}\nassert {each} == 8732")


def test_a_vector_that_enters_a_convolution() -> None:
    (found,) = wrong("INPUT 100 -> CONVT4-512/1(pad=valid)")
    assert "`INPUT 1x1x100`" in found.help
    assert output("INPUT 1x1x100 -> CONVT4-512/1(pad=valid)") == "4x4x512"
    (found,) = wrong("INPUT 8x8x3 -> FC-100 -> CONVT4-512/1(pad=valid)")
    assert found.help.startswith("place it before the first FC")


# Tables


@pytest.mark.parametrize(
    ("table", "widths"),
    [
        ("for c in w", [8, 16, 32]),
        ("for c in w[2..3]", [16, 32]),
        ("for c in w[1..0]", []),
        ("for c in ()", []),
        ("for c in (4, 6)", [4, 6]),
        ("for c in w[1], 64", [8, 64]),
        ("for c in (w[k]), (w[1])", [32, 8]),
        ("for c in w[1], w[2]", [8, 16]),
        ("for c in w if wide else (2, 3)", None),
        ("for c in (w if wide else (2, 3))", [2, 3]),
        ("for a, c in r", [4, 6]),
        ("for a, c in (1, 4), (2, 6)", [4, 6]),
        ("for a, c in ((1, 4), (2, 6))", [4, 6]),
        ("for a, c in (1, 4)", [4]),
        ("for a, c in r[2]", [6]),
        ("for a, c in r[2], (0, 3)", [6, 3]),
        ("for a, c in ()", []),
        ("for c in 5", [5]),
        ("for c in 1..len(w)", [1, 2, 3]),
        ("for c in 1..w[1]/4", [1, 2]),
        ("for c in 1..r[2][1]", [1, 2]),
    ],
)
def test_tables(table: str, widths: list[int] | None) -> None:
    text = f"{NET}INPUT 8x8x3 -> {table} [CONV1-c] -> RELU"
    if widths is None:
        assert codes(text) == ["E0102"]
        return
    assert [node.shape.channels for node in graph(text).layers[:-1]] == widths


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("for a, c in w", "this row has 3 values, but `for` names 2: a, c"),
        ("for a, c in ((1, 2), (3, 4, 5))", "row 2 of this list has 3 values"),
        ("for a, c in r, 4", "this row has 1 value"),
        ("for a, c in 4", "this row has 1 value"),
    ],
)
def test_rows_that_do_not_fit(table: str, message: str) -> None:
    text = f"{NET}INPUT 8x8x3 -> {table} [CONV1-c] -> RELU"
    (found,) = wrong(text.replace("r, 4", "(1, 2), 4"))
    assert found.code == "E0237"
    assert message in found.message


@pytest.mark.parametrize("body", ["[CONV3-c]", "[ CONV3-c -> RELU ]", "[c]", "[{c}: RELU]", "[1: RELU]"])
@pytest.mark.parametrize("rows", ["1..2", "1..n", "n", "4, n", "(n + 1)", "1..n*2", "yes, no"])
def test_brackets_right_behind_rows_are_those_of_the_body(rows: str, body: str) -> None:
    """As they were before lists had elements."""
    apart, together = (parse(Source("", f"INPUT 8x8x3 -> for c in {rows}{gap}{body} -> FC-10")) for gap in (" ", ""))
    for file in (apart, together):
        (main,) = file.statements
        assert isinstance(main, ast.Main)
        assert [type(each).__name__ for each in main.chain.items] == ["WrittenLayer", "For", "WrittenLayer"]


def test_a_list_without_elements_has_no_turns_but_its_names() -> None:
    made = graph(f"{NET}INPUT 8x8x3 -> for c in w[1..k-3] [CONV1-c] -> RELU")
    (loop,) = [part for part in walk(made.tree) if isinstance(part, LoopPart)]
    assert loop.turns == ()
    assert len(loop.cells) == 1


# Words in lists and choices


def test_kinds_and_blocks_in_lists() -> None:
    block = "block Unit(c, act=RELU) = CONV1-c -> act\nblock Other(c) = CONV3-c\n"
    text = f"net N(acts=(RELU, TANH), deep=no)\n{block}INPUT 8x8x3 -> "
    assert paths(f"{text}[Unit(4, acts[i])]*2") == ["0.0", "0.1", "1.0", "1.1"]
    layers = [node.layer.kind() for node in graph(f"{text}[Unit(4, acts[i])]*2", acts="(SILU, GELU)").layers]
    assert layers == ["CONV", "SILU", "CONV", "GELU"]
    assert [node.layer.kind() for node in graph(f"{text}Unit(4, SILU if deep else GELU)").layers] == ["CONV", "GELU"]
    assert graph(f"{text}for c, a in ((4, RELU), (5, TANH)) [Unit(c, a)]").layers[-1].layer.kind() == "TANH"
    made = graph(f"let b = Unit if 1 > 2 else Other\nlet rows = ((4, RELU), (8, TANH))\n{block}INPUT 8x8x3 -> b(4)")
    assert [node.layer.kind() for node in made.layers] == ["CONV"]
    assert codes("let act = RELUU\nINPUT 8x8x3 -> act", files={}) == ["E0214"]
    assert codes("net N\nlet act = RELUU\nINPUT 8x8x3 -> act") == ["E0201"]


def test_outputs_in_lists_and_choices() -> None:
    text = "block Join(a, b) = (@a | @b | ID)\nINPUT 8x8x3 -> x: CONV1-2 -> y: CONV1-3 -> {}"
    assert output(text.format("Join(@x if 1 < 2 else @y, @y)")) == "8x8x8"
    assert output(text.format("Join((@x, @y)[2], @y)")) == "8x8x9"
    assert output(text.format("Join(@x, (@x, @y)[1])")) == "8x8x7"
    assert codes(text.format("CONV1-{(@x, 2)[1]}")) == ["E0226"]


# Values in a block

NECK = """block Neck(c, s=1) =
    let m = c//4
    let k = 3 if s == 1 else 5
    let wide = C > m
    (CONV1-m -> CONV{k}-c/s + CONV1-c/s if wide else ID)
"""


def test_values_in_a_block() -> None:
    made = graph(f"{NECK}INPUT 8x8x16 -> Neck(16) -> Neck(32, 2)")
    # 16*4 + 4, 4*9*16 + 16, 16*16 + 16; 16*8 + 8, 8*25*32 + 32, 16*32 + 32
    assert (
        loads(f"{NECK}INPUT 8x8x16 -> Neck(16) -> Neck(32, 2)").stats().totals.params
        == 68 + 592 + 272 + 136 + 6432 + 544
    )
    assert str(made.nodes[made.output].shape) == "4x4x32"


def test_values_at_the_head_of_brackets() -> None:
    text = "block B(c) = [let m = c + 1  let n = m*2\n  x = CONV1-m\n  y = @x -> CONV1-n\n]\nINPUT 8x8x3 -> B(3)"
    assert output(text) == "8x8x8"


def test_values_of_a_block_hide_those_of_the_file_and_end_with_it() -> None:
    text = "let m = 5\nblock A = let m = 2 CONV1-m\nblock B = CONV1-m\nINPUT 8x8x3 -> A -> B -> CONV1-{m + 1}"
    assert [node.shape.channels for node in graph(text).layers] == [2, 5, 6]
    assert codes("net N\nblock A = let m = 2 CONV1-m\nINPUT 8x8x3 -> A -> CONV1-m") == ["E0201"]


def test_the_shape_that_enters_a_block_is_that_of_its_values() -> None:
    text = "block Se(r) = let m = max(C//r, 2) let p = H*W MUL(ID, GAP -> FC-m -> FC-{m + p} -> FC-C)\n"
    made = graph(f"{text}INPUT 8x4x12 -> CONV1-24 -> Se(4)")
    assert [node.shape.channels for node in made.layers if node.layer.kind() == "FC"] == [6, 38, 24]


@pytest.mark.parametrize(
    ("block", "found"),
    [
        ("block B(m) = let m = 2 CONV1-m", "E0245"),
        ("block B = let m = 2 let m = 3 CONV1-m", "E0245"),
        ("block B = let m = n let n = 2 CONV1-m", "E0201"),
        ("block B = let m = 1/0 CONV1-m -> CONV1-m", "E0202"),
        ("block B = let m = w[3] let n = m CONV1-n", "E0210"),
        ("block B = let m = @x CONV1-m", "E0102"),
    ],
)
def test_mistakes_in_values_of_a_block(block: str, found: str) -> None:
    """Each is told once, whatever depends on it."""
    call = "B(2)" if "B(m)" in block else "B"
    assert codes(f"net N(w=(1, 2))\n{block}\nINPUT 8x8x3 -> {call} -> {call}") == [found]


# Extents and braces


def test_extents() -> None:
    text = "net N(k=5, s=16)\nINPUT {s}x{2*s}x3 -> "
    assert output(f"{text}CONV1x{{k}}-8(pad=0x{{k//2}})") == "16x32x8"
    assert output(f"{text}CONV1x{{k}}-8(pad={{k - 5}}x2)") == "16x32x8"
    assert output(f"{text}UPSAMPLE(out={{2*s}}x{{s}})") == "32x16x3"
    assert output(f"{text}CONV3-8(stride={{k//5}}x{{k//2}})") == "16x16x8"
    assert output(f"{text}CONV3-8(dilation={{k - 3}}, pad={{2}})") == "16x32x8"
    assert output(f"let size = {{4}}x8\n{'INPUT 8x8x3 -> UPSAMPLE(out=size)'}") == "4x8x3"
    loads(f"{text}CONV3-8\nassert output == {{s}}x{{2*s}}x8")
    assert codes(f"{text}CONV3-8(pad=0x{{k/2}})") == ["E0208"]
    assert codes(f"{text}CONV3-8(pad=0x{{no}})") == ["E0226"]
    assert codes(f"{text}CONV3-8(pad=0xk)") == ["E0102"]


def test_strides_of_several_axes_have_expressions() -> None:
    """As in a convolution that is factored over time: 8 frames stay, 6x6 positions become 3x2."""
    text = "block B(s) = CONV1x3x3-4/1x{s}x{s+1}\n\nINPUT 8x6x6x2 -> B(2)\n"
    assert output(text) == "8x3x2x4"
    assert format(parse(Source("", text))) == text


def test_options_of_several_numbers_take_a_list() -> None:
    text = "net N(p=(2, 0))\nINPUT 8x8x3 -> PICK({})"
    assert graph(text.format("p")).layers[0].layer == graph(text.format("2, 0")).layers[0].layer
    assert graph(text.format("channels=(2, 0)")).layers[0].layer == graph(text.format("2, 0")).layers[0].layer
    assert graph(text.format("p[1..1]")).layers[0].shape.channels == 1


# Asserts


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("output.D == 3", "its extents are H, W, C"),
        ("a.output.X == 3", "its extents are H, W, C"),
        ("b.output.H == 3", "`a`"),
        ("v.output.H == 3", "its extents are C"),
    ],
)
def test_extents_that_an_output_does_not_have(text: str, help: str) -> None:
    with pytest.raises(CnnError) as caught:
        loads(f"INPUT 8x6x3 -> a: CONV1-4 -> GAP -> v: FC-10\nassert {text.replace('output.D', 'a.output.D')}")
    (found,) = caught.value.diagnostics
    assert found.code == "E0402"
    assert help in found.help or not found.help


def test_extents_of_outputs() -> None:
    loads("INPUT 8x6x3 -> a: CONV1-4\nassert a.output.H == 8 and a.output.W == 6 and a.output.C == 4 and output.H == 8")
    loads("INPUT 4x8x6x3 -> a: CONV1-4\nassert a.output.D == 4 and a.output.H == 8 and output.W == 6")
    loads("INPUT 9x3 -> a: CONV1-4 -> v: FC-5\nassert a.output.W == 9 and a.output.C == 4 and v.output.C == 5")
    with pytest.raises(Exception, match=r"a\.output\.H is 8, but the file asserts 9"):
        loads("INPUT 8x6x3 -> a: CONV1-4\nassert a.output.H == 9")


# Limits


def test_lists_have_a_limit_of_elements_in_all() -> None:
    """Lists that double their size take no time, and a message shows no thousand elements."""
    doubled = "let a0 = (1, 2)\n" + "".join(f"let a{at} = (a{at - 1}, a{at - 1})\n" for at in range(1, 60))
    (found,) = wrong(f"{doubled}INPUT 8x8x3 -> CONV1-{{len(a59)}}")
    # 2, then 2 + 2*2, …: 2**(n + 1) - 2
    assert (found.code, found.message) == ("E0203", "a list may have at most 1,000 elements; this one has 1,022")
    assert codes(f"{NET}INPUT 8 -> FC-{{sum(w)}}", w=list(range(1, 2000))) == ["E0203"]
    long = f"({', '.join(['1'] * 500)})"
    (found,) = wrong(f"block B(w) = FC-w\nINPUT 8 -> B({long})")
    assert found.message.endswith("not a list of 500 elements")
    assert found.context[0].startswith("in B(a list of 500), called at")


def test_one_is_not_yes_in_lists_either() -> None:
    """Layers that are written alike are made once for equal lists."""
    block = "block B(v) = CONV1-4(bias=v[1])\n"
    made = graph(f"{block}INPUT 8x8x3 -> B((yes, 1)) -> B((no, 1))")
    assert [node.layer.bias for node in made.layers] == [True, False]
    assert codes(f"{block}INPUT 8x8x3 -> B((yes,)) -> B((1,))") == ["E0226"]
