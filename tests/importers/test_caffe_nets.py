"""Which of a Caffe file's layers are the network: data and labels, phases, outputs and their names.

What is expected follows from src/caffe/net.cpp of github.com/BVLC/caffe.
"""

from __future__ import annotations

import pytest

from cnndsl.errors import Source
from cnndsl.importers.program import program
from tests.importers.caffe_checked import checked
from tests.importers.caffe_texts import DATA, imported, kinds, layer, net


def test_a_network_in_use_takes_its_data_and_no_labels() -> None:
    text = DATA + "\n".join(
        [
            layer("InnerProduct", "inner_product_param { num_output: 5 }", "data", "f"),
            layer("Dropout", "", "f", "f", "include { phase: TRAIN }"),
            layer("SoftmaxWithLoss", "", "f label", "loss"),
            layer("Accuracy", "accuracy_param { top_k: 5 }", "f label", "right", "include { phase: TEST }"),
        ]
    )
    found = imported(text)
    assert [node.layer.kind() for node in found.graph] == ["INPUT", "FC", "DROPOUT"]
    assert str(found.graph.input) == "8x8x3"
    assert found.notes == ("the images are taken to have 3 channels: the file does not say",)


def test_what_a_loss_compares_with_is_no_output() -> None:
    """As in an autoencoder, whose input is its own label, and with labels that come in one blob."""
    text = net(
        'input: "labels" input_shape { dim: 1 dim: 2 }',
        layer("Flatten", top="flat"),
        layer("InnerProduct", "inner_product_param { num_output: 196 }", top="made"),
        layer("SigmoidCrossEntropyLoss", bottom="made flat", top="l1"),
        layer("Slice", bottom="labels", top="one two"),
        layer("Slice", "slice_param { slice_point: 190 }", bottom="made", top="first rest"),
        layer("EuclideanLoss", bottom="first one", top="l2"),
        layer("EuclideanLoss", bottom="first two", top="l3"),
        layer("EuclideanLoss", bottom="first rest", top="l4"),
    )
    assert kinds(text) == ["INPUT", "FC", "SLICE"]


def test_layers_that_are_others_in_training_are_those_in_use() -> None:
    text = net(
        layer("BatchNorm", "batch_norm_param { use_global_stats: false }", "x", "x", "include { phase: TRAIN }"),
        layer("BatchNorm", "batch_norm_param { use_global_stats: true }", "x", "x", "include { phase: TEST }"),
        layer("ReLU"),
        layer("SoftmaxWithLoss", bottom="y x", top="loss", rest="include { phase: TRAIN }"),
        layer("SoftmaxWithLoss", bottom="y x", top="loss", rest="include { phase: TEST }"),
    )
    assert kinds(text) == ["INPUT", "BN", "RELU"]
    assert imported(text).notes == ("`x` is another layer of its type in training",)


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ('type: "Input" input_param { shape { dim: 2 dim: 3 dim: 5 dim: 6 } }', "5x6x3"),
        ('type: "Input" input_param { shape { dim: 2 dim: 3 } }', "3"),
        (
            'type: "DummyData" dummy_data_param { shape { dim: 2 dim: 3 dim: 5 dim: 6 } data_filler { value: 1 } }',
            "5x6x3",
        ),
        ('type: "MemoryData" memory_data_param { batch_size: 2 channels: 4 height: 5 width: 6 }', "5x6x4"),
        ('type: "ImageData" image_data_param { new_height: 5 new_width: 6 batch_size: 1 }', "5x6x3"),
        ('type: "ImageData" image_data_param { new_height: 9 new_width: 9 crop_size: 5 is_color: false }', "5x5x1"),
        ('type: "Data" transform_param { crop_size: 7 force_gray: true }', "7x7x1"),
        ('type: "Data" data_param { crop_size: 7 }', "7x7x3"),
    ],
)
def test_inputs_have_the_size_that_the_file_says(data: str, shape: str) -> None:
    text = f'layer {{ name: "x" top: "x" {data} }}' + layer("ReLU")
    assert str(imported(text).graph.input) == shape


def test_the_program_tells_what_the_file_does_not_say() -> None:
    text = DATA + layer("InnerProduct", "inner_product_param { num_output: 5 }", "data", "f")
    assert program(Source("a/net.prototxt", text)) == (
        "# Imported from net.prototxt, of Caffe.\n"
        "# The images are taken to have 3 channels: the file does not say.\n"
        "INPUT 8x8x3\n-> FC-5\n\n"
        "assert params == 965\n"  # 8*8*3*5 + 5
        "assert output == 5\n"
    )


def test_two_inputs() -> None:
    text = 'input: "a" input: "b" ' + "input_shape { dim: 1 dim: 3 dim: 4 dim: 4 } " * 2
    graph = checked(text + layer("TanH", "", "a", "t") + layer("Eltwise", "", "t b", "y")).graph
    assert [str(node.shape) for node in graph.inputs] == ["4x4x3", "4x4x3"]
    assert graph.input_names == ("a", "b")
    checked(text + layer("TanH", "", "a", "t") + layer("ReLU", "", "b", "y"))


def test_names_of_outputs_are_told_apart_from_others() -> None:
    """What the text calls values by itself, its own words, and what Python or PyTorch has."""
    text = net(
        layer("TanH", top="t"),
        layer("Sigmoid", bottom="t", top="s"),
        layer("ELU", bottom="s", top="e"),
        layer("Eltwise", bottom="e t", top="q"),
        layer("Concat", bottom="q e t", top="x1"),
        layer("TanH", bottom="s", top="output"),
        layer("ReLU", bottom="s", top="float"),
        layer("ReLU", bottom="e", top="a/b"),
        layer("TanH", bottom="e", top="a_b"),
    )
    names = {"float_": "float", "a_b": "a/b"}
    graph = imported(text).graph
    listed = [graph.output_name, *(each.name for each in graph.taps)]
    assert listed[:4] == ["x1", "output", "float_", "a_b"]
    checked(text, names={**names, listed[4]: "a_b"})


def test_heads_of_training_are_the_last_outputs() -> None:
    def fc(top: str) -> str:
        return layer("InnerProduct", "inner_product_param { num_output: 5 }", "x", top)

    found = imported(
        net(
            'input: "label" input_shape { dim: 1 }',
            fc("loss1/fc"),
            layer("SoftmaxWithLoss", "", "loss1/fc label", "l1", "loss_weight: 0.3"),
            layer("TanH", "", "x", "t", "include { phase: TRAIN }"),
            layer("EuclideanLoss", "", "t label", "l2", "include { phase: TRAIN }"),
            fc("main"),
            layer("SoftmaxWithLoss", "", "main label", "l3", "loss_weight: 1"),
        )
    )
    graph = found.graph
    assert [graph.output_name, *(each.name for each in graph.taps)] == ["main", "loss1_fc", "t"]
    assert found.notes == ("`loss1/fc`, `t`: of training alone, and an output here",)


def test_what_boxes_are_made_of_is_an_output() -> None:
    text = net(
        layer("Sigmoid", "", "x", "loc"),
        layer("PriorBox", "prior_box_param { min_size: 3 }", "loc x", "priors"),
        layer("Flatten", "", "priors", "rows"),
        layer("DetectionOutput", "detection_output_param { num_classes: 2 }", "loc rows", "boxes"),
    )
    assert kinds(text) == ["INPUT", "SIGMOID"]
    assert imported(text).notes == ("`boxes` (DetectionOutput) comes after the network: what it reads is an output",)


@pytest.mark.parametrize(
    ("rule", "is_there"),
    [
        ("", True),
        ("include { phase: TEST }", True),
        ("exclude { phase: TEST }", False),
        ("exclude { phase: TRAIN }", True),
        ('include { stage: "deploy" }', False),
        ('include { not_stage: "deploy" }', True),
        ("include { min_level: 1 }", False),
        ('include { phase: TEST stage: "a" } include { phase: TEST }', True),
    ],
)
def test_layers_by_their_phase(rule: str, is_there: bool) -> None:
    text = net(layer("ReLU"), layer("TanH", "", "y", "z", rule))
    if rule == "exclude { phase: TEST }":
        assert kinds(text)[-1] == "TANH"  # of training alone, beside the rest
    else:
        assert ("TANH" in kinds(text)) is is_there


def test_a_stage_can_be_said() -> None:
    text = 'state { phase: TEST stage: "deploy" }' + net(layer("ReLU", "", "x", "y", 'include { stage: "deploy" }'))
    assert kinds(text) == ["INPUT", "RELU"]
