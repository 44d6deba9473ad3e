"""How long the analyses take, beside torchinfo, fvcore and FlopCounterMode on meta tensors, in one run.

    python benchmarks/analysis.py [--repeat 5] [NET ...]

Ours is parameters, multiply-adds, operations, receptive fields and memory of training for every layer; the others
count parameters or multiply-adds alone, on the emitted module without storage (fvcore traces with real numbers on the
CPU: its tracer fails on meta tensors under torch 2.13). "in process" leaves imports and the making of the graph or
module out, "process" is a whole process each time. Medians; ratios are theirs to ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

NETS = ("vgg16", "resnet152", "densenet201")
Counter = Callable[[], object]


def ours(net: str) -> Counter:
    """Everything that `analysis` knows of a net."""
    import cnndsl
    from cnndsl.analysis.cost import costs
    from cnndsl.analysis.memory import training
    from cnndsl.analysis.receptive_field import receptive_fields

    graph = cnndsl.load(net).graph

    def count() -> object:
        forget()
        return costs(graph), receptive_fields(graph), training(graph).peak(32)

    return count


def forget() -> None:
    """Empties our caches: what one count knows shall not help the next."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cnndsl."):
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def live(net: str, device: str = "meta") -> tuple[object, object]:
    """The live module and an image, by default without storage."""
    import torch

    import cnndsl

    network = cnndsl.load(net)
    with torch.device(device):
        module = network.module().eval()
        return module, torch.zeros(1, network.graph.input.channels, *network.graph.input.spatial)


def flop_counter(net: str) -> Counter:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    module, x = live(net)
    assert callable(module)

    def count() -> int:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            module(x)
        return counter.get_total_flops()

    return count


def torchinfo(net: str) -> Counter:
    import torchinfo

    module, x = live(net)
    return lambda: torchinfo.summary(module, input_data=[x], verbose=0, device="meta", cache_forward_pass=False)


def fvcore(net: str) -> Counter:
    from fvcore.nn import FlopCountAnalysis

    module, x = live(net, "cpu")
    return lambda: FlopCountAnalysis(module, x).unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()


TOOLS = {"cnndsl": ours, "FlopCounterMode": flop_counter, "torchinfo": torchinfo, "fvcore": fvcore}
NEEDS = {"cnndsl": "cnndsl", "FlopCounterMode": "torch", "torchinfo": "torchinfo", "fvcore": "fvcore"}


def seconds(action: Counter) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_process(tool: str, net: str, repeat: int) -> float:
    """The median time of one count, the first one, which warms caches up, left out."""
    count = TOOLS[tool](net)
    count()
    return statistics.median(seconds(count) for _ in range(repeat))


def process(tool: str, net: str, repeat: int) -> float:
    """The median time of a process that counts once."""
    command = [sys.executable, __file__, "--once", tool, net]
    return statistics.median(
        seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(repeat)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--once", metavar="TOOL", choices=TOOLS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    if options.once:
        TOOLS[options.once](options.nets[0])()
        return
    tools = [tool for tool in TOOLS if importlib.util.find_spec(NEEDS[tool])]
    missing = sorted(TOOLS.keys() - set(tools))
    if missing:
        print(f"not installed: {', '.join(missing)}")
    print(f"{'net':<14}{'tool':<18}{'in process':>12}{'ratio':>9}{'process':>12}{'ratio':>9}")
    for net in options.nets:
        base: tuple[float, float] | None = None
        for tool in tools:
            times = in_process(tool, net, options.repeat), process(tool, net, options.repeat)
            base = base or times
            cells = "".join(
                f"{1000 * mine:>9.1f} ms{mine / first:>8.1f}x" for mine, first in zip(times, base, strict=True)
            )
            print(f"{net:<14}{tool:<18}{cells}")


if __name__ == "__main__":
    main()
