"""How long the figures of a network take, beside torchinfo, FlopCounterMode and fvcore, in one run.

    python benchmarks/analysis.py [--runs 7] [NET ...]

Like is held against like. Two questions: of something that is there already (our graph; their built module) and from
nothing (our text, read, elaborated and checked; their module, built by its class and then counted; the class is that
of the emitted source, already imported). Two amounts:
`counts` are parameters and multiply-adds, which is what the others give; `all` adds, of ours, elementwise operations,
receptive fields, memory of training, and holds the asserts of the file. Modules are built and run on the meta device,
without storage, or on the CPU with weights and one image, as these tools are mostly called (fvcore on the CPU alone:
its tracer fails on meta tensors). One thread; times are of the processor, in turns; our caches are emptied each time,
so that no count helps the next. Ratios are medians, theirs to ours.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import sys
import tempfile
import warnings
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path

from clock import Times, in_turns, process, timed

import cnndsl
from cnndsl.analysis.execution import unknown

NETS = ("vgg16", "resnet50", "resnet152", "densenet201")
COUNTERS = {"torchinfo": "torchinfo", "FlopCounterMode": "torch", "fvcore": "fvcore"}
Action = Callable[[], object]


def forget() -> None:
    """Empties our caches of facts; those of tables, which do not depend on a network, have no size and stay."""
    for name, module in list(sys.modules.items()):
        if name.startswith("cnndsl."):
            for value in vars(module).values():
                if hasattr(value, "cache_parameters") and value.cache_parameters()["maxsize"] is not None:
                    value.cache_clear()


def ours(net: str) -> dict[str, Action]:
    from cnndsl.analysis.assertions import check
    from cnndsl.analysis.cost import costs, network_total
    from cnndsl.analysis.memory import training
    from cnndsl.analysis.receptive_field import receptive_fields
    from cnndsl.elaborate.program import elaborate
    from cnndsl.finding import find, used
    from cnndsl.graph import Graph
    from cnndsl.syntax.parse import parse

    source = find(net)

    def read() -> Graph:
        return elaborate(parse(source), {}, used)

    def counts(graph: Graph) -> object:
        return network_total(graph, costs(graph))

    def everything(graph: Graph) -> object:
        return counts(graph), receptive_fields(graph), training(graph).peak(1)

    def checked() -> Graph:
        graph = read()
        assert not check(graph, unknown)
        return graph

    graph = read()
    return {
        "graph, counts": lambda: counts(graph),
        "graph, all": lambda: everything(graph),
        "text, counts": lambda: counts(read()),
        "text, all": lambda: everything(checked()),
    }


def written(net: str, folder: str) -> tuple[str, str]:
    """A file with the emitted source, and the name of the network's class in it."""
    network = cnndsl.load(net)
    file = Path(folder, f"{net}.py")
    file.write_text(network.source(), encoding="utf-8")
    return str(file), type(network.module()).__name__


@cache
def imported(file: str, name: str) -> Action:
    spec = importlib.util.spec_from_file_location("emitted", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def built(file: str, name: str, device: str) -> object:
    """The module with its initial weights, in evaluation mode."""
    import torch

    with torch.device(device):
        return imported(file, name)().eval()


def count(counter: str, module: object, device: str) -> object:
    """What another tool finds out about a module."""
    import torch

    image = torch.zeros(1, 3, 224, 224, device=device)
    assert isinstance(module, torch.nn.Module)
    if counter == "torchinfo":
        import torchinfo

        return torchinfo.summary(module, input_data=[image], verbose=0, device=device, cache_forward_pass=False)
    if counter == "fvcore":
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(module, image)
        return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).total()
    from torch.utils.flop_counter import FlopCounterMode

    with torch.no_grad(), FlopCounterMode(display=False) as mode:
        module(image)
    return mode.get_total_flops(), sum(each.numel() for each in module.parameters())


def theirs(file: str, name: str, device: str) -> dict[str, Action]:
    import torch

    torch.set_num_threads(1)
    module = built(file, name, device)
    actions: dict[str, Action] = {}
    for counter in available(device):
        actions[f"{counter}, module on {device}"] = lambda c=counter: count(c, module, device)
        actions[f"{counter}, built on {device}"] = lambda c=counter: count(c, built(file, name, device), device)
    return actions


def available(device: str = "cpu") -> list[str]:
    """The tools that are installed and work on a device."""
    installed = [counter for counter, module in COUNTERS.items() if importlib.util.find_spec(module)]
    return [counter for counter in installed if device == "cpu" or counter != "fvcore"]


def in_process(net: str, runs: int) -> None:
    """Each device by itself: the gigabytes that the CPU's modules take and give back slow down what comes next."""
    print(f"\n{net + ', in process':<34}{'least':>11}{'median':>11}{'counts':>9}{'all':>9}")
    mine = ours(net)
    with tempfile.TemporaryDirectory() as folder:
        file, name = written(net, folder)
        for device, turns in (("meta", runs), ("cpu", min(runs, 3))):
            every = mine | theirs(file, name, device)
            actions = {name: lambda action=action: timed(action, forget) for name, action in every.items()}
            print_times(in_turns(actions, turns), () if device == "meta" else mine, mine)


def print_times(times: dict[str, Times], hidden: Collection[str], mine: Collection[str]) -> None:
    for name, each in times.items():
        if name in hidden:
            continue
        start = "graph" if "module" in name else "text"
        ratios = "" if name in mine else _ratios(each, times[f"{start}, counts"], times[f"{start}, all"])
        print(f"{name:<34}{each.least * 1e3:>8.2f} ms{each.median * 1e3:>8.2f} ms{ratios}")


def _ratios(each: Times, *peers: Times) -> str:
    return "".join(f"{each.to(peer):>8.1f}x" for peer in peers)


def processes(net: str, runs: int) -> None:
    """Whole processes: the command, and a script that builds on the meta device and counts."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as code:
        file, name = written(net, folder)
        commands = {"cnndsl stats": ["-m", "cnndsl", "stats", net]}
        commands |= {
            f"{counter}, built on {device}": [str(Path(__file__).resolve()), "--once", counter, device, file, name]
            for device in ("meta", "cpu")
            for counter in available(device)
        }
        times = in_turns(
            {
                name: lambda command=command: process(command, folder, code).seconds
                for name, command in commands.items()
            },
            runs,
        )
    print(f"\n{net + ', whole processes':<34}{'least':>11}{'median':>11}{'ratio':>9}")
    for name, each in times.items():
        ratio = "" if name == "cnndsl stats" else _ratios(each, times["cnndsl stats"])
        print(f"{name:<34}{each.least * 1e3:>8.0f} ms{each.median * 1e3:>8.0f} ms{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--once", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable()
    if options.once:
        counter, device, file, name = options.once
        count(counter, built(file, name, device), device)
        return
    missing = sorted(COUNTERS.keys() - set(available()))
    if missing:
        print(f"not installed: {', '.join(missing)}")
    for net in options.nets:
        in_process(net, options.runs)
    for net in options.nets:
        processes(net, min(options.runs, 3))


if __name__ == "__main__":
    main()
