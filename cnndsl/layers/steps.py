"""The operations of PyTorch that a layer consists of: what each saves for the backward pass, and in which type it runs.

Most layers are a single operation; LRN or LPPOOL are a chain of them. The memory of a training step follows from these
records for every data type, so a layer type needs to define them only once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from cnndsl.records import record

Autocast: TypeAlias = Literal["as is", "half", "full", "widest"]
"""What autocast does to the operands: nothing, a cast to 2 bytes, to 4 bytes, or to the widest of them."""

GradientMemory: TypeAlias = Literal["own", "handed on", "negated", "divided", "parts", "broadcast"]
"""The memory of an operand's gradient, in the order of the words: its own; that of the output's gradient if the numbers
of values agree; the same for the first operand only, because it is negated for the second; that of the quotient of the
output's gradient; a view of the output's gradient that does not fill a map of its own, such as a part or the same value
everywhere; memory as large and wide as the output, followed by a sum if the input was broadcast and a cast if it is
narrower."""

STATISTIC = -1
"""The size of a statistic: 4 bytes on a GPU; on the CPU as wide as the parameters or, without any, the input."""
PARAMETER = -2
"""The size of a value that has the type of the parameters."""
CAST = -3
"""The size of a value that only autocast creates, from something that is no value of the layer: 2 bytes, else none."""
SWITCH_BYTES = 8
"""The bytes of a maximum's position, an int64; kernels write it even if it is not needed."""


@record(slots=True)
class LayerStep:
    """One operation.

    `reads` are the values that it reads: those of the layer's inputs are numbered from 0, followed by the results of
    the steps, in order. `values` is the number of values of its result per image; a `view` shares the memory of the
    first value that it reads. `keeps` are the positions in `reads` of what autograd saves, `keeps_result` whether it
    saves the result; `extra`, `mask` and `copies` are as in `Saved`. A `product` saves of an operand only what the
    gradient of another operand needs. `tensors` are the positions of the parameters and buffers that it reads.
    `promotes` says that the result is as wide as the widest of operands and parameters. `gradient` describes the memory
    of an operand's gradient, and `scratch` the most values allocated temporarily: in the forward pass without
    gradients, and in the backward pass.
    """

    reads: tuple[int, ...] = (0,)
    values: int = 0
    view: bool = False
    keeps: tuple[int, ...] = ()
    keeps_result: bool = False
    extra: tuple[tuple[int, int, bool], ...] = ()
    mask: bool = False
    copies: bool = False
    product: bool = False
    tensors: tuple[int, ...] = ()
    autocast: Autocast = "as is"
    on_cuda: Autocast = "as is"
    promotes: bool = False
    gradient: GradientMemory = "own"
    scratch: tuple[int, int] = (0, 0)
    switches: bool = False
    """True if it saves the indices of the pooling that the layer inverts."""
    holds: tuple[int, ...] = ()
    """Values that a name in the module refers to until this step is done, besides those that it reads."""
    once: int = 0
    """Values as wide as the parameters that the backward pass allocates temporarily, once for all images."""
    flags: int = 0
    """Values of one byte that the backward pass allocates temporarily."""
    makes_all: bool = False
    """True if the backward pass also computes the gradient of an operand that does not need one."""
    viewed: bool = False
    """True if the output is a view of the result: the backward pass of what overwrites it makes two copies."""
    tensors_first: bool = False
    """True if parameters come before the values: autocast casts operands from the last to the first
    (ATen/autocast_mode.h, as GCC evaluates arguments), and the backward pass visits them in the opposite order."""
    recast: tuple[int, ...] = ()
    """The positions of parameters that it reads through a view, which autocast casts again each time."""
    inside: bool = False
    """True if it runs inside the next operation, which holds what autocast cast for it."""
    in_use: bool = True
    """True if the extra values are computed at inference as well."""
    fixed: bool = False
    """True if the values of the result are shared by all images, as for weights that are computed."""


def behind_copy(steps: tuple[LayerStep, ...], values: int) -> tuple[LayerStep, ...]:
    """Return the operations of a layer with one input after a copy of that input with `values` values.

    >>> [step.reads for step in behind_copy((LayerStep((0,)), LayerStep((0, 1))), 8)]
    [(0,), (1,), (1, 2)]
    """
    shifted = (replace(step, reads=tuple(read + 1 for read in step.reads)) for step in steps)
    return (
        LayerStep((0,), values, gradient="handed on"),
        *(replace(step, holds=tuple(read + 1 for read in step.holds)) for step in shifted),
    )


def pad(values: int, read: int = 0) -> LayerStep:
    """Return a copy among zeros, as `F.pad` makes it, with `values` values."""
    return LayerStep((read,), values)


def scalar(read: int, values: int, *, added: bool = False) -> LayerStep:
    """Return a value times a number; with `added` plus a number, whose gradient is passed on."""
    return LayerStep((read,), values, gradient="handed on" if added else "own")


def power(read: int, values: int) -> LayerStep:
    """Return a power with a fixed exponent: its gradient computes the next lower power and a multiple of it."""
    return LayerStep((read,), values, keeps=(0,), on_cuda="full", scratch=(0, 2 * values))


def product(left: int, right: int, values: int) -> LayerStep:
    """Return the product of two values."""
    return LayerStep((left, right), values, keeps=(0, 1), product=True, gradient="broadcast")


def quotient(left: int, right: int, values: int) -> LayerStep:
    """Return the quotient of two values, which is computed again for the gradient."""
    return LayerStep((left, right), values, keeps=(0, 1), gradient="broadcast", scratch=(0, 2 * values))


def summed(read: int, values: int) -> LayerStep:
    """Return a sum over an axis, whose gradient is the same value everywhere."""
    return LayerStep((read,), values, gradient="parts", on_cuda="full")


def absolute(read: int, values: int) -> LayerStep:
    """Return the absolute value; the sign is computed again for the gradient."""
    return LayerStep((read,), values, keeps=(0,), scratch=(0, values))
