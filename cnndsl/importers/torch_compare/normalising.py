"""Normalisations and other functions of all values along some dimensions: means, sums, softmax."""

from __future__ import annotations

from typing import Any

from cnndsl.importers.torch_compare.call import AtenCall, Result, operator, rounded
from cnndsl.importers.torch_compare.pointwise import added, multiplied, power, shifted
from cnndsl.importers.torch_compare.sizes import TriedExtent
from cnndsl.importers.torch_compare.views import REPEATED, TensorView, merged


def _given(*views: Any) -> list[TensorView]:
    return [each for each in views if isinstance(each, TensorView)]


@operator("batch_norm", "_native_batch_norm_legit", "native_batch_norm")
def _batch_norm(call: AtenCall) -> Result:
    """Read a batch norm. In training, writing the running statistics is a separate effect, in any layout."""
    training = bool(call["training"] if "training" in call.arguments else call["train"])
    names = ("weight", "bias", "running_mean", "running_var")
    given = {name: call.get(name) for name in names}
    attributes: dict[str, Any] = {"eps": rounded(call["eps"]), "training": training}
    attributes["given"] = tuple(name for name in names if given[name] is not None)
    if training and given["running_mean"] is not None:
        momentum = call.get("momentum")
        attributes["momentum"] = None if momentum is None else rounded(momentum)
    made = call.table.along("batch_norm", call.x, [1], _given(*given.values()), **attributes)
    if training and given["running_mean"] is not None:
        mean: TensorView = call["running_mean"]
        written = dict(call.table.values[mean.value].attributes)
        repeated = merged(atom for dim in made.dims for atom in dim if atom.axis == REPEATED)
        effect = TensorView(made.value, (made.dims[1], repeated))
        call.effects.append((str(written.get("name", "running_mean")), effect))
    return made


@operator("instance_norm")
def _instance_norm(call: AtenCall) -> Result:
    views = _given(*(call.get(name) for name in ("weight", "bias", "running_mean", "running_var")))
    uses = bool(call["use_input_stats"])
    attributes: dict[str, Any] = {"eps": rounded(call["eps"]), "uses": uses, "samples": call.x.dims[0]}
    return call.table.along("instance_norm", call.x, [1], views, **attributes)


@operator("layer_norm")
def _layer_norm(call: AtenCall) -> Result:
    """Write out a layer norm as `(x - mean) / sqrt(variance + eps) * weight + bias`."""
    rank = len(call.x.dims)
    dims = list(range(rank - len(call["normalized_shape"]), rank))
    centred = _centred(call, dims)
    variance = call.table.reduced("mean", multiplied(call.table, centred, centred), dims, keep=True)
    over = power(call.table, shifted(call.table, variance, call["eps"]), -0.5)
    found = multiplied(call.table, centred, over)
    return _with_parameters(call, found, dims[0])


def _with_parameters(call: AtenCall, x: TensorView, dim: int) -> TensorView:
    """Apply the weight and the bias, if present, to a normalised tensor, along dimensions from `dim` on."""
    weight, bias = (_along(x, call.get(name), dim) for name in ("weight", "bias"))
    found = x if weight is None else multiplied(call.table, x, weight)
    return found if bias is None else added(call.table, found, bias)


def _along(x: TensorView, parameter: TensorView | None, dim: int) -> TensorView | None:
    if parameter is None:
        return None
    after = len(x.dims) - dim - len(parameter.dims)
    return TensorView(parameter.value, (*parameter.dims, *((),) * after))


def _centred(call: AtenCall, dims: list[int]) -> TensorView:
    """Return the tensor minus its mean."""
    return added(call.table, call.x, call.table.reduced("mean", call.x, dims, keep=True), -1)


@operator("rms_norm")
def _rms_norm(call: AtenCall) -> Result:
    rank = len(call.x.dims)
    dims = list(range(rank - len(call["normalized_shape"]), rank))
    eps = call.get("eps")
    mean = call.table.reduced("mean", multiplied(call.table, call.x, call.x), dims, keep=True)
    over = power(call.table, shifted(call.table, mean, 1.1920928955078125e-07 if eps is None else eps), -0.5)
    return _with_parameters(call, multiplied(call.table, call.x, over), dims[0])


@operator("group_norm")
def _group_norm(call: AtenCall) -> Result:
    attributes: dict[str, Any] = {
        "eps": rounded(call["eps"]),
        "groups": call["num_groups"],
        "samples": call.x.dims[0],
        "channels": call.x.dims[1],
    }
    return _with_parameters(call, call.table.along("group_norm", call.x, [1], **attributes), 1)


@operator("mean", "sum", "amax", "amin", "prod", "logsumexp")
def _reduced(call: AtenCall) -> Result:
    name = {"amax": "maximum", "amin": "minimum"}.get(call.operator, call.operator)
    dims, keep = call.dims(), bool(call.get("keepdim", False))
    if name == "sum" and (found := _few(call, dims, keep)) is not None:
        return found
    return call.table.reduced(name, call.x, dims, keep)


def _few(call: AtenCall, dims: list[int], keep: bool) -> TensorView | None:
    """Return a sum over a dimension of size 2 to 4, added part by part; None for other dimensions."""
    from cnndsl.importers.torch_compare.parts import part

    size: TriedExtent = call.x.shape[dims[0]]
    atoms = call.x.dims[dims[0]]
    if len(dims) != 1 or not isinstance(size, int) or not 1 < size <= 4 or len(atoms) != 1:
        return None
    parts = [part(call.table, call.x, dims[0], at, 1) for at in range(size)]
    found = parts[0]
    for each in parts[1:]:
        found = added(call.table, found, each)
    return found if keep else TensorView(found.value, found.dims[: dims[0]] + found.dims[dims[0] + 1 :])


@operator("var", "std", "var_mean", "std_mean")
def _var(call: AtenCall) -> Result:
    dims, keep = call.dims(), bool(call.get("keepdim", False))
    correction = call.get("correction", 1)
    if call.get("unbiased") is not None:
        correction = int(call["unbiased"])
    if correction == 0:
        centred = _centred(call, dims)
        made = call.table.reduced("mean", multiplied(call.table, centred, centred), dims, keep)
    else:
        made = call.table.reduced("var", call.x, dims, keep, correction=1 if correction is None else correction)
    found = power(call.table, made, 0.5) if call.operator.startswith("std") else made
    return (found, call.table.reduced("mean", call.x, dims, keep)) if call.operator.endswith("mean") else found


@operator("norm", "linalg_vector_norm")
def _norm(call: AtenCall) -> Result:
    order = call.get("ord", call.get("p"))
    order = 2 if order is None else order
    dims, keep = call.dims(), bool(call.get("keepdim", False))
    if order != 2:
        return call.table.reduced("norm", call.x, dims, keep, order=float(order))
    squares = multiplied(call.table, call.x, call.x)
    return power(call.table, call.table.reduced("sum", squares, dims, keep), 0.5)


@operator("softmax", "_softmax", "log_softmax", "_log_softmax")
def _softmax(call: AtenCall) -> Result:
    return call.table.along(call.operator.removeprefix("_"), call.x, call.dims())
