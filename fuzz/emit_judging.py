"""What is wrong with an emitted text, told by running it: nothing here asks the verifier.

The text is run beside the plain reading of its graph (`cnndsl.testing.oracle`), made with other arguments beside what
the compiler makes of them (`cnndsl.testing.construction`), and its initial weights are held against those of the
text that it should have been.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import torch
    from torch import nn

    from cnndsl.graph import Graph

BATCHES = (2,)
MOST_TRIALS = 6
"""So many other settings are tried with a constructor."""


class Wrong(NamedTuple):
    """A kind of what is wrong, and what was told of it."""

    kind: str
    told: str


def wrong_with(text: str, expected: str, graph: Graph, others: tuple[Mapping[str, object], ...]) -> Wrong | None:
    """Tells what is wrong with a text that should have been `expected`; None where it does the same."""
    from cnndsl.testing.oracle import emitted, run_differences, seeded, state_differences

    # Whatever the text raises, SystemExit too, it does not give the network.
    try:
        make = class_of(text)
        with repeatable():
            network = make()
            initial = {name: each.clone() for name, each in network.state_dict().items()}
        network = emitted(lambda: network, "source")
    except BaseException as error:
        if isinstance(error, TimeoutError | KeyboardInterrupt):
            raise
        return Wrong("acceptance", f"{type(error).__name__}: {error}"[:200])
    if told := state_differences(graph, network, "source"):
        return Wrong("keys", told[0])
    state = seeded(graph)
    network.load_state_dict(state)
    if told := run_differences(graph, network, state, BATCHES):
        return Wrong("run", told[0])
    if told := _other_weights(initial, class_of(expected)):
        return Wrong("initial weights", told)
    for each in trials(graph, others):
        if told := _with_arguments(make, graph, each):
            return Wrong("arguments", told)
    return None


@contextmanager
def repeatable() -> Generator[None]:
    """Lets each operation that draws depend on nothing but its arguments, so that the order of modules is free."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Reseeding(TorchDispatchMode):
        """Seeds anew in front of whatever draws."""

        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if torch.Tag.nondeterministic_seeded in func.tags:
                torch.default_generator.manual_seed(1)
            return func(*args, **(kwargs or {}))

    with Reseeding():
        yield


def _other_weights(initial: Mapping[str, torch.Tensor], make: Any) -> str:
    """Tells which weight begins with other values."""
    import torch

    with repeatable():
        network: nn.Module = make()
    for name, value in network.state_dict().items():
        if not torch.equal(initial[name], value):
            return f"{name} begins with other values"
    return ""


def trials(graph: Graph, others: tuple[Mapping[str, object], ...]) -> Iterator[Mapping[str, object]]:
    """Gives other settings: those that are stored with the program, then a number one more, a fraction halved or a
    choice reversed; where there is a domain, one value of it and a number that is not."""
    found: list[Mapping[str, object]] = list(others)
    for name, value in graph.settings.items():
        domain = graph.domains.get(name)
        if domain is not None:
            found += [{name: each} for each in domain if each != value][:1]
        if isinstance(value, bool):
            found += [{name: not value}] if domain is None else []
        elif isinstance(value, int):
            found.append({name: value + 1 if domain is None else 1 + max(each for each in domain if _is_number(each))})
        elif isinstance(value, Fraction):
            found.append({name: value / 2})
    yield from found[:MOST_TRIALS]


def _is_number(value: object) -> bool:
    return isinstance(value, int | Fraction)


def _with_arguments(make: Any, graph: Graph, settings: Mapping[str, object]) -> str:
    """Tells what is wrong with the class made with arguments that stand for these settings."""
    from cnndsl.errors import CnnError
    from cnndsl.network import Network, graph_of
    from cnndsl.settings import values
    from cnndsl.testing.construction import made_differences, offered, refusal
    from cnndsl.testing.oracle import Failure

    try:
        arguments = offered(make, settings)
        kept = {name: value for name, value in settings.items() if {name, f"{name}_"} & arguments.keys()}
        if not kept:
            return ""
        try:
            other = Network(graph_of(graph.source, {**graph.settings, **values(kept)}))
        except CnnError as stop:
            told = refusal(make, arguments, graph, stop)
        else:
            told = made_differences(make, arguments, other)
    except Failure as failure:
        return str(failure)
    except (TimeoutError, KeyboardInterrupt):
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:200]
    return told[0] if told else ""


def meaning(text: str) -> str | None:
    """Gives a text's code without docstrings, comments and its last part, which is run by hand; None for no code."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [each for each in node.body if not _is_text(each)]
    tree.body = [each for each in tree.body if not isinstance(each, ast.If)]
    return ast.dump(tree)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def interface(text: str) -> tuple[object, ...]:
    """Gives the names by which a class is used: its own, its arguments, the fields of what it returns."""
    from inspect import signature

    made = class_of(text)
    fields = [each._fields for each in _classes(text) if hasattr(each, "_fields")]
    return made.__name__, tuple(signature(made).parameters), tuple(fields)


def class_of(text: str) -> type[nn.Module]:
    """Runs a text by itself, as a file would be, and gives the class of the network: the last that is a module."""
    from torch import nn

    return [each for each in _classes(text) if issubclass(each, nn.Module)][-1]


def _classes(text: str) -> list[type]:
    names: dict[str, Any] = {"__name__": "emitted"}
    # The `__future__` of this file is none of that text's, whose annotations are evaluated.
    exec(compile(text, "<emitted>", "exec", dont_inherit=True), names)
    return [each for each in names.values() if isinstance(each, type) and each.__module__ == "emitted"]
