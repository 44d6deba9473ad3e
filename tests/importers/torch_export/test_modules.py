"""Modules that people write: functions, skips, loops, gates, dictionaries; names, both modes, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from cnndsl import loads
from cnndsl.errors import CnnError
from cnndsl.importers.compared import difference
from cnndsl.importers.torch_export import ExportError, exported, read
from cnndsl.shape import Shape
from tests.importers.torch_export.beside import Written, error
from tests.oracle import on_meta

RGB = Shape(3, (32, 32))


class Block(nn.Module):
    """A residual unit by hand, with functional ReLUs and a skip that is written out."""

    def __init__(self, c: int, k: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c, k, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(k)
        self.conv2 = nn.Conv2d(k, k, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(k)
        self.gamma = nn.Parameter(torch.full((k, 1, 1), 0.1))
        self.shortcut = nn.Conv2d(c, k, 1, stride) if c != k else None

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y)) * self.gamma
        y += x if self.shortcut is None else self.shortcut(x)
        return functional.relu(y)


class Small(nn.Module):
    """A `for` over an `nn.ModuleList`, and a dictionary of outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 2, 1)
        self.blocks = nn.ModuleList([Block(8, 8), Block(8, 16, 2)])
        self.drop = nn.Dropout(0.25)
        self.head = nn.Linear(16, 10)
        self.side = nn.Linear(16, 4)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        x = self.drop(torch.flatten(functional.adaptive_avg_pool2d(x, 1), 1))
        return {"classes": self.head(x), "boxes": torch.sigmoid(self.side(x))}


SMALL = """
block Block(c, s=1) = (
    conv1: CONV3-c/s(bias=no) -> bn1: BN -> RELU
    -> conv2: CONV3-c(bias=no) -> bn2: BN -> gamma: SCALE(bias=no, init=0.1, parameter=map)
  + ID or shortcut: CONV1-c/s
) -> RELU
INPUT 32x32x3 -> stem: CONV3-8/2 -> blocks: [0: Block(8) -> 1: Block(16, 2)] -> GAP -> drop: DROPOUT(0.25)
classes = @drop -> FC-10
boxes = @drop -> FC-4 -> SIGMOID
output classes, boxes
"""


def test_a_class_of_ones_own() -> None:
    module = Small()
    made = read(module, [RGB]).graph
    assert difference(made, loads(SMALL).graph) == ""
    assert [made.output_name, *[each.name for each in made.taps]] == ["classes", "boxes"]
    assert error(made, module, RGB) < 1e-12


def test_paths_are_those_of_modules_and_of_functions_in_them() -> None:
    paths = [node.path for node in read(Small(), [RGB]).graph]
    assert paths[:9] == [
        *("input", "stem", "blocks.0.conv1", "blocks.0.bn1", "blocks.0.relu", "blocks.0.conv2", "blocks.0.bn2"),
        *("blocks.0.gamma", "blocks.0.add"),
    ]
    assert paths[9] == "blocks.0.relu_2"
    assert paths[-4:] == ["drop", "head", "side", "sigmoid"]
    assert len(set(paths)) == len(paths)


def test_a_module_that_is_called_again_is_told_by_a_number() -> None:
    module = Written(lambda self, x: self.act(self.conv(self.act(x))), act=nn.ReLU(), conv=nn.Conv2d(3, 4, 1))
    assert [node.path for node in read(module, [RGB]).graph] == ["input", "act", "conv", "act@2"]


def test_each_node_knows_its_line_of_code() -> None:
    graph = read(Small(), [RGB]).graph
    add = next(node for node in graph if node.path == "blocks.0.add")
    line = graph.source.text[add.span.start :].splitlines()[0]
    assert line.endswith("y += x if self.shortcut is None else self.shortcut(x)")
    assert line.startswith("blocks.0.add: test_modules.py:")


def test_a_module_stays_as_it_was() -> None:
    module = Small()
    module.blocks[0].eval()
    before = [each.training for each in module.modules()], {k: v.clone() for k, v in module.state_dict().items()}
    read(module, [RGB])
    assert [each.training for each in module.modules()] == before[0]
    assert all(torch.equal(value, before[1][name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize("mode", [lambda: torch.device("meta"), FakeTensorMode])
def test_a_module_needs_no_values(mode: Callable[[], Any]) -> None:
    with mode():
        module = Small()
    wanted = loads(SMALL.replace("init=0.1, ", "")).graph
    assert difference(read(module, [RGB]).graph, wanted) == ""


def drop_path(x: Tensor, training: bool, keep: float = 0.75) -> Tensor:
    """As in timm, and in many codes after it."""
    if not training:
        return x
    return x * x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(keep).div_(keep)


def old_drop_path(x: Tensor, training: bool, keep: float = 0.75) -> Tensor:
    """As in the code of EfficientNet for PyTorch."""
    if not training:
        return x
    return x / keep * torch.floor(keep + torch.rand((x.shape[0], 1, 1, 1)))


@pytest.mark.parametrize("drop", [drop_path, old_drop_path])
def test_stochastic_depth_is_told_by_what_it_does(drop: Any) -> None:
    module = Written(lambda self, x: x + drop(torch.tanh(x), self.training))
    made = read(module, [RGB]).graph
    assert difference(made, loads("INPUT 32x32x3 -> (ID + TANH -> DROPPATH(0.25))").graph) == ""


def test_an_output_for_training_alone_is_a_tap() -> None:
    def forward(self: Any, x: Tensor) -> Any:
        x = self.conv(x).relu()
        return (self.head(x), self.aux(x).tanh()) if self.training else self.head(x)

    module = Written(forward, conv=nn.Conv2d(3, 4, 3), head=nn.Conv2d(4, 2, 1), aux=nn.Conv2d(4, 5, 1))
    made = read(module, [RGB]).graph
    text = "INPUT 32x32x3 -> CONV3-4(pad=valid) -> RELU -> tap out2(train): [CONV1-5 -> TANH] -> CONV1-2"
    assert difference(made, loads(text).graph) == ""
    assert [node.path for node in made if node.training_only] == ["aux", "tanh"]
    assert [(each.name, each.training_only, each.is_tap) for each in made.taps] == [("out2", True, True)]


@pytest.mark.slow
def test_auxiliary_heads_of_a_published_network() -> None:
    made = read(on_meta("googlenet"), [Shape(3, (224, 224))]).graph
    assert [each.name for each in made.taps] == ["aux_logits2", "aux_logits1"]
    assert all(each.training_only for each in made.taps)
    # torchvision.models.googlenet: 13 M parameters with both heads, 6_624_904 without.
    assert sum(each.numel for node in made.layers for each in made.tensors(node) if each.learns) == 13_004_888


def test_two_inputs() -> None:
    module = Written(lambda self, x, y: self.one(x) + self.two(y), one=nn.Conv2d(3, 4, 1), two=nn.Conv2d(1, 4, 1))
    made = read(module, [RGB, Shape(1, (32, 32))]).graph
    assert [(node.path, node.inputs) for node in made][:4] == [
        ("input1", ()),
        ("input2", ()),
        ("one", (0,)),
        ("two", (1,)),
    ]


def test_frozen_weights_stay_so() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).requires_grad_(False)
    made = read(module, [RGB])
    assert difference(made.graph, loads("INPUT 32x32x3 -> CONV1-4(frozen=yes) -> BN").graph) == ""
    assert made.notes == ("2 parameters are not trained in the module, and are in the program: 1.weight, 1.bias",)


def test_a_program_with_symbols_for_sizes() -> None:
    program = exported(Small(), [RGB], dynamic=True)
    assert len(program.range_constraints) == 2


def overwritten(x: Tensor) -> Tensor:
    """Half of `y` is overwritten through a view of it."""
    y = torch.tanh(x)
    y[:, :1].relu_()
    return y


REFUSED: dict[str, Any] = {
    "sort": lambda x: torch.sort(x, 1)[0],
    "relu (it writes over a value that is read later)": overwritten,
    "pow (a power of 3)": lambda x: x**3,
    "clamp (it clips to 0 and 20)": lambda x: x.clamp(0, 20),
    "cumsum": lambda x: x.cumsum(1),
    "add (it adds a number, and no layer does; where it normalises the image, do that before the network)": lambda x: (
        x + 1
    ),
    "slice (it takes one of every 2 channels or images)": lambda x: x[:, ::2],
    "softmax (it is not over the channels)": lambda x: x.softmax(2),
    "upsample_nearest2d (it enlarges by [1.5, 1.5])": lambda x: functional.interpolate(x, scale_factor=1.5),
    "avg_pool2d (it divides by a number of its own)": lambda x: functional.avg_pool2d(x, 3, divisor_override=2),
    "mean (it is neither over all positions nor over the channels)": lambda x: x.mean(2),
    "batch_norm (it has no running statistics)": lambda x: functional.batch_norm(x, None, None, training=True),
    "pad (it pads with 1)": lambda x: functional.pad(x, [1, 1, 1, 1], value=1),
    "add (the dimensions of one are repeated along others of the other)": lambda x: (
        x[..., :3] + x.mean((2, 3))[:, None, None]
    ),
}
"""By what the message says of them, functions that no program can be."""


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_be_said_is_named(told: str) -> None:
    module = Written(lambda _, x: REFUSED[told](x))
    with pytest.raises(CnnError) as caught:
        read(module, [RGB])
    assert f"  {told}, 1 time, first in the network itself: beside.py:" in caught.value.diagnostics[0].message


def test_one_error_names_all_of_it() -> None:
    def forward(self: Any, x: Tensor) -> Tensor:
        return torch.cumsum(self.inner(self.inner(x)), 1) + 1

    inner = Written(lambda _, x: torch.sort(x, 1)[0])
    with pytest.raises(CnnError) as caught:
        read(Written(forward, inner=inner), [RGB])
    lines = caught.value.diagnostics[0].message.splitlines()
    assert lines[0] == "Written cannot be written as a program:"
    assert lines[1].startswith("  sort, 2 times, first in inner: beside.py:")


def test_tensors_that_nothing_reads_are_told() -> None:
    module = Written(lambda self, x: self.used(x), used=nn.Conv2d(3, 3, 1), left=nn.Linear(2, 2))
    with pytest.raises(CnnError, match=r"nothing reads left\.weight, left\.bias"):
        read(module, [RGB])


def test_a_tensor_with_a_name_that_no_layer_has_is_told() -> None:
    module = Written(lambda self, x: functional.conv2d(x, self.w), w=nn.Parameter(torch.ones(4, 3, 1, 1)))
    with pytest.raises(CnnError, match="CONV has tensors with other names than a layer's: w for `weight`"):
        read(module, [RGB])


def test_statistics_of_the_batch_in_evaluation_are_told() -> None:
    module = nn.Sequential(nn.BatchNorm2d(3))
    module[0].forward = lambda x: functional.batch_norm(  # pyright: ignore
        x, module[0].running_mean, module[0].running_var, module[0].weight, module[0].bias, training=False
    )
    with pytest.raises(CnnError, match="BN of 0 normalises by its running statistics in evaluation and in training"):
        read(module, [RGB])


def test_one_tensor_with_two_names_is_told() -> None:
    conv = nn.Conv2d(3, 3, 1)
    module = Written(lambda self, x: self.net(x), conv=conv, net=nn.Sequential(conv))
    with pytest.raises(
        CnnError, match=r"(conv|net\.0)\.weight is (conv|net\.0)\.weight, and a program gives a tensor one name"
    ):
        read(module, [RGB])


def test_the_larger_of_two_values() -> None:
    module = Written(lambda self, x: torch.max(self.a(x), self.b(x)), a=nn.Conv2d(3, 4, 1), b=nn.Conv2d(3, 4, 1))
    assert [node.kind for node in read(module, [RGB]).graph] == ["INPUT", "CONV", "CONV", "MAX"]


def test_a_padding_in_a_u_net_follows_the_value_beside_it() -> None:
    """As in milesial's Pytorch-UNet: the difference of both sizes, half of it before and the rest after."""

    def forward(self: Any, x: Tensor) -> Tensor:
        skip = self.one(x).relu()
        y = self.up(functional.max_pool2d(skip, 2))
        high, wide = skip.size(2) - y.size(2), skip.size(3) - y.size(3)
        return torch.cat([skip, functional.pad(y, [wide // 2, wide - wide // 2, high // 2, high - high // 2])], 1)

    module = Written(forward, one=nn.Conv2d(3, 4, 3, padding=1), up=nn.ConvTranspose2d(4, 4, 2, 2))
    made = read(module, [Shape(3, (33, 32))]).graph
    text = "INPUT 33x32x3 -> CONV3-4 -> s: RELU -> POOL2 -> CONVT2-4/2 -> (@s | ZEROPAD(out=@s))"
    assert difference(made, loads(text).graph) == ""


def test_a_residual_scale_that_lies_over_the_batch() -> None:
    """1xCx1x1, as where it is written for a product with a map (Bachlechner et al. 2021, ReZero)."""
    module = Written(
        lambda self, x: x + self.alpha * torch.relu(self.conv(x)),
        conv=nn.Conv2d(3, 3, 3, padding=1),
        alpha=nn.Parameter(torch.zeros(1, 3, 1, 1)),
    )
    made = read(module, [RGB]).graph
    text = "INPUT 32x32x3 -> (ID + CONV3-3 -> RELU -> alpha: SCALE(bias=no, init=0, parameter=batch))"
    assert difference(made, loads(text).graph) == ""


class Branching(nn.Module):
    """Which way it goes depends on values."""

    def forward(self, x: Tensor) -> Tensor:
        return x.relu() if x.mean() > 0 else x.tanh()


def test_code_that_depends_on_values_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ExportError, match=r"branches on the values of a tensor.* \(test_modules\.py, line \d+\)"):
        read(Branching(), [RGB])
    assert capfd.readouterr() == ("", "")


def test_weights_that_are_computed_are_told_with_a_way_out() -> None:
    module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 1)))
    with pytest.raises(CnnError, match=r"by weight_norm.*remove_parametrizations.* first in 0: "):
        read(module, [RGB])


def test_a_buffer_that_normalises_the_image_is_told() -> None:
    module = Written(lambda self, x: self.conv((x - self.mean) / self.std), conv=nn.Conv2d(3, 4, 1))
    module.register_buffer("mean", torch.zeros(1, 3, 1, 1))
    module.register_buffer("std", torch.ones(1, 3, 1, 1))
    with pytest.raises(CnnError, match=r"`mean` is subtracted.*do that before the network"):
        read(module, [RGB])


def test_a_key_that_is_a_word_of_python_is_told() -> None:
    module = Written(lambda self, x: self.m["lambda"](x), m=nn.ModuleDict({"lambda": nn.Conv2d(3, 4, 1)}))
    with pytest.raises(CnnError, match=r"m\.lambda: `lambda` cannot be the name of a part: Python has a keyword"):
        read(module, [RGB])
