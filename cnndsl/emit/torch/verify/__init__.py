"""Verifies that emitted source implements the graph it was emitted from, without running it and without PyTorch.

The source is followed symbolically, in training and in evaluation: which modules its constructors create, and on which
values `forward` calls them. The result is compared with the graph layer by layer. Nothing here depends on how the
emitter works: the requirements of each layer are written down again, from the language reference and PyTorch's
documentation.

A block is followed once for each way in which it is constructed, and then replayed. The time grows only with the number
of layers, so networks of any size are compared completely.
"""

from __future__ import annotations

from cnndsl.emit.torch.verify.arguments import check_arguments
from cnndsl.emit.torch.verify.check import verify
from cnndsl.emit.torch.verify.differences import Difference, Verification

__all__ = ["Difference", "Verification", "check_arguments", "verify"]
