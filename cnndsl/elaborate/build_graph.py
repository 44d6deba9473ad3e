"""Convert the elaboration state to an immutable Graph and assign the final names of nodes and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.elaborate import naming
from cnndsl.elaborate.expansion import Expansion
from cnndsl.elaborate.state import FileScope, ModuleScope, State
from cnndsl.elaborate.value_names import value_names
from cnndsl.errors import Source
from cnndsl.expressions import Expr
from cnndsl.graph import AgainPart, CallPart, Graph, NamedPart, Node, Part, TapPart, rebuilt, wired
from cnndsl.syntax import ast
from cnndsl.values import Value, plain_value


def build_graph(
    file: ast.File,
    home: FileScope,
    root: ModuleScope,
    made: Expansion,
    state: State,
    contracts: tuple[Expr, ...],
    sources: tuple[Source, ...],
) -> Graph:
    """Return the graph of a network that was elaborated completely and without errors."""
    assert made.wire is not None, "a network without errors has an output"
    assert made.part is not None, "a network has its input"
    scopes = {scope.path: scope for scope in naming.assign(root, state.drafts)}
    modules = {path: scope.wire.node for path, scope in scopes.items() if path and scope.wire is not None}
    nodes = (
        Node(at, d.path, d.layer, d.inputs, d.shape, d.span, d.text, d.written, d.turns, d.training_only, d.weights_of)
        for at, d in enumerate(state.drafts)
    )
    net = next((each for each in file.statements if isinstance(each, ast.Net)), None)
    parameters = {name: plain_value(home.values[name]) for name in home.values if name not in home.lets}
    return Graph(
        name=net.name if net else "",
        digraph=wired(nodes),
        output=made.wire.node,
        taps=tuple(state.taps),
        tree=_named(made.part, state),
        modules=modules,
        settings=parameters,
        lets=dict(home.lets),
        contracts=contracts,
        source=file.source,
        sources=sources,
        defaults={name: plain_value(each) for name, each in home.defaults.items()},
        names=value_names(scopes.values(), state.drafts),
        domains={name: _plain_domain(each) for name, each in home.domains.items()},
    )


def _named(tree: Part, state: State) -> Part:
    """Return the tree with the final paths of its modules."""
    paths = {id(module): _path(target, state) for module, target in state.modules}

    def named(before: Part, part: Part) -> Part:
        if isinstance(part, NamedPart):  # written out: there are many, and `replace` takes four times as long
            return NamedPart(part.name, part.template, paths[id(before)], part.part, part.is_module)
        if isinstance(part, CallPart | TapPart | AgainPart):
            return replace(part, path=paths[id(before)])
        return part

    return rebuilt(tree, named)


def _path(target: ModuleScope | int, state: State) -> str:
    if isinstance(target, ModuleScope):
        return target.path
    return state.drafts[target].path if target >= 0 else ""


def _plain_domain(domain: Sequence[Value]) -> Sequence[Value]:
    return domain if isinstance(domain, range) else tuple(map(plain_value, domain))
