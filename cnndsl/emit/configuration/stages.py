"""Divides a network into stages: its blocks in execution order, grouped by name and by output size.

A block is a call, an iteration of a loop or a merge. Neighbours become one repeated block if their parts are equal
except for strides and projections (`analysis.equality`) and their layers have the same widths; names are ignored. A
call or an iteration that contains such a repeat, and is not repeated itself, is opened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TypeAlias

from cnndsl.analysis.equality import PartClasses
from cnndsl.emit.configuration.lines import Lines
from cnndsl.emit.configuration.model import NetworkStage, StageBlock, StageLine
from cnndsl.graph.graph import Graph
from cnndsl.graph.node import Node
from cnndsl.graph.parts import (
    CallPart,
    ChoicePart,
    LayerPart,
    LoopPart,
    MergePart,
    NamedPart,
    Part,
    SequencePart,
)
from cnndsl.graph.traversal import nodes_of
from cnndsl.records import record

_Sizes: TypeAlias = "Mapping[tuple[str, ...], set[tuple[int, ...]]]"


@record(slots=True)
class _Unit:
    """A part that may become a block, the labels of the modules around it from the outside in, and its own."""

    part: Part
    labels: tuple[str, ...]
    own: str = ""


@record(slots=True)
class _Found:
    """A block, or a layer, with the labels around it and its own, and its output size."""

    block: StageBlock
    labels: tuple[str, ...]
    output: tuple[int, ...]
    is_layer: bool


def stages(graph: Graph, shown: Collection[str]) -> tuple[NetworkStage, ...]:
    """Return the stages of a network. `shown` are the normalisation layer types that have lines of their own."""
    found = list(_BlockFinder(graph, shown).found(list(_units(graph.tree, ()))))
    sizes = _sizes(found)
    named: list[tuple[str, tuple[int, ...], StageBlock]] = []
    for each in found:
        name = _stage_name(each, sizes)
        if named and each.block.is_normalisation and named[-1][1] == each.output:
            name = named[-1][0]
        named.append((name, each.output, each.block))
    groups = [(*key, [block for *_, block in group]) for key, group in groupby(named, key=lambda each: each[:2])]
    return _with_head(graph, [NetworkStage(name, output, tuple(blocks)) for name, output, blocks in groups])


def output_of(graph: Graph, node: Node) -> tuple[int, ...]:
    """Return the size of a feature map; a vector counts as a map of one position."""
    return node.shape.spatial if node.shape.pixels > 1 else (1,) * graph.input.rank


def _units(part: Part, labels: tuple[str, ...], own: str = "") -> Iterator[_Unit]:
    """Yield the consecutive units of a part, through everything that only groups them."""
    match part:
        case LayerPart() | MergePart() | CallPart():
            yield _Unit(part, labels, own)
        case SequencePart():
            for each in part.parts:
                yield from _units(each, labels)
        case NamedPart() if part.is_module:
            yield from _units(part.part, (*labels, part.name))
        case NamedPart():
            yield from _units(part.part, labels, part.name)
        case ChoicePart() if part.part is not None:
            yield from _units(part.part, labels)
        case LoopPart():
            for turn in part.turns:
                inner = list(_units(turn, labels))
                yield from inner if len(inner) == 1 else [_Unit(turn, labels)]
        case _:
            return


class _BlockFinder:
    """The blocks of one network."""

    def __init__(self, graph: Graph, shown: Collection[str]) -> None:
        self._graph = graph
        self._classes = PartClasses(graph)
        self._lines = Lines(graph, shown)

    def found(self, units: Sequence[_Unit]) -> Iterator[_Found]:
        """Yield the blocks of consecutive parts."""
        known = [(unit, lines) for unit in units if (lines := self._lines.of(unit.part))]
        keys = [self._key(unit, lines) for unit, lines in known]
        for _, group in groupby(range(len(known)), key=keys.__getitem__):
            numbers = list(group)
            if len(numbers) > 1:
                yield self._repeated([known[at] for at in numbers])
            else:
                yield from self._opened(*known[numbers[0]])

    def _key(self, unit: _Unit, lines: Sequence[StageLine]) -> object:
        """Return a key that is equal for parts that form one block if they follow each other.

        Outside of modules, parts with labels of their own stay separate, because labels are the names of stages.
        """
        texts = tuple(line.text for line in lines)
        number = texts if isinstance(unit.part, LayerPart) else self._classes.of(unit.part).abstract
        return number, texts, self._output(unit), unit.labels or unit.own

    def _repeated(self, known: Sequence[tuple[_Unit, tuple[StageLine, ...]]]) -> _Found:
        unit, lines = known[0]
        is_first_strided = any(lines != each for _, each in known[1:])
        return self._one(unit, StageBlock(lines, len(known), is_first_strided))

    def _opened(self, unit: _Unit, lines: tuple[StageLine, ...]) -> Iterator[_Found]:
        """Yield a part that is not repeated: a block, or its contents if they repeat or it is an iteration."""
        part = unit.part
        if isinstance(part, LayerPart | MergePart):
            yield self._one(unit, StageBlock(lines))
            return
        is_call = isinstance(part, CallPart)
        body, labels = (part.body, self._labels_in(unit)) if is_call else (part, unit.labels)
        inner = list(self.found(list(_units(body, labels))))
        if is_call and all(each.is_layer or each.block.times == 1 for each in inner):
            yield self._one(unit, StageBlock(lines))
        else:
            yield from inner

    def _labels_in(self, unit: _Unit) -> tuple[str, ...]:
        return (*unit.labels, unit.own) if unit.own else unit.labels

    def _one(self, unit: _Unit, block: StageBlock) -> _Found:
        return _Found(block, (*unit.labels, self._name(unit)), self._output(unit), isinstance(unit.part, LayerPart))

    def _name(self, unit: _Unit) -> str:
        """Return the label of a part, or the last component of its path; empty for a number."""
        path = unit.own
        if not path and isinstance(unit.part, CallPart):
            path = unit.part.path
        elif not path and isinstance(unit.part, LayerPart):
            path = self._graph.nodes[unit.part.node].path
        name = path.rpartition(".")[2]
        return "" if name.isdigit() else name

    def _output(self, unit: _Unit) -> tuple[int, ...]:
        return output_of(self._graph, self._graph.nodes[max(nodes_of(unit.part))])


def _sizes(found: Iterable[_Found]) -> _Sizes:
    """Return the output sizes of all blocks within each label, keyed by the labels that lead to it."""
    sizes: dict[tuple[str, ...], set[tuple[int, ...]]] = defaultdict(set)
    for each in found:
        for depth in range(1, len(each.labels) + 1):
            sizes[each.labels[:depth]].add(each.output)
    return sizes


def _stage_name(each: _Found, sizes: _Sizes) -> str:
    """Return the outermost label around a block that contains only blocks of one size."""
    prefixes = (each.labels[:depth] for depth in range(1, len(each.labels) + 1))
    return next((labels[-1] for labels in prefixes if len(sizes[labels]) == 1), "")


def _with_head(graph: Graph, found: list[NetworkStage]) -> tuple[NetworkStage, ...]:
    """Return the stages, with the trailing ones that do not output a map merged into one."""
    one = (1,) * graph.input.rank
    at = len(found)
    while at and found[at - 1].output == one:
        at -= 1
    head = found[at:]
    if len(head) < 2 or not at:
        return tuple(found)
    layers = groupby((block for stage in head for block in stage.blocks), key=lambda block: block.lines)
    blocks = (_together(list(several)) for _, several in layers)
    return *found[:at], NetworkStage("head", one, tuple(block for each in blocks for block in each))


def _together(blocks: Sequence[StageBlock]) -> Sequence[StageBlock]:
    """Merge equal neighbours of several stages into one block if they are layers."""
    if len(blocks[0].lines) > 1:
        return blocks
    return (replace(blocks[0], times=sum(each.times for each in blocks)),)
