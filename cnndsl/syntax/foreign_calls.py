"""Parse the arguments of a call in PyTorch's or Keras's notation, which are taken one by one."""

from __future__ import annotations

import re

from cnndsl.syntax.brackets import split

_IGNORED = frozenset(
    "name input_shape kernel_initializer bias_initializer kernel_regularizer inplace dim device dtype axis".split()
)
"""Arguments that do not affect a network's structure."""


class UntranslatableError(Exception):
    """An argument without a certain counterpart."""


class ForeignCall:
    """The arguments of a call, which are taken one by one."""

    def __init__(self, arguments: str) -> None:
        self.unnamed: list[str] = []
        self.named: dict[str, str] = {}
        for each in filter(None, map(str.strip, split(arguments, ","))):
            name, equals, value = each.partition("=")
            if equals and name.strip().isidentifier():
                self.named[name.strip()] = value_of(value)
            else:
                self.unnamed.append(value_of(each))
        self.number = len(self.unnamed)

    def take(self, names: str, position: int = -1, default: str = "") -> str:
        """Remove an argument and return its value, by any of its names or by its position."""
        for name in names.split():
            if name in self.named:
                return self.named.pop(name)
        if 0 <= position < len(self.unnamed):
            found, self.unnamed[position] = self.unnamed[position], ""
            return found or default
        return default

    def finish(self) -> None:
        """Raise UntranslatableError if a relevant argument is left."""
        if any(self.unnamed) or not _IGNORED.issuperset(self.named):
            raise UntranslatableError


def value_of(text: str) -> str:
    """Return a value without its quotes, and the numbers of a tuple as a shape.

    >>> value_of("'same'"), value_of("(3, 5)"), value_of("(7, 7)")
    ('same', '3x5', '7')
    """
    text = text.strip()
    quoted = re.fullmatch(r"([\"'])(.*)\1", text)
    if quoted:
        return quoted[2]
    if text[:1] in ("(", "[") and text[-1:] in (")", "]"):
        extents = [value_of(each) for each in split(text[1:-1], ",") if each.strip()]
        return extents[0] if len(set(extents)) == 1 else "x".join(extents)
    return text
