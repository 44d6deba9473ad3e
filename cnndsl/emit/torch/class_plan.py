"""The plan of a class: what it is made from, and the arguments of its constructor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import cast

from cnndsl.emit.torch.constructor_call import DEFAULTS
from cnndsl.emit.torch.followed import is_number
from cnndsl.emit.torch.ir import ConstructorParameter
from cnndsl.emit.torch.names import variable
from cnndsl.emit.torch.restart import Missing
from cnndsl.emit.torch.scope import Extra, Scope, same
from cnndsl.emit.torch.terms import CodeValue, Const, Env, Term
from cnndsl.emit.torch.trace_records import Traced
from cnndsl.graph import Part
from cnndsl.records import record

MOST_EXTRAS = 3
"""Maximum number of arguments that a class has beyond those of its block; with more, two classes are clearer."""


@record
class ClassPlan:
    """The plan of a class: its parts, the paths of its call sites, the nodes whose values enter, the values of its
    names, the channels that enter, a map from the Python names of its arguments to the block's names, and their
    defaults."""

    name: str
    parts: tuple[Part | None, ...]
    roots: tuple[str, ...]
    entries: tuple[int, ...]
    scope: Scope
    entering: Term
    is_flat: bool = False
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    defaults: Mapping[str, Term] = field(default_factory=dict[str, Term])
    traced: Traced | None = None


def arguments(plan: ClassPlan, used: Sequence[str], frames: Sequence[Env]) -> list[ConstructorParameter]:
    """Return the arguments for the names that the constructor uses; `frames` hold their values."""
    asked = {each.name: each.wish for each in plan.scope.extras}
    written = {each.name: each.written for each in plan.scope.extras}
    result: list[ConstructorParameter] = []
    is_last = True
    for name in reversed(used):
        values = [env[name] for env in frames]
        default = plan.defaults.get(name) if is_last else None
        usual = DEFAULTS.get(asked.get(name, ""))
        if name in asked and is_last and usual is not None and any(same(value, usual) for value in values):
            default = Const(usual)
        is_last = default is not None
        option = plan.options.get(name, "")
        result.append(ConstructorParameter(name, _type(values), option, default, name in asked, written.get(name)))
    return result[::-1]


def extra(missing: Missing, extras: Sequence[Extra], places: int, known: Sequence[str]) -> Extra:
    """Return the argument that a class needs for a number that no expression gives."""
    first = next(iter(missing.values.values()))
    usual = DEFAULTS.get(missing.wish, first)
    values = tuple((at, missing.values.get(at, usual)) for at in range(places))
    return Extra(
        variable(missing.wish, {*known, *(each.name for each in extras)}), missing.wish, values, missing.written
    )


def _type(values: Sequence[object]) -> str:
    if any(isinstance(value, CodeValue) for value in values):
        return "type[nn.Module]"
    lengths = {len(cast("tuple[object, ...]", value)) for value in values if isinstance(value, tuple)}
    if lengths:
        each = f"tuple[{', '.join(['int'] * lengths.pop())}]"
        return each if all(isinstance(value, tuple) for value in values) else f"int | {each}"
    if any(map(is_number, values)):
        return "int"
    for kind in (float, bool, int):
        if any(isinstance(value, kind) for value in values):
            return kind.__name__
    return "str"
