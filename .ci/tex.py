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
from pathlib import Path

from click.testing import CliRunner

from cnndsl.cli import cli

ROOT = Path(__file__).resolve().parent.parent
MARK = "TABLE OF"
ROOM = {"column": 229.5, "page": 345.0}
r"""`\columnwidth` of article in two columns, `\textwidth` in one, both at 10 pt."""
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
TOGETHER = (
    ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    ("vgg11", "vgg_a_lrn", "vgg13", "vgg_c", "vgg16", "vgg19"),
    ("densenet121", "densenet161", "densenet169", "densenet201"),
    ("googlenet", "inception_v2", "inception_v3", "inception_v4", "mobilenet_v3_large"),
    ("cifar_resnet", "--set", "layers=20,32,44,56"),
)
FAMILIES = (
    ("cifar_resnet",),
    ("wrn", "--columns", "params,weights,macs,flops,operations,memory,saved,training,output"),
)


def commands() -> Iterator[list[list[str]]]:
    """The arguments of the tables that share a document, without their width."""
    for file in sorted((ROOT / "architectures").glob("*.cnn")):
        if file.stem != "recipe":  # it has parameters without values
            yield [["render", file.stem, "--style", "table"], *(["stats", file.stem, *options] for options in STATS)]
    yield [["render", *several, "--style", "table"] for several in TOGETHER]
    for pair in PAIRS:
        yield [["diff", *pair, *more] for more in ((), ("--all",))]
    yield [["sweep", *family] for family in FAMILIES]


def table(arguments: list[str]) -> str:
    """A table in LaTeX."""
    found = CliRunner().invoke(cli, [*arguments, "--format", "latex"])
    if found.exit_code > 1 or not found.stdout:
        raise SystemExit(f"{' '.join(arguments)}: {found.output}")
    return found.stdout


def document(every: list[list[str]], options: str) -> str:
    """A document of tables; before each its command is written to the log."""
    tables = [f"\\clearpage\\typeout{{{MARK} {' '.join(each)}}}\n{table(each)}" for each in every]
    return "\n".join(
        [rf"\documentclass[{options}]{{article}}{PACKAGES}", r"\begin{document}", *tables, r"\clearpage\end{document}"]
    )


def wide_longtables(aux: str, room: float) -> Iterator[str]:
    """The tables over several pages that are too wide. LaTeX sets them in one column, and says
    nothing of one that was made for a column of two."""
    for found in re.finditer(r"\\gdef \\LT@(\w+) \{(.*?pt\})\}", aux, re.DOTALL):
        across = sum(map(float, re.findall(r"\{([\d.]+)pt\}", found[2])))
        if across > room:
            yield f"longtable {found[1]}: {across:.1f}pt wide, {across - room:.1f}pt too wide"


def complaints(text: str, room: float) -> Iterator[str]:
    """What is wrong with a document of tables made for a width, each with the command of the table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "tables.tex").write_text(text, encoding="utf-8")
        command = ["pdflatex", "-interaction=nonstopmode", "-draftmode", "tables.tex"]
        for _ in range(2):  # longtable knows its widths in the second run
            subprocess.run(command, cwd=folder, capture_output=True, check=False)
        log = Path(folder, "tables.log").read_text(encoding="utf-8", errors="replace")
        aux = Path(folder, "tables.aux").read_text(encoding="utf-8", errors="replace")
    yield from wide_longtables(aux, room)
    of = ""
    for line in log.splitlines():
        if line.startswith(MARK):
            of = line.removeprefix(MARK).strip()
        elif re.match(r"! |Overfull \\hbox|.*Float too large", line):
            yield f"{of}: {line}"


def main() -> int:
    """Check all tables."""
    if shutil.which("pdflatex") is None:
        print("make tex needs pdflatex: apt-get install texlive-latex-recommended lmodern", file=sys.stderr)
        return 1
    count, found = 0, list[str]()
    for several in commands():
        for width, options in (("column", "10pt,twocolumn"), ("page", "10pt,twocolumn"), ("page", "10pt")):
            every = [[*arguments, "--width", width] for arguments in several]
            found += (f"{each} ({options})" for each in complaints(document(every, options), ROOM[width]))
            count += len(every)
    print(*found, sep="\n")
    print(f"{count} tables, {len(found)} complaints")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
