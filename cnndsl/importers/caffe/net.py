"""The layers of a Caffe network and the values between them: selects the layers and connects them.

The rules are those of Caffe (github.com/BVLC/caffe, src/caffe/net.cpp and util/upgrade_proto.cpp): the phase determines
whether a layer is in the network, a name refers to the output of the last earlier layer with that name, and a layer may
overwrite its input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from cnndsl.importers.prototxt import Message, ProtoField
from cnndsl.records import record

OLD_TYPES: Mapping[str, str] = {
    "ABSVAL": "AbsVal",
    "ACCURACY": "Accuracy",
    "ARGMAX": "ArgMax",
    "BNLL": "BNLL",
    "CONCAT": "Concat",
    "CONTRASTIVE_LOSS": "ContrastiveLoss",
    "CONVOLUTION": "Convolution",
    "DATA": "Data",
    "DECONVOLUTION": "Deconvolution",
    "DROPOUT": "Dropout",
    "DUMMY_DATA": "DummyData",
    "ELTWISE": "Eltwise",
    "EUCLIDEAN_LOSS": "EuclideanLoss",
    "EXP": "Exp",
    "FLATTEN": "Flatten",
    "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output",
    "HINGE_LOSS": "HingeLoss",
    "IMAGE_DATA": "ImageData",
    "INFOGAIN_LOSS": "InfogainLoss",
    "INNER_PRODUCT": "InnerProduct",
    "LRN": "LRN",
    "MEMORY_DATA": "MemoryData",
    "MULTINOMIAL_LOGISTIC_LOSS": "MultinomialLogisticLoss",
    "MVN": "MVN",
    "POOLING": "Pooling",
    "POWER": "Power",
    "RELU": "ReLU",
    "SIGMOID": "Sigmoid",
    "SIGMOID_CROSS_ENTROPY_LOSS": "SigmoidCrossEntropyLoss",
    "SILENCE": "Silence",
    "SLICE": "Slice",
    "SOFTMAX": "Softmax",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "SPLIT": "Split",
    "TANH": "TanH",
    "THRESHOLD": "Threshold",
    "WINDOW_DATA": "WindowData",
}
"""The types of `layers { … }`, as `layer { … }` names them (UpgradeV1LayerType)."""

DATA = frozenset("AnnotatedData Data DummyData HDF5Data ImageData Input MemoryData WindowData".split())
"""Layers that produce the network's inputs."""
LOSSES = frozenset(
    "Accuracy ContrastiveLoss EuclideanLoss HingeLoss InfogainLoss MultinomialLogisticLoss SigmoidCrossEntropyLoss "
    "Silence SmoothL1Loss SoftmaxWithLoss".split()
)
"""Layers that end the network: their inputs are outputs of the network, and their own outputs are discarded."""
BOXES = frozenset("ArgMax DetectionEvaluate DetectionOutput HDF5Output MultiBoxLoss PriorBox".split())
"""Layers after the network, which compute boxes or classes from its outputs, or only read the size of a map."""

_KNOWN = frozenset("name type bottom top phase loss_weight propagate_down blobs weight_decay".split())


@record(slots=True)
class CaffeLayer:
    """A layer of the file with its input and output values, by their numbers."""

    message: Message
    type: str
    name: str
    bottoms: tuple[int, ...]
    tops: tuple[int, ...]
    training_only: bool

    @property
    def measures(self) -> bool:
        """Return whether the network ends here: the layer's outputs are not values of the network."""
        return self.type in LOSSES or self.type in BOXES


@record
class CaffeNet:
    """All layers in order, the names of the values, and the layer that produces each value and those that read it."""

    layers: tuple[CaffeLayer, ...]
    names: tuple[str, ...]
    givers: tuple[CaffeLayer, ...]
    readers: tuple[tuple[CaffeLayer, ...], ...]
    notes: tuple[str, ...]

    @cached_property
    def outputs(self) -> tuple[int, ...]:
        """Return values that are unread, that a loss measures or that boxes are made of; not the targets of a loss."""
        return tuple([value for value in sorted(self._values) if self._is_output(value)])

    @cached_property
    def live(self) -> frozenset[int]:
        """Return the outputs and the values they depend on, without labels and values computed only from labels."""
        found = set(self.outputs)
        for layer in reversed(self.layers):
            if not found.isdisjoint(layer.tops):
                found.update(layer.bottoms)
        return frozenset(found & self._values)

    @cached_property
    def _values(self) -> set[int]:
        """Return the values computed from data."""
        found: set[int] = set()
        for layer in self.layers:
            if layer.type in DATA or (not layer.measures and not found.isdisjoint(layer.bottoms)):
                found.update(layer.tops)
        return found

    def _is_output(self, value: int) -> bool:
        readers = self.readers[value]
        if self.givers[value].type in DATA:
            return False
        if any(value in each.bottoms and each.type in BOXES - {"PriorBox"} for each in readers):
            return True
        compared = [each.bottoms[: 2 if each.type == "ContrastiveLoss" else 1] for each in readers if each.measures]
        return len(compared) == len(readers) and (not readers or any(value in several for several in compared))


def net(file: Message) -> CaffeNet:
    """Return the layers of the network at inference, and in addition those for training only.

    Raises:
        CnnError: if the file has no layers, a name is undefined, or training would change the network at inference.
    """
    file.known("name", "force_backward", "debug_info")
    several = [*_inputs(file), *_messages(file)]
    if not several:
        raise file.error("the file has no layers: a network of Caffe's has `layer { … }`")
    state = file.message("state")
    state.known("phase")
    stages, level = frozenset(state.words("stage")), state.number("level")
    file.check("layer", "layers")
    for message in several:
        message.known(*_KNOWN)
    phases = [_phases(message, stages, level) for message in several]
    used = _Used([message for message, phase in zip(several, phases, strict=True) if "TEST" in phase])
    wiring = _CaffeWiring()
    for message, phase in zip(several, phases, strict=True):
        if "TEST" in phase or ("TRAIN" in phase and used.has_beside(message)):
            wiring.add(message, training_only="TEST" not in phase)
    left = sum(not phase for phase in phases)
    notes = [f"{left} layers are in no phase: they ask for a stage or a level"] if left else []
    notes += [f"`{name}` is another layer of its type in training" for name in used.doubles]
    return CaffeNet(tuple(wiring.layers), tuple(wiring.names), tuple(wiring.givers), wiring.readers(), tuple(notes))


def layer_type(message: Message) -> str:
    """Return the type of a layer as `layer { … }` names it. Raises CnnError for an unknown one."""
    name = message.word("type")
    if message.name != "layers":
        return name
    if name not in OLD_TYPES:
        raise message.error(f"`layers` has no type `{name}`", "type", "a `layer` has its type in quotes")
    return OLD_TYPES[name]


def _messages(file: Message) -> list[Message]:
    old, new = file.messages("layers"), file.messages("layer")
    if old and new:
        raise old[0].error("a file has `layer` or `layers`, not both")
    return [*old, *new]


def _inputs(file: Message) -> Iterator[Message]:
    """Yield `input: "data"` with `input_shape`, or with four numbers each, as a layer."""
    names, dims, shapes = file.words("input"), file.numbers("input_dim"), file.messages("input_shape")
    if (dims and shapes) or (dims and len(dims) != 4 * len(names)) or (shapes and len(shapes) != len(names)):
        raise file.error(
            f"{len(names)} inputs have an `input_shape` each or four times `input_dim`",
            "input_dim" if dims else "input_shape",
        )
    for at, name in enumerate(names):
        sizes = shapes[at].numbers("dim") if shapes else dims[4 * at : 4 * at + 4]
        yield _input(file, name, sizes)


def _input(file: Message, name: str, sizes: Sequence[int]) -> Message:
    place = next(each.place for each in file.fields if each.name == "input" and each.value == name)

    def made(key: str, several: Sequence[ProtoField]) -> ProtoField:
        return ProtoField(key, Message(key, several, place, file.source), place)

    shape = made("shape", [ProtoField("dim", str(each), place) for each in sizes])
    texts = [ProtoField(key, value, place) for key, value in (("name", name), ("type", "Input"), ("top", name))]
    return Message("layer", [*texts, made("input_param", [shape])], place, file.source)


def _phases(message: Message, stages: frozenset[str], level: int) -> set[str]:
    """Return the phases in which a layer is in the network (NetState, `include` and `exclude`)."""
    include, exclude = message.messages("include"), message.messages("exclude")
    if include and exclude:
        raise message.error("a layer has `include` or `exclude`, not both", "exclude")
    found = set[str]()
    for phase in ("TEST", "TRAIN"):
        met = [_meets(rule, phase, stages, level) for rule in include or exclude]
        if any(met) == bool(include) or not met:
            found.add(phase)
    return found


def _meets(rule: Message, phase: str, stages: frozenset[str], level: int) -> bool:
    rule.known("phase", "min_level", "max_level", "stage", "not_stage")
    return (
        rule.word("phase", phase) == phase
        and rule.number("min_level", level) <= level <= rule.number("max_level", level)
        and stages.issuperset(rule.words("stage"))
        and stages.isdisjoint(rule.words("not_stage"))
    )


class _Used:
    """The layers of the network at inference, to which training-only layers are added."""

    def __init__(self, layers: Sequence[Message]) -> None:
        self.tops = {name for each in layers for name in each.words("top")}
        self.ends = {_ends(each) for each in layers}
        self.doubles: list[str] = []

    def has_beside(self, message: Message) -> bool:
        """Return whether a training-only layer extends the inference network without replacing a layer or data of it.

        Raises CnnError if the layer lies inside the network: then the two phases have different networks.
        """
        type, bottoms, tops = _ends(message)
        if type in DATA:
            return self.tops.isdisjoint(tops[:1])
        if type == "Dropout" or type in LOSSES or type in BOXES or (self.tops.isdisjoint(tops) and tops != bottoms):
            return True
        if (type, bottoms, tops) in self.ends:
            self.doubles.append(message.word("name"))
            return False
        raise message.error("the layer is there in training alone, and changes what follows", "", "take it out")


def _ends(message: Message) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    return layer_type(message), tuple(message.words("bottom")), tuple(message.words("top"))


class _CaffeWiring:
    def __init__(self) -> None:
        self.layers: list[CaffeLayer] = []
        self.names: list[str] = []
        self.givers: list[CaffeLayer] = []
        self._last: dict[str, int] = {}

    def add(self, message: Message, training_only: bool) -> None:
        bottoms, tops = message.words("bottom"), message.words("top")
        for name in bottoms:
            if name not in self._last:
                raise message.error(f"nothing before this layer is called `{name}`", "bottom")
        reads = tuple([self._last[name] for name in bottoms])
        ends = layer_type(message) in LOSSES | BOXES
        for at, name in enumerate(tops):
            if not ends and name in self._last and bottoms[at : at + 1] != [name]:
                raise message.error(f"there is a `{name}` already, which this layer does not read", "top")
        gives = tuple([self._new(name) for name in tops])
        layer = CaffeLayer(message, layer_type(message), message.word("name"), reads, gives, training_only)
        self.layers.append(layer)
        self.givers += [layer] * len(gives)

    def readers(self) -> tuple[tuple[CaffeLayer, ...], ...]:
        found: list[list[CaffeLayer]] = [[] for _ in self.names]
        for layer in self.layers:
            for value in layer.bottoms:
                found[value].append(layer)
        return tuple(map(tuple, found))

    def _new(self, name: str) -> int:
        self.names.append(name)
        self._last[name] = len(self.names) - 1
        return len(self.names) - 1


def extents(message: Message, key: str, rank: int, default: int | None = None, most: int = 0) -> tuple[int, ...]:
    """Return `kernel_size`, `stride`, `pad` or `dilation` for each axis: one value, one per axis, or `_h` and `_w`.

    Args:
        message: The message that contains the field.
        key: The name of the field.
        rank: The number of axes.
        default: The value if it is missing; None if it is required.
        most: How often it may be given; 0 for once per axis.
    """
    found = _extents(message, key, rank, default, most)
    least = 0 if key == "pad" else 1
    if min(found) < least:
        raise message.error(f"`{key}` is at least {least}", key)
    return found


def _extents(message: Message, key: str, rank: int, default: int | None, most: int) -> tuple[int, ...]:
    short = key.removesuffix("_size")
    sides = [f"{short}_h", f"{short}_w"]
    given = message.numbers(key)
    if any(side in message for side in sides):
        if given or rank != 2 or (default is None and not all(side in message for side in sides)):
            raise message.error(f"`{key}` is given once, or as `{sides[0]}` and `{sides[1]}`", key)
        return tuple([message.number(side, default or 0) for side in sides])
    if not given and default is not None:
        return (default,) * rank
    if len(given) not in (1, most or rank):
        raise message.error(f"`{key}` is given once, or once for each of {rank} axes", key)
    return tuple(given) if len(given) == rank else (given[0],) * rank


def brief(extents: Sequence[int]) -> tuple[int, ...]:
    """Return a single size if all are equal."""
    return (extents[0],) if len(set(extents)) == 1 else tuple(extents)
