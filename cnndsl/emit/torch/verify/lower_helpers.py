"""Maps the constructor call of a helper class to its form: what the class's (trusted) source computes.

The verifier uses nothing from the layer types. It knows each helper by a digest of the source whose meaning is written
down here. A class with any other source is not a helper, whatever its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from cnndsl.emit.torch.verify.given import CallArguments
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.lower import check_groups, lower_simple
from cnndsl.emit.torch.verify.lower_windows import SLIDING, SLIDING_BY_RANK
from cnndsl.emit.torch.verify.simple import SIMPLE
from cnndsl.emit.torch.verify.values import Trouble


def _pointwise_linear(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    given.must_be("device", None)
    given.must_be("dtype", None)
    channels, features = given.whole("in_features"), given.whole("out_features")
    return forms.leaf(("pointwise", rank, channels, features, given.flag("bias"), ""))


def _radial_basis(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("rbf", given.whole("in_features"), given.whole("out_features")))


def _scaled_tanh(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("tanh", given.real("scale"), given.real("slope")), memory="copies")


def _radix_softmax(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("radixsoftmax", given.whole("radix"), given.whole("groups")))


def _star_relu(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("starrelu", given.real("scale"), given.real("bias")))


def _channel_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    affine = given.flag("elementwise_affine")
    return forms.leaf(("channelnorm", given.whole("channels"), given.real("eps"), affine))


def _global_response_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("grn", given.whole("channels"), given.real("eps")))


def _evo_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    channels, groups = given.whole("channels"), given.whole("groups")
    check_groups(given, channels, channels, groups)
    return forms.leaf(("evonorm", channels, groups, given.real("eps"), given.flag("act")))


def _channel_rms_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    flags = given.flag("affine"), given.flag("deviation")
    return forms.leaf(("rmsnorm", given.whole("channels"), given.real("eps"), *flags))


def _filter_response_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    return forms.leaf(("frn", given.whole("channels"), given.real("eps"), given.flag("tlu")))


def _l2_norm(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    affine, start = given.flag("affine"), given.real("init")
    return forms.leaf(("l2norm", given.whole("channels"), given.real("eps"), affine, start if affine else 1.0))


def _position_response_norm(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    size = given.whole("size")
    if size % 2 == 0:
        raise Trouble(f"`{given.name}` has the even size {size}, which makes the map larger")
    return forms.leaf(("positionlrn", rank, size, given.real("alpha"), given.real("beta"), given.real("k")))


def _scale(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    flags = given.flag("weight"), given.flag("bias")
    return forms.leaf(("scale", given.whole("channels"), *flags, given.real("init")))


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


def _reshape(family: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    return lambda _, given, forms: forms.leaf((family, given.integers("shape", least=1)))


def _permute(_: int, given: CallArguments, forms: Forms) -> LeafModule:
    dims = given.integers("dims", least=0)
    if sorted(dims) != list(range(len(dims))):
        raise Trouble(f"`{given.name}` is given {dims}, which is no order of dimensions")
    if dims[0] != 0:
        raise Trouble(f"`{given.name}` moves the batch")
    return forms.leaf(("permute", dims))


def _pixels(family: str, argument: str, order: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    """Return the rule; blocks of one position have PyTorch's order and are not moved."""

    def lower(_: int, given: CallArguments, forms: Forms) -> LeafModule:
        factor = given.whole(argument)
        if factor == 1:
            return forms.leaf((family, factor, "channels"), memory="views")
        return forms.leaf((family, factor, order))

    return lower


def _crop(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
    before = _margins(rank, given, "margin")
    after = before if given["after"] is None else _margins(rank, given, "after")
    return forms.leaf(("pad", tuple((-b, -a) for b, a in zip(before, after, strict=True))), memory="views")


def _to(family: str) -> Callable[[int, CallArguments, Forms], LeafModule]:
    def lower(rank: int, given: CallArguments, forms: Forms) -> LeafModule:
        size = given["size"]
        found = given.extents("size", rank) if type(size) is int else given.integers("size", least=1)
        if len(found) != rank:
            raise Trouble(f"`{given.name}` is given {len(found)} extents for {rank} axes")
        return forms.leaf((family, found))

    return lower


def _margins(rank: int, given: CallArguments, key: str) -> tuple[int, ...]:
    found = given.extents(key, rank, 0) if type(given[key]) is int else given.integers(key, least=0)
    if len(found) != rank:
        raise Trouble(f"`{given.name}` is given {len(found)} margins for {rank} axes")
    return found


_BY_RANK: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    **SLIDING_BY_RANK,
    "Crop": _crop,
    "CropTo": _to("cropto"),
    "PadTo": _to("padto"),
    "PadChannels": _pad_channels,
    "PointwiseLinear": _pointwise_linear,
    "PositionResponseNorm": _position_response_norm,
}

_PLAIN: Mapping[str, Callable[[int, CallArguments, Forms], LeafModule]] = {
    **{each.cls: lower_simple(each) for each in SIMPLE if each.digest},
    **SLIDING,
    "ChannelNorm": _channel_norm,
    "ChannelRMSNorm": _channel_rms_norm,
    "DepthToSpace": _pixels("pixelshuffle", "block_size", "blocks"),
    "DropPath": _drop_path,
    "EvoNorm": _evo_norm,
    "FilterResponseNorm": _filter_response_norm,
    "FlattenChannelsLast": lambda _, __, forms: forms.leaf(("flattenlast",)),
    "GlobalResponseNorm": _global_response_norm,
    "L2Norm": _l2_norm,
    "Permute": _permute,
    "RadialBasis": _radial_basis,
    "RadixSoftmax": _radix_softmax,
    "Reorg": _pixels("pixelunshuffle", "stride", "darknet"),
    "Reshape": _reshape("reshape"),
    "ReshapeChannelsLast": _reshape("reshapelast"),
    "Scale": _scale,
    "ScaledTanh": _scaled_tanh,
    "SpaceToDepth": _pixels("pixelunshuffle", "block_size", "blocks"),
    "StarReLU": _star_relu,
}


_DIGESTS: Mapping[str, str] = {
    **{each.cls: each.digest for each in SIMPLE if each.digest},
    "BlurPool1d": "430e6c3a88bd11a8",
    "BlurPool2d": "b75a36223ebafd52",
    "BlurPool3d": "b1876d6690b4e1a1",
    "ChannelConv": "53613779d3c986ae",
    "ChannelNorm": "c8363f2cef8d1673",
    "ChannelRMSNorm": "930590d850adfb27",
    "Crop1d": "495c1b382ffea681",
    "Crop2d": "cd11e2302cf132e7",
    "Crop3d": "e482a3ae83b83b80",
    "CropTo1d": "7539aac2c8ce0b0c",
    "CropTo2d": "7869c4080768a1bf",
    "CropTo3d": "781c3177cd8746f9",
    "DepthToSpace": "f759c30ba6fdbfcb",
    "DropPath": "a3fed933421187e9",
    "EvoNorm": "946a7ffbfd988879",
    "FilterResponseNorm": "971b19c545d6c9ad",
    "FlattenChannelsLast": "43985810c08347cf",
    "GlobalResponseNorm": "c53115271179ff62",
    "L2Norm": "6af21a376c13608e",
    "LocallyConnected": "81ba5930e8893f61",
    "PadChannels1d": "f63ff26443c01783",
    "PadChannels2d": "fa4433a7bacde3a2",
    "PadChannels3d": "305d6cf391eaa1c9",
    "PadTo1d": "4ecb6f7d75385fb9",
    "PadTo2d": "e885e20ea3cad4f0",
    "PadTo3d": "273a05ff2be7b8d5",
    "PaddedAvgPool1d": "a858a2e661590ba2",
    "PaddedAvgPool2d": "b238989e25028f5c",
    "PaddedAvgPool3d": "d5239c5f7731c7c9",
    "PaddedConv1d": "3b43fd4cc86a5caa",
    "PaddedConv2d": "0cc238191b4877a1",
    "PaddedConv3d": "c48907cf70bb5518",
    "PaddedLPPool1d": "16da505564ec65ff",
    "PaddedLPPool2d": "4ff8e36a20c4e6af",
    "PaddedLPPool3d": "a4ee8b2a3876a35e",
    "PaddedMaxPool1d": "ecd8cff03c85ee2f",
    "PaddedMaxPool2d": "5a25c5f9b69ec74c",
    "PaddedMaxPool3d": "eca8aaf2b2f874e9",
    "PaddedSumPool2d": "0abfc7389cdd8d27",
    "PaddedSumPool3d": "44a30fe8bc01aa9a",
    "Permute": "d22a8d5440b0b40a",
    "PointwiseLinear1d": "f041c3ecf228c0e3",
    "PointwiseLinear2d": "89e2c11d8bd7c2af",
    "PointwiseLinear3d": "e146703a95cf1ee9",
    "PositionResponseNorm1d": "ca87f545ae5cb645",
    "PositionResponseNorm2d": "34b7cf558315f914",
    "PositionResponseNorm3d": "306ee71e41a4cb4f",
    "RadialBasis": "ee3ccf1731daffb0",
    "RadixSoftmax": "57e44aa53db7f5e2",
    "Reorg": "b0f03f092449ee95",
    "Reshape": "8123929656b8692e",
    "ReshapeChannelsLast": "9bbca94f88308b46",
    "SameAvgPool1d": "772931bdc046cbcf",
    "SameAvgPool2d": "f5bb1f5a7ef9d165",
    "SameAvgPool3d": "404c4a2c5899cad8",
    "SameConv1d": "231acda52efefc05",
    "SameConv2d": "ca706a5933521eba",
    "SameConv3d": "209a46b5830187da",
    "SameMaxPool1d": "5920e19aea8f672a",
    "SameMaxPool2d": "0efa85f3516d776c",
    "SameMaxPool3d": "ccfc4e8458e2f502",
    "SameScaledStdConv1d": "4f9dddf400fdfb32",
    "SameScaledStdConv2d": "8fe902b1d9cc17bc",
    "SameScaledStdConv3d": "d9fda16694aefa91",
    "SameStdConv1d": "f40992d4cd52400d",
    "SameStdConv2d": "2f692e389d693441",
    "SameStdConv3d": "3f67495a05b2dd02",
    "Scale": "4cdb1b9d8aadc850",
    "ScaledStdConv1d": "0bf4395007d4d3b2",
    "ScaledStdConv2d": "6eebe4e1a19a33bb",
    "ScaledStdConv3d": "4ad05625fae9e3f3",
    "ScaledTanh": "aa17f694256ca294",
    "SpaceToDepth": "4a0db12a39f917f2",
    "StarReLU": "9d8dc11670f5155e",
    "StdConv1d": "7f8ad9fbb11c93d2",
    "StdConv2d": "2348409bf6402a1a",
    "StdConv3d": "8b76c213bb666b7a",
    "SumPool1d": "e2ea940f18fbbc16",
}
"""The digest of each helper's source; the forms here describe exactly that source."""


def digest(text: str) -> str:
    """Return the digest of a class's source, ignoring leading and trailing line ends.

    >>> digest("class A: ...") == digest("class A: ...\\n")
    True
    """
    return sha256(text.strip("\n").encode()).hexdigest()[:16]


def is_helper(name: str, text: str) -> bool:
    """Return whether a class has exactly the source of a helper whose meaning is known here."""
    return name in _DIGESTS and digest(text) == _DIGESTS[name]


_FUNCTIONS: Mapping[str, str] = {
    "crop_like": "bb357e6b8f7e6de9",
    "pad_like": "bec0170e019370bc",
    "bilinear_": "d683a9c94218a545",
}
"""The digest of each function's source."""


def is_function(name: str, text: str) -> bool:
    """Return whether a function has exactly a source whose meaning is known here."""
    return name in _FUNCTIONS and digest(text) == _FUNCTIONS[name]


def lower_helper(name: str, values: Mapping[str, object], forms: Forms) -> LeafModule:
    """Return the leaf of a helper with these arguments, defaults included. Raises Trouble for what cannot be built."""
    given = CallArguments(name, values)
    if name in _PLAIN:
        return _PLAIN[name](0, given, forms)
    return _BY_RANK[name[:-2]](int(name[-2]), given, forms)
