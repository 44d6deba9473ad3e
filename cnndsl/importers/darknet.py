"""Darknet's `.cfg` files: sections in order, each a layer that reads the previous one or those that it names.

The rules are those of Darknet's source (github.com/AlexeyAB/darknet, src/parser.c and the file of each layer), which
also reads files of the original by Joseph Redmon. An unknown section or key is an error: nothing is guessed. Parameters
are counted independently here, for an `assert` in the program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial

from cnndsl.errors import CnnError, Source
from cnndsl.importers.flat import FlatGraph, Imported
from cnndsl.layers.activation import HardTanh, LeakyRelu, Mish, Relu, Relu6, Sigmoid, Silu, Tanh
from cnndsl.layers.arrange import PadChannels, Slice
from cnndsl.layers.base import Layer, Padding
from cnndsl.layers.conv import Conv
from cnndsl.layers.dense import Dense
from cnndsl.layers.dropout import Dropout
from cnndsl.layers.merge import Add, Concat, Mul
from cnndsl.layers.norm import BatchNorm
from cnndsl.layers.pixel_shuffle import PixelUnshuffle
from cnndsl.layers.pool import GlobalAvgPool, MaxPool
from cnndsl.layers.resize import Upsample
from cnndsl.layers.softmax import Softmax
from cnndsl.records import record
from cnndsl.shape import Shape

ACTIVATIONS: Mapping[str, Callable[[], Layer] | None] = {
    "linear": None,
    "leaky": partial(LeakyRelu, 0.1),
    "relu": Relu,
    "relu6": Relu6,
    "logistic": Sigmoid,
    "mish": Mish,
    "swish": Silu,
    "tanh": Tanh,
    "hardtan": HardTanh,
}
"""The values of `activation=` (src/activations.h), as layers; None for no activation. Leaky has a slope of 0.1."""

TRAINING = frozenset(
    "batch subdivisions momentum decay angle saturation exposure hue learning_rate burn_in max_batches policy steps "
    "scales max_crop min_crop mosaic cutmix mixup letter_box optimized_memory dynamic_minibatch time_steps track "
    "augment_speed sgdr_cycle power gamma aspect".split()
)
"""The keys of `[net]` that only affect training."""

HEADS = ("yolo", "region", "detection")
"""Sections that read the network's outputs: their input is an output."""
END = ("cost",)
"""Sections for training only."""


@record(slots=True)
class CfgSection:
    """`[convolutional]` with its keys, and the positions of the section and of each key in the file."""

    name: str
    values: Mapping[str, str]
    place: int
    places: Mapping[str, int]


def read(source: Source) -> Imported:
    """Return the network of a `.cfg` file.

    Raises:
        CnnError: if a section, a key or a value is not understood, or shapes do not match.
    """
    return _CfgReader(source).result()


def sections(source: Source) -> list[CfgSection]:
    """Return the sections of a file, in order. Raises CnnError for a line that is neither a section nor a key."""
    found: list[tuple[str, dict[str, str], int, dict[str, int]]] = []
    place = 0
    for line in source.text.splitlines(keepends=True):
        text = re.split("[#;]", line, maxsplit=1)[0].strip()
        at = place + len(line) - len(line.lstrip())
        place += len(line)
        if text.startswith("[") and text.endswith("]"):
            found.append((text[1:-1].strip(), {}, at, {}))
        elif "=" in text and found:
            key, value = (each.strip() for each in text.split("=", 1))
            if key in found[-1][1]:
                raise FlatGraph(source).error(f"`{key}` is given twice in `[{found[-1][0]}]`", at, "keep one of them")
            found[-1][1][key], found[-1][3][key] = value, at
        elif text:
            raise FlatGraph(source).error("a line of a .cfg file is `[section]`, `key=value` or a comment", at)
    return [CfgSection(*each) for each in found]


class _CfgReader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.made = FlatGraph(source)
        self.values: list[int] = []
        """The output value of each section, by the number that other sections use for it."""
        self.outputs: list[tuple[str, int]] = []
        self.params = 0
        self.section = CfgSection("", {}, 0, {})
        self.seen: set[str] = set()

    def result(self) -> Imported:
        several = sections(self.source)
        if not several or several[0].name not in ("net", "network"):
            raise self.made.error("a .cfg file begins with `[net]`", 0)
        at = self._input(several[0])
        for section in several[1:]:
            self._begin(section)
            make = _SECTIONS.get(section.name)
            if make is None:
                raise self.made.error(f"the section `[{section.name}]` has no counterpart", section.place, _known())
            at = make(self, at)
            self.values.append(at)
            self._end()
        return Imported(self.made.graph(self.outputs or [("", at)]), self.params)

    # Keys of a section

    def _begin(self, section: CfgSection) -> None:
        self.section, self.seen = section, set()

    def _end(self) -> None:
        """Raise CnnError for a key that was not read."""
        if self.section.name in (*HEADS, *END):
            return
        for key in self.section.values:
            if key not in self.seen and key not in ("stopbackward", "onlyforward", "dontload", "dontloadscales"):
                message = f"the key `{key}` of `[{self.section.name}]` is unknown and could change the network"
                raise self.made.error(message, self.section.places[key], "remove it if it does not")

    def word(self, key: str, default: str) -> str:
        """Return the value of a key of this section."""
        self.seen.add(key)
        return self.section.values.get(key, default)

    def number(self, key: str, default: int = 0) -> int:
        """Return a key as an integer. Raises CnnError for any other value."""
        text = self.word(key, str(default))
        if not re.fullmatch(r"[+-]?[0-9]{1,9}", text):
            raise self.wrong(f"`{key}` must be a whole number of at most 9 digits, not {text!r}", key)
        return int(text)

    def wrong(self, message: str, key: str, help: str = "") -> CnnError:
        """Return the error for a key."""
        return self.made.error(message, self.section.places.get(key, self.section.place), help)

    def earlier(self, key: str) -> list[int]:
        """Return the values of the sections that a key names by number; negative numbers count back from here."""
        found: list[int] = []
        for text in self.word(key, "").split(","):
            if not re.fullmatch(r"\s*-?\d{1,6}\s*", text):
                raise self.wrong(f"`{key}` must list layers by number, not {text!r}", key)
            number = int(text) + (len(self.values) if int(text) < 0 else 0)
            if not 0 <= number < len(self.values):
                raise self.wrong(f"there is no layer {text.strip()} before this one", key)
            found.append(self.values[number])
        return found

    # Sections

    def _input(self, section: CfgSection) -> int:
        self._begin(section)
        height, width, channels = (self.number(each, 0) for each in ("height", "width", "channels"))
        if min(height, width, channels) < 1:
            raise self.made.error("`[net]` has a height, a width and channels", section.place)
        self.seen.update(TRAINING)
        self._end()
        return self.made.input(Shape(channels, (height, width)), section.place)

    def add(self, layer: Layer, *inputs: int) -> int:
        """Add a layer and return the number of its output."""
        return self.made.add(layer, inputs, self.section.place)

    def activated(self, at: int, default: str) -> int:
        """Apply the section's activation."""
        name = self.word("activation", default)
        if name not in ACTIVATIONS:
            raise self.wrong(
                f"the activation `{name}` has no counterpart", "activation", f"known: {', '.join(ACTIVATIONS)}"
            )
        make = ACTIVATIONS[name]
        return at if make is None else self.add(make(), at)

    def normalised(self, at: int) -> int:
        """Apply batch normalisation if the section has it; 0.00001 is added to its variance."""
        if not self.number("batch_normalize"):
            return at
        self.params += self.made.shape(at).channels
        return self.add(BatchNorm(), at)

    def convolutional(self, at: int) -> int:
        """Add a convolution: `pad=1` pads by half the size, `padding` by a number; `dilation` is the dilation."""
        size, filters, groups = self.number("size", 1), self.number("filters", 1), self.number("groups", 1)
        dilation = self.number("dilation", 1)
        stride = self.number("stride", 1)
        strides = self.number("stride_y", stride), self.number("stride_x", stride)
        padding = self.number("padding")
        padding = (size // 2 if self.number("pad") else padding) * dilation
        has_bias = not self.number("batch_normalize")
        for key in ("flipped", "binary", "xnor", "antialiasing", "assisted_excitation", "deform"):
            if self.number(key):
                raise self.wrong(f"`{key}` has no counterpart", key)
        reach = dilation * (size - 1)
        pad: Padding = "same" if 2 * padding == reach else "valid" if not padding else (padding,)
        channels = self.made.shape(at).channels
        stride_of = strides[:1] if strides[0] == strides[1] else strides
        layer = Conv((size,), filters, stride_of, pad, (dilation,), groups, has_bias)
        self.params += size * size * channels // max(groups, 1) * filters + filters
        return self.activated(self.normalised(self.add(layer, at)), "logistic")

    def maxpool(self, at: int) -> int:
        """Add max pooling with a total padding of size - 1, half of it at the start: as many windows as strides fit."""
        stride = self.number("stride", 1)
        size = self.number("size", stride)
        padding = self.number("padding", size - 1)
        shape = self.made.shape(at)
        if size == stride and padding // 2 == 0 and all(extent % size == 0 for extent in shape.spatial):
            return self.add(MaxPool((size,), (stride,)), at)
        if padding == size - 1:
            return self.add(MaxPool((size,), (stride,), "same"), at)
        if padding % 2 == 0:
            return self.add(MaxPool((size,), (stride,), (padding // 2,) if padding else "valid"), at)
        raise self.wrong(f"a padding of {padding} in all, which is not {size - 1}, has no counterpart", "padding")

    def avgpool(self, at: int) -> int:
        """Add the mean of each channel."""
        return self.add(GlobalAvgPool(), at)

    def route(self, at: int) -> int:
        """Concatenate the values of earlier layers, or one of `groups` parts of each."""
        groups, group = self.number("groups", 1), self.number("group_id")
        parts = [self._part(each, groups, group) for each in self.earlier("layers")]
        return parts[0] if len(parts) == 1 else self.add(Concat(), *parts)

    def _part(self, at: int, groups: int, group: int) -> int:
        if groups == 1:
            return at
        channels = self.made.shape(at).channels
        if groups < 1 or channels % groups or not 0 <= group < groups:
            raise self.wrong(f"{channels} channels have no part {group} of {groups}", "groups")
        size = channels // groups
        return self.add(Slice(group * size, (group + 1) * size), at)

    def shortcut(self, at: int) -> int:
        """Add sums with earlier layers: of the channels that both have, at every second position of a larger map."""
        for key in ("weights_type", "weights_normalization"):
            if self.word(key, "none") != "none":
                raise self.wrong(f"`{key}` has no counterpart", key)
        several = [self._fitted(each, self.made.shape(at)) for each in self.earlier("from")]
        return self.activated(self.add(Add(), *several, at), "linear")

    def _fitted(self, at: int, wanted: Shape) -> int:
        """Return an earlier value in the shape of this one: with zeros for missing channels, or without excess ones."""
        shape = self.made.shape(at)
        if shape == wanted:
            return at
        steps = {before // after for before, after in zip(shape.spatial, wanted.spatial, strict=True)}
        if len(steps) > 1 or any(b != a * min(steps) for b, a in zip(shape.spatial, wanted.spatial, strict=True)):
            raise self.wrong(f"a map of {shape} has no counterpart in one of {wanted}", "from")
        if shape.channels > wanted.channels:
            if steps != {1}:
                raise self.wrong(f"a map of {shape} has no counterpart in one of {wanted}", "from")
            return self.add(Slice(0, wanted.channels), at)
        return self.add(PadChannels(wanted.channels, tuple(steps)), at)

    def upsample(self, at: int) -> int:
        """Add upsampling that repeats each value."""
        if self.word("scale", "1") not in ("1", "1.0", "1."):
            raise self.wrong("a `scale` has no counterpart", "scale")
        return self.add(Upsample((self.number("stride", 2),)), at)

    def reorg(self, at: int) -> int:
        """Turn blocks of positions into channels, in Darknet's own order."""
        for key in ("reverse", "flatten", "extra"):
            if self.number(key):
                raise self.wrong(f"`{key}` has no counterpart", key)
        return self.add(PixelUnshuffle(self.number("stride", 1), "darknet"), at)

    def connected(self, at: int) -> int:
        """Add a fully connected layer."""
        features, shape = self.number("output", 1), self.made.shape(at)
        has_bias = not self.number("batch_normalize")
        self.params += shape.numel * features + features
        return self.activated(self.normalised(self.add(Dense(features, has_bias), at)), "logistic")

    def dropout(self, at: int) -> int:
        """Add dropout with its rate."""
        text = self.word("probability", ".5")
        if not re.fullmatch(r"0*\.[0-9]{1,9}|0|1|1\.0*|0\.", text):
            raise self.wrong(f"`probability` is a number from 0 to 1, not {text!r}", "probability")
        return self.add(Dropout(float(text)), at)

    def softmax(self, at: int) -> int:
        """Add a softmax over all classes of each image."""
        if self.number("groups", 1) != 1 or self.word("temperature", "1") != "1" or "tree" in self.section.values:
            raise self.wrong("groups, a tree and a temperature have no counterpart", "groups")
        return self.add(Softmax(), at)

    def gated(self, at: int) -> int:
        """Multiply by an earlier value: `scale_channels` (squeeze and excitation) or `sam` (spatial attention)."""
        (earlier,) = self.earlier("from")
        return self.activated(self.add(Mul(), earlier, at), "linear")

    def activation(self, at: int) -> int:
        """Add a separate activation."""
        return self.activated(at, "linear")

    def head(self, at: int) -> int:
        """Make the input of a detection section an output."""
        self.outputs.append((f"{self.section.name}{len(self.outputs) + 1}", at))
        return at

    def passed(self, at: int) -> int:
        """Pass the value through a section for training."""
        return at


_SECTIONS: Mapping[str, Callable[[_CfgReader, int], int]] = {
    "convolutional": _CfgReader.convolutional,
    "conv": _CfgReader.convolutional,
    "maxpool": _CfgReader.maxpool,
    "max": _CfgReader.maxpool,
    "avgpool": _CfgReader.avgpool,
    "avg": _CfgReader.avgpool,
    "route": _CfgReader.route,
    "shortcut": _CfgReader.shortcut,
    "upsample": _CfgReader.upsample,
    "reorg": _CfgReader.reorg,
    "connected": _CfgReader.connected,
    "conn": _CfgReader.connected,
    "dropout": _CfgReader.dropout,
    "softmax": _CfgReader.softmax,
    "soft": _CfgReader.softmax,
    "scale_channels": _CfgReader.gated,
    "sam": _CfgReader.gated,
    "activation": _CfgReader.activation,
    **dict.fromkeys(HEADS, _CfgReader.head),
    **dict.fromkeys(END, _CfgReader.passed),
}


def _known() -> str:
    return f"known are {', '.join(_SECTIONS)}"
