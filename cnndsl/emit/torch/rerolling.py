"""Step 2b: loops over lists in place of steps, if a class takes and gives as many values as an argument says.

    for j in 0..n-1 [x{j} = … -> branches.{j}: Branch]  -> for i in 0..n-1 [y{i} = (+ each j in 0..n-1 […]) -> RELU]

A trace writes repeats out. Here the steps of each repeat become one loop, provided that every step of the class belongs
to a repeat, that each iteration does the same with the values of its own number, and that the inputs and the results
each form a list. The emitted code then does not depend on the number of values, so classes that differ only in this
number become one (`duplicates`).

Before: a `Traced`. After: the loops, and the modules that each iterates over. The order of the calls does not change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TypeAlias

from cnndsl.emit.torch.ir import Apply, Compute, Step, what_of
from cnndsl.emit.torch.list_records import (
    InnerLoop,
    ItemCall,
    Joined,
    ListExpression,
    ListForward,
    ListItem,
    ListLoop,
)
from cnndsl.emit.torch.part_queries import InIteration, Known, child_name, path_of
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.emit.torch.trace_records import EmptyCall, Traced
from cnndsl.graph import Graph, LayerPart, Part
from cnndsl.records import record

NAMES = ("xs", "ys", "zs", "us", "vs", "ws")
"""The names of lists."""
Numbers: TypeAlias = tuple[int, ...]
"""The indices of an iteration: in the outer loop, and in the inner one."""


@record(slots=True)
class ListedModule:
    """A module of a container, or one that all iterations share: its part at each call site, the value that enters it,
    and the iteration that contains it."""

    name: str
    numbers: Numbers
    parts: tuple[Part, ...]
    entering: int
    iterations: tuple[InIteration, ...]


@record
class Rerolled:
    """The loops of a class, the modules of each container by its name, and the values of each list, starting with the
    inputs."""

    forward: ListForward
    modules: Mapping[str, tuple[ListedModule, ...]]
    lists: tuple[tuple[int, ...], ...]


def rerolled(traced: Traced, graph: Graph, roots: Sequence[str]) -> Rerolled:
    """Return the loops of a class. Raises Differ if its steps are not loops over lists."""
    return _Reroller(traced, graph, roots).run()


@record(slots=True)
class _ListRead:
    """An item of a list."""

    listed: int
    position: int


@record(slots=True)
class _ChildCall:
    """The call of a child in an iteration."""

    output: int
    child: str
    operand: _Tree


@record(slots=True)
class _Operator:
    """An operator on several values."""

    step: Compute
    operands: tuple[_Tree, ...]


_Tree: TypeAlias = _ListRead | _ChildCall | _Operator
_Row: TypeAlias = tuple[Numbers, _Tree]


class _Reroller:
    def __init__(self, traced: Traced, graph: Graph, roots: Sequence[str]) -> None:
        self.traced, self.graph, self.roots = traced, graph, roots
        self.forward = traced.forward
        self.reads = Counter(value for step in self.forward.steps for value in used_by(step))
        self.items: dict[int, _ListRead] = {}
        self.lists: list[tuple[int, ...]] = []
        self.containers: dict[str, list[ListedModule]] = {}
        self.empty = dict(self._empty())

    def _empty(self) -> Iterator[tuple[str, EmptyCall]]:
        """Yield the calls that make nothing, by name, unless their names differ between call sites."""
        for each in self.traced.empty:
            paths = [path_of(part, self.graph) for part in each.parts]
            names = {child_name(*pair) for pair in zip(paths, self.roots, strict=True)}
            if all(paths) and len(names) == 1:
                yield names.pop(), each

    def run(self) -> Rerolled:
        forward = self.forward
        if self.traced.decisions or forward.training or min(len(forward.inputs), len(forward.results)) < 2:
            raise Differ
        keys = [what for value in forward.inputs for what in forward.values[value].keys]
        if any(what is None or what_of(what) != "value" for what in keys):
            raise Differ
        self._listed(forward.inputs)
        loops: list[ListLoop] = []
        ends: list[int] = []
        for _, group in groupby(forward.steps, key=self._loop_of):
            steps = list(group)
            loops.append(self._loop(steps))
            ends.append((ends[-1] if ends else 0) + len(steps))
        if not loops or self.lists[-1] != forward.results or self._reads_of(loops) != {*range(len(loops))}:
            raise Differ
        names, lasting = self._names(loops, ends)
        modules = {name: tuple(found) for name, found in self.containers.items()}
        return Rerolled(ListForward(tuple(loops), names, lasting), modules, tuple(self.lists))

    def _listed(self, values: tuple[int, ...]) -> None:
        self.items |= {value: _ListRead(len(self.lists), at) for at, value in enumerate(values)}
        self.lists.append(values)

    def _reads_of(self, loops: Sequence[ListLoop]) -> set[int]:
        """Return the lists that loops read."""
        return {each.listed for loop in loops for each in items_of(loop.element)}

    def _names(
        self, loops: Sequence[ListLoop], ends: Sequence[int]
    ) -> tuple[tuple[str, ...], tuple[tuple[int, int], ...]]:
        """Return the names of the lists, and the last step at which they hold their values. A loop's list takes the
        name of one that is no longer read."""
        holds = {NAMES[0]: 0}
        names, lasting = [NAMES[0]], list[tuple[int, int]]()
        for at in range(len(loops) - 1):
            later = self._reads_of(loops[at + 1 :])
            name = next((name for name, held in holds.items() if held not in later), None)
            if name is not None:
                lasting += [(value, ends[at] - 1) for value in self.lists[holds[name]]]
            name = name or next((each for each in NAMES if each not in holds), "")
            if not name:
                raise Differ
            holds[name] = at + 1
            names.append(name)
        lasting += [(value, ends[-1] - 1) for held in holds.values() for value in self.lists[held]]
        return tuple(names), tuple(lasting)

    # Iterations

    def _known(self, step: Step) -> Known:
        return self.traced.origins[made_by(step)[0]]

    def _loop_of(self, step: Step) -> int:
        """Return the repeat that a step belongs to."""
        iterations = self._known(step).iterations
        if not iterations or not isinstance(step, Apply | Compute):
            raise Differ
        return id(iterations[0].loops[0])

    def _loop(self, steps: Sequence[Step]) -> ListLoop:
        """Return all steps of a repeat as one loop."""
        rows: list[_Row] = []
        counted: list[int] = []
        outputs: list[int] = []
        for number, group in groupby(steps, key=lambda step: self._known(step).iterations[0].number):
            inside = list(group)
            rows.append(((number,), self._tree(inside)))
            counted.append(number)
            outputs += made_by(inside[-1])
        loops = self._known(steps[0]).iterations[0].loops
        if counted != [*range(len(loops[0].turns))] or len(rows) < 2:
            raise Differ
        before = {*self.containers}
        element = self._unified(rows)
        self._listed(tuple(outputs))
        containers = tuple(name for name, held in self.containers.items() if name not in before and held[0].numbers)
        if not containers:
            raise Differ
        return ListLoop(element, containers)

    def _tree(self, steps: Sequence[Step]) -> _Tree:
        """Return the steps of one iteration as one expression. Raises Differ if a value is read twice, or if the order
        of the calls would change."""
        local: dict[int, _Tree] = {}
        for step in steps:
            if isinstance(step, Apply):
                if len(step.inputs) != 1 or len(step.outputs) != 1 or step.template:
                    raise Differ
                (value,), (output,) = step.inputs, step.outputs
                local[output] = _ChildCall(output, step.child, self._operand(value, local))
            elif isinstance(step, Compute) and not step.is_view and not self.forward.values[step.output].items:
                local[step.output] = _Operator(step, tuple(self._operand(value, local) for value in step.inputs))
            else:
                raise Differ
        made = [value for step in steps for value in made_by(step)]
        tree = local.pop(made[-1])
        if local or [*_outputs(tree)] != made:
            raise Differ
        return tree

    def _operand(self, value: int, local: dict[int, _Tree]) -> _Tree:
        if value in self.items:
            return self.items[value]
        if value not in local or self.reads[value] != 1:
            raise Differ
        return local.pop(value)

    # One expression for all iterations

    def _unified(self, rows: Sequence[_Row]) -> ListExpression:
        trees = [tree for _, tree in rows]
        if any(isinstance(tree, _Operator) for tree in trees):
            return self._merged(rows)
        if any(isinstance(tree, _ChildCall) for tree in trees):
            return self._called(rows)
        items = [tree for tree in trees if isinstance(tree, _ListRead)]
        listed = {each.listed for each in items}
        positions = [each.position for each in items]
        if len(listed) > 1:
            raise Differ
        for depth in reversed(range(len(rows[0][0]))):
            if positions == [numbers[depth] for numbers, _ in rows]:
                return ListItem(listed.pop(), depth)
        raise Differ

    def _merged(self, rows: Sequence[_Row]) -> ListExpression:
        merges = [(numbers, tree) for numbers, tree in rows if isinstance(tree, _Operator)]
        first = merges[0][1].step
        if any(len(self._known(tree.step).iterations) != len(numbers) for numbers, tree in merges):
            raise Differ
        if any(self._is_inner(tree) for _, tree in merges):
            return self._inner(rows, first)
        columns = {len(tree.operands) for _, tree in merges}
        templates = {tree.step.template for _, tree in merges}
        if len(merges) < len(rows) or len(columns) > 1 or len(templates) > 1:
            raise Differ
        operands = range(columns.pop())
        inside = ([(numbers, tree.operands[at]) for numbers, tree in merges] for at in operands)
        return Joined(first.template, tuple(map(self._unified, inside)))

    def _is_inner(self, tree: _Operator) -> bool:
        """Return whether operands of a merge are iterations of a repeat inside it."""
        around = len(self._known(tree.step).iterations)
        calls = [each for each in tree.operands if isinstance(each, _ChildCall)]
        return any(len(self.traced.origins[each.output].iterations) > around for each in calls)

    def _inner(self, rows: Sequence[_Row], first: Compute) -> ListExpression:
        """Return a merge of an inner loop's values. A sum of one value is the value itself."""
        inside: list[_Row] = []
        for numbers, tree in rows:
            if len(numbers) > 1 or first.operation not in ("sum", "concat"):
                raise Differ
            is_merge = isinstance(tree, _Operator) and tree.step.operation == first.operation
            if not is_merge and first.operation == "concat":
                raise Differ
            operands = tree.operands if isinstance(tree, _Operator) and is_merge else (tree,)
            inside += [((*numbers, at), each) for at, each in enumerate(operands)]
        before = {*self.containers}
        element = self._unified(inside)
        found = [name for name in self.containers if name not in before and len(self.containers[name][0].numbers) == 2]
        if len(found) != 1:
            raise Differ
        return InnerLoop("sum" if first.operation == "sum" else "concat", element, found[0])

    def _called(self, rows: Sequence[_Row]) -> ListExpression:
        """Return calls of the modules of one container, or of one module that all iterations can share."""
        first = next(tree for _, tree in rows if isinstance(tree, _ChildCall))
        name = self._container(rows)
        operands: list[_Row] = []
        members: list[ListedModule] = []
        for numbers, tree in rows:
            if isinstance(tree, _ChildCall):
                members.append(self._module(tree, numbers if name else ()))
                operands.append((numbers, tree.operand))
            else:
                members.append(self._nothing(f"{name}.{'.'.join(map(str, numbers))}", numbers, tree))
                operands.append((numbers, tree))
        name = name or self._shared(members, first.child)
        if name in self.containers:
            raise Differ
        operand = self._unified(operands)
        self.containers[name] = members
        return ItemCall(name, len(members[0].numbers) - 1, operand)

    def _container(self, rows: Sequence[_Row]) -> str:
        """Return the container of modules that are called by their numbers; empty if there is none."""
        found: set[str] = set()
        for numbers, tree in rows:
            if isinstance(tree, _ChildCall):
                head, _, last = tree.child.partition(".")
                found.add(head if last == ".".join(map(str, numbers)) else "")
        if len(found) > 1 or not all(not each or each.isidentifier() for each in found):
            raise Differ
        return found.pop()

    def _module(self, call: _ChildCall, numbers: Numbers) -> ListedModule:
        candidate = self.traced.children[call.child]
        values = {*candidate.entering.values()}
        if len(candidate.parts) < len(self.roots) or candidate.further or candidate.decision or len(values) > 1:
            raise Differ
        iterations = candidate.known.iterations
        if numbers and len(iterations) != len(numbers):
            raise Differ
        parts = tuple(candidate.parts[at] for at in range(len(self.roots)))
        return ListedModule(call.child, numbers, parts, values.pop(), iterations)

    def _nothing(self, name: str, numbers: Numbers, tree: _Tree) -> ListedModule:
        """Return a module that makes nothing, in place of one that other iterations have."""
        found = self.empty.get(name)
        if found is None or self.items.get(found.value) != tree or len(found.known.iterations) != len(numbers):
            raise Differ
        return ListedModule(name, numbers, found.parts, found.value, found.known.iterations)

    def _shared(self, members: Sequence[ListedModule], wish: str) -> str:
        """Return the name of one module for all iterations: of layers that are identical and have no state."""
        nodes = [part.node for each in members for part in each.parts if isinstance(part, LayerPart)]
        layers = {self.graph.nodes[node].layer for node in nodes}
        is_whole = len(nodes) == len(members) * len(self.roots)
        keeps = any(self.graph.nodes[node].layer.tensors(*self.graph.shapes(self.graph.nodes[node])) for node in nodes)
        if not is_whole or len(layers) > 1 or keeps or "." in wish:
            raise Differ
        stem = wish.rstrip("0123456789")
        names = {name.partition(".")[0] for name in self.traced.children} - {each.name for each in members}
        return stem if stem.isidentifier() and stem not in names else wish


def _outputs(tree: _Tree) -> Iterator[int]:
    """Yield the values that an expression makes, in the order in which Python computes them."""
    if isinstance(tree, _ChildCall):
        yield from _outputs(tree.operand)
        yield tree.output
    elif isinstance(tree, _Operator):
        for each in tree.operands:
            yield from _outputs(each)
        yield tree.step.output


def items_of(expression: ListExpression) -> Iterator[ListItem]:
    """Yield the items of lists that an expression reads."""
    if isinstance(expression, ListItem):
        yield expression
    elif isinstance(expression, ItemCall):
        yield from items_of(expression.operand)
    elif isinstance(expression, InnerLoop):
        yield from items_of(expression.element)
    else:
        for each in expression.operands:
            yield from items_of(each)
