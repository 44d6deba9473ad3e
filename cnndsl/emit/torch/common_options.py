"""Options that all layers of one type take from the arguments of the network, as in `default BN(eps=eps)`.

Passed on, such a number would be an argument of every class on the way to the layers, and mean nothing there. PyTorch
reads the attribute in each call, so the network's constructor can set it at its end:

    for module in self.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = eps
"""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.emit.torch.ir import Guard
from cnndsl.emit.torch.layout import CallDoc, Item, Text
from cnndsl.emit.torch.names import variable
from cnndsl.emit.torch.part_queries import calls
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.terms import Const, Term, Var, names, op, text
from cnndsl.graph import Graph, nodes_of
from cnndsl.layers.base import Layer, Option, TorchCall

FEWEST = 4
"""Minimum number of layers for a common option; fewer get the option in their own calls."""
CommonOptions = Mapping[str, Mapping[str, str]]
"""Maps a PyTorch class to the options that its layers share, each with the network parameter that it equals."""


def common_options(graph: Graph, written: Mapping[int, Mapping[str, Term]]) -> CommonOptions:
    """Return the options that all layers of a type take from one parameter, if blocks make some of these layers.
    `written` maps nodes to their options that follow parameters."""
    found: dict[str, list[tuple[int, type[Layer]]]] = {}
    sources: set[str] = set()
    for node in graph.layers:
        made = node.layer.torch(*graph.shapes(node))
        if isinstance(made, TorchCall):
            found.setdefault(made.name, []).append((node.index, type(node.layer)))
            sources.add(made.source)
    inside = {at for call in calls(graph.tree) for at in nodes_of(call.body)}
    common: dict[str, dict[str, str]] = {}
    for name, layers in found.items():
        is_base = any(f"({name})" in source for source in sources)
        if is_base or len(layers) < FEWEST or inside.isdisjoint(at for at, _ in layers):
            continue
        for option in layers[0][1].READ_ANEW:
            terms = {written.get(at, {}).get(option) for at, _ in layers}
            only = terms.pop()
            if not terms and isinstance(only, Var):
                common.setdefault(name, {})[option] = only.name
    return common


def settings(common: CommonOptions) -> list[PythonStatement]:
    """Return the statements that set the options, at the end of the network's constructor."""
    if not common:
        return []
    inner: list[PythonStatement] = []
    for name, options in common.items():
        body = tuple(Line(f"module.{option} = ", Text(variable(given))) for option, given in options.items())
        inner.append(Suite("if ", CallDoc("isinstance", (Item(Text("module")), Item(Text(name)))), body))
    return [Suite("for module in ", CallDoc("self.modules"), tuple(inner))]


def guards(graph: Graph, common: CommonOptions) -> list[Guard]:
    """Return the checks of the constructor for these options."""
    found: dict[Guard, None] = {}
    for node in graph.layers:
        made = node.layer.torch(*graph.shapes(node)) if node.layer.READ_ANEW else None
        for option, given in common.get(made.name, {}).items() if isinstance(made, TorchCall) else ():
            guard = bounds(Var(variable(given), whole=False), node.layer.options()[option])
            found |= {} if guard is None else {guard: None}
    return [*found]


def bounds(term: Term, rule: Option) -> Guard | None:
    """Return the check of a number that has bounds; None if it has none."""
    limits = (("<", rule.minimum), (">", rule.maximum))
    known = [(operator, Const(int(at) if at == int(at) else at)) for operator, at in limits if at is not None]
    if not known:
        return None
    outside, *others = [op(operator, term, number) for operator, number in known]
    for test in others:
        outside = op("or", outside, test)
    said = "between" if len(known) == 2 else "at least" if known[0][0] == "<" else "at most"
    message = f"{text(term)} must be {said} {' and '.join(text(number) for _, number in known)}"
    return Guard(outside, message, frozenset(names(term)))
