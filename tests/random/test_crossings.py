"""Programs drawn like a user's, held against the plain reading of their graphs: outputs, taps, gradients, constructors.

The number of seeds is set by CNNDSL_CROSSINGS: 250 in the ordinary suite.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import torch

from cnndsl.errors import CnnError
from cnndsl.network import loads
from cnndsl.testing import Crossing, constructor_differences, crossing, differences
from cnndsl.testing.oracle import Failure, Running, run_differences, seeded
from tests.random.test_programs import graph_of

SEEDS = int(os.environ.get("CNNDSL_CROSSINGS", "250"))
MANY = 10_000
ROWS = 10
"""Tests that the seeds are dealt out to, so that they can run side by side."""


def found(drawn: Crossing) -> list[str] | None:
    """Tells what differs for one program, in its settings and with others in its constructor; None where it is none."""
    try:
        told = differences(drawn.text, drawn.settings)
    except CnnError:
        return None
    tries = [*([drawn.settings] if drawn.settings else []), *drawn.others]
    for settings in tries:
        try:
            several = constructor_differences(drawn.text, settings)
        except CnnError:
            continue
        told += [f"{settings}: {each}" for each in several]
    return told


def check(seeds: range) -> None:
    """Asserts that all are compiled rightly, and that few are no programs."""
    refused = 0
    for seed in seeds:
        told = found(drawn := crossing(seed))
        assert not told, f"seed {seed}, {drawn.settings}: {told}\n{drawn.text}"
        refused += told is None
    assert refused <= 2 + len(seeds) // 20


@pytest.mark.parametrize("row", range(ROWS))
def test_crossings(row: int) -> None:
    check(range(row, SEEDS, ROWS))


@pytest.mark.slow
@pytest.mark.parametrize("row", range(ROWS))
def test_many_crossings(row: int) -> None:
    check(range(row, MANY, ROWS))


def test_a_seed_gives_one_program() -> None:
    assert [crossing(seed) for seed in range(20)] == [crossing(seed) for seed in range(20)]


class Named(NamedTuple):
    """A result by name, in an order that is not the program's."""

    output: torch.Tensor
    late: torch.Tensor | None
    early: torch.Tensor


def test_results_are_known_by_name_or_by_place() -> None:
    """Takes those that always run first; in evaluation the others are absent or None."""
    graph = graph_of("INPUT 4x4x2 -> tap late(train): CONV1-2 -> tap early: CONV1-3 -> CONV1-4")
    running = Running(graph, {})
    main, early, late = (torch.zeros(number) for number in (1, 2, 3))
    expected = {-1: main, 1: early, 0: late}
    for result in ((main, early, late), Named(main, late, early)):
        assert running.placed(result, training=True) == expected
    for result in ((main, early), (main, early, None), Named(main, None, early)):
        assert running.placed(result, training=False) == {-1: main, 1: early}
    for result in ((main, early, late), Named(main, late, early), main):
        with pytest.raises(Failure):
            running.placed(result, training=False)


@pytest.mark.parametrize(
    "text",
    [
        "INPUT 8x8x4 -> CONV3-4 -> BN -> RELU -> DROPOUT(0.5) -> (ID + CONV1-4 -> DROPPATH(0.3)) -> GAP -> FC-3",
        "INPUT 8x8x4 -> CONV3-4 -> tap late(train): [GAP -> FC-2] -> tap early: CONV1-2 -> FC-3",
    ],
)
def test_what_is_right_does_not_differ(text: str) -> None:
    assert differences(text) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda module: module.conv.register_forward_hook(lambda *each: each[-1] + 1e-6), "the output differs"),
        (lambda module: setattr(module.bn, "momentum", 0.2), "buffer bn.running_mean afterwards differs"),
        (lambda module: setattr(module.drop, "p", 0.2), "the output differs"),
        (lambda module: module.conv.weight.register_hook(lambda each: each * 1.001), "the gradient of conv.weight"),
    ],
)
def test_what_is_wrong_differs(change: Callable[[Any], object], told: str) -> None:
    """Changes a module behind the emitter's back, one thing at a time."""
    network = loads("INPUT 8x8x4 -> conv: CONV3-4 -> bn: BN -> drop: DROPOUT(0.1)")
    module = network.module().double()
    state = seeded(network.graph)
    module.load_state_dict(state)
    assert run_differences(network.graph, module, state, (2, 3)) == []
    change(module)
    (first, *_) = run_differences(network.graph, module, state, (2, 3))
    assert told in first
