"""The module IR: what the emitter knows between the graph and the text.

A `ModuleClass` is one class of the emitted file. Its constructor is a list of `Child`, whose modules are built by
`Build` and `SequentialBuild` from terms; its `forward` is a straight line of steps over numbered values, each defined
once. `docs/emit.md` takes one block of a ResNet through all of it.

Nothing here is Python text, and nothing here is changed once it is made. A value is an `int`, the index of its
`ForwardValue` in `Forward.values`. A class stands for all the places at which the network uses it; where something
differs between them there is a tuple with one entry for each place.
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
"""The output of a node, the indices of a max-pool, the extents of what entered that pool."""
_WHATS: tuple[What, ...] = ("value", "indices", "size")
_COUNT = len(_WHATS)
Key: TypeAlias = int
"""What a value is in the graph: a node and one of its `What`s, as one number. `key` makes it; `node_of` and `what_of`
take it apart."""


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
    """Return which value of its node a key stands for."""
    return _WHATS[found % _COUNT]


# Values and steps

StepOperation: TypeAlias = Operation | Literal["flatten", "size", "same"]
"""What a `Compute` does: the operation of a layer, or one between layers. `size` gives extents, `same` what enters."""
_VIEWS: frozenset[StepOperation] = frozenset(("flatten", "size", "same", "view"))


@record(slots=True)
class ForwardValue:
    """A value of a `forward`: what it is in the graph at each place (None where it does not exist), a name for it, and
    whether the program gives it this name. Of a list that is as long as an argument of the class says, `items` are the
    values at each place."""

    keys: tuple[Key | None, ...]
    name: str = ""
    is_named: bool = False
    items: tuple[tuple[Key, ...], ...] = ()


@record(slots=True)
class Apply:
    """The call of a child, which may be called more than once. `outputs` are its results in order. `overwrites` says
    that the first input's memory is used for the output. A parameter is not called: `template` is the expression of
    the input and itself, `{0} * {1}`."""

    child: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    overwrites: bool = False
    template: str = ""


@record(slots=True)
class Compute:
    """An expression of values: `torch.cat([{inputs}], 1)`, of the operation `concat`. `over` is the position of the
    operand that a sum may be written over, or -1."""

    operation: StepOperation
    template: str
    inputs: tuple[int, ...]
    output: int
    over: int = -1

    @property
    def is_view(self) -> bool:
        """Whether the output shares the first input's memory, or needs none."""
        return self.operation in _VIEWS


@record(slots=True)
class BranchStep:
    """Steps that differ between the places: `then` runs where the attribute `flag` holds, `otherwise` elsewhere.
    `output` is `chosen` there, and `other` elsewhere."""

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
    """The calls of the modules of a list, as many as an argument of the class says: each is given what the one before
    gives, the first one the input. `outputs` are the list of what they give, and what the last one gives."""

    child: str
    inputs: tuple[int]
    outputs: tuple[int, int]


Step: TypeAlias = Apply | Compute | BranchStep | Training | RepeatStep


@record(slots=True)
class Forward:
    """A `forward`: its arguments and results, in the order that caller and callee share, and its steps as they run.

    `main` is the place of the part's own output among the results; -1 for a part that passes on what enters it.
    `training` are the results that exist in training only. With `lists` its text takes and returns lists, and has
    loops in place of the steps.
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
    """An argument of a constructor; positional without a keyword."""

    term: Term
    keyword: str = ""


@record(slots=True)
class Guard:
    """What a constructor checks before it uses its arguments: `test` is what is wrong, `message` says so, `names` are
    the arguments that it looks at."""

    test: Term
    message: str
    names: frozenset[str]


@record(slots=True)
class Build:
    """The construction of one module: a class of PyTorch or of a helper by its name, or a class of the file. That of
    a parameter has its extents and the value that it starts with for arguments.

    `guards` are what the constructor checks of the numbers in the arguments.
    """

    callee: str | ModuleClass
    arguments: tuple[BuildArgument, ...] = ()
    guards: tuple[Guard, ...] = ()
    is_parameter: bool = False


@record(slots=True)
class ChildName:
    """A child's name: empty where PyTorch counts it, else a name, or the text of an f-string."""

    text: str = ""
    is_pattern: bool = False


@record(slots=True)
class Element:
    """A module of a chain; `comment` is the shape that it gives."""

    name: ChildName
    module: Build | SequentialBuild
    comment: str = ""


@record(slots=True)
class Assign:
    """`name = term`, or `name += term`: the channels that reach a module, counted over the iterations of a repeat."""

    name: str
    term: Term
    adds: bool = False


@record(slots=True)
class Rows:
    """What a loop over a table walks: the values of its names, row by row."""

    rows: tuple[tuple[Term, ...], ...]


@record(slots=True)
class CountedRange:
    """What a loop over a number walks: `range(start, stop)`."""

    start: Term
    stop: Term


@record(slots=True)
class LoopItem:
    """A repeat as a loop. `before` and `after` keep the number of channels that enters the next iteration."""

    targets: tuple[str, ...]
    over: Rows | CountedRange
    items: tuple[SequentialItem, ...]
    before: Assign | None = None
    after: Assign | None = None


@record(slots=True)
class ConditionalItem:
    """Modules of a chain that exist where a test holds, and others where it does not."""

    test: Term
    items: tuple[SequentialItem, ...]
    otherwise: tuple[SequentialItem, ...] = ()


SequentialItem: TypeAlias = Element | LoopItem | ConditionalItem


@record(slots=True)
class SequentialBuild:
    """Modules called one after the other: an `nn.Sequential`, or an `nn.ModuleList` where a `forward` calls them."""

    items: tuple[SequentialItem, ...]
    is_list: bool = False


@record(slots=True)
class ChildLoop:
    """A loop that makes several children of a class with a `forward`. `pattern` is the text of an f-string for the last
    name of each, empty where a list counts them."""

    names: tuple[str, ...]
    targets: tuple[str, ...]
    over: Rows | CountedRange
    pattern: str
    module: Build | SequentialBuild
    comment: str = ""


@record(slots=True)
class Child:
    """A child of a class with a `forward`. With a test it exists where the test holds; elsewhere it is an identity.
    `loop` makes it, together with others that have the same one."""

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
    """An argument of a constructor. `option` is the program's name for it, empty for one that the program lacks;
    `written` is the expression that gives one of these."""

    name: str
    type: str
    option: str = ""
    default: Term | None = None
    by_keyword: bool = False
    written: Expr | None = None


@record
class ModuleClass:
    """A class of the emitted file.

    `forward` is None for a chain, whose children are the items of `chain`. `places` are the paths at which the class is
    used, each with its index in `environments`, which hold the values of the class's names there. `leaving` are the
    channels of each result, in names of the constructor, None where these do not say; `entering` the arguments that
    stand for the channels of each input, empty where there is none. `is_flat` says that it takes its input flattened.
    `shapes` are what enters and leaves at each place, for people.
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
        """Whether some of its children cannot be attributes: their names are numbers, or have other signs."""
        return any(not child.name.partition(".")[0].isidentifier() for child in self.children)

    @cached_property
    def is_listed(self) -> bool:
        """Whether the names of its children are the numbers that a list counts."""
        return bool(self.children) and [child.name for child in self.children] == [*map(str, range(len(self.children)))]

    @cached_property
    def containers(self) -> Mapping[str, bool]:
        """The modules that its children are put into, `convs` of `convs.1`, outer ones first, and whether each is a
        list: the numbers in it have no gaps."""
        held: dict[str, dict[str, None]] = {}
        for child in self.children:
            names = child.name.split(".")
            for length in range(1, len(names)):
                held.setdefault(".".join(names[:length]), {})[names[length]] = None
        return {path: {*inner} == {*map(str, range(len(inner)))} for path, inner in held.items()}
