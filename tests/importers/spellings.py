"""Spellings of one network, and networks that differ, each as two functions of the same parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from cnndsl.shape import Shape

MAP = Shape(8, (8, 8))
Forward = Callable[["Parts", Tensor], Tensor | tuple[Tensor, ...]]


class Parts(nn.Module):
    """Modules and parameters, of which a function makes a network."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.conv, self.wide = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, stride=2)
        self.pointwise, self.linear = nn.Conv2d(8, 8, 1), nn.Linear(8, 8)
        self.bn, self.norm = nn.BatchNorm2d(8), nn.LayerNorm(8)
        self.gamma = nn.Parameter(torch.ones(8))
        self._forward = forward

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """What the function makes of the input."""
        return self._forward(self, x)


def last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1)


def first(x: Tensor) -> Tensor:
    return x.permute(0, 3, 1, 2)


def overwritten(m: Parts, x: Tensor) -> Tensor:
    y = m.conv(x)
    fn.relu_(y)
    y += x
    return y


def drop_path(x: Tensor, p: float) -> Tensor:
    """timm's stochastic depth."""
    if p == 0:
        return x
    mask = x.new_empty((x.shape[0], 1, 1, 1)).bernoulli_(1 - p)
    return x * mask.div_(1 - p)


def other_drop_path(x: Tensor, p: float) -> Tensor:
    """The same with other operators."""
    mask = torch.empty((x.shape[0], 1, 1, 1), device=x.device).bernoulli_(1 - p)
    return (mask / (1 - p)) * x


def statistics(m: Parts) -> tuple[Tensor | None, Tensor | None]:
    return m.bn.running_mean, m.bn.running_var


def standard(m: Parts, momentum: float) -> Tensor:
    """Weights of a convolution, each filter with mean 0 and variance 1."""
    weight: Tensor = m.conv.weight
    rows = fn.batch_norm(weight.reshape(1, 8, -1), None, None, training=True, momentum=momentum)
    return rows.reshape_as(weight)


EQUAL: dict[str, tuple[Forward, Forward]] = {
    "in place": (overwritten, lambda m, x: fn.relu(m.conv(x)) + x),
    "nothing in place": (
        lambda _, x: ((y := x.tanh())[:, :4], fn.dropout(y, 0.0, inplace=True))[0],
        lambda _, x: x.tanh()[:, :4],
    ),
    "mean of one": (
        lambda m, x: m.conv(x).mean((2, 3), keepdim=True).mean((2, 3)),
        lambda m, x: m.conv(x).mean((2, 3)),
    ),
    "order of summands": (lambda m, x: m.conv(x) + x, lambda m, x: x + m.conv(x)),
    "nothing": (lambda m, x: fn.dropout(m.conv(x), 0.0).contiguous() + 0, lambda m, x: m.conv(x).clone() * 1),
    "cat of one": (lambda m, x: torch.cat([m.conv(x)], 1), lambda m, x: m.conv(x)),
    "cat of cat": (lambda _, x: torch.cat([torch.cat([x, x], 1), x], 1), lambda _, x: torch.cat([x, x, x], 1)),
    "global mean": (
        lambda m, x: m.linear(fn.adaptive_avg_pool2d(x, 1).flatten(1)),
        lambda m, x: m.linear(x.mean((2, 3))),
    ),
    "global mean of a row": (lambda _, x: x.flatten(2).mean(2), lambda _, x: fn.avg_pool2d(x, 8)[:, :, 0, 0]),
    "global maximum": (lambda _, x: fn.adaptive_max_pool2d(x, 1).flatten(1), lambda _, x: x.amax((2, 3))),
    "flatten": (lambda _, x: x.view(2, -1), lambda _, x: x.flatten(2).flatten(1)),
    "parts": (lambda _, x: x.chunk(2, 1)[1], lambda _, x: x[:, 4:]),
    "parts of parts": (lambda _, x: x.split([2, 6], 1)[1].split(3, 1)[1], lambda _, x: x[:, 5:8]),
    "parts of cat": (lambda m, x: torch.cat([x, m.conv(x)], 1)[:, 8:], lambda m, x: m.conv(x)),
    "hard swish": (lambda _, x: x * fn.relu6(x + 3) / 6, lambda _, x: fn.hardswish(x)),
    "swish": (lambda _, x: x * x.sigmoid(), lambda _, x: fn.silu(x, inplace=False)),
    "difference": (lambda m, x: m.conv(x) - x, lambda m, x: m.conv(x) + x * -1),
    "quotient": (lambda _, x: x / (x.abs() + 1).sqrt(), lambda _, x: x * (x.abs() + 1).rsqrt()),
    "pads": (
        lambda m, x: m.wide(fn.pad(x, (0, 1, 0, 1))),
        lambda m, x: m.wide(fn.pad(fn.pad(x, (0, 0, 0, 1)), (0, 1))),
    ),
    "pad before convolution": (
        lambda m, x: fn.conv2d(x, m.conv.weight, m.conv.bias, padding="same"),
        lambda m, x: fn.conv2d(fn.pad(x, (1, 1, 1, 1)), m.conv.weight, m.conv.bias),
    ),
    "ceil": (
        lambda _, x: fn.max_pool2d(x, 3, 2, ceil_mode=True),
        lambda _, x: fn.max_pool2d(fn.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2),
    ),
    "channels last": (
        lambda m, x: first(m.linear(m.norm(last(x)))) * m.gamma.view(1, -1, 1, 1),
        lambda m, x: first(m.linear(fn.layer_norm(last(x), (8,), m.norm.weight, m.norm.bias)) * m.gamma),
    ),
    "linear": (
        lambda m, x: first(m.linear(last(x))),
        lambda m, x: fn.conv2d(x, m.linear.weight[:, :, None, None], m.linear.bias),
    ),
    "gate": (
        lambda m, x: x * m.linear(x.mean((2, 3))).sigmoid().view(2, 8, 1, 1).expand_as(x),
        lambda m, x: m.linear(x.mean((2, 3)))[:, :, None, None].sigmoid() * x,
    ),
    "shuffle": (
        lambda _, x: x.view(2, 2, 4, 8, 8).transpose(1, 2).contiguous().view(2, 8, 8, 8).relu(),
        lambda _, x: fn.channel_shuffle(x.relu(), 2),
    ),
    "sum of groups": (lambda _, x: x.view(2, 2, 4, 8, 8).sum(1), lambda _, x: x[:, :4] + x[:, 4:]),
    "present size": (lambda _, x: fn.adaptive_avg_pool2d(x, 8), lambda _, x: fn.interpolate(x, scale_factor=1)),
    "twice": (lambda m, x: m.pointwise(x) + m.pointwise(x).tanh(), lambda m, x: (y := m.pointwise(x)) + y.tanh()),
    "stochastic depth": (lambda _, x: x + drop_path(x, 0.2), lambda _, x: x + other_drop_path(x, 0.2)),
    "stochastic depth by hand": (
        lambda _, x: x + x.tanh() / 0.8 * torch.floor(0.8 + torch.rand((2, 1, 1, 1), device=x.device)),
        lambda _, x: x + drop_path(x.tanh(), 0.2),
    ),
    "every second position": (lambda _, x: x[:, :, ::2, ::2], lambda _, x: fn.max_pool2d(x, 1, 2)),
    "every second position but the first": (
        lambda _, x: x[:, :, 1::2, ::2],
        lambda _, x: fn.max_pool2d(x[:, :, 1:], 1, 2),
    ),
    "order of cuts": (lambda _, x: x[:, 2:5, 1:, 3::2], lambda _, x: x[..., 1:][:, 2:5, 1:, 2::2]),
    "concatenated vectors": (
        lambda _, x: torch.cat([x.amax((2, 3)), x.mean((2, 3))], 1),
        lambda _, x: torch.cat([x.amax((2, 3), True), x.mean((2, 3), True)], 1).flatten(1),
    ),
    "stack of maps": (
        lambda m, x: torch.stack([m.conv(x), x], 1).sum(1),
        lambda m, x: (y := torch.cat([m.conv(x), x], 1))[:, :8] + y[:, 8:],
    ),
    "largest of all": (lambda _, x: fn.max_pool2d(x, 8), lambda _, x: x.amax((2, 3), keepdim=True)),
    "cut by a padding": (lambda _, x: fn.pad(x, (-1, 2, 0, -3)), lambda _, x: fn.pad(x[:, :, :5, 1:], (0, 2))),
    "mean of means": (lambda _, x: x.mean(3).mean(2), lambda _, x: x.mean((2, 3))),
    "gated linear unit": (lambda _, x: fn.glu(x, 1), lambda _, x: x[:, :4] * x[:, 4:].sigmoid()),
    "size": (lambda _, x: x.tanh().abs(), lambda _, x: torch.maximum(y := x.tanh(), -y)),
    "complement": (lambda _, x: 1 - x.sigmoid(), lambda _, x: torch.sigmoid(-x)),
    "layer norm by hand": (
        lambda m, x: (
            m.norm.weight[:, None, None]
            * ((y := x - x.mean(1, keepdim=True)) / torch.sqrt(y.pow(2).mean(1, True) + 1e-5))
            + m.norm.bias[:, None, None]
        ),
        lambda m, x: first(m.norm(last(x))),
    ),
    "parameters of a group norm": (
        lambda m, x: fn.group_norm(x, 4, m.bn.weight) + m.gamma[:, None, None],
        lambda m, x: fn.group_norm(x, 4) * m.bn.weight.view(8, 1, 1) + m.gamma.view(1, 8, 1, 1),
    ),
    "standardised weights": (lambda m, x: fn.conv2d(x, standard(m, 0.1)), lambda m, x: fn.conv2d(x, standard(m, 0.0))),
    "concatenation of channels last": (
        lambda m, x: m.wide(first(torch.cat([last(x), last(m.conv(x))], -1))[:, 4:12]),
        lambda m, x: m.wide(torch.cat([x, m.conv(x)], 1)[:, 4:12]),
    ),
    "part of a concatenation of channels last": (
        lambda m, x: first(torch.cat([last(x), last(m.conv(x))], -1)[..., 8:]),
        lambda m, x: m.conv(x),
    ),
    "repeated in a row": (
        lambda _, x: x.repeat_interleave(2, 1),
        lambda _, x: x[:, :, None].expand(-1, -1, 2, -1, -1).flatten(1, 2),
    ),
    "factors of factors": (
        lambda m, x: (x * x.tanh()) * (m.gamma[:, None, None] * x.mean((2, 3), True)),
        lambda m, x: m.gamma.view(8, 1, 1) * (x.tanh() * (x.mean((2, 3), True) * x)),
    ),
    "parts of several axes": (
        lambda m, x: (
            (y := (x.view(2, 2, 2, 2, 8, 8) * m.gamma.view(2, 2, 2, 1, 1).transpose(0, 1)))[:, 0].flatten(1, 2)
            + y[:, 1].flatten(1, 2)
        ),
        lambda m, x: (y := (x * m.gamma.view(2, 2, 2).transpose(0, 1).reshape(8, 1, 1)))[:, :4] + y[:, 4:],
    ),
    "norm of a vector": (
        lambda m, x: fn.batch_norm(x.mean((2, 3), True), *statistics(m), training=m.training).flatten(1),
        lambda m, x: fn.batch_norm(x.mean((2, 3)), *statistics(m), training=m.training),
    ),
    "channels side by side": (lambda _, x: x.repeat(1, 2, 1, 1), lambda _, x: torch.cat([x, x], 1)),
    "vector at every position": (
        lambda _, x: fn.interpolate(x.mean((2, 3), True), size=(8, 8)) + x,
        lambda _, x: x + x.mean((2, 3), True),
    ),
    "gate that adds": (lambda _, x: x * (1 + x.tanh()), lambda _, x: x + x * x.tanh()),
    "number to 12 digits": (lambda _, x: x * (1 - 0.9997), lambda _, x: x * 0.0003),
}

UNEQUAL: dict[str, tuple[Forward, Forward]] = {
    "order of a concatenation": (
        lambda m, x: torch.cat([x, m.conv(x)], 1),
        lambda m, x: torch.cat([m.conv(x), x], 1),
    ),
    "order of a difference": (lambda m, x: m.conv(x) - x, lambda m, x: x - m.conv(x)),
    "negated": (lambda m, x: m.conv(x), lambda m, x: -m.conv(x)),
    "weight": (lambda m, x: m.linear(x.mean((2, 3))), lambda m, x: fn.conv2d(x, m.pointwise.weight).mean((2, 3))),
    "twice dropped": (
        lambda m, x: fn.dropout(x, 0.5, m.training) + fn.dropout(x, 0.5, m.training).tanh(),
        lambda m, x: (y := fn.dropout(x, 0.5, m.training)) + y.tanh(),
    ),
    "rate": (lambda m, x: fn.dropout(x, 0.5, m.training), lambda m, x: fn.dropout(x, 0.4, m.training)),
    "dropped whole": (lambda m, x: fn.dropout(x, 0.5, m.training), lambda m, x: fn.dropout2d(x, 0.5, m.training)),
    "survival": (lambda _, x: drop_path(x, 0.2), lambda _, x: drop_path(x, 0.3)),
    "survival by hand": (
        lambda _, x: x / 0.8 * torch.floor(0.8 + torch.rand((2, 1, 1, 1), device=x.device)),
        lambda _, x: x / 0.8 * torch.floor(0.7 + torch.rand((2, 1, 1, 1), device=x.device)),
    ),
    "not divided by the survival": (
        lambda _, x: x * torch.floor(0.8 + torch.rand((2, 1, 1, 1), device=x.device)),
        lambda _, x: drop_path(x, 0.2),
    ),
    "one draw for two": (
        lambda _, x: x * (mask := x.new_empty((2, 1, 1, 1)).bernoulli_(0.8).div_(0.8)) + x.tanh() * mask,
        lambda _, x: drop_path(x, 0.2) + drop_path(x.tanh(), 0.2),
    ),
    "first of two": (lambda _, x: x[:, :, ::2], lambda _, x: x[:, :, 1::2]),
    "axis of a stride": (lambda _, x: x[:, :, ::2], lambda _, x: x[:, :, :, ::2].transpose(2, 3)),
    "gate of a gated linear unit": (lambda _, x: fn.glu(x, 1), lambda _, x: x[:, 4:] * x[:, :4].sigmoid()),
    "stacked the other way": (
        lambda m, x: torch.stack([m.conv(x), x], 1)[:, 0],
        lambda m, x: torch.stack([x, m.conv(x)], 1)[:, 0],
    ),
    "eps of a layer norm": (lambda _, x: fn.layer_norm(x, (8,)), lambda _, x: fn.layer_norm(x, (8,), eps=1e-6)),
    "weight of a group norm": (
        lambda m, x: fn.group_norm(x, 4, m.bn.weight, m.bn.bias),
        lambda m, x: fn.group_norm(x, 4, m.gamma, m.bn.bias),
    ),
    "channels of a group": (
        lambda _, x: fn.group_norm(fn.channel_shuffle(x, 2), 4),
        lambda _, x: fn.channel_shuffle(fn.group_norm(x, 4), 2),
    ),
    "momentum of statistics": (
        lambda m, x: fn.batch_norm(x, m.bn.running_mean, m.bn.running_var, training=True, momentum=0.1),
        lambda m, x: fn.batch_norm(x, m.bn.running_mean, m.bn.running_var, training=True, momentum=0.0),
    ),
    "axis of a concatenation": (
        lambda m, x: torch.cat([x, m.conv(x)], 2),
        lambda m, x: torch.cat([x, m.conv(x)], 3).transpose(2, 3),
    ),
    "part of a concatenation": (
        lambda m, x: first(torch.cat([last(x), last(m.conv(x))], -1)[..., 8:]),
        lambda m, x: first(torch.cat([last(x), last(m.conv(x))], -1)[..., :8]),
    ),
    "repeated as a whole": (lambda _, x: x.repeat_interleave(2, 1), lambda _, x: x.repeat(1, 2, 1, 1)),
    "factors": (lambda m, x: x * x.tanh() * m.gamma[:, None, None], lambda m, x: x * x * m.gamma[:, None, None]),
    "axis of a factor": (
        lambda m, x: x * x.tanh() * m.gamma[:, None, None],
        lambda m, x: x * (x.tanh() * m.gamma[:, None]),
    ),
    "part of several axes": (
        lambda m, x: (x * m.gamma.view(2, 2, 2).transpose(0, 1).reshape(8, 1, 1))[:, 4:],
        lambda m, x: (x * m.gamma.view(2, 2, 2).transpose(0, 1).reshape(8, 1, 1))[:, 2:6],
    ),
    "statistics of repeated values": (
        lambda m, x: (y := x.mean((2, 3), True), m.bn(y))[0],
        lambda m, x: (y := x.mean((2, 3), True), m.bn(y.expand(2, 8, 8, 8)))[0],
    ),
    "norm of repeated channels": (
        lambda m, x: m.bn(x[:, :4].repeat(1, 2, 1, 1)),
        lambda m, x: m.bn(x[:, :4].repeat_interleave(2, 1)),
    ),
    "sum of repeated channels": (
        lambda _, x: x.repeat(1, 2, 1, 1).softmax(1),
        lambda _, x: x.softmax(1).repeat(1, 2, 1, 1),
    ),
    "dropout of repeated channels": (
        lambda m, x: fn.dropout(x.repeat(1, 2, 1, 1), 0.5, m.training),
        lambda m, x: fn.dropout(x, 0.5, m.training).repeat(1, 2, 1, 1),
    ),
    "gate that takes away": (lambda _, x: x * (x.tanh() - 1), lambda _, x: x * (x.tanh() + 1)),
    "which statistics": (
        lambda m, x: m.bn(x),
        lambda m, x: fn.batch_norm(x, m.bn.running_mean, m.bn.running_var, m.bn.weight, m.bn.bias),
    ),
    "normalised axes": (lambda m, x: m.norm(x), lambda m, x: first(m.norm(last(x)))),
    "shuffled": (lambda _, x: fn.channel_shuffle(x, 2), lambda _, x: fn.channel_shuffle(x, 4)),
    "arranged": (lambda _, x: x.flatten(1), lambda _, x: last(x).flatten(1)),
    "axes of a gate": (lambda m, x: x * m.gamma.view(1, 8, 1, 1), lambda m, x: x * m.gamma),
    "outputs": (lambda _, x: (x.relu(), x.tanh()), lambda _, x: (x.tanh(), x.relu())),
    "missing output": (lambda _, x: (x.relu(), x.tanh()), lambda _, x: x.relu()),
    "reach of a maximum": (lambda _, x: fn.max_pool2d(x, 3, 2, 1), lambda _, x: fn.max_pool2d(x, 3, 2, ceil_mode=True)),
    "updated twice": (lambda m, x: m.bn(x), lambda m, x: m.bn(x) + 0 * m.bn(x)),
}
