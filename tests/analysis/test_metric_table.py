"""The one table of metrics, and everybody who reads it: the page, asserts, columns, `diff`, `sweep` and the schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import cnndsl
from cnndsl.analysis.compare import compare
from cnndsl.analysis.execution import unknown
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.report.columns import COLUMNS
from cnndsl.sweeping.sweep import GOALS

DOCS = Path(__file__).parents[2] / "docs"
TEXTS = {"path", "text", "kind", "runs", "bound"}
"""Columns that say what a row is."""


def schema(name: str) -> Any:
    return json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))


def test_the_page_has_this_table() -> None:
    lines = (DOCS / "figures.md").read_text(encoding="utf-8").splitlines()
    start = lines.index("| name | unit | better | of a layer | of a network | what it is |") + 2
    rows = [line.split(" | ") for line in lines[start : lines.index("", start)]]
    assert rows == [
        [
            f"| `{each.name}`",
            each.unit,
            each.better or "-",
            "yes" if each.layer else "-",
            "yes" if each.network else "-",
            f"{each.definition} |",
        ]
        for each in METRICS.values()
    ]


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_definition_is_one_sentence(metric: Any) -> None:
    assert metric.definition[0].isupper() or metric.definition[0] in "`2"
    assert metric.definition.endswith(".")
    assert metric.definition.count(". ") == 0
    assert metric.layer or metric.network


def test_columns_are_its_layers_metrics() -> None:
    assert set(COLUMNS) - TEXTS == {each.name for each in METRICS.values() if each.layer}


def test_diff_and_sweep_have_its_networks_metrics() -> None:
    graph = cnndsl.loads("INPUT 8x8x3 -> CONV3-4").graph
    assert [figure.name for figure in compare(graph, graph, unknown).figures] == list(OF_NETWORKS) == list(GOALS)
    assert {name for name, sign in GOALS.items() if sign < 0} == {"depth", "receptive_field", "output"}


def test_the_schema_of_diff_has_them_with_their_definitions() -> None:
    figures = schema("diff")["properties"]["figures"]
    assert {name: each["description"] for name, each in figures["properties"].items()} == {
        name: METRICS[name].definition for name in OF_NETWORKS
    }
    assert figures["required"] == list(OF_NETWORKS)


def test_the_schema_of_stats_has_them_with_their_definitions() -> None:
    form = schema("stats")
    totals = form["properties"]["totals"]
    assert set(totals["required"]) == {*OF_NETWORKS, "memory_bytes"} - {"output"}
    assert set(totals["properties"]) - set(totals["required"]) == {"receptive_field_at_most"}
    training = form["properties"]["totals_in_training"]
    assert set(training["required"]) == {each.name for each in METRICS.values() if each.forward}
    rows = [form["$defs"][name]["properties"] for name in ("layer", "group")]
    assert all({each.name for each in METRICS.values() if each.layer} <= set(row) for row in rows)
    for properties in (totals["properties"], training["properties"], *rows):
        assert [
            name
            for name in set(properties) & set(METRICS)
            if properties[name]["description"] != METRICS[name].definition
        ] == []


def test_activations_are_without_the_input_everywhere() -> None:
    """8*8*1 values of the convolution; those of the input are no activations."""
    net = cnndsl.loads("net N INPUT 8x8x1 -> CONV3-1\nassert activations == 64")
    assert net.stats().totals.activations == 64
    (figure,) = (each for each in compare(net.graph, net.graph, unknown).figures if each.name == "activations")
    assert figure.before == 64


@pytest.mark.parametrize(
    "contract",
    [
        # CONV3-4 on 8x8x3: 27*4 weights, 4 biases. BN: 4 + 4, and 4 + 4 + 1. GAP: 64 values of 4 channels. FC-2: 8 + 2.
        "biases == 4 + 4 + 2",
        "trainable == params",
        "buffers == 9 and buffer_values == 8",
        "bn.buffers == 9 and conv.buffers == 0",
        "operations == 2*256 + 256",
        "activations == 256 + 256 + 4 + 2",
        "bn.activations == 256",
        # What the lectures sum: the image and every map, none of which is an activation function's.
        "memory == 4*(192 + 256 + 256 + 4 + 2)",
        # Bytes of 112 + 8 + 10 parameters, 8 statistics and a counter of 8 bytes; image, and two maps while BN runs.
        "inference == 4*(130 + 8) + 8 + 4*(192 + 256 + 256)",
        # Kept: the image, BN's input and two vectors, GAP's result for FC, log-probabilities, class, sum of weights.
        "saved == 4*(192 + 256 + 2*4 + 4 + 2) + 8 + 4",
        "bn.saved == 4*2*4",
        "training > saved + 4*130",
        "bn.inference == inference and fc.inference < inference",
    ],
)
def test_new_names_in_asserts(contract: str) -> None:
    cnndsl.loads(f"INPUT 8x8x3 -> conv: CONV3-4 -> bn: BN -> GAP -> fc: FC-2\nassert {contract}")


def test_names_of_the_file_win() -> None:
    cnndsl.loads("net N(buffers=7, training=3)\nlet saved = 5\nINPUT 8x8x3 -> BN\nassert buffers*training*saved == 105")


def test_published_totals_with_buffers() -> None:
    """torchvision has 11,689,512 parameters; 4,800 channels are normalised, each with a mean and a variance,
    in 20 normalisations, each with a counter."""
    totals = cnndsl.load("resnet18").stats().totals
    assert (totals.params, totals.buffer_values, totals.buffers) == (11_689_512, 2 * 4_800, 2 * 4_800 + 20)
