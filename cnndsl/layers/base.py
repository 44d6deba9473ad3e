"""What a layer kind is: a frozen dataclass whose fields are its options and whose methods are its facts.

A kind says in one place what it computes: the shape rule, parameters, multiply-adds, window, what autograd keeps
and the PyTorch that it becomes. Nothing here knows the syntax or the graph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from functools import cache
from math import gcd
from typing import Any, ClassVar, Literal, TypeAlias

from cnndsl.layers.facts import Saved, Tensor, Window
from cnndsl.layers.steps import GradientMemory, LayerStep
from cnndsl.layers.torch_calls import Keywords, Slot, TorchCall, TorchFunction
from cnndsl.records import record
from cnndsl.shape import Shape

Dims: TypeAlias = tuple[int, ...]
"""An extent for each spatial axis, or one for all of them."""

Padding: TypeAlias = Dims | Literal["same", "valid", "full", "tfsame", "reflect", "replicate", "circular"]
"""An amount, or a word: see `window` and `borders`."""

OptionType: TypeAlias = Literal["dims", "int", "number", "flag", "word", "padding", "ints", "reference"]


Role: TypeAlias = Literal[
    "input",
    "convolution",
    "pooling",
    "dense",
    "normalisation",
    "activation",
    "merge",
    "resize",
    "arrangement",
    "identity",
    "other",
]
"""What a layer is for; see `Layer.ROLE`."""


Cut: TypeAlias = Literal["", "channels", "positions"]


class LayerError(Exception):
    """A layer that cannot take its input. The caller knows the place. `options` would make it take it; so would
    a layer without its width, where `width_is_optional`, and an input with a multiple of `divisor` channels."""

    def __init__(
        self,
        code: str,
        message: str,
        help: str = "",
        options: str = "",
        width_is_optional: bool = False,
        divisor: int = 0,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.help, self.options = code, message, help, options
        self.width_is_optional, self.divisor = width_is_optional, divisor


@record(slots=True)
class Option:
    """How a field of a kind is written: its type, its other names, its bounds, the words it takes.

    Where the value may be an output as well, whose extents are taken (`out=@x`), `like` names the field that says so;
    the output is a further operand then. A required option need not be given where `instead` is, another option.
    """

    type: OptionType
    aliases: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()
    required: bool = False
    like: str = ""
    instead: str = ""


def option(type: OptionType, default: Any = None, *aliases: str, kw_only: bool = False, **rules: Any) -> Any:
    """A field of a kind that a program can set. `default` is a value of the field's own type."""
    return field(default=default, kw_only=kw_only, metadata={"option": Option(type, aliases, **rules)})


@record
class Layer:
    """A layer with its options set. Subclasses are the kinds."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    """The kind's name, then its synonyms, in capitals."""
    SIZE: ClassVar[str] = ""
    """The option that a number behind the kind sets: the 3 of `CONV3`."""
    WIDTH: ClassVar[str] = ""
    """The option that `-64` sets."""
    STRIDE: ClassVar[str] = ""
    """The option that `/2` sets."""
    RANGE: ClassVar[tuple[str, str] | None] = None
    """Two options, the first channel of the input that the output has and the one after the last."""
    POSITIONAL: ClassVar[tuple[str, ...]] = ()
    """The options that arguments without a name set, in order; a last one of type `ints` takes all the rest."""
    INPUTS: ClassVar[tuple[int, int]] = (1, 1)
    """The fewest and the most inputs."""
    VIEW: ClassVar[bool] = False
    """True where the output is another view of the first input's memory: it takes none of its own."""
    COPIES: ClassVar[tuple[Cut, ...]] = ()
    """The views that do not lie in one piece of which the layer makes a copy, to compute with that."""
    ROLE: ClassVar[Role] = "other"
    """What the layer is for. It decides the colour of its box; a normalisation, an activation or an arrangement that
    keeps the shape is drawn upon the layer before it. `lint` looks for convolutions and dense layers, the lecture's
    table has a row for every normalisation, an `identity` is no node of the graph. `other` has a grey box."""
    ENLARGES: ClassVar[bool] = False
    """True for a convolution that makes maps larger; it is drawn in the colour of what resizes."""
    SIGN: ClassVar[str] = ""
    """What a drawing shows in a circle in place of a box, as the `+` of a sum."""
    HELPERS: ClassVar[Mapping[str, str]] = {}
    """The source of each class that the type can become and PyTorch lacks, by the name of the class: as ruff formats
    it by default, able to be scripted, compiled, exported and pickled. The compiler never runs it."""
    DEFAULTS: ClassVar[tuple[tuple[str, str | bool | float], ...]] = ()
    """Arguments of the PyTorch module whose default is another option's value (its name), or an unusual constant."""
    READ_ANEW: ClassVar[tuple[str, ...]] = ()
    """Options that the PyTorch module reads in each call from an attribute of that name: they may be set later."""
    CHECKS_RATES: ClassVar[bool] = False
    """True where the PyTorch module refuses rates outside of 0 to 1 by itself."""
    INDICES_OF: ClassVar[int] = 0
    """The operand whose pooling indices the layer reads, as UNPOOL does; 0 for none."""
    GRADIENT: ClassVar[GradientMemory] = "own"
    """What the gradient of an input is in memory."""
    FULL_PRECISION: ClassVar[frozenset[str]] = frozenset()
    """The devices on which autocast casts the input to fp32 (pytorch.org/docs/stable/amp.html)."""
    WIDENS: ClassVar[bool] = False
    """True where such an operation is inside, so that what it saves and gives is fp32 under autocast."""
    INIT: ClassVar[str] = ""
    """The option that says how `weight` is initialised, with the words of `conv.INITS`; empty for PyTorch's own way."""
    SHARES_WEIGHTS: ClassVar[bool] = True
    """False for a convolution that has weights of its own for each position."""
    SUBTRACTS_MEAN: ClassVar[bool] = False
    """True where training subtracts each channel's mean over the batch, and with it a bias that was added before."""
    KEEPS_ONE: ClassVar[bool] = False
    """True for a pooling that drops all values of a window but one, as a maximum does."""
    SEES_ALL: ClassVar[bool] = False
    """True where a map as large as the input is made of all of it, as by recurrence, not of its statistics alone."""
    REPEATS_ONE: ClassVar[bool] = False
    """True where an input of one position is repeated over the positions of the others."""
    JOINS_CHANNELS: ClassVar[bool] = False
    """True where the output holds the channels of all inputs, one input after the other."""

    @property
    def is_parameter(self) -> bool:
        """True where the one tensor is no module's of its own, but a parameter of the module around the layer."""
        return False

    @property
    def is_frozen(self) -> bool:
        """True where the layer has parameters that are not trained: none of them is."""
        return False

    @property
    def extents_of(self) -> int:
        """The operand of which only the extents are read, as of the `@x` of `UPSAMPLE(out=@x)`; 0 for none."""
        return 0

    @classmethod
    def kind(cls) -> str:
        """The canonical name."""
        return cls.NAMES[0]

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """The options by name; one that may be another output is last."""
        return _options(cls)

    def referring(self, target: Layer, *entering: Shape) -> Layer:
        """The same layer, told which layer its `reference` option names and what enters that one.

        Called before `output` for kinds with an option of type `reference`. Raises LayerError where the two do not fit.
        """
        return self

    def output(self, *inputs: Shape) -> Shape:
        """The shape of the output. Raises LayerError where the inputs do not fit."""
        return inputs[0]

    def grown(self, by: Dims) -> tuple[str, Dims] | None:
        """The option that makes the output larger by so much along each axis, with its value; None where none does."""
        return None

    def is_elementwise(self, *inputs: Shape) -> bool:
        """True where each value of the output depends on one of the input, wherever that lies: a vector will do."""
        return False

    def passes(self, training: bool) -> bool:
        """True where the module gives back its input itself in this mode, as dropout does in evaluation."""
        return False

    def views(self, *inputs: Shape) -> bool:
        """True where the output is another view of the first input's memory. By default `VIEW` says so for all."""
        return self.VIEW

    def drops_values(self) -> bool:
        """True where training zeroes single values at random, not whole channels or images."""
        return False

    def channels_read(self) -> Sequence[int] | None:
        """Return the channels that the layer takes out of its input, as they are; None where it reads all of them."""
        return None

    def filter_size(self, *inputs: Shape) -> Dims:
        """Return the extents of the filters that slide over the input, without dilation; empty if there are none.

        The window of a convolution that does not magnify is the default.
        """
        window = self.window(*inputs) if self.ROLE == "convolution" else None
        return window.extent if window is not None and not window.grow else ()

    def is_identity(self, *inputs: Shape) -> bool:
        """True where the output is the input itself, so that the emitted module leaves the layer out."""
        return False

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        """Parameters and buffers, in the order in which the module registers them."""
        return ()

    def macs(self, *inputs: Shape) -> int:
        """Multiply-adds of convolutions and matrix products, for one image."""
        return 0

    def operations(self, *inputs: Shape) -> int:
        """Elementwise operations (comparisons, additions, …) of one image, of what is not a multiply-add."""
        return 0

    def window(self, *inputs: Shape) -> Window | None:
        """What an output position sees of each input; None: all of it."""
        rank = inputs[0].rank
        return Window((1,) * rank, (1,) * rank, (0,) * rank)

    def mixes_axes(self, *inputs: Shape) -> bool:
        """True where an extent of the output, or whether the layer takes its inputs, depends on several of their axes.

        A window goes along each axis by itself. What reads everything gives one position, or a map as large as its
        input; it may refuse one position, as a normalisation does, which a map of one line becomes.
        """
        x, out = inputs[0], self.output(*inputs)
        if self.window(*inputs) is not None:
            return False
        return (out.pixels > 1 and out.spatial != x.spatial) or (
            x.rank > 1 and 1 in x.spatial and not self._takes_one(x)
        )

    def _takes_one(self, x: Shape) -> bool:
        try:
            self.output(Shape(x.channels, (1,) * x.rank))
        except LayerError:
            return False
        return True

    def saved(self, *inputs: Shape) -> Saved:
        """What autograd keeps in training mode."""
        return Saved()

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """The most values, of one image, that are held for a moment: in the forward pass of a network in use beside
        inputs and output, and in the backward pass beside what is saved and the gradients of output and inputs."""
        return 0, 0

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """The operations of PyTorch that the layer consists of, on inputs whose values are read; by default one."""
        return (self.single_step(*inputs),)

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """The views that do not lie in one piece of which the layer makes a copy."""
        return self.COPIES

    def cut(self, *inputs: Shape) -> Cut:
        """What a view leaves out, so that it does not lie in one piece: the images of a batch have gaps between them
        without some of the channels, and within them without some of the positions."""
        return ""

    def single_step(self, *inputs: Shape, **changed: Any) -> LayerStep:
        """The layer as one operation; `changed` are fields of the step that differ."""
        kept = self.saved(*inputs)
        halves = "full" if self.WIDENS else "half" if self.macs(*inputs) else "as is"
        usual: dict[str, Any] = {
            "reads": tuple(range(len(inputs) - bool(self.extents_of))),
            "values": self.output(*inputs).numel,
            "view": self.views(*inputs),
            "keeps": kept.inputs,
            "keeps_result": kept.output,
            "extra": kept.extra,
            "mask": kept.mask,
            "copies": kept.copies,
            "tensors": tuple(range(len(self.tensors(*inputs)))),
            "autocast": "full" if "cpu" in self.FULL_PRECISION else halves,
            "on_cuda": "full" if "cuda" in self.FULL_PRECISION else halves,
            "gradient": self.GRADIENT,
            "scratch": self.scratch(*inputs),
            "in_use": not self.scratch(*inputs)[0],
        }
        return LayerStep(**{**usual, **changed})

    def torch(self, *inputs: Shape) -> TorchCall | TorchFunction | None:
        """The PyTorch that it becomes; None for nothing at all. Assumes that `output` accepted the inputs."""
        raise NotImplementedError

    def helper_call(self, name: str, arguments: tuple[Slot, ...] = (), keywords: Keywords = ()) -> TorchCall:
        """Return the construction of one of the type's own helper classes, with its source."""
        return TorchCall(name, arguments, keywords, helper=True, source=self.HELPERS[name])

    def formula(self, *inputs: Shape) -> str:
        """The weights as a lecturer writes them, `(3*3*3)*64`; empty for a kind without weights."""
        return ""

    def weights_formula(self, *inputs: Shape) -> str:
        """Return the weights like `formula`, with the division by the groups: `(3*3*64/2)*128`."""
        return self.formula(*inputs)

    def macs_formula(self, *inputs: Shape) -> str:
        """Return the multiply-adds as a product, `55*55*(11*11*3)*96`; empty where there is none."""
        return ""

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        """Return how each extent of the output follows from that of the input, `(227 - 11 + 2*0)/4 + 1`.

        An expression of Python's with `floor` and `ceil`. Empty where the extents stay or are given.
        """
        return ()

    def channels_formula(self, *inputs: Shape) -> str:
        """Return how the output's channels follow from the inputs', `64 + 32`; empty where they stay or are given."""
        return ""

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        """What the division by the stride leaves on each axis: rows and columns that no window reaches.

        Empty where every one is reached.
        """
        return ()

    def unread(self, *inputs: Shape) -> tuple[int, ...]:
        """Return how many last lines no window reaches, without padding and what the stride skips between windows."""
        return self.remainder(*inputs)


@cache
def _options(cls: type[Layer]) -> Mapping[str, Option]:
    found = {each.name: each.metadata["option"] for each in fields(cls) if "option" in each.metadata}
    return dict(sorted(found.items(), key=lambda each: bool(each[1].like)))


def each_axis(dims: Dims, rank: int, what: str) -> Dims:
    """One extent for each axis. Raises LayerError where their number does not fit the input's rank."""
    if len(dims) == rank:
        return dims
    if len(dims) == 1:
        return dims * rank
    written = "x".join(map(str, dims))
    message = f"the {what} {written} has {len(dims)} axes, but the input has {rank}"
    every = f"a single number applies to every axis: `{dims[0]}`"
    if what not in ("kernel", "stride") or len(dims) > rank:
        raise LayerError("E0303", message, every)
    last = "x".join(map(str, ((1,) * rank + dims)[-rank:]))
    raise LayerError(
        "E0303", message, f"for the last {len(dims)} axes only, write `{last}`" + f"; {every}" * (len(set(dims)) == 1)
    )


def common_divisors(*numbers: int, option: str = "`groups`") -> str:
    """A hint that lists the values of an option that are possible.

    >>> common_divisors(6, 64)
    '`groups` can be 1 or 2'
    """
    common = gcd(*numbers)
    divisors = [each for each in range(1, min(common, 10_000) + 1) if common % each == 0]
    *others, last = map(str, divisors)
    if len(others) > 7:
        others = [*others[:4], "…", *others[-3:]]
    return f"{option} can be {', '.join(others)} or {last}" if others else f"{option} can only be 1"


def need_spatial(kind: str, x: Shape) -> None:
    """Raises LayerError where the input is a vector without spatial axes."""
    if x.rank == 0:
        raise LayerError(
            "E0302",
            f"{kind} needs a spatial input, but this is a vector of {x.channels} values",
            f"place it before the first FC, or turn the vector into a map: RESHAPE(1x1x{x.channels})",
        )


def squeeze(dims: Dims) -> int | Dims:
    """The shortest form that PyTorch takes: 3 for 3x3."""
    return dims[0] if len(set(dims)) == 1 else dims
