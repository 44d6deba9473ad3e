"""Shared state of the functions that convert Caffe layers: the current layer, its inputs, and the graph being built."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.errors import CnnError
from cnndsl.importers.caffe.net import CaffeLayer, CaffeNet
from cnndsl.importers.flat import FlatGraph
from cnndsl.importers.prototxt import Message
from cnndsl.layers.base import Layer
from cnndsl.layers.reshape import Permute
from cnndsl.records import record

_LETTERS = {2: " cw", 3: " chw", 4: " cdhw"}
"""PERMUTE's letters for the axes of a map, by their index; the batch is axis 0."""


@record(slots=True)
class Blob:
    """A value of the network: a node, and the position of its channels in the file: at the end if `last`."""

    node: int
    last: bool = False


class LayerMaker:
    """Builds the layers of a network; `layer` is the current one, `entering` its inputs."""

    def __init__(self, made: FlatGraph, net: CaffeNet) -> None:
        self.made, self.net = made, net
        self.params = 0
        self.notes: dict[str, None] = dict.fromkeys(net.notes)
        self.layer = net.layers[0]
        self.entering: Sequence[Blob] = ()
        self.scaled: set[int] = set()
        """The values of `Scale` layers that were merged into the preceding normalisation."""
        self._owners: dict[str, CaffeLayer] = {}

    def begin(self, layer: CaffeLayer, entering: Sequence[Blob]) -> None:
        """Start a new layer. Raises CnnError if its weights are shared with another one."""
        self.layer, self.entering = layer, entering
        is_old = layer.message.name == "layers"
        specs = [] if is_old else layer.message.messages("param")
        for spec in specs:
            spec.known("lr_mult", "decay_mult", "share_mode")
        names = layer.message.words("param") if is_old else [spec.word("name") for spec in specs]
        for name in filter(None, names):
            owner = self._owners.setdefault(name, layer)
            if owner is not layer:
                raise self.wrong(f"the weights `{name}` are those of `{owner.name}`: sharing is not read yet", "param")

    def wrong(self, message: str, key: str = "", help: str = "") -> CnnError:
        """Return the error for the layer, or for one of its keys."""
        return self.layer.message.error(message, key, help)

    def note(self, text: str) -> None:
        """Record a remark for readers of the program, once."""
        self.notes[text] = None

    def param(self, name: str) -> Message:
        """Return the layer's own message, `name_param`; the choice of engine is ignored."""
        found = self.layer.message.message(f"{name}_param")
        found.known("engine")
        return found

    def add(self, layer: Layer, *inputs: int) -> Blob:
        """Add a layer to the graph."""
        return Blob(self.made.add(layer, inputs, self.layer.message.place))

    def dims(self, blob: Blob) -> tuple[int, ...]:
        """Return the sizes of a value's axes in the file's order, without the batch."""
        shape = self.made.shape(blob.node)
        return (*shape.spatial, shape.channels) if blob.last else (shape.channels, *shape.spatial)

    def plain(self, blob: Blob) -> int:
        """Return the node of a value with its axes in the file's order, as every layer expects it."""
        count = len(self.dims(blob))
        return self.permuted(blob.node, [0, *range(2, count + 1), 1]).node if blob.last and count > 1 else blob.node

    def permuted(self, at: int, order: Sequence[int]) -> Blob:
        """Permute the axes of a node; the batch stays first."""
        letters = _LETTERS.get(len(order) - 1)
        if letters is None:
            raise self.wrong(f"an order of {len(order)} axes has no counterpart")
        return self.add(Permute("".join(letters[each] for each in (*order[2:], order[1]))), at)

    def axis(self, said: Message, old: str = "", default: int = 1) -> int:
        """Return the axis that a layer works along, the batch being 0; `old` is the former name of the key."""
        if old and old in said:
            return said.number(old)
        axis = said.number("axis", default)
        return axis + 1 + len(self.dims(self.entering[0])) if axis < 0 else axis

    def nodes(self, count: int) -> list[int]:
        """Return the input nodes. Raises CnnError if their number is not `count`."""
        self.need(count)
        return [self.plain(each) for each in self.entering]

    def need(self, count: int) -> None:
        """Raise CnnError if the number of inputs is not `count`."""
        if len(self.entering) != count:
            raise self.wrong(f"`{self.layer.type}` with {len(self.entering)} bottoms has no counterpart", "bottom")

    def is_frozen(self, tensors: int) -> bool:
        """Return whether none of the first `tensors` tensors is trained: the learning rate of each is zero."""
        message = self.layer.message
        if message.name == "layers":
            said = message.decimals("blobs_lr")
        else:
            said = [spec.decimal("lr_mult", 1.0) for spec in message.messages("param")]
        rates = [*said, *[1.0] * tensors][:tensors]
        if 0.0 in rates and any(rates):
            self.note(f"one of the tensors of `{self.layer.name}` is not trained in the file, and is here")
        return not any(rates)
