"""Modules as their constructors build them: children, their names, and stored attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from cnndsl.emit.torch.verify import attributes
from cnndsl.emit.torch.verify.forms import set_later
from cnndsl.emit.torch.verify.frame import Frame
from cnndsl.emit.torch.verify.initial import untrained
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.lower import lower
from cnndsl.emit.torch.verify.lower_helpers import lower_helper
from cnndsl.emit.torch.verify.parameters import form_of, is_parameter
from cnndsl.emit.torch.verify.reserved import is_reserved
from cnndsl.emit.torch.verify.signatures import bind
from cnndsl.emit.torch.verify.text import CONTAINERS, Program
from cnndsl.emit.torch.verify.values import (
    ClassInfo,
    Instance,
    Keyed,
    LeafClass,
    Member,
    NotUnderstood,
    Register,
    Template,
    Trouble,
    WeightReference,
    describe,
    frozen,
)


def make_leaf(
    cls: LeafClass, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int
) -> Instance:
    """Return a module of a class that computes. Raises Trouble for arguments that it does not accept."""
    key = (cls.name, tuple(map(frozen, given)), tuple((name, frozen(each)) for name, each in named.items()))
    program = frame.program
    template = program.templates.get(key)
    if template is None:
        leaf = _leaf(cls, given, named, program)
        template = program.templates[key] = template_of(program, None, leaf, {}, {}, cls.name)
    return Instance(None, template.leaf, line, template)


def make_parameter(given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> Instance:
    """Return an `nn.Parameter`. Raises NotUnderstood if it is not made from a tensor of one value."""
    if frame.recorder is not None:
        raise NotUnderstood("a parameter that is made in `forward`")
    leaf = frame.program.forms.leaf(form_of(given, named))
    return Instance(None, leaf, line, template_of(frame.program, None, leaf, {}, {}, "Parameter"))


def _leaf(cls: LeafClass, given: Sequence[object], named: Mapping[str, object], program: Program) -> LeafModule:
    if cls is attributes.IDENTITY:
        return program.forms.leaf(("identity",))
    kind, _, name = cls.name.rpartition(":")
    bound = bind(name, cls.params, cls.star, given, named)
    if kind == "helper":
        return lower_helper(name, bound, program.forms)
    if kind == "plugin":
        return program.forms.leaf(("plugin", name, *((key, frozen(each)) for key, each in bound.items())))
    return lower(name, bound, program.forms)


def template_of(
    program: Program,
    info: ClassInfo | None,
    leaf: LeafModule | None,
    children: dict[str, tuple[Template, int]],
    attrs: Mapping[str, object],
    made_by: str,
) -> Template:
    """Return the template of a module; equal modules share one."""
    parts = tuple((name, child.number, line) for name, (child, line) in children.items())
    key = (
        info,
        leaf,
        made_by,
        parts,
        tuple(sorted((name, frozen(each)) for name, each in attrs.items())) if attrs else (),
    )
    found = program.templates.get(key)
    if found is None:
        found = program.templates[key] = Template(len(program.templates), info, leaf, children, attrs, made_by)
    return found


def freeze(instance: Instance, program: Program) -> Template:
    """Return the template of a module in its present state."""
    if instance.template is None:
        children = {name: (freeze(child, program), child.line) for name, child in instance.children.items()}
        made_by = instance.made_by
        instance.template = template_of(program, instance.info, instance.leaf, children, instance.attrs, made_by)
    return instance.template


def build(info: ClassInfo, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> Instance:
    """Return a module of a class of the source, or one of PyTorch's containers. Raises Trouble, or Refused if the
    class raises an error of its own."""
    program = frame.program
    frame.engine.spend()
    if info.init is None:
        instance = Instance(info, None, line)
        fill(instance, given, named, frame, line)
        freeze(instance, program)
        return instance
    key = _key(info, given, named)
    if key is not None and key in program.templates:
        return Instance(info, None, line, program.templates[key])
    instance = Instance(info, None, line)
    bound = bind(info.name, info.init.params[1:], info.init.star - 1, given, named)
    inner = Frame(program, info.init, {info.init.params[0][0]: instance, **bound}, None, frame.engine)
    if frame.engine.run(info.init.node.body, inner) is not None:
        raise Trouble(f"`__init__` of `{info.name}` returns a value", info.init.node.lineno)
    if not instance.ready:
        raise Trouble(f"`__init__` of `{info.name}` does not call that of its base", info.init.node.lineno)
    template = freeze(instance, program)
    if key is not None:
        program.templates[key] = template
    return instance


def _key(info: ClassInfo, given: Sequence[object], named: Mapping[str, object]) -> object:
    """Return the cache key of a constructor call; None if modules are passed to it."""
    if any(isinstance(each, Instance) for each in (*given, *named.values())):
        return None
    return (info, "made", tuple(map(frozen, given)), tuple((name, frozen(each)) for name, each in named.items()))


def super_init(frame: Frame, given: Sequence[object], named: Mapping[str, object], line: int) -> None:
    """Run `super().__init__(…)`. Raises Trouble if the base class does not accept the arguments."""
    instance = frame.names.get(frame.function.params[0][0]) if frame.function.params else None
    if not isinstance(instance, Instance) or instance.info is None or frame.function.name != "__init__":
        raise NotUnderstood("`super` outside of `__init__`", line)
    if instance.ready:
        raise Trouble("`__init__` of the base is called a second time", line)
    fill(instance, given, named, frame, line)


def fill(instance: Instance, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int) -> None:
    """Fill one of PyTorch's containers from the arguments of its constructor."""
    info = instance.info
    assert info is not None
    most = {"module": 0, "sequential": len(given), "list": 1, "dict": 1}[info.kind]
    if named or len(given) > most or any(isinstance(each, Keyed) is not (info.kind == "dict") for each in given):
        raise NotUnderstood(f"arguments of the base of `{info.name}`", line)
    instance.ready = True
    if info.kind == "list" and given:
        given = list(attributes.iterate(given[0], frame, line))
    for number, each in enumerate(given):
        for name, child in each.items if isinstance(each, Keyed) else ((str(number), each),):
            register(instance, name, child, line)


def register(instance: Instance, name: str, child: object, line: int, is_attribute: bool = False) -> None:
    """Register a module as a child. Raises Trouble if it is not a module or already has a parent; a parameter can
    only be registered as an attribute."""
    if not isinstance(child, Instance) or (is_parameter(child.leaf) and not is_attribute):
        raise Trouble(f"{describe(child)} is made a child called `{name}`", line)
    if not instance.ready:
        raise Trouble("a child is given to a module before `super().__init__()`", line)
    if child.owned:
        raise Trouble(f"the module called `{name}` has another place already: they would share weights", line)
    if not name or "." in name or (instance.info is not None and is_reserved(name, instance.info.kind)):
        raise Trouble(f"`{name}` cannot be the name of a child: modules have an attribute of that name", line)
    if instance.leaf is not None:
        raise NotUnderstood("a child of a module that computes", line)
    child.owned = True
    children = instance.thaw()
    instance.attrs.pop(name, None)
    children[name] = child


def set_attribute(instance: Instance, name: str, value: object, line: int, forms: Forms) -> None:
    """Execute `self.name = value`, or `module.eps = value` for an attribute that PyTorch reads in each call."""
    if isinstance(value, Instance):
        register(instance, name, value, line, is_attribute=True)
        return
    if isinstance(value, Register | Member | WeightReference):
        raise NotUnderstood(f"{describe(value)} as an attribute", line)
    form = None if instance.leaf is None else set_later(instance.leaf.form, name, value)
    if instance.leaf is not None and form is not None:
        known = instance.leaf
        instance.leaf, instance.template = forms.leaf(form, known.inplace, known.indices, known.memory), None
        return
    if instance.leaf is not None or not instance.ready:
        raise NotUnderstood(f"the attribute `{name}` of this module", line)
    children = instance.thaw()
    if name in children:
        raise Trouble(f"`{name}` is a child, and is given {describe(value)}", line)
    if instance.info is not None and is_reserved(name, instance.info.kind):
        raise Trouble(f"`{name}` cannot be an attribute: modules have one of that name", line)
    frozen(value)
    instance.attrs[name] = value


def set_item(instance: Instance, key: object, value: object, line: int) -> None:
    """Execute `self["0"] = value` on a ModuleDict, or `self[0] = value` on a ModuleList that already has that child.

    Raises Trouble for the other containers.
    """
    kind = None if instance.info is None else instance.info.kind
    if kind == "list" and isinstance(key, int) and not isinstance(key, bool) and 0 <= key < len(instance.thaw()):
        register(instance, str(key), value, line)
        return
    if instance.info is None or instance.info.kind != "dict" or not isinstance(key, str):
        raise NotUnderstood(f"a child under {describe(key)}", line)
    register(instance, key, value, line)


def length(value: object, frame: Frame, line: int) -> int:
    """Return `len` of a sequence or a container."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Instance) and value.info is not None and value.info.kind != "module":
        return len(value.thaw())
    return len(list(attributes.iterate(value, frame, line)))


def method(
    instance: Instance, name: str, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int
) -> object:
    """Return the result of a method of a module under construction. Raises Trouble if the module does not have it."""
    kind = "leaf" if instance.info is None else instance.info.kind
    if name in ("append", "extend") and kind in ("sequential", "list") and len(given) == 1 and not named:
        added: Iterable[object] = given if name == "append" else attributes.iterate(given[0], frame, line)
        for each in list(added):
            register(instance, str(len(instance.thaw())), each, line)
        return instance
    if name in ("add_module", "register_module"):
        bound = bind(name, (("name", None), ("module", None)), 2, given, named)
        if not isinstance(bound["name"], str):
            raise Trouble(f"a child is called {describe(bound['name'])}")
        register(instance, bound["name"], bound["module"], line)
        return None
    if name == "modules" and not given and not named:
        return list(_modules(instance))
    if name in ("get_parameter", "get_submodule") and len(given) == 1 and isinstance(given[0], str) and not named:
        return _at_path(instance, given[0], name == "get_parameter", line)
    if name == "requires_grad_" and list(given) == [False] and not named and instance.leaf is not None:
        leaf = instance.leaf
        instance.leaf = frame.program.forms.leaf(untrained(leaf.form), leaf.inplace, leaf.indices, leaf.memory)
        instance.template = None
        return instance
    raise NotUnderstood(f"the method `{name}` of a {kind}")


def _modules(instance: Instance) -> Iterable[Instance]:
    if not is_parameter(instance.leaf):
        yield instance
    if instance.leaf is None:
        for child in instance.thaw().values():
            yield from _modules(child)


def _at_path(instance: Instance, path: str, parameter: bool, line: int) -> object:
    parts = path.split(".")
    for part in parts[:-1] if parameter else parts:
        children = instance.thaw() if instance.leaf is None else {}
        if part not in children:
            raise Trouble(f"there is nothing at `{path}`", line)
        instance = children[part]
    if not parameter:
        return instance
    if instance.leaf is None or not instance.leaf.stateful or parts[-1] not in ("weight", "bias"):
        raise Trouble(f"there is no parameter at `{path}`", line)
    return WeightReference(instance, parts[-1])


def of_class(instance: Instance, kind: LeafClass | ClassInfo) -> bool:
    """Return `isinstance` of a module: true for its own class and the one that it derives from."""
    if isinstance(kind, ClassInfo):
        info = instance.info
        if info is None:
            return kind is CONTAINERS["Module"]
        return info is kind or (kind.node is None and kind.kind in (info.kind, "module"))
    return kind.name in (instance.made_by, _base(instance.made_by))


def _base(name: str) -> str:
    """Return the PyTorch class that a helper derives from; empty if that is only `nn.Module`.

    >>> _base("helper:PaddedConv2d"), _base("helper:PaddedSumPool2d"), _base("Conv2d")
    ('Conv2d', 'AvgPool2d', '')
    """
    if not name.startswith("helper:Padded"):
        return ""
    return name.removeprefix("helper:Padded").replace("SumPool", "AvgPool")
