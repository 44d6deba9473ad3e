"""Find the differences between two programs, from the outputs back to the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cnndsl.importers.torch_compare.describe import described
from cnndsl.importers.torch_compare.points import OFFSETS, points_of
from cnndsl.importers.torch_compare.program import Effect, Read, UnreadableError, line_of, module_of, read
from cnndsl.importers.torch_compare.sizes import UnevenError
from cnndsl.importers.torch_compare.table import ComputedValue, Operand, ValueTable
from cnndsl.importers.torch_compare.views import TensorView
from cnndsl.records import record

if TYPE_CHECKING:
    from torch.export import ExportedProgram

LARGEST = 20
"""The maximum number of differences to list."""

COMMUTING = ("+", "*", "maximum", "minimum")
"""Commutative operators."""


@record
class ProgramDifference:
    """A difference between two programs: a description, with the module's path and the source line in each."""

    said: str
    original: str = ""
    emitted: str = ""
    mode: str = ""

    def __str__(self) -> str:
        places = [
            f"{name}: {place}" for name, place in (("original", self.original), ("emitted", self.emitted)) if place
        ]
        mode = f"in {self.mode}: " * bool(self.mode)
        return f"{mode}{self.said} ({'; '.join(places)})" if places else mode + self.said


def program_difference(
    original: ExportedProgram, emitted: ExportedProgram, in_order: int | None = None
) -> list[ProgramDifference]:
    """List how two exported programs differ; the list is empty if they compute the same from the same weights.

    Names matter: each parameter and buffer is identified by its key in the `state_dict`. The order of outputs, of
    concatenated tensors and of three summands matters, too. The order of two summands or factors does not, as `a + b`
    and `b + a` are equal to the last bit. Sizes that depend on the input are compared at several input sizes, see
    `points`. With `in_order`, only that many outputs must be in order; the others, of auxiliary heads, may be in any.

    Raises UnreadableError if one of them cannot be analysed.
    """
    for offsets in OFFSETS[:-1]:
        try:
            return _difference(original, emitted, offsets, in_order)
        except UnevenError:
            continue
    try:
        return _difference(original, emitted, OFFSETS[-1], in_order)
    except UnevenError:
        raise UnreadableError("extents do not divide each other, even at the size of the input that is given") from None


def _difference(
    original: ExportedProgram, emitted: ExportedProgram, offsets: Sequence[tuple[int, ...]], in_order: int | None
) -> list[ProgramDifference]:
    table = ValueTable()
    with_constants = all(_has_values(each) for each in (original, emitted))
    one = read(original, table, points_of(original, emitted, offsets), with_constants)
    other = read(emitted, table, points_of(emitted, original, offsets), with_constants)
    if in_order is not None:
        other.outputs[in_order:] = _sorted_like(other.outputs[in_order:], one.outputs[in_order:])
    return _Walk(table, one, other).differences()


def _sorted_like(views: Sequence[TensorView], wanted: Sequence[TensorView]) -> list[TensorView]:
    """Return the views in the order of their equals in `wanted`, with the others in between."""
    rest = [each for each in views if each not in wanted]
    return [each if each in views else rest.pop(0) for each in wanted if each in views or rest] + rest


def _has_values(program: ExportedProgram) -> bool:
    """Return whether the values of tensors that are not saved in weight files are known."""
    held = program.constants.values()
    return not any(getattr(each, "is_meta", False) or type(each).__name__ == "FakeTensor" for each in held)


class _Walk:
    def __init__(self, table: ValueTable, one: Read, other: Read) -> None:
        self._table, self._one, self._other = table, one, other
        self._found: list[ProgramDifference] = []
        self._met: set[tuple[int, int]] = set()

    def differences(self) -> list[ProgramDifference]:
        one, other = self._one, self._other
        if len(one.outputs) != len(other.outputs):
            self._say(f"there are {len(one.outputs)} outputs, but {len(other.outputs)} in the emitted module")
        pairs = list(zip(one.outputs, other.outputs, strict=False))
        for at, (a, b) in enumerate(pairs):
            if a.dims != b.dims and a.value == b.value:
                self._say(f"output {at} is arranged in another way", a.value, b.value)
            self._pair(a.value, b.value)
        if not self._found and any(a != b for a, b in pairs):
            self._say("what the two give differs")
        self._effects()
        return self._found[:LARGEST]

    def _say(self, said: str, one: int = -1, other: int = -1) -> None:
        places = [_placed(each.places.get(at)) for each, at in ((self._one, one), (self._other, other))]
        self._found.append(ProgramDifference(said, *places))

    def _pair(self, one: int, other: int) -> None:
        waiting = [(one, other)]
        while waiting and len(self._found) < LARGEST:
            a, b = waiting.pop()
            if a == b or (a, b) in self._met:
                continue
            self._met.add((a, b))
            mine, its = self._table.values[a], self._table.values[b]
            what = described(self._table, a), described(self._table, b)
            if mine.operator != its.operator or len(mine.operands) != len(its.operands):
                self._say(f"{what[0]} is {what[1]} in the emitted module", a, b)
                continue
            if mine.attributes != its.attributes:
                pairs = zip(mine.attributes, its.attributes, strict=False)
                told = [f"{name} {value} is {new}" for (name, value), (_, new) in pairs if value != new]
                self._say(f"{what[0]}: {', '.join(told)}", a, b)
                continue
            operands = self._matched(mine, its)
            for x, y in operands:
                if x.layout != y.layout and x.value == y.value:
                    self._say(f"{what[0]} reads {described(self._table, x.value)} in another arrangement", a, b)
            if not operands and mine.axes != its.axes:
                self._say(f"{what[0]} has another shape", a, b)
            waiting += [(x.value, y.value) for x, y in operands[::-1]]

    def _matched(self, one: ComputedValue, other: ComputedValue) -> list[tuple[Operand, Operand]]:
        """Return the pairs of operands that differ.

        If the order does not matter, common operands are omitted, and operands with the same description are paired.
        """
        if one.operator not in COMMUTING:
            return [(a, b) for a, b in zip(one.operands, other.operands, strict=True) if a != b]
        mine = [each for each in one.operands if each not in other.operands]
        its = [each for each in other.operands if each not in one.operands]
        if len(mine) != len(its):
            return [(a, b) for a, b in zip(one.operands, other.operands, strict=True) if a != b]
        return [(each, its.pop(self._nearest(each, its))) for each in mine]

    def _nearest(self, wanted: Operand, operands: Sequence[Operand]) -> int:
        """Return the index of the operand with the same description as this one; 0 if there is none."""
        name = described(self._table, wanted.value)
        return next((at for at, each in enumerate(operands) if described(self._table, each.value) == name), 0)

    def _effects(self) -> None:
        mine, its = _by_target(self._one.effects), _by_target(self._other.effects)
        for target in [*mine, *(each for each in its if each not in mine)]:
            a, b = mine.get(target, []), its.get(target, [])
            if a == b or self._found:
                continue
            if not a or not b:
                self._say(f"{target} is updated in {'the original' if a else 'the emitted module'} alone")
            else:
                self._say(f"{target} is updated in another way", a[-1].value, b[-1].value)


def _by_target(effects: Sequence[Effect]) -> dict[str, list[TensorView]]:
    found: dict[str, list[TensorView]] = {}
    for each in effects:
        found.setdefault(each.target, []).append(each.view)
    return found


def _placed(node: Any) -> str:
    return "" if node is None else ", ".join(each for each in (module_of(node), line_of(node)) if each)
