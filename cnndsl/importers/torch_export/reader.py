"""Read a PyTorch module as a flat graph: export it in both modes, read the programs, and merge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import TYPE_CHECKING, cast

from cnndsl.errors import Source
from cnndsl.graph import Graph
from cnndsl.graph.labels import why_not
from cnndsl.importers.flat import FlatGraph, Imported
from cnndsl.importers.refused import ImportFault, RefusedError
from cnndsl.importers.torch_export.applications import first_uses
from cnndsl.importers.torch_export.calls import operator_of
from cnndsl.importers.torch_export.exporting import ModulePrograms, exported
from cnndsl.importers.torch_export.filters import binomial_filters
from cnndsl.importers.torch_export.modes import BothModes, merged
from cnndsl.importers.torch_export.naming import paths, prefix
from cnndsl.importers.torch_export.origins import line_of, module_of
from cnndsl.importers.torch_export.patterns import simplified
from cnndsl.importers.torch_export.reading import Refusal, read_program
from cnndsl.importers.torch_export.sizes import may_follow
from cnndsl.importers.torch_export.state import with_state
from cnndsl.importers.torch_export.steps import ReadStep
from cnndsl.layers.base import Layer
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


_REASONS: Mapping[str, str] = {
    "plus": "it adds a number, and no layer does; where it normalises the image, do that before the network",
    "centred": "the dimensions of one are repeated along others of the other",
    "mean over axes": "it is neither over all positions nor over the channels",
    "quotient": "it divides one value by another and is not a known normalisation",
}
"""The messages for operations that did not become layers."""


def read(module: nn.Module, shapes: Sequence[Shape]) -> Imported:
    """Import a module as a network, for inputs of these shapes.

    The module's code runs on tensors without values, in evaluation and in training. Nothing is guessed.

    Raises:
        CnnError: if something has no counterpart in the language; the message lists everything of that kind.
        Exception: any that the module's own code raises.
    """
    return read_exported(ModulePrograms(module, shapes))


def read_exported(programs: ModulePrograms) -> Imported:
    """Import a module as `read` does, for callers that need the exported programs again."""
    return _ModuleReader(programs).result()


class _ModuleReader:
    def __init__(self, programs: ModulePrograms) -> None:
        self.programs = programs
        self.module = module = programs.module
        self.shapes = programs.shapes
        self.state = {name: tuple(each.shape) for name, each in module.state_dict(keep_vars=True).items()}
        self.parameters = dict(module.named_parameters())
        tensors = [*module.named_parameters(), *module.named_buffers()]
        self.tensors = {name: tuple(each.shape) for name, each in tensors}
        self.fixed = binomial_filters(module)
        self.refusals: list[Refusal] = []

    def result(self) -> Imported:
        both = merged(*[self._steps(training) for training in (False, True)])
        if self.refusals:
            raise self._error(_told(self.refusals))
        faults = [*both.faults, *self._faults(both.steps)]
        if faults:
            raise self._error(faults)
        return self._imported(both)

    def _steps(self, training: bool) -> tuple[list[ReadStep], list[tuple[str, int]]]:
        program = self.programs.of(training)
        read = read_program(program, self._elsewhere(program, training), self.tensors, self.fixed)
        outputs = [(name, view.at) for name, view in read.outputs]
        steps = simplified(read.trace.steps, [at for _, at in outputs])
        found = read.refusals or [
            Refusal(operator_of(each.origin), _REASONS.get(str(each.op), ""), each.origin)
            for each in steps
            if not each.is_layer
        ]
        known = {_key(each) for each in self.refusals}
        self.refusals += [each for each in found if _key(each) not in known]
        return steps, outputs

    def _elsewhere(self, program: ExportedProgram, training: bool) -> ExportedProgram | None:
        """Return the program for inputs of another size, if any argument may depend on the size; else None."""
        if not any(may_follow(node) for node in program.graph.nodes):
            return None
        for more in ((11, 27), (32, 64)):
            try:
                found = exported(self.module, [_larger(each, more) for each in self.shapes], training)
            except Exception:
                continue
            if _operators(found) == _operators(program):
                return found
        return None

    def _error(self, faults: Iterable[ImportFault | str]) -> RefusedError:
        several = [ImportFault(each) if isinstance(each, str) else each for each in faults]
        return RefusedError(f"{type(self.module).__name__} cannot be written as a program", several)

    def _faults(self, steps: Sequence[ReadStep]) -> Iterator[str]:
        """Yield messages for tensors that differ between a layer and the module, or that no layer has."""
        read = {name for step in steps for name in step.tensors.values()}
        yield from _shared_otherwise(steps)
        for step in steps:
            if step.tensors and not prefix(step):
                names = ", ".join(f"{name} for `{key}`" for key, name in step.tensors.items())
                kind = step.op.kind() if isinstance(step.op, Layer) else step.op
                yield f"{kind} has tensors with other names than a layer's: {names}"
        for path in dict.fromkeys(name.rpartition(".")[0] for name in sorted(read)):
            part = next((each for each in path.split(".") if each and why_not(each)), "")
            if part:
                yield f"{path}: `{part}` cannot be the name of a part: {why_not(part)}; rename it in the class"
        unread = [name for name in self.state if name not in read and not name.endswith(".num_batches_tracked")]
        tensors = self.module.state_dict(keep_vars=True)
        names = {id(tensors[name]): name for name in read if name in tensors}
        for name in [each for each in unread if id(tensors[each]) in names]:
            unread.remove(name)
            yield f"{name} is {names[id(tensors[name])]}, and a program gives a tensor one name"
        if unread:
            yield f"nothing reads {', '.join(unread[:5])}{' …' * (len(unread) > 5)} ({len(unread)} tensors)"

    def _imported(self, both: BothModes) -> Imported:
        modules = dict(cast("Iterable[tuple[str, nn.Module]]", self.module.named_modules()))
        inner = {path for path, each in modules.items() if any(True for _ in each.children()) or _has_tensors(each)}
        names = paths(both.steps, inner)
        lines = [f"{names[step.number]}: {line_of(step.origin)}" for step in both.steps]
        made = FlatGraph(Source(type(self.module).__name__, "\n".join(lines)))
        numbers: dict[int, int] = {}
        uses = first_uses(both.steps)
        place = 0
        for step, line in zip(both.steps, lines, strict=True):
            inputs = [numbers[at] for at in step.inputs]
            path = names[step.number]
            if not step.inputs:
                numbers[step.number] = made.input(step.shape, place, path=path)
            else:
                assert isinstance(step.op, Layer)
                is_extra = step.number in both.for_training
                layer = with_state(step.op, step.tensors, self.parameters)
                first = numbers[uses[step.number]] if step.number in uses else -1
                made_at = made.add(layer, inputs, place, path=path, training_only=is_extra, weights_of=first)
                numbers[step.number] = made_at
            place += len(line) + 1
        outputs = [(name, numbers[at]) for name, at in both.outputs]
        taps = [(name, numbers[at]) for name, at in both.taps]
        graph = made.graph(outputs, _input_names(both, names), taps)
        tensors = [(node, each) for node in graph.layers for each in graph.tensors(node)]
        self._compare({each.entry(node.path): each.shape for node, each in tensors if each.persistent})
        params = sum(each.numel() for each in self.parameters.values())
        return Imported(graph, params, tuple(self._notes(graph)))

    def _notes(self, graph: Graph) -> Iterator[str]:
        """Yield notes on properties of the module's parameters that no program can express."""
        learned = {each.entry(node.path): each.learns for node in graph.layers for each in graph.tensors(node)}
        kept = [name for name, each in self.parameters.items() if not each.requires_grad and learned[name]]
        if kept:
            yield f"{len(kept)} parameters are not trained in the module, and are in the program: {', '.join(kept[:3])}"

    def _compare(self, found: Mapping[str, tuple[int, ...]]) -> None:
        """Raise CnnError if the tensors of the graph differ from those of the module."""
        faults = [
            f"{name} is {self.tensors.get(name, 'missing')}, but the layer has {extents}"
            for name, extents in found.items()
            if self.tensors.get(name, extents) != extents or (name not in self.tensors)
        ]
        faults += [f"{name} is in no layer" for name in self.state if name not in found]
        if faults:
            raise self._error(faults)


def _shared_otherwise(steps: Sequence[ReadStep]) -> Iterator[str]:
    """Yield messages for tensors that are used by two layers that differ in more than their input."""
    known: dict[str, ReadStep] = {}
    for step in steps:
        for name in step.tensors.values():
            first = known.setdefault(name, step)
            if first.op != step.op or dict(first.tensors) != dict(step.tensors):
                kinds = [each.op.kind() if isinstance(each.op, Layer) else each.op for each in (first, step)]
                yield f"{name} is used by two layers, {kinds[0]} and {kinds[1]}, that differ in more than their input"


def _has_tensors(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False)) or any(True for _ in module.buffers(recurse=False))


def _operators(program: ExportedProgram) -> list[str]:
    """Return a program's operators in order: code may take another branch for inputs of another size."""
    return [str(node.target) for node in program.graph.nodes if node.op == "call_function"]


def _input_names(both: BothModes, paths: Mapping[int, str]) -> list[str]:
    """Return the names that `forward` gives to several inputs, unless something else has such a name."""
    inputs = [step for step in both.steps if not step.inputs]
    taken = {path.partition(".")[0] for path in paths.values()} | {name for name, _ in (*both.outputs, *both.taps)}
    found = [str(each.origin.target) for each in inputs]
    is_free = all(each.isidentifier() and each.isascii() and not iskeyword(each) for each in found)
    return found if is_free and len(set(found)) > 1 and not taken & set(found) else []


def _larger(shape: Shape, more: tuple[int, ...]) -> Shape:
    return Shape(shape.channels, tuple([size + more[at % 2] for at, size in enumerate(shape.spatial)]))


def _key(refusal: Refusal) -> tuple[str, str, str]:
    return refusal.name, refusal.reason, line_of(refusal.origin)


def _told(refusals: Sequence[Refusal]) -> list[ImportFault]:
    """Return one fault for each operator and reason, with its number of occurrences and its first location."""
    counted = Counter(map(_key, refusals))
    first = {_key(each): each for each in reversed(refusals)}
    found: list[ImportFault] = []
    for (name, reason, line), often in counted.items():
        module = module_of(first[name, reason, line].origin)[0] or "the network itself"
        found.append(ImportFault(f"{name} ({reason})" if reason else name, often, module, line))
    return found
