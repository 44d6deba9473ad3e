"""What is advised where branches differ in shape; and that nothing is where no such advice would help."""

from __future__ import annotations

import pytest

import cnndsl

ADVICE = {
    "INPUT 8x8x3 -> (CONV3-4/2 + ID)": "CONV1-4/2",
    "INPUT 8x8x3 -> (CONV3-4 + ID)": "CONV1-4",
    "INPUT 9x9x3 -> (CONV3-4/2 + ID)": "CONV1-4/2",
    # The stride and the width of the last layer that has them; a merge inside has none of its own.
    "INPUT 8x8x3 -> ((CONV3-4 + CONV3-4) -> CONV3-8/2 + ID)": "CONV1-8/2",
    "INPUT 8x8x3 -> (POOL2 | ID)": "POOL2",
    "INPUT 9x9x3 -> (POOL3 | CONV3-4)": "POOL3",
}
NONE = {
    "strides that differ by axis": "INPUT 8x8x3 -> (CONV3-4/2x1 + ID)",
    "a map that shrinks by no stride": "INPUT 8x8x3 -> (CONV3-4(pad=valid) + ID)",
    "a vector": "INPUT 8x8x3 -> FC-8 -> (FC-4 + ID)",
    "no whole ratio": "INPUT 8x8x3 -> (POOL2 | CONV3-4(pad=valid))",
    "ratios that differ by axis": "INPUT 8x8x3 -> (POOL2x1 | ID)",
}


def help_of(text: str) -> str:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.loads(text)
    (found,) = caught.value.diagnostics
    assert found.code == "E0312"
    return found.help


@pytest.mark.parametrize(("text", "advice"), ADVICE.items())
def test_advice(text: str, advice: str) -> None:
    assert advice in help_of(text)


@pytest.mark.parametrize(("text", "advice"), [each for each in ADVICE.items() if each[1].startswith("CONV")])
def test_advice_that_is_followed_helps(text: str, advice: str) -> None:
    assert cnndsl.loads(text.replace("ID", f"ID or {advice}")).graph.nodes[-1].kind == "ADD"


@pytest.mark.parametrize("text", NONE.values(), ids=NONE)
def test_no_advice(text: str) -> None:
    advice = help_of(text)
    assert not any(kind in advice for kind in ("CONV1-", "POOL", "UPSAMPLE"))


UP = "INPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> (@e | {})"
FITTING = {
    "a transposed convolution": (UP.format("CONVT2-8/2"), "CONVT2-8/2", "CONVT2-8/2(out_pad=1)"),
    "one with options": (UP.format("CONVT2-8/2(bias=no)"), "CONVT2-8/2(bias=no)", "CONVT2-8/2(bias=no, out_pad=1)"),
    "one that pads": (
        "INPUT 35x35x8 -> e: CONV3-8 -> POOL4 -> (@e | CONVT4-8/4(out_pad=1))",
        "CONVT4-8/4(out_pad=1)",
        "CONVT4-8/4(out_pad=3)",
    ),
    "one that pads to the skip": (UP.format("CONVT2-8/2"), "CONVT2-8/2", "CONVT2-8/2 -> ZEROPAD(out=@e)"),
    "a label before the larger map": (
        UP.replace("(@e | {})", "up: CONVT2-8/2 -> (@e | ID)"),
        "(@e |",
        "(@e -> CROP(out=@up) |",
    ),
    "a label in the branch before": (UP.replace("(@e | {})", "(up: CONVT2-8/2 | @e)"), "| @e", "| @e -> CROP(out=@up)"),
    "a label in the branch behind": (UP.format("up: CONVT2-8/2"), "(@e |", "(@e -> CROP(0, after=1) |"),
    "a reference to the smaller map": (
        UP.replace("{})", "@u)").replace("POOL2 ->", "POOL2 -> u: CONVT2-8/2 ->"),
        "(@e |",
        "(@e -> CROP(out=@u) |",
    ),
    "in a block": (
        "block Up(skip) = up: CONVT2-8/2 -> (@skip | ID)\nINPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> Up(@e)",
        "(@skip |",
        "(@skip -> CROP(out=@up) |",
    ),
    "an upsampling": (UP.format("UPSAMPLE2"), "UPSAMPLE2", "UPSAMPLE(out=@e)"),
    "what is larger by one": (UP.format("UPSAMPLE2"), "(@e |", "(@e -> CROP(0, after=1) |"),
    "what is larger by two": (
        "INPUT 64x64x8 -> e: [CONV3-8(pad=valid)]*2 -> POOL2 -> CONV3-8(pad=valid) -> (@e | CONVT2-8/2)",
        "(@e |",
        "(@e -> CROP(2) |",
    ),
    "by another number along each axis": (
        "INPUT 33x34x8 -> e: CONV3-8 -> POOL2 -> (@e + UPSAMPLE2)",
        "(@e +",
        "(@e -> CROP(0, after=1x0) +",
    ),
    "a signal": ("INPUT 33x8 -> e: CONV3-8 -> POOL2 -> (@e | CONVT2-8/2)", "CONVT2-8/2", "CONVT2-8/2(out_pad=1)"),
}


@pytest.mark.parametrize(("text", "old", "new"), FITTING.values(), ids=FITTING)
def test_ways_to_fit_that_are_taken_fit(text: str, old: str, new: str) -> None:
    """The advice names what the text becomes, and that compiles."""
    advice = help_of(text)
    assert new.strip("( |+") in advice
    assert text.count(old) == 1
    cnndsl.loads(text.replace(old, new))


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        (UP.format("CONVT2-8/2"), ["32x32x8", "34x34x8"]),
        (
            "INPUT 130x130x8 -> e: CONV3-8 -> POOL2 -> POOL2 -> UPSAMPLE2 -> UPSAMPLE2 -> (@e | ID)",
            ["128x128x8", "132x132x8"],
        ),
        ("INPUT 100x72x3 -> e: CONV3-8 -> [POOL2]*4 -> [UPSAMPLE2]*4 -> (@e | ID)", ["96x64x3", "112x80x3"]),
        ("INPUT 7x3 -> e: CONV3-3 -> POOL2 -> (@e + UPSAMPLE2)", ["6x3", "8x3"]),
    ],
)
def test_inputs_that_work(text: str, inputs: list[str]) -> None:
    written = text.split()[1]
    assert help_of(text).endswith(f"inputs that work are {' and '.join(inputs)}")
    for volume in inputs:
        cnndsl.loads(text.replace(written, volume))


def test_a_given_input_has_neighbours_too() -> None:
    text = UP.format("CONVT2-8/2").replace("33x33", "32x32")
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.loads(text, input=(35, 35, 8))
    assert caught.value.diagnostics[0].help.endswith("inputs that work are 34x34x8 and 36x36x8")


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (5, 2), (2, 3), (4, 3), (7, 4), (1, 2)])
def test_a_transposed_convolution_that_same_does_not_fit(kernel: int, stride: int) -> None:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.loads(f"INPUT 8x8x8 -> CONVT{kernel}-8/{stride}")
    advice = caught.value.diagnostics[0].help.partition(": ")[2].strip("`")
    made = cnndsl.loads(f"INPUT 8x8x8 -> {advice}").graph.nodes[1]
    assert made.shape.hwc == (8 * stride, 8 * stride, 8)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("INPUT 33x33x8 -> e: CONV3-8 -> POOL2 -> (@e | CONVT2-8/2)", "CONV3-8"),
        ("INPUT 33x33x8 -> e: CONV3-8 -> RELU -> d: POOL2 -> CONV1-8 -> (@d + @e)", "CONV3-8"),
        ("i: INPUT 9x9x4 -> a: CONV3-4 -> POOL2\nb = @i -> CONV3-4\nc = (@a + @b -> POOL3) -> RELU", "INPUT 9x9x4"),
        # It is right before them, where anybody sees it.
        ("INPUT 9x9x4 -> a: CONV3-4 -> (POOL2 + CONV3-4)", None),
        ("INPUT 9x9x4 -> a: CONV3-4 -> (POOL2 + @a)", None),
    ],
)
def test_where_the_branches_part(text: str, place: str | None) -> None:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.loads(text)
    found = [each for each in caught.value.diagnostics if each.code == "E0312"]
    parting = [other.span.text for other in found[0].others if other.text.startswith("the branches split here")]
    assert parting == ([] if place is None else [place])
