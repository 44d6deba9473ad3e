"""Groups: every layer in one of them, repeats in one row."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.groups import By, Group, grouped, stages, unfolded

RESIDUAL = """
block Basic(c, s=1) = (conv1: CONV3-c/s -> RELU -> conv2: CONV3-c + ID or down: CONV1-c/s) -> RELU
INPUT 32x32x3 -> stem: CONV3-16
-> layer1: [Basic(16)*3] -> layer2: [Basic(32, 2) -> Basic(32)] -> MUL(ID, GAP -> FC-32 -> SIGMOID) -> GAP -> fc: FC-10
"""
ALL: list[By] = ["block", "stage", "kind"]


def leaves(group: Group) -> list[int]:
    return [at for part in group.parts for at in leaves(part)] if group.parts else list(group.nodes)


@pytest.mark.parametrize("by", ALL)
@pytest.mark.parametrize("name", ["vgg16", "lenet5_1998", RESIDUAL])
def test_every_layer_is_in_one_group(name: str, by: By) -> None:
    graph = (cnndsl.loads if "\n" in name else cnndsl.load)(name).graph
    groups = grouped(graph, by)
    assert sorted(at for group in groups for at in group.nodes) == list(range(1, len(graph)))
    assert all(sorted(leaves(group)) == sorted(group.nodes) for group in groups)


def test_a_repeat_is_one_row() -> None:
    rows = [
        (level, row.path, row.title, row.times)
        for level, row in unfolded(grouped(cnndsl.loads(RESIDUAL).graph, "block"), 1)
    ]
    assert rows == [
        (0, "stem", "CONV3-16", 1),
        (0, "layer1", "Basic(16, 1)", 3),
        (0, "layer2", "layer2", 1),
        (0, "gap1", "GAP", 1),
        (0, "fc1", "FC-32", 1),
        (0, "sigmoid", "SIGMOID", 1),
        (0, "mul", "MUL", 1),
        (0, "gap2", "GAP", 1),
        (0, "fc", "FC-10", 1),
    ]


def test_a_repeat_can_be_opened() -> None:
    _, layer1, layer2, *_ = grouped(cnndsl.loads(RESIDUAL).graph, "block")
    assert [part.path for part in layer1.parts] == ["layer1.0", "layer1.1", "layer1.2"]
    assert [part.title for part in layer2.parts] == ["Basic(32, 2)", "Basic(32, 1)"]


def test_a_gate_belongs_to_the_stage_of_its_map() -> None:
    graph = cnndsl.loads(RESIDUAL).graph
    stage = dict(zip((node.path for node in graph.nodes), stages(graph), strict=True))
    assert (stage["layer1.0.conv1"], stage["layer2.0.conv1"], stage["fc1"]) == ("32x32", "16x16", "16x16")
    assert (stage["gap2"], stage["fc"]) == ("vector", "vector")


def test_kinds() -> None:
    counts = {group.title: len(group.nodes) for group in grouped(cnndsl.load("vgg16").graph, "kind")}
    assert counts == {"CONV": 13, "RELU": 15, "POOL": 5, "AVGPOOL": 1, "FC": 3, "DROPOUT": 2}


def test_arguments_are_shown_as_a_call_has_them() -> None:
    text = "block Act(c, nl, p=2) = CONV3-c -> nl -> POOL2(pad=p) INPUT 32x32x3 -> Act(8, RELU, 1) -> FC-10"
    group, _ = grouped(cnndsl.loads(text).graph, "block")
    assert group.title == "Act(8, RELU, 1)"
