"""What a configuration table is called."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.configuration.model import ConfigurationTable


def name_of(table: ConfigurationTable) -> str:
    """Return the name of the family, or those of the networks."""
    return table.title or listed(table.heads)


def caption(table: ConfigurationTable) -> str:
    """Return what a table shows and leaves out, in sentences."""
    return " ".join((f"Configuration of {name_of(table)}.", *table.notes))


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
