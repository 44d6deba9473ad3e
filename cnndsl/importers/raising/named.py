"""Write a graph whose nodes have module names as a program with the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cnndsl.graph import Graph
from cnndsl.importers.raising.chains import input_name, output_names
from cnndsl.importers.raising.labels import with_labels
from cnndsl.importers.raising.modules import ModuleChains
from cnndsl.importers.raising.naming import titled, titles
from cnndsl.importers.raising.page import block_line, default_lines, defaults, numbered, weight, words
from cnndsl.importers.raising.progress import with_shares
from cnndsl.importers.raising.regions import regions, without_modules
from cnndsl.importers.raising.repeats import folded
from cnndsl.importers.raising.sharing import APART, with_shared
from cnndsl.importers.raising.tables import ways
from cnndsl.importers.raising.terms import (
    ChainsTerm,
    StartTerm,
    TermBlock,
    TermChain,
    TermProgram,
)
from cnndsl.importers.raising.walks import with_parts
from cnndsl.importers.raising.writing import TermWriter

_BLOCK = 6
"""The cost of a block in addition to its words."""
_NONE: frozenset[int] = frozenset()


def named_texts(graph: Graph, classes: Mapping[str, str]) -> Iterator[str]:
    """Yield programs with this graph and the paths of its layers with tensors, the shortest first.

    The last one has neither blocks nor modules: each layer has its path as a label.

    Args:
        graph: The graph. `Node.path` of a layer with tensors is the prefix of their names in a weights file. That of
            any other layer is its module and some name after it.
        classes: The names of the modules' classes, by path.
    """
    lists = {path for path, name in classes.items() if name in ("ModuleList", "ModuleDict")}
    module = ModuleChains(graph, regions(graph, lists))
    page = _NamedPage(module)
    whole = with_shares(TermProgram(((-1, module.body()),)), graph)
    texts: list[tuple[float, str]] = []
    for with_tests in (True, False):
        program, paths = with_shared(whole, page.cost, classes, with_tests)
        cost = page.cost(program) * (1 if with_tests else APART)
        texts.append((cost, page.text(titled(program, titles(paths, classes)))))
    yield from dict.fromkeys(text for _, text in sorted(texts))
    yield page.text(whole)
    flat = ModuleChains(graph, without_modules(graph))
    yield _NamedPage(flat).text(TermProgram(((-1, flat.body()),)))


class _NamedPage:
    """Writes programs and counts their words."""

    def __init__(self, module: ModuleChains) -> None:
        self.module = module

    def cost(self, program: TermProgram) -> int:
        text = self.text(program)
        return words(text) + _BLOCK * len(program.blocks) + numbered(text)

    def text(self, program: TermProgram) -> str:
        """Write the program with the required labels, and with repeats, tables and the defaults that shorten it."""
        blocks = [
            TermBlock(each.name, each.parameters, _short(with_labels(each.body), None)) for each in program.blocks
        ]
        graph = self.module.graph
        read = frozenset(each.partition(".")[0] for each in self.module.exports.values())
        plain = TermWriter({}, {each.name: each for each in blocks}, {})
        main = _short(with_labels(program.chains[0][1], read), plain)
        usual = defaults([*(each.body for each in blocks), main])
        writer = TermWriter({}, {each.name: each for each in blocks}, usual)
        lines = default_lines(usual, writer)
        lines += [block_line(each, writer) for each in blocks]
        lines += self._inputs()
        lines += self._main(main, writer)
        if graph.main_outputs[1:]:
            lines += self._outputs()
        return "\n".join(lines)

    def _inputs(self) -> list[str]:
        graph = self.module.graph
        several = graph.inputs[1:] and graph.inputs
        return [f"{input_name(graph, each.index)} = INPUT {each.shape}" for each in several]

    def _main(self, main: TermChain, writer: TermWriter) -> list[str]:
        only = main[0].term if len(main) == 1 else None
        chains = only.chains if isinstance(only, ChainsTerm) else (("", main),)
        if self.module.graph.main_outputs[1:] and len(chains[-1][1]) == 1 and not chains[-1][0]:
            chains = chains[:-1] if isinstance(chains[-1][1][0].term, StartTerm) else chains
        return [writer.lines(chain, name) for name, chain in chains]

    def _outputs(self) -> list[str]:
        graph, exports = self.module.graph, self.module.exports
        listed = dict(zip(output_names(graph), graph.main_outputs, strict=True))
        lines = [f"{name} = @{exports[node]}" for name, node in listed.items() if exports[node] != name]
        return [*lines, f"output {', '.join(listed)}"]


def _short(chain: TermChain, writer: TermWriter | None) -> TermChain:
    """Return the body of a module in its shortest form: with repeats, and with tables if a writer is given."""
    chain = tuple([step.over(with_parts(step.term, lambda each: _short(each, writer))) for step in chain])
    plain = folded(chain, _NONE, is_deep=False)
    if writer is None:
        return plain
    several = dict.fromkeys(ways(plain, _NONE, is_deep=False))
    return min(several, key=lambda way: weight(way, writer)) if several else plain
