"""Parse and check ONNX files with the `onnx` package. The network is never executed.

Only the shapes of weights are needed, so a file can be read without the separate file of its weights. For the checks,
large weights are declared as inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import FileError

if TYPE_CHECKING:
    import onnx

OLDEST = 7
"""The oldest supported opset: earlier ones have other broadcasting rules."""

LARGE = 2**16
"""The maximum number of values of a tensor whose values are read."""


def problem(name: str, message: str, help: str = "") -> CnnError:
    """Return the error for an invalid file, or for a file as a whole."""
    return CnnError(Diagnostic("E0505", f"{name}: {message}", help=help))


def loaded(name: str, data: bytes) -> onnx.ModelProto:
    """Return the checked model of a file, with its own functions inlined.

    Raises:
        FileError: if the `onnx` package is missing.
        CnnError: if the bytes are not a valid ONNX model.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise FileError("reading an ONNX file needs onnx: pip install onnx") from None
    try:
        model = onnx.load_model_from_string(data)
    except DecodeError:
        raise problem(name, "this is not an ONNX model, or only part of one") from None
    if not model.ir_version or not model.HasField("graph"):
        raise problem(name, "this is not an ONNX model")
    if not model.graph.node:
        raise problem(name, "the model has no operators, so there is no network")
    _check_versions(name, model)
    _check(name, model)
    if model.functions:
        model = _inlined(name, model)
    return model


def _check_versions(name: str, model: onnx.ModelProto) -> None:
    from onnx.defs import onnx_opset_version

    newest = onnx_opset_version()
    for each in model.opset_import:
        if each.domain in ("", "ai.onnx") and not OLDEST <= each.version <= newest:
            known = f"opsets from {OLDEST} to {newest} are supported"
            help = "export it anew" if each.version < OLDEST else "a newer version of the onnx package may support it"
            raise problem(name, f"the model is of opset {each.version}, and {known}", help)


def _check(name: str, model: onnx.ModelProto) -> None:
    """Raise CnnError with the first line of the checker's message. The checker ignores operators of other domains."""
    import onnx

    checker: Any = onnx.checker
    try:
        checker.check_model(without_weights(model))
    except Exception as stop:
        # The C++ code raises one of several types.
        lines = [line.strip() for line in str(stop).splitlines() if line.strip()] or [type(stop).__name__]
        raise problem(name, f"the model breaks a rule of ONNX: {lines[0]}") from None


def _inlined(name: str, model: onnx.ModelProto) -> onnx.ModelProto:
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as stop:
        raise problem(name, f"the model's own functions cannot be inlined: {stop}") from None


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose large tensors are inputs: the checks only need their shapes."""
    import onnx

    found = onnx.ModelProto()
    found.CopyFrom(_shell(model))
    given = {each.name for each in model.graph.input}
    for tensor in model.graph.initializer:
        if not is_large(tensor):
            found.graph.initializer.append(tensor)
        elif tensor.name not in given:
            value = onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
            found.graph.input.append(value)
    return found


def _shell(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model without initialisers, so that they are never copied."""
    import onnx

    found = onnx.ModelProto(ir_version=model.ir_version)
    found.opset_import.extend(model.opset_import)
    found.functions.extend(model.functions)
    found.graph.name = model.graph.name or "graph"
    for field in ("node", "input", "output", "sparse_initializer"):
        getattr(found.graph, field).extend(getattr(model.graph, field))
    return found


def is_large(tensor: onnx.TensorProto) -> bool:
    """Return whether a tensor's values are ignored: there are many, or they are in another file."""
    numel = 1
    for extent in tensor.dims:
        numel *= extent
    return numel > LARGE or tensor.data_location == tensor.EXTERNAL


def attribute_value(attribute: onnx.AttributeProto) -> Any:
    """Return the value of an attribute, strings as `str` and tensors as arrays."""
    from onnx import TensorProto, helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value
