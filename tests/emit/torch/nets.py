"""Networks whose emitted modules are put to use: few, small, and with everything that `forward` can contain."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor, nn

import cnndsl
from tests.analysis.nets import NETS
from tests.emit.torch.programs import COLLECTED

GATED = """
net Gated(classes=10)
block Gated(c, s=1) = (
    conv1: CONV3-c/s(bias=no) -> bn1: BN -> RELU
    -> conv2: CONV3-c(bias=no) -> bn2: BN
    -> MUL(ID, GAP -> squeeze: CONV1-{c/4} -> RELU -> excite: CONV1-c -> SIGMOID)
  + ID or downsample: CONV1-c/s(bias=no)
) -> RELU
INPUT 16x16x3 -> stem: CONV3-16
-> layer1: [Gated(16)*2] -> tap middle: [GAP -> FC-4]
-> layer2: [Gated(32, 2) -> Gated(32)] -> tap aux(train): [GAP -> FC-5]
-> GAP -> fc: FC-classes
"""

SIGNAL = "INPUT 64x2 -> CONV9-8/2 -> BN -> RELU -> (CONV3-8 | POOL3/1(pad=same)) -> LN -> RELU -> GAP -> FC-3"

VIDEO = "INPUT 4x12x12x3 -> CONV3-8 -> BN -> RELU -> POOL2 -> (CONV3-8 -> BN + ID) -> RELU -> GAP -> FC-3"


@dataclass(frozen=True)
class Net:
    """A network, and the extents of an image that it is given."""

    network: cnndsl.Network
    extents: tuple[int, ...]

    def module(self) -> nn.Module:
        """The emitted module, seeded, as in use."""
        torch.manual_seed(0)
        return self.network.module().eval()

    def images(self, number: int = 2) -> Tensor:
        return torch.rand(number, *self.extents, generator=torch.Generator().manual_seed(number))


NAMES = ("gated", "resnet18", "signal", "video", "collected")


@cache
def net(name: str) -> Net:
    if name == "resnet18":
        return Net(cnndsl.load(name, classes=10), (3, 64, 64))
    texts = {**NETS, "gated": GATED, "signal": SIGNAL, "video": VIDEO, "collected": COLLECTED}
    network = cnndsl.loads(texts[name]) if name in texts else cnndsl.load(name)
    entry = network.graph.input
    return Net(network, (entry.channels, *entry.spatial))


def outputs(given: object) -> list[Tensor]:
    """What a module gives, as a list."""
    each = given if isinstance(given, tuple) else (given,)
    return [value for value in each if isinstance(value, Tensor)]


def loss(given: object) -> Tensor:
    return torch.stack([output.square().mean() for output in outputs(given)]).sum()
