"""Compare a weight file with a network: missing entries, unexpected entries, and entries of another shape.

Files are read as data: a `.safetensors` file by its header, a `.pth` file with torch's `weights_only`, which runs no
code from the file. Values are not checked.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Literal, cast

from cnndsl.files import FileError, check_new, is_file, write
from cnndsl.graph import Graph
from cnndsl.records import record

_LARGEST_HEADER = 100 * 2**20
"""The same limit as in the format's own readers."""
if TYPE_CHECKING:
    from torch import nn

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")
"""The suffixes of weight files."""

_COUNTER = ".num_batches_tracked"
"""`load_state_dict` fills in batch norm counters, which old and frozen checkpoints lack."""

TensorSize = tuple[int, ...]


@record(slots=True)
class WeightDifference:
    """An entry of a file that differs from the network's. `layer` is the path of the layer."""

    kind: Literal["missing", "unexpected", "misshaped"]
    entry: str
    layer: str
    expected: TensorSize | None
    found: TensorSize | None

    def __str__(self) -> str:
        if self.kind == "missing":
            return f"missing     {self.entry} {_shown(self.expected)}"
        if self.kind == "unexpected":
            return f"unexpected  {self.entry} {_shown(self.found)}"
        return f"misshaped   {self.entry} is {_shown(self.found)}, but the network has {_shown(self.expected)}"


def _shown(extents: TensorSize | None) -> str:
    return f"[{'x'.join(map(str, extents or ()))}]"


def expected(graph: Graph) -> dict[str, TensorSize]:
    """Return the entries of the network's `state_dict` with their shapes, in its order.

    >>> from cnndsl import loads
    >>> expected(loads("INPUT 8x8x3 -> stem: CONV3-4 -> GAP -> FC-2").graph)
    {'stem.weight': (4, 3, 3, 3), 'stem.bias': (4,), 'fc.weight': (2, 4), 'fc.bias': (2,)}
    """
    tensors = ((node, tensor) for node in graph.layers for tensor in graph.tensors(node))
    return {tensor.entry(node.path): tensor.shape for node, tensor in tensors if tensor.persistent}


def read(path: str) -> dict[str, TensorSize]:
    """Return the entries of a weight file with their shapes.

    Raises FileError if the file cannot be read, or holds anything other than named tensors.
    """
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise FileError(f"cannot read {path}: weights are in files {', '.join(SUFFIXES)}")
    if not is_file(path):
        raise FileError(f"cannot read {path}: there is no such file")
    return _safetensors(path) if suffix == ".safetensors" else _torch(path)


def summary(path: str) -> str:
    """Summarise a weight file: the number of tensors, and the first and the last.

    Raises FileError if the file cannot be read.
    """
    found = read(path)
    (first, last) = (f"{name} {_shown(found[name])}" for name in (next(iter(found)), next(reversed(found))))
    params = sum(prod(extents) for extents in found.values())
    return f"{len(found):,} tensors of {params:,} numbers, from {first} to {last}"


def save(module: nn.Module, path: str, *, force: bool = False) -> None:
    """Write the `state_dict` of a module as a .safetensors file.

    Raises FileError if it cannot be written, or if the name has another suffix.
    """
    from safetensors.torch import save as packed

    check_saved(path, force=force)
    write(
        path,
        packed({name: each.detach().cpu().contiguous().clone() for name, each in module.state_dict().items()}),
        force=force,
    )


def check_saved(path: str, *, force: bool = False) -> None:
    """Raise FileError if weights cannot be saved to this file."""
    if Path(path).suffix != ".safetensors":
        raise FileError(f"cannot write {path}: weights are saved as a .safetensors file")
    check_new(path, force=force)


def compare(graph: Graph, found: Mapping[str, TensorSize]) -> list[WeightDifference]:
    """Return every entry that differs, in the order of the network, with unexpected entries at the end.

    A missing batch counter is not a difference: `load_state_dict(strict=True)` accepts such files.
    """
    return list(_differences(expected(graph), found))


def _differences(wanted: Mapping[str, TensorSize], found: Mapping[str, TensorSize]) -> Iterator[WeightDifference]:
    for entry, extents in wanted.items():
        layer = entry.rpartition(".")[0]
        if entry not in found and entry.endswith(_COUNTER):
            continue
        if entry not in found:
            yield WeightDifference("missing", entry, layer, extents, None)
        elif found[entry] != extents:
            yield WeightDifference("misshaped", entry, layer, extents, found[entry])
    for entry, extents in found.items():
        if entry not in wanted:
            yield WeightDifference("unexpected", entry, entry.rpartition(".")[0], None, extents)


def hint(differences: Sequence[WeightDifference]) -> str:
    """Return the suggested fix if there is an obvious one; else empty."""
    missing = {each.entry for each in differences if each.kind == "missing"}
    unexpected = {each.entry for each in differences if each.kind == "unexpected"}
    for prefix in ("module.", "model.", "_orig_mod."):
        if missing and missing <= {each.removeprefix(prefix) for each in unexpected if each.startswith(prefix)}:
            return f"the entries begin with `{prefix}`: remove this prefix before loading them"
    kinds = {each.kind for each in differences}
    layers = {each.layer for each in differences}
    only = all(each.expected and each.found and each.expected[1:] == each.found[1:] for each in differences)
    if kinds == {"misshaped"} and len(layers) == 1 and only:
        return f"only `{layers.pop()}` differs: set the network's number of classes to that of the weights"
    return ""


def _safetensors(path: str) -> dict[str, TensorSize]:
    """Return the header of a safetensors file: its length in 8 bytes, little-endian, then JSON."""
    try:
        with Path(path).open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LARGEST_HEADER:
                raise ValueError
            header = json.loads(stream.read(length))
        entries = cast("dict[str, dict[str, Any]]", header)
        return {
            name: tuple(int(extent) for extent in entry["shape"])
            for name, entry in entries.items()
            if name != "__metadata__"
        }
    except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise FileError(f"cannot read {path}: it is not a safetensors file") from None


def _why_not(path: str, stop: Exception) -> str:
    """Return why torch cannot read a file; torch's own messages run for pages, with terminal escapes."""
    data = Path(path)
    if is_file(path) and data.stat().st_size == 0:
        return "it is empty"
    if isinstance(stop, UnpicklingError) and "Unsupported global" in str(stop):
        return "it holds Python objects, such as a whole module; save its weights: torch.save(model.state_dict(), …)"
    return "it is damaged, or torch.save did not write it"


def _torch(path: str) -> dict[str, TensorSize]:
    import torch

    try:
        loaded: object = torch.load(path, map_location="meta", weights_only=True)
    except Exception as stop:
        raise FileError(f"cannot read {path}: {_why_not(path, stop)}") from None
    entries = cast("dict[object, object]", loaded) if isinstance(loaded, dict) else {}
    inner = entries.get("state_dict")
    if isinstance(inner, dict):
        entries = cast("dict[object, object]", inner)
    tensors = {str(name): tuple(value.shape) for name, value in entries.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise FileError(f"cannot read {path}: it holds no tensors by name; {_saved_as(entries, path)}")
    return tensors


def _saved_as(entries: Mapping[object, object], path: str) -> str:
    """Return how to save only the weights that a file of another form may hold."""
    import torch

    for name, inner in entries.items():
        if isinstance(inner, dict) and any(isinstance(each, torch.Tensor) for each in cast("Any", inner).values()):
            return (
                f"its entry {name!r} does: torch.save(torch.load({path!r})[{name!r}], 'weights.pth') saves that alone"
            )
    return "torch.save(model.state_dict(), 'weights.pth') saves weights"
