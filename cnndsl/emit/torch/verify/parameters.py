"""A module's own parameters, `nn.Parameter(torch.ones(64))`, and the operators that use them.

Such a parameter is a child that is never called: as an operand, `x * self.gamma`, it is a computation at its path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.plain import items
from cnndsl.emit.torch.verify.signatures import FUNCTIONS, bind, parameters
from cnndsl.emit.torch.verify.values import Member, NotUnderstood, Trouble, describe

PARAMETER = "nn.Parameter"
FILLS: Mapping[str, float | None] = {"torch.ones": 1.0, "torch.zeros": 0.0, "torch.full": None}
"""The functions that create an initial tensor, and the value that they fill it with."""


class FilledTensor:
    """A tensor of one value, before it becomes a parameter."""

    __slots__ = ("shape", "start")

    def __init__(self, shape: tuple[int, ...], start: float) -> None:
        self.shape, self.start = shape, start


class ViewedParameter:
    """A parameter in `forward`, viewed with another shape."""

    __slots__ = ("member", "shape")

    def __init__(self, member: Member, shape: tuple[int, ...]) -> None:
        self.member, self.shape = member, shape


def filled(name: str, given: Sequence[object], named: Mapping[str, object]) -> FilledTensor:
    """Return a call of one of `FILLS`. Raises Trouble for invalid shapes, and for integers, which have no gradient."""
    if name != "torch.full":
        if named:
            raise NotUnderstood(f"`{name}` with named arguments")
        only = items(given[0]) if len(given) == 1 else None
        start: object = FILLS[name]
        sizes = given if only is None else only
    else:
        bound = bind(name, *parameters(FUNCTIONS[name]), given, named)
        sizes, start = items(bound["size"]) or (), bound["fill_value"]
        if items(bound["size"]) is None:
            raise Trouble(f"`{name}` is given {describe(bound['size'])} for a size")
    extents = tuple([each for each in sizes if type(each) is int and each > 0])
    if len(extents) < len(sizes):
        raise Trouble(f"`{name}` is given {describe(tuple(sizes))} for a size")
    if type(start) is not float:
        raise Trouble(f"`{name}` fills with {describe(start)}, which is no real number: the tensor has no gradient")
    return FilledTensor(extents, start)


def form_of(given: Sequence[object], named: Mapping[str, object]) -> Form:
    """Return the form of an `nn.Parameter`. Raises NotUnderstood if it is not made from a tensor of one value."""
    if named or len(given) != 1 or not isinstance(given[0], FilledTensor):
        raise NotUnderstood("a parameter of such a tensor")
    return ("parameter", given[0].shape, given[0].start)


def is_parameter(leaf: LeafModule | None) -> bool:
    """Return whether a leaf is a parameter, which a module cannot call."""
    return leaf is not None and leaf.form[0] == "parameter"


def reshaped(member: Member, given: Sequence[object], named: Mapping[str, object]) -> ViewedParameter:
    """Return `self.gamma.reshape(-1, 1, 1)`. Raises Trouble if the numbers of elements differ."""
    sizes = tuple([each for each in given if type(each) is int])
    if named or len(sizes) < len(given):
        raise NotUnderstood("these arguments of `reshape`")
    shape = _shape(member)
    known = prod(each for each in sizes if each != -1)
    if any(each < -1 or not each for each in sizes) or sizes.count(-1) > 1 or (prod(shape) % known):
        raise Trouble(f"a parameter of {describe(shape)} is reshaped to {describe(sizes)}")
    found = tuple([prod(shape) // known if each == -1 else each for each in sizes])
    if prod(found) != prod(shape):
        raise Trouble(f"a parameter of {describe(shape)} is reshaped to {describe(sizes)}")
    return ViewedParameter(member, found)


def operand(value: object) -> ViewedParameter | None:
    """Return a parameter that is an operand; None for any other value."""
    if isinstance(value, Member) and is_parameter(value.template.leaf):
        return ViewedParameter(value, _shape(value))
    return value if isinstance(value, ViewedParameter) else None


def applied(sign: str, viewed: ViewedParameter, forms: Forms, line: int) -> LeafModule:
    """Return the computation that uses a parameter. Raises NotUnderstood for an operator that no layer has."""
    if sign not in ("*", "+"):
        raise NotUnderstood(f"a tensor `{sign}` a parameter", line)
    leaf = viewed.member.template.leaf
    assert leaf is not None
    return forms.leaf(("bare", sign, *leaf.form[1:], viewed.shape))


def _shape(member: Member) -> tuple[int, ...]:
    leaf = member.template.leaf
    assert leaf is not None
    return tuple([each for each in items(leaf.form[1]) or () if isinstance(each, int)])
