"""The declared range of dependencies and Pythons, as far as they are at hand: `make compat`.

Oldest: the lowest version of each core dependency that pyproject.toml declares, in a fresh environment without torch,
with all tests that need none. Newest: the highest that the index has. Then the same with every further Python that
this machine has, and in Pyodide if Node is there (`pyodide_check.py`). What is not at hand is said, not skipped in
silence. `--only oldest newest 3.12 pyodide` chooses.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
TEST_TOOLS = ("hatchling", "hypothesis", "jsonschema", "pytest", "pytest-xdist")
ABSENT = {"torch", "torchvision", "pygraphviz", "numpy", "fontTools", "pypdf", "reportlab", "resvg_py"}
RUN_TORCH = {"tests/runtime/test_bench.py", "tests/test_readme.py", "tests/test_examples.py", "tests/test_package.py"}
"""Tests that import it late, or start programs that do."""


def dependencies() -> list[str]:
    project: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"]


def oldest() -> list[str]:
    """The lowest version of each dependency: `lark==1.3`."""
    return [re.sub(r">=([0-9.]+).*", r"==\1", each) for each in dependencies()]


@cache
def imports(path: Path) -> frozenset[str]:
    """What a test needs as soon as it is collected, through the helpers that it imports too."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            found.add(name.split(".")[0])
            helper = ROOT / (name.replace(".", "/") + ".py")
            if name.startswith("tests.") and helper.is_file():
                found |= imports(helper)
    return frozenset(found)


def tests() -> Iterator[str]:
    """The test files that neither torch nor Graphviz's library is needed for."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        name = path.relative_to(ROOT).as_posix()
        if not imports(path) & ABSENT and name not in RUN_TORCH:
            yield name


def run(*command: str | Path) -> bool:
    print("+", *command[:6], "…" if len(command) > 6 else "", flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run([str(part) for part in command], cwd=ROOT, env=environment, check=False).returncode == 0


def in_fresh_environment(python: str, requirements: list[str]) -> bool:
    """The torch-free tests with a Python and exactly these versions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not run(python, "-m", "venv", folder):
            return False
        own = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
        pip = (own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        if not (run(*pip, *requirements, *TEST_TOOLS) and run(*pip, "--no-deps", "-e", ROOT)):
            return False
        versions = [re.split("[<>=]", each)[0] for each in dependencies()]
        run(own, "-c", f"from importlib.metadata import version; print({{n: version(n) for n in {versions}}})")
        return run(own, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *tests())


def find(version: str) -> str | None:
    """A Python of a version: of pyenv, or on the path; one that only pretends is none."""
    homes = Path.home() / ".pyenv" / "versions"
    for each in (*map(str, homes.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")):
        if each and subprocess.run([each, "-c", ""], capture_output=True, check=False).returncode == 0:
            return each
    return None


def outcome(name: str) -> bool | None:
    """Whether all is well; None where what is needed is not at hand."""
    if name in ("oldest", "newest"):
        return in_fresh_environment(sys.executable, oldest() if name == "oldest" else dependencies())
    if name == "pyodide":
        has_tools = shutil.which("node") and shutil.which("npm")
        return run(sys.executable, ROOT / ".ci" / "pyodide_check.py") if has_tools else None
    python = find(name)
    return in_fresh_environment(python, dependencies()) if python else None


def main() -> None:
    parser = argparse.ArgumentParser(description="The declared range of dependencies and Pythons.")
    parser.add_argument("--only", nargs="+", default=["oldest", "newest", *PYTHONS[1:], "pyodide"])
    results = {name: outcome(name) for name in parser.parse_args().only}
    for name, passed in results.items():
        print(f"{name:<10}{'not at hand' if passed is None else 'passed' if passed else 'FAILED'}")
    sys.exit(1 if False in results.values() else 0)


if __name__ == "__main__":
    main()
