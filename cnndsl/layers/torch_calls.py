"""The PyTorch that a layer becomes: a module by its constructor call, or an expression of the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from cnndsl.records import record


@record(slots=True)
class Slot:
    """A number in emitted code, and its origin, so that a class can express it with its own names.

    `role` is an option of the layer (`filters`), or `in_channels`, `in_features`, `extents` (channels and axes, a list
    in Python), `margins` (the first option and `after`, for each axis), or empty for a plain constant. `name` is the
    name of an argument that replaces a constant.
    """

    value: object
    role: str = ""
    name: str = ""


@record(slots=True)
class TorchCall:
    """The constructor call of a module: `nn.Conv2d(64, 128, 3, padding=1)`.

    `name` is the callable (`nn.Conv2d`); values are Slots, or nested calls. `inplace` says whether an `inplace=True`
    may be added (if nothing else reads the input, and the layer before it does not save it). If torch has no such
    module, `helper` is true and `source` is the source of the class `name`, which goes into the emitted file: one class
    that needs only `torch`, `nn` and `F`. `flatten` says that the module needs a flattened input: `torch.flatten(x, 1)`
    comes before it. `applied` is the expression of the input and the parameter itself in which a parameter is used,
    `{0} * {1}`; its arguments are its shape and its initial value.
    """

    name: str
    arguments: tuple[Slot | TorchCall, ...] = ()
    keywords: tuple[tuple[str, Slot | TorchCall], ...] = ()
    inplace: bool = False
    helper: bool = False
    flatten: bool = False
    source: str = ""
    applied: str = ""


Operation: TypeAlias = Literal["sum", "product", "mean", "maximum", "concat", "view", "other"]
Keywords: TypeAlias = tuple[tuple[str, Slot | TorchCall], ...]


@record(slots=True)
class TorchFunction:
    """An expression of the inputs, for operations that need no module: `torch.cat([{inputs}], 1)`.

    `template` contains `{0}`, `{1}` for the inputs, or `{inputs}` for all of them, comma-separated. `operation` is what
    it computes, which decides how the emitter counts channels and breaks lines. A `mean` is a sum in parentheses,
    divided; a `view` shares the memory of the first input. If the template calls a function that PyTorch lacks, `name`
    is its name and `source` its source.
    """

    template: str
    operation: Operation = "other"
    name: str = ""
    source: str = ""


def changed(name: str, value: float, usual: float) -> Keywords:
    """Return a keyword for a value that is not the argument's default.

    >>> changed("eps", 1e-5, 1e-5)
    ()
    """
    return () if value == usual else ((name, Slot(float(value), name)),)


def by_rank(name: str, template: str, ranks: Iterable[int] = (1, 2, 3)) -> Mapping[str, str]:
    """Return the sources of a helper class for several numbers of axes, by the name of each.

    The template contains `{n}` for the number of axes, `{last}` for that of the last one, `{sides}` for twice as many
    and `{size}` for the type of a size along each. `{ones}` is a 1 for the channels and each axis, `{axes}` a -1.

    >>> by_rank("Odd", "class Odd{n}d: size: {size}", ranks=[2])
    {'Odd2d': 'class Odd2d: size: tuple[int, int]'}
    """
    return {
        f"{name}{n}d": template.format(
            n=n,
            last=n - 1,
            sides=2 * n,
            size=f"tuple[{', '.join(['int'] * n)}]",
            ones=", ".join(["1"] * (n + 1)),
            axes=", ".join(["-1"] * (n + 1)),
        )
        for n in ranks
    }
