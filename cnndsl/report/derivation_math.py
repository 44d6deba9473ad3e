r"""Format the arithmetic of each layer as LaTeX (`align*` of amsmath) and as Markdown with formulas between dollar
signs."""

from __future__ import annotations

import re

from cnndsl.report.data_formats import markdown as shown
from cnndsl.report.derivation import LEGEND, DerivationLine, LayerDerivation, WrittenEquation, derivations
from cnndsl.report.derivation_text import called
from cnndsl.report.latex_text import escape
from cnndsl.report.math_notation import as_math
from cnndsl.report.metrics import Metrics
from cnndsl.report.summary import title
from cnndsl.terminal import clean

_MOST_TERMS = 6
"""The most terms of a sum on a line of LaTeX."""
_LONGEST_TEXT = 60
"""The most characters of a text on a line of LaTeX."""
_TERM = r"([\d{},]|\\cdot )+"


def latex(stats: Metrics) -> str:
    """Return a heading and an `align*` for each layer, for a document or slides."""
    lines = [
        f"% {clean(title(stats))}",
        *(f"% {name}: {meaning}" for name, meaning in LEGEND),
        r"% needs \usepackage{amsmath} and \usepackage[T1]{fontenc}",
    ]
    for each in derivations(stats):
        rows = [rf"\text{{{escape(name)}}}\colon\quad & {_broken(_row(line))}" for name, line in each.lines]
        lines += ["", rf"\noindent\textbf{{{escape(called(each))}}}{_head(each)}"]
        if rows:
            lines += [r"\begin{align*}", " \\\\\n".join(rows), r"\end{align*}"]
    return "\n".join(lines)


def _broken(row: str) -> str:
    """Return a row, split into several if a sum of numbers has too many terms for a line."""
    terms = row.split(" + ")
    if len(terms) <= _MOST_TERMS or not all(re.fullmatch(_TERM, term) for term in terms[:-1]):
        return row
    lines = [" + ".join(terms[at : at + _MOST_TERMS]) for at in range(0, len(terms), _MOST_TERMS)]
    return " \\\\\n & \\quad {} + ".join(lines)


def _head(each: LayerDerivation) -> str:
    shapes = re.sub(r"(?<=\d)x(?=\d)", r"$\\times$", each.shapes).replace("->", r"$\to$").replace("…", r"\ldots{}")
    parts = [rf"\texttt{{{escape(each.text)}}}" if each.text else "", shapes]
    return "".join(rf"\quad {part}" for part in parts if part)


def _row(line: DerivationLine) -> str:
    if not isinstance(line, str):
        return r",\quad ".join(map(_equation, line))
    # The text of an equation is not broken into lines.
    box = r"\parbox[t]{.75\linewidth}{\raggedright " if len(line) > _LONGEST_TEXT else r"\text{"
    return f"{box}{escape(line)}}}"


def _equation(equation: WrittenEquation) -> str:
    sides = " = ".join(_side(side) for side in equation.sides)
    return rf"{sides}\ \text{{{escape(equation.unit)}}}" if equation.unit else sides


def _side(side: str) -> str:
    """Return an expression as LaTeX, or unchanged if a layer type of another package wrote something else."""
    try:
        return as_math(side)
    except ValueError:
        return rf"\text{{{escape(side)}}}"


def markdown(stats: Metrics) -> str:
    """Return a heading and a list for each layer, with formulas between dollar signs, as GitHub and most slide tools
    read them."""
    lines = [f"# {_plain(title(stats))}", "", *(f"- {name}: {_plain(meaning)}" for name, meaning in LEGEND)]
    for each in derivations(stats):
        shapes = re.sub(r"(?<=\d)x(?=\d)", "×", each.shapes).replace("->", "→")
        about = " ".join(part for part in (_plain(each.text) if each.text else "", shapes) if part)
        lines += ["", f"## {_plain(called(each))}", "", about]
        lines += ["", *(f"- {name}: {_item(line)}" for name, line in each.lines)]
    return "\n".join(lines)


def _item(line: DerivationLine) -> str:
    return _plain(line) if isinstance(line, str) else ", ".join(f"${_equation(each)}$" for each in line)


def _plain(text: str) -> str:
    return shown(clean(text))
