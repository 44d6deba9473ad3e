"""The zoo's networks that torchvision lacks, against modules written down from their papers: weights and outputs.

Modules of the reference are registered in the order of the drawing: what stands ahead of the branches, the branch
with weights, the skip, what stands behind. So weights are handed over by their place, and every shape is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

import cnndsl
from tests.oracle import torchvision
from tests.zoo.test_torch import drawn

Unit = Callable[[int, int, int], nn.Module]
"""A unit for the channels that enter, the width and the stride."""


def conv(entering: int, filters: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Conv2d(entering, filters, kernel, stride, kernel // 2, groups=groups, bias=False)


def act(channels: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), nn.ReLU()]


def chain(*parts: nn.Module | list[nn.Module]) -> nn.Module:
    return nn.Sequential(*(each for part in parts for each in (part if isinstance(part, list) else [part])))


class Residual(nn.Module):
    """y = after(F(ahead(x)) + skip(ahead(x)))."""

    def __init__(self, ahead: nn.Module, body: nn.Module, skip: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.ahead, self.body, self.skip, self.after = ahead, body, skip, after

    def forward(self, x: Tensor) -> Tensor:
        x = self.ahead(x)
        return self.after(self.body(x) + self.skip(x))


class Padded(nn.Module):
    """Shortcut A: every s-th pixel, and zeros for the new channels. He et al. 2015, Section 3.3."""

    def __init__(self, added: int, stride: int) -> None:
        super().__init__()
        self.added, self.stride = added, stride

    def forward(self, x: Tensor) -> Tensor:
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.added))


def stages(unit: Unit, entering: int, leaving: tuple[int, ...], n: int) -> Iterator[nn.Module]:
    """Three stages of n units; the second and the third halve the map."""
    for stage, width in enumerate(leaving):
        for turn in range(n):
            yield unit(entering, width, 2 if stage and not turn else 1)
            entering = width


def skip_a(entering: int, c: int, stride: int) -> nn.Module:
    return nn.Identity() if entering == c else Padded(c - entering, stride)


def skip_b(entering: int, c: int, stride: int) -> nn.Module:
    return nn.Identity() if entering == c else chain(conv(entering, c, 1, stride), nn.BatchNorm2d(c))


def head(channels: int, classes: int = 10) -> nn.Module:
    return chain(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, classes))


def cifar_resnet(n: int, skip: Unit) -> nn.Module:
    """He et al. 2015, Section 4.2."""

    def unit(entering: int, c: int, s: int) -> nn.Module:
        body = chain(conv(entering, c, 3, s), act(c), conv(c, c), nn.BatchNorm2d(c))
        return Residual(nn.Identity(), body, skip(entering, c, s), nn.ReLU())

    return chain(conv(3, 16), act(16), list(stages(unit, 16, (16, 32, 64), n)), head(64))


def two_layers(entering: int, c: int, s: int) -> nn.Module:
    """He et al. 2016, Figure 1, without what is before the first convolution."""
    return chain(conv(entering, c, 3, s), act(c), conv(c, c))


def ordered(order: int, n: int, widths: tuple[int, ...] = (16, 32, 64), middle: Unit = two_layers) -> nn.Module:
    """He et al. 2016, Figure 4 (a) to (e); the appendix: what is before the first unit and behind the last."""
    count = 0

    def unit(entering: int, c: int, s: int) -> nn.Module:
        nonlocal count
        count += 1
        ahead = {4: [nn.ReLU()], 5: act(entering)}.get(order, []) if count > 1 else []
        behind = {1: [nn.BatchNorm2d(c)], 3: act(c), 4: [nn.BatchNorm2d(c)]}.get(order, [])
        after = {1: [nn.ReLU()], 2: act(c)}.get(order, [])
        return Residual(
            nn.Identity(), chain(ahead, middle(entering, c, s), behind), skip_a(entering, c, s), chain(after)
        )

    last = widths[-1]
    end = {4: [nn.ReLU()], 5: act(last)}.get(order, [])
    return chain(conv(3, 16), act(16), list(stages(unit, 16, widths, n)), end, head(last))


def preactivated(body: Unit, entering: int, widths: tuple[int, ...], n: int) -> nn.Module:
    """Units whose new widths project what BN and ReLU give, as in the authors' code of both papers below."""

    def unit(entering: int, c: int, s: int) -> nn.Module:
        inner, first = body(entering, c, s), chain(act(entering))
        if entering == c:
            return Residual(nn.Identity(), chain(first, inner), nn.Identity(), nn.Identity())
        return Residual(first, inner, conv(entering, c, 1, s), nn.Identity())

    last = widths[-1]
    return chain(conv(3, entering), list(stages(unit, entering, widths, n)), act(last), head(last))


def bottleneck(entering: int, c: int, s: int) -> nn.Module:
    """He et al. 2016, without its first activation."""
    return chain(conv(entering, c // 4, 1, s), act(c // 4), conv(c // 4, c // 4), act(c // 4), conv(c // 4, c, 1))


def basic(entering: int, c: int, s: int) -> nn.Module:
    """Zagoruyko & Komodakis 2016, Figure 1 (d), without its first activation."""
    return chain(conv(entering, c, 3, s), act(c), nn.Dropout(0.3), conv(c, c))


def cifar_densenet(n: int, k: int) -> nn.Module:
    """torchvision's blocks behind the stem that the paper has for CIFAR."""
    net = torchvision.models.DenseNet(k, (n, n, n), 2 * k, num_classes=10)
    net.features.conv0 = conv(3, 2 * k)
    for name in ("norm0", "relu0", "pool0"):
        setattr(net.features, name, nn.Identity())
    return net


class Gate(nn.Module):
    """Hu et al. 2017, Figure 3."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze, self.excite = nn.Linear(channels, channels // 16), nn.Linear(channels // 16, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(torch.relu(self.squeeze(F.adaptive_avg_pool2d(x, 1).flatten(1)))))
        return x * gate[:, :, None, None]


def se_resnet50() -> nn.Module:
    """torchvision's ResNet-50 with a gate at the end of each residual branch."""
    net = torchvision.models.get_model("resnet50")
    for module in net.modules():
        if isinstance(module, torchvision.models.resnet.Bottleneck):
            module.bn3 = nn.Sequential(module.bn3, Gate(module.bn3.num_features))
    return net


def mobilenet_v1() -> nn.Module:
    """Howard et al. 2017, Table 1, whose last stride of 2 (at 7x7, giving 7x7) can only be 1."""
    rows = [(32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1), (256, 512, 2)]
    rows += [(512, 512, 1)] * 5 + [(512, 1024, 2), (1024, 1024, 1)]
    units = [chain(conv(a, a, 3, s, a), act(a), conv(a, b, 1), act(b)) for a, b, s in rows]
    return chain(conv(3, 32, 3, 2), act(32), units, head(1024, 1000))


CASES: dict[str, tuple[str, dict[str, object], Callable[[], nn.Module], int]] = {
    "shortcut A": ("cifar_resnet", {"layers": 20}, lambda: cifar_resnet(3, skip_a), 32),
    "shortcut B": ("cifar_resnet", {"layers": 20, "projection": True}, lambda: cifar_resnet(3, skip_b), 32),
    **{
        f"order {order}": ("resnet_orders", {"layers": 20, "order": order}, lambda order=order: ordered(order, 3), 32)
        for order in range(1, 6)
    },
    **{
        f"order {order} at 164": (
            "resnet_orders",
            {"layers": 164, "order": order},
            lambda order=order: ordered(order, 18, (64, 128, 256), bottleneck),
            32,
        )
        for order in range(1, 6)
    },
    "preact_resnet": ("preact_resnet", {}, lambda: preactivated(bottleneck, 16, (64, 128, 256), 18), 32),
    "WRN-16-2": ("wrn", {"layers": 16, "k": 2, "dropout": 0.3}, lambda: preactivated(basic, 16, (32, 64, 128), 2), 32),
    "WRN-16-1": ("wrn", {"layers": 16, "k": 1}, lambda: preactivated(basic, 16, (16, 32, 64), 2), 32),
    "cifar_densenet": ("cifar_densenet", {}, lambda: cifar_densenet(16, 12), 32),
    "se_resnet50": ("se_resnet50", {}, se_resnet50, 64),
    "mobilenet_v1": ("mobilenet_v1", {}, mobilenet_v1, 64),
}


@pytest.mark.parametrize("case", CASES)
def test_outputs_are_those_of_the_paper(case: str) -> None:
    net, parameters, reference, side = CASES[case]
    with torch.device("meta"):
        theirs = reference().eval()
        ours = cnndsl.load(net, **parameters).module().eval()
    state = dict(drawn(theirs.state_dict(), seed=1))
    names = list(ours.state_dict())
    shapes = [each.shape for each in ours.state_dict().values()]
    assert shapes == [each.shape for each in state.values()]
    theirs.load_state_dict(state, assign=True)
    ours.load_state_dict(dict(zip(names, state.values(), strict=True)), assign=True)
    x = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(2))
    with torch.inference_mode():
        expected = theirs(x)
        assert expected.std() > 1e-3
        torch.testing.assert_close(ours(x), expected)
