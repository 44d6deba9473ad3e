"""Several values: further chains, blocks that give several, outputs."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.errors import CnnError
from cnndsl.shape import Shape
from tests.emit.torch.checking import check, emitted

STEM = "INPUT 32x32x3 -> a: CONV3-8 -> b: CONV3-16/2"
EXCHANGE = """\
block Exchange(a, b) = [
  x = @a -> CONV3-16
  y = @b -> CONV3-32
  hi = (@x + @y -> CONV1-16 -> UPSAMPLE(out=@x)) -> RELU
  lo = (@x -> CONV3-32/2 + @y) -> RELU
]
INPUT 32x32x3 -> stem: CONV3-16
half = @stem -> CONV3-32/2
one = Exchange(@stem, @half)
two = Exchange(@one.hi, @one.lo)
output two.hi, two.lo
"""


def shape(*extents: int) -> Shape:
    return Shape.of(extents)


def test_the_last_chain_gives_the_output() -> None:
    graph = loads(f"{STEM}\n@a -> POOL2 -> (ID | @b)").graph
    assert graph.nodes[graph.output].shape == shape(16, 16, 24)
    assert graph.taps == ()


def test_outputs_in_the_order_in_which_they_are_named() -> None:
    graph = loads(f"{STEM}\nc = @a -> CONV3-4\nd = @b -> GAP\noutput d, b, c").graph
    assert graph.output_name == "d"
    assert graph.nodes[graph.output].shape == shape(1, 1, 16)
    assert [(tap.name, graph.nodes[tap.node].shape) for tap in graph.taps] == [
        ("b", shape(16, 16, 16)),
        ("c", shape(32, 32, 4)),
    ]


def test_outputs_stand_before_taps() -> None:
    graph = loads(f"{STEM} -> tap aux: [GAP -> FC-3]\nc = @a -> CONV3-4\noutput c, b").graph
    assert [graph.output_name, *(tap.name for tap in graph.taps)] == ["c", "b", "aux"]


def test_blocks_give_several_values() -> None:
    graph = loads(EXCHANGE).graph
    assert [graph.nodes[graph.output].shape, graph.nodes[graph.taps[0].node].shape] == [
        shape(32, 32, 16),
        shape(16, 16, 32),
    ]
    params = (3 * 9 + 1) * 16 + (16 * 9 + 1) * 32
    each = (16 * 9 + 1) * 16 + (32 * 9 + 1) * 32 + (32 + 1) * 16 + (16 * 9 + 1) * 32
    assert loads(EXCHANGE).stats().totals.params == params + 2 * each


def test_names_of_values_are_no_modules() -> None:
    paths = [node.path for node in loads(f"{STEM}\nc = @a -> CONV3-4 -> u: RELU\noutput b, c").graph]
    assert paths == ["input", "a", "b", "conv", "u"]


def test_parts_are_called_by_their_kinds_where_chains_have_names() -> None:
    paths = [node.path for node in loads("INPUT 8x8x4 -> m: [x = CONV3-4 -> RELU  @x -> POOL2] -> FC-2").graph]
    assert paths == ["input", "m.conv", "m.relu", "m.pool", "fc"]


def test_the_shape_is_that_of_the_first_reference() -> None:
    text = f"block Two(x, y) = (@y -> CONV1-C | @x)\n{STEM}\nd = @b -> UPSAMPLE2\nc = Two(@a, @d)\noutput c"
    assert loads(text).graph.nodes[-1].shape == shape(32, 32, 16)


def test_in_a_repeat_names_have_holes() -> None:
    graph = loads("INPUT 8x8x4 -> [x{i} = CONV3-4 -> RELU  @x{i} -> (ID + @x{i})]*3 -> FC-2").graph
    assert [node.kind for node in graph] == ["INPUT", *["CONV", "RELU", "ADD"] * 3, "FC"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (f"{STEM}\nc = @a -> RELU", "E0239", "CONV3-16/2"),
        (f"{STEM}\nc = @b -> RELU\n@a -> TANH", "E0239", "RELU"),
        (f"{STEM}\nc = [@a -> CONV3-4]*2\noutput b, c", "E0239", "CONV3-4"),
        ("block Q(s) = @s -> CONV3-8\n" + f"{STEM}\nc = Q(@a)*2\noutput b, c", "E0239", "CONV3-8"),
        ("INPUT 8x8x3 -> a: CONV3-8 -> b: CONV3-8 -> CONV5-8 -> (@a + @b) -> FC-10", "E0239", "CONV5-8"),
        (f"{STEM} -> tap t: POOL2\nc = @a -> RELU\noutput b, c, t", "E0235", "t"),
        (f"{STEM}\nc = POOL2 -> RELU\noutput b", "E0238", "POOL2"),
        (f"{STEM}\nc = (@a -> POOL2 | ID)\noutput c", "E0238", "ID"),
        (f"{STEM}\nc = [POOL2 -> (@a | ID)]\noutput c", "E0238", "POOL2"),
        (f"block B(x) = CONV3-4 -> (ID | @x)\n{STEM}\nc = B(@a)\noutput c, b", "E0238", "B(@a)"),
        (f"{STEM}\nc = @later -> RELU\nlater = @a -> RELU\noutput b, c, later", "E0232", "@later"),
        (f"c = @a -> RELU\n{STEM}", "E0216", "c = @a -> RELU"),
        (f"{STEM}\nb = @a -> RELU", "E0235", "b"),
        (f"{STEM}\noutput b, b", "E0235", "b"),
        (f"{STEM}\noutput b, missing", "E0232", "missing"),
        ("INPUT 8x8x4 -> [x = CONV3-4  @x -> RELU]*2", "E0235", "x"),
    ],
)
def test_what_is_wrong(text: str, code: str, place: str) -> None:
    with pytest.raises(CnnError) as found:
        loads(text)
    first = found.value.diagnostics[0]
    assert first.span is not None
    assert (first.code, first.span.text) == (code, place)


@pytest.mark.parametrize(
    "text",
    [
        EXCHANGE,
        f"net N(deep=no)\n{STEM}\nc = (@a + @a -> CONV1-8 if deep else @a)\nd = (@c + @c?two)\noutput d, b",
        f"block R(a, n) = (@a -> CONV3-n + @a or [@a -> CONV1-n])\n{STEM}\nc = R(@a, 8)\nd = R(@a, 4)\noutput b, c, d",
        f"{STEM}\nclass = @a -> CONV3-4\nself = @b -> GAP\ncount = @class -> RELU\noutput class, self, count",
        f"{STEM}\nc = @a -> CONV3-4\nd = @b -> GAP\noutput d, b, c",
        f"net N(big=no)\n{STEM}\nc = @a if big else @b -> CONV3-4\noutput c, a",
        f"net N(big=no)\n{STEM}\nc = @a if big else @b\nd = @c -> POOL2?\noutput d, a",
        "INPUT 8x8x4 -> a: CONV3-4 -> tap p: @a -> tap q: ID -> RELU -> POOL2 -> tap r: ID",
        "INPUT 8x8x4 -> m: [x = CONV3-4 -> RELU  @x -> POOL2] -> FC-2",
        "INPUT 8x8x4 -> [x{i} = CONV3-4 -> RELU  @x{i} -> (ID + @x{i})]*3 -> FC-2",
        "INPUT 8x8x4 -> a: [CONV3-4 -> b: RELU -> CONV3-4]\n@a.b -> (ID + @a) -> FC-2",
        "block B(q) = [x = @q -> CONV3-C  y = @x -> BN  (@x + @y)]\n".replace("(@x", "z = (@x")
        + "INPUT 8x8x4 -> a: RELU\nc = B(@a)\nd = B(@c)\noutput d.x, d, c.y",
    ],
)
def test_the_module_computes_what_the_graph_says(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        (
            f"{STEM}\n(@a | @b -> UPSAMPLE2)",
            "a chain that begins with parentheses needs a name: `x = (@a | @b -> UPSAMPLE2)`",
        ),
        (f"{STEM}\noutput @a", "name the outputs of the network without `@`: `output a, b`"),
        (f"{STEM}\noutput", "name the outputs of the network without `@`: `output a, b`"),
    ],
)
def test_hints(text: str, help: str) -> None:
    with pytest.raises(CnnError) as found:
        loads(text)
    assert found.value.diagnostics[0].help == help


def test_the_emitted_names_are_the_texts() -> None:
    source = emitted(EXCHANGE)
    assert "class NetOutput(NamedTuple):" in source
    assert source.index("    hi: Tensor") < source.index("    lo: Tensor")
    assert "return NetOutput(" in source


def test_outputs_are_called_by_their_last_name_or_by_their_path() -> None:
    text = "block H = [loc = CONV3-4  conf = @loc -> CONV1-2]\nINPUT 8x8x3 -> h1: H -> h2: H\n"
    graph = loads(text + "output h1.loc, h1.conf, h2.loc, h2.conf").graph
    assert [graph.output_name, *(tap.name for tap in graph.taps)] == ["h1_loc", "h1_conf", "h2_loc", "h2_conf"]
    graph = loads(text + "output h1.loc, h2.conf").graph
    assert [graph.output_name, *(tap.name for tap in graph.taps)] == ["loc", "conf"]


def test_fields_have_the_names_of_the_text() -> None:
    outputs = "output x, torch, class, count"
    source = emitted(f"{STEM}\nx = @b -> RELU\ntorch = @a\nclass = @a -> GAP\ncount = @b -> GAP\n{outputs}")
    fields = source.split('What `Net` returns."""')[1].split("class Net")[0].split()
    assert fields[::2] == ["x:", "torch:", "class_:", "count_:"]


def test_parts_without_a_label_are_not_called_like_a_chain() -> None:
    graph = loads("INPUT 8x8x3 -> CONV3-8 -> a: CONV5-8\nconv1 = @a -> CONV3-4\nd = @conv1 -> RELU").graph
    assert [node.path for node in graph] == ["input", "conv2", "a", "conv3", "relu"]


def test_the_input_has_a_name() -> None:
    graph = loads("INPUT 8x8x3 -> a: CONV3-3 -> (ID + @input)").graph
    assert graph.nodes[-1].inputs == (1, 0)


@pytest.mark.parametrize("order", ["a, b", "b, a"])
def test_totals_are_of_all_outputs_that_are_listed(order: str) -> None:
    """Two 3x3 convolutions in a row see 5 positions."""
    totals = loads(f"INPUT 32x32x3 -> a: CONV3-8\nb = @a -> CONV3-4\noutput {order}").stats().totals
    assert (totals.depth, totals.receptive_field) == (2, (5, 5))


def test_a_tap_counts_for_no_total() -> None:
    totals = loads("INPUT 32x32x3 -> a: CONV3-8 -> tap t: [CONV3-4 -> CONV3-4]").stats().totals
    assert (totals.depth, totals.receptive_field) == (1, (3, 3))
