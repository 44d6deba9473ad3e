"""Words that are none: each told by its code, at its place."""

from __future__ import annotations

import pytest

import cnndsl

NET = "INPUT 8x8x3 -> RELU"
MANY = "9" * 400

WRONG = {
    "no unit": (f"let a = 5q\n{NET}", "E0104", "5q"),
    "half an exponent": (f"let a = 5e\n{NET}", "E0104", "5e"),
    "too long a number": (f"let a = {MANY}\n{NET}", "E0104", MANY),
    "too large an exponent": (f"let a = 1e99999\n{NET}", "E0104", "1e99999"),
    "too long a width": (f"INPUT 8x8x3 -> CONV3-{MANY}", "E0104", MANY),
    "too long an extent": (f"INPUT {MANY}x8x3 -> RELU", "E0104", f"{MANY}x8x3"),
    "a blank inside": ("INPUT 8x8x3 -> CONV {2}-4", "E0106", " "),
    "an x too many": ("INPUT 8x8x3 -> CONV{1}x-4", "E0106", "CONV{1}x-4"),
    "letters behind a hole": ("INPUT 8x8x3 -> CONV{1}3q-4", "E0106", "CONV{1}3q-4"),
    "two holes for a width": ("INPUT 8x8x3 -> CONV-{3}{4}", "E0106", "CONV-{3}{4}"),
    "two holes for an extent": ("INPUT {8}{8}x3 -> RELU", "E0106", "{8}{8}x3"),
}


@pytest.mark.parametrize(("text", "code", "place"), WRONG.values(), ids=WRONG)
def test_what_is_no_word(text: str, code: str, place: str) -> None:
    with pytest.raises(cnndsl.CnnError) as caught:
        cnndsl.loads(text)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert found.span is not None
    assert found.span.text in place or place in found.span.text


def test_words_with_holes() -> None:
    graph = cnndsl.loads("let k = 3\nINPUT {4*2}x8x{k} -> CONV{k}x{k-2}-{2*k}/{k-1}").graph
    # Padding `same`: (8 - 1)//2 + 1 rows and columns.
    assert (graph.input.hwc, graph.nodes[1].shape.hwc) == ((8, 8, 3), (4, 4, 6))
