"""`cnndsl stats` where some layers exist in training only: these are marked, and rows add up to totals."""

from __future__ import annotations

import csv
import io
from math import prod

import pytest

from tests.bundled import ZOO
from tests.commands.running import data, run

TAPPED = (
    "net T INPUT 8x8x3 -> a: CONV3-4 -> tap aux(train): [GAP -> FC-5] -> b: [RELU -> tap late(train): RELU] -> fc: FC-2"
)
# By hand. CONV3-4: 64*27*4 multiply-adds, 256 values. GAP: 256 operations, 4 values. FC-5: 20 multiply-adds, 5 values.
# RELU: 256 operations and values, and the late one as many. FC-2: 256*2 multiply-adds, 2 values.
USED = {"macs": 6912 + 512, "operations": 256, "activations": 256 + 256 + 2}
TRAINED = {"macs": 6912 + 20 + 512, "operations": 256 + 256 + 256, "activations": 256 + 4 + 5 + 256 + 256 + 2}


def rows(*arguments: str, stdin: str | None = TAPPED) -> list[dict[str, str]]:
    result = run("stats", *arguments, "--format", "csv", stdin=stdin)
    assert result.exit_code == 0, result.output
    return list(csv.DictReader(io.StringIO(result.stdout)))


def test_both_sums_are_shown() -> None:
    lines = run("stats", "-", stdin=TAPPED).stdout.splitlines()
    assert "multiply-adds    7.42K per image (14.8K flops); 7.44K in training (14.9K flops)" in lines
    assert "operations       256 per image; 768 in training" in lines
    assert "activations      514 per image; 779 in training" in lines


def test_the_json_has_both_and_marks_layers() -> None:
    found = data("stats", "-", "--by", "block", stdin=TAPPED)
    assert USED.items() <= found["totals"].items()
    assert TRAINED.items() <= found["totals_in_training"].items()
    assert {each["path"] for each in found["layers"] if each.get("training_only")} == {"aux.0", "aux.1", "b.late"}
    assert {each["path"] for each in found["groups"] if each.get("training_only")} == {"aux"}


def test_layers_and_groups_are_marked() -> None:
    assert [row["runs"] for row in rows("-")] == ["always", "training", "training", "always", "training", "always"]
    groups = {row["path"]: row["runs"] for row in rows("-", "--by", "block")}
    assert groups == {"a": "always", "aux": "training", "b": "mixed", "fc": "always"}
    assert "runs" not in rows("-", stdin="INPUT 8x8x3 -> CONV3-4")[0]
    assert rows("-", "--columns", "path,runs", stdin="INPUT 8x8x3 -> CONV3-4")[0]["runs"] == "always"


@pytest.mark.parametrize("by", [(), ("--by", "block"), ("--by", "kind"), ("--by", "stage")])
def test_rows_add_up_to_the_totals_in_training(by: tuple[str, ...]) -> None:
    found = rows("-", *by, "--columns", "macs,operations,activations")
    assert {name: sum(int(row[name]) for row in found) for name in TRAINED} == TRAINED


@pytest.mark.parametrize("name", ZOO)
def test_rows_of_the_zoo_add_up(name: str) -> None:
    found = data("stats", name, "--columns", "flops,operations,memory,biases,trainable,buffers,buffer_values")
    every, used = found["layers"], [row for row in found["layers"] if not row.get("training_only")]
    # The lectures' memory has a row for each input, which is no layer.
    inputs = {"memory": 4 * sum(prod(each["shape"]) for each in found.get("inputs", [{"shape": found["input"]}]))}
    for metric, value in found["totals_in_training"].items():
        assert sum(row[metric] for row in every) + inputs.get(metric, 0) == value
        assert sum(row[metric] for row in used) + inputs.get(metric, 0) == found["totals"][metric]
    for metric in ("params", "weights", "biases", "trainable", "buffers", "buffer_values"):
        assert sum(row[metric] for row in every) == found["totals"][metric]


def test_the_lectures_table_marks_them_too() -> None:
    lines = run("stats", "-", "--format", "lecture", stdin=TAPPED).stdout.splitlines()
    # The image, CONV, and FC-2; in training GAP and FC-5 as well.
    assert [line for line in lines if line.startswith("TOTAL memory")] == [
        f"TOTAL memory: {192 + 256 + 2} * 4 bytes ~= 1.8KB / image (only forward! ~*2 for bwd)",
        f"TOTAL memory in training: {192 + 256 + 4 + 5 + 2} * 4 bytes ~= 1.84KB / image (only forward! ~*2 for bwd)",
    ]
    assert [line.partition(":")[0] for line in lines if line.endswith("(in training only)")] == ["GAP", "FC"]


def test_the_rule_of_thumb_is_the_lectures_alone() -> None:
    for form in ("table", "markdown", "html", "latex"):
        text = run("stats", "resnet50", "--format", form).stdout
        assert "about twice" not in text
        assert "112MB" not in text


def test_without_a_batch_the_peaks_are_those_of_one_image() -> None:
    """What `stats` says of memory is what it says of a batch of one."""
    short, long = data("stats", "resnet50"), data("stats", "resnet50", "--batch", "1")
    names = ("inference", "saved", "training")
    assert [short["totals"][name] for name in names] == [long["totals"][name] for name in names]
    assert long["totals"]["inference"] == long["memory"]["inference_peak"]["bytes"]
    assert long["totals"]["training"] == long["memory"]["training_peak"]["bytes"]
    assert max(row["training"] for row in long["layers"]) == long["totals"]["training"]
    # The values of FC-4, which RELU overwrites, and which the next layer reads.
    assert data("stats", "-", "--columns", "saved", stdin="INPUT 8 -> FC-4 -> RELU -> FC-2")["layers"][0]["saved"] == 16
