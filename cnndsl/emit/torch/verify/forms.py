"""The forms in which computations are compared, and how messages display them.

A form is a tuple: the family, then its fields in the order of `FIELDS`. A size that is the same along each axis is
repeated for every axis. Paddings are pairs (before, after) for each axis, starting with the first axis.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from cnndsl.emit.torch.verify.plain import items
from cnndsl.emit.torch.verify.simple import SIMPLE

Form: TypeAlias = tuple[object, ...]

LIKE = "that of another map"
"""The field for a size that is read when the module runs."""

SAME = "SAME"
"""The field for TensorFlow's padding, which is computed from the input's size when the module runs."""

_WINDOW = "rank kernel stride=1 padding=0 ceil_mode=False"
_CONVOLUTION = "rank in_channels out_channels kernel stride=1 padding=0"
_STANDARDISED = "padding_mode=zeros standardise=none gamma=1.0 eps=1e-06"

FIELDS: Mapping[str, tuple[str, str]] = {
    **{each.family: (each.cls, each.in_messages) for each in SIMPLE},
    "conv": ("Conv{rank}d", f"{_CONVOLUTION} dilation=1 groups=1 bias=True init= {_STANDARDISED}"),
    "convt": ("ConvTranspose{rank}d", f"{_CONVOLUTION} output_padding=0 dilation=1 groups=1 bias=True init="),
    "local": ("LocallyConnected", "rank in_channels out_channels kernel output_size stride=1 padding=0 bias=True"),
    "channelconv": ("ChannelConv", "kernel bias=False padding_mode=zeros init="),
    "linear": ("Linear", "in_features out_features bias=True init="),
    "pointwise": ("PointwiseLinear{rank}d", "rank in_features out_features bias=True init="),
    "rbf": ("RadialBasis", "in_features out_features"),
    "maxpool": ("MaxPool{rank}d", f"{_WINDOW} dilation=1"),
    "avgpool": ("AvgPool{rank}d", f"{_WINDOW} count_include_pad=True"),
    "sumpool": ("SumPool{rank}d", _WINDOW),
    "lppool": ("LPPool{rank}d", "rank norm_type kernel stride=1 padding=0 ceil_mode=False"),
    "blur": ("BlurPool{rank}d", "rank kernel stride=2 padding_mode=reflect"),
    "aavg": ("AdaptiveAvgPool{rank}d", "rank output_size"),
    "amax": ("AdaptiveMaxPool{rank}d", "rank output_size"),
    "unpool": ("MaxUnpool{rank}d", "rank kernel stride=1 padding=0"),
    "upsample": ("Upsample", "size=None scale_factor=None mode=nearest align_corners=False"),
    "bn": ("BatchNorm{rank}d", "rank channels eps=1e-05 momentum=0.1 affine=True"),
    "in": ("InstanceNorm{rank}d", "rank channels eps=1e-05 affine=False"),
    "ln": ("LayerNorm", "shape eps=1e-05 elementwise_affine=True"),
    "channelnorm": ("ChannelNorm", "channels eps=1e-05 elementwise_affine=True"),
    "gn": ("GroupNorm", "groups channels eps=1e-05 affine=True"),
    "grn": ("GlobalResponseNorm", "channels eps=1e-06"),
    "evonorm": ("EvoNorm", "channels groups=32 eps=1e-05 act=True"),
    "frn": ("FilterResponseNorm", "channels eps=1e-06 tlu=True"),
    "l2norm": ("L2Norm", "channels eps=1e-12 affine=False init=1.0"),
    "positionlrn": ("PositionResponseNorm{rank}d", "rank size alpha=0.0001 beta=0.75 k=1.0"),
    "rmsnorm": ("ChannelRMSNorm", "channels eps=1e-06 affine=True deviation=False"),
    "scale": ("Scale", "channels weight=True bias=True init=1.0"),
    "bare": ("Parameter", "sign shape start=1.0 view"),
    "hardtanh": ("Hardtanh", "min_val=-1.0 max_val=1.0"),
    "leaky": ("LeakyReLU", "negative_slope"),
    "prelu": ("PReLU", "num_parameters init=0.25"),
    "starrelu": ("StarReLU", "scale=0.8944 bias=-0.4472"),
    "elu": ("ELU", "alpha=1.0"),
    "celu": ("CELU", "alpha=1.0"),
    "gelu": ("GELU", "approximate=none"),
    "radixsoftmax": ("RadixSoftmax", "radix groups=1"),
    "tanh": ("Tanh", "scale=1.0 slope=1.0"),
    "identity": ("Identity", ""),
    "flatten": ("Flatten", "start_dim=1 end_dim=-1"),
    "dropout": ("Dropout", "p rank=0"),
    "droppath": ("DropPath", "p"),
    "pad": ("ZeroPad", "padding"),
    "reflect": ("ReflectionPad", "padding"),
    "replicate": ("ReplicationPad", "padding"),
    "circular": ("CircularPad", "padding"),
    "cropto": ("CropTo", "size"),
    "padto": ("PadTo", "size"),
    "flattenlast": ("FlattenChannelsLast", ""),
    "unflatten": ("Unflatten", "size"),
    "reshape": ("Reshape", "shape"),
    "reshapelast": ("ReshapeChannelsLast", "shape"),
    "permute": ("Permute", "dims"),
    "pixelshuffle": ("PixelShuffle", "factor order=channels"),
    "pixelunshuffle": ("PixelUnshuffle", "factor order=channels"),
    "padchannels": ("PadChannels{rank}d", "rank in_channels out_channels stride=1 where=after"),
}
"""The name of each family in messages, and its fields with their defaults."""

HOLDS_STATE: Mapping[str, tuple[int, ...]] = {
    "conv": (),
    "convt": (),
    "local": (),
    "channelconv": (),
    "linear": (),
    "pointwise": (),
    "rbf": (),
    "bn": (),
    "prelu": (),
    "starrelu": (),
    "in": (4,),
    "ln": (3,),
    "channelnorm": (3,),
    "gn": (4,),
    "grn": (),
    "evonorm": (),
    "frn": (),
    "l2norm": (3,),
    "rmsnorm": (3,),
    "scale": (2, 3),
    "bare": (),
    "plugin": (),
}
"""Families with weights or buffers: always, or if one of these fields is true. BN has its running statistics."""


_SET_LATER: Mapping[tuple[object, str], int] = {("bn", "eps"): 3, ("bn", "momentum"): 4}
"""The index of each field that PyTorch reads from an attribute in each call (torch/nn/modules/batchnorm.py)."""


def set_later(form: Form, name: str, value: object) -> Form | None:
    """Return the form of a module after this attribute is set to a number; None for any other attribute.

    >>> set_later(("bn", 2, 64, 1e-05, 0.1, True), "eps", 0.001)
    ('bn', 2, 64, 0.001, 0.1, True)
    """
    at = _SET_LATER.get((form[0], name))
    if at is None or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return (*form[:at], float(value), *form[at + 1 :])


_ELEMENTWISE = frozenset("hardtanh leaky elu celu gelu tanh droppath".split()).union(
    each.family for each in SIMPLE if each.elementwise
)


def is_elementwise(form: Form) -> bool:
    """Return whether a form treats each value of an image by itself, whatever the shape of the image.

    >>> is_elementwise(("dropout", 0.5, 0)), is_elementwise(("dropout", 0.5, 2)), is_elementwise(("softmax", 1))
    (True, False, False)
    """
    return form[0] in _ELEMENTWISE or (form[0] == "dropout" and form[2] == 0)


def squeezed(value: object) -> object:
    """Return a size as it is usually written: `3` for `(3, 3)`, `1` for paddings of one before and after each axis.

    >>> squeezed((3, 3)), squeezed(((1, 1), (1, 1))), squeezed((1, 2)), squeezed(((0, 1), (0, 1)))
    (3, 1, (1, 2), ((0, 1), (0, 1)))
    """
    found = items(value)
    if not found:
        return value
    inner = tuple(map(squeezed, found))
    if isinstance(found[0], tuple) and any(isinstance(each, tuple) for each in inner):
        return found
    return inner[0] if all(each == inner[0] for each in inner) else inner


def at_size(form: Form, size: object) -> Form:
    """Return a form in which a size replaces one that is read when the module runs.

    >>> at_size(("amax", 2, LIKE), (6, 8))
    ('amax', 2, (6, 8))
    """
    return tuple(size if each == LIKE else each for each in form)


def describe_form(form: Form) -> str:
    """Return a form written as a constructor call.

    >>> describe_form(("conv", 2, 64, 128, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1), 1, False, ""))
    'Conv2d(64, 128, 3, padding=1, bias=False)'
    """
    family = str(form[0])
    if family not in FIELDS:
        return f"{form[1]}({', '.join(map(str, form[2:]))})" if len(form) > 1 else family
    title, fields = FIELDS[family]
    words: list[str] = []
    rank = ""
    for field, value in zip(fields.split(), form[1:], strict=False):
        name, assigned, usual = field.partition("=")
        shown = str(squeezed(value))
        if name == "rank":
            rank = shown
        elif not assigned:
            words.append(shown)
        elif shown != usual:
            words.append(f"{name}={shown}")
    words.extend(map(str, form[len(fields.split()) + 1 :]))
    return f"{title.format(rank=rank)}({', '.join(words)})"
