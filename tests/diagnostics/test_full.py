"""What an error looks like: the page of the language reference, and everything that could break the picture.

The expected pictures are drawn by hand.
"""

from __future__ import annotations

from textwrap import dedent

import pytest

from cnndsl.diagnostics import render
from cnndsl.errors import Annotation, Diagnostic, Source, Span


def place(source: Source, text: str, nth: int = 0) -> Span:
    at = -1
    for _ in range(nth + 1):
        at = source.text.index(text, at + 1)
    return Span(source, at, at + len(text))


def shown(picture: str) -> str:
    return dedent(picture).strip("\n")


RESNET = Source(
    "resnet.cnn",
    "net ResNet\n\n\n\n\nblock Bottleneck(c, s=1) = (\n"
    "    conv1: CONV1-c -> bn1: BN -> RELU -> conv2: CONV3-c/s -> conv3: CONV1-{4*c}\n  + ID\n)\n",
)


def test_the_picture_of_the_language_reference() -> None:
    diagnostic = Diagnostic(
        "E0312",
        "the branches of `+` have different shapes",
        place(RESNET, "ID"),
        "[56x56x256]",
        (Annotation(place(RESNET, "conv3: CONV1-{4*c}"), "[28x28x512]"),),
        ("in Bottleneck(128, 2)", "called at resnet.cnn:17:13"),
        "give the skip a projection: `ID or CONV1-{4*c}/s`",
    )
    assert render([diagnostic]) == shown("""
        error[E0312]: the branches of `+` have different shapes
          --> resnet.cnn:8:5, in Bottleneck(128, 2), called at resnet.cnn:17:13
           |
         7 |     conv1: CONV1-c -> bn1: BN -> RELU -> conv2: CONV3-c/s -> conv3: CONV1-{4*c}
           |                                                              ------------------ [28x28x512]
         8 |   + ID
           |     ^^ [56x56x256]
           = help: give the skip a projection: `ID or CONV1-{4*c}/s`
    """)


def test_two_places_on_one_line() -> None:
    source = Source("net.cnn", "a: BN -> a: BN -> RELU")
    diagnostic = Diagnostic(
        "E0230",
        "the name `a` is used twice",
        place(source, "a", 1),
        "the second",
        (Annotation(place(source, "a"), "the first"),),
    )
    assert render([diagnostic]) == shown("""
        error[E0230]: the name `a` is used twice
          --> net.cnn:1:10
           |
         1 | a: BN -> a: BN -> RELU
           | -        ^ the second
           | |
           | the first
    """)


def test_a_place_around_others_is_not_underlined_itself() -> None:
    source = Source("net.cnn", "INPUT -> (CONV3-64 + CONV3-32)")
    diagnostic = Diagnostic(
        "E0312",
        "different shapes",
        place(source, "(CONV3-64 + CONV3-32)"),
        others=(Annotation(place(source, "CONV3-64"), "64"), Annotation(place(source, "CONV3-32"), "32")),
    )
    assert render([diagnostic]) == shown("""
        error[E0312]: different shapes
          --> net.cnn:1:10
           |
         1 | INPUT -> (CONV3-64 + CONV3-32)
           |           --------   -------- 32
           |           |
           |           64
    """)


def test_distant_lines_and_other_files() -> None:
    source = Source("a.cnn", "one\ntwo\nthree\nfour\nfive\nsix\n")
    other = Source("b.cnn", "INPUT\n-> FC-10\n")
    diagnostic = Diagnostic(
        "E0000",
        "several",
        place(source, "six"),
        "here",
        (
            Annotation(place(source, "one")),
            Annotation(place(source, "three"), "there"),
            Annotation(place(other, "FC-10"), "beyond"),
        ),
    )
    assert render([diagnostic]) == shown("""
        error[E0000]: several
          --> a.cnn:6:1
           |
         1 | one
           | ---
         2 | two
         3 | three
           | ----- there
        ...
         6 | six
           | ^^^ here
          ::: b.cnn:2:4
           |
         2 | -> FC-10
           |    ----- beyond
    """)


def test_a_place_of_many_lines_shows_its_first_and_last() -> None:
    source = Source("net.cnn", "block A = [\n  BN\n  -> BN\n  -> BN\n]\n")
    whole = Span(source, source.text.index("["), source.text.index("]") + 1)
    assert render([Diagnostic("E0000", "long", whole, "all of this", severity="warning")]) == shown("""
        warning[E0000]: long
          --> net.cnn:1:11
           |
         1 | block A = [
           |           ^
        ...
         5 | ]
           | ^ all of this
    """)


def test_the_margin_grows_with_the_line_numbers() -> None:
    source = Source("net.cnn", "\n" * 99 + "CNOV")
    assert render([Diagnostic("E0211", "unknown", place(source, "CNOV"))]) == shown("""
        error[E0211]: unknown
           --> net.cnn:100:1
             |
         100 | CNOV
             | ^^^^
    """).replace("   --> net", "    --> net")


def test_carets_align_under_tabs_and_wide_characters() -> None:
    source = Source("net.cnn", "\t-> 卷积: CNOV")
    lines = render([Diagnostic("E0211", "unknown", place(source, "CNOV"))]).splitlines()
    # The tab takes 4 columns and each ideograph 2, so the carets stand 4 + 3 + 4 + 2 columns into the line.
    assert lines[3] == " 1 |     -> 卷积: CNOV"
    assert lines[4] == "   | " + " " * 13 + "^^^^"


@pytest.mark.parametrize("bad", ["\x1b[31m", "\x07", "\r", "\u202e", "\u2028", "\ud800", "\x9b31m"])
def test_nothing_can_steer_the_terminal(bad: str) -> None:
    source = Source(f"n{bad}.cnn", f"INPUT {bad} CNOV")
    text = Annotation(place(source, "INPUT"), f"l{bad}")
    diagnostic = Diagnostic("E0211", f"m{bad}", place(source, "CNOV"), f"x{bad}", (text,), (f"c{bad}",), f"h{bad}")
    for format in ("full", "concise", "json", "github", "sarif"):
        assert bad not in render([diagnostic], format)
    lines = render([diagnostic]).splitlines()
    assert lines[3].index("CNOV") == lines[4].index("^^^^")


def test_a_long_line_is_cut_around_its_marks() -> None:
    source = Source("net.cnn", "INPUT" + " -> CONV3-64" * 200 + " -> CNOV" + " -> CONV3-64" * 200)
    first = Annotation(place(source, "INPUT"), "first")
    diagnostic = Diagnostic("E0211", "unknown", place(source, "CNOV"), "this", (first,))
    lines = render([diagnostic]).splitlines()
    assert max(map(len, lines)) < 130
    assert lines[3].startswith(" 1 | INPUT -> CONV3-64")
    assert lines[4] == "   | ----- first"
    assert lines[5].startswith(" 1 | …")
    assert lines[5].endswith("…")
    assert lines[5].index("CNOV") == lines[6].index("^^^^")


def test_the_end_of_a_file_and_an_empty_one() -> None:
    source = Source("net.cnn", "INPUT ->")
    end = Span(source, 8, 8)
    assert render([Diagnostic("E0102", "unfinished", end)]).endswith(" 1 | INPUT ->\n   |         ^")
    empty = Source("net.cnn", "")
    assert render([Diagnostic("E0102", "empty", Span(empty, 0, 0))]).endswith(" 1 |\n   | ^")


def test_no_place_and_many_frames() -> None:
    frames = tuple(f"in Block{at}(1, 2, 3), called at network.cnn:{at}:1" for at in range(4))
    assert render([Diagnostic("E0501", "one\ntwo", context=frames[:1], help="a\nb")]) == shown("""
        error[E0501]: one
          two
           = in Block0(1, 2, 3), called at network.cnn:0:1
           = help: a
                   b
    """)
    source = Source("net.cnn", "BN")
    lines = render([Diagnostic("E0000", "deep", Span(source, 0, 2), context=frames)]).splitlines()
    assert lines[1] == "  --> net.cnn:1:1"
    assert lines[5:] == [f"   = {frame}" for frame in frames]


def test_colours_change_nothing_but_colours() -> None:
    import re

    diagnostic = Diagnostic(
        "E0312", "m", place(RESNET, "ID"), "x", (Annotation(place(RESNET, "conv1"), "y"),), help="h"
    )
    coloured = render([diagnostic], colour=True)
    assert "\x1b[1;31merror[E0312]\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render([diagnostic])
