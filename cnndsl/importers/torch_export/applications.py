"""Modules that are called several times: the call that each step belongs to, and the layers that share weights.

The second call of `tower` is named `tower@2`, as in a program with `again tower`, and a layer in it `tower@2.conv`. A
module counts as called again if both calls run the same layers on one value each. Otherwise only its parts do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from cnndsl.importers.torch_export.origins import calls_around
from cnndsl.importers.torch_export.steps import ReadStep

Steps = Sequence[ReadStep]


def first_uses(steps: Steps) -> Mapping[int, int]:
    """Map each step that uses the tensors of an earlier step to the number of that earlier step."""
    known: dict[object, int] = {}
    found: dict[int, int] = {}
    for step in steps:
        if step.tensors:
            first = known.setdefault(_tensors(step), step.number)
            if first != step.number:
                found[step.number] = first
    return found


def _tensors(step: ReadStep) -> object:
    return tuple(sorted(step.tensors.items()))


def call_paths(steps: Steps, weighted: Set[str]) -> Mapping[int, str]:
    """Return the path of the module in which each step runs, with the number of the call if it is called again.

    Args:
        steps: The steps of a program, in order.
        weighted: The paths of modules that have tensors; other modules are omitted.
    """
    return _CallTree(steps, weighted).paths()


class _CallTree:
    def __init__(self, steps: Steps, weighted: Set[str]) -> None:
        self.steps, self.weighted = steps, set(weighted)
        self.uses = first_uses(steps)

    def paths(self) -> Mapping[int, str]:
        """Return the paths, omitting modules whose calls are not alike."""
        while True:
            found = self._paths()
            unlike = self._unlike(found)
            if not unlike:
                return found
            self.weighted -= unlike

    def _paths(self) -> dict[int, str]:
        numbers: dict[tuple[str, str], list[str]] = defaultdict(list)
        found: dict[int, str] = {}
        for step in self.steps:
            module = here = ""
            for path, key in calls_around(step.origin):
                if path not in self.weighted:
                    continue
                if module and not path.startswith(f"{module}."):
                    module = here = ""
                calls = numbers[here, path]
                if key not in calls:
                    calls.append(key)
                number = calls.index(key) + 1
                name = path[len(module) + 1 :] if module else path
                here = f"{here}.{name}" if here else name
                here += f"@{number}" if number > 1 else ""
                module = path
            found[step.number] = here
        return found

    def _unlike(self, found: Mapping[int, str]) -> set[str]:
        """Return the modules with two calls that run different layers, and those whose first call isn't the first to
        use one of their tensors."""
        inside: dict[str, list[ReadStep]] = defaultdict(list)
        unlike: set[str] = set()
        for step in self.steps:
            parts = found[step.number].split(".")
            for at in range(1, len(parts) + 1):
                inside[".".join(parts[:at])].append(step)
            if step.tensors and step.number not in self.uses:
                at = next((at for at, part in enumerate(parts) if "@" in part), -1)
                unlike |= {".".join(parts[: at + 1])} if at >= 0 else set()
        for path, several in inside.items():
            if "@" in path.rpartition(".")[2] and not _are_alike(inside[path.rpartition("@")[0]], several):
                unlike.add(path)
        return {plain(each) for each in unlike}


def _are_alike(first: Steps, second: Steps) -> bool:
    """Return whether two calls run the same layers and read the same values, except for their one input."""
    one, other = _form(first), _form(second)
    return one[0] == other[0] and sum(a != b for a, b in zip(one[1], other[1], strict=True)) <= 1


def _form(steps: Steps) -> tuple[object, list[int]]:
    """Return what some steps compute, and the outside values that they read."""
    places = {step.number: at for at, step in enumerate(steps)}
    outside: list[int] = []
    found: list[object] = []
    for step in steps:
        inputs: list[int] = []
        for at in step.inputs:
            if at not in places and at not in outside:
                outside.append(at)
            inputs.append(places[at] if at in places else -1 - outside.index(at))
        found.append((step.op, _tensors(step), tuple(inputs)))
    return found, outside


def plain(path: str) -> str:
    """Return a path without the call numbers.

    >>> plain("net@2.conv@3")
    'net.conv'
    """
    return ".".join(part.partition("@")[0] for part in path.split("."))
