"""What an elaboration carries with it: the nodes made so far, the modules that are open, what went wrong.

Everything here is private to `cnndsl.elaborate`; what leaves it is an immutable Graph, and a layer by itself
(`single_layer`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from cnndsl.elaborate.layer_cache import Values
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.repairs import Repairs, guess
from cnndsl.elaborate.shape_log import ShapeLog
from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.expr import error
from cnndsl.expressions import Expr
from cnndsl.graph import AgainPart, CallPart, Iteration, NamedPart, Output, Part, TapPart
from cnndsl.graph.labels import why_not
from cnndsl.layers import KINDS
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.infer import infer
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import NameSymbol, OutputSymbol, Value

ModulePart: TypeAlias = NamedPart | CallPart | TapPart | AgainPart


MOST_STEPS = 4
"""So many elements are looked at for each layer that a network may have: `or` tries out what it does not keep."""
MOST_CHOICES = 8
"""The deepest nesting of merges with an `or` among their branches: each level doubles what is tried out."""


@dataclass(slots=True)
class ModuleMember:
    """A part that a module holds, before it has its final name."""

    label: str | None
    base: str
    """What it is called without a label, in a module where others have one."""
    counted: bool
    """Whether it takes a number in a module without labels. Merges do not."""
    wire: NodeOutput | None = None
    """What it gives, if it is a layer or a merge."""
    scope: ModuleScope | None = None


@dataclass(slots=True)
class ModuleScope:
    """A module while its parts are being made: its members in order, and what its labels name."""

    parent: ModuleScope | None = None
    members: list[ModuleMember] = field(default_factory=list[ModuleMember])
    labels: dict[str, NamedOutput] = field(default_factory=dict[str, "NamedOutput"])
    wire: NodeOutput | None = None
    """What it gives, once it is complete."""
    path: str = ""
    is_scattered: bool = False
    """Whether its parts have its name in theirs, `convs.1`, and need not stand in one piece: it gives no value."""
    values: set[str] = field(default_factory=set[str])
    """The names of chains in it. Where some have names its parts are called by their kinds, as where some have
    labels."""
    parts: dict[str, LabelledPart] = field(default_factory=dict[str, "LabelledPart"])
    """What its labels stand at, to apply it again."""
    body: tuple[ast.ChainItem, ...] = ()
    """What is written in it."""
    written: dict[str, list[WrittenLabel]] | None = None
    """The labels with holes in its body, once someone asked for them: see `stars`."""


@record(slots=True)
class WrittenLabel:
    """A label with a hole as it is written: its place, and the repeats around it in its module."""

    span: Span
    repeats: tuple[Span, ...]


@record(slots=True)
class NamedOutput:
    """What a label names: its value (None where that went wrong), its module if it is one, and where it stands.
    `family` is what stands before the hole of a label that ends with it; `nodes` are those of a chain or a further
    application, which are no modules."""

    wire: NodeOutput | None
    scope: ModuleScope | None
    span: Span
    family: str | None = None
    nodes: range | None = None


@dataclass(slots=True)
class LabelledPart:
    """A part with a label, as it was first made: what is written, in which surroundings and how many names these had,
    what entered, what was made, its range of nodes, and how often it has been applied."""

    body: ast.ChainItem
    env: Environment
    names: int
    wire: NodeOutput | None
    part: Part | None
    first: int
    stop: int
    times: int = 1


@record(slots=True)
class PendingApplication:
    """A further application of a part: where it is written, and the range of its nodes."""

    part: LabelledPart
    span: Span
    first: int
    stop: int


@dataclass(slots=True)
class PendingNode:
    """A node before it has its path."""

    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape
    span: Span
    text: str
    written: tuple[tuple[str, Expr], ...]
    turns: tuple[Iteration, ...]
    training_only: bool
    path: str = ""
    weights_of: int = -1
    frames: tuple[str, ...] = ()
    """The calls and repeats through which it was reached, outermost first."""


@record(slots=True)
class Definition:
    """A block, with the file whose names its body sees and the defaults that held where it stands."""

    block: ast.Block
    home: FileScope
    defaults: Defaults


@record(slots=True)
class Setting:
    """An option's value, and the expression behind it where that is more than a literal; `extents` are those of
    several axes."""

    value: Value
    expr: Expr
    extents: Expr | None = None


Defaults: TypeAlias = Mapping[type[Layer], Mapping[str, Setting]]


@dataclass(slots=True)
class FileScope:
    """What a file defines."""

    source: Source
    blocks: dict[str, Definition] = field(default_factory=dict[str, Definition])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    lets: dict[str, Expr] = field(default_factory=dict[str, Expr])
    domains: dict[str, Sequence[Value]] = field(default_factory=dict[str, Sequence[Value]])
    """What the parameters of the net may be, of those that have a domain."""
    defaults: dict[str, Value] = field(default_factory=dict[str, Value])
    """The defaults of the parameters of the net that have one."""
    choices: dict[int, str] = field(default_factory=dict[int, str])
    """The parameter that decides on the `A?` that starts at an offset."""
    names_of_blocks: frozenset[str] = frozenset()
    """Those of all blocks of the file, of those too that stand further down, and of those that it uses."""
    labels: dict[str, Span] = field(default_factory=dict[str, Span])
    """Where each label of the file first stands, for messages."""


@record
class NameValue(NameSymbol):
    """A word given to a parameter: the name of a kind, of a block, or of an output. Which, shows where it is used."""

    env: Environment | None = None


def env_of(word: NameSymbol, default: Environment) -> Environment:
    """The names in force where a word stands that was given to a parameter; `default` where that is not known."""
    return word.env if isinstance(word, NameValue) and word.env is not None else default


@record
class OutputValue(OutputSymbol):
    """An output given to a parameter: `@enc1`."""

    wire: NodeOutput | None = None


@dataclass(frozen=True, eq=False)
class Environment:
    """The names in force at a place."""

    values: Mapping[str, Value]
    home: FileScope
    defaults: Defaults
    scope: ModuleScope
    in_block: bool = False
    calls: tuple[ast.Block, ...] = ()
    """The blocks whose calls are open, outermost first."""
    turn: str = ""
    """The name that changes from turn to turn of the innermost repeat."""


def is_sized_kind(item: ast.WrittenLayer) -> bool:
    """Whether a head has a size, a width or a stride behind the name of a layer type: then it is no block of that
    name, as `Conv-64` is none where a block is called `Conv`."""
    has_numbers = bool(item.size) or item.width is not None or item.stride is not None
    return has_numbers and item.head.upper() in KINDS


def called_block(item: ast.WrittenLayer, home: FileScope) -> Definition | None:
    """Return the block that a head names in a file; None where it names none."""
    return None if is_sized_kind(item) else home.blocks.get(item.head)


class State:
    """The nodes and errors of one elaboration. With `repairs` it goes on behind errors and notes there what failed; a
    `log` is told what depends on shapes."""

    def __init__(self, repairs: Repairs | None = None, log: ShapeLog | None = None) -> None:
        self.repairs, self.log = repairs, log
        self.limits = current()
        self.most_nodes = self.limits.layers
        self.drafts: list[PendingNode] = []
        self.taps: list[Output] = []
        self.applied: list[PendingApplication] = []
        self.errors: list[Diagnostic] = []
        self.turns: tuple[Iteration, ...] = ()
        self.frames: tuple[str, ...] = ()
        self.training_only = False
        self.depth = self.choices = self.steps = self.looks = 0
        self.bound: dict[tuple[str, str, type[Layer], int, int, Values], Bound] = {}
        """Layers by their text, their kind as called and itself, the defaults, and, where there are names in them, by
        their place in the tree and the values of the names: made once."""
        self.mentions: dict[int, tuple[str, ...] | None] = {}
        """The names in layers, by their place in the tree."""
        self.shapes: dict[tuple[int | Shape, ...], tuple[Layer, Shape]] = {}
        """Output shapes by the id of the layer, which is kept alive here, and input shapes."""
        self.modules: list[tuple[ModulePart, ModuleScope | int]] = []
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
            if self.log is not None:
                self.log.failed(each)
        if len(self.errors) >= self.limits.errors and self.repairs is None:
            raise TooManyError

    def shape_of(self, layer: Layer, wires: Sequence[NodeOutput]) -> Shape:
        """The shape of a layer's output, inferred once. Raises LayerError where it does not take these values."""
        key = (id(layer), *(wire.shape for wire in wires))
        known = self.shapes.get(key)
        if known is None:
            try:
                known = layer, infer(layer, [wire.shape for wire in wires])
            except LayerError:
                self.refuse(layer, wires)
                raise
            self.shapes[key] = known
        return known[1]

    def refuse(self, layer: Layer, wires: Sequence[NodeOutput]) -> None:
        """Note in the log that a layer does not take these values."""
        if self.log is not None:
            self.log.refused(layer, [wire.node for wire in wires])

    def repaired(self, layer: Layer, wires: Sequence[NodeOutput], stop: CnnError) -> Shape:
        """Return a guess for the output of the next node, which is wrong. Raises the error where none is wanted."""
        if self.repairs is None:
            raise stop from None
        self.report(stop)
        self.repairs.fails(len(self.drafts), stop)
        return guess(layer, wires)

    def is_guess(self, wire: NodeOutput | None) -> bool:
        """Return whether the shape of a value is a guess."""
        return wire is not None and self.repairs is not None and wire.node in self.repairs.unknown

    def enter(self, span: Span) -> None:
        """Begins with an element, inside of those that were begun. Raises CnnError where they nest too deep, or are
        too many; the caller counts `depth` down again."""
        deepest, most = 2 * self.limits.nesting, MOST_STEPS * self.most_nodes + 1000
        self.depth += 1
        self.steps += 1
        if self.depth > deepest:
            raise error(
                "E0103",
                f"parentheses, square brackets, labels and calls nest deeper than {deepest}",
                span,
            )
        if self.steps > most:
            raise error("E0209", f"with everything that `or` tries, this network has more than {most:,} parts", span)

    def look(self, names: int, span: Span) -> None:
        """Count names that a star, or a part that is applied again, looks at. Raises CnnError where they are too many:
        a sum over all turns in each turn grows with the square of these."""
        most = MOST_STEPS * self.most_nodes + 1000
        self.looks += names
        if self.looks > most:
            raise error("E0209", f"the references of this network look at more than {most:,} names", span)

    def retract(self, errors: list[Diagnostic]) -> None:
        """Goes back to the errors that there were."""
        self.errors = errors
        self._seen = {(each.code, each.span) for each in errors}

    def add(
        self, draft: PendingNode, base: str, env: Environment, label: str | None = None, counted: bool = True
    ) -> NodeOutput:
        """A new node, as a member of the module that is open."""
        if len(self.drafts) >= self.most_nodes:
            raise error("E0209", f"the network has more than {self.most_nodes:,} layers", draft.span)
        draft.frames = self.frames
        if self.repairs is not None:
            self.repairs.entered(len(self.drafts), draft.inputs)
        if self.log is not None:
            self.log.made(len(self.drafts), draft.layer, draft.inputs, draft.shape, draft.span)
        self.drafts.append(draft)
        wire = NodeOutput(len(self.drafts) - 1, draft.shape)
        env.scope.members.append(ModuleMember(label, f"{base}_" if why_not(base) else base, counted, wire))
        return wire


class TooManyError(Exception):
    """So many errors that looking for more is of no use."""
