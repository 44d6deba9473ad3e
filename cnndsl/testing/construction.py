"""Holds an emitted class, made with arguments, against the one that is compiled with the same settings."""

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
    """Lists how the emitted class with these arguments differs from the one compiled with these settings.

    Settings that the class does not offer are left aside in both. Where the compiler refuses them the class must
    raise ValueError, or torch an error of its own, when it is made or when it runs. Raises CnnError where the text
    alone is no program.
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
    """Compiles a program without settings; it is asked for with one after the other."""
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
    """Picks the settings that a class has arguments for, whose names may have a trailing underscore."""
    names = signature(make).parameters
    keys = {name: name if name in names else f"{name}_" for name in settings}
    given = {name: plain(value) for name, value in settings.items() if keys[name] in names}
    return {keys[name]: value for name, value in given.items() if value is not None}


def plain(value: object) -> object:
    """Gives a setting as Python code would: a fraction is a float there, a name a text.

    None for a fraction such as a third, which is no float: a class that is given a float cannot know what was meant.
    """
    read = values({"it": value})["it"]
    if isinstance(read, Fraction):
        return float(read) if Fraction(str(float(read))) == read else None
    return str(read) if isinstance(read, Symbol) else read


def refusal(make: Callable[..., Any], arguments: Mapping[str, object], graph: Graph, stop: CnnError) -> list[str]:
    """Wants a ValueError or an error of torch's for arguments that the compiler refuses."""
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
    """Compares the class made with arguments with the class of the network that has these settings."""
    try:
        expected = emitted(_class(other), "the class with the settings")
    except Failure:
        return []  # That is for `differences` to say.
    found = emitted(lambda: make(**arguments), "made with arguments")
    if told := state_differences(other.graph, found, "made with arguments"):
        return told
    ours, theirs = leaves(found), leaves(expected)
    # What is a module here and a function there has no weights; the run compares it.
    told = [
        f"{name or 'the network'} is {ours[name]} in place of {theirs[name]}"
        for name in ours
        if name in theirs and not alike(ours[name], theirs[name])
    ]
    return told[:3] or runs_alike(found, expected, other.graph)


def leaves(network: nn.Module) -> dict[str, str]:
    """Shows the modules that hold no others, by path, without what may be written in several ways.

    That is whether they write in place, how padding is said, and one number that stands for each axis.
    """
    modules: dict[str, Any] = dict(cast("Any", network).named_modules())
    holders = {name.rpartition(".")[0] for name in modules if name}
    shown = {name: repr(each) for name, each in modules.items() if name not in holders}
    shown = {name: re.sub(r",? ?(?:inplace=True|padding=[^(),]+|padding=\([^)]*\))", "", shown[name]) for name in shown}
    return {name: re.sub(r"\((\d+)(?:, \1)*,?\)", r"\1", text) for name, text in shown.items()}


def alike(one: str, other: str) -> bool:
    """Compares the numbers in two texts, up to rounding; what is not of one kind is left to the run."""
    if NUMBER.sub("0", one) != NUMBER.sub("0", other):
        return True
    pairs = zip(NUMBER.findall(one), NUMBER.findall(other), strict=True)
    return all(abs(float(a) - float(b)) <= NEAR * max(1.0, abs(float(b))) for a, b in pairs)


def runs_alike(found: nn.Module, expected: nn.Module, graph: Graph) -> list[str]:
    """Runs both with the same weights, in evaluation and in training.

    Where the compiled one does not run, or in place of what its graph says computes something else, `differences`
    finds it; here only the two are held against each other.
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
