"""Build wheel and sdist, check both as an index does, and use the wheel as a stranger would.

`twine check --strict` reads the metadata and renders the description. The wheel is installed into a fresh environment
and used in an empty folder, away from the checkout: first with the core dependencies alone, then with the extras.
Prints each command that it runs, and stops at the first that fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NET = "INPUT -> [[CONV3-64 -> RELU]*2 -> POOL2]*5 -> FC-4096\n"


def run(*command: str | Path, cwd: Path) -> None:
    print("+", *command, flush=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=True)


def build(folder: Path) -> Path:
    """Write wheel and sdist into a folder, check them, and return the wheel."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT, cwd=folder)
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist, cwd=folder)
    return wheel


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        venv.create(folder / "env", with_pip=True)
        binaries = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        python, cnndsl = binaries / "python", binaries / "cnndsl"
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        work = folder / "work"
        work.mkdir()
        (work / "card.cnn").write_text(NET, encoding="utf-8")

        run(*pip, wheel, cwd=work)
        run(cnndsl, "--version", cwd=work)
        run(cnndsl, "zoo", cwd=work)
        run(cnndsl, "new", "lenet5", cwd=work)
        run(cnndsl, "check", "card.cnn", "lenet5.cnn", cwd=work)
        run(cnndsl, "stats", "card.cnn", cwd=work)
        run(cnndsl, "stats", "vgg16", "--format", "lecture", cwd=work)
        run(cnndsl, "compile", "card.cnn", cwd=work)
        run(cnndsl, "render", "card.cnn", "-o", "card.gv", cwd=work)
        run(cnndsl, "fit", "card.cnn", "--memory", "8GB", "-o", "memory.svg", cwd=work)

        run(*pip, ROOT / "examples" / "plugin", cwd=work)
        run(cnndsl, "check", "--strict", *sorted((ROOT / "examples" / "plugin" / "networks").glob("*.cnn")), cwd=work)

        run(*pip, "-c", ROOT / "constraints.txt", f"{wheel}[torch,render]", cwd=work)
        run(python, "card.py", cwd=work)
        run(cnndsl, "render", "card.cnn", "-o", "card.svg", cwd=work)
        run(cnndsl, "fit", "card.cnn", "--memory", "8GB", "-o", "memory.png", cwd=work)
        run(cnndsl, "fit", "card.cnn", "--memory", "8GB", "-o", "memory.pdf", cwd=work)


if __name__ == "__main__":
    main()
