"""`cnndsl stats`: gathering, sorting, columns, the memory of a batch. Layouts of formats are tested in `report`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from cnndsl import loads
from tests.commands.running import data, run, table

REFERENCE = Path(__file__).parents[1] / "reference"

RESIDUAL = """net Small
block Basic(c) = (conv1: CONV3-c(bias=no) -> RELU -> conv2: CONV3-c(bias=no) + ID) -> RELU
INPUT 8x8x4 -> layer1: [Basic(4)*3] -> GAP -> fc: FC-10(bias=no)
"""
# By hand: each CONV3-4 has 3*3*4*4 = 144 weights and 64*144 = 9216 multiply-adds; FC-10 has 40 of both. A Basic has
# CONV, RELU, CONV, the sum and RELU, each of 8*8*4 = 256 values.


def rows(*arguments: str) -> list[dict[str, str]]:
    result = run("stats", "-", "--format", "csv", *arguments, stdin=RESIDUAL)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


# Groups


def test_a_repeat_is_one_row() -> None:
    layer1, gap, fc = rows("--depth", "1")
    assert (layer1["path"], layer1["text"], layer1["layers"]) == ("layer1", "Basic(4) x3", "15")
    assert (layer1["params"], layer1["macs"]) == (str(6 * 144), str(6 * 9216))
    assert layer1["activations"] == str(15 * 256)
    # Three blocks of two convolutions: 1 + 6*2.
    assert (layer1["output"], layer1["receptive_field"]) == ("8x8x4", "13")
    assert (gap["layers"], fc["params"]) == ("1", "40")


def test_depth_opens_groups() -> None:
    assert [(row["level"], row["path"]) for row in rows("--depth", "2")] == [
        ("0", "layer1"),
        ("1", "layer1.0"),
        ("1", "layer1.1"),
        ("1", "layer1.2"),
        ("0", "gap"),
        ("0", "fc"),
    ]
    assert len(rows("--depth", "3")) == 3 + 3 + 15


@pytest.mark.parametrize("format", ["table", "markdown", "html", "csv", "latex"])
def test_a_row_without_a_path_is_called_by_its_first_and_last_part(format: str) -> None:
    """Neither a repeat nor an iteration has a name; the column of layers, which tells them apart, may be left out."""
    program = "INPUT 4 -> s: [[FC-4 -> RELU]*2 -> FC-5]*2 -> [FC-4 -> RELU]*2 -> FC-3"
    text = run("stats", "-", "--depth", "3", "--columns", "path,params", "--format", format, stdin=program).stdout
    # In turn: s, five layers and five more; then two of two layers.
    names = (
        "s.0 … 4",
        "s.0 … 3",
        "s.4",
        "s.5 … 9",
        "s.5 … 8",
        "s.9",
        "fc1 … relu2",
        "fc1 … relu1",
        "fc2 … relu2",
        "fc3",
    )
    places = [text.find(name.replace("…", r".\,.\,.") if format == "latex" else name) for name in names]
    assert -1 not in places
    assert places == sorted(places)


@pytest.mark.parametrize("by", ["block", "stage", "kind"])
def test_groups_have_what_their_layers_have(by: str) -> None:
    for name in ("params", "macs", "activations", "operations", "layers"):
        assert sum(int(row[name]) for row in rows("--by", by)) == sum(
            int(row[name]) if name != "layers" else 1
            for row in rows("--columns", "params,macs,activations,operations,path")
        )


def test_by_stage_and_by_kind() -> None:
    assert [(row["path"], row["layers"]) for row in rows("--by", "stage")] == [("8x8", "15"), ("vector", "2")]
    kinds = {row["path"]: row for row in rows("--by", "kind")}
    assert {kind: row["layers"] for kind, row in kinds.items()} == {
        "CONV": "6",
        "RELU": "6",
        "ADD": "3",
        "GAP": "1",
        "FC": "1",
    }
    assert kinds["CONV"]["output"] == ""


def test_groups_in_json_come_beside_the_layers() -> None:
    found = data("stats", "-", "--depth", "2", stdin=RESIDUAL)
    assert len(found["layers"]) == 17
    layer1 = found["groups"][0]
    assert (layer1["text"], layer1["times"], layer1["layers"], layer1["params"]) == ("Basic(4)", 3, 15, 864)
    assert [part["path"] for part in layer1["parts"]] == ["layer1.0", "layer1.1", "layer1.2"]
    assert "parts" not in layer1["parts"][0]
    assert found["groups"][2]["output"] == [10]


def test_the_html_page_holds_all_levels_and_opens_those_asked_for() -> None:
    page = run("stats", "-", "--depth", "2", "--format", "html", stdin=RESIDUAL).stdout
    assert page.count("<tr data-level=") == 3 + 3 + 15
    assert page.count('data-open="yes"') == 1
    assert page.count('data-open="no"') == 3


# Columns and order


def test_columns() -> None:
    lines = table("stats", "-", "--columns", "path,biases,flops,kind", stdin=RESIDUAL)
    assert lines[2] == ["name", "biases", "flops", "kind"]
    assert lines[4] == ["layer1.0.conv1", "-", "18.4K", "CONV"]


def test_further_columns_come_on_top_in_json() -> None:
    found = data("stats", "-", "--columns", "padding,operations,biases", stdin=RESIDUAL)
    first = found["layers"][0]
    assert {"padding": 1, "operations": 0, "biases": 0, "params": 144}.items() <= first.items()


def test_sorting() -> None:
    by_params = [row["path"] for row in rows("--by", "kind", "--sort", "-params")]
    assert by_params[:2] == ["CONV", "FC"]
    amounts = [int(row["macs"]) for row in rows("--sort", "macs")]
    assert amounts == sorted(amounts)


def test_names_are_sorted_with_their_numbers() -> None:
    net = "INPUT 4x4x1 -> " + " -> ".join(["RELU"] * 11)
    names = [line[0] for line in table("stats", "-", "--sort", "path", stdin=net)[4:15]]
    assert names == [str(at) for at in range(11)]


def test_groups_are_sorted_level_by_level() -> None:
    assert [row["path"] for row in rows("--depth", "2", "--sort", "-receptive_field")] == [
        "layer1",
        "layer1.2",
        "layer1.1",
        "layer1.0",
        "gap",
        "fc",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--columns", "prams"), "there is no column 'prams'; did you mean `params`?"),
        (("--sort", "-macks"), "there is no column 'macks'; did you mean `macs`?"),
        (("--sort", "params,macs"), "--sort takes one column, not 'params,macs'; write --sort params"),
        (("--columns", "name"), "there is no column 'name'; did you mean `path`?"),
        (("--columns", "path,multiply-adds"), "there is no column 'multiply-adds'; did you mean `macs`?"),
        (("--sort", "-in training"), "there is no column 'in training'; did you mean `training`?"),
        (("--format", "lecture", "--batch", "8"), "the lecture's table is as it is"),
        (("--by", "layer"), "--by must be block, stage or kind, not 'layer'"),
        (("--depth", "0"), "--levels must be a whole number, 1 or more, not '0'"),
        (("--batch", "0"), "--batch must be a whole number, 1 or more, not '0'"),
        (("--format", "lecture", "--depth", "1"), "the lecture's table is as it is"),
    ],
)
def test_what_is_no_layout_is_a_misuse(arguments: tuple[str, ...], message: str) -> None:
    result = run("stats", "-", *arguments, stdin=RESIDUAL)
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.html", "<!doctype html>"), ("a.TEX", "% Small"), ("a.md", "## Small"), ("a.csv", "path,"), ("a.txt", "Small")],
)
def test_the_name_of_a_file_chooses_the_format(name: str, begins: str) -> None:
    result = run("stats", "-", "-o", name, stdin=RESIDUAL)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"wrote {name}\n")
    assert Path(name).read_text(encoding="utf-8").startswith(begins)
    assert run("stats", "-", "-f", "-o", name, "--format", "json", stdin=RESIDUAL).exit_code == 0
    assert Path(name).read_text(encoding="utf-8").startswith("{")


# Memory


def test_a_batch_adds_memory() -> None:
    # FC-2 on 4 values without bias: 8 weights. A batch of 3: 12 values in, 6 out, 4 bytes each.
    found = data("stats", "-", "--batch", "3", "--optimizer", "adam", stdin="INPUT 4 -> FC-2(bias=no)")
    memory = found["memory"]
    assert (memory["parameters"], memory["gradients"], memory["optimizer_state"]) == (32, 32, 64)
    assert memory["inference_peak"] == {"bytes": 4 * (8 + 12 + 6), "phase": "forward", "path": "0"}
    # Kept: the images, their classes (8 bytes each), the log-probabilities, and the sum of weights.
    assert memory["saved"] == 4 * 12 + 3 * 8 + 4 * 6 + 4
    # Three storages of 512 bytes: images, weights, output.
    assert memory["cuda_allocator_estimate"]["inference_peak"] == 3 * 512
    assert found["layers"][0]["inference"] == 4 * (8 + 12 + 6)


def test_bytes_kept_are_those_that_were_measured() -> None:
    text = (REFERENCE / "saved_for_backward.json").read_text(encoding="utf-8")
    for row in json.loads(text)["nets"]:
        if row["net"] == "resnet50":
            memory = data("stats", "resnet50", "--batch", str(row["batch"]))["memory"]
            assert memory["saved"] == row["total_unique"]


def test_kept_bytes_of_layers_and_of_the_input_are_the_total() -> None:
    memory = loads(RESIDUAL).stats(5).memory
    assert memory is not None
    assert sum(load.saved for load in memory.loads) == memory.saved
    assert max(load.training for load in memory.loads) == memory.training.bytes


def test_types_and_devices() -> None:
    halves = [data("stats", "-", "--dtype", dtype, stdin=RESIDUAL)["memory"] for dtype in ("fp32", "fp16")]
    assert halves[0]["parameters"] == 2 * halves[1]["parameters"] == 4 * (6 * 144 + 40)
    dropout = "INPUT 8 -> FC-100 -> DROPOUT -> FC-2"
    kept = [data("stats", "-", "--device", device, stdin=dropout)["memory"]["saved"] for device in ("cpu", "cuda")]
    assert kept[0] - kept[1] == 3 * 100


def test_the_table_of_a_batch_says_what_is_an_estimate() -> None:
    text = run("stats", "-", "--batch", "2", stdin=RESIDUAL).stdout
    assert "a batch             2 images in fp32, trained with sgd, on a CPU" in text
    assert "an estimate of CUDA's caching allocator" in text
    assert "not modelled" in text
    assert text.splitlines()[2].split()[-5:] == "at inference saved in training".split()


def test_memory_columns_imply_a_batch_of_one() -> None:
    lines = table("stats", "-", "--columns", "path,saved", "--sort", "-saved", stdin="INPUT 4 -> FC-2(bias=no)")
    assert lines[3] == ["input", "24B"]


def test_a_parameter_that_is_a_layer_type_is_titled_by_its_name() -> None:
    net = "net Net(act=RELU, n=4)\nINPUT 8x8x3 -> CONV3-n -> act"
    for command in (("stats",), ("rf",), ("fit", "--memory", "1GiB")):
        title = run(command[0], "-", *command[1:], stdin=net).stdout.splitlines()[0]
        assert title.startswith("Net (act=RELU, n=4)")


def test_a_batch_in_python() -> None:
    net = loads(RESIDUAL)
    assert net.stats().memory is None
    only = net.stats(optimizer="adam").memory
    assert only is not None
    assert (only.plan.batch, only.plan.dtype, only.plan.device) == (1, "fp32", "cpu")
    with pytest.raises(ValueError, match="at least one image"):
        net.stats(0)
    assert net.stats(2).render(by="kind", columns=["path", "params"]).splitlines()[2].split() == ["name", "params"]


def test_a_receptive_field_that_is_a_bound_says_so() -> None:
    net = "INPUT 5000x1 -> (ID | POOL(out=2) -> UPSAMPLE(out=5000, mode=linear, align=yes)) -> a: CONV1-1"
    assert "receptive field  at most 5000 of 5000, at the last map" in run("stats", "-", stdin=net).stdout
    found = data("stats", "-", stdin=net)
    assert found["totals"]["receptive_field_at_most"] is True
    assert [layer.get("receptive_field_at_most") for layer in found["layers"]] == [None, True, True, True]
    shown = run("stats", "-", "--format", "csv", "--columns", "path,receptive_field,local", stdin=net).stdout
    assert list(csv.reader(io.StringIO(shown)))[-1] == ["a", "at most 5000", "at most 5000"]
