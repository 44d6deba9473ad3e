"""The graph of an ONNX file with the shapes of all values; constant values are computed."""

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
"""The batch size if a file leaves it open. A prime: no other size is a multiple of it by chance."""


@record(slots=True)
class OnnxNode:
    """An operator with its inputs and outputs. Operators that `patterns` composes have lower-case names."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    name: str = ""
    scope: tuple[str, ...] = ()
    """The enclosing modules, the outermost first, and the node's own name in the exporter last."""

    def number(self, name: str, default: float) -> float:
        """Return a numeric attribute, rounded to float32 precision."""
        return decimal(self.attributes.get(name, default))

    def whole(self, name: str, default: int) -> int:
        """Return an integer attribute."""
        return int(self.attributes.get(name, default))

    def several(self, name: str) -> tuple[int, ...]:
        """Return an attribute that is a list of integers; empty if it is missing."""
        return tuple([int(each) for each in self.attributes.get(name, ())])

    def word(self, name: str, default: str) -> str:
        """Return a string attribute."""
        return str(self.attributes.get(name, default))

    def reads(self, at: int) -> str:
        """Return the name of an input; empty if it is omitted."""
        return self.inputs[at] if at < len(self.inputs) else ""


@record(slots=True)
class OnnxConstant:
    """A tensor of the file, or one computed from such tensors.

    `root` is the initialiser that it is, possibly transposed or reshaped; empty if it is not one: it is no parameter.
    `values` is None for large tensors.
    """

    dims: tuple[int, ...]
    values: NDArray[Any] | None
    root: str = ""

    @property
    def numel(self) -> int:
        """Return the number of values."""
        return prod(self.dims)

    def only(self) -> float | None:
        """Return its value if all elements are equal and numeric; else None."""
        if self.values is None or not self.values.size or self.values.dtype.kind not in "biuf":
            return None
        first = self.values.reshape(-1)[0]
        return decimal(first) if bool((self.values == first).all()) else None

    def integers(self) -> tuple[int, ...] | None:
        """Return its values as integers; None if they are not available."""
        return None if self.values is None else tuple([int(each) for each in self.values.reshape(-1)])


@record
class OnnxModel:
    """The non-constant nodes that the outputs depend on, and the shapes of values by name."""

    nodes: tuple[OnnxNode, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    names: tuple[str, ...]
    """The names of the outputs."""
    dims: Mapping[str, tuple[int, ...]]
    constants: Mapping[str, OnnxConstant]
    opset: int

    @cached_property
    def givers(self) -> Mapping[str, OnnxNode]:
        """Return the node that produces each value."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    @cached_property
    def readers(self) -> Mapping[str, Sequence[OnnxNode]]:
        """Return the nodes that read each value."""
        found: dict[str, list[OnnxNode]] = {}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                found.setdefault(name, []).append(node)
        return found

    def read_by(self, name: str) -> OnnxNode | None:
        """Return the only node that reads a value; None if there are others, or if it is an output."""
        several = self.readers.get(name, ())
        return several[0] if len(several) == 1 and name not in self.outputs else None

    def made_by(self, name: str, *ops: str) -> OnnxNode | None:
        """Return the node that produces a value with a single reader, if its operator is one of these."""
        node = self.givers.get(name)
        return node if node is not None and node.op in ops and self.read_by(name) is not None else None

    def scalar(self, name: str) -> float | None:
        """Return the value of a constant with a single number."""
        constant = self.constants.get(name)
        return constant.only() if constant is not None and constant.numel == 1 else None

    def live(self) -> OnnxModel:
        """Return the model without nodes that no output depends on."""
        needed = set(self.outputs)
        kept: list[OnnxNode] = []
        for node in reversed(self.nodes):
            if not needed.isdisjoint(node.outputs):
                kept.append(node)
                needed.update(node.inputs)
        return replace(self, nodes=tuple(reversed(kept)))


def decimal(value: Any) -> float:
    """Return a float32 as the decimal number that it was written as, to seven digits.

    >>> decimal(0.10000000149011612), decimal(9.999999747378752e-06), decimal(0.5)
    (0.1, 1e-05, 0.5)
    """
    return float(f"{float(value):.7g}")
