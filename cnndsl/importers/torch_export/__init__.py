"""Modules of PyTorch: run once on tensors without values by `torch.export`, and read operator by operator.

Nothing here imports torch before a module is read.
"""

from cnndsl.importers.torch_export.exporting import ExportError, exported
from cnndsl.importers.torch_export.reader import read

__all__ = ["ExportError", "exported", "read"]
