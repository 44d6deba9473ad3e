"""`torch.export` of a module, in evaluation or in training, without changing it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from io import StringIO
from itertools import chain
from os import sep
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING

from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

BATCH = 2
"""Images in a batch: with one a `view(batch, …)` could mean something else, and BN of vectors has no statistics."""


class ExportError(Exception):
    """Code that stops where it is run, or that `torch.export` cannot follow; the message is one line."""


class ModulePrograms:
    """What a module computes from inputs of these shapes, in evaluation and in training, each exported once."""

    def __init__(self, module: nn.Module, shapes: Sequence[Shape]) -> None:
        self.module = module
        self.shapes = shapes
        self._known: dict[bool, ExportedProgram] = {}

    def of(self, training: bool) -> ExportedProgram:
        """Return the program of a mode. Raises ExportError, see `exported`."""
        if training not in self._known:
            self._known[training] = exported(self.module, self.shapes, training)
        return self._known[training]


def exported(
    module: nn.Module, shapes: Sequence[Shape], training: bool = False, *, dynamic: bool = False
) -> ExportedProgram:
    """Return what a module computes from inputs of these shapes, as operators of ATen.

    The module is as before afterwards. It may be on the meta device, or made under a fake mode of torch.

    Args:
        dynamic: whether extents of inputs are symbols. TensorFlow's padding makes expressions of them that take
            minutes.

    Raises:
        ExportError: where the module's code, or `torch.export`, stops.
    """
    import torch
    from torch.export import Dim, export

    first = next(chain(module.parameters(), module.buffers()), None)
    with _mode(first), _set(module, training), _quiet():
        floats = (each.dtype for each in module.parameters() if each.dtype.is_floating_point)
        device = first.device if first is not None else torch.device("cpu")
        kind = next(floats, torch.get_default_dtype())
        inputs = tuple([torch.empty(BATCH, x.channels, *x.spatial, dtype=kind, device=device) for x in shapes])
        axes = tuple([{2 + axis: Dim.AUTO for axis in range(x.rank)} for x in shapes])
        try:
            return export(module, inputs, dynamic_shapes=axes if dynamic else None, strict=False)
        except Exception as stop:
            raise ExportError(_told(stop)) from stop


def _told(stop: Exception) -> str:
    """What stopped, in a line, and where in the code that is not torch's."""
    frames = [each for each in extract_tb(stop.__traceback__) if f"{sep}torch{sep}" not in each.filename]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames[1:] else ""
    lines = [each for each in str(stop).splitlines() if each.strip()]
    if "DataDependent" in type(stop).__name__:
        return f"its code branches on the values of a tensor, which a program cannot{place}; remove the `if`"
    return f"{type(stop).__name__}: {' '.join(lines[0].split())[:200] if lines else 'it gave no reason'}{place}"


def _mode(tensor: Tensor | None) -> AbstractContextManager[object]:
    """The mode that made the module's tensors, where they are fake."""
    mode = getattr(tensor, "fake_mode", None)
    return nullcontext() if mode is None else mode


@contextmanager
def _quiet() -> Generator[None]:
    """Without torch's warnings, and what it logs and prints of an operator that fails: the error says it."""
    names = ("_subclasses.fake_tensor", "fx.experimental.symbolic_shapes")
    loggers = [logging.getLogger(f"torch.{name}") for name in names]
    before = [each.disabled for each in loggers]
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        for each in loggers:
            each.disabled = True
        try:
            yield
        finally:
            for each, was_disabled in zip(loggers, before, strict=True):
                each.disabled = was_disabled


@contextmanager
def _set(module: nn.Module, training: bool) -> Generator[None]:
    """The module in training or in evaluation, and as it was afterwards."""
    before = [(each, each.training) for each in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for each, mode in before:
            each.training = mode
