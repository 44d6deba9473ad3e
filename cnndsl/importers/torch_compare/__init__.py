"""Check whether two PyTorch modules are the same network: compare their programs, then their numerical results.

With initial weights, equal outputs prove little: the last scale of a residual block is often zero and hides everything
before it. So both modules are exported, in evaluation and in training, and their graphs compared. `sizes` and `views`
define normal forms of sizes and of rearranged tensors, `table` holds the values of both programs, each once, and
`points` the input sizes at which they are compared. `pointwise`, `rearranging`, `parts`, `padding`, `windows` and
`normalising` know what operators compute, and give all spellings of it one form; other operators are compared
literally. `program` reads a graph, `compare` lists the differences between two, `verifying` does it for two modules.
`numbers` runs both with random weights.
"""

from __future__ import annotations

from cnndsl.importers.torch_compare.compare import ProgramDifference, program_difference
from cnndsl.importers.torch_compare.numbers import NumericDifference, numeric_difference
from cnndsl.importers.torch_compare.program import UnreadableError
from cnndsl.importers.torch_compare.verifying import difference_of_exported, module_difference

__all__ = [
    "NumericDifference",
    "ProgramDifference",
    "UnreadableError",
    "difference_of_exported",
    "module_difference",
    "numeric_difference",
    "program_difference",
]
