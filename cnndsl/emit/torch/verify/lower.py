"""Maps the constructor call of a PyTorch module to its form: the computation that the documentation describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.given import CallArguments
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.settle import Pads
from cnndsl.emit.torch.verify.simple import SIMPLE, FormField, SimpleLayer
from cnndsl.emit.torch.verify.values import Trouble


def even(padding: tuple[int, ...]) -> Pads:
    """Return paddings that are the same before and after."""
    return tuple((each, each) for each in padding)


def of_flat(pads: tuple[int, ...]) -> Pads:
    """Return the pairs of `F.pad`'s list, which starts with the last axis.

    >>> of_flat((1, 2, 3, 4))
    ((3, 4), (1, 2))
    """
    return tuple(zip(pads[-2::-2], pads[::-2], strict=True))


def check_groups(given: CallArguments, channels: int, features: int, groups: int) -> None:
    """Raise Trouble if the groups do not divide the channels."""
    if channels % groups or features % groups:
        raise Trouble(f"`{given.name}` has {channels} and {features} channels, which {groups} groups do not divide")


def _conv(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    kernel, stride = given.extents("kernel_size", rank), given.extents("stride", rank)
    dilation, groups = given.extents("dilation", rank), given.whole("groups")
    check_groups(given, channels, features, groups)
    _usual_device(given)
    pads, copies = conv_pads(rank, given, kernel, stride, dilation)
    border, copies = border_of(given, pads, copies)
    rest = (dilation, groups, given.flag("bias"), "", border, *PLAIN_WEIGHTS)
    form = ("conv", rank, channels, features, kernel, stride, pads, *rest)
    return forms.leaf(form, memory="copies" if copies else "")


PLAIN_WEIGHTS = ("none", 1.0, 1e-6)
"""The last fields of a convolution's form if its weights are used unchanged."""


def border_of(given: CallArguments, pads: Pads, copies: bool) -> tuple[str, bool]:
    """Return the padding mode, and whether a copy of the input is saved instead of the input.

    PyTorch makes a padded copy unless it pads with zeros. Reflecting and replicating also save the input itself.
    """
    given.must_be("padding_mode", "zeros", *FILLINGS)
    mode = str(given["padding_mode"])
    if mode == "zeros" or not any(side for sides in pads for side in sides):
        return "zeros", copies or mode == "circular"
    return mode, mode == "circular"


FILLINGS = ("reflect", "replicate", "circular")
"""The values of `padding_mode` other than `zeros`."""


def conv_pads(
    rank: int, given: CallArguments, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[Pads, bool]:
    """Return a convolution's paddings, and whether the kernel needs a padded copy since they are asymmetric."""
    padding = given["padding"]
    if padding == "valid":
        return ((0, 0),) * rank, False
    if padding != "same":
        return even(given.extents("padding", rank, least=0)), False
    if any(each != 1 for each in stride):
        raise Trouble(f"`{given.name}` is given padding='same' with a stride, which PyTorch refuses")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals), any(total % 2 for total in totals)


def _usual_device(given: CallArguments) -> None:
    given.must_be("device", None)
    given.must_be("dtype", None)


def _conv_transpose(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    kernel, stride = given.extents("kernel_size", rank), given.extents("stride", rank)
    out_pad, dilation = given.extents("output_padding", rank, least=0), given.extents("dilation", rank)
    groups = given.whole("groups")
    check_groups(given, channels, features, groups)
    given.must_be("padding_mode", "zeros")
    _usual_device(given)
    if any(o >= max(s, d) for o, s, d in zip(out_pad, stride, dilation, strict=True)):
        raise Trouble(f"`{given.name}` has an output_padding that is not smaller than stride or dilation")
    pads = given.extents("padding", rank, least=0)
    bias = given.flag("bias")
    return forms.leaf(
        ("convt", rank, channels, features, kernel, stride, pads, out_pad, dilation, groups, bias, ""),
    )


def _linear(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    return forms.leaf(
        ("linear", given.whole("in_features"), given.whole("out_features"), given.flag("bias"), ""),
    )


def window(rank: int, given: CallArguments) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the kernel and the stride of a pooling; the stride defaults to the kernel."""
    kernel = given.extents("kernel_size", rank)
    return kernel, kernel if given["stride"] is None else given.extents("stride", rank)


def _padding(rank: int, given: CallArguments, kernel: tuple[int, ...]) -> Pads:
    padding = given.extents("padding", rank, least=0)
    if any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        raise Trouble(f"`{given.name}` pads by more than half of its window, which PyTorch refuses")
    return even(padding)


def _max_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    dilation = given.extents("dilation", rank)
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = _padding(rank, given, spans)
    form = ("maxpool", rank, kernel, stride, pads, given.flag("ceil_mode"), dilation)
    return forms.leaf(form, indices=given.flag("return_indices"))


def _avg_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    pads, ceil = _padding(rank, given, kernel), given.flag("ceil_mode")
    counted = given.flag("count_include_pad")
    if "divisor_override" in given and given["divisor_override"] is not None:
        if given.whole("divisor_override") != 1:
            raise Trouble(f"`{given.name}` has a divisor_override other than 1")
        return forms.leaf(("sumpool", rank, kernel, stride, pads, ceil))
    return forms.leaf(("avgpool", rank, kernel, stride, pads, ceil, counted))


def _lp_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    if given.real("norm_type") == 0:
        raise Trouble(f"`{given.name}` has the norm 0")
    pads = ((0, 0),) * rank
    return forms.leaf(("lppool", rank, given.real("norm_type"), kernel, stride, pads, given.flag("ceil_mode")))


def _adaptive(family: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    def lower(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        given.must_be("return_indices", False)
        return forms.leaf((family, rank, given.extents("output_size", rank)))

    return lower


def _max_unpool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    return forms.leaf(("unpool", rank, kernel, stride, given.extents("padding", rank, least=0)))


def _batch_norm(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    given.must_be("track_running_stats", True)
    channels, eps, momentum = given.whole("num_features"), given.real("eps"), given.real("momentum")
    return forms.leaf(("bn", rank, channels, eps, momentum, given.flag("affine")))


def _instance_norm(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    given.must_be("track_running_stats", False)
    return forms.leaf(("in", rank, given.whole("num_features"), given.real("eps"), given.flag("affine")))


def _dropout(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    p = given.real("p")
    if not 0 <= p <= 1:
        raise Trouble(f"`{given.name}` has the probability {p}")
    return forms.leaf(("dropout", p, rank), inplace=given.flag("inplace"))


def _zero_pad(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    if "value" in given and given.real("value") != 0:
        raise Trouble(f"`{given.name}` pads with {given['value']}")
    return forms.leaf(("pad", _sides(rank, given, -(10**9))))


def _sides(rank: int, given: CallArguments, least: int) -> Pads:
    """Return the paddings of a module, given as one number for all sides or one for each."""
    one = type(given["padding"]) is int
    pads = (given.whole("padding", least),) * (2 * rank) if one else given.integers("padding", least)
    if len(pads) != 2 * rank:
        raise Trouble(f"`{given.name}` takes {2 * rank} paddings and is given {len(pads)}")
    return of_flat(pads)


def _filled_pad(filling: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    return lambda rank, given, forms: forms.leaf((filling, _sides(rank, given, 0)))


BY_RANK: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "MaxPool": _max_pool,
    "AvgPool": _avg_pool,
    "LPPool": _lp_pool,
    "AdaptiveAvgPool": _adaptive("aavg"),
    "AdaptiveMaxPool": _adaptive("amax"),
    "MaxUnpool": _max_unpool,
    "BatchNorm": _batch_norm,
    "InstanceNorm": _instance_norm,
    "Dropout": _dropout,
    "ZeroPad": _zero_pad,
    "ConstantPad": _zero_pad,
    "ReflectionPad": _filled_pad("reflect"),
    "ReplicationPad": _filled_pad("replicate"),
    "CircularPad": _filled_pad("circular"),
}
"""The classes that exist for one, two and three axes."""


def _upsample(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    given.must_be("recompute_scale_factor", None, False)
    return forms.leaf(upsampling(given))


def upsampling(given: CallArguments) -> Form:
    """Return the form of an interpolation to a size or by a factor. Raises Trouble for what `F.interpolate` refuses."""
    size, scale, mode = given["size"], given["scale_factor"], given["mode"]
    if (size is None) == (scale is None):
        raise Trouble(f"`{given.name}` needs one of size and scale_factor")
    if mode not in ("nearest", "linear", "bilinear", "trilinear", "bicubic"):
        raise Trouble(f"`{given.name}` has the mode {mode!r}")
    given.must_be("align_corners", None, True, False)
    if mode == "nearest" and given["align_corners"] is not None:
        raise Trouble(f"`{given.name}` has align_corners without an interpolation, which PyTorch refuses")
    return ("upsample", _extent(given, "size"), _extent(given, "scale_factor"), mode, given["align_corners"] is True)


def _extent(given: CallArguments, key: str) -> object:
    """Return a number, or a tuple if the values differ by axis."""
    value = given[key]
    if value is None:
        return None
    if type(value) is float and key == "scale_factor" and value > 0:
        return int(value) if value.is_integer() else value
    if type(value) is int:
        return given.whole(key)
    items = given.integers(key, least=1)
    return items[0] if len(set(items)) == 1 else items


def _layer_norm(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    shape = given["normalized_shape"]
    extents = (given.whole("normalized_shape"),) if type(shape) is int else given.integers("normalized_shape", 1)
    affine = given.flag("elementwise_affine")
    if affine:
        given.must_be("bias", True)
    return forms.leaf(("ln", extents, given.real("eps"), affine))


def _group_norm(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    groups, channels = given.whole("num_groups"), given.whole("num_channels")
    check_groups(given, channels, channels, groups)
    return forms.leaf(("gn", groups, channels, given.real("eps"), given.flag("affine")))


def _prelu(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    _usual_device(given)
    return forms.leaf(("prelu", given.whole("num_parameters"), given.real("init")))


def _leaky(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    slope, inplace = given.real("negative_slope"), given.flag("inplace")
    if inplace and slope < 0:
        raise Trouble(f"`{given.name}` works in place with the negative slope {slope}, which has no gradient")
    return forms.leaf(("leaky", slope), inplace=inplace)


def _exponential(family: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    def lower(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        alpha, inplace = given.real("alpha"), given.flag("inplace")
        if family == "celu" and alpha == 0:
            raise Trouble(f"`{given.name}` has the alpha 0")
        if inplace and alpha < 0:
            raise Trouble(f"`{given.name}` works in place with the negative alpha {alpha}, which has no gradient")
        return forms.leaf((family, alpha), inplace=inplace)

    return lower


def _gelu(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    given.must_be("approximate", "none", "tanh")
    return forms.leaf(("gelu", given["approximate"]))


def _hardtanh(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    low, high = given.real("min_val"), given.real("max_val")
    if low > high:
        raise Trouble(f"`{given.name}` has a minimum above its maximum")
    return forms.leaf(("hardtanh", low, high), inplace=given.flag("inplace"))


def _activation(*form: object) -> Callable[[int, CallArguments, Forms], LeafModule]:
    def lower(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        return forms.leaf(form, inplace="inplace" in given and given.flag("inplace"))

    return lower


def lower_simple(layer: SimpleLayer) -> Callable[[int, CallArguments, Forms], LeafModule]:
    """Return the rule of a row of `simple`: it reads the fields, and `inplace` if the class has it."""

    def lower(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        form = (layer.family, *[_field(field, given) for field in layer.fields])
        return forms.leaf(form, inplace=layer.inplace != "" and given.flag("inplace"))

    return lower


def _field(field: FormField, given: CallArguments) -> object:
    if field.kind == "whole":
        return given.whole(field.argument, field.least)
    return given.real(field.argument) if field.kind == "real" else given.integers(field.argument, field.least)


def _pixels(family: str, argument: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    return lambda _, given, forms: forms.leaf((family, given.whole(argument), "channels"))


def _unflatten(_rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    given.must_be("dim", 1)
    return forms.leaf(("unflatten", given.integers("unflattened_size", least=1)))


PLAIN: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    **{each.cls: lower_simple(each) for each in SIMPLE if not each.digest},
    "Linear": _linear,
    "LayerNorm": _layer_norm,
    "GroupNorm": _group_norm,
    "Upsample": _upsample,
    "Dropout": _dropout,
    "Unflatten": _unflatten,
    "PixelShuffle": _pixels("pixelshuffle", "upscale_factor"),
    "PixelUnshuffle": _pixels("pixelunshuffle", "downscale_factor"),
    "Flatten": lambda _, given, forms: forms.leaf(
        ("flatten", given.whole("start_dim", -9), given.whole("end_dim", -9))
    ),
    "ReLU6": _activation("hardtanh", 0.0, 6.0),
    "LeakyReLU": _leaky,
    "PReLU": _prelu,
    "ELU": _exponential("elu"),
    "CELU": _exponential("celu"),
    "GELU": _gelu,
    "Tanh": _activation("tanh", 1.0, 1.0),
    "Hardtanh": _hardtanh,
}
"""All other classes."""


def lower(name: str, values: Mapping[str, object], forms: Forms) -> LeafModule:
    """Return the leaf of a module of `torch.nn` with these arguments, defaults included.

    Raises Trouble for arguments that PyTorch does not accept, or whose computation no layer type performs.
    """
    given = CallArguments(name, values)
    if name in PLAIN:
        return PLAIN[name](0, given, forms)
    return BY_RANK[name[:-2]](int(name[-2]), given, forms)
