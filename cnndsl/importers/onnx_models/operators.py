"""The supported ONNX operators with their known attributes, and the check that reports all others.

Lower-case names are those of `patterns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from math import isfinite

from cnndsl.errors import CnnError, Diagnostic, listed
from cnndsl.importers.onnx_models import arranging, norms, pooling, values, weights
from cnndsl.importers.onnx_models.folding import FOLDED
from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.importers.onnx_models.model import OnnxNode
from cnndsl.importers.onnx_models.patterns import INNER
from cnndsl.layers.activation import HardSwish, LogSigmoid, Mish, Relu, Sigmoid, Silu, Softplus, Softsign, Tanh
from cnndsl.layers.pool import GlobalAvgPool, GlobalMaxPool
from cnndsl.layers.softmax import LogSoftmax

Make = Callable[[OnnxMaker], None]

_WINDOW = "auto_pad dilations kernel_shape pads strides"

_RESIZE = (
    "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
    "keep_aspect_ratio_policy mode nearest_mode"
)

OPERATORS: Mapping[str, tuple[Make, str]] = {
    "Add": (values.total, ""),
    "AveragePool": (pooling.mean, f"{_WINDOW} ceil_mode count_include_pad"),
    "BatchNormalization": (norms.batch_norm, "epsilon momentum spatial training_mode"),
    "Celu": (values.celu, "alpha"),
    "Clip": (values.clip, "min max"),
    "Concat": (values.concat, "axis"),
    "Conv": (weights.convolution, f"{_WINDOW} group"),
    "ConvTranspose": (weights.transposed, f"{_WINDOW} group output_padding output_shape"),
    "DepthToSpace": (arranging.depth_to_space, "blocksize mode"),
    "Div": (values.quotient, ""),
    "Dropout": (values.dropout, "ratio seed"),
    "Elu": (values.elu, "alpha"),
    "Expand": (arranging.expand, ""),
    "Flatten": (arranging.reshape, "axis"),
    "Gather": (arranging.gather, "axis"),
    "Gelu": (values.gelu, "approximate"),
    "Gemm": (weights.gemm, "alpha beta transA transB"),
    "GlobalAveragePool": (partial(pooling.everywhere, layer=GlobalAvgPool()), ""),
    "GlobalMaxPool": (partial(pooling.everywhere, layer=GlobalMaxPool()), ""),
    "GroupNormalization": (norms.group_norm, "epsilon num_groups stash_type"),
    "HardSigmoid": (values.hard_sigmoid, "alpha beta"),
    "HardSwish": (values.simple(HardSwish()), ""),
    "Identity": (arranging.same, ""),
    "InstanceNormalization": (norms.instance_norm, "epsilon"),
    "LRN": (norms.local_response, "alpha beta bias size"),
    "LayerNormalization": (norms.layer_norm, "axis epsilon stash_type"),
    "LeakyRelu": (values.leaky, "alpha"),
    "LogSoftmax": (partial(values.softmax, layer=LogSoftmax()), "axis"),
    "LpNormalization": (norms.euclidean, "axis p"),
    "LpPool": (pooling.powers, f"{_WINDOW} ceil_mode p"),
    "MatMul": (weights.matrix_product, ""),
    "Max": (values.largest, ""),
    "MaxPool": (pooling.maximum, f"{_WINDOW} ceil_mode storage_order"),
    "MaxUnpool": (pooling.unpooled, "kernel_shape pads strides"),
    "Mean": (values.average, ""),
    "Mish": (values.simple(Mish()), ""),
    "Mul": (values.product, ""),
    "PRelu": (values.prelu, ""),
    "Pad": (arranging.pad, "mode pads value"),
    "RMSNormalization": (norms.root_mean_square, "axis epsilon stash_type"),
    "ReduceMax": (pooling.maxima, "axes keepdims noop_with_empty_axes"),
    "ReduceMean": (pooling.means, "axes keepdims noop_with_empty_axes"),
    "Relu": (values.simple(Relu()), ""),
    "Reshape": (arranging.reshape, "allowzero"),
    "Resize": (
        arranging.resize,
        _RESIZE,
    ),
    "Selu": (values.selu, "alpha gamma"),
    "Sigmoid": (values.simple(Sigmoid()), ""),
    "Slice": (arranging.unknown_slice, "starts ends axes"),
    "Softmax": (values.softmax, "axis"),
    "Softplus": (values.simple(Softplus()), ""),
    "Softsign": (values.simple(Softsign()), ""),
    "SpaceToDepth": (arranging.space_to_depth, "blocksize"),
    "Split": (arranging.split, "axis num_outputs split"),
    "Squeeze": (arranging.reshape, "axes"),
    "Sub": (values.difference, ""),
    "Sum": (values.total, ""),
    "Swish": (values.swish, "alpha"),
    "Tanh": (values.simple(Tanh()), ""),
    "Transpose": (arranging.transpose, "perm"),
    "Unsqueeze": (arranging.reshape, "axes"),
    "Upsample": (arranging.resize, "mode scales"),
}
"""For each operator, the function that converts it and the attributes that it may have."""

FOUND: Mapping[str, Make] = {
    "affine": norms.affine,
    "batchnorm": norms.centred,
    "grn": norms.global_response,
    "groupnorm": norms.group_norm,
    "l2norm": norms.euclidean,
    "layernorm": norms.layer_norm,
    "linear": weights.matrix_product,
    "logsigmoid": values.simple(LogSigmoid()),
    "lppool": pooling.powers,
    "padchannels": arranging.padded_channels,
    "pick": arranging.gather,
    "rms": norms.root_mean_square,
    "silu": values.simple(Silu()),
    "slices": arranging.slices,
    "softplus": values.softplus,
    "sumpool": pooling.total,
    "tanh": values.tanh,
}
"""The same for operators that replace several."""


def check(name: str, nodes: Iterable[OnnxNode], known: Callable[[OnnxNode], bool]) -> None:
    """Raise one CnnError for all unsupported operators and all unknown attributes.

    Args:
        name: The name of the file.
        nodes: The operators.
        known: Returns whether an operator is known.
    """
    lost: dict[str, list[OnnxNode]] = {}
    for node in nodes:
        if not known(node):
            lost.setdefault(f"the operator `{node.op}` has no counterpart", []).append(node)
            continue
        allowed = OPERATORS[node.op][1].split() if node.op in OPERATORS else list(node.attributes)
        for key in node.attributes:
            if key not in allowed and node.op not in FOLDED:
                message = f"the attribute `{key}` of `{node.op}` is unknown and could change the network"
                lost.setdefault(message, []).append(node)
            elif isinstance(node.attributes[key], float) and not isfinite(node.attributes[key]):
                lost.setdefault(f"the attribute `{key}` of `{node.op}` is not a number", []).append(node)
    if lost:
        raise CnnError(
            [Diagnostic("E0505", f"{name}: {message}: {_where(several)}") for message, several in lost.items()]
        )


def has_counterpart(node: OnnxNode) -> bool:
    """Return whether an operator is a layer by itself, may be part of a pattern, or is computed."""
    return node.op in OPERATORS or node.op in INNER or node.op in FOLDED or node.op in ("CastLike", "If")


def is_layer(node: OnnxNode) -> bool:
    """Return whether an operator is a layer, or several in one."""
    return node.op in OPERATORS or node.op in FOUND


def _where(nodes: Sequence[OnnxNode]) -> str:
    """Return the number of nodes, and which they are."""
    names = listed([f"`{node.name or next(filter(None, node.outputs), '?')}`" for node in nodes], most=3)
    return f"{len(nodes)} time{'s' * (len(nodes) > 1)}, {names}"
