"""Whole processes: the commands beside the interpreter's own start and the imports of what they stand on.

    python benchmarks/startup.py [--runs 15]

All are run in turns, with compiled code in place, as after an installation. Times are of the processor (user and
system). `to parser` is the ratio to `import lark, click`, the libraries that reading and printing need (lark is loaded
for the texts that are wrong alone); `to stack` that to all that the package depends on. Medians of ratios run by run.
"""

from __future__ import annotations

import argparse
import tempfile

from clock import in_turns, process

PARSER, STACK = "import lark, click", "import lark, networkx, click, rich"
ROWS: dict[str, list[str]] = {
    "python -c pass": ["-c", "pass"],
    "python -c 'import click'": ["-c", "import click"],
    PARSER: ["-c", PARSER],
    STACK: ["-c", STACK],
    "python -c 'import torch'": ["-c", "import torch"],
    "cnndsl --help": ["-m", "cnndsl", "--help"],
    "cnndsl check vgg16.cnn": ["-m", "cnndsl", "check", "vgg16.cnn"],
    "cnndsl stats vgg16.cnn": ["-m", "cnndsl", "stats", "vgg16.cnn"],
    "cnndsl stats densenet201": ["-m", "cnndsl", "stats", "densenet201"],
    "cnndsl compile vgg16.cnn": ["-m", "cnndsl", "compile", "vgg16.cnn", "-o", "-"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as code:
        process(["-m", "cnndsl", "new", "vgg16"], folder, code)
        actions = {
            name: lambda arguments=arguments: process(arguments, folder, code).seconds
            for name, arguments in ROWS.items()
        }
        times = in_turns(actions, runs)
    print(f"{'process':<36}{'least':>10}{'median':>10}{'to parser':>11}{'to stack':>10}")
    for name, each in times.items():
        seconds = f"{each.least * 1e3:>7.0f} ms{each.median * 1e3:>7.0f} ms"
        print(f"{name:<36}{seconds}{each.to(times[PARSER]):>11.2f}{each.to(times[STACK]):>10.2f}")


if __name__ == "__main__":
    main()
