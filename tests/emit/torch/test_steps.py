"""Each step of the emitter keeps what its docstring says, for the bundled networks and for generated programs."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.errors import CnnError
from cnndsl.testing.crossings import crossing
from tests.bundled import ZOO
from tests.emit.torch.invariants import check


@pytest.mark.parametrize("name", ZOO)
def test_bundled(name: str) -> None:
    assert check(cnndsl.load(name).graph) > 0


@pytest.mark.parametrize("start", range(0, 600, 100))
def test_generated(start: int) -> None:
    for seed in range(start, start + 100):
        drawn = crossing(seed)
        try:
            graph = cnndsl.loads(drawn.text, **drawn.settings).graph
        except CnnError:
            continue
        assert check(graph) > 0
