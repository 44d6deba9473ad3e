"""Groups: every layer in one of them, repeats in one row."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.groups import By, RowGroup, grouped, stages, unfolded

RESIDUAL = """
block Basic(c, s=1) = (conv1: CONV3-c/s -> RELU -> conv2: CONV3-c + ID or down: CONV1-c/s) -> RELU
INPUT 32x32x3 -> stem: CONV3-16
-> layer1: [Basic(16)*3] -> layer2: [Basic(32, 2) -> Basic(32)] -> MUL(ID, GAP -> FC-32 -> SIGMOID) -> GAP -> fc: FC-10
"""
ALL: list[By] = ["block", "stage", "kind"]


def leaves(group: RowGroup) -> list[int]:
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
    stage = dict(zip((node.path for node in graph.nodes), stages(graph).values(), strict=True))
    assert (stage["layer1.0.conv1"], stage["layer2.0.conv1"], stage["fc1"]) == ("32x32", "16x16", "16x16")
    assert (stage["gap2"], stage["fc"]) == ("vector", "vector")


def test_kinds() -> None:
    counts = {group.title: len(group.nodes) for group in grouped(cnndsl.load("vgg16").graph, "kind")}
    assert counts == {"CONV": 13, "RELU": 15, "POOL": 5, "AVGPOOL": 1, "FC": 3, "DROPOUT": 2}


def test_arguments_are_shown_as_a_call_has_them() -> None:
    text = "block Act(c, nl, p=2) = CONV3-c -> nl -> POOL2(pad=p) INPUT 32x32x3 -> Act(8, RELU, 1) -> FC-10"
    group, _ = grouped(cnndsl.loads(text).graph, "block")
    assert group.title == "Act(8, RELU, 1)"


def rows(text: str, depth: int | None = None) -> list[tuple[int, str, str, int, int]]:
    """Level, path, title, turns and number of layers of each row."""
    groups = grouped(cnndsl.loads(f"INPUT 32x32x3 -> {text}" if "INPUT" not in text else text).graph, "block")
    return [(level, row.path, row.title, row.times, len(row.nodes)) for level, row in unfolded(groups, depth)]


@pytest.mark.parametrize(
    ("chain", "title", "times", "layers"),
    [
        ("[CONV3-8 -> RELU]*2", "CONV3-8 -> RELU", 2, 4),
        ("[CONV3-8 -> BN -> RELU]*2", "CONV3-8 -> BN -> RELU", 2, 6),
        ("[CONV3-8 -> BN -> RELU -> POOL2]*2", "CONV3-8 -> … -> POOL2", 2, 8),
        ("[CONV3-{8*i}]*3", "CONV3-8 … CONV3-24", 3, 3),
        ("[CONV3-8]*3", "CONV3-8", 3, 3),
        ("[CONV3-8]*1", "CONV3-8", 1, 1),
    ],
)
def test_titles_of_repeats(chain: str, title: str, times: int, layers: int) -> None:
    assert rows(f"{chain} -> FC-2", 1)[0][2:] == (title, times, layers)


def test_rows_of_a_repeat_that_is_opened() -> None:
    opened = rows("a: [CONV3-8 -> RELU]*2 -> FC-2")
    assert [(level, title, times) for level, _, title, times, _ in opened] == [
        (0, "CONV3-8 -> RELU", 2),
        (1, "CONV3-8 -> RELU", 1),
        (2, "CONV3-8", 1),
        (2, "RELU", 1),
        (1, "CONV3-8 -> RELU", 1),
        (2, "CONV3-8", 1),
        (2, "RELU", 1),
        (0, "FC-2", 1),
    ]
    assert opened[0][1] == "a"
    assert [level for level, *_ in rows("a: [CONV3-8 -> RELU]*2 -> FC-2", 2)] == [0, 1, 1, 0]


def test_nothing_is_a_row_of_nothing() -> None:
    assert [title for _, _, title, _, _ in rows("[CONV3-8]*0 -> a: [RELU]*0 -> FC-2")] == ["FC-2"]


def test_blocks_without_arguments_and_taps() -> None:
    text = "block B = CONV3-8 -> RELU INPUT 32x32x3 -> b: B -> tap side: [GAP -> FC-2] -> FC-4"
    assert [row[1:] for row in rows(text, 1)] == [("b", "B", 1, 2), ("side", "side", 1, 2), ("fc", "FC-4", 1, 1)]


def test_branches_are_rows_ahead_of_their_merge() -> None:
    assert [title for _, _, title, _, _ in rows("(CONV3-8 -> RELU | CONV1-8) -> FC-2")] == [
        "CONV3-8",
        "RELU",
        "CONV1-8",
        "|",
        "FC-2",
    ]


def test_choices_are_what_was_chosen() -> None:
    assert [title for _, _, title, _, _ in rows("CONV3-8 -> (CONV1-8 + ID or CONV1-8) -> BN?")] == [
        "CONV3-8",
        "CONV1-8",
        "+",
        "BN",
    ]


def test_stages_are_extents_in_order() -> None:
    graph = cnndsl.loads("INPUT 8x6x3 -> c: CONV3-4 -> POOL2 -> CONV3-4 -> GAP -> FLATTEN -> FC-2").graph
    groups = grouped(graph, "stage")
    assert [(group.title, len(group.nodes)) for group in groups] == [("8x6", 1), ("4x3", 2), ("vector", 3)]
    assert [part.title for part in groups[1].parts] == ["POOL2", "CONV3-4"]
    assert [part.path for part in groups[0].parts] == ["c"]


def test_a_gate_that_several_read_is_of_the_largest() -> None:
    graph = cnndsl.loads(
        "INPUT 8x8x4 -> p: CONV3-4 -> g: GAP -> (MUL(ID, @p) -> POOL2 -> GAP | MUL(ID, GMP)) -> FC-2"
    ).graph
    stage = dict(zip((node.path for node in graph.nodes), stages(graph).values(), strict=True))
    assert (stage["p"], stage["g"]) == ("8x8", "8x8")
