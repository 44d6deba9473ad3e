"""From a flat graph to a text that a person could have written, one step a module.

`chains` writes the graph as chains with branches and references. `blocks` finds parts of equal structure and makes
them blocks, with what differs as parameters (`unify`, `solving`), `naming` orders and names them. `repeats` folds
what follows itself, `tables` what follows itself with other numbers, and `stages` of which the first unit differs.
`writing` is the text. Nothing here knows where the graph came from.

A graph whose nodes have paths keeps them (`named`): `regions` finds which nodes are a module, `modules` writes each as
chains (`statements`), `scopes` names what is read elsewhere. `sharing` makes blocks of like modules, also of those that
lack some parts (`variants`), `labels` leaves out the names that the language gives anyway. Of several texts the first
that is `right` is taken.
"""

from __future__ import annotations

from cnndsl.importers.raising.raised import raised

__all__ = ["raised"]
