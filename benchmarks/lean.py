"""Each habit of the emitted code, measured against the same network without it, on the CPU.

    python benchmarks/lean.py [--batch 4] [--runs 7] [NET ...]

A row is a habit on a net: the peak memory and the time of a forward pass (or a training step) without the habit, as
multiples of the emitted module's. 1.00 says that the habit gains nothing there, 2.00 that to go without costs twice as
much. Peaks are bytes that PyTorch allocates beyond weights and images, counted and not sampled: they are exact. Times
are medians of ratios, run in turn.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

import cnndsl

sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.modules import clock, least_peak

NETS = ("vgg16_bn", "resnet50", "googlenet", "densenet121", "mobilenet_v2")
Rewrite = Callable[[nn.Module], nn.Module]


def main() -> None:
    options = parsed()
    print(f"torch {torch.__version__}, CPU, {torch.get_num_threads()} threads, batch {options.batch}, 224x224")
    print(f"{'without':<34}{'net':<14}{'mode':<11}{'peak':>9}{'memory':>9}{'time':>7}")
    for label, (rewrite, trains) in HABITS.items():
        for name in options.nets:
            print_row(label, rewrite, name, trains, options)


def print_row(label: str, rewrite: Rewrite, name: str, trains: bool, options: argparse.Namespace) -> None:
    torch.manual_seed(0)
    module = cnndsl.load(name).module()
    other = rewrite(copy.deepcopy(module))
    images = torch.rand(options.batch, 3, 224, 224)
    mine, theirs = running(module, images, trains), running(other, images, trains)
    assert trains or torch.allclose(module.eval()(images), other.eval()(images), rtol=1e-3, atol=1e-4), label
    mine(), theirs()
    least, more = least_peak(mine, "cpu"), least_peak(theirs, "cpu")
    times = [clock(theirs, "cpu") / clock(mine, "cpu") for _ in range(options.runs)]
    mode = "training" if trains else "inference"
    ratios = f"{more / least:>9.2f}{statistics.median(times):>7.2f}"
    print(f"{label:<34}{name:<14}{mode:<11}{least / 1e6:>6.0f} MB{ratios}", flush=True)


def running(module: nn.Module, images: Tensor, trains: bool) -> Callable[[], None]:
    module.train(trains)

    def forward() -> None:
        with torch.inference_mode():
            module(images)

    def step() -> None:
        module.zero_grad()
        given = module(images)
        outputs = given if isinstance(given, tuple) else (given,)
        torch.stack([each.square().mean() for each in outputs]).sum().backward()

    return step if trains else forward


# What is taken away


class Keeping(fx.Interpreter):
    """Runs a forward pass as it was traced and keeps all that it made until the end."""

    def __init__(self, module: nn.Module, tracer: fx.Tracer) -> None:
        super().__init__(fx.GraphModule(module, tracer.trace(module)), garbage_collect_values=False)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.run(x)
        # Up to the end, and no further.
        self.env.clear()
        self.args_iter = iter(())
        return result


def keeping_all_values(module: nn.Module) -> nn.Module:
    """Every value of the net lives until its `forward` returns."""
    keeping = Keeping(module.eval(), fx.Tracer())
    module.forward = keeping.forward
    return module


def keeping_names_in_blocks(module: nn.Module) -> nn.Module:
    """Every value of a block lives until the block returns, as with a new name on each line: conv1, bn1, relu1."""
    for each in module.eval().modules():
        if type(each).__module__ == type(module).__module__:
            each.forward = Keeping(each, Shallow()).forward
    return module


class Shallow(fx.Tracer):
    """Traces one forward pass alone: what it calls stays a call."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return True


def not_in_place(module: nn.Module) -> nn.Module:
    """Activations and sums into memory of their own."""
    for each in module.modules():
        if hasattr(each, "inplace"):
            each.inplace = False  # pyright: ignore[reportAttributeAccessIssue]
    return module


class PaddedBefore(nn.Module):
    """A convolution of a padded copy."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        (above, aside) = (int(each) for each in convolution.padding)
        self.pads = [aside, aside, above, above]
        self.convolution = convolution
        convolution.padding = (0, 0)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolution(functional.pad(x, self.pads))


def padding_before(module: nn.Module) -> nn.Module:
    """Padding as a step of its own in front of each convolution."""
    return replaced(module, lambda each: isinstance(each, nn.Conv2d) and any(each.padding), PaddedBefore)


def idle_pooling(module: nn.Module) -> nn.Module:
    """A pooling of one pixel behind each convolution: what an emitter without care writes for a pooling left out."""
    return replaced(module, lambda each: isinstance(each, nn.Conv2d), lambda each: nn.Sequential(each, nn.MaxPool2d(1)))


def replaced(module: nn.Module, wanted: Callable[[nn.Module], bool], by: Callable[..., nn.Module]) -> nn.Module:
    for name, child in list(module.named_children()):
        setattr(module, name, by(child) if wanted(child) else replaced(child, wanted, by))
    return module


HABITS: dict[str, tuple[Rewrite, bool]] = {
    "names let go, in the whole net": (keeping_all_values, False),
    "names let go, in a block": (keeping_names_in_blocks, False),
    "in-place activations": (not_in_place, False),
    "in-place activations, in training": (not_in_place, True),
    "padding inside the convolution": (padding_before, False),
    "padding inside, in training": (padding_before, True),
    "idle poolings left out": (idle_pooling, False),
}


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS, metavar="NET")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--runs", type=int, default=7)
    return parser.parse_args()


if __name__ == "__main__":
    main()
