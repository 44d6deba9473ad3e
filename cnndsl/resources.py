"""Locate files shipped with the package: the grammar and the bundled networks (model zoo).

This works in an installation, in a checkout and from a zipped wheel, and does not interpret the files.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

from cnndsl.errors import Source

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


class Bundled(Source):
    """A program of the zoo. Files that it uses are only looked up in the zoo."""


class IncompleteInstallationError(FileNotFoundError):
    """The installed package lacks a folder that should be shipped with it."""


SUFFIX = ".cnn"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


@cache
def folder(name: str) -> Traversable:
    """Return a shipped folder: inside the installed package, or else next to it in a checkout.

    Raises IncompleteInstallationError if it is missing.

    >>> folder("architectures").is_dir()
    True
    """
    package = Path(__file__).parent
    for place in (package / name, package.parent / name):
        if place.is_dir():
            return place
    from importlib.resources import files

    zipped = files("cnndsl") / name
    if zipped.is_dir():
        return zipped
    message = f"the installation of cnndsl lacks its folder `{name}`: reinstall it"
    raise IncompleteInstallationError(message)


@cache
def zoo() -> tuple[str, ...]:
    """Return the names of the bundled networks, sorted."""
    each = (entry.name for entry in folder("architectures").iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in each if name.endswith(SUFFIX)))


def architecture(name: str) -> Bundled | None:
    """Return a bundled architecture by its name, with or without `.cnn`; None if there is none.

    Names that could lead out of the folder (separators, dots, drives) are invalid.

    >>> architecture("../vgg16") is None
    True
    """
    stem = name.removesuffix(SUFFIX)
    if not _NAME.fullmatch(stem) or stem not in zoo():
        return None
    file = folder("architectures") / (stem + SUFFIX)
    return Bundled(stem + SUFFIX, file.read_text(encoding="utf-8"))


def description(name: str) -> str:
    """Return the leading comment of a bundled architecture on one line: what it is, and its source."""
    return " ".join(comment(name).split())


def comment(name: str) -> str:
    """Return all leading comments of a bundled architecture, line by line."""
    source = architecture(name)
    lines = source.text.splitlines() if source else []
    before = takewhile(lambda line: line.startswith("#") or not line.strip(), lines)
    return "\n".join(line[1:].removeprefix(" ") for line in before).strip()


def beside_architectures(file: str) -> str:
    """Return the text of a data file that is shipped with the bundled architectures."""
    return (folder("architectures") / file).read_text(encoding="utf-8")


def similar(name: str) -> str:
    """Return a hint that suggests the bundled architectures nearest to a name; empty if none is near.

    >>> similar("vgg61")
    'did you mean vgg19, vgg16 or vgg13?'
    """
    from difflib import get_close_matches

    *others, last = get_close_matches(name.removesuffix(SUFFIX).casefold(), zoo(), n=3, cutoff=0.6) or [""]
    if not last:
        return ""
    return f"did you mean {', '.join(others)} or {last}?" if others else f"did you mean {last}?"
