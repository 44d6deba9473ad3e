"""The modules that PyTorch lacks: well-formed, and as usable as PyTorch's own."""

from __future__ import annotations

import copy
import importlib.util
import io
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from cnndsl.layers import HELPERS

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
"""PyTorch says once that an even kernel costs a copy."""

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
EXAMPLES = {
    **{
        name: example
        for n in (1, 2, 3)
        for name, example in {
            f"PaddedConv{n}d": (f"3, 4, 2, pads={(0, 1) * n}, stride=2, bias=False", (3, *(5,) * n)),
            f"SameConv{n}d": ("3, 4, 2, stride=2, bias=False", (3, *(5,) * n)),
            f"StdConv{n}d": ("3, 4, 3, padding=1, padding_mode='circular'", (3, *(5,) * n)),
            f"ScaledStdConv{n}d": ("3, 4, 2, padding='same', gamma=1.7, bias=False", (3, *(5,) * n)),
            f"SameStdConv{n}d": ("3, 4, 3, stride=2", (3, *(6,) * n)),
            f"SameScaledStdConv{n}d": ("4, 4, 4, stride=3, groups=2", (4, *(5,) * n)),
            f"SameMaxPool{n}d": ("3, 2, dilation=2", (3, *(6,) * n)),
            f"SameAvgPool{n}d": ("2, 3, count_include_pad=False", (3, *(5,) * n)),
            f"BlurPool{n}d": ("4, 3", (3, *(5,) * n)),
            f"PaddedMaxPool{n}d": (f"2, stride=1, pads={(0, 1) * n}, dilation=2", (3, *(5,) * n)),
            f"PaddedAvgPool{n}d": (f"2, stride=1, pads={(0, 1) * n}, count_include_pad=False", (3, *(5,) * n)),
            f"PaddedLPPool{n}d": (f"2, 2, stride=1, pads={(0, 1) * n}", (3, *(5,) * n)),
            f"PaddedSumPool{n}d": (f"2, stride=1, pads={(0, 1) * n}", (3, *(5,) * n)),
            f"Crop{n}d": ("1, after=2", (3, *(5,) * n)),
            f"CropTo{n}d": (f"{(4, 3, 2)[:n]}", (3, *(5,) * n)),
            f"PositionResponseNorm{n}d": ("3, alpha=0.5", (3, *(5,) * n)),
            f"PadTo{n}d": (f"{(6, 7, 8)[:n]}", (3, *(5,) * n)),
            f"PointwiseLinear{n}d": ("3, 4, bias=False", (3, *(5,) * n)),
            f"PadChannels{n}d": ("3, 6, stride=2, where='both'", (3, *(5,) * n)),
        }.items()
        if name in HELPERS
    },
    "ChannelConv": ("3, bias=True", (5, 1, 1)),
    "ChannelMax": ("", (3, 5, 4)),
    "ChannelMean": ("", (3, 5, 4)),
    "ChannelNorm": ("3", (3, 5, 4)),
    "DepthToSpace": ("2", (8, 3, 2)),
    "DropPath": ("0.5", (3, 5, 4)),
    "FlattenChannelsLast": ("", (3, 5, 4)),
    "FilterResponseNorm": ("3", (3, 5, 4)),
    "GlobalResponseNorm": ("3", (3, 5, 4)),
    "ChannelRMSNorm": ("3, deviation=True", (3, 5, 4)),
    "EvoNorm": ("6, groups=2", (6, 5, 4)),
    "L2Norm": ("3, affine=True", (3, 5, 4)),
    "LocallyConnected": ("3, 4, (2, 2), (5, 4), stride=(1, 1), pads=(0, 1, 0, 1)", (3, 5, 4)),
    "Permute": ("(0, 3, 1, 2)", (3, 5, 4)),
    "Pick": ("(0, 2)", (3, 5)),
    "RadialBasis": ("12, 10", (12,)),
    "Reorg": ("2", (8, 4, 6)),
    "Reshape": ("(4, 3, 2)", (2, 3, 4)),
    "ReshapeChannelsLast": ("(2, 3, 4)", (24,)),
    "RadixSoftmax": ("3, groups=2", (6, 5, 4)),
    "Scale": ("3, init=0.5", (3, 5, 4)),
    "Times": ("0.17", (3, 5)),
    "ScaledTanh": ("1.7159, 0.6667", (3, 5)),
    "SpaceToDepth": ("2", (3, 4, 6)),
    "Slice": ("1, 3", (3, 5)),
    "StarReLU": ("scale=0.5", (3, 5)),
    "SumPool1d": ("2, 2, pads=(0, 1)", (3, 5)),
}
every_helper = pytest.mark.parametrize("name", sorted(HELPERS))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("emitted") / "helpers_as_emitted.py"
    file.write_text(HEAD + "\n\n".join(HELPERS.values()), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def emitted(path: Path) -> ModuleType:
    """All helpers in one file, imported as a user would."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _example(emitted: ModuleType, name: str) -> tuple[nn.Module, torch.Tensor]:
    arguments, shape = EXAMPLES[name]
    torch.manual_seed(0)
    module = eval(f"{name}({arguments})", vars(emitted))
    return module, torch.randn(2, *shape)


def _same(module: nn.Module, other: nn.Module, x: torch.Tensor) -> None:
    torch.manual_seed(1)
    expected = module(x)
    torch.manual_seed(1)
    torch.testing.assert_close(other(x), expected)


def test_every_helper_has_an_example() -> None:
    assert set(EXAMPLES) == set(HELPERS)


@pytest.mark.parametrize("command", [["format", "--check"], ["check", "--select", "E,F,W,I,UP,B,SIM,RUF"]])
def test_as_ruff_has_it(path: Path, command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@every_helper
def test_has_a_docstring_and_types(emitted: ModuleType, name: str) -> None:
    helper = getattr(emitted, name)
    assert helper.__doc__
    assert helper.forward.__annotations__["return"] is torch.Tensor


@every_helper
@pytest.mark.parametrize("training", [True, False])
def test_scripts(emitted: ModuleType, name: str, training: bool) -> None:
    module, x = _example(emitted, name)
    module.train(training)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        _same(module, torch.jit.script(module), x)


@every_helper
def test_pickles_and_copies(emitted: ModuleType, name: str) -> None:
    module, x = _example(emitted, name)
    _same(module, pickle.loads(pickle.dumps(module)), x)
    _same(module, copy.deepcopy(module), x)


@every_helper
def test_is_one_graph_with_a_free_batch(emitted: ModuleType, name: str) -> None:
    module, x = _example(emitted, name)
    _same(module, torch.compile(module, fullgraph=True, backend="eager"), x)
    program = torch.export.export(module.eval(), (x,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    more = torch.cat([x, x, x])
    torch.testing.assert_close(program.module()(more), module(more))


@every_helper
def test_loads_its_own_weights(emitted: ModuleType, name: str) -> None:
    module, x = _example(emitted, name)
    other, _ = _example(emitted, name)
    for tensor in other.state_dict().values():
        tensor.zero_()
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    other.load_state_dict(torch.load(file, weights_only=True), strict=True)
    _same(module, other, x)


@every_helper
def test_channels_last_gives_the_same(emitted: ModuleType, name: str) -> None:
    module, x = _example(emitted, name)
    if x.dim() != 4:
        return
    _same(module, module, x)
    torch.manual_seed(1)
    expected = module(x)
    torch.manual_seed(1)
    torch.testing.assert_close(module(x.to(memory_format=torch.channels_last)), expected)


@every_helper
def test_is_made_on_the_meta_device(emitted: ModuleType, name: str) -> None:
    with torch.device("meta"):
        module, x = _example(emitted, name)
        assert module(x).device.type == "meta"


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_channels_are_not_padded_to_fewer(emitted: ModuleType, rank: int) -> None:
    """The compiler refuses it (E0308), so the class does."""
    made = getattr(emitted, f"PadChannels{rank}d")
    with pytest.raises(ValueError, match="6 channels cannot hold 10"):
        made(10, 6)
    assert made(6, 6)(torch.ones(1, 6, *(3,) * rank)).shape == (1, 6, *(3,) * rank)
