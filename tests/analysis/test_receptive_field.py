"""Receptive fields: against published figures, and against the support of input gradients."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import cnndsl
from cnndsl.analysis.receptive_field import Field, disagreements, last_map, receptive_fields
from cnndsl.graph import Graph
from tests.analysis.measuring import live, make_transparent, support
from tests.analysis.nets import NETS

REFERENCE = Path(__file__).parent.parent / "reference"
TORCHVISION: dict[str, Any] = json.loads((REFERENCE / "torchvision.json").read_text(encoding="utf-8"))["nets"]
PUBLISHED: list[dict[str, Any]] = json.loads(
    (REFERENCE / "receptive_field_published.json").read_text(encoding="utf-8")
)["rows"]

# The path here of each end point there.
PLACES = {
    "vgg_a": ("vgg11", {"1_1": 0, "pool1": 2, "2_1": 3, "pool2": 5, "3_1": 6, "3_2": 8, "pool3": 10, "4_1": 11}
              | {"4_2": 13, "pool4": 15, "5_1": 16, "5_2": 18, "pool5": 20}),
    "vgg_16": ("vgg16", {"1_1": 0, "pool1": 4, "2_1": 5, "pool2": 9, "3_1": 10, "3_2": 12, "pool3": 16, "4_1": 17}
               | {"4_2": 19, "pool4": 23, "5_1": 24, "5_2": 26, "pool5": 30}),
}  # fmt: skip


def fields_of(graph: Graph, start: int = 0) -> dict[str, Field]:
    fields = receptive_fields(graph, start)
    return {node.path: field for node, field in zip(graph.nodes, fields, strict=True) if field}


@pytest.mark.parametrize("name", [name for name in TORCHVISION if name in cnndsl.zoo()])
def test_the_last_map_sees_what_was_measured(name: str) -> None:
    graph = cnndsl.load(name).graph
    fields = receptive_fields(graph)
    field = fields[last_map(graph, fields)]
    assert field is not None
    wanted = TORCHVISION[name]["receptive_field"]
    assert field.local.size == (wanted["rf"],) * 2
    assert field.local.stride == (wanted["stride"],) * 2
    assert field.local.padding == (wanted["pad"],) * 2
    assert field.local.aligned


@pytest.mark.parametrize("row", [row for row in PUBLISHED if row["cnn"] in PLACES], ids=lambda row: row["end_point"])
def test_published_end_points(row: dict[str, Any]) -> None:
    name, places = PLACES[row["cnn"]]
    end_point = row["end_point"].rpartition("/")[2].removeprefix("conv")
    field = fields_of(cnndsl.load(name).graph)[f"features.{places[end_point]}"]
    assert (field.size[0], field.stride[0], field.padding[0]) == (row["rf"], row["stride"], row["padding"])


def test_published_inception() -> None:
    fields = fields_of(cnndsl.load("inception_v3").graph)
    for row in PUBLISHED:
        if row["cnn"] != "inception_v3" or "MaxPool" in row["end_point"]:
            continue
        (path,) = [path for path in (row["end_point"], f"{row['end_point']}.concat") if path in fields][:1] or [
            max(path for path in fields if path.startswith(f"{row['end_point']}."))
        ]
        field = fields[path]
        assert (field.size[0], field.stride[0], field.padding[0]) == (row["rf"], row["stride"], row["padding"]), path


@pytest.mark.parametrize("name", ["residual", "dense", "inception", "unet", "signal", "volume", "alexnet_lecture"])
def test_the_field_is_the_support_of_the_input_gradient(name: str) -> None:
    """In double precision, so that no gradient is lost; where units see all of the input, in the middle of it."""
    graph = (cnndsl.loads(NETS[name]) if name in NETS else cnndsl.load(name)).graph
    network, _ = live(graph, 1, "cpu")
    seen: dict[str, torch.Tensor] = {}
    for path, child in network.named_modules():
        child.register_forward_hook(lambda _m, _i, output, path=path: seen.update({path: output}))
    network.double().eval()
    make_transparent(network)
    for path, child in network.named_modules():
        child.register_forward_hook(lambda _m, _i, output, path=path: seen.update({path: output}))
    x = torch.ones(1, graph.input.channels, *graph.input.spatial, dtype=torch.float64, requires_grad=True)
    network(x)
    checked = 0
    for node, field in zip(graph.nodes, receptive_fields(graph), strict=True):
        if node.path not in seen or field is None or field.whole or not node.shape.rank or node.training_only:
            continue
        for share in (0, Fraction(1, 3), Fraction(1, 2)):
            unit = tuple(int(extent * share) for extent in node.shape.spatial)
            value = seen[node.path][(0, 0, *unit)]
            box = [(max(0, a), min(e - 1, b)) for (a, b), e in zip(field.box(unit), graph.input.spatial, strict=True)]
            assert support(x, value) == tuple(box), (node.path, unit)
            checked += 1
    assert checked > 10
