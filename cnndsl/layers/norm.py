"""Normalisation: `BN`, `LRN`, `LN`, `GN`, `IN`, and the learned `SCALE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, TorchCall, need_spatial, option
from cnndsl.shape import Shape


@dataclass(frozen=True)
class BatchNorm(Layer):
    """`BN(eps=1e-5, momentum=0.1, affine=yes)`. Source: Ioffe and Szegedy 2015."""

    NAMES: ClassVar = ("BN",)

    eps: float = option("number", 1e-5, minimum=0)
    momentum: float = option("number", 0.1, minimum=0, maximum=1)
    affine: bool = option("flag", True)


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """`LRN5(alpha=0.0001, beta=0.75, k=1)`."""

    NAMES: ClassVar = ("LRN",)
    SIZE: ClassVar = "size"

    size: int = option("int", 5, "n", minimum=1)
    alpha: float = option("number", 1e-4)
    beta: float = option("number", 0.75)
    k: float = option("number", 1.0, minimum=0)


@dataclass(frozen=True)
class LayerNorm(Layer):
    """`LN(over=all)`."""

    NAMES: ClassVar = ("LN",)

    over: str = option("word", "all", words=("all", "channels"))
    eps: float = option("number", 1e-5, minimum=0)
    affine: bool = option("flag", True)


@dataclass(frozen=True)
class GroupNorm(Layer):
    """`GN32(eps=1e-5, affine=yes)`."""

    NAMES: ClassVar = ("GN",)
    SIZE: ClassVar = "groups"

    groups: int = option("int", 32, minimum=1)
    eps: float = option("number", 1e-5, minimum=0)
    affine: bool = option("flag", True)


@dataclass(frozen=True)
class InstanceNorm(Layer):
    """`IN(eps=1e-5, affine=no)`."""

    NAMES: ClassVar = ("IN",)

    eps: float = option("number", 1e-5, minimum=0)
    affine: bool = option("flag", False)


@dataclass(frozen=True)
class Scale(Layer):
    """`SCALE(weight=yes, bias=yes, init=1)`: y = w_c * x + b_c, learned for each channel."""

    NAMES: ClassVar = ("SCALE",)

    weight: bool = option("flag", True)
    bias: bool = option("flag", True)
    init: float = option("number", 1.0)
