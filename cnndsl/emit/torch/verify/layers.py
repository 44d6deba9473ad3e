"""Maps a layer of the program to its required form, following `docs/language.md`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cnndsl.emit.torch.verify.forms import LIKE, SAME, Form
from cnndsl.emit.torch.verify.settle import Extents, Pads, rounded_up, spans
from cnndsl.emit.torch.verify.simple import SIMPLE, FormField, SimpleLayer
from cnndsl.graph import Node
from cnndsl.shape import Shape


class ExpectedLayer:
    """A layer with its options and its input and output shapes."""

    __slots__ = ("_options", "inputs", "output", "rank")

    def __init__(self, node: Node, inputs: Sequence[Shape]) -> None:
        self._options = node.layer
        self.inputs, self.output, self.rank = tuple(inputs), node.shape, inputs[0].rank if inputs else 0

    @property
    def channels(self) -> int:
        """Return the channels of the first input."""
        return self.inputs[0].channels

    def whole(self, name: str) -> int:
        """Return an integer option."""
        return int(getattr(self._options, name))

    def real(self, name: str) -> float:
        """Return a numeric option as the nearest float."""
        return float(getattr(self._options, name))

    def flag(self, name: str) -> bool:
        """Return a yes/no option."""
        return getattr(self._options, name) is True

    def word(self, name: str) -> str:
        """Return an option that is a word."""
        return str(getattr(self._options, name))

    def given(self, name: str) -> Extents:
        """Return an option with one value for each axis as written: empty, one for all axes, or one for each."""
        value = getattr(self._options, name)
        return tuple(value)

    def extents(self, name: str) -> Extents:
        """Return an option with one value for each axis."""
        value = self.given(name)
        return value * self.rank if len(value) == 1 else value

    def pads(self, spanned: Extents, name: str = "pad") -> Pads:
        """Return `pad` as pairs (before, after) for windows that span `spanned`."""
        value = getattr(self._options, name)
        if value == "valid":
            return ((0, 0),) * self.rank
        if value in ("same", "reflect", "replicate", "circular"):
            return tuple(((span - 1) // 2, span - 1 - (span - 1) // 2) for span in spanned)
        if value == "full":
            return tuple((span - 1, span - 1) for span in spanned)
        return tuple((each, each) for each in self.extents(name))


def _conv(x: ExpectedLayer) -> Form:
    return _convolution(x, x.whole("filters"), x.whole("groups"))


def _convolution(x: ExpectedLayer, filters: int, groups: int) -> Form:
    """Return the form of a convolution, with one of its three ways to pad and three ways to use its weights."""
    kernel, dilation = x.extents("kernel"), x.extents("dilation")
    pad = x.word("pad")
    pads = SAME if pad == "tfsame" else x.pads(spans(kernel, dilation))
    border = "zeros"
    if pads != SAME and any(side for sides in pads for side in sides):
        border = pad if pad in ("reflect", "replicate", "circular") else x.word("border")
    way = x.word("standardise")
    weights = (way, x.real("gamma") if way == "scaled" else 1.0, x.real("eps") if way != "none" else 1e-6)
    rest = (dilation, groups, x.flag("bias"), _drawn(x), border, *weights)
    return ("conv", x.rank, x.channels, filters, kernel, x.extents("stride"), pads, *rest)


def _drawn(x: ExpectedLayer) -> str:
    word = x.word("init")
    return "" if word == "default" else word


def _depthwise(x: ExpectedLayer) -> Form:
    return _convolution(x, x.whole("filters") or x.channels, x.channels)


def _transposed(x: ExpectedLayer) -> Form:
    kernel, stride, dilation = x.extents("kernel"), x.extents("stride"), x.extents("dilation")
    spanned = spans(kernel, dilation)
    pad = x.word("pad")
    if pad == "same":
        pads = tuple((span - step) // 2 for span, step in zip(spanned, stride, strict=True))
    else:
        pads = (0,) * x.rank if pad == "valid" else x.extents("pad")
    rest = (x.extents("out_pad"), dilation, x.whole("groups"), x.flag("bias"), _drawn(x))
    return ("convt", x.rank, x.channels, x.whole("filters"), kernel, stride, pads, *rest)


def _local(x: ExpectedLayer) -> Form:
    kernel, stride = x.extents("kernel"), x.extents("stride")
    rest = (x.output.spatial, stride, x.pads(kernel), x.flag("bias"))
    return ("local", x.rank, x.channels, x.whole("filters"), kernel, *rest)


def _fully_connected(x: ExpectedLayer) -> Form:
    rest = (x.whole("features"), x.flag("bias"), _drawn(x))
    if x.word("over") == "channels" and x.rank:
        return ("pointwise", x.rank, x.channels, *rest)
    return ("linear", x.inputs[0].numel, *rest)


def _channel_conv(x: ExpectedLayer) -> Form:
    border = x.word("border") if x.whole("kernel") > 1 else "zeros"
    return ("channelconv", x.whole("kernel"), x.flag("bias"), border, _drawn(x))


def _window(x: ExpectedLayer) -> tuple[Extents, Extents]:
    kernel = x.extents("kernel")
    return kernel, x.extents("stride") or kernel


def _target(x: ExpectedLayer) -> object:
    """Return the size that `out` requests; None if it is not given."""
    return LIKE if x.flag("like") else x.extents("out")


def _max_pool(x: ExpectedLayer) -> Form:
    target = _target(x)
    if target:
        return ("amax", x.rank, target)
    kernel, stride = _window(x)
    dilation = x.extents("dilation")
    pads = SAME if x.word("pad") == "tfsame" else x.pads(spans(kernel, dilation))
    return ("maxpool", x.rank, kernel, stride, pads, x.flag("ceil"), dilation)


def _avg_pool(x: ExpectedLayer) -> Form:
    target = _target(x)
    if target:
        return ("aavg", x.rank, target)
    kernel, stride = _window(x)
    pads = SAME if x.word("pad") == "tfsame" else x.pads(kernel)
    return ("avgpool", x.rank, kernel, stride, pads, x.flag("ceil"), x.flag("countpad"))


def _sum_pool(x: ExpectedLayer) -> Form:
    kernel, stride = _window(x)
    return ("sumpool", x.rank, kernel, stride, x.pads(kernel), x.flag("ceil"))


def _lp_pool(x: ExpectedLayer) -> Form:
    """Return the form; rounding up becomes padding with zeros, since PyTorch's `ceil_mode` scales the last window."""
    kernel, stride = _window(x)
    pads = x.pads(kernel)
    if x.flag("ceil"):
        found: list[tuple[int, int]] = []
        for extent, (before, after), size, step in zip(x.inputs[0].spatial, pads, kernel, stride, strict=True):
            count = rounded_up(extent, before, after, size, step)
            found.append((before, max(after, (count - 1) * step + size - extent - before)))
        pads = tuple(found)
    return ("lppool", x.rank, x.real("p"), kernel, stride, pads, False)


def _unpool(x: ExpectedLayer) -> Form:
    kernel, stride = _window(x)
    return ("unpool", x.rank, kernel, stride, x.extents("padding"))


def _upsample(x: ExpectedLayer) -> Form:
    mode = x.word("mode")
    if mode in ("linear", "bilinear", "trilinear"):
        mode = ("linear", "bilinear", "trilinear")[x.rank - 1]
    size, scale = x.given("out"), x.given("scale")
    align = x.flag("align") and mode != "nearest"
    if x.flag("like"):
        return ("upsample", LIKE, None, mode, align)
    if size:
        return ("upsample", _one(x.extents("out")), None, mode, align)
    return ("upsample", None, _one(scale if scale else (2,)), mode, align)


def _one(value: Extents) -> object:
    return value[0] if len(set(value)) == 1 else value


def _batch_norm(x: ExpectedLayer) -> Form:
    return ("bn", max(x.rank, 1), x.channels, x.real("eps"), x.real("momentum"), x.flag("affine"))


def _layer_norm(x: ExpectedLayer) -> Form:
    if x.word("over") == "channels":
        return ("channelnorm", x.channels, x.real("eps"), x.flag("affine"))
    return ("ln", (x.channels, *x.inputs[0].spatial), x.real("eps"), x.flag("affine"))


def _dropout(x: ExpectedLayer) -> Form:
    return ("dropout", x.real("p"), x.rank if x.flag("channels") else 0)


def _zero_pad(x: ExpectedLayer) -> Form:
    target = _target(x)
    if target:
        return ("padto", target)
    before = x.extents("pad")
    return ("pad", tuple(zip(before, x.extents("after") or before, strict=True)))


def _filled_pad(filling: str) -> Callable[[ExpectedLayer], Form]:
    def form(x: ExpectedLayer) -> Form:
        before = x.extents("pad")
        return (filling, tuple(zip(before, x.extents("after") or before, strict=True)))

    return form


def _crop(x: ExpectedLayer) -> Form:
    target = _target(x)
    if target:
        return ("cropto", target)
    before = x.extents("margin")
    after = x.extents("after") or before
    return ("pad", tuple((-b, -a) for b, a in zip(before, after, strict=True)))


def _pad_channels(x: ExpectedLayer) -> Form:
    return ("padchannels", x.rank, x.channels, x.whole("channels"), x.extents("stride"), x.word("where"))


def _prelu(x: ExpectedLayer) -> Form:
    return ("prelu", 1 if x.flag("shared") else x.channels, x.real("init"))


def _softmax(x: ExpectedLayer) -> Form:
    radix = x.whole("radix")
    return ("softmax", 1) if radix == 1 else ("radixsoftmax", radix, x.whole("groups"))


def _lrn(x: ExpectedLayer) -> Form:
    numbers = x.whole("size"), x.real("alpha"), x.real("beta"), x.real("k")
    return ("lrn", *numbers) if x.word("over") == "channels" else ("positionlrn", x.rank, *numbers)


def _l2_norm(x: ExpectedLayer) -> Form:
    affine = x.flag("affine")
    return ("l2norm", x.channels, x.real("eps"), affine, x.real("init") if affine else 1.0)


def _scale(x: ExpectedLayer) -> Form:
    if x.word("parameter") != "none":
        return _bare(x)
    return ("scale", 1 if x.flag("shared") else x.channels, x.flag("weight"), x.flag("bias"), x.real("init"))


def _bare(x: ExpectedLayer) -> Form:
    """Return the form of a module's own parameter: operator, shape, initial value, and how it is viewed."""
    sign, start = ("*", x.real("init")) if x.flag("weight") else ("+", 0.0)
    each = (x.channels, *(1,) * x.rank)
    word = x.word("parameter")
    shape, view = {
        "vector": ((x.channels,), each),
        "map": (each, each),
        "batch": ((1, *each), (1, *each)),
        "number": ((), ()),
        "singleton": ((1,), (1,)),
    }[word]
    return ("bare", sign, shape, start, view)


def _pixels(family: str) -> Callable[[ExpectedLayer], Form]:
    """Return the rule of a layer type that moves blocks of positions; a block of one position has only one order."""

    def rule(x: ExpectedLayer) -> Form:
        factor = x.whole("factor")
        return (family, factor, x.word("order") if factor > 1 else "channels")

    return rule


def _reshape(x: ExpectedLayer) -> Form:
    shape = x.given("shape")
    if x.word("channels") == "last":
        return ("reshapelast", shape)
    return ("reshape" if x.rank else "unflatten", (shape[-1], *shape[:-1]))


def _permute(x: ExpectedLayer) -> Form:
    """Return the dimensions by number: the batch, the channels, then the spatial axes from depth to width."""
    numbers = {"c": 1, **{letter: 2 + at for at, letter in enumerate("dhw"[3 - x.rank :])}}
    *spatial, channels = [numbers[letter] for letter in x.word("order")]
    return ("permute", (0, channels, *spatial))


def _always(*form: object) -> Callable[[ExpectedLayer], Form]:
    """Return the rule of a layer type without options."""
    return lambda _: form


def _simple(layer: SimpleLayer) -> Callable[[ExpectedLayer], Form]:
    """Return the rule of a row of `simple`."""
    return lambda x: (layer.family, *[_field(field, x) for field in layer.fields])


def _field(field: FormField, x: ExpectedLayer) -> object:
    if field.fixed is not None:
        return field.fixed
    option = field.option or field.argument
    if field.kind == "whole":
        return x.whole(option)
    return x.real(option) if field.kind == "real" else x.given(option)


CAN_BE_FROZEN = frozenset(("CONV", "DWCONV", "CONVT", "FC"))
"""The layer types whose option `frozen` excludes their parameters from training."""

LAYERS: Mapping[str, Callable[[ExpectedLayer], Form]] = {
    **{each.names[0]: _simple(each) for each in SIMPLE},
    "CONV": _conv,
    "DWCONV": _depthwise,
    "CONVT": _transposed,
    "LOCAL": _local,
    "CHANNELCONV": _channel_conv,
    "FC": _fully_connected,
    "RBF": lambda x: ("rbf", x.inputs[0].numel, x.whole("features")),
    "POOL": _max_pool,
    "AVGPOOL": _avg_pool,
    "SUMPOOL": _sum_pool,
    "LPPOOL": _lp_pool,
    "BLURPOOL": lambda x: ("blur", x.rank, x.whole("kernel"), x.whole("stride"), x.word("border")),
    "GAP": lambda x: ("aavg", x.rank, (1,) * x.rank),
    "GMP": lambda x: ("amax", x.rank, (1,) * x.rank),
    "UNPOOL": _unpool,
    "UPSAMPLE": _upsample,
    "BN": _batch_norm,
    "LRN": _lrn,
    "LN": _layer_norm,
    "GN": lambda x: ("gn", x.whole("groups"), x.channels, x.real("eps"), x.flag("affine")),
    "IN": lambda x: ("in", x.rank, x.channels, x.real("eps"), x.flag("affine")),
    "GRN": lambda x: ("grn", x.channels, x.real("eps")),
    "EVONORM": lambda x: ("evonorm", x.channels, x.whole("groups"), x.real("eps"), x.flag("act")),
    "L2NORM": _l2_norm,
    "FRN": lambda x: ("frn", x.channels, x.real("eps"), x.flag("tlu")),
    "RMSNORM": lambda x: ("rmsnorm", x.channels, x.real("eps"), x.flag("affine"), x.word("by") == "deviation"),
    "SCALE": _scale,
    "SOFTMAX": _softmax,
    "RELU6": _always("hardtanh", 0.0, 6.0),
    "LEAKYRELU": lambda x: ("leaky", x.real("slope")),
    "PRELU": _prelu,
    "STARRELU": lambda x: ("starrelu", x.real("scale"), x.real("bias")),
    "ELU": lambda x: ("elu", x.real("alpha")),
    "CELU": lambda x: ("celu", x.real("alpha")),
    "GELU": lambda x: ("gelu", "tanh" if x.flag("approximate") else "none"),
    "TANH": lambda x: ("tanh", x.real("scale"), x.real("slope")),
    "HARDTANH": _always("hardtanh", -1.0, 1.0),
    "DROPOUT": _dropout,
    "DROPPATH": lambda x: ("droppath", x.real("p")),
    "ZEROPAD": _zero_pad,
    "REFLECTPAD": _filled_pad("reflect"),
    "REPLICATEPAD": _filled_pad("replicate"),
    "CIRCULARPAD": _filled_pad("circular"),
    "CROP": _crop,
    "PADCHANNELS": _pad_channels,
    "FLATTEN": _always("flattenlast"),
    "RESHAPE": _reshape,
    "PERMUTE": _permute,
    "PIXELSHUFFLE": _pixels("pixelshuffle"),
    "PIXELUNSHUFFLE": _pixels("pixelunshuffle"),
}
"""The forms of layer types that are one module on one value. `expected` handles merges and flattening."""
