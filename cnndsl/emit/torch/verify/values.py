"""The values that are used while the source is followed: Python's own, and modules, classes and tensors.

Nothing here is PyTorch's. A tensor is a register; only a replay of the trace knows its content.
"""

from __future__ import annotations

from ast import ClassDef, FunctionDef
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Literal, TypeAlias

from cnndsl.emit.torch.verify.leaves import LeafModule
from cnndsl.emit.torch.verify.plain import LentList, items

ContainerKind: TypeAlias = Literal["module", "sequential", "list", "dict"]

Params: TypeAlias = tuple[tuple[str, object], ...]
"""The parameters of a function in order, each with its default or `REQUIRED`."""


class Trouble(Exception):
    """The source cannot be followed at a line: it is outside the subset, or PyTorch would raise an error there."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class NotUnderstood(Trouble):
    """The line is outside the supported subset of Python."""

    def __str__(self) -> str:
        return f"not understood: {self.message}"


class Refused(Exception):
    """The source raised an error of its own, as a constructor does that rejects its arguments."""

    def __init__(self, line: int) -> None:
        super().__init__(f"raised on line {line}")
        self.line = line


class Required:
    """The marker for a parameter without a default."""

    __slots__ = ()


REQUIRED = Required()


class Module:
    """An imported Python module: `torch`, `nn`, `F`, `math`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Builtin:
    """A function of Python or PyTorch, by name: `range`, `torch.cat`."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class LeafClass:
    """A class whose modules are called without being traced: PyTorch's, a trusted helper's, a plug-in's."""

    __slots__ = ("name", "params", "star")

    def __init__(self, name: str, params: Params, star: int) -> None:
        self.name, self.params, self.star = name, params, star


class ClassInfo:
    """A module class that the source defines, or one of PyTorch's containers (no `node`)."""

    __slots__ = ("forward", "init", "kind", "name", "node")

    def __init__(
        self, name: str, kind: ContainerKind, node: ClassDef | None, init: Function | None, forward: Function | None
    ) -> None:
        self.name, self.node, self.init, self.forward = name, node, init, forward
        self.kind: ContainerKind = kind


class TupleClass:
    """A NamedTuple of the source: its fields, each with its default or `REQUIRED`."""

    __slots__ = ("fields", "name")

    def __init__(self, name: str, fields: Params) -> None:
        self.name, self.fields = name, fields


class Function:
    """A function of the source: parameters (`star` of them can be positional) and its local names."""

    __slots__ = ("locals", "name", "node", "params", "star")

    def __init__(self, node: FunctionDef, params: Params, star: int, names: frozenset[str]) -> None:
        self.name, self.node, self.params, self.star, self.locals = node.name, node, params, star, names


class Named:
    """An instance of a NamedTuple."""

    __slots__ = ("cls", "values")

    def __init__(self, cls: TupleClass, values: tuple[object, ...]) -> None:
        self.cls, self.values = cls, values


class Template:
    """A module without its identity: equal templates are one object, identified by their number.

    `leaves` counts the modules in it that compute something, `made_by` names the class of one that does.
    """

    __slots__ = ("attrs", "children", "info", "leaf", "leaves", "made_by", "number")

    def __init__(
        self,
        number: int,
        info: ClassInfo | None,
        leaf: LeafModule | None,
        children: dict[str, tuple[Template, int]],
        attrs: Mapping[str, object],
        made_by: str,
    ) -> None:
        self.number, self.info, self.leaf, self.children, self.attrs = number, info, leaf, children, attrs
        self.made_by = made_by
        self.leaves = sum(child.leaves for child, _ in children.values())
        if leaf is not None and not leaf.passes:
            self.leaves = 1


class Instance:
    """A module under construction.

    An instance that has not changed since it was built is just its template, and has no `children` of its own yet.
    """

    __slots__ = ("attrs", "children", "info", "leaf", "line", "made_by", "owned", "ready", "template")

    def __init__(
        self, info: ClassInfo | None, leaf: LeafModule | None, line: int, template: Template | None = None
    ) -> None:
        self.info, self.leaf, self.line, self.template = info, leaf, line, template
        self.children: dict[str, Instance] = {}
        self.attrs: dict[str, object] = {}
        self.ready = template is not None
        self.made_by = "" if template is None else template.made_by
        self.owned = False

    def thaw(self) -> dict[str, Instance]:
        """Return the children as a dictionary that may be changed."""
        template = self.template
        if template is not None:
            self.template = None
            self.attrs = dict(template.attrs)
            for name, (child, line) in template.children.items():
                made = self.children[name] = Instance(child.info, child.leaf, line, child)
                made.owned = True
        return self.children


class Member:
    """A module in `forward`: its template, its path from the current module, and the line that created it."""

    __slots__ = ("line", "path", "template")

    def __init__(self, template: Template, path: str, line: int) -> None:
        self.template, self.path, self.line = template, path, line


class WeightReference:
    """A parameter of a module under construction, to be initialised."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: Instance, name: str) -> None:
        self.owner, self.name = owner, name


class Method:
    """A bound method of a module, a tensor or a shape that is not called yet."""

    __slots__ = ("name", "owner")

    def __init__(self, owner: object, name: str) -> None:
        self.owner, self.name = owner, name


class Keyed:
    """A dictionary with string keys."""

    __slots__ = ("items",)

    def __init__(self, items: Sequence[tuple[str, object]]) -> None:
        self.items = items


class Register:
    """A tensor or a tensor's size in `forward`: the number of a register of its trace.

    The source is followed as Python would run it, so names and expressions hold a register exactly as long as they hold
    the tensor. When the last reference is gone, the number is added to `released`.
    """

    __slots__ = ("index", "is_size", "released")

    def __init__(self, index: int, is_size: bool = False, released: list[int] | None = None) -> None:
        self.index, self.is_size, self.released = index, is_size, released

    def __del__(self) -> None:
        if self.released is not None:
            self.released.append(self.index)


def frozen(value: object) -> object:
    """Return a value as a key; unlike keys of a Python dictionary, 1, 1.0 and True differ.

    Raises NotUnderstood for values that cannot be keys, such as modules.
    """
    kind = type(value)
    if kind is int or kind is str or value is None:
        return value
    if kind is bool or kind is float or kind is Fraction:
        return (kind, str(value))
    several = items(value)
    if several is not None:
        return (kind, tuple(map(frozen, several)))
    if isinstance(value, LeafClass | ClassInfo | TupleClass | Builtin | Function):
        return value
    raise NotUnderstood(f"{describe(value)} as a value that is kept")


def describe(value: object) -> str:
    """Return the description of a value for messages.

    >>> describe(3), describe(None), describe(Register(1))
    ('3', 'None', 'a tensor')
    """
    if isinstance(value, Register):
        return "a size" if value.is_size else "a tensor"
    if isinstance(value, Instance | Member):
        return "a module"
    if isinstance(value, ClassInfo | LeafClass | TupleClass | Function | Builtin | Module):
        return f"`{value.name}`"
    if isinstance(value, Named):
        return f"a {value.cls.name}"
    if isinstance(value, Method):
        return f"the method `{value.name}`"
    if isinstance(value, Keyed):
        return "a dictionary"
    if isinstance(value, LentList):
        return "a list that a module shares"
    text = repr(value)
    return text if len(text) < 40 else f"a {type(value).__name__}"
