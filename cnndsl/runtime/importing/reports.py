"""Which networks cannot be imported, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from importlib import import_module
from typing import Any

from cnndsl.errors import CnnError
from cnndsl.files import FileError
from cnndsl.records import record
from cnndsl.runtime.importing.imported import text_of_module
from cnndsl.runtime.importing.targets import LIBRARIES, built
from cnndsl.shape import Shape


@record(slots=True)
class ImportOutcome:
    """The code of a network, and the reasons why it cannot be imported, if any."""

    target: str
    faults: tuple[str, ...]


def outcomes(pattern: str, given: Mapping[str, object], shapes: Sequence[Shape] = ()) -> Iterator[ImportOutcome]:
    """Import each network of a pattern, and yield what came of it.

    Args:
        pattern: `timm:resnet50d`, or with `*` and `?` several networks of timm or torchvision, `timm:resnet*`.
        given: Arguments of the code.
        shapes: What enters, where the code does not say it.

    Raises:
        FileError: where there is no such code.
    """
    for target in targets(pattern):
        yield ImportOutcome(target, tuple(_faults(target, given, shapes)))


def targets(pattern: str) -> list[str]:
    """Return what a pattern means, in order. Raises FileError where that is nothing."""
    home, _, name = pattern.rpartition(":")
    if home not in LIBRARIES or not set(name) & {"*", "?"}:
        return [pattern]
    library: Any = import_module({"torchvision": "torchvision.models"}.get(home, home))
    found = [f"{home}:{each}" for each in library.list_models() if fnmatch(each, name)]
    if not found:
        raise FileError(f"cannot import {pattern}: {home} has no model whose name is like that")
    return found


def _faults(target: str, given: Mapping[str, object], shapes: Sequence[Shape]) -> list[str]:
    try:
        made = built(target, given)
        entering = shapes or ([made.shape] if made.shape is not None else [])
        if not entering:
            return ["the code does not say what enters the network; --input 224x224x3 does"]
        text_of_module(made.module, entering, target)
    except CnnError as stop:
        lines = stop.diagnostics[0].message.splitlines()
        return [each.strip() for each in lines[1:] or lines]
    except FileError as stop:
        return [str(stop)]
    return []
