"""The graph of a network: its nodes, the tree of parts, and queries on them."""

from cnndsl.graph.ancestry import ancestors, descendants, parted
from cnndsl.graph.graph import Graph, Output, ValueName
from cnndsl.graph.node import Iteration, Node
from cnndsl.graph.parts import (
    AgainPart,
    CallPart,
    ChoicePart,
    IdentityPart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    ReferencePart,
    SequencePart,
    TapPart,
)
from cnndsl.graph.traversal import entered, inner_parts, nodes_of, output, rebuilt, walk
from cnndsl.graph.wiring import reading, wired

__all__ = [
    "AgainPart",
    "CallPart",
    "ChoicePart",
    "Graph",
    "IdentityPart",
    "Iteration",
    "LayerPart",
    "LoopPart",
    "MergePart",
    "NamedPart",
    "Node",
    "Output",
    "Part",
    "ReferencePart",
    "SequencePart",
    "TapPart",
    "ValueName",
    "ancestors",
    "descendants",
    "entered",
    "inner_parts",
    "nodes_of",
    "output",
    "parted",
    "reading",
    "rebuilt",
    "walk",
    "wired",
]
