"""Compare an emitted class, made with arguments, with the one that is compiled with the same settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import lru_cache
from inspect import signature
from traceback import extract_tb
from typing import TYPE_CHECKING, Any, cast

from cnndsl.errors import CnnError
from cnndsl.graph import Graph
from cnndsl.network import Network, loads
from cnndsl.settings import values
from cnndsl.testing.oracle import (
    Failure,
    Results,
    Running,
    compared,
    emitted,
    network_class,
    quiet,
    seeded,
    shown,
    state_differences,
)
from cnndsl.values import Symbol

if TYPE_CHECKING:
    from torch import nn

NUMBER = re.compile(r"-?\d+\.?\d*(?:e[+-]?\d+)?")
NEAR = 1e-9


def constructor_differences(text: str, settings: Mapping[str, object]) -> list[str]:
    """List the differences between the emitted class with these arguments and the one compiled with these settings.

    Settings that the class does not have as arguments are ignored in both. If the compiler rejects them, the class must
    raise ValueError, or torch an error of its own, when it is made or when it runs. Raises CnnError if the program is
    invalid even without settings.
    """
    try:
        graph, make = _base(text)
        arguments = offered(make, settings)
        kept = {name: value for name, value in settings.items() if {name, f"{name}_"} & arguments.keys()}
        if not kept:
            return []
        try:
            other = loads(text, **kept)
        except CnnError as stop:
            return refusal(make, arguments, graph, stop)
        return made_differences(make, arguments, other)
    except Failure as failure:
        return [str(failure)]


@lru_cache(maxsize=4)
def _base(text: str) -> tuple[Graph, Callable[..., nn.Module]]:
    """Compile a program without settings; cached, since it is used with many settings in sequence."""
    network = loads(text)
    return network.graph, _class(network)


def _class(network: Network) -> Callable[..., nn.Module]:
    try:
        return network_class(network.source())
    except CnnError:
        raise
    except Exception as error:
        raise Failure(f"source: {shown(error)}") from error


def offered(make: Callable[..., Any], settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings that a class has arguments for, whose names may have a trailing underscore."""
    names = signature(make).parameters
    keys = {name: name if name in names else f"{name}_" for name in settings}
    given = {name: plain(value) for name, value in settings.items() if keys[name] in names}
    return {keys[name]: value for name, value in given.items() if value is not None}


def plain(value: object) -> object:
    """Return a setting as Python code would have it: a fraction as a float, a name as a text.

    None for a fraction such as a third, which is not a float: a class that is given a float cannot know which fraction
    was meant.
    """
    read = values({"it": value})["it"]
    if isinstance(read, Fraction):
        return float(read) if Fraction(str(float(read))) == read else None
    return str(read) if isinstance(read, Symbol) else read


def refusal(make: Callable[..., Any], arguments: Mapping[str, object], graph: Graph, stop: CnnError) -> list[str]:
    """Check that arguments which the compiler rejects raise ValueError or an error of torch's; list the difference if
    not."""
    import torch

    told = ", ".join(f"{name}={value}" for name, value in arguments.items())
    code = stop.diagnostics[0].code
    try:
        with quiet():
            module = make(**arguments)
            module(*(torch.rand(2, node.shape.channels, *node.shape.spatial) for node in graph.inputs))
    except Exception as error:
        frames = extract_tb(error.__traceback__)
        if isinstance(error, ValueError | RuntimeError) or "torch" in frames[-1].filename.split("/"):
            return []
        return [f"refused ({code}): raises {shown(error)} for {told}"]
    return [f"refused ({code}): is made, and runs, for {told}"]


def made_differences(make: Callable[..., nn.Module], arguments: Mapping[str, object], other: Network) -> list[str]:
    """Compare the class made with arguments with the class of the network that has these settings."""
    try:
        expected = emitted(_class(other), "the class with the settings")
    except Failure:
        return []  # `differences` reports that.
    found = emitted(lambda: make(**arguments), "made with arguments")
    if told := state_differences(other.graph, found, "made with arguments"):
        return told
    ours, theirs = leaves(found), leaves(expected)
    # A module in one and a function in the other have no weights; the run compares them.
    told = [
        f"{name or 'the network'} is {ours[name]} in place of {theirs[name]}"
        for name in ours
        if name in theirs and not alike(ours[name], theirs[name])
    ]
    return told[:3] or runs_alike(found, expected, other.graph)


def leaves(network: nn.Module) -> dict[str, str]:
    """Return the modules that contain no others, by path, without properties that may be written in several ways.

    These are whether they work in place, how padding is given, and one number that is used for each axis.
    """
    modules: dict[str, Any] = dict(cast("Any", network).named_modules())
    holders = {name.rpartition(".")[0] for name in modules if name}
    shown = {name: repr(each) for name, each in modules.items() if name not in holders}
    shown = {name: re.sub(r",? ?(?:inplace=True|padding=[^(),]+|padding=\([^)]*\))", "", shown[name]) for name in shown}
    return {name: re.sub(r"\((\d+)(?:, \1)*,?\)", r"\1", text) for name, text in shown.items()}


def alike(one: str, other: str) -> bool:
    """Compare the numbers in two texts, up to rounding; texts of different types are left to the run."""
    if NUMBER.sub("0", one) != NUMBER.sub("0", other):
        return True
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= NEAR * max(1.0, abs(float(b))) for a, b in pairs)


def runs_alike(found: nn.Module, expected: nn.Module, graph: Graph) -> list[str]:
    """Run both with the same weights, at inference and in training.

    If the compiled one does not run, or computes something other than its graph, `differences` finds it; here the two
    are only compared with each other.
    """
    state = seeded(graph)
    running = Running(graph, state)
    for training in (False, True):
        mode = "training" if training else "evaluation"
        with quiet():
            results: list[Results | str] = [_run(running, each, training) for each in (found, expected)]
        ours, theirs = results
        if isinstance(theirs, str):
            continue
        if isinstance(ours, str):
            return [f"made with arguments, {mode}: {ours}"]
        if told := compared(graph, ours, theirs):
            return [f"made with arguments, {mode}: {each}" for each in told]
    return []


def _run(running: Running, network: nn.Module, training: bool) -> Results | str:
    try:
        return running.of_module(network, training, 2)
    except Exception as error:
        return shown(error)
