"""Looks for programs that are compiled wrongly: `make crossings`, or `python fuzz/crossings.py --seeds 2000`.

Each seed draws a program (cnndsl.testing.crossings) that is compiled, and run beside the plain reading of its graph;
the emitted class is made with arguments, and held against the one that is compiled with them. What differs is shown
by kind, with the smallest program of each, made smaller where there is time.

`--write 2000` writes so many programs to fuzz/programs.jsonl, `--add 400` some that are unlike those; `--stored` takes
those in place of seeds.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shrinking import shrunk

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "fuzz" / "programs.jsonl"
LARGEST = 1_000_000
"""Bytes of all programs that are stored."""

Job = tuple[int, str, Mapping[str, object], tuple[Mapping[str, object], ...]]
"""A number, a program, the settings to compile it with, others for its constructor."""


@dataclass(frozen=True)
class Find:
    """A program that differs, by the kind of what was told of it."""

    number: int
    text: str
    settings: Mapping[str, object]
    told: str
    checked: str

    @property
    def kind(self) -> str:
        return f"{self.checked}: {kind_of(self.told)}"


def kind_of(told: str) -> str:
    """Leaves out of what is told names and numbers."""
    told = re.sub(r"(?<=: )\w+(?=\.forward\(\))", "…", told)
    told = re.sub(r"'[^']*'|\[[^\]]*\]|\([\d, ]*\)|0x\w+", "…", told)
    told = re.sub(r"\b(the gradient of|tap|buffer|stand for) [\w.]+", r"\1 …", told)
    told = re.sub(r"(?<=\(in )\w+(?=\))|(?<=the state lacks: ).*|(?<=too much: ).*|(?<=another shape: ).*", "…", told)
    told = re.sub(r"^[\w.]+ is (\w+)\(.*", r"a \1 has other numbers", told)
    told = re.sub(r"(?<= for )\w+=.*", "…", told)
    return re.sub(r"(?<!\w)-?\d[\w.+-]*|, batch \d", lambda found: "" if found[0].startswith(",") else "0", told)[:110]


def looked_at(job: Job) -> tuple[list[Find], bool]:
    """Tells what differs in a program, when it runs and when it is constructed, and whether it is a program at all."""
    from cnndsl.errors import CnnError
    from cnndsl.testing.construction import constructor_differences
    from cnndsl.testing.oracle import differences

    number, text, settings, others = job
    try:
        told = differences(text, settings)
    except CnnError:
        return [], False
    finds = [Find(number, text, settings, told[0], "forward")] if told else []
    for each in (settings, *others) if settings else others:
        try:
            told = constructor_differences(text, each)
        except CnnError:
            continue
        if told and (not finds or not told[0].startswith(("source:", "module:"))):
            return [*finds, Find(number, text, each, told[0], "constructor")], True
    return finds, True


def smaller(find: Find, seconds: float) -> Find:
    """Looks for the same kind of find in a smaller program."""
    from cnndsl.errors import CnnError
    from cnndsl.testing.construction import constructor_differences
    from cnndsl.testing.oracle import differences

    check = differences if find.checked == "forward" else constructor_differences

    def holds(text: str, settings: Mapping[str, object]) -> bool:
        try:
            told = check(text, settings)
        except (CnnError, TypeError):
            return False
        return bool(told) and f"{find.checked}: {kind_of(told[0])}" == find.kind

    text, settings = shrunk(find.text, find.settings, holds, seconds)
    return Find(find.number, text, settings, check(text, settings)[0], find.checked)


def drawn(start: int, count: int) -> Iterator[Job]:
    from cnndsl.testing.crossings import crossing

    for seed in range(start, start + count):
        each = crossing(seed)
        yield seed, each.text, each.settings, each.others


def stored() -> Iterator[Job]:
    for number, line in enumerate(STORED.read_text(encoding="utf-8").splitlines()):
        each = json.loads(line)
        yield number, each["text"], each["settings"], tuple(each.get("others", ()))


def write(count: int, start: int) -> None:
    """Stores programs that the compiler takes, as different as can be, an eighth of them like published networks."""
    from cnndsl.errors import CnnError
    from cnndsl.network import loads

    published: list[str] = []
    rows: dict[str, list[str]] = {}
    for _, text, settings, others in drawn(start, 5 * count):
        try:
            graph = loads(text, **settings).graph
        except CnnError:
            continue
        if len(graph) <= 80:
            row = json.dumps({"text": text, "settings": settings, **({"others": others[:1]} if others else {})})
            (published if graph.name not in ("", "N") else rows.setdefault(constructs(text), [])).append(row)
    ordered: list[str] = []
    while any(rows.values()):
        ordered += [several.pop(0) for several in rows.values() if several]
    others = list(dict.fromkeys(published))[: count // 8]
    chosen = [*others, *sorted(ordered[: 2 * count], key=len)[: count - len(others)]]
    text = "\n".join(chosen) + "\n"
    if len(text.encode()) > LARGEST:
        raise SystemExit(f"{len(text.encode()):,} bytes are too many")
    STORED.write_text(text, encoding="utf-8")
    print(f"{len(chosen):,} programs, {len(text.encode()):,} bytes")


def add(count: int, start: int) -> None:
    """Adds programs in which constructs meet as in none that is stored, the shortest of each kind."""
    from cnndsl.errors import CnnError
    from cnndsl.network import loads

    before = STORED.read_text(encoding="utf-8")
    known = {constructs(json.loads(line)["text"]) for line in before.splitlines()}
    rows: dict[str, str] = {}
    for _, text, settings, others in drawn(start, 5 * count):
        kind = constructs(text)
        if kind in known or len(rows.get(kind, text + " ")) <= len(text):
            continue
        try:
            graph = loads(text, **settings).graph
        except CnnError:
            continue
        if len(graph) <= 80:
            rows[kind] = json.dumps({"text": text, "settings": settings, **({"others": others[:1]} if others else {})})
    chosen = sorted(rows.values(), key=len)[:count]
    text = before + "\n".join(chosen) + "\n"
    if len(text.encode()) > LARGEST:
        raise SystemExit(f"{len(text.encode()):,} bytes are too many")
    STORED.write_text(text, encoding="utf-8")
    print(f"{len(chosen):,} programs more, {len(text.encode()):,} bytes")


def constructs(text: str) -> str:
    """Tells which constructs a program has, as a word."""
    patterns = (
        *(r"\(@|, @| @[\w.{}]+[)|+]", r"@[\w.{}]+ ->", r"@\w+\.", r"[A-Z]\w*\([^)]*@", r"\{i\}: "),
        *(
            r"tap \w+:",
            r"\(train\)",
            r"\[tap",
            "UNPOOL",
            " if ",
            r"\?",
            " or ",
            "for ",
            r"each \w+[\w, ]* in ",
            "let ",
            "block ",
            r"MUL\(",
            "/",
            "again ",
            "= INPUT",
            r"@[^\s,()|+]*\*",
            "out=@",
            r"\w\.[\w\"{}-]+: ",
            r'"[^"]+',
            r"[\[ (]\d+: ",
            '"": ',
            "block (?:Conv|Mish|Half)",
            r"\*\*",
            r"= let ",
            r"\[let ",
            r"[\w)\]]\[\w+\]",
            r"\.\.\w+\]\[",
            r" in (?:rows|\(\()",
            r"[({,] ?\(?[^(){}]* if [^(){}]* else ",
            r"(?:len|sum|max|min)\(\(",
            r"=\{|\}x|x\{",
            r"SCALE\(shared",
            "init=bilinear",
            "CHANNEL(?:CONV|MAX|MEAN)",
            "PERMUTE|RESHAPE",
            "PIXEL(?:UN)?SHUFFLE",
            "standardise=",
            "tfsame|reflect|replicate|circular|[A-Z]{2}PAD",
            "EVONORM|FRN|RMSNORM|L2NORM|GRN|over=positions",
            r"SUB\(",
            "BLURPOOL|LPPOOL|SUMPOOL|LOCAL|STARRELU",
            r"each [^\[]*\[[^\]]* or ",
        ),
    )
    return "".join(str(bool(re.search(pattern, text)))[0] for pattern in patterns)


def report(finds: list[Find], count: int, refused: int, seconds: float) -> None:
    """Shows how many differ, and the smallest of each kind."""
    by_kind: dict[str, list[Find]] = {}
    for find in finds:
        by_kind.setdefault(find.kind, []).append(find)
    for checked in ("forward", "constructor"):
        several = [find for find in finds if find.checked == checked]
        print(f"{checked}: {len(several):,} of {count:,} programs differ ({len(several) / max(count, 1):.1%})")
    print(f"{refused:,} were refused")
    for kind, several in sorted(by_kind.items(), key=lambda item: -len(item[1])):
        least = min(several, key=lambda find: len(find.text))
        least = smaller(least, seconds) if seconds else least
        given = ", ".join(f"{name}={value}" for name, value in least.settings.items())
        print(f"\n{len(several):,} {kind}\n    {least.told}   [{least.number}] {given}")
        print("    " + least.text.replace("\n", "\n    "), flush=True)


def prepare() -> None:
    import torch

    torch.set_num_threads(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1000, help="how many programs")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--shrink", type=float, default=10, help="seconds for the example of each kind; 0 for none")
    parser.add_argument("--stored", action="store_true", help="take the stored programs")
    parser.add_argument("--write", type=int, metavar="N", help="store so many programs and stop")
    parser.add_argument("--add", type=int, metavar="N", help="store so many more that are unlike those, and stop")
    options = parser.parse_args()
    if options.add:
        add(options.add, options.start)
        return
    if options.write:
        write(options.write, options.start)
        return
    jobs: Iterable[Job] = stored() if options.stored else drawn(options.start, options.seeds)
    finds: list[Find] = []
    count = refused = 0
    started = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(options.processes, prepare) as pool:
        for several, is_program in pool.imap_unordered(looked_at, jobs, chunksize=8):
            finds += several
            count += is_program
            refused += not is_program
    print(f"{count + refused:,} programs in {time.monotonic() - started:.0f} s")
    prepare()
    report(sorted(finds, key=lambda find: find.number), count, refused, options.shrink)
    raise SystemExit(bool(finds))


if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    sys.path.insert(0, str(ROOT))
    main()
