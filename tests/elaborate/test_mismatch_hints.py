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
