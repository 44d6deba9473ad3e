"""Format the arithmetic of each layer as text, at most 100 columns wide."""

from __future__ import annotations

import re
from textwrap import wrap

from cnndsl.report.derivation import LEGEND, DerivationLine, LayerDerivation, WrittenEquation, derivations
from cnndsl.report.metrics import Metrics
from cnndsl.report.number_format import exact
from cnndsl.report.summary import title
from cnndsl.terminal import clean

WIDTH = 100
_SHOWN_PATHS = 3


def text(stats: Metrics) -> str:
    """Return a paragraph for each layer: its description, and a line for each number."""
    found = derivations(stats)
    column = max(len(name) for each in found for name, _ in each.lines) + 4
    legend = [line for name, meaning in LEGEND for line in _wrapped(f"  {name:<{column - 2}}{meaning}", column)]
    head = [*_wrapped(title(stats), 4), "", *legend]
    return "\n".join([*head, *(line for each in found for line in _paragraph(each, column))])


def _paragraph(each: LayerDerivation, column: int) -> list[str]:
    head = "  ".join(part for part in (called(each), clean(each.text), each.shapes) if part)
    lines = ["", *_wrapped(head, 4)]
    for name, line in each.lines:
        lines += _wrapped(f"  {name:<{column - 2}}{_line(line)}", column)
    return lines


def called(each: LayerDerivation) -> str:
    """Return the names of the layers; of many, the first and the last, and their number."""
    paths = each.paths
    if len(paths) == 1:
        return paths[0]
    names = ", ".join(paths) if len(paths) <= _SHOWN_PATHS else f"{paths[0]}, …, {paths[-1]}"
    return f"{names}  x{len(paths)}"


def _wrapped(line: str, indent: int) -> list[str]:
    return wrap(line, WIDTH, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False) or [line]


def _line(line: DerivationLine) -> str:
    return clean(line) if isinstance(line, str) else ", ".join(map(_equation, line))


def _equation(equation: WrittenEquation) -> str:
    return " ".join(filter(None, (grouped(" = ".join(equation.sides)), equation.unit)))


def grouped(expression: str) -> str:
    """Return an expression with digit groups in numbers of five or more digits.

    >>> grouped("25088*4096")
    '25,088*4096'
    """
    return re.sub(r"\d{5,}", lambda found: exact(int(found[0])), expression)
