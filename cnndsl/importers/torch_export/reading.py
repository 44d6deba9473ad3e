"""Read the operators of an exported program, one by one, into steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from typing import TYPE_CHECKING, Any, cast

from cnndsl.importers.torch_export import channelwise, elementwise, shapes, unpooling, windows
from cnndsl.importers.torch_export.calls import OperatorCall, is_in_place
from cnndsl.importers.torch_export.steps import FixedValue, Unsaid
from cnndsl.importers.torch_export.trace import ProgramTrace
from cnndsl.importers.torch_export.views import View
from cnndsl.importers.torch_export.weights import RESHAPING
from cnndsl.records import record
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch.export import ExportedProgram
    from torch.fx import Node as FxNode

TABLE: Mapping[str, Callable[[ProgramTrace, OperatorCall], Any]] = {
    **elementwise.TABLE,
    **channelwise.TABLE,
    **shapes.TABLE,
    **windows.TABLE,
    **unpooling.TABLE,
}
"""The supported operators, by their ATen names without the underscore of the in-place form."""


@record
class Refusal:
    """An operator without a counterpart: its name, the reason, and its location."""

    name: str
    reason: str
    origin: FxNode


class NoValue:
    """A stand-in for the result of an operator without a counterpart."""


MISSING = NoValue()


@record
class ProgramRead:
    """The steps of a program, its outputs by name, and the operators without a counterpart."""

    trace: ProgramTrace
    outputs: tuple[tuple[str, View], ...]
    refusals: tuple[Refusal, ...]


def read_program(
    program: ExportedProgram,
    elsewhere: ExportedProgram | None,
    tensors: Mapping[str, tuple[int, ...]],
    fixed: Set[str] = frozenset(),
) -> ProgramRead:
    """Return the steps of a program.

    Args:
        elsewhere: the same program for inputs of another size, which shows what depends on the size.
        tensors: the shapes of parameters and buffers.
        fixed: the names of buffers that hold a binomial filter.
    """
    return _ProgramReading(program, elsewhere, tensors, fixed).result()


class _ProgramReading:
    def __init__(
        self,
        program: ExportedProgram,
        elsewhere: ExportedProgram | None,
        tensors: Mapping[str, tuple[int, ...]],
        fixed: Set[str],
    ) -> None:
        self.program = program
        nodes = list(program.graph.nodes)
        others = list(elsewhere.graph.nodes) if elsewhere is not None else []
        same = [(each.op, str(each.target)) for each in nodes] == [(each.op, str(each.target)) for each in others]
        self.others: Mapping[FxNode, FxNode] = dict(zip(nodes, others, strict=True)) if same else {}
        self.nodes = nodes
        self.values: dict[FxNode, Any] = {}
        self.refusals: list[Refusal] = []
        entering = [each for each in self._entering() if each[1] is None]
        self.trace = ProgramTrace(int(entering[0][0].meta["val"].shape[0]), tensors, fixed, self.others)

    def result(self) -> ProgramRead:
        for node, name in self._entering():
            extents = tuple([int(each) for each in node.meta["val"].shape])
            if name is None:
                self.values[node] = self.trace.input(Shape(extents[1], extents[2:]), node)
            else:
                self.values[node] = FixedValue(("param", name), extents)
        overwritten = _read_later(self.nodes)
        for node in self.nodes:
            if node.op == "call_function":
                self.values[node] = self._value(node, node in overwritten)
            elif node.op == "get_attr":
                self.values[node] = FixedValue(("constant", str(node.target)), ())
        return ProgramRead(self.trace, tuple(self._outputs()), tuple(self.refusals))

    def _entering(self) -> Iterator[tuple[FxNode, str | None]]:
        """Yield the placeholders with the names of their tensors; None for an input."""
        by_name = {node.name: node for node in self.nodes if node.op == "placeholder"}
        for spec in self.program.graph_signature.input_specs:
            node = by_name[cast("Any", spec.arg).name]
            yield node, None if spec.kind.name == "USER_INPUT" else str(spec.target)

    def _value(self, node: FxNode, is_read_later: bool) -> Any:
        self.trace.origin = node
        call = OperatorCall(node, self._argument, self.others.get(node))
        arguments = [*_flat(node.args), *_flat(tuple(node.kwargs.values()))]
        found = [self._argument(each) for each in arguments]
        read = TABLE.get(call.name)
        if any(each is MISSING for each in found):
            if read is None:
                self.refusals.append(Refusal(call.name, "", node))
            return MISSING
        if not any(isinstance(each, View | list) for each in found) or call.name == "new_empty":
            return self._constant(call, node)
        try:
            if read is None:
                raise Unsaid("")
            if is_read_later:
                raise Unsaid("it writes over a value that is read later")
            made = read(self.trace, call)
            if call.unread:
                raise Unsaid(", ".join(call.unread))
            return made
        except Unsaid as stop:
            self.refusals.append(Refusal(call.name, stop.reason, node))
            return MISSING

    def _constant(self, call: OperatorCall, node: FxNode) -> Any:
        """Return a value that does not depend on an input: an expression of parameters."""
        value: Any = node.meta.get("val")
        if not hasattr(value, "shape"):
            return value
        extents = tuple([int(each) for each in value.shape])
        values = [self._argument(each) for each in node.args]
        weights = [each for each in values if isinstance(each, FixedValue)]
        if call.name in RESHAPING and weights:
            return FixedValue(weights[0].form, extents)
        if call.name == "bernoulli":
            return FixedValue(("bernoulli", float(call["p"])), extents)
        return FixedValue(
            (call.name, *[each.form if isinstance(each, FixedValue) else each for each in values]), extents
        )

    def _argument(self, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return [self._argument(each) for each in cast("list[Any]", given)]
        return self.values[given] if hasattr(given, "users") else given

    def _outputs(self) -> Iterator[tuple[str, View]]:
        """Yield the program's outputs with the names from its output structure."""
        returned: Any = self.nodes[-1].args[0]
        specs = self.program.graph_signature.output_specs
        user = [value for value, spec in zip(returned, specs, strict=True) if spec.kind.name == "USER_OUTPUT"]
        names = _names(self.program.call_spec.out_spec, len(user))
        self.trace.origin = self.nodes[-1]
        for name, node in zip(names, user, strict=True):
            value = self._argument(node)
            if isinstance(value, View):
                try:
                    yield name, self.trace.whole(self.trace.value(value))
                except Unsaid as stop:
                    self.refusals.append(Refusal("output", stop.reason, self.nodes[-1]))
            elif value is not MISSING and value is not None:
                self.refusals.append(Refusal("output", "it does not depend on an input", self.nodes[-1]))


def _flat(given: Any) -> Iterator[Any]:
    if isinstance(given, list | tuple):
        for each in cast("list[Any]", given):
            yield from _flat(each)
    else:
        yield given


def _names(spec: Any, count: int) -> list[str]:
    """Return the names of outputs: the keys of a dictionary, the fields of a named tuple, or else numbers."""
    context = getattr(spec, "context", None)
    fields = getattr(context, "_fields", None)
    named: list[Any] = list(fields or (cast("list[Any]", context) if isinstance(context, list) else []))
    found = [str(each) for each in named]
    return found if len(found) == count else [f"out{at + 1}" for at in range(count)] if count > 1 else [""]


def _read_later(nodes: list[FxNode]) -> set[FxNode]:
    """Return the operators that overwrite memory of another value that is read afterwards."""
    order = {node: at for at, node in enumerate(nodes)}
    family: dict[FxNode, FxNode] = {}
    members: dict[FxNode, list[FxNode]] = {}
    found: set[FxNode] = set()
    for node in nodes:
        first: Any = node.args[0] if node.args else None
        is_alias = hasattr(first, "users") and (is_in_place(node) or _is_view(node))
        root = family[first] if is_alias else node
        family[node] = root
        if is_in_place(node) and is_alias:
            later = (user for each in members[root] for user in each.users if user is not node)
            if any(order[user] > order[node] for user in later):
                found.add(node)
        members.setdefault(root, []).append(node)
    return found


_MAYBE = frozenset("reshape flatten contiguous to dropout getitem view_as reshape_as expand_as unflatten".split())
"""Operators whose result may share memory with their operand, besides those whose schema says so."""


def _is_view(node: FxNode) -> bool:
    schema = getattr(node.target, "_schema", None)
    if schema is not None and any(each.alias_info is not None for each in schema.returns):
        return True
    name = str(node.target)
    return getattr(node.target, "__name__", "") == "getitem" or any(name.startswith(f"aten.{each}.") for each in _MAYBE)
