"""Convert a Caffe network to a graph: its inputs, its layers by type, and its outputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from cnndsl.errors import Source
from cnndsl.graph import ancestors
from cnndsl.graph.labels import why_not
from cnndsl.importers.caffe import arranging, norms, values, weights
from cnndsl.importers.caffe.maker import Blob, LayerMaker
from cnndsl.importers.caffe.net import BOXES, DATA, LOSSES, CaffeLayer, CaffeNet, net
from cnndsl.importers.flat import FlatGraph, Imported
from cnndsl.importers.prototxt import Message, parsed
from cnndsl.layers.activation import Sigmoid, Softplus, Tanh
from cnndsl.shape import Shape

LAYERS: Mapping[str, Callable[[LayerMaker], Blob | Sequence[Blob]]] = {
    "BatchNorm": norms.normalisation,
    "Bias": norms.bias,
    "BNLL": partial(values.simple, name="bnll", layer=Softplus()),
    "Concat": values.concat,
    "Convolution": weights.convolution,
    "Crop": arranging.crop,
    "Deconvolution": weights.deconvolution,
    "Dropout": values.dropout,
    "ELU": values.elu,
    "Eltwise": values.eltwise,
    "Flatten": arranging.flatten,
    "InnerProduct": weights.inner_product,
    "LRN": norms.response,
    "PReLU": values.prelu,
    "Permute": arranging.permute,
    "Pooling": norms.pooling,
    "Power": values.power,
    "ReLU": values.relu,
    "Reshape": arranging.reshape,
    "Scale": norms.scale,
    "Sigmoid": partial(values.simple, name="sigmoid", layer=Sigmoid()),
    "Slice": arranging.slices,
    "Softmax": values.softmax,
    "Split": arranging.split,
    "TanH": partial(values.simple, name="tanh", layer=Tanh()),
}
"""The layers that compute something, by their types; `net` lists data layers and those that measure."""


def read(source: Source) -> Imported:
    """Return the network of a `.prototxt` file at inference, with training heads as outputs.

    Raises:
        CnnError: if a layer, a key or a value is not understood, or shapes do not match.
    """
    return _CaffeReader(source, net(parsed(source))).result()


class _CaffeReader:
    def __init__(self, source: Source, network: CaffeNet) -> None:
        self.net = network
        self.made = FlatGraph(source)
        self.maker = LayerMaker(self.made, network)
        self.blobs: dict[int, Blob] = {}
        """The values of the network by their numbers, without labels, boxes and losses."""

    def result(self) -> Imported:
        for layer in self.net.layers:
            if layer.type in DATA:
                self._enter(layer)
            elif not layer.bottoms and layer.tops:
                raise layer.message.error(f"a `{layer.type}` that reads nothing has no counterpart", "type", _INPUT)
        inputs = [_name(self.net.names[value]) for value in self.blobs]
        for layer in self.net.layers:
            if layer.type not in DATA and not layer.measures and not self.net.live.isdisjoint(layer.tops):
                self._add(layer)
        graph = self.made.graph(self._outputs(inputs), inputs if inputs[1:] else ())
        used = set[int]().union(*(ancestors(graph.digraph, node) for node in graph.main_outputs))
        for node in graph.layers:
            if node.index not in used:
                raise self.made.error("nothing that the network gives depends on this layer", node.span.start)
        return Imported(graph, self.maker.params, tuple(self.maker.notes))

    def _enter(self, layer: CaffeLayer) -> None:
        """Add the inputs of a data layer, except labels."""
        for at, value in enumerate(layer.tops):
            shape = self._shape(layer, at) if value in self.net.live else None
            if shape is not None:
                self.blobs[value] = Blob(self.made.input(shape, layer.message.place))

    def _shape(self, layer: CaffeLayer, at: int) -> Shape | None:
        """Return the shape of an input; None for the labels of images. Raises CnnError if the file does not give it."""
        message = layer.message
        kind = "dummy_data_param" if layer.type == "DummyData" else "input_param"
        shapes = message.message(kind).messages("shape")
        if shapes:
            sizes = shapes[at if at < len(shapes) else 0].numbers("dim")
            if len(sizes) < 2 or min(sizes) < 1:
                raise message.error("an input has a batch, channels and extents of at least 1", kind)
            return Shape(sizes[1], tuple(sizes[2:]))
        if at:
            return None
        if layer.type == "MemoryData":
            channels, height, width = (message.message("memory_data_param").number(each) for each in _MEMORY)
        else:
            channels, height, width = self._image(message)
        if min(channels, height, width) < 1:
            raise message.error(f"the file does not say how large `{self.net.names[layer.tops[at]]}` is", "", _INPUT)
        return Shape(channels, (height, width))

    def _image(self, message: Message) -> tuple[int, int, int]:
        """Return the channels, height and width of the images of a data set after cropping or scaling."""
        params = [each.value for each in message.fields if isinstance(each.value, Message)]
        cuts = [size for each in params if (size := each.number("crop_size"))]
        height, width = (max((each.number(key) for each in params), default=0) for key in ("new_height", "new_width"))
        is_grey = any(each.truth("force_gray") or not each.truth("is_color", True) for each in params)
        channels = 1 if is_grey else 3
        self.maker.note(f"the images are taken to have {channels} channels: the file does not say")
        return (channels, cuts[0], cuts[0]) if cuts else (channels, height, width)

    def _add(self, layer: CaffeLayer) -> None:
        known = [self.blobs[value] for value in layer.bottoms if value in self.blobs]
        if len(known) != len(layer.bottoms):
            lost = next(value for value in layer.bottoms if value not in self.blobs)
            raise layer.message.error(f"`{self.net.names[lost]}` is no value of the network", "bottom")
        self.maker.begin(layer, known)
        make = LAYERS.get(layer.type)
        if make is None:
            message = f"the type `{layer.type}` has no counterpart"
            raise self.maker.wrong(message, "type", f"known are {', '.join(LAYERS)}")
        found = make(self.maker)
        layer.message.check()
        several = [found] if isinstance(found, Blob) else found
        if len(several) != len(layer.tops):
            raise self.maker.wrong(f"`{layer.type}` with {len(layer.tops)} tops has no counterpart", "top")
        self.blobs.update(zip(layer.tops, several, strict=True))

    def _outputs(self, inputs: Sequence[str]) -> list[tuple[str, int]]:
        """Return the outputs by names that no input has; outputs for training only come last."""
        found = list(self.net.outputs)
        first = [value for value in found if not self._is_aside(value)]
        if first and len(first) < len(found):
            aside = ", ".join(f"`{self.net.names[value]}`" for value in found if value not in first)
            self.maker.note(f"{aside}: of training alone, and an output here")
            found = [*first, *(value for value in found if value not in first)]
        for layer in self.net.layers:
            if layer.type in BOXES - {"PriorBox"} and any(value in self.blobs for value in layer.bottoms):
                self.maker.note(f"`{layer.name}` ({layer.type}) comes after the network: what it reads is an output")
        outputs: dict[int, str] = {}
        for value in found:
            self.maker.layer = self.net.givers[value]
            node, name = self.maker.plain(self.blobs[value]), _name(self.net.names[value])
            outputs.setdefault(node, name if name not in (*inputs, *outputs.values()) else f"{name}_{node}")
        if not outputs:
            raise self.net.layers[0].message.error("no layer gives a value: there is no network")
        return [(name if outputs.keys() - {node} else "", node) for node, name in outputs.items()]

    def _is_aside(self, value: int) -> bool:
        """Return whether a value is only used in training: its layer is training-only, or its loss weight is not 1."""
        losses = [each for each in self.net.readers[value] if each.type in LOSSES and each.type != "Accuracy"]
        weights = [each.message.decimals("loss_weight") for each in losses]
        is_light = bool(losses) and all(each and each[0] != 1 for each in weights)
        return self.net.givers[value].training_only or is_light


_INPUT = 'put in its place `input: "data" input_shape { dim: 1 dim: 3 dim: 224 dim: 224 }`'
_MEMORY = ("channels", "height", "width")


def _name(text: str) -> str:
    """Return a Caffe name as a valid identifier.

    >>> _name("loss1/classifier"), _name("1x1"), _name("float")
    ('loss1_classifier', 'y1x1', 'float_')
    """
    name = re.sub(r"\W", "_", text, flags=re.ASCII) or "y"
    name = name if re.match("[A-Za-z_]", name) else f"y{name}"
    return f"{name}_" if why_not(name) else name
