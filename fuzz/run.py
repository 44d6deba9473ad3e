"""Looks for bytes that break the compiler: `make fuzz`, or `python fuzz/run.py --minutes 20`.

With atheris (`pip install atheris`; it has wheels for CPython on Linux) coverage leads the way; without it the same
mutations are made blindly. Half the time goes to bytes, half to the random programs of tests/random. What is found
is written to build/fuzz, one file each; it belongs into fuzz/corpus once it is mended.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT / "fuzz" / "corpus"
FOUND = ROOT / "build" / "fuzz"
LONGEST = 4096
SLOWED_DOWN = 6.0
"""Coverage costs its time: seconds that an input may take under it."""

TOKEN = re.compile(r"[A-Za-z_]+|[0-9]+|->|\s+|#[^\n]*|.", re.DOTALL)
WORDS = """
    INPUT -> [ ] ( ) { } + | * ? @ : , = . .. / - # "vgg16.cnn" \n for in if else or and not yes no tap train let net
    block default assert use cnn MUL MAX MEAN ID CONV CONV3-64/2 CONVT DWCONV LOCAL POOL AVGPOOL GAP LPPOOL UNPOOL2 FC
    RELU PRELU SOFTMAX BN LRN LN GN IN SCALE DROPOUT DROPPATH FLATTEN ZEROPAD PADCHANNELS SHUFFLE SLICE PICK UPSAMPLE
    GRN STARRELU EVONORM RBF MAXOUT i C H W D x 0 1 2 3 8x8x3 224 1e18 0.5 5M 8GiB min max ceil floor round abs
    divisible pad same valid full stride kernel filters groups dilation bias init ceil=yes out params weights macs flops
    memory receptive_field depth output == != <= >= < > // % é \0 \r\n \t 999999999999999999
""".split(" ")


def seeds() -> list[bytes]:
    """The zoo and the corpus."""
    files = [*sorted((ROOT / "architectures").glob("*.cnn")), *sorted(CORPUS.iterdir())]
    return [file.read_bytes() for file in files if file.stat().st_size <= LONGEST]


def mutated(data: bytes, others: list[bytes], dice: random.Random) -> bytes:
    """A few tokens removed, doubled, exchanged, or taken from elsewhere; now and then a byte."""
    tokens = TOKEN.findall(data.decode("utf-8", "surrogateescape"))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(tokens) + 1)
        end = min(len(tokens), at + dice.choice((0, 1, 1, 2, 5, 20)))
        kind = dice.random()
        if kind < 0.3:
            tokens[at:end] = [dice.choice(WORDS)]
        elif kind < 0.5:
            tokens[at:end] = []
        elif kind < 0.7:
            tokens[at:at] = tokens[at:end] * dice.choice((1, 1, 2, 30))
        elif kind < 0.95:
            other = TOKEN.findall(dice.choice(others).decode("utf-8", "surrogateescape"))
            start = dice.randrange(len(other) + 1)
            tokens[at:end] = other[start : start + dice.choice((1, 3, 10, 40))]
        else:
            tokens[at:end] = [chr(dice.choice((dice.randrange(128), dice.randrange(0x2100))))]
    return "".join(tokens).encode("utf-8", "surrogateescape")[:LONGEST]


def keep(data: bytes, why: str) -> None:
    """Writes down what was found, once for each message."""
    FOUND.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(re.sub(r"[0-9]+", "0", why.splitlines()[-1]).encode()).hexdigest()[:12]
    if not (FOUND / f"{name}.cnn").exists():
        (FOUND / f"{name}.cnn").write_bytes(data)
        (FOUND / f"{name}.txt").write_text(why, encoding="utf-8")
        print(f"found {FOUND / name}.cnn: {why.splitlines()[-1]}", flush=True)


def blindly(seconds: float, seed: int) -> int:
    """Mutates without coverage; the number of inputs that were tried."""
    from fuzz.target import check

    dice, pool, count = random.Random(seed), seeds(), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutated(dice.choice(pool), pool, dice)
        count += 1
        try:
            if check(data) is not None and dice.random() < 0.05:
                pool.append(data)
        except Exception:
            keep(data, traceback.format_exc())
    return count


def led_by_coverage(seconds: float, seed: int) -> NoReturn:
    """The same with atheris, which does not return."""
    import atheris

    with atheris.instrument_imports(include=["cnndsl"]):
        from fuzz.target import check
    pool = seeds()

    def one(data: bytes) -> None:
        try:
            check(data, seconds=SLOWED_DOWN)
        except Exception:
            keep(data, traceback.format_exc())

    def mutate(data: bytes, longest: int, number: int) -> bytes:
        dice = random.Random(number)
        if dice.random() < 0.2:
            return atheris.Mutate(data, longest)
        return mutated(data, pool, dice)[:longest]

    started = FOUND / "corpus"
    started.mkdir(parents=True, exist_ok=True)
    for data in pool:
        (started / hashlib.sha1(data).hexdigest()).write_bytes(data)
    options = [f"-max_total_time={int(seconds)}", f"-max_len={LONGEST}", "-timeout=60", f"-seed={seed}"]
    options += [f"-artifact_prefix={FOUND}/", "-rss_limit_mb=4096", "-print_final_stats=1", str(started)]
    atheris.Setup([sys.argv[0], *options], one, custom_mutator=mutate)
    atheris.Fuzz()
    raise SystemExit


def random_programs(seconds: float, seed: int) -> None:
    """tests/random, over and over with new seeds."""
    until = time.monotonic() + seconds
    environment = {"CNNDSL_EXAMPLES": "1000", **os.environ}
    while time.monotonic() < until:
        seed += 1
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/random", "-x"]
        done = subprocess.run([*command, f"--hypothesis-seed={seed}"], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            print(f"found something with --hypothesis-seed={seed}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["bytes", "programs"])
    parser.add_argument("--blind", action="store_true", help="without atheris")
    options = parser.parse_args()
    seconds = options.minutes * 60 / (1 if options.only else 2)
    if options.only != "bytes":
        random_programs(seconds, options.seed)
    if options.only == "programs":
        return
    if not options.blind:
        try:
            led_by_coverage(seconds, options.seed)
        except ImportError:
            print("atheris is not installed: mutating blindly", flush=True)
    print(f"tried {blindly(seconds, options.seed):,} inputs", flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
