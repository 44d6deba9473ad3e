"""The codes of errors: what `cnndsl explain E0312` prints. Texts alone; the errors themselves are raised elsewhere.

E01 text and syntax, E02 names, values, options and definitions, E03 shapes, E04 contracts, E05 what comes from outside.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.codes import definitions, names, options, outside, shapes, text, values
from cnndsl.codes.entry import Code

CODES: Mapping[str, Code] = {
    each.number: each
    for family in (text, values, options, names, definitions, shapes, outside)
    for each in family.ENTRIES
}
"""Every code by its number, in order."""

__all__ = ["CODES", "Code"]
