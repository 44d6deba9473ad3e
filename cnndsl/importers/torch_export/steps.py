"""The computation of a program as steps: layers, and operations that form a layer together with others.

A step reads the values of earlier steps and has tensors, by their names in the `state_dict`. `patterns` replaces
operations with layers; an operation that remains has no counterpart.
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
    """A value that depends on parameters alone. `form` is an expression; `("param", NAME)` is the parameter itself."""

    form: tuple[object, ...]
    extents: tuple[int, ...]

    @property
    def name(self) -> str:
        """The name of the tensor that it equals up to its dimensions; empty if something was computed."""
        return str(self.form[1]) if self.form[0] == "param" else ""


@record
class ReadStep:
    """A layer, or the name of an operation that is not a layer, with its inputs.

    `tensors` maps the layer's own names to names in the `state_dict`. `facts` are an operation's properties besides its
    inputs; for a layer, those that the patterns and the merge of both modes need.
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
    """The shapes of all parameters."""

    @property
    def is_layer(self) -> bool:
        """Whether this is a layer, not an operation that only forms one together with others."""
        return isinstance(self.op, Layer)


class Unsaid(Exception):
    """The language cannot express something; the message is the reason."""

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


NumberedSteps: TypeAlias = Mapping[int, ReadStep]

StepRule: TypeAlias = Callable[[ReadStep, NumberedSteps], ReadStep | None]
"""Returns the step that replaces a step and those before it, looked up by number; None to leave it unchanged."""


def match_pair(step: ReadStep, merge: type[Layer], by: Mapping[int, ReadStep], one: int) -> ReadStep | None:
    """Return the other operand of a merge of two values, given one of them; None for anything else."""
    if not isinstance(step.op, merge) or len(step.inputs) != 2 or one not in step.inputs:
        return None
    first, second = step.inputs
    return by[second if first == one else first]
