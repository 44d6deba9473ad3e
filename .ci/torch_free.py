"""Everything that needs no torch, done to three networks: prints the output of each command as one JSON object.

Run by `pyodide_check.py` once in CPython and once in Pyodide, which must print the same.
"""

from __future__ import annotations

import io
import json
import platform
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from cnndsl.cli import main

NETS = ("vgg16", "resnet50", "googlenet")
TASKS = (
    "check {}.cnn",
    "check {}.cnn --output-format sarif",
    "stats {}.cnn",
    "stats {}.cnn --depth 2 --sort -params --batch 8 --optimizer adam",
    "stats {}.cnn --by stage --format json",
    "stats {}.cnn --format lecture",
    "stats {}.cnn --format csv",
    "stats {}.cnn --format markdown",
    "stats {}.cnn --format html",
    "stats {}.cnn --format latex",
    "fmt --check {}.cnn",
    "fmt --diff wild_{}.cnn",
    "fmt wild_{}.cnn",
    "check wild_{}.cnn",
    "render {}.cnn -o {}.gv",
    "render {}.cnn --fold -o -",
    "compile {}.cnn -o -",
    "compile {}.cnn",
    "fit {}.cnn --memory 24GB --training",
    "rf {}.cnn",
    "lint {}.cnn --exit-zero",
)
WRONG = {
    "shape.cnn": "INPUT -> (CONV3-64/2 + ID) -> FC-10\n",
    "kind.cnn": "INPUT -> CNOV3-64 -> [RELU\n",
    "name.cnn": "net N(a in 1..3 = 2)\nINPUT -> CONV3-{b} -> POOL2 -> CONV99(pad=valid)*x\n",
    "text.cnn": "INPUT -> \N{ZERO WIDTH SPACE}RELU \u202e\n",
}


def run(command: str) -> dict[str, object]:
    """What a command prints, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = ["cnndsl", *command.split()]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code
    return {"stdout": out.getvalue(), "stderr": err.getvalue(), "exit": code}


def work() -> dict[str, object]:
    results: dict[str, object] = {}
    for net in NETS:
        results[f"new {net}"] = run(f"new {net} -o {net}.cnn")
        text = Path(f"{net}.cnn").read_text(encoding="utf-8")
        Path(f"wild_{net}.cnn").write_text(text.replace(" -> ", "->"), encoding="utf-8")
        for task in TASKS:
            command = task.replace("{}", net)
            results[command] = run(command)
    for name, text in WRONG.items():
        Path(name).write_text(text, encoding="utf-8")
        results[f"check {name}"] = run(f"check {name}")
        results[f"stats {name}"] = run(f"stats {name}")
    files = sorted(Path().iterdir())
    return results | {f"file {path}": path.read_text(encoding="utf-8") for path in files}


def report() -> str:
    """The results, and where they come from."""
    results = work()
    absent = "torch" not in sys.modules
    return json.dumps({"python": platform.python_version(), "platform": sys.platform, "torch_free": absent} | results)


if __name__ == "__main__":
    print(report())
