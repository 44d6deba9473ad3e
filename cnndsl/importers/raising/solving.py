"""Write numbers that differ between chains of one structure as expressions: of the input channels, of each other, or as
parameters."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from cnndsl.importers.raising.presence import found_test
from cnndsl.importers.raising.progress import filled, is_place, less, plus
from cnndsl.importers.raising.ratios import quotient, ratio_of, rounded_part, times
from cnndsl.importers.raising.terms import (
    BlockParameter,
    Formula,
    Link,
    NameRef,
    PlacedTerm,
    TermChain,
    TermNumber,
    TermValue,
)
from cnndsl.importers.raising.walks import mapped, with_parts
from cnndsl.records import record

_SHORT = {
    "filters": "c",
    "channels": "c",
    "start": "c",
    "stop": "c",
    "features": "c",
    "kernel": "k",
    "stride": "s",
    "groups": "g",
    "dilation": "d",
    "from": "x",
    "count": "n",
    "label": "b",
    "kind": "act",
    "place": "place",
}


@record(slots=True)
class Unified:
    """A chain with expressions, its parameters, and their values for each of the chains that it replaces."""

    parameters: tuple[BlockParameter, ...]
    body: TermChain
    arguments: tuple[tuple[TermValue, ...], ...]


@record(slots=True)
class TermColumn:
    """The values of one number in each chain; None if a chain lacks the branch that contains it."""

    role: str
    values: tuple[TermValue, ...]


def solved(
    template: TermChain,
    columns: Sequence[TermColumn],
    entering: Sequence[TermNumber],
    count: int,
    widths: Sequence[Sequence[TermNumber | None]] = (),
) -> Unified:
    """Return the chain with expressions and parameters in place of the columns.

    Args:
        template: The common structure of all `count` chains. If the input channels of a step differ between them, their
            index in `widths` replaces them, see `marked`.
        columns: Its numbers in each of them, in the order of `mapped`.
        entering: The input channels of each, -1 if they are not known; empty if `C` may not be used.
        count: The number of chains.
        widths: Input channels of steps, in each of the chains.
    """
    found = _Solved(columns, entering if entering and all(map(_is_known, entering)) else None)
    waiting = iter(found.values)
    body = mapped(template, lambda _role, _value: next(waiting))
    known: dict[TermNumber, TermNumber] = {marked(at): found.width(each) for at, each in enumerate(widths)}
    arguments = tuple(zip(*found.arguments, strict=True)) if found.arguments else tuple(() for _ in range(count))
    return Unified(*_with_defaults(found.parameters, _with_widths(body, known), arguments, is_block=bool(entering)))


def marked(at: int) -> Formula:
    """Return the placeholder for channels that are not known yet."""
    return Formula(f"#{at}")


def _with_widths(chain: TermChain, known: Mapping[TermNumber, TermNumber]) -> TermChain:
    steps: list[PlacedTerm] = []
    for step in chain:
        term = with_parts(step.term, lambda each: _with_widths(each, known))
        channels = known.get(step.channels, step.channels)
        steps.append(PlacedTerm(term, step.node, channels, step.name, step.number, step.alias))
    return tuple(steps)


def _is_known(channels: TermNumber) -> bool:
    return isinstance(channels, Formula) or channels >= 0


class _Solved:
    """Each column as a number, an expression or a parameter."""

    def __init__(self, columns: Sequence[TermColumn], entering: Sequence[TermNumber] | None) -> None:
        self.entering = entering
        self.tests = [each.values for each in columns if _is_test(each)]
        self.parameters: list[BlockParameter] = []
        self.arguments: list[list[TermValue]] = []
        self.values: list[TermValue] = [None if _is_test(each) else self._value(each) for each in columns]
        self.arguments = [self._filled(each, row) for each, row in zip(self.parameters, self.arguments, strict=True)]
        for at, each in enumerate(columns):
            if _is_test(each):
                self.values[at] = self._test(each)

    def _filled(self, parameter: BlockParameter, row: list[TermValue]) -> list[TermValue]:
        """Return the values of a parameter, with undetermined ones inferred: positions, and constant widths."""
        if is_place(parameter.name):
            return filled(row)
        if self.entering is None or not is_width(parameter.name) or _is_often_free(row):
            return row
        return [
            entering if value is None and type(entering) is int else value
            for value, entering in zip(row, self.entering, strict=True)
        ]

    def width(self, values: Sequence[TermNumber | None]) -> TermNumber:
        """Return the input channels of a step as an expression; -1 if no expression gives them."""
        if all(value is None or not _is_known(value) for value in values):
            return -1
        ratio = ratio_of(values, self.entering) if self.entering else None
        if ratio is not None:
            return times("C", ratio)
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            if is_width(parameter.name) and all(
                value in (None, other) for value, other in zip(values, given, strict=True)
            ):
                return Formula(parameter.name)
        return self._expanded(values) or -1

    def _test(self, column: TermColumn) -> TermValue:
        """Return a comparison that holds exactly if a part is present, or a parameter with that meaning."""
        given = [(each.name, row) for each, row in zip(self.parameters, self.arguments, strict=True)]
        return found_test(column.values, given, self.entering) or self._parameter(column)

    def _value(self, column: TermColumn) -> TermValue:
        known = [value for value in column.values if value is not None]
        is_fixed = column.role == "label" or not (known and _is_outside(known[0]))
        is_same = not known or (is_fixed and all(value == known[0] for value in known))
        is_usual = column.role in ("stride", "dilation", "groups") and known[:1] == [1]
        if is_same and (is_usual or len(known) in (0, len(column.values))):
            return known[0] if known else None
        if equal := self._equal(column):
            return equal
        if is_same:
            return known[0]
        return self._shifted(column) or self._multiple(column) or self._parameter(column)

    def _shifted(self, column: TermColumn) -> TermNumber | None:
        """Return a position or label number as another one plus a constant, if it always is."""
        if not is_place(column.role) and column.role != "label":
            return None
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            if _related(column.role, parameter):
                found = {less(value, other) for value, other in zip(column.values, given, strict=True)}
                if len(found) == 1 and (more := found.pop()) is not None:
                    return plus(Formula(parameter.name), more)
        return None

    def _equal(self, column: TermColumn) -> Formula | None:
        """Return the parameter that has these values, or the input channels."""
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            if _related(column.role, parameter) and _agree(column.values, given):
                _fill(given, column.values)
                return Formula(f"@{parameter.name}" if any(map(_is_output, given)) else parameter.name)
        is_channels = is_width(column.role) and self.entering and ratio_of(column.values, self.entering) == 1
        return Formula("C") if is_channels else None

    def _multiple(self, column: TermColumn) -> Formula | None:
        """Return a multiple of the input channels, or of a parameter."""
        if not is_width(column.role):
            return None
        if expanded := self._expanded(column.values):
            return expanded
        ratio = ratio_of(column.values, self.entering) if self.entering else None
        if ratio is not None:
            return self._expansion(column.values, ratio) or times("C", ratio)
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            ratio = ratio_of(column.values, given) if is_width(parameter.name) else None
            if ratio is not None:
                return times(parameter.name, ratio)
        return self._rounded(column.values) or self._expansion(column.values, None)

    def _rounded(self, values: Sequence[TermValue]) -> Formula | None:
        """Return a fraction of the input channels or of a parameter, rounded as in mobile networks."""
        rows = [("C", self.entering)] if self.entering else []
        rows += [
            (each.name, row) for each, row in zip(self.parameters, self.arguments, strict=True) if is_width(each.name)
        ]
        for name, of in rows:
            if found := rounded_part(values, of):
                return Formula(f"divisible({times(name, found[0])}{found[1]})")
        return None

    def _expanded(self, values: Sequence[TermValue]) -> Formula | None:
        """Return the input channels times a parameter, the expansion factor."""
        given = next((row for each, row in zip(self.parameters, self.arguments, strict=True) if each.name == "e"), None)
        if given is None or self.entering is None:
            return None
        ratios = [
            None if value is None else quotient(value, of) for value, of in zip(values, self.entering, strict=True)
        ]
        is_free = [value is not None for value in values]
        whole = [None if each is None or each.denominator > 1 else int(each) for each in ratios]
        if any(
            is_there and (each is None or other not in (None, each))
            for is_there, each, other in zip(is_free, whole, given, strict=True)
        ):
            return None
        if not any(is_there and other is not None for is_there, other in zip(is_free, given, strict=True)):
            return None
        _fill(given, whole)
        return Formula("e*C")

    def _expansion(self, values: Sequence[TermValue], ratio: Fraction | None) -> Formula | None:
        """Return the same with a new parameter, if there are few factors, most of which expand: clearer than channels.

        `ratio` is the only factor, if there is no other.
        """
        if self.entering is None or any(each.name == "e" for each in self.parameters):
            return None
        ratios = [
            None if value is None else quotient(value, of) for value, of in zip(values, self.entering, strict=True)
        ]
        known = [each for value, each in zip(values, ratios, strict=True) if value is not None]
        whole = [int(each) for each in known if each is not None and each.denominator == 1]
        if len(whole) < len(known) or Counter(whole).most_common(1)[0][0] < _EXPANDING:
            return None
        is_part = any(
            tuple(value is None for value in values) == tuple(value is not True for value in test)
            for test in self.tests
        )
        is_told = is_part if ratio is not None else len(set(whole)) <= min(_FACTORS, len(set(values)) // 2)
        if not is_told:
            return None
        self.parameters.append(BlockParameter("e"))
        self.arguments.append([None if each is None else int(each) for each in ratios])
        return Formula("e*C")

    def _parameter(self, column: TermColumn) -> Formula:
        base = _short(column.role)
        taken = {each.name for each in self.parameters}
        name = next(each for each in _names(base) if each not in taken)
        self.parameters.append(BlockParameter(name))
        self.arguments.append(list(column.values))
        return Formula(f"@{name}" if any(map(_is_output, column.values)) else name)


_EXPANDING = 3
"""The minimum expansion factor of a unit."""
_FACTORS = 3
"""The maximum number of such factors."""
_WIDTHS = frozenset(("filters", "groups", "channels", "features", "start", "stop"))
"""The roles whose numbers may be multiples of others: kernel sizes may not."""


def is_width(role: str) -> bool:
    """Return whether a number with this role, or a parameter of this name, counts channels."""
    return role in _WIDTHS or re.fullmatch(r"(.*\.)?c\d*", role) is not None


def _is_test(column: TermColumn) -> bool:
    return column.role.startswith("test.")


def _is_outside(value: TermValue) -> bool:
    """Return whether a value changes its meaning in a block: an expression, or a reference to a value outside it."""
    return (
        isinstance(value, Formula)
        or (isinstance(value, Link) and value.node >= -1)
        or (isinstance(value, NameRef) and value.up < 0)
    )


def _is_output(value: TermValue) -> bool:
    return isinstance(value, Link | NameRef) or (isinstance(value, Formula) and value.startswith("@"))


def _related(role: str, parameter: BlockParameter) -> bool:
    """Return whether a number with this role may be this parameter: a stride is never the same as a width."""
    return parameter.name.rstrip("0123456789") == _short(role)


def _short(role: str) -> str:
    """Return the letter for a parameter: block arguments and table columns keep the letter that they have there."""
    return _SHORT.get(role) or (role.rpartition(".")[2].rstrip("0123456789") if "." in role else "p")


def _names(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}{number}" for number in range(2, 1000))


def _agree(values: Sequence[TermValue], given: Sequence[TermValue]) -> bool:
    pairs = list(zip(values, given, strict=True))
    if any(isinstance(value, Link | NameRef) for value in values):
        return values == given
    return all(value is None or other is None or value == other for value, other in pairs) and any(
        value is not None and value == other for value, other in pairs
    )


def _is_often_free(values: Sequence[TermValue]) -> bool:
    """Return whether a parameter does not matter in many chains, so that a default makes it unnecessary."""
    return 4 * sum(value is None for value in values) >= len(values)


def _fill(given: list[TermValue], values: Sequence[TermValue]) -> None:
    """Give a parameter the value that it needs in the chains where it was undetermined."""
    for at, value in enumerate(values):
        if given[at] is None:
            given[at] = value


def _with_defaults(
    parameters: Sequence[BlockParameter],
    body: TermChain,
    arguments: Sequence[tuple[TermValue, ...]],
    is_block: bool,
) -> tuple[tuple[BlockParameter, ...], TermChain, tuple[tuple[TermValue, ...], ...]]:
    """Give parameters that mostly have one value a default, and put them after the others.

    In a block, the parameters that are set most often come first.
    """
    found: list[tuple[int, BlockParameter, TermValue]] = []
    given: dict[int, int] = {}
    for at, parameter in enumerate(parameters):
        counted = Counter(row[at] for row in arguments if row[at] is not None)
        value, often = counted.most_common(1)[0]
        is_free = is_block and _is_often_free([row[at] for row in arguments])
        usual = not isinstance(value, Link | NameRef | Formula) and (
            is_free if parameter.name[0] == "c" else 2 * often >= len(arguments)
        )
        given[at] = sum(row[at] not in (None, value) for row in arguments) if usual and is_block else 0
        found.append((at, BlockParameter(parameter.name, value if usual else None), value))
    order = sorted(found, key=lambda each: (each[1].default is not None, -given[each[0]], each[0]))
    rows = tuple([tuple([value if row[at] is None else row[at] for at, _, value in order]) for row in arguments])
    return tuple([parameter for _, parameter, _ in order]), body, rows
