"""Combine steps that form one layer: norms and activations that are written out, paddings that belong to a layer.

Each rule looks at a step and the steps before it, and returns the layer that ends with this step. The steps that were
combined are removed if nothing else reads them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cnndsl.importers.torch_export.by_hand import BY_HAND
from cnndsl.importers.torch_export.folding import FOLDINGS
from cnndsl.importers.torch_export.likeness import with_siblings
from cnndsl.importers.torch_export.steps import NumberedSteps, ReadStep, StepRule, match_pair
from cnndsl.layers.activation import HardSigmoid, Relu, Relu6, Softsign, StarRelu
from cnndsl.layers.arrange import Times
from cnndsl.layers.channel_pool import ChannelMean
from cnndsl.layers.evonorm import EvoNorm
from cnndsl.layers.merge import Add, Max, Mul
from cnndsl.layers.pool import GlobalAvgPool
from cnndsl.layers.response import EuclideanNorm, FilterResponse, GlobalResponse, RootMeanSquareNorm
from cnndsl.layers.scale import Scale


def simplified(steps: Sequence[ReadStep], outputs: Iterable[int]) -> list[ReadStep]:
    """Return the steps that the outputs need, with layers in place of the operations that form them."""
    given = list(outputs)
    found = {step.number: step for step in steps}
    for number in list(found):
        while (made := _replaced(found[number], found)) is not None:
            found[number] = made
    alive = needed(list(found.values()), given)
    return with_siblings(_longer_sums(_distributed(alive, given), given), given)


def needed(steps: Sequence[ReadStep], outputs: Iterable[int]) -> list[ReadStep]:
    """Return the steps that the outputs depend on, and the inputs."""
    alive = set(outputs)
    for step in reversed(steps):
        if step.number in alive:
            alive.update(step.inputs)
    return [step for step in steps if step.number in alive or not step.inputs]


def _replaced(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    return next((made for rule in RULES if (made := rule(step, by)) is not None), None)


def _layer(step: ReadStep, layer: Any, inputs: tuple[int, ...], tensors: Mapping[str, str]) -> ReadStep:
    return replace(step, op=layer, inputs=inputs, tensors=tensors, facts={})


def _scaled(step: ReadStep, by: NumberedSteps, is_weight: bool) -> tuple[ReadStep, str] | None:
    """Return the step that a SCALE by a bare parameter reads, and the parameter's name."""
    if not isinstance(step.op, Scale) or step.op.weight != is_weight:
        return None
    return by[step.inputs[0]], step.tensors[""]


def _affine(step: ReadStep, by: NumberedSteps) -> tuple[ReadStep, str, str] | None:
    """Return the step that is multiplied by a weight and has a bias added, with the names of both."""
    shifted = _scaled(step, by, is_weight=False)
    scaled = _scaled(shifted[0], by, is_weight=True) if shifted else None
    return (scaled[0], scaled[1], shifted[1]) if shifted and scaled else None


def _over_root(step: ReadStep, by: NumberedSteps) -> tuple[int, str, ReadStep, float] | None:
    """Match x/sqrt(s + eps) in any spelling; return x, the name of the statistic `s`, its step, and eps."""
    match step.op:
        case Mul() if len(step.inputs) == 2:
            return next(
                (
                    (x, *found)
                    for x, root in (step.inputs, step.inputs[::-1])
                    if (found := _rooted(by[root], by, "inverse root")) is not None
                ),
                None,
            )
        case "quotient":
            found = _rooted(by[step.inputs[1]], by, "root")
            return (step.inputs[0], *found) if found else None
        case _:
            return None


def _rooted(root: ReadStep, by: NumberedSteps, name: str) -> tuple[str, ReadStep, float] | None:
    if root.op != name or by[root.inputs[0]].op != "plus":
        return None
    plus = by[root.inputs[0]]
    statistic = by[plus.inputs[0]]
    return _statistic(statistic, by), statistic, float(str(plus.facts["by"]))


def _statistic(step: ReadStep, by: NumberedSteps) -> str:
    """Return the name of a mean square or a variance; empty for any other step."""
    if isinstance(step.op, GlobalAvgPool | ChannelMean):
        inner = by[step.inputs[0]]
        where = "positions" if isinstance(step.op, GlobalAvgPool) else "channels"
        return f"mean square over {where}" if inner.op == "square" else ""
    return f"{step.op} over {step.facts.get('over')}" if isinstance(step.op, str) else ""


def _read_by(statistic: ReadStep, by: NumberedSteps) -> int:
    """Return the value that a statistic is computed from."""
    at = statistic.inputs[0]
    return by[at].inputs[0] if by[at].op == "square" else at


def _rms_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    found = _over_root(step, by)
    if found is None:
        return None
    x, name, statistic, eps = found
    if _read_by(statistic, by) != x:
        return None
    if name == "mean square over channels":
        return _layer(step, RootMeanSquareNorm(eps, affine=False), (x,), {})
    if name == "variance over channels" and statistic.facts["correction"] == 1:
        return _layer(step, RootMeanSquareNorm(eps, affine=False, by="deviation"), (x,), {})
    return None


def _weighted_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match a norm without a weight, followed by the weight of the same module."""
    scaled = _scaled(step, by, is_weight=True)
    if scaled is None:
        return None
    (norm, name), layer = scaled, scaled[0].op
    if not isinstance(layer, RootMeanSquareNorm | EuclideanNorm) or layer.affine:
        return None
    if name.rpartition(".")[2] != "weight" or norm.module != step.module:
        return None
    return _layer(step, replace(layer, affine=True), norm.inputs, {"weight": name})


def _l2_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match x divided by its norm, which is at least eps."""
    if step.op != "quotient":
        return None
    x, least = step.inputs[0], by[step.inputs[1]]
    norm = by[least.inputs[0]] if least.op == "at least" else None
    if norm is None or norm.op != "norm" or norm.facts["over"] != "channels" or norm.inputs != (x,):
        return None
    return _layer(step, EuclideanNorm(float(str(least.facts["by"]))), (x,), {})


def _filter_response(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    if step.op == "at least weight":
        norm = by[step.inputs[0]]
        if not isinstance(norm.op, FilterResponse) or norm.op.tlu:
            return None
        return _layer(step, replace(norm.op, tlu=True), norm.inputs, {**norm.tensors, "tau": step.tensors[""]})
    affine = _affine(step, by)
    found = _over_root(affine[0], by) if affine else None
    if affine is None or found is None:
        return None
    x, name, statistic, eps = found
    if name != "mean square over positions" or _read_by(statistic, by) != x:
        return None
    return _layer(step, FilterResponse(eps, tlu=False), (x,), {"weight": affine[1], "bias": affine[2]})


def _evo_norm(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match x*sigmoid(v*x), or x, over the deviation of x in each group, with a weight and a bias."""
    affine = _affine(step, by)
    found = _over_root(affine[0], by) if affine else None
    if affine is None or found is None:
        return None
    gated, name, statistic, eps = found
    kind, _, groups = name.rpartition(" ")
    if kind == "variance over" and groups == "positions":
        groups = str(step.shape.channels)
    elif kind != "variance over groups":
        return None
    if statistic.facts["correction"] != 0:
        return None
    x = statistic.inputs[0]
    tensors = {"weight": affine[1], "bias": affine[2]}
    if gated == x:
        return _layer(step, EvoNorm(int(groups), eps, act=False), (x,), tensors)
    gate = match_pair(by[gated], Mul, by, x)
    weighted = _scaled(by[gate.inputs[0]], by, is_weight=True) if gate and _is_sigmoid(gate) else None
    if weighted is None or weighted[0].number != x:
        return None
    return _layer(step, EvoNorm(int(groups), eps), (x,), {**tensors, "v": weighted[1]})


def _is_sigmoid(step: ReadStep) -> bool:
    return not isinstance(step.op, str) and step.op.kind() == "SIGMOID"


def _global_response(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match x + w*x*n + b, where n is the norm over all positions, divided by its mean over channels plus eps."""
    for x in step.inputs:
        inner = match_pair(step, Add, by, x)
        affine = _affine(inner, by) if inner else None
        factor = match_pair(affine[0], Mul, by, x) if affine else None
        if affine is None or factor is None or factor.op != "quotient":
            continue
        norm, below = (by[at] for at in factor.inputs)
        mean = by[below.inputs[0]] if below.op == "plus" else None
        if norm.op != "norm" or norm.facts["over"] != "positions" or norm.inputs != (x,):
            continue
        if mean is None or not isinstance(mean.op, ChannelMean) or mean.inputs != (norm.number,):
            continue
        eps = float(str(below.facts["by"]))
        return _layer(step, GlobalResponse(eps), (x,), {"weight": affine[1], "bias": affine[2]})
    return None


def _star_relu(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    affine = _affine(step, by)
    if affine is None or affine[0].op != "square":
        return None
    relu = by[affine[0].inputs[0]]
    if not isinstance(relu.op, Relu) or any(len(step.extents.get(name, ())) != 1 for name in affine[1:]):
        return None
    return _layer(step, StarRelu(), relu.inputs, {"scale": affine[1], "bias": affine[2]})


def _hard_sigmoid(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match relu6(x + 3)/6."""
    if not isinstance(step.op, Times) or abs(step.op.by * 6 - 1) > 1e-9:
        return None
    relu6 = by[step.inputs[0]]
    plus = by[relu6.inputs[0]] if isinstance(relu6.op, Relu6) else None
    if plus is None or plus.op != "plus" or plus.facts["by"] != 3:
        return None
    return _layer(step, HardSigmoid(), plus.inputs, {})


def _soft_sign(step: ReadStep, by: NumberedSteps) -> ReadStep | None:
    """Match x/(1 + |x|)."""
    if step.op != "quotient":
        return None
    x, below = step.inputs[0], by[step.inputs[1]]
    size = by[below.inputs[0]] if below.op == "plus" and below.facts["by"] == 1 else None
    turned = match_pair(size, Max, by, x) if size else None
    is_size = turned is not None and turned.op == Times(-1.0) and turned.inputs == (x,)
    return _layer(step, Softsign(), (x,), {}) if is_size else None


RULES: tuple[StepRule, ...] = (
    *FOLDINGS,
    *BY_HAND,
    _evo_norm,
    _filter_response,
    _rms_norm,
    _weighted_norm,
    _l2_norm,
    _global_response,
    _star_relu,
    _hard_sigmoid,
    _soft_sign,
)
"""The rules to try at each step, in this order."""


def _distributed(steps: Sequence[ReadStep], outputs: Sequence[int]) -> list[ReadStep]:
    """Return the steps with x*y + x in place of x*(1 + y), as a program cannot add numbers."""
    by = {step.number: step for step in steps}
    found: list[ReadStep] = []
    for step in steps:
        one = next((by[at] for at in step.inputs if by[at].op == "plus" and by[at].facts["by"] == 1), None)
        x = match_pair(step, Mul, by, one.number) if one else None
        if one is None or x is None:
            found.append(step)
            continue
        product = replace(step, number=len(by) + max(by), inputs=(x.number, one.inputs[0]))
        by[product.number] = product
        found += [product, replace(step, op=Add(), inputs=(product.number, x.number))]
    return needed(found, outputs)


def _longer_sums(steps: Sequence[ReadStep], outputs: Sequence[int]) -> list[ReadStep]:
    """Flatten sums of sums: `a + b + c`, if nothing else reads `a + b`. Squares become products."""
    readers = Counter(at for step in steps for at in step.inputs)
    readers.update(outputs)
    by = {step.number: step for step in steps}
    for step in steps:
        if step.op == "square":
            by[step.number] = _layer(step, Mul(), (step.inputs[0], step.inputs[0]), {})
        first = by[step.inputs[0]] if step.inputs else None
        if isinstance(step.op, Add) and first and isinstance(first.op, Add) and readers[first.number] == 1:
            by[step.number] = replace(step, inputs=(*first.inputs, *step.inputs[1:]))
    return needed(list(by.values()), outputs)
