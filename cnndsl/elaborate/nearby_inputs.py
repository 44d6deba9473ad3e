"""Find other input sizes that work if the sizes of branches differ, for the message."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from cnndsl.elaborate.inputs import INPUT, input_of, setting_of
from cnndsl.elaborate.program import Find, elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.expressions import Literal
from cnndsl.limits import current, limits
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

Volumes: TypeAlias = dict[str, tuple[int, ...]]
"""The shapes of some inputs, by their settings."""

_FACTORS = (2, 4, 8, 16, 32)
"""Sizes that work are usually multiples of one of these: each pooling of stride 2 doubles it."""
_LONGEST = 20_000
"""Maximum number of characters of a source to try inputs with: each try takes as long as the source itself."""
_MOST_LAYERS = 2_000
"""Maximum number of layers of a network for which a working input is searched."""


def with_inputs(stop: CnnError, source: Source, settings: Mapping[str, Value], find: Find) -> CnnError:
    """Return the same error; its help also lists the nearest smaller and larger inputs that compile."""
    if [each.code for each in stop.diagnostics] != ["E0312"] or len(source.text) > _LONGEST:
        return stop
    found = list(_working(parse(source), settings, find))
    if not found:
        return stop
    (diagnostic,) = stop.diagnostics
    listed = " and ".join(map(_shown, found))
    noun = "an input that works is" if len(found) == 1 and len(found[0]) == 1 else "inputs that work are"
    help = f"{diagnostic.help}; {noun} {listed}" if diagnostic.help else f"{noun} {listed}"
    fix = diagnostic.fix
    return CnnError([replace(diagnostic, help=help, fix=fix and replace(fix, advice=help, place=None, otherwise=help))])


def _shown(volumes: Volumes) -> str:
    """Format one shape, or each of several with the name of its input."""
    named = [(name.removeprefix(INPUT).lstrip("."), "x".join(map(str, volume))) for name, volume in volumes.items()]
    return ", ".join(f"{name}={volume}" if len(named) > 1 else volume for name, volume in named)


def _working(file: ast.File, settings: Mapping[str, Value], find: Find) -> Iterator[Volumes]:
    volumes = _volumes(file, settings)
    if not any(len(volume) > 1 for volume in volumes.values()):
        return
    roundings: tuple[Callable[[int, int], int], ...] = (lambda a, by: a // by * by, lambda a, by: -(-a // by) * by)
    for rounded in roundings:
        for factor in _FACTORS:
            near = {
                name: (*(rounded(extent, factor) for extent in volume[:-1]), volume[-1])
                for name, volume in volumes.items()
            }
            is_one = min(map(min, near.values())) > 0 and near != volumes
            if is_one and _compiles(file, {**settings, **near}, find):
                yield near
                break


def _volumes(file: ast.File, settings: Mapping[str, Value]) -> Volumes:
    """Return the input shapes, by setting; empty if some of them are computed."""
    found: Volumes = {}
    for statement in file.statements:
        if isinstance(statement, ast.Main):
            found[INPUT] = _volume(input_of(statement.chain.items[0]), settings.get(INPUT))
        elif isinstance(statement, ast.Equation) and (layer := input_of(statement.body.items[0])) is not None:
            setting = setting_of(statement.name_span.text)
            found[setting] = _volume(layer, settings.get(setting))
    return found if all(found.values()) else {}


def _volume(layer: ast.WrittenLayer | None, given: Value | None) -> tuple[int, ...]:
    if isinstance(given, tuple):
        return given
    if layer is None or not all(isinstance(each, Literal) for each in layer.dims):
        return ()
    values = [each.value for each in layer.dims if isinstance(each, Literal)]
    return tuple(each for each in values if isinstance(each, int)) or (224, 224, 3)


def _compiles(file: ast.File, settings: Mapping[str, Value], find: Find) -> bool:
    try:
        with limits(layers=min(_MOST_LAYERS, current().layers)):
            elaborate(file, settings, find)
    except CnnError:
        return False
    return True
