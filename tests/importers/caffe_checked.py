"""An imported network beside the second reading of its file: the same weights, the same random input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

import cnndsl
from cnndsl.errors import Source
from cnndsl.graph import Graph
from cnndsl.importers.caffe import read
from cnndsl.importers.flat import Imported
from cnndsl.importers.raising import raised
from tests.importers.caffe_oracle import fields, run


def counterparts(imported: Graph, written: Graph) -> dict[int, int]:
    """The nodes of a graph by those of another that gives the same: from the outputs down, sums in any order."""
    digests: list[dict[int, Any]] = []
    for graph in (imported, written):
        digest: dict[int, Any] = {}
        for node in graph:
            inputs = [digest[each] for each in node.inputs]
            inputs = sorted(inputs) if node.layer.SIGN == "+" else inputs
            digest[node.index] = hash((repr(node.layer), node.shape, tuple(inputs)))
        digests.append(digest)
    found: dict[int, int] = {}
    todo = list(zip(imported.main_outputs, written.main_outputs, strict=True))
    for ours, theirs in todo:
        assert digests[0][ours] == digests[1][theirs], imported.nodes[ours]
        found[ours] = theirs
        sides = [list(graph.nodes[at].inputs) for graph, at in ((imported, ours), (written, theirs))]
        if imported.nodes[ours].layer.SIGN == "+":
            sides = [sorted(side, key=digest.__getitem__) for side, digest in zip(sides, digests, strict=True)]
        todo += [each for each in zip(*sides, strict=True) if each[0] not in found]
    return found


def load(module: Any, imported: Graph, written: Graph, weights: list[dict[str, Tensor | None]]) -> None:
    """Give a module the tensors of the second reading; a `Scale` behind a normalisation is part of it."""
    places, rest = counterparts(imported, written), iter(weights)
    state = module.state_dict()
    for node in imported:
        names = [each.name for each in imported.tensors(node) if each.name != "num_batches_tracked"]
        tensors: dict[str, Any] = {}
        while not {*names} <= {name for name, each in tensors.items() if each is not None}:
            tensors |= next(rest)
        for name in names:
            target = state[f"{written.nodes[places[node.index]].path}.{name}"]
            assert target.shape == tensors[name].shape, node
            target.copy_(tensors[name])
    assert next(rest, None) is None


def checked(text: str, *, names: dict[str, str] | None = None, dtype: torch.dtype = torch.float64) -> Imported:
    """The network of a file; what the program made of it gives is what the second reading gives.

    Args:
        text: A file whose first blobs are its inputs.
        names: The outputs that are compared by the blobs that are called otherwise in the file.
    """
    found = read(Source("net.prototxt", text))
    network = cnndsl.loads(raised(found.graph))
    module = network.module().to(dtype).eval()
    generator = torch.Generator().manual_seed(0)
    shapes = {each.index: (2, each.shape.channels, *each.shape.spatial) for each in found.graph.inputs}
    inputs = [torch.randn(shape, generator=generator, dtype=dtype) for shape in shapes.values()]
    entering = dict(zip(input_blobs(text), inputs, strict=True))
    blobs, weights = run(text, entering, lambda *shape: torch.randn(shape, generator=generator, dtype=dtype))
    load(module, found.graph, network.graph, weights)
    with torch.no_grad():
        given = module(*inputs)
    given = {"": given} if isinstance(given, Tensor) else given._asdict()
    assert found.params == sum(each.numel for each in parameters(found.graph))
    assert given
    for name, value in given.items():
        blob = blobs[(names or {}).get(name, name)] if name else list(blobs.values())[-1]
        assert value.shape == blob.shape
        most = (1e-9 if dtype == torch.float64 else 1e-5) * blob.abs().max()
        assert (value - blob).abs().max() <= most, name
    return found


def input_blobs(text: str) -> list[str]:
    """What a file calls its inputs."""
    whole = fields(text)
    layers = [*whole.get("layer", []), *whole.get("layers", [])]
    data = [
        each["top"][0] for each in layers if each["type"][0] in ("Input", "Data", "DATA", "DummyData", "MemoryData")
    ]
    return list(dict.fromkeys([*whole.get("input", []), *data]))


def parameters(graph: Graph) -> Iterator[Any]:
    for node in graph:
        yield from (each for each in graph.tensors(node) if each.role != "buffer")
