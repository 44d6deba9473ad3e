"""Syntax tree -> Graph: parameters, blocks, repeats, names, shapes."""

from cnndsl.elaborate.program import Find, elaborate

__all__ = ["Find", "elaborate"]
