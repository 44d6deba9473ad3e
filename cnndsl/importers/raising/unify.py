"""What several chains of equal structure have in common: one chain in which numbers that differ are expressions.

A number that is the same everywhere stays. One that follows from the channels that enter is `C` or a multiple, one that
follows from another number a multiple of that; what is left are parameters (Plotkin's anti-unification, 1970, with
arithmetic).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from cnndsl.importers.raising.presence import found_test
from cnndsl.importers.raising.terms import (
    BlockParameter,
    CallTerm,
    ChainsTerm,
    Formula,
    GroupTerm,
    LayerTerm,
    Link,
    MergeTerm,
    NameRef,
    PlacedTerm,
    RepeatTerm,
    TermChain,
    TermValue,
)
from cnndsl.importers.raising.walks import TermKey, key, mapped, numbers
from cnndsl.records import record

RATIOS = tuple(map(Fraction, (1, 2, 4, "1/2", "1/4", 3, 6, 8, "3/4", "1/8", "1/3", "1/6", 16, "1/16", 5)))
"""The multiples that are looked for, the most usual ones first."""
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
}


@record(slots=True)
class Unified:
    """A chain with expressions, its parameters, and their values for each of the chains that it stands for."""

    parameters: tuple[BlockParameter, ...]
    body: TermChain
    arguments: tuple[tuple[TermValue, ...], ...]


@record(slots=True)
class TermColumn:
    """A number in its place, in each chain; None where a chain lacks the branch in which it stands."""

    role: str
    values: tuple[TermValue, ...]


def skeleton(chain: TermChain) -> TermKey:
    """Return what chains have in common that `unified` can join.

    Numbers do not count, nor whether the shorter branch of a sum of two is `ID` or a projection.
    """
    return tuple([_skeleton(step) for step in chain])


def _skeleton(step: PlacedTerm) -> object:
    term = step.term
    if isinstance(term, MergeTerm):
        branches = term.branches[:1] if is_shortcut(term) else term.branches
        return (term.operator, len(term.branches), tuple([skeleton(each) for each in branches]), step.alias)
    if isinstance(term, RepeatTerm):
        return ("*", skeleton(term.body))
    if isinstance(term, GroupTerm):
        return ("[", step.label, step.alias, skeleton(term.body))
    if isinstance(term, ChainsTerm):
        return ("=", tuple([(name, skeleton(chain)) for name, chain in term.chains]))
    return key((step,), with_numbers=False)[0]


def is_shortcut(merge: MergeTerm) -> bool:
    """Return whether the second branch of a sum of two is untouched, or one convolution with what follows it."""
    if merge.operator != "+" or len(merge.branches) != 2:
        return False
    short = merge.branches[1]
    group = short[0].term if len(short) == 1 else None
    short = group.body if isinstance(group, GroupTerm) else short
    if len(short) > 3 or not all(
        isinstance(step.term, LayerTerm) or (isinstance(step.term, CallTerm) and step.name) for step in short
    ):
        return False
    return len(merge.branches[0]) > len(short)


def unified(several: Sequence[TermChain], has_channels: bool, entering: Sequence[int] | None = None) -> Unified | None:
    """Join chains of one skeleton; None where they cannot be.

    Args:
        several: The chains.
        has_channels: Whether `C` may be used, the channels that enter.
        entering: These channels of each, where they are others than those of its first step.
    """
    aligned = LaidUpon()
    template = aligned.chain(tuple(several))
    if template is None:
        return None
    entering = entering or [chain[0].channels for chain in several]
    return solved(template, aligned.columns, entering if has_channels else (), len(several))


def solved(template: TermChain, columns: Sequence[TermColumn], entering: Sequence[int], count: int) -> Unified:
    """Return the chain with expressions and parameters for what is in the columns.

    Args:
        template: What all of `count` chains have in common.
        columns: Its numbers in each of them, in the order of `mapped`.
        entering: The channels that enter each, -1 where they are not known; none where `C` may not be used.
        count: How many chains there are.
    """
    found = _Solved(columns, entering if entering and min(entering) >= 0 else None)
    waiting = iter(found.values)
    body = mapped(template, lambda _role, _value: next(waiting))
    arguments = tuple(zip(*found.arguments, strict=True)) if found.arguments else tuple(() for _ in range(count))
    return Unified(*_with_defaults(found.parameters, body, arguments))


class LaidUpon:
    """Chains laid upon each other: the first one's numbers stand for all, in the order of `mapped`."""

    def __init__(self) -> None:
        self.columns: list[TermColumn] = []

    def chain(self, several: tuple[TermChain | None, ...]) -> TermChain | None:
        """Return the chain that has the structure of all, None where there is none; a chain that is None is absent."""
        there = [chain for chain in several if chain is not None]
        steps: list[PlacedTerm] = []
        for at in range(len(there[0])):
            found = self.step(tuple([None if chain is None else chain[at] for chain in several]))
            if found is None:
                return None
            steps.append(found)
        return tuple(steps)

    def step(self, several: tuple[PlacedTerm | None, ...]) -> PlacedTerm | None:
        """Return the step that has the structure of all, None where there is none."""
        there = [step for step in several if step is not None]
        first = there[0]
        channels = first.channels if len({step.channels for step in there}) == 1 else -1
        node = first.node if first.node < -1 else -1
        made = PlacedTerm(first.term, node, channels, first.name, first.number, first.alias)
        terms = [None if step is None else step.term for step in several]
        if first.number is not None and isinstance(first.term, GroupTerm | ChainsTerm | MergeTerm):
            self.columns.append(TermColumn("label", tuple([None if step is None else step.number for step in several])))
        if isinstance(first.term, GroupTerm):
            bodies = tuple([each.body if isinstance(each, GroupTerm) else None for each in terms])
            body = self.chain(bodies)
            return None if body is None else made.over(GroupTerm(body, first.term.path))
        if isinstance(first.term, ChainsTerm):
            return self._chains(made, tuple([each if isinstance(each, ChainsTerm) else None for each in terms]))
        if not isinstance(first.term, MergeTerm):
            self._note([None if step is None else (step,) for step in several])
            return made
        term = self.merge(tuple([each if isinstance(each, MergeTerm) else None for each in terms]), first.term)
        return None if term is None else made.over(term)

    def _chains(self, made: PlacedTerm, several: tuple[ChainsTerm | None, ...]) -> PlacedTerm | None:
        assert isinstance(made.term, ChainsTerm)
        found: list[tuple[str, TermChain]] = []
        for at, (name, _) in enumerate(made.term.chains):
            chain = self.chain(tuple([None if each is None else each.chains[at][1] for each in several]))
            if chain is None:
                return None
            found.append((name, chain))
        return made.over(ChainsTerm(tuple(found)))

    def merge(self, several: tuple[MergeTerm | None, ...], first: MergeTerm) -> MergeTerm | None:
        """Return the merge that has the structure of all, None where there is none; `first` is one of them."""
        branches: list[TermChain] = []
        is_optional = first.is_optional
        if any(merge is not None and merge.is_optional != is_optional for merge in several):
            return None
        for at in range(len(first.branches)):
            column = [None if merge is None else merge.branches[at] for merge in several]
            kinds = {key(each, with_numbers=False) for each in column if each is not None}
            if len(kinds) > 1:
                keeping = [merge is not None and merge.keeps_shape for merge in several]
                if len(kinds) != 2 or () not in kinds or not _may_choose(column, keeping):
                    return None
                is_optional = True
                column = [each or None for each in column]
            chain = self.chain(tuple(column))
            if chain is None:
                return None
            branches.append(chain)
        return MergeTerm(first.operator, tuple(branches), is_optional, first.keeps_shape)

    def _note(self, several: Sequence[TermChain | None]) -> None:
        """The numbers of one step, each with its values in all chains."""
        lists = [None if chain is None else numbers(chain) for chain in several]
        roles = next(each for each in lists if each is not None)
        for at, (role, _) in enumerate(roles):
            values = tuple([None if each is None else each[at][1] for each in lists])
            self.columns.append(TermColumn(role, values))


def _may_choose(column: Sequence[TermChain | None], keeping: Sequence[bool]) -> bool:
    """Whether `ID or X` means `ID` exactly where that stands: where it fits."""
    return all(branch is None or (not branch) == keeps for branch, keeps in zip(column, keeping, strict=True))


class _Solved:
    """Each column as a number, an expression or a parameter."""

    def __init__(self, columns: Sequence[TermColumn], entering: Sequence[int] | None) -> None:
        self.entering = entering
        self.parameters: list[BlockParameter] = []
        self.arguments: list[list[TermValue]] = []
        self.values: list[TermValue] = [None if _is_test(each) else self._value(each) for each in columns]
        for at, each in enumerate(columns):
            if _is_test(each):
                self.values[at] = self._test(each)

    def _test(self, column: TermColumn) -> TermValue:
        """A comparison that holds where something is there, or a parameter that says so."""
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
        return known[0] if is_same else self._multiple(column) or self._parameter(column)

    def _equal(self, column: TermColumn) -> Formula | None:
        """The parameter that has these values, or the channels that enter."""
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            if _related(column.role, parameter) and _agree(column.values, given):
                _fill(given, column.values)
                return Formula(f"@{parameter.name}" if any(map(_is_output, given)) else parameter.name)
        is_channels = column.role in _WIDTHS and self.entering and _ratio(column.values, self.entering) == 1
        return Formula("C") if is_channels else None

    def _multiple(self, column: TermColumn) -> Formula | None:
        """A multiple of the channels that enter, or of a parameter."""
        if column.role not in _WIDTHS:
            return None
        ratio = _ratio(column.values, self.entering) if self.entering else None
        if ratio is not None:
            return times("C", ratio)
        for parameter, given in zip(self.parameters, self.arguments, strict=True):
            ratio = _ratio(column.values, given) if parameter.name[0] == "c" else None
            if ratio is not None:
                return times(parameter.name, ratio)
        return None

    def _parameter(self, column: TermColumn) -> Formula:
        base = _short(column.role)
        taken = {each.name for each in self.parameters}
        name = next(each for each in _names(base) if each not in taken)
        self.parameters.append(BlockParameter(name))
        self.arguments.append(list(column.values))
        return Formula(f"@{name}" if any(map(_is_output, column.values)) else name)


_WIDTHS = frozenset(("filters", "groups", "channels", "features", "start", "stop"))
"""The numbers that are multiples of others: not those of a kernel."""


def _is_test(column: TermColumn) -> bool:
    return column.role.startswith("test.")


def _is_outside(value: TermValue) -> bool:
    """Whether a value means something else in a block: an expression, or a reference to what is not in it."""
    return (
        isinstance(value, Formula)
        or (isinstance(value, Link) and value.node >= -1)
        or (isinstance(value, NameRef) and value.up < 0)
    )


def _is_output(value: TermValue) -> bool:
    return isinstance(value, Link | NameRef) or (isinstance(value, Formula) and value.startswith("@"))


def _related(role: str, parameter: BlockParameter) -> bool:
    """Whether a number of this role may be this parameter: a stride is none of a width."""
    return parameter.name.rstrip("0123456789") == _short(role)


def _short(role: str) -> str:
    """The letter for a parameter: of an argument of a block, or a column of a table, that which it has there."""
    return _SHORT.get(role) or (role.rpartition(".")[2].rstrip("0123456789") if "." in role else "p")


def _names(base: str) -> Iterator[str]:
    yield base
    yield from (f"{base}{number}" for number in range(2, 1000))


def _ratio(values: Sequence[TermValue], of: Sequence[TermValue]) -> Fraction | None:
    """By what other numbers are multiplied to give these, if it is the same everywhere."""
    pairs = [(value, other) for value, other in zip(values, of, strict=True) if value is not None]
    whole = [(value, other) for value, other in pairs if type(value) is int and type(other) is int and other]
    if not whole or len(whole) < len(pairs):
        return None
    found = {Fraction(value, other) for value, other in whole}
    return found.pop() if len(found) == 1 and found <= set(RATIOS) else None


def times(name: str, ratio: Fraction) -> Formula:
    """Return a multiple of a name as it is written."""
    if ratio == 1:
        return Formula(name)
    if ratio.denominator == 1:
        return Formula(f"{ratio.numerator}*{name}")
    return Formula(
        f"{name}/{ratio.denominator}" if ratio.numerator == 1 else f"{name}*{ratio.numerator}/{ratio.denominator}"
    )


def _agree(values: Sequence[TermValue], given: Sequence[TermValue]) -> bool:
    pairs = list(zip(values, given, strict=True))
    if any(isinstance(value, Link | NameRef) for value in values):
        return values == given
    return all(value is None or other is None or value == other for value, other in pairs) and any(
        value is not None and value == other for value, other in pairs
    )


def _fill(given: list[TermValue], values: Sequence[TermValue]) -> None:
    """A parameter that was free in some chains takes the value that it needs there."""
    for at, value in enumerate(values):
        if given[at] is None:
            given[at] = value


def _with_defaults(
    parameters: Sequence[BlockParameter], body: TermChain, arguments: Sequence[tuple[TermValue, ...]]
) -> tuple[tuple[BlockParameter, ...], TermChain, tuple[tuple[TermValue, ...], ...]]:
    """Parameters that mostly have one value have it as their default, and stand behind the others."""
    found: list[tuple[int, BlockParameter, TermValue]] = []
    for at, parameter in enumerate(parameters):
        counted = Counter(row[at] for row in arguments if row[at] is not None)
        value, often = counted.most_common(1)[0]
        usual = (
            not isinstance(value, Link | NameRef | Formula) and 2 * often >= len(arguments) and parameter.name[0] != "c"
        )
        found.append((at, BlockParameter(parameter.name, value if usual else None), value))
    order = sorted(found, key=lambda each: (each[1].default is not None, each[0]))
    rows = tuple([tuple([value if row[at] is None else row[at] for at, _, value in order]) for row in arguments])
    return tuple([parameter for _, parameter, _ in order]), body, rows
