"""Run `torch.export` on a module, in evaluation or in training, without changing the module."""

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
"""Images in a batch: with 1, `view(batch, …)` would be ambiguous, and BN of vectors has no statistics."""


class ExportError(Exception):
    """The code raises an exception, or `torch.export` cannot trace it; the message is one line."""


class ModulePrograms:
    """The programs of a module for inputs of these shapes, in evaluation and in training, each exported once."""

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
    """Export a module for inputs of these shapes as a program of ATen operators.

    The module is left unchanged. It may be on the meta device, or made under a fake tensor mode of torch.

    Args:
        dynamic: whether the input sizes are symbols. TensorFlow's padding turns them into expressions that take
            minutes.

    Raises:
        ExportError: if the module's code or `torch.export` raises.
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
    """Return a one-line message for an exception, with its location in code outside torch."""
    frames = [each for each in extract_tb(stop.__traceback__) if f"{sep}torch{sep}" not in each.filename]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames[1:] else ""
    lines = [each for each in str(stop).splitlines() if each.strip()]
    if "DataDependent" in type(stop).__name__:
        return f"its code branches on the values of a tensor, which a program cannot{place}; remove the `if`"
    return f"{type(stop).__name__}: {' '.join(lines[0].split())[:200] if lines else 'it gave no reason'}{place}"


def _mode(tensor: Tensor | None) -> AbstractContextManager[object]:
    """Return the fake tensor mode that made the module's tensors, if they are fake."""
    mode = getattr(tensor, "fake_mode", None)
    return nullcontext() if mode is None else mode


@contextmanager
def _quiet() -> Generator[None]:
    """Suppress torch's warnings, logs and prints about an operator that fails: the error reports it."""
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
    """Put the module into training or evaluation, and restore its mode afterwards."""
    before = [(each, each.training) for each in module.modules()]
    module.train(training)
    try:
        yield
    finally:
        for each, mode in before:
            each.training = mode
