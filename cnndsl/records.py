"""Frozen dataclasses that are quick to define.

`dataclasses.dataclass` compiles six methods for each class, which takes a quarter of a millisecond: over the two
hundred classes that a command loads that was a third of its time. A record shares its methods with all others, and its
constructor is compiled when the first one is made. `fields`, `replace` and `is_dataclass` take records as they take
dataclasses, and a frozen dataclass may inherit from one. There is nothing here that dataclasses do not have.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

Record = TypeVar("Record", bound=type)
_Methods = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class _Example:
    """What a frozen dataclass looks like."""

    field: int


_EXAMPLE: Any = _Example
_FROZEN = _EXAMPLE.__dataclass_params__
_IS_FIELD = _EXAMPLE.__dataclass_fields__["field"]._field_type


@overload
def record(cls: Record, /) -> Record: ...
@overload
def record(*, slots: bool) -> Callable[[Record], Record]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: Any = None, /, *, slots: bool = False) -> Any:
    """A class of annotated names as a frozen dataclass; with `slots` without a `__dict__`.

    >>> @record(slots=True)
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), dataclasses.replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """

    def decorate(cls: Any) -> Any:
        return _made(cls, slots)

    return decorate if cls is None else _made(cls, slots)


def _made(cls: Any, slots: bool) -> Any:
    own = _own_fields(cls)
    inherited: dict[str, Field[Any]] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= getattr(base, "__dataclass_fields__", {})
    known = inherited | own
    for name, each in own.items():
        if each.default is not MISSING:
            setattr(cls, name, each.default)
        elif name in cls.__dict__:
            delattr(cls, name)
    if slots:
        cls = _slotted(cls, tuple(own))
    for name, method in (_FIXED | _comparisons(tuple(known.values()))).items():
        if name not in cls.__dict__:
            setattr(cls, name, method)
    cls.__dataclass_fields__ = known
    cls.__dataclass_params__ = _FROZEN
    cls.__match_args__ = tuple(known)
    cls.__init__ = _constructor(cls, known)
    return cls


def _own_fields(cls: Any) -> dict[str, Field[Any]]:
    own: dict[str, Field[Any]] = {}
    annotations: dict[str, str] = cls.__annotations__
    for name, annotation in annotations.items():
        if annotation.startswith("ClassVar"):
            continue
        given: Any = cls.__dict__.get(name, MISSING)
        made: Any = given
        if not isinstance(given, Field):
            made = dataclasses.field(default=given)
        made.name, made.type, made.kw_only, made._field_type = name, annotation, False, _IS_FIELD
        own[name] = made
    return own


def _slotted(cls: Any, names: tuple[str, ...]) -> Any:
    """The same class with slots, which it must be born with."""
    before: _Methods = dict(cls.__dict__)
    body = {name: value for name, value in before.items() if name not in (*names, "__dict__", "__weakref__")}
    made = type(cls)(cls.__name__, cls.__bases__, {**body, "__slots__": names})
    made.__qualname__ = cls.__qualname__
    return made


def _comparisons(known: tuple[Field[Any], ...]) -> _Methods:
    compared = [each.name for each in known if each.compare]
    key: Callable[[Any], Any] = attrgetter(*compared) if compared else lambda _: ()

    def equals(self: Any, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(key(self))

    return {"__eq__": equals, "__hash__": hashed}


def _shown(self: Any) -> str:
    inside = ", ".join(f"{each.name}={getattr(self, each.name)!r}" for each in dataclasses.fields(self) if each.repr)
    return f"{type(self).__qualname__}({inside})"


def _stay(_self: Any, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _reduced(self: Any) -> tuple[Any, tuple[Any, ...]]:
    """For copies and pickles."""
    return self.__class__, tuple(getattr(self, each.name) for each in dataclasses.fields(self))


_FIXED: _Methods = {"__repr__": _shown, "__setattr__": _stay, "__delattr__": _stay, "__reduce__": _reduced}


def _constructor(cls: Any, known: Mapping[str, Field[Any]]) -> Any:
    """An `__init__` that has itself replaced by the real one when it is called."""

    def construct(self: Any, *arguments: Any, **named: Any) -> None:
        cls.__init__ = _compiled(cls, known)
        cls.__init__(self, *arguments, **named)

    return construct


def _compiled(cls: Any, known: Mapping[str, Field[Any]]) -> Any:
    """The constructor as one would write it."""
    names: dict[str, Any] = {"_set": object.__setattr__, "_missing": MISSING}
    head: list[str] = []
    body: list[str] = []
    for name, each in known.items():
        value = name
        if each.default_factory is not MISSING:
            names[f"_make_{name}"] = each.default_factory
            head.append(f"{name}=_missing")
            value = f"_make_{name}() if {name} is _missing else {name}"
        elif each.default is not MISSING:
            names[f"_default_{name}"] = each.default
            head.append(f"{name}=_default_{name}")
        else:
            head.append(name)
        slot = getattr(getattr(cls, name, None), "__set__", None)
        names[f"_set_{name}"] = slot
        body.append(f"_set(self, {name!r}, {value})" if slot is None else f"_set_{name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    lines = "".join(f"\n    {line}" for line in body or ["pass"])
    exec(f"def __init__(self, {', '.join(head)}):{lines}", names)
    made = names["__init__"]
    made.__qualname__, made.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return made
