"""Whether two PyTorch modules are the same network: programs are compared, then numbers.

At initial weights equal outputs prove little: the last scale of a residual block is often zero, and whatever is in
front of it does not show. So both modules are exported, in evaluation and in training, and their graphs compared.
`sizes` and `views` have the forms of extents and of rearranged tensors, `table` the values of both programs, each once,
`points` the sizes at which they are compared. `pointwise`, `rearranging`, `parts`, `padding`, `windows` and
`normalising` know what operators compute, and write all spellings of it alike; what they do not know is compared word
by word. `program` reads a graph, `compare` tells how two differ, `verifying` does it for two modules. `numbers` runs
both with random weights.
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
