"""Write a graph as a program: runs the steps of this folder in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from itertools import count

from cnndsl.graph import Graph
from cnndsl.importers.raising.blocks import LOCAL, LOCALS, local_names, with_blocks
from cnndsl.importers.raising.chains import chains, output_names
from cnndsl.importers.raising.named import named_texts
from cnndsl.importers.raising.naming import titled
from cnndsl.importers.raising.page import block_line, default_lines, defaults, lines, weight, words
from cnndsl.importers.raising.progress import with_shares
from cnndsl.importers.raising.repeats import folded
from cnndsl.importers.raising.right import first_right
from cnndsl.importers.raising.tables import ways
from cnndsl.importers.raising.terms import TermBlock, TermChain, TermProgram
from cnndsl.importers.raising.walks import links
from cnndsl.importers.raising.writing import TermWriter


def raised(graph: Graph, with_names: bool = False, classes: Mapping[str, str] | None = None) -> str:
    """Return a program for this graph, with blocks, repeats and tables.

    Args:
        graph: The graph.
        with_names: Whether the program must keep the paths of the layers with tensors. The path of a layer without
            tensors is then a hint: its module and some name after it.
        classes: The names of the classes of modules by their paths; blocks are named after them.

    >>> from cnndsl.network import loads
    >>> print(raised(loads("INPUT 8x8x4 -> CONV3-8 -> RELU -> CONV3-8 -> RELU -> POOL2 -> FC-10").graph))
    INPUT 8x8x4
    -> [CONV3-8 -> RELU]*2 -> POOL2 -> FC-10
    """
    if with_names:
        return first_right(graph, named_texts(graph, classes or {}))
    program = with_shares(chains(graph), graph)
    outputs = list(graph.main_outputs)
    ends = {node for node, _ in program.chains}
    named = set[int]().union(*(links(chain) for _, chain in program.chains))
    named |= set(outputs if outputs[1:] else ()) - ends
    named |= {each.index for each in graph.inputs[1:] and graph.inputs}
    names = _names(graph, named | {node for node in ends if node >= 0})
    listed = output_names(graph)
    inputs = [f"{names[each.index]} = INPUT {each.shape}" for each in graph.inputs[1:] and graph.inputs]
    page = _RaisedPage(names, named, inputs, dict(zip(listed, outputs, strict=True)) if outputs[1:] else {})
    return page.text(titled(with_blocks(program, named, page.cost)))


def _names(graph: Graph, named: Set[int]) -> dict[int, str]:
    """Return a name for each node that has a label: that of the output, or a number."""
    listed = {each.index: name for each, name in zip(graph.inputs, graph.input_names, strict=False)}
    listed |= dict(zip(graph.main_outputs, output_names(graph), strict=True))
    taken = {*listed.values(), *output_names(graph)}
    free = (name for number in count(1) if (name := f"x{number}") not in taken)
    return {node: listed.get(node) or next(free) for node in sorted(named)}


class _RaisedPage:
    """Writes programs and counts their words."""

    def __init__(
        self, names: Mapping[int, str], named: Set[int], inputs: Sequence[str], outputs: Mapping[str, int]
    ) -> None:
        self.names, self.named, self.inputs, self.outputs = names, named, inputs, outputs

    def cost(self, program: TermProgram) -> int:
        text = self.text(program)
        return words(text) + lines(text)

    def text(self, program: TermProgram) -> str:
        """Write the program with repeats, tables and the defaults that shorten it."""
        blocks = [TermBlock(each.name, each.parameters, self._folded(each.body)) for each in program.blocks]
        names = {**self.names, **{node: f"y{(LOCAL - node) % LOCALS + 1}" for node in local_names(program)}}
        plain = TermWriter(names, {each.name: each for each in blocks}, {})
        main = [(node, self._shorter(chain, plain)) for node, chain in program.chains]
        usual = defaults([*(each.body for each in blocks), *(chain for _, chain in main)])
        writer = TermWriter(names, {each.name: each for each in blocks}, usual)
        lines = default_lines(usual, writer)
        lines += [block_line(each, writer) for each in blocks]
        lines += self.inputs
        lines += [writer.lines(chain, self.names[node] if node >= 0 else "") for node, chain in main]
        if self.outputs:
            second = {name: node for name, node in self.outputs.items() if names[node] != name}
            lines += [f"{name} = @{names[node]}" for name, node in second.items()]
            lines.append(f"output {', '.join(self.outputs)}")
        return "\n".join(lines)

    def _folded(self, chain: TermChain) -> TermChain:
        return folded(chain, self.named)

    def _shorter(self, chain: TermChain, writer: TermWriter) -> TermChain:
        """Return the chain in its shortest form, with repeats and tables."""
        several = dict.fromkeys(ways(self._folded(chain), self.named))
        return min(several, key=lambda way: weight(way, writer))
