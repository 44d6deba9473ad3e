"""What an elaboration carries with it: the nodes made so far, the modules that are open, what went wrong.

Everything here is private to `cnndsl.elaborate`; what leaves it is an immutable Graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from keyword import iskeyword
from typing import TypeAlias

from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.expr import Expr, Symbol, Value
from cnndsl.graph import Called, Output, Tapped, Turn
from cnndsl.graph import Named as NamedPart
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape
from cnndsl.syntax import ast

Module: TypeAlias = NamedPart | Called | Tapped


@dataclass(frozen=True, slots=True)
class Bound:
    """A layer, the outputs that its options refer to, the layer as text, and the expressions behind its options."""

    layer: Layer
    references: tuple[Wire | None, ...]
    text: str
    written: tuple[tuple[str, Expr], ...]


MOST_NODES = 250_000
"""The most layers a network may have, unless the caller says otherwise."""
MOST_ERRORS = 50
"""After so many errors the rest is not looked for."""
DEEPEST = 60
"""The deepest nesting of chains within chains, through calls too."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A value on its way: the node that gives it, and its shape."""

    node: int
    shape: Shape


@dataclass(slots=True)
class Member:
    """A part that a module holds, before it has its final name."""

    label: str | None
    base: str
    """What it is called without a label, in a module where others have one."""
    counted: bool
    """Whether it takes a number in a module without labels. Merges do not."""
    node: int = -1
    scope: Scope | None = None


@dataclass(slots=True)
class Scope:
    """A module while its parts are being made: its members in order, and what its labels name."""

    parent: Scope | None = None
    members: list[Member] = field(default_factory=list[Member])
    labels: dict[str, Named] = field(default_factory=dict[str, "Named"])
    output: int = -1
    path: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """What a label names: its value (None where that went wrong), its module if it is one, and where it stands."""

    wire: Wire | None
    scope: Scope | None
    span: Span


@dataclass(slots=True)
class Draft:
    """A node before it has its path."""

    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    text: str
    written: tuple[tuple[str, Expr], ...]
    turns: tuple[Turn, ...]
    training_only: bool
    path: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A block, with the file whose names its body sees and the defaults that held where it stands."""

    block: ast.Block
    home: Home
    defaults: Defaults


@dataclass(frozen=True, slots=True)
class Setting:
    """An option's value, and the expression behind it where that is more than a literal."""

    value: Value
    expr: Expr


Defaults: TypeAlias = Mapping[type[Layer], Mapping[str, Setting]]


@dataclass(slots=True)
class Home:
    """What a file defines."""

    source: Source
    blocks: dict[str, Definition] = field(default_factory=dict[str, Definition])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    lets: dict[str, Expr] = field(default_factory=dict[str, Expr])
    choices: dict[int, str] = field(default_factory=dict[int, str])
    """The parameter that decides on the `A?` that starts at an offset."""
    labels: dict[str, Span] = field(default_factory=dict[str, Span])
    """Where each label of the file first stands, for messages."""


@dataclass(frozen=True)
class Word(Symbol):
    """A word given to a parameter: the name of a kind, of a block, or of an output. Which, shows where it is used."""

    name: str
    env: Env | None = None

    def __str__(self) -> str:
        return f"the name `{self.name}`"


@dataclass(frozen=True)
class Given(Symbol):
    """An output given to a parameter: `@enc1`."""

    name: str
    wire: Wire | None

    def __str__(self) -> str:
        return f"the output `@{self.name}`"


@dataclass(frozen=True, eq=False)
class Env:
    """The names in force at a place."""

    values: Mapping[str, Value]
    home: Home
    defaults: Defaults
    scope: Scope
    in_block: bool = False
    calls: tuple[ast.Block, ...] = ()
    """The blocks whose calls are open, outermost first."""
    turn: str = ""
    """The name that changes from turn to turn of the innermost repeat."""


class State:
    """The nodes and errors of one elaboration."""

    def __init__(self, most_nodes: int = MOST_NODES) -> None:
        self.most_nodes = most_nodes
        self.drafts: list[Draft] = []
        self.taps: list[Output] = []
        self.errors: list[Diagnostic] = []
        self.turns: tuple[Turn, ...] = ()
        self.frames: list[str] = []
        self.training_only = False
        self.depth = 0
        self.bound: dict[tuple[str, type[Layer], int], Bound] = {}
        """Layers without names in them, by their text, their kind and the defaults: made once."""
        self.shapes: dict[tuple[int | Shape, ...], Shape] = {}
        """Output shapes by layer (its id: drafts keep it alive) and input shapes."""
        self.modules: list[tuple[Module, Scope | int]] = []
        """Parts that wait for their path: a module's, or a node's."""
        self._seen: set[tuple[str, Span | None]] = set()

    def report(self, stop: CnnError) -> None:
        """Keeps what is wrong, once for each place. Raises CnnError where it is too much."""
        for each in stop.diagnostics:
            if (each.code, each.span) in self._seen:
                continue
            self._seen.add((each.code, each.span))
            for frame in reversed(self.frames):
                each = each.within(frame)
            self.errors.append(each)
        if len(self.errors) >= MOST_ERRORS:
            raise TooManyError

    def retract(self, errors: list[Diagnostic]) -> None:
        """Goes back to the errors that there were."""
        self.errors = errors
        self._seen = {(each.code, each.span) for each in errors}

    def add(self, draft: Draft, base: str, env: Env, label: str | None = None, counted: bool = True) -> Wire:
        """A new node, as a member of the module that is open."""
        if len(self.drafts) >= self.most_nodes:
            message = f"the network has more than {self.most_nodes:,} layers"
            raise CnnError(Diagnostic("E0209", message, draft.span))
        self.drafts.append(draft)
        node = len(self.drafts) - 1
        env.scope.members.append(Member(label, f"{base}_" if iskeyword(base) else base, counted, node))
        return Wire(node, draft.shape)


class TooManyError(Exception):
    """So many errors that looking for more is of no use."""
