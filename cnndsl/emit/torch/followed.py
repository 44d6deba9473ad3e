"""The numbers of a network that follow its parameters, as terms in these parameters.

An argument of the network's class must always have the same effect as the same setting in the compiler. So a number
that follows a parameter must never be written as its value at the current setting: a frame holds its term instead, and
so do the values that a layer requires. A constant is then never right, and `in_channels != c` has a value only if it
has the same one at every setting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from itertools import product
from math import prod
from typing import cast

from cnndsl.emit.torch.common_options import CommonOptions
from cnndsl.emit.torch.operators import UnknownName
from cnndsl.emit.torch.terms import Const, Op, Term, Var, evaluate, mul, names
from cnndsl.graph import Graph
from cnndsl.layers.base import Layer, LayerError, Slot, TorchCall
from cnndsl.records import record
from cnndsl.shape import Shape

MOST_SETTINGS = 1000
"""Maximum number of settings at which a condition is evaluated."""
WRITTEN_AS: Mapping[str, str] = {"padding": "pad"}
"""Maps a keyword to the language's option, if their names differ."""


@record
class Followed:
    """`channels` maps nodes to channels that follow a parameter, `options` maps nodes to their options, `arguments`
    maps paths of calls to their arguments; the names in the terms are those of the program. `domains` are the possible
    values of the parameters, `common` the options that the network's constructor sets at its end."""

    channels: Mapping[int, Term] = field(default_factory=dict[int, Term])
    options: Mapping[int, Mapping[str, Term]] = field(default_factory=dict[int, Mapping[str, Term]])
    arguments: Mapping[str, Mapping[str, Term]] = field(default_factory=dict[str, Mapping[str, Term]])
    domains: Mapping[str, Sequence[object]] = field(default_factory=dict[str, "Sequence[object]"])
    common: CommonOptions = field(default_factory=dict[str, Mapping[str, str]])

    def width(self, graph: Graph, node: int, flat: bool = False) -> object:
        """Return the channels of a node's output, or all its values: a term if they follow a parameter."""
        shape = graph.nodes[node].shape
        term = self.channels.get(node)
        if term is None:
            return shape.numel if flat else shape.channels
        return mul(Const(shape.pixels), term) if flat else term

    def is_always(self, value: object, wanted: bool) -> bool:
        """Return whether a condition has this value at every setting. False if a parameter may be anything."""
        if not isinstance(value, Op):
            return False
        own = list(dict.fromkeys(names(value)))
        found = [self.domains.get(name, ()) for name in own]
        if not 0 < prod(map(len, found)) <= MOST_SETTINGS:
            return False
        try:
            return all(evaluate(value, dict(zip(own, setting, strict=True))) is wanted for setting in product(*found))
        except UnknownName:
            return False

    def call(self, graph: Graph, index: int, made: TorchCall) -> TorchCall | None:
        """Return the constructor call of a layer, with a term for each number that follows a parameter; None if no term
        expresses how a number follows one."""
        node = graph.nodes[index]
        shapes = graph.shapes(node)
        term = next((self.channels[at] for at in node.inputs if at in self.channels), None)
        options = self.options.get(index, {})
        if term is None and not options:
            return made
        other = twice(node.layer, shapes) if term is not None else made
        if not isinstance(other, TorchCall):
            return None
        if any(not _says(node.layer, shapes, made, option) for option in options):
            return None
        numbers = _Followers(shapes[0].channels, term or Const(shapes[0].channels), options)
        return numbers.call(made, other)


class _Followers:
    """The numbers of a constructor call that follow the channels that enter, or an option."""

    def __init__(self, channels: int, term: Term, options: Mapping[str, Term]) -> None:
        self.channels, self.term, self.options = channels, term, options

    def call(self, made: TorchCall, other: TorchCall) -> TorchCall | None:
        """Return the call with terms; `other` is the call for twice as many channels."""
        keywords, others = dict(made.keywords), dict(other.keywords)
        if (made.name, len(made.arguments), [*keywords]) != (other.name, len(other.arguments), [*others]):
            return None
        arguments = [self._slot(*pair) for pair in zip(made.arguments, other.arguments, strict=True)]
        named = [(name, self._slot(keywords[name], others[name])) for name in keywords]
        if None in arguments or any(slot is None for _, slot in named):
            return None
        return TorchCall(
            made.name,
            tuple(slot for slot in arguments if slot is not None),
            tuple((name, slot) for name, slot in named if slot is not None),
            made.inplace,
            made.helper,
            made.flatten,
            made.source,
            made.applied,
        )

    def _slot(self, slot: Slot | TorchCall, other: Slot | TorchCall) -> Slot | TorchCall | None:
        if not isinstance(slot, Slot) or not isinstance(other, Slot):
            return slot if slot == other else None
        option = self.options.get(WRITTEN_AS.get(slot.role, slot.role)) if slot.role else None
        if option is not None:
            return Slot(option, slot.role, slot.name) if slot.value == other.value else None
        value = self._value(slot.value, other.value)
        return None if value is None else Slot(value, slot.role, slot.name)

    def _value(self, value: object, other: object) -> object | None:
        """Return a number, as a term if it is proportional to the channels; None if it follows them otherwise."""
        if value == other:
            return value
        if isinstance(value, tuple) and isinstance(other, tuple):
            known, others = cast("tuple[object, ...]", value), cast("tuple[object, ...]", other)
            found = tuple(self._value(*pair) for pair in zip(known, others, strict=False))
            return None if None in found or len(known) != len(others) else found
        if isinstance(value, int) and other == 2 * value and value % self.channels == 0:
            return mul(Const(value // self.channels), self.term)
        return None


def _says(layer: Layer, shapes: Sequence[Shape], made: TorchCall, option: str) -> bool:
    """Return whether an option affects the constructor call only as the argument for itself."""
    value = getattr(layer, option)
    if not isinstance(value, int):
        return True
    try:
        other = replace(layer, **{option: 2 * value + 1}).torch(*shapes)
    except LayerError:
        return False
    if not isinstance(other, TorchCall) or (made.name, len(made.arguments)) != (other.name, len(other.arguments)):
        return False
    keywords, others = dict(made.keywords), dict(other.keywords)
    slots = [*zip(made.arguments, other.arguments, strict=True)]
    slots += [(keywords[name], others[name]) for name in keywords.keys() & others.keys()]
    return all(slot == changed or _is_of(slot, option) for slot, changed in slots)


def _is_of(slot: Slot | TorchCall, option: str) -> bool:
    return isinstance(slot, Slot) and bool(slot.role) and WRITTEN_AS.get(slot.role, slot.role) == option


def twice(layer: Layer, shapes: Sequence[Shape]) -> object:
    """Return the constructor call of a layer for twice as many channels; None if it rejects such an input."""
    try:
        return layer.torch(*doubled(shapes))
    except LayerError:
        return None


def doubled(shapes: Sequence[Shape]) -> list[Shape]:
    """Return the shapes with twice as many channels."""
    return [Shape(2 * shape.channels, shape.spatial) for shape in shapes]


def is_number(value: object) -> bool:
    """Return whether a value in a frame is a term: a number that follows a parameter."""
    return isinstance(value, Var | Op)
