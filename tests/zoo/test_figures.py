"""The zoo's sequential networks against published figures: parameters, multiply-adds, receptive fields, volumes."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest

import cnndsl

REFERENCE = Path(__file__).parent.parent / "reference"
TORCHVISION: dict[str, Any] = json.loads((REFERENCE / "torchvision.json").read_text(encoding="utf-8"))["nets"]
PAPERS: list[dict[str, Any]] = json.loads((REFERENCE / "papers.json").read_text(encoding="utf-8"))["papers"]

IN_TORCHVISION = ["alexnet", *(f"vgg{depth}{bn}" for depth in (11, 13, 16, 19) for bn in ("", "_bn"))]

PARAMETERS = {
    # Recounted from the papers' tables.
    "lenet5": 61_706,
    "alexnet_2012": 60_965_224,
    "zfnet": 62_357_608,
    # LeCun et al. 1998, Section II.
    "lenet5_1998": 60_000,
    # alexnet_2012 with conv2, conv4 and conv5 in one group: as many weights again in each of the three,
    # 5*5*48*256 + 3*3*192*384 + 3*3*192*256 = 307_200 + 663_552 + 442_368 = 1_413_120.
    "alexnet_lecture": 60_965_224 + 1_413_120,
    # 8 filters of 5*5*1 + 1, 16 of 5*5*8 + 1, 10 units of 4*4*16 + 1.
    "digits": 8 * 26 + 16 * 201 + 10 * 257,
    # 32 filters of 3*3*1 + 1, 32 of 3*3*32 + 1, 500 units of 7*7*32 + 1, 10 of 500 + 1.
    "mnist": 32 * 10 + 32 * 289 + 500 * 1569 + 10 * 501,
    # A, and LRN has no parameters.
    "vgg_a_lrn": 132_863_336,
    # B with a 1x1 convolution of 256 channels and two of 512.
    "vgg_c": 133_047_848 + 256 * 257 + 2 * 512 * 513,
    # The same with two parameters for each of 2*64 + 2*128 + 3*256 + 6*512 = 4_224 filters.
    "vgg_c_bn": 133_047_848 + 256 * 257 + 2 * 512 * 513 + 2 * 4_224,
} | {name: TORCHVISION[name]["params"] for name in IN_TORCHVISION}

VGG_TABLE_2 = {
    "VGG-A": "vgg11",
    "VGG-A-LRN": "vgg_a_lrn",
    "VGG-B": "vgg13",
    "VGG-C": "vgg_c",
    "VGG-D": "vgg16",
    "VGG-E": "vgg19",
}


def published(net: str) -> Any:
    """The figure of a paper; that of a layer is a list of parameters and connections."""
    (row,) = (row for row in PAPERS if row["net"] == net and row["metric"] != "connections")
    return row["value"]


def part_params(stats: cnndsl.Stats, path: str) -> int:
    rows = [row for row in stats.layers if row.node.path == path or row.node.path.startswith(f"{path}.")]
    assert rows
    return sum(row.cost.params for row in rows)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert cnndsl.load(name).stats().totals.params == PARAMETERS[name]


@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_arithmetic_and_receptive_field(name: str) -> None:
    totals = cnndsl.load(name).stats().totals
    assert totals.macs == TORCHVISION[name]["macs"]
    assert set(totals.receptive_field) == {TORCHVISION[name]["receptive_field"]["rf"]}


@pytest.mark.parametrize("configuration", VGG_TABLE_2)
def test_millions_of_table_2(configuration: str) -> None:
    """Simonyan & Zisserman 2014, Table 2."""
    params = cnndsl.load(VGG_TABLE_2[configuration]).stats().totals.params
    assert round(params / 1e6) == published(configuration)


@pytest.mark.parametrize("name", [name for name in PARAMETERS if name not in ("lenet5_1998", "mnist")])
def test_classes_can_be_chosen(name: str) -> None:
    network = cnndsl.load(name, classes=7)
    assert network.graph.nodes[network.graph.output].shape.channels == 7


@pytest.mark.parametrize("layer", ["C1", "S2", "C3", "S4", "C5", "F6"])
def test_lenet5_as_published(layer: str) -> None:
    """LeCun et al. 1998, Section II-B, names parameters and connections of each layer.

    A connection is a weight or a bias in use: a convolution has as many as parameters times positions, a subsampling
    unit its four inputs and its bias.
    """
    network = cnndsl.load("lenet5_1998")
    stats = network.stats()
    graph = network.graph
    shape = graph.nodes[graph.modules[layer]].shape if layer in graph.modules else graph.by_path[layer].shape
    params = part_params(stats, layer)
    connections = 5 * shape.numel if layer.startswith("S") else params * prod(shape.spatial)
    assert [params, connections] == published(f"LeNet-5 {layer}")


LECTURE = [
    ("conv1", (55, 55, 96)),
    ("pool1", (27, 27, 96)),
    ("norm1", (27, 27, 96)),
    ("conv2", (27, 27, 256)),
    ("pool2", (13, 13, 256)),
    ("norm2", (13, 13, 256)),
    ("conv3", (13, 13, 384)),
    ("conv4", (13, 13, 384)),
    ("conv5", (13, 13, 256)),
    ("pool3", (6, 6, 256)),
    ("fc6", (4096,)),
    ("fc7", (4096,)),
    ("fc8", (1000,)),
]


@pytest.mark.parametrize(("path", "volume"), LECTURE)
def test_alexnet_volumes_of_the_lecture(path: str, volume: tuple[int, ...]) -> None:
    """CS231n, lecture on architectures: "Full (simplified) AlexNet architecture"."""
    assert cnndsl.load("alexnet_lecture").graph.by_path[path].shape.hwc == volume


def test_what_the_asserts_say_is_tested_here() -> None:
    assert {published("LeNet-5"), PARAMETERS["lenet5_1998"]} == {60_000}
    assert published("AlexNet") == "60 million"
    assert PARAMETERS["alexnet_2012"] // 10**6 == 60
