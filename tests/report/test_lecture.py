"""The lecture's table, line for line, against the CS231n notes.

Source of the lines: cs231n.github.io/convolutional-networks, "VGGNet in detail", with single blanks. The notes call
fully connected layers FC, and state a total of 24M values where their rows sum to 15.2M.
"""

from __future__ import annotations

import re

from cnndsl import load, loads

NOTES = """
INPUT: [224x224x3] memory: 224*224*3=150K weights: 0
CONV3-64: [224x224x64] memory: 224*224*64=3.2M weights: (3*3*3)*64 = 1,728
CONV3-64: [224x224x64] memory: 224*224*64=3.2M weights: (3*3*64)*64 = 36,864
POOL2: [112x112x64] memory: 112*112*64=800K weights: 0
CONV3-128: [112x112x128] memory: 112*112*128=1.6M weights: (3*3*64)*128 = 73,728
CONV3-128: [112x112x128] memory: 112*112*128=1.6M weights: (3*3*128)*128 = 147,456
POOL2: [56x56x128] memory: 56*56*128=400K weights: 0
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*128)*256 = 294,912
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*256)*256 = 589,824
CONV3-256: [56x56x256] memory: 56*56*256=800K weights: (3*3*256)*256 = 589,824
POOL2: [28x28x256] memory: 28*28*256=200K weights: 0
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*256)*512 = 1,179,648
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [28x28x512] memory: 28*28*512=400K weights: (3*3*512)*512 = 2,359,296
POOL2: [14x14x512] memory: 14*14*512=100K weights: 0
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
CONV3-512: [14x14x512] memory: 14*14*512=100K weights: (3*3*512)*512 = 2,359,296
POOL2: [7x7x512] memory: 7*7*512=25K weights: 0
FC: [1x1x4096] memory: 4096 weights: 7*7*512*4096 = 102,760,448
FC: [1x1x4096] memory: 4096 weights: 4096*4096 = 16,777,216
FC: [1x1x1000] memory: 1000 weights: 4096*1000 = 4,096,000
""".strip().splitlines()

BOARD = """
INPUT 224x224x3
-> [CONV3-64 -> RELU]*2 -> POOL2 -> [CONV3-128 -> RELU]*2 -> POOL2
-> [CONV3-256 -> RELU]*3 -> POOL2 -> [[CONV3-512 -> RELU]*3 -> POOL2]*2
-> [FC-4096 -> RELU -> DROPOUT(0.5)]*2 -> FC-1000
"""


def test_the_rows_are_those_of_the_notes() -> None:
    lines = loads(BOARD).stats().render("lecture").splitlines()
    assert [re.sub(r" +", " ", line) for line in lines[:-2]] == NOTES


def test_the_totals_are_the_sums_of_the_rows() -> None:
    *_, memory, params = loads(BOARD).stats().render("lecture").splitlines()
    # 15,237,608 values in the rows above; 4 bytes each are 60,950,432. Parameters as published: 138,357,544.
    assert memory == "TOTAL memory: 15.2M * 4 bytes ~= 61MB / image (only forward! ~*2 for bwd)"
    assert params == "TOTAL params: 138M parameters"


def test_the_columns_are_aligned() -> None:
    lines = loads(BOARD).stats().render("lecture").splitlines()
    assert lines[0] == "INPUT:     [224x224x3]    memory: 224*224*3=150K    weights: 0"
    assert lines[1] == "CONV3-64:  [224x224x64]   memory: 224*224*64=3.2M   weights: (3*3*3)*64 = 1,728"
    assert lines[19] == "FC:        [1x1x4096]     memory: 4096              weights: 7*7*512*4096 = 102,760,448"


def test_the_zoo_says_the_same_as_the_board() -> None:
    zoo = load("vgg16").stats().render("lecture").splitlines()
    assert [re.sub(r" +", " ", line) for line in zoo][-2:] == [
        "TOTAL memory: 15.2M * 4 bytes ~= 61MB / image (only forward! ~*2 for bwd)",
        "TOTAL params: 138M parameters",
    ]


def test_options_are_left_away_and_one_axis_has_one_factor() -> None:
    lines = (
        loads("INPUT 16000x1 -> CONV9-32/4(pad=valid) -> RELU -> GAP -> FC-2").stats().render("lecture").splitlines()
    )
    # (16000 - 9)/4 + 1 = 3998 positions; 3998*32 = 127,936; GAP leaves one.
    assert lines[1].split() == [
        "CONV9-32/4:",
        "[3998x32]",
        "memory:",
        "3998*32=130K",
        "weights:",
        "(9*1)*32",
        "=",
        "288",
    ]
    assert lines[2].split()[:4] == ["GAP:", "[1x32]", "memory:", "32"]


def test_one_pixel_has_no_extents_in_the_formula() -> None:
    lines = loads("INPUT 4x4x8 -> GAP -> FC-10").stats().render("lecture").splitlines()
    assert lines[2].split() == ["FC:", "[1x1x10]", "memory:", "10", "weights:", "8*10", "=", "80"]
