"""Breaks the emitter on purpose, one place at a time, and counts the wrong texts that the verifier notices.

Each mutant (`emit_sites` finds them) is imported in a process of its own and emits stored programs that reach the
changed place. A text that differs from the right one is run (`emit_judging`): a mutant counts where outputs, gradients,
the state, the initial weights or what the constructor makes of its arguments are wrong. Then the verifier, which runs
nothing, must notice it. An emitter that raises gives no text: such mutants stand apart.

    python fuzz/emit_mutants.py --count 300 --seed 1
    python fuzz/emit_mutants.py --count 100 --like 'again |= INPUT'

Takes a few minutes; the table and the survivors are also written to build/emit_mutants.txt.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emit_programs import Program, digest, programs, reached, reaching
from emit_sites import LEFT_OUT, Site, emitter_files, sites
from mutants import Served
from mutating import ROOT, Mutant

if TYPE_CHECKING:
    from types import ModuleType

REPORT = ROOT / "build" / "emit_mutants.txt"
MEMORY = 8 * 2**30
"""So many bytes of addresses a mutant may take."""
PACKAGE = "cnndsl.emit.torch."
NO_STEPS = {PACKAGE + name.removesuffix(".py") for name in LEFT_OUT}
SECONDS = 5
"""So long one program may take to be emitted, or its text to be run or verified."""


MOST_ARGUMENTS = 10
"""Among the texts with other code that do the same, so many are verified with other arguments too."""


@dataclass
class Finding:
    """A program whose text is wrong: what is told of that, and what the verifier says (empty where nothing)."""

    program: int
    kind: str
    told: str
    verifier: str
    by_arguments: bool
    text: str


@dataclass
class Outcome:
    """What became of a mutant: how many programs it met, in how many it raised, changed the text or changed it in
    vain, and what was wrong."""

    met: int = 0
    raised: list[str] = field(default_factory=list)
    changed: int = 0
    same: int = 0
    renamed: bool = False
    strict: str = ""
    findings: list[Finding] = field(default_factory=list)
    died: str = ""

    @property
    def survives(self) -> bool:
        return any(not each.verifier for each in self.findings)

    @property
    def kind(self) -> str:
        if self.findings:
            return "survives" if self.survives else "caught"
        if self.raised:
            return "raised"
        if self.died:
            return "died"
        return "equivalent" if self.changed else "no effect" if self.met else "not reached"


class Emitter:
    """The emitter with one place changed, imported beside the right one."""

    def __init__(self, mutant: Mutant) -> None:
        self.right = _steps()
        for name in self.right:
            del sys.modules[name]
        finder = Served(mutant)
        sys.meta_path.insert(0, finder)
        try:
            from cnndsl.emit.torch.source import source

            self.source = source
            self.changed = _steps()
        finally:
            sys.modules.update(self.right)
            sys.meta_path.remove(finder)

    def text(self, program: Program) -> str:
        """Emits a program, with the changed steps in the places of the right ones."""
        sys.modules.update(self.changed)
        try:
            return self.source(program.graph)
        finally:
            sys.modules.update(self.right)


def _steps() -> dict[str, ModuleType]:
    others = (PACKAGE + "verify", *NO_STEPS)
    return {
        name: each for name, each in sys.modules.items() if name.startswith(PACKAGE) and not name.startswith(others)
    }


@contextmanager
def limited(seconds: float) -> Generator[None]:
    """Raises TimeoutError in what takes longer."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"takes more than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def met(mutant: Mutant, chosen: Sequence[Program], most: int, seconds: float) -> Outcome:
    """Lets a mutant emit programs until so many texts were wrong, and looks at each text that differs."""
    outcome = Outcome()
    deadline = time.monotonic() + 0.8 * seconds
    try:
        with limited(SECONDS):
            emitter = Emitter(mutant)
    except BaseException as error:
        outcome.raised.append(f"import: {_said(error)}")
        return outcome
    for program in chosen:
        if time.monotonic() > deadline or len(outcome.findings) >= most:
            break
        outcome.met += 1
        try:
            with limited(SECONDS):
                text = emitter.text(program)
        except BaseException as error:
            outcome.raised.append(f"[{program.number}] {_said(error)}")
            continue
        if text != program.text:
            outcome.changed += 1
            _look(text, program, outcome)
    return outcome


def _look(text: str, program: Program, outcome: Outcome) -> None:
    """Notes what is wrong with a changed text, and what the verifier says of it."""
    from emit_judging import interface, meaning, wrong_with

    code = meaning(text)
    if code is not None and code == meaning(program.text):
        return
    try:
        with limited(2 * SECONDS):
            wrong = wrong_with(text, program.text, program.graph, program.others)
            if wrong and wrong_with(program.text, program.text, program.graph, program.others):
                return
            kind, told = wrong or ("", "")
            outcome.renamed |= not wrong and interface(text) != interface(program.text)
    except TimeoutError as error:
        kind, told = "acceptance", str(error)
    if kind:
        said, by_arguments = _verified(text, program, kind == "arguments")
        outcome.findings.append(Finding(program.number, kind, told, said, by_arguments, text))
        return
    outcome.same += 1
    if not outcome.strict:
        outcome.strict, _ = _verified(text, program, outcome.same <= MOST_ARGUMENTS)


def _verified(text: str, program: Program, arguments: bool) -> tuple[str, bool]:
    """Gives the first thing that the verifier says, empty where it says nothing, and whether arguments told it."""
    from cnndsl.emit.torch.verified import argument_differences
    from cnndsl.emit.torch.verify import verify
    from cnndsl.network import graph_of

    graph = program.graph
    try:
        with limited(SECONDS):
            if found := verify(text, graph).differences:
                return str(found[0]), False
            if not arguments:
                return "", False
            by_text = [
                argument_differences(each, graph, lambda given: graph_of(graph.source, given))
                for each in (text, program.text)
            ]
            # What the verifier says of the right text as well is no sign that it noticed anything.
            return (str(by_text[0][0]), True) if by_text[0] and not by_text[1] else ("", False)
    except Exception as error:
        print(f"the verifier raises {_said(error)}", file=sys.__stderr__)
        return "", False


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:160]


# Processes


def outcomes(
    chosen: Sequence[tuple[Mutant, list[Program]]], processes: int, most: int, seconds: float
) -> Iterator[tuple[int, Outcome]]:
    """Gives what became of each mutant, as they end; one that does not end is ended."""
    context = multiprocessing.get_context("fork")
    waiting = list(reversed(range(len(chosen))))
    running: dict[Any, tuple[int, Any, float]] = {}
    while waiting or running:
        while waiting and len(running) < processes:
            at = waiting.pop()
            receiving, sending = context.Pipe(duplex=False)
            process = context.Process(target=_alone, args=(sending, *chosen[at], most, seconds))
            process.start()
            sending.close()
            running[receiving] = at, process, time.monotonic() + seconds
        rest = min(end for *_, end in running.values()) - time.monotonic()
        ready = connection.wait(list(running), max(rest, 0))
        for each in list(running):
            at, process, end = running[each]
            if each in ready:
                try:
                    yield at, each.recv()
                except EOFError:
                    yield at, Outcome(died="its process died")
            elif time.monotonic() > end:
                yield at, Outcome(died=f"took more than {seconds} s")
            else:
                continue
            process.kill()
            process.join()
            each.close()
            del running[each]


def _alone(sending: Any, mutant: Mutant, several: list[Program], most: int, seconds: float) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1):
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sending.send(met(mutant, several, most, seconds))


# The report


def table(found: Sequence[tuple[Mutant, Outcome]]) -> list[str]:
    """Lists how many mutants became what."""
    kinds = Counter(outcome.kind for _, outcome in found)
    counted = [outcome for _, outcome in found if outcome.findings]
    caught = sum(not each.survives for each in counted)
    equivalent = [outcome for _, outcome in found if outcome.kind == "equivalent"]
    texts = [each for outcome in counted for each in outcome.findings]
    by_kind = Counter(each.findings[0].kind for each in counted)
    rows: list[tuple[str, object]] = [
        ("drawn", len(found)),
        ("no effect", kinds["no effect"] + kinds["not reached"]),
        ("  reached by no program", kinds["not reached"]),
        ("equivalent changes of the text", len(equivalent)),
        ("  with other names for those who use it", sum(each.renamed for each in equivalent)),
        ("  yet the verifier differs", sum(bool(each.strict) for each in equivalent)),
        ("raised by the emitter itself", kinds["raised"]),
        ("died, or took too long", kinds["died"]),
        ("counted: a wrong text", len(counted)),
        *((f"  {kind}", number) for kind, number in by_kind.most_common()),
        ("caught by the verifier", f"{caught} ({caught / max(len(counted), 1):.1%})"),
        ("  by its look at other arguments alone", sum(any(e.by_arguments for e in each.findings) for each in counted)),
        ("survivors", len(counted) - caught),
        ("wrong texts looked at", len(texts)),
        ("  not noticed", sum(not each.verifier for each in texts)),
    ]
    return [f"{name:42}{value}" for name, value in rows]


def details(found: Sequence[tuple[Mutant, Outcome]], known: Sequence[Program]) -> list[str]:
    """Shows each survivor with its program and its text, and each equivalent change that the verifier refuses."""
    lines: list[str] = []
    for mutant, outcome in found:
        for each in outcome.findings:
            if not each.verifier:
                lines += ["", f"SURVIVOR {mutant}", f"    {each.kind}: {each.told}   [program {each.program}]"]
                lines += _indented(known[each.program].graph.source.text)
                lines += ["    " + line for line in _changed(known[each.program].text, each.text)]
    lines += ["", "Equivalent, yet the verifier differs:"]
    lines += [f"{mutant}\n    {each.strict}" for mutant, each in found if each.kind == "equivalent" and each.strict]
    lines += ["", "Died, or took too long:"]
    lines += [f"{mutant}\n    {each.died}" for mutant, each in found if each.kind == "died"]
    return lines


def _indented(text: str) -> list[str]:
    return ["    " + line for line in text.splitlines()]


def _changed(right: str, wrong: str) -> list[str]:
    from difflib import unified_diff

    return list(unified_diff(right.splitlines(), wrong.splitlines(), "right", "wrong", lineterm="", n=1))[2:]


def tell(number: int, count: int, mutant: Mutant, outcome: Outcome) -> None:
    why = outcome.findings[0].verifier or outcome.findings[0].told if outcome.findings else ""
    why = why or (outcome.raised[0] if outcome.raised else outcome.died)
    text = f"{number}/{count} {outcome.kind}, {outcome.met} met: {mutant}   {why[:150]}"
    print(text, file=sys.stderr, flush=True)


def drawn(options: argparse.Namespace, known: list[Program], version: str) -> list[tuple[Mutant, list[Program]]]:
    """Draws mutants, and for each of them programs that reach its place."""
    draw = random.Random(options.seed)
    every: list[Site] = [site for path in emitter_files() for site in sites(path)]
    if options.only:
        every = [each for each in every if options.only in f"{each.path.name}:{each.line}"]
    lines = reached(known, version)
    chosen: list[tuple[Mutant, list[Program]]] = []
    for site in draw.sample(every, min(options.count, len(every))):
        mutant = site.mutant()
        several = reaching(site, lines, len(known), bool(mutant.function))
        if options.like:
            several = [at for at in several if re.search(options.like, known[at].graph.source.text)]
        several = draw.sample(several, min(options.programs, len(several)))
        chosen.append((mutant, [known[at] for at in several]))
    return chosen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--programs", type=int, default=150, help="so many a mutant meets at most")
    parser.add_argument("--wrong", type=int, default=3, help="after so many wrong texts a mutant has met enough")
    parser.add_argument("--seconds", type=float, default=60, help="the longest that a mutant may take")
    parser.add_argument("--only", default="", help="a file and perhaps a line, such as chain.py:281")
    parser.add_argument("--like", default="", help="a pattern of the programs that a mutant meets, such as 'again '")
    parser.add_argument("--report", type=Path, default=REPORT)
    options = parser.parse_args()
    import emit_judging  # noqa: F401
    import torch

    import cnndsl.emit.torch.verified
    import cnndsl.testing.construction  # noqa: F401 - loaded once, before the forks

    torch.set_num_threads(1)
    started = time.monotonic()
    version = digest()
    known = programs()
    chosen = drawn(options, known, version)
    print(f"{time.monotonic() - started:.0f} s to prepare", file=sys.stderr)
    gc.freeze()
    found: dict[int, Outcome] = {}
    for at, outcome in outcomes(chosen, options.processes, options.wrong, options.seconds):
        found[at] = outcome
        tell(len(found), len(chosen), chosen[at][0], outcome)
    if digest() != version:
        raise SystemExit("the emitter or the programs changed meanwhile: what was found holds for neither")
    ordered = [(mutant, found[at]) for at, (mutant, _) in enumerate(chosen)]
    lines = [*table(ordered), *details(ordered, known)]
    lines.append(f"{time.monotonic() - started:.0f} s")
    print("\n".join(lines))
    options.report.parent.mkdir(exist_ok=True)
    options.report.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    main()
