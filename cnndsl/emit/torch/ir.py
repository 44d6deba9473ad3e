"""The module IR: the emitter's representation between the graph and the text.

A `ModuleClass` is one class of the emitted file. Its constructor is a list of `Child`, whose modules are built by
`Build` and `SequentialBuild` from terms; its `forward` is a straight line of steps over numbered values, each defined
once. `docs/emit.md` takes one block of a ResNet through all of it.

The IR contains no Python text, and all of it is immutable. A value is an `int`, the index of its `ForwardValue` in
`Forward.values`. A class serves all call sites at which the network uses it; anything that differs between them is a
tuple with one entry per call site.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal, TypeAlias

from cnndsl.emit.torch.list_records import ListForward
from cnndsl.emit.torch.terms import Env, Term
from cnndsl.expressions import Expr
from cnndsl.layers.torch_calls import Operation
from cnndsl.records import record

What: TypeAlias = Literal["value", "indices", "size"]
"""The output of a node, the indices of a max-pool, or the size of that pool's input."""
_WHATS: tuple[What, ...] = ("value", "indices", "size")
_COUNT = len(_WHATS)
Key: TypeAlias = int
"""A value of the graph: a node and one of its `What`s, encoded as one number. `key` makes it; `node_of` and `what_of`
decode it."""


def key(node: int, what: What = "value") -> Key:
    """Return the key of a node's output, of its `indices`, or of the `size` of its input.

    >>> node_of(key(7, "size")), what_of(key(7, "size")), what_of(key(7))
    (7, 'size', 'value')
    """
    return _COUNT * node + _WHATS.index(what)


def node_of(found: Key) -> int:
    """Return the node that a key belongs to."""
    return found // _COUNT


def what_of(found: Key) -> What:
    """Return which value of its node a key refers to."""
    return _WHATS[found % _COUNT]


# Values and steps

StepOperation: TypeAlias = Operation | Literal["flatten", "size", "same"]
"""What a `Compute` does: the operation of a layer, or one between layers. `size` is a size, `same` the input."""
_VIEWS: frozenset[StepOperation] = frozenset(("flatten", "size", "same", "view"))


@record(slots=True)
class ForwardValue:
    """A value of a `forward`: its key in the graph at each call site (None if it does not exist there), a name for it,
    and whether the program gives it this name. For a list whose length is an argument of the class, `items` are the
    values at each call site."""

    keys: tuple[Key | None, ...]
    name: str = ""
    is_named: bool = False
    items: tuple[tuple[Key, ...], ...] = ()


@record(slots=True)
class Apply:
    """The call of a child, which may be called more than once. `outputs` are its results in order. `overwrites` says
    that the output overwrites the memory of the first input. A parameter is not called: `template` is the expression of
    the input and the parameter, `{0} * {1}`."""

    child: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    overwrites: bool = False
    template: str = ""


@record(slots=True)
class Compute:
    """An expression of values: `torch.cat([{inputs}], 1)`, of the operation `concat`. `over` is the position of the
    operand that a sum may overwrite, or -1."""

    operation: StepOperation
    template: str
    inputs: tuple[int, ...]
    output: int
    over: int = -1

    @property
    def is_view(self) -> bool:
        """Return whether the output shares the first input's memory, or needs none."""
        return self.operation in _VIEWS


@record(slots=True)
class BranchStep:
    """Steps that differ between the call sites: `then` runs if the attribute `flag` is true, else `otherwise`. `output`
    is `chosen` in the first case, `other` in the second."""

    flag: str
    then: tuple[Step, ...]
    otherwise: tuple[Step, ...]
    chosen: int
    other: int
    output: int


@record(slots=True)
class Training:
    """Steps that run in training only. In evaluation their `outputs` are None."""

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]


@record(slots=True)
class RepeatStep:
    """The calls of the modules of a list, whose length is an argument of the class. Each module takes the output of the
    previous one, the first one the input. `outputs` are the list of all their outputs, and the last output."""

    child: str
    inputs: tuple[int]
    outputs: tuple[int, int]


Step: TypeAlias = Apply | Compute | BranchStep | Training | RepeatStep


@record(slots=True)
class Forward:
    """A `forward`: its arguments and results, in the order that caller and callee share, and its steps in order.

    `main` is the position of the part's own output among the results; -1 for a part that passes on its input.
    `training` are the results that exist in training only. With `lists`, the emitted `forward` takes and returns lists,
    and has loops in place of the steps.
    """

    values: tuple[ForwardValue, ...]
    inputs: tuple[int, ...]
    steps: tuple[Step, ...]
    results: tuple[int, ...]
    main: int
    training: frozenset[int] = frozenset()
    lists: ListForward | None = None


# Construction


@record(slots=True)
class BuildArgument:
    """An argument of a constructor call; positional if it has no keyword."""

    term: Term
    keyword: str = ""


@record(slots=True)
class Guard:
    """A check of a constructor before it uses its arguments: `test` is the condition that is invalid, `message` the
    error message, `names` are the arguments that the test reads."""

    test: Term
    message: str
    names: frozenset[str]


@record(slots=True)
class Build:
    """The constructor call of one module: a class of PyTorch or of a helper by its name, or a class of the file. The
    arguments of a parameter are its sizes and its initial value.

    `guards` are the constructor's checks of the numbers in the arguments.
    """

    callee: str | ModuleClass
    arguments: tuple[BuildArgument, ...] = ()
    guards: tuple[Guard, ...] = ()
    is_parameter: bool = False


@record(slots=True)
class ChildName:
    """A child's name: empty if PyTorch numbers it, else a name, or the text of an f-string."""

    text: str = ""
    is_pattern: bool = False


@record(slots=True)
class Element:
    """A module of a chain; `comment` is the shape of its output."""

    name: ChildName
    module: Build | SequentialBuild
    comment: str = ""


@record(slots=True)
class Assign:
    """`name = term`, or `name += term`: updates the number of channels that reach a module in a loop over a repeat."""

    name: str
    term: Term
    adds: bool = False


@record(slots=True)
class Rows:
    """The rows of a loop over a table: the values of its names, row by row."""

    rows: tuple[tuple[Term, ...], ...]


@record(slots=True)
class CountedRange:
    """The range of a loop over a number: `range(start, stop)`."""

    start: Term
    stop: Term


@record(slots=True)
class LoopItem:
    """A repeat as a loop. `before` and `after` update the number of channels that enters the next iteration."""

    targets: tuple[str, ...]
    over: Rows | CountedRange
    items: tuple[SequentialItem, ...]
    before: Assign | None = None
    after: Assign | None = None


@record(slots=True)
class ConditionalItem:
    """Modules of a chain that exist if a test holds, and others that exist if it does not."""

    test: Term
    items: tuple[SequentialItem, ...]
    otherwise: tuple[SequentialItem, ...] = ()


SequentialItem: TypeAlias = Element | LoopItem | ConditionalItem


@record(slots=True)
class SequentialBuild:
    """Modules called one after the other: an `nn.Sequential`, or an `nn.ModuleList` if a `forward` calls them."""

    items: tuple[SequentialItem, ...]
    is_list: bool = False


@record(slots=True)
class ChildLoop:
    """A loop that builds several children of a class with a `forward`. `pattern` is the text of an f-string for the
    last name of each, empty if a list numbers them."""

    names: tuple[str, ...]
    targets: tuple[str, ...]
    over: Rows | CountedRange
    pattern: str
    module: Build | SequentialBuild
    comment: str = ""


@record(slots=True)
class Child:
    """A child of a class with a `forward`. With a test it exists if the test holds; otherwise it is an identity. `loop`
    builds it, together with other children that have the same loop."""

    name: str
    module: Build | SequentialBuild
    comment: str = ""
    test: Term | None = None
    loop: ChildLoop | None = None


@record(slots=True)
class Flag:
    """An attribute that chooses between the steps of a `BranchStep`."""

    name: str
    test: Term


@record(slots=True)
class ConstructorParameter:
    """An argument of a constructor. `option` is the program's name for it, empty if the program has none; then
    `written` is the expression for it, or None."""

    name: str
    type: str
    option: str = ""
    default: Term | None = None
    by_keyword: bool = False
    written: Expr | None = None


@record
class ModuleClass:
    """A class of the emitted file.

    `forward` is None for a chain, whose children are the items of `chain`. `places` maps the paths of the call sites to
    their indices in `environments`, which hold the values of the class's names there. `leaving` are the channels of
    each result, in names of the constructor, None if there is no such term; `entering` the arguments for the channels
    of each input, empty if there is none. `is_flat` says that it takes its input flattened. `shapes` are the input and
    output shapes at each call site, for readers.
    """

    wanted_name: str
    parameters: tuple[ConstructorParameter, ...]
    guards: tuple[Guard, ...]
    flags: tuple[Flag, ...]
    children: tuple[Child, ...]
    chain: SequentialBuild | None
    forward: Forward | None
    places: Mapping[str, int]
    environments: tuple[Env, ...]
    leaving: tuple[Term | None, ...]
    entering: tuple[str, ...]
    is_flat: bool
    shapes: tuple[tuple[str, str], ...]

    @cached_property
    def is_keyed(self) -> bool:
        """Return whether some children cannot be attributes: their names are numbers, or contain other characters."""
        return any(not child.name.partition(".")[0].isidentifier() for child in self.children)

    @cached_property
    def is_listed(self) -> bool:
        """Return whether the names of the children are the consecutive numbers of a list."""
        return bool(self.children) and [child.name for child in self.children] == [*map(str, range(len(self.children)))]

    @cached_property
    def containers(self) -> Mapping[str, bool]:
        """Return the modules that contain its children, `convs` of `convs.1`, outer ones first, and whether each is a
        list: the numbers in it have no gaps."""
        held: dict[str, dict[str, None]] = {}
        for child in self.children:
            names = child.name.split(".")
            for length in range(1, len(names)):
                held.setdefault(".".join(names[:length]), {})[names[length]] = None
        return {path: {*inner} == {*map(str, range(len(inner)))} for path, inner in held.items()}
