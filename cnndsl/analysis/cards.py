"""GPUs by name: memory, bandwidth and peak arithmetic, each with the vendor's document that states them.

Rates are dense, without structured sparsity; fp16 and bf16 accumulate in fp32, as in PyTorch. Vendors write GB for 2^30
bytes of memory, and for 10^9 bytes per second of bandwidth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.analysis.lifetimes import Dtype


@record(slots=True)
class Card:
    """A GPU. `memory` is in bytes, without the sixteenth that error correction takes if the card has GDDR memory and
    enables it by default. `bandwidth` is in bytes per second; `fp32`, `tf32`, `fp16` and `bf16` are operations per
    second (a multiply-add is two), 0 if the card does not support the type. `source` names the document."""

    name: str
    memory: int
    bandwidth: float
    fp32: float
    tf32: float
    fp16: float
    bf16: float
    source: str

    def peak(self, dtype: Dtype) -> float:
        """Return the most operations per second that convolutions reach with values of a type; 0 if the card does not
        support the type.

        In fp32 these are TF32's if the card has them: PyTorch lets cuDNN convolve in TF32 by default. `amp` is the
        faster of the two 2-byte types.

        >>> CARDS["A100-SXM4-80GB"].peak("fp32") / 1e12, CARDS["T4"].peak("bf16")
        (156.0, 0.0)
        """
        rates = {"fp32": max(self.fp32, self.tf32), "fp16": self.fp16, "bf16": self.bf16}
        return rates.get(dtype, max(self.fp16, self.bf16))


def _card(
    name: str,
    memory: int,
    bandwidth: float,
    rates: tuple[float, float, float, float],
    source: str,
    *,
    ecc: bool = False,
) -> tuple[str, Card]:
    """Build a card from GB, gigabytes per second, and teraflops in fp32 (without tensor cores), TF32, fp16 and bf16."""
    fp32, tf32, fp16, bf16 = (rate * 1e12 for rate in rates)
    size = memory * 2**30 * (15 if ecc else 16) // 16
    return name, Card(name, size, bandwidth * 1e9, fp32, tf32, fp16, bf16, f"NVIDIA, {source}")


_A100 = (19.5, 156.0, 312.0, 312.0)
_H100 = (67.0, 494.5, 989.5, 989.5)
_V100 = "Tesla V100 GPU accelerator datasheet"
_TURING = "Turing GPU Architecture white paper"
_GA102 = "Ampere GA102 GPU Architecture white paper, appendix A"
_ADA = "Ada GPU Architecture white paper"
_BY_CLOCK = "product page: cores, boost clock, memory; tensor rates by the ratio of the same architecture's white paper"
_ORIN = "Jetson AGX Orin Series technical brief: fp16 is a quarter of the sparse INT8 rate of the GPU, TF32 half of it"

CARDS: Mapping[str, Card] = dict(
    (
        _card("P100-PCIe-16GB", 16, 732, (9.3, 0, 18.7, 0), "Tesla P100 datasheet, PCIe 16 GB"),
        _card("P100-SXM2-16GB", 16, 732, (10.6, 0, 21.2, 0), "Tesla P100 datasheet, NVLink"),
        _card("V100-PCIe-16GB", 16, 900, (14, 0, 112, 0), f"{_V100}, PCIe"),
        _card("V100-PCIe-32GB", 32, 900, (14, 0, 112, 0), f"{_V100}, PCIe"),
        _card("V100-SXM2-16GB", 16, 900, (15.7, 0, 125, 0), f"{_V100}, SXM2"),
        _card("V100-SXM2-32GB", 32, 900, (15.7, 0, 125, 0), f"{_V100}, SXM2"),
        _card("T4", 16, 320, (8.1, 0, 65, 0), "T4 Tensor Core GPU datasheet", ecc=True),
        _card("RTX-2080-Ti", 11, 616, (14.2, 0, 56.9, 0), f"{_TURING}, Founders Edition"),
        _card("RTX-3060", 12, 360, (12.7, 12.7, 25.5, 25.5), f"GeForce RTX 3060 {_BY_CLOCK}"),
        _card("RTX-3070", 8, 448, (20.3, 20.3, 40.6, 40.6), _GA102),
        _card("RTX-3080", 10, 760, (29.8, 29.8, 59.5, 59.5), _GA102),
        _card("RTX-3090", 24, 936, (35.6, 35.6, 71, 71), _GA102),
        _card("RTX-A6000", 48, 768, (38.7, 77.4, 154.8, 154.8), _GA102),
        _card("A10", 24, 600, (31.2, 62.5, 125, 125), "A10 Tensor Core GPU datasheet", ecc=True),
        _card("A10G", 24, 600, (35, 35, 70, 70), "A10G datasheet for AWS", ecc=True),
        _card("A40", 48, 696, (37.4, 74.8, 149.7, 149.7), "A40 datasheet", ecc=True),
        _card("A100-PCIe-40GB", 40, 1555, _A100, "A100 Tensor Core GPU datasheet, 40GB PCIe"),
        _card("A100-SXM4-40GB", 40, 1555, _A100, "A100 Tensor Core GPU datasheet, 40GB SXM"),
        _card("A100-PCIe-80GB", 80, 1935, _A100, "A100 Tensor Core GPU datasheet, 80GB PCIe"),
        _card("A100-SXM4-80GB", 80, 2039, _A100, "A100 Tensor Core GPU datasheet, 80GB SXM"),
        _card("RTX-4060-Ti-8GB", 8, 288, (22.1, 22.1, 44.1, 44.1), f"GeForce RTX 4060 Ti {_BY_CLOCK}"),
        _card("RTX-4060-Ti-16GB", 16, 288, (22.1, 22.1, 44.1, 44.1), f"GeForce RTX 4060 Ti {_BY_CLOCK}"),
        _card("RTX-4070", 12, 504, (29.1, 29.1, 58.3, 58.3), f"GeForce RTX 4070 {_BY_CLOCK}"),
        _card("RTX-4080", 16, 716.8, (48.7, 48.7, 97.5, 97.5), _ADA),
        _card("RTX-4090", 24, 1008, (82.6, 82.6, 165.2, 165.2), _ADA),
        _card("RTX-6000-Ada", 48, 960, (91.1, 182.1, 364.2, 364.2), "RTX 6000 Ada Generation datasheet"),
        _card("L4", 24, 300, (30.3, 60, 121, 121), "L4 Tensor Core GPU datasheet", ecc=True),
        _card("L40S", 48, 864, (91.6, 183, 362, 362), "L40S GPU datasheet", ecc=True),
        _card("H100-PCIe", 80, 2000, (51, 378, 756.5, 756.5), "H100 Tensor Core GPU datasheet, PCIe"),
        _card("H100-SXM", 80, 3350, _H100, "H100 Tensor Core GPU datasheet, SXM"),
        _card("H200", 141, 4800, _H100, "H200 Tensor Core GPU datasheet, SXM"),
        _card("B200", 180, 8000, (75, 1125, 2250, 2250), "DGX B200 and HGX B200 datasheets, per GPU"),
        _card("RTX-5090", 32, 1792, (104.8, 104.8, 209.5, 209.5), "RTX Blackwell GPU Architecture white paper"),
        _card("Jetson-AGX-Orin-64GB", 64, 204.8, (5.3, 21.25, 42.5, 42.5), _ORIN),
        _card("Jetson-AGX-Orin-32GB", 32, 204.8, (3.3, 13.5, 27, 27), _ORIN),
    )
)
"""The cards by name."""

_SHORT = {
    "P100": "P100-SXM2-16GB",
    "P100-16GB": "P100-SXM2-16GB",
    "V100-16GB": "V100-SXM2-16GB",
    "V100-32GB": "V100-SXM2-32GB",
    "A100-40GB": "A100-SXM4-40GB",
    "A100-80GB": "A100-SXM4-80GB",
    "H100": "H100-SXM",
    "H100-80GB": "H100-SXM",
    "H100-80GB-HBM3": "H100-SXM",
    "A100-80GB-PCIe": "A100-PCIe-80GB",
    "RTX-6000-Ada-Generation": "RTX-6000-Ada",
    "Orin": "Jetson-AGX-Orin-64GB",
    "Jetson-Orin": "Jetson-AGX-Orin-64GB",
    "Jetson-AGX-Orin": "Jetson-AGX-Orin-64GB",
}
"""Aliases: shorter names, and those that PyTorch reports. Of variants with the same memory an alias means the fastest,
so that times stay lower bounds."""

_MAKERS = ("nvidia", "geforce", "tesla", "quadro")


def _folded(name: str) -> str:
    """Normalise a name: drop case, spaces, hyphens, the vendor and `RTX`, which people write differently."""
    text = "".join(char for char in name.casefold() if char.isalnum())
    for word in (*_MAKERS, "rtx"):
        text = text.removeprefix(word)
    return text


_FOLDED = {_folded(name): card for name, card in CARDS.items()} | {
    _folded(short): CARDS[name] for short, name in _SHORT.items()
}


def find_card(name: str) -> Card | None:
    """Return the card of a name in any spelling; None if there is no such card.

    >>> find_card("h100").name, find_card("NVIDIA GeForce RTX 4090").name, find_card("a100 80gb").name
    ('H100-SXM', 'RTX-4090', 'A100-SXM4-80GB')
    """
    return _FOLDED.get(_folded(name))


def card_of(name: str) -> Card:
    """Return the card of a name in any spelling. Raises ValueError if there is no such card.

    >>> card_of("H1000")
    Traceback (most recent call last):
    ...
    ValueError: there is no card 'H1000'; did you mean `H100`?
    """
    if card := find_card(name):
        return card
    raise ValueError(f"there is no card {name!r}; {card_help(name)}")


def cards_beginning(name: str) -> list[Card]:
    """Return the cards whose names begin with a name, such as those that differ only in memory.

    >>> [card.name for card in cards_beginning("RTX 4060 Ti")]
    ['RTX-4060-Ti-8GB', 'RTX-4060-Ti-16GB']
    """
    folded = _folded(name)
    return [card for card in CARDS.values() if folded and _folded(card.name).startswith(folded)]


def card_help(name: str) -> str:
    """Return what to type instead of an unknown name: the names that begin with it, the nearest one, or all.

    >>> card_help("A100")
    'there are A100-PCIe-40GB, A100-SXM4-40GB, A100-PCIe-80GB, A100-SXM4-80GB'
    >>> card_help("H1000")
    'did you mean `H100`?'
    """
    from cnndsl.errors import nearest

    if begun := cards_beginning(name):
        return f"there are {', '.join(card.name for card in begun)}"
    return nearest(name, [*CARDS, *_SHORT]) or f"the cards are {', '.join(CARDS)}"
