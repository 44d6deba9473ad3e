"""Whole processes: the commands beside the interpreter's own start and the imports of what they stand on.

    python benchmarks/startup.py [--runs 11]

All are run in turn; times are medians, ratios are taken run by run against the peer named in the row.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from time import perf_counter

IMPORTS = "import lark, networkx, click, rich"
NEEDED = "import lark, click"
ROWS: dict[str, tuple[list[str], str]] = {
    "python -c pass": (["-c", "pass"], ""),
    f"python -c '{NEEDED}'": (["-c", NEEDED], ""),
    f"python -c '{IMPORTS}'": (["-c", IMPORTS], ""),
    "python -c 'import torch'": (["-c", "import torch"], ""),
    "cnndsl --help": (["-m", "cnndsl", "--help"], "python -c pass"),
    "cnndsl check vgg16": (["-m", "cnndsl", "check", "vgg16.cnn"], f"python -c '{NEEDED}'"),
    "cnndsl stats vgg16": (["-m", "cnndsl", "stats", "vgg16.cnn"], f"python -c '{IMPORTS}'"),
    "cnndsl stats vgg16 ": (["-m", "cnndsl", "stats", "vgg16.cnn"], "python -c 'import torch'"),
    "cnndsl compile vgg16": (["-m", "cnndsl", "compile", "vgg16.cnn", "-o", "-"], f"python -c '{IMPORTS}'"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        run(["-m", "cnndsl", "new", "vgg16"], folder)
        times: dict[str, list[float]] = {name: [] for name in ROWS}
        for _ in range(runs + 1):
            for name, (command, _) in ROWS.items():
                times[name].append(run(command, folder))
    print(f"{'command':<46}{'median':>10}{'ratio':>8}  to")
    for name, (_, peer) in ROWS.items():
        median = statistics.median(times[name][1:])
        ratio = (
            statistics.median(a / b for a, b in zip(times[name][1:], times[peer][1:], strict=True)) if peer else None
        )
        shown = f"{ratio:>8.2f}  {peer}" if ratio else ""
        print(f"{name.strip():<46}{median * 1e3:>7.0f} ms{shown}")


def run(arguments: list[str], folder: str) -> float:
    begun = perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, check=True)
    return perf_counter() - begun


if __name__ == "__main__":
    main()
