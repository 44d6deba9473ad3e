"""Every bundled network's tables, set by LaTeX in articles of one and two columns: `make tex`.

Needs `pdflatex` with booktabs, longtable and lmodern (Debian: texlive-latex-recommended and lmodern). A table that is
wider than the text or the column that it was made for, or that LaTeX complains about, is listed, and the exit code 1.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CNNDSL = (sys.executable, "-m", "cnndsl")
PACKAGES = r"\usepackage[T1]{fontenc}\usepackage{lmodern,textcomp,booktabs,longtable,array}"
WIDE = "path,text,output,params,weights,macs,operations,activations,inference,saved,training,receptive_field,stride"
STATS = (
    (),
    ("--depth", "1"),
    ("--depth", "3", "--batch", "64"),
    ("--by", "stage"),
    ("--by", "kind"),
    ("--gpu", "h100"),
    ("--depth", "1", "--columns", WIDE),
)
PAIRS = (("vgg16", "vgg19"), ("resnet18", "resnet50"), ("googlenet", "inception_v3"), ("unet", "segnet"))
FAMILIES = (
    ("cifar_resnet",),
    ("wrn", "--columns", "params,weights,macs,flops,operations,memory,saved,training,output"),
)


def commands() -> Iterator[list[str]]:
    """The arguments of each table, without its width."""
    for file in sorted((ROOT / "architectures").glob("*.cnn")):
        yield from (["stats", file.stem, *options] for options in STATS if file.stem != "recipe")
    yield from (["diff", *pair, *more] for pair in PAIRS for more in ((), ("--all",)))
    yield from (["sweep", *family] for family in FAMILIES)


def table(arguments: list[str]) -> str:
    """A table in LaTeX."""
    found = subprocess.run([*CNNDSL, *arguments, "--format", "latex"], capture_output=True, text=True, check=False)
    if found.returncode > 1 or not found.stdout:
        raise SystemExit(f"{' '.join(arguments)}: {found.stderr}")
    return found.stdout


def complaints(body: str, options: str) -> list[str]:
    """What LaTeX says of a document that consists of a table."""
    with tempfile.TemporaryDirectory() as folder:
        document = f"\\documentclass[{options}]{{article}}{PACKAGES}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
        Path(folder, "table.tex").write_text(document, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-draftmode", "table.tex"]
        for _ in range(2):  # longtable knows its widths in the second run
            ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        return re.findall(r"^(?:! .*|Overfull \\hbox.*|.*Float too large.*)$", ran.stdout, re.M)


def check(arguments: list[str]) -> list[str]:
    """What is wrong with the tables of a command, for a column and for a page."""
    found: list[str] = []
    for width in ("column", "page"):
        body = table([*arguments, "--width", width])
        for options in ("10pt,twocolumn", "10pt") if width == "page" else ("10pt,twocolumn",):
            found += [
                f"{' '.join(arguments)} --width {width} ({options}): {each}" for each in complaints(body, options)
            ]
    return found


def main() -> int:
    """Check all tables."""
    if shutil.which("pdflatex") is None:
        print("make tex needs pdflatex: apt-get install texlive-latex-recommended lmodern", file=sys.stderr)
        return 1
    every = list(commands())
    with ThreadPoolExecutor(2) as pool:
        found = [each for several in pool.map(check, every) for each in several]
    print(*found, sep="\n")
    print(f"{len(every)} tables for two widths, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
