"""The torch-free part in Pyodide, as a browser would run it: the built wheel, in Node, without a CDN.

What `torch_free.py` prints there (statistics, source, drawings, formatted text, errors) must be to the character what
CPython prints with the same wheels. Needs `node` and `npm`, and their registry once. `--pyodide 0.29.5` tries another
release: the first number of those since 314 is the Python's.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".ci" / "torch_free.py"
PYODIDE = "314.0.7"
ABOUT = {"python", "platform", "torch_free"}

LOADER = """
import {{ readFileSync, writeFileSync }} from "node:fs";
import {{ loadPyodide }} from "pyodide";

process.on("uncaughtException", (error) => {{
  console.log(error.message);
  process.exit(1);
}});
const pyodide = await loadPyodide();
const site = pyodide.runPython("import sysconfig; sysconfig.get_path('purelib')");
for (const wheel of {wheels}) {{
  pyodide.unpackArchive(new Uint8Array(readFileSync(wheel)), "whl", {{ extractDir: site }});
}}
pyodide.FS.mkdir("/task");
pyodide.FS.chdir("/task");
pyodide.globals.set("source", readFileSync({program}, "utf8"));
writeFileSync({result}, pyodide.runPython(`
names = {{"__name__": "torch_free"}}
exec(compile(source, "torch_free.py", "exec"), names)
names["report"]()
`));
"""
"""Nothing is fetched here: packages come from the folder of npm and from the wheels."""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    print("+", *command, flush=True)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    each = [str(part) for part in command]
    done = subprocess.run(each, cwd=cwd, env=kept | environment, check=False, stdout=subprocess.PIPE, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{each[0]} failed: {done.stdout[-2000:]}")
    return done.stdout


def wheels(folder: Path) -> list[Path]:
    """Ours and those of all that it depends on, which are Python alone."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "wheel", "--no-deps", "-w", folder, ROOT, cwd=folder)
    (own,) = folder.glob("*.whl")
    pure = ("--only-binary=:all:", "--platform", "any", "--implementation", "py", "--abi", "none")
    run(*pip, "download", *pure, "-d", folder, own, cwd=folder)
    return sorted(folder.glob("*.whl"))


def in_cpython(folder: Path, found: list[Path]) -> str:
    """What the program prints here, with nothing but the wheels."""
    site, task = folder / "site", folder / "cpython"
    task.mkdir()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", "--no-deps", "--no-compile", "--target", site, *found, cwd=folder)
    return run(sys.executable, "-S", PROGRAM, cwd=task, PYTHONPATH=str(site), PYTHONUTF8="1")


def in_pyodide(folder: Path, found: list[Path], version: str) -> str:
    """What it prints in Pyodide."""
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")
    (folder / "package.json").write_text('{"private": true, "type": "module"}', encoding="utf-8")
    run("npm", "install", *quiet, f"pyodide@{version}", cwd=folder)
    result = folder / "result.json"
    names = {"wheels": list(map(str, found)), "program": str(PROGRAM), "result": str(result)}
    text = LOADER.format(**{name: json.dumps(value) for name, value in names.items()})
    (folder / "check.mjs").write_text(text, encoding="utf-8")
    run("node", "check.mjs", cwd=folder)
    return result.read_text(encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="The torch-free part in Pyodide.")
    parser.add_argument("--pyodide", default=PYODIDE, metavar="VERSION")
    version: str = parser.parse_args().pyodide
    missing = [tool for tool in ("node", "npm") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"Pyodide cannot be run: {' and '.join(missing)} not at hand")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "wheels").mkdir()
        found = wheels(folder / "wheels")
        here = json.loads(in_cpython(folder, found))
        start = time.perf_counter()
        there = json.loads(in_pyodide(folder, found, version))
    print(f"CPython {here['python']}, Pyodide {version} with Python {there['python']} on {there['platform']}")
    if not (here["torch_free"] and there["torch_free"]):
        sys.exit("torch was imported")
    same = [task for task in here if task not in ABOUT and here[task] == there.get(task)]
    other = [task for task in {**here, **there} if task not in ABOUT and task not in same]
    print(f"{len(same)} outputs agree to the character, {len(other)} do not; {time.perf_counter() - start:.0f} s")
    for task in other:
        print(f"{task}:\n  here  {str(here.get(task))[:600]}\n  there {str(there.get(task))[:600]}")
    sys.exit(1 if other else 0)


if __name__ == "__main__":
    main()
