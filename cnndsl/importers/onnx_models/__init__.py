"""ONNX files: `loading` and `folding` read them, `patterns` finds layers, `reader` makes each by its operator.

The rules are those of the operators' specification (onnx.ai/onnx/operators), by the opset that a file names. An
operator, an attribute or a value that is not known is an error: nothing is guessed, and nothing is run but arithmetic
on extents. Parameters are counted here by themselves, tensor by tensor, for an `assert` in the text.
"""

from __future__ import annotations

from cnndsl.importers.onnx_models.reader import read

__all__ = ["read"]
