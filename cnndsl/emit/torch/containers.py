"""The order in which children in containers are built, as `convs.0` and `convs.1` of `convs`, and how a class refers to
them.

The children of one container are built together, when the first of them is called; those of a list in the list's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.torch.ir import Child, ModuleClass


def container_of(child: Child) -> str:
    """Return the outermost container of a child, empty if the child is an attribute of its own."""
    return child.name.partition(".")[0] if "." in child.name else ""


def in_containers(children: Sequence[Child], containers: Mapping[str, bool]) -> list[Child]:
    """Return the children in the order in which they are built. `containers` maps the path of each container to whether
    it is a list."""
    place: dict[str, int] = {}
    for child in children:
        for path in _prefixes(child.name):
            place.setdefault(path, len(place))

    def order(child: Child) -> tuple[int, ...]:
        found: list[int] = []
        for path in _prefixes(child.name):
            held, _, last = path.rpartition(".")
            found.append(int(last) if containers.get(held) else place[path])
        return tuple(found)

    return sorted(children, key=order)


def target(cls: ModuleClass, name: str) -> str:
    """Return how a class refers to a child: by its name, by its number, or by its index in a container, `convs[1]`."""
    first, *rest = name.split(".")
    if cls.is_listed:
        return f"self[{name}]"
    found, path = f"self.{first}" if first.isidentifier() else f'self["{first}"]', first
    for each in rest:
        found += f"[{each}]" if cls.containers[path] else f'["{each}"]'
        path += f".{each}"
    return found


def _prefixes(name: str) -> list[str]:
    """Return a path after those of the containers around it, the outermost first."""
    names = name.split(".")
    return [".".join(names[:length]) for length in range(1, len(names) + 1)]
