"""Convert a PyTorch module to the source of a program, which is verified before it is returned.

The source is compiled, the emitted module is exported like the original, and the two are compared operator by operator,
in evaluation and in training. Numerical results are compared second: see `torch_compare`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import deepcopy
from inspect import signature
from typing import TYPE_CHECKING, cast

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.finding import used
from cnndsl.importers.program import written
from cnndsl.importers.refused import ImportFault, RefusedError
from cnndsl.importers.torch_compare import (
    NumericDifference,
    ProgramDifference,
    UnreadableError,
    difference_of_exported,
    numeric_difference,
)
from cnndsl.importers.torch_export import ExportError, ModulePrograms, read_exported
from cnndsl.runtime.importing.targets import unsaved_buffers
from cnndsl.runtime.live import module as emitted
from cnndsl.shape import Shape
from cnndsl.syntax.parse import parse

if TYPE_CHECKING:
    from torch import nn


MOST_WEIGHTS = 200_000_000
"""Networks with more parameters are only compared as programs."""


def text_of_module(module: nn.Module, shapes: Sequence[Shape], origin: str) -> str:
    """Return the source of the program that describes a module.

    Args:
        module: The module. It is not changed.
        shapes: The shapes of the inputs.
        origin: Where it comes from, for the first line.

    Raises:
        CnnError: if the module cannot be written as a program, or the module emitted from the text differs.
    """
    modules = cast("Iterable[tuple[str, nn.Module]]", module.named_modules())
    classes = {path: type(each).__name__.lstrip("_") for path, each in modules if path}
    programs = ModulePrograms(module, shapes)
    try:
        text = written(read_exported(programs), origin, with_names=True, classes=classes)
        differences = _differences(programs, text)
    except (UnreadableError, ValueError, RuntimeError) as stop:
        raise CnnError(Diagnostic("E0505", f"the program of {origin} cannot be compared with it\n  {stop}")) from None
    except ExportError as stop:
        help = _inputs(module, shapes)
        raise CnnError(
            Diagnostic("E0505", f"torch.export fails on the code of {origin}\n  {stop}", help=help)
        ) from None
    if differences:
        faults = list(map(_fault, differences))
        heading = "the generated program differs from this network"
        raise RefusedError(heading, faults, said=differences, help="please report it with the code")
    return text


def _inputs(module: nn.Module, shapes: Sequence[Shape]) -> str:
    """Return the help for a module whose forward pass fails: the number of inputs it takes, or the shapes given."""
    parameters = [each for each in signature(module.forward).parameters.values() if each.kind is not each.VAR_KEYWORD]
    needed = [each.name for each in parameters if each.default is each.empty and each.kind is not each.VAR_POSITIONAL]
    is_open = any(each.kind is each.VAR_POSITIONAL for each in parameters)
    if len(shapes) < len(needed) or (len(shapes) > len(parameters) and not is_open):
        names = " and ".join(needed) or "nothing"
        return f"`forward` takes {names}, and --input gives {len(shapes)}: give one for each, in this order"
    given = " and ".join(map(str, shapes))
    return f"if the input is not {given}, HEIGHTxWIDTHxCHANNELS, another --input says so"


def _differences(programs: ModulePrograms, text: str) -> Sequence[ProgramDifference | NumericDifference]:
    """Return how the module emitted from a source differs."""
    import torch

    graph = elaborate(parse(Source("<import>", text)), {}, used)
    with torch.device("meta"):
        made = emitted(graph)
    if unsaved_buffers(made):
        made = emitted(graph)
    found = difference_of_exported(programs, made)
    if found or sum(each.numel() for each in programs.module.parameters()) > MOST_WEIGHTS:
        return found
    return numeric_difference(deepcopy(programs.module), made, programs.shapes)


def _fault(difference: ProgramDifference | NumericDifference) -> ImportFault:
    """Return a difference as an entry of a report, with its location in the original."""
    if isinstance(difference, NumericDifference):
        return ImportFault(str(difference))
    module, _, line = difference.original.rpartition(", ")
    file = re.split(r"[/\\]", line)[-1]
    return ImportFault(f"in {difference.mode}: {difference.said}", module=module, line=file)
