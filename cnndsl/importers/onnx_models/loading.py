"""ONNX files as the `onnx` package parses and checks them. Nothing of the network is run.

Weights are looked at by their extents alone, so that a file whose weights lie beside it can be read without them. For
the checks large ones stand as inputs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cnndsl.errors import CnnError, Diagnostic
from cnndsl.files import FileError

if TYPE_CHECKING:
    import onnx

OLDEST = 7
"""The oldest opset that is read: before it shapes were broadcast otherwise."""

LARGE = 2**16
"""Values are looked at of tensors of at most so many."""


def problem(name: str, message: str, help: str = "") -> CnnError:
    """Return the error of a file that is none, or of all of it."""
    return CnnError(Diagnostic("E0505", f"{name}: {message}", help=help))


def loaded(name: str, data: bytes) -> onnx.ModelProto:
    """Return the model of a file, checked, with its own functions put in place.

    Raises:
        FileError: where the `onnx` package is missing.
        CnnError: where the bytes are no model, or one that breaks the rules of ONNX.
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
    """Raise CnnError with the first line of what the checker says. Operators of other domains it does not look at."""
    import onnx

    checker: Any = onnx.checker
    try:
        checker.check_model(without_weights(model))
    except Exception as stop:
        # Of C++ it comes as one of several types.
        lines = [line.strip() for line in str(stop).splitlines() if line.strip()] or [type(stop).__name__]
        raise problem(name, f"the model breaks a rule of ONNX: {lines[0]}") from None


def _inlined(name: str, model: onnx.ModelProto) -> onnx.ModelProto:
    from onnx import inliner

    try:
        return inliner.inline_local_functions(model)
    except Exception as stop:
        raise problem(name, f"the model's own functions cannot be inlined: {stop}") from None


def without_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a copy whose large tensors are inputs: the checks look at their extents."""
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
    """The model without initialisers: these are never copied whole."""
    import onnx

    found = onnx.ModelProto(ir_version=model.ir_version)
    found.opset_import.extend(model.opset_import)
    found.functions.extend(model.functions)
    found.graph.name = model.graph.name or "graph"
    for field in ("node", "input", "output", "sparse_initializer"):
        getattr(found.graph, field).extend(getattr(model.graph, field))
    return found


def is_large(tensor: onnx.TensorProto) -> bool:
    """Return whether the values of a tensor are not looked at: there are many, or they lie in another file."""
    numel = 1
    for extent in tensor.dims:
        numel *= extent
    return numel > LARGE or tensor.data_location == tensor.EXTERNAL


def attribute_value(attribute: onnx.AttributeProto) -> Any:
    """Return what an attribute says, words as text and tensors as arrays."""
    from onnx import TensorProto, helper, numpy_helper

    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value
