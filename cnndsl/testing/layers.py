"""Strategies for single layers: any layer type that accepts an input of a given shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hypothesis import strategies as st

from cnndsl.layers import find, known
from cnndsl.layers.arrange import Identity
from cnndsl.layers.base import Layer, LayerError, Option
from cnndsl.layers.reshape import Reshape
from cnndsl.shape import Shape

MOST_VALUES = 4096
"""The largest number of values of a generated shape, so that a live module runs fast."""
MOST_CHANNELS = 24
ATTEMPTS = 4
"""The number of settings of a layer type that are tried before a plain layer is used instead."""

Draw: TypeAlias = Callable[[st.SearchStrategy[object]], object]
DrawnValue: TypeAlias = int | float | bool | str | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A piece of a program, and its output shape."""

    text: str
    shape: Shape


def kinds() -> list[type[Layer]]:
    """Return every type of layer with one input, each once."""
    found = {id(kind): kind for name in known() if (kind := find(name)) is not None}
    return [kind for kind in found.values() if kind.INPUTS[0] == 1 and not issubclass(kind, Identity)]


@st.composite
def layers(draw: st.DrawFn, shape: Shape, among: Sequence[type[Layer]] | None = None, keep: bool = False) -> Drawn:
    """Generate a layer that accepts the shape; with `keep`, one that also returns it.

    >>> layers(Shape(3, (8, 8))).example().text  # doctest: +SKIP
    'CONV3-5/2(dilation=2)'
    """
    kind = draw(st.sampled_from(among or kinds()))
    for _ in range(ATTEMPTS):
        settings = draw(_settings(kind, shape))
        try:
            given = kind(**dict(settings)).output(shape)
        except LayerError:
            continue
        if kind(**dict(settings)).is_parameter:
            continue  # it needs a label of its own
        if _is_small(given) and (given == shape or not keep):
            return Drawn(written(kind, settings), given)
    return Drawn("RELU", shape)


def _is_small(shape: Shape) -> bool:
    return shape.numel <= MOST_VALUES and shape.channels <= MOST_CHANNELS


@st.composite
def _settings(draw: st.DrawFn, kind: type[Layer], shape: Shape) -> list[tuple[str, DrawnValue]]:
    """Generate values for some of the layer type's options, and for all required ones."""
    chosen: list[tuple[str, DrawnValue]] = []
    if kind is Reshape:
        chosen.append(("shape", draw(_factors(shape.numel))))
    for name, rule in kind.options().items():
        if (name, kind) == ("shape", Reshape):
            continue
        is_needed = rule.required or name in (kind.SIZE, kind.WIDTH)
        if is_needed or draw(st.integers(0, 3)) == 0:
            chosen.append((name, draw(_value(rule, name == kind.WIDTH, shape))))
    names = {name for name, _ in chosen}
    return [each for each in chosen if kind.options()[each[0]].instead not in names]


def _value(rule: Option, is_width: bool, shape: Shape) -> st.SearchStrategy[DrawnValue]:
    if rule.type == "flag":
        return st.booleans()
    if rule.type == "word":
        return st.sampled_from(rule.words)
    if rule.type == "padding":
        return st.one_of(st.sampled_from(rule.words), _dims(0, 2, shape))
    if rule.type == "dims":
        return _dims(int(rule.minimum or 0), 4, shape)
    if rule.type == "ints":
        return st.lists(st.integers(0, shape.channels - 1), min_size=1, max_size=4, unique=True).map(tuple)
    if rule.type == "number":
        return st.sampled_from([value for value in (0, 0.25, 0.5, 1, 2) if _within(value, rule)])
    if is_width:
        return st.integers(max(1, int(rule.minimum or 1)), 12)
    return st.sampled_from([each for each in (*_divisors(shape.channels), 0, 2, 5) if _within(each, rule)])


@st.composite
def _factors(draw: st.DrawFn, number: int) -> tuple[int, ...]:
    """Generate up to four numbers whose product is the given one."""
    found: list[int] = []
    for _ in range(draw(st.integers(0, 3))):
        found.append(draw(st.sampled_from([*_divisors(number)])))
        number //= found[-1]
    return (*found, number)


def _dims(least: int, most: int, shape: Shape) -> st.SearchStrategy[DrawnValue]:
    one = st.integers(least, most).map(lambda extent: (extent,))
    if shape.rank < 2:
        return one
    each = st.tuples(*[st.integers(least, most)] * shape.rank)
    return st.one_of(one, one, each)


def _divisors(number: int) -> Iterable[int]:
    return (each for each in range(1, number + 1) if number % each == 0)


def _within(value: float, rule: Option) -> bool:
    return (rule.minimum is None or value >= rule.minimum) and (rule.maximum is None or value <= rule.maximum)


def written(kind: type[Layer], settings: Sequence[tuple[str, DrawnValue]]) -> str:
    """Return a layer as a program writes it."""
    values = dict(settings)
    text = kind.kind()
    for option, sign in ((kind.SIZE, ""), (kind.WIDTH, "-"), (kind.STRIDE, "/")):
        if option and option in values:
            text += sign + _shown(values.pop(option))
    listed: list[str] = []
    for name in kind.POSITIONAL:
        if kind.options()[name].type == "ints" and name in values:
            numbers = values.pop(name)
            listed += map(str, numbers if isinstance(numbers, tuple) else (numbers,))
    listed += [f"{name}={_shown(value)}" for name, value in values.items()]
    return f"{text}({', '.join(listed)})" if listed else text


def _shown(value: DrawnValue) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return str(value)
