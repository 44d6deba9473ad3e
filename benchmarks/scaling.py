"""How time and memory grow with the number of layers, from 100 to 100,000: every pass should be linear.

    python benchmarks/scaling.py [--most 100000]

Four nets, each written out and each as a repeat: a chain, residual blocks, dense blocks, inception blocks. Every row
is a process of its own; times are milliseconds of the processor for 1,000 layers, so that a linear pass shows the same
figure in each row. Memory is the most that the process held, beyond what it held before it read the program. At last
the commands on the longest of each net, as whole processes; memory is all that they hold.
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from clock import process

PASSES = ("parse", "elaborate", "cost", "field", "memory", "emit")
BLOCKS = {
    "chain": ("CONV3-8 -> BN -> RELU", 3),
    "residual": ("(CONV3-8 -> BN -> RELU -> CONV3-8 -> BN + ID) -> RELU", 7),
    "dense": ("(ID | CONV3-4 -> RELU) -> CONV1-8", 4),
    "inception": ("(CONV1-2 | CONV1-2 -> CONV3-2 | CONV1-2 -> CONV5-2 | POOL3/1(pad=same) -> CONV1-2) -> RELU", 9),
}


def program(net: str, layers: int, written_out: bool) -> str:
    """A net of so many layers, written out in full or as one repeat."""
    block, size = BLOCKS[net]
    turns = max(1, layers // size)
    body = " -> ".join([f"[{block}]"] * turns) if written_out else f"[{block}]*{turns}"
    return f"INPUT 16x16x8 -> {body} -> GAP -> FC-10\n"


def measure(net: str, layers: int, written_out: bool) -> dict[str, float]:
    """The seconds of each pass, and the megabytes of all."""
    from cnndsl.analysis.cost import costs
    from cnndsl.analysis.memory import training
    from cnndsl.analysis.receptive_field import receptive_fields
    from cnndsl.elaborate import elaborate
    from cnndsl.emit.torch.source import source
    from cnndsl.errors import Source
    from cnndsl.syntax.parse import parse

    parse(Source("warm.cnn", "INPUT -> CONV3-8"))
    text = program(net, layers, written_out)
    before = most_held()
    found: dict[str, float] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        begun = process_time()
        result = action()
        found[name] = process_time() - begun
        return result

    file = timed("parse", lambda: parse(Source("net.cnn", text)))
    graph = timed("elaborate", lambda: elaborate(file))
    timed("cost", lambda: costs(graph))
    timed("field", lambda: receptive_fields(graph))
    timed("memory", lambda: training(graph).peak(1))
    found["MB"] = most_held() - before
    timed("emit", lambda: source(graph))
    found["layers"] = len(graph) - 1
    return found


def most_held() -> float:
    """The high-water mark of this process in megabytes. On Linux from /proc, since `getrusage` counts the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        net, layers, written_out = options.one
        print(json.dumps(measure(net, int(layers), written_out == "yes")))
        return
    print(f"{'net':<11}{'as':<9}{'layers':>8}" + "".join(f"{name:>11}" for name in PASSES) + f"{'total s':>9}{'MB':>7}")
    for net in BLOCKS:
        for written_out in ("no", "yes"):
            layers = 100
            while layers <= options.most:
                print_row(net, layers, written_out)
                layers *= 10
    whole_processes(options.most)


def whole_processes(layers: int) -> None:
    print(f"\n{'whole process':<32}{'layers':>8}{'seconds':>9}{'MB':>7}")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as code:
        for net in BLOCKS:
            for written_out in ("no", "yes"):
                file = f"{net}_{'written' if written_out == 'yes' else 'repeat'}.cnn"
                Path(folder, file).write_text(program(net, layers, written_out == "yes"), encoding="utf-8")
                for command in ("check", "stats"):
                    process(["-m", "cnndsl", command, "lenet5"], folder, code)
                    runs = [process(["-m", "cnndsl", command, file], folder, code) for _ in range(3)]
                    least = min(run.seconds for run in runs)
                    print(f"{f'{command} {file}':<32}{layers:>8,}{least:>9.2f}{runs[0].bytes / 1e6:>7.0f}", flush=True)


def print_row(net: str, layers: int, written_out: str) -> None:
    command = [sys.executable, __file__, "--one", net, str(layers), written_out]
    found = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    count = found["layers"]
    passes = "".join(f"{found[name] * 1e6 / count:>11.2f}" for name in PASSES)
    total = sum(found[name] for name in PASSES[:-1])
    form = "written" if written_out == "yes" else "repeat"
    print(f"{net:<11}{form:<9}{count:>8,}{passes}{total:>9.2f}{found['MB']:>7.0f}", flush=True)


if __name__ == "__main__":
    main()
