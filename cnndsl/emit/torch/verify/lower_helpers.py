"""From the constructor of a helper class to its form: what the text of the class, which is trusted, computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from cnndsl.emit.torch.helpers import HELPERS
from cnndsl.emit.torch.verify.given import CallArguments
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.lower import Pads, check_groups, of_flat, window
from cnndsl.emit.torch.verify.signatures import of_class
from cnndsl.emit.torch.verify.values import Params, Trouble


@cache
def helper_parameters(name: str) -> tuple[Params, int]:
    """The parameters of a helper's constructor, and how many can be given by place."""
    return of_class(HELPERS[name])


def _pads(given: CallArguments, rank: int) -> Pads:
    """The paddings as `F.pad` takes them: pairs, the last axis first; axes that are not named have none."""
    flat = given.integers("pads")
    if len(flat) % 2 or len(flat) > 2 * rank:
        raise Trouble(f"`{given.name}` is given {len(flat)} pads for {rank} axes")
    return ((0, 0),) * (rank - len(flat) // 2) + of_flat(flat)


def _conv(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    kernel, stride = given.extents("kernel_size", rank), given.extents("stride", rank)
    dilation, groups = given.extents("dilation", rank), given.whole("groups")
    check_groups(given, channels, features, groups)
    pads, bias = _pads(given, rank), given.flag("bias")
    return forms.leaf(
        ("conv", rank, channels, features, kernel, stride, pads, dilation, groups, bias, ""), memory="copies"
    )


def _max_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    dilation = given.extents("dilation", rank)
    return forms.leaf(("maxpool", rank, kernel, stride, _pads(given, rank), False, dilation), memory="copies")


def _avg_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    ceil, counted = given.flag("ceil_mode"), given.flag("count_include_pad")
    return forms.leaf(("avgpool", rank, kernel, stride, _pads(given, rank), ceil, counted), memory="copies")


def _sum_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    return forms.leaf(("sumpool", rank, kernel, stride, _pads(given, rank), False), memory="copies")


def _sum_pool_1d(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = (given.whole("kernel_size"),), (given.whole("stride"),)
    return forms.leaf(("sumpool", 1, kernel, stride, _pads(given, 1), False), memory="copies")


def _lp_pool(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, stride = window(rank, given)
    norm = given.real("norm_type")
    if norm == 0:
        raise Trouble(f"`{given.name}` has the norm 0")
    return forms.leaf(("lppool", rank, norm, kernel, stride, _pads(given, rank), False), memory="copies")


def _locally_connected(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    kernel, size, stride = (given.integers(key, least=1) for key in ("kernel_size", "output_size", "stride"))
    rank = len(kernel)
    if len(size) != rank or len(stride) != rank:
        raise Trouble(f"`{given.name}` is given extents of different lengths")
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    pads, bias = _pads(given, rank), given.flag("bias")
    return forms.leaf(("local", rank, channels, features, kernel, size, stride, pads, bias), memory="copies")


def _radial_basis(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("rbf", given.whole("in_features"), given.whole("out_features")))


def _scaled_tanh(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("tanh", given.real("scale"), given.real("slope")), memory="copies")


def _channel_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    affine = given.flag("elementwise_affine")
    return forms.leaf(("channelnorm", given.whole("channels"), given.real("eps"), affine))


def _scale(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    start = given.real("init")
    if given.flag("weight") and type(start) is int:
        raise Trouble(f"`{given.name}` is given init={start}, which makes weights of integers")
    return forms.leaf(("scale", given.whole("channels"), given.flag("weight"), given.flag("bias"), start))


def _drop_path(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    p = given.real("p")
    if not 0 <= p <= 1:
        raise Trouble(f"`{given.name}` has the probability {p}")
    return forms.leaf(("droppath", p))


def _pad_channels(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, features = given.whole("in_channels"), given.whole("out_channels")
    if features < channels:
        raise Trouble(f"`{given.name}` has fewer channels than come in")
    given.must_be("where", "after", "both")
    stride = given["stride"]
    extents = given.extents("stride", rank) if type(stride) is int else given.integers("stride", least=1)
    if len(extents) != rank:
        raise Trouble(f"`{given.name}` is given {len(extents)} strides for {rank} axes")
    return forms.leaf(("padchannels", rank, channels, features, extents, given["where"]))


def _crop(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    before = _margins(rank, given, "margin")
    after = before if given["after"] is None else _margins(rank, given, "after")
    return forms.leaf(("pad", tuple((-b, -a) for b, a in zip(before, after, strict=True))), memory="views")


def _margins(rank: int, given: CallArguments, key: str) -> tuple[int, ...]:
    found = given.extents(key, rank, 0) if type(given[key]) is int else given.integers(key, least=0)
    if len(found) != rank:
        raise Trouble(f"`{given.name}` is given {len(found)} margins for {rank} axes")
    return found


def _slice(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("slice", given.whole("start", 0), given.whole("stop", 0)))


def _pick(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("pick", given.integers("channels", least=0)))


def _times(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("times", given.real("by")))


_BY_RANK: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    "PaddedConv": _conv,
    "PaddedMaxPool": _max_pool,
    "PaddedAvgPool": _avg_pool,
    "PaddedSumPool": _sum_pool,
    "PaddedLPPool": _lp_pool,
    "Crop": _crop,
    "PadChannels": _pad_channels,
}

_PLAIN: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    "ChannelNorm": _channel_norm,
    "DropPath": _drop_path,
    "LocallyConnected": _locally_connected,
    "Pick": _pick,
    "RadialBasis": _radial_basis,
    "Scale": _scale,
    "ScaledTanh": _scaled_tanh,
    "Slice": _slice,
    "SumPool1d": _sum_pool_1d,
    "Times": _times,
}


def is_helper(name: str) -> bool:
    """True of a helper whose meaning is known here."""
    return name in HELPERS and (name in _PLAIN or name[:-2] in _BY_RANK)


def lower_helper(name: str, values: Mapping[str, object], forms: Forms) -> LeafModule:
    """The leaf of a helper made with these arguments, defaults included. Raises Trouble for what cannot be made."""
    given = CallArguments(name, values)
    if name in _PLAIN:
        return _PLAIN[name](0, given, forms)
    return _BY_RANK[name[:-2]](int(name[-2]), given, forms)
