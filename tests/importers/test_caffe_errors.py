"""What of Caffe's has no counterpart is an error at its place, and nothing is guessed."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnndsl.errors import CnnError
from tests.importers.caffe_texts import DATA, conv, imported, layer, net, pool

SHARED = conv("num_output: 2 kernel_size: 1", rest='param { name: "w" }')
WRONG = {
    "an unknown type": (net(layer("SpatialDropout")), "the type `SpatialDropout` has no counterpart"),
    "a fork's key": (net(pool("kernel_size: 2 ceil_mode: false")), "`ceil_mode` of `pooling_param` is unknown"),
    "another fork's": (net(pool("kernel_size: 2 round_mode: FLOOR")), "`round_mode` of `pooling_param` is unknown"),
    "a key of a layer": (net(layer("ReLU", rest="quantise: 8")), "`quantise` of `layer` is unknown"),
    "another layer's message": (net(layer("ReLU", "pooling_param { }")), "`pooling_param` of `layer` is unknown"),
    "a key of the file": (net(layer("ReLU"), "solver: 3"), "`solver` of `the file` is unknown"),
    "a key of a spec": (net(layer("ReLU", rest="param { rate: 0 }")), "`rate` of `param` is unknown"),
    "a key of a rule": (net(layer("ReLU", rest="include { when: TEST }")), "`when` of `include` is unknown"),
    "nothing": ("", "the file has no layers"),
    "no input": (layer("ReLU"), "nothing before this layer is called `x`"),
    "both versions": ('layers { type: RELU } layer { type: "ReLU" }', "not both"),
    "an unknown old type": ("layers { type: LSTM }", "`layers` has no type `LSTM`"),
    "a name given twice": (net(layer("ReLU"), layer("TanH")), "there is a `y` already"),
    "shapes too few": ('input: "x" input_dim: 1 input_dim: 2' + layer("ReLU"), "four times `input_dim`"),
    "an input without channels": ('input: "x" input_shape { dim: 3 }' + layer("ReLU"), "an input has a batch"),
    "data of no size": ('layer { type: "Data" top: "x" }' + layer("ReLU"), "does not say how large `x` is"),
    "include and exclude": (net(layer("ReLU", rest="include { } exclude { }")), "not both"),
    "another network in training": (
        net(layer("ReLU"), layer("TanH", "", "y", "y", "include { phase: TRAIN }")),
        "in training alone, and changes what follows",
    ),
    "shared weights": (
        net(SHARED, conv("num_output: 2 kernel_size: 1", bottom="x", top="z", rest='param { name: "w" }')),
        "the weights `w` are those of `y`",
    ),
    "data of a program": ('layer { type: "Python" top: "x" }' + layer("ReLU"), "a `Python` that reads nothing"),
    "a layer without ends": (
        net(layer("ReLU"), 'layer { type: "Nothing" include { phase: TRAIN } }'),
        "changes what follows",
    ),
    "only losses": (
        'input: "x" input_shape { dim: 1 dim: 2 }' + layer("Silence", "", "x", ""),
        "no layer gives a value",
    ),
    "a convolution without size": (net(conv("num_output: 3")), "`kernel_size` is given once"),
    "with two": (net(conv("num_output: 3 kernel_size: 3 kernel_h: 3 kernel_w: 3")), "`kernel_size` is given once"),
    "with one side": (net(conv("num_output: 3 kernel_h: 3")), "`kernel_size` is given once"),
    "without stride": (net(conv("num_output: 3 kernel_size: 3 stride: 0")), "`stride` is at least 1"),
    "a rate above 1": (net(layer("Dropout", "dropout_param { dropout_ratio: 2 }")), "`p` of DROPOUT is at most 1"),
    "no eps": (net(layer("BatchNorm", "batch_norm_param { eps: 0 }")), "`eps` of BN is at least 1e-12"),
    "without filters": (net(conv("kernel_size: 3")), "`num_output`"),
    "groups that do not fit": (net(conv("num_output: 3 kernel_size: 3 group: 2")), "group"),
    "a kernel too large": (net(conv("num_output: 3 kernel_size: 9")), ""),
    "a convolution of a vector": (
        net(conv("num_output: 3 kernel_size: 1"), size="1 4"),
        "along axes other than the spatial ones",
    ),
    "stochastic pooling": (net(pool("pool: STOCHASTIC kernel_size: 2")), "`STOCHASTIC`"),
    "a mask of a pooling": (net(pool("kernel_size: 2", top="y m")), "with 2 tops has no counterpart"),
    "a padded pooling of everything": (net(pool("global_pooling: true pad: 1")), "has no size, stride or padding"),
    "an even response": (net(layer("LRN", "lrn_param { local_size: 4 }")), "the size is odd"),
    "a power": (net(layer("Power", "power_param { power: 2 }")), "a `power` has no counterpart"),
    "a shift": (net(layer("Power", "power_param { shift: 1 }")), "a `shift` has no counterpart"),
    "a softmax of rows": (net(layer("Softmax", "softmax_param { axis: 2 }")), "another axis than the channels"),
    "side by side in height": (net(layer("Concat", "concat_param { axis: 2 }", "x x")), "along axis 2"),
    "a sum of one": (net(layer("Eltwise")), "two bottoms or more"),
    "a sum of other shapes": (net(pool("kernel_size: 2", top="a"), layer("Eltwise", "", "x a")), "different shapes"),
    "coefficients of a product": (
        net(layer("Eltwise", "eltwise_param { operation: PROD coeff: 1 coeff: 2 }", "x x")),
        "has no counterpart",
    ),
    "a scale of the width": (net(layer("Scale", "scale_param { axis: 3 }")), "along other axes"),
    "a scale of maps": (net(layer("Scale", "scale_param { num_axes: -1 }")), "along other axes"),
    "a product along the channels": (net(layer("Scale", "", "x x")), "along these axes"),
    "half a vector": (net(layer("Flatten", "flatten_param { axis: 2 }")), "some axes as one"),
    "a batch in another place": (net(layer("Permute", "permute_param { order: [1, 0, 2, 3] }")), "begins with 0"),
    "a batch that is written": (net(layer("Reshape", "reshape_param { shape { dim: 1 dim: -1 } }")), "say 0"),
    "extents that do not fit": (
        net(layer("Reshape", "reshape_param { shape { dim: 0 dim: 5 dim: -1 } }")),
        "has no counterpart",
    ),
    "a crop of channels": (net(layer("Crop", "crop_param { axis: 1 }", "x x")), "after the channels"),
    "a crop too far": (net(layer("Crop", "crop_param { offset: 1 }", "x x")), "has no"),
    "a value read for its size": (
        net(conv("num_output: 4 kernel_size: 4", top="a"), layer("Crop", "", "x a")),
        "nothing that the network gives depends on this",
    ),
    "three offsets": (net(layer("Crop", "crop_param { offset: [1, 1, 1] }", "x x")), "one offset"),
    "thirds of four": (net(layer("Slice", "", "x", "a b c")), "make no 3 parts"),
    "a range of rows": (net(layer("Slice", "slice_param { axis: 2 }", "x", "a b")), "than the channels"),
    "a range the other way": (net(layer("Slice", "slice_param { slice_point: 9 }", "x", "a b")), ""),
    "a product along later axes": (
        net(layer("InnerProduct", "inner_product_param { num_output: 3 axis: 2 }")),
        "along later axes",
    ),
    "dropout of another kind": (net(layer("Dropout", "dropout_param { scale_train: false }")), "`scale_train`|scales"),
    "a label that is read": (DATA + layer("Eltwise", "", "data label", "y"), "`label` is no value"),
    "two bottoms": (net(layer("ReLU", "", "x x")), "with 2 bottoms"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_has_no_counterpart_is_an_error_at_its_place(text: str, message: str) -> None:
    with pytest.raises(CnnError) as error:
        imported(text)
    (found,) = error.value.diagnostics
    assert re.search(message, found.message), found.message
    assert found.span is not None
    assert found.span.source.name == "net.prototxt"


def test_an_error_points_at_the_key() -> None:
    with pytest.raises(CnnError) as error:
        imported(
            net(
                layer("ReLU"),
                "layer {",
                ' type: "Pooling" bottom: "y" top: "z"',
                " pooling_param {",
                "  ceil_mode: false kernel_size: 2 } }",
            )
        )
    (found,) = error.value.diagnostics
    assert found.span is not None
    assert (found.span.line, found.span.column) == (6, 3)


WORDS = net(
    pool("pool: AVE global_pooling: true", top="g"),
    layer("Flatten", bottom="g", top="f"),
    layer("InnerProduct", "inner_product_param { num_output: 4 }", bottom="f", top="w"),
    layer("Scale", "scale_param { axis: 0 }", bottom="x w"),
    layer("Slice", top="a b"),
    layer("Accuracy", "", "y", "q", "loss_weight: 1"),
).split()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(WORDS) - 1), st.sampled_from([*WORDS, "0", "-1", "999999", "{", "}"])), max_size=3
    )
)
def test_any_text_is_a_network_or_an_error(changes: list[tuple[int, str]]) -> None:
    words = list(WORDS)
    for at, word in changes:
        words[at] = word
    with suppress(CnnError):
        imported(" ".join(words))
