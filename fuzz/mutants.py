"""Breaks the code on purpose, one place at a time, and counts the tests that notice: `make mutants`.

A mutant is a module with one operator, constant, condition or result changed. Each runs the tests that concern its
module in a process of its own, forked from one that has loaded torch and pytest already, with the changed module
served by an import hook; nothing on the disk is touched. mutmut and cosmic-ray do the same with a fresh pytest for
each mutant, which here takes ten times as long.

Texts of messages are not changed, nor type annotations, decorators and docstrings. A mutant that runs out of time is
noticed. Survivors that change nothing (`x >= 0` for `x > 0` where x is never 0) are listed in docs/quality.md.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "build" / "mutants.txt"
SECONDS = 600
"""So long a mutant may take."""

TESTS = {
    "layers": ("cnndsl/layers", "tests/layers", "tests/zoo/test_figures.py", "tests/random", "tests/analysis"),
    "analysis": ("cnndsl/analysis", "tests/analysis", "tests/zoo/test_figures.py", "tests/random"),
}
"""What runs for the modules of a folder, in this order, up to the first test that fails."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sum": "max",
    "prod": "sum",
    "lcm": "gcd",
    "gcd": "lcm",
}
SPEECH = {"LayerError", "Diagnostic", "CnnError", "error", "KeyError", "TypeError", "Finding", "warning"}
"""Calls whose texts are read by people."""


@dataclass(frozen=True)
class Mutant:
    path: Path
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[Callable[[Any], ast.AST]]:
    """What can be done to one node: each function changes a copy of it and gives what takes its place."""
    if isinstance(node, ast.Compare):
        yield from (partial(_compared, at=at) for at in range(len(node.ops)))
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif type(node) in REPLACED and not any(
        (
            isinstance(node, ast.Return) and (node.value is None or _is_none(node.value)),
            isinstance(node, ast.Name) and not (node.id in NAMES and isinstance(node.ctx, ast.Load)),
            isinstance(node, ast.BinOp) and type(node.op) not in OPERATORS,
            isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant),
            isinstance(node, ast.comprehension) and not node.ifs,
        )
    ):
        yield REPLACED[type(node)]


REPLACED: dict[type[ast.AST], Callable[[Any], ast.AST]] = {
    ast.BinOp: lambda new: _with(new, op=OPERATORS[type(new.op)]()),
    ast.BoolOp: lambda new: _with(new, op=ast.Or() if isinstance(new.op, ast.And) else ast.And()),
    ast.UnaryOp: lambda new: new.operand,
    ast.IfExp: lambda new: _with(new, body=new.orelse, orelse=new.body),
    ast.If: lambda new: _with(new, test=ast.UnaryOp(ast.Not(), new.test)),
    ast.While: lambda new: _with(new, test=ast.UnaryOp(ast.Not(), new.test)),
    ast.comprehension: lambda new: _with(new, ifs=[]),
    ast.Return: lambda new: _with(new, value=ast.Constant(None)),
    ast.Name: lambda new: _with(new, id=NAMES[new.id]),
}


def _compared(node: Any, at: int) -> ast.AST:
    node.ops[at] = COMPARISONS[type(node.ops[at])]()
    return node


def _constants(node: ast.Constant) -> Iterator[Callable[[Any], ast.AST]]:
    if isinstance(node.value, bool):
        yield lambda new: _with(new, value=not new.value)
    elif isinstance(node.value, int | float):
        yield lambda new: _with(new, value=new.value + 1)
    elif isinstance(node.value, str) and node.value:
        yield lambda new: _with(new, value=f"{new.value}X")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


def places(
    node: ast.AST, path: tuple[tuple[str, int], ...] = ()
) -> Iterator[tuple[tuple[tuple[str, int], ...], ast.AST]]:
    """The nodes worth changing, each with the way to it."""
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params") or _is_unread(node, name):
            continue
        several = value if isinstance(value, list) else [value]
        for at, child in enumerate(several):
            if isinstance(child, ast.AST) and not _is_speech(node, child):
                yield from places(child, (*path, (name, at if isinstance(value, list) else -1)))


def _is_unread(node: ast.AST, name: str) -> bool:
    """What is not code: f-strings, imports, and the bodies that only type checkers read."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEECH:
        return name in ("args", "keywords")
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_speech(node: ast.AST, child: ast.AST) -> bool:
    """Docstrings, names of types, and variables that hold what is said."""
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
        return child.targets[0].id in ("message", "help", "hint")
    if isinstance(child, ast.AnnAssign):
        return isinstance(child.annotation, ast.Name) and child.annotation.id == "TypeAlias"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast"


def mutants(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for way, node in list(places(tree)):
        for change in changes(node):
            broken = copy.deepcopy(tree)
            parent: ast.AST = broken
            for name, at in way[:-1]:
                value = getattr(parent, name)
                parent = value if at < 0 else value[at]
            name, at = way[-1]
            old = getattr(parent, name) if at < 0 else getattr(parent, name)[at]
            before = ast.unparse(old).splitlines()[0]
            new = change(old)
            if at < 0:
                setattr(parent, name, new)
            else:
                getattr(parent, name)[at] = new
            ast.fix_missing_locations(broken)
            line = getattr(node, "lineno", 0) or getattr(getattr(node, "target", None), "lineno", 0)
            after = ast.unparse(new).splitlines()[0]
            if isinstance(new, ast.Constant) or isinstance(node, ast.Name):
                before, after = (f"{text} in {ast.unparse(parent).splitlines()[0][:90]}" for text in (before, after))
            yield Mutant(path, line, before, after, ast.unparse(broken))


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


def survives(mutant: Mutant | None, tests: tuple[str, ...]) -> bool:
    """Whether all tests pass with a mutant, or without any; each in a process of its own."""
    return all(_passes(mutant, test) for test in tests)


def _passes(mutant: Mutant | None, test: str) -> bool:
    pid = os.fork()
    if pid == 0:
        _child(mutant, test)
    _, status = os.waitpid(pid, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0


def _child(mutant: Mutant | None, test: str) -> None:
    import pytest

    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    signal.alarm(SECONDS)
    if mutant is not None:
        sys.meta_path.insert(0, Served(mutant))
    code: int = 2
    try:
        quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]
        code = pytest.main(["-x", *quiet, test])
    finally:
        os._exit(int(code))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folders", nargs="+", default=list(TESTS), choices=list(TESTS))
    parser.add_argument("--sample", type=int, default=300, help="how many of a folder; 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    os.environ.update(CI="1", CNNDSL_EXAMPLES="40")
    import hypothesis  # noqa: F401 - loaded once, before the forks
    import pytest  # noqa: F401
    import torch  # noqa: F401

    lines: list[str] = []
    for folder in options.folders:
        lines += examine(folder, options.sample, options.seed)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text("\n".join(lines) + "\n", encoding="utf-8")


def examine(folder: str, sample: int, seed: int) -> list[str]:
    """Breaks a folder's modules and tells what survived."""
    tests = TESTS[folder]
    if failing := [test for test in tests if not _passes(None, test)]:
        raise SystemExit(f"these fail as it is: {', '.join(failing)}")
    every = [each for path in sorted((ROOT / "cnndsl" / folder).glob("*.py")) for each in mutants(path)]
    chosen = random.Random(seed).sample(every, min(sample, len(every))) if sample else every
    alive: list[Mutant] = []
    started = time.monotonic()
    for number, mutant in enumerate(chosen, 1):
        if survives(mutant, tests):
            alive.append(mutant)
            print(f"survived {mutant}", flush=True)
        if number % 20 == 0:
            print(
                f"{folder}: {number} of {len(chosen)}, {len(alive)} alive, {time.monotonic() - started:.0f} s",
                flush=True,
            )
    killed = len(chosen) - len(alive)
    head = f"{folder}: {killed} of {len(chosen)} killed ({100 * killed / len(chosen):.1f}%); there are {len(every)}"
    print(head, flush=True)
    return [head, *map(str, alive)]


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    main()
