"""Times that a busy machine falsifies least: of the processor, not of the wall, taken in turns, the least beside the
median. The least is what the work takes; how far the median lies above it says how busy the machine was."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Times:
    """Seconds of several runs."""

    runs: tuple[float, ...]

    @property
    def least(self) -> float:
        return min(self.runs)

    @property
    def median(self) -> float:
        return statistics.median(self.runs)

    def to(self, peer: Times) -> float:
        """The median of the ratios to a peer, run by run: what slows the machine down slows both."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.runs, peer.runs, strict=True))


@dataclass(frozen=True)
class Process:
    """What a process took: seconds of the processor (its own and the system's), and the most bytes that it held."""

    seconds: float
    bytes: int


def in_turns(actions: Mapping[str, Callable[[], float]], runs: int) -> dict[str, Times]:
    """The times that actions report, run in turns; a first turn, which warms up, is left out."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for turn in range(runs + 1):
        for name, action in actions.items():
            taken = action()
            if turn:
                times[name].append(taken)
    return {name: Times(tuple(each)) for name, each in times.items()}


def timed(action: Callable[[], object], before: Callable[[], object] = lambda: None) -> float:
    """The seconds of the processor that an action takes, with no rubbish of earlier ones to collect; `before` prepares
    it, and does not count."""
    before()
    gc.collect()
    begun = time.process_time()
    action()
    return time.process_time() - begun


def process(arguments: Sequence[str], folder: str | Path = ".", code: str | Path = "") -> Process:
    """What Python takes from start to end. `code` is a folder for compiled code, as an installed package has it."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPATH": str(ROOT)} | ({"PYTHONPYCACHEPREFIX": str(code)} if code else {})
    with subprocess.Popen(
        [sys.executable, *arguments], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, list(arguments))
    scale = 1 if sys.platform == "darwin" else 1024
    return Process(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * scale)
