"""Kills a writer, again and again: a script, so that it forks from a small process without threads.

`killer.py FILE ROUNDS` writes FILE over and over in a child that is killed after a random moment, and prints what FILE
holds then; `killer.py FILE calls` kills the child before each call to the system in turn.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

SIZE = 200_000
CALLS = ("open", "fsync", "replace", "link", "chmod", "unlink", "close", "rename", "mkdir")
"""What `cnndsl.files` may ask of the system, directly or through pathlib."""


def write_for_ever(file: str) -> None:
    from cnndsl.files import write

    at = 0
    while True:
        at += 1
        write(file, bytes([65 + at % 2]) * SIZE, force=True)


def forked(body: Callable[[], object]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(0)
    return pid


def state(file: str) -> str:
    """What a file holds: `none`, one letter where it is whole, else `half`."""
    if not Path(file).exists():
        return "none"
    data = Path(file).read_bytes()
    return chr(data[0]) if len(data) == SIZE and len(set(data)) == 1 else f"half: {len(data)}"


def at_random(file: str, rounds: int) -> Iterator[str]:
    dice = random.Random(1)
    for number in range(rounds):
        if number % 2:
            Path(file).unlink(missing_ok=True)
        pid = forked(lambda: write_for_ever(file))
        time.sleep(dice.random() * 0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        yield state(file)


def dying(call: int) -> None:
    """Lets the process die before its so-manyth call to the system."""
    left = [call]

    def deadly(original: Callable[..., object]) -> Callable[..., object]:
        def instead(*arguments: object, **others: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **others)

        return instead

    for name in CALLS:
        setattr(os, name, deadly(getattr(os, name)))


def at_each_call(file: str) -> Iterator[str]:
    from cnndsl.files import write

    for old in (None, b"A" * SIZE):
        for call in range(40):
            Path(file).unlink(missing_ok=True)
            if old is not None:
                Path(file).write_bytes(old)

            def body(call: int = call) -> None:
                dying(call)
                write(file, b"B" * SIZE, force=True)

            _, status = os.waitpid(forked(body), 0)
            yield f"{'new' if old is None else 'old'} {state(file)}"
            if not os.WIFSIGNALED(status):
                break


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
    import cnndsl.files  # noqa: F401 - loaded before the forks

    name, rounds = sys.argv[1:]
    for line in at_each_call(name) if rounds == "calls" else at_random(name, int(rounds)):
        print(line)
