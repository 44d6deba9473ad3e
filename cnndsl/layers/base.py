"""The base of layer types: frozen dataclasses whose fields are their options and whose methods are their properties.

A layer type defines what it computes: the shape rule, parameters, multiply-adds, window, what autograd saves and the
PyTorch that it becomes. Nothing here knows the syntax or the graph.
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
"""A size for each spatial axis, or one for all of them."""

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
"""The purpose of a layer; see `Layer.ROLE`."""


Cut: TypeAlias = Literal["", "channels", "positions"]


class LayerError(Exception):
    """A layer that rejects its input. The caller knows the location. The input would be accepted with `options`;
    without the layer's width, if `width_is_optional`; or with a multiple of `divisor` channels."""

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
    """How a field of a layer type is written: its type, its aliases, its bounds, the words it accepts.

    If the value may also be an output, whose size is used (`out=@x`), `like` names the field that records this; the
    output then is another operand. A required option may be omitted if the option `instead` is given.
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
    """Return a field of a layer type that a program can set. `default` is a value of the field's own type."""
    return field(default=default, kw_only=kw_only, metadata={"option": Option(type, aliases, **rules)})


@record
class Layer:
    """A layer with its options set. Subclasses are the layer types."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    """The name of the layer type, then its synonyms, in capitals."""
    SIZE: ClassVar[str] = ""
    """The option that a number after the name sets: the 3 of `CONV3`."""
    WIDTH: ClassVar[str] = ""
    """The option that `-64` sets."""
    STRIDE: ClassVar[str] = ""
    """The option that `/2` sets."""
    RANGE: ClassVar[tuple[str, str] | None] = None
    """Two options: the first channel of the input that the output has, and the one after the last."""
    POSITIONAL: ClassVar[tuple[str, ...]] = ()
    """The options that positional arguments set, in order; a last one of type `ints` takes all the rest."""
    INPUTS: ClassVar[tuple[int, int]] = (1, 1)
    """The minimum and the maximum number of inputs."""
    VIEW: ClassVar[bool] = False
    """True if the output is another view of the first input's memory, so that it allocates none."""
    COPIES: ClassVar[tuple[Cut, ...]] = ()
    """The kinds of non-contiguous views that the layer copies in order to compute with them."""
    ROLE: ClassVar[Role] = "other"
    """The purpose of the layer. It decides the colour of its box; a normalisation, an activation or an arrangement that
    keeps the shape is drawn on the layer before it. `lint` looks for convolutions and dense layers, the lecture's table
    has a row for every normalisation, an `identity` is not a node of the graph. `other` has a grey box."""
    ENLARGES: ClassVar[bool] = False
    """True for a convolution that makes maps larger; it is drawn in the colour of layers that resize."""
    SIGN: ClassVar[str] = ""
    """The symbol that a drawing shows in a circle instead of a box, such as the `+` of a sum."""
    HELPERS: ClassVar[Mapping[str, str]] = {}
    """The source of each class that the type can become and PyTorch lacks, by the name of the class: formatted as by
    ruff's default, and fit to be scripted, compiled, exported and pickled. The compiler never runs it."""
    DEFAULTS: ClassVar[tuple[tuple[str, str | bool | float], ...]] = ()
    """Arguments of the PyTorch module whose default is another option's value (its name), or an unusual constant."""
    READ_ANEW: ClassVar[tuple[str, ...]] = ()
    """Options that the PyTorch module reads from that attribute in each call, so that they may be set later."""
    CHECKS_RATES: ClassVar[bool] = False
    """True if the PyTorch module itself rejects rates outside 0 to 1."""
    INDICES_OF: ClassVar[int] = 0
    """The operand whose pooling indices the layer reads, as UNPOOL does; 0 for none."""
    GRADIENT: ClassVar[GradientMemory] = "own"
    """The memory that the gradient of an input uses."""
    FULL_PRECISION: ClassVar[frozenset[str]] = frozenset()
    """The devices on which autocast casts the input to fp32 (pytorch.org/docs/stable/amp.html)."""
    WIDENS: ClassVar[bool] = False
    """True if the layer contains such an operation, so that its output and what it saves are fp32 under autocast."""
    INIT: ClassVar[str] = ""
    """The option that says how `weight` is initialised, with the words of `conv.INITS`; empty for PyTorch's default."""
    SHARES_WEIGHTS: ClassVar[bool] = True
    """False for a convolution with separate weights for each position."""
    SUBTRACTS_MEAN: ClassVar[bool] = False
    """True if training subtracts each channel's mean over the batch, and with it a bias that was added before."""
    KEEPS_ONE: ClassVar[bool] = False
    """True for a pooling that drops all values of a window except one, as a maximum does."""
    SEES_ALL: ClassVar[bool] = False
    """True if each position of a map as large as the input reads all of it, as by recurrence, not only statistics."""
    REPEATS_ONE: ClassVar[bool] = False
    """True if an input of one position is repeated over the positions of the others."""
    JOINS_CHANNELS: ClassVar[bool] = False
    """True if the output has the channels of all inputs, one input after the other."""

    @property
    def is_parameter(self) -> bool:
        """Return whether the single tensor is a parameter of the module around the layer, not of one of its own."""
        return False

    @property
    def is_frozen(self) -> bool:
        """Return whether the layer has parameters and none of them is trained."""
        return False

    @property
    def extents_of(self) -> int:
        """Return the operand of which only the size is read, such as the `@x` of `UPSAMPLE(out=@x)`; 0 for none."""
        return 0

    @classmethod
    def kind(cls) -> str:
        """Return the canonical name."""
        return cls.NAMES[0]

    @classmethod
    def options(cls) -> Mapping[str, Option]:
        """Return the options by name; one that may be another output is last."""
        return _options(cls)

    def referring(self, target: Layer, *entering: Shape) -> Layer:
        """Return the same layer with data of the layer that its `reference` option names and of its inputs.

        Called before `output` for types with an option of type `reference`. Raises LayerError if they do not match.
        """
        return self

    def output(self, *inputs: Shape) -> Shape:
        """Return the shape of the output. Raises LayerError if the inputs do not fit."""
        return inputs[0]

    def grown(self, by: Dims) -> tuple[str, Dims] | None:
        """Return the option, with its value, that enlarges the output by this along each axis; None if none does."""
        return None

    def is_elementwise(self, *inputs: Shape) -> bool:
        """Return whether each output value depends on one input value, at any position: a vector is valid input."""
        return False

    def passes(self, training: bool) -> bool:
        """Return whether the module returns its input itself in this mode, as dropout does in evaluation."""
        return False

    def views(self, *inputs: Shape) -> bool:
        """Return whether the output is another view of the first input's memory. By default `VIEW` decides."""
        return self.VIEW

    def drops_values(self) -> bool:
        """Return whether training zeroes single values at random, not whole channels or images."""
        return False

    def channels_read(self) -> Sequence[int] | None:
        """Return the channels that the layer takes from its input unchanged; None if it reads all of them."""
        return None

    def filter_size(self, *inputs: Shape) -> Dims:
        """Return the size of the filters that slide over the input, without dilation; empty if there are none.

        The default is the window of a convolution that does not magnify.
        """
        window = self.window(*inputs) if self.ROLE == "convolution" else None
        return window.extent if window is not None and not window.grow else ()

    def is_identity(self, *inputs: Shape) -> bool:
        """Return whether the output is the input itself, so that the emitted module omits the layer."""
        return False

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        """Return parameters and buffers, in the order in which the module registers them."""
        return ()

    def macs(self, *inputs: Shape) -> int:
        """Return the multiply-adds of convolutions and matrix products, for one image."""
        return 0

    def operations(self, *inputs: Shape) -> int:
        """Return the elementwise operations (comparisons, additions, …) for one image, other than multiply-adds."""
        return 0

    def window(self, *inputs: Shape) -> Window | None:
        """Return what an output position sees of each input; None if it sees everything."""
        rank = inputs[0].rank
        return Window((1,) * rank, (1,) * rank, (0,) * rank)

    def mixes_axes(self, *inputs: Shape) -> bool:
        """Return whether a size of the output, or whether the layer accepts its inputs, depends on several of their
        axes.

        A window slides along each axis separately. A layer that reads everything outputs one position or a map as large
        as its input; it may reject one position, which a map of one line becomes, as a normalisation does.
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
        """Return what autograd saves in training mode."""
        return Saved()

    def scratch(self, *inputs: Shape) -> tuple[int, int]:
        """Return the most values per image that are temporary: in the forward pass at inference besides inputs and
        output, and in the backward pass besides what is saved and the gradients of output and inputs."""
        return 0, 0

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """Return the PyTorch operations that the layer consists of, on inputs whose values are read; by default one."""
        return (self.single_step(*inputs),)

    def copied(self, *inputs: Shape) -> tuple[Cut, ...]:
        """Return the kinds of non-contiguous views that the layer copies."""
        return self.COPIES

    def cut(self, *inputs: Shape) -> Cut:
        """Return what a view omits, so that it is not contiguous: without some of the channels there are gaps between
        the images of a batch, without some of the positions there are gaps within them."""
        return ""

    def single_step(self, *inputs: Shape, **changed: Any) -> LayerStep:
        """Return the layer as one operation; `changed` are fields of the step that differ."""
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
        """Return the PyTorch that the layer becomes; None for nothing. Assumes that `output` accepted the inputs."""
        raise NotImplementedError

    def helper_call(self, name: str, arguments: tuple[Slot, ...] = (), keywords: Keywords = ()) -> TorchCall:
        """Return the construction of one of the type's own helper classes, with its source."""
        return TorchCall(name, arguments, keywords, helper=True, source=self.HELPERS[name])

    def formula(self, *inputs: Shape) -> str:
        """Return the weights as a lecture writes them, `(3*3*3)*64`; empty for a layer type without weights."""
        return ""

    def weights_formula(self, *inputs: Shape) -> str:
        """Return the weights like `formula`, with the division by the groups: `(3*3*64/2)*128`."""
        return self.formula(*inputs)

    def macs_formula(self, *inputs: Shape) -> str:
        """Return the multiply-adds as a product, `55*55*(11*11*3)*96`; empty if there are none."""
        return ""

    def size_formula(self, *inputs: Shape) -> tuple[str, ...]:
        """Return how each size of the output follows from that of the input, `(227 - 11 + 2*0)/4 + 1`.

        A Python expression with `floor` and `ceil`. Empty if the sizes do not change or are given.
        """
        return ()

    def channels_formula(self, *inputs: Shape) -> str:
        """Return how the output's channels follow from the inputs', `64 + 32`; empty if unchanged or given."""
        return ""

    def remainder(self, *inputs: Shape) -> tuple[int, ...]:
        """Return the remainder of the division by the stride on each axis: rows and columns that no window reaches.

        Empty if every one is reached.
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
    """Return one size for each axis. Raises LayerError if their number does not match the input's rank."""
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
    """Return a hint that lists the valid values of an option.

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
    """Raise LayerError if the input is a vector without spatial axes."""
    if x.rank == 0:
        raise LayerError(
            "E0302",
            f"{kind} needs a spatial input, but this is a vector of {x.channels} values",
            f"place it before the first FC, or turn the vector into a map: RESHAPE(1x1x{x.channels})",
        )


def squeeze(dims: Dims) -> int | Dims:
    """Return the shortest form that PyTorch accepts: 3 for 3x3."""
    return dims[0] if len(set(dims)) == 1 else dims
