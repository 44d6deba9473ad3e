"""The operations of PyTorch that a layer consists of: what each keeps for the backward pass, and in which type it runs.

Most layers are a single operation; LRN or LPPOOL are a chain of them. The memory of a step of training follows from
these records in every type, so that a layer type says once what it does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

from cnndsl.records import record

Autocast: TypeAlias = Literal["as is", "half", "full", "widest"]
"""What autocast does to the operands: nothing, a cast to 2 bytes, to 4 bytes, to the widest of them."""

GradientMemory: TypeAlias = Literal["own", "handed on", "negated", "divided", "parts", "broadcast"]
"""Memory of its own; that of the output's gradient where the numbers of values agree, for the first operand alone where
it is negated for the second, or that of its quotient; a view of it
that is no map of its own, as a part or the same value everywhere; memory as large and wide as the output, and a sum
where the input was broadcast, a cast where it is narrower."""

STATISTIC = -1
"""The size of a value that is a statistic: 4 bytes on a GPU; on the CPU as wide as the parameters, else the input."""
PARAMETER = -2
"""The size of a value that has the type of the parameters."""
CAST = -3
"""The size of a value that autocast alone makes, of something that is no value of the layer: 2 bytes, else none."""
SWITCH_BYTES = 8
"""Where a maximum came from, an int64; kernels write it whether it is needed or not."""


@record(slots=True)
class LayerStep:
    """One operation.

    `reads` are the values that it takes: those of the layer's inputs are numbered from 0, then come the results of the
    steps, in order. `values` is the number of values of its result for an image; a `view` has the memory of the first
    value that it reads. `keeps` are the positions in `reads` of what autograd keeps, `keeps_result` whether it keeps
    the result, `extra`, `mask` and `copies` are as in `Saved`. A `product` keeps of an operand only what the gradient
    of another one needs. `tensors` are the positions of the parameters and buffers that it reads. `promotes` says that
    the result is as wide as the widest of operands and parameters. `gradient` is what the gradient of an operand is in
    memory, and `scratch` the most values held for a moment: forward without gradients, and backward.
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
    """True where it keeps the indices of the pooling that the layer undoes."""
    holds: tuple[int, ...] = ()
    """Values that a name of the module refers to until this step is done, beside those that it reads."""
    once: int = 0
    """Values as wide as the parameters that the backward pass holds for a moment, once for all images."""
    flags: int = 0
    """Values of one byte that are held for a moment in the backward pass."""
    makes_all: bool = False
    """True where the backward pass makes the gradient of an operand that has none as well."""
    viewed: bool = False
    """True where the output is a view of the result: the backward pass of what overwrites it makes two copies."""
    tensors_first: bool = False
    """True where parameters stand before the values: autocast casts operands from the last to the first
    (ATen/autocast_mode.h, as GCC evaluates arguments), the backward pass goes back in the other order."""
    recast: tuple[int, ...] = ()
    """The positions of parameters of which it reads a view, which autocast casts anew each time."""
    inside: bool = False
    """True where it runs inside of the next operation, which holds what autocast cast for it."""
    in_use: bool = True
    """True where the extra values are made at inference as well."""
    fixed: bool = False
    """True where the values of the result are those of all images together, as of weights that are computed."""


def behind_copy(steps: tuple[LayerStep, ...], values: int) -> tuple[LayerStep, ...]:
    """The operations of a layer with one input, which first makes a copy of it with so many values.

    >>> [step.reads for step in behind_copy((LayerStep((0,)), LayerStep((0, 1))), 8)]
    [(0,), (1,), (1, 2)]
    """
    shifted = (replace(step, reads=tuple(read + 1 for read in step.reads)) for step in steps)
    return (
        LayerStep((0,), values, gradient="handed on"),
        *(replace(step, holds=tuple(read + 1 for read in step.holds)) for step in shifted),
    )


def pad(values: int, read: int = 0) -> LayerStep:
    """A copy among zeros, as `F.pad` makes, with so many values."""
    return LayerStep((read,), values)


def scalar(read: int, values: int, *, added: bool = False) -> LayerStep:
    """A value multiplied by a number; with `added` a number added, whose gradient is only handed on."""
    return LayerStep((read,), values, gradient="handed on" if added else "own")


def power(read: int, values: int) -> LayerStep:
    """A power with a fixed exponent: the power below it and its multiple are made for the gradient."""
    return LayerStep((read,), values, keeps=(0,), on_cuda="full", scratch=(0, 2 * values))


def product(left: int, right: int, values: int) -> LayerStep:
    """The product of two values."""
    return LayerStep((left, right), values, keeps=(0, 1), product=True, gradient="broadcast")


def quotient(left: int, right: int, values: int) -> LayerStep:
    """The quotient of two values, which is made anew for the gradient."""
    return LayerStep((left, right), values, keeps=(0, 1), gradient="broadcast", scratch=(0, 2 * values))


def summed(read: int, values: int) -> LayerStep:
    """A sum over an axis, whose gradient is the same value everywhere."""
    return LayerStep((read,), values, gradient="parts", on_cuda="full")


def absolute(read: int, values: int) -> LayerStep:
    """The absolute value; the sign is made anew for the gradient."""
    return LayerStep((read,), values, keeps=(0,), scratch=(0, values))
