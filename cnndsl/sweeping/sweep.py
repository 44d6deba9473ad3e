"""Sweep a parameterised network (family): its parameters, their domains, its configurations and their metrics.

Configurations that fail to compile stay in the results, with the reason. Nothing here prints.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, TypeAlias

from cnndsl.analysis.assertions import check, figures
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.metric_table import METRICS, OF_NETWORKS
from cnndsl.elaborate.inputs import INPUT
from cnndsl.elaborate.parameters import OpenParameter, parameters
from cnndsl.elaborate.program import Find, elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.expr import truth
from cnndsl.expressions import Expr
from cnndsl.records import record
from cnndsl.sweeping.summed import SummedFamily
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.values import ListValue, NameSymbol, Number, Value, items_of, show, show_setting

if TYPE_CHECKING:
    from os import PathLike

Settings: TypeAlias = Mapping[str, Value]
Plain: TypeAlias = "int | float | bool | str | list[Plain]"

GOALS: Mapping[str, int] = {name: METRICS[name].sign for name in OF_NETWORKS}
"""The metrics by which configurations may be chosen, and whether less is better (1) or more is (-1)."""

CHECKED_OF = 100
"""One in this many configurations is elaborated as a whole although its metrics are sums."""


@record(slots=True)
class Configuration:
    """A configuration: its settings, and its metrics or its error. `at_most` names the metrics that are bounds."""

    settings: Settings
    figures: Mapping[str, Value] | None
    reason: Diagnostic | None = None
    at_most: frozenset[str] = frozenset()


@record
class Family:
    """A file, and for each parameter the values over which it is swept."""

    file: ast.File
    domains: Mapping[str, Sequence[Value]]
    find: Find

    @property
    def size(self) -> int:
        """Return the number of configurations."""
        return prod(len(values) for values in self.domains.values())

    def at(self, number: int) -> Settings:
        """Return the settings of a configuration by its number, from 0; the last parameter changes fastest."""
        chosen: dict[str, Value] = {}
        for name in reversed(list(self.domains)):
            number, at = divmod(number, len(self.domains[name]))
            chosen[name] = self.domains[name][at]
        return {name: chosen[name] for name in self.domains}

    def all(self) -> Iterator[Settings]:
        """Return the settings of every configuration, the last parameter changing fastest."""
        return (dict(zip(self.domains, values, strict=True)) for values in product(*self.domains.values()))

    def sample(self, count: int, seed: int) -> Iterator[Settings]:
        """Return `count` different configurations, sampled uniformly; the same ones for the same seed."""
        return map(self.at, self.drawn(count, seed))

    def drawn(self, count: int, seed: int) -> Sequence[int]:
        """Return the numbers of `count` different configurations, sampled uniformly; the same ones for the same
        seed."""
        dice, size = random.Random(seed), self.size
        if size <= sys.maxsize:
            return dice.sample(range(size), min(count, size))
        drawn: dict[int, None] = {}
        while len(drawn) < count:
            drawn[dice.randrange(size)] = None
        return list(drawn)


def family(source: Source, overrides: Mapping[str, Sequence[Value]], find: Find) -> Family:
    """Return the family of a source; overrides replace the domains of their parameters.

    A parameter that has a default but no domain stays at its default; `input` is the input shape. Raises CnnError if a
    parameter is unknown, or has neither default nor domain.
    """
    file = parse(source)
    known = parameters(file)
    names = [each.name for each in known]
    for name in overrides:
        if name not in (*names, INPUT):
            others = {} if name.startswith(f"{INPUT}.") else {name: overrides[name][0]}
            elaborate(file, others, find)
    domains = {each.name: _once_each(overrides.get(each.name) or _domain(each)) for each in known}
    domains |= {name: _once_each(values) for name, values in overrides.items() if name.partition(".")[0] == INPUT}
    missing = [each for each in known if not domains[each.name]]
    if missing:
        raise _without_domain(missing)
    return Family(file, domains, find)


def _once_each(values: Sequence[Value]) -> Sequence[Value]:
    """Return the values without duplicates, so that no configuration occurs twice: 1 is not `yes`."""
    if isinstance(values, range):
        return values
    return tuple({(type(value), value): value for value in values}.values())


def _domain(parameter: OpenParameter) -> Sequence[Value]:
    if parameter.domain is not None:
        return parameter.domain
    return () if parameter.default is None else (parameter.default,)


def _without_domain(missing: Sequence[OpenParameter]) -> CnnError:
    help = "give its values: " + " ".join(f"--set {each.name}=1..3" for each in missing)
    return CnnError(
        [Diagnostic("E0214", f"`{each.name}` has no values to sweep", each.span, help=help) for each in missing]
    )


def measure(
    family: Family, chosen: Iterable[Settings], runs: ExecutionsOf, names: Sequence[str] = tuple(GOALS)
) -> Iterator[Configuration]:
    """Yield the metrics of each configuration, those of `names`, or its first error. Modules run as `runs` says. Raises
    SumsDifferError as `Meter.measure` does."""
    return Meter(family, runs, names).measure(chosen)


class Meter:
    """Measures the configurations of a family.

    If all of the metrics are sums, a part of a network is elaborated once for its values, but one configuration in a
    hundred is still elaborated as a whole.
    """

    def __init__(self, family: Family, runs: ExecutionsOf, names: Sequence[str]) -> None:
        self.family, self.runs, self.names = family, runs, tuple(names)
        is_summed = SummedFamily.applies(family.file, family.domains, names)
        self._summed = SummedFamily(family.file, family.domains, family.find, names) if is_summed else None

    def measure(self, chosen: Iterable[Settings]) -> Iterator[Configuration]:
        """Yield configurations with their metrics. Raises SumsDifferError if sums differ from the metrics of a
        graph."""
        for number, settings in enumerate(chosen):
            sums = self._summed.figures(settings) if self._summed is not None else None
            if sums is None:
                yield elaborated(self.family, settings, self.runs, self.names)
                continue
            found = Configuration(settings, sums)
            if number % CHECKED_OF == 0 and found != elaborated(self.family, settings, self.runs, self.names):
                shown = " ".join(f"{name}={show_setting(value)}" for name, value in settings.items())
                source = self.family.file.source.name
                raise SumsDifferError(f"{source} with {shown}: sums over its parts are not its metrics")
            yield found


class SumsDifferError(Exception):
    """Metrics that were summed over the parts of a network differ from those of its graph: an internal error."""


def elaborated(family: Family, settings: Settings, runs: ExecutionsOf, names: Sequence[str]) -> Configuration:
    """Return a configuration with its metrics, read from its graph."""
    try:
        graph = elaborate(family.file, settings, family.find)
        broken = check(graph, runs)
        found, at_most = (None, frozenset[str]()) if broken else figures(graph, names, runs)
    except CnnError as stop:
        broken, found, at_most = stop.diagnostics, None, frozenset[str]()
    return Configuration(settings, found, broken[0] if broken else None, at_most)


def name_values(family: Family) -> dict[str, Value]:
    """Return the layer types and blocks that parameters of a family can be, by their names: in a test `act == GELU`."""
    every = (value for values in family.domains.values() for value in values)
    return {value.name: value for value in every if isinstance(value, NameSymbol)}


def holds(test: Expr, member: Configuration, others: Mapping[str, Value] | None = None) -> bool:
    """Return whether a configuration passes a test of its metrics, its settings and `others`; as in an `assert`, a name
    that the file defines takes precedence over that of a metric. A configuration without metrics never passes.

    Raises CnnError if the test mentions anything else.
    """
    return member.figures is not None and truth(test, {**(others or {}), **member.figures, **member.settings})


def values(text: str) -> Sequence[Value]:
    """Return the values of a parameter: `1..3`, `{3, 5, 7}`, or one value. Raises CnnError for any other text.

    >>> tuple(values("1..3")), values("{yes, no}"), values("16")
    ((1, 2, 3), (True, False), (16,))
    """
    domain = text if ".." in text or text.lstrip().startswith("{") else f"{{{text}}}"
    known = parameters(parse(Source("--set", f"net Family(it in {domain})")))
    return known[0].domain or ()


def pareto(members: Sequence[Configuration], goals: Mapping[str, int]) -> list[Configuration]:
    """Return the configurations that no other beats in every goal at once: 1 for less is better, -1 for more.

    >>> cheap, wide, poor = (Configuration({}, {"params": p, "depth": d}) for p, d in ((1, 1), (2, 3), (3, 2)))
    >>> pareto([cheap, wide, poor], {"params": 1, "depth": -1}) == [cheap, wide]
    True
    """
    points = [(_point(member, goals), member) for member in members if member.figures is not None]
    front: list[tuple[tuple[Number, ...], Configuration]] = []
    for point, member in sorted(points, key=lambda each: each[0]):
        if not any(_beats(other, point) for other, _ in front):
            front.append((point, member))
    kept = {id(member) for _, member in front}
    return [member for member in members if id(member) in kept]


def _point(member: Configuration, goals: Mapping[str, int]) -> tuple[Number, ...]:
    return tuple(sign * magnitude((member.figures or {})[name]) for name, sign in goals.items())


def _beats(one: tuple[Number, ...], other: tuple[Number, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def magnitude(figure: Value) -> Number:
    """Return a metric as one number: a shape as the number of its values."""
    return prod(figure) if isinstance(figure, tuple) else figure if isinstance(figure, int | Fraction) else 0


def space(path: str | PathLike[str]) -> dict[str, dict[str, object]]:
    """Return the parameters of a network as plain data, for Optuna, Ray Tune and other search libraries.

    Each parameter has `values` (None without a domain), a `default` (None if it is required) and a `type`: `bool`,
    `int`, `float`, `shape`, `list` or `name`.

    >>> space("recipe")["N"]
    {'type': 'int', 'values': [0, 1, 2, 3], 'default': 2}
    """
    from os import fspath

    from cnndsl.finding import find

    return {each.name: _described(each) for each in parameters(parse(find(fspath(path))))}


def _described(parameter: OpenParameter) -> dict[str, object]:
    default = None if parameter.default is None else plain(parameter.default)
    values = None if parameter.domain is None else [plain(each) for each in parameter.domain]
    example = parameter.default if parameter.domain is None else parameter.domain[0]
    kind = "list" if isinstance(example, ListValue) else _type(values[0] if values else default)
    return {"type": kind, "values": values, "default": default}


def _type(value: Plain | None) -> str:
    """Return the type of a parameter's values; a number if nothing determines it."""
    for kind, name in ((bool, "bool"), (float, "float"), (list, "shape"), (str, "name")):
        if isinstance(value, kind):
            return name
    return "int"


def plain(value: Value) -> Plain:
    """Return a value as plain data: a shape and a list are lists, a fraction a float, a name a string."""
    items = items_of(value)
    if items is not None:
        return [plain(each) for each in items]
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, NameSymbol):
        return value.name
    return value if isinstance(value, int) else show(value)
