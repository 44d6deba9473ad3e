"""The network of a file: the chain that begins with INPUT, those that follow it, and what they give."""

from __future__ import annotations

from dataclasses import dataclass, field

from cnndsl.elaborate import layer_count as count
from cnndsl.elaborate.elaborator import Elaborator
from cnndsl.elaborate.equations import check_used
from cnndsl.elaborate.expansion import PendingLabel, here
from cnndsl.elaborate.inputs import input_layer, layer_of
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.references import interpolate, resolve
from cnndsl.elaborate.state import Defaults, Environment, NamedOutput, Setting
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span
from cnndsl.expr import error, show
from cnndsl.graph import LayerPart, Output, Part, SequencePart
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.syntax import ast


@record
class MadeNetwork:
    """A network of which everything is made: the value that it gives first and the name of that, and the tree of its
    parts. A value or part of None stands for one that went wrong and was reported. `volume` is what enters instead of
    the volume that is written, where that is another."""

    wire: NodeOutput | None = None
    part: Part | None = None
    output_name: str = ""
    volume: tuple[int, ...] | None = None


@dataclass(slots=True)
class NetworkChains:
    """The chains of a network as its file has them, kept until all is known that they may mention."""

    main: ast.Main | None = None
    further: list[ast.Equation] = field(default_factory=list[ast.Equation])
    outputs: ast.Outputs | None = None
    defaults: Defaults = field(default_factory=dict[type[Layer], dict[str, Setting]])
    """Those that hold where the network stands."""
    has_chain: bool = False
    """Whether anything stood there that might have been meant as the network."""

    def keep(self, statement: ast.Main | ast.Equation | ast.Outputs, defaults: Defaults) -> None:
        """Keep a statement. Raises CnnError where it has no place."""
        if isinstance(statement, ast.Equation):
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
            help = f"put it in front: INPUT 224x224x3 -> {item.span.text[:40]}"
            raise error("E0216", "a network begins with INPUT", item.span, help)
        if self.main is not None:
            others = (Annotation(self.main.chain.items[0].span, "the first begins here"),)
            help = "put the second into a file of its own"
            raise CnnError(
                Diagnostic("E0218", "a file has one network, and this is a second", item.span, "", others, help=help)
            )
        self.main, self.defaults = statement, defaults

    def _keep_further(self, statement: ast.Equation) -> None:
        if self.main is None:
            self.has_chain = True
            help = "put it behind the chain that begins with INPUT"
            raise error("E0216", "a network begins with INPUT, and its further chains follow", statement.span, help)
        self.further.append(statement)

    def _keep_outputs(self, statement: ast.Outputs) -> None:
        if self.outputs is not None:
            others = (Annotation(self.outputs.span, "the first"),)
            help = "name all outputs in one: `output a, b`"
            message = "the outputs are named twice"
            raise CnnError(Diagnostic("E0245", message, statement.span, "the second", others, help=help))
        self.outputs = statement

    def make(self, walker: Elaborator, env: Environment, volume: tuple[int, ...] | None, place: Span) -> MadeNetwork:
        """Make the network, with another volume than the one that is written if one is given. Raises CnnError where
        there is none, or an output is none; what else is wrong is reported. `place` is where to say so."""
        if self.main is None:
            if self.has_chain:
                return MadeNetwork()
            message = "there is no network in this file: nothing begins with INPUT"
            raise error("E0215", message, place, "add one: INPUT 224x224x3 -> CONV3-64 -> RELU")
        first, *rest = self.main.chain.items
        entering, written = _enter(walker, first, env, volume)
        count.check(rest, here(env, None), walker.state.most_nodes)
        env.scope.body = (*rest, *self.further)
        made = walker.items(env.scope.body, entering, env, follows=True)
        leaf = LayerPart(entering.node)
        part = leaf if made.part is None else SequencePart((leaf, made.part))
        if self.outputs is None:
            given, name = made.wire, ""
        else:
            given, name = _outputs(self.outputs, walker, env)
        if given is not None and not walker.state.errors:
            taps = (tap.node for tap in walker.state.taps)
            check_used(walker.state, frozenset((given.node, *taps)))
        return MadeNetwork(given, part, name, None if volume == written else volume)


def _outputs(statement: ast.Outputs, walker: Elaborator, env: Environment) -> tuple[NodeOutput | None, str]:
    """The first output that is named; the others are given beside it, before the taps."""
    state = walker.state
    wires: list[NodeOutput] = []
    found: list[Output] = []
    for (path, span), name in zip(statement.names, _short_names(statement), strict=True):
        wire = resolve(path, env, span).wire
        if wire is None:
            return None, ""
        if any(tap.name == path and tap.node == wire.node for tap in state.taps):
            raise error("E0235", f"`{path}` is an output already", span, "leave it out: taps are given after these")
        if any(each.name == name for each in (*found, *state.taps)):
            raise error("E0235", f"`{name}` is an output already", span, "give the value another name: `a = @b.c`")
        if state.drafts[wire.node].training_only:
            raise error("E0234", f"`{name}` exists in training only", span, "leave `(train)` away at the tap")
        wires.append(wire)
        found.append(Output(name, wire.node, training_only=False, is_tap=False))
    state.taps[:0] = found[1:]
    return wires[0], found[0].name


def _short_names(statement: ast.Outputs) -> list[str]:
    """What outputs are called: by the last name in their path, or by all of it where two end alike."""
    last = [path.rpartition(".")[2] for path, _ in statement.names]
    twice = {name for name in last if last.count(name) > 1}
    return [
        path.replace(".", "_") if short in twice else short
        for short, (path, _) in zip(last, statement.names, strict=True)
    ]


def _enter(
    walker: Elaborator, item: ast.ChainItem, env: Environment, volume: tuple[int, ...] | None
) -> tuple[NodeOutput, tuple[int, ...]]:
    """The value of INPUT, and the volume that is written."""
    layer = item.body if isinstance(item, ast.Label) else item
    assert isinstance(layer, ast.WrittenLayer), "a main chain is kept where it begins with INPUT"
    written = input_layer(layer, env)
    entering = written if volume is None else layer_of(volume)
    tag = PendingLabel(interpolate(item.name, env), item.name, item.name_span) if isinstance(item, ast.Label) else None
    if tag is not None:
        walker.check_free(tag, env)
    bound = Bound(entering, (), f"INPUT {show(entering.volume)}", ())
    shape = walker.shape_of(entering, [])
    made = walker.node(bound, [], shape, layer.span, env, tag.name if tag else None, counted=False)
    if tag is not None:
        env.scope.labels[tag.name] = NamedOutput(made.wire, None, tag.span)
    if made.wire is None:
        raise AssertionError("an input takes any volume")
    return made.wire, written.volume
