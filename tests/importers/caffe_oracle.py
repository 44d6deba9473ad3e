"""A second reading of Caffe's files, with torch and loops over windows, after the layers' `Forward_cpu`.

It shares nothing with the importer: a parser of its own, blobs by their names, weights that it draws itself.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Fields = dict[str, list[Any]]

V1 = {
    "CONVOLUTION": "Convolution",
    "RELU": "ReLU",
    "POOLING": "Pooling",
    "INNER_PRODUCT": "InnerProduct",
    "TANH": "TanH",
}
V1 |= {"CONCAT": "Concat", "ELTWISE": "Eltwise", "SOFTMAX": "Softmax", "DROPOUT": "Dropout", "SOFTMAX_LOSS": "Loss"}


def fields(text: str) -> Fields:
    """The fields of a text, each with all its values."""
    tokens = re.findall(r"\"[^\"]*\"|'[^']*'|[^\s{}:\[\],;]+|[{}\[\]]", re.sub(r"#.*", "", text))
    tokens.reverse()

    def message() -> Fields:
        found: Fields = {}
        while tokens and (name := tokens.pop()) != "}":
            value = tokens.pop()
            if value == "{":
                found.setdefault(name, []).append(message())
                continue
            several = found.setdefault(name, [])
            if value == "[":
                several += iter(tokens.pop, "]")
            else:
                several.append(value.strip("\"'"))
        return found

    return message()


def run(text: str, inputs: Mapping[str, Tensor], draw: Callable[..., Tensor]) -> tuple[dict[str, Tensor], list[Any]]:
    """The blobs of a network in use, and the tensors of each layer that has some, in the file's order."""
    whole = fields(text)
    blobs, weights = dict(inputs), list[Any]()
    for layer in [*whole.get("layer", []), *whole.get("layers", [])]:
        name = V1.get(layer["type"][0], layer["type"][0])
        bottoms = [blobs.get(each) for each in layer.get("bottom", [])]
        if name not in FORWARD or not bottoms or any(each is None for each in bottoms):
            continue
        param = next((value[0] for key, value in layer.items() if key.endswith("_param") and key != "loss_param"), {})
        tensors: dict[str, Tensor] = {}
        made = FORWARD[name](bottoms, param, tensors, draw, len(layer["top"]))
        blobs.update(zip(layer["top"], made if isinstance(made, list) else [made], strict=True))
        if tensors:
            weights.append(tensors)
    return blobs, weights


def pair(said: Fields, key: str, default: int) -> tuple[int, int]:
    short = key.removesuffix("_size")
    if {f"{short}_h", f"{short}_w"} & said.keys():
        return int(said.get(f"{short}_h", [default])[0]), int(said.get(f"{short}_w", [default])[0])
    several = [int(each) for each in said.get(key, [default])]
    return several[0], several[-1]


def number(said: Fields, key: str, default: float) -> float:
    return float(said.get(key, [default])[0])


def convolution(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    (x,), (kh, kw), out = xs, pair(said, "kernel_size", 0), int(said["num_output"][0])
    group = int(number(said, "group", 1))
    tensors["weight"] = draw(out, x.shape[1] // group, kh, kw) / math.sqrt(kh * kw * x.shape[1] / group)
    tensors["bias"] = draw(out) if said.get("bias_term", ["true"])[0] == "true" else None
    places = [pair(said, key, default) for key, default in (("stride", 1), ("pad", 0), ("dilation", 1))]
    return functional.conv2d(x, tensors["weight"], tensors["bias"], *places, group)


def deconvolution(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    """Every value puts its filter into a map of (W - 1)*stride + kernel, of which `pad` is cut off on each side."""
    (x,), (kh, kw), out = xs, pair(said, "kernel_size", 0), int(said["num_output"][0])
    (sh, sw), (ph, pw), group = pair(said, "stride", 1), pair(said, "pad", 0), int(number(said, "group", 1))
    channels = x.shape[1]
    weight = tensors["weight"] = draw(channels, out // group, kh, kw) / math.sqrt(channels / group)
    tensors["bias"] = draw(out) if said.get("bias_term", ["true"])[0] == "true" else None
    height, width = x.shape[2:]
    whole = x.new_zeros(len(x), out, (height - 1) * sh + kh, (width - 1) * sw + kw)
    for g in range(group):
        part = slice(g * channels // group, (g + 1) * channels // group)
        ends = slice(g * out // group, (g + 1) * out // group)
        for a in range(kh):
            for b in range(kw):
                added = torch.einsum("nchw,cd->ndhw", x[:, part], weight[part, :, a, b])
                whole[:, ends, a : a + height * sh : sh, b : b + width * sw : sw][..., :height, :width] += added
    found = whole[:, :, ph : whole.shape[2] - ph, pw : whole.shape[3] - pw]
    return found if tensors["bias"] is None else found + tensors["bias"][:, None, None]


def pooling(xs: Any, said: Fields, *_: Any) -> Tensor:
    """Windows one by one, as in pooling_layer.cpp."""
    (x,) = xs
    height, width = x.shape[2:]
    is_mean = said.get("pool", ["MAX"])[0] == "AVE"
    if said.get("global_pooling", ["false"])[0] == "true":
        (kh, kw), (sh, sw), (ph, pw) = (height, width), (1, 1), (0, 0)
    else:
        (kh, kw), (sh, sw), (ph, pw) = pair(said, "kernel_size", 0), pair(said, "stride", 1), pair(said, "pad", 0)
    rows, columns = math.ceil((height + 2 * ph - kh) / sh) + 1, math.ceil((width + 2 * pw - kw) / sw) + 1
    if ph or pw:
        rows -= (rows - 1) * sh >= height + ph
        columns -= (columns - 1) * sw >= width + pw
    found = x.new_empty(*x.shape[:2], rows, columns)
    for row in range(rows):
        for column in range(columns):
            top, left = row * sh - ph, column * sw - pw
            bottom, right = min(top + kh, height + ph), min(left + kw, width + pw)
            count = (bottom - top) * (right - left)
            window = x[:, :, max(top, 0) : min(bottom, height), max(left, 0) : min(right, width)]
            found[:, :, row, column] = window.sum((2, 3)) / count if is_mean else window.amax((2, 3))
    return found


def response(xs: Any, said: Fields, *_: Any) -> Tensor:
    (x,), size = xs, int(number(said, "local_size", 5))
    alpha, beta, half = number(said, "alpha", 1), number(said, "beta", 0.75), size // 2
    if said.get("norm_region", [""])[0] == "WITHIN_CHANNEL":
        padded = functional.pad(x * x, (half,) * 4)
        total = sum(padded[:, :, a : a + x.shape[2], b : b + x.shape[3]] for a in range(size) for b in range(size))
        return x * (1 + alpha * total / size**2) ** -beta
    squares = [(x[:, max(c - half, 0) : c + half + 1] ** 2).sum(1) for c in range(x.shape[1])]
    return x * (number(said, "k", 1) + alpha / size * torch.stack(squares, 1)) ** -beta


def inner_product(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    (x,), out = xs, int(said["num_output"][0])
    flat = x.reshape(len(x), -1)
    tensors["weight"] = draw(out, flat.shape[1]) / math.sqrt(flat.shape[1])
    tensors["bias"] = draw(out) if said.get("bias_term", ["true"])[0] == "true" else None
    found = flat @ tensors["weight"].T
    return found if tensors["bias"] is None else found + tensors["bias"]


def channelwise(x: Tensor, each: Tensor) -> Tensor:
    return each.reshape(1, -1, *[1] * (x.ndim - 2))


def normalisation(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    """The third blob, by which mean and variance are divided, is 1."""
    (x,) = xs
    mean, variance = draw(x.shape[1]), draw(x.shape[1]).abs() + 0.5
    tensors.update(running_mean=mean, running_var=variance)
    return (x - channelwise(x, mean)) / torch.sqrt(channelwise(x, variance) + number(said, "eps", 1e-5))


def scale(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    if len(xs) == 2:
        return xs[0] * xs[1].reshape(*xs[1].shape, *[1] * (xs[0].ndim - xs[1].ndim))
    (x,) = xs
    count = x.shape[1] if number(said, "num_axes", 1) else 1
    tensors["weight"] = draw(count) + 1
    tensors["bias"] = draw(count) if said.get("bias_term", ["false"])[0] == "true" else None
    found = x * channelwise(x, tensors["weight"])
    return found if tensors["bias"] is None else found + channelwise(x, tensors["bias"])


def bias(xs: Any, _: Fields, tensors: Any, draw: Any, *__: int) -> Tensor:
    (x,) = xs
    tensors["bias"] = draw(x.shape[1])
    return x + channelwise(x, tensors["bias"])


def prelu(xs: Any, said: Fields, tensors: Any, draw: Any, _: int) -> Tensor:
    (x,) = xs
    tensors["weight"] = draw(1 if said.get("channel_shared", [""])[0] == "true" else x.shape[1])
    return x.clamp(min=0) + channelwise(x, tensors["weight"]) * x.clamp(max=0)


def eltwise(xs: Any, said: Fields, *_: Any) -> Tensor:
    operation = said.get("operation", ["SUM"])[0]
    if operation == "SUM":
        return sum(float(c) * x for c, x in zip(said.get("coeff", [1] * len(xs)), xs, strict=True))
    return math.prod(xs) if operation == "PROD" else torch.stack(xs).amax(0)


def crop(xs: Any, said: Fields, *_: Any) -> Tensor:
    x, like = xs
    axis, offsets = int(number(said, "axis", 2)), [int(each) for each in said.get("offset", [0])]
    for at in range(axis, x.ndim):
        x = x.narrow(at, offsets[at - axis if len(offsets) > 1 else 0], like.shape[at])
    return x


def slices(xs: Any, said: Fields, *others: Any) -> list[Tensor]:
    (x,), tops = xs, others[-1]
    if "slice_point" not in said:
        return list(x.chunk(tops, 1))
    return list(x.tensor_split([int(each) for each in said["slice_point"]], 1))


def reshape(xs: Any, said: Fields, *_: Any) -> Tensor:
    (x,), start = xs, int(number(said, "axis", 0))
    wanted = [int(each) for each in said["shape"][0]["dim"]]
    count = int(number(said, "num_axes", -1))
    after = [] if count < 0 else list(x.shape[start + count :])
    sizes = [x.shape[start + at] if each == 0 else each for at, each in enumerate(wanted)]
    return x.contiguous().reshape(*x.shape[:start], *sizes, *after)


def tail(xs: Any, *_: Any) -> Tensor:
    return xs[0].reshape(len(xs[0]), -1)


def axis_of(said: Fields, default: int = 1) -> int:
    return int(number(said, "axis", default))


def softmax(xs: Any, said: Fields, *_: Any) -> Tensor:
    (x,), axis = xs, axis_of(said)
    raised = torch.exp(x - x.amax(axis, keepdim=True))
    return raised / raised.sum(axis, keepdim=True)


FORWARD: dict[str, Callable[..., Any]] = {
    "BatchNorm": normalisation,
    "Bias": bias,
    "BNLL": lambda xs, *_: torch.log(1 + torch.exp(xs[0])),
    "Concat": lambda xs, said, *_: torch.cat(xs, axis_of(said)),
    "Convolution": convolution,
    "Crop": crop,
    "Deconvolution": deconvolution,
    "Dropout": lambda xs, *_: xs[0],
    "ELU": lambda xs, said, *_: torch.where(xs[0] > 0, xs[0], number(said, "alpha", 1) * (torch.exp(xs[0]) - 1)),
    "Eltwise": eltwise,
    "Flatten": tail,
    "InnerProduct": inner_product,
    "LRN": response,
    "PReLU": prelu,
    "Permute": lambda xs, said, *_: xs[0].permute(*[int(each) for each in said["order"]]),
    "Pooling": pooling,
    "Power": lambda xs, said, *_: (
        (number(said, "shift", 0) + number(said, "scale", 1) * xs[0]) ** number(said, "power", 1)
    ),
    "ReLU": lambda xs, said, *_: xs[0].clamp(min=0) + number(said, "negative_slope", 0) * xs[0].clamp(max=0),
    "Reshape": reshape,
    "Scale": scale,
    "Sigmoid": lambda xs, *_: 1 / (1 + torch.exp(-xs[0])),
    "Slice": slices,
    "Softmax": softmax,
    "Split": lambda xs, *others: [xs[0]] * others[-1],
    "TanH": lambda xs, *_: torch.tanh(xs[0]),
}
