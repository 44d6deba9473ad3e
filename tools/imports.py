"""Import the convolutional networks of timm and torchvision, and write docs/imports.tsv and docs/imports.md.

Each network is imported in a process of its own, small ones first and families in turn. A run goes on from the rows of
docs/imports.tsv, which is written after each network: networks without a row come first, and those that were refused at
another commit come last; `--refused` tries only these. `python tools/imports.py --only 'timm:resnet*'` tries networks
with such names; `--again 'timm:resnet*'` also those of them that have a row. With `--page` it only writes the page.
Programs are kept in build/imports/.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from itertools import chain, zip_longest
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tools.imports_results import ImportResult

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ROOT / "tests" / "importers" / "published" / "networks.tsv"
PROGRAMS = ROOT / "build" / "imports"
SECONDS = 1800
"""What one network may take."""
LOADED = ("tests.oracle", "timm", "torch.export", "cnndsl.cli", "cnndsl.runtime.importing.imported")
"""What is loaded once, for all networks."""


def networks() -> dict[str, str]:
    """The family of each network, those of few parameters first."""
    rows = [line.split("\t") for line in NETWORKS.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    rows.sort(key=lambda row: int(row[2]))
    return {name: family for name, family, _ in rows}


def in_turn(nets: Mapping[str, str]) -> list[str]:
    """The networks with the families in turn: the first of each, then the second of each."""
    families: dict[str, list[str]] = defaultdict(list)
    for net, family in nets.items():
        families[family].append(net)
    return [net for net in chain.from_iterable(zip_longest(*families.values())) if net is not None]


def imported(target: str) -> dict[str, Any]:
    """Import a network in this process, and say what became of it."""
    from cnndsl.errors import CnnError
    from cnndsl.runtime.importing.imported import text_of_module
    from cnndsl.runtime.importing.targets import built
    from tools.imports_checks import checked

    made = built(target, {})
    assert made.shape is not None
    start = time.process_time()
    try:
        text = text_of_module(made.module, [made.shape], target)
    except CnnError as stop:
        lines = stop.diagnostics[0].message.splitlines()
        return {"refused": (lines[1:] or lines)[0], "seconds": round(time.process_time() - start, 1)}
    seconds = round(time.process_time() - start, 1)
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    (PROGRAMS / f"{target.replace(':', '__')}.cnn").write_text(text, encoding="utf-8")
    return {"text": text, "seconds": seconds, **checked(text, made.module, made.shape)}


def commit() -> str:
    """The last commit that changed the package."""
    command = ["git", "log", "-1", "--abbrev=10", "--format=%h", "--", "cnndsl"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _one(target: str, way_back: Any) -> None:
    """Import a network, in the process that is for it."""
    try:
        found = imported(target)
    except BaseException:
        found = {"failed": traceback.format_exc().splitlines()[-1]}
        traceback.print_exc()
    way_back.send(found)


def run(target: str, workers: Any) -> dict[str, Any]:
    """Import a network in another process."""
    here, there = workers.Pipe(duplex=False)
    worker = workers.Process(target=_one, args=(target, there))
    worker.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv() if here.poll(SECONDS) else {"failed": f"not done within {SECONDS} s"}
    except EOFError:
        found = {"failed": "its process ended"}
    worker.kill()
    worker.join()
    return found


def workers() -> Any:
    """Processes that have everything loaded when they begin, where the system has such."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    made = multiprocessing.get_context("forkserver" if has_server else "spawn")
    made.set_forkserver_preload(list(LOADED))
    return made


def chosen(nets: Mapping[str, str], only: str, each: int) -> dict[str, str]:
    """The networks whose names are like a pattern, so many of each family."""
    taken: dict[str, int] = defaultdict(int)
    wanted: dict[str, str] = {}
    for net, family in nets.items():
        if fnmatch(net, only) and taken[family] < each:
            taken[family] += 1
            wanted[net] = family
    return wanted


def new(nets: Mapping[str, str], known: Mapping[str, ImportResult], again: str) -> list[str]:
    """The networks without a row, and those like `again`, in the order in which they are tried."""
    return in_turn({net: family for net, family in nets.items() if net not in known or fnmatch(net, again)})


def refused(nets: Mapping[str, str], known: Mapping[str, ImportResult], at: str) -> list[str]:
    """The networks without a program whose row is of another commit, in the order in which they are tried."""
    rows = {net: known[net] for net in nets if net in known}
    return in_turn({net: nets[net] for net, row in rows.items() if not row.has_program and row.commit != at})


def try_all(nets: Sequence[str], families: Mapping[str, str], jobs: int, at: str) -> list[str]:
    """Import networks, keep a row of each and tell of it; those of which less became than earlier are returned."""
    from tools.imports_results import keep, read_results, result

    made, one_at_a_time, worse = workers(), Lock(), list[str]()

    def one(net: str) -> None:
        row = result(net, families[net], at, run(net, made))
        with one_at_a_time:
            earlier = read_results().get(net)
            if earlier is not None and row.is_worse_than(earlier):
                worse.append(net)
            keep(row)
        print(f"{row.outcome:11}{net}  {row.seconds or ''}  {row.reason}{'; '.join(row.failing)}", flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, nets))
    return worse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="a pattern of names")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--each", type=int, default=10**6, help="networks of each family, the smallest")
    parser.add_argument(
        "--again",
        nargs="?",
        default="",
        const="*",
        metavar="PATTERN",
        help="also try networks that have a row; fail where less becomes of one than earlier",
    )
    parser.add_argument("--refused", action="store_true", help="only try those refused at another commit")
    parser.add_argument("--page", action="store_true", help="only write the page")
    given = parser.parse_args()
    from tools.imports_page import write
    from tools.imports_results import read_results

    nets, at, worse = networks(), commit(), list[str]()
    if not given.page:
        wanted, known = chosen(nets, given.only, given.each), read_results()
        first = [] if given.refused else new(wanted, known, given.again)
        again = [net for net in refused(wanted, known, at) if net not in first]
        worse = try_all([*first, *again], nets, given.jobs, at)
    write(nets, read_results())
    if worse:
        raise SystemExit(f"worse than earlier: {', '.join(worse)}")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
