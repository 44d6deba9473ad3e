"""Compare two modules in evaluation and in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cnndsl.importers.torch_compare.compare import ProgramDifference, program_difference
from cnndsl.importers.torch_compare.program import outputs_of
from cnndsl.importers.torch_export.exporting import ModulePrograms, exported
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch import nn
    from torch.export import ExportedProgram


def module_difference(
    original: nn.Module, emitted: nn.Module, shapes: Sequence[Shape], *, dynamic: bool = False
) -> list[ProgramDifference]:
    """List how two modules differ as programs, in evaluation and then in training; empty if they do not.

    The modules may be on the meta device: weights are not read. Outputs that only training has are those of auxiliary
    heads, and may come in another order. With `dynamic`, the input sizes are symbols: this also finds differences that
    only occur at other sizes, and takes longer.

    Raises UnreadableError if a program does something that cannot be compared, and any exception that the modules' own
    code raises.
    """
    modules = (original, emitted)
    return _differences([partial(exported, each, shapes, dynamic=dynamic) for each in modules])


def difference_of_exported(original: ModulePrograms, emitted: nn.Module) -> list[ProgramDifference]:
    """List how a module differs from one whose programs are already exported, as `module_difference` does."""
    return _differences([original.of, partial(exported, emitted, original.shapes)])


def _differences(of_mode: Sequence[Callable[[bool], ExportedProgram]]) -> list[ProgramDifference]:
    found: list[ProgramDifference] = []
    outputs: int | None = None
    for training in (False, True):
        one, other = (each(training) for each in of_mode)
        outputs = outputs_of(one) if outputs is None else outputs
        mode = "training" if training else "evaluation"
        found += (replace(each, mode=mode) for each in program_difference(one, other, outputs))
    return found
