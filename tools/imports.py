"""Import the convolutional networks of timm and torchvision, and write docs/imports.md: what became of each.

Each network is imported in a process of its own. What is found is kept in build/imports/, so that the next run goes on
where this one stopped: `python tools/imports.py --only 'timm:resnet*'`. A network that could not be imported is tried
again at another commit. With `--table` it writes the page of what is there.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = ROOT / "tests" / "importers" / "published" / "networks.tsv"
KEPT = ROOT / "build" / "imports"
PAGE = ROOT / "docs" / "imports.md"
SECONDS = 900
"""What one network may take."""
COMMANDS = (
    ("stats", "{net}"),
    ("rf", "{net}"),
    ("fit", "{net}", "--memory", "24GiB", "--training"),
    ("lint", "{net}"),
    ("fmt", "--check", "{net}"),
    ("diff", "{net}", "{net}"),
    ("compile", "{net}", "-o", "{folder}/net.py"),
    ("render", "{net}", "-o", "{folder}/net.svg"),
)
"""What every imported network goes through."""


def networks() -> dict[str, str]:
    """The family of each network."""
    rows = [line.split("\t") for line in NETWORKS.read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[1] for row in rows}


def imported(target: str) -> dict[str, Any]:
    """Import a network in this process, and say what became of it."""
    sys.path.insert(0, str(ROOT))
    from cnndsl.errors import CnnError
    from cnndsl.files import FileError
    from cnndsl.importers.raising.page import words
    from cnndsl.network import loads
    from cnndsl.runtime.importing.imported import text_of_module
    from cnndsl.runtime.importing.targets import built
    from tests.oracle import torchvision

    assert torchvision.__name__ in sys.modules
    made = built(target, {})
    assert made.shape is not None
    start = time.perf_counter()
    try:
        text = text_of_module(made.module, [made.shape], target)
    except (CnnError, FileError) as stop:
        told = stop.diagnostics[0].message if isinstance(stop, CnnError) else str(stop)
        return {"refused": told}
    seconds = time.perf_counter() - start
    graph = loads(text).graph
    merges = [node for node in graph if node.layer.ROLE == "merge"]
    return {
        "text": text,
        "seconds": round(seconds, 1),
        "words": words(text),
        "layers": len(graph) - len(graph.inputs),
        "blocks": len(re.findall(r"^block ", text, re.MULTILINE)),
        "references": text.count("@"),
        "merges": len(merges),
        "wide": sum(len(node.inputs) > 3 for node in merges),
        "failed": _failed(text),
    }


def _failed(text: str) -> dict[str, str]:
    """The commands that do not take a program, with what they say."""
    from click.testing import CliRunner

    from cnndsl.cli import cli

    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        net = Path(folder) / "net.cnn"
        net.write_text(text, encoding="utf-8")
        for command in COMMANDS:
            done = CliRunner().invoke(cli, [each.format(net=net, folder=folder) for each in command])
            is_fine = done.exit_code == 0 or (command[0] == "lint" and done.exit_code == 1 and not done.exception)
            if not is_fine and not (command[0] == "lint" and isinstance(done.exception, SystemExit)):
                found[command[0]] = (repr(done.exception) if done.exception else "") + done.output[-300:]
    return found


def is_raised(found: dict[str, Any]) -> bool:
    """Whether a text reads as one: at most one reference for each merge, those of many earlier values exempted."""
    return found["wide"] > 0 or found["references"] <= max(found["merges"], 1)


def kept(target: str) -> Path:
    return KEPT / (target.replace(":", "__") + ".json")


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def run(target: str) -> dict[str, Any]:
    """Import a network in another process, and keep what became of it."""
    try:
        command = [sys.executable, __file__, "--one", target]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        found: dict[str, Any] = (
            json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else {"broken": done.stderr[-1500:]}
        )
    except subprocess.TimeoutExpired:
        found = {"broken": f"not done within {SECONDS} s"}
    found["commit"] = commit()
    KEPT.mkdir(parents=True, exist_ok=True)
    kept(target).write_text(json.dumps(found), encoding="utf-8")
    return found


def known(target: str) -> dict[str, Any] | None:
    """What became of a network earlier, where that still holds."""
    if not kept(target).is_file():
        return None
    found: dict[str, Any] = json.loads(kept(target).read_text(encoding="utf-8"))
    return found if "text" in found or found["commit"] == commit() else None


def outcome(found: dict[str, Any]) -> str:
    if "text" in found:
        return "imported" if is_raised(found) else "not raised"
    return "refused" if "refused" in found else "broken"


def table() -> str:
    """The page: a row for each family, and what was refused."""
    found = {net: json.loads(kept(net).read_text(encoding="utf-8")) for net in networks() if kept(net).is_file()}
    families: dict[str, list[str]] = defaultdict(list)
    for net, family in networks().items():
        families[f"tv.{family}" if net.startswith("torchvision") and "." not in family else family].append(net)
    lines = [
        "| family | networks | tried | imported | not raised | refused | words | blocks | references per 100 layers |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    reasons: dict[str, list[str]] = defaultdict(list)
    for family, nets in sorted(families.items()):
        tried = [each for each in nets if each in found]
        ways = [outcome(found[each]) for each in tried]
        texts = [found[each] for each in tried if "text" in found[each]]
        cells = [len(nets), len(tried), *(ways.count(each) for each in ("imported", "not raised"))]
        cells += [ways.count("refused") + ways.count("broken")]
        cells += [_middle(texts, "words"), _middle(texts, "blocks"), _references(texts)]
        lines.append(f"| {family} | {' | '.join(map(str, cells))} |")
        for each in tried:
            if "text" not in found[each]:
                told = found[each].get("refused") or found[each]["broken"]
                reasons[_reason(told)].append(each)
    lines += ["", "| what was refused, or went wrong | networks | for one |", "|---|---:|---|"]
    lines += [
        f"| {reason} | {len(nets)} | `{nets[0]}` |"
        for reason, nets in sorted(reasons.items(), key=lambda each: -len(each[1]))
    ]
    return "\n".join(lines) + "\n"


def _middle(texts: list[dict[str, Any]], name: str) -> str:
    return f"{median(each[name] for each in texts):g}" if texts else ""


def _references(texts: list[dict[str, Any]]) -> str:
    layers = sum(each["layers"] for each in texts)
    return f"{100 * sum(each['references'] for each in texts) / layers:.1f}" if layers else ""


def _reason(told: str) -> str:
    lines = [each.strip() for each in told.splitlines() if each.strip()]
    plain = (lines[1] if len(lines) > 1 and lines[0].endswith(("say:", "network:")) else lines[-1]).replace("|", "\\|")
    return re.sub(r", \d+ times?, first in.*| \(original.*", "", plain)[:120]


HEAD = """# Imported networks

What became of the convolutional networks of timm and torchvision when `cnndsl import` read them. `tools/imports.py`
writes this page. Words and blocks are those of the text in the median. A text with more than one reference for each
merge counts as *not raised*, except where merges join more than two earlier values.

"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one")
    parser.add_argument("--only", default="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--each", type=int, default=10**6, help="networks of each family")
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(imported(given.one)))
        return
    if not given.table:
        taken: dict[str, int] = defaultdict(int)
        wanted: list[str] = []
        for net, family in networks().items():
            if fnmatch(net, given.only) and taken[family] < given.each:
                taken[family] += 1
                wanted.append(net)
        todo = [each for each in wanted if known(each) is None]
        with ThreadPoolExecutor(given.jobs) as pool:
            for net, found in zip(todo, pool.map(run, todo), strict=True):
                print(f"{outcome(found):11}{net}  {found.get('seconds', '')}", flush=True)
    PAGE.write_text(HEAD + table(), encoding="utf-8")


if __name__ == "__main__":
    main()
