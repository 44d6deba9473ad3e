"""`cnndsl rf`: figures against published ones, boxes by hand, drawings."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnndsl import load
from tests.commands.running import data, run, table

PUBLISHED = Path(__file__).parents[1] / "reference" / "receptive_field_published.json"
SLIM = {"conv1_1": 0, "pool1": 0, "conv2_1": 0, "pool2": 0, "conv3_1": 0, "conv3_2": 1, "pool3": 0} | {
    "conv4_1": 0,
    "conv4_2": 1,
    "pool4": 0,
    "conv5_1": 0,
    "conv5_2": 1,
    "pool5": 0,
}
"""End points of VGG in TF-Slim: which convolution of a stage, or its pooling."""

GATED = "INPUT 16x16x2 -> a: CONV5-4/2 -> se: MUL(ID, GAP -> FC-4) -> b: CONV3-4 -> (c: CONV3-4 | d: POOL2/1(pad=same))"


def vgg_end_points() -> dict[str, str]:
    """The names in the published table of the layers of VGG-16."""
    found: dict[str, str] = {}
    stage, number = 1, 0
    for node in load("vgg16").graph.layers:
        if node.kind == "CONV":
            number += 1
            found[f"conv{stage}_{number}"] = node.path
        elif node.kind == "POOL":
            found[f"pool{stage}"] = node.path
            stage, number = stage + 1, 0
    return found


def test_vgg16_as_published() -> None:
    """Araujo, Norris and Sim 2019, the table of google-research/receptive_field."""
    layers = {layer["path"]: layer for layer in data("rf", "vgg16")["layers"]}
    paths = vgg_end_points()
    rows = [row for row in json.loads(PUBLISHED.read_text(encoding="utf-8"))["rows"] if row["cnn"] == "vgg_16"]
    assert len(rows) == 13
    for row in rows:
        layer = layers[paths[row["end_point"].rpartition("/")[2]]]
        assert [layer["size"], layer["stride"], layer["padding"]] == [
            [row[key]] * 2 for key in ("rf", "stride", "padding")
        ]


def test_the_table_lists_all_layers() -> None:
    lines = table("rf", "vgg16")
    assert lines[2] == ["name", "layer", "output", "field", "stride", "padding"]
    assert ["features.30", "POOL2", "7x7x512", "212", "32", "90"] in lines
    assert lines[-1] == ["classifier.6", "FC-1000", "1000", "224", "0", "0", "whole"]


def test_one_unit() -> None:
    # CONV3 -> CONV3 -> POOL2: 1 + 2 + 2 + 1 = 6 positions; unit p sees 2p - 2 to 2p + 3.
    found = data("rf", "vgg16", "--at", "features.4", "--unit", "0,10")
    assert (found["unit"], found["box"]) == ([0, 10], [[-2, 3], [18, 23]])
    assert [layer["path"] for layer in found["layers"]] == ["features.4"]
    lines = table("rf", "vgg16", "--at", "features.4", "--unit", "0x10")
    assert lines[0][:4] == ["unit", "0,10", "of", "features.4,"]
    assert ["sees", "-2", "to", "3", "18", "to", "23"] in lines


@pytest.mark.parametrize(
    ("name", "size"),
    [("b", 5), ("b.y1", 3), ("b.y2", 5), ("m.0.y1", 3), ("d", 7), ("c.y1", 5), ("y1", 5), ("b.conv2", 5), ("a", 1)],
)
def test_chains_and_outputs_name_layers(name: str, size: int, tmp_path: Path) -> None:
    file = tmp_path / "chains.cnn"
    file.write_text(
        "block Two(a) = [\n  y1 = @a -> CONV3-4\n  y2 = @y1 -> CONV3-4\n]\n"
        "INPUT 16x16x3 -> a: CONV1-4\nb = m.0: Two(@a)\nc = Two(@b.y1)\nd = (@c.y2 + @b)\noutput d, c.y1\n"
    )
    found = data("rf", str(file), "--at", name)
    assert found["layers"][0]["size"] == [size, size]


def test_the_unit_in_the_middle_and_the_module_by_its_name() -> None:
    found = data("rf", "resnet50", "--at", "layer3.2")
    assert found["unit"] == [7, 7]
    assert found["layers"][0]["path"].startswith("layer3.2.")
    # conv1 7/2, pool 3/2: 11, stride 4. layer1: three 3x3 of stride 4, +24 = 35. layer2: 3x3 at stride 4 (+8), then
    # three at 8 (+48) = 91. layer3: 3x3 at 8 (+16), then two at 16 (+64) = 171.
    assert found["layers"][0]["size"] == [171, 171]
    assert found["layers"][0]["stride"] == [16, 16]


def test_from_one_layer_to_another() -> None:
    net = "INPUT 32x32x3 -> a: CONV7-4/2 -> b: CONV3-4 -> c: CONV3-4/2"
    found = data("rf", "-", "--from", "a", "--to", "c", stdin=net)
    assert (found["from"], found["plane"]) == ("a", [16, 16])
    assert (found["layers"][0]["size"], found["layers"][0]["stride"]) == ([5, 5], [2, 2])
    listed = data("rf", "-", "--from", "a", stdin=net)
    assert [layer["path"] for layer in listed["layers"]] == ["b", "c"]


def test_local_and_whole() -> None:
    layers = {layer["path"]: layer for layer in data("rf", "-", stdin=GATED)["layers"]}
    assert layers["b"]["whole"]
    assert layers["b"]["size"] == [16, 16]
    # CONV5/2 then CONV3: 5 + 2*2.
    assert layers["b"]["local"] == {"size": [9, 9], "stride": [2, 2], "padding": [4, 4]}
    text = run("rf", "-", "--at", "b", stdin=GATED).stdout
    assert "local is the field without it" in text


def test_where_branches_disagree() -> None:
    found = data("rf", "-", stdin=GATED)
    (parted,) = found["disagreements"]
    assert parted["path"] == "concat"
    assert parted["axis"] == "height"
    # CONV3 adds 2 on either side of -4..4; the pooling, padded behind alone, 2 behind it.
    assert [(each["path"], each["first_unit"]) for each in parted["operands"]] == [("c", [-6, 6]), ("d", [-4, 6])]
    assert "at concat the branches disagree in alignment, along the height:" in run("rf", "-", stdin=GATED).stdout
    assert data("rf", "-", "--at", "b", stdin=GATED)["disagreements"] == []


LONG = "INPUT 5000x1 -> (ID | POOL(out=2) -> UPSAMPLE(out=5000, mode=linear, align=yes)) -> a: CONV1-1"


def test_at_most() -> None:
    """Each unit sees a half of the input or all of it, which is not worth 5,000 ranges: pairs of units have one."""
    assert ["a", "CONV1-1", "5000x1", "5000", "1", "0", "at", "most;", "branches", "disagree"] in table(
        "rf", "-", stdin=LONG
    )
    unit = run("rf", "-", "--at", "a", "--unit", "0", stdin=LONG).stdout
    assert "sees at most  0 to 4999" in unit
    assert "\nat most: " in unit
    layer = data("rf", "-", "--at", "a", stdin=LONG)["layers"][0]
    assert (layer["at_most"], layer["local"]["at_most"]) == (True, True)
    short = LONG.replace("5000", "4000")
    assert "at_most" not in json.dumps(data("rf", "-", stdin=short))
    assert "at most" not in run("rf", "-", "--at", "a", stdin=short).stdout


def test_of_many_disagreements_the_first_are_described() -> None:
    net = "INPUT 16x16x1 -> " + " -> ".join(["(CONV3-1 + CONV2-1)"] * 6)
    text = run("rf", "-", stdin=net).stdout
    assert text.count("the branches disagree in alignment") == 4
    assert text.rstrip().endswith("at 2 more merges too, which --format json describes")
    assert len(data("rf", "-", stdin=net)["disagreements"]) == 6


def test_the_box_as_text() -> None:
    text = run("rf", "-", "--at", "a", "--unit", "0,1", stdin="INPUT 4x6x1 -> a: CONV3-1/2").stdout
    # Rows -1 to 1, columns 1 to 3 of 4 x 6.
    assert text.splitlines()[-7:-2] == [
        "  ░░░░░░",
        "··██████····",
        "··██████····",
        "············",
        "············",
    ]


@pytest.mark.parametrize(
    ("net", "drawn"),
    [
        ("INPUT 6x1 -> a: CONV3-1", "····██████··"),
        ("INPUT 4x1x6x1 -> a: CONV1x1x3-1(pad=same)", "····██████··"),
        ("INPUT 200x1 -> a: CONV3-1", "one mark is 6 positions"),
        ("INPUT 200x200x1 -> a: CONV3-1", "one mark is 7 x 7 positions"),
    ],
)
def test_lines_volumes_and_large_planes(net: str, drawn: str) -> None:
    text = run("rf", "-", "--at", "a", stdin=net).stdout
    assert drawn in text
    assert "██" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_box_as_svg() -> None:
    result = run("rf", "-", "--at", "a", "--unit", "0,1", "-o", "box.svg", stdin="INPUT 4x6x1 -> a: CONV3-1/2")
    assert (result.exit_code, result.stderr) == (0, "wrote box.svg\n")
    groups = ElementTree.parse("box.svg").getroot().iter("{http://www.w3.org/2000/svg}g")
    boxes = {
        each.get("id"): [float(each[-1].get(key, "nan")) for key in ("x", "y", "width", "height")] for each in groups
    }
    # 40 pixels a position; the row of padding on top moves the plane down by one.
    assert boxes["stdin-plane"] == [0, 40, 240, 160]
    assert boxes["stdin-box"] == [40, 0, 120, 120]
    assert boxes["stdin-seen"] == [40, 40, 120, 80]
    assert run("rf", "vgg16", "--at", "features.4", "-o", "box.svg").exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("vgg16", "--at", "features.31"), 1, "there is no layer 'features.31' in VGG16; did you mean `features."),
        (("vgg16", "--at", "features.4", "--unit", "112,0"), 1, "there is no unit 112,0 on a map of 112x112"),
        (("vgg16", "--at", "features.4", "--unit", "3"), 1, "there is no unit 3 on a map of 112x112"),
        (("vgg16", "--at", "features.4", "--unit", "a,b"), 2, "'a,b' is not a position"),
        (("vgg16", "--unit", "1,1"), 2, "--at LAYER"),
        (("vgg16", "-o", "a.svg"), 2, "--at LAYER"),
        (("vgg16", "--at", "features.4", "-o", "a.gif"), 1, "its name must end in .svg, .png"),
        (("vgg16", "--from", "features.4", "--to", "features.1"), 1, "features.1 does not depend on features.4"),
        (("vgg16", "--from", "classifier.0"), 1, "classifier.0 is a vector, 4096: it has no plane to look at"),
    ],
)
def test_what_cannot_be_looked_at(arguments: tuple[str, ...], code: int, message: str) -> None:
    result = run("rf", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
