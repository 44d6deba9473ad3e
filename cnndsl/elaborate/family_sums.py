"""Sum up the networks of a parameterised network, elaborating each part once for the values it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnndsl.elaborate import parameters
from cnndsl.elaborate.calls import named_value
from cnndsl.elaborate.chains import NetworkChains
from cnndsl.elaborate.entering import Inputs
from cnndsl.elaborate.inputs import given_volume
from cnndsl.elaborate.mentions import Dependence, Labels, can_be_summed, written_names
from cnndsl.elaborate.program import Find, definitions
from cnndsl.elaborate.state import Environment, FileScope, ModuleScope, State
from cnndsl.elaborate.summing import SummingElaborator, part_sums, totals
from cnndsl.elaborate.sums import Kept, PartPlace, PartSums, Sums, UnsummedError, ValueKey, Weigh
from cnndsl.errors import CnnError
from cnndsl.limits import current
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import Later, ListValue, NameSymbol, Value

EnteringVolumes = dict[str, tuple[int, ...]]


@record(slots=True)
class NetworkSums:
    """The metrics of a network: the shape of its first output, the sums over all its nodes, the longest path to an
    output, and whether its inputs are those of its file. `values` are those of the parameters and of the `let`s,
    `parts` the metrics of single parts by their paths."""

    shape: Shape
    sums: Sums
    depth: int
    is_as_written: bool
    values: Mapping[str, Value]
    parts: Mapping[str, PartSums] = field(default_factory=dict[str, PartSums])


@dataclass(slots=True)
class _Stretch:
    """Consecutive elements of the main chain that depend on the same parameters."""

    items: tuple[ast.ChainItem, ...]
    parameters: tuple[str, ...]
    known: dict[ValueKey, PartSums] = field(default_factory=dict[ValueKey, PartSums])
    """The sums by input shape and parameter values."""


@record(slots=True)
class _Entered:
    """The input of a chain: its shape, its sums, whether it is as written, and its names."""

    shape: Shape
    sums: Sums
    is_as_written: bool
    labels: tuple[str, ...]


@dataclass(slots=True)
class _Opened:
    """The definitions of a file, for certain values of the parameters on which its `default`s depend."""

    home: FileScope
    chains: NetworkChains
    kept: Kept
    stretches: tuple[_Stretch, ...] | None
    """The main chain in stretches; None for a network that is more than a single chain."""
    input_parameters: tuple[str, ...] = ()
    entered: dict[ValueKey, _Entered] = field(default_factory=dict[ValueKey, "_Entered"])
    let_parameters: tuple[str, ...] = ()
    lets: dict[ValueKey, Mapping[str, Value]] = field(default_factory=dict[ValueKey, Mapping[str, Value]])
    """The values of the file's `let`s, by the values of the parameters on which these depend."""


_MOST_KEPT = 20_000
"""Maximum number of sums kept for each stretch."""


class FamilySums:
    """Sums up the configurations of a parameterised network, one after another.

    Args:
        file: The parameterised network.
        domains: The values that each of its parameters may have, and the shapes that its inputs may have.
        find: Finds the files that it uses.
        weigh: Counts a layer.
        paths: Labels of single parts whose sums are also requested: `stage1`, `stage1.conv`.
    """

    def __init__(
        self,
        file: ast.File,
        domains: Mapping[str, Sequence[Value]],
        find: Find,
        weigh: Weigh,
        paths: Sequence[str] = (),
    ) -> None:
        self._file, self._domains, self._find, self._weigh = file, domains, find, weigh
        self._paths = tuple(paths)
        self._parameters = {each.name: each for each in parameters.parameters(file)}
        self._limits = current()
        self._settled: dict[str, dict[ValueKey, tuple[Value, ValueKey]]] = {name: {} for name in domains}
        self._volumes: dict[ValueKey, tuple[int, ...]] = {}
        self._place = parameters.head_of(file)
        self._lets = tuple(each for each in file.statements if isinstance(each, ast.Let))
        defaults = [each for each in file.statements if isinstance(each, ast.Default)]
        self._default_names = written_names(defaults, {})
        self._opened: dict[ValueKey, _Opened] = {}
        self._default_parameters: tuple[str, ...] | None = None

    def of(self, settings: Mapping[str, Value]) -> NetworkSums:
        """Return the sums of one network. Raises UnsummedError if that is impossible, as for an invalid network."""
        try:
            return self._of(settings)
        except (CnnError, RecursionError):
            raise UnsummedError from None

    def _of(self, settings: Mapping[str, Value]) -> NetworkSums:
        values: dict[str, Value] = {}
        chosen: dict[str, ValueKey] = {}
        volumes: EnteringVolumes = {}
        for name, value in settings.items():
            if name in self._parameters:
                values[name], chosen[name] = self._settle(name, value)
            else:
                volumes[name] = given_volume(value, self._place)
                chosen[name] = (tuple, volumes[name])
        opened = self._open(settings, chosen)
        opened.kept.chosen = chosen
        opened.home.values.update(values)
        if self._lets:
            self._renew(opened, chosen)
        if opened.stretches is None:
            return self._whole(opened, volumes)
        return self._chain(opened, opened.stretches, volumes, chosen)

    def _settle(self, name: str, value: Value) -> tuple[Value, ValueKey]:
        """Return the value of a parameter as the network has it, and a key that distinguishes it from others."""
        known = self._settled.setdefault(name, {})
        key = _key(value)
        found = known.get(key)
        if found is None:
            values, wrong = parameters.settle(self._file, (self._parameters[name],), {name: value})
            if wrong:
                raise UnsummedError
            found = values[name], _key(values[name])
            _keep(known, key, found)
        return found

    def _open(self, settings: Mapping[str, Value], chosen: Mapping[str, ValueKey]) -> _Opened:
        """Return the file's definitions for these settings; read it again only if its defaults differ."""
        if self._default_parameters is not None:
            key = tuple(chosen[name] for name in self._default_parameters)
            if key in self._opened:
                return self._opened[key]
        walker, home, chains = definitions(self._file, settings, self._find)
        if walker.state.errors:
            raise UnsummedError
        dependence = Dependence(self._file, home, self._domains)
        opened = self._prepared(home, chains, dependence)
        self._default_parameters = tuple(sorted(dependence.of(self._default_names)))
        self._opened[tuple(chosen[name] for name in self._default_parameters)] = opened
        return opened

    def _prepared(self, home: FileScope, chains: NetworkChains, dependence: Dependence) -> _Opened:
        blocks = [each.block for each in dependence.blocks]
        labels = Labels([self._file, *blocks])
        if labels.is_odd:
            raise UnsummedError
        # The only element of a block is made when its call is, and a layer without a name is treated as such.
        excluded = {id(block.body.items[0]) for block in blocks if len(block.body.items) == 1}
        for each in ast.walk([*self._file.statements, *blocks]):
            if isinstance(each, ast.Label) and each.name == ("",):
                excluded.add(id(each.body))
        kept = Kept(self._weigh, dependence, labels, frozenset(excluded))
        main = chains.main
        lets = tuple(sorted(dependence.of(name for each in self._lets for name in written_names([each.value], {}))))
        if main is None or chains.further or chains.outputs or self._paths:
            return _Opened(home, chains, kept, None, let_parameters=lets)
        first, *rest = main.chain.items
        if not all(can_be_summed(item, labels, ()) for item in (first, *rest)):
            return _Opened(home, chains, kept, None, let_parameters=lets)
        stretches = tuple(_stretches(rest, home, dependence))
        entering = tuple(sorted(dependence.of(written_names([first], home.choices))))
        return _Opened(home, chains, kept, stretches, entering, let_parameters=lets)

    def _renew(self, opened: _Opened, chosen: Mapping[str, ValueKey]) -> None:
        """Set the `let`s of the file for the current values of its parameters."""
        values, home = opened.home.values, opened.home
        key = tuple([chosen[name] for name in opened.let_parameters])
        known = opened.lets.get(key)
        if known is not None:
            values.update(known)
            return
        for each in self._lets:
            values[each.name] = Later(each.span)
        for each in self._lets:
            before = {name: value for name, value in values.items() if name != each.name}
            values[each.name] = named_value(each, Environment(before, home, {}, ModuleScope()))
        _keep(opened.lets, key, {each.name: values[each.name] for each in self._lets})

    def _chain(
        self, opened: _Opened, stretches: Sequence[_Stretch], volumes: EnteringVolumes, chosen: Mapping[str, ValueKey]
    ) -> NetworkSums:
        """Return the sums of a network that is a single chain."""
        key: ValueKey = (*[chosen[name] for name in opened.input_parameters], *volumes.items())
        entered = opened.entered.get(key)
        if entered is None:
            entered = self._entering(opened, volumes)
            _keep(opened.entered, key, entered)
        shape, several, depth, steps, labels = entered.shape, [entered.sums], 0, 0, list(entered.labels)
        for stretch in stretches:
            key = (shape, *[chosen[name] for name in stretch.parameters])
            part = stretch.known.get(key)
            if part is None:
                part = self._stretch(stretch, shape, opened)
                _keep(stretch.known, key, part)
            shape, depth, steps = part.shape, depth + part.depth, steps + part.steps
            if part.nodes:
                several.append(part.sums)
            labels += part.labels
        if steps > self._limits.layers or len(set(labels)) < len(labels):
            raise UnsummedError
        sums = tuple(map(sum, zip(*several, strict=True)))
        return NetworkSums(shape, sums, depth, entered.is_as_written, opened.home.values)

    def _stretch(self, stretch: _Stretch, shape: Shape, opened: _Opened) -> PartSums:
        env = Environment(opened.home.values, opened.home, opened.chains.defaults, ModuleScope())
        place = PartPlace((id(stretch), shape), stretch.parameters)
        part = part_sums(stretch.items, shape, env, opened.kept, place)
        if part is None:
            raise UnsummedError
        return part

    def _entering(self, opened: _Opened, volumes: EnteringVolumes) -> _Entered:
        walker = SummingElaborator(opened.kept)
        env = Environment(opened.home.values, opened.home, opened.chains.defaults, ModuleScope())
        inputs = Inputs(walker, env, volumes)
        wire = inputs.enter(opened.chains.main, [], self._place)
        if wire is None:
            raise UnsummedError
        drafts = walker.state.drafts
        sums, _ = totals(drafts, drafts, opened.kept)
        return _Entered(wire.shape, sums, not inputs.others, tuple(env.scope.labels))

    def _whole(self, opened: _Opened, volumes: EnteringVolumes) -> NetworkSums:
        """Return the sums of a network of several chains, or with references between its parts."""
        walker = SummingElaborator(opened.kept)
        state = walker.state
        env = Environment(opened.home.values, opened.home, opened.chains.defaults, ModuleScope())
        made = opened.chains.make(walker, env, volumes, self._place)
        if made.wire is None or state.steps > self._limits.layers:
            raise UnsummedError
        sums, longest = totals(state.drafts, state.drafts, opened.kept)
        outputs = (made.wire.node, *(each.node for each in state.taps if not each.is_tap))
        depth = max(longest[at] for at in outputs)
        parts = {path: _part(path, env.scope, state, opened.kept) for path in self._paths}
        return NetworkSums(made.wire.shape, sums, depth, not made.volumes, opened.home.values, parts)


def _part(path: str, scope: ModuleScope, state: State, kept: Kept) -> PartSums:
    """Return the sums of a labelled part. Raises UnsummedError for anything else."""
    *outer, last = path.split(".")
    for name in outer:
        found = scope.labels.get(name)
        if found is None or found.scope is None or found.scope.is_scattered or name not in scope.parts:
            raise UnsummedError
        scope = found.scope
    part, named = scope.parts.get(last), scope.labels.get(last)
    if part is None or named is None or named.wire is None or part.first == part.stop:
        raise UnsummedError
    before = state.drafts[: part.stop]
    sums, longest = totals(before[part.first :], before, kept)
    return PartSums(named.wire.shape, sums, max(longest), part.stop - part.first, 0, 0)


def _key(value: Value) -> ValueKey:
    """Return a key for a parameter's value that distinguishes values which Python considers equal."""
    if isinstance(value, NameSymbol):
        return (NameSymbol, value.name)
    if isinstance(value, ListValue):
        return (ListValue, *map(_key, value.items))
    return (type(value), value)


def _keep(known: dict[ValueKey, Any], key: ValueKey, value: object) -> None:
    """Keep a result; discard all others if there are too many."""
    if len(known) >= _MOST_KEPT:
        known.clear()
    known[key] = value


def _stretches(items: Sequence[ast.ChainItem], home: FileScope, dependence: Dependence) -> Iterator[_Stretch]:
    """Split a chain by the parameters on which its elements depend; one that depends on none joins its neighbours."""
    gathered: list[ast.ChainItem] = []
    before: frozenset[str] = frozenset()
    for item in items:
        needed = dependence.of(written_names([item], home.choices))
        if gathered and needed and before and needed != before:
            yield _Stretch(tuple(gathered), tuple(sorted(before)))
            gathered, before = [], frozenset()
        gathered.append(item)
        before |= needed
    if gathered:
        yield _Stretch(tuple(gathered), tuple(sorted(before)))
