"""Takes a program through every step in a process of its own, and tells what that took.

Run as a script it reads lines with a size, each followed by as many bytes of a program, forks for each and answers a
line of JSON: the exit codes of the commands, the processor time of the slowest in copies (see `copying`), what the
first one said, megabytes at the peak. torch is never loaded.
"""

from __future__ import annotations

import copy
import gc
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parent.parent.parent
COMMANDS = (
    ("check", "-"),
    ("fmt", "-"),
    ("stats", "-", "--format", "html"),
    ("render", "-", "-o", "-"),
    ("compile", "-", "-o", "-"),
)


def copying() -> float:
    """The processor time that `copy.deepcopy` takes for a list of 20,000 rows, some 20 to 40 ms.

    It is Python that is interpreted, as ours is. What is slower on a machine by some factor is slower by the same here.
    """
    gc.freeze()  # what the programs left is not looked through meanwhile
    rows = [[str(at), at, [at]] for at in range(20_000)]
    taken: list[float] = []
    for _ in range(2):
        started = time.process_time()
        copy.deepcopy(rows)
        taken.append(time.process_time() - started)
    return min(taken)


def outcomes(data: bytes) -> Iterator[tuple[int, float, str]]:
    """The exit code of each command, its seconds, and what it said."""
    from cnndsl.cli import run

    for command in COMMANDS:
        sys.stdin = TextIOWrapper(BytesIO(data))
        out, err = StringIO(), StringIO()
        started = time.process_time()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(command)
        yield code, time.process_time() - started, (out.getvalue() + err.getvalue())[:300]


def child(data: bytes, pipe: int) -> None:
    try:
        codes, seconds, said = zip(*outcomes(data), strict=True)
        answer = {"codes": codes, "copies": max(seconds) / copying(), "said": said[0]}
    except BaseException:
        answer = {"codes": [70], "copies": 0.0, "said": traceback.format_exc()[-3000:]}
    os.write(pipe, json.dumps(answer).encode())
    os._exit(0)


def measured(data: bytes) -> dict[str, object]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        child(data, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer: dict[str, object] = json.loads(stream.read())
    _, _, used = os.wait4(pid, 0)
    return {**answer, "megabytes": used.ru_maxrss / 1024}


def requests(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline():
        yield stream.read(int(line))


def main() -> None:
    stream = open(0, "rb", closefd=False)  # noqa: SIM115 - sys.stdin is replaced meanwhile
    list(outcomes(b"INPUT 8x8x3 -> CONV3-4 -> FC-2"))
    for data in requests(stream):
        sys.stdout.write(json.dumps(measured(data)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
