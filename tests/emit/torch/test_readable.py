"""What a reader of a `forward` meets: names of the program, results in its order, no brackets too many."""

from __future__ import annotations

import pytest
from torch import nn

from cnndsl.emit.torch.layout import Text, flat
from cnndsl.emit.torch.merges import expression
from cnndsl.network import loads
from cnndsl.testing.oracle import network_class
from tests.emit.torch.checking import check, emitted, forward_of

STREAMS = """
block Fuse(a, b) = [
  x0 = @a -> branches.0: CONV3-4
  x1 = @b -> branches.1: CONV3-8
  y0 = (@x0 + @x1 -> up: [CONV1-4 -> UPSAMPLE(out=@x0)]) -> RELU
  y1 = (@x0 -> down: CONV3-8/2 + @x1) -> RELU
]
INPUT 8x8x3 -> a: CONV3-4
b = @a -> c: CONV3-8/2
s = stage.0: Fuse(@a, @b)
t = stage.1: Fuse(@stage.0.y0, @stage.0.y1)
u = stage.2: Fuse(@stage.1.y0, @stage.1.y1)
output stage.2.y0, stage.2.y1
"""
PYRAMID = """
block Body = [c1: CONV3-4/2 -> c2: CONV3-8/2 -> c3: CONV3-16/2]
INPUT 32x32x3 -> body: Body
-> fpn: [
  top3 = CONV1-4
  for_3 = @top3 -> layer.3: CONV3-4
  @top3 -> for i, skip in (2, @body.c2), (1, @body.c1) [
    top{i} = (@skip -> inner.{i}: CONV1-4 + UPSAMPLE(out=@skip))
    out{i} = @top{i} -> layer.{i}: CONV3-4
    @top{i}
  ]
]
output fpn.for_3, fpn.out2, fpn.out1
"""


def test_values_that_follow_one_another_have_one_name() -> None:
    text = loads(STREAMS).source()
    assert "        y0, y1 = self.stage[0](a, self.c(a))\n" in text
    assert text.count("        y0, y1 = self.stage[1](y0, y1)\n") == 1
    assert "        return y0, self.relu2(" in text


def test_a_name_of_a_for_stands_for_what_its_row_gives() -> None:
    text = loads(PYRAMID).source()
    assert "self, x: Tensor, c2: Tensor, c1: Tensor\n" in text
    assert "top2 += F.interpolate(top3, size=c2.shape[2:])" in text
    assert "        c1, c2, c3 = self.body(x)\n" in text


def test_sums_of_sums_have_no_brackets() -> None:
    text = loads("INPUT 8x8x4 -> a: CONV3-4 -> for i in 1..3 [(ID + @a -> c{i}: CONV3-4)] -> MUL(ID, @a)").source()
    assert "+ self.c2(a) + self.c3(a)" in text.replace("\n", " ")


def test_products_in_sums_have_no_brackets() -> None:
    product = expression("{0} * {1}", [Text("y"), Text("self.scale")])
    assert flat(expression("{0} + {1}", [Text("x"), product])) == "x + y * self.scale"
    total = expression("{0} + {1}", [Text("x"), Text("y")])
    assert flat(expression("{0} * {1}", [total, Text("self.scale")])) == "(x + y) * self.scale"
    assert flat(expression("{0} + {1}", [Text("z"), total])) == "z + (x + y)"


def test_a_skip_that_a_flag_chooses_is_chosen_by_it_in_the_constructor_too() -> None:
    text = """
    block Unit(c, s) = (conv: CONV3-c/s -> drop: DROPPATH(0.1) if s == 1 and C == c + ID if s == 1 and C == c)
    INPUT 8x8x4 -> Unit(4, 1) -> Unit(6, 2) -> Unit(8, 1)
    """
    source = emitted(text)
    assert source.count("s == 1 and in_channels == c") == 1
    assert "        if self.residual:\n            self.drop = DropPath(0.1)  # 8x8x4\n" in source
    assert forward_of(source, "Unit").splitlines() == [
        "        y = self.drop(self.conv(x))",
        "        if self.residual:",
        "            y = y + x",
        "        return y",
    ]


def test_containers_in_containers_stand_in_one_expression() -> None:
    text = "INPUT 8x8x4 -> (fuse.0.1: CONV3-4 + fuse.0.3: CONV1-4 + fuse.1.0: BN + down.2: [CONV1-4 -> RELU])"
    source = emitted(text)
    assert "self.fuse = nn.ModuleList(\n" in source
    assert '{"1": nn.Conv2d(4, 4, 3, padding=1), "3": nn.Conv2d(4, 4, 1)}' in source
    assert "nn.ModuleList([nn.BatchNorm2d(4)])," in source
    assert "self.down = nn.ModuleDict(\n" in source
    check(text)


def test_a_value_has_its_name_though_an_argument_had_it() -> None:
    assert "y02" not in loads(STREAMS).source()
    assert "y12" not in loads(STREAMS).source()


def test_a_list_of_one_stands_in_one_line() -> None:
    text = loads("INPUT 8x8x4 -> stage.0: [CONV3-4 -> RELU] -> CONV1-3").source()
    assert "self.stage = nn.ModuleList([nn.Sequential(" in text.replace("(\n            [", "([")


def test_an_interpolation_is_laid_out_as_a_call() -> None:
    long = "a_name_that_is_long_enough: CONV3-8"
    text = loads(
        f"INPUT 8x8x4 -> {long} -> POOL2 -> (UPSAMPLE(out=@a_name_that_is_long_enough, mode=bilinear, align=yes) "
        "| @a_name_that_is_long_enough) -> CONV1-3"
    ).source()
    assert max(map(len, text.splitlines())) <= 88


def test_what_every_normalisation_takes_from_the_network_is_not_handed_down() -> None:
    text = """
    net N(eps=1e-5, momentum=0.1)
    default BN(eps=eps, momentum=momentum)
    block Conv(c) = CONV3-c -> BN -> RELU
    INPUT 8x8x3 -> [Conv(4) -> Conv(6)]*2 -> GAP -> FC-2
    """
    source = emitted(text)
    assert "    def __init__(self, in_channels: int, c: int) -> None:\n" in source
    assert "            if isinstance(module, nn.BatchNorm2d):\n                module.eps = eps\n" in source
    made = network_class(source)(eps=0.5, momentum=0.25)
    found = {(each.eps, each.momentum) for each in made.modules() if isinstance(each, nn.BatchNorm2d)}
    assert found == {(0.5, 0.25)}
    for wrong in ({"eps": 0.0}, {"momentum": 2.0}):
        with pytest.raises(ValueError, match="must be"):
            network_class(source)(**wrong)


def test_one_normalisation_with_an_option_of_its_own_has_all_made_with_theirs() -> None:
    text = """
    net N(eps=1e-5)
    default BN(eps=eps)
    block Conv(c) = CONV3-c -> BN -> RELU
    INPUT 8x8x3 -> [Conv(4) -> Conv(6)]*2 -> BN(eps=0.5) -> GAP -> FC-2
    """
    assert "nn.BatchNorm2d(c, eps=eps)" in emitted(text)


def test_the_comment_on_a_block_and_arguments_by_name() -> None:
    text = """# A net.

# Halves the map,
# and sees k pixels.
block Down(k, c, s, d=1) = CONV{k}-c/s(dilation=d)
INPUT 32x32x3 -> Down(3, 4, 2) -> Down(5, 6, 2, 2) -> Down(3, 4, 1)
"""
    source = emitted(text)
    assert '    """Halves the map, and sees k pixels.\n\n    Used 3 times: ' in source
    assert "Down(4, 5, 6, s=2, d=2)" in source


def test_paddings_of_two_sides_follow_what_the_program_writes() -> None:
    block = "block Causal(d) = ZEROPAD(2*d, after=0) -> CONV3-4(dilation=d, pad=valid)"
    text = f"{block}\nINPUT 64x4 -> Causal(1) -> Causal(2)"
    assert "nn.ZeroPad1d((2 * d, 0))" in emitted(text)
    check(text)
