"""The layer types that are one PyTorch class, whatever the input."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.emit.torch.verify.simple import SIMPLE

CLASSES: Mapping[str, str] = {
    **{name: each.cls for each in SIMPLE if each.is_activation for name in each.names},
    "RELU6": "ReLU6",
    "LEAKYRELU": "LeakyReLU",
    "LRELU": "LeakyReLU",
    "PRELU": "PReLU",
    "ELU": "ELU",
    "CELU": "CELU",
    "GELU": "GELU",
    "TANH": "Tanh",
    "HARDTANH": "Hardtanh",
    "HTANH": "Hardtanh",
}
"""The argument of the class for a parameter of the network whose value is a layer type."""
