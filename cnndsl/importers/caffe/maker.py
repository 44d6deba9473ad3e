"""What the functions of Caffe's layers share: the layer at hand, what enters it, and the graph that grows."""

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
"""What PERMUTE calls the axes of a map, behind the batch, by their number."""


@record(slots=True)
class Blob:
    """A value of the network: a node, and where the file has its channels: with `last` at the end."""

    node: int
    last: bool = False


class LayerMaker:
    """Makes the layers of a network; `layer` is the one at hand, `entering` what it reads."""

    def __init__(self, made: FlatGraph, net: CaffeNet) -> None:
        self.made, self.net = made, net
        self.params = 0
        self.notes: dict[str, None] = dict.fromkeys(net.notes)
        self.layer = net.layers[0]
        self.entering: Sequence[Blob] = ()
        self.scaled: set[int] = set()
        """The values of `Scale` layers that a normalisation before them has taken in."""
        self._owners: dict[str, CaffeLayer] = {}

    def begin(self, layer: CaffeLayer, entering: Sequence[Blob]) -> None:
        """Go on to a layer. Raises CnnError where its weights are those of another one."""
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
        """Return the error of the layer, or of one of its keys."""
        return self.layer.message.error(message, key, help)

    def note(self, text: str) -> None:
        """Keep what a reader of the text should know, once."""
        self.notes[text] = None

    def param(self, name: str) -> Message:
        """Return the layer's own message, `name_param`; which engine computes it says nothing."""
        found = self.layer.message.message(f"{name}_param")
        found.known("engine")
        return found

    def add(self, layer: Layer, *inputs: int) -> Blob:
        """Add a layer to the graph."""
        return Blob(self.made.add(layer, inputs, self.layer.message.place))

    def dims(self, blob: Blob) -> tuple[int, ...]:
        """Return the extents of a value as the file has them, without the batch."""
        shape = self.made.shape(blob.node)
        return (*shape.spatial, shape.channels) if blob.last else (shape.channels, *shape.spatial)

    def plain(self, blob: Blob) -> int:
        """Return the node of a value with its axes in the file's order, as every layer takes them."""
        count = len(self.dims(blob))
        return self.permuted(blob.node, [0, *range(2, count + 1), 1]).node if blob.last and count > 1 else blob.node

    def permuted(self, at: int, order: Sequence[int]) -> Blob:
        """Order the axes of a node; the batch is the first one."""
        letters = _LETTERS.get(len(order) - 1)
        if letters is None:
            raise self.wrong(f"an order of {len(order)} axes has no counterpart")
        return self.add(Permute("".join(letters[each] for each in (*order[2:], order[1]))), at)

    def axis(self, said: Message, old: str = "", default: int = 1) -> int:
        """Return the axis that a layer works along, the batch being 0; `old` is what the key was called."""
        if old and old in said:
            return said.number(old)
        axis = said.number("axis", default)
        return axis + 1 + len(self.dims(self.entering[0])) if axis < 0 else axis

    def nodes(self, count: int) -> list[int]:
        """Return the nodes that enter. Raises CnnError where these are more or fewer."""
        self.need(count)
        return [self.plain(each) for each in self.entering]

    def need(self, count: int) -> None:
        """Raise CnnError where more or fewer values enter."""
        if len(self.entering) != count:
            raise self.wrong(f"`{self.layer.type}` with {len(self.entering)} bottoms has no counterpart", "bottom")

    def is_frozen(self, tensors: int) -> bool:
        """Return whether none of so many tensors is trained: the rate of each is zero."""
        message = self.layer.message
        if message.name == "layers":
            said = message.decimals("blobs_lr")
        else:
            said = [spec.decimal("lr_mult", 1.0) for spec in message.messages("param")]
        rates = [*said, *[1.0] * tensors][:tensors]
        if 0.0 in rates and any(rates):
            self.note(f"one of the tensors of `{self.layer.name}` is not trained in the file, and is here")
        return not any(rates)
