"""For tests, ours and those of plug-ins: random programs, random mistakes, and networks run node by node.

`programs` are of any kinds and ranks; `crossings` are those in which names, groups, blocks, repeats, choices and taps
meet. `differences` and `constructor_differences` hold what is emitted for a program against its graph.

Needs `hypothesis`, and torch for `Reference`: the extras `test` and `torch`.

A kind states its own constraints (the types and bounds of its options, and its shape rule); the strategies read
them there, so a kind is drawn from the day it stands in the table or in the entry points.
"""

from cnndsl.testing.construction import constructor_differences
from cnndsl.testing.crossings import Crossing, crossing, crossings
from cnndsl.testing.layers import layers
from cnndsl.testing.memory import memory_differences
from cnndsl.testing.mistakes import Mistake, mistakes
from cnndsl.testing.oracle import differences
from cnndsl.testing.programs import programs
from cnndsl.testing.reference import Reference

__all__ = [
    "Crossing",
    "Mistake",
    "Reference",
    "constructor_differences",
    "crossing",
    "crossings",
    "differences",
    "layers",
    "memory_differences",
    "mistakes",
    "programs",
]
