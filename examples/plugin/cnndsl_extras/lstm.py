"""`LSTM`: a recurrence over the positions of a map, as in CRNN.

Sources: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory"; torch.nn.LSTM for the weights, their names and the
two biases of each gate; Shi, Bai and Yao 2015, "An End-to-End Trainable Neural Network for Image-based Sequence
Recognition", arXiv:1507.05717, Section 2.2, for its use behind convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from cnndsl.layers.base import Layer, LayerError, Slot, Tensor, TorchCall, Window, need_spatial, option
from cnndsl.layers.steps import LayerStep
from cnndsl.records import record
from cnndsl.shape import Shape

GATES = 4
"""The input, forget and output gates, and the candidate."""

_LSTM = '''\
class PositionLSTM(nn.LSTM):
    """An LSTM over the positions of a map, whose channels are the features. Shi et al. 2015."""

    def __init__(self, channels: int, hidden: int, layers: int = 1, bidirectional: bool = False) -> None:
        super().__init__(channels, hidden, layers, batch_first=True, bidirectional=bidirectional)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        x = input.flatten(2).transpose(1, 2)
        states = self.num_layers * (2 if self.bidirectional else 1)
        zeros = x.new_zeros([states, x.shape[0], self.hidden_size])
        weights, depth, both = self._flat_weights, self.num_layers, self.bidirectional
        y, _, _ = torch.lstm(x, [zeros, zeros], weights, True, depth, 0.0, self.training, both, True)
        return y.transpose(1, 2).unflatten(2, input.shape[2:])
'''


@record
class Recurrence(Layer):
    """`LSTM-256(layers=1, bidirectional=no)`: the hidden states at each position, both directions one after the other.

    The map has one axis, or is one pixel wide along all others. Parameters 4*H*(C + H) + 8*H for each direction of a
    layer; layers behind the first read what the one before gives.
    """

    NAMES: ClassVar = ("LSTM",)
    WIDTH: ClassVar = "hidden"
    POSITIONAL: ClassVar = ("hidden",)
    SEES_ALL: ClassVar = True
    HELPERS: ClassVar = {"PositionLSTM": _LSTM}

    hidden: int = option("int", 256, "H", minimum=1)
    layers: int = option("int", 1, minimum=1, maximum=16)
    bidirectional: bool = option("flag", False)

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _entering(self, x: Shape) -> Iterator[int]:
        """The features that enter each layer."""
        for layer in range(self.layers):
            yield self._directions * self.hidden if layer else x.channels

    def output(self, *inputs: Shape) -> Shape:
        (x,) = inputs
        need_spatial(self.kind(), x)
        if sum(extent > 1 for extent in x.spatial) > 1:
            message = f"LSTM reads one position after the other, along one axis, and this is {x}"
            raise LayerError("E0303", message, "a pooling or a convolution as high as the map leaves one axis")
        return Shape(self._directions * self.hidden, x.spatial)

    def tensors(self, *inputs: Shape) -> tuple[Tensor, ...]:
        (x,) = inputs
        found: list[Tensor] = []
        rows = GATES * self.hidden
        for layer, features in enumerate(self._entering(x)):
            for suffix in ("", "_reverse")[: self._directions]:
                end = f"l{layer}{suffix}"
                found.append(Tensor(f"weight_ih_{end}", (rows, features)))
                found.append(Tensor(f"weight_hh_{end}", (rows, self.hidden)))
                found.append(Tensor(f"bias_ih_{end}", (rows,), "bias"))
                found.append(Tensor(f"bias_hh_{end}", (rows,), "bias"))
        return tuple(found)

    def macs(self, *inputs: Shape) -> int:
        """Two products with matrices at each position: of what enters, and of the state before."""
        return inputs[0].pixels * sum(each.numel for each in self.tensors(*inputs) if each.role == "weight")

    def operations(self, *inputs: Shape) -> int:
        """For each hidden value of a direction: four gates, whose two products are added and go through a function;
        three operations for the cell, a function of it, and a product."""
        return inputs[0].pixels * self.layers * self._directions * self.hidden * (2 * GATES + 5)

    def window(self, *inputs: Shape) -> Window | None:
        """All positions, or those before: the box around what some unit sees is the map."""
        return None

    def steps(self, *inputs: Shape) -> tuple[LayerStep, ...]:
        """For each direction of a layer the products with what enters, and the recurrence; then both side by side.

        That is PyTorch's own kernel on the CPU, in one type: oneDNN and cuDNN keep a workspace instead.
        """
        (x,) = inputs
        states, zeros = x.pixels * self.hidden, self.layers * self._directions * self.hidden
        found: list[LayerStep] = []
        entering, features = 0, x.numel
        for layer in range(self.layers):
            products: list[int] = []
            for direction in range(self._directions):
                first = GATES * (layer * self._directions + direction)
                copied = () if layer else ((0, features, True),)
                one_by_one = direction * (states + self.hidden) + zeros
                found.append(
                    LayerStep(
                        (entering,),
                        GATES * states,
                        keeps=(0,) if layer else (),
                        extra=copied,
                        tensors=tuple(range(first, first + 4)),
                        scratch=(one_by_one + (0 if layer else features), 0),
                        in_use=False,
                        holds=tuple(products),
                    )
                )
                products.append(len(found))
                found.append(self._recurrence(len(found), states, zeros))
            if self.bidirectional:
                scratch = (6 * states + self.hidden + zeros, 0)
                results = tuple(at + 1 for at in products)
                found.append(LayerStep(results, 2 * states, gradient="parts", scratch=scratch, holds=(products[-1],)))
            entering, features = len(found), self._directions * states
        return tuple(found)

    def _recurrence(self, read: int, states: int, zeros: int) -> LayerStep:
        """The walk over the positions. It keeps four gates, the cell, a function of it, and the state that enters."""
        kept = (GATES + 3) * states - self.hidden
        return LayerStep(
            (read,),
            states,
            extra=((0, kept, True),),
            scratch=(3 * states + zeros, 0),
            in_use=False,
        )

    def formula(self, *inputs: Shape) -> str:
        each = [f"{GATES}*({features}+{self.hidden})*{self.hidden}" for features in self._entering(inputs[0])]
        several = "2*" if self.bidirectional else ""
        return "+".join(f"{several}{one}" for one in each)

    def macs_formula(self, *inputs: Shape) -> str:
        weights = self.formula(*inputs)
        return f"{inputs[0].pixels}*{weights if self.layers == 1 else f'({weights})'}"

    def channels_formula(self, *inputs: Shape) -> str:
        return f"2*{self.hidden}" if self.bidirectional else ""

    def torch(self, *inputs: Shape) -> TorchCall:
        (x,) = inputs
        arguments = (Slot(x.channels, "in_channels"), Slot(self.hidden, "hidden"))
        keywords: list[tuple[str, Slot]] = []
        if self.layers != 1:
            keywords.append(("layers", Slot(self.layers, "layers")))
        if self.bidirectional:
            keywords.append(("bidirectional", Slot(True)))
        return self.helper_call("PositionLSTM", arguments, tuple(keywords))
