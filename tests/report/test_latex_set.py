"""The natural width of tables, as LaTeX sets them; `make tex` measures those of every network."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl.cli import cli

COLUMN = 229.5
r"""`\columnwidth` of article in two columns at 10 pt, in points."""
HEAD = r"\documentclass[10pt,twocolumn]{article}\usepackage{booktabs,longtable,array}\begin{document}"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="LaTeX is not installed")
@pytest.mark.parametrize("name", ["mobilenet_v3_large", "densenet121"])
def test_a_table_over_several_pages_is_no_wider_than_a_column(name: str, tmp_path: Path) -> None:
    """longtable writes the widths of the columns, with the gaps between them, into the .aux file."""
    table = CliRunner().invoke(cli, ["stats", name, "--format", "latex", "--width", "column"]).stdout
    (tmp_path / "table.tex").write_text(f"{HEAD}\n{table}\\end{{document}}\n", encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-draftmode", "table.tex"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=True)
    written = (tmp_path / "table.aux").read_text(encoding="utf-8")
    (entries,) = re.findall(r"\\gdef \\LT@i \{(.*?pt\})\}", written, re.DOTALL)
    widths = [float(each) for each in re.findall(r"\{([\d.]+)pt\}", entries)]
    assert len(widths) >= 4
    assert sum(widths) <= COLUMN
