"""Steps written by hand: what is alive at each event, the peak, the largest batch."""

from __future__ import annotations

import pytest

from cnndsl.analysis.memory_trace import (
    BLOCK,
    MemorySample,
    StepTrace,
    Storage,
    TraceBuilder,
    largest_batch,
    levels,
    peak,
)


def step() -> StepTrace:
    """Weights of 1000 bytes; an image of 100 bytes; a layer's output, 300 an image, with a moment's 50 beside it."""
    ledger = TraceBuilder()
    ledger.event("start", 0)
    ledger.new(1, "parameters", 1000, 0)
    image = ledger.new(0, "input", 0, 100)
    ledger.event("forward", 1)
    output = ledger.new(1, "activations", 0, 300)
    ledger.drop(ledger.new(1, "scratch", 50, 0))
    ledger.event("forward", 2)
    ledger.hold(output)
    ledger.drop(output)
    ledger.drop(image)
    ledger.drop(output)
    return ledger.step()


def test_what_is_alive() -> None:
    assert list(levels(step(), 2)) == [
        MemorySample("start", 0, 1200, 1200),
        # Two outputs of 300 and the 50 come, the 50 go.
        MemorySample("forward", 1, 1850, 1800),
        # Held twice and let go twice, the output goes at last, as does the image.
        MemorySample("forward", 2, 1800, 1000),
    ]


def test_the_peak() -> None:
    assert peak(step(), 3) == MemorySample("forward", 1, 1000 + 3 * 400 + 50, 1000 + 3 * 400)
    # 1000, 300, 900 and 50 bytes in blocks of 512: 2, 1, 2 and 1.
    assert peak(step(), 3, rounded=True).bytes == 6 * BLOCK


def test_the_first_of_equal_peaks() -> None:
    ledger = TraceBuilder()
    for node in (1, 2):
        ledger.event("forward", node)
        ledger.drop(ledger.new(node, "scratch", 8, 0))
    assert peak(ledger.step(), 1).node == 1


@pytest.mark.parametrize(
    ("available", "batch"),
    # Weights and the 50 leave 400 an image; with 1000 bytes not even the weights' neighbours fit.
    [(1050 + 400, 1), (1050 + 399, 0), (1050 + 4000, 10), (1050 + 3999, 9), (1049, 0), (999, 0), (0, 0)],
)
def test_the_largest_batch(available: int, batch: int) -> None:
    assert largest_batch(step(), available) == batch


@pytest.mark.parametrize(("blocks", "batch"), [(5, 1), (4, 0), (6, 3), (7, 5)])
def test_the_largest_batch_in_blocks(blocks: int, batch: int) -> None:
    """Blocks for weights, images, outputs and the 50: of 1 image 2, 1, 1 and 1; of 2 and 3 images 2, 1, 2 and 1; of 4
    2, 1, 3 and 1, and 5 images still fill no more, 500 and 1500 bytes; of 6 2, 2, 4 and 1."""
    assert largest_batch(step(), blocks * BLOCK, rounded=True) == batch
    assert largest_batch(step(), blocks * BLOCK - 1, rounded=True) < max(batch, 1)


def test_one_image_may_fit_but_for_its_blocks() -> None:
    """1450 bytes, which in blocks are five times 512."""
    assert largest_batch(step(), 1450) == 1
    assert largest_batch(step(), 1450, rounded=True) == 0


def test_what_takes_nothing_an_image_takes_any_number() -> None:
    ledger = TraceBuilder()
    ledger.event("start", 0)
    ledger.new(1, "parameters", 1000, 0)
    assert largest_batch(ledger.step(), 1000) == 10**18
    assert largest_batch(ledger.step(), 999) == 0


def test_a_storage() -> None:
    storage = Storage(1, "activations", 24, 1000)
    assert (storage.bytes(0), storage.bytes(1), storage.bytes(2)) == (24, 1024, 2024)
    assert [storage.bytes(batch, rounded=True) for batch in (0, 1, 2)] == [512, 1024, 2048]
