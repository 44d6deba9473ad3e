"""`cnndsl sizes` as the command line calls it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.running import data, run

UNET = """
block Up(c, skip) = (@skip | CONVT2-c/2) -> CONV3-c
INPUT 225x225x3 -> e1: CONV3-8 -> POOL2 -> e2: CONV3-16 -> POOL2 -> CONV3-32
-> up2: Up(16, @e2) -> up1: Up(8, @e1) -> CONV1-2
"""
MEET = "meet at the concatenation"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_table() -> None:
    """The last convolution sees four positions of the level below, and these see three of the lowest one, of which
    each sees 18 positions, four apart."""
    result = run("sizes", "-", "--up-to", "64", "--input", "32x32x3", stdin=UNET)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "stdin: input sizes up to 64",
        "",
        "H and W          multiples of 4",
        "weights          the same for all of these",
        "output           32x32x2, stride 1, for 32x32x3",
        "receptive field  26",
        "",
        "30 sizes fail at `up2.concat`, <stdin>:2",
        "    31: 15 and 14 rows meet at the concatenation",
        "15 sizes fail at `up1.concat`, <stdin>:2",
        "    33: 33 and 32 rows meet at the concatenation",
        "2 sizes fail at `pool2`, <stdin>:3",
        "    3: the window of POOL spans 2 positions, but the input 1x1x16 has only 1",
        "1 size fails at `pool1`, <stdin>:3",
        "    1: the window of POOL spans 2 positions, but the input 1x1x8 has only 1",
    ]


def test_a_file_that_fails_as_it_is_written() -> None:
    """The nearest of 224 and 228 is 224."""
    result = run("sizes", "-", stdin=UNET)
    assert result.exit_code == 0
    expected = "as written       225x225x3 fails at `up1.concat`, <stdin>:2: 225 and 224 rows meet at the concatenation"
    assert expected in result.stdout
    assert "for 224x224x3" in result.stdout


def test_asking_for_sizes() -> None:
    result = run("sizes", "-", "--at", "224, 225,224x226", stdin=UNET)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "224 works: output 224x224x2",
        f"225 fails at `up1.concat`, <stdin>:2: 225 and 224 rows {MEET}; nearest that work: 224, 228",
        f"224x226 fails at `up2.concat`, <stdin>:2: 113 and 112 columns {MEET}; nearest that work: 224x224, 224x228",
    ]
    assert run("sizes", "-", "--at", "224,64", stdin=UNET).exit_code == 0


def test_json() -> None:
    found = data("sizes", "-", "--at", "225", stdin=UNET, code=1)
    assert found["rules"][0]["sizes"]["modulus"] == 4
    assert found["rules"][0]["sizes"]["count"] == 512 / 4
    assert (found["input"], found["base"]) == ([225, 225, 3], [224, 224, 3])
    assert found["failures"][0]["code"] == "E0312"
    assert found["at"][0]["nearest"] == [[224, 224], [228, 228]]
    assert found["at"][0]["failure"]["entering"] == [[225, 225, 8], [224, 224, 8]]


@pytest.mark.parametrize("name", ["vgg16", "alexnet_2012", "c3d", "wavenet", "unet", "yolov3"])
def test_json_of_bundled_networks(name: str) -> None:
    assert data("sizes", name, "--up-to", "300")["rules"]


def test_json_where_nothing_works() -> None:
    found = data("sizes", "-", "--up-to", "20", stdin="INPUT 8x8x3 -> (ID + CONV3-4)", code=1)
    assert [each["sizes"]["text"] for each in found["rules"]] == ["none"]
    assert found["failures"][0]["count"] == 20


def test_csv() -> None:
    run("sizes", "-", "--up-to", "8", "-o", "sizes.csv", stdin=UNET)
    lines = Path("sizes.csv").read_text().splitlines()
    assert lines[0] == "input,works,same_weights,output,path,line"
    assert lines[7:] == ["7x7x3,False,False,,up2.concat,2", "8x8x3,True,True,8x8x2,,"]


@pytest.mark.parametrize(
    ("arguments", "text", "code", "message"),
    [
        (("--at", "x"), "INPUT 8x8x3 -> CONV3-4", 2, "is not a size"),
        (("--at", "8x8x3"), "INPUT 8x8x3 -> CONV3-4", 2, "has 3 axes, and the input has 2"),
        (("--up-to", "0"), "INPUT 8x8x3 -> CONV3-4", 2, "--up-to must be a whole number from 1 to 100000, not '0'"),
        (("--of", "left"), "INPUT 8x8x3 -> CONV3-4", 1, "no input is called 'left'"),
        ((), "INPUT 8 -> FC-4", 1, "the input is a vector, 8"),
        ((), "INPUT 8x8x3 -> CONF3-4", 1, "is called `CONF3`"),
        ((), "INPUT 8x8x3 -> ", 1, "error"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], text: str, code: int, message: str) -> None:
    result = run("sizes", "-", *arguments, stdin=text)
    assert result.exit_code == code
    assert message in result.stderr
