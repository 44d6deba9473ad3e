"""Which other inputs a network takes, where branches miss each other's size: for the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from cnndsl.elaborate.program import INPUT, Find, elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.expr import Literal, Value
from cnndsl.limits import current, limits
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse

_FACTORS = (2, 4, 8, 16, 32)
"""Extents that work are most often multiples of one of these: each pooling of stride 2 doubles it."""
_LONGEST = 20_000
"""Characters of a text up to which inputs are tried out: each try takes as long as the text took itself."""
_MOST_LAYERS = 2_000
"""Layers of a network up to which an input is found to work."""


def with_inputs(stop: CnnError, source: Source, settings: Mapping[str, Value], find: Find) -> CnnError:
    """The same error, which says as well which inputs near to the one that is written have none: the next smaller and
    the next larger one."""
    if [each.code for each in stop.diagnostics] != ["E0312"] or len(source.text) > _LONGEST:
        return stop
    found = list(_working(parse(source), settings, find))
    if not found:
        return stop
    (diagnostic,) = stop.diagnostics
    listed = " and ".join("x".join(map(str, volume)) for volume in found)
    noun = "an input that works is" if len(found) == 1 else "inputs that work are"
    help = f"{diagnostic.help}; {noun} {listed}" if diagnostic.help else f"{noun} {listed}"
    return CnnError([replace(diagnostic, help=help)])


def _working(file: ast.File, settings: Mapping[str, Value], find: Find) -> Iterator[tuple[int, ...]]:
    volume = _volume(file, settings)
    if len(volume) < 2:
        return
    roundings: tuple[Callable[[int, int], int], ...] = (lambda a, by: a // by * by, lambda a, by: -(-a // by) * by)
    for rounded in roundings:
        for factor in _FACTORS:
            near = (*(rounded(extent, factor) for extent in volume[:-1]), volume[-1])
            if min(near) > 0 and near != volume and _compiles(file, {**settings, INPUT: near}, find):
                yield near
                break


def _volume(file: ast.File, settings: Mapping[str, Value]) -> tuple[int, ...]:
    """What enters; empty where that is computed."""
    given = settings.get(INPUT)
    if isinstance(given, tuple):
        return given
    for statement in file.statements:
        if isinstance(statement, ast.Main):
            first = statement.chain.items[0]
            layer = first.body if isinstance(first, ast.Label) else first
            if isinstance(layer, ast.WrittenLayer) and all(isinstance(each, Literal) for each in layer.dims):
                values = [each.value for each in layer.dims if isinstance(each, Literal)]
                return tuple(each for each in values if isinstance(each, int)) or (224, 224, 3)
    return ()


def _compiles(file: ast.File, settings: Mapping[str, Value], find: Find) -> bool:
    try:
        with limits(layers=min(_MOST_LAYERS, current().layers)):
            elaborate(file, settings, find)
    except CnnError:
        return False
    return True
