"""Networks that would take all time or memory, were they made: refused at once, at their place."""

from __future__ import annotations

import gc
import inspect
import sys
import time

import pytest

from cnndsl import Network, loads
from cnndsl.emit.drawing.dot import dot
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.limits import limits
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse

NET = "INPUT 8x8x3 -> "


def wrong(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CnnError) as caught:
        loads(text)
    return caught.value.diagnostics


def blocks(first: str, others: str, number: int) -> str:
    """Definitions B1, B2, … each of which calls the one before it."""
    return f"block B1 = {first}\n" + "".join(
        f"block B{at} = {others.replace('B', f'B{at - 1}')}\n" for at in range(2, number + 1)
    )


TOO_MANY = {
    "repeats": f"{NET}[[[[CONV3-1]*1000]*1000]*1000]*1000",
    "a repeat": f"{NET}[RELU]*999999999999999999",
    "nothing, repeated": f"{NET}[[[RELU if no]*1000]*1000]*1000",
    "what is absent, repeated": f"net Net(a=no)\n{NET}[[[RELU?a]*1000]*1000]*1000",
    "identities": f"{NET}[[ID]*1000]*1000",
    "a range": f"{NET}for n in 1..999999999999999 [RELU]",
    "an empty range": f"{NET}for n in 1..1000000 [RELU if no]",
    "ranges": f"{NET}for a in 1..1000 [for b in 1..1000 [for c in 1..1000 [RELU if a == b]]]",
    "calls": f"{blocks('RELU -> RELU', 'B -> B', 60)}{NET}B60",
    "calls of nothing": f"{blocks('ID -> ID', 'B -> B', 60)}{NET}B60",
    "branches": f"{blocks('(RELU + ID)', '(B + B)', 50)}{NET}B50",
    "branches that choose": f"{blocks('RELU -> RELU', '(B + B or B)', 50)}{NET}B50",
    "calls with numbers": "block A(n) = [RELU]*n\nblock B(n) = [A(1000*n)]*n\n" + NET + "B(1000)",
    "calls with blocks": "block A(f) = f -> f\nblock B(f) = [A(f)]*1000\nblock R = [RELU]*1000\n" + NET + "B(R)",
    "calls with defaults": "block A(n=1000, m=n*n) = [RELU]*m\n" + NET + "A",
    "the extents of a call": "block A = [RELU]*{1000*C}\n" + NET + "CONV1-1000 -> A",
    "a long chain": NET + " -> ".join(["[RELU]*1000"] * 300),
    "a choice between two": f"{NET}[[RELU]*1000 if no else [TANH]*1000]*1000",
    "taps": NET + "".join(f"tap t{at}: [RELU -> [TANH]*1000] -> " for at in range(300)) + "RELU",
}


@pytest.mark.parametrize("text", TOO_MANY.values(), ids=TOO_MANY)
def test_too_many_layers(text: str, request: pytest.FixtureRequest) -> None:
    gc.freeze()  # the time is this program's: collecting what earlier tests left isn't part of it
    request.addfinalizer(gc.unfreeze)
    started = time.process_time()
    (diagnostic,) = wrong(text)
    assert diagnostic.code == "E0209"
    assert "a network has at most 250,000" in diagnostic.message
    assert diagnostic.span is not None
    assert time.process_time() - started < 0.5


def test_the_number_is_exact_where_it_is_known() -> None:
    assert wrong(TOO_MANY["repeats"])[0].message.startswith("this makes 1,000,000,000,000 layers")
    assert wrong(TOO_MANY["calls with numbers"])[0].message.startswith("this makes 1,000,000,000 layers")


def test_what_is_not_known_before_is_never_overestimated() -> None:
    """Counts and tests over the number of the turn, or over the extents inside a chain."""
    with limits(layers=20):
        assert len(loads(f"{NET}[[RELU]*i]*3").graph) == 7
        assert len(loads(f"{NET}CONV1-2 -> [RELU]*C -> CONV1-4 -> [RELU]*C").graph) == 9
        assert len(loads("INPUT 8x8x30 -> CONV1-2 -> [RELU]*C").graph) == 4
        assert len(loads("block A(n) = [RELU if n == 2 else [RELU]*100]*3\nINPUT 8x8x2 -> A(C)").graph) == 4
        assert len(loads("block A(n) = [RELU]*n\nINPUT 8x8x30 -> for n in 1, 2 [A(n)]").graph) == 4
        assert len(loads("INPUT 8x8x30 -> [RELU]*100 if C == 2").graph) == 1


def test_the_limit_is_met_exactly() -> None:
    with limits(layers=11):
        assert len(loads(f"{NET}[RELU]*10").graph) == 11
        assert wrong(f"{NET}[RELU]*12")[0].code == "E0209"
        assert wrong(f"{NET}{' -> '.join(['RELU'] * 12)}")[0].code == "E0209"


@pytest.mark.slow
def test_networks_of_100_000_layers_work() -> None:
    assert Network(loads(f"{NET}[CONV3-3 -> RELU]*50000").graph).stats().totals.depth == 50000


NESTED = {
    "brackets": f"{NET}{'[' * 50}RELU{']' * 50}",
    "merges": f"{NET}{'(' * 48}RELU{' + ID)' * 48}",
    "repeats": f"{NET}{'[' * 33}RELU{']*1*1' * 33}",
    "labels": f"{NET}{'l: [' * 33}RELU{']*1' * 33}",
    "labelled merges": f"{NET}{'l: (' * 33}RELU{' + ID)' * 33}",
    "tables": f"{NET}{'for n in 1..1 [' * 49}RELU{']' * 49}",
    "calls": f"{blocks('RELU', 'B', 50)}{NET}B50",
    "calls in merges": f"{blocks('RELU', '(B + ID)', 50)}{NET}B50",
    "calls in labels": f"{blocks('RELU', 'a: B', 50)}{NET}B50",
    "choices": f"{blocks('RELU', '(B + ID or TANH)', 9)}{NET}B9",
    "conditions": f"{NET}{'RELU if no else ' * 97}RELU",
    "counts": f"{NET}RELU{'*1' * 98}",
    "question marks": f"{NET}RELU{'?' * 98}",
    "taps": f"{NET}{''.join(f'tap t{at}: [' for at in range(45))}RELU{' -> TANH]' * 45}",
    "a sum": f"{NET}CONV3-{{{'1+' * 190}1}}",
    "logic": f"{NET}RELU if {'yes and ' * 190}yes",
    "functions": f"{NET}CONV3-{{{'min(' * 48}1{')' * 48}}}",
    "signs": f"let a = {'-' * 190}1\n{NET}RELU",
    "a contract": f"{NET}RELU\nassert {'params == 0 and ' * 60}yes",
}


@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_what_nests_as_deep_as_may_be_passes_everywhere(text: str) -> None:
    """With a sixth of Python's stack of 1000 to spare for whoever calls: 830 from here on."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 830)
    try:
        formatted = format(parse(Source("net.cnn", text)))
        net = loads(text)
        assert [node.path for node in loads(formatted).graph] == [node.path for node in net.graph]
        compile(net.source(), "net.py", "exec")
        assert dot(net.graph).count("\n") > 5
        assert dot(net.graph, fold_repeats=True).count("\n") > 5
        for form in ("table", "json", "html", "latex"):
            assert net.stats().render(form)
    finally:
        sys.setrecursionlimit(before)


TOO_DEEP = {
    "calls": f"{blocks('RELU', 'B', 1000)}{NET}B1000",
    "choices": f"{blocks('RELU', '(ID or RELU + B)', 40)}{NET}B40",
    "choices in brackets": f"{NET}{'(ID or TANH + ' * 40}RELU{')' * 40}",
    "counts": f"{NET}RELU{'*1' * 150}",
    "labels": f"{NET}{'l: [' * 45}RELU{']*1' * 45}",
    "conditions": f"{NET}{'RELU if no else ' * 150}RELU",
    "conditions, many": f"{NET}{'RELU if no else ' * 5000}RELU",
    "signs": f"let a = {'-' * 50000}1\n{NET}RELU",
    "a sum": f"let a = {'1+' * 5000}1\n{NET}RELU",
    "brackets": f"{NET}{'[' * 10**6}",
}


@pytest.mark.parametrize("text", TOO_DEEP.values(), ids=TOO_DEEP)
def test_what_nests_deeper_is_refused_at_its_place(text: str) -> None:
    (diagnostic,) = wrong(text)
    assert diagnostic.code == "E0103"
    assert diagnostic.span is not None
    assert "deeper than" in diagnostic.message
    assert "Python" not in diagnostic.message


def test_a_stack_that_is_used_up_is_no_traceback() -> None:
    def deeper(levels: int) -> tuple[Diagnostic, ...]:
        return deeper(levels - 1) if levels else wrong(f"{NET}{'[' * 50}RELU{']' * 50}")

    (diagnostic,) = deeper(sys.getrecursionlimit() - len_of_stack() - 150)
    assert diagnostic.message == "this nests deeper than Python's stack is at this place"


def len_of_stack() -> int:
    frame, number = sys._getframe(), 0
    while frame is not None:
        frame, number = frame.f_back, number + 1  # type: ignore[assignment]
    return number


VOLUMES = {
    "input": "INPUT 999999999x999999999x3 -> RELU",
    "width": "INPUT 999999x999999x3 -> CONV3-999999999",
    "magnification": f"{NET}[UPSAMPLE2]*1000",
    "one magnification": f"{NET}UPSAMPLE999999999999999999",
    "padding": f"{NET}ZEROPAD(999999999999999999)",
    "doubling": f"{NET}[(ID | ID)]*100",
}


@pytest.mark.parametrize("text", VOLUMES.values(), ids=VOLUMES)
def test_volumes_are_bounded(text: str) -> None:
    (diagnostic,) = wrong(text)
    assert diagnostic.code == "E0203"
    assert "10^18 values" in diagnostic.message


NUMBERS = {
    "digits": "let a = 9999999999999999999",
    "an exponent": "let a = 1e99999999",
    "a negative exponent": "let a = 1e-99999999",
    "squares": "let a0 = 3\n" + "".join(f"let a{at} = a{at - 1}*a{at - 1}\n" for at in range(1, 90)),
    "fractions": "let a0 = 1/3\n" + "".join(f"let a{at} = a{at - 1}*a{at - 1} + 1/7\n" for at in range(1, 90)),
    "sums of fractions": f"let a = {' + '.join(f'1/{at}' for at in range(2, 150))}",
    "a quotient": "let a = 1e18 // 1e-18",
    "zero": "let a = 1/(1-1)",
    "a remainder": "let a = 1 % 0",
    "a whole quotient": "let a = 1 // 0",
}


@pytest.mark.parametrize("text", NUMBERS.values(), ids=NUMBERS)
def test_numbers_are_bounded(text: str) -> None:
    found = wrong(f"{text}\n{NET}RELU")
    assert found[0].code in ("E0104", "E0202", "E0203")
    assert all(len(str(each)) < 300 for each in found)


def test_a_kernel_has_no_more_digits_than_a_number() -> None:
    (diagnostic,) = wrong(f"{NET}CONV{'9' * 30}-4(pad=valid)")
    assert (diagnostic.code, diagnostic.span and diagnostic.span.column) == ("E0104", len(NET) + 5)


def test_a_shape_that_was_tried_out_is_not_mistaken_for_another() -> None:
    """Layers are made, tried and dropped; the next one may lie at the same address."""
    choices = " or ".join(f"CONV1-{{c*{width}}}" for width in range(2, 40))
    graph = loads(f"let c = 1\n{NET}(CONV3-{{c*37}} + {choices})").graph
    assert [node.shape.channels for node in graph.layers] == [37, 37, 37]


def test_a_label_that_was_tried_out_leaves_nothing_behind() -> None:
    graph = loads(f"{NET}(RELU + l: [CONV3-99 -> CONV3-98 -> m: CONV3-97] or ID)").graph
    assert [node.path for node in graph] == ["input", "0", "add"]
    assert "l" not in graph.modules


def test_magnified_maps() -> None:
    """Strides of (2/3)^n, in lowest terms of thousands of digits: receptive fields stay bounded."""
    net = loads("INPUT 2x2x3 -> [UPSAMPLE3 -> POOL3/2]*2000")
    assert len(net.stats().render("json")) > 10**5
    assert loads("INPUT 64x64x3 -> (UPSAMPLE999 | UPSAMPLE999 -> CONV3-4) -> CONV3-4/7").stats().render("csv")


def test_domains_take_no_memory() -> None:
    parameters = ", ".join(f"p{at} in 0..99999 = 1" for at in range(200))
    assert loads(f"net Net({parameters})\n{NET}RELU").graph
    with pytest.raises(CnnError, match="has more than 100,000 values"):
        loads(f"net Net(n in 0..100000 = 1)\n{NET}RELU")
    with pytest.raises(CnnError, match="must be 0, 1, 2 or 3, not 4"):
        loads(f"net Net(n in 0..3 = 1)\n{NET}RELU", n=4)


def test_many_free_parameters_make_a_short_message() -> None:
    (diagnostic,) = wrong(NET + " -> ".join(f"CONV3-a{at}" for at in range(5000)))
    assert diagnostic.code == "E0214"
    assert len(str(diagnostic)) < 1000
    assert len(diagnostic.others) <= 20


def test_values_from_outside_are_bounded() -> None:
    for value in (10**5000, -(10**19), (10**19, 3), 1e300, 2.0**-1000):
        with pytest.raises(CnnError, match=r"10\^18"):
            loads(f"net Net(n=1)\n{NET}CONV3-n", n=value)


def test_the_last_error_that_is_counted_may_be_that_there_is_no_network() -> None:
    assert len(wrong("".join(f"let a{at} = 1/0\n" for at in range(49)))) == 50
    assert len(wrong("".join(f"let a{at} = 1/0\n" for at in range(60)))) == 50
