"""Caffe's layers against a second reading of them, on random weights and inputs.

What is expected of single numbers follows from Caffe's source, github.com/BVLC/caffe, and stands beside them.
"""

from __future__ import annotations

from itertools import product

import pytest
import torch

from cnndsl.errors import CnnError
from tests.importers.caffe_checked import checked
from tests.importers.caffe_oracle import pooling
from tests.importers.caffe_texts import conv, imported, layer, net, pool

SINGLE = {
    "convolution": conv("num_output: 6 kernel_size: 3 pad: 1 stride: 2"),
    "without padding": conv("num_output: 6 kernel_size: 4 weight_filler { type: 'xavier' } engine: CAFFE"),
    "a wide pad": conv("num_output: 3 kernel_size: 1 pad: 2"),
    "by axis": conv("num_output: 6 kernel_h: 3 kernel_w: 2 pad_h: 1 stride_w: 2"),
    "twice": conv("num_output: 6 kernel_size: 1 kernel_size: 3 pad: [0, 1] stride: 1"),
    "groups": conv("num_output: 6 kernel_size: 3 group: 2 bias_term: false"),
    "depthwise": conv("num_output: 4 kernel_size: 3 group: 4 pad: 1"),
    "several a channel": conv("num_output: 8 kernel_size: 3 group: 4"),
    "dilation": conv("num_output: 2 kernel_size: 3 dilation: 2 pad: 2"),
    "deconvolution": layer("Deconvolution", "convolution_param { num_output: 3 kernel_size: 4 stride: 2 }"),
    "that doubles": layer("Deconvolution", "convolution_param { num_output: 3 kernel_size: 4 stride: 2 pad: 1 }"),
    "that cuts": layer("Deconvolution", "convolution_param { num_output: 3 kernel_size: 5 stride: 1 pad: 1 }"),
    "in groups": layer("Deconvolution", "convolution_param { num_output: 6 kernel_size: 3 group: 2 bias_term: false }"),
    "by both axes": layer("Deconvolution", "convolution_param { num_output: 2 kernel_h: 3 kernel_w: 4 stride: 2 }"),
    "maximum": pool("pool: MAX kernel_size: 3 stride: 2"),
    "maximum, rounded up": pool("kernel_size: 2 stride: 2"),
    "maximum, padded": pool("kernel_size: 3 stride: 2 pad: 1"),
    "maximum, clipped": pool("kernel_size: 2 stride: 2 pad: 1"),
    "mean": pool("pool: AVE kernel_size: 3 stride: 2"),
    "mean, rounded up": pool("pool: AVE kernel_size: 4 stride: 2"),
    "mean, padded": pool("pool: AVE kernel_size: 3 stride: 1 pad: 1"),
    "mean, padded and rounded up": pool("pool: AVE kernel_size: 3 stride: 3 pad: 1"),
    "mean, by axis": pool("pool: AVE kernel_h: 2 kernel_w: 3 stride_h: 2 stride_w: 1 pad_h: 0 pad_w: 1"),
    "of everything": pool("pool: AVE global_pooling: true"),
    "maximum of everything": pool("pool: MAX global_pooling: true"),
    "response": layer("LRN", "lrn_param { local_size: 3 alpha: 0.5 beta: 0.6 k: 2 }"),
    "response by default": layer("LRN"),
    "response within a channel": layer("LRN", "lrn_param { local_size: 3 alpha: 2 norm_region: WITHIN_CHANNEL k: 9 }"),
    "fully connected": layer("InnerProduct", "inner_product_param { num_output: 5 }"),
    "without bias": layer("InnerProduct", "inner_product_param { num_output: 5 bias_term: false axis: -3 }"),
    "rectified": layer("ReLU"),
    "leaky": layer("ReLU", "relu_param { negative_slope: 0.1 }"),
    "learned slopes": layer("PReLU"),
    "one slope": layer("PReLU", "prelu_param { channel_shared: true filler { value: 0.1 } }"),
    "sigmoid": layer("Sigmoid"),
    "tanh": layer("TanH"),
    "elu": layer("ELU", "elu_param { alpha: 0.7 }"),
    "bnll": layer("BNLL"),
    "dropout": layer("Dropout", "dropout_param { dropout_ratio: 0.2 }"),
    "softmax": layer("Softmax"),
    "normalised": layer("BatchNorm", "batch_norm_param { use_global_stats: true eps: 0.01 }"),
    "scaled": layer("Scale"),
    "scaled and moved": layer("Scale", "scale_param { bias_term: true axis: -3 filler { value: 2 } }"),
    "one scale": layer("Scale", "scale_param { num_axes: 0 }"),
    "moved": layer("Bias"),
    "times": layer("Power", "power_param { scale: 0.25 }"),
    "flat": layer("Flatten"),
    "transposed": layer("Permute", "permute_param { order: 0 order: 1 order: 3 order: 2 }"),
    "channels last": layer("Permute", "permute_param { order: [0, 2, 3, 1] }"),
    "to rows": layer("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }"),
    "to a map": layer("Reshape", "reshape_param { shape { dim: 0 dim: 2 dim: 14 dim: 7 } }"),
    "some axes": layer("Reshape", "reshape_param { shape { dim: -1 } axis: 1 }"),
    "two axes": layer("Reshape", "reshape_param { shape { dim: 2 dim: 2 } axis: 1 num_axes: 1 }"),
}


@pytest.mark.parametrize("text", SINGLE.values(), ids=SINGLE)
def test_a_layer_computes_what_the_second_reading_does(text: str) -> None:
    checked(net(text))


PERMUTED = layer("Permute", "permute_param { order: [0, 2, 3, 1] }", top="p")
CUT = conv("num_output: 4 kernel_size: 4", top="a")
SEVERAL = {
    "normalised, scaled and moved": [
        layer("BatchNorm", top="b"),
        layer("Scale", "scale_param { bias_term: true }", bottom="b"),
    ],
    "normalised and scaled": [layer("BatchNorm", top="b"), layer("Scale", bottom="b")],
    "normalised, read twice": [
        layer("BatchNorm", top="b"),
        layer("Scale", "scale_param { bias_term: true }", bottom="b", top="s"),
        layer("Eltwise", bottom="b s"),
    ],
    "in place": [conv("num_output: 4 kernel_size: 1", top="y"), layer("ReLU", bottom="y"), layer("Scale", bottom="y")],
    "beside what is written over": [
        layer("Sigmoid", top="a"),
        layer("ReLU", bottom="x", top="x"),
        layer("Eltwise", bottom="a x"),
    ],
    "side by side": [layer("TanH", top="a"), layer("Concat", bottom="x a x", top="y")],
    "with the old key": [layer("TanH", top="a"), layer("Concat", "concat_param { concat_dim: 1 }", bottom="a x")],
    "a sum with coefficients": [
        layer("TanH", top="a"),
        layer("Eltwise", "eltwise_param { coeff: 0.5 coeff: -2 coeff: 1 }", bottom="x a x"),
    ],
    "a difference": [layer("TanH", top="a"), layer("Eltwise", "eltwise_param { coeff: [1, -1] }", bottom="x a")],
    "a product": [layer("TanH", top="a"), layer("Eltwise", "eltwise_param { operation: PROD }", bottom="x a")],
    "a maximum": [layer("TanH", top="a"), layer("Eltwise", "eltwise_param { operation: MAX }", bottom="x a")],
    "a gate": [
        pool("pool: AVE global_pooling: true", top="g"),
        layer("Flatten", bottom="g", top="f"),
        layer("InnerProduct", "inner_product_param { num_output: 4 }", bottom="f", top="w"),
        layer("Scale", "scale_param { axis: 0 }", bottom="x w"),
    ],
    "a product of maps": [layer("TanH", top="a"), layer("Scale", "scale_param { axis: 0 }", bottom="x a")],
    "flat, channels last": [PERMUTED, layer("Flatten", bottom="p")],
    "connected, channels last": [
        PERMUTED,
        layer("InnerProduct", "inner_product_param { num_output: 3 }", bottom="p"),
    ],
    "rows of classes": [
        PERMUTED,
        layer("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }", bottom="p", top="r"),
        layer("Softmax", "softmax_param { axis: 2 }", bottom="r", top="s"),
        layer("Flatten", bottom="s"),
    ],
    "classes as an output": [
        PERMUTED,
        layer("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 2 } }", bottom="p", top="r"),
        layer("Softmax", "softmax_param { axis: -1 }", bottom="r"),
    ],
    "there and back": [
        PERMUTED,
        layer("Permute", "permute_param { order: [0, 3, 1, 2] }", bottom="p", top="q"),
        layer("TanH", bottom="q"),
    ],
    "side by side, channels last": [
        PERMUTED,
        layer("TanH", top="a"),
        layer("Permute", "permute_param { order: [0, 2, 3, 1] }", bottom="a", top="q"),
        layer("Concat", "concat_param { axis: -1 }", bottom="p q", top="c"),
        layer("Flatten", bottom="c"),
    ],
    "a crop": [
        CUT,
        layer("Crop", "crop_param { offset: 2 }", bottom="x a", top="c"),
        layer("Eltwise", bottom="c a"),
    ],
    "a crop by axis": [
        CUT,
        layer("Crop", "crop_param { axis: 2 offset: 3 offset: 0 }", bottom="x a", top="c"),
        layer("Eltwise", bottom="c a"),
    ],
    "a crop of the width": [
        conv("num_output: 4 kernel_h: 1 kernel_w: 4", top="a"),
        layer("Crop", "crop_param { axis: 3 offset: 1 }", bottom="x a", top="c"),
        layer("Eltwise", bottom="a c"),
    ],
    "a crop without offset": [CUT, layer("Crop", bottom="x a", top="c"), layer("Eltwise", bottom="a c")],
    "ranges": [
        layer("Slice", "slice_param { slice_point: 1 slice_point: 3 }", top="a b c"),
        layer("Concat", bottom="c a b", top="y"),
    ],
    "halves": [layer("Slice", top="a b"), layer("Eltwise", bottom="b a")],
    "names of one value": [
        layer("Split", top="a b"),
        layer("Eltwise", "eltwise_param { operation: PROD }", bottom="a b"),
    ],
    "a crop to what it is": [
        layer("TanH", top="a"),
        layer("Crop", bottom="x a", top="c"),
        layer("Eltwise", bottom="c a"),
    ],
}


@pytest.mark.parametrize("layers", SEVERAL.values(), ids=SEVERAL)
def test_layers_compute_together_what_the_second_reading_does(layers: list[str]) -> None:
    checked(net(*layers))


def test_layers_of_the_first_version_are_the_same() -> None:
    text = """
    input: "x" input_dim: 2 input_dim: 3 input_dim: 9 input_dim: 9
    layers { name: "c" type: CONVOLUTION bottom: "x" top: "c" blobs_lr: 1 blobs_lr: 2 weight_decay: 1 weight_decay: 0
      convolution_param { num_output: 4 kernel_size: 3 } }
    layers { name: "r" type: RELU bottom: "c" top: "c" }
    layers { name: "p" type: POOLING bottom: "c" top: "p" pooling_param { kernel_size: 2 stride: 2 } }
    layers { name: "f" type: INNER_PRODUCT bottom: "p" top: "f" inner_product_param { num_output: 5 } }
    """
    # 9 - 3 + 1 = 7 and ceil((7 - 2)/2) + 1 = 4 positions along each axis.
    assert checked(text).params == 4 * 3 * 9 + 4 + 4 * 4 * 4 * 5 + 5


def test_poolings_have_the_size_of_the_second_reading() -> None:
    """Where Caffe's last window would have nothing of the map, there is an error."""
    for size, kernel, stride in product(range(3, 9), range(1, 4), range(1, 5)):
        for pad in range(kernel):
            said = f"kernel_size: {kernel} stride: {stride} pad: {pad}"
            text = net(pool(said), size=f"1 1 {size} {size}")
            x = torch.zeros(1, 1, size, size)
            param = {key: [str(each)] for key, each in (("kernel_size", kernel), ("stride", stride), ("pad", pad))}
            is_blind = not pad and -(-(size - kernel) // stride) * stride >= size
            if is_blind:
                with pytest.raises(CnnError, match="have nothing of a map"):
                    imported(text)
                continue
            assert imported(text).graph.nodes[-1].shape.spatial == pooling([x], param).shape[2:], said


def test_ceil_is_said_only_where_it_changes_the_size() -> None:
    # (7 - 3)/2 has no remainder, (8 - 3)/2 has one.
    for size, says in ((7, False), (8, True)):
        node = imported(net(pool("kernel_size: 3 stride: 2"), size=f"1 1 {size} {size}")).graph.nodes[-1]
        assert getattr(node.layer, "ceil", None) is says


def test_what_is_not_trained_is_frozen() -> None:
    still, moving = "param { lr_mult: 0 }", "param { lr_mult: 1 }"
    said = "num_output: 4 kernel_size: 4 stride: 2 group: 4 weight_filler { type: 'bilinear' }"
    up = f"convolution_param {{ {said} bias_term: false }}"
    (node,) = imported(net(layer("Deconvolution", up, rest=still))).graph.layers
    assert (getattr(node.layer, "frozen", None), getattr(node.layer, "init", None)) == (True, "bilinear")
    for rates, frozen in ((still * 2, True), (moving + still, False), (still, False), ("", False)):
        found = imported(net(conv("num_output: 2 kernel_size: 1", rest=rates)))
        assert getattr(found.graph.nodes[-1].layer, "frozen", None) is frozen
        assert bool(found.notes) is (not frozen and "0" in rates)
    found = imported(
        'input: "x" input_dim: [1, 2, 3, 3] layers { type: INNER_PRODUCT bottom: "x" top: "y" '
        "blobs_lr: 0 blobs_lr: 0 inner_product_param { num_output: 2 } }"
    )
    assert getattr(found.graph.nodes[-1].layer, "frozen", None) is True


def test_scales_that_are_not_trained_are_told_of() -> None:
    still = "param { lr_mult: 0 } param { lr_mult: 0 }"
    text = net(layer("BatchNorm", top="b"), layer("Scale", "scale_param { bias_term: true }", "b", "y", still))
    assert imported(text).notes == ("normalisations and scales that are not trained in the file are here",)


def test_half_a_fully_connected_layer_is_not_frozen() -> None:
    rates = "param { lr_mult: 0 } param { lr_mult: 1 }"
    found = imported(net(layer("InnerProduct", "inner_product_param { num_output: 2 }", rest=rates)))
    assert getattr(found.graph.nodes[-1].layer, "frozen", None) is False


@pytest.mark.parametrize(("size", "shape"), [("1 2 9", "7x3"), ("1 2 9 8 7", "7x6x5x3")])
def test_convolutions_along_other_numbers_of_axes(size: str, shape: str) -> None:
    found = imported(net(conv("num_output: 3 kernel_size: 3"), size=size))
    assert str(found.graph.nodes[-1].shape) == shape


def test_bilinear_weights_that_add_channels_up_are_no_interpolation() -> None:
    said = "convolution_param { num_output: 4 kernel_size: 4 stride: 2 weight_filler { type: 'bilinear' } }"
    found = imported(net(layer("Deconvolution", said)))
    assert getattr(found.graph.nodes[-1].layer, "init", None) == "default"
    assert "add up channels" in found.notes[0]
