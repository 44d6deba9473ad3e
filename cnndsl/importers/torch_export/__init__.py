"""Import PyTorch modules: trace them once with `torch.export` on tensors without values, then read each operator.

This package does not import torch until a module is read.
"""

from cnndsl.importers.torch_export.exporting import ExportError, ModulePrograms, exported
from cnndsl.importers.torch_export.reader import read, read_exported

__all__ = ["ExportError", "ModulePrograms", "exported", "read", "read_exported"]
