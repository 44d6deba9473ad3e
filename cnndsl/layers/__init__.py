"""The layer types: one table, and the plug-ins that extend it.

`KINDS` contains the types that a program can write by name. The merges are in `merge.MERGES` by their operator, and the
compiler creates `INPUT`. A third party adds types through the entry-point group `cnndsl.layers`, each entry a subclass
of `Layer`; plug-ins are only loaded for a name that is not built in.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from cnndsl.layers import (
    activation,
    along_channels,
    arrange,
    blur,
    channel_pool,
    conv,
    dense,
    dropout,
    evonorm,
    local,
    local_norm,
    margin,
    norm,
    pixel_shuffle,
    pool,
    reshape,
    resize,
    response,
    scale,
    softmax,
    transposed,
)
from cnndsl.layers.base import Layer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "cnndsl.layers"
"""The entry-point group of plug-ins."""

_OURS: tuple[type[Layer], ...] = (
    conv.Conv,
    conv.DepthwiseConv,
    transposed.ConvTranspose,
    local.LocallyConnected,
    along_channels.ChannelConv,
    pool.MaxPool,
    pool.AvgPool,
    pool.SumPool,
    pool.LPPool,
    blur.BlurPool,
    pool.GlobalAvgPool,
    pool.GlobalMaxPool,
    channel_pool.ChannelMax,
    channel_pool.ChannelMean,
    resize.Unpool,
    resize.Upsample,
    pixel_shuffle.PixelShuffle,
    pixel_shuffle.PixelUnshuffle,
    dense.Dense,
    dense.RadialBasis,
    activation.Relu,
    activation.Relu6,
    activation.LeakyRelu,
    activation.PRelu,
    activation.StarRelu,
    activation.Elu,
    activation.Celu,
    activation.Selu,
    activation.Gelu,
    activation.Silu,
    activation.Mish,
    activation.HardSwish,
    activation.Sigmoid,
    activation.HardSigmoid,
    activation.LogSigmoid,
    activation.Tanh,
    activation.HardTanh,
    activation.Softplus,
    activation.Softsign,
    softmax.Softmax,
    softmax.LogSoftmax,
    norm.BatchNorm,
    local_norm.LocalResponseNorm,
    norm.LayerNorm,
    norm.GroupNorm,
    norm.InstanceNorm,
    response.GlobalResponse,
    response.FilterResponse,
    response.RootMeanSquareNorm,
    response.EuclideanNorm,
    evonorm.EvoNorm,
    scale.Scale,
    dropout.Dropout,
    dropout.DropPath,
    arrange.Flatten,
    arrange.Identity,
    reshape.Reshape,
    reshape.Permute,
    margin.ZeroPad,
    margin.ReflectPad,
    margin.ReplicatePad,
    margin.CircularPad,
    margin.Crop,
    arrange.PadChannels,
    arrange.Shuffle,
    arrange.Slice,
    arrange.Pick,
    arrange.Times,
)


def _by_name(kinds: Iterable[type[Layer]]) -> dict[str, type[Layer]]:
    return {name.upper(): kind for kind in kinds for name in kind.NAMES}


KINDS: Mapping[str, type[Layer]] = _by_name(_OURS)
"""Every layer type by its name and by its synonyms, in capitals."""


HELPERS: Mapping[str, str] = {name: source for kind in _OURS for name, source in kind.HELPERS.items()}
"""The source of every helper class of the built-in layer types, by its name."""


def find(name: str) -> type[Layer] | None:
    """Return the layer type of a name, in any case; None if there is none.

    >>> find("MaxPool") is find("pool")
    True
    """
    return KINDS.get(name.upper()) or _plugins().get(name.upper())


def known() -> list[str]:
    """Return all names of layer types, including those of plug-ins, in alphabetical order."""
    return sorted({*KINDS, *_plugins()})


@cache
def _plugins() -> Mapping[str, type[Layer]]:
    from importlib.metadata import entry_points

    return _by_name(kind for entry in entry_points(group=GROUP) if (kind := _load(entry)))


def _load(entry: EntryPoint) -> type[Layer] | None:
    """Return the layer type of an entry point; None, with a warning, if it cannot be loaded."""
    try:
        kind: object = entry.load()
    except Exception as error:
        return _refuse(entry, f"{type(error).__name__}: {error}")
    if isinstance(kind, type) and issubclass(kind, Layer) and kind.NAMES:
        return kind
    return _refuse(entry, "it is no subclass of Layer with NAMES")


def _refuse(entry: EntryPoint, reason: str) -> None:
    warnings.warn(f"the layer plug-in `{entry.name}` ({entry.value}) cannot be used: {reason}", stacklevel=4)
