"""The options for the available memory and the GPU: `--memory`, `--headroom`, `--gpu`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cnndsl.analysis.cards import Card
    from cnndsl.analysis.headroom import Capacity

_SIZE = re.compile(r"\s*(\d{1,18}(?:\.\d{1,9})?)\s*(?:([KMGT])(i?)B?|(B))?\s*", re.IGNORECASE | re.ASCII)
_HELP = "as in 24GiB (2^30 bytes each) or 24GB (10^9)"


def capacity(ctx: click.Context, param: click.Parameter, value: str | None) -> Capacity | None:
    """Return the memory that an option sets: a size with its unit, or a card. Raises BadParameter for another text."""
    if value is None:
        return None
    from cnndsl.analysis.cards import card_help, find_card
    from cnndsl.analysis.headroom import Capacity

    if card := find_card(value):
        return of_card(card)
    if (match := _SIZE.fullmatch(value)) is not None:
        return Capacity(_spelled(match), _bytes(match, value, ctx, param), bool(match[3]))
    if value.strip().lstrip("+-")[:1].isdecimal() or not value.strip():
        raise click.BadParameter(f"{value!r} is not a size, {_HELP}", ctx, param)
    raise click.BadParameter(f"{value!r} is neither a size, {_HELP}, nor a card; {card_help(value)}", ctx, param)


def headroom(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Return the bytes that an option sets, `0` or a size with its unit. Raises BadParameter for another text."""
    if value is None:
        return None
    match = _SIZE.fullmatch(value)
    if match is None:
        raise click.BadParameter(f"{value!r} is not a size, {_HELP}", ctx, param)
    return _bytes(match, value, ctx, param) if Fraction(match[1]) else 0


def gpu(ctx: click.Context, param: click.Parameter, value: str | None) -> Card | None:
    """Return the card that an option names. Raises BadParameter for another name."""
    if value is None:
        return None
    from cnndsl.analysis.cards import card_of

    try:
        return card_of(value)
    except ValueError as stop:
        raise click.BadParameter(str(stop), ctx, param) from None


def of_card(card: Card) -> Capacity:
    """Return the memory of a card."""
    from cnndsl.analysis.headroom import Capacity

    return Capacity(card.name, card.memory, card=card)


def _bytes(match: re.Match[str], value: str, ctx: click.Context, param: click.Parameter) -> int:
    if not match[2] and not match[4]:
        raise click.BadParameter(f"{value!r} has no unit; write {_with_unit(match[1])}", ctx, param)
    base, power = 1024 if match[3] else 1000, " KMGT".index((match[2] or " ").upper())
    return int(Fraction(match[1]) * base**power)


def _spelled(match: re.Match[str]) -> str:
    """Return a size with its unit spelled correctly: `24GiB` for `24 gib` and `24Gi`."""
    return f"{match[1]}{(match[2] or '').upper()}{'i' if match[3] else ''}B"


def _with_unit(number: str) -> str:
    """Return a number with its likely unit. The memory of cards is some gibibytes, or mebibytes as nvidia-smi prints
    them; a larger number is bytes.

    >>> _with_unit("24"), _with_unit("24576"), _with_unit("25769803776")
    ('24GiB', '24576MiB', '25769803776B')
    """
    units = ((1024, "GiB"), (2**20, "MiB"))
    return next((f"{number}{unit}" for most, unit in units if Fraction(number) < most), f"{number}B")
