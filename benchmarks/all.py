"""Every table of speed, one after the other: `make bench`.

    python benchmarks/all.py [--quick]

What each table shows stands at the head of its script. `--quick` takes few runs and small nets, to see that all work.
`modules.py`, `lean.py` and `memory.py`, which time PyTorch itself, run for an hour, and are called by themselves.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

TABLES: dict[str, tuple[list[str], list[str]]] = {
    "startup.py": ([], ["--runs", "3"]),
    "parsing.py": ([], ["--runs", "2", "--layers", "3000"]),
    "scaling.py": ([], ["--most", "1000"]),
    "analysis.py": ([], ["--runs", "2", "alexnet"]),
    "sweeping.py": ([], ["--runs", "1", "--members", "40"]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    for script, (whole, few) in TABLES.items():
        print(f"\n== {script}\n", flush=True)
        file = Path(__file__).with_name(script)
        subprocess.run([sys.executable, str(file), *(few if quick else whole)], check=True)


if __name__ == "__main__":
    main()
