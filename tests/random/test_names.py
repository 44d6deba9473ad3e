"""Names as a text says them are those of its graph; the reading notices where they are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

import cnndsl
from cnndsl.elaborate import naming
from cnndsl.elaborate.state import ModuleMember
from cnndsl.errors import CnnError
from cnndsl.network import loads
from cnndsl.testing import crossing
from cnndsl.testing.names import name_differences, written_names
from tests.bundled import ZOO


@pytest.mark.parametrize("name", ZOO)
def test_bundled(name: str) -> None:
    assert name_differences(cnndsl.load(name).graph) == []


@pytest.mark.parametrize("start", range(20_000, 20_600, 200))
def test_generated(start: int) -> None:
    for seed in range(start, start + 200):
        drawn = crossing(seed)
        try:
            graph = loads(drawn.text, **drawn.settings).graph
        except CnnError:
            continue
        assert name_differences(graph) == [], f"seed {seed}\n{drawn.text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("convs.0: CONV3-4 -> bns.3: BN -> convs.1: CONV3-4", "convs.0 bns.3 convs.1"),
        ('m: [CONV3-4 -> "": RELU -> CONV3-4 -> (ID + BN)]', "m.0 m.relu m.1 m.2 m.add"),
        ('"b-1": [0: CONV3-4 -> 5: BN] -> again "b-1"', "b-1.0 b-1.5 b-1@2.0 b-1@2.5"),
        ("[{i}: CONV3-4]*2 -> 1{2}: BN", "1 2 12"),
        ("CONV3-4 -> (CONV3-4/2 + ID or down.0: CONV1-4/2) -> RELU", "conv1 conv2 down.0 add relu"),
    ],
)
def test_by_hand(text: str, expected: str) -> None:
    names = list(written_names(loads(f"INPUT 8x8x4 -> {text}").graph).values())
    assert names == ["input", *expected.split()]


def test_another_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = naming._by_kind

    def wrong(members: list[ModuleMember], taken: set[str]) -> list[str]:
        return [name.replace("conv2", "conv3") for name in right(members, taken)]

    monkeypatch.setattr(naming, "_by_kind", wrong)
    graph = loads("INPUT 8x8x4 -> CONV3-4 -> CONV3-4 -> a: RELU").graph
    assert name_differences(graph) == ["names: conv3 should be called conv2"]


def test_other_layers_are_noticed() -> None:
    graph = loads("INPUT 8x8x4 -> CONV3-4 -> a: RELU").graph
    other = loads("INPUT 8x8x4 -> CONV3-4 -> a: SIGMOID").graph
    assert name_differences(replace(graph, source=other.source))[0].startswith("names: the text goes on with")
