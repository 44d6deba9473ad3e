"""The effect of a call on storage: whether it writes into its input, returns it, or saves it for the backward pass.

This follows PyTorch's derivatives: what a backward formula mentions is saved and must not be overwritten. If an
in-place operation has a formula in terms of its input, autograd saves a copy, and nothing can be overwritten.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from cnndsl.emit.torch.verify.plain import items
from cnndsl.emit.torch.verify.simple import SIMPLE

MemoryEffect: TypeAlias = Literal["", "copies", "views"]
"""How a module treats its input: as its family does (empty), on a padded or scaled copy of it, or as a view."""

WRITES, ALIASES, KEEPS_INPUT, KEEPS_OUTPUT = 1, 2, 4, 8
"""Flags of an effect. A call that writes returns its input."""

_INPUT = frozenset(
    "conv convt linear pointwise maxpool avgpool sumpool lppool aavg amax bn in ln channelnorm gn prelu gelu hardtanh "
    "leaky elu celu blur channelconv reflect replicate plugin grn evonorm rmsnorm frn l2norm positionlrn".split()
).union(each.family for each in SIMPLE if each.keeps in ("input", "both"))
"""Families whose derivative uses the input."""

_OUTPUT = frozenset(
    ("tanh", "radixsoftmax", "plugin", *(each.family for each in SIMPLE if each.keeps in ("output", "both")))
)
"""Families whose derivative uses the output."""

_RESULT_IN_PLACE = frozenset(("leaky", "elu", "celu", *(each.family for each in SIMPLE if each.inplace == "output")))
"""Families that save their result when they work in place; the others save a copy of what they overwrite."""


_VIEWS = frozenset(
    ("identity", "flatten", "unflatten", "reshape", "plugin", "cropto", *(each.family for each in SIMPLE if each.view))
)
"""Families that return their input or a view of it."""


def effects(form: tuple[object, ...], inplace: bool, memory: MemoryEffect, training: bool) -> int:
    """Return the effect of a module's call, as flags. `memory` marks modules that copy or view their input.

    >>> effects(("relu",), True, "", True) == WRITES | KEEPS_OUTPUT
    True
    >>> effects(("dropout", 0.5, 0), True, "", False) == ALIASES
    True
    """
    family = str(form[0])
    if family in ("dropout", "droppath") and (form[1] == 0 or not training):
        return ALIASES
    if inplace:
        return WRITES | (KEEPS_OUTPUT if family in _RESULT_IN_PLACE else 0)
    if family == "scale" and form[2] is False and form[3] is False:
        return ALIASES
    if memory:
        return ALIASES if memory == "views" else 0
    if family == "bare":
        return KEEPS_INPUT if form[1] == "*" else 0
    if family == "scale":
        return KEEPS_INPUT if form[2] is True else 0
    if family == "aavg" and _all_ones(form[2]):
        return 0
    kept = (KEEPS_INPUT if family in _INPUT else 0) | (KEEPS_OUTPUT if family in _OUTPUT else 0)
    return kept | (ALIASES if family in _VIEWS else 0)


def _all_ones(extents: object) -> bool:
    """Return whether a pooling is a mean over everything, which PyTorch does not compute as a pooling."""
    return all(extent == 1 for extent in items(extents) or (0,))
