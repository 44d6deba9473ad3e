"""The constructors of PyTorch's modules with their documented signatures, and how arguments are bound to one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from cnndsl.emit.torch.verify.simple import SIMPLE
from cnndsl.emit.torch.verify.values import REQUIRED, Params, Required, Trouble

_CONV = (
    "in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, "
    "padding_mode='zeros', device=None, dtype=None"
)
_CONVT = (
    "in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1, bias=True, dilation=1, "
    "padding_mode='zeros', device=None, dtype=None"
)
_MAXPOOL = "kernel_size, stride=None, padding=0, dilation=1, return_indices=False, ceil_mode=False"
_AVGPOOL = "kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True"
_BN = "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None"
_IN = _BN.replace("affine=True, track_running_stats=True", "affine=False, track_running_stats=False")

_BY_RANK: Mapping[str, str] = {
    "Conv": _CONV,
    "ConvTranspose": _CONVT,
    "MaxPool": _MAXPOOL,
    "AvgPool": f"{_AVGPOOL}, divisor_override=None",
    "LPPool": "norm_type, kernel_size, stride=None, ceil_mode=False",
    "AdaptiveAvgPool": "output_size",
    "AdaptiveMaxPool": "output_size, return_indices=False",
    "MaxUnpool": "kernel_size, stride=None, padding=0",
    "BatchNorm": _BN,
    "InstanceNorm": _IN,
    "Dropout": "p=0.5, inplace=False",
    "ZeroPad": "padding",
    "ReflectionPad": "padding",
    "ReplicationPad": "padding",
    "CircularPad": "padding",
    "ConstantPad": "padding, value",
}

_PLAIN: Mapping[str, str] = {
    "AvgPool1d": _AVGPOOL,
    "Linear": "in_features, out_features, bias=True, device=None, dtype=None",
    "LayerNorm": "normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None, dtype=None",
    "GroupNorm": "num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None",
    "Upsample": "size=None, scale_factor=None, mode='nearest', align_corners=None, recompute_scale_factor=None",
    "Dropout": "p=0.5, inplace=False",
    "Unflatten": "dim, unflattened_size",
    "PixelShuffle": "upscale_factor",
    "PixelUnshuffle": "downscale_factor",
    "Flatten": "start_dim=1, end_dim=-1",
    "ReLU6": "inplace=False",
    "LeakyReLU": "negative_slope=0.01, inplace=False",
    "PReLU": "num_parameters=1, init=0.25, device=None, dtype=None",
    "ELU": "alpha=1.0, inplace=False",
    "CELU": "alpha=1.0, inplace=False",
    "GELU": "approximate='none'",
    "Tanh": "",
    "Hardtanh": "min_val=-1.0, max_val=1.0, inplace=False",
}

SIGNATURES: Mapping[str, str] = {
    **{each.cls: each.signature for each in SIMPLE if not each.digest},
    **{f"{name}{rank}d": text for name, text in _BY_RANK.items() for rank in (1, 2, 3)},
    **_PLAIN,
}
"""The parameters of each class of `torch.nn`, except Identity, which accepts any arguments."""

FUNCTIONS: Mapping[str, str] = {
    "torch.cat": "tensors, dim=0",
    "torch.full": "size, fill_value",
    "torch.ones": "size",
    "torch.zeros": "size",
    "torch.flatten": "input, start_dim=0, end_dim=-1",
    "torch.maximum": "input, other",
    "F.interpolate": "input, size=None, scale_factor=None, mode='nearest', align_corners=None, "
    "recompute_scale_factor=None, antialias=False",
    "F.pad": "input, pad, mode='constant', value=None",
    **{f"F.adaptive_avg_pool{rank}d": "input, output_size" for rank in (1, 2, 3)},
    **{f"F.adaptive_max_pool{rank}d": "input, output_size, return_indices=False" for rank in (1, 2, 3)},
    "nn.init.kaiming_normal_": "tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None",
    "nn.init.kaiming_uniform_": "tensor, a=0, mode='fan_in', nonlinearity='leaky_relu', generator=None",
    "nn.init.xavier_normal_": "tensor, gain=1.0, generator=None",
    "nn.init.xavier_uniform_": "tensor, gain=1.0, generator=None",
    "nn.init.normal_": "tensor, mean=0.0, std=1.0, generator=None",
    "nn.init.trunc_normal_": "tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, generator=None",
    "nn.init.zeros_": "tensor",
    "nn.init.ones_": "tensor",
    "nn.init.constant_": "tensor, val",
}
"""The parameters of the functions that the source may call."""

KNOWN_FUNCTIONS: Mapping[str, str] = {"crop_like": "x, other", "pad_like": "x, other", "bilinear_": "tensor"}
"""The parameters of the functions in the source that are known by their digests."""


@cache
def parameters(text: str) -> tuple[Params, int]:
    """Return the parameters of a signature, and how many can be positional.

    >>> parameters("size, *, alpha=0.5")[1]
    1
    """
    made = ast.parse(f"def _({text}): ...").body[0]
    assert isinstance(made, ast.FunctionDef)
    return of_arguments(made.args)


def of_class(text: str) -> tuple[Params, int]:
    """Return the parameters of the constructor of the class that the source defines, without `self`.

    If the class has no constructor, they are those of its base class in PyTorch; `nn.Module` takes none.
    """
    made = ast.parse(text).body[-1]
    assert isinstance(made, ast.ClassDef)
    for statement in made.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            params, star = of_arguments(statement.args)
            return params[1:], star - 1
    base = ast.unparse(made.bases[0]) if made.bases else ""
    return parameters(SIGNATURES.get(base.removeprefix("nn."), ""))


def constant(node: ast.expr) -> object:
    """Return the value of a default that is a constant or a tuple of constants. Raises ValueError for any other."""
    value = ast.literal_eval(node)
    try:
        hash(value)
    except TypeError:
        raise ValueError("a default that all calls would share") from None
    return value


def of_arguments(node: ast.arguments, default: Callable[[ast.expr], object] = constant) -> tuple[Params, int]:
    """Return the parameters of a function, and how many can be positional; `default` evaluates a default.

    Raises ValueError for defaults that it does not know, Trouble for `*args` and `**kwargs`.
    """
    if node.vararg or node.kwarg:
        raise Trouble("a function with `*` arguments")
    places = [*node.posonlyargs, *node.args]
    usual: list[ast.expr | None] = [None] * (len(places) - len(node.defaults))
    defaults = [*usual, *node.defaults, *node.kw_defaults]
    found = [
        (each.arg, REQUIRED if value is None else default(value))
        for each, value in zip((*places, *node.kwonlyargs), defaults, strict=True)
    ]
    return tuple(found), len(places)


def bind(
    name: str, params: Params, star: int, given: Sequence[object], named: Mapping[str, object]
) -> dict[str, object]:
    """Return the arguments of a call by parameter name.

    Raises Trouble if Python would raise a TypeError: too many, missing, unknown or duplicate arguments.
    """
    if len(given) > star:
        raise Trouble(f"`{name}` takes {star} arguments by place and is given {len(given)}")
    bound = dict(params)
    for (key, _), value in zip(params, given, strict=False):
        bound[key] = value
    if named:
        taken = {key for key, _ in params[: len(given)]}
        for key, value in named.items():
            if key not in bound:
                raise Trouble(f"`{name}` has no parameter `{key}`")
            if key in taken:
                raise Trouble(f"`{name}` is given `{key}` twice")
            bound[key] = value
    for key, value in bound.items():
        if isinstance(value, Required):
            raise Trouble(f"`{name}` is called without `{key}`")
    return bound
