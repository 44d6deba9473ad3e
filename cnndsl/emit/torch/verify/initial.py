"""Weight initialisation: the statements of a constructor that initialise parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.leaves import Forms
from cnndsl.emit.torch.verify.signatures import FUNCTIONS, KNOWN_FUNCTIONS, bind, parameters
from cnndsl.emit.torch.verify.values import NotUnderstood, Trouble, WeightReference

PLACE = {"conv": 10, "convt": 11, "linear": 4, "pointwise": 5, "channelconv": 4}
"""The index of the field in a form that holds the initialisation."""

_DRAWS: Mapping[str, tuple[str, Mapping[str, object]]] = {
    "kaiming": ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}),
    "kaiming_uniform": ("kaiming_uniform_", {"mode": "fan_out", "nonlinearity": "relu"}),
    "xavier": ("xavier_normal_", {"gain": 1.0}),
    "xavier_uniform": ("xavier_uniform_", {"gain": 1.0}),
    "normal": ("normal_", {"mean": 0.0, "std": 0.01}),
    "trunc_normal": ("trunc_normal_", {"mean": 0.0, "std": 0.02, "a": -2.0, "b": 2.0}),
    "zeros": ("zeros_", {}),
    "ones": ("ones_", {}),
    "bilinear": ("bilinear_", {}),
}
"""The PyTorch function for each value of the option `init`."""


def draw(name: str, given: Sequence[object], named: Mapping[str, object], forms: Forms) -> None:
    """Apply a function of `nn.init` to a parameter. Raises Trouble for anything that is not a parameter."""
    params, star = parameters(FUNCTIONS.get(name) or KNOWN_FUNCTIONS[name])
    bound = bind(name, params, star, given, named)
    parameter = bound.pop("tensor")
    if not isinstance(parameter, WeightReference):
        raise Trouble(f"`{name}` is given what is no parameter")
    owner = parameter.owner
    if owner.leaf is None:
        raise NotUnderstood("a parameter of a module that does not compute")
    form = drawn(owner.leaf.form, parameter.name, _word(name.removeprefix("nn.init."), bound))
    owner.leaf, owner.template = forms.leaf(form, owner.leaf.inplace, owner.leaf.indices, owner.leaf.memory), None


def _word(name: str, bound: Mapping[str, object]) -> str:
    for word, (function, wanted) in _DRAWS.items():
        if name == function and all(bound[key] == value for key, value in wanted.items()):
            return word
    return f"{name}({', '.join(f'{key}={value}' for key, value in bound.items())})"


def untrained(form: Form) -> Form:
    """Return the form of a module whose parameters are not trained."""
    return form if form[-1] == FROZEN else (*form, FROZEN)


FROZEN = "not trained"
"""The last field of such a form."""


def drawn(form: Form, name: str, word: str) -> Form:
    """Return the form of a module after this initialisation of a parameter."""
    at = PLACE.get(str(form[0]))
    if at is None or name != "weight":
        return (*form, f"{name} by {word}")
    return (*form[:at], word, *form[at + 1 :])
