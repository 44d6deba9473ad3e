"""From a flat graph to a text that a person could have written, one step a module.

`chains` writes the graph as chains with branches and references. `blocks` finds parts of equal structure and makes
them blocks, with what differs as parameters (`unify`), `naming` orders and names them. `repeats` folds what follows
itself, `tables` what follows itself with other numbers. `writing` is the text. Nothing here knows where the graph came
from.
"""

from __future__ import annotations

from cnndsl.importers.raising.raised import raised

__all__ = ["raised"]
