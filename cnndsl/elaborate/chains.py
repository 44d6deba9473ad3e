"""The network of a file: its inputs, the chains that follow, and its outputs.

An input is the INPUT at the start of a chain, or one of several with names, `left = INPUT 64x64x3`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from cnndsl.elaborate import layer_count as count
from cnndsl.elaborate.elaborator import Elaborator
from cnndsl.elaborate.entering import Inputs
from cnndsl.elaborate.equations import check_used
from cnndsl.elaborate.expansion import here
from cnndsl.elaborate.inputs import check_named_input, input_of
from cnndsl.elaborate.output_fixes import give, unknown
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import resolve
from cnndsl.elaborate.state import Defaults, Environment, NamedOutput, Setting
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span
from cnndsl.expr import error
from cnndsl.graph import LayerPart, Output, Part, SequencePart
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.syntax.statement_hints import named_chain
from cnndsl.syntax.unit_fixes import is_unit, measured


@record
class MadeNetwork:
    """A completely elaborated network: its first output, the name of that output, and the tree of parts. A value or
    part of None failed and was reported. `volumes` are input shapes that replace written ones, by setting, if they
    differ; `inputs` are the names of named inputs."""

    wire: NodeOutput | None = None
    part: Part | None = None
    output_name: str = ""
    volumes: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    inputs: tuple[str, ...] = ()


@dataclass(slots=True)
class NetworkChains:
    """The chains of a network as written in its file, kept until every name that they may mention is known."""

    main: ast.Main | None = None
    inputs: list[ast.Equation] = field(default_factory=list[ast.Equation])
    """The named chains; a file has either these or a main chain."""
    further: list[ast.Equation] = field(default_factory=list[ast.Equation])
    outputs: ast.Outputs | None = None
    defaults: Defaults = field(default_factory=dict[type[Layer], dict[str, Setting]])
    """The defaults in force at the network's location."""
    lost: list[ast.Main | ast.Equation] = field(default_factory=list[ast.Main | ast.Equation])
    """Misplaced chains: references to names in them are not reported again."""
    has_chain: bool = False
    """Whether the file has anything that might have been meant as the network."""

    def keep(self, statement: ast.Main | ast.Equation | ast.Outputs, defaults: Defaults) -> None:
        """Keep a statement. Raises CnnError if it is misplaced."""
        try:
            self._keep(statement, defaults)
        except CnnError:
            if not isinstance(statement, ast.Outputs):
                self.lost.append(statement)
            raise

    def _keep(self, statement: ast.Main | ast.Equation | ast.Outputs, defaults: Defaults) -> None:
        if isinstance(statement, ast.Equation) and statement.name and input_of(statement.body.items[0]) is not None:
            self._keep_input(statement, defaults)
        elif isinstance(statement, ast.Equation):
            self._keep_further(statement)
        elif isinstance(statement, ast.Outputs):
            self._keep_outputs(statement)
        else:
            self._keep_main(statement, defaults)

    def _keep_main(self, statement: ast.Main, defaults: Defaults) -> None:
        item = statement.chain.items[0]
        self.has_chain = True
        layer = item.body if isinstance(item, ast.Label) else item
        if not isinstance(layer, ast.WrittenLayer) or layer.head.upper() != "INPUT":
            if self.main is not None or self.inputs:
                measure = measured(item.span.source, item.span.start)
                if measure is not None:
                    wrong = "is apart from its number" if is_unit(item.span.text) else "is not a unit"
                    raise error("E0104", f"`{item.span.text}` {wrong}", item.span, measure)
                line = item.span.source.text[item.span.start :].partition("\n")[0]
                start = f"say where it starts: `@a -> {item.span.text[:40]}`"
                message = "every chain after the first begins with a reference or has a name"
                raise error("E0216", message, item.span, named_chain(line, item.span.source.text) or start)
            help = f"add it: `INPUT 224x224x3 -> {item.span.text[:40]}`"
            raise error("E0216", "a network begins with `INPUT`", item.span, help)
        if self.main is not None:
            raise _second(self.main.chain.items[0], item)
        if self.inputs:
            message = "this input has no name, but other inputs have one"
            raise _mixed(message, item, item.span, self.inputs[0].span, self.inputs)
        self.main, self.defaults = statement, defaults

    def _keep_input(self, statement: ast.Equation, defaults: Defaults) -> None:
        self.has_chain = True
        if self.main is not None:
            message = "this input has a name, but another input has none"
            first = self.main.chain.items[0]
            raise _mixed(message, first, statement.span, first.span, [statement])
        self.inputs.append(statement)
        self.defaults = defaults
        check_named_input(statement)
        if self.further:
            others = (Annotation(self.further[0].span, "the first chain"),)
            message = "inputs come before the chains"
            raise CnnError(Diagnostic("E0219", message, statement.span, "", others, help="move it up"))

    def _keep_further(self, statement: ast.Equation) -> None:
        if self.main is None and not self.inputs:
            self.has_chain = True
            help = "move it after the chain that begins with INPUT"
            raise error("E0216", "the chain that begins with INPUT comes before the others", statement.span, help)
        self.further.append(statement)

    def _keep_outputs(self, statement: ast.Outputs) -> None:
        if self.outputs is not None:
            others = (Annotation(self.outputs.span, "first named here"),)
            help = "name all outputs in one statement: `output a, b`"
            message = "the outputs are named more than once"
            raise CnnError(Diagnostic("E0245", message, statement.span, "named again here", others, help=help))
        self.outputs = statement

    def make(
        self, walker: Elaborator, env: Environment, volumes: Mapping[str, tuple[int, ...]], place: Span
    ) -> MadeNetwork:
        """Elaborate the network, with `volumes` in place of the written input shapes. Raises CnnError if there is no
        network or an output is invalid; other errors are reported. `place` is the location of such errors."""
        if self.main is None and not self.inputs:
            if self.has_chain:
                return MadeNetwork()
            message = "no network found in this file"
            raise error("E0215", message, place, "start one with `INPUT`: `INPUT 224x224x3 -> CONV3-64 -> RELU`")
        entered = Inputs(walker, env, volumes)
        entering, rest = entered.enter(self.main, self.inputs, place), self.main.chain.items[1:] if self.main else ()
        count.check(rest or self.further, here(env, None), walker.state.most_nodes)
        if self.inputs and not self.further:
            if walker.state.errors:
                return MadeNetwork()
            raise error(
                "E0215", "nothing is computed from the inputs", place, "begin a chain with one: `@… -> CONV3-64`"
            )
        for name, span in _names(self.lost):
            env.scope.labels.setdefault(name, NamedOutput(None, None, span))
        env.scope.body = (*rest, *self.further)
        made = walker.items(env.scope.body, entering, env, follows=True)
        leaves = tuple(LayerPart(at) for at in range(max(1, len(self.inputs))))
        part = SequencePart((*leaves, made.part)) if made.part is not None else leaves[0]
        if self.outputs is None:
            given, name = made.wire, ""
        else:
            try:
                given, name = _outputs(self.outputs, walker, env)
            except CnnError as stop:
                if walker.state.repairs is None:
                    raise
                walker.state.report(stop)
                given, name = made.wire, ""
        if given is not None and not walker.state.errors:
            nodes = (given.node, *(tap.node for tap in walker.state.taps))
            giving = partial(give, given=nodes, scope=env.scope, drafts=walker.state.drafts, statement=self.outputs)
            check_used(walker.state, frozenset(nodes), entered.names, giving)
        return MadeNetwork(given, part, name, entered.others, tuple(entered.names))


def _second(first: ast.ChainItem, second: ast.ChainItem) -> CnnError:
    """Return the error for a second INPUT without a name."""
    others = (Annotation(first.span, "first `INPUT` here"),)
    message = "more than one unnamed `INPUT`"
    one, other = _declared(first, "left"), _declared(second, "right")
    help = (
        f"to give a network several inputs, name each of them, `{one}` and `{other}`, and begin the chains with "
        f"references: `a = @{one.split()[0]} -> …`; a second network belongs in a file of its own"
    )
    return CnnError(Diagnostic("E0218", message, second.span, "", others, help=help))


def _mixed(message: str, unnamed: ast.ChainItem, span: Span, other: Span, named: Sequence[ast.Equation]) -> CnnError:
    """Return the error for an unnamed input next to named ones."""
    others = (Annotation(other, "the other"),)
    taken = {each.name_span.text for each in named}
    declared = _declared(unnamed, next(each for each in ("image", "other", "third") if each not in taken))
    help = f"give each input a name, `{declared}`, and begin chains with it: `a = @{declared.split()[0]} -> …`"
    return CnnError(Diagnostic("E0218", message, span, "", others, help=help))


def _declared(item: ast.ChainItem, name: str) -> str:
    """Return an INPUT as it is written with a name: its label, or the given one."""
    layer = item.body if isinstance(item, ast.Label) else item
    return f"{item.name_span.text if isinstance(item, ast.Label) else name} = {' '.join(layer.span.text.split())}"


def _names(chains: Sequence[ast.Main | ast.Equation]) -> Iterator[tuple[str, Span]]:
    """Yield the names in chains that have no placeholders, each with its location."""
    for each in ast.walk(chains):
        if isinstance(each, ast.Label | ast.Tap | ast.Equation) and len(each.name) == 1:
            (name,) = each.name
            if isinstance(name, str):
                yield name, each.name_span


def _outputs(statement: ast.Outputs, walker: Elaborator, env: Environment) -> tuple[NodeOutput | None, str]:
    """Return the first output that is named; add the others before the auxiliary outputs."""
    state = walker.state
    wires: list[NodeOutput] = []
    found: list[Output] = []
    for (path, span), name in zip(statement.names, _short_names(statement), strict=True):
        try:
            wire = resolve(path, env, span).wire
        except CnnError as stop:
            raise _unknown_output(stop, statement, path, span, walker, env) from None
        if wire is None:
            return None, ""
        if any(tap.name == path and tap.node == wire.node for tap in state.taps):
            raise error("E0235", f"`{path}` is an output already", span, "remove it: taps come after these outputs")
        if any(each.name == name for each in (*found, *state.taps)):
            raise error("E0235", f"`{name}` is an output already", span, "give the value another name: `a = @b.c`")
        if state.drafts[wire.node].training_only:
            raise error(
                "E0234",
                f"cannot output `{path}`, which exists only during training",
                span,
                "remove `(train)` from the tap",
            )
        wires.append(wire)
        found.append(Output(name, wire.node, training_only=False, is_tap=False))
    state.taps[:0] = found[1:]
    return wires[0], found[0].name


def _unknown_output(
    stop: CnnError, statement: ast.Outputs, path: str, span: Span, walker: Elaborator, env: Environment
) -> CnnError:
    """Return the error for an output that does not exist, with what is likely meant."""
    labels = env.scope.labels
    known = [labels[name] for name, _ in statement.names if name in labels]
    given = [named.wire.node for named in known if named.wire is not None]
    is_only = len(known) == len(statement.names) - 1
    way = unknown(span, path, is_only, env.scope, walker.state.drafts, given) or (
        f"name what the network gives: `{path}: FC-10` in a chain, or a chain of its own, `{path} = @… -> FC-10`"
    )
    wrong = stop.diagnostics
    return CnnError([each if each.fix or "did you mean" in each.help else each.advised(way) for each in wrong])


def _short_names(statement: ast.Outputs) -> list[str]:
    """Return the names of outputs: the last name of each path, or the full path if two end alike."""
    last = [path.rpartition(".")[2] for path, _ in statement.names]
    twice = {name for name in last if last.count(name) > 1}
    return [
        path.replace(".", "_") if short in twice else short
        for short, (path, _) in zip(last, statement.names, strict=True)
    ]
