"""What `trace` finds out about a class, and what it asks about others."""

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
    """A choice that differs between places: where it falls so, what enters it and what leaves. `flag` is the attribute
    that says so in `forward`; it is empty where identities stand for what is absent."""

    __slots__ = ("choice", "entering", "flag", "known", "leaving", "places")

    def __init__(self, choice: ChoicePart, places: Places, known: Known, entering: int) -> None:
        self.choice, self.places, self.known, self.entering = choice, places, known, entering
        self.leaving = entering
        self.flag = ""


class Candidate:
    """A child of the class: what it is at each place that has it, the value that enters it, the decision that it hangs
    on, and for a label on a part with branches its own `forward`. `further` are its applications after the first, with
    the place of each; `is_list` says that it is a list of modules that the class calls."""

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
    """A call of a block that makes nothing at any place: what it is at each, the value that goes through it, and the
    iteration that it stands in."""

    parts: tuple[Part, ...]
    value: int
    known: Known


@record
class Traced:
    """The steps of a class, its children by name, the decisions that differ between its places, the iteration in which
    each value is made, and the calls that make nothing."""

    forward: Forward
    children: Mapping[str, Candidate]
    decisions: tuple[Decision, ...]
    origins: Mapping[int, Known]
    empty: tuple[EmptyCall, ...]


@record(slots=True)
class Border:
    """What a callee takes and gives at some of its places: what each value is there, and its name.

    `main` is the place of the part's output among the results, -1 if it has none of its own; `is_flat` says that the
    first input is wanted as vectors. A label on a part with branches has no class yet: `traced` is its `forward`.
    """

    inputs: tuple[tuple[tuple[Key, ...], str], ...]
    results: tuple[tuple[tuple[Key, ...], str], ...]
    main: int = 0
    is_flat: bool = False
    traced: Traced | None = None

    def at(self, places: range) -> Border:
        """Return the border at some of the places."""
        chosen = slice(places.start, places.stop)
        inputs, results = (
            tuple((column[chosen], name) for column, name in each) for each in (self.inputs, self.results)
        )
        return replace(self, inputs=inputs, results=results)


class Callees(Protocol):
    """What a trace asks about the graph and about the modules that are called."""

    graph: Graph
    borders: Borders
    chains: Chains
    overwritten: Mapping[int, int]

    def border_of(self, parts: Sequence[Part], entries: Sequence[int]) -> Border:
        """Return what modules take and give. Raises Differ where they are not of one class."""
        ...


class Walker(Protocol):
    """What choices and repeats need of the trace that they are in."""

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
        """Note an expression of values; return the value that it gives."""
        ...

    def apart(self, decision: Decision, walk: Callable[[], int]) -> tuple[list[Step], int]:
        """Walk with steps of their own, under a decision; return them and the value."""
        ...

    def read(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a value that was made here, or one from outside. Raises Differ where it is not the same one."""
        ...

    def new(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a new value, which is one of these at each of the places."""
        ...

    def new_list(self, items: list[tuple[Key, ...]]) -> int:
        """Return a new value that is a list: of these values at each place."""
        ...

    def real(self, value: int) -> int:
        """Return the value that one stands for."""
        ...

    def register(self, parts: Sequence[Part], places: Places, entering: int) -> Candidate:
        """Enter a child."""
        ...

    def enter(self, value: int, places: Places, keys: Sequence[Key]) -> None:
        """Note what a value is at further places."""
        ...

    def put(self, step: Step) -> None:
        """Add a step."""
        ...

    def node(self, value: int, place: int) -> int:
        """Return the node that a value is at a place."""
        ...
