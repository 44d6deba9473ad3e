"""Translate layers of PyTorch and Keras, with their own numbers: `Conv2d(3, 128, 5, stride=2)` is CONV5-128/2.

Only what is certain is translated, not an argument without a counterpart or a computed value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cnndsl.errors import Fix, Source, Span, replacement
from cnndsl.layers import KINDS
from cnndsl.syntax.brackets import partner
from cnndsl.syntax.foreign_calls import ForeignCall, UntranslatableError, value_of

_ACTIVATIONS = {
    **{word: word.upper() for word in "relu relu6 sigmoid tanh softmax gelu elu selu silu swish mish softplus".split()},
    "leaky_relu": "LEAKYRELU",
    "hard_swish": "HSWISH",
    "hardswish": "HSWISH",
    "hard_sigmoid": "HSIGMOID",
    "leakyrelu": "LEAKYRELU",
    "log_softmax": "LOGSOFTMAX",
    "softsign": "SOFTSIGN",
    "linear": "",
    "None": "",
}
FOREIGN = "in cnndsl this is {}"
"""The message for a layer of another framework."""


def _number(text: str, sign: str = "") -> str:
    """Return a number or a name after a symbol; a name for a size is in braces."""
    if re.fullmatch(r"[0-9]+(x[0-9]+)*", text) or (sign in ("-", "/") and text.isidentifier()):
        return f"{sign}{text}"
    if re.fullmatch(r"[A-Za-z_0-9*/+ ]+", text):
        return f"{sign}{{{text}}}"
    raise UntranslatableError


def _truth(text: str) -> bool:
    if text not in ("True", "False", "true", "false", "yes", "no"):
        raise UntranslatableError
    return text.lower() in ("true", "yes")


def _extents(text: str) -> list[int]:
    return [int(each) for each in text.split("x")] if re.fullmatch(r"[0-9]+(x[0-9]+)*", text) else []


def _padding(padding: str, kernel: str, dilation: str, default: str) -> list[str]:
    """Return the option `pad` if it isn't the default."""
    padding = padding.lower() or default
    sizes, dilations = _extents(kernel), _extents(dilation)
    if padding == "same" or (set(sizes) == {1} and padding in ("valid", "0")):
        return []
    if padding in ("valid", "0"):
        return ["pad=valid"]
    if padding in ("reflect", "causal") or not dilations:
        raise UntranslatableError
    pads = _extents(padding)
    pads = pads * len(sizes) if len(pads) == 1 else pads
    sizes = sizes * len(pads) if len(sizes) == 1 else sizes
    is_same = len(pads) == len(sizes) > 0 and all(
        size % 2 and pad == dilations[0] * (size - 1) // 2 for pad, size in zip(pads, sizes, strict=True)
    )
    return [] if is_same and len(dilations) == 1 else [f"pad={_number(padding)}"]


def _layer(kind: str, size: str, width: str, stride: str, options: list[str]) -> str:
    text = kind + (_number(size) if size else "") + (_number(width, "-") if width else "")
    text += _number(stride, "/") if stride and stride != "1" else ""
    return f"{text}({', '.join(options)})" if options else text


def activation_kind(name: str) -> str:
    """Return the layer type of an activation by its name elsewhere; empty if it is unknown or missing.

    >>> activation_kind("'relu'"), activation_kind("nn.ReLU")
    ('RELU', 'RELU')
    """
    word = value_of(name).rpartition(".")[2].removesuffix("()")
    return _ACTIVATIONS.get(word, _ACTIVATIONS.get(word.lower(), ""))


def _activation(call: ForeignCall) -> list[str]:
    name = call.take("activation act")
    found = activation_kind(name)
    if name not in ("", "None", "linear") and not found:
        raise UntranslatableError
    return [found] if found else []


def _is_keras(name: str, call: ForeignCall) -> bool:
    if {"filters", "strides", "activation", "use_bias", "dilation_rate"}.intersection(call.named):
        return True
    if {"in_channels", "out_channels", "stride", "bias", "groups"}.intersection(call.named):
        return False
    if call.number >= 3:
        width = _extents(call.unnamed[1])
        return name.endswith("D") and bool(width) and width[0] <= 11
    return call.number + ("kernel_size" in call.named) < 3


def _convolution(name: str, call: ForeignCall) -> list[str]:
    if _is_keras(name, call):
        width, size = call.take("filters", 0), call.take("kernel_size", 1)
        stride, padding = call.take("strides stride", 2), call.take("padding", 3)
        dilation, default = call.take("dilation_rate", default="1"), "valid"
    else:
        call.take("in_channels", 0)
        width, size = call.take("out_channels", 1), call.take("kernel_size", 2)
        stride, padding = call.take("stride", 3), call.take("padding", 4)
        dilation, default = call.take("dilation", 5, "1"), "0"
    groups, bias = call.take("groups", 6, "1"), call.take("bias use_bias", 7, "True")
    if not width or not size:
        raise UntranslatableError
    options = _padding(padding, size, dilation, default)
    options += [f"dilation={_number(dilation)}"] if dilation != "1" else []
    options += [f"groups={_number(groups)}"] if groups != "1" else []
    options += [] if _truth(bias) else ["bias=no"]
    return [_layer("CONV", size, width, stride, options), *_activation(call)]


def _transposed(name: str, call: ForeignCall) -> list[str]:
    is_keras = _is_keras(name, call)
    if not is_keras:
        call.take("in_channels", 0)
    first = 0 if is_keras else 1
    width, size = call.take("filters out_channels", first), call.take("kernel_size", first + 1)
    stride, padding = call.take("strides stride", first + 2, "1"), call.take("padding", first + 3)
    padding = padding.lower() or ("valid" if is_keras else "0")
    out, bias = call.take("output_padding", -1 if is_keras else 5, "0"), call.take("bias use_bias", -1, "True")
    if not width or not size:
        raise UntranslatableError
    is_same = padding == "same" or (padding in ("0", "valid") and size == stride and out == "0")
    options = [] if is_same else [f"pad={'0' if padding == 'valid' else _number(padding)}"]
    options += [f"out_pad={_number(out)}"] if out != "0" else []
    options += [] if _truth(bias) else ["bias=no"]
    return [_layer("CONVT", size, width, stride, options), *_activation(call)]


def _depthwise(_: str, call: ForeignCall) -> list[str]:
    size, stride, padding = call.take("kernel_size", 0), call.take("strides", 1), call.take("padding", 2)
    options = _padding(padding, size, "1", "valid") + ([] if _truth(call.take("use_bias", -1, "True")) else ["bias=no"])
    return [_layer("DWCONV", size, "", stride, options), *_activation(call)]


def _separable(_: str, call: ForeignCall) -> list[str]:
    width, size = call.take("filters", 0), call.take("kernel_size", 1)
    stride, padding = call.take("strides", 2), call.take("padding", 3)
    options = [*_padding(padding, size, "1", "valid"), "bias=no"]
    bias = [] if _truth(call.take("use_bias", -1, "True")) else ["bias=no"]
    if not width:
        raise UntranslatableError
    return [_layer("DWCONV", size, "", stride, options), _layer("CONV", "1", width, "", bias), *_activation(call)]


def _pooling(kind: str) -> Callable[[str, ForeignCall], list[str]]:
    def translate(_: str, call: ForeignCall) -> list[str]:
        size = call.take("kernel_size pool_size", 0, "2")
        stride, padding = call.take("stride strides", 1, size), call.take("padding", 2, "0").lower()
        options = [] if padding in ("0", "valid") else [f"pad={padding if padding == 'same' else _number(padding)}"]
        options += ["ceil=yes"] if _truth(call.take("ceil_mode", -1, "False")) else []
        options += [] if _truth(call.take("count_include_pad", -1, "True")) else ["countpad=no"]
        is_plain = stride in (size, "None")
        text = kind + _number(size) + ("" if is_plain else _number(stride, "/"))
        return [f"{text}({', '.join(options)})" if options else text]

    return translate


def _adaptive(kind: str, whole: str) -> Callable[[str, ForeignCall], list[str]]:
    def translate(_: str, call: ForeignCall) -> list[str]:
        sizes = [size for size in (call.take("output_size out", 0), call.take("", 1)) if size]
        size = "x".join(sizes if len(set(sizes)) > 1 else sizes[:1])
        return [whole] if size == "1" else [f"{kind}(out={_number(size)})"]

    return translate


def _shuffled(kind: str, order: str = "") -> Callable[[str, ForeignCall], list[str]]:
    def translate(_: str, call: ForeignCall) -> list[str]:
        return [f"{kind}{_number(call.take('upscale_factor downscale_factor block_size', 0, '2'))}{order}"]

    return translate


def _response(_: str, call: ForeignCall) -> list[str]:
    size = call.take("size", 0)
    options = [(name, call.take(name, at)) for at, name in enumerate(("alpha", "beta", "k"), 1)]
    given = [f"{name}={value}" for name, value in options if re.fullmatch(r"[0-9.]+(?:e-?[0-9]+)?", value)]
    if not size or len(given) < sum(bool(value) for _, value in options):
        raise UntranslatableError
    return [_layer("LRN", size, "", "", given)]


def _dense(_: str, call: ForeignCall) -> list[str]:
    is_keras = call.number < 2 and not {"in_features", "out_features"} & call.named.keys()
    if not is_keras:
        call.take("in_features", 0)
    width = call.take("units out_features", 0 if is_keras else 1)
    bias = call.take("bias use_bias", -1 if is_keras else 2, "True")
    if not width:
        raise UntranslatableError
    return [_layer("FC", "", width, "", [] if _truth(bias) else ["bias=no"]), *_activation(call)]


def _plain(kind: str, channels: bool = False) -> Callable[[str, ForeignCall], list[str]]:
    """Return the translation of a layer without options; `channels` is an argument that follows from the input."""

    def translate(_: str, call: ForeignCall) -> list[str]:
        if channels:
            call.take("num_features num_channels num_parameters", 0)
        elif call.number == 1 and call.unnamed[0] in ("True", "False"):
            call.take("inplace", 0)
        return [kind]

    return translate


def _dropout(options: str) -> Callable[[str, ForeignCall], list[str]]:
    def translate(_: str, call: ForeignCall) -> list[str]:
        share = call.take("p rate", 0, "0.5")
        if not re.fullmatch(r"[0-9.]+", share):
            raise UntranslatableError
        call.take("inplace", 1)
        return [f"DROPOUT({share}{options})"]

    return translate


def _groups(_: str, call: ForeignCall) -> list[str]:
    groups = call.take("num_groups groups", 0, "32")
    call.take("num_channels", 1)
    return [f"GN{_number(groups)}"]


def _upsampling(_: str, call: ForeignCall) -> list[str]:
    scale = call.take("scale_factor size", 0 if call.number == 1 else -1, "2")
    mode, align = call.take("mode interpolation", -1, "nearest"), call.take("align_corners", -1, "False")
    options = [] if mode == "nearest" else [f"mode={mode}"]
    options += ["align=yes"] if _truth(align) else []
    return [_layer("UPSAMPLE", scale, "", "", options)]


def _slope(_: str, call: ForeignCall) -> list[str]:
    slope = call.take("negative_slope alpha", 0)
    call.take("inplace", 1)
    return [f"LEAKYRELU({slope})" if slope else "LEAKYRELU"]


def _by_name(_: str, call: ForeignCall) -> list[str]:
    call.named["activation"] = call.take("activation", 0)
    found = _activation(call)
    if not found:
        raise UntranslatableError
    return found


_LAYERS: dict[str, Callable[[str, ForeignCall], list[str]]] = {
    "CONV": _convolution,
    "CONVTRANSPOSE": _transposed,
    "DEPTHWISECONV": _depthwise,
    "SEPARABLECONV": _separable,
    **dict.fromkeys(("MAXPOOL", "MAXPOOLING"), _pooling("POOL")),
    **dict.fromkeys(("AVGPOOL", "AVERAGEPOOLING", "AVERAGEPOOL"), _pooling("AVGPOOL")),
    **dict.fromkeys(("ADAPTIVEAVGPOOL", "ADAPTIVEAVERAGEPOOL", "ADAPTIVEPOOL"), _adaptive("AVGPOOL", "GAP")),
    **dict.fromkeys(("ADAPTIVEMAXPOOL", "ADAPTIVEMAXPOOLING"), _adaptive("POOL", "GMP")),
    **dict.fromkeys(("GLOBALAVERAGEPOOLING", "GLOBALAVGPOOL", "GLOBALAVGPOOLING"), _plain("GAP")),
    **dict.fromkeys(("GLOBALMAXPOOLING", "GLOBALMAXPOOL"), _plain("GMP")),
    **dict.fromkeys(("LINEAR", "DENSE", "FULLYCONNECTED"), _dense),
    **dict.fromkeys(("BATCHNORM", "BATCHNORMALIZATION"), _plain("BN", channels=True)),
    **dict.fromkeys(("INSTANCENORM",), _plain("IN", channels=True)),
    "GROUPNORM": _groups,
    "DROPOUT": _dropout(""),
    **dict.fromkeys(("SPATIALDROPOUT", "DROPOUT-ND"), _dropout(", channels=yes")),
    "LEAKYRELU": _slope,
    **dict.fromkeys(("UPSAMPLE", "UPSAMPLING"), _upsampling),
    "ACTIVATION": _by_name,
    **{name: _plain(name) for name in "RELU RELU6 SIGMOID TANH SOFTMAX GELU SILU MISH SELU SOFTPLUS FLATTEN".split()},
    **dict.fromkeys(("HARDSWISH", "HSWISH"), _plain("HSWISH")),
    **dict.fromkeys(("HARDSIGMOID", "HSIGMOID"), _plain("HSIGMOID")),
    "IDENTITY": _plain("ID"),
    "LOCALRESPONSENORM": _response,
    **dict.fromkeys(("PIXELSHUFFLE", "SUBPIXEL", "SUBPIXELCONV"), _shuffled("PIXELSHUFFLE")),
    "PIXELUNSHUFFLE": _shuffled("PIXELUNSHUFFLE"),
    **dict.fromkeys(("DEPTHTOSPACE", "DEPTH2SPACE"), _shuffled("PIXELSHUFFLE", "(order=blocks)")),
    **dict.fromkeys(("SPACETODEPTH", "SPACE2DEPTH"), _shuffled("PIXELUNSHUFFLE", "(order=blocks)")),
}
_OURS = re.compile(r"[A-Z0-9]+")
_MODULES = r"(?:(?:nn|F|tf|torch|keras|layers|functional|L|M)\.)*"
_FOREIGN = re.compile(rf"(?<![\w.@])(?P<module>{_MODULES})(?P<name>[A-Za-z]\w*)[ \t]*(?P<open>\()?")


def _base(name: str) -> tuple[str, str]:
    """Split a name into its capitals without dimensions, and the dimensions: `Conv2DTranspose` is CONVTRANSPOSE, 2D."""
    found = re.fullmatch(r"([A-Z_]+?)([123]D)(?!EPTH)([A-Z]*)", name.upper())
    if found is None:
        return name.upper().replace("_", ""), ""
    return (found[1] + found[3]).replace("_", ""), found[2]


def translated(name: str, arguments: str) -> list[str]:
    """Return the layers that a call of another framework creates; empty if they are not known.

    >>> translated("Conv2d", "3, 128, 5, stride=2"), translated("Dense", "10, activation='softmax'")
    (['CONV5-128/2(pad=valid)'], ['FC-10', 'SOFTMAX'])
    """
    base, dimensions = _base(name)
    known = _LAYERS.get(f"{base}-ND" if dimensions else base) or _LAYERS.get(base)
    if known is None:
        return []
    call = ForeignCall(arguments)
    try:
        layers = known(name, call)
        call.finish()
    except UntranslatableError:
        return []
    return layers


def calls(source: Source, start: int, end: int) -> Iterator[Fix]:
    """Yield a fix for each layer of another framework in a range of a source."""
    text = source.text
    for found in _FOREIGN.finditer(text, start, end):
        close = partner(text, found.start("open")) if found["open"] else found.end("name") - 1
        name = found["name"]
        if close < 0 or (found["open"] and close > found.end() + 400):
            continue
        if not found["module"] and (not found["open"] or (_OURS.fullmatch(name) and name in KINDS)):
            continue
        layers = translated(name, text[found.end() : close] if found["open"] else "")
        if layers:
            place = Span(source, found.start(), close + 1)
            yield replacement(place, chained(layers, text, place.end), FOREIGN)


def chained(layers: list[str], text: str, end: int) -> str:
    """Return layers as a chain, in square brackets if the text continues with something that binds to the last one."""
    chain = " -> ".join(layers)
    binds = re.match(r"\s*(?:[*?]|(?:if|or|else)\b)", text[end : end + 20])
    return f"[{chain}]" if len(layers) > 1 and binds else chain


def _after_blanks(text: str, at: int) -> int:
    return at + len(text[at : at + 80]) - len(text[at : at + 80].lstrip(" \t"))


def call_at(source: Source, at: int) -> Fix | None:
    """Return the fix for the layer of another framework that contains an offset or ends right before it."""
    start = max(source.text.rfind("\n", 0, at) + 1, at - 400)
    for fix in calls(source, start, min(len(source.text), at + 400)):
        if fix.place is not None and fix.place.start <= at <= _after_blanks(source.text, fix.place.end):
            return fix
    return None
