"""Checks what the network returns: its output, then the auxiliary outputs (taps) in the order of the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from cnndsl.emit.torch.verify.graphs import place_of
from cnndsl.emit.torch.verify.match import Match, TracedTensor
from cnndsl.emit.torch.verify.values import Named, Register, describe
from cnndsl.graph import Graph, Output


def check_results(
    result: object, registers: Sequence[TracedTensor | None], match: Match, training: bool, line: int
) -> None:
    """Record the differences in what `forward` returns, in one mode."""
    graph = match.expected.graph
    always = [tap for tap in graph.taps if not tap.training_only]
    taps = always + [tap for tap in graph.taps if tap.training_only and training]
    values = _values(result, len(taps), match, training, line)
    if values is None:
        return
    _names(result, graph, match, line)
    wanted = [(graph.output, "the output"), *((tap.node, f"the tap {tap.name}") for tap in taps)]
    if len(values) != len(wanted):
        mode = "training" if training else "evaluation"
        match.say(4, line, f"{len(values)} results are returned in {mode}", f"{len(wanted)}")
        return
    for (at, what), value in zip(wanted, values, strict=True):
        _check(at, what, value, registers, match, line)


def _check(
    at: int, what: str, value: object, registers: Sequence[TracedTensor | None], match: Match, line: int
) -> None:
    expected = match.expected
    if not isinstance(value, Register) or value.is_size:
        match.say(4, line, f"{describe(value)} is returned for {what}", place_of(expected.graph, at), at)
        return
    tensor = registers[value.index]
    assert tensor is not None
    found = match.read(tensor, line)
    if found != expected.values[at]:
        match.say(4, line, f"{expected.describe(found)} is returned for {what}", place_of(expected.graph, at), at)


def _values(result: object, taps: int, match: Match, training: bool, line: int) -> Sequence[object] | None:
    """Return the results in order; None if their structure is wrong."""
    if isinstance(result, Named):
        values = list(result.values)
        hidden = 0 if training else sum(tap.training_only for tap in match.expected.graph.taps)
        while hidden and values and values[-1] is None:
            values.pop()
            hidden -= 1
        return values
    if not isinstance(result, tuple):
        return [result]
    if not taps:
        mode = "training" if training else "evaluation"
        match.say(4, line, f"a tuple is returned in {mode}", "a tensor")
        return None
    return cast("tuple[object, ...]", result)


def _names(result: object, graph: Graph, match: Match, line: int) -> None:
    """Compare the fields of a NamedTuple with the names of the taps, always-on ones first."""
    if not isinstance(result, Named):
        return
    ordered: list[Output] = [tap for tap in graph.taps if not tap.training_only]
    ordered += [tap for tap in graph.taps if tap.training_only]
    fields = [name for name, _ in result.cls.fields]
    if len(fields) != len(ordered) + 1:
        match.say(4, line, f"`{result.cls.name}` has {len(fields)} fields", str(len(ordered) + 1))
        return
    first = _plain(graph.output_name)
    if first and fields[0].rstrip("_").removeprefix("v_") != first.strip("_"):
        match.say(4, line, f"the field `{fields[0]}` of `{result.cls.name}`", f"`{graph.output_name}`")
    for field, tap in zip(fields[1:], ordered, strict=True):
        # Taps of several parts can share a name, which is then followed by a number.
        twice = sum(other.name == tap.name for other in ordered) > 1
        plain = _plain(tap.name)
        rest = field.removeprefix(plain).strip("_")
        right = field.startswith(plain) and (not rest or (twice and rest.isdigit()))
        if not right and not tap.name.startswith("_"):
            match.say(4, line, f"the field `{field}` of `{result.cls.name}`", f"`{tap.name}`")


def _plain(name: str) -> str:
    """Return an output's name without the characters that no field can contain; a number follows a word."""
    plain = name.replace("-", "_").replace("/", "_")
    return f"output_{plain}" if plain[:1].isdigit() else plain
