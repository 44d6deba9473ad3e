"""Emitted modules beside torchvision's own: speed and peak memory, inference and training, as ratios.

    python benchmarks/modules.py [--device cuda] [--dtype bf16] [--channels-last] [--compile] [--batch 32] [NET ...]

The two are run in turn, each first every other time, so that a drift of the machine meets both; the speed is the
median of the ratios pair by pair (above 1: the emitted module is faster), the memory the ratio of the peaks (below 1:
it needs less). Both have the same weights. `--control` tells the error of all this: what torchvision's module scores
beside a copy of itself.
"""

from __future__ import annotations

import argparse
import copy
import gc
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import torch
from torch import nn

import cnndsl

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.oracle import torchvision

NETS = ("resnet18", "resnet50", "googlenet", "densenet121", "mobilenet_v2")
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
Run = Callable[[], None]


def main() -> None:
    options = parsed()
    print(f"torch {torch.__version__}, {device_name(options.device)}, batch {options.batch}, {options.dtype}", end="")
    print(f"{', channels last' if options.channels_last else ''}{', compiled' if options.compile else ''}")
    print(f"{'net':<14}{'mode':<11}{'ours':>11}{'theirs':>11}{'speed':>8}{'memory':>9}")
    for name in options.nets:
        for training in (False, True):
            print_row(name, training, options)


def print_row(name: str, training: bool, options: argparse.Namespace) -> None:
    ours, theirs = pair(name, training, options)
    for _ in range(options.warm_ups):
        ours(), theirs()
    times = [timed(ours, theirs, options.device, at % 2 == 1) for at in range(options.runs)]
    speed = statistics.median(their / our for our, their in times)
    our, their = (statistics.median(column) for column in zip(*times, strict=True))
    memory = least_peak(ours, options.device) / least_peak(theirs, options.device)
    mode = "training" if training else "inference"
    print(f"{name:<14}{mode:<11}{our * 1e3:>8.1f} ms{their * 1e3:>8.1f} ms{speed:>8.3f}{memory:>9.3f}", flush=True)


def pair(name: str, training: bool, options: argparse.Namespace) -> tuple[Run, Run]:
    """A run of the emitted module and one of torchvision's, with the same weights on the same images."""
    torch.manual_seed(0)
    undrawn = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    theirs = torchvision.models.get_model(name, **undrawn)
    ours = copy.deepcopy(theirs) if options.control else cnndsl.load(name).module()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(options.batch, 3, 224, 224)
    return prepared(ours, images, training, options), prepared(theirs, images, training, options)


def prepared(module: nn.Module, images: torch.Tensor, training: bool, options: argparse.Namespace) -> Run:
    dtype = DTYPES[options.dtype]
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    images = images.to(options.device, dtype, memory_format=layout)
    module = module.to(options.device, dtype, memory_format=layout).train(training)
    runner = torch.compile(module) if options.compile else module
    classes = torch.zeros(len(images), dtype=torch.int64, device=options.device)
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-6)

    def forward() -> None:
        with torch.inference_mode():
            runner(images)

    def step() -> None:
        optimizer.zero_grad()
        given = runner(images)
        outputs = [each for each in given if each is not None] if isinstance(given, tuple) else [given]
        torch.stack([nn.functional.cross_entropy(each, classes) for each in outputs]).sum().backward()
        optimizer.step()

    return step if training else forward


def timed(ours: Run, theirs: Run, device: str, theirs_first: bool) -> tuple[float, float]:
    """The seconds of both. Each goes first every other time: the second finds the caches as the first left them."""
    if theirs_first:
        their = clock(theirs, device)
        return clock(ours, device), their
    return clock(ours, device), clock(theirs, device)


def clock(run: Run, device: str) -> float:
    if device == "cuda":
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        end.synchronize()
        return start.elapsed_time(end) / 1e3
    begun = perf_counter()
    run()
    return perf_counter() - begun


def least_peak(run: Run, device: str) -> int:
    """Of three runs: the first after others still finds gradients that those left."""
    return min(peak(run, device) for _ in range(3))


def peak(run: Run, device: str) -> int:
    """The most bytes that a run allocates beyond what is there before it."""
    gc.collect()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    return peak_on_cpu(run)


def peak_on_cpu(run: Run) -> int:
    """By the profiler: every allocation and release, in order."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        run()
    level = highest = 0
    for event in sorted(
        (each for each in watched.profiler.kineto_results.events() if each.name() == "[memory]"),
        key=lambda each: each.start_ns(),
    ):
        level += event.nbytes()
        highest = max(highest, level)
    return highest


def device_name(device: str) -> str:
    return torch.cuda.get_device_name() if device == "cuda" else f"CPU, {torch.get_num_threads()} threads"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS, metavar="NET")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="fp32", choices=DTYPES)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--control", action="store_true", help="torchvision's beside itself: how far 1 is from 1 here")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--warm-ups", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()
