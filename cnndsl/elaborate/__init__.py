"""Turn a syntax tree into a Graph: parameters, blocks, repeats, names and shapes."""

from cnndsl.elaborate.program import Find, elaborate

__all__ = ["Find", "elaborate"]
