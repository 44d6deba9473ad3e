"""Networks that merge a value of every turn, against modules written by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from cnndsl import loads
from cnndsl.runtime.live import module
from tests.emit.torch.checking import check, seeded

DILATIONS = [2**at for at in range(10)]
WAVENET = """\
net WaveNet(classes=256, last=512)
block Layer(d, more) = [
  x = ID
  gate = MUL(@x -> CONV3-32(dilation=d) -> TANH, @x -> CONV3-32(dilation=d) -> SIGMOID)
  skip = @gate -> CONV1-64
  res = (@x + @gate -> CONV1-32) if more else @skip
]
INPUT 256x1 -> CONV1-32 -> for d in 1, 2, 4, 8, 16, 32, 64, 128, 256, 512 [layer{d}: Layer(d, d < last)]
out = (+ @layer*.skip) -> RELU -> CONV1-64 -> RELU -> CONV1-classes
"""
DENSENET = """\
default CONV(bias=no)
block Layer = norm1: BN -> RELU -> conv1: CONV1-128 -> norm2: BN -> RELU -> conv2: CONV3-32
block Transition = norm: BN -> RELU -> conv: CONV1-{C/2} -> pool: AVGPOOL2
INPUT 64x64x3
-> conv0: CONV7-64/2 -> norm0: BN -> RELU -> start: POOL3/2(pad=1)
-> for b, n in (1, 6), (2, 12), (3, 24), (4, 16) [
  block{b}: [stem: ID -> [(@stem | @layer*) -> layer{i}: Layer]*n -> (@stem | @layer*)]
  -> [trans{b}: Transition] if b < 4
]
-> norm5: BN -> RELU -> GAP -> fc: FC-1000
"""


class WaveNet(nn.Module):
    """Gated layers of growing dilation, whose skips are added up."""

    def __init__(self) -> None:
        super().__init__()
        self.start = nn.Conv1d(1, 32, 1)
        self.filters = nn.ModuleList(nn.Conv1d(32, 32, 3, dilation=d, padding=d) for d in DILATIONS)
        self.gates = nn.ModuleList(nn.Conv1d(32, 32, 3, dilation=d, padding=d) for d in DILATIONS)
        self.skips = nn.ModuleList(nn.Conv1d(32, 64, 1) for _ in DILATIONS)
        self.residuals = nn.ModuleList(nn.Conv1d(32, 32, 1) for _ in DILATIONS[1:])
        self.head1, self.head2 = nn.Conv1d(64, 64, 1), nn.Conv1d(64, 256, 1)

    def forward(self, x: Tensor) -> Tensor:
        x, skips = self.start(x), []
        for at, (filter, gate, skip) in enumerate(zip(self.filters, self.gates, self.skips, strict=True)):
            y = torch.tanh(filter(x)) * torch.sigmoid(gate(x))
            skips.append(skip(y))
            if at < len(self.residuals):
                x = x + self.residuals[at](y)
        return self.head2(F.relu(self.head1(F.relu(sum(skips)))))

    def named(self) -> list[nn.Module]:
        """The convolutions in the order of the program."""
        rows = zip(self.filters, self.gates, self.skips, [*self.residuals, None], strict=True)
        return [self.start, *(each for row in rows for each in row if each is not None), self.head1, self.head2]


class DenseNet(nn.Module):
    """DenseNet-121 with a list of the features of a block."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64)]
        c = 64
        for b, n in enumerate((6, 12, 24, 16)):
            for at in range(n):
                w = c + 32 * at
                self.order += [nn.BatchNorm2d(w), nn.Conv2d(w, 128, 1, bias=False)]
                self.order += [nn.BatchNorm2d(128), nn.Conv2d(128, 32, 3, padding=1, bias=False)]
            c += 32 * n
            if b < 3:
                self.order += [nn.BatchNorm2d(c), nn.Conv2d(c, c // 2, 1, bias=False)]
                c //= 2
        self.order += [nn.BatchNorm2d(c), nn.Linear(c, 1000)]
        self.all = nn.ModuleList(self.order)

    def forward(self, x: Tensor) -> Tensor:
        steps = iter(self.order)
        x = next(steps)(x)
        x = F.max_pool2d(F.relu(next(steps)(x)), 3, 2, 1)
        for b, n in enumerate((6, 12, 24, 16)):
            features = [x]
            for _ in range(n):
                y = next(steps)(torch.cat(features, 1))
                y = next(steps)(F.relu(y))
                y = next(steps)(y)
                features.append(next(steps)(F.relu(y)))
            x = torch.cat(features, 1)
            if b < 3:
                x = next(steps)(x)
                x = F.avg_pool2d(next(steps)(F.relu(x)), 2)
        x = F.relu(next(steps)(x)).mean((2, 3))
        return next(steps)(x)


def compare(text: str, theirs: nn.Module, order: list[nn.Module], x: Tensor) -> None:
    """Outputs and gradients of a program's module and of one that was written by hand, with the same weights."""
    ours = seeded(module(loads(text).graph)).double()
    leaves = [each for each in ours.modules() if isinstance(each, nn.Conv1d | nn.Conv2d | nn.BatchNorm2d | nn.Linear)]
    assert len(leaves) == len(order)
    for mine, other in zip(leaves, order, strict=True):
        other.load_state_dict(mine.state_dict())
    theirs.double()
    for mode in (False, True):
        ours.train(mode), theirs.train(mode)
        results: list[list[Tensor]] = []
        for network, modules in ((ours, leaves), (theirs, order)):
            network.zero_grad()
            y = network(x)
            y.square().mean().backward()
            results.append([y, *(p.grad for each in modules for p in each.parameters() if p.grad is not None)])
        assert len(results[0]) == len(results[1])
        for a, b in zip(*results, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-8, atol=1e-10)


def test_wavenet() -> None:
    theirs = WaveNet()
    compare(WAVENET, theirs, theirs.named(), torch.rand(2, 1, 256).double())
    # A layer: two of 3*32*32 + 32, skip 32*64 + 64, residual 32*32 + 32; the last one has no residual.
    each = 2 * (3 * 32 * 32 + 32) + 32 * 64 + 64
    params = (32 + 32) + 10 * each + 9 * (32 * 32 + 32) + (64 * 64 + 64) + (64 * 256 + 256)
    assert loads(WAVENET).stats().totals.params == params


def test_densenet() -> None:
    theirs = DenseNet()
    compare(DENSENET, theirs, theirs.order, torch.rand(2, 3, 64, 64).double())
    assert loads(DENSENET).stats().totals.params == 7_978_856  # torchvision's densenet121


class Pieces(nn.Module):
    """Two turns of a normalisation and a convolution, in two lists; everything that they give, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.bns = nn.ModuleList([nn.BatchNorm2d(3), nn.BatchNorm2d(3)])
        self.convs = nn.ModuleList([nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)])

    def forward(self, x: Tensor) -> Tensor:
        normed, convolved = [], []
        for bn, conv in zip(self.bns, self.convs, strict=True):
            normed.append(bn(x))
            x = conv(normed[-1])
            convolved.append(x)
        return torch.cat([*convolved, *normed], 1)


def test_parts_of_a_module_in_pieces() -> None:
    theirs = Pieces()
    text = "INPUT 8x8x3 -> [bns.{i - 1}: BN -> convs.{i - 1}: CONV3-3]*2 -> (@convs.* | @bns.*)"
    compare(text, theirs, [*theirs.bns, *theirs.convs], torch.rand(4, 3, 8, 8).double())
    assert set(module(loads(text).graph).state_dict()) == set(theirs.state_dict())


def test_small_programs() -> None:
    check("INPUT 8x8x3 -> s: CONV3-8 -> [layer{i}: [(@s | @layer*) -> BN -> RELU -> CONV3-4]]*4 -> (@s | @layer*)")
    check("INPUT 8x8x3 -> [u{i}: CONV3-8]*3 -> MEAN(@u*)")
    check("INPUT 8x8x3 -> a: CONV3-8\nb = [[x{i} = @a -> CONV3-8 -> RELU]*3 y = MAX(@x*)] -> FC-3")
    check("INPUT 8x8x3 -> for s in 1..2 [stage{s}: [[u{i}: [v: CONV3-8 -> RELU]]*2]] -> (ID + @stage*.u*.v)")
