"""What must hold after each step of the emitter, checked for one network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.emit.torch.classes import Classes
from cnndsl.emit.torch.ir import (
    Apply,
    BranchStep,
    Build,
    Compute,
    Forward,
    ModuleClass,
    RepeatStep,
    Step,
    Training,
    key,
    node_of,
    what_of,
)
from cnndsl.emit.torch.operators import UnknownName
from cnndsl.emit.torch.parameters import offered
from cnndsl.emit.torch.restart import Fixed
from cnndsl.emit.torch.source import source
from cnndsl.emit.torch.steps import made_by, used_by
from cnndsl.emit.torch.terms import evaluate, names
from cnndsl.emit.torch.walk import in_order, modules_of
from cnndsl.graph import CallPart, Graph, LayerPart, walk
from cnndsl.layers.base import TorchFunction

_CLASS = re.compile(r"^(class (\w+))(\((?:.+\n|\n(?= ))*)", re.MULTILINE)
_DOCSTRING = re.compile(r'"""(?:.|\n)*?"""')


def classes_of(graph: Graph) -> tuple[Classes, list[ModuleClass]]:
    """The classes of a network, those that use others after these."""
    arguments = offered(graph)
    while True:
        classes = Classes(graph, arguments)
        try:
            return classes, in_order(classes.root())
        except Fixed as fixed:
            arguments -= {name for name, python in classes.offered.items() if {python, f"::{python}"} & fixed.names}


def check(graph: Graph) -> int:
    """Asserts what holds after tracing and after building; returns the number of classes."""
    classes, found = classes_of(graph)
    for cls in found:
        assert (cls.chain is None) != (cls.forward is None)
        if cls.forward is not None:
            check_values(cls.forward)
            check_reads(classes, cls)
        check_arguments(cls)
    check_instances(found)
    check_texts(graph)
    return len(found)


def check_texts(graph: Graph) -> None:
    """No two classes of the file have the same text, comments and their own names aside. Blocks that the program names
    are classes of their own, and labels of different words."""
    blocks = {part.block for part in walk(graph.tree) if isinstance(part, CallPart)}
    seen: dict[str, str] = {}
    for _, name, body in _CLASS.findall(source(graph)):
        text = "".join(re.sub(r"(?<=  )# .*", "", _DOCSTRING.sub("", body, count=1)).replace(",\n", "\n").split())
        other = seen.setdefault(text, name)
        assert other == name or name in blocks or name.rstrip("0123456789") != other.rstrip("0123456789"), (other, name)


def check_values(forward: Forward) -> None:
    """Every value is defined once and before it is read; results and outputs of training are defined."""
    known = set(forward.inputs)
    made = list(all_made(forward.steps))
    assert len(made) == len(set(made))
    assert not known & set(made)
    _defined(forward.steps, known)
    assert set(forward.results) <= known
    assert forward.training <= set(forward.results)


def all_made(steps: Sequence[Step]) -> Iterator[int]:
    for step in steps:
        if isinstance(step, BranchStep):
            yield from all_made((*step.then, *step.otherwise))
        if isinstance(step, Training):
            yield from all_made(step.steps)
        else:
            yield from made_by(step)


def _defined(steps: Sequence[Step], known: set[int]) -> None:
    for step in steps:
        assert set(used_by(step)) <= known
        if isinstance(step, BranchStep):
            for way, end in ((step.then, step.chosen), (step.otherwise, step.other)):
                inside = set(known)
                _defined(way, inside)
                assert end in inside
        elif isinstance(step, Training):
            inside = set(known)
            _defined(step.steps, inside)
            assert set(step.outputs) <= inside
        known.update(made_by(step))


def check_reads(classes: Classes, cls: ModuleClass) -> None:
    """Every layer and merge is computed from the values that the graph says, at every place that has it."""
    graph, forward = classes.graph, cls.forward
    assert forward is not None
    children = classes.traced[id(cls)].children
    check_lists(forward)
    for step in _flat(forward.steps):
        if isinstance(step, Apply):
            for place, part in children[step.child].parts.items():
                if not isinstance(part, LayerPart):
                    continue
                given = [forward.values[value].keys[place] for value in step.inputs]
                made = forward.values[step.outputs[0]].keys[place]
                assert made is not None
                at = node_of(made)
                assert made == key(at)
                assert module_of(graph, at) == module_of(graph, part.node)
                assert tuple(given) == classes.borders.reads(at)
        elif isinstance(step, Compute):
            for place, what in enumerate(forward.values[step.output].keys):
                if what is None or what_of(what) != "value":
                    continue
                if not isinstance(classes.borders.made(node_of(what)), TorchFunction):
                    continue
                given = [each for value in step.inputs for each in held(forward, value, place)]
                reads = [key(at) for at in graph.nodes[node_of(what)].inputs]
                assert given == reads or step.operation in ("flatten", "mean", "size") or given == [what]


def check_lists(forward: Forward) -> None:
    """What the last module of a list gives is the end of the list of values."""
    for step in forward.steps:
        if isinstance(step, RepeatStep):
            listed, last = (forward.values[value] for value in step.outputs)
            assert [items[-1] for items in listed.items] == [*last.keys]


def held(forward: Forward, value: int, place: int) -> tuple[int | None, ...]:
    """What a value is at a place: all that a list holds, or the one value of the graph."""
    found = forward.values[value]
    return found.items[place] if found.items else (found.keys[place],)


def module_of(graph: Graph, node: int) -> int:
    """The node whose module a node applies: another one in a part that is applied again."""
    first = graph.nodes[node].weights_of
    return node if first < 0 else first


def _flat(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, BranchStep):
            yield from _flat((*step.then, *step.otherwise))
        elif isinstance(step, Training):
            yield from _flat(step.steps)


def check_arguments(cls: ModuleClass) -> None:
    """What the constructor of a class mentions is an argument, or a variable of its own."""
    arguments = {parameter.name for parameter in cls.parameters}
    for environment in cls.environments:
        assert arguments <= set(environment)
    for flag in cls.flags:
        assert {name for name in names(flag.test) if not name.endswith("()")} <= arguments
    for guard in cls.guards:
        assert guard.names <= arguments


def check_instances(found: Sequence[ModuleClass]) -> None:
    """Each instance of a class with a `forward` gets, at every place, what the class was made for there."""
    for cls in found:
        for child in cls.children:
            build = child.module
            if isinstance(build, Build) and isinstance(build.callee, ModuleClass):
                _instance(cls, build, build.callee)
        for build in modules_of(cls):
            if isinstance(build.callee, ModuleClass):
                assert len(build.arguments) <= len(build.callee.parameters)


def _instance(cls: ModuleClass, build: Build, callee: ModuleClass) -> None:
    positional = [each.name for each in callee.parameters]
    given = {each.keyword or positional[at]: each.term for at, each in enumerate(build.arguments)}
    for path, place in cls.places.items():
        inside = [at for at in callee.places if at.startswith(f"{path}.") or not path]
        for at in inside:
            try:
                values = {name: evaluate(term, cls.environments[place]) for name, term in given.items()}
            except UnknownName:
                continue
            wanted = callee.environments[callee.places[at]]
            if len(inside) == 1:
                assert all(wanted[name] == value for name, value in values.items())
