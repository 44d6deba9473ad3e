"""What the random programs draw, and how often: each layer type and each form of a value meets the others."""

from __future__ import annotations

import re

import pytest

from cnndsl.testing import crossing

TEXTS = [crossing(seed).text for seed in range(250)]


@pytest.mark.parametrize(
    ("pattern", "least"),
    [
        (r"SCALE\(shared=yes", 10),
        (r"init=bilinear", 8),
        (r"\*\*\(|\*\*i|\w\*\*2|\*\*-1", 25),
        ("CHANNELCONV", 8),
        (r"SUB\(", 8),
        ("EVONORM|FRN|RMSNORM|L2NORM|GRN", 12),
        ("SUMPOOL|LPPOOL|BLURPOOL", 6),
    ],
)
def test_each_is_drawn_in_some_of_250_programs(pattern: str, least: int) -> None:
    """A seed gives one program, so that these numbers do not change by chance."""
    assert sum(bool(re.search(pattern, text)) for text in TEXTS) >= least
