"""What was made, as an immutable Graph: every node and every part under its final name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cnndsl.elaborate import naming
from cnndsl.elaborate.state import FileScope, ModuleScope, State
from cnndsl.errors import Source
from cnndsl.expr import Expr
from cnndsl.graph import Graph, Node
from cnndsl.syntax import ast

if TYPE_CHECKING:
    from cnndsl.elaborate.elaborator import Expansion


def build_graph(
    file: ast.File,
    home: FileScope,
    root: ModuleScope,
    made: Expansion,
    state: State,
    contracts: tuple[Expr, ...],
    sources: tuple[Source, ...],
) -> Graph:
    """The graph of a network of which everything is made and nothing is wrong."""
    assert made.wire is not None, "a network without errors has an output"
    assert made.part is not None, "a network has its input"
    modules = {
        scope.path: scope.output for scope in naming.assign(root, state.drafts) if scope.path and scope.output >= 0
    }
    for module, target in state.modules:
        path = target.path if isinstance(target, ModuleScope) else state.drafts[target].path if target >= 0 else ""
        object.__setattr__(module, "path", path)
    nodes = tuple(
        Node(at, d.path, d.layer, d.inputs, d.shape, d.span, d.text, d.written, d.turns, d.training_only)
        for at, d in enumerate(state.drafts)
    )
    net = next((each for each in file.statements if isinstance(each, ast.Net)), None)
    parameters = {name: home.values[name] for name in home.values if name not in home.lets}
    return Graph(
        name=net.name if net else "",
        nodes=nodes,
        output=made.wire.node,
        taps=tuple(state.taps),
        tree=made.part,
        modules=modules,
        settings=parameters,
        lets=dict(home.lets),
        contracts=contracts,
        source=file.source,
        sources=sources,
        domains=dict(home.domains),
    )
