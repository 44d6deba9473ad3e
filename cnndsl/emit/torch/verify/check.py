"""Verifies the source against a graph."""

from __future__ import annotations

import ast
import gc
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import cast

from cnndsl.emit.torch.verify.construct import build, freeze
from cnndsl.emit.torch.verify.differences import Difference, Findings, Verification
from cnndsl.emit.torch.verify.expected import Expected
from cnndsl.emit.torch.verify.foreign import Plugins
from cnndsl.emit.torch.verify.forms import describe_form
from cnndsl.emit.torch.verify.frame import Engine, Frame
from cnndsl.emit.torch.verify.match import Match, TracedStorage, TracedTensor
from cnndsl.emit.torch.verify.replay import Replay
from cnndsl.emit.torch.verify.results import check_results
from cnndsl.emit.torch.verify.statements import run
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.trace import Trace, Tracer, shown
from cnndsl.emit.torch.verify.values import (
    Function,
    NotUnderstood,
    Refused,
    Register,
    Template,
    Trouble,
)
from cnndsl.graph import Graph

NOWHERE = Function(cast(ast.FunctionDef, ast.parse("def _(): ...").body[0]), (), 0, frozenset())
"""The function in which the network's class is called."""

_DEPTH = 10_000
"""The recursion limit: an expression nests at most 200 parentheses, but a sum may have any number of operands."""


class RunningText:
    """A network of the source, built with arguments."""

    __slots__ = ("main", "program", "template", "tracer")

    def __init__(self, program: Program, arguments: Mapping[str, object]) -> None:
        if program.main is None:
            raise Trouble("the text has no class of a network")
        self.program, self.main = program, program.main
        engine = Engine(run)
        frame = Frame(program, NOWHERE, {}, None, engine)
        line = self.line
        self.template: Template = freeze(build(self.main, [], arguments, frame, line), program)
        self.tracer = Tracer(program, engine)

    @property
    def line(self) -> int:
        """Return the line of the network's class."""
        return self.main.node.lineno if self.main.node else 0

    def trace(self, training: bool, inputs: int = 1) -> Trace:
        """Return the trace of its `forward` on this many tensors. Raises Trouble if it cannot be followed."""
        return self.tracer.trace(self.template, [Register(at) for at in range(inputs)], {}, training)


def verify(
    text: str,
    graph: Graph,
    *,
    plugins: Mapping[str, str] | None = None,
    arguments: Mapping[str, object] | None = None,
    accept_fixed_pooling: bool = False,
) -> Verification:
    """Compare the source with the graph that it must implement.

    `plugins` maps the names of plug-in classes to their sources, which are trusted; `arguments` are the constructor's.
    """
    findings = Findings()
    trusted: tuple[str, ...] = ()
    modules = 0
    with quietly():
        try:
            program = Program(text, plugins or {})
            trusted = tuple(program.trusted)
            modules = verified(program, graph, findings, arguments or {}, accept_fixed_pooling)
        except Trouble as stop:
            findings.add(trouble(stop))
        except Refused as stop:
            findings.add(Difference(stop.line, "the class refuses these arguments"))
    return Verification(findings.sorted(), trusted, modules)


@contextmanager
def quietly() -> Generator[None]:
    """Pause garbage collection, which would scan growing trees repeatedly and find nothing, and raise the recursion
    limit for deep expressions."""
    collecting, depth = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(depth, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(depth)
        if collecting:
            gc.enable()


def trouble(stop: Trouble) -> Difference:
    """Return the difference that reports where the source could not be followed."""
    found = f"not understood: {stop.message}" if isinstance(stop, NotUnderstood) else stop.message
    return Difference(stop.line, found)


def verified(program: Program, graph: Graph, findings: Findings, arguments: Mapping[str, object], loose: bool) -> int:
    """Compare a program with a graph; return the number of modules. Raises Trouble if it cannot be followed."""
    try:
        return _verified(program, graph, findings, arguments, loose)
    except RecursionError:
        raise NotUnderstood("calls that nest so deep") from None


def _verified(program: Program, graph: Graph, findings: Findings, arguments: Mapping[str, object], loose: bool) -> int:
    running = RunningText(program, arguments)
    expected = Expected(graph, program.forms, Plugins(program), loose)
    training = running.trace(True, len(graph.inputs))
    evaluation = running.trace(False, len(graph.inputs))
    _check_names(running, graph, findings)
    match = _run(running, training, expected, findings, True)
    taps = any(tap.training_only for tap in graph.taps)
    if evaluation is not training or taps or any(node.training_only for node in graph.nodes):
        _run(running, evaluation, expected, findings, False)
    _surplus(running.template, match, findings)
    return running.template.leaves


def _run(running: RunningText, trace: Trace, expected: Expected, findings: Findings, training: bool) -> Match:
    match = Match(expected, running.program.forms, findings, training)
    given = [TracedTensor(node.index, TracedStorage(is_input=True)) for node in expected.graph.inputs]
    registers = Replay(match).run(trace, given, "")
    main = running.main
    check_results(trace.result, registers, match, training, main.forward.node.lineno if main.forward else running.line)
    _account(match, findings, training)
    return match


def _check_names(running: RunningText, graph: Graph, findings: Findings) -> None:
    """Record the arguments of `forward` whose names are not those of the program's inputs, underscores aside."""
    forward = running.main.forward
    if forward is None:
        if graph.input_names:
            findings.add(Difference(running.line, "the network has no `forward`", "one with named inputs", rank=4))
        return
    for name, (found, _) in zip(graph.input_names, forward.params[1:], strict=False):
        if found.removeprefix("v_").strip("_") != name.strip("_"):
            findings.add(Difference(forward.node.lineno, f"`forward` takes `{found}`", f"`{name}`", rank=4))


def _account(match: Match, findings: Findings, training: bool) -> None:
    """Record the layers that were not computed, computed too often, or computed in the wrong mode."""
    expected, ran = match.expected, match.ran
    wanted = expected.wanted[training]
    mode = "training" if training else "evaluation"
    for node in expected.graph.layers:
        at = node.index
        value = expected.values[at]
        if expected.skipped[at]:
            continue
        times, most = ran.get(value, 0), wanted.get(value, 0)
        if times == most or (0 < times < most and not expected.stateful[at]):
            continue
        if not times:
            found = f"{node.path} is not computed in {mode}"
        else:
            found = f"{node.path} is computed {times} times in {mode}" if most else f"{node.path} is computed in {mode}"
        findings.add(Difference(0, found, "" if not times else _often(most), node.path, node.span, 3))


def _often(times: int) -> str:
    return "not at all" if not times else "once" if times == 1 else f"at most {times} times"


def _surplus(template: Template, match: Match, findings: Findings) -> None:
    """Record the modules that are never called."""
    if len(match.ran_paths) == template.leaves:
        return
    for path, found, line in _leaves(template, ""):
        if path not in match.ran_paths:
            leaf = found.leaf
            assert leaf is not None
            findings.add(Difference(line, f"{shown(path)}, {describe_form(leaf.form)}, is never called", rank=3))


def _leaves(template: Template, prefix: str) -> Iterator[tuple[str, Template, int]]:
    """Yield the modules that compute something, with their paths and lines."""
    for name, (child, line) in template.children.items():
        if child.leaf is None:
            yield from _leaves(child, f"{prefix}{name}.")
        elif not child.leaf.passes:
            yield f"{prefix}{name}", child, line
