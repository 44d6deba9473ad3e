"""The order in which children are made that are parts of a module in pieces, as `convs.0` and `convs.1` are of `convs`,
and how a class reaches them.

Those of one container follow one another, where the first of them is called; those of a list in the list's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.emit.torch.ir import Child, ModuleClass


def container_of(child: Child) -> str:
    """Return the outermost container that a child is put into, empty where it is an attribute of its own."""
    return child.name.partition(".")[0] if "." in child.name else ""


def in_containers(children: Sequence[Child], containers: Mapping[str, bool]) -> list[Child]:
    """Return the children in the order in which they are made. `containers` are the paths of the containers, and
    whether each is a list."""
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
    """Return how a class reaches a child: by its name, by its number, or by its place in a container, `convs[1]`."""
    first, *rest = name.split(".")
    if cls.is_listed:
        return f"self[{name}]"
    found, path = f"self.{first}" if first.isidentifier() else f'self["{first}"]', first
    for each in rest:
        found += f"[{each}]" if cls.containers[path] else f'["{each}"]'
        path += f".{each}"
    return found


def _prefixes(name: str) -> list[str]:
    """A path and those of the containers around it, the outermost first."""
    names = name.split(".")
    return [".".join(names[:length]) for length in range(1, len(names) + 1)]
