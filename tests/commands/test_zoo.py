"""`cnndsl zoo`: the table, its tests and orders, and a network by its name."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import cnndsl
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.catalogue import BUNDLED, FACTS, column_title
from cnndsl.cli import cli
from cnndsl.report.network_table import render
from tests.commands.running import DOCS, data, run, table

PUBLISHED = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160}
"""Parameters as torchvision publishes them."""
TOP1 = {"resnet18": 69.758, "resnet34": 73.314, "resnet50": 76.13, "resnet101": 77.374}
"""And the accuracies of IMAGENET1K_V1."""


def names(*options: str) -> list[str]:
    return [row["name"] for row in data("zoo", *options)]


def test_the_usual_columns() -> None:
    head, row = table("zoo", "vgg", "configuration", "D.", "--where", "depth == 16 and buffers == 0")
    assert head == "name family year input params macs peak in training buffers depth top-1 summary".split()
    # Simonyan & Zisserman 2014; torchvision's VGG16_Weights.IMAGENET1K_V1 has 71.592.
    assert row[:6] == ["vgg16", "VGG", "2014", "224x224x3", "138M", "15.5G"]
    assert row[7:] == ["0", "16", "71.6", "VGG-16,", "configuration", "D."]


def test_a_test_and_an_order() -> None:
    least = min(PUBLISHED.values())
    found = names("resnet", "--where", f"params > {least} and params < 45M and depth >= 34", "--sort", "-params")
    assert [name for name in found if name in PUBLISHED] == ["resnet101", "resnet50", "resnet34"]


def test_a_test_of_an_accuracy() -> None:
    """torchvision's MobileNetV3-Large has 5.5M parameters and 74.042, its EfficientNet-B0 5.3M and 77.692."""
    found = names("--where", "params < 10M and top1 > 75")
    assert "efficientnet" in found
    assert not {"mobilenet_v3_large", "lenet5", "resnet50"} & set(found)


def test_a_family_and_a_year() -> None:
    found = names("--where", "family == ResNet and year == 2015", "--sort", "top1")
    assert [name for name in found if name in TOP1] == sorted(TOP1, key=TOP1.__getitem__)
    assert "preact_resnet" not in found  # 2016
    assert "wide_resnet50_2" not in found  # another family


def test_networks_without_a_value_do_not_pass_and_come_last() -> None:
    assert set(names("--where", "top1 > 0")) | set(names("--where", "not top1 > 0")) < set(cnndsl.zoo())
    for sign in "", "-":
        last = data("zoo", "--sort", f"{sign}top1", "--columns", "top1")[-1]
        assert last["top1"] is None


def test_a_receptive_field_that_differs_by_axis_is_no_number() -> None:
    """VGG-16's features see 212 pixels (torchvision.json has it); S3D's see another number of frames than of pixels."""
    assert "vgg16" in names("--where", "receptive_field == 212")
    assert "s3d" not in names("--where", "receptive_field > 0")


def test_shapes_and_texts_are_sorted() -> None:
    assert names("--sort", "-input")[0] == "unet_3d"  # 116x132x132x3
    assert [row["family"] for row in data("zoo", "--sort", "family")][:1] == ["AlexNet"]


def test_a_pareto_front() -> None:
    """The definition, on every pair: what is left has no other that is as small and as good. Decimals count."""
    front = data("zoo", "--pareto", "params,top1", "--sort", "params")
    accuracies = [row["top1"] for row in front]
    assert accuracies == sorted(set(accuracies))
    everyone = [row for row in data("zoo") if row["top1"] is not None]
    beaten = [
        one["name"]
        for one in everyone
        for other in everyone
        if (other["params"], -other["top1"]) != (one["params"], -one["top1"])
        and other["params"] <= one["params"]
        and other["top1"] >= one["top1"]
    ]
    assert {row["name"] for row in front} == {row["name"] for row in everyone} - set(beaten)
    assert names("resnet18", "--pareto", "top1") == ["resnet18"]
    assert names("lenet5", "--pareto", "top1") == []


def test_columns() -> None:
    found = table("zoo", "resnet18", "--columns", "params,buffers,output,top5")
    assert found == [["name", "params", "buffers", "output", "top-5"], ["resnet18", "11.7M", "9.62K", "1000", "89.1"]]


def test_columns_are_called_as_in_the_other_tables() -> None:
    heads = run("zoo", "resnet18", "--columns", "memory,inference,training,receptive_field").stdout.splitlines()[0]
    assert re.split(r"  +", heads) == [
        "name",
        "CS231n memory",
        "peak at inference",
        "peak in training",
        "receptive field",
    ]


def test_a_file_here_is_no_bundled_network() -> None:
    Path("resnet18").write_text("INPUT 8x8x1 -> FC-2")
    assert table("zoo", "resnet18", "--columns", "params")[1] == ["resnet18", "11.7M"]
    assert "11,689,512" in run("zoo", "resnet18").stdout


def test_a_network_by_its_name() -> None:
    """Everything, and of this network alone: `resnet50` is in the names of others too."""
    lines = run("zoo", "resnet50").stdout.splitlines()
    text = (Path(__file__).parents[2] / "architectures" / "resnet50.cnn").read_text("utf-8")
    assert [f"# {line}" for line in lines[:2]] == text.splitlines()[:2]
    rows = dict(line.split("  ", 1) for line in lines[3:])
    found = {title: value.strip() for title, value in rows.items()}
    assert found["params"] == "25,557,032"
    assert found["top-1"] == "76.13% at 224x224"
    assert found["source"] == "torchvision, ResNet50_Weights.IMAGENET1K_V1"
    assert found["settings"] == "classes=1000"
    assert "resnet101" in found["family"]
    assert "score" not in found
    assert names("resnet50") == ["resnet50"]
    assert "output              80x80x144, 40x40x144, 20x20x144" in run("zoo", "yolov8").stdout
    assert len(names("resnet50", "torchvision")) > 1


def test_a_card_has_all_comments_that_the_file_begins_with() -> None:
    assert "320 + 9,248 + 784,500 + 5,010 = 799,078 parameters." in run("zoo", "mnist").stdout
    (row,) = data("zoo", "mnist", "--columns", "description")
    assert row["description"].endswith("on the board. 320 + 9,248 + 784,500 + 5,010 = 799,078 parameters.")


def test_nothing_is_found() -> None:
    result = run("zoo", "--where", "top1 > 100")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no bundled network is like that\n"
    assert data("zoo", "--where", "top1 > 100") == []


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_words_that_no_network_has(options: tuple[str, ...]) -> None:
    result = run("zoo", "resnt50", *options)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "no bundled network has 'resnt50'" in result.stderr
    assert "did you mean resnet50" in result.stderr
    assert "`cnndsl zoo` lists all networks" in run("zoo", "resnet", "xyzzy").stderr


def test_figures_are_called_as_the_headings_have_them() -> None:
    assert names("--where", "top-1 > 84 and receptive field > 9") == names(
        "--where", "top1 > 84 and receptive_field > 9"
    )
    assert names("--where", "peak in training < 10MB") == names("--where", "training < 10MB") != []


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--where", "parms < 5M"), 1, "did you mean `params`?"),
        (("--where", "family == Resnet"), 1, "did you mean `ResNet`?"),
        (("--where", "family == Foo"), 1, "no family is called that; `cnndsl zoo --columns family` lists them"),
        (("--where", "params"), 1, "a test must be yes or no, but `params` is a value"),
        (("--where", "source == 1"), 1, "no value is called `source` here"),
        (("--where", "score > 30"), 1, "`score` is text, and `--columns score` shows it; a test may mention family,"),
        (("--where", "name == x"), 1, "`cnndsl zoo NAME` shows the network of a name"),
        (("--where", "crop > a"), 1, "a test may mention family, year, input, top1"),
        (("--where", "input.H > 400"), 1, "compare `input` as a whole, as in `input == 224x224x3`"),
        (("--where", "conv1.output == 3"), 1, "`conv1.output` cannot be used here"),
        (("--where", "params < 25 M"), 1, "a unit follows its number without a space, unlike `25 M`"),
        (("--where", "family in {ResNet, VGG}"), 1, "write it out: `family == ResNet or family == VGG`"),
        (("--where", "params < 10MB"), 1, "--where:1:10"),
        (("--where", "10MB > params"), 1, "write `10M`; in bytes are memory, inference, saved, training"),
        (("--where", "params <"), 1, "--where:1:8"),
        (("--sort", "-macks"), 2, "there is no column 'macks'; did you mean `macs`?"),
        (("--sort", "-"), 2, "there is no column ''"),
        (("--pareto", "params,year"), 2, "there is no column 'year'"),
        (("--columns", "params,size"), 2, "there is no column 'size'"),
        (("--columns", "params,receptive field"), 2, "did you mean `receptive_field`?"),
        (("--columns", "top-1"), 2, "did you mean `top1`?"),
        (("--width", "column"), 2, "--width applies to --format latex only"),
    ],
)
def test_what_is_no_test_is_told(options: tuple[str, ...], code: int, message: str) -> None:
    result = run("zoo", "lenet5", *options)
    assert result.exit_code == code, result.output
    assert message in result.stderr


def test_json_has_everything() -> None:
    found = {row["name"]: row for row in data("zoo")}
    assert list(found) == list(cnndsl.zoo())
    assert found["resnet50"]["params"] == PUBLISHED["resnet50"]
    assert found["resnet50"]["top1"] == TOP1["resnet50"]
    assert found["lenet5"]["top1"] is None
    assert found["siamese"]["inputs"] == [[105, 105, 1]] * 2
    # Strides of 8, 16 and 32 at 640x640, 4*16 + 80 channels; ssd300.cnn: classes and offsets of 8,732 boxes.
    assert found["yolov8"]["outputs"] == [[80, 80, 144], [40, 40, 144], [20, 20, 144]]
    assert found["ssd300"]["outputs"] == [[8732, 91], [8732, 4]]
    assert set(found["vgg16"]) == set(BUNDLED.names)


def test_json_has_the_chosen_columns() -> None:
    assert data("zoo", "resnet18", "--columns", "top1,output") == [
        {"name": "resnet18", "top1": 69.758, "output": [1000]}
    ]


def test_the_schema_describes_columns_as_their_tables_do() -> None:
    properties = json.loads((DOCS / "zoo.schema.json").read_text("utf-8"))["items"]["properties"]
    assert set(properties) - set(BUNDLED.names) == {"inputs", "outputs", "receptive_field_at_most"}
    definitions = {
        name: METRICS[name].definition if name in OF_NETWORKS else FACTS[name].definition for name in BUNDLED.names
    }
    assert {name: properties[name]["description"] for name in BUNDLED.names} == definitions


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(run("zoo", "--format", "csv").stdout)))
    assert list(rows[0]) == list(BUNDLED.names)
    found = {row["name"]: row for row in rows}
    assert (found["resnet50"]["params"], found["resnet50"]["top1"]) == ("25557032", "76.13")
    assert (found["lenet5"]["top1"], found["lenet5"]["input"]) == ("", "32x32x1")


def test_markdown_into_a_file() -> None:
    run("zoo", "resnet18", "--columns", "params,top1,score,source", "-o", "nets.md")
    assert Path("nets.md").read_text("utf-8").splitlines() == [
        "| name | params | top-1 | score | source |",
        "| --- | ---: | ---: | --- | --- |",
        r"| resnet18 | 11,689,512 | 69.758 |  | torchvision, ResNet18\_Weights.IMAGENET1K\_V1 |",
    ]
    assert run("zoo", "-o", "nets.md").exit_code == 1  # it exists


def test_latex() -> None:
    text = run("zoo", "resnet18", "--columns", "input,params,top1,score", "--format", "latex").stdout
    assert r"resnet18 & 224$\times$224$\times$3 & 11.69 & 69.8 & -- \\" in text
    assert r"\begin{longtable}" in run("zoo", "--format", "latex").stdout


@pytest.mark.parametrize(
    ("room", "missing"), [(200, set[str]()), (120, {"input"}), (80, {"input", "family", "training"})]
)
def test_a_narrow_terminal_leaves_columns_out(room: int, missing: set[str]) -> None:
    from cnndsl.catalogue import networks
    from cnndsl.commands.zoo import DEFAULT_COLUMNS
    from cnndsl.network import executions

    lines = render(networks(cnndsl.zoo(), (), executions), DEFAULT_COLUMNS, "table", room=room).splitlines()
    assert max(map(len, lines)) <= room
    assert all((column_title(column) in lines[0]) == (column not in missing) for column in DEFAULT_COLUMNS)
    assert any(line.endswith(" …") for line in lines)
    told = " ".join(lines).partition("not shown for lack of width: ")[2].partition(";")[0]
    assert set(filter(None, told.split(", "))) == missing


def test_the_example_of_the_documentation() -> None:
    page = (DOCS / "cli.md").read_text("utf-8").partition("    $ cnndsl zoo ")[2].partition("\n\n")[0]
    command, *lines = page.splitlines()
    assert run("zoo", *shlex.split(command)).stdout.splitlines() == [line.removeprefix("    ") for line in lines]
    section = (DOCS / "cli.md").read_text("utf-8").partition("## cnndsl zoo")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in section for name in BUNDLED.names if name in FACTS)


def test_it_loads_neither_torch_nor_the_backend() -> None:
    code = "import sys, cnndsl.cli; cnndsl.cli.run(['zoo', '--sort', 'macs']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8")
    assert not {"torch", "numpy", "rich", "cnndsl.emit.torch"} & set(done.stdout.splitlines()[-1].split())


def test_help_lists_every_column() -> None:
    assert cli.commands is not None
    text = "".join(run("zoo", "--help").stdout.split())
    assert ",".join(BUNDLED.names) in text


@pytest.mark.parametrize(
    ("test", "rule", "meant"),
    [
        ("params < 10M & top1 > 75", "tests are joined by `and`, not `&`", "params < 10M and top1 > 75"),
        ("params < 10M && top1 > 75", "tests are joined by `and`, not `&&`", "params < 10M and top1 > 75"),
        ("params < 10M || top1 > 75", "tests are joined by `or`, not `||`", "params < 10M or top1 > 75"),
        ("params < 10M | top1 > 75", "tests are joined by `or`, not `|`", "params < 10M or top1 > 75"),
        ("params < 10M AND top1 > 75", "in lower case, unlike `AND`", "params < 10M and top1 > 75"),
        ("NOT params < 10M", "in lower case, unlike `NOT`", "not params < 10M"),
        ("!(params < 10M)", "a test is reversed by `not`, not `!`", "not (params < 10M)"),
        ("params < 10M, top1 > 75", "tests are joined by `and`, not `,`", "params < 10M and top1 > 75"),
        ("family = ResNet", "equality is `==`, not `=`", "family == ResNet"),
        ("params =< 10M", "at most is `<=`, not `=<`", "params <= 10M"),
        ("params => 10M", "at least is `>=`, not `=>`", "params >= 10M"),
        ("params <> 10M", "inequality is `!=`, not `<>`", "params != 10M"),
        ("params < 10 M", "a unit follows its number without a space, unlike `10 M`", "params < 10M"),
        ("params < 10m", "units are K, M, G and T", "params < 10M"),
        ("training < 10mb", "units are K, M, G and T", "training < 10MB"),
        ("params < 10 million", "a million is M, unlike `10 million`", "params < 10M"),
        ("params < 10,000,000", "digits are grouped by `_`, unlike `10,000,000`", "params < 10_000_000"),
        ("top1 > 75%", "a percentage is a plain number, not `75%`", "top1 > 75"),
        ("family == 'ResNet'", "names have no quotes, unlike `'ResNet'`", "family == ResNet"),
        ("params lt 10M", "comparisons are `<`, `<=`, `>`, `>=`, `==` and `!=`, not `lt`", "params < 10M"),
        ("top1 between 70 and 80", "a range is two tests joined by `and`", "top1 >= 70 and top1 <= 80"),
        ("params 10M", "a comparison is missing after `params`", "params < 10M"),
        ("params < 10M and", "a test is missing after `and`", "params < 10M"),
        ("params < 10 M && top1 >= 75%", "a unit follows its number", "params < 10M and top1 >= 75"),
    ],
)
def test_a_test_in_the_words_of_another_language_is_written_out(test: str, rule: str, meant: str) -> None:
    result = run("zoo", "--where", test)
    assert (result.exit_code, result.stdout) == (1, "")
    assert rule in result.stderr.splitlines()[0]
    assert f"help: write --where '{meant}'\n" in result.stderr
    assert run("zoo", "--where", meant).exit_code == 0


@pytest.mark.parametrize(
    ("name", "meant"),
    [("accuracy", "top1"), ("madds", "macs"), ("parameters", "params"), ("MACs", "macs"), ("rf", "receptive_field")],
)
def test_what_others_call_a_metric_is_known(name: str, meant: str) -> None:
    for options, code in ((("--where", f"{name} > 1"), 1), (("--sort", name), 2), (("--columns", name), 2)):
        result = run("zoo", *options)
        assert result.exit_code == code
        assert f"did you mean `{meant}`?" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--sort", "params desc"), "write --sort -params"),
        (("--sort", "params:asc"), "write --sort params"),
        (("--sort", "params,macs"), "--sort takes one column, not 'params,macs'; write --sort params"),
        (("--columns", "params top1"), "commas separate names, unlike 'params top1'; write params,top1"),
        (("--where", " "), "a test is missing"),
    ],
)
def test_lists_and_directions_of_other_tools(options: tuple[str, ...], message: str) -> None:
    assert message in run("zoo", *options).stderr
