"""The title and the caption of a configuration table."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.configuration.model import ConfigurationTable


def name_of(table: ConfigurationTable) -> str:
    """Return the name of the parameterised network, or the names of the networks."""
    return table.title or listed(table.heads)


def caption(table: ConfigurationTable) -> str:
    """Return sentences that describe what a table shows and omits."""
    return " ".join((f"Configuration of {name_of(table)}.", *table.notes))


def listed(names: Sequence[str]) -> str:
    """Return names as an enumeration in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
