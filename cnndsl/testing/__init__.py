"""For tests, ours and those of plug-ins: random programs, random mistakes, and networks run node by node.

`programs` are of any layer types and ranks; `crossings` are those in which names, groups, blocks, repeats, choices and
taps meet. `differences` and `constructor_differences` compare the emitted code of a program with its graph.

Needs `hypothesis`, and torch for `Reference`: the extras `test` and `torch`.

A layer type states its own constraints (the types and bounds of its options, and its shape rule). The strategies read
them there, so a new layer type is generated as soon as it is in the table or in the entry points.
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
