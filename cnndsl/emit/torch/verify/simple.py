"""The layer types that are one module without weights on one input: one row holds all that the verifier knows of each.

A row is written from the language reference and from PyTorch's documentation or the helper's source, never from
`cnndsl.layers`. The tables for constructors, forms, shapes and effects take their entries from here, and have entries
of their own for what does not fit: weights, one class per number of axes, constraints between arguments.

Rows are not records (`cnndsl.records`): they are created on import, and completing a record takes longer than creating
them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from cnndsl.shape import Shape


class FormField:
    """An argument of the constructor, which is also a field of the form.

    `kind` is the type that the constructor takes: an integer of at least `least`, a number, or a sequence of such
    integers. `default` is PyTorch's, as Python; empty for a required argument. The layer's option has the argument's
    name unless `option` gives another; `fixed` is the value of an argument that is not an option.
    """

    __slots__ = ("argument", "default", "fixed", "kind", "least", "option")

    def __init__(
        self,
        argument: str,
        kind: Literal["whole", "real", "integers"],
        default: str = "",
        option: str = "",
        fixed: object = None,
        least: int = 1,
    ) -> None:
        self.argument, self.default, self.option, self.fixed, self.least = argument, default, option, fixed, least
        self.kind: Literal["whole", "real", "integers"] = kind

    @property
    def in_messages(self) -> str:
        """Return the field as `forms.FIELDS` writes it: with its default, unless the default is None."""
        return f"{self.argument}={self.default}" if self.default not in ("", "None") else self.argument


class SimpleLayer:
    """A layer type that is one module without weights.

    `names` are those of the layer type, its own before its synonyms. `cls` is the class of `torch.nn`, or of a helper
    if `digest` is the digest of its source. `family` and `fields` are its form. `shape` computes the output's shape
    from the input's and the fields; it returns None for an input that the module rejects, and is None itself if the
    shape does not change.

    `keeps` is what autograd saves for the backward pass. `inplace` is the same for a call in place, empty if the
    class has no such argument: a copy of what it overwrites, or its output. `view` is set for a module that may return
    a view of its input, `elementwise` for one that treats each value by itself.
    """

    __slots__ = ("cls", "digest", "elementwise", "family", "fields", "inplace", "keeps", "names", "shape", "view")

    def __init__(
        self,
        names: tuple[str, ...],
        cls: str,
        family: str,
        fields: tuple[FormField, ...] = (),
        *,
        shape: Callable[..., Shape | None] | None = None,
        keeps: Literal["", "input", "output", "both"] = "",
        inplace: Literal["", "copy", "output"] = "",
        view: bool = False,
        elementwise: bool = False,
        digest: str = "",
    ) -> None:
        self.names, self.cls, self.family, self.fields, self.shape = names, cls, family, fields, shape
        self.view, self.elementwise, self.digest = view, elementwise, digest
        self.keeps: Literal["", "input", "output", "both"] = keeps
        self.inplace: Literal["", "copy", "output"] = inplace

    @property
    def signature(self) -> str:
        """Return the parameters of the constructor as PyTorch documents them.

        >>> SimpleLayer(("SOFTMAX",), "Softmax", "softmax", (FormField("dim", "whole", "None"),)).signature
        'dim=None'
        """
        found = [f"{each.argument}={each.default}" if each.default else each.argument for each in self.fields]
        return ", ".join([*found, "inplace=False"] if self.inplace else found)

    @property
    def in_messages(self) -> str:
        """Return the fields as `forms.FIELDS` writes them."""
        return " ".join(each.in_messages for each in self.fields)

    @property
    def is_activation(self) -> bool:
        """Return whether a PyTorch class represents the layer type when that is an argument: `act=SILU`."""
        return self.elementwise and not self.digest


def _spatial(x: Shape, *_: object) -> Shape | None:
    return x if x.rank else None


def _shuffle(x: Shape, groups: int) -> Shape | None:
    return x if x.channels % groups == 0 else None


def _slice(x: Shape, start: int, stop: int) -> Shape | None:
    return Shape(min(stop, x.channels) - start, x.spatial)


def _pick(x: Shape, channels: tuple[int, ...]) -> Shape | None:
    return Shape(len(channels), x.spatial) if all(each < x.channels for each in channels) else None


def _one_channel(x: Shape) -> Shape | None:
    return Shape(1, x.spatial)


_LRN = (
    FormField("size", "whole"),
    FormField("alpha", "real", "0.0001"),
    FormField("beta", "real", "0.75"),
    FormField("k", "real", "1.0"),
)
_SOFTPLUS = (FormField("beta", "real", "1.0"), FormField("threshold", "real", "20.0", fixed=20.0))
_OVER_CHANNELS = (FormField("dim", "whole", "None", fixed=1, least=-9),)
_RANGE = (FormField("start", "whole", least=0), FormField("stop", "whole", least=0))
_CHANNELS = (FormField("channels", "integers", least=0),)

SIMPLE: tuple[SimpleLayer, ...] = (
    SimpleLayer(("LRN",), "LocalResponseNorm", "lrn", _LRN, shape=_spatial, keeps="input"),
    SimpleLayer(("RELU",), "ReLU", "relu", keeps="output", inplace="output", elementwise=True),
    SimpleLayer(("SELU",), "SELU", "selu", keeps="input", inplace="output", elementwise=True),
    SimpleLayer(("SILU", "SWISH"), "SiLU", "silu", keeps="input", inplace="copy", elementwise=True),
    SimpleLayer(("MISH",), "Mish", "mish", keeps="input", inplace="copy", elementwise=True),
    SimpleLayer(("HSWISH", "HARDSWISH"), "Hardswish", "hardswish", keeps="input", inplace="copy", elementwise=True),
    SimpleLayer(("SIGMOID",), "Sigmoid", "sigmoid", keeps="output", elementwise=True),
    SimpleLayer(
        ("HSIGMOID", "HARDSIGMOID"), "Hardsigmoid", "hardsigmoid", keeps="input", inplace="copy", elementwise=True
    ),
    SimpleLayer(("LOGSIGMOID",), "LogSigmoid", "logsigmoid", keeps="input", elementwise=True),
    SimpleLayer(("SOFTPLUS",), "Softplus", "softplus", _SOFTPLUS, keeps="input", elementwise=True),
    SimpleLayer(("SOFTSIGN",), "Softsign", "softsign", keeps="input", elementwise=True),
    SimpleLayer(("SOFTMAX",), "Softmax", "softmax", _OVER_CHANNELS, keeps="output"),
    SimpleLayer(("LOGSOFTMAX",), "LogSoftmax", "logsoftmax", _OVER_CHANNELS, keeps="output"),
    # Shuffling by one group returns a view on some devices.
    SimpleLayer(("SHUFFLE",), "ChannelShuffle", "shuffle", (FormField("groups", "whole"),), shape=_shuffle, view=True),
    SimpleLayer(("SLICE",), "Slice", "slice", _RANGE, shape=_slice, view=True, digest="2f4d769ef7828e75"),
    SimpleLayer(("PICK",), "Pick", "pick", _CHANNELS, shape=_pick, digest="7fa70005cd596c3b"),
    SimpleLayer(
        ("CHANNELMAX",), "ChannelMax", "channelmax", shape=_one_channel, keeps="both", digest="70fa2332a142bfe1"
    ),
    SimpleLayer(("CHANNELMEAN",), "ChannelMean", "channelmean", shape=_one_channel, digest="36c3d1c8e109aff5"),
    SimpleLayer(("TIMES",), "Times", "times", (FormField("by", "real"),), elementwise=True, digest="641727a80aa9b36d"),
)
"""One row for each layer type."""
