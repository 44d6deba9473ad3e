"""The memory of values and children, for `memory`, which counts the values alive at each step of a `forward`.

The unit is values of one image, at each call site of the class. A convolution is counted twice, without and with the
workspace of a library that has its own layout (oneDNN's blocks of channels), and therefore copies the convolution's
input, weights and output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cnndsl.emit.torch.ir import Apply, ModuleClass, RepeatStep, node_of, what_of
from cnndsl.emit.torch.memory import ForwardMemory
from cnndsl.emit.torch.part_queries import Borders, elements
from cnndsl.emit.torch.repeats import repeat_in
from cnndsl.emit.torch.trace_records import Traced
from cnndsl.graph import CallPart, ChoicePart, LayerPart, LoopPart, NamedPart, Part, inner_parts, output


class MemoryCosts:
    """The memory of the classes of a network. `by_path` are the classes of its calls and labels."""

    def __init__(
        self,
        borders: Borders,
        overwritten: Mapping[int, int],
        by_path: Mapping[str, ModuleClass],
        traced: Mapping[int, Traced],
    ) -> None:
        self.borders, self.overwritten, self.by_path, self.traced = borders, overwritten, by_path, traced
        self.graph = borders.graph
        self._memory: dict[int, tuple[ModuleClass, ForwardMemory]] = {}

    def of(self, cls: ModuleClass) -> ClassCosts:
        """Return the memory of the values and children of a class."""
        return ClassCosts(self, cls)

    def memory(self, cls: ModuleClass) -> ForwardMemory | None:
        """Return the memory of the `forward` of a class; None if it has none."""
        if cls.forward is None:
            return None
        if id(cls) not in self._memory:
            self._memory[id(cls)] = cls, ForwardMemory(cls.forward, self.of(cls))
        return self._memory[id(cls)][1]

    def heavy(self, cls: ModuleClass) -> frozenset[str]:
        """Return the children that are layers with weight matrices."""
        found: set[str] = set()
        for name, child in self.traced[id(cls)].children.items():
            layers = [self.graph.nodes[part.node] for part in child.parts.values() if isinstance(part, LayerPart)]
            if any(node.layer.macs(*self.graph.shapes(node)) for node in layers):
                found.add(name)
        return frozenset(found)

    def extra(self, part: Part, workspace: bool) -> int | None:
        """Return the peak allocation of a module, apart from its input; None if it is unknown."""
        if isinstance(part, LayerPart):
            return self._layer(part.node, workspace)
        if not isinstance(part, CallPart | NamedPart):
            return None
        cls = self.by_path.get(part.path)
        memory = None if cls is None else self.memory(cls)
        if cls is not None and memory is not None:
            return memory.extra(workspace)[cls.places[part.path]]
        return self._chain(part.body if isinstance(part, CallPart) else part.part, workspace)

    def repeated(self, label: Part, workspace: bool) -> int | None:
        """Return the same for a label on a repeat whose values all stay alive."""
        most, held = 0, 0
        for turn in inner_parts(repeat_in(label) or label):
            (module,) = elements(turn)
            extra = self.extra(
                module.part if isinstance(module, NamedPart) and not module.is_module else module, workspace
            )
            if extra is None:
                return None
            most, held = max(most, held + extra), held + self.graph.nodes[output(turn, 0)].shape.numel
        return most

    def _layer(self, at: int, workspace: bool) -> int:
        if at in self.overwritten:
            return 0
        node = self.graph.nodes[at]
        shapes = self.graph.shapes(node)
        if not workspace or node.shape.rank == 0 or not node.layer.macs(*shapes):
            return node.shape.numel
        weights = sum(each.numel for each in node.layer.tensors(*shapes))
        return 2 * node.shape.numel + sum(shape.numel for shape in shapes) + weights

    def _chain(self, part: Part | None, workspace: bool) -> int | None:
        """Return the same for a chain: the input of a module stays alive while it runs."""
        most, held = 0, 0
        for each in _modules(part):
            extra = self.extra(each, workspace)
            if extra is None:
                return None
            most = max(most, held + extra)
            if extra or not isinstance(each, LayerPart):
                held = self.graph.nodes[output(each, 0)].shape.numel
        return most


class ClassCosts:
    """The memory of the values and children of one class, at each of its call sites."""

    def __init__(self, counted: MemoryCosts, cls: ModuleClass) -> None:
        assert cls.forward is not None
        self.counted, self.forward = counted, cls.forward
        self.places = len(cls.environments)
        self.parts = {name: child.parts for name, child in counted.traced[id(cls)].children.items()}

    def size(self, value: int) -> tuple[int, ...]:
        """Return the number of values of one image, at each call site. Indices are 8-byte integers."""
        nodes, result = self.counted.graph.nodes, list[int]()
        items = self.forward.values[value].items
        if items:
            return tuple(sum(nodes[node_of(what)].shape.numel for what in each) for each in items)
        for what in self.forward.values[value].keys:
            kind = None if what is None else what_of(what)
            numel = 0 if what is None or kind == "size" else nodes[node_of(what)].shape.numel
            result.append(2 * numel if kind == "indices" else numel)
        return tuple(result)

    def extra(self, step: Apply | RepeatStep, workspace: bool) -> tuple[int, ...] | None:
        """Return the peak allocation of a step's child, at each call site."""
        if isinstance(step, Apply) and step.overwrites:
            return (0,) * self.places
        parts = self.parts[step.child]
        of_part = self.counted.repeated if isinstance(step, RepeatStep) else self.counted.extra
        found = {at: of_part(part, workspace) for at, part in parts.items()}
        if any(each is None for each in found.values()):
            return None
        return tuple(found.get(at) or 0 for at in range(self.places))


def _modules(part: Part | None) -> Iterator[Part]:
    for each in elements(part):
        if isinstance(each, LoopPart):
            for turn in each.turns:
                yield from _modules(turn)
        elif isinstance(each, ChoicePart) or (isinstance(each, NamedPart) and not each.is_module):
            yield from _modules(each.part)
        else:
            yield each
