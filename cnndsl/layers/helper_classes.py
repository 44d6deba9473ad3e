"""The sources of helper classes, which PyTorch lacks, for several numbers of axes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def by_rank(name: str, template: str, ranks: Iterable[int] = (1, 2, 3)) -> Mapping[str, str]:
    """Return the sources of a helper class for several numbers of axes, by the name of each.

    The template holds `{n}` for the number of axes and `{size}` for the type of an extent along each.

    >>> by_rank("Odd", "class Odd{n}d: size: {size}", ranks=[2])
    {'Odd2d': 'class Odd2d: size: tuple[int, int]'}
    """
    return {f"{name}{n}d": template.format(n=n, size=f"tuple[{', '.join(['int'] * n)}]") for n in ranks}
