"""What a file asserts: which facts it may mention, and what is said where one does not hold."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.assertions import check, figures
from cnndsl.analysis.execution import unknown
from cnndsl.errors import CnnError, Diagnostic
from cnndsl.limits import limits

NET = "net N(classes=10)\nINPUT 16x16x3 -> stem: CONV3-8(bias=no) -> body: [CONV3-8 -> POOL2]*2 -> FC-classes\n"


def complaints(text: str) -> tuple[Diagnostic, ...]:
    with pytest.raises(CnnError) as stopped:
        cnndsl.loads(NET + text)
    return stopped.value.diagnostics


@pytest.mark.parametrize(
    "contract",
    [
        # 3*3*3*8; twice 3*3*8*8 + 8; 4*4*8*10 + 10.
        "params == 216 + 2*584 + 1290",
        "weights == 216 + 2*576 + 1280",
        "macs == 16*16*216 + 16*16*576 + 8*8*576 + 1280",
        "flops == 2*macs",
        # Input, three convolutions, two poolings and the FC, 4 bytes each.
        "memory == 4*(768 + 2048 + 2048 + 512 + 512 + 128 + 10)",
        # 3, then +2, pooling +1, +2*2, +2.
        "receptive_field == 12",
        "depth == 4",
        "output == 10",
        "output == 1x1x10",
        "output == classes",
        "params < 5K and depth > 3 or no",
        "stem.output == 16x16x8",
        "stem.params == 216",
        "body.output == 4x4x8",
        "body.params == 2*584",
        "body.weights == 2*576",
        "body.macs == 16*16*576 + 8*8*576",
        "body.flops == 2*body.macs",
        "body.depth == 2",
        "body.receptive_field == 12",
        "stem.receptive_field == 3",
        "body.memory == 4*(2048 + 512 + 512 + 128)",
        "max(stem.params, body.params) == 1168",
    ],
)
def test_contracts_that_hold(contract: str) -> None:
    assert check(cnndsl.loads(f"{NET}assert {contract}").graph, unknown) == []


CHAINS = """
block Exchange(a, b) = [
  x = @a -> CONV3-4
  y = @b -> CONV3-6
  low = (@x -> CONV3-6/2 + @y) -> RELU
]
left = INPUT 8x8x3
right = INPUT 4x4x5
p = @left -> conv: CONV3-4 -> BN -> CONV1-3
q = Exchange(@p, @right)
r = Exchange(@left, @q.y)
s = (@q + @r -> t: [u: CONV1-6 -> RELU])
w = @s -> v: again t -> z: ID -> FC-2
"""


@pytest.mark.parametrize(
    "contract",
    [
        # Two convolutions and a normalisation: 4*(27 + 1), 2*4, 3*(4 + 1).
        "p.params == 112 + 8 + 15",
        "p.output == 8x8x3",
        "p.depth == 2",
        "p.macs == 64*(27*4 + 4*3)",
        "p.receptive_field == 3",
        "conv.params == 112",
        "left.output == 8x8x3",
        # A block's chains, by the name of the chain that is its call, and by the name of the module.
        "q.output == 4x4x6",
        "q.x.params == 27*4 + 4",
        "q.y.params == 5*9*6 + 6",
        "q.y.output == 4x4x6",
        "exchange1.y.params == q.y.params",
        "q.params == exchange1.params",
        "r.y.params == 6*9*6 + 6",
        "q.relu.output == 4x4x6",
        "s.params == 6*6 + 6",
        "s.output == 4x4x6",
        # A further application has the multiply-adds, and no parameters.
        "v.output == 4x4x6",
        "v.macs == 16*36",
        "v.params == 0",
        "v.u.output == 4x4x6",
        "z.output == 4x4x6",
        "w.params == 96*2 + 2",
        "exchange1.low.params == 6*36 + 6",
    ],
)
def test_contracts_of_chains(contract: str) -> None:
    assert check(cnndsl.loads(f"{CHAINS}assert {contract}").graph, unknown) == []


@pytest.mark.parametrize(
    ("contract", "message", "help"),
    [
        ("p.output == 8x8x4", "p.output is 8x8x3, but the file asserts 8x8x4", ""),
        ("pp.output == 8", "no part is called `pp`", "did you mean `p`?"),
        ("p.conv.output == 8", "no part is called `p.conv`", "`conv.output`"),
        ("q.z.output == 8", "no part is called `q.z`", ""),
        (
            "z.params == 0",
            "`z` is a second name for a value, so it has no layers and no `params`",
            "there are output",
        ),
    ],
)
def test_contracts_of_chains_that_do_not_hold(contract: str, message: str, help: str) -> None:
    with pytest.raises(CnnError) as stopped:
        cnndsl.loads(f"{CHAINS}assert {contract}")
    (found,) = stopped.value.diagnostics
    assert found.message == message
    assert help in found.help


@pytest.mark.parametrize(
    ("chain", "path"),
    [("f: [CONV3-4] -> RELU", "f.nothing"), ("f: [CONV3-4] -> g: ID -> RELU", "g.nothing"), ("f: CONV3-4", "f.f")],
)
def test_what_is_not_there_is_not_offered(chain: str, path: str) -> None:
    with pytest.raises(CnnError) as stopped:
        cnndsl.loads(f"INPUT 8x8x3 -> {chain}\nassert {path}.output == 4")
    (found,) = stopped.value.diagnostics
    assert found.message == f"no part is called `{path}`"
    assert path not in found.help


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        ("params == 2_675", "params is 2,674, but the file asserts 2,675"),
        ("params < 2K", "params is 2,674, but the file asserts less than 2,000"),
        ("depth >= 5", "depth is 4 layers, but the file asserts at least 5 layers"),
        ("depth == 1", "depth is 4 layers, but the file asserts 1 layer"),
        ("params <= 2_673", "params is 2,674, but the file asserts at most 2,673"),
        ("params > 2_674", "params is 2,674, but the file asserts more than 2,674"),
        ("params != 2_674", "params is 2,674, but the file asserts anything but 2,674"),
        ("params / 4 == 1", "params / 4 is 668.5, but the file asserts 1"),
        ("100 * params / 16 == 1", "100 * params / 16 is 16,712.5, but the file asserts 1"),
        ("params / 3 == 1", "params / 3 is about 891.3333333, but the file asserts 1"),
        (
            "params == 2_674 and depth == 4 and macs == 1",
            "macs is 240,896 multiply-adds, but the file asserts 1 multiply-add",
        ),
        ("macs / params < 90", "macs / params is about 90.08825729, but the file asserts less than 90"),
        ("memory < 24K", "memory is 24,104 B, but the file asserts less than 24,000 B"),
        ("stem.memory + 1K < 9K", "stem.memory + 1K is 9,192 B, but the file asserts less than 9,000 B"),
        ("receptive_field == 7", "receptive_field is 12 positions, but the file asserts 7 positions"),
        (
            "stem.macs < macs / 5",
            "stem.macs is 55,296 multiply-adds, but the file asserts less than 48,179.2 multiply-adds",
        ),
        ("no or yes and no", "`no or yes and no` does not hold"),
        ("output == 4x4x8", "output is 10, but the file asserts 4x4x8"),
        ("body.output == 4x4x16", "body.output is 4x4x8, but the file asserts 4x4x16"),
        ("yes and params == 1", "params is 2,674, but the file asserts 1"),
        ("not depth == 4", "`not depth == 4` does not hold"),
    ],
)
def test_a_contract_that_does_not_hold_shows_both_values(contract: str, message: str) -> None:
    (diagnostic,) = complaints(f"assert {contract}")
    assert (diagnostic.code, diagnostic.message) == ("E0401", message)
    assert diagnostic.span is not None
    assert diagnostic.span.line == 3


@pytest.mark.parametrize(
    ("contract", "message", "help"),
    [
        ("parms == 3", "no metric is called `parms`", "did you mean `params`?"),
        ("stem.parms == 3", "`stem` has no metric called `parms`", "did you mean `params`?"),
        ("sten.params == 3", "no part is called `sten`", "did you mean `stem`?"),
    ],
)
def test_an_unknown_fact_offers_the_nearest(contract: str, message: str, help: str) -> None:
    (diagnostic,) = complaints(f"assert {contract}")
    assert (diagnostic.code, diagnostic.message, diagnostic.help) == ("E0402", message, help)


def test_all_contracts_are_checked_in_one_run() -> None:
    assert [each.code for each in complaints("assert params == 1\nassert macs == 1\nassert parms == 1")] == [
        "E0401",
        "E0401",
        "E0402",
    ]


def test_a_parameter_of_the_net_hides_the_fact_of_its_name() -> None:
    cnndsl.loads("net N(depth=50)\nINPUT 8x8x3 -> CONV3-4\nassert depth == 50")


def test_what_exists_in_training_only_has_parameters_and_nothing_else() -> None:
    text = "INPUT 8x8x3 -> a: CONV3-4 -> tap side(train): [b: CONV3-4 -> c: FC-2] -> d: FC-2\n"
    # 108 + 4; 144 + 4 and 512 + 2 on the side; 512 + 2. The side's 64*144 + 512 multiply-adds are not spent in use.
    for contract in (
        "params == 112 + 148 + 514 + 514",
        "macs == 64*108 + 512",
        "side.params == 148 + 514",
        "side.macs == 0",
        "side.memory == 0",
        "memory == 4*(192 + 256 + 2)",
        "depth == 2",
    ):
        assert check(cnndsl.loads(f"{text}assert {contract}").graph, unknown) == []


def test_fields_that_are_not_square_are_tuples() -> None:
    assert check(cnndsl.loads("INPUT 8x8x3 -> CONV3x5-4\nassert receptive_field == 3x5").graph, unknown) == []
    assert check(cnndsl.loads("INPUT 8 -> FC-4 -> FC-2\nassert receptive_field == 1").graph, unknown) == []


def test_parts_inside_of_parts() -> None:
    text = "INPUT 8x8x3 -> outer: [inner: [CONV3-4 -> CONV3-4] -> RELU] -> FC-2\n"
    for contract in ("outer.inner.params == 112 + 148", "outer.params == 260", "outer.inner.depth == 2"):
        assert check(cnndsl.loads(f"{text}assert {contract}").graph, unknown) == []


def test_names_of_the_file_stand_for_their_values() -> None:
    text = "net N(k=3)\nlet width = 4*k\nlet area = width*width\nINPUT 8x8x3 -> CONV3-{width}\n"
    assert check(cnndsl.loads(f"{text}assert area == 144 and width == 12 and k == 3").graph, unknown) == []


def test_an_unknown_fact_without_a_neighbour_lists_all() -> None:
    for contract in ("xyzzyx == 1", "stem.xyzzyx == 1"):
        (diagnostic,) = complaints(f"assert {contract}")
        assert diagnostic.help.startswith("there are params, weights, macs")


def test_unknown_names_are_found_wherever_they_stand() -> None:
    (diagnostic,) = complaints("assert not max(params, -(parms + 1)) == 2")
    assert (diagnostic.code, diagnostic.message) == ("E0402", "no metric is called `parms`")


def test_facts_by_name() -> None:
    graph = cnndsl.loads(NET).graph
    assert figures(graph, ["depth", "output"], unknown) == ({"depth": 4, "output": (10,)}, frozenset())
    with pytest.raises(KeyError):
        figures(graph, ["parms"], unknown)


def test_as_many_complaints_as_the_limit_allows() -> None:
    with pytest.raises(CnnError) as stopped, limits(errors=3):
        cnndsl.loads(NET + "assert params == 1\n" * 5)
    assert len(stopped.value.diagnostics) == 3


LONG = "INPUT 5000x1 -> (ID | a: POOL(out=2) -> b: UPSAMPLE(out=5000, mode=linear, align=yes)) -> c: CONV1-1\n"
"""A map of more than 4096 positions on which branches of different strides meet: fields of its blocks are bounds."""


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (
            "receptive_field < 5K",
            "receptive_field is at most 5,000 positions, but the file asserts less than 5,000 positions",
        ),
        (
            "c.receptive_field == 2 * a.receptive_field - 1",
            "c.receptive_field is at most 5,000 positions, but the file asserts 4,999 positions",
        ),
        ("a.receptive_field == 1", "a.receptive_field is 2,500 positions, but the file asserts 1 position"),
    ],
)
def test_a_receptive_field_that_is_a_bound_says_so(contract: str, message: str) -> None:
    with pytest.raises(CnnError) as stopped:
        cnndsl.loads(f"{LONG}assert {contract}")
    assert [each.message for each in stopped.value.diagnostics] == [message]


def test_a_name_of_the_file_has_no_unit() -> None:
    with pytest.raises(CnnError, match=r"E0401.*depth is 50, but the file asserts 51"):
        cnndsl.loads("net N(depth=50)\nINPUT 8x8x3 -> CONV3-4\nassert depth == 51")
