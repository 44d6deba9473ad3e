"""Shared state of the functions that convert ONNX operators: the current operator, its inputs, and the new graph."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.graph import Node
from cnndsl.importers.flat import FlatGraph
from cnndsl.importers.onnx_models.folding import described
from cnndsl.importers.onnx_models.model import OnnxConstant, OnnxModel, OnnxNode
from cnndsl.importers.onnx_models.settling import step, wanted
from cnndsl.importers.onnx_models.views import OnnxView, plainly
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape

_MADE_UP = re.compile(
    r"(onnx::|/|val_\d|(unsqueeze|view|reshape|expand|scalar|squeeze|clone)(_|$)).*|.*_cast|(.*\.)?running_.*"
)
"""Names that an exporter gives to tensors that it computed."""

_LITERAL = re.compile(r"|val_\d+|(.*\.)?running_(mean|var)")
"""Names of constants, which PyTorch's exporter may have merged with equal statistics; those of nodes have none."""


class OnnxGraph(FlatGraph):
    """A flat graph whose locations are operators: messages contain names instead of lines."""

    def __init__(self, name: str, nodes: Sequence[OnnxNode]) -> None:
        lines = ["the inputs", *(" ".join(described(node).split()) for node in nodes)]
        super().__init__(Source(name, "\n".join(lines)))
        self.places = [*accumulate(len(line) + 1 for line in lines)]
        """The offset of each operator in the list that replaces the source text."""

    def node(self, at: int) -> Node:
        """Return a node by its number."""
        return self._nodes[at]

    def error(self, message: str, place: int, help: str = "", code: str = "E0505") -> CnnError:
        """Return the error for an operator."""
        line = self.source.line(self.source.position(place)[0])
        return CnnError(Diagnostic(code, f"{self.source.name}: {line}: {message}", help=help))


class OnnxMaker:
    """Builds the layers of a model; `node` is the current operator."""

    def __init__(self, name: str, model: OnnxModel) -> None:
        self.model = model
        self.made = OnnxGraph(name, model.nodes)
        self.views: dict[str, OnnxView] = {}
        self.params = 0
        self.notes: dict[str, None] = {}
        self.node = model.nodes[0]
        self.place = 0
        self.pools: dict[str, int] = {}
        """The node of each pooling, by the name of its indices output."""
        self._owners: dict[str, OnnxNode] = {}
        self._prefix = ""
        self._repeats = 0
        self._settled: dict[tuple[int, Layer], int] = {}
        """Layers that correspond to nothing in the file, by their input: all readers of a value share them."""

    def begin(self, at: int) -> None:
        """Start a new operator, given by its number."""
        self.node, self.place, self._prefix = self.model.nodes[at], self.made.places[at], ""

    def wrong(self, message: str, help: str = "") -> CnnError:
        """Return the error for the current operator."""
        return self.made.error(message, self.place, help)

    def note(self, text: str) -> None:
        """Record a remark for readers of the program, once."""
        self.notes[text] = None

    # Inputs

    def view(self, at: int = 0) -> OnnxView:
        """Return an input as the file lays it out. Raises CnnError for a constant."""
        name = self.node.reads(at)
        if name not in self.views:
            raise self.wrong(f"`{name}` is a constant, and has no counterpart here")
        return self.views[name]

    def plain(self, at: int = 0) -> int:
        """Return the node of an input in PyTorch's axis order."""
        return self.settled(self.view(at))

    def settled(self, view: OnnxView) -> int:
        """Return a node that outputs a view directly. Raises CnnError if no layers can produce it."""
        target = wanted(view)
        for _ in range(4):
            shape = self.made.shape(view.node)
            if shape == target and view == plainly(view.node, shape):
                return view.node
            found = step(view, shape)
            if found is None:
                break
            layer, rest = found
            view = rest.over(self._arranged(layer, view.node))
        raise self.wrong(f"values in this order, as {view.dims}, have no counterpart")

    def _arranged(self, layer: Layer, node: int) -> int:
        known = self._settled.get((node, layer))
        if known is None:
            known = self._settled[node, layer] = self.add(layer, node)
        return known

    def whole(self, at: int = 0) -> OnnxView:
        """Return an input as a view of whole axes."""
        view = self.view(at)
        return view if view.is_whole else self.plainly(self.settled(view))

    def plainly(self, node: int) -> OnnxView:
        """Return a node's output in PyTorch's axis order."""
        return plainly(node, self.made.shape(node))

    def led(self, view: OnnxView, axis: int) -> OnnxView:
        """Return a view in which an axis of the file, counted without the batch, is the channel axis."""
        if view.is_whole and (view.axis(axis) == 0 or (view.dims[axis] == self.made.shape(view.node).channels == 1)):
            return view
        return self.first(view, axis)

    def first(self, view: OnnxView, axis: int) -> OnnxView:
        """Return a view of a node whose channels are one axis, followed by the other axes in the file's order."""
        order = [axis, *(at for at in range(len(view.groups)) if at != axis)]
        moved = self.plainly(self.settled(view.permuted(order)))
        return moved.permuted([order.index(at) for at in range(len(order))])

    def axis_of(self, view: OnnxView, at: int) -> int | None:
        """Return the node's axis for an axis of the file (0 is the channels), even if it has size 1."""
        return at if view == self.plainly(view.node) else view.axis(at)

    def axis(self, default: int, at: int = 0) -> int:
        """Return the operator's axis, counted without the batch. Raises CnnError for the batch axis."""
        rank = 1 + len(self.view(at).groups)
        axis = self.node.whole("axis", default)
        if not -rank <= axis < rank or axis % rank == 0:
            raise self.wrong(f"axis {axis} has no counterpart")
        return axis % rank - 1

    def constant(self, at: int) -> OnnxConstant | None:
        """Return a constant input; None if the input is not constant or is missing."""
        return self.model.constants.get(self.node.reads(at))

    def integers(self, at: int, what: str) -> tuple[int, ...]:
        """Return integers from an input. Raises CnnError if they depend on values."""
        constant = self.constant(at)
        found = constant.integers() if constant is not None else None
        if found is None:
            raise self.wrong(f"its {what} is not a constant")
        return found

    def weight(self, at: int, what: str = "weight") -> OnnxConstant:
        """Return a tensor of the file as the layer's own, and count its parameters.

        Raises CnnError if it is computed, or shared with another layer.
        """
        constant = self.constant(at)
        if constant is None or not constant.root:
            raise self.wrong(f"its {what} `{self.node.reads(at)}` is not a tensor of the file")
        owner = self._owners.setdefault(constant.root, self.node)
        if owner is not self.node and constant.only() is None:
            raise self.wrong(f"`{constant.root}` is a tensor of {described(owner)}, too: sharing is not read yet")
        self.params += constant.numel
        path, point, _ = constant.root.rpartition(".")
        if point and not self._prefix and not is_made_up(constant.root):
            self._prefix = path
        return constant

    # Outputs

    def add(self, layer: Layer, *inputs: int) -> int:
        """Add a layer to the graph and return its node."""
        return self.made.add(layer, inputs, self.place, self._prefix or ".".join(self.node.scope[-2:]))

    def shape(self, node: int) -> Shape:
        """Return the shape of a node."""
        return self.made.shape(node)

    def give(self, found: OnnxView | int, at: int = 0) -> None:
        """Set an output of the operator."""
        self.views[self.node.outputs[at]] = self.plainly(found) if isinstance(found, int) else found

    def same(self, layer: Layer) -> None:
        """Set the output to an elementwise function of the input; a vector may stay a map until something reads it."""
        view = self.view()
        if not view.is_whole and view.atoms != self.plainly(view.node).atoms:
            view = self.plainly(self.settled(view))
        self.give(view.over(self.add(layer, view.node)))

    def repeat(self) -> int:
        """Return a new number for a factor by which values are repeated."""
        self._repeats += 1
        return self._repeats

    def is_one_of(self, at: int, value: float) -> bool:
        """Return whether a tensor is a constant of this value and not a parameter: its name marks it as a literal."""
        constant = self.constant(at)
        return constant is not None and constant.only() == value and _LITERAL.fullmatch(constant.root) is not None


def is_made_up(name: str) -> bool:
    """Return whether an exporter made up a tensor's name.

    >>> is_made_up("onnx::Conv_484"), is_made_up("val_12"), is_made_up("layer1.0.conv1.weight")
    (True, True, False)
    """
    return _MADE_UP.fullmatch(name) is not None


def is_named(name: str) -> bool:
    """Return whether a tensor has a name of its own, which makes it a parameter."""
    return bool(name) and not is_made_up(name)
