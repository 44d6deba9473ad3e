"""One mistake, one error: what follows from it stays silent, what does not is told in the same run."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.diagnostics import render
from cnndsl.errors import CnnError, Diagnostic
from tests.elaborate.making import codes, graph, wrong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # What went wrong has no shape, no name and no value that anything could be said of.
        ("INPUT 8x8x3 -> FOO -> POOL99 -> CONV3-{C/2} -> (ID + CONV3-99) -> MUL(ID, POOL2)", ["E0231"]),
        ("INPUT 8x8x3 -> a: FOO -> (ID + @a) -> UNPOOL2(@a)", ["E0231"]),
        ("INPUT 8x8x3 -> a: [b: FOO] -> (ID + @a.b)", ["E0231"]),
        ("INPUT 8x8x3 -> tap a: FOO -> (ID + @a)", ["E0231"]),
        ("let a = 1/0\nlet b = 2*a\nINPUT 8x8x3 -> CONV3-b -> [BN]*a -> CONV3-4(pad=b)", ["E0202"]),
        ("let a = 1/0\nblock B(x=a) = FC-x\nINPUT 3 -> B -> B(a) -> B(2*a)", ["E0202"]),
        ('use "no.cnn": A, B\nINPUT 8x8x3 -> A(1) -> x: B -> (ID + @x)', ["E0250"]),
        ("net N(a, b=2*a)\nINPUT 3 -> FC-a -> FC-b", ["E0201"]),
        ("net N(a in 3..1)\nINPUT 3 -> FC-a", ["E0213"]),
        ("INPUT 8x8x3 -> [a{i}: CONV3-4]*{1/2} -> RELU", ["E0207"]),
        ("INPUT 8x8x3 -> [a: CONV3-4]*{1/2} -> (ID + @a)", ["E0207"]),
        ("INPUT 8x8x3 -> (CONV3-4 + CONV3-5) -> (CONV3-4 + ID)", ["E0312"]),
        ("INPUT 8x8x3 -> (FOO + CONV3-5 + CONV3-6)", ["E0231"]),
        ("INPUT 8x8x3 -> (FOO + ID or CONV3-5)", ["E0231"]),
        ("block A = FOO\nINPUT 3 -> A -> [A]*5 -> x: A", ["E0231"]),
        ("INPUT 8x8x3 -> [POOL2]*9", ["E0301"]),
        ("INPUT 8x8x3 -> for c in 4, 0, 0 [CONV3-c]", ["E0227"]),
        ("INPUT 8x8x3 -> RELU if 1/0 > 1 else TANH -> FC-4", ["E0202"]),
        ("CONV3-4 -> RELU -> FC-10", ["E0216"]),
        ("default CONV(x=1)\nINPUT 8x8x3 -> CONV", ["E0221"]),
        ("default FOO(x=1)\nINPUT 8x8x3 -> CONV", ["E0231"]),
        ("block CONV = RELU\nINPUT 8x8x3 -> CONV -> CONV3-4", ["E0247"]),
    ],
)
def test_no_error_follows_from_another(text: str, found: list[str]) -> None:
    assert codes(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INPUT 8x8x3 -> FOO -> BAR(1) -> CONV3-4(x=1) -> POOL2-3", ["E0231", "E0231", "E0221", "E0223"]),
        ("INPUT 8x8x3 -> FOO -> [BAR]*3 -> (BAZ + QUX) -> tap t: QUUX", ["E0231"] * 5),
        ("block A(c) = FOO\nINPUT 8x8x3 -> BAR -> A(1)", ["E0231", "E0231"]),
        ("let a = 1/0\nlet b = c\nINPUT 3 -> FOO", ["E0202", "E0214", "E0231"]),
        ("let a = 1\nlet a = 2\nblock RELU = FOO\nINPUT 3 -> BAR\nINPUT 4", ["E0245", "E0247", "E0231", "E0218"]),
        ("INPUT 8x8x3 -> (FOO + BAR) -> a: CONV3-4 -> a: TANH", ["E0231", "E0231", "E0235"]),
        ("INPUT 8x8x3 -> [FOO]*n -> CONV3-n(x=1)", ["E0231", "E0214", "E0221"]),
    ],
)
def test_errors_that_do_not_follow_from_another_are_told_together(text: str, found: list[str]) -> None:
    assert codes(text) == found


def test_errors_stand_in_the_order_of_the_file() -> None:
    places = [each.span.start for each in wrong("net N\nlet a = b\nINPUT 3 -> FOO -> BAR\nlet c = d") if each.span]
    assert places == sorted(places)
    assert len(places) == 4


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("INPUT 8x8x3 -> [CONV3-4 -> POOL2]*4", ["in repeat 4 of 4"]),
        ("INPUT 8x8x3 -> for k in 5, 3 [[POOL2]*k]", ["in repeat 4 of 5", "in repeat 1 of 2"]),
        (
            "block A(n) = [POOL2]*n\nINPUT 8x8x3 -> A(1) -> A(n=3)",
            ["in repeat 3 of 3", "in A(3), called at net.cnn:2:24"],
        ),
        ("block A(x, b) = x\nINPUT 8x8x3 -> a: POOL8 -> A(POOL, yes)", ["in A(POOL, yes), called at net.cnn:2:28"]),
    ],
)
def test_the_way_to_an_error(text: str, frames: list[str]) -> None:
    (diagnostic,) = wrong(text)
    assert list(diagnostic.context) == frames


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("INPUT 8x8x3 -> CNOV3-4", "did you mean `CONV3`?"),
        ("INPUT 8x8x3 -> RELLU", "did you mean `RELU`?"),
        ("INPUT 8x8x3 -> RULE", "did you mean `RELU`?"),
        ("INPUT 8x8x3 -> CONV3-l28", "did you mean `128`?"),
        ("INPUT 8x8x3 -> CONV3-l1 -> CONV3-l2", "set them on the command line: `--set l1=2 --set l2=2`"),
        ("INPUT 8x8x3 -> CONV3-l1", "set it on the command line: `--set l1=2`"),
        ("INPUT 8x8x3 -> MAXPOL2", "did you mean `MAXPOOL2`?"),
        ("INPUT 8x8x3 -> DENSE-10", "in cnndsl this is `FC-10`"),
        ("INPUT 8x8x3 -> Conv2d3-10", "in cnndsl this is `CONV3-10`"),
        (
            "INPUT 32x8 -> LSTM-256",
            "recurrence is not part of the language; a package can add layer types, as `examples/pl",
        ),
        ("INPUT 32x8 -> biLSTM256", "as `examples/plugin` adds LSTM"),
        ("INPUT 32x8 -> GRU(64)", "recurrence is not part"),
        ("INPUT 8x8x3 -> Self_Attention", "as `examples/plugin` adds NONLOCAL"),
        ("INPUT 8x8x3 -> Attention(heads=4)", "attention is not part"),
        ("INPUT 8x8x3 -> TRANSFORMER8", "attention is not part"),
        ("INPUT 8x8x3 -> NONLOCAL", "attention is not part"),
        ("INPUT 8x8x3 -> SPECTRALNORM", "as `examples/plugin` adds SNCONV"),
        # What is merely spelt wrong is not.
        ("block Atention = RELU\nINPUT 8x8x3 -> Atentoin", "did you mean `Atention`?"),
        ("block Bottleneck = RELU\nINPUT 8x8x3 -> Botleneck", "did you mean `Bottleneck`?"),
        ("INPUT 8x8x3 -> CONV3-4(strid=1)", "did you mean `stride`?"),
        ("INPUT 8x8x3 -> CONV-4(kernel_size=1)", "did you mean `kernel`?"),
        ("INPUT 8x8x3 -> CONV3-4(pad=smae)", "did you mean `same`?"),
        ("INPUT 8x8x3 -> enc: BN -> (ID + @end)", "did you mean `@enc`?"),
        ("INPUT 8x8x3 -> a: [enc: BN] -> (ID + @enc)", "did you mean `@a.enc`?"),
        ("block A(width) = FC-width\nINPUT 3 -> A(widht=1)", "did you mean `width`?"),
        ("net N(width=1)\nINPUT 3 -> FC-widht", "did you mean `width`?"),
        ("INPUT 3 -> FC-{ciel(3)}", "did you mean `ceil`?"),
        ('use "vgg61.cnn": A\nINPUT 3 -> A', "did you mean `vgg"),
        ('use "a/b.cnn": A\nINPUT 3 -> A', "write the name alone"),
    ],
)
def test_the_nearest_known_name_is_offered(text: str, help: str) -> None:
    assert help in wrong(text)[0].help


def test_nested_repeats_answer_at_once() -> None:
    begin = time.monotonic()
    (diagnostic,) = wrong("INPUT 8x8x3 -> [[[[CONV3-1]*1000]*1000]*1000]*1000")
    assert diagnostic.code == "E0209"
    assert time.monotonic() - begin < 2


@settings(max_examples=100)
@given(st.text(st.sampled_from("INPUT 8x3->[](){}*+|?:@,=.\n#aC2/RELUCONVblockletnetif"), max_size=60))
def test_whatever_is_written_is_a_network_or_has_an_error_that_can_be_shown(text: str) -> None:
    try:
        found = graph(f"INPUT 8x8x3 -> {text}").nodes
    except CnnError as stop:
        found = stop.diagnostics
    assert found
    diagnostics = [each for each in found if isinstance(each, Diagnostic)]
    assert all(each.span is not None for each in diagnostics)
    assert bool(render(diagnostics)) == bool(diagnostics)
