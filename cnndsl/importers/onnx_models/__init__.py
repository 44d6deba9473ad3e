"""ONNX files: `loading` and `folding` read them, `patterns` finds layers, `reader` converts each operator.

The rules are those of the operators' specification (onnx.ai/onnx/operators), by the opset that a file names. An
unknown operator, attribute or value is an error: nothing is guessed, and nothing is executed except arithmetic on
shapes. Parameters are counted independently here, tensor by tensor, for an `assert` in the program.
"""

from __future__ import annotations

from cnndsl.importers.onnx_models.reader import read

__all__ = ["read"]
