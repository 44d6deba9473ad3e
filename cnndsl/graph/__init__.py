"""The graph of a network: its nodes, the tree of parts, and questions about them."""

from cnndsl.graph.graph import Graph, Output
from cnndsl.graph.node import Iteration, Node
from cnndsl.graph.parts import (
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

__all__ = [
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
]
