"""Breaks the code on purpose, one place at a time, and counts the tests that notice: `make mutants`.

Each mutant (`mutating` makes them) meets the tests in a process of its own, forked from one that has loaded torch and
collected all tests; there a changed function gets its new code. What is changed outside of functions (the options of a
layer kind, tables) is imported anew, by an import hook, and so is what no test noticed. Nothing on the disk is touched.
mutmut and cosmic-ray do the same with a fresh pytest for each mutant, which here takes several times as long.

Tests that noticed other mutants of a module go first, then the module's own, then those of its folder, then the rest,
the slow ones last. A mutant with which a test takes ten times the processor time, or much more memory, is noticed.
Survivors that change nothing (`x >= 0` for `x > 0` where x is never 0) are listed in docs/test-log.md.
"""

from __future__ import annotations

import argparse
import functools
import gc
import json
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from traceback import format_exc
from types import CodeType, FunctionType
from typing import Any

from mutating import ROOT, Mutant, mutants

REPORT = ROOT / "build" / "mutants.txt"
MEMORY = 12 * 2**30
"""So many bytes of addresses a mutant may take."""
SECONDS = 10
"""So long a test may take at least."""

NEAR = {
    "layers": (
        *(f"tests/layers/test_{name}.py" for name in ("kinds", "options", "errors")),
        *("tests/test_language_reference.py", "tests/layers/test_values.py", "tests/layers", "cnndsl/layers"),
    ),
    "analysis": ("tests/analysis", "cnndsl/analysis", "tests/commands"),
}
"""What runs first for the modules of a folder, and alone without `--whole`."""
OTHERS = (
    "tests/analysis",
    "tests/zoo/test_figures.py",
    "tests/elaborate",
    "tests/diagnostics",
    "tests/commands",
    "tests/report",
    "tests/emit",
    "tests/random",
)
SLOW = ("tests/analysis/test_against_torch.py", "tests/emit", "tests/random")
"""The last of all."""


class Served(MetaPathFinder):
    """Imports one module from a changed source."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant
        parts = mutant.path.relative_to(ROOT).with_suffix("").parts
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = spec_from_file_location(fullname, self.mutant.path)
        assert spec is not None
        assert spec.loader is not None
        code = compile(self.mutant.source, str(self.mutant.path), "exec")
        spec.loader.exec_module = lambda module: exec(code, module.__dict__)  # type: ignore[method-assign]
        return spec


Loaded = dict[tuple[str, str], list[FunctionType]]
"""The functions of ours that are loaded, by file and name; a class with slots is made twice, with the same ones."""


def loaded() -> Loaded:
    found: Loaded = {}
    for each in gc.get_objects():
        # Some objects of torch warn when they are asked for their class.
        if type(each) is FunctionType and each.__code__.co_filename.startswith(str(ROOT / "cnndsl")):
            found.setdefault((each.__code__.co_filename, each.__code__.co_qualname), []).append(each)
    return found


def patch(mutant: Mutant, functions: Loaded) -> bool:
    """Gives a function that is loaded its changed code; False where that cannot be, as without its `super()`."""
    codes = _codes(compile(mutant.source, str(mutant.path), "exec"))
    (code,) = (each for each in codes if each.co_qualname == mutant.function)
    found = functions.get((str(mutant.path), mutant.function), [])
    for function in found:
        if function.__code__.co_freevars != code.co_freevars:
            return False
        function.__code__ = code
    return bool(found)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _codes(inner)


class Tests:
    """A plug-in of pytest: collects tests and, in place of running them, does what it is told to.

    `seconds` is what each test takes with unbroken code; `killers` are the tests that noticed, by module.
    """

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.items: list[Any] = []
        self.seconds: dict[str, float] = {}
        self.killers: dict[Path, list[str]] = {}
        self.failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def ordered(self, path: Path) -> list[Any]:
        """The tests for a module, those that are likely to notice first."""
        known = self.killers.get(path, [])
        places = {name: at - len(known) for at, name in enumerate(reversed(known))}
        folder = path.parent.name
        own = f"tests/{folder}/test_{path.stem}.py"

        def rank(item: Any) -> tuple[int, int, float]:
            name = item.nodeid
            near = 0 if name.startswith(own) else 1 if name.startswith(NEAR[folder]) else 2
            return places.get(name, 0), 3 if name.startswith(SLOW) else near, self.seconds.get(name, 0)

        chosen = [each for each in self.items if not self.quick or each.nodeid.startswith(NEAR[folder])]
        if self.quick:
            chosen = [each for each in chosen if not each.nodeid.startswith(SLOW)]
        return sorted(chosen, key=rank)

    def first_failure(self, items: list[Any]) -> str:
        """Runs tests up to the first that fails, which is returned; empty where none does."""
        for item, following in zip(items, (*items[1:], None), strict=False):
            signal.setitimer(signal.ITIMER_PROF, SECONDS + 10 * self.seconds.get(item.nodeid, 0))
            started = time.process_time()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return self.failed
            self.seconds[item.nodeid] = time.process_time() - started
        return ""

    def told(self, work: Any, restrain: bool = True) -> Any:
        """What a function gives in a process of its own; None where that dies."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            if restrain:
                _restrain()
            try:
                answer = {"said": work()}
            except BaseException:
                answer = {"wrong": format_exc()}
            text = json.dumps(answer).encode()
            while text:
                text = text[os.write(writing, text) :]
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answers:
            text = answers.read()
        os.waitpid(pid, 0)
        answer = json.loads(text) if text else {"said": None}
        if "wrong" in answer:
            raise RuntimeError(answer["wrong"])
        return answer["said"]

    def learn(self) -> None:
        """Runs all tests with the unbroken code; they have to pass."""

        def work() -> tuple[str, dict[str, float]]:
            failed = self.first_failure(self.ordered(ROOT / "cnndsl" / "layers" / "base.py"))
            failed = failed or self.first_failure(self.ordered(ROOT / "cnndsl" / "analysis" / "cost.py"))
            return failed, self.seconds

        failed, self.seconds = self.told(work) or ("a test", {})
        if failed:
            raise SystemExit(f"{failed} fails as it is")

    def notice(self, mutant: Mutant, found: str | None) -> str:
        """Remembers which test noticed a mutant: None where the process died, empty where none did."""
        if found:
            known = self.killers.setdefault(mutant.path, [])
            if found in known:
                known.remove(found)
            known.append(found)
        return "import, time or memory" if found is None else found


def _restrain() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class Patched(Tests):
    """Meets each mutant of a function with the tests that are collected; `answers` are in the order of the mutants."""

    def __init__(self, chosen: list[Mutant], quick: bool) -> None:
        super().__init__(quick)
        self.chosen = chosen
        self.answers: list[str] = []

    def pytest_runtestloop(self, session: Any) -> bool:
        self.items = session.items
        _forget()
        self.learn()
        functions = loaded()
        gc.freeze()
        for number, mutant in enumerate(self.chosen, 1):

            def work(mutant: Mutant = mutant) -> str:
                return self.first_failure(self.ordered(mutant.path)) if patch(mutant, functions) else ""

            self.answers.append(self.notice(mutant, self.told(work)))
            tell(number, len(self.chosen), mutant, self.answers[-1])
        return True


def _forget() -> None:
    """Empties all caches that collecting has filled."""
    for each in gc.get_objects():
        if type(each) is functools._lru_cache_wrapper and each.__module__.startswith(("cnndsl", "tests")):
            each.cache_clear()


class Imported(Tests):
    """Meets one mutant in a process in which nothing of ours is loaded yet."""

    def __init__(self, mutant: Mutant, quick: bool, others: Tests) -> None:
        super().__init__(quick)
        self.mutant, self.seconds, self.killers = mutant, others.seconds, others.killers
        self.answer: str | None = None

    def pytest_runtestloop(self, session: Any) -> bool:
        self.items = session.items
        self.answer = self.first_failure(self.ordered(self.mutant.path))
        return True


def collect(plugin: Tests, folders: list[str], first: bool = False) -> int:
    """Lets pytest collect, `first` only what is quick, and the plug-in work."""
    import pytest

    near = [each for folder in folders for each in NEAR[folder]]
    paths = near[:4] if first else dict.fromkeys((*near, *(() if plugin.quick else OTHERS)))
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "--assert=plain"]
    return int(pytest.main([*quiet, "-W", "ignore::pytest.PytestAssertRewriteWarning", *paths], plugins=[plugin]))


def meet(chosen: list[Mutant], quick: bool) -> dict[Mutant, str]:
    """The test that notices each mutant; empty where none does.

    What survives a changed function is imported anew too: tests may have called it while they were collected.
    """
    functions = [each for each in chosen if each.function]

    def patched() -> tuple[list[str], dict[str, float]]:
        plugin = Patched(functions, quick)
        collect(plugin, sorted({each.path.parent.name for each in functions}))
        return plugin.answers, plugin.seconds

    memory = Tests(quick)
    said, memory.seconds = memory.told(patched, restrain=False) if functions else ([], {})
    answers = dict(zip(functions, said, strict=True))
    left = [each for each in chosen if not answers.get(each)]
    for number, mutant in enumerate(left, 1):

        def imported(mutant: Mutant = mutant) -> str | None:
            sys.meta_path.insert(0, Served(mutant))
            for first in (True, False):
                plugin = Imported(mutant, quick, memory)
                collect(plugin, [mutant.path.parent.name], first)
                if plugin.answer != "":
                    break
            return plugin.answer

        answers[mutant] = memory.notice(mutant, memory.told(imported))
        tell(number, len(left), mutant, answers[mutant])
    return answers


def tell(number: int, count: int, mutant: Mutant, killer: str) -> None:
    text = f"{time.monotonic():.0f} {number}/{count} {f'killed by {killer}' if killer else 'SURVIVED'}: {mutant}"
    print(text, file=sys.__stderr__, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", nargs="+", default=list(NEAR), choices=list(NEAR))
    parser.add_argument("--sample", type=int, default=300, help="how many of a folder; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=Path, help="a report, whose survivors are tried again")
    parser.add_argument("--whole", action="store_true", help="with the rest of the suite too, the slow tests last")
    options = parser.parse_args()
    os.environ.update(CI="1", CNNDSL_EXAMPLES="40", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    import hypothesis.strategies  # noqa: F401 - loaded once, before the forks
    import lark  # noqa: F401
    import networkx  # noqa: F401
    import pytest  # noqa: F401
    import torch.distributed._tools.mem_tracker
    import torch.utils.flop_counter  # noqa: F401

    every = {
        folder: [each for path in sorted((ROOT / "cnndsl" / folder).glob("*.py")) for each in mutants(path)]
        for folder in options.folders
    }
    chosen = {folder: choose(several, options) for folder, several in every.items()}
    answers = meet([mutant for several in chosen.values() for mutant in several], not options.whole)
    lines: list[str] = []
    for folder, several in chosen.items():
        lines += report(folder, several, answers, len(every[folder]))
    print("\n".join(lines))
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def choose(every: list[Mutant], options: argparse.Namespace) -> list[Mutant]:
    """A sample of a folder's mutants, or those of a report."""
    if options.only:
        wanted = options.only.read_text(encoding="utf-8").splitlines()
        return [each for each in every if str(each) in wanted]
    return random.Random(options.seed).sample(every, min(options.sample, len(every))) if options.sample else every


def report(folder: str, chosen: list[Mutant], answers: dict[Mutant, str], count: int) -> list[str]:
    alive = [str(each) for each in chosen if not answers[each]]
    killed = len(chosen) - len(alive)
    died = sum(answers[each] == "import, time or memory" for each in chosen)
    share = f"{100 * killed / max(len(chosen), 1):.1f}%"
    head = (
        f"{folder}: {killed} of {len(chosen)} killed ({share}; {died} on import, by time or by memory), {count} in all"
    )
    return [head, *alive]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    main()
