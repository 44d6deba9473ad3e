"""Traverse the tree of parts. Only this module defines which parts a part consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

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


def inner_parts(part: Part) -> tuple[Part, ...]:
    """Return the parts that a part consists of, in the order in which they run.

    >>> inner_parts(SequencePart((LayerPart(1), LayerPart(2))))
    (LayerPart(node=1), LayerPart(node=2))
    """
    match part:
        case LayerPart() | IdentityPart() | ReferencePart():
            return ()
        case SequencePart():
            return part.parts
        case LoopPart():
            return part.turns
        case MergePart():
            return part.branches
        case CallPart():
            return (part.body,)
        case NamedPart() | TapPart() | AgainPart():
            return (part.part,)
        case ChoicePart():
            return () if part.part is None else (part.part,)


def with_inner(part: Part, parts: tuple[Part, ...]) -> Part:
    """Return a copy of a part that consists of other parts, as many as `inner_parts` returns."""
    match part:
        case LayerPart() | IdentityPart() | ReferencePart():
            return part
        case SequencePart():
            return SequencePart(parts)
        case LoopPart():
            return replace(part, turns=parts)
        case MergePart():
            return MergePart(parts, part.node)
        case CallPart():
            return replace(part, body=parts[0])
        case NamedPart():  # written out: there are many, and `replace` takes four times as long
            return NamedPart(part.name, part.template, part.path, parts[0], part.is_module)
        case TapPart() | AgainPart():
            return replace(part, part=parts[0])
        case ChoicePart():
            return replace(part, part=parts[0]) if parts else part


def walk(part: Part) -> Iterator[Part]:
    """Yield a part and all parts inside it, outer ones first.

    >>> [type(each).__name__ for each in walk(SequencePart((LayerPart(1), MergePart((IdentityPart(),), 2))))]
    ['SequencePart', 'LayerPart', 'MergePart', 'IdentityPart']
    """
    stack = [part]
    while stack:
        each = stack.pop()
        yield each
        stack.extend(reversed(inner_parts(each)))


def nodes_of(part: Part | None) -> Iterator[int]:
    """Yield the nodes of a part in the order in which they run: a merge after its branches.

    >>> list(nodes_of(MergePart((LayerPart(1), LayerPart(2)), 3)))
    [1, 2, 3]
    """
    stack: list[Part | int] = [] if part is None else [part]
    while stack:
        each = stack.pop()
        if isinstance(each, int):
            yield each
        elif isinstance(each, LayerPart):
            yield each.node
        else:
            if isinstance(each, MergePart):
                stack.append(each.node)
            stack.extend(reversed(inner_parts(each)))


def output(part: Part | None, entry: int) -> int:
    """Return the node that computes the output of a part whose input is the value of `entry`.

    >>> output(SequencePart((LayerPart(1), IdentityPart())), 0)
    1
    """
    stack = [] if part is None else [part]
    while stack:
        each = stack.pop()
        if isinstance(each, LayerPart | ReferencePart | MergePart):
            return each.node
        if not isinstance(each, TapPart):
            stack.extend(inner_parts(each))
    return entry


def entered(part: Part, entry: int) -> Iterator[tuple[Part, int]]:
    """Yield the parts that a part consists of, each with the node of its input; `entry` is that of the part itself."""
    for each in inner_parts(part):
        yield each, entry
        if isinstance(part, SequencePart | LoopPart):
            entry = output(each, entry)


def rebuilt(part: Part, change: Callable[[Part, Part], Part]) -> Part:
    """Rebuild a part, inner parts first: `change` replaces each part except layers. It receives the part as it was, and
    the same part with its inner parts replaced."""
    before = inner_parts(part)
    after = tuple([each if isinstance(each, LayerPart) else rebuilt(each, change) for each in before])
    is_same = all(new is old for new, old in zip(after, before, strict=True))
    return change(part, part if is_same else with_inner(part, after))
