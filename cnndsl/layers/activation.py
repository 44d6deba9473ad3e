"""Activations: `RELU`, `SIGMOID`, `SOFTMAX` and their kin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from cnndsl.layers.base import Layer, option


@dataclass(frozen=True)
class Relu(Layer):
    NAMES: ClassVar = ("RELU",)


@dataclass(frozen=True)
class Relu6(Layer):
    NAMES: ClassVar = ("RELU6",)


@dataclass(frozen=True)
class LeakyRelu(Layer):
    NAMES: ClassVar = ("LEAKYRELU", "LRELU")
    POSITIONAL: ClassVar = ("slope",)

    slope: float = option("number", 0.01)


@dataclass(frozen=True)
class PRelu(Layer):
    NAMES: ClassVar = ("PRELU",)

    shared: bool = option("flag", False)
    init: float = option("number", 0.25)


@dataclass(frozen=True)
class Sigmoid(Layer):
    NAMES: ClassVar = ("SIGMOID",)


@dataclass(frozen=True)
class Tanh(Layer):
    NAMES: ClassVar = ("TANH",)

    scale: float = option("number", 1.0)
    slope: float = option("number", 1.0)


@dataclass(frozen=True)
class Elu(Layer):
    NAMES: ClassVar = ("ELU",)
    POSITIONAL: ClassVar = ("alpha",)

    alpha: float = option("number", 1.0)


@dataclass(frozen=True)
class Celu(Layer):
    NAMES: ClassVar = ("CELU",)
    POSITIONAL: ClassVar = ("alpha",)

    alpha: float = option("number", 1.0)


@dataclass(frozen=True)
class Selu(Layer):
    NAMES: ClassVar = ("SELU",)


@dataclass(frozen=True)
class Gelu(Layer):
    NAMES: ClassVar = ("GELU",)

    approximate: bool = option("flag", False)


@dataclass(frozen=True)
class Silu(Layer):
    NAMES: ClassVar = ("SILU", "SWISH")


@dataclass(frozen=True)
class HardSigmoid(Layer):
    NAMES: ClassVar = ("HSIGMOID", "HARDSIGMOID")


@dataclass(frozen=True)
class HardSwish(Layer):
    NAMES: ClassVar = ("HSWISH", "HARDSWISH")


@dataclass(frozen=True)
class Mish(Layer):
    NAMES: ClassVar = ("MISH",)


@dataclass(frozen=True)
class Softplus(Layer):
    NAMES: ClassVar = ("SOFTPLUS",)

    beta: float = option("number", 1.0)


@dataclass(frozen=True)
class Softsign(Layer):
    NAMES: ClassVar = ("SOFTSIGN",)


@dataclass(frozen=True)
class Softmax(Layer):
    NAMES: ClassVar = ("SOFTMAX",)


@dataclass(frozen=True)
class LogSoftmax(Layer):
    NAMES: ClassVar = ("LOGSOFTMAX",)


@dataclass(frozen=True)
class LogSigmoid(Layer):
    NAMES: ClassVar = ("LOGSIGMOID",)


@dataclass(frozen=True)
class HardTanh(Layer):
    NAMES: ClassVar = ("HARDTANH", "HTANH")
