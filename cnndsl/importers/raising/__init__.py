"""Convert a flat graph to a program that a person could have written, one step per module.

`chains` writes the graph as chains with branches and references. `blocks` finds parts of equal structure and turns
them into blocks, with their differences as parameters (`unify`, `solving`); `naming` orders and names the blocks.
`repeats` folds equal consecutive steps. `tables` folds consecutive steps that differ in their numbers, including
stages whose first unit differs (`stages`). `writing` produces the text. No step depends on where the graph came from.

A graph whose nodes have paths keeps them (`named`): `regions` assigns nodes to modules, `modules` writes each module
as chains (`statements`), and `scopes` names the values that are read elsewhere. `sharing` turns similar modules into
blocks, even if some lack parts (`variants`). `labels` omits the names that the language assigns anyway. Among several
programs, `right` selects the first that reproduces the graph.
"""

from __future__ import annotations

from cnndsl.importers.raising.raised import raised

__all__ = ["raised"]
