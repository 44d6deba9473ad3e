"""Where each rule of thumb begins and ends to speak, with its numbers: arithmetic beside each network."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.analysis.lint import lint


def said(rule: str, text: str) -> list[tuple[str, str]]:
    """What a rule says of a network, and the way out."""
    return [(each.message, each.help) for each in lint(cnndsl.loads(text).graph) if each.code == rule]


def messages(rule: str, text: str) -> list[str]:
    return [message for message, _ in said(rule, text)]


HALVED = "-> [CONV3-16 -> POOL2(ceil=yes)]*3 -> GAP"


def test_the_input_is_divided_as_often_as_it_is_halved() -> None:
    # 36 = 4*9, and 2^3 = 8: 32 = 4*8 lies below, 40 = 5*8 above.
    told = ("8 does not divide the input's 36, and the network halves it 3 times", "take 32 or 40")
    assert said("odd-input", f"INPUT 36x36x3 {HALVED}") == [told]
    assert said("odd-input", f"INPUT 32x36x3 {HALVED}") == [told]
    assert said("odd-input", f"INPUT 40x48x3 {HALVED}") == []
    # An extent of 1 is an axis that is not there; nothing lies below 8 but 0.
    flat = "-> [CONV1x3-16 -> POOL1x2(ceil=yes)]*3 -> GAP"
    assert said("odd-input", f"INPUT 1x36x3 {flat}") == [told]
    assert said("odd-input", f"INPUT 1x32x3 {flat}") == []
    assert [help for _, help in said("odd-input", f"INPUT 6x8x3 {HALVED}")] == ["take 8"]
    assert [help for _, help in said("odd-input", "INPUT 2x32x3 -> CONV3-8/2*3 -> GAP")] == ["take 8"]
    # A stride of 3 halves nothing, one of 1/2 neither, one of 6 once.
    assert said("odd-input", "INPUT 7x7x3 -> CONV3-8/3 -> GAP") == []
    assert said("odd-input", "INPUT 7x7x3 -> UPSAMPLE2 -> CONV3-8 -> GAP") == []
    assert [help for _, help in said("odd-input", "INPUT 37x37x3 -> CONV3-8/3 -> CONV3-8/2 -> GAP")] == [
        "take 36 or 38"
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # 5*5*16*16 = 6,400 against 2*9*16*16 = 4,608.
        ("INPUT 16x16x16 -> CONV5-16", "2 layers of 3x3 see as much as one of 5x5: 4,608 weights instead of 6,400"),
        # 5*5*5*8*8 = 8,000 against 27*8*8*2 = 3,456.
        (
            "INPUT 8x8x8x8 -> CONV5-8",
            "2 layers of 3x3x3 see as much as one of 5x5x5: 3,456 weights instead of 8,000",
        ),
        # 7*7*16*8 = 6,272 against 9*8*(16 + 8 + 8) = 2,304.
        ("INPUT 16x16x16 -> CONV7-8", "3 layers of 3x3 see as much as one of 7x7: 2,304 weights instead of 6,272"),
        # 25*9*15 = 3,375 against 9*15*(9 + 15) = 3,240; with 16 filters both are 3,600.
        ("INPUT 16x16x9 -> CONV5-15", "2 layers of 3x3 see as much as one of 5x5: 3,240 weights instead of 3,375"),
        ("INPUT 16x16x9 -> CONV5-16", None),
        # 25*3*64 = 4,800 against 9*64*(3 + 64).
        ("INPUT 16x16x3 -> CONV5-64", None),
        # 7*16*16 = 1,792 against 3*3*16*16 = 2,304.
        ("INPUT 16x16 -> CONV7-16", None),
        ("INPUT 16x16x16 -> CONV3-16", None),
        ("INPUT 16x16x16 -> CONV6-16", None),
        ("INPUT 16x16x16 -> CONV7-16/2", None),
        ("INPUT 16x16x16 -> CONV7-16(dilation=2)", None),
        ("INPUT 16x16x16 -> CONV7x5-16", None),
        ("INPUT 16x16x16 -> CONV7-16(groups=2)", None),
        ("INPUT 16x16x16 -> DWCONV7", None),
    ],
)
def test_large_kernels(text: str, found: str | None) -> None:
    assert messages("large-kernel", text) == ([found] if found else [])


def test_the_stack_in_place_of_a_large_kernel() -> None:
    assert [help for _, help in said("large-kernel", "INPUT 16x16x16 -> CONV7-16")] == ["[CONV3-16 -> RELU]*3"]


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        ("CONV4-8", ("the kernel 4x4 of CONV4-8 has no centre", "take 5x5")),
        ("CONV3x4-8", ("the kernel 3x4 of CONV3x4-8 has no centre", "take 3x5")),
        ("CONV4-8/2", ("the kernel 4x4 of CONV4-8/2 has no centre", "take 5x5")),
        ("LOCAL2-8", ("the kernel 2x2 of LOCAL2-8 has no centre", "take 3x3")),
        ("CONV2-8/2", None),
        ("CONV3-8", None),
        ("CONV2x4-8/2x4", None),
    ],
)
def test_even_kernels(layer: str, found: tuple[str, str] | None) -> None:
    assert said("even-kernel", f"INPUT 16x16x3 -> {layer}") == ([found] if found else [])


@pytest.mark.parametrize(
    ("layer", "found"),
    [
        # (9 - 3) mod 4 = 2, (9 - 3) mod 2 = 0, (9 - 2) mod 2 = 1, (9 + 2 - 3) mod 2 = 0.
        ("CONV3-8/4(pad=0)", "the windows of CONV3-8/4(pad=0) leave 2 lines of the input 9x9x3 over"),
        ("CONV3-8/2(pad=0)", None),
        ("CONV3-8/2(pad=1)", None),
        ("POOL2", "the windows of POOL2 leave 1 line of the input 9x9x3 over"),
        ("POOL2(ceil=yes)", None),
        ("POOL1x2", "the windows of POOL1x2 leave 1 line of the input 9x9x3 over"),
        # (9 + 2 - 2) mod 2 = 1 of 11; (9 + 1 - 2) mod 3 = 2 of 10.
        ("CONV2-8/2(pad=1)", "the windows of CONV2-8/2(pad=1) leave 1 line of the padded input 11x11x3 over"),
        (
            "CONV2x3-8/3(pad=same)",
            "the windows of CONV2x3-8/3(pad=same) leave 2 lines of the padded input 10x11x3 over",
        ),
        ("POOL3/2(pad=1x0)", None),
        ("POOL4/2(pad=1x0)", "the windows of POOL4/2(pad=1x0) leave 1 line of the padded input 11x9x3 over"),
        ("RELU", None),
    ],
)
def test_remainders(layer: str, found: str | None) -> None:
    assert messages("stride-remainder", f"INPUT 9x9x3 -> {layer}") == ([found] if found else [])


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
        ("CONV3-8 -> BN", "the bias of CONV3-8 is lost in the BN behind it: 8 parameters"),
        ("FC-1000 -> BN", "the bias of FC-1000 is lost in the BN behind it: 1,000 parameters"),
        ("CONV3-8 -> (BN + BN)", "the bias of CONV3-8 is lost in the BN behind it: 8 parameters"),
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
        ("INPUT 3x3x3 -> a: CONV3-8 -> GAP -> FC-2", None),
        (
            "INPUT 4x3x3 -> a: CONV3-8 -> GAP -> FC-2",
            "a unit of the last map, a, sees 3x3 of the input's 4x3",
        ),
        ("INPUT 32x32x3 -> a: CONV3-8", "a unit of the last map, a, sees 3x3 of the input's 32x32"),
        ("INPUT 32x32x3 -> CONV3-8 -> FC-2", None),
        ("INPUT 32x32x3 -> CONV3-8 -> FLATTEN -> RELU -> FC-2", None),
        ("INPUT 32x32x3 -> GAP -> FC-2", None),
        ("INPUT 32 -> FC-8 -> FC-2", None),
    ],
)
def test_narrow_fields(text: str, found: str | None) -> None:
    assert messages("narrow-field", text) == ([found] if found else [])


def test_a_narrow_field_that_is_a_bound() -> None:
    """Units between two of four means see 2,500 positions; of a block of two, one may see a third mean."""
    text = "INPUT 5000x1 -> (ID + POOL(out=4) -> UPSAMPLE(out=5000, mode=linear, align=yes)) -> a: CONV1-1"
    assert messages("narrow-field", text) == ["a unit of the last map, a, sees at most 3750 of the input's 5000"]


def test_wide_fields() -> None:
    # 16 times 3x3: 1 + 16*2 = 33; 14 times and a 4x4: 1 + 28 + 3 = 32, four times the input.
    (message,) = messages("wide-field", "INPUT 8x8x3 -> CONV3-8*15 -> last: CONV3-8 -> GAP")
    assert message == "a unit of the last map, last, sees 33x33, and the input has 8x8"
    assert messages("wide-field", "INPUT 8x8x3 -> CONV3-8*14 -> CONV4-8 -> GAP") == []
    assert len(messages("wide-field", "INPUT 8x800x3 -> CONV3-8*16 -> GAP")) == 1
    assert messages("wide-field", "INPUT 8 -> FC-2") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # 16*8*10 + 10 = 1,290 and 10*10 + 10 = 110; of 1,280 weights 80 stay.
        (
            "INPUT 4x4x8 -> FLATTEN -> DROPOUT -> a: FC-10 -> FC-10",
            ("1,290 of the 1,400 parameters are in a, the first FC", "GAP ahead of it, for 8 inputs, saves 1,200"),
        ),
        # 4 + 1 parameters, and 4 or 5 behind: more than half of 9, half of 10.
        (
            "INPUT 2x2x1 -> a: FC-1 -> FC-4(bias=no)",
            ("5 of the 9 parameters are in a, the first FC", "GAP ahead of it, for 1 inputs, saves 3"),
        ),
        ("INPUT 2x2x1 -> a: FC-1 -> FC-5(bias=no)", None),
        ("INPUT 4x4x8 -> GAP -> FLATTEN -> FC-1000", None),
        ("INPUT 8 -> FC-1000", None),
        # Two pixels are a map: 16 + 2 parameters of 18 + 6.
        (
            "INPUT 1x2x4 -> a: FC-2 -> FC-2",
            ("18 of the 24 parameters are in a, the first FC", "GAP ahead of it, for 4 inputs, saves 8"),
        ),
        # The first FC that reads the map has few, the second reads a vector.
        ("INPUT 4x4x1 -> FC-1 -> FC-1000", None),
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
    assert found.help.startswith("there are odd-input, large-kernel")
    assert found.severity == "warning"
    assert found.span is not None
    assert found.span.text == "# cnndsl: allow(xyzzy)"
