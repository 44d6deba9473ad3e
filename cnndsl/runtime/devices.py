"""The peak performance of the available accelerator: its entry among the cards of `analysis/cards.py`."""

from __future__ import annotations

from cnndsl.analysis.cards import Card, cards_beginning, find_card


def peak(name: str) -> Card | None:
    """Return the limits of a device by the name that PyTorch reports; None for an unknown one.

    A name without a memory size, as for a card that is sold with two sizes, means the first one.

    >>> peak("NVIDIA H200").bandwidth
    4800000000000.0
    >>> peak("NVIDIA GeForce RTX 4060 Ti").name
    'RTX-4060-Ti-8GB'
    >>> peak("Intel Xeon") is None
    True
    """
    return find_card(name) or next(iter(cards_beginning(name)), None)
