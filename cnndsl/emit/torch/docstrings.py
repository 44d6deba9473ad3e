"""The docstrings of the file and of its classes: the program's comments, and the shapes."""

from __future__ import annotations

import textwrap
from collections.abc import Container

from cnndsl.emit.torch.duplicates import Alike
from cnndsl.emit.torch.layout import STEP, WIDTH
from cnndsl.errors import Span
from cnndsl.graph import Graph


def described(found: Alike, empty: Container[str]) -> str:
    """Return what the modules of a class take and give; for a module that is applied again, its first application. The
    calls at the paths in `empty` have no layers, and make no module."""
    shapes = [each for cls in found.classes for each in zip(cls.places, cls.shapes, strict=True)]
    made = [each for path, each in shapes if "@" not in path and path not in empty]
    spans = [f"{entering} -> {leaving}" for entering, leaving in made or (each for _, each in shapes)]
    if len(set(spans)) == 1:
        return f"{spans[0]}{f', {len(spans)} times' if len(spans) > 1 else ''}."
    return f"Used {len(spans)} times: first {spans[0]}, last {spans[-1]}."


def shortened_count(number: int) -> str:
    """Shorten a count with a unit suffix.

    >>> shortened_count(15_470_264_320), shortened_count(1500), shortened_count(7)
    ('15.5G', '1.5K', '7')
    """
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= size:
            return f"{number / size:.{1 if number < 100 * size else 0}f}{unit}"
    return str(number)


def leading_comment(graph: Graph) -> list[str]:
    """Return the program's description of itself: its first comments, up to the first line that ends a sentence."""
    found: list[str] = []
    for line in graph.source.text.splitlines():
        stripped = line.strip()
        if not stripped.startswith("#") or (found and found[-1].endswith(".")):
            break
        found.append(stripped.lstrip("#").strip())
    return [line.lstrip("~") for line in wrapped("~~~" + " ".join(found))] if any(found) else []


def note_on(definition: Span) -> str:
    """Return the comment on a block: the lines right above it, unless they are the first of the file.

    >>> from cnndsl.errors import Source
    >>> text = "# A net.\\n\\n# Halves the map.\\nblock Down = POOL2\\n"
    >>> note_on(Span(Source("net.cnn", text), text.index("block"), len(text)))
    'Halves the map.'
    """
    found: list[str] = []
    above = definition.source.text[: definition.start].splitlines()
    while above and above[-1].startswith("#"):
        found.append(above.pop().lstrip("#").strip())
    return " ".join(reversed(found)) if above else ""


def docstring(line: str, note: str = "") -> list[str]:
    """Return the lines of a docstring, several if one is too short. A note from the program comes first."""
    if note:
        told = (textwrap.wrap(each, WIDTH - STEP, break_long_words=False) for each in (f'"""{note}', line))
        return [*next(told), "", *next(told), '"""']
    if len(line) <= WIDTH - STEP - len('""""""'):
        return [f'"""{line}"""']
    return [*textwrap.wrap(f'"""{line}', WIDTH - STEP - 3, break_long_words=False, break_on_hyphens=False), '"""']


def wrapped(line: str) -> list[str]:
    """Return a text in lines that fit the line length."""
    return textwrap.wrap(line, WIDTH, break_long_words=False, break_on_hyphens=False)


def escaped(line: str) -> str:
    """Return a text escaped for a docstring."""
    return line.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').rstrip()
