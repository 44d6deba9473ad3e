"""Read an exported program into the table of values."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from cnndsl.importers.torch_compare import normalising, padding, parts, pointwise, rearranging, windows
from cnndsl.importers.torch_compare.call import OPERATORS, AtenCall, Result
from cnndsl.importers.torch_compare.points import Points
from cnndsl.importers.torch_compare.table import ValueTable
from cnndsl.importers.torch_compare.views import TensorView, expanded

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node as FxNode

_KNOWN = (normalising, padding, parts, pointwise, rearranging, windows)
"""The modules that register operators."""

_MAY_ALIAS = {"reshape", "flatten", "contiguous", "dropout", "feature_dropout", "to", "type_as", "expand_as", "getitem"}
"""Operators whose result may share memory with their operand, though their schemas do not say so."""


class UnreadableError(Exception):
    """A program reads a value that was overwritten under another name, which cannot be compared."""


class Effect(NamedTuple):
    """A buffer that is written, and the value written to it."""

    target: str
    view: TensorView


class Read(NamedTuple):
    """A program as values: its outputs, its effects, and where each value first occurs."""

    outputs: list[TensorView]
    effects: list[Effect]
    places: dict[int, Any]


def read(program: ExportedProgram, table: ValueTable, points: Points, with_constants: bool) -> Read:
    """Read a program. With `with_constants`, tensors not saved in weight files are compared by value, else by shape.

    Raises UnreadableError if it cannot be analysed, UnevenError if it does not accept one of the sizes.
    """
    return _ProgramReader(program, table, points, with_constants).read()


class _ProgramReader:
    def __init__(self, program: ExportedProgram, table: ValueTable, points: Points, with_constants: bool) -> None:
        self._program, self._table, self._points, self._with_constants = program, table, points, with_constants
        self._values: dict[FxNode, Any] = {}
        self._memory: dict[FxNode, FxNode] = {}
        self._sharing: dict[FxNode, list[FxNode]] = {}
        self._stale: set[FxNode] = set()
        self._targets: dict[FxNode, str] = {}
        self._counts: dict[object, int] = {}
        self._effects: list[Effect] = []
        self._specs = _specs(program)

    def read(self) -> Read:
        table = self._table
        table.seen = {}
        outputs: list[TensorView] = []
        for node in self._program.graph.nodes:
            table.place = node
            if node.op == "call_function":
                self._call(node)
            elif node.op == "output":
                outputs = self._outputs(node)
        return Read(outputs, self._effects, table.seen)

    def _call(self, node: FxNode) -> None:
        value = node.meta.get("val")
        if _is_number(value):
            self._values[node] = self._points.extent(value) if hasattr(value, "__index__") else value
            return
        if value is None:
            return  # asserts about sizes
        if getattr(node.target, "__name__", "") == "getitem":
            of, at = node.args
            self._values[node] = self._get(of)[at]
            self._share(node, of)
            return
        self._operator(node)

    def _operator(self, node: FxNode) -> None:
        schema: Any = getattr(node.target, "_schema", None)
        if schema is None or not schema.name.startswith("aten::"):
            raise UnreadableError(f"{node.target} cannot be compared ({_place(node)})")
        given: dict[str, Any] = {each.name: each.default_value for each in schema.arguments}
        given |= {each.name: value for each, value in zip(schema.arguments, node.args, strict=False)} | dict(
            node.kwargs
        )
        name = schema.name.removeprefix("aten::")
        is_written = name.endswith("_") and not name.endswith("__")
        arguments = {key: self._resolved(each) for key, each in given.items()}
        results = _tensors(node.meta["val"])
        shapes = [tuple(self._points.extent(size) for size in each.shape) for each in results]
        call = AtenCall(self._table, arguments, shapes)
        call.operator, call.counts = name.removesuffix("_") if is_written else name, self._counts
        call.type = str(results[0].dtype) if results else ""
        nodes: list[Any] = list(filter(_is_node, given.values()))
        entering: Any = nodes[0] if nodes else None
        call.keeps_type = entering is not None and call.type == str(getattr(entering.meta.get("val"), "dtype", ""))
        found = OPERATORS.get(call.operator, _literally)(call)
        self._effects += (Effect(*each) for each in call.effects)
        self._values[node] = found
        if is_written:
            self._write(node, entering, found)
        elif call.operator in _MAY_ALIAS or any(each.alias_info is not None for each in schema.returns):
            self._share(node, entering)

    def _get(self, node: Any) -> Any:
        if node in self._stale:
            raise UnreadableError(f"what {node} held is read after it was overwritten ({_place(node)})")
        found = self._values.get(node)
        if found is None:
            if node.op != "placeholder":
                raise UnreadableError(f"{node.target} cannot be compared ({_place(node)})")
            found = self._values[node] = self._placeholder(node)
        return found

    def _resolved(self, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return [self._resolved(each) for each in cast("list[Any]", given)]
        return self._get(given) if _is_node(given) else given

    def _share(self, node: FxNode, of: Any) -> None:
        owner: Any = self._memory.get(of, of)
        self._memory[node] = owner
        self._sharing.setdefault(owner, [owner]).append(node)

    def _write(self, node: FxNode, over: Any, made: Any) -> None:
        """Replace all uses of the overwritten value with the new one; its slices and other views become unknown."""
        before = self._values[over]
        if made == before:
            self._share(node, over)
            return
        owner: Any = self._memory.get(over, over)
        for each in self._sharing.get(owner, [owner]):
            if self._values.get(each) == before:
                self._values[each] = made
            else:
                self._stale.add(each)
        self._share(node, over)
        self._stale.discard(node)
        target = self._targets.get(owner)
        if target is not None:
            self._effects.append(Effect(target, made))

    def _outputs(self, node: FxNode) -> list[TensorView]:
        from torch.export.graph_signature import OutputKind

        kinds = [each.kind for each in self._program.graph_signature.output_specs]
        given: Any = node.args[0]
        found = [
            self._resolved(each) for each, kind in zip(given, kinds, strict=True) if kind == OutputKind.USER_OUTPUT
        ]
        return [each for each in found if isinstance(each, TensorView)]

    def _placeholder(self, node: FxNode) -> TensorView:
        from torch.export.graph_signature import InputKind

        spec, number = self._specs[node.name]
        shape = tuple(self._points.extent(size) for size in node.meta["val"].shape)
        if spec.kind == InputKind.USER_INPUT:
            return self._table.made("input", [], shape, number=number)
        assert spec.target is not None
        if spec.kind == InputKind.PARAMETER or (spec.kind == InputKind.BUFFER and spec.persistent):
            self._targets[node] = spec.target
            return self._table.made("state", [], shape, name=spec.target, extents=shape)
        held = self._program.constants.get(spec.target)
        if not self._with_constants or held is None:
            return self._table.made("constant", [], shape, digest="")
        once = _once(held)
        return expanded(self._table.made("constant", [], tuple(once.shape), digest=_digest(once)), shape)


def _literally(call: AtenCall) -> Result:
    """Return the result of an unknown operator: equal if the operator and its arguments are equal."""
    views: list[TensorView] = []
    words = {name: _words(each, views) for name, each in call.arguments.items()}
    if call.operator in ("empty", "new_empty", "empty_like"):
        words, views = {}, []
    if call.operator in ("rand", "randn", "rand_like", "randn_like", "randint", "randperm"):
        words["draw"] = str(call.numbered("draw"))
    given = tuple(words.items())
    made = [
        call.table.made(call.operator, views, shape, result=at, given=given) for at, shape in enumerate(call.shapes)
    ]
    return made[0] if len(made) == 1 else tuple(made)


def _words(given: Any, views: list[TensorView]) -> str:
    """Return an argument as text, with its tensors numbered."""
    if isinstance(given, TensorView):
        views.append(given)
        return f"%{len(views)}"
    if isinstance(given, list):
        return f"[{', '.join(_words(each, views) for each in cast('list[object]', given))}]"
    return str(given)


def outputs_of(program: ExportedProgram) -> int:
    """Return the number of tensors that a program outputs."""
    given: Any = next(each for each in program.graph.nodes if each.op == "output").args[0]
    return sum(_is_node(each) for each in given)


def _specs(program: ExportedProgram) -> dict[str, tuple[Any, int]]:
    """Map each placeholder to what it stands for, and its index among the inputs."""
    from torch.export.graph_signature import InputKind

    found: dict[str, tuple[Any, int]] = {}
    number = 0
    for each in program.graph_signature.input_specs:
        found[each.arg.name] = each, number
        number += each.kind == InputKind.USER_INPUT
    return found


def _is_node(given: object) -> bool:
    from torch.fx import Node as FxNode

    return isinstance(given, FxNode)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) or hasattr(value, "node")


def _tensors(value: Any) -> list[Any]:
    return [value] if hasattr(value, "shape") else [each for each in value if hasattr(each, "shape")]


def _once(held: Any) -> Any:
    """Return a tensor with the dimensions along which it is constant reduced to size 1."""
    for dim in range(held.dim()):
        first = held.narrow(dim, 0, 1)
        if held.shape[dim] > 1 and bool((held == first).all()):
            held = first
    return held


def _digest(held: Any) -> str:
    """Return a hash of a tensor's values, rounded to 6 digits."""
    numbers = ",".join(f"{each:.6g}" for each in held.detach().flatten().double().tolist())
    return hashlib.sha256(numbers.encode()).hexdigest()[:16]


def module_of(node: Any) -> str:
    """Return the path of the module that a node belongs to."""
    stack: dict[str, Any] = node.meta.get("nn_module_stack") or {}
    return str([*stack.values()][-1][0]).removeprefix("L['self'].") if stack else ""


def line_of(node: Any) -> str:
    """Return the source file and line that a node comes from."""
    frames = [each for each in str(node.meta.get("stack_trace") or "").splitlines() if each.lstrip().startswith("File")]
    if not frames:
        return ""
    parts = frames[-1].strip().split(", ")
    return f"{parts[0].removeprefix('File ').strip(chr(34))}:{parts[1].removeprefix('line ')}"


def _place(node: Any) -> str:
    return f"{module_of(node) or 'the network'}, {line_of(node)}"
