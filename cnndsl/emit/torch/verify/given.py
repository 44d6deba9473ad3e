"""Reads the arguments of a constructor as PyTorch does: what PyTorch would reject raises Trouble."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.emit.torch.verify import plain
from cnndsl.emit.torch.verify.values import Trouble, describe


class CallArguments:
    """The arguments of one call, by name."""

    __slots__ = ("_values", "name")

    def __init__(self, name: str, values: Mapping[str, object]) -> None:
        self.name, self._values = name, values

    def __getitem__(self, key: str) -> object:
        return self._values[key]

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def _wrong(self, key: str, what: str) -> Trouble:
        return Trouble(f"`{self.name}` is given {key}={describe(self._values[key])}, which is not {what}")

    def whole(self, key: str, least: int = 1) -> int:
        """Return an integer. Raises Trouble for a float, a bool or a value that is too small."""
        value = self._values[key]
        if type(value) is not int:
            raise self._wrong(key, "an integer")
        if value < least:
            raise self._wrong(key, f"at least {least}")
        return value

    def extents(self, key: str, rank: int, least: int = 1) -> tuple[int, ...]:
        """Return an integer for each axis, given as one for all axes or one each. Raises Trouble as `whole` does."""
        value = self._values[key]
        if type(value) is int:
            items: tuple[object, ...] = (value,) * rank
        else:
            several = plain.items(value)
            if several is None:
                raise self._wrong(key, f"an integer or {rank} of them")
            items = several * rank if len(several) == 1 else several
        found: list[int] = []
        for item in items:
            if type(item) is not int or item < least:
                raise self._wrong(key, f"an integer of at least {least} for each axis")
            found.append(item)
        if len(found) != rank:
            raise self._wrong(key, f"{rank} integers")
        return tuple(found)

    def integers(self, key: str, least: int = -(10**9)) -> tuple[int, ...]:
        """Return a tuple or list of integers. Raises Trouble for anything else."""
        items = plain.items(self._values[key])
        if items is None:
            raise self._wrong(key, "a tuple of integers")
        found: list[int] = []
        for item in items:
            if type(item) is not int or item < least:
                raise self._wrong(key, f"a tuple of integers of at least {least}")
            found.append(item)
        return tuple(found)

    def real(self, key: str) -> float:
        """Return an int or a float. Raises Trouble for a Fraction, which PyTorch does not accept."""
        value = self._values[key]
        if type(value) is int or type(value) is float:
            return value
        raise self._wrong(key, "an int or a float")

    def flag(self, key: str) -> bool:
        """Return a bool. Raises Trouble for numbers, which some of PyTorch's modules reject."""
        value = self._values[key]
        if type(value) is not bool:
            raise self._wrong(key, "True or False")
        return value

    def must_be(self, key: str, *usual: object) -> None:
        """Raise Trouble if the argument is none of these values: no other can be written in the language."""
        if key in self._values and not any(self._values[key] is each or self._values[key] == each for each in usual):
            raise self._wrong(key, " or ".join(map(repr, usual)))
