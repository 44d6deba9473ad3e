"""The values that the graph requires: one for each layer, with the computation that yields it.

Values are numbers. A layer's value is its index, unless an earlier layer computes the same (two RELUs on one input).
Higher numbers are intermediate values, such as the sum of the first two operands of three. A source is correct if it
computes these values, in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.graphs import place_of
from cnndsl.emit.torch.verify.initial import untrained
from cnndsl.emit.torch.verify.layers import CAN_BE_FROZEN, LAYERS, ExpectedLayer
from cnndsl.emit.torch.verify.leaves import Forms, has_state
from cnndsl.graph import Graph, Node
from cnndsl.shape import Shape

StepKey: TypeAlias = tuple[object, ...]

FLATTEN, EXPAND, CAT, RESIZED = "flatten", "expand", "cat", "resized"


class Foreign(Protocol):
    """Returns the form of a layer whose type comes from a plug-in."""

    def __call__(self, node: Node, inputs: tuple[Shape, ...], /) -> tuple[Form, bool]: ...


class Expected:
    """The values of a graph. `signs` and `operands` say for each layer with one input its form and what it reads.
    `applied` are the further applications of modules with weights, by path and the value that they read, `order` all
    applications of those whose statistics depend on it."""

    __slots__ = (
        "_cache",
        "_fixed",
        "_flat",
        "_foreign",
        "_forms",
        "_loose",
        "applied",
        "graph",
        "keys",
        "operands",
        "order",
        "paths",
        "random",
        "rows",
        "shapes",
        "signs",
        "skipped",
        "stateful",
        "switches",
        "values",
        "wanted",
    )

    def __init__(self, graph: Graph, forms: Forms, foreign: Foreign, loose: bool) -> None:
        count = len(graph.nodes)
        self.graph, self._forms, self._foreign, self._loose = graph, forms, foreign, loose
        self.values: list[int] = list(range(count))
        self.signs: list[int] = [-1] * count
        self.operands: list[int] = [-1] * count
        self.switches: dict[int, int] = {}
        self.keys: dict[StepKey, int] = {}
        self.random: dict[StepKey, list[int]] = {}
        self.shapes: list[Shape] = [node.shape for node in graph.nodes]
        self.wanted: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.paths: dict[str, int] = {}
        self.applied: dict[tuple[str, int], int] = {}
        self.order: dict[str, list[int]] = {}
        self.stateful: list[bool] = [False] * count
        self.skipped: list[bool] = [False] * count
        self.rows: dict[int, list[int]] = {}
        self._flat: dict[int, int] = {}
        self._fixed: list[bool] = [False] * count
        self._cache: dict[object, tuple[int, bool, bool]] = {}
        for node in graph.layers:
            self._add(node)

    def _add(self, node: Node) -> None:
        kind = node.layer.kind()
        merge = _MERGES.get(kind)
        if merge is not None:
            merge(self, node)
            return
        if kind in ("FLATTEN", "RESHAPE") and self._is_flattened(node, kind):
            value = self.values[node.inputs[0]]
            self.values[node.index] = self.flat(value)
            self.skipped[node.index] = True
            return
        self._layer(node, kind)

    def _is_flattened(self, node: Node, kind: str) -> bool:
        """Return whether a layer flattens a map as PyTorch does. A vector already is flat."""
        layer = ExpectedLayer(node, [self.shapes[node.inputs[0]]])
        return not node.shape.rank if kind == "RESHAPE" else layer.word("channels") == "first" or not layer.rank

    def _layer(self, node: Node, kind: str) -> None:
        at = node.index
        shapes = self.shapes
        inputs = tuple([shapes[each] for each in node.inputs])
        key = (node.layer, inputs, node.shape)
        known = self._cache.get(key)
        if known is None:
            known = self._cache[key] = self._form(node, kind, inputs)
        sign, stateful, flat = known
        operand = self.values[node.inputs[0]]
        if flat:
            operand = self.flat(operand)
        self.signs[at], self.operands[at], self.stateful[at] = sign, operand, stateful
        self.rows.setdefault(operand, []).append(at)
        fixed = self._fixed
        fixed[at] = fixed[node.inputs[0]]
        if stateful and node.weights_of >= 0:
            self._again(node, operand)
        elif stateful:
            self.paths[node.path] = at
            self._want(at, node)
        elif kind in ("DROPOUT", "DROPPATH"):
            self.random.setdefault((sign, operand), []).append(at)
            self._want(at, node)
        elif kind == "UNPOOL":
            self.switches[at] = self.values[node.inputs[1]]
            self._place(node, ("unpool", sign, operand, self.switches[at]))
        elif node.layer.extents_of:
            self._fixed[at] = self._fixed[node.inputs[1]]
            self._place(node, (RESIZED, sign, operand, self.values[node.inputs[1]]))
        elif kind in _SIZED and self._is_left_out(node, kind, operand):
            return
        else:
            self._place(node, (sign, operand))
        if kind in ("LOCAL", "LN"):
            fixed[at] = True

    def _again(self, node: Node, operand: int) -> None:
        """Add another application of a module; on the same value as before it yields the same value."""
        first = node.weights_of
        path = self.graph.nodes[first].path
        value = first if self.operands[first] == operand else self.applied.setdefault((path, operand), node.index)
        if self._forms.known[self.signs[first]][0] == "bn":
            self.order.setdefault(path, [first]).append(value)
        self.values[node.index] = value
        self._want(value, node)

    def _is_left_out(self, node: Node, kind: str, operand: int) -> bool:
        """Return whether an adaptive pooling always returns its input, so that it can be omitted."""
        form = self._forms.known[self.signs[node.index]]
        adaptive = form[0] in ("aavg", "amax") or (form[0] == "upsample" and form[1] is not None)
        same = node.shape.spatial == self.shapes[operand].spatial
        left_out = form[0] in ("aavg", "amax") and same and (self._loose or self._fixed[node.inputs[0]])
        if adaptive:
            self._fixed[node.index] = True
        if left_out:
            self.values[node.index] = operand
            self.skipped[node.index] = True
            self.keys.setdefault((self.signs[node.index], operand), operand)
        return left_out

    def _form(self, node: Node, kind: str, inputs: tuple[Shape, ...]) -> tuple[int, bool, bool]:
        rule = LAYERS.get(kind)
        if rule is None:
            form, flat = self._foreign(node, inputs)
        else:
            layer = ExpectedLayer(node, inputs)
            form = rule(layer)
            flat = form[0] in ("linear", "rbf")
            if kind in CAN_BE_FROZEN and layer.flag("frozen"):
                form = untrained(form)
        return self._forms.number(form), has_state(form), flat

    def _want(self, value: int, node: Node) -> None:
        training = self.wanted[1]
        training[value] = training.get(value, 0) + 1
        if not node.training_only:
            always = self.wanted[0]
            always[value] = always.get(value, 0) + 1

    def _place(self, node: Node, key: StepKey) -> None:
        """Assign a node its value: that of an earlier node that computes the same, or its own."""
        value = self.keys.setdefault(key, node.index)
        self.values[node.index] = value
        self._want(value, node)

    def between(self, key: StepKey, shape: Shape) -> int:
        """Return the value of an intermediate computation that is not a layer."""
        value = self.keys.get(key)
        if value is None:
            value = self.keys[key] = len(self.shapes)
            self.shapes.append(shape)
        return value

    def flat(self, value: int) -> int:
        """Return a value flattened to a vector; vectors are unchanged."""
        shape = self.shapes[value]
        if not shape.spatial:
            return value
        made = self.between((FLATTEN, value), Shape(shape.numel))
        self._flat[made] = value
        return made

    def unflattened(self, value: int) -> int | None:
        """Return the map whose flattening a value is; None for other values."""
        return self._flat.get(value)

    def expand(self, value: int, axes: int) -> int:
        """Return a vector with this many trailing axes of size one."""
        return self.between((EXPAND, value, axes), Shape(self.shapes[value].channels, (1,) * axes))

    def fold(self, node: Node, sign: str, operands: list[int], last: StepKey | None = None) -> None:
        """Merge operands from left to right; the last step, or the one after it, yields the node's value."""
        value = operands[0]
        for number, operand in enumerate(operands[1:], 2):
            key = pair(sign, value, operand)
            if number == len(operands) and last is None:
                self._place(node, key)
            else:
                value = self.between(key, node.shape)
                self._want(value, node)
        if last is not None:
            self._place(node, (last[0], value, *last[1:]))
        self._fixed[node.index] = all(self._fixed[each] for each in node.inputs)

    def merge(self, node: Node, key: StepKey) -> None:
        """Merge operands in one step."""
        self._place(node, key)
        self._fixed[node.index] = all(self._fixed[each] for each in node.inputs)

    def of(self, node: Node) -> list[int]:
        """Return the values that a node reads."""
        return [self.values[each] for each in node.inputs]

    def describe(self, at: int) -> str:
        """Return a value's description for messages, by the layer that yields it."""
        nodes = self.graph.nodes
        if at < 0:
            return f"the indices of {self.describe(-at - 1)}"
        if at < len(nodes):
            return place_of(self.graph, at)
        for key, value in self.keys.items():
            if value == at:
                return _in_words(key, self)
        return "another value"


def pair(sign: str, left: int, right: int) -> StepKey:
    """Return a merge of two values. All merges are commutative, bit for bit."""
    return (sign, left, right) if left <= right else (sign, right, left)


def _in_words(key: StepKey, expected: Expected) -> str:
    if key[0] == FLATTEN:
        return f"{expected.describe(_value(key[1]))}, flattened"
    if key[0] == EXPAND:
        return f"{expected.describe(_value(key[1]))} with {key[2]} axes more"
    if key[0] in ("+", "*", "max", "-"):
        return f"{expected.describe(_value(key[1]))} {key[0]} {expected.describe(_value(key[2]))}"
    return "another value"


def _value(part: object) -> int:
    return part if isinstance(part, int) else 0


def _add(expected: Expected, node: Node) -> None:
    expected.fold(node, "+", expected.of(node))


def _max(expected: Expected, node: Node) -> None:
    expected.fold(node, "max", expected.of(node))


def _mean(expected: Expected, node: Node) -> None:
    expected.fold(node, "+", expected.of(node), ("/", len(node.inputs)))


def _sub(expected: Expected, node: Node) -> None:
    expected.merge(node, ("-", *expected.of(node)))


def _concat(expected: Expected, node: Node) -> None:
    expected.merge(node, (CAT, *expected.of(node)))


def _mul(expected: Expected, node: Node) -> None:
    """Add a product; vectors are expanded to the number of axes of the maps."""
    axes = max(expected.shapes[each].rank for each in node.inputs)
    operands = [
        expected.expand(value, axes) if axes and not expected.shapes[value].rank else value
        for value in expected.of(node)
    ]
    expected.fold(node, "*", operands)


_MERGES: Mapping[str, Callable[[Expected, Node], None]] = {
    "ADD": _add,
    "CONCAT": _concat,
    "MUL": _mul,
    "SUB": _sub,
    "MAX": _max,
    "MEAN": _mean,
}

_SIZED = frozenset(("GAP", "GMP", "POOL", "AVGPOOL", "UPSAMPLE"))
"""Layer types whose output size may be independent of the input."""
