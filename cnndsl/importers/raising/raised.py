"""A graph as the text of a program: the steps of this folder, one after the other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from itertools import count

from cnndsl.graph import Graph
from cnndsl.importers.raising.blocks import with_blocks
from cnndsl.importers.raising.chains import chains
from cnndsl.importers.raising.repeats import folded
from cnndsl.importers.raising.tables import parted, tabled
from cnndsl.importers.raising.terms import Block, Chain, Leaf, Program, Step, Value, inner, links
from cnndsl.importers.raising.writing import Writer
from cnndsl.layers.base import Layer


def raised(graph: Graph) -> str:
    """Return the text of a program that has this graph, with blocks, repeats and tables.

    >>> from cnndsl.network import loads
    >>> print(raised(loads("INPUT 8x8x4 -> CONV3-8 -> RELU -> CONV3-8 -> RELU -> POOL2 -> FC-10").graph))
    INPUT 8x8x4
    -> [CONV3-8 -> RELU]*2 -> POOL2 -> FC-10
    """
    program = chains(graph)
    outputs = list(graph.main_outputs)
    ends = {node for node, _ in program.chains}
    named = set[int]().union(*(links(chain) for _, chain in program.chains))
    named |= set(outputs if outputs[1:] else ()) - ends
    names = _names(graph, named | {node for node in ends if node >= 0})
    shapes = {node.index: node.shape for node in graph.nodes}
    page = _Page(names, named, [names[node] for node in outputs] if outputs[1:] else [])
    return page.text(with_blocks(program, shapes, named, page.cost))


def _names(graph: Graph, named: Set[int]) -> dict[int, str]:
    listed = {each.node: each.name for each in graph.taps} | {graph.output: graph.output_name or "y"}
    listed |= {node.index: name for node, name in zip(graph.inputs, graph.input_names, strict=False)}
    taken = set(listed.values())
    free = (name for number in count(1) if (name := f"x{number}") not in taken)
    return {node: listed[node] if node in listed else next(free) for node in sorted(named)}


class _Page:
    """Writes programs, and counts their words."""

    def __init__(self, names: Mapping[int, str], named: Set[int], outputs: Sequence[str]) -> None:
        self.names, self.named, self.outputs = names, named, outputs

    def cost(self, program: Program) -> int:
        return words(self.text(program))

    def text(self, program: Program) -> str:
        """The text, with repeats and tables and the defaults that pay."""
        blocks = [Block(each.name, each.parameters, self._folded(each.body)) for each in program.blocks]
        main = [(node, self._shorter(chain)) for node, chain in program.chains]
        defaults = _defaults([*(each.body for each in blocks), *(chain for _, chain in main)])
        writer = Writer(self.names, {each.name: each for each in blocks}, defaults)
        lines = [_default(kind, name, value, writer) for (kind, name), value in defaults.items()]
        lines += [_block(each, writer) for each in blocks]
        lines += [writer.lines(chain, self.names[node] if node >= 0 else "") for node, chain in main]
        if self.outputs:
            lines.append(f"output {', '.join(self.outputs)}")
        return "\n".join(lines)

    def _folded(self, chain: Chain) -> Chain:
        return folded(chain, self.named)

    def _shorter(self, chain: Chain) -> Chain:
        """The chain with repeats and tables, in the shortest of the ways to write it."""
        plain = self._folded(chain)
        ways = [plain, tabled(plain, self.named), tabled(parted(plain), self.named)]
        return min(ways, key=lambda way: sum(1 for _ in inner(way)) * 100 + len(str(way)) // 100)


def words(text: str) -> int:
    """Return how many words and signs a text has."""
    return len(re.findall(r"\w+|[^\w\s]", text))


def _defaults(several: list[Chain]) -> dict[tuple[type[Layer], str], Value]:
    """The options that most layers of a kind have, where saying so once is shorter."""
    counted: dict[tuple[type[Layer], str], dict[Value, int]] = {}
    for chain in several:
        for step in inner(chain):
            if isinstance(step.term, Leaf):
                _count(step, step.term, counted)
    found: dict[tuple[type[Layer], str], Value] = {}
    for (kind, name), values in counted.items():
        usual = kind.__dataclass_fields__[name].default
        value, often = max(values.items(), key=lambda each: each[1])
        if value != usual and 4 * often > 6 + 4 * values.get(usual, 0) + 4:
            found[kind, name] = value
    return found


def _count(step: Step, leaf: Leaf, counted: dict[tuple[type[Layer], str], dict[Value, int]]) -> None:
    for name, value in leaf.options:
        if name not in (leaf.kind.SIZE, leaf.kind.WIDTH, leaf.kind.STRIDE) and not isinstance(value, tuple):
            values = counted.setdefault((leaf.kind, name), {})
            values[value] = values.get(value, 0) + 1


def _default(kind: type[Layer], name: str, value: Value, writer: Writer) -> str:
    return f"default {kind.NAMES[0]}({name}={writer.value(value)})"


def _block(block: Block, writer: Writer) -> str:
    parameters = [
        each.name if each.default is None else f"{each.name}={writer.value(each.default)}" for each in block.parameters
    ]
    head = f"{block.name}({', '.join(parameters)})" if parameters else block.name
    return f"block {head} = {writer.chain(block.body)}"
