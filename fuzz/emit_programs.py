"""Stored programs with the text that the emitter makes of each, and which lines of the emitter each one reaches."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any

from crossings import STORED, stored
from emit_sites import EMITTER, Site, emitter_files
from mutating import ROOT

if TYPE_CHECKING:
    from cnndsl.graph import Graph

KEPT = ROOT / "build" / "emit_lines.json"

Reached = dict[str, dict[int, int]]
"""The programs that reach a line, by file and line: a number with a bit for each."""


@dataclass(frozen=True)
class Program:
    """A program that is compiled, the unbroken emitter's text of it, and other settings for the constructor."""

    number: int
    graph: Graph
    settings: Mapping[str, object]
    others: tuple[Mapping[str, object], ...]
    text: str


def programs() -> list[Program]:
    """Compiles and emits all stored programs."""
    from cnndsl.emit.torch.source import source
    from cnndsl.network import loads

    found: list[Program] = []
    for number, text, settings, others in stored():
        graph = loads(text, **settings).graph
        found.append(Program(number, graph, settings, others, source(graph)))
    return found


def digest() -> str:
    """Identifies the emitter and the stored programs, as they are on the disk."""
    found = hashlib.sha256(STORED.read_bytes())
    for path in emitter_files():
        found.update(path.read_bytes())
    return found.hexdigest()


def reached(known: list[Program], version: str) -> Reached:
    """Tells which programs reach a line, as it was found for this version of the emitter or finds it anew."""
    if KEPT.exists():
        read = json.loads(KEPT.read_text(encoding="utf-8"))
        if read["digest"] == version:
            lines = read["lines"]
            return {file: {int(at): int(bits, 16) for at, bits in lines[file].items()} for file in lines}
    found = _followed(known)
    kept = {file: {str(at): f"{bits:x}" for at, bits in found[file].items()} for file in found}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps({"digest": version, "lines": kept}), encoding="utf-8")
    return found


def _followed(known: list[Program]) -> Reached:
    """Emits all programs once more and notes the lines."""
    from cnndsl.emit.torch.source import source

    modules = [each for name, each in sys.modules.items() if name.startswith("cnndsl.emit.torch.")]
    caches = [each for module in modules for each in vars(module).values() if hasattr(each, "cache_clear")]
    found: Reached = {path.name: {} for path in emitter_files()}
    files = {str(EMITTER / name): found[name] for name in found}
    for at, program in enumerate(known):
        for cache in caches:
            cache.cache_clear()
        with_lines = _Lines(files, 1 << at)
        sys.settrace(with_lines.call)
        try:
            source(program.graph)
        finally:
            sys.settrace(None)
    return found


class _Lines:
    """Notes which lines of some files are run."""

    def __init__(self, files: Mapping[str, dict[int, int]], bit: int) -> None:
        self.files, self.bit = files, bit

    def call(self, frame: FrameType, *_: Any) -> Callable[..., Any] | None:
        lines = self.files.get(frame.f_code.co_filename)
        if lines is None:
            return None
        bit = self.bit

        def line(frame: FrameType, *_: Any) -> Callable[..., Any]:
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) | bit
            return line

        return line(frame)


def reaching(site: Site, lines: Reached, count: int, in_function: bool) -> list[int]:
    """Lists the programs that reach a place: its line or, where no program does by itself, its statement.

    What is outside of functions is run by all of them.
    """
    if not in_function:
        return list(range(count))
    of_file = lines[site.path.name]
    bits = of_file.get(site.line, 0)
    for at in site.lines if not bits else ():
        bits |= of_file.get(at, 0)
    return [at for at in range(count) if bits >> at & 1]
