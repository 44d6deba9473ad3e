"""Evaluates calls: of classes, functions, methods, and in `forward` of modules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from cnndsl.emit.torch.verify.arithmetic import FUNCTIONS as PLAIN
from cnndsl.emit.torch.verify.arithmetic import apply
from cnndsl.emit.torch.verify.attributes import all_below, iterate
from cnndsl.emit.torch.verify.construct import build, length, make_leaf, make_parameter, method, of_class
from cnndsl.emit.torch.verify.frame import Frame
from cnndsl.emit.torch.verify.initial import draw
from cnndsl.emit.torch.verify.parameters import FILLS, PARAMETER, filled, is_parameter, reshaped
from cnndsl.emit.torch.verify.plain import LentList, items
from cnndsl.emit.torch.verify.signatures import KNOWN_FUNCTIONS, bind
from cnndsl.emit.torch.verify.values import (
    Builtin,
    ClassInfo,
    Function,
    Instance,
    LeafClass,
    Member,
    Method,
    Named,
    NotUnderstood,
    Register,
    Trouble,
    TupleClass,
    describe,
)


def call(target: object, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> object:
    """Return the value of a call. Raises Trouble if Python or PyTorch would raise an error."""
    try:
        if isinstance(target, LeafClass):
            _outside_forward(frame)
            return make_leaf(target, given, named, frame, line)
        if isinstance(target, Member):
            if frame.recorder is None:
                raise NotUnderstood("a module that is called outside of `forward`")
            return frame.recorder.call(target, given, named, frame, line)
        if isinstance(target, ClassInfo):
            _outside_forward(frame)
            return build(target, given, named, frame, line)
        if isinstance(target, Builtin):
            return _builtin(target.name, given, named, frame, line)
        if isinstance(target, Method):
            return _method(target, given, named, frame, line)
        if isinstance(target, Function):
            return _function(target, given, named, frame)
        if isinstance(target, TupleClass):
            bound = bind(target.name, target.fields, len(target.fields), given, named)
            return Named(target, tuple(bound.values()))
    except Trouble as stop:
        stop.line = stop.line or line
        raise
    raise NotUnderstood(f"a call of {describe(target)}", line)


def _outside_forward(frame: Frame) -> None:
    if frame.recorder is not None:
        raise NotUnderstood("a module that is made in `forward`")


def _function(function: Function, given: Sequence[object], named: Mapping[str, object], frame: Frame) -> object:
    frame.engine.spend()
    bound = bind(function.name, function.params, function.star, given, named)
    inner = Frame(frame.program, function, bound, frame.recorder, frame.engine)
    return frame.engine.run(function.node.body, inner)


def _method(target: Method, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> object:
    owner = target.owner
    if isinstance(owner, Instance):
        return method(owner, target.name, given, named, frame, line)
    if isinstance(owner, Member):
        if is_parameter(owner.template.leaf):
            return reshaped(owner, given, named)
        if given or named:
            raise Trouble(f"`{target.name}` takes no arguments")
        return all_below(owner)
    if isinstance(owner, Register) and frame.recorder is not None:
        if target.name == "flatten":
            return frame.recorder.function("torch.flatten", [owner, *given], named, line)
        if given or named:
            raise NotUnderstood("`size` with arguments")
        return frame.recorder.shape(owner, line)
    if isinstance(owner, list) and not named and len(given) == 1:
        parts = [given[0]] if target.name == "append" else list(iterate(given[0], frame, line))
        cast("list[object]", owner).extend(parts)
        return None
    raise NotUnderstood(f"the method `{target.name}`")


def _builtin(name: str, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> object:
    if name.startswith("nn.init.") or name == "bilinear_":
        return draw(name, given, named, frame.program.forms)
    if name in FILLS and frame.recorder is None:
        return filled(name, given, named)
    if name == PARAMETER:
        return make_parameter(given, named, frame, line)
    if name.startswith(("torch.", "F.")) or name in KNOWN_FUNCTIONS:
        if frame.recorder is None:
            raise NotUnderstood(f"`{name}` outside of `forward`")
        return frame.recorder.function(name, given, named, line)
    if name in ("range", "enumerate", "zip", "len", "tuple", "list"):
        return _sequence(name, given, named, frame, line)
    if name == "isinstance" and len(given) == 2 and not named:
        return _is_instance(given[0], given[1])
    if name in PLAIN:
        return apply(name, given, named, line)
    if name in ("ValueError", "TypeError"):
        return Builtin(name)
    raise NotUnderstood(f"`{name}`")


def _sequence(name: str, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> object:
    if name == "range":
        return _range(given, named)
    if name == "zip":
        return _zip([list(iterate(each, frame, line)) for each in given], dict(named))
    if name == "enumerate":
        start = named.get("start", given[1] if len(given) == 2 else 0)
        if type(start) is not int or set(named) - {"start"} or not 1 <= len(given) <= 2:
            raise Trouble("`enumerate` with these arguments")
        return list(enumerate(iterate(given[0], frame, line), start))
    if named or len(given) != 1:
        raise Trouble(f"`{name}` takes one argument")
    if name == "len":
        return length(given[0], frame, line)
    if isinstance(given[0], Register) and given[0].is_size:
        return given[0]
    return (tuple if name == "tuple" else list)(iterate(given[0], frame, line))


def _range(given: Sequence[object], named: Mapping[str, object]) -> object:
    bounds = [each for each in given if type(each) is int]
    if named or not 1 <= len(given) <= 3 or len(bounds) < len(given) or bounds[2:] == [0]:
        raise Trouble(f"`range` of {', '.join(map(describe, given))}")
    made = range(*bounds)
    if len(made) > 1_000_000:
        raise NotUnderstood(f"a range of {len(made)}")
    return made


def _zip(parts: list[list[object]], named: dict[str, object]) -> object:
    strict = named.pop("strict", False)
    if named:
        raise Trouble("`zip` with unknown arguments")
    if strict and len({len(each) for each in parts}) > 1:
        raise Trouble("`zip` of different lengths")
    return list(zip(*parts, strict=False))


_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "tuple": tuple, "list": list}


def _is_instance(value: object, kinds: object) -> bool:
    """Return `isinstance` of a plain value or of a module under construction."""
    if isinstance(value, LentList):
        raise NotUnderstood("`isinstance` of a list that a module is given")
    for kind in items(kinds) or (kinds,):
        if isinstance(kind, Builtin) and kind.name in _TYPES:
            if isinstance(value, _TYPES[kind.name]):
                return True
        elif isinstance(kind, LeafClass | ClassInfo) and isinstance(value, Instance):
            if of_class(value, kind):
                return True
        else:
            raise NotUnderstood(f"`isinstance` of {describe(value)} and {describe(kind)}")
    return False
