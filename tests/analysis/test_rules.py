"""Where each rule of thumb begins and ends to speak, with its numbers: arithmetic beside each network."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.linting.lint import lint
from tests.analysis.linting import messages, said


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("CONV3-8 -> DROPOUT -> CONV3-8", True),
        ("CONV3-8 -> RELU -> DROPOUT -> BN -> RELU -> CONV3-8", True),
        ("CONV3-8 -> DROPOUT -> (RELU -> CONV1-8 + RELU -> CONV3-8)", True),
        ("CONV3-8 -> DROPOUT -> (RELU + CONV1-8) -> CONV3-8", True),
        ("CONV3-8 -> DROPOUT(channels=yes) -> CONV3-8", False),
        ("DROPOUT -> CONV3-8", False),
        ("CONV3-8 -> DROPOUT -> CONV1-8 -> CONV3-8", False),
        ("CONV3-8 -> DROPOUT -> FC-8", False),
        ("CONV3-8 -> DROPOUT", False),
        # One pixel is a vector.
        ("CONV3-8 -> GAP -> DROPOUT -> UPSAMPLE8 -> CONV3-8", False),
        # Sums that are read twice, one behind the other: 2^40 ways lead through them.
        ("CONV3-8 -> DROPOUT -> [(ID + RELU)]*40 -> CONV1-8", False),
    ],
)
def test_dropout(chain: str, found: bool) -> None:
    assert bool(messages("dropout-between-convolutions", f"INPUT 8x8x3 -> {chain}")) is found


def test_two_pixels_are_a_map_to_dropout() -> None:
    assert messages("dropout-between-convolutions", "INPUT 1x2x3 -> CONV3-8 -> DROPOUT -> CONV3-8")


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("CONV3-8 -> BN", "the BN after CONV3-8 cancels its bias of 8 parameters"),
        ("FC-1000 -> BN", "the BN after FC-1000 cancels its bias of 1,000 parameters"),
        ("CONV3-8 -> (BN + BN)", "the BN after CONV3-8 cancels its bias of 8 parameters"),
        ("CONV3-8 -> (BN + ID)", None),
        ("CONV3-8(bias=no) -> BN", None),
        ("CONV3-8 -> RELU -> BN", None),
        ("SCALE -> BN", None),
        ("CONV3-8", None),
    ],
)
def test_biases_before_batch_normalisation(chain: str, found: str | None) -> None:
    assert messages("bias-before-bn", f"INPUT 8x8x3 -> {chain}") == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("INPUT 6x6x3 -> a: CONV3-8 -> GAP -> FC-2", None),
        (
            "INPUT 7x6x3 -> a: CONV3-8 -> GAP -> FC-2",
            "the receptive field of the last map, a, is 3x3 of the input's 7x6",
        ),
        # A map of answers, one for each place.
        ("INPUT 32x32x3 -> a: CONV3-8", None),
        ("INPUT 32x32x3 -> CONV3-8 -> FC-2", None),
        ("INPUT 32x32x3 -> CONV3-8 -> FLATTEN -> RELU -> FC-2", None),
        ("INPUT 32x32x3 -> GAP -> FC-2", None),
        ("INPUT 32 -> FC-8 -> FC-2", None),
    ],
)
def test_narrow_fields(text: str, found: str | None) -> None:
    assert messages("narrow-field", text) == ([found] if found else [])


def test_a_narrow_field_that_is_a_bound() -> None:
    """Units between two of ten means see 1,000 positions; of a block of two, one may see a third mean."""
    text = "INPUT 5000x1 -> (ID + POOL(out=10) -> UPSAMPLE(out=5000, mode=linear, align=yes)) -> a: CONV1-1 -> GAP"
    assert messages("narrow-field", text) == [
        "the receptive field of the last map, a, is at most 1500 of the input's 5000"
    ]


def test_wide_fields() -> None:
    # 16 times 3x3: 1 + 16*2 = 33; 14 times and a 4x4: 1 + 28 + 3 = 32, four times the input.
    (message,) = messages("wide-field", "INPUT 8x8x3 -> CONV3-8*15 -> last: CONV3-8 -> GAP")
    assert message == "the smallest receptive field of the last map, last, is 33x33, but the input has only 8x8"
    assert messages("wide-field", "INPUT 8x8x3 -> CONV3-8*14 -> CONV4-8 -> GAP") == []
    # Along the other axis the convolutions still see more.
    assert messages("wide-field", "INPUT 8x800x3 -> CONV3-8*16 -> GAP") == []
    # 1 + 2 + 15*4: each of the others moves by 2.
    (message,) = messages("wide-field", "INPUT 8x8x3 -> CONV3-8/2 -> CONV3-8*14 -> last: CONV3-8 -> GAP")
    assert message.startswith(
        "the smallest receptive field of the last map, last, is 63x63, but the input has only 8x8"
    )
    # Around every unit leads a way that sees no more; a gate is none that does.
    assert messages("wide-field", "INPUT 8x8x8 -> CONV3-8 -> [(CONV3-8 -> RELU -> CONV3-8 + ID)]*16 -> GAP") == []
    # A generator: 1 + 3*1/2 + 3*1/4 + ... of an input of 1x1.
    assert messages("wide-field", "INPUT 1x1x8 -> CONVT4-8/1(pad=valid) -> [CONVT4-8/2]*3 -> CONV3-3*4") == []
    gated = "INPUT 8x8x8 -> [CONV3-8 -> MUL(ID, GAP -> CONV1-8 -> SIGMOID)]*16 -> last: CONV1-8 -> GAP"
    assert len(messages("wide-field", gated)) == 1
    assert messages("wide-field", "INPUT 8 -> FC-2") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # 16*8*10 + 10 = 1,290 and 10*10 + 10 = 110; of 1,280 weights 80 stay.
        (
            "INPUT 4x4x8 -> FLATTEN -> DROPOUT -> a: FC-10 -> FC-10",
            (
                "1,290 of the 1,400 parameters are in a, the first FC",
                "GAP before it, for 8 inputs, saves 1,200 parameters",
            ),
        ),
        # 4 + 1 parameters, and 4 or 5 behind: more than half of 9, half of 10.
        (
            "INPUT 2x2x1 -> a: FC-1 -> FC-4(bias=no)",
            ("5 of the 9 parameters are in a, the first FC", "GAP before it, for 1 inputs, saves 3 parameters"),
        ),
        ("INPUT 2x2x1 -> a: FC-1 -> FC-5(bias=no)", None),
        ("INPUT 4x4x8 -> GAP -> FLATTEN -> FC-1000", None),
        ("INPUT 8 -> FC-1000", None),
        # Two pixels are a map: 16 + 2 parameters of 18 + 6.
        (
            "INPUT 1x2x4 -> a: FC-2 -> FC-2",
            ("18 of the 24 parameters are in a, the first FC", "GAP before it, for 4 inputs, saves 8 parameters"),
        ),
        # The first FC that reads the map has few, the second reads a vector.
        ("INPUT 4x4x1 -> FC-1 -> FC-1000", None),
        # Split in two: each has 16*8*10 + 10, and behind them are 20*10 + 10.
        (
            "INPUT 4x4x8 -> (a: FC-10 | b: FC-10) -> FC-10",
            (
                "2,580 of the 2,790 parameters are in a and b, the first FCs",
                "GAP before them, for 8 inputs each, saves 2,400 parameters",
            ),
        ),
        # In four, one of them behind 8 + 8 parameters: 1,290 + 645 + 2*258, and behind them 19*50 + 50.
        (
            "INPUT 4x4x8 -> (DWCONV1 -> a: FC-10 | b: FC-5 | FC-2 | FC-2) -> FC-50",
            (
                "2,451 of the 3,467 parameters are in a, b and 2 others, the first FCs",
                "GAP before them, for 8 inputs each, saves 2,280 parameters",
            ),
        ),
        # One that exists in training only is none of them: 1,290 beside 10*190 + 190 are less than half.
        ("INPUT 4x4x8 -> x: ID -> tap aux(train): (@x -> FC-10) -> a: FC-10 -> FC-190", None),
        # One that is over channels reads a position.
        ("INPUT 4x4x8 -> FC-1000(over=channels) -> GAP -> FC-1", None),
    ],
)
def test_the_first_fc(text: str, found: tuple[str, str] | None) -> None:
    assert said("first-fc", text) == ([found] if found else [])


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("(a: CONV3-8 | b: CONV5-8) -> SLICE(0, 8)", ["nothing reads the output of b"]),
        ("(a: CONV3-8 | b: CONV5-8) -> SLICE(8, 16)", ["nothing reads the output of a"]),
        ("(a: CONV3-8 | b: CONV5-8) -> SLICE(4, 12)", []),
        ("(a: CONV3-8 | b: CONV5-8) -> PICK(3, 9)", []),
        ("a: CONV3-8 -> SLICE(0, 4)", ["nothing reads 4 of the 8 channels of a"]),
        ("a: CONV3-8 -> PICK(0, 3)", ["nothing reads 6 of the 8 channels of a"]),
        ("a: CONV3-8 -> (SLICE(0, 4) | SLICE(4, 8))", []),
        ("a: CONV3-8 -> (SLICE(0, 4) | SLICE(0, 2) | PICK(7))", ["nothing reads 3 of the 8 channels of a"]),
        ("a: CONV3-8 -> (SLICE(0, 4) | CONV3-4)", []),
        ("a: CONV3-8 -> tap side: GAP -> SLICE(0, 4)", []),
        ("a: CONV3-8", []),
    ],
)
def test_dead_branches(chain: str, found: list[str]) -> None:
    assert messages("dead-branch", f"INPUT 8x8x3 -> {chain}") == found


def test_what_to_do_about_channels_that_nobody_reads() -> None:
    assert [help for _, help in said("dead-branch", "INPUT 8x8x3 -> CONV3-8 -> PICK(0, 3)")] == [
        "make it 2 channels wide"
    ]


def test_findings_are_in_the_order_of_the_file_and_switches_hold_for_their_line() -> None:
    text = (
        "INPUT 9x9x3 -> CONV4-8 -> BN ->\n CONV3-8/4(\n pad=0) # cnndsl: allow(stride-remainder, even-kernel)\n -> FC-2"
    )
    found = lint(cnndsl.loads(text).graph)
    assert [each.code for each in found if each.code in ("even-kernel", "bias-before-bn", "stride-remainder")] == [
        "even-kernel",
        "bias-before-bn",
    ]
    assert [each.span.start for each in found if each.span] == sorted(each.span.start for each in found if each.span)


def test_a_repeat_counts_the_others_of_its_line() -> None:
    two = "INPUT 9x9x3 -> [CONV3-8 -> BN]*2 -> CONV4-8 -> CONV4-8"
    found = lint(cnndsl.loads(two).graph)
    assert [
        each.message.partition(" (and ")[2] for each in found if each.code in ("bias-before-bn", "even-kernel")
    ] == [
        "1 more of this line)",
        "",
        "",
    ]


def test_an_unknown_rule_without_a_neighbour_lists_all() -> None:
    (found,) = [
        each
        for each in lint(cnndsl.loads("INPUT 8 -> FC-2 # cnndsl: allow(xyzzy)").graph)
        if each.code == "unknown-rule"
    ]
    assert found.message == "there is no rule called `xyzzy`"
    assert {"odd-input", "stride-remainder", "unused"} <= set(found.help.removeprefix("there are ").split(", "))
    assert found.severity == "warning"
    assert found.span is not None
    assert found.span.text == "# cnndsl: allow(xyzzy)"


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("Conv(8) -> Conv3-8", ["`Conv` is the layer type here, but `Conv` is a block"]),
        ("Conv(8) -> conv3-8", ["`conv` is the layer type here, but `Conv` is a block"]),
        # As ultralytics' networks are written here: the one is a block, the other cannot be taken for it.
        ("Conv(8) -> CONV3-8", []),
        ("Conv3-8 -> BN", []),
    ],
)
def test_layer_types_that_are_written_like_blocks(chain: str, found: list[str]) -> None:
    assert messages("block-like-kind", f"block Conv(c) = Conv3-c -> RELU\nINPUT 8x8x3 -> {chain}") == found
