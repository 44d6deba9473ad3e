"""Emitted modules, put to use as PyTorch's own are: compiled, exported, scripted, copied, cast, moved."""

from __future__ import annotations

import copy
import io
import math
import operator
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend
from torch._ops import OpOverload
from torch.nn import init
from torch.utils._python_dispatch import TorchDispatchMode

import cnndsl
from tests.emit.torch.nets import NAMES, net, outputs

every_net = pytest.mark.parametrize("name", NAMES)
some_of_the_zoo = pytest.mark.parametrize(
    "name", ["googlenet", "densenet121", "mobilenet_v3_small", "squeezenet1_0", "small_unet", "small_segnet"]
)
BATCHES = (2, 3, 4, 5, 7)
"""None of 1 image: for that alone PyTorch always compiles a frame of its own."""


def same(given: object, expected: object, near: float | None = None) -> bool:
    mine, theirs = outputs(given), outputs(expected)
    alike = torch.equal if near is None else lambda a, b: torch.allclose(a, b, rtol=near, atol=near)
    return len(mine) == len(theirs) and all(map(alike, mine, theirs))


# torch.compile


def frames(name: str, training: bool, backend: str) -> int:
    """How many frames are compiled for five sizes of batches; a graph break raises."""
    torch._dynamo.reset()
    counter = CompileCounterWithBackend(backend)
    module = net(name).module().train(training)
    compiled = torch.compile(module, backend=counter, fullgraph=True)
    for batch in BATCHES:
        images = net(name).images(batch)
        result = compiled(images)
        if not training:
            assert same(result, module(images))
    return counter.frame_count


@every_net
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_one_graph_and_two_frames_for_five_batch_sizes(name: str, training: bool) -> None:
    assert frames(name, training, "eager") <= 2


@pytest.mark.slow
@some_of_the_zoo
def test_one_graph_and_two_frames_for_the_zoo(name: str) -> None:
    assert frames(name, False, "eager") <= 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_inductor_gives_the_same_output_and_gradients() -> None:
    torch._dynamo.reset()
    eager, images = net("gated").module().train(), net("gated").images()
    module = copy.deepcopy(eager)
    compiled = torch.compile(module, fullgraph=True)
    given, expected = compiled(images), eager(images)
    assert same(given, expected, 1e-4)
    for result in (given, expected):
        sum(each.sum() for each in outputs(result)).backward()  # type: ignore[union-attr]
    for mine, theirs in zip(module.parameters(), eager.parameters(), strict=True):
        assert torch.allclose(mine.grad, theirs.grad, rtol=1e-3, atol=1e-3)  # type: ignore[arg-type]


# Export


def check_exported(name: str) -> None:
    module = net(name).module()
    batch = torch.export.Dim("batch")
    exported = torch.export.export(module, (net(name).images(),), dynamic_shapes=({0: batch},))
    for number in (1, 2, 5):
        assert same(exported.module()(net(name).images(number)), module(net(name).images(number)))


@every_net
def test_export_with_a_dynamic_batch(name: str) -> None:
    check_exported(name)


@pytest.mark.slow
@some_of_the_zoo
def test_export_of_the_zoo(name: str) -> None:
    check_exported(name)


def check_scripted(name: str) -> None:
    module = net(name).module()
    scripted = torch.jit.script(module)
    for number in (1, 5):
        assert same(scripted(net(name).images(number)), module(net(name).images(number)))


scripted = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")


@every_net
@scripted
def test_script(name: str) -> None:
    check_scripted(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["googlenet", "densenet121", "mobilenet_v3_small", "squeezenet1_0", "small_unet"])
@scripted
def test_script_of_the_zoo(name: str) -> None:
    """Not the unpooling ones: TorchScript fails on PyTorch's own `MaxUnpool2d(2)`, too."""
    check_scripted(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [*NAMES, "googlenet", "densenet121", "mobilenet_v3_small", "squeezenet1_0", "small_unet"]
)
@pytest.mark.filterwarnings("ignore")  # the exporter and its libraries use what each other deprecates
def test_onnx_runs_to_the_same_output(name: str, tmp_path: Path) -> None:
    for library in ("onnx", "onnxscript"):
        pytest.importorskip(library)
    runtime = pytest.importorskip("onnxruntime")
    module, file = net(name).module(), tmp_path / "net.onnx"
    batch = torch.export.Dim("batch")
    torch.onnx.export(module, (net(name).images(),), file, dynamo=True, dynamic_shapes=({0: batch},), verbose=False)
    session = runtime.InferenceSession(str(file))
    for number in (1, 3):
        images = net(name).images(number)
        with torch.no_grad():
            expected = outputs(module(images))
        given = session.run(None, {session.get_inputs()[0].name: images.numpy()})
        assert len(given) == len(expected)
        for mine, theirs in zip(map(torch.from_numpy, given), expected, strict=True):
            assert torch.allclose(mine, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


# Copies, and other places


def through_pickle(module: nn.Module) -> nn.Module:
    return pickle.loads(pickle.dumps(module))


def through_a_file(module: nn.Module) -> nn.Module:
    stream = io.BytesIO()
    torch.save(module, stream)
    return torch.load(io.BytesIO(stream.getvalue()), weights_only=False)


@every_net
@pytest.mark.parametrize("copied", [through_pickle, through_a_file, copy.deepcopy])
def test_copies_are_equal_and_independent(name: str, copied: Callable[[nn.Module], nn.Module]) -> None:
    module = net(name).module()
    twin = copied(module)
    images = net(name).images()
    expected = module(images)
    assert same(twin(images), expected)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert same(module(images), expected)


@every_net
def test_made_without_storage_and_loaded_later(name: str) -> None:
    module = net(name).module()
    with torch.device("meta"):
        empty = net(name).network.module().eval()
    assert all(value.is_meta for value in (*empty.parameters(), *empty.buffers()))
    empty.to_empty(device="cpu")
    empty.load_state_dict(module.state_dict(), strict=True)
    assert same(empty(net(name).images()), module(net(name).images()))


@every_net
def test_weights_alone_are_enough(name: str) -> None:
    """A file of weights, read without running code, says all that a module knows: there is no other state."""
    module, stream = net(name).module(), io.BytesIO()
    torch.save(module.state_dict(), stream)
    torch.manual_seed(1)
    other = net(name).network.module().eval()
    assert not same(other(net(name).images()), module(net(name).images()))
    other.load_state_dict(torch.load(io.BytesIO(stream.getvalue()), weights_only=True), strict=True)
    assert same(other(net(name).images()), module(net(name).images()))


def test_a_missing_and_an_unexpected_weight_are_refused() -> None:
    module = net("gated").module()
    state = module.state_dict()
    state["fc.wieght"] = state.pop("fc.weight")
    with pytest.raises(RuntimeError, match=r"(?s)Missing key.*fc\.weight.*Unexpected key.*fc\.wieght"):
        module.load_state_dict(state, strict=True)


@every_net
def test_a_run_leaves_nothing_behind_in_use(name: str) -> None:
    module = net(name).module()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    attributes = [dict(vars(each)) for each in module.modules()]
    module(net(name).images())
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())
    assert [dict(vars(each)) for each in module.modules()] == attributes


# Formats of numbers and memory


@every_net
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_autocast(name: str, training: bool) -> None:
    module, images = net(name).module().train(training), net(name).images(4)
    with torch.no_grad():
        exact = copy.deepcopy(module)(images)
    with torch.autocast("cpu", torch.bfloat16):
        given = outputs(module(images))
    for mine, theirs in zip(given, outputs(exact), strict=True):
        assert mine.dtype == torch.bfloat16
        # 8 bits of mantissa, some tens of layers
        assert (mine.detach() - theirs).abs().max() < 0.1 * max(1.0, float(theirs.abs().max()))
    if training:
        torch.stack([each.float().mean() for each in given]).sum().backward()
        assert all(parameter.grad is not None for parameter in module.parameters())


@every_net
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_moved_to_another_type_as_a_whole(name: str, dtype: torch.dtype) -> None:
    module = net(name).module().to(dtype)
    assert all(each.dtype == dtype for each in outputs(module(net(name).images().to(dtype))))


@pytest.mark.parametrize("name", ["gated", "resnet18", "video"])
@pytest.mark.parametrize("training", [False, True], ids=["inference", "training"])
def test_channels_last_stays_so_at_every_layer(name: str, training: bool) -> None:
    layout = torch.channels_last_3d if name == "video" else torch.channels_last
    module = net(name).module().to(memory_format=layout).train(training)
    strayed: list[str] = []

    def note(path: str, each: nn.Module) -> None:
        def look(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            if output.dim() == len(net(name).extents) + 1 and not output.is_contiguous(memory_format=layout):
                strayed.append(path)

        each.register_forward_hook(look)

    for path, each in module.named_modules():
        if not list(each.children()):
            note(path, each)
    module(net(name).images().to(memory_format=layout))
    assert strayed == []


@every_net
def test_no_copy_into_another_layout(name: str) -> None:
    """Of the operators that PyTorch is asked for, none rearranges a value."""
    module, images = net(name).module(), net(name).images()
    with Operators() as operators, torch.no_grad():
        module(images)
    assert "aten::convolution" in operators.called
    assert not operators.called & {"aten::clone", "aten::copy_", "aten::_to_copy", "aten::constant_pad_nd"}


class Operators(TorchDispatchMode):
    """Notes the names of the operators that run."""

    def __init__(self) -> None:
        super().__init__()
        self.called: set[str] = set()

    def __torch_dispatch__(
        self, func: OpOverload, types: object, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> object:
        self.called.add(func.name().partition(".")[0])
        return func(*args, **(kwargs or {}))


# Weights


def test_weights_are_named_by_labels() -> None:
    names = [name for name, _ in net("gated").module().named_parameters()]
    block = ("conv1.weight", "bn1.weight", "bn1.bias", "conv2.weight", "bn2.weight", "bn2.bias")
    gate = ("squeeze.weight", "squeeze.bias", "excite.weight", "excite.bias")
    assert names == [
        *("stem.weight", "stem.bias"),
        *(f"layer1.{at}.{part}" for at in (0, 1) for part in (*block, *gate)),
        *("middle.1.weight", "middle.1.bias"),
        *(f"layer2.0.{part}" for part in (*block, *gate, "downsample.weight")),
        *(f"layer2.1.{part}" for part in (*block, *gate)),
        *("aux.1.weight", "aux.1.bias", "fc.weight", "fc.bias"),
    ]


FAN_IN, FAN_OUT = 9 * 32, 9 * 64
SPREADS = {
    # He et al. 2015, eq. 14, counted over the outputs; Glorot and Bengio 2010, eq. 16
    "kaiming": math.sqrt(2 / FAN_OUT),
    "kaiming_uniform": math.sqrt(2 / FAN_OUT),
    "xavier": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "xavier_uniform": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "normal": 0.01,
    "trunc_normal": 0.02,
    "zeros": 0.0,
    "ones": 0.0,
    # PyTorch's own: uniform within 1/sqrt(fan in)
    "default": math.sqrt(1 / (3 * FAN_IN)),
}


@pytest.mark.parametrize("way", SPREADS)
def test_weights_are_drawn_as_asked_for(way: str) -> None:
    torch.manual_seed(0)
    weight = (
        cnndsl.loads(f"INPUT 8x8x32 -> CONV3-64(init={way}) -> GAP -> FC-3").module().get_parameter("0.weight").detach()
    )
    spread, count = SPREADS[way], weight.numel()
    assert float(weight.std()) == pytest.approx(spread, rel=0.03)  # 18,432 values: 1 part in 190 is one sigma
    assert float(weight.mean()) == pytest.approx(float(way == "ones"), abs=5 * spread / math.sqrt(count))
    uniform = way.endswith("uniform") or way == "default"
    if spread:
        # A uniform distribution ends at sqrt(3) of its spread; a normal one of so many goes beyond 3.
        assert operator.le(float(weight.abs().max()), spread * 1.8) == uniform


def test_one_way_for_a_kind_and_another_for_one_layer() -> None:
    text = "default CONV(init=kaiming)\nINPUT 8x8x32 -> a: CONV3-64 -> b: CONV3-64(init=zeros) -> c: CONV3-64 -> FC-3"
    torch.manual_seed(0)
    state = cnndsl.loads(text).module().state_dict()
    assert not state["b.weight"].any()
    for name, fan_out in (("a", 9 * 64), ("c", 9 * 64)):
        assert float(state[f"{name}.weight"].std()) == pytest.approx(math.sqrt(2 / fan_out), rel=0.03)


def test_kaiming_is_that_of_torch() -> None:
    torch.manual_seed(3)
    mine = cnndsl.loads("INPUT 8x8x3 -> only: CONV3-4(init=kaiming, bias=no)").module().get_parameter("only.weight")
    torch.manual_seed(3)
    theirs = nn.Conv2d(3, 4, 3, bias=False).weight
    init.kaiming_normal_(theirs, mode="fan_out", nonlinearity="relu")
    assert torch.equal(mine, theirs)
