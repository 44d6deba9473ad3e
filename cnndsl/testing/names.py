"""The names that a program gives its layers, read from its source: the expected names of the nodes of its graph.

The reader follows the syntax tree, with values and modules (`written`) of its own; it uses no code of
`cnndsl.elaborate`. From the graph it takes only what the source does not show by itself: which layers there are, in
sequence, with their shapes. That determines `ID or X`, a merge by a star, and the values of C, H and W.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import TypeAlias

from cnndsl.expr import given, number, truth
from cnndsl.expressions import Expr, Name, ReferenceExpr
from cnndsl.graph import Graph, Node
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.testing.written import (
    IDENTITIES,
    MERGES,
    GivenOutput,
    GivenWord,
    Labelled,
    TextFile,
    TextModule,
    TextPart,
    TextScope,
    UnlikeText,
    bearable,
    choice_names,
    filled,
    referred,
    rows_of,
    set_from_outside,
)
from cnndsl.values import Value

Wire: TypeAlias = int | None
"""The node of a value; None, or -1 if a label names it, if the node is not known."""


def written_names(graph: Graph) -> dict[int, str]:
    """Return the path of each node according to the program. Raises UnlikeText if the layers differ from its source.

    >>> from cnndsl.network import loads
    >>> text = 'INPUT 8x8x3 -> convs.0: CONV3-4 -> "a-1": [CONV3-4 -> "": RELU -> (ID + BN)]'
    >>> list(written_names(loads(text).graph).values())
    ['input', 'convs.0', 'a-1.0', 'a-1.relu', 'a-1.1', 'a-1.add']
    """
    root = TextModule()
    _Reader(graph).network(root)
    return dict(sorted(root.paths()))


def name_differences(graph: Graph) -> list[str]:
    """List the nodes of a graph whose names differ from those in its source."""
    try:
        wanted = written_names(graph)
    except UnlikeText as stop:
        return [f"names: {stop}"]
    paths = {node.index: node.path for node in graph}
    if wanted.keys() != paths.keys():
        return [f"names: the text has {len(wanted)} layers, and the graph {len(paths)}"]
    return [f"names: {path} should be called {wanted[at]}" for at, path in paths.items() if path != wanted[at]][:3]


class _Reader:
    """Follows the source of a graph in parallel with its nodes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.at = 0

    # The nodes

    def _is_next(self, item: ast.ChainItem) -> bool:
        if self.at >= len(self.graph.nodes):
            return False
        span = self.graph.nodes[self.at].span
        return (span.source.name, span.start, span.end) == (item.span.source.name, item.span.start, item.span.end)

    def _take(self, item: ast.ChainItem) -> Node:
        if not self._is_next(item):
            found = self.graph.nodes[self.at].span if self.at < len(self.graph.nodes) else None
            raise UnlikeText(f"the text goes on with {item.span.text!r}, the graph with {found and found.text!r}")
        self.at += 1
        return self.graph.nodes[self.at - 1]

    # The file

    def network(self, root: TextModule) -> None:
        """Follow the network of the graph's file."""
        files: dict[str, TextFile] = {}
        file = parse(self.graph.source)
        home = self._file(file, self.graph.settings, files)
        scope = TextScope(home, home.values, root)
        items: list[ast.ChainItem] = []
        for each in file.statements:
            if isinstance(each, ast.Main):
                self._input(each.chain.items[0], scope)
                items = [*each.chain.items[1:], *items]
            elif isinstance(each, ast.Equation):
                first = each.body.items[0]
                if isinstance(first, ast.WrittenLayer) and first.head.upper() == "INPUT":
                    name = filled(each.name, scope)
                    root.chains.add(name)
                    root.values[name] = self._add(first, scope, name, counted=False), None
                else:
                    items.append(each)
        self._items(items, 0, scope)
        if self.at < len(self.graph.nodes):
            raise UnlikeText(f"the text has no more than {self.at} layers")

    def _input(self, item: ast.ChainItem, scope: TextScope) -> None:
        name = filled(item.name, scope) if isinstance(item, ast.Label) else ""
        layer = item.body if isinstance(item, ast.Label) else item
        self._add(layer, scope, name, counted=False)

    def _file(self, file: ast.File, settings: Mapping[str, Value], files: dict[str, TextFile]) -> TextFile:
        """Read the definitions of a file; the parameters of a file that is used have their defaults."""
        home = TextFile({}, {}, choice_names(file))
        net = next((each for each in file.statements if isinstance(each, ast.Net)), None)
        scope = TextScope(home, home.values, TextModule())
        for each in net.parameters or () if net else ():
            if each.default is not None:
                home.values[each.name] = self._argument(each.default, scope)
        home.values.update({name: set_from_outside(value, home) for name, value in settings.items()})
        for each in file.statements:
            if isinstance(each, ast.Let):
                home.values[each.name] = self._argument(each.value, scope)
            elif isinstance(each, ast.Block):
                home.blocks[each.name] = each, home
            elif isinstance(each, ast.Use):
                source = next(one for one in self.graph.sources if PurePath(one.name).name == each.path)
                if source.name not in files:
                    files[source.name] = self._file(parse(source), {}, files)
                home.blocks.update({name: files[source.name].blocks[name] for name, _ in each.names})
        return home

    # Chains

    def _items(self, items: Sequence[ast.ChainItem], wire: Wire, scope: TextScope) -> Wire:
        for item in items:
            wire = self._item(item, wire, scope)
        return wire

    def _item(self, item: ast.ChainItem, wire: Wire, scope: TextScope, label: str = "") -> Wire:
        """Follow an element, under the last name of a label, and return its output node."""
        if isinstance(item, ast.WrittenLayer):
            return self._layer(item, wire, scope, label)
        if isinstance(item, ast.Label):
            return self._labelled(item, wire, scope)
        if isinstance(item, ast.Tap):
            self._named(filled(item.name, scope), item.body, wire, scope)
            return wire
        if isinstance(item, ast.Optional | ast.Conditional):
            return self._chosen(item, wire, scope, label)
        if isinstance(item, ast.Ref):
            value = referred(filled(item.name, scope), scope)
            if label:
                scope.module.values[label] = value
            return value[0]
        if isinstance(item, ast.Again):
            return self._again(item, wire, scope, label)
        if isinstance(item, ast.Equation):
            return self._equation(item, wire, scope)
        if isinstance(item, ast.Each):
            raise UnlikeText(f"{item.span.text!r} is no branch")
        return self._composed(item, wire, scope, label)

    def _chosen(self, item: ast.Optional | ast.Conditional, wire: Wire, scope: TextScope, label: str) -> Wire:
        """Follow the alternative that is chosen at compile time; if it is empty, the input is passed on."""
        if self._is_left_out(item, wire, scope):
            return wire
        if isinstance(item, ast.Conditional) and not truth(item.test, self._here(wire, scope)):
            assert item.otherwise is not None, "else it is left out"
            return self._item(item.otherwise, wire, scope)
        return self._item(item.body, wire, scope, label)

    def _composed(
        self, item: ast.Group | ast.Merge | ast.Repeat | ast.For | ast.Either, wire: Wire, scope: TextScope, label: str
    ) -> Wire:
        """Follow an element that is a module if it has a label."""
        if label:
            module = TextModule(scope.module)
            scope.module.parts.append(TextPart(label, "", module=module))
            given = self._composed(item, wire, replace(scope, module=module), "")
            scope.module.values[label] = given if given is not None else -1, module
            return given
        if isinstance(item, ast.Group):
            return self._items(item.body.items, wire, scope)
        if isinstance(item, ast.Merge):
            return self._merge(item, wire, scope)
        if isinstance(item, ast.Either):
            return self._either(item, wire, scope)
        if isinstance(item, ast.Repeat):
            times = int(number(item.count, self._here(wire, scope)))
            turns = [replace(scope, values={**scope.values, "i": turn + 1}) for turn in range(times)]
            bodies: tuple[ast.ChainItem, ...] = (item.body,)
        else:
            turns, bodies = self._rows(item, wire, scope), item.body.items
        for inner in turns:
            wire = self._items(bodies, wire, inner)
        return wire

    def _rows(self, item: ast.For, wire: Wire, scope: TextScope) -> list[TextScope]:
        """Return the scopes of the rows of a table."""
        here = replace(scope, values=self._here(wire, scope))
        if item.is_range:
            first, last = (int(number(each, here.values)) for each in item.rows)
            rows: list[tuple[Value, ...]] = [(each,) for each in range(first, last + 1)]
        else:
            rows = rows_of([self._argument(each, here) for each in item.rows], len(item.names))
        return [replace(scope, values={**scope.values, **dict(zip(item.names, row, strict=True))}) for row in rows]

    def _merge(self, item: ast.Merge, wire: Wire, scope: TextScope) -> Wire:
        given: list[Wire] = []
        has_star = False
        for branch in item.branches:
            first = branch.items[0]
            if isinstance(first, ast.Ref) and first.is_starred:
                has_star = True
            elif isinstance(first, ast.Each) and len(branch.items) == 1:
                turns = self._rows(first.table, wire, scope)
                present = (turn for turn in turns if not self._is_absent(first.table.body, wire, turn))
                given += (self._items(first.table.body.items, wire, turn) for turn in present)
            elif isinstance(first, ast.Either) and len(branch.items) == 1:
                given.append(self._either(first, wire, scope))
            elif not self._is_absent(branch, wire, scope):
                given.append(self._items(branch.items, wire, scope))
        # The number of values of a star is not counted here: the graph shows whether there is a merge.
        if len(given) > 1 or (has_star and self._is_next(item)):
            base = MERGES[item.operator]
            return self._add(item, scope, "", base, counted=False)
        return given[0] if given else wire

    def _is_absent(self, branch: ast.Chain, wire: Wire, scope: TextScope) -> bool:
        """Return whether a branch is empty: it consists only of parts that are omitted."""
        return all(self._is_left_out(each, wire, scope) for each in branch.items)

    def _is_left_out(self, item: ast.ChainItem, wire: Wire, scope: TextScope) -> bool:
        if isinstance(item, ast.Optional):
            name = item.name if item.name is not None else scope.file.choices.get(item.span.start, "")
            return scope.values.get(name, True) is not True
        if isinstance(item, ast.Conditional):
            return item.otherwise is None and not truth(item.test, self._here(wire, scope))
        return False

    def _either(self, item: ast.Either, wire: Wire, scope: TextScope) -> Wire:
        """Take the choice whose layers come next, otherwise the first if it may have none."""
        before = self.at
        for choice in (*reversed(item.choices[1:]), item.choices[0]):
            parts = list(scope.module.parts)
            values = dict(scope.module.values)
            try:
                given = self._item(choice, wire, scope)
            except UnlikeText:
                given = -1
            if self._is_in(choice, before, scope) if self.at > before else choice is item.choices[0] and given != -1:
                return given
            self.at = before
            scope.module.parts[:] = parts
            scope.module.values.clear()
            scope.module.values.update(values)
        raise UnlikeText(f"none of {item.span.text!r} goes on as the graph does")

    def _is_in(self, choice: ast.ChainItem, at: int, scope: TextScope) -> bool:
        """Return whether the layer at a position is in a choice that has a label, and not in a similar branch after
        it."""
        path = self.graph.nodes[at].path.split(".")
        return not isinstance(choice, ast.Label) or filled(choice.name, scope).rpartition(".")[2] in path

    # Names

    def _labelled(self, item: ast.Label, wire: Wire, scope: TextScope) -> Wire:
        if item.name == ("",):
            before = len(scope.module.parts)
            given = self._item(item.body, wire, scope)
            for part in scope.module.parts[before:]:
                part.counted = False
            return given
        return self._named(filled(item.name, scope), item.body, wire, scope)

    def _named(self, path: str, body: ast.ChainItem, wire: Wire, scope: TextScope) -> Wire:
        """Follow a part that has a label, perhaps in a module that is written in pieces."""
        *outer, last = path.split(".")
        for name in outer:
            known = next((part.module for part in scope.module.parts if part.label == name), None)
            if known is None:
                known = TextModule(scope.module, in_pieces=True)
                scope.module.parts.append(TextPart(name, "", module=known))
                scope.module.values[name] = -1, known
            scope = replace(scope, module=known)
        given = self._item(body, wire, scope, last)
        scope.module.labelled[last] = Labelled(body, scope, [1])
        scope.module.values.setdefault(last, (given if given is not None else -1, None))
        return given

    def _again(self, item: ast.Again, wire: Wire, scope: TextScope, label: str) -> Wire:
        path = filled(item.name, scope)
        module, known = next(scope.module.applicable(path), (None, None))
        if module is None or known is None:
            raise UnlikeText(f"no part {path} is to be applied again")
        last = path.rpartition(".")[2]
        known.times[0] += 1
        name = f"{last}@{known.times[0]}"
        given = self._item(known.body, wire, known.scope, name)
        value = module.values.pop(name, (given, None))
        if module.parts and module.parts[-1].label == name and not list(TextModule(parts=module.parts[-1:]).paths()):
            module.parts.pop()
        if label:
            scope.module.values[label] = value[0] if value[0] is not None else -1, value[1]
        return given

    def _equation(self, item: ast.Equation, wire: Wire, scope: TextScope) -> Wire:
        name = filled(item.name, scope)
        if name:
            scope.module.chains.add(name)
        before = len(scope.module.parts)
        given = self._items(item.body.items, wire, scope)
        if name:
            last = scope.module.parts[before:][-1:]
            scope.module.values[name] = given if given is not None else -1, last[0].module if last else None
        return given

    # Layers and blocks

    def _add(self, item: ast.ChainItem, scope: TextScope, label: str, base: str = "", counted: bool = True) -> int:
        """Take the next node as a part of the module."""
        node = self._take(item)
        base = base or node.layer.kind().lower()
        scope.module.parts.append(TextPart(label, bearable(base), counted, node.index))
        if label:
            scope.module.values[label] = node.index, None
        return node.index

    def _layer(self, item: ast.WrittenLayer, wire: Wire, scope: TextScope, label: str) -> Wire:
        name, block = self._meant(item, scope)
        if block is not None:
            return self._call(item, *block, wire, scope, label)
        if name.upper() in IDENTITIES:
            if label:
                scope.module.values[label] = wire if wire is not None else -1, None
            return wire
        return self._add(item, scope, label)

    def _meant(self, item: ast.WrittenLayer, scope: TextScope) -> tuple[str, tuple[ast.Block, TextFile] | None]:
        """Return the meaning of a head: a layer type by its name, or a block. A parameter may have either as its
        value."""
        name, known = item.head, scope
        while isinstance(value := known.values.get(name), GivenWord):
            name, known = value.name, value.scope
        is_sized = item.size or item.width is not None or item.stride is not None
        return name, None if is_sized else known.file.blocks.get(name)

    def _call(
        self, item: ast.WrittenLayer, block: ast.Block, file: TextFile, wire: Wire, scope: TextScope, label: str
    ) -> Wire:
        parameters = block.parameters or ()
        here = replace(scope, values=self._here(wire, scope))
        given: dict[str, Value] = {}
        for each, parameter in zip(item.arguments or (), (*parameters, *parameters), strict=False):
            given[each.name or parameter.name] = self._argument(each.value, here)
        module = TextModule(scope.module)
        scope.module.parts.append(TextPart(label, block.name.lower(), module=module))
        inner = TextScope(file, {**file.values, **self._axes(wire)}, module, in_block=True)
        for parameter in parameters:
            value = given.get(parameter.name)
            if value is None and parameter.default is not None:
                value = self._argument(parameter.default, inner)
            if value is not None:
                inner = replace(inner, values={**inner.values, parameter.name: value})
        for let in block.values:
            inner = replace(inner, values={**inner.values, let.name: self._argument(let.value, inner)})
        result = self._items(block.body.items, wire, inner)
        if label:
            scope.module.values[label] = result if result is not None else -1, module
        return result

    def _argument(self, expr: Expr, scope: TextScope) -> Value:
        def word(written: Name | ReferenceExpr) -> Value:
            if isinstance(written, Name):
                return GivenWord(written.name, scope)
            return GivenOutput(referred(filled(written.parts, scope), scope)[0])

        return given(expr, scope.values, word)

    def _axes(self, wire: Wire) -> dict[str, Value]:
        if wire is None or wire < 0:
            return {}
        shape = self.graph.nodes[wire].shape
        return {"C": shape.channels, **dict(zip("DHW"[3 - shape.rank :], shape.spatial, strict=True))}

    def _here(self, wire: Wire, scope: TextScope) -> Mapping[str, Value]:
        return scope.values if scope.in_block else {**scope.values, **self._axes(wire)}
