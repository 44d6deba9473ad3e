"""What a program computes as steps: layers of ours, and operations that are part of one together with others.

A step reads the values of earlier steps and has tensors, by their names in the `state_dict`. `patterns` replaces
operations by layers; one that is left has no counterpart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch.fx import Node as FxNode


@record(slots=True)
class FixedValue:
    """What depends on parameters alone: `form` is an expression, `("param", NAME)` of one as it is."""

    form: tuple[object, ...]
    extents: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the tensor that it is, but for its dimensions; empty where something was computed."""
        return str(self.form[1]) if self.form[0] == "param" else ""


@record
class ReadStep:
    """A layer, or by name an operation that is none, with what it reads.

    `tensors` are names in the `state_dict` by the layer's own names for them; `facts` are what an operation has beside
    its inputs, of a layer what patterns and the merge of both modes need.
    """

    number: int
    op: Layer | str
    inputs: tuple[int, ...]
    shape: Shape
    origin: FxNode
    tensors: Mapping[str, str] = field(default_factory=dict[str, str])
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
    module: str = ""
    """The path of the module in which it runs."""
    extents: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """The extents of all parameters."""

    @property
    def is_layer(self) -> bool:
        """True for a layer, false for an operation that needs others to be one."""
        return isinstance(self.op, Layer)


class Unsaid(Exception):
    """What the language cannot say, with a reason."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


NumberedSteps: TypeAlias = Mapping[int, ReadStep]

StepRule: TypeAlias = Callable[[ReadStep, NumberedSteps], ReadStep | None]
"""Gives what a step becomes together with those before it, by their numbers; None where it stays."""


def match_pair(step: ReadStep, merge: type[Layer], by: Mapping[int, ReadStep], one: int) -> ReadStep | None:
    """Return the other operand of a merge of two, of which one is known; None for anything else."""
    if not isinstance(step.op, merge) or len(step.inputs) != 2 or one not in step.inputs:
        return None
    first, second = step.inputs
    return by[second if first == one else first]
