"""How the `forward` of a class calls its children: one by one, or in a loop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Protocol

from cnndsl.emit.torch.collecting import Walks
from cnndsl.emit.torch.containers import in_containers, target
from cnndsl.emit.torch.ir import Build, ModuleClass, SequentialBuild
from cnndsl.emit.torch.walk import form


class Calls(Walks, Protocol):
    """The interface for calls of children."""

    def text(self, child: str) -> str:
        """Return the callee: `self.conv1`."""
        ...

    def is_heavy(self, child: str) -> bool:
        """Return whether a child deserves a line of its own: it has weight matrices, or parts of its own."""
        ...

    def is_stage(self, child: str) -> bool:
        """Return whether a child has parts of its own."""
        ...

    def over(self, child: str) -> str:
        """Return the iterable of a loop that starts with this child: `self.convs`."""
        ...


class ChildCalls:
    """How a class calls its children; `heavy` are those with weight matrices."""

    def __init__(self, cls: ModuleClass, heavy: frozenset[str]) -> None:
        self.cls = cls
        self.stages = {child.name for child in cls.children if not _is_layer(child.module)}
        self.heavy = heavy | self.stages
        self.lists = {child.name for child in cls.children if _takes_list(child.module)}

    def text(self, child: str) -> str:
        """Return how `forward` refers to a child."""
        return target(self.cls, child)

    def is_heavy(self, child: str) -> bool:
        """Return whether a child has weight matrices, or is an instance of a class of the file."""
        return child in self.heavy

    def is_stage(self, child: str) -> bool:
        """Return whether a child is more than one layer."""
        return child in self.stages

    def takes_list(self, child: str) -> bool:
        """Return whether a child takes its values as a list."""
        return child in self.lists

    def walk(self, child: str) -> tuple[str, ...]:
        """Return the children of the container whose first child this is, or all children of the class. Returns an
        empty tuple if they are not built alike, as branches are not: then each call names its child."""
        held = child.rpartition(".")[0]
        if self._firsts[held] != child:
            return ()
        children = in_containers(self.cls.children, self.cls.containers)
        inside = [each for each in children if not held or each.name.startswith(f"{held}.")]
        if any(each.test or each.name.rpartition(".")[0] != held for each in inside):
            return ()
        if len({form(each.module) for each in inside}) > 1:
            return ()
        return tuple(each.name for each in inside)

    @cached_property
    def _firsts(self) -> Mapping[str, str]:
        """Return the first child of each container, and of the class."""
        found: dict[str, str] = {}
        for each in in_containers(self.cls.children, self.cls.containers):
            names = each.name.split(".")
            for length in range(len(names)):
                found.setdefault(".".join(names[:length]), each.name)
        return found

    def over(self, child: str) -> str:
        """Return the iterable that yields these children one after the other: `self.convs`, `self.children()`."""
        held = child.rpartition(".")[0]
        if held:
            return target(self.cls, held) + ("" if self.cls.containers[held] else ".values()")
        if self.cls.is_keyed:
            return "self" if self.cls.is_listed else "self.values()"
        return "self.children()"


def _is_layer(module: Build | SequentialBuild) -> bool:
    return isinstance(module, Build) and isinstance(module.callee, str)


def _takes_list(module: Build | SequentialBuild) -> bool:
    callee = module.callee if isinstance(module, Build) else ""
    return not isinstance(callee, str) and callee.forward is not None and callee.forward.lists is not None
