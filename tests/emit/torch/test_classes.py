"""What becomes a class, and which numbers are its arguments."""

from __future__ import annotations

import re

import pytest

from cnndsl.emit.torch.parameters import offered as kept
from cnndsl.network import loads
from tests.emit.torch.checking import check, emitted, forward_of
from tests.emit.torch.programs import BOTTLENECK, DENSE, INCEPTION, MOBILE, RESIDUAL, UNET


def classes(text: str) -> list[str]:
    return re.findall(r"^class (\w+)\(", emitted(text), re.MULTILINE)


def signature(text: str, name: str) -> str:
    """The arguments of a class, on one line."""
    body = emitted(text).split(f"class {name}(")[1]
    found = re.search(r"def __init__\((.*?)\) ->", body, re.DOTALL)
    assert found is not None
    return " ".join(found[1].split()).rstrip(",")


def test_with_and_without_projection_is_one_class() -> None:
    assert classes(RESIDUAL) == ["Bottleneck", "Small"]
    assert signature(RESIDUAL, "Bottleneck") == "self, in_channels: int, c: int, s: int = 1"
    assert "if s != 1 or in_channels != 4 * c:" in emitted(RESIDUAL)


def test_a_projection_for_the_channels_alone_is_asked_of_them() -> None:
    text = f"{BOTTLENECK} INPUT 8x8x8 -> stem: CONV3-8 -> Bottleneck(4)*2 -> GAP -> FC-3"
    assert "if in_channels != 4 * c:" in emitted(text)
    check(text)


def test_widths_follow_through_blocks() -> None:
    source = emitted(DENSE)
    assert "nn.Conv2d(in_channels, in_channels // 2, 1, bias=False)" in source
    assert 'self.add_module(f"denselayer{i}", DenseLayer(channels, k))' in source
    assert "channels += k" in source


def test_a_number_that_no_expression_gives_becomes_an_argument() -> None:
    assert classes(INCEPTION) == ["Basic", "Inception", "Aux", "GoogleOutput", "Google"]
    wanted = (
        "self, in_channels: int, c: int, k: int | tuple[int, int] = 1, s: int = 1, padding: int | tuple[int, int] = 0"
    )
    assert signature(INCEPTION, "Basic") == wanted


def test_training_gives_more_and_use_does_not() -> None:
    body = forward_of(emitted(INCEPTION), "Google")
    assert "aux1 = self.aux1(x) if self.training else None" in body
    assert body.rstrip().endswith("return x")


SEVERAL = """
block Two(x) = [
  a = @x -> CONV3-4
  b = @x -> CONV3-5
]
block Three(c) = [
  low = CONV3-c -> BN
  mid = @low -> RELU -> CONV3-c
  high = @mid -> CONV1-c
]
INPUT 8x8x3 -> f: Three(4) -> g: Three(5)
h = Two(@f.low)
k = (@h.a | @h | @g.low | @f.low | @g.mid | @f.mid | @g | @h.b) -> CONV1-2
"""


def test_several_values_are_returned_in_the_order_of_the_program() -> None:
    source = emitted(SEVERAL)
    assert "return low, mid, self.conv3(mid)" in forward_of(source, "Three")
    assert "return self.conv1(x), self.conv2(x)" in forward_of(source, "Two")
    assert "low, mid, high = self.f(x)" in forward_of(source, "Net")
    check(SEVERAL)


def test_an_inner_value_comes_before_what_the_part_gives() -> None:
    text = "INPUT 8x8x3 -> enc: [skip: CONV3-8 -> POOL2 -> CONV3-4] -> UPSAMPLE2 -> (@enc.skip | ID)"
    assert "return skip, self.conv(self.pool(skip))" in forward_of(emitted(text), "Enc")
    check(text)


def test_kinds_and_flags_are_arguments() -> None:
    assert "se: bool, nl: type[nn.Module], s: int" in signature(MOBILE, "Unit")
    source = emitted(MOBILE)
    assert "if e != in_channels:" in source
    assert "self.residual = s == 1 and in_channels == c" in source
    assert "for k, e, c, se, nl, s in (" in source
    assert "(3, 8, 8, True, nn.ReLU, 2)," in source


def test_an_output_given_to_a_block_is_an_argument_of_its_forward() -> None:
    source = emitted(UNET)
    assert "def forward(self, x: Tensor, skip: Tensor) -> Tensor:" in source
    assert "self.up2(x, enc2)" in source


def test_calls_that_share_no_code_have_classes_of_their_own() -> None:
    text = """
    block B(c, wide=no) = conv: CONV3-c -> [RELU -> other: CONV1x3-c -> TANH] if wide -> [GAP -> CONV1-c] if not wide
    INPUT 8x8x3 -> one: B(4, yes) -> two: B(4)
    """
    check(text)


def test_calls_share_a_class_by_what_their_layers_read() -> None:
    text = """
    block U(m, c, s=1) = (CONV3-m/s | CONV1-m/s | ID if s == 1) -> CONV1-c
    INPUT 32x32x16 -> U(8, 16, 2) -> U(8, 24) -> U(16, 32, 2) -> U(16, 48)
    """
    assert len(classes(text)) <= 3
    check(text)


def test_calls_that_repeat_something_more_or_less_often_share_a_class() -> None:
    text = """
    block Fuse(c, i) =
        [CONV1-c -> UPSAMPLE2] if i < 0
        -> [[CONV3-C/2 -> RELU]*{i-1} -> CONV3-c/2 -> BN] if i > 0
    INPUT 64x64x4 -> Fuse(6, 1) -> Fuse(8, 2) -> Fuse(4, -1) -> Fuse(6, 3) -> Fuse(2, -1)
    """
    assert classes(text) == ["Fuse", "Net"]
    assert "for _ in range(i - 1):" in emitted(text)
    check(text)


def test_the_width_of_a_slice_is_its_end_less_its_start() -> None:
    text = "block U(w) = CONV1-{3*w} -> SLICE(w, 3*w) -> CONV3-w INPUT 8x8x3 -> U(8) -> U(16) -> U(32)"
    assert classes(text) == ["Slice", "U", "Net"]
    assert "Slice(w, 3 * w)" in emitted(text)
    assert "nn.Conv2d(2 * w, w, 3, padding=1)" in emitted(text)
    check(text)


def test_a_variant_leaves_names_of_the_program_alone() -> None:
    text = """
    block Tree(c, far=no) = (CONV3-c | ID | @far if far != no) -> RELU
    block Tree2(c) = CONV1-c -> RELU
    INPUT 8x8x3 -> one: Tree(4) -> three: Tree2(8) -> two: Tree(4, @one)
    """
    assert sorted(classes(text)) == ["Net", "Tree", "Tree2", "Tree3"]
    assert re.search(r"class Tree2\(.*?nn.ReLU", emitted(text), re.DOTALL)


def test_labels_on_alike_parts_share_a_class_that_is_called_after_both() -> None:
    text = "INPUT 8x8x4 -> side1: [(CONV3-4 + ID)] -> CONV3-4 -> side2: [(CONV3-4 + ID)] -> left: [(CONV3-4 + ID)]"
    assert classes(text) == ["Side", "Left", "Net"]
    assert '"""8x8x4 -> 8x8x4, 2 times."""' in emitted(text)
    check(text)


def test_a_class_for_labels_of_several_sizes_has_no_sizes_in_comments() -> None:
    text = "INPUT 16x16x4 -> side1: [(CONV3-4 + ID)] -> POOL2 -> side2: [(CONV3-4 + ID)]"
    assert "self.append(nn.Conv2d(4, 4, 3, padding=1))\n" in emitted(text)


def test_calls_that_differ_in_the_names_of_values_share_a_class() -> None:
    text = """
    block Cell(k) = [
      x = CONV3-4
      out = (@x | @one.low if k > 0 else @zero) -> CONV1-4
    ]
    INPUT 8x8x4 -> zero: CONV3-4 -> one: [low: CONV3-4 -> CONV3-4] -> Cell(1) -> Cell(0) -> Cell(1)
    """
    assert classes(text) == ["One", "Cell", "Net"]
    assert signature(text, "Cell") == "self, in_channels: int, low_channels: int"
    check(text)


def test_a_default_that_some_calls_need_holds_for_all_that_share_the_class() -> None:
    text = """
    block Unit(add) = (CONV3-C -> BN + ID if add)
    block Wide(n, add=yes) = [
      x = CONV1-4
      last = @x -> m: [[{i-1}: Unit(add)]*n]
      out = (@x | @m.*) -> CONV1-4
    ]
    block Within(n, add) = inner: Wide(n, add)
    INPUT 8x8x4 -> Wide(1) -> Wide(2) -> Within(1, no)
    """
    assert [name for name in classes(text) if name.startswith("Wide")] == ["Wide"]
    assert signature(text, "Wide") == "self, in_channels: int, n: int, add: bool = True"
    check(text)


def test_a_docstring_counts_modules_and_not_their_applications() -> None:
    text = """
    block B(c) = (CONV3-c + ID)
    a = INPUT 8x8x4
    b = INPUT 8x8x4
    x = @a -> tower: [B(4) -> B(4)]
    y = @b -> again tower
    z = (@x + @y)
    """
    assert '"""8x8x4 -> 8x8x4, 2 times."""' in emitted(text)


def test_height_and_width_are_arguments_where_they_are_needed() -> None:
    text = "block B(c) = AVGPOOL(out=H/2) -> conv: CONV3-c INPUT 16x16x3 -> a: B(4) -> b: B(8)"
    assert signature(text, "B") == "self, in_channels: int, c: int, height: int"
    check(text)


def test_labels_on_branches_are_classes_that_know_the_block_around_them() -> None:
    text = """
    block B(c) = stem: CONV1-c -> mix: [(CONV3-c | CONV1-{2*c} | ID)] -> out: CONV1-C
    INPUT 8x8x3 -> a: B(4) -> b: B(8)
    """
    assert classes(text) == ["Mix", "B", "Net"]
    assert signature(text, "Mix") == "self, in_channels: int, c: int"
    check(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("net N(classes=10) INPUT 8x8x3 -> FC-8 -> RELU -> FC-classes -> SOFTMAX", {"classes"}),
        ("net N(w=8) INPUT 8x8x3 -> CONV3-w -> RELU -> FC-10", {"w"}),
        ("net N(n=2) INPUT 8x8x3 -> [CONV3-4]*n", set[str]()),
        ("net N(p=0.5) INPUT 8x8x3 -> FC-8 -> DROPOUT(p) -> FC-4", {"p"}),
        ("net N(k=3) INPUT 8x8x3 -> CONV{k}-4", set[str]()),
        ("net N(c=4) INPUT 8x8x4 -> (CONV3-c + ID)", set[str]()),
        ("net N(c=4) block H(n) = GAP -> fc: FC-n INPUT 8x8x4 -> CONV3-4 -> head: H(c)", {"c"}),
        ("net N(c in 1..64=4) let d = 2*c INPUT 8x8x4 -> FC-d", {"c"}),
        # The compiler takes c=4.5, and an integer argument could not.
        ("net N(c=4) let d = 2*c INPUT 8x8x4 -> FC-d", set[str]()),
        ("net N(c=4) let d = c + 1 INPUT 8x8x4 -> FC-d", {"c"}),
    ],
)
def test_parameters_that_stay_arguments(text: str, names: set[str]) -> None:
    assert kept(loads(text).graph) == names
