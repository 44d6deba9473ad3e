"""Step 2: the `forward` of a class, and the values that cross its border.

The same part is walked at all call sites of the class at once. Each layer becomes one step over numbered values. A
value that is read but not made becomes an input, and a value that is needed outside at any call site becomes a result.
This is the only rule for borders: the caller uses the callee's `inputs` and `results`, in this order, and nothing else.

Before: parts that belong to one class. After: a `Traced`, in which every value is defined once and before it is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cnndsl.emit.torch.choices import chosen
from cnndsl.emit.torch.ir import Apply, Compute, Forward, ForwardValue, Key, Step, Training, key, node_of, what_of
from cnndsl.emit.torch.merges import steps_of
from cnndsl.emit.torch.names import attribute, word
from cnndsl.emit.torch.part_queries import (
    Application,
    child_name,
    in_iteration,
    is_absent,
    is_further,
    is_module,
    of_type,
    path_of,
    row_of,
)
from cnndsl.emit.torch.partial_merges import sometimes_merged
from cnndsl.emit.torch.repeats import is_one_merge, operands_with_lists, repeated, repeats
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.steps import early, used_by, with_outputs
from cnndsl.emit.torch.trace_records import Border, Callees, Candidate, Decision, EmptyCall, Places, Traced
from cnndsl.emit.torch.traced_values import TracedValues, given, taps
from cnndsl.graph import ChoicePart, LayerPart, LoopPart, MergePart, NamedPart, Part, ReferencePart, TapPart
from cnndsl.graph.traversal import inner_parts, output
from cnndsl.layers.base import TorchCall, TorchFunction


def trace(
    callees: Callees, roots: Sequence[str], parts: Sequence[Part | None], entries: Sequence[int], root: bool
) -> Traced:
    """Walk over the same part at all its call sites.

    `roots` are the paths of the modules, `entries` the nodes whose values enter. Raises Differ if one class cannot
    express the differences between the call sites.
    """
    return ClassTracer(callees, roots, parts, entries, root).run()


class ClassTracer(TracedValues):
    """Walks over a part at all call sites of a class at once."""

    def __init__(
        self, callees: Callees, roots: Sequence[str], parts: Sequence[Part | None], entries: Sequence[int], root: bool
    ) -> None:
        super().__init__(len(parts))
        self.callees, self.borders, self.graph = callees, callees.borders, callees.graph
        self.overwritten = callees.overwritten
        self.roots, self.parts, self.entries, self.is_root = roots, parts, entries, root
        self.own = [self.borders.own(part) for part in parts]
        self.reads: list[int] = []
        self.children: dict[str, Candidate] = {}
        self.applied: dict[int, tuple[Border, int]] = {}
        """Maps the id of a part that is applied several times to the border of all applications and its index."""
        self.decisions: list[Decision] = []
        self.decision: Decision | None = None
        self.empty: list[EmptyCall] = []
        self.trained = [not root and self._is_trained(*each) for each in zip(parts, entries, strict=True)]
        self.is_trained = self.in_training = all(self.trained)

    def run(self) -> Traced:
        """Walk over the parts. Returns the trace."""
        names = self.graph.input_names if self.is_root else ()
        entry = self.new(self.all, [key(node) for node in self.entries], names[0] if names else "x")
        given_too = [self.new(self.all, [key(at)], name) for at, name in enumerate(names) if at]
        out = self.walk(self.parts, self.all, entry)
        if self.is_root:
            out = given(self, self.graph.output)
        passes = all(output(part, node) == node for part, node in zip(self.parts, self.entries, strict=True))
        if self.is_root:
            results = [out, *taps(self, self.graph)]
        else:  # in the order in which they are made, which is that of the program
            results = sorted({*self._exposed(), *(() if passes else (out,))})
        steps = early(with_outputs(self.steps, results))
        read = {value for step in steps for value in used_by(step)} | set(results)
        inputs = [value for value in (entry, *given_too, *self.reads) if value in read or self.is_root]
        forward = Forward(
            tuple(
                ForwardValue(
                    tuple(each.get(at) for at in self.all),
                    name,
                    value in self.chains,
                    tuple(self.lists.get(value, ())),
                )
                for value, (each, name) in enumerate(zip(self.values, self.names, strict=True))
            ),
            tuple(inputs),
            tuple(steps),
            tuple(results),
            results.index(out) if self.is_root or not passes else -1,
            frozenset(value for value in results if self._is_training_only(value)),
        )
        return Traced(forward, self.children, tuple(self.decisions), self.origins, tuple(self.empty))

    def _is_trained(self, part: Part | None, entry: int) -> bool:
        """Return whether a part runs in training only: all that it makes, and its output unless that is its input."""
        out = output(part, entry)
        return self.borders.is_training_only(part) and (out == entry or self.graph.nodes[out].training_only)

    def _is_training_only(self, value: int) -> bool:
        """Return whether a result exists in training only, while others of the class always do."""
        nodes = (self.graph.nodes[node_of(what)] for what in self.values[value].values())
        return value in self.later or (not self.is_trained and all(node.training_only for node in nodes))

    def _exposed(self) -> list[int]:
        """Return the values that are needed outside at any call site. Raises Differ if some call sites lack one."""
        exposed: list[int] = []
        last = [output(part, node) for part, node in zip(self.parts, self.entries, strict=True)]
        for value, keys in enumerate(self.values):
            needed = [
                at
                for at, what in keys.items()
                if node_of(what) in self.own[at]
                and what != key(last[at])
                and self.borders.is_needed(what, self.own[at])
            ]
            if needed and len(keys) < len(self.all):
                raise Differ
            if needed and self.find(self.all, [keys[at] for at in self.all]) == value:
                exposed.append(value)
        return exposed

    # Values

    def read(self, places: Places, keys: Sequence[Key], name: str = "") -> int:
        """Return a value made here, or one from outside. Raises Differ if it differs between the call sites."""
        found = self.find(places, keys)
        if found is not None:
            return found
        if places != self.all or any(node_of(what) in self.own[at] for at, what in zip(places, keys, strict=True)):
            raise Differ
        value = self.new(places, keys, name or "skip")
        self.reads.append(value)
        return value

    def node(self, value: int, place: int) -> int:
        """Return the node of a value at a call site."""
        return node_of(self.values[value][place])

    def apart(self, decision: Decision, walk: Callable[[], int]) -> tuple[list[Step], int]:
        """Walk under a decision. Returns the steps, which are not added yet, and the value that leaves."""
        outer, self.steps, self.decision = self.steps, [], decision
        flattened = dict(self.flattened)
        out = walk()
        steps, self.steps, self.decision, self.flattened = self.steps, outer, None, flattened
        return steps, out

    # Parts

    def walk(self, parts: Sequence[Part | None], places: Places, value: int) -> int:
        """Walk over a row of parts. Returns the value that leaves it."""
        rows = [row_of(part) for part in parts]
        if len({len(row) for row in rows}) > 1:
            raise Differ
        for row in zip(*rows, strict=True):
            value = self._part(row, places, value)
        return value

    def _part(self, parts: tuple[Part, ...], places: Places, value: int) -> int:
        first = parts[0]
        if any(type(part) is not type(first) for part in parts):
            if any(isinstance(part, MergePart) or is_absent(part) for part in parts):
                return sometimes_merged(self, parts, places, value)
            raise Differ
        if isinstance(first, LayerPart):
            return self._leaf(parts, places, value)
        if is_module(first):
            return self._module(parts, places, value)
        if isinstance(first, MergePart):
            return self._merge(parts, places, value)
        if isinstance(first, ReferencePart):
            return self._reference(of_type(parts, ReferencePart), places)
        if isinstance(first, ChoicePart):
            return chosen(self, of_type(parts, ChoicePart), places, value)
        if isinstance(first, LoopPart):
            return self._iterations(of_type(parts, LoopPart), places, value)
        if isinstance(first, TapPart):
            return self._tap(of_type(parts, TapPart), places, value)
        return self._labelled(of_type(parts, NamedPart), places, value)

    def _reference(self, parts: Sequence[ReferencePart], places: Places) -> int:
        """Return the value of a reference. A reference in a part that nothing is computed from stays there."""
        keys = [key(part.node) for part in parts]
        if self.find(places, keys) is None and all(
            node_of(what) in self.own[at] for at, what in zip(places, keys, strict=True)
        ):
            return self.new(places, keys)
        called = {word(part.name) for part in parts}
        name = called.pop() if len(called) == 1 else ""
        value = self.read(places, keys, name)
        if name and "." in self.names[value] and not any("." in part.name for part in parts):
            self.names[value] = name  # a second name, for a value whose first name is a path
        return value

    def _labelled(self, parts: Sequence[NamedPart], places: Places, value: int) -> int:
        out = self.walk([part.part for part in parts], places, value)
        if out != value and out not in self.several and not (self.names[out] and parts[0].path):
            self.names[out] = parts[0].name  # the name of an equation, which has no path, takes precedence
            if not parts[0].path:
                self.chains.add(out)
        return out

    def _iterations(self, loops: Sequence[LoopPart], places: Places, value: int) -> int:
        """Walk over a repeat, written out. Returns the value that leaves it."""
        if len({len(loop.turns) for loop in loops}) > 1:
            raise Differ
        outer = self.known
        for turn in range(len(loops[0].turns)):
            self.known = in_iteration(outer, loops, turn)
            value = self.walk([loop.turns[turn] for loop in loops], places, value)
        self.known = outer
        return value

    def _merge(self, parts: Sequence[Part], places: Places, value: int) -> int:
        joins = of_type(parts, MergePart)
        if not self.lists and len({len(join.branches) for join in joins}) > 1:
            return sometimes_merged(self, parts, places, value)
        operands = operands_with_lists(self, joins, places, value)
        return self.function([join.node for join in joins], places, operands)

    def function(self, nodes: Sequence[int], places: Places, operands: Sequence[int]) -> int:
        """Add an expression of values. Returns its value."""
        made = list(map(self.borders.made, nodes))
        functions = [each for each in made if isinstance(each, TorchFunction)]
        alone = next((at for at, each in enumerate(operands) if each in self.lists), len(operands))
        if len(functions) < len(made) or not is_one_merge(functions, 0 < alone < len(operands)):
            raise Differ
        over = {each if (each := self.overwritten.get(node, -1)) < alone else -1 for node in nodes}
        inputs = tuple(self.real(value) for value in operands)
        *before, last = steps_of(functions[0])
        for each in before:
            self.values.append({})
            self.names.append("")
            between = len(self.values) - 1
            self.put(Compute(each.operation, each.template, inputs, between))
            inputs = (between,)
        out = self.new(places, [key(node) for node in nodes])
        written_over = over.pop() if len(over) == 1 and not before else -1
        self.put(Compute(last.operation, last.template, inputs, out, written_over))
        return out

    def _tap(self, taps: Sequence[TapPart], places: Places, value: int) -> int:
        if len({tap.training_only for tap in taps}) > 1:
            raise Differ
        out = self.training(lambda: self.walk([tap.part for tap in taps], places, value), taps[0].training_only)
        if not self.names[out] or self.names[out] != "x":
            self.names[out] = taps[0].name
        return value

    def training(self, walk: Callable[[], int], is_conditional: bool) -> int:
        """Walk over training-only steps, unless all of the class is. Returns the value that leaves them."""
        if self.in_training or not is_conditional:
            return walk()
        outer, self.steps, self.in_training = self.steps, [], True
        flattened = dict(self.flattened)
        out = walk()
        self.flattened = flattened
        steps, self.steps, self.in_training = self.steps, outer, False
        if steps:
            self.put(Training(tuple(steps), ()))
        return out

    # Children

    def _leaf(self, parts: Sequence[Part], places: Places, value: int) -> int:
        nodes = [part.node for part in of_type(parts, LayerPart)]
        made = [self.borders.made(node) for node in nodes]
        inputs = self._operands(nodes, places, value)
        if isinstance(made[0], TorchFunction):
            return self.function(nodes, places, inputs)
        calls = [each for each in made if isinstance(each, TorchCall)]
        if len(calls) < len(made):
            raise Differ
        if len({call.applied for call in calls}) > 1 or (calls[0].applied and self.decision is not None):
            raise Differ
        if any(call.flatten for call in calls):
            inputs = [self.flat(inputs[0]), *inputs[1:]]
        child = self.register(parts, places, inputs[0])
        outputs = [self.new(places, [key(node) for node in nodes], child.name)]
        if any(node in self.borders.pooled for node in nodes):
            outputs += self._pooled(nodes, places, inputs[0])
        over = all(node in self.overwritten for node in nodes) and all(call.inplace for call in calls)
        self.put(Apply(child.name, tuple(map(self.real, inputs)), tuple(outputs), over, calls[0].applied))
        return outputs[0]

    def _operands(self, nodes: Sequence[int], places: Places, value: int) -> list[int]:
        rows = [self.borders.reads(node) for node in nodes]
        if len({len(row) for row in rows}) > 1:
            raise Differ
        if any(self.values[value].get(at) != row[0] for at, row in zip(places, rows, strict=True)):
            raise Differ
        result = [value]
        for position in range(1, len(rows[0])):
            column = [row[position] for row in rows]
            what = what_of(column[0])
            result.append(self.read(places, column, "" if what == "value" else what))
        return result

    def _pooled(self, nodes: Sequence[int], places: Places, entering: int) -> list[int]:
        """Return the indices of a max-pool; also add the size of its input, for the unpooling."""
        if not all(node in self.borders.pooled for node in nodes):
            raise Differ
        size = self.new(places, [key(node, "size") for node in nodes], "size")
        self.put(Compute("size", "{0}.shape[2:]", (self.real(entering),), size))
        return [self.new(places, [key(node, "indices") for node in nodes], "indices")]

    def _module(self, parts: Sequence[Part], places: Places, value: int) -> int:
        if not any(map(self.borders.own, parts)):
            if len(places) == len(self.all):
                self.empty.append(EmptyCall(tuple(parts), value, self.known))
            return self.walk([each for part in parts for each in inner_parts(part) or (None,)], places, value)
        loops = repeats(self, parts, value, places)
        if loops:
            return repeated(self, parts, loops, places, value)
        callee = self._border(parts, places, value)
        only = [self.borders.is_training_only(part) for part in parts]
        if callee.main >= 0:
            only = [self.graph.nodes[node_of(what)].training_only for what in callee.results[callee.main][0]]
        only = [each and not self.trained[at] for each, at in zip(only, places, strict=True)]
        if any(only) and not all(only):
            raise Differ
        return self.training(lambda: self._call(callee, parts, places, value), all(only))

    def _border(self, parts: Sequence[Part], places: Places, value: int) -> Border:
        """Return what modules take and give here. For one that is applied several times, all applications are
        considered when the first is reached."""
        if id(parts[0]) not in self.applied:
            rows = self._applications(parts)
            if not rows:
                return self.callees.border_of(parts, [self.node(value, at) for at in places])
            everything = [application for row in rows for application in row]
            border = self.callees.border_of([each.part for each in everything], [each.entry for each in everything])
            if any(len(column) < len(everything) for column, _ in (*border.inputs, *border.results)):
                raise Differ
            self.applied.update({id(row[0].part): (border, number) for number, row in enumerate(rows)})
        border, number = self.applied[id(parts[0])]
        return border.at(range(number * len(parts), (number + 1) * len(parts)))

    def _applications(self, parts: Sequence[Part]) -> list[tuple[Application, ...]]:
        """Return the applications of modules, all first ones first. Raises Differ if their numbers differ."""
        found = [self.borders.applications(part) for part in parts]
        if len({len(several) for several in found}) > 1:
            raise Differ
        return list(zip(*found, strict=True))

    def _call(self, callee: Border, parts: Sequence[Part], places: Places, value: int) -> int:
        """Add the call of a module; the callee determines its inputs and results. Returns the value that leaves."""
        inputs = [self.read(places, column, name) for column, name in callee.inputs]
        if callee.is_flat:
            inputs = [self.flat(inputs[0]), *inputs[1:]]
        child = self.register(parts, places, inputs[0] if inputs else value)
        child.traced = callee.traced
        outputs = [self.new(places, column, name) for column, name in callee.results]
        if callee.main >= 0 and len(outputs) > 1 and self.names[outputs[callee.main]]:
            self.several.add(outputs[callee.main])
        elif callee.main >= 0:
            self.names[outputs[callee.main]] = child.name
        self.put(Apply(child.name, tuple(map(self.real, inputs)), tuple(outputs)))
        return outputs[callee.main] if callee.main >= 0 else value

    def register(self, parts: Sequence[Part], places: Places, entering: int) -> Candidate:
        """Register a child. Raises Differ if its name differs between call sites, or if it exists twice."""
        found = {child_name(path_of(part, self.graph), self.roots[at]) for part, at in zip(parts, places, strict=True)}
        keeps = [not isinstance(part, LayerPart) or self.borders.has_tensors(part.node) for part in parts]
        if len(found) > 1 and (any(keeps) or not all(name.isdigit() for name in found)):
            raise Differ
        name = attribute(max(found, key=lambda each: (len(each), each)))
        if is_further(parts[0], self.graph):
            return self._known_child(name, places)
        child = self.children.setdefault(name, Candidate(name, self.known, self.decision))
        for row in self._applications(parts)[1:]:
            child.further += zip(places, row, strict=True)
        if child.decision is not self.decision:
            child.decision = None
        for part, at in zip(parts, places, strict=True):
            if at in child.parts:
                raise Differ
            child.parts[at], child.entering[at] = part, entering
        return child

    def _known_child(self, name: str, places: Places) -> Candidate:
        """Return the child that is applied again. Raises Differ if it does not exist at exactly these call sites."""
        child = self.children.get(name)
        if child is None or set(child.parts) != set(places):
            raise Differ
        return child
