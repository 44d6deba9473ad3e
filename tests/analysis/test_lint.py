"""Each rule on a network that goes against it and on one that does not; how rules are switched off."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.linting.lint import RULES, lint


def names(text: str) -> list[str]:
    return [each.code for each in lint(cnndsl.loads(text).graph)]


BAD = {
    # 36 = 4*9 can be halved twice.
    "odd-input": "INPUT 36x36x3 -> [CONV3-16 -> POOL2(ceil=yes)]*3 -> GAP",
    "large-kernel": "INPUT 16x16x16 -> CONV7-16 -> [CONV3-16]*8",
    "even-kernel": "INPUT 8x8x3 -> CONV4-8 -> FC-2",
    # A vector of 8 values, copied to 4*4 places, and 16*8*10 weights in place of 8*10.
    "magnifying-pool": "INPUT 16x16x3 -> CONV3-8 -> GAP -> AVGPOOL(out=4x4) -> FC-10",
    "large-first-kernel": "INPUT 32x32x3 -> CONV11-16/4 -> FC-10",
    "large-pool": "INPUT 32x32x3 -> CONV3-16 -> POOL4 -> FC-10",
    "large-stride": "INPUT 32x32x3 -> CONV3-16 -> CONV3-16/3 -> FC-10",
    # (8 - 3)/2 is no integer.
    "stride-remainder": "INPUT 8x8x3 -> CONV3-8/2(pad=0) -> FC-2",
    "dropout-between-convolutions": "INPUT 8x8x3 -> CONV3-8 -> RELU -> DROPOUT -> CONV3-8 -> FC-2",
    "bias-before-bn": "INPUT 8x8x3 -> CONV3-8 -> BN -> FC-2",
    "narrow-field": "INPUT 32x32x3 -> CONV3-8 -> GAP -> FC-2",
    # 3 + 15*2 = 33 positions of 8.
    "wide-field": "INPUT 8x8x3 -> CONV3-8*16 -> GAP -> FC-2",
    "first-fc": "INPUT 16x16x3 -> CONV3-8 -> FC-100 -> FC-10",
    "block-like-kind": "block Conv(c) = CONV3-c -> RELU\nINPUT 8x8x3 -> Conv(8) -> Conv3-8 -> FC-2",
    "unused": "INPUT 8x8x3 -> x: ID -> FC-2",
    "hidden-extent": "INPUT 8x8x3 -> for C in 4, 8 [CONV3-C] -> FC-2",
    "uncalled-block": "INPUT 8x8x3 -> FC-2 block A = CNOV",
    "swapped-size": "INPUT 32x32x3 -> CONV64-3 -> FC-2",
    "size-for-width": "INPUT 32x32x3 -> CONV3x64 -> FC-2",
    "repeated-pointwise": "let c = 8\nINPUT 32x32x3 -> CONV1-c*4 -> FC-2",
    "channels-first": "INPUT 3x32x32 -> CONV1-8 -> FC-2",
    "identity-last": "INPUT 8x8x3 -> (CONV3-3 + CONV1-3 or ID) -> FC-2",
    "repeated-width": "INPUT 8x8x3 -> CONV3-C -> CONV3-2*C -> FC-2",
    "dead-branch": "INPUT 8x8x3 -> (CONV3-8 | CONV5-8) -> SLICE(0, 8) -> FC-2",
}

GOOD = """
default CONV(bias=no)
INPUT 32x32x3 -> [CONV3-16 -> BN -> RELU -> CONV3-16 -> BN -> RELU -> POOL2]*3 -> CONV3-16 -> GAP -> DROPOUT -> FC-10
"""


@pytest.mark.parametrize("rule", BAD)
def test_a_rule_finds_what_goes_against_it(rule: str) -> None:
    assert rule in names(BAD[rule])
    assert {each.severity for each in lint(cnndsl.loads(BAD[rule]).graph)} == {"warning"}


def test_every_rule_has_an_example_and_cites_its_source() -> None:
    assert {rule.name for rule in RULES} == set(BAD)
    assert all(rule.summary and rule.source for rule in RULES)


def test_a_network_by_the_rules() -> None:
    assert names(GOOD) == []


@pytest.mark.parametrize("rule", BAD)
def test_a_rule_is_switched_off_for_a_line_or_for_all(rule: str) -> None:
    assert rule not in names(f"{BAD[rule]}  # cnndsl: allow({rule})")
    assert rule not in names(f"# cnndsl: allow(first-fc, {rule})\n{BAD[rule]}")
    assert rule not in [each.code for each in lint(cnndsl.loads(BAD[rule]).graph, allow={rule})]


def test_a_switch_at_the_end_of_another_line_switches_nothing_off() -> None:
    assert "bias-before-bn" in names(
        "# cnndsl: allow()\nINPUT 8x8x3 # cnndsl: allow(bias-before-bn)\n-> CONV3-8 -> BN -> FC-2"
    )


def test_an_unknown_rule_is_not_ignored() -> None:
    (diagnostic,) = [
        each for each in lint(cnndsl.loads(f"# cnndsl: allow(odd-inptu){GOOD}").graph) if each.code == "unknown-rule"
    ]
    assert diagnostic.help == "did you mean `odd-input`?"
    assert diagnostic.span is not None
    assert diagnostic.span.line == 1


def test_counts_of_a_large_kernel() -> None:
    # 7*7*16*16 against three times 3*3*16*16, the example of Simonyan and Zisserman 2014, Section 2.3: 49 C^2, 27 C^2.
    (finding,) = [each for each in lint(cnndsl.loads(BAD["large-kernel"]).graph) if each.code == "large-kernel"]
    assert finding.message == "3 layers of 3x3 see as much as one of 7x7: 6,912 weights instead of 12,544"


def test_what_global_pooling_would_save() -> None:
    # 7*7*512*4096 weights, of which 512*4096 stay.
    (finding,) = [each for each in lint(cnndsl.load("vgg16").graph) if each.code == "first-fc"]
    assert finding.message == "102,764,544 of the 138,357,544 parameters are in classifier.0, the first FC"
    assert finding.help == "GAP before it, for 512 inputs, saves 100,663,296 parameters"


def test_a_repeat_is_said_once() -> None:
    found = lint(cnndsl.loads("INPUT 8x8x3 -> [CONV3-8 -> BN]*4 -> GAP").graph)
    (finding,) = [each for each in found if each.code == "bias-before-bn"]
    assert finding.message.endswith("(and 3 more of this line)")
