"""The input sizes at which symbolic sizes are compared.

An axis that is dynamic in both programs is tried at several sizes, including odd ones; an axis that is fixed in one of
them, only at that size. If a network takes only multiples of some number, the odd sizes are omitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnndsl.importers.torch_compare.sizes import TriedExtent, UnevenError, extent

if TYPE_CHECKING:
    from torch.export import ExportedProgram

OFFSETS = (
    ((0, 0, 0), (32, 64, 32), (1, 35, 32), (67, 2, 64), (33, 33, 1)),
    ((0, 0, 0), (64, 128, 32), (128, 64, 64), (192, 32, 96)),
    ((0, 0, 0),),
)
"""The increments of the input's last three axes, last axis first, at each size; the first set that works is used."""


class Points:
    """The values of a program's symbols at each size that is tried."""

    def __init__(self, values: Sequence[dict[Any, int]]) -> None:
        self._values = values
        self._known: dict[Any, TriedExtent] = {}

    def extent(self, size: Any) -> TriedExtent:
        """Return a number or a symbolic size of torch as an extent."""
        if not hasattr(size, "node"):
            return int(size)
        expression = size.node.expr
        found = self._known.get(expression)
        if found is None:
            import sympy  # pyright: ignore[reportMissingTypeStubs]  # torch brings it, without stubs

            numbers = ({symbol: sympy.Integer(at) for symbol, at in each.items()} for each in self._values)
            results = [expression.xreplace(each) for each in numbers]
            if not all(each.is_Integer for each in results):
                raise UnevenError
            found = self._known[expression] = extent(tuple(int(each) for each in results))
        return found


def inputs_of(program: ExportedProgram) -> list[Any]:
    """Return the shapes of the inputs, including symbolic sizes."""
    from torch.export.graph_signature import InputKind

    names = {each.arg.name for each in program.graph_signature.input_specs if each.kind == InputKind.USER_INPUT}
    nodes = [each for each in program.graph.nodes if each.op == "placeholder" and each.name in names]
    return [each.meta["val"].shape for each in nodes if hasattr(each.meta.get("val"), "shape")]


def points_of(program: ExportedProgram, other: ExportedProgram, offsets: Sequence[tuple[int, ...]]) -> Points:
    """Return the sizes for a program that is compared with another.

    Raises UnevenError if an input cannot have one of them.
    """
    values: list[dict[Any, int]] = [{} for _ in offsets]
    for shape, like in zip(inputs_of(program), inputs_of(other), strict=False):
        for at, (size, its) in enumerate(zip(shape, like, strict=False)):
            if not hasattr(size, "node"):
                continue
            hint = int(size.node.hint)
            from_back = len(shape) - 1 - at
            for given, further in zip(values, offsets, strict=True):
                wanted = hint + further[from_back] if hasattr(its, "node") else int(its)
                _solve(size.node.expr, wanted, given)
    return Points(values)


def _solve(expression: Any, wanted: int, given: dict[Any, int]) -> None:
    """Choose the value of the single symbol in an input's size: `s` or `32*s`."""
    symbols = expression.free_symbols
    if len(symbols) != 1:
        raise UnevenError
    (symbol,) = symbols
    if symbol in given:
        return
    import sympy  # pyright: ignore[reportMissingTypeStubs]  # torch brings it, without stubs

    factor = expression.coeff(symbol)
    rest = expression - factor * symbol
    value = sympy.Integer(wanted) - rest
    if not factor.is_Integer or value % factor:
        raise UnevenError
    given[symbol] = int(value / factor)
