"""A file as a whole: its statements in order, the files that it uses, and the resulting network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from cnndsl.elaborate import parameters, survey
from cnndsl.elaborate.build_graph import build_graph
from cnndsl.elaborate.calls import named_value
from cnndsl.elaborate.chains import MadeNetwork, NetworkChains
from cnndsl.elaborate.elaborator import Elaborator
from cnndsl.elaborate.expansion import Expansion
from cnndsl.elaborate.inputs import INPUT, given_volume
from cnndsl.elaborate.options import settings as options_of
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.repairs import Repairs, place_of
from cnndsl.elaborate.resolve import like_a_kind, meaning
from cnndsl.elaborate.shape_log import ShapeLog
from cnndsl.elaborate.state import (
    Defaults,
    Definition,
    Environment,
    FileScope,
    ModuleScope,
    PendingNode,
    Setting,
    State,
    TooManyError,
)
from cnndsl.errors import CnnError, Diagnostic, Source, Span, closest, meant
from cnndsl.expr import error
from cnndsl.expressions import Expr
from cnndsl.graph import Graph, LayerPart, SequencePart, nodes_of
from cnndsl.graph.partial import PartialGraph
from cnndsl.layers import KINDS
from cnndsl.layers.base import Layer
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.values import Later, Unknown, Value

VERSION = 1
"""The newest version of the language that this compiler supports."""

Find: TypeAlias = Callable[[str, Source], Source | str]
"""Looks up the file that a `use` names, relative to its own file; returns a hint for the message if there is none."""


@dataclass(slots=True)
class _Program:
    """One elaboration of a file and of those that it uses."""

    state: State
    walker: Elaborator
    find: Find
    sources: list[Source] = field(default_factory=list[Source])
    homes: dict[str, FileScope] = field(default_factory=dict[str, FileScope])
    volumes: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """The input shapes given from outside in place of those of INPUT, by setting."""
    contracts: list[Expr] = field(default_factory=list[Expr])


@dataclass(slots=True)
class _Reading:
    """A file while its statements are read: its definitions, the defaults so far, and the chains of the network."""

    home: FileScope
    using: tuple[str, ...]
    is_main: bool
    defaults: Defaults = field(default_factory=dict[type[Layer], Mapping[str, Setting]])
    has_begun: bool = False
    """Whether a statement other than the version was read."""
    chains: NetworkChains = field(default_factory=NetworkChains)
    places: dict[str, Span] = field(default_factory=dict[str, Span])


def _nowhere(_name: str, _source: Source) -> str:
    """Find no other files."""
    return ""


def elaborate(
    file: ast.File,
    settings: Mapping[str, Value] | None = None,
    find: Find = _nowhere,
    log: ShapeLog | None = None,
) -> Graph:
    """Return the network of a file, with its parameters set; a `log` records what depends on shapes.

    If the network has no parameter `input`, that setting is the input shape in place of the one in INPUT; with named
    inputs, there is `input.left` for each. Assertions apply to the written input shape: the graph has none if another
    shape is given.

    Raises CnnError with all errors that do not follow from one another; the current `limits` set how many errors are
    reported, and how large a network may be.

    >>> graph = elaborate(parse(Source("net.cnn", "INPUT 8x8x3 -> [CONV3-4 -> RELU]*2 -> FC-10")))
    >>> [node.path for node in graph], graph.nodes[-1].shape
    (['input', '0', '1', '2', '3', '4'], 10)
    """
    program, home, root, made = _made(file, settings or {}, find, log=log)
    state = program.state
    if state.errors:
        raise CnnError(sorted(state.errors, key=_place))
    if made.wire is None or made.part is None:
        raise AssertionError("missing values were reported before")
    graph = build_graph(
        file, home, root, Expansion(made.wire, made.part), state, tuple(program.contracts), tuple(program.sources)
    )
    graph = replace(graph, output_name=made.output_name, input_names=made.inputs)
    if not made.volumes:
        return graph
    return replace(graph, settings={**graph.settings, **made.volumes}, contracts=())


def elaborated_part(
    file: ast.File, settings: Mapping[str, Value], find: Find, errors: Sequence[Diagnostic]
) -> PartialGraph | None:
    """Return the partial graph of a file with these errors, to draw it; None if it is empty or there is no error.

    Its output is the last node made. Raises CnnError if Python's stack is too small for it.
    """
    repairs = Repairs({place_of(each): number for number, each in enumerate(errors)})
    program, home, root, made = _made(file, settings, find, repairs)
    drafts = program.state.drafts
    if not program.state.errors or made.part is None or not drafts:
        return None
    inside = set(nodes_of(made.part))
    others = tuple(LayerPart(at) for at in range(len(drafts)) if at not in inside)
    wire = made.wire or NodeOutput(len(drafts) - 1, drafts[-1].shape)
    whole = Expansion(wire, SequencePart((made.part, *others)) if others else made.part)
    graph = build_graph(file, home, root, whole, program.state, (), tuple(program.sources))
    graph = replace(graph, output_name=made.output_name, input_names=made.inputs)
    failing = {**repairs.failing, **_pointed_at(drafts, errors, repairs)}
    return PartialGraph(graph, failing, frozenset(repairs.unknown), repairs.texts, frozenset(repairs.loose))


def _pointed_at(drafts: Sequence[PendingNode], errors: Sequence[Diagnostic], repairs: Repairs) -> dict[int, int]:
    """Map the first node at the location of each error to that error, unless a node already fails with it."""
    found: dict[int, int] = {}
    for number, each in enumerate(errors):
        if each.span is None or number in repairs.failing.values():
            continue
        for node, draft in enumerate(drafts):
            is_here = draft.span.source is each.span.source and draft.span.start < each.span.end
            if is_here and each.span.start < draft.span.end and not {node} & (repairs.failing.keys() | found.keys()):
                found[node] = number
                break
    return found


def _made(
    file: ast.File,
    settings: Mapping[str, Value],
    find: Find,
    repairs: Repairs | None = None,
    log: ShapeLog | None = None,
) -> tuple[_Program, FileScope, ModuleScope, MadeNetwork]:
    """Elaborate a file and return its definitions, module and network; errors are in the program's state."""
    state = State(repairs, log)
    program = _Program(state, Elaborator(state), find, [file.source])
    if log is not None:
        log.sources = program.sources
    home, root = _home_of(file), ModuleScope()
    made = MadeNetwork()
    try:
        _parameters(program, file, home, settings)
        reading = _Reading(home, (file.source.name,), is_main=True)
        _statements(program, file, reading)
        env = Environment(home.values, home, reading.chains.defaults, root)
        made = reading.chains.make(program.walker, env, program.volumes, parameters.head_of(file))
    except TooManyError:
        pass
    except CnnError as stop:
        with suppress(TooManyError):
            state.report(stop)
    except RecursionError:
        # The limits stay below Python's own; a caller may have used up most of that, or have raised our limits.
        place = Span(file.source, 0, 0)
        raise error("E0103", "this nests deeper than Python's stack is at this place", place) from None
    return program, home, root, made


def definitions(
    file: ast.File, settings: Mapping[str, Value], find: Find
) -> tuple[Elaborator, FileScope, NetworkChains]:
    """Return the definitions of a file, an elaborator with its errors, and its chains, which are not elaborated yet."""
    program, home = _Program(state := State(), Elaborator(state), find, [file.source]), _home_of(file)
    reading = _Reading(home, (file.source.name,), is_main=True)
    with suppress(TooManyError):
        _parameters(program, file, home, settings)
        _statements(program, file, reading)
    return program.walker, home, reading.chains


def _place(each: Diagnostic) -> tuple[str, int]:
    return (each.span.source.name, each.span.start) if each.span else ("", -1)


def _home_of(file: ast.File) -> FileScope:
    blocks = (each for each in file.statements if isinstance(each, ast.Block | ast.Use))
    return FileScope(
        file.source,
        choices=survey.choices(file),
        names_of_blocks=frozenset(name for each in blocks for name in ast.bound_names(each)),
        labels=dict(survey.labels(file)),
    )


def _parameters(program: _Program, file: ast.File, home: FileScope, settings: Mapping[str, Value]) -> None:
    """Set the values of the parameters and report their errors."""
    try:
        known = parameters.parameters(file)
    except CnnError as stop:
        program.state.report(stop)
        home.values.update(dict.fromkeys(parameters.declared_names(file), Unknown()))
        return
    is_free = all(each.name != INPUT for each in known)
    volumes = [name for name in settings if name.startswith(f"{INPUT}.") or (name == INPUT and is_free)]
    for name in volumes:
        program.volumes[name] = given_volume(settings[name], parameters.head_of(file))
    settings = {name: value for name, value in settings.items() if name not in volumes}
    values, wrong = parameters.settle(file, known, settings)
    home.values.update(values)
    home.defaults.update({each.name: each.default for each in known if each.default is not None})
    home.domains.update({each.name: each.domain for each in known if each.domain is not None})
    program.state.report(CnnError(wrong))


# Statements


def _statements(program: _Program, file: ast.File, reading: _Reading) -> None:
    lets = (each for each in file.statements if isinstance(each, ast.Let))
    reading.home.values.update(
        {each.name: Later(_name_of(each)) for each in lets if each.name not in reading.home.values}
    )
    for position, statement in enumerate(file.statements):
        try:
            _statement(program, statement, position, reading)
        except CnnError as stop:
            program.state.report(stop)
        reading.has_begun = reading.has_begun or not isinstance(statement, ast.Version)


def _statement(program: _Program, statement: ast.Statement, position: int, reading: _Reading) -> None:
    if isinstance(statement, ast.Version):
        _version(statement, position)
    elif isinstance(statement, ast.Net):
        _net(statement, reading)
    elif isinstance(statement, ast.Use):
        _use(program, statement, reading)
    elif isinstance(statement, ast.Let):
        _let(statement, reading)
    elif isinstance(statement, ast.Default):
        _default(statement, reading)
    elif isinstance(statement, ast.Block):
        _block(statement, reading)
    elif isinstance(statement, ast.Assert):
        if reading.is_main:
            program.contracts.append(statement.test)
    else:
        reading.chains.keep(statement, reading.defaults)


def _version(statement: ast.Version, position: int) -> None:
    if position:
        message = "the language version must come first in the file"
        raise error("E0105", message, statement.span, "move it up")
    if statement.number != VERSION:
        wanted = statement.span.text.removeprefix("cnn").strip()
        message = f"this file is for version {wanted} of the language, but this compiler supports version {VERSION}"
        raise error("E0105", message, statement.span, "install a newer version of cnndsl")


def _net(statement: ast.Net, reading: _Reading) -> None:
    if reading.has_begun:
        raise error("E0217", "`net` must come first in the file", statement.span, "only `cnn 1` may come before it")
    for parameter in statement.parameters or ():
        reading.places[parameter.name] = parameters.name_of(parameter)


def _define(name: str, span: Span, reading: _Reading) -> None:
    """Raise CnnError if the file already has that name."""
    if name in reading.places:
        raise parameters.defined_twice(f"the name `{name}` is defined twice", span, reading.places[name])
    reading.places[name] = span


def _name_of(statement: ast.Let) -> Span:
    """Return the location of the name that a `let` defines."""
    at = statement.span.start + statement.span.text.index(statement.name, len("let"))
    return Span(statement.span.source, at, at + len(statement.name))


def _let(statement: ast.Let, reading: _Reading) -> None:
    _define(statement.name, _name_of(statement), reading)
    values = reading.home.values
    before = {name: value for name, value in values.items() if name != statement.name}
    values[statement.name] = Unknown()
    values[statement.name] = named_value(statement, Environment(before, reading.home, {}, ModuleScope()))
    reading.home.lets[statement.name] = statement.value


def _block(statement: ast.Block, reading: _Reading) -> None:
    _define(statement.name, statement.name_span, reading)
    reading.home.blocks[statement.name] = Definition(statement, reading.home, reading.defaults)
    # The block hides a plug-in's layer type: an installed package does not break a program.
    if statement.name in KINDS or statement.name.upper() == "INPUT":
        raise like_a_kind(statement)
    seen: dict[str, Span] = {}
    names = [(each.name, parameters.name_of(each), True) for each in statement.parameters or ()]
    for name, span, is_parameter in (*names, *((each.name, _name_of(each), False) for each in statement.values)):
        if name in seen:
            reading.home.values[statement.name] = Unknown()
            message = f"the parameter `{name}` is declared twice" if is_parameter else f"`{name}` is defined twice"
            raise parameters.defined_twice(message, span, seen[name])
        seen[name] = span


def _default(statement: ast.Default, reading: _Reading) -> None:
    layer = statement.layer
    env = Environment(reading.home.values, reading.home, {}, ModuleScope())
    meant = meaning(layer, env)
    if isinstance(meant, Definition):
        help = "give the block's parameters defaults: `block A(c=64) = …`"
        raise error("E0246", f"`{layer.head}` is a block; `default` sets options of a layer type", layer.span, help)
    chosen = options_of(meant.kind, layer, meant.digits, env)
    before = reading.defaults.get(meant.kind, {})
    reading.defaults = {**reading.defaults, meant.kind: {**before, **chosen}}


# Other files


def _use(program: _Program, statement: ast.Use, reading: _Reading) -> None:
    try:
        home = _home(program, statement, reading)
    except CnnError:
        reading.home.values.update({name: Unknown() for name, _ in statement.names})
        raise
    for name, span in statement.names:
        _define(name, span, reading)
        if name in home.blocks:
            reading.home.blocks[name] = home.blocks[name]
            continue
        reading.home.values[name] = Unknown()
        close = closest(name, list(home.blocks))
        help = meant(span, close) if close else f"it has {', '.join(home.blocks) or 'no blocks at all'}"
        program.state.report(error("E0251", f"no block called `{name}` in `{statement.path}`", span, help))


def _home(program: _Program, statement: ast.Use, reading: _Reading) -> FileScope:
    """Return the definitions of a file that is used; each file is read once."""
    source = program.find(statement.path, reading.home.source)
    if isinstance(source, str):
        message = f"cannot find {statement.path}: it is neither in this file's folder nor a bundled network"
        raise error("E0250", message, statement.path_span, source)
    if source.name in reading.using:
        circle = " uses ".join((*reading.using[reading.using.index(source.name) :], source.name))
        help = "move the blocks that both need into a third file"
        raise error("E0252", f"files use each other in a circle: {circle}", statement.path_span, help)
    if len(reading.using) > current().nesting:
        raise error("E0103", f"`use` nests more than {current().nesting} files deep", statement.path_span)
    if source.name not in program.homes:
        program.sources.append(source)
        with program.walker.frame(f"used at {statement.path_span}"):
            file = _parsed(program, source)
            home = _home_of(file)
            _default_parameters(program, file, home)
            _statements(program, file, _Reading(home, (*reading.using, source.name), is_main=False))
        program.homes[source.name] = home
    return program.homes[source.name]


def _default_parameters(program: _Program, file: ast.File, home: FileScope) -> None:
    """Set the parameters of a used file to their defaults."""
    try:
        declared = parameters.parameters(file)
    except CnnError as stop:
        program.state.report(stop)
        home.values.update(dict.fromkeys(parameters.declared_names(file), Unknown()))
        return
    home.values.update({each.name: each.default for each in declared if each.default is not None})


def _parsed(program: _Program, source: Source) -> ast.File:
    try:
        return parse(source)
    except CnnError as stop:
        program.state.report(stop)
        raise CnnError(()) from None
