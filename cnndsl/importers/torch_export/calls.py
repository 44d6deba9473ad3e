"""A call of one ATen operator with its arguments by name, each of which must be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from cnndsl.importers.torch_export.steps import FixedValue, Unsaid
from cnndsl.importers.torch_export.views import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch.fx import Node as FxNode


class OperatorCall:
    """An operator with its arguments. A reader looks at the arguments it gets; all others must have their defaults."""

    def __init__(self, node: FxNode, value: Callable[[Any], Any], other: FxNode | None = None) -> None:
        self.node = node
        self.name = operator_of(node)
        self._arguments: dict[str, Any] = _arguments(node)
        self._others = _arguments(other) if other is not None else None
        self._defaults = _defaults(node)
        self._value = value
        self._seen: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        """Return the value of an argument: a `View`, a `FixedValue`, a number, a string, or a list of these."""
        self._seen.add(name)
        if name in self._arguments:
            return self._value(self._arguments[name])
        return self._defaults.get(name)

    def view(self, name: str) -> View:
        """Return an argument that depends on the network's inputs."""
        found = self[name]
        if isinstance(found, View):
            return found
        raise Unsaid("it reads the places of largest values" if found is None else "it is of parameters alone")

    def weight(self, name: str) -> FixedValue | None:
        """Return an argument that depends on parameters alone; None if it is missing."""
        found = self[name]
        if isinstance(found, FixedValue) or found is None:
            return found
        raise Unsaid("its weights depend on what enters the network")

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return an argument that is an integer or a list of integers."""
        found: Any = self[name]
        several = cast("list[int]", found if isinstance(found, list | tuple) else [found])
        return tuple([int(each) for each in several])

    def elsewhere(self, name: str) -> Any:
        """Return the argument from the run on inputs of another size; None if there was no such run."""
        self._seen.add(name)
        return None if self._others is None else self._others.get(name, self._defaults.get(name))

    def varies(self, name: str) -> bool:
        """Return whether an argument depends on the size of the network's inputs."""
        return self._others is not None and self._others.get(name) != self._arguments.get(name)

    def pass_over(self, *names: str) -> None:
        """Mark arguments as having no effect."""
        self._seen.update(names)

    def pass_over_all(self) -> None:
        """Mark all arguments as having no effect."""
        self._seen.update(self._arguments)

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape of the result."""
        return tuple([int(each) for each in self.node.meta["val"].shape])

    @property
    def unread(self) -> list[str]:
        """Return the arguments that were not read and do not have their defaults."""
        found = self._arguments.items()
        return [f"{name}={value}" for name, value in found if name not in self._seen and value != self._defaults[name]]


_OF_TWO = {"aten.max.other": "maximum", "aten.min.other": "minimum"}
"""Operators on two tensors that share their name with a reduction."""


def operator_of(node: FxNode) -> str:
    """Return the name of an operator, `relu` for `aten.relu.default` and for `aten.relu_.default`."""
    target = str(node.target)
    if target in _OF_TWO:
        return _OF_TWO[target]
    return target.split(".")[1].rstrip("_") if target.startswith("aten.") else getattr(node.target, "__name__", target)


def is_in_place(node: FxNode) -> bool:
    """Return whether an operator overwrites its first argument."""
    target = str(node.target)
    return target.startswith("aten.") and target.split(".")[1].endswith("_")


def _schema(node: FxNode) -> list[Any]:
    schema = getattr(node.target, "_schema", None)
    return [] if schema is None else list(schema.arguments)


def _arguments(node: FxNode) -> dict[str, Any]:
    names = [each.name for each in _schema(node)] or [f"arg{at}" for at in range(len(node.args))]
    given: Mapping[str, Any] = node.kwargs
    return {**dict(zip(names, node.args, strict=False)), **given}


def _defaults(node: FxNode) -> dict[str, Any]:
    return {each.name: each.default_value for each in _schema(node)}
