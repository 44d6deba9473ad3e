"""Records behave as frozen dataclasses do: each test holds one against a dataclass of the same text."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, ClassVar

import pytest

from cnndsl.records import record


@record(slots=True)
class Slotted:
    first: int
    second: tuple[int, ...] = ()
    hidden: str = field(default="x", repr=False)
    apart: int = field(default=0, compare=False)
    several: list[int] = field(default_factory=list[int])


@record
class Base:
    LIMIT: ClassVar[int] = 7
    first: int = 1

    def double(self) -> int:
        return 2 * self.first


@record
class Derived(Base):
    """One more field."""

    second: str = "a"

    def __post_init__(self) -> None:
        object.__setattr__(self, "second", self.second * 2)

    def double(self) -> int:
        return super().double() + 1


@dataclass(frozen=True)
class Ordinary(Base):
    third: int = 3


@record(slots=True)
class Empty: ...


def as_dataclass(cls: Any, slots: bool) -> Any:
    """A dataclass of the same fields."""
    fields = [
        (each.name, each.type, field(default=each.default, repr=each.repr, compare=each.compare))
        if each.default_factory is dataclasses.MISSING
        else (each.name, each.type, field(default_factory=each.default_factory))
        for each in dataclasses.fields(cls)
    ]
    return dataclasses.make_dataclass(cls.__name__, fields, frozen=True, slots=slots)


@pytest.mark.parametrize("arguments", [(1,), (1, (2,)), (1, (2,), "y", 5, [1])])
def test_a_record_is_shown_and_made_as_a_dataclass(arguments: tuple[Any, ...]) -> None:
    ours, other = Slotted(*arguments), as_dataclass(Slotted, True)(*arguments)
    assert repr(ours) == repr(other)
    assert dataclasses.asdict(ours) == dataclasses.asdict(other)
    assert dataclasses.astuple(dataclasses.replace(ours, first=9)) == (9, *dataclasses.astuple(other)[1:])


def test_what_is_compared() -> None:
    assert Slotted(1, several=[]) == Slotted(1, apart=5)
    assert Slotted(1) != Slotted(1, hidden="y")
    assert Slotted(1) != as_dataclass(Slotted, True)(1)
    assert Base(1) != Derived(1)
    assert hash(Derived(3)) == hash(Derived(3)) == hash(as_dataclass(Derived, False)(3, "aa"))
    assert Empty() == Empty()
    assert len({Empty(), Empty(), Base(), Base(2)}) == 3


def test_lists_of_two_records_are_not_the_same() -> None:
    one, two = Slotted(1), Slotted(1)
    one.several.append(1)
    assert two.several == []


@pytest.mark.parametrize("made", [Slotted(1), Base(), Derived(), Ordinary()], ids=repr)
def test_nothing_is_written_or_taken_away(made: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError, match="first"):
        made.first = 3
    with pytest.raises(dataclasses.FrozenInstanceError, match="first"):
        del made.first
    assert made.first == 1


def test_slots_have_no_dict() -> None:
    assert not hasattr(Slotted(1), "__dict__")
    with pytest.raises(AttributeError):
        object.__setattr__(Slotted(1), "other", 1)


def test_wrong_arguments_are_a_type_error_from_the_first_call_on() -> None:
    @record
    class Fresh:
        first: int

    for _ in range(2):
        with pytest.raises(TypeError, match=r"Fresh.__init__\(\) missing 1 required positional argument: 'first'"):
            Fresh()  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="unexpected keyword argument 'second'"):
        Fresh(first=1, second=2)  # pyright: ignore[reportCallIssue]


def test_inheritance() -> None:
    assert Derived() == Derived(1, "a")
    assert (Derived().second, Derived(5).double(), Derived.LIMIT) == ("aa", 11, 7)
    assert Ordinary(2).double() == 4
    assert [each.name for each in dataclasses.fields(Ordinary)] == ["first", "third"]
    assert dataclasses.is_dataclass(Derived)
    assert Derived.__match_args__ == ("first", "second")


@pytest.mark.parametrize("made", [Slotted(1, (2,), "h", 4, [5]), Base(3), Empty()], ids=repr)
def test_copies_and_pickles(made: Any) -> None:
    assert copy.copy(made) == copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == made


WITHOUT_FUTURE = """
import typing
from typing import ClassVar
from cnndsl.records import record

@record(slots=True)
class Plain:
    LIMIT: typing.ClassVar[int] = 7
    OTHER: ClassVar = 8
    first: int
    second: str = "a"
"""


@pytest.mark.parametrize("head", ["", "from __future__ import annotations\n"])
def test_annotations_are_texts_or_types(head: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("made")
    monkeypatch.setitem(sys.modules, "made", module)
    exec(head + WITHOUT_FUTURE, module.__dict__)
    plain = module.__dict__["Plain"]
    assert [each.name for each in dataclasses.fields(plain)] == ["first", "second"]
    assert (plain.LIMIT, plain.OTHER, plain(1) == plain(1, "a")) == (7, 8, True)


def test_the_signature_is_that_of_a_dataclass() -> None:
    shown = inspect.signature(Slotted)
    assert list(shown.parameters) == ["first", "second", "hidden", "apart", "several"]
    assert (shown.parameters["second"].default, shown.parameters["first"].annotation) == ((), "int")


@pytest.mark.parametrize(
    "first",
    [repr, hash, lambda made: made == made, copy.copy, dataclasses.fields],
    ids=["shown", "hashed", "compared", "copied", "listed"],
)
def test_it_does_not_matter_what_is_asked_first(first: Any) -> None:
    @record
    class Fresh(Base):
        second: tuple[int, ...] = (1,)

    first(Fresh())
    assert Fresh() == Fresh(1, (1,))
    assert Fresh.__name__ in repr(Fresh(3))
    assert hash(Fresh()) == hash(Fresh(1))
    assert [each.name for each in dataclasses.fields(Fresh)] == ["first", "second"]
    assert Fresh.__match_args__ == ("first", "second")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Fresh().second = ()  # pyright: ignore[reportAttributeAccessIssue]
