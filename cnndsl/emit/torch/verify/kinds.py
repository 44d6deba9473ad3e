"""The kinds of layers that are one class of PyTorch, whatever the input."""

from __future__ import annotations

from collections.abc import Mapping

CLASSES: Mapping[str, str] = {
    "RELU": "ReLU",
    "RELU6": "ReLU6",
    "LEAKYRELU": "LeakyReLU",
    "LRELU": "LeakyReLU",
    "PRELU": "PReLU",
    "ELU": "ELU",
    "CELU": "CELU",
    "SELU": "SELU",
    "GELU": "GELU",
    "SILU": "SiLU",
    "SWISH": "SiLU",
    "MISH": "Mish",
    "HSWISH": "Hardswish",
    "HARDSWISH": "Hardswish",
    "SIGMOID": "Sigmoid",
    "HSIGMOID": "Hardsigmoid",
    "HARDSIGMOID": "Hardsigmoid",
    "LOGSIGMOID": "LogSigmoid",
    "TANH": "Tanh",
    "HARDTANH": "Hardtanh",
    "HTANH": "Hardtanh",
    "SOFTPLUS": "Softplus",
    "SOFTSIGN": "Softsign",
}
"""What a parameter of the net that is a kind is as an argument of the class."""
