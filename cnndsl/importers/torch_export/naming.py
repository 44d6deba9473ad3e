"""The path of each step: that of its tensors, else of its module, or the module's path and a name for the function."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set

from cnndsl.importers.torch_export.applications import call_paths, first_uses, plain
from cnndsl.importers.torch_export.origins import module_of
from cnndsl.importers.torch_export.steps import ReadStep
from cnndsl.layers.base import Layer


def paths(steps: Iterable[ReadStep], inner: Set[str]) -> Mapping[int, str]:
    """Return the path of each step, all of them different.

    A module without tensors and submodules that is a single step gives its path to the step. The second call is
    `relu@2`; a function is named by its type in the module around it, `layer1.0.relu`, a second one `layer1.0.relu_2`.

    Args:
        steps: The steps of a program, in order.
        inner: the paths of modules that have submodules or tensors.
    """
    several = list(steps)
    weighted = {path for each in several if each.tensors for path in _around(prefix(each))}
    places = call_paths(several, weighted)
    uses = first_uses(several)
    calls = Counter(module_of(each.origin) for each in several if not each.tensors)
    found = {each.number: prefix(each) for each in several if each.tensors and each.number not in uses}
    taken = set(found.values())
    for each in several:
        if each.number in uses:
            name = _inside(places[each.number], prefix(each))
        elif each.tensors or not each.inputs:
            continue
        else:
            module, _ = place = module_of(each.origin)
            is_module = module and module not in inner and calls[place] == 1
            module = _inside(places[each.number], module)
            kind = each.op.kind().lower() if isinstance(each.op, Layer) else each.op
            name = module if is_module else f"{module}.{kind}" if module else kind
            found[each.number] = _free(name, "@" if is_module else "_", taken)
            taken.add(found[each.number])
            continue
        found[each.number] = _free(name, "@", taken)
        taken.add(found[each.number])
    inputs = [each.number for each in several if not each.inputs]
    return {**found, **{at: f"input{at + 1}" if len(inputs) > 1 else "input" for at in inputs}}


def _around(path: str) -> list[str]:
    """Return a path and those of the modules around it."""
    parts = path.split(".")
    return [".".join(parts[:at]) for at in range(1, len(parts) + 1)]


def _inside(call: str, path: str) -> str:
    """Return a path in a module, with the number of that module's call."""
    module = plain(call)
    if not module or path == module:
        return call or path
    return f"{call}{path[len(module) :]}" if path.startswith(f"{module}.") else path


def _free(name: str, sign: str, taken: Set[str]) -> str:
    number, free = 2, name
    first = re.sub(r"@\d+$", "", name) if sign == "@" else name
    while free in taken:
        free, number = f"{first}{sign}{number}", number + 1
    return free


def prefix(step: ReadStep) -> str:
    """Return the common prefix of the names of a step's tensors; empty if they aren't named as in the layer."""
    found = {_without(key, name) for key, name in step.tensors.items()}
    return found.pop() if len(found) == 1 else ""


def _without(key: str, name: str) -> str:
    if not key:
        return name
    return name[: -len(key) - 1] if name.endswith(f".{key}") else ""
