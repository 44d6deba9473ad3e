"""Evaluates attributes and subscripts, and what a loop iterates over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from cnndsl.emit.torch.verify.frame import Frame
from cnndsl.emit.torch.verify.parameters import PARAMETER, is_parameter
from cnndsl.emit.torch.verify.plain import LentList, is_a
from cnndsl.emit.torch.verify.signatures import FUNCTIONS
from cnndsl.emit.torch.verify.text import CONTAINERS
from cnndsl.emit.torch.verify.values import (
    Builtin,
    Instance,
    LeafClass,
    Member,
    Method,
    Module,
    Named,
    NotUnderstood,
    Register,
    Trouble,
    WeightReference,
    describe,
)

IDENTITY = LeafClass("Identity", (), 0)
"""PyTorch's module that returns its input, whatever its arguments."""

_CONSTRUCTING = frozenset(
    "append extend add_module register_module modules get_parameter get_submodule requires_grad_".split()
)
"""Methods of a module under construction."""

_SUBMODULES = {("torch", "nn"): "nn", ("nn", "functional"): "F", ("nn", "init"): "nn.init"}

_MATH = frozenset("floor ceil trunc prod isclose".split())


def attribute(value: object, name: str, frame: Frame, line: int) -> object:
    """Return the attribute of a value. Raises Trouble if it has none of that name."""
    if isinstance(value, Instance):
        return _of_instance(value, name, line)
    if isinstance(value, Member):
        return _of_member(value, name, frame, line)
    if isinstance(value, Module):
        return _of_module(value, name, frame, line)
    if isinstance(value, Register):
        return _of_tensor(value, name, frame, line)
    if isinstance(value, Named):
        for (field, _), part in zip(value.cls.fields, value.values, strict=True):
            if field == name:
                return part
        raise Trouble(f"`{value.cls.name}` has no field `{name}`", line)
    if name in ("append", "extend") and is_a(value, list):
        return Method(value, name)
    raise NotUnderstood(f"the attribute `{name}` of {describe(value)}", line)


def _of_module(module: Module, name: str, frame: Frame, line: int) -> object:
    inner = _SUBMODULES.get((module.name, name))
    if inner is not None:
        return Module(inner)
    if module.name == "nn":
        found = frame.program.leaf_class(name) or CONTAINERS.get(name)
        if found is not None:
            return found
        if name == "Identity":
            return IDENTITY
    full = f"{module.name}.{name}"
    if full in FUNCTIONS or full == PARAMETER or (module.name == "math" and name in _MATH):
        return Builtin(full)
    raise NotUnderstood(f"`{full}`", line)


def _of_instance(instance: Instance, name: str, line: int) -> object:
    if name in _CONSTRUCTING:
        return Method(instance, name)
    children = instance.thaw() if instance.leaf is None else {}
    if name in children:
        return children[name]
    if name in instance.attrs:
        return instance.attrs[name]
    if instance.leaf is not None and name in ("weight", "bias"):
        return WeightReference(instance, name)
    raise Trouble(f"the module has no attribute `{name}`", line)


def _of_member(member: Member, name: str, frame: Frame, line: int) -> object:
    info = member.template.info
    if info is not None and (name == "children" or (name == "values" and info.kind == "dict")):
        return Method(member, name)
    if name in member.template.children:
        return below(member, name)
    if name in member.template.attrs:
        return member.template.attrs[name]
    if name == "reshape" and is_parameter(member.template.leaf):
        return Method(member, name)
    if name == "training" and frame.recorder is not None:
        return frame.recorder.mode()
    raise Trouble(f"the module has no attribute `{name}`", line)


def all_below(member: Member) -> list[object]:
    """Return the children of a module in `forward`, in order of registration."""
    return [below(member, name) for name in member.template.children]


def below(member: Member, name: str) -> Member:
    """Return the child of a module in `forward`."""
    template, line = member.template.children[name]
    return Member(template, f"{member.path}.{name}" if member.path else name, line)


def _of_tensor(value: Register, name: str, frame: Frame, line: int) -> object:
    if value.is_size or frame.recorder is None:
        raise NotUnderstood(f"the attribute `{name}` of a size", line)
    if name == "shape":
        return frame.recorder.shape(value, line)
    if name in ("flatten", "size"):
        return Method(value, name)
    raise NotUnderstood(f"the attribute `{name}` of a tensor", line)


def slice_of(bounds: Sequence[object], line: int) -> slice:
    """Return a slice with integer bounds. Raises Trouble for others."""
    for bound in bounds:
        if bound is not None and type(bound) is not int:
            raise Trouble(f"a slice up to {describe(bound)}", line)
    return slice(*bounds)


def item(value: object, index: object, frame: Frame, line: int) -> object:
    """Return the item of a value at an index. Raises Trouble if there is none."""
    if isinstance(value, Register) and frame.recorder is not None:
        return frame.recorder.index(value, index, line)
    if isinstance(value, Member):
        return _child(value, index, line)
    if isinstance(value, Instance):
        return _made_child(value, index, line)
    if isinstance(value, Named):
        value = value.values
    if not isinstance(value, tuple | list | str | range):
        raise NotUnderstood(f"an index of {describe(value)}", line)
    if not isinstance(index, slice) and type(index) is not int:
        raise Trouble(f"the index {describe(index)}", line)
    try:
        if isinstance(value, LentList) and isinstance(index, slice):
            return LentList(value[index])
        return cast("Sequence[object]", value)[index]
    except (IndexError, ValueError) as stop:
        raise Trouble(f"{type(stop).__name__}: {stop}", line) from None


def _key(children: Mapping[str, object], kind: str, index: object, line: int) -> str:
    """Return the name of the child at an index, by the rules of PyTorch's containers."""
    if kind == "dict" and isinstance(index, str):
        if index in children:
            return index
        raise Trouble(f"the module holds nothing called `{index}`", line)
    if kind not in ("sequential", "list") or type(index) is not int:
        raise NotUnderstood(f"the index {describe(index)} of a module", line)
    names = list(children)
    if not -len(names) <= index < len(names):
        raise Trouble(f"the module has no child {index}", line)
    if kind == "list":
        name = str(index % len(names))
        if name not in names:
            raise Trouble(f"the module holds nothing called `{name}`", line)
        return name
    return names[index]


def _child(member: Member, index: object, line: int) -> Member:
    info = member.template.info
    kind = "leaf" if info is None else info.kind
    name = _key(member.template.children, kind, index, line)
    return below(member, name)


def _made_child(instance: Instance, index: object, line: int) -> Instance:
    kind = "leaf" if instance.info is None else instance.info.kind
    children = instance.thaw()
    return children[_key(children, kind, index, line)]


def iterate(value: object, _frame: Frame, line: int) -> Iterable[object]:
    """Return the items of a value, for a loop or for unpacking. Raises Trouble if it has none."""
    if isinstance(value, tuple | list | range):
        return cast("Iterable[object]", value)
    if isinstance(value, Named):
        return value.values
    if isinstance(value, Member | Instance):
        info = value.template.info if isinstance(value, Member) else value.info
        if info is None or info.kind not in ("sequential", "list"):
            raise Trouble("this module has no parts that can be taken apart", line)
        if isinstance(value, Instance):
            return list(value.thaw().values())
        if info.kind == "list" and list(value.template.children) != [
            str(n) for n in range(len(value.template.children))
        ]:
            raise Trouble("this list holds modules under other names than their numbers", line)
        return all_below(value)
    if isinstance(value, Register):
        raise Trouble("a tensor is taken apart, which splits the batch", line)
    raise NotUnderstood(f"the parts of {describe(value)}", line)
