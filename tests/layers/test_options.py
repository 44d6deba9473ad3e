"""How the options of every kind are declared: types, bounds, words; against what PyTorch and the papers allow."""

from __future__ import annotations

from itertools import permutations

import pytest

from cnndsl.layers import KINDS
from cnndsl.layers.base import Layer
from cnndsl.layers.merge import MERGES, Add

PADDING = ("same", "valid", "full")
# torch.nn.Conv2d has a padding_mode for each but the first, which is its default.
BORDERS = ("zeros", "reflect", "replicate", "circular")
CONVOLVED = (*PADDING, "tfsame", "reflect", "replicate", "circular")
# torch.nn.init has a function for each but the first: kaiming_normal_, kaiming_uniform_, xavier_normal_, ….
DRAWN = ("default", "kaiming", "kaiming_uniform", "xavier", "xavier_uniform", "normal", "trunc_normal", "zeros", "ones")

SPECIAL: dict[str, tuple[str, float | None, float | None]] = {
    "border": ("word", None, None),
    "standardise": ("word", None, None),
    "gamma": ("number", None, None),
    "eps": ("number", 1e-12, None),
    "frozen": ("flag", None, None),
}

# Sizes, strides, dilations, channels and groups are at least 1, padding at least 0; probabilities lie in 0..1.
BOUNDS: dict[str, dict[str, tuple[str, float | None, float | None]]] = {
    "CONV": {
        "kernel": ("dims", 1, None),
        "filters": ("int", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "dilation": ("dims", 1, None),
        "groups": ("int", 1, None),
        "bias": ("flag", None, None),
        "init": ("word", None, None),
        **SPECIAL,
    },
    # Several filters for each channel; 0, which stands for as many as channels, is what nobody needs to write.
    "DWCONV": {
        "kernel": ("dims", 1, None),
        "filters": ("int", 0, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "dilation": ("dims", 1, None),
        "bias": ("flag", None, None),
        "init": ("word", None, None),
        **SPECIAL,
    },
    "CONVT": {
        "kernel": ("dims", 1, None),
        "filters": ("int", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "out_pad": ("dims", 0, None),
        "dilation": ("dims", 1, None),
        "groups": ("int", 1, None),
        "bias": ("flag", None, None),
        "init": ("word", None, None),
        "frozen": ("flag", None, None),
    },
    "LOCAL": {
        "kernel": ("dims", 1, None),
        "filters": ("int", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "bias": ("flag", None, None),
    },
    "CHANNELCONV": {
        "kernel": ("int", 1, None),
        "bias": ("flag", None, None),
        "border": ("word", None, None),
        "init": ("word", None, None),
    },
    "POOL": {
        "kernel": ("dims", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "ceil": ("flag", None, None),
        "dilation": ("dims", 1, None),
        "out": ("dims", 1, None),
    },
    "AVGPOOL": {
        "kernel": ("dims", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "ceil": ("flag", None, None),
        "countpad": ("flag", None, None),
        "out": ("dims", 1, None),
    },
    "SUMPOOL": {
        "kernel": ("dims", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "ceil": ("flag", None, None),
    },
    "LPPOOL": {
        "kernel": ("dims", 1, None),
        "stride": ("dims", 1, None),
        "pad": ("padding", 0, None),
        "ceil": ("flag", None, None),
        # Below 1 it is no norm.
        "p": ("number", 1, None),
    },
    # A filter of one value does not blur.
    "BLURPOOL": {"kernel": ("int", 2, None), "stride": ("int", 1, None), "border": ("word", None, None)},
    "UNPOOL": {
        "kernel": ("dims", 1, None),
        "stride": ("dims", 1, None),
        "switches": ("reference", None, None),
    },
    "UPSAMPLE": {
        "scale": ("dims", 1, None),
        "out": ("dims", 1, None),
        "mode": ("word", None, None),
        "align": ("flag", None, None),
    },
    "FC": {
        "features": ("int", 1, None),
        "bias": ("flag", None, None),
        "init": ("word", None, None),
        "over": ("word", None, None),
        "frozen": ("flag", None, None),
    },
    "RBF": {"features": ("int", 1, None)},
    # Maas et al. 2013 and Clevert et al. 2016 want positive slopes and scales; 0 makes it a ReLU.
    "LEAKYRELU": {"slope": ("number", 0, None)},
    "PRELU": {"shared": ("flag", None, None), "init": ("number", None, None)},
    "STARRELU": {"scale": ("number", None, None), "bias": ("number", None, None)},
    "ELU": {"alpha": ("number", 0, None)},
    # CELU divides by alpha.
    "CELU": {"alpha": ("number", 1e-6, None)},
    "GELU": {"approximate": ("flag", None, None)},
    "SOFTMAX": {"radix": ("int", 1, None), "groups": ("int", 1, None)},
    "TANH": {"scale": ("number", None, None), "slope": ("number", None, None)},
    "SOFTPLUS": {"beta": ("number", None, None)},
    "BN": {"eps": ("number", 1e-12, None), "momentum": ("number", 0, 1), "affine": ("flag", None, None)},
    "LRN": {
        "size": ("int", 1, None),
        "alpha": ("number", None, None),
        "beta": ("number", None, None),
        "k": ("number", 0, None),
        "over": ("word", None, None),
    },
    "LN": {"eps": ("number", 1e-12, None), "affine": ("flag", None, None), "over": ("word", None, None)},
    "GN": {"eps": ("number", 1e-12, None), "affine": ("flag", None, None), "groups": ("int", 1, None)},
    "IN": {"eps": ("number", 1e-12, None), "affine": ("flag", None, None)},
    "GRN": {"eps": ("number", 1e-12, None)},
    "EVONORM": {"groups": ("int", 1, None), "eps": ("number", 1e-12, None), "act": ("flag", None, None)},
    "FRN": {"eps": ("number", 1e-12, None), "tlu": ("flag", None, None)},
    "L2NORM": {"eps": ("number", 1e-12, None), "affine": ("flag", None, None), "init": ("number", None, None)},
    "RMSNORM": {"eps": ("number", 1e-12, None), "affine": ("flag", None, None), "by": ("word", None, None)},
    "SCALE": {
        "weight": ("flag", None, None),
        "bias": ("flag", None, None),
        "init": ("number", None, None),
        "parameter": ("word", None, None),
        "shared": ("flag", None, None),
    },
    "DROPOUT": {"p": ("number", 0, 1), "channels": ("flag", None, None)},
    "DROPPATH": {"p": ("number", 0, 1)},
    "ZEROPAD": {"pad": ("dims", 0, None), "after": ("dims", 0, None), "out": ("dims", 1, None)},
    **{
        kind: {"pad": ("dims", 0, None), "after": ("dims", 0, None)}
        for kind in ("REFLECTPAD", "REPLICATEPAD", "CIRCULARPAD")
    },
    "CROP": {"margin": ("dims", 0, None), "after": ("dims", 0, None), "out": ("dims", 1, None)},
    "PADCHANNELS": {"channels": ("int", 1, None), "stride": ("dims", 1, None), "where": ("word", None, None)},
    "FLATTEN": {"channels": ("word", None, None)},
    "RESHAPE": {"shape": ("dims", 1, None), "channels": ("word", None, None)},
    "PERMUTE": {"order": ("word", None, None)},
    "SHUFFLE": {"groups": ("int", 1, None)},
    "PIXELSHUFFLE": {"factor": ("int", 1, None), "order": ("word", None, None)},
    "PIXELUNSHUFFLE": {"factor": ("int", 1, None), "order": ("word", None, None)},
    # The first channel is 0, and at least one is taken.
    "SLICE": {"start": ("int", 0, None), "stop": ("int", 1, None)},
    "PICK": {"channels": ("ints", 0, None)},
    "TIMES": {"by": ("number", None, None)},
}

WORDS = {
    ("CONV", "pad"): CONVOLVED,
    ("CONV", "init"): DRAWN,
    ("DWCONV", "pad"): CONVOLVED,
    **{(kind, "border"): BORDERS for kind in ("CONV", "DWCONV")},
    **{(kind, "standardise"): ("none", "weights", "scaled") for kind in ("CONV", "DWCONV")},
    ("DWCONV", "init"): DRAWN,
    # `full` would take away more than a transposed convolution adds.
    ("CONVT", "pad"): ("same", "valid"),
    ("CONVT", "init"): (*DRAWN, "bilinear"),
    ("LOCAL", "pad"): PADDING,
    ("FC", "init"): DRAWN,
    ("FC", "over"): ("all", "channels"),
    ("CHANNELCONV", "init"): DRAWN,
    # timm has networks with each.
    ("BLURPOOL", "border"): ("reflect", "zeros"),
    ("CHANNELCONV", "border"): ("zeros", "circular"),
    **{(kind, "pad"): (*PADDING, "tfsame") for kind in ("POOL", "AVGPOOL")},
    **{(kind, "pad"): PADDING for kind in ("SUMPOOL", "LPPOOL")},
    # torch.nn.Upsample.
    ("UPSAMPLE", "mode"): ("nearest", "linear", "bilinear", "trilinear", "bicubic"),
    ("LN", "over"): ("all", "channels"),
    ("LRN", "over"): ("channels", "positions"),
    ("RMSNORM", "by"): ("rms", "deviation"),
    ("SCALE", "parameter"): ("none", "vector", "map", "batch", "number", "singleton"),
    # PyTorch's order of channels, TensorFlow's, and for the one direction that of Darknet's reorg layer.
    ("PIXELSHUFFLE", "order"): ("channels", "blocks"),
    ("PIXELUNSHUFFLE", "order"): ("channels", "blocks", "darknet"),
    ("FLATTEN", "channels"): ("first", "last"),
    ("RESHAPE", "channels"): ("first", "last"),
    # All orders of the axes of maps with one, two and three of them beside the channels: 2 + 6 + 24.
    ("PERMUTE", "order"): tuple("".join(each) for axes in ("wc", "hwc", "dhwc") for each in permutations(axes)),
    ("PADCHANNELS", "where"): ("after", "both"),
}

REQUIRED = {
    ("UNPOOL", "switches"),
    ("ZEROPAD", "pad"),
    ("CROP", "margin"),
    ("PADCHANNELS", "channels"),
    ("RESHAPE", "shape"),
    ("PERMUTE", "order"),
    ("SLICE", "start"),
    ("SLICE", "stop"),
    ("PICK", "channels"),
    ("TIMES", "by"),
}

EVERY = sorted(set(KINDS.values()), key=lambda kind: kind.kind())
each_kind = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.kind())


@each_kind
def test_types_and_bounds(kind: type[Layer]) -> None:
    found = {name: (rule.type, rule.minimum, rule.maximum) for name, rule in kind.options().items()}
    assert found == BOUNDS.get(kind.kind(), {})


@each_kind
def test_words_and_what_has_to_be_said(kind: type[Layer]) -> None:
    for name, rule in kind.options().items():
        assert rule.words == WORDS.get((kind.kind(), name), ())
        assert rule.required is ((kind.kind(), name) in REQUIRED)


@each_kind
def test_one_input_for_most(kind: type[Layer]) -> None:
    """An unpooling also takes the pool whose switches it follows; what has an `out` may take a map for its size."""
    most = 2 if "out" in kind.options() else 1
    assert {"UNPOOL": (2, 2)}.get(kind.kind(), (1, most)) == kind.INPUTS


def test_merges_take_two_branches_or_more() -> None:
    assert [kind.kind() for kind in MERGES.values()] == ["ADD", "CONCAT", "MUL", "SUB", "MAX", "MEAN"]
    assert {kind.INPUTS[0] for kind in MERGES.values()} == {2}
    assert Add.INPUTS[1] >= 10**6
    assert all(operator == kind.OPERATOR for operator, kind in MERGES.items())
