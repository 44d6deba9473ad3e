"""Frozen dataclasses that are completed when they are first used.

`dataclasses.dataclass` compiles six methods for each class, which takes a quarter of a millisecond. A command loads two
hundred classes and uses forty. A record is therefore an ordinary class, with its fields as slots if it has any, until
a method or its fields are accessed; then `dataclasses.dataclass` itself completes it. docs/test-log.md lists the time
that this saves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, dataclass_transform, overload

Record = TypeVar("Record", bound=type)

_FIRST = ("__dataclass_fields__", "__dataclass_params__", "__match_args__", "__init__", "__setattr__", "__delattr__")
"""The attributes added by `dataclasses.dataclass` that every object needs."""
_SECOND = ("__repr__", "__eq__", "__hash__")
"""The attributes that only objects that are compared or shown need."""


@overload
def record(cls: Record, /) -> Record: ...
@overload
def record(*, slots: bool) -> Callable[[Record], Record]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: Any = None, /, *, slots: bool = False) -> Any:
    """Make a class of annotated names a frozen dataclass; with `slots`, without a `__dict__`.

    >>> @record(slots=True)
    ... class Point:
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), dataclasses.replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """

    def decorate(cls: Any) -> Any:
        return _unfinished(cls, slots)

    return decorate if cls is None else _unfinished(cls, slots)


class _Later:
    """A placeholder for an attribute of a completed class; looking it up completes the class."""

    __slots__ = ("_complete", "_name", "_owner")

    def __init__(self, owner: type, name: str, complete: Callable[[], None]) -> None:
        self._owner, self._name, self._complete = owner, name, complete

    def __get__(self, instance: object, _: type | None = None) -> Any:
        self._complete()
        made = self._owner.__dict__[self._name]
        return made if instance is None or not hasattr(made, "__get__") else made.__get__(instance)


def _unfinished(cls: Any, slots: bool) -> Any:
    defaults: dict[str, Any] = {}
    if slots:
        cls, defaults = _slotted(cls)
    own = cls.__dict__
    second = [name for name in _SECOND if own.get(name) is None]

    def first_half() -> None:
        _complete(cls, _FIRST, defaults, dataclasses.dataclass(frozen=True, repr=False, eq=False))

    def second_half() -> None:
        _complete(cls, second, defaults, dataclasses.dataclass(frozen=True, init=False))

    for name in _FIRST:
        setattr(cls, name, _Later(cls, name, first_half))
    for name in second:
        setattr(cls, name, _Later(cls, name, second_half))
    return cls


def _complete(cls: Any, names: Sequence[str], defaults: Mapping[str, Any], complete: Callable[[Any], Any]) -> None:
    """Let `dataclasses` add attributes to a class; those of the other half are kept."""
    kept = {name: cls.__dict__[name] for name in (*_FIRST, *_SECOND, *defaults) if name in cls.__dict__}
    for name in kept:
        delattr(cls, name)
    for name, default in defaults.items():
        setattr(cls, name, default)
    complete(cls)
    for name in kept.keys() - {*names}:
        setattr(cls, name, kept[name])


def _slotted(cls: Any) -> tuple[Any, dict[str, Any]]:
    """Return the class rebuilt with a slot for each of its own fields (slots cannot be added later), and defaults."""
    body = dict(cls.__dict__)
    fields = [
        name for name, annotation in body.get("__annotations__", {}).items() if not _is_class_variable(annotation)
    ]
    defaults = {name: body.pop(name) for name in fields if name in body}
    for name in ("__dict__", "__weakref__"):
        body.pop(name, None)
    made = type(cls)(cls.__name__, cls.__bases__, {**body, "__slots__": tuple(fields), "__reduce__": _reduced})
    made.__qualname__ = cls.__qualname__
    return made, defaults


def _is_class_variable(annotation: object) -> bool:
    """Return whether an annotation, or its text, is a `ClassVar`.

    >>> import typing
    >>> _is_class_variable("typing.ClassVar[int]"), _is_class_variable(typing.ClassVar[int]), _is_class_variable(int)
    (True, True, False)
    """
    text = annotation if isinstance(annotation, str) else str(annotation)
    return text.split("[")[0].rpartition(".")[2] == "ClassVar"


def _reduced(self: Any) -> tuple[Any, tuple[Any, ...]]:
    """Support copying and pickling, which frozen slots allow in no other way."""
    return self.__class__, tuple(getattr(self, each.name) for each in dataclasses.fields(self))
