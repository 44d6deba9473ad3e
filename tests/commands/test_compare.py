"""`cnndsl compare`: each row has the values that `stats` and `fit` print of that network alone."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

import cnndsl
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.catalogue import COMPARED, FACTS
from tests.commands.running import DOCS, data, run, table

TEN = (
    *("lenet5", "alexnet", "vgg11", "resnet18", "mobilenet_v2"),
    *("squeezenet1_0", "googlenet", "unet", "densenet121", "shufflenet_v2_x1_0"),
)
FAMILY = "net F(n in {1, 2, 9}, wide=no)\nINPUT 8x8x3 -> [CONV3-4 -> RELU -> POOL2]*n -> FC-2"
METRICS_OF_STATS = ("params", "macs", "operations", "activations", "inference", "saved", "training", "depth")


def totals(name: str, *options: str) -> dict[str, int]:
    """What `stats` has of a network."""
    return data("stats", name, "--columns", "params,inference", *options)["totals"]


def rows(*arguments: str) -> list[dict[str, str]]:
    """The rows of the CSV."""
    return list(csv.DictReader(io.StringIO(run("compare", *arguments, "--format", "csv").stdout)))


@pytest.mark.parametrize("options", [(), ("--batch", "8", "--dtype", "amp", "--optimizer", "adam", "--device", "cuda")])
def test_each_row_has_the_totals_of_stats(options: tuple[str, ...]) -> None:
    found = data("compare", *TEN, *options)
    assert [row["name"] for row in found] == list(TEN)
    expected = {name: totals(name, *options) for name in TEN}
    for row in found:
        assert {name: row[name] for name in METRICS_OF_STATS} == {
            name: expected[row["name"]][name] for name in METRICS_OF_STATS
        }
        assert row["receptive_field"] == expected[row["name"]]["receptive_field"]


def test_csv_and_markdown_have_all_digits() -> None:
    expected = {name: totals(name) for name in TEN}
    columns = ("params", "macs", "training")
    for row in rows(*TEN, "--columns", ",".join(columns)):
        assert {name: row[name] for name in columns} == {name: str(expected[row["name"]][name]) for name in columns}
    run("compare", *TEN, "--columns", "params,macs", "-o", "nets.md")
    lines = Path("nets.md").read_text("utf-8").splitlines()
    assert lines[0] == "| name | params | macs |"
    for name, line in zip(TEN, lines[2:], strict=True):
        shown = name.replace("_", r"\_")
        assert line == f"| {shown} | {expected[name]['params']:,} | {expected[name]['macs']:,} |"


def test_latex_has_one_unit_for_a_column() -> None:
    run("compare", "vgg16", "resnet50", "--columns", "params", "-o", "nets.tex")
    text = Path("nets.tex").read_text("utf-8")
    assert r"\label{tab:networks}" in text
    # Simonyan & Zisserman 2014 and torchvision: 138,357,544 and 25,557,032 parameters.
    assert r"vgg16 & 138.36 \\" in text
    assert r"resnet50 & 25.56 \\" in text


def test_bars_are_beside_the_sorted_column() -> None:
    head, *lines = run("compare", "vgg16", "resnet50", "--columns", "params,depth", "--sort", "params").stdout.split(
        "\n"
    )
    assert head.split() == ["name", "params", "depth"]
    assert [line.split()[0] for line in lines[:2]] == ["resnet50", "vgg16"]
    assert lines[1].split() == ["vgg16", "138M", "█" * 16, "16"]
    # 25,557,032 / 138,357,544 of 16 characters is 2.96.
    assert lines[0].split() == ["resnet50", "25.6M", "███", "50"]
    assert "█" not in run("compare", "vgg16", "resnet50", "--columns", "params").stdout


def test_where_sort_and_pareto() -> None:
    everyone = data("compare", *TEN)
    small = data("compare", *TEN, "--where", "params < 10M and depth >= 10", "--sort", "-macs")
    expected = [row for row in everyone if row["params"] < 10_000_000 and row["depth"] >= 10]
    assert small == sorted(expected, key=lambda row: -row["macs"])
    front = data("compare", *TEN, "--pareto", "params,top1")
    known = [row for row in everyone if row["top1"] is not None]
    best = [
        row
        for row in known
        if not any(
            other["params"] <= row["params"]
            and other["top1"] >= row["top1"]
            and (other["params"], other["top1"]) != (row["params"], row["top1"])
            for other in known
        )
    ]
    assert front == best
    assert len(best) < len(known)


def test_a_gpu() -> None:
    step = ("--gpu", "h100", "--batch", "64", "--dtype", "amp")
    columns = ("--columns", "time,largest_batch,fits")
    for row in data("compare", "resnet50", "vgg16", *step, *columns):
        alone = json.loads(run("fit", row["name"], "--gpu", "h100", "--dtype", "amp", "--format", "json").stdout)
        assert row["largest_batch"] == alone["batch"]
        assert row["fits"] is True
        stats = cnndsl.load(row["name"]).stats(64, dtype="amp", gpu="h100")
        assert stats.roofline is not None
        assert row["time"] == stats.roofline.total.seconds
    (row,) = data("compare", "vgg16", "--gpu", "t4", "--batch", "4096", "--training", "--optimizer", "adam", *columns)
    fit = ("fit", "vgg16", "--gpu", "t4", "--training", "--optimizer", "adam", "--format", "json")
    assert row["largest_batch"] == json.loads(run(*fit).stdout)["batch"]
    assert row["fits"] is False
    assert data("compare", "vgg16", "--gpu", "t4", "--batch", "4096", "--training", "--where", "fits == yes") == []


def test_memory_of_a_gpu_is_that_of_stats() -> None:
    (row,) = data("compare", "resnet18", "--gpu", "h100", "--batch", "8")
    assert row["training"] == totals("resnet18", "--gpu", "h100", "--batch", "8")["training"]


def test_invalid_files_do_not_hide_the_others() -> None:
    Path("bad.cnn").write_text("INPUT 8x8x3 -> CONV9-4(pad=0) -> FC-2")
    result = run("compare", "lenet5", "bad.cnn", "missing.cnn", "vgg11", "--columns", "params", "--format", "csv")
    assert result.exit_code == 1
    assert [line.split(",")[0] for line in result.stdout.splitlines()] == ["name", "lenet5", "vgg11"]
    assert "bad.cnn:1:16" in result.stderr
    assert "missing.cnn" in result.stderr
    nothing = run("compare", "bad.cnn")
    assert (nothing.exit_code, nothing.stdout) == (1, "")


def test_patterns() -> None:
    for name, width in (("b", 4), ("a", 8)):
        Path(f"{name}.cnn").write_text(f"INPUT 8x8x3 -> CONV1-{width}")
    assert table("compare", "*.cnn", "--columns", "params") == [
        ["name", "params"],
        ["a.cnn", "32"],
        ["b.cnn", "16"],
    ]
    assert [row["name"] for row in rows(str(Path.cwd() / "*.cnn"))] == [
        str(Path(f"{name}.cnn").resolve()) for name in "ab"
    ]
    bundled = [row["name"] for row in rows("vgg1?", "--columns", "params")]
    assert bundled == [name for name in cnndsl.zoo() if name in {"vgg11", "vgg13", "vgg16", "vgg19"}]
    result = run("compare", "nothing*")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no name matches this pattern" in result.stderr


def test_a_domain_makes_a_row_for_each_value() -> None:
    Path("f.cnn").write_text(FAMILY)
    found = data("compare", "f.cnn", "--set", "n=1..2", "--columns", "settings,params,depth")
    # 3*3*3*4 + 4 = 112 and 3*3*4*4 + 4 = 148; the FC has 4*4*4*2 + 2 = 130 and 2*2*4*2 + 2 = 34.
    assert found == [
        {"name": "f.cnn", "settings": {"n": 1}, "params": 242, "depth": 2},
        {"name": "f.cnn", "settings": {"n": 2}, "params": 294, "depth": 3},
    ]
    result = run("compare", "f.cnn", "--set", "n=1,9,2", "--columns", "settings,params", "--format", "csv")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["name,settings,params", "f.cnn,n=1,242", "f.cnn,n=2,294"]
    assert "error[E0301]" in result.stderr
    assert run("compare", "-", "--set", "n=1..2", "--columns", "depth", stdin=FAMILY).stdout.split()[-1] == "3"


def test_a_parameter_that_a_network_lacks_is_told_once() -> None:
    Path("f.cnn").write_text(FAMILY)
    result = run("compare", "vgg11", "f.cnn", "--set", "n=1..2")
    assert result.exit_code == 1
    assert result.stderr.count("the network has no parameter called `n`") == 1
    assert result.stdout.count("f.cnn") == 2


def test_published_values_are_those_of_the_network_as_it_is() -> None:
    accuracies = [row["top1"] for row in data("compare", "vgg16", "--columns", "top1")]
    assert accuracies == [71.592]  # torchvision's VGG16_Weights.IMAGENET1K_V1
    assert data("compare", "vgg16", "--set", "classes=10", "--columns", "top1") == [{"name": "vgg16", "top1": None}]
    Path("vgg16").write_text("INPUT 8x8x1 -> FC-2")
    assert data("compare", "vgg16", "--columns", "top1,params") == [{"name": "vgg16", "top1": None, "params": 130}]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--columns", "time"), 2, "the column time is of a GPU: add one, as in --gpu h100"),
        (("--sort", "largest_batch"), 2, "the column largest_batch is of a GPU"),
        (("--training",), 2, "--training needs a GPU"),
        (("--gpu", "h1000"), 2, "did you mean `H100`?"),
        (("--gpu", "t4", "--dtype", "bf16"), 2, "T4 has no arithmetic in bf16"),
        (("--where", "parms < 5M"), 1, "did you mean `params`?"),
        (("--where", "fits"), 1, "a test must be yes or no"),
        (("--pareto", "year"), 2, "there is no column 'year'"),
        (("--columns", "parms"), 2, "did you mean `params`?"),
        (("--set", "layers=1..99999", "--set", "classes=1..99999"), 2, "networks; set fewer values"),
        (("--width", "column"), 2, "--width applies to --format latex only"),
    ],
)
def test_messages(options: tuple[str, ...], code: int, message: str) -> None:
    result = run("compare", "lenet5", *options)
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_a_plot() -> None:
    result = run("compare", *TEN, "--axes", "params,top1", "-o", "nets.svg")
    assert result.exit_code == 0, result.output
    text = Path("nets.svg").read_text("utf-8")
    published = {row["name"] for row in data("compare", *TEN) if row["top1"] is not None}
    assert {name for name in TEN if f"<title>{name}: " in text} == published
    assert "lenet5" not in text
    assert run("compare", "lenet5", "--axes", "params,top1", "-o", "none.svg").exit_code == 1


@pytest.mark.parametrize("axes", ["params", "params,family", "params,time"])
def test_axes_are_two_columns_with_numbers(axes: str) -> None:
    assert run("compare", "vgg11", "--axes", axes, "-o", "nets.svg").exit_code == 2
    assert run("compare", "vgg11", "--axes", "params,top1").exit_code == 2


def test_in_python() -> None:
    net = cnndsl.loads("net Small INPUT 8x8x3 -> CONV1-4")
    found = cnndsl.compare("lenet5", net, "vgg16", columns=["params", "top1", "output"], sort="-params")
    assert list(found) == [
        {"name": "vgg16", "params": 138_357_544, "top1": 71.592, "output": [1000]},
        {"name": "lenet5", "params": 61_706, "top1": None, "output": [10]},
        {"name": "Small", "params": 16, "top1": None, "output": [8, 8, 4]},
    ]
    assert [row["name"] for row in cnndsl.compare("lenet5", net, where="params > 100")] == ["lenet5"]
    assert [row["name"] for row in cnndsl.compare("lenet5", net, pareto=["params"])] == ["Small"]
    timed = cnndsl.compare(net, gpu="h100", batch=2, training=True)
    assert {"fits", "largest_batch", "time"} <= set(timed[0])
    assert str(found).splitlines()[0].split() == ["name", "params", "top-1", "output"]
    with pytest.raises(KeyError, match="time"):
        cnndsl.compare(net, columns=["time"])
    with pytest.raises(ValueError, match="at least one image"):
        cnndsl.compare(net, batch=0)


def test_the_schema_describes_columns_as_their_tables_do() -> None:
    properties = json.loads((DOCS / "compare.schema.json").read_text("utf-8"))["items"]["properties"]
    assert set(properties) - set(COMPARED.names) == {"inputs", "outputs", "receptive_field_at_most"}
    definitions = {
        name: METRICS[name].definition if name in OF_NETWORKS else FACTS[name].definition for name in COMPARED.names
    }
    assert {name: properties[name]["description"] for name in COMPARED.names} == definitions


def test_it_loads_no_heavy_library() -> None:
    code = "import sys, cnndsl.cli; cnndsl.cli.run(['compare', 'lenet5', '--columns', 'macs']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert not {"torch", "numpy", "rich"} & set(done.stdout.splitlines()[-1].split())
