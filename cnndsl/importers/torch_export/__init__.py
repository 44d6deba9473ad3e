"""Modules of PyTorch: run once on tensors without values by `torch.export`, and read operator by operator.

Nothing here imports torch before a module is read.
"""

from cnndsl.importers.torch_export.exporting import ExportError, ModulePrograms, exported
from cnndsl.importers.torch_export.reader import read, read_exported

__all__ = ["ExportError", "ModulePrograms", "exported", "read", "read_exported"]
