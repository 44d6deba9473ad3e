"""Which parameters of a net stay arguments of its class: those that set widths and rates, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from cnndsl.emit.parts import inner
from cnndsl.expr import Expr, names
from cnndsl.graph import Called, Choice, Graph, Loop, Named, Part


def kept(graph: Graph) -> frozenset[str]:
    """The parameters on which no repeat, choice, name or shape of a window depends."""
    fixed = set(_structural(graph, graph.tree)) | _in_options(graph)
    return frozenset(
        name
        for name, value in graph.settings.items()
        if name not in fixed and isinstance(value, int | float) and not isinstance(value, bool)
    )


def _mentioned(expr: Expr, graph: Graph) -> Iterator[str]:
    for name in names(expr):
        yield name.name
        if name.name in graph.lets:
            yield from _mentioned(graph.lets[name.name], graph)


def _structural(graph: Graph, part: Part) -> Iterator[str]:
    """Names on which the structure hangs; a block's own are among them, which does no harm."""
    exprs: list[Expr] = []
    if isinstance(part, Loop):
        exprs += [part.count] if part.count is not None else []
        if part.count is None:
            yield from (name for name in graph.settings)
    elif isinstance(part, Choice):
        if isinstance(part.test, str):
            yield part.test
        elif part.test is not None:
            exprs.append(part.test)
    elif isinstance(part, Named):
        exprs += [piece for piece in part.template if not isinstance(piece, str)]
    elif isinstance(part, Called):
        exprs += []
    for expr in exprs:
        yield from _mentioned(expr, graph)
    for each in inner(part):
        yield from _structural(graph, each)


def _in_options(graph: Graph) -> set[str]:
    """Names that set anything but a width or a rate."""
    found: set[str] = set()
    for node in graph:
        options = node.layer.options()
        for option, expr in node.written:
            is_rate = option in options and options[option].type == "number"
            if option != node.layer.WIDTH and not is_rate:
                found.update(_mentioned(expr, graph))
    return found
