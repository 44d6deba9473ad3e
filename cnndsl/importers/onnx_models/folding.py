"""Convert a parsed model to nodes: infer all shapes and compute constants, such as the sizes of maps.

The `onnx` package infers output shapes node by node. Small values that depend only on constants and shapes are computed
by that package's reference implementation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, cast

from cnndsl.errors import CnnError
from cnndsl.importers.onnx_models.loading import attribute_value, is_large, problem
from cnndsl.importers.onnx_models.model import BATCH, OnnxConstant, OnnxModel, OnnxNode

if TYPE_CHECKING:
    import onnx

TURNING = frozenset("Cast Flatten Identity Reshape Squeeze Transpose Unsqueeze".split())
"""Operators that only rearrange a tensor: a weight stays a weight."""
FOLDED = TURNING | frozenset(
    "Abs Add And Ceil Concat Constant ConstantOfShape Div Equal Exp Expand Floor Gather Greater "
    "GreaterOrEqual Less LessOrEqual Log Max Min Mod Mul Neg Not Or Pow Range Reciprocal ReduceMax ReduceMin "
    "ReduceProd ReduceSum Round Shape Sign Size Slice Split Sqrt Sub Tile Where".split()
)
"""Operators that are computed if all their inputs are constant."""

MOST = 2**20
"""The maximum number of values of a computed constant."""


def folded(name: str, model: onnx.ModelProto) -> OnnxModel:
    """Return the nodes of a model that its outputs depend on.

    Raises:
        CnnError: if the size of an input is not specified, or shapes do not match.
    """
    return _Folding(name, model).result()


def as_written(model: onnx.ModelProto) -> list[OnnxNode]:
    """Return the nodes of a model that its outputs depend on, unchanged."""
    needed = {each.name for each in model.graph.output}
    kept: list[OnnxNode] = []
    for node in reversed(model.graph.node):
        if not needed.isdisjoint(node.output):
            kept.append(_as_node(node, node.input))
            needed.update(node.input)
            for graph in (each.g for each in node.attribute):
                needed.update(name for inner in graph.node for name in inner.input)
    return kept[::-1]


def _as_node(node: onnx.NodeProto, inputs: Iterable[str]) -> OnnxNode:
    op = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
    attributes = {each.name: attribute_value(each) for each in node.attribute}
    return OnnxNode(op, tuple(inputs), tuple(node.output), attributes, node.name, _scope(node))


class _Folding:
    def __init__(self, name: str, model: onnx.ModelProto) -> None:
        self.name, self.model = name, model
        self.versions = {each.domain.replace("ai.onnx", ""): each.version for each in model.opset_import}
        self.types: dict[str, onnx.TypeProto] = {}
        self.constants: dict[str, OnnxConstant] = {}
        self.nodes: list[OnnxNode] = []
        self.inputs: list[str] = []
        self.aliases: dict[str, str] = {}
        """Maps each value that is an unchanged copy to the name of the original."""

    def result(self) -> OnnxModel:
        graph = self.model.graph
        for tensor in graph.initializer:
            self._initialise(tensor)
        for value in graph.input:
            if value.name not in self.constants:
                self._enter(value)
        for node in self._nodes(graph.node):
            self._add(node)
        dims = {name: found for name, type in self.types.items() if (found := _extents(type)) is not None}
        names = tuple([each.name for each in graph.output])
        outputs = tuple([self.aliases.get(name, name) for name in names])
        version = self.versions.get("", 1)
        return OnnxModel(tuple(self.nodes), tuple(self.inputs), outputs, names, dims, self.constants, version).live()

    # Inputs

    def _initialise(self, tensor: onnx.TensorProto) -> None:
        from onnx import helper, numpy_helper

        dims = tuple(tensor.dims)
        values = None if is_large(tensor) else numpy_helper.to_array(tensor)
        self.types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, dims)
        self.constants[tensor.name] = OnnxConstant(dims, values, tensor.name)

    def _enter(self, value: onnx.ValueInfoProto) -> None:
        """Add an input; an open batch size is set to a fixed number. Raises CnnError if another size is open."""
        from onnx import helper

        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not kind.HasField("shape") or len(kind.shape.dim) < 2:
            raise problem(self.name, f"the input `{value.name}` is not a batch of vectors or maps")
        dims = [each.dim_value if each.HasField("dim_value") else 0 for each in kind.shape.dim]
        dims[0] = dims[0] or BATCH
        if min(dims) < 1:
            said = " x ".join(each.dim_param or str(each.dim_value or "?") for each in kind.shape.dim)
            message = f"the file leaves the size of the input `{value.name}` open: {said}"
            raise problem(self.name, message, "export it with a fixed size; only the batch may be open")
        self.types[value.name] = helper.make_tensor_type_proto(kind.elem_type, dims)
        self.inputs.append(value.name)

    # Nodes

    def _nodes(self, several: Iterable[onnx.NodeProto]) -> Iterator[onnx.NodeProto]:
        """Yield nodes in order, replacing each If by its selected branch."""
        from onnx import helper

        for node in several:
            test = self.constants.get(node.input[0]) if node.op_type == "If" and node.input else None
            chosen = None if test is None else test.only()
            if chosen is None:
                yield node
                continue
            branches = {each.name: each.g for each in node.attribute}
            taken = branches["then_branch" if chosen else "else_branch"]
            for tensor in taken.initializer:
                self._initialise(tensor)
            yield from self._nodes(taken.node)
            for inner, outer in zip(taken.output, node.output, strict=True):
                yield helper.make_node("Identity", [inner.name], [outer])

    def _add(self, node: onnx.NodeProto) -> None:
        if node.op_type in ("Shape", "Size") and self._measured(node):
            return
        if node.op_type == "Transpose":
            _count_from_zero(node)
        made = _as_node(node, [self.aliases.get(name, name) for name in node.input])
        self._infer(node, made)
        if node.op_type in FOLDED and all(name in self.constants for name in node.input if name):
            self._fold(node, made)
        if node.op_type == "CastLike" and node.input[0] in self.constants:
            self.constants[node.output[0]] = self.constants[node.input[0]]
        if all(name in self.constants for name in node.output if name):
            return
        if self._is_unchanged(node):
            self.aliases[node.output[0]] = made.inputs[0]
        else:
            self.nodes.append(made)

    def _is_unchanged(self, node: onnx.NodeProto) -> bool:
        """Return whether a node returns its input, possibly in another precision."""
        from onnx import TensorProto

        if node.op_type in ("Cast", "CastLike"):
            floats = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
            kinds = [self.types[each].tensor_type.elem_type for each in (node.input[0], node.output[0])]
            return kinds[0] == kinds[1] or all(kind in floats for kind in kinds)
        return node.op_type == "Identity"

    def _measured(self, node: onnx.NodeProto) -> bool:
        """Turn shapes into constants. Return whether they are known."""
        import numpy as np

        dims = _extents(self.types.get(node.input[0]))
        if dims is None:
            return False
        said = {each.name: each.i for each in node.attribute}
        if node.op_type == "Size":
            self._keep(node.output[0], np.array(prod(dims), np.int64), "")
        else:
            self._keep(node.output[0], np.array(dims[said.get("start", 0) : said.get("end")], np.int64), "")
        return True

    def _keep(self, name: str, values: Any, root: str) -> None:
        from onnx import helper

        self.types[name] = helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(values.dtype), values.shape)
        self.constants[name] = OnnxConstant(tuple(values.shape), values, root)

    def _infer(self, node: onnx.NodeProto, made: OnnxNode) -> None:
        """Infer the shapes of a node's outputs. Raises CnnError if the shapes of its inputs do not match."""
        from onnx import defs, numpy_helper, shape_inference

        types = {name: self.types[name] for name in node.input if name in self.types}
        known = {name: self.constants[name].values for name in node.input if name in self.constants}
        data = {name: numpy_helper.from_array(values) for name, values in known.items() if values is not None}
        try:
            schema = defs.get_schema(node.op_type, self.versions.get(node.domain, 1), node.domain)
            found = shape_inference.infer_node_outputs(
                schema,
                node,
                types,
                data,
                opset_imports=list(self.model.opset_import),
                ir_version=self.model.ir_version,
            )
        except Exception as stop:
            # The C++ code raises one of several types.
            lines = str(stop).strip().splitlines() or [""]
            raise self._wrong(made, lines[0]) from None
        self.types.update(found)
        if node.op_type == "GroupNormalization" and node.input[0] in types:
            # Required by the specification, but not inferred by the package.
            self.types[node.output[0]] = types[node.input[0]]

    def _wrong(self, node: OnnxNode, reason: str) -> CnnError:
        return problem(self.name, f"{described(node)}: its inputs do not fit: {reason}")

    def _fold(self, node: onnx.NodeProto, made: OnnxNode) -> None:
        """Compute a constant, or rearrange one whose values are not needed."""
        several = [self.constants[name] for name in node.input if name]
        dims = [_extents(self.types.get(name)) for name in node.output]
        root = several[0].root if several and node.op_type in TURNING else ""
        if node.op_type == "Identity" and root:
            root = node.output[0]
        if all(each.values is not None for each in several) and all(
            found is not None and prod(found) <= MOST for found in dims
        ):
            for name, values in zip(node.output, self._computed(node, made, several), strict=False):
                self._keep(name, values, root)
        elif node.op_type in TURNING and dims[0] is not None:
            self.constants[node.output[0]] = OnnxConstant(dims[0], None, root)

    def _computed(self, node: onnx.NodeProto, made: OnnxNode, several: Sequence[OnnxConstant]) -> Sequence[Any]:
        from onnx.reference import ReferenceEvaluator

        names = [name for name in node.input if name]
        feeds = {name: each.values for name, each in zip(names, several, strict=True)}
        try:
            evaluator: Any = ReferenceEvaluator(node, opsets=self.versions)
            return evaluator.run(None, feeds)
        except Exception as stop:
            raise self._wrong(made, str(stop)) from None


def _extents(type: onnx.TypeProto | None) -> tuple[int, ...] | None:
    """Return the shape of a tensor, if all its sizes are known."""
    if type is None or not type.HasField("tensor_type") or not type.tensor_type.HasField("shape"):
        return None
    dims = type.tensor_type.shape.dim
    return tuple([each.dim_value for each in dims]) if all(each.HasField("dim_value") for each in dims) else None


def _count_from_zero(node: onnx.NodeProto) -> None:
    """Make negative axes non-negative: PyTorch's older exporter writes -1, which the operator does not allow."""
    for each in node.attribute:
        if each.name == "perm":
            order = [axis % len(each.ints) for axis in each.ints]
            del each.ints[:]
            each.ints.extend(order)


def _scope(node: onnx.NodeProto) -> tuple[str, ...]:
    """Return the modules that contain a node, as PyTorch's exporters write them, and its own name last."""
    for each in node.metadata_props:
        if each.key == "pkg.torch.onnx.name_scopes":
            try:
                found: object = ast.literal_eval(each.value)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return ()
            return tuple([str(name) for name in cast("list[object]", found) if name]) if isinstance(found, list) else ()
    if not node.name.startswith("/"):
        return ()
    modules: list[str] = []
    *words, last = node.name[1:].split("/")
    for word in words:
        # From some module on, the name of each module begins with that of the enclosing one.
        outer = modules[-1] if modules else ""
        tail = outer.rpartition(".")[2]
        rest = next((word[len(each) :] for each in _suffixes(outer) if word.startswith(f"{each}.")), "")
        modules.append(f"{outer}{rest}" if rest and tail else f"{outer}.{word}" if outer else word)
    return (*modules, last)


def _suffixes(path: str) -> Iterator[str]:
    """Yield the suffixes of a path, the longest first."""
    parts = path.split(".")
    for at in range(len(parts)):
        if parts[at:] != [""]:
            yield ".".join(parts[at:])


def described(node: OnnxNode) -> str:
    """Return a node's description for messages: its operator, its name, and its outputs."""
    names = [f"`{each}`" for each in (node.name, *node.outputs[:1]) if each]
    where = f" {names[0]}" if node.name and names else ""
    return f"{node.op}{where}, which gives {names[-1]}" if names else node.op
