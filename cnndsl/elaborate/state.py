"""The state of an elaboration: the nodes made so far, the open modules and the errors.

Everything here is private to `cnndsl.elaborate`; the public results are an immutable Graph, and a single layer
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
"""Maximum number of elements visited per layer of the layer limit: `or` tries out elements that it discards."""
MOST_CHOICES = 8
"""Maximum nesting of merges with an `or` among their branches: each level doubles the number of trials."""


@dataclass(slots=True)
class ModuleMember:
    """A part of a module before it has its final name."""

    label: str | None
    base: str
    """Its name without a label, in a module where other parts have labels."""
    counted: bool
    """Whether it is numbered in a module without labels. Merges are not."""
    wire: NodeOutput | None = None
    """Its output, if it is a layer or a merge."""
    scope: ModuleScope | None = None


@dataclass(slots=True)
class ModuleScope:
    """A module while its parts are being made: its members in order, and the values of its labels."""

    parent: ModuleScope | None = None
    members: list[ModuleMember] = field(default_factory=list[ModuleMember])
    labels: dict[str, NamedOutput] = field(default_factory=dict[str, "NamedOutput"])
    wire: NodeOutput | None = None
    """Its output, once it is complete."""
    path: str = ""
    is_scattered: bool = False
    """Whether its parts have its name in their labels, `convs.1`, and may be scattered; such a module has no value."""
    values: set[str] = field(default_factory=set[str])
    """The names of chains in it. If there are any, its parts are named after their layer types, as in a module with
    labels."""
    parts: dict[str, LabelledPart] = field(default_factory=dict[str, "LabelledPart"])
    """Its labelled parts, which `again` applies once more."""
    body: tuple[ast.ChainItem, ...] = ()
    """The items written in it."""
    written: dict[str, list[WrittenLabel]] | None = None
    """The labels with placeholders in its body, once they were requested: see `stars`."""


@record(slots=True)
class WrittenLabel:
    """A label with a placeholder as written: its location, and the repeats around it in its module."""

    span: Span
    repeats: tuple[Span, ...]


@record(slots=True)
class NamedOutput:
    """The target of a label: its value (None if that failed), its module if it is one, and its location. `family` is
    the text before the placeholder of a label that ends with one; `nodes` are those of a chain or a further
    application, which are no modules."""

    wire: NodeOutput | None
    scope: ModuleScope | None
    span: Span
    family: str | None = None
    nodes: range | None = None


@dataclass(slots=True)
class LabelledPart:
    """A labelled part as first made: its source, its scope and how many names that scope had, the incoming value, the
    result, its range of nodes, and how often it has been applied."""

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
    """A further application of a part: its location and its range of nodes."""

    part: LabelledPart
    span: Span
    first: int
    stop: int


@dataclass(slots=True)
class PendingNode:
    """A node that has no path yet."""

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
    """The calls and repeats that lead to it, outermost first."""


@record(slots=True)
class Definition:
    """A block, with the file whose names its body sees and the defaults in force where it is defined."""

    block: ast.Block
    home: FileScope
    defaults: Defaults


@record(slots=True)
class Setting:
    """An option's value, and its expression if that is more than a literal; `extents` are the expressions of several
    axes."""

    value: Value
    expr: Expr
    extents: Expr | None = None


Defaults: TypeAlias = Mapping[type[Layer], Mapping[str, Setting]]


@dataclass(slots=True)
class FileScope:
    """The definitions of a file."""

    source: Source
    blocks: dict[str, Definition] = field(default_factory=dict[str, Definition])
    values: dict[str, Value] = field(default_factory=dict[str, Value])
    lets: dict[str, Expr] = field(default_factory=dict[str, Expr])
    domains: dict[str, Sequence[Value]] = field(default_factory=dict[str, Sequence[Value]])
    """The domains of the network's parameters, for those that have one."""
    defaults: dict[str, Value] = field(default_factory=dict[str, Value])
    """The defaults of the network's parameters, for those that have one."""
    choices: dict[int, str] = field(default_factory=dict[int, str])
    """The parameter that controls the `A?` starting at an offset."""
    names_of_blocks: frozenset[str] = frozenset()
    """All blocks of the file, including those defined further down and those of the files it uses."""
    labels: dict[str, Span] = field(default_factory=dict[str, Span])
    """The first location of each label in the file, for messages."""


@record
class NameValue(NameSymbol):
    """A word given to a parameter: the name of a layer type, a block or an output, resolved where it is used."""

    env: Environment | None = None


def env_of(word: NameSymbol, default: Environment) -> Environment:
    """Return the scope in which a word given to a parameter was written; `default` if that is not known."""
    return word.env if isinstance(word, NameValue) and word.env is not None else default


@record
class OutputValue(OutputSymbol):
    """An output given to a parameter: `@enc1`."""

    wire: NodeOutput | None = None


@dataclass(frozen=True, eq=False)
class Environment:
    """The names in scope."""

    values: Mapping[str, Value]
    home: FileScope
    defaults: Defaults
    scope: ModuleScope
    in_block: bool = False
    calls: tuple[ast.Block, ...] = ()
    """The blocks whose calls are open, outermost first."""
    turn: str = ""
    """The iteration variable of the innermost repeat."""


def is_sized_kind(item: ast.WrittenLayer) -> bool:
    """Check whether a head has a size, width or stride after a layer type's name. Then it does not call a block of that
    name: `Conv-64` is not a call of a block `Conv`."""
    has_numbers = bool(item.size) or item.width is not None or item.stride is not None
    return has_numbers and item.head.upper() in KINDS


def called_block(item: ast.WrittenLayer, home: FileScope) -> Definition | None:
    """Return the block that a head names in a file; None if it names none."""
    return None if is_sized_kind(item) else home.blocks.get(item.head)


class State:
    """The nodes and errors of one elaboration. With `repairs` it continues after errors and records failures there; a
    `log` records what depends on shapes."""

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
        """Layers that were made once, by their source, their layer type as called and itself, the defaults, and, if
        they contain names, their location in the tree and the values of these names."""
        self.mentions: dict[int, tuple[str, ...] | None] = {}
        """The names in layers, by their location in the tree."""
        self.shapes: dict[tuple[int | Shape, ...], tuple[Layer, Shape]] = {}
        """Output shapes by input shapes and the id of the layer, which is kept alive here."""
        self.modules: list[tuple[ModulePart, ModuleScope | int]] = []
        """Parts that wait for their path, which is that of a module or a node."""
        self._seen: set[tuple[str, Span | None]] = set()

    def report(self, stop: CnnError) -> None:
        """Record an error, once per location. Raises CnnError if there are too many."""
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
        """Return the shape of a layer's output, inferred once. Raises LayerError if the layer rejects these values."""
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
        """Record in the log that a layer rejects these values."""
        if self.log is not None:
            self.log.refused(layer, [wire.node for wire in wires])

    def repaired(self, layer: Layer, wires: Sequence[NodeOutput], stop: CnnError) -> Shape:
        """Return a guess for the output of the next node, which is invalid. Raises the error if no guess is wanted."""
        if self.repairs is None:
            raise stop from None
        self.report(stop)
        self.repairs.fails(len(self.drafts), stop)
        return guess(layer, wires)

    def is_guess(self, wire: NodeOutput | None) -> bool:
        """Return whether the shape of a value is a guess."""
        return wire is not None and self.repairs is not None and wire.node in self.repairs.unknown

    def enter(self, span: Span) -> None:
        """Begin an element inside those already begun. Raises CnnError if they nest too deep, or if there are too many;
        the caller decrements `depth` afterwards."""
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
        """Count names that a star, or a part that is applied again, looks up. Raises CnnError if there are too many: a
        sum over all iterations in each iteration grows quadratically."""
        most = MOST_STEPS * self.most_nodes + 1000
        self.looks += names
        if self.looks > most:
            raise error("E0209", f"the references of this network look at more than {most:,} names", span)

    def retract(self, errors: list[Diagnostic]) -> None:
        """Reset the errors to an earlier list."""
        self.errors = errors
        self._seen = {(each.code, each.span) for each in errors}

    def add(
        self, draft: PendingNode, base: str, env: Environment, label: str | None = None, counted: bool = True
    ) -> NodeOutput:
        """Add a node as a member of the open module."""
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
