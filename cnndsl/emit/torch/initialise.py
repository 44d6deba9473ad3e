"""The initialisation of the network's weights, if the program asks for another method than PyTorch's default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from cnndsl.emit.torch.functions import BILINEAR
from cnndsl.emit.torch.layout import CallDoc, Display, Item, Text
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.graph import Graph, Node
from cnndsl.layers.base import TorchCall

_WAYS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "kaiming": ("kaiming_normal_", ('mode="fan_out"', 'nonlinearity="relu"')),
    "kaiming_uniform": ("kaiming_uniform_", ('mode="fan_out"', 'nonlinearity="relu"')),
    "xavier": ("xavier_normal_", ()),
    "xavier_uniform": ("xavier_uniform_", ()),
    "normal": ("normal_", ("std=0.01",)),
    "trunc_normal": ("trunc_normal_", ("std=0.02",)),
    "zeros": ("zeros_", ()),
    "ones": ("ones_", ()),
    "bilinear": ("bilinear_", ()),
}
"""The function for each value of the option `init`: one of `torch.nn.init`, or of the file. Kaiming counts the outputs,
as He et al. 2015 and torchvision do; the standard deviations of the normal distributions are those of VGG (0.01) and of
torchvision (0.02)."""


FILE_FUNCTIONS: Mapping[str, str] = {"bilinear_": BILINEAR}
"""The source of the functions of the file."""


def initialisation(graph: Graph) -> tuple[PythonStatement, ...]:
    """Return the end of the network's `__init__`: nothing if every layer uses PyTorch's default initialisation."""
    by_type: dict[str, set[str]] = {}
    paths: dict[str, list[str]] = {}
    for node, call, way in _drawn(graph):
        by_type.setdefault(call.name, set()).add(way)
        if way in _WAYS:
            paths.setdefault(way, []).append(node.path)
    if not paths:
        return ()
    if all(len(ways) == 1 for ways in by_type.values()) and not _is_drawn_twice(graph, by_type):
        return _by_type({name: ways.pop() for name, ways in by_type.items()})
    return tuple(_by_path(way, names) for way, names in paths.items())


def freezing(graph: Graph) -> tuple[PythonStatement, ...]:
    """Return the statements that follow, which freeze layers. Empty if every layer is trained."""
    paths = [node.path for node in graph.layers if node.layer.is_frozen and node.weights_of < 0]
    if not paths:
        return ()
    names = Display("()", tuple(Item(Text(f'"{path}"')) for path in paths))
    freeze = Line("", CallDoc("self.get_submodule(name).requires_grad_", (Item(Text("False")),)))
    return (Suite("for name in ", names, (freeze,)),)


def _drawn(graph: Graph) -> Iterator[tuple[Node, TorchCall, str]]:
    """Yield the layers whose initialisation can vary, each with its method."""
    for node in graph.layers:
        made = node.layer.torch(*graph.shapes(node))
        if isinstance(made, TorchCall) and node.layer.INIT and node.weights_of < 0:
            yield node, made, str(getattr(node.layer, node.layer.INIT))


def _is_drawn_twice(graph: Graph, by_type: Mapping[str, set[str]]) -> bool:
    """Return whether a test for a type also holds for a derived type that is initialised in another way."""
    for _, call, way in _drawn(graph):
        base = re.match(r"\s*class \w+\(([\w.]+)\)", call.source)
        if base is not None and by_type.get(base[1], {way}) != {way}:
            return True
    return False


def _by_type(ways: Mapping[str, str]) -> tuple[PythonStatement, ...]:
    """Return statements for layers if all of one type are initialised in the same way."""
    types: dict[str, list[str]] = {}
    for name, way in ways.items():
        if way in _WAYS:
            types.setdefault(way, []).append(name)
    inner: list[PythonStatement] = []
    for way, names in types.items():
        kinds = names[0] if len(names) == 1 else f"({', '.join(names)})"
        inner.append(
            Suite(
                "if ", CallDoc("isinstance", (Item(Text("module")), Item(Text(kinds)))), (_draw(way, "module.weight"),)
            )
        )
    return (Suite("for module in ", CallDoc("self.modules"), tuple(inner)),)


def _by_path(way: str, paths: list[str]) -> PythonStatement:
    names = Display("()", tuple(Item(Text(f'"{path}.weight"')) for path in paths))
    return Suite("for name in ", names, (_draw(way, "self.get_parameter(name)"),))


def _draw(way: str, weight: str) -> Line:
    function, keywords = _WAYS[way]
    home = "" if function in FILE_FUNCTIONS else "nn.init."
    return Line("", CallDoc(f"{home}{function}", tuple(Item(Text(each)) for each in (weight, *keywords))))


def functions(graph: Graph) -> list[str]:
    """Return the source of the initialisation functions that PyTorch lacks."""
    used = {_WAYS[way][0] for _, _, way in _drawn(graph) if way in _WAYS}
    return [source.rstrip() for name, source in FILE_FUNCTIONS.items() if name in used]
