"""Weights computed from parameters alone, independent of the inputs: those of standardised convolutions."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypeAlias, cast

from cnndsl.importers.torch_export.steps import FixedValue, Unsaid

Standardised: TypeAlias = tuple[str, float, float]
"""`standardise`, `gamma` and `eps` of CONV."""

RESHAPING = frozenset(
    "view reshape _unsafe_view flatten unflatten squeeze unsqueeze view_as reshape_as expand expand_as "
    "clone contiguous detach alias to _to_copy repeat".split()
)
"""Operators that change neither the values nor their order."""


def standardised(
    weight: FixedValue, tensors: Mapping[str, tuple[int, ...]]
) -> tuple[Standardised, dict[str, FixedValue]]:
    """Return the standardisation of a convolution's weights, and its parameters.

    Raises:
        Unsaid: if CONV has no option for that computation.
    """
    match weight.form:
        case ("param", str()):
            return ("none", 1.0, 1e-6), {"weight": weight}
        case ("batch_norm", ("param", str(name)), None, None, None, None, True, _, float(eps), bool()):
            return ("weights", 1.0, _rounded(eps)), {"weight": _parameter(name, tensors)}
        case (
            "batch_norm",
            ("param", str(name)),
            ("mul", ("param", str(gain)), float(scale)),
            None,
            None,
            None,
            True,
            _,
            float(eps),
            bool(),
        ):
            gamma = scale * prod(tensors[name][1:]) ** 0.5
            found = {"weight": _parameter(name, tensors), "gain": _parameter(gain, tensors)}
            return ("scaled", _rounded(gamma), _rounded(eps)), found
        case _:
            raise Unsaid(_computed(weight.form))


def _computed(form: object) -> str:
    """Return the message for weights that are computed in a way that no layer supports."""
    names = " ".join(_names_in(form))
    if ".parametrizations." in f".{names}" or any(names.count(each) for each in ("weight_g", "weight_orig")):
        return (
            "its weights are computed, by weight_norm, spectral_norm or another parametrization, and no layer does "
            "that; remove it first, with torch.nn.utils.parametrize.remove_parametrizations or remove_weight_norm"
        )
    return "its weights are computed from its parameters"


def _names_in(form: object) -> list[str]:
    if not isinstance(form, tuple):
        return []
    several = cast("tuple[object, ...]", form)
    if several[:1] == ("param",):
        return [str(several[1])]
    return [name for each in several for name in _names_in(each)]


def _parameter(name: str, tensors: Mapping[str, tuple[int, ...]]) -> FixedValue:
    return FixedValue(("param", name), tensors[name])


def _rounded(number: float) -> float:
    return float(f"{number:.12g}")
