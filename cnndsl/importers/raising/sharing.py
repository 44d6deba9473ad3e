"""Turn modules of equal structure into blocks: each module calls one block, with the differences as arguments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cnndsl.importers.raising.blocks import WordCount
from cnndsl.importers.raising.labels import implicit
from cnndsl.importers.raising.scopes import with_values
from cnndsl.importers.raising.solving import Unified
from cnndsl.importers.raising.terms import (
    IMPLICIT,
    CallTerm,
    ChoiceTerm,
    GroupTerm,
    LayerTerm,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RaisedTerm,
    TermBlock,
    TermChain,
    TermProgram,
    TermValue,
)
from cnndsl.importers.raising.unify import skeleton, unified
from cnndsl.importers.raising.variants import joined
from cnndsl.importers.raising.walks import inner, key, parts, with_parts
from cnndsl.records import record

_VARIANTS = 12
"""The maximum number of different modules that one block may replace."""
APART = 1.05
"""The factor by which a program may be longer if modules of one class share a block and some lack parts of others."""
_FEW_TESTS = 4
"""The number of tests in a block that are easy to follow."""
_LEAST = 4
"""The minimum number of words of a module that justifies a block."""


@record(slots=True)
class _Module:
    """A module that may become a call: its location and its body, in which outside values have negative numbers."""

    step: PlacedTerm
    group: GroupTerm
    body: TermChain


def with_shared(
    program: TermProgram, cost: WordCount, classes: Mapping[str, str], with_tests: bool
) -> tuple[TermProgram, Mapping[str, list[str]]]:
    """Return the program with blocks for modules of equal structure, and the paths of the modules that became calls.

    Args:
        program: Chains with modules in them.
        cost: Returns the cost of a program, in words.
        classes: The names of the classes of modules, by their paths.
        with_tests: Whether modules may share a block if some lack parts of the others.
    """
    paths: dict[str, list[str]] = {}
    refused: set[object] = set()
    least = cost(program)
    if with_tests:
        program, least = _with_variants(program, cost, classes, paths)
    while True:
        for mark, several in _candidates(program):
            if mark in refused:
                continue
            noted: dict[str, list[str]] = {}
            made = _shared(program, several, noted)
            if made is not None and (words := cost(made)) < least:
                paths |= noted
                program, least = made, words
                break
            refused.add(mark)
        else:
            return program, paths


def _with_variants(
    program: TermProgram, cost: WordCount, classes: Mapping[str, str], paths: dict[str, list[str]]
) -> tuple[TermProgram, int]:
    """Return the program with blocks for modules that differ only in parts that some lack, and its cost."""
    least = cost(program)
    done: set[object] = set()
    waiting = _alike(program, classes)
    while waiting:
        mark, several = waiting.pop(0)
        done.add(mark)
        noted: dict[str, list[str]] = {}
        made = _varied(program, several, noted)
        if made is not None and (words := cost(made)) < least * _slack(program, made):
            program, least = made, words
            paths |= noted
            waiting = [each for each in _alike(program, classes) if each[0] not in done]
    return program, least


def _slack(program: TermProgram, made: TermProgram) -> float:
    """Return the factor by which a program with one block per class may be longer: 1 if it has many tests."""
    tests = [sum(isinstance(step.term, ChoiceTerm) for step in _all_steps(each)) for each in (program, made)]
    return APART if tests[1] - tests[0] <= _FEW_TESTS else 1


def _alike(program: TermProgram, classes: Mapping[str, str]) -> list[tuple[object, list[_Module]]]:
    """Return modules of one class, or with the same names in them, that are not all equal, the largest first."""
    found: dict[object, list[_Module]] = defaultdict(list)
    for step in _all_steps(program):
        if isinstance(step.term, GroupTerm):
            mark = classes.get(step.term.path) or _names(step.term.body)
            if mark and mark not in ("Sequential", "ModuleList"):
                found[mark].append(_without_numbers(step, step.term))
    several: list[tuple[int, object, list[_Module]]] = []
    for mark, modules in found.items():
        if 1 < len({skeleton(each.body) for each in modules}) <= _VARIANTS:
            several.append((sum(_size(each.body) for each in modules), mark, modules))
    return [(mark, modules) for _, mark, modules in sorted(several, key=lambda each: -each[0])]


def _names(body: TermChain) -> object:
    """Return the names in a module that are not numbers."""
    chains = [body, *(branch for step in body for branch in parts(step.term) if isinstance(step.term, MergeTerm))]
    return frozenset(step.name for chain in chains for step in chain if step.name and not step.name.isdigit())


def _varied(program: TermProgram, several: Sequence[_Module], paths: dict[str, list[str]]) -> TermProgram | None:
    """Return the program with one block for modules of which some lack parts of the others; None if impossible."""
    found = joined([each.body for each in several], [each.step.channels for each in several])
    if found is None:
        return None
    made = _replaced(program, several, found, paths)
    while True:
        modules = [_without_numbers(step, step.term) for step in _all_steps(made) if isinstance(step.term, GroupTerm)]
        first = next((each for each in modules if each.step.name == IMPLICIT), None)
        if first is None:
            return made
        mark = skeleton(first.body)
        alike = [each for each in modules if skeleton(each.body) == mark]
        shared = unified([each.body for each in alike], True, [each.step.channels for each in alike])
        if shared is None:
            return None
        made = _replaced(made, alike, shared, paths)


def _without_numbers(step: PlacedTerm, group: GroupTerm) -> _Module:
    """Return a module whose positional parts have no numbers as labels."""
    return _Module(step, group, implicit(_apart(group.body)))


def _all_steps(program: TermProgram) -> Iterator[PlacedTerm]:
    for chain in (*(chain for _, chain in program.chains), *(block.body for block in program.blocks)):
        yield from inner(chain)


def _candidates(program: TermProgram) -> list[tuple[object, list[_Module]]]:
    """Return groups of modules that may become one block, in order of decreasing expected savings."""
    found: dict[object, list[_Module]] = defaultdict(list)
    for step in _all_steps(program):
        if isinstance(step.term, GroupTerm):
            module = _Module(step, step.term, _apart(step.term.body))
            found[skeleton(module.body)].append(module)
    several: list[tuple[int, object, list[_Module]]] = []
    for mark, modules in found.items():
        size = _size(modules[0].body)
        if size < _LEAST or _is_container(modules[0].body):
            continue
        if len(modules) > 1:
            several.append((size * (len(modules) - 1), mark, modules))
            exact: dict[object, list[_Module]] = defaultdict(list)
            for each in modules:
                exact[key(each.body, with_numbers=False)].append(each)
            if len(exact) > 1:
                several += [(size * (len(each) - 1), mark, each) for mark, each in exact.items() if len(each) > 1]
    return [(mark, modules) for _, mark, modules in sorted(several, key=lambda each: -each[0])]


def _is_container(body: TermChain) -> bool:
    """Return whether a module only contains another one, which should become the block instead."""
    return len(body) == 1 and isinstance(body[0].term, GroupTerm)


def _apart(body: TermChain) -> TermChain:
    """Return the body of a module, with negative numbers for the values that it reads from outside."""

    def visit(value: TermValue, depth: int) -> TermValue:
        if not isinstance(value, NameRef) or value.up <= depth or value.name.endswith("*"):
            return value
        return NameRef(value.name, depth - value.up)

    return with_values(body, visit)


def _size(chain: TermChain) -> int:
    return sum(2 if isinstance(step.term, LayerTerm | CallTerm) else 1 for step in inner(chain))


def _shared(program: TermProgram, several: Sequence[_Module], paths: dict[str, list[str]]) -> TermProgram | None:
    """Return the program with a block for some modules; None if they cannot be unified."""
    entering = [each.step.channels for each in several]
    found = unified([each.body for each in several], has_channels=True, entering=entering)
    return None if found is None else _replaced(program, several, found, paths)


def _replaced(
    program: TermProgram, several: Sequence[_Module], found: Unified, paths: dict[str, list[str]]
) -> TermProgram:
    """Return the program with calls of a block in place of modules."""
    name = f"B{len(program.blocks) + 1}"
    paths[name] = [each.group.path for each in several]
    calls: dict[int, CallTerm] = {}
    for module, arguments in zip(several, found.arguments, strict=True):
        given = [(each.name, _around(value)) for each, value in zip(found.parameters, arguments, strict=True)]
        calls[id(module.group)] = CallTerm(name, tuple(given))
    main = tuple([(node, _with_calls(chain, calls)) for node, chain in program.chains])
    blocks = [TermBlock(each.name, each.parameters, _with_calls(each.body, calls)) for each in program.blocks]
    return TermProgram(main, (TermBlock(name, found.parameters, found.body), *blocks))


def _around(value: TermValue) -> TermValue:
    """Return a value that a module reads from outside, as it is named there."""
    return NameRef(value.name, -1 - value.up) if isinstance(value, NameRef) and value.up < 0 else value


def _with_calls(chain: TermChain, calls: Mapping[int, CallTerm]) -> TermChain:
    return tuple([step.over(_called(step.term, calls)) for step in chain])


def _called(term: RaisedTerm, calls: Mapping[int, CallTerm]) -> RaisedTerm:
    return calls.get(id(term)) or with_parts(term, lambda chain: _with_calls(chain, calls))
