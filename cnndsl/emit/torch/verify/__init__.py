"""Whether an emitted text is the graph that it was emitted from, without running it and without PyTorch.

The text is followed symbolically, in training and in evaluation: which modules its constructors make, which of them
`forward` calls on what. What comes out is compared with the graph layer by layer. Nothing here looks at how the
emitter works: what a layer must be is written down once more, from the language reference and PyTorch's documentation.

A block is followed once for each way in which it is made, and then replayed: the time grows with the number of layers
alone, so that networks of any size are compared whole.
"""

from __future__ import annotations

from cnndsl.emit.torch.verify.arguments import check_arguments
from cnndsl.emit.torch.verify.check import verify
from cnndsl.emit.torch.verify.differences import Difference, Verification

__all__ = ["Difference", "Verification", "check_arguments", "verify"]
