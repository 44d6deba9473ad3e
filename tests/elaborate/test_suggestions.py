"""What messages about syntax suggest, pasted into the program: it is accepted then, and does what was meant."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from cnndsl.analysis.assertions import check
from cnndsl.analysis.execution import unknown
from tests.elaborate.making import graph, wrong


@dataclass(frozen=True)
class Case:
    """A wrong program, the code and the place (line:column) of its one error, a part of the help, and the program after
    the help was followed, with what it gives then."""

    text: str
    code: str
    place: str
    help: str
    mended: str
    output: str


T = "INPUT 8x8x3 -> t: CONV3-3 -> "
CASES = {
    "a chain that is begun, and an output": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb =\noutput a",
        "E0102",
        "3:1",
        "`b = @a -> CONV3-64`",
        "INPUT 8x8x3 -> a: CONV3-4\nb = @a -> CONV3-64\noutput a, b",
        "8x8x4",
    ),
    "a chain that is begun, and several outputs": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb = # later\noutput a, a",
        "E0102",
        "3:1",
        "remove `b =`",
        "INPUT 8x8x3 -> a: CONV3-4\n# later\noutput a",
        "8x8x4",
    ),
    "a chain that is begun, and a chain": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb =\nc = @a -> CONV3-5",
        "E0102",
        "3:1",
        "remove `b =`",
        "INPUT 8x8x3 -> a: CONV3-4\nc = @a -> CONV3-5",
        "8x8x5",
    ),
    "a chain that is begun in a block": Case(
        "block B = [\n  x = CONV3-4\n  y =\n]\nINPUT 8x8x3 -> B",
        "E0102",
        "4:1",
        "`y = @x -> CONV3-64`",
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-64\n]\nINPUT 8x8x3 -> B",
        "8x8x64",
    ),
    "a chain that begins with an arrow": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nb = -> CONV3-5",
        "E0102",
        "2:5",
        "`b = @a -> …`",
        "INPUT 8x8x3 -> a: CONV3-4\nb = @a -> CONV3-5",
        "8x8x5",
    ),
    "a value that is begun": Case(
        "INPUT 8x8x3 -> a: CONV3-4\nlet k =\nb = @a -> CONV3-k",
        "E0102",
        "3:1",
        "`let k = 64`",
        "INPUT 8x8x3 -> a: CONV3-4\nlet k = 64\nb = @a -> CONV3-k",
        "8x8x64",
    ),
    "an arrow before an output": Case(
        "INPUT 8x8x3 -> a: CONV3-4 -> output a",
        "E0102",
        "1:30",
        "remove the arrow before it",
        "INPUT 8x8x3 -> a: CONV3-4 output a",
        "8x8x4",
    ),
    "outputs of a block": Case(
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-5\n  output x, y\n]\nINPUT 8x8x3 -> f: B",
        "E0102",
        "4:3",
        "`@f.x` is the value `x`",
        "block B = [\n  x = CONV3-4\n  y = @x -> CONV3-5\n]\nINPUT 8x8x3 -> f: B\ng = (@f.x | @f)",
        "8x8x9",
    ),
    "outputs in brackets that are not closed": Case(
        "INPUT 8x8x3 -> a: [CONV3-4\noutput a", "E0108", "1:19", "", "INPUT 8x8x3 -> a: [CONV3-4]\noutput a", "8x8x4"
    ),
    "outputs without a comma": Case(
        "INPUT 8x8x3 -> a: CONV3-4 -> b: RELU\noutput a b",
        "E0102",
        "2:10",
        "",
        "INPUT 8x8x3 -> a: CONV3-4 -> b: RELU\noutput a, b",
        "8x8x4",
    ),
    "no arrow before quotes": Case(
        'INPUT 8x8x3 -> CONV3-4 "a-b": CONV3-5',
        "E0102",
        "1:24",
        '`-> "a-b"`',
        'INPUT 8x8x3 -> CONV3-4 -> "a-b": CONV3-5',
        "8x8x5",
    ),
    "no arrow before quotes on a line of their own": Case(
        'INPUT 8x8x3 -> CONV3-4\n"a-{1}": CONV3-5',
        "E0102",
        "2:1",
        '`-> "a-{1}"`',
        'INPUT 8x8x3 -> CONV3-4\n-> "a-{1}": CONV3-5',
        "8x8x5",
    ),
    "no arrow before quotes behind brackets": Case(
        'INPUT 8x8x3 -> [[CONV3-4]*2 "": RELU]',
        "E0102",
        "1:29",
        '`-> "": RELU`',
        'INPUT 8x8x3 -> [[CONV3-4]*2 -> "": RELU]',
        "8x8x4",
    ),
    "no arrow before quotes behind quotes": Case(
        T + 'again "t" "b-c": RELU', "E0102", "1:40", '`-> "b-c": RELU`', T + 'again "t" -> "b-c": RELU', "8x8x3"
    ),
    "no arrow before a number": Case(
        "INPUT 8x8x3 -> [1: CONV3-4\n0: RELU]",
        "E0102",
        "2:1",
        "`-> 0: RELU`",
        "INPUT 8x8x3 -> [1: CONV3-4\n-> 0: RELU]",
        "8x8x4",
    ),
    "no arrow before a path": Case(
        "INPUT 8x8x3 -> CONV3-4\na.0: RELU",
        "E0102",
        "2:1",
        "`-> a.0: RELU`",
        "INPUT 8x8x3 -> CONV3-4\n-> a.0: RELU",
        "8x8x4",
    ),
    "again with brackets": Case(T + "again(t)", "E0231", "1:30", "`again t`", T + "again t", "8x8x3"),
    "again with an at": Case(T + "again @t", "E0231", "1:30", "`again t`", T + "again t", "8x8x3"),
    "again in brackets with an at": Case(T + "[again @t]*2", "E0231", "1:31", "`again t`", T + "[again t]*2", "8x8x3"),
    "again with no arguments": Case(T + "again t()", "E0102", "1:37", "`again t`", T + "again t", "8x8x3"),
    "again of brackets": Case(T + "again [t]", "E0102", "1:36", "`again t`", T + "again t", "8x8x3"),
    "again of a name with a dash": Case(
        'INPUT 8x8x3 -> "x-y": CONV3-3 -> again x-y',
        "E0102",
        "1:41",
        '`again "x-y"`',
        'INPUT 8x8x3 -> "x-y": CONV3-3 -> again "x-y"',
        "8x8x3",
    ),
    "an operator before two stars": Case(
        "INPUT 8x8x3 -> [a{i}: CONV3-3]*2 -> [b{i}: CONV3-3]*2 -> (| @a* | @b*)",
        "E0102",
        "1:65",
        "`(@a* | @b*)`",
        "INPUT 8x8x3 -> [a{i}: CONV3-3]*2 -> [b{i}: CONV3-3]*2 -> (@a* | @b*)",
        "8x8x12",
    ),
    "an operator before branches": Case(
        T + "(+ @t -> CONV3-3 + ID)", "E0102", "1:47", "`(@t -> CONV3-3 + ID)`", T + "(@t -> CONV3-3 + ID)", "8x8x3"
    ),
    "an operator in a merge with commas": Case(
        "INPUT 8x8x3 -> [u{i}: CONV3-3]*2 -> MUL(+ @u*)",
        "E0102",
        "1:41",
        "`MUL(@u*)`",
        "INPUT 8x8x3 -> [u{i}: CONV3-3]*2 -> MUL(@u*)",
        "8x8x3",
    ),
    "the second application in a reference": Case(
        T + "again t -> CONV3-3 -> (@t@2 + ID)",
        "E0102",
        "1:55",
        "label the application, `t2: again t`, and write `@t2`",
        T + "t2: again t -> CONV3-3 -> (@t2 + ID)",
        "8x8x3",
    ),
    "the second application in an assert": Case(
        T + "again t\nassert t@2.output == 8x8x3",
        "E0102",
        "2:9",
        "label the application, `t2: again t`, and write `t2.output`",
        T + "t2: again t\nassert t2.output == 8x8x3",
        "8x8x3",
    ),
    "the second application as an output": Case(
        T + "again t\noutput t@2",
        "E0102",
        "2:9",
        "label the application, `t2: again t`, and write `t2`",
        T + "t2: again t\noutput t2",
        "8x8x3",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_wrong_and_the_help(case: Case) -> None:
    (found,) = wrong(case.text)
    assert found.span is not None
    assert (found.code, f"{found.span.line}:{found.span.column}") == (case.code, case.place)
    assert case.help in found.help


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_help_helps(case: Case) -> None:
    made = graph(case.mended)
    assert str(made.nodes[made.output].shape) == case.output
    assert check(made, unknown) == []
