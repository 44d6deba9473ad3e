"""An ONNX file's graph with the extents of all values, and what is constant in it computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from cnndsl.records import record

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH = 7919
"""The number of images where a file leaves it open. A prime: no extent is a multiple of it by chance."""


@record(slots=True)
class OnnxNode:
    """An operator with what it reads and gives. Those that `patterns` makes of several have names in small letters."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    name: str = ""
    scope: tuple[str, ...] = ()
    """The modules around it, the outermost first, and what the exporter called it last."""

    def number(self, name: str, default: float) -> float:
        """Return an attribute that is a number, rounded to what a float32 says."""
        return decimal(self.attributes.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """Return an attribute that is an integer."""
        return int(self.attributes.get(name, default))

    def several(self, name: str) -> tuple[int, ...]:
        """Return an attribute that lists integers; nothing where it is not given."""
        return tuple([int(each) for each in self.attributes.get(name, ())])

    def word(self, name: str, default: str) -> str:
        """Return an attribute that is a word."""
        return str(self.attributes.get(name, default))

    def reads(self, at: int) -> str:
        """Return the name of an input; nothing where it is left out."""
        return self.inputs[at] if at < len(self.inputs) else ""


@record(slots=True)
class OnnxConstant:
    """A tensor of the file, or what is computed of such.

    `root` is the initialiser that it is, however turned; nothing where it is none: then it is no parameter. `values`
    are left out of large ones.
    """

    dims: tuple[int, ...]
    values: NDArray[Any] | None
    root: str = ""

    @property
    def numel(self) -> int:
        """How many values it has."""
        return prod(self.dims)

    def only(self) -> float | None:
        """Return its value where all are equal, and a number."""
        if self.values is None or not self.values.size or self.values.dtype.kind not in "biuf":
            return None
        first = self.values.reshape(-1)[0]
        return decimal(first) if bool((self.values == first).all()) else None

    def integers(self) -> tuple[int, ...] | None:
        """Return its values as integers; None where they are not at hand."""
        return None if self.values is None else tuple([int(each) for each in self.values.reshape(-1)])


@record
class OnnxModel:
    """The nodes that the outputs depend on and that are not constant, with the extents of values by their names."""

    nodes: tuple[OnnxNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    """What the outputs are called."""
    dims: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, OnnxConstant]
    opset: int

    @cached_property
    def givers(self) -> Mapping[str, OnnxNode]:
        """The node that gives a value."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    @cached_property
    def readers(self) -> Mapping[str, Sequence[OnnxNode]]:
        """The nodes that read a value."""
        found: dict[str, list[OnnxNode]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    def read_by(self, name: str) -> OnnxNode | None:
        """Return the node that alone reads a value; None where others do, or where it is an output."""
        several = self.readers.get(name, ())
        return several[0] if len(several) == 1 and name not in self.outputs else None

    def made_by(self, name: str, *ops: str) -> OnnxNode | None:
        """Return the node that gives a value which only one other reads, if its operator is one of these."""
        node = self.givers.get(name)
        return node if node is not None and node.op in ops and self.read_by(name) is not None else None

    def scalar(self, name: str) -> float | None:
        """Return the value of a constant that is one number."""
        constant = self.constants.get(name)
        return constant.only() if constant is not None and constant.numel == 1 else None

    def live(self) -> OnnxModel:
        """Return the model without what no output depends on."""
        needed = set(self.outputs)
        kept: list[OnnxNode] = []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        return replace(self, nodes=tuple(reversed(kept)))


def decimal(value: Any) -> float:
    """Return a number as it was written before it became a float32.

    >>> decimal(0.10000000149011612), decimal(9.999999747378752e-06), decimal(0.5)
    (0.1, 1e-05, 0.5)
    """
    return float(f"{float(value):.7g}")
