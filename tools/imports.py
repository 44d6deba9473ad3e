"""Import the convolutional networks of timm and torchvision, and write docs/imports.md: what became of each.

Each network is imported in a process of its own, small ones first and families in turn. What is found is kept in
build/imports/, so that the next run goes on where this one stopped: `python tools/imports.py --only 'timm:resnet*'`. A
network that could not be imported is tried again at another commit. With `--table` it writes the page of what is there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from itertools import chain, repeat, zip_longest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ROOT / "tests" / "importers" / "published" / "networks.tsv"
KEPT = ROOT / "build" / "imports"
SECONDS = 900
"""What one network may take."""
LOADED = ("tests.oracle", "timm", "torch.export", "cnndsl.cli", "cnndsl.runtime.importing.imported")
"""What is loaded once, for all networks."""


def networks() -> dict[str, str]:
    """The family of each network, those of few parameters first."""
    rows = [line.split("\t") for line in NETWORKS.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    return {name: family for name, family, _ in sorted(rows, key=lambda row: int(row[2]))}


def in_turn(nets: dict[str, str]) -> list[str]:
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
    start = time.perf_counter()
    try:
        text = text_of_module(made.module, [made.shape], target)
    except CnnError as stop:
        lines = stop.diagnostics[0].message.splitlines()
        return {"refused": [each.strip() for each in lines[1:] or lines]}
    seconds = round(time.perf_counter() - start, 1)
    return {"text": text, "seconds": seconds, **checked(text, made.module, made.shape)}


def kept(target: str) -> Path:
    return KEPT / (target.replace(":", "__") + ".json")


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _one(target: str, way_back: Any) -> None:
    """Import a network, in the process that is for it."""
    try:
        found = imported(target)
    except BaseException:
        found = {"broken": traceback.format_exc()[-1500:]}
    way_back.send(found)


def run(target: str, workers: Any) -> dict[str, Any]:
    """Import a network in another process, and keep what became of it."""
    here, there = workers.Pipe(duplex=False)
    worker = workers.Process(target=_one, args=(target, there))
    worker.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv() if here.poll(SECONDS) else {"broken": f"not done within {SECONDS} s"}
    except EOFError:
        found = {"broken": "its process ended"}
    worker.kill()
    worker.join()
    found["commit"] = commit()
    KEPT.mkdir(parents=True, exist_ok=True)
    kept(target).write_text(json.dumps(found), encoding="utf-8")
    return found


def workers() -> Any:
    """Processes that have everything loaded when they begin, where the system has such."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    has_server = "forkserver" in multiprocessing.get_all_start_methods()
    made = multiprocessing.get_context("forkserver" if has_server else "spawn")
    made.set_forkserver_preload(list(LOADED))
    return made


def known(target: str) -> dict[str, Any] | None:
    """What became of a network earlier, where that still holds."""
    if not kept(target).is_file():
        return None
    found: dict[str, Any] = json.loads(kept(target).read_text(encoding="utf-8"))
    return found if "text" in found or found["commit"] == commit() else None


def chosen(pattern: str, each: int) -> list[str]:
    """The networks whose names are like a pattern, so many of each family, in the order in which they are tried."""
    taken: dict[str, int] = defaultdict(int)
    wanted: dict[str, str] = {}
    for net, family in networks().items():
        if fnmatch(net, pattern) and taken[family] < each:
            taken[family] += 1
            wanted[net] = family
    return in_turn(wanted)


def try_all(nets: Sequence[str], jobs: int) -> bool:
    """Import networks, and tell of each; True where all of them could be."""
    from tools.imports_page import outcome

    made = workers()
    fine = True
    with ThreadPoolExecutor(jobs) as pool:
        for net, found in zip(nets, pool.map(run, nets, repeat(made)), strict=True):
            told = ", ".join([*found.get("failed", {}), *found.get("counted", [])])
            print(f"{outcome(found):11}{net}  {found.get('seconds', '')}  {told}".rstrip(), flush=True)
            fine = fine and "text" in found and not told
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="*", help="a pattern of names")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--each", type=int, default=10**6, help="networks of each family, the smallest")
    parser.add_argument(
        "--again", action="store_true", help="try those that were imported, too, and fail where one is not"
    )
    parser.add_argument("--table", action="store_true", help="only write the page")
    given = parser.parse_args()
    from tools.imports_page import write

    fine = True
    if not given.table:
        wanted = chosen(given.only, given.each)
        fine = try_all([each for each in wanted if given.again or known(each) is None], given.jobs)
    nets = networks()
    write(nets, {net: json.loads(kept(net).read_text(encoding="utf-8")) for net in nets if kept(net).is_file()})
    if given.again and not fine:
        raise SystemExit(1)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
