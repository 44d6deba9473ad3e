"""Several named inputs, through all stages. Figures are by hand, values from modules written by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnndsl import load, loads
from cnndsl.analysis.memory import inference
from cnndsl.analysis.receptive_field import receptive_fields
from cnndsl.emit.torch.verify import verify
from cnndsl.errors import CnnError
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from tests.commands.running import data, run

SIAMESE = """\
block Arm = CONV3-4 -> RELU -> POOL2
left = INPUT 8x8x3
right = INPUT 8x8x3
a = @left -> Arm
b = @right -> CONV5-4 -> Arm
c = (@a | @b) -> FC-2
"""
FILM = """\
vector = INPUT 5
image = INPUT 6x6x3
f = @image -> conv: CONV3-8
g = MUL(@f, @vector -> gate: FC-8 -> SIGMOID)
"""


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.arm1, self.conv, self.arm2 = self.arm(3), nn.Conv2d(3, 4, 5, padding=2), self.arm(4)
        self.fc = nn.Linear(128, 2)

    def arm(self, channels: int) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        both = torch.cat([self.arm1(left), self.arm2(self.conv(right))], 1)
        return self.fc(both.flatten(1))


class Film(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.gate = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(5, 8)

    def forward(self, vector: Tensor, image: Tensor) -> Tensor:
        return self.conv(image) * torch.sigmoid(self.gate(vector))[:, :, None, None]


@pytest.mark.parametrize(
    ("text", "written", "shapes"),
    [(SIAMESE, Siamese, {"left": (3, 8, 8), "right": (3, 8, 8)}), (FILM, Film, {"vector": (5,), "image": (3, 6, 6)})],
)
def test_as_written_by_hand(text: str, written: type[nn.Module], shapes: dict[str, tuple[int, ...]]) -> None:
    made, expected = loads(text).module().eval(), written().eval()
    expected.load_state_dict(made.state_dict())
    given = {name: torch.randn(2, *shape) for name, shape in shapes.items()}
    torch.testing.assert_close(made(**given), expected(**given))
    torch.testing.assert_close(made(*given.values()), expected(*given.values()))


def test_one_named_input() -> None:
    made = loads("image = INPUT 8x8x3\n@image -> CONV3-4 -> RELU").module()
    assert made(image=torch.randn(1, 3, 8, 8)).shape == (1, 4, 8, 8)


def test_names_that_python_refuses() -> None:
    names = "class self torch x _y forward".split()
    chain = f"r = ({' + '.join(f'@{name}' for name in names)}) -> CONV3-4"
    text = loads("\n".join([*(f"{name} = INPUT 8x8x3" for name in names), chain])).source()
    assert "class_: Tensor" in text
    assert "self_: Tensor" in text
    assert "torch_: Tensor" in text
    assert " x: Tensor" in text
    assert "forward: Tensor" in text


def test_the_verifier_knows_the_inputs() -> None:
    network = loads(SIAMESE)
    text = network.source()
    assert not verify(text, network.graph).differences
    for before, after in (
        ("left: Tensor, right: Tensor", "right: Tensor, left: Tensor"),
        ("self.arm1(left)", "self.arm1(right)"),
        ("left", "first"),
        (", right: Tensor", ""),
    ):
        assert verify(text.replace(before, after), network.graph).differences, after


def test_fields_are_the_largest_over_the_inputs() -> None:
    graph = loads(SIAMESE).graph
    at = {node.path: node.index for node in graph}
    fields = receptive_fields(graph)
    # 3, then a pooling: 4; behind 5x5: 5 + 2 = 7, then 8.
    left, right, both = (fields[at[path]] for path in ("arm1.2", "arm2.2", "concat"))
    assert left is not None
    assert right is not None
    assert both is not None
    assert (left.size, right.size, both.size) == ((4, 4), (8, 8), (8, 8))
    only = receptive_fields(graph, at["left"])
    found = only[at["concat"]]
    assert found is not None
    assert found.size == (4, 4)
    assert only[at["arm2.2"]] is None


def test_fields_of_unlike_axes() -> None:
    text = "a = INPUT 50x1\nb = INPUT 8x8x3\nc = @a -> CONV3-4 -> FC-4\nd = @b -> CONV3-4 -> FC-4\ne = (@c + @d)"
    graph = loads(text).graph
    assert receptive_fields(graph)[graph.output] is None
    film = loads(FILM).graph
    field = receptive_fields(film)[film.output]
    assert field is not None
    assert field.size == (3, 3)


def test_figures() -> None:
    stats = loads(SIAMESE).stats()
    # 3*9*4 + 4; 3*25*4 + 4; 4*9*4 + 4; 128*2 + 2
    assert stats.totals.params == 112 + 304 + 148 + 258
    # arms of 2*256 + 64 values, CONV5 of 256, the concatenation of 128, FC of 2
    assert stats.totals.activations == 2 * (256 + 256 + 64) + 256 + 128 + 2
    assert stats.totals.depth == 3
    assert [row.node.path for row in stats.inputs] == ["left", "right"]
    # Both inputs are held by the caller, beside a convolution of 64 positions and 4 channels, and its result.
    alone = inference(loads("left = INPUT 8x8x3\nright = INPUT 8x8x3\na = (@left | @right)").graph)
    assert alone.peak(1).bytes == 4 * (192 + 192 + 384)


def test_the_tree_of_commands(tmp_path) -> None:
    file = tmp_path / "net.cnn"
    file.write_text(SIAMESE)
    found = data("stats", str(file))
    assert found["input"] == [8, 8, 3]
    assert found["inputs"] == [{"path": "left", "shape": [8, 8, 3]}, {"path": "right", "shape": [8, 8, 3]}]
    assert run("rf", str(file)).output.count("what a unit sees of") == 2
    assert "--from left or --from right" in run("rf", str(file), "--at", "concat").output
    assert data("rf", str(file), "--from", "left")["from"] == "left"
    assert run("diff", str(file), str(file)).exit_code == 0
    given = run("stats", str(file), "--input", "left=16x16x3", "--input", "right=16x16x3")
    assert "input.left=16x16x3" in given.output
    assert load(str(file), input={"left": (16, 16, 3), "right": (16, 16, 3)}).graph.input.spatial == (16, 16)


def test_one_format() -> None:
    from cnndsl.errors import Source

    text = format(parse(Source("", SIAMESE.replace(" -> ", "->"))))
    assert text == SIAMESE == format(parse(Source("", text)))


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("a = INPUT 3 -> FC-3\nb = @a -> FC-2", "E0219", "x = @a -> FC-3"),
        ("a = INPUT 3\nINPUT 3 -> FC-2", "E0218", "give each input a name"),
        ("INPUT 3 -> FC-2\na = INPUT 3", "E0218", "give each input a name"),
        ("a = INPUT 3\nb = @a -> FC-3\nc = INPUT 3\nd = (@b + @c)", "E0219", "move it up"),
        ("a = INPUT 3\nb = INPUT 3\nc = @a -> FC-3", "E0239", "@b -> …"),
        ("a = INPUT 3", "E0215", "begin a chain"),
        ("a = INPUT 3\na = INPUT 3\nb = @a -> FC-3", "E0235", ""),
        ("a = l: INPUT 3\nb = @a -> FC-3", "E0218", "remove the label"),
        ("a = [INPUT 3]\nb = @a -> FC-3", "E0219", "a = INPUT 64x64x3"),
        ("a = INPUT 3\nb = INPUT 3\n(@a + @b) -> FC-3", "E0102", "needs a name"),
        ("a = INPUT 3\nb = @input -> FC-3", "E0232", "@a"),
    ],
)
def test_what_is_wrong(text: str, code: str, help: str) -> None:
    with pytest.raises(CnnError) as caught:
        loads(text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert help in found.help


@pytest.mark.parametrize(
    ("given", "help"),
    [((8, 8, 3), "--input left="), ({"lef": (8, 8, 3)}, "did you mean `left`"), ({"left": 0}, "for example")],
)
def test_what_cannot_enter(given: object, help: str) -> None:
    with pytest.raises(CnnError, match="E0227") as caught:
        loads(SIAMESE, input=given)
    assert help in caught.value.diagnostics[0].help


def test_branches_from_several_inputs_part_nowhere() -> None:
    text = "a = INPUT 30x30x4\nb = INPUT 30x30x4\nc = @a -> POOL2 -> POOL2 -> UPSAMPLE4\nd = (@c + @b)"
    with pytest.raises(CnnError) as caught:
        loads(text)
    (found,) = caught.value.diagnostics
    assert not any("part" in each.text for each in found.others)
    assert "a=28x28x4, b=28x28x4 and a=32x32x4, b=32x32x4" in found.help
