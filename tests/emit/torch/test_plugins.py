"""Layer types of other packages whose PyTorch is a class of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from typing import ClassVar

import pytest
import torch

import cnndsl
from cnndsl import layers
from cnndsl.emit.torch.verified import MiscompiledError
from cnndsl.layers.base import Layer, Slot, TorchCall, option
from cnndsl.records import record
from cnndsl.shape import Shape

SOURCE = '''
class Doubled(nn.Module):
    """Multiplies by two to the power of `times`."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2**self.times
'''


@record
class Doubled(Layer):
    """`DOUBLED2`: the input times 2^2."""

    NAMES: ClassVar = ("DOUBLED",)
    SIZE: ClassVar = "times"

    times: int = option("int", 1, minimum=1)

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall("Doubled", (Slot(self.times, "times"),), helper=True, source=SOURCE)


@record
class Nameless(Doubled):
    """One that forgets the source of its class."""

    NAMES: ClassVar = ("NAMELESS",)

    def torch(self, *inputs: Shape) -> TorchCall:
        return TorchCall("Nameless", (Slot(self.times, "times"),), helper=True)


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    found = [metadata.EntryPoint(name, f"{__name__}:{name}", layers.GROUP) for name in ("Doubled", "Nameless")]
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Doubled.__module__])
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == layers.GROUP else [])
    layers._plugins.cache_clear()
    yield
    layers._plugins.cache_clear()


def test_the_source_of_its_class_goes_along() -> None:
    net = cnndsl.loads("net N(k=3)\nblock B(n) = DOUBLED{n} -> RELU\nINPUT 4x4x2 -> B(k) -> DOUBLED1")
    text = net.source()
    assert text.count("class Doubled(nn.Module):") == 1
    x = torch.tensor([[[[1.0]], [[-1.0]]]]).expand(1, 2, 4, 4)
    assert torch.equal(net.module()(x), x.clamp(min=0) * 16)


def test_a_class_without_a_source_is_refused() -> None:
    net = cnndsl.loads("INPUT 4x4x2 -> NAMELESS1")
    with pytest.raises(MiscompiledError, match="Nameless"):
        net.source()
