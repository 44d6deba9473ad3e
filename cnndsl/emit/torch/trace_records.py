"""What `trace` records about a class, and the interfaces through which it queries others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from cnndsl.emit.torch.chain_queries import Chains
from cnndsl.emit.torch.ir import Forward, Key, Step
from cnndsl.emit.torch.part_queries import Application, Borders, Known
from cnndsl.graph import ChoicePart, Graph, Part
from cnndsl.records import record

Places = tuple[int, ...]


class Decision:
    """A choice that differs between call sites: those where it holds, the value that enters and the one that leaves.
    `flag` is the attribute that decides in `forward`; it is empty if identities replace absent modules."""

    __slots__ = ("choice", "entering", "flag", "known", "leaving", "places")

    def __init__(self, choice: ChoicePart, places: Places, known: Known, entering: int) -> None:
        self.choice, self.places, self.known, self.entering = choice, places, known, entering
        self.leaving = entering
        self.flag = ""


class Candidate:
    """A child of the class: its part at each call site that has it, the value that enters it, the decision that it
    depends on, and for a label on a part with branches its own `forward`. `further` are its later applications, with
    the call site of each; `is_list` says that it is a list of modules that the class calls."""

    __slots__ = ("decision", "entering", "further", "is_list", "known", "name", "parts", "traced")

    def __init__(self, name: str, known: Known, decision: Decision | None) -> None:
        self.name, self.known, self.decision = name, known, decision
        self.parts: dict[int, Part] = {}
        self.entering: dict[int, int] = {}
        self.further: list[tuple[int, Application]] = []
        self.traced: Traced | None = None
        self.is_list = False


@record(slots=True)
class EmptyCall:
    """A call of a block that makes nothing at any call site: its part at each, the value that passes through it, and
    the iteration that contains it."""

    parts: tuple[Part, ...]
    value: int
    known: Known


@record
class Traced:
    """The steps of a class, its children by name, the decisions that differ between its call sites, the iteration in
    which each value is made, and the calls that make nothing."""

    forward: Forward
    children: Mapping[str, Candidate]
    decisions: tuple[Decision, ...]
    origins: Mapping[int, Known]
    empty: tuple[EmptyCall, ...]


@record(slots=True)
class Border:
    """What a callee takes and gives at some of its call sites: the keys of each value there, and its name.

    `main` is the position of the part's output among the results, -1 if it has no output of its own; `is_flat` says
    that the first input must be flattened. A label on a part with branches has no class yet: `traced` is its `forward`.
    """

    inputs: tuple[tuple[tuple[Key, ...], str], ...]
    results: tuple[tuple[tuple[Key, ...], str], ...]
    main: int = 0
    is_flat: bool = False
    traced: Traced | None = None

    def at(self, places: range) -> Border:
        """Return the border at some of the call sites."""
        chosen = slice(places.start, places.stop)
        inputs, results = (
            tuple((column[chosen], name) for column, name in each) for each in (self.inputs, self.results)
        )
        return replace(self, inputs=inputs, results=results)


class Callees(Protocol):
    """The interface for queries of a trace on the graph and on the called modules."""

    graph: Graph
    borders: Borders
    chains: Chains
    overwritten: Mapping[int, int]

    def border_of(self, parts: Sequence[Part], entries: Sequence[int]) -> Border:
        """Return what modules take and give. Raises Differ if they do not belong to one class."""
        ...


class Walker(Protocol):
    """The interface of a trace that choices and repeats use."""

    callees: Callees
    own: list[frozenset[int]]
    lists: dict[int, list[tuple[Key, ...]]]
    values: list[dict[int, Key]]
    children: dict[str, Candidate]
    decisions: list[Decision]
    decision: Decision | None
    known: Known
    same: dict[int, int]

    def walk(self, parts: Sequence[Part | None], places: Places, value: int) -> int:
        """Walk over a row of parts; return the value that leaves it."""
        ...

    def function(self, nodes: Sequence[int], places: Places, operands: Sequence[int]) -> int:
        """Add an expression of values; return its value."""
        ...

    def apart(self, decision: Decision, walk: Callable[[], int]) -> tuple[list[Step], int]:
        """Walk under a decision and collect the steps separately; return them and the value that leaves."""
        ...

    def read(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a value made here, or one from outside. Raises Differ if it differs between the call sites."""
        ...

    def new(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a new value with one of these keys at each of the call sites."""
        ...

    def new_list(self, items: list[tuple[Key, ...]]) -> int:
        """Return a new value that is a list of these values at each call site."""
        ...

    def real(self, value: int) -> int:
        """Return the value that a value is an alias of, or the value itself."""
        ...

    def register(self, parts: Sequence[Part], places: Places, entering: int) -> Candidate:
        """Register a child."""
        ...

    def enter(self, value: int, places: Places, keys: Sequence[Key]) -> None:
        """Record the keys of a value at further call sites."""
        ...

    def put(self, step: Step) -> None:
        """Add a step."""
        ...

    def node(self, value: int, place: int) -> int:
        """Return the node of a value at a call site."""
        ...
