"""The cards: each figure that the hardware's own numbers give, names, the nearest one as help."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnndsl.analysis.cards import CARDS, card_help, find_card

CUDA_CORES = [
    # CUDA cores and boost clock in MHz of the vendor's documents: two operations a core and clock.
    ("P100-SXM2-16GB", 3584, 1480),
    ("V100-SXM2-32GB", 5120, 1530),
    ("T4", 2560, 1590),
    ("RTX-2080-Ti", 4352, 1635),
    ("RTX-3060", 3584, 1777),
    ("RTX-3070", 5888, 1725),
    ("RTX-3080", 8704, 1710),
    ("RTX-3090", 10496, 1695),
    ("RTX-A6000", 10752, 1800),
    ("A10", 9216, 1695),
    ("A40", 10752, 1740),
    ("A100-SXM4-80GB", 6912, 1410),
    ("RTX-4060-Ti-16GB", 4352, 2535),
    ("RTX-4070", 5888, 2475),
    ("RTX-4080", 9728, 2505),
    ("RTX-4090", 16384, 2520),
    ("RTX-6000-Ada", 18176, 2505),
    ("L4", 7424, 2040),
    ("L40S", 18176, 2520),
    ("H100-SXM", 16896, 1980),
    ("H200", 16896, 1980),
    ("RTX-5090", 21760, 2407),
    ("Jetson-AGX-Orin-64GB", 2048, 1300),
    ("Jetson-AGX-Orin-32GB", 1792, 930),
]

BUSES = [
    # Width in bits and gigabits a second and pin.
    ("T4", 256, 10),
    ("RTX-2080-Ti", 352, 14),
    ("RTX-3060", 192, 15),
    ("RTX-3070", 256, 14),
    ("RTX-3080", 320, 19),
    ("RTX-3090", 384, 19.5),
    ("RTX-A6000", 384, 16),
    ("A10", 384, 12.5),
    ("A40", 384, 14.5),
    ("A100-SXM4-40GB", 5120, 2.43),
    ("RTX-4060-Ti-8GB", 128, 18),
    ("RTX-4070", 192, 21),
    ("RTX-4080", 256, 22.4),
    ("RTX-4090", 384, 21),
    ("RTX-6000-Ada", 384, 20),
    ("L4", 192, 12.5),
    ("L40S", 384, 18),
    ("H100-SXM", 5120, 5.23),
    ("RTX-5090", 512, 28),
    ("Jetson-AGX-Orin-64GB", 256, 6.4),
]


@pytest.mark.parametrize(("name", "cores", "megahertz"), CUDA_CORES)
def test_arithmetic_in_fp32_is_cores_times_clock(name: str, cores: int, megahertz: int) -> None:
    assert CARDS[name].fp32 == pytest.approx(2 * cores * megahertz * 1e6, rel=0.02)


@pytest.mark.parametrize(("name", "bits", "rate"), BUSES)
def test_bandwidth_is_width_times_rate(name: str, bits: int, rate: float) -> None:
    assert CARDS[name].bandwidth == pytest.approx(bits / 8 * rate * 1e9, rel=0.01)


# What PyTorch prints as "total capacity" when memory runs out, in GiB: less than the card has, by what the driver
# keeps and error correction takes.
CAPACITIES = [
    ("T4", 14.76),
    ("P100", 15.90),
    ("V100-16GB", 15.78),
    ("RTX-3060", 11.76),
    ("RTX-3070", 7.79),
    ("RTX-3090", 23.69),
    ("RTX-4090", 23.65),
    ("A10G", 22.20),
    ("A40", 44.56),
    ("RTX-A6000", 47.54),
    ("A100-40GB", 39.59),
    ("A100-80GB", 79.20),
    ("H100", 79.11),
    ("H200", 139.8),
]


@pytest.mark.parametrize(("name", "capacity"), CAPACITIES)
def test_memory_is_near_what_cuda_reports(name: str, capacity: float) -> None:
    card = find_card(name)
    assert card is not None
    assert 0.97 < capacity * 2**30 / card.memory < 1


def test_rates_are_dense_and_every_card_names_its_source() -> None:
    for card in CARDS.values():
        assert card.source.startswith("NVIDIA, ")
        assert 0 < card.fp32 < card.fp16
        assert card.bf16 in (0, card.fp16)
        assert (card.tf32 == 0) == (card.bf16 == 0), "both came with Ampere"
        assert card.tf32 == 0 or card.tf32 == pytest.approx(card.fp16 / 2, rel=0.02)


def test_names_are_found_however_they_are_written() -> None:
    for text in ("H100", "h100", "h100-sxm", "NVIDIA H100 80GB HBM3", " h100 "):
        assert find_card(text) is CARDS["H100-SXM"]
    for text in ("3090", "rtx3090", "RTX 3090", "NVIDIA GeForce RTX 3090"):
        assert find_card(text) is CARDS["RTX-3090"]
    for text in ("", "RTX", "H", "NVIDIA", "A100", "24", "é"):
        assert find_card(text) is None


def test_what_to_type_instead() -> None:
    assert card_help("RTX 4060 Ti") == "there are RTX-4060-Ti-8GB, RTX-4060-Ti-16GB"
    assert card_help("L40") == "there are L40S"
    assert card_help("RTX-3009") == "did you mean `RTX-3090`?"
    assert card_help("abacus").startswith("the cards are P100-PCIe-16GB, ")
    assert card_help("").startswith("the cards are ")


def test_the_page_of_cards_lists_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "cards.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == list(CARDS)
    for name, memory, bandwidth, *rates, source in rows:
        card = CARDS[name]
        written = (card.fp32, card.tf32, card.fp16, card.bf16)
        assert (float(memory) * 2**30, source) == (card.memory, card.source)
        assert float(bandwidth) * 1e9 == pytest.approx(card.bandwidth)
        assert [float(rate.replace("-", "0")) * 1e12 for rate in rates] == pytest.approx(written)
