"""Every bundled network's drawing and charts as TikZ, set by LaTeX: `make tikz`.

Needs `pdflatex` with TikZ (Debian: texlive-pictures and texlive-latex-base). What LaTeX complains about is listed, and
the exit code 1.
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
THEMES = ("paper", "dark", "mono")
HEAD = r"""\documentclass{article}
\usepackage{tikz}
\usepackage[paperwidth=30in,paperheight=150in,margin=5mm]{geometry}
\begin{document}
"""
COLUMN = r"\begin{minipage}{229.5pt}"
"""A column of article at 10 pt, in which every picture is set again: none may be wider."""


def commands() -> Iterator[list[str]]:
    """The commands that draw; `{}` is the file."""
    for file in sorted((ROOT / "architectures").glob("*.cnn")):
        if file.stem != "recipe":  # it has parameters without values
            yield ["render", file.stem, "-o", "{}"]
    for theme in THEMES:
        yield ["render", "resnet50", "-o", "{}", "--theme", theme]
        yield ["fit", "vgg16", "--memory", "24GB", "--training", "-o", "{}", "--theme", theme]
        yield ["rf", "vgg16", "--at", "features.30", "-o", "{}", "--theme", theme]


def main() -> int:
    latex = shutil.which("pdflatex")
    if latex is None:
        raise SystemExit("make tikz needs pdflatex and TikZ: apt-get install texlive-pictures texlive-latex-base")
    with tempfile.TemporaryDirectory() as name:
        folder, body = Path(name), list[str]()
        for number, arguments in enumerate(commands()):
            target = folder / f"{number}.tex"
            result = CliRunner().invoke(cli, [target.as_posix() if each == "{}" else each for each in arguments])
            if not target.exists():
                raise SystemExit(f"cnndsl {' '.join(arguments)}: {result.output}")
            body.append(rf"\typeout{{AT {' '.join(arguments)}}}\noindent\input{{{target.name}}}\clearpage")
            body.append(rf"\noindent{COLUMN}\input{{{target.name}}}\end{{minipage}}\clearpage")
        text = HEAD + "\n".join(body).replace("_", r"\string_") + "\n\\end{document}\n"
        (folder / "all.tex").write_text(text, encoding="utf-8")
        run = [latex, "-interaction=nonstopmode", "all.tex"]
        said = subprocess.run(run, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        log = (folder / "all.log").read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^(?:AT .+|! .+|Overfull .+|Missing character.+)$", log, re.MULTILINE)
    bad = [line for line in found if not line.startswith("AT ")]
    print("\n".join(found if bad else [f"{len(body) // 2} pictures set without a complaint"]))
    return 1 if bad or said.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
