"""Name the iterations in which an opened part fails, in the words of the message."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from cnndsl.graph.parts import LoopPart, Part
from cnndsl.graph.traversal import inner_parts, nodes_of

_ITERATION = re.compile(r"in (\w+ [\d,]+ of [\d,]+)")
_CALL = re.compile(r"(in .+?), called at .*", re.DOTALL)


def iterations(tree: Part, nodes: Collection[int], frames: Sequence[str]) -> str:
    """Return the iterations that contain a part with some nodes, "" for none: `repeat 2 of 2 in Outer(16)`.

    `frames` are the calls and repeats of the message, the innermost first. Those inside the part are omitted.
    """
    around = _loops_around(tree, frozenset(nodes))
    counts = [at for at, frame in enumerate(frames) if _ITERATION.fullmatch(frame)]
    if not around or len(counts) < around:
        return ""
    found: list[str] = []
    for frame in frames[counts[-around] :]:
        if match := _ITERATION.fullmatch(frame):
            found.append(match[1])
        elif match := _CALL.fullmatch(frame):
            found[-1] += f" {match[1]}"
    return ", ".join(found)


def _loops_around(tree: Part, nodes: frozenset[int]) -> int:
    """Return how many repeats contain all of the nodes in one iteration."""
    found = 0
    part: Part | None = tree
    while part is not None:
        inner = next((each for each in inner_parts(part) if nodes.issubset(nodes_of(each))), None)
        found += isinstance(part, LoopPart) and inner is not None
        part = inner
    return found
