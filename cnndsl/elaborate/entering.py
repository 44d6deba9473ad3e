"""The nodes of a network's inputs: the INPUT of its chain, or named inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cnndsl.elaborate.elaborator import Elaborator
from cnndsl.elaborate.expansion import PendingLabel
from cnndsl.elaborate.inputs import INPUT, input_layer, input_of, layer_of, setting_of
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.references import interpolate
from cnndsl.elaborate.state import Environment, NamedOutput
from cnndsl.errors import CnnError, Diagnostic, Span, nearest
from cnndsl.expressions import names
from cnndsl.syntax import ast
from cnndsl.values import show


class Inputs:
    """Makes the nodes of the inputs. `given` are the input shapes that replace the written ones, by setting: `input`,
    or `input.left` if there are several. `names` are those of named inputs, `others` the given shapes that differ from
    the written ones."""

    def __init__(self, walker: Elaborator, env: Environment, given: Mapping[str, tuple[int, ...]]) -> None:
        self.walker, self.env, self.given = walker, env, dict(given)
        self.names: list[str] = []
        self.others: dict[str, tuple[int, ...]] = {}

    def enter(self, main: ast.Main | None, named: Sequence[ast.Equation], place: Span) -> NodeOutput | None:
        """Make the nodes and return the value that enters the main chain, or None. Raises CnnError for an invalid
        input, and if a shape is given for an input that does not exist; `place` is the location of that error."""
        if main is not None:
            return self._main(main.chain.items[0], place)
        tags = [PendingLabel(interpolate(each.name, self.env), each.name, each.name_span) for each in named]
        self.names = [tag.name for tag in tags]
        if len(tags) == 1 and INPUT in self.given:
            self.given = {setting_of(tags[0].name): self.given.pop(INPUT), **self.given}
        self._check_given({setting_of(name) for name in self.names}, place)
        for each, tag in zip(named, tags, strict=True):
            item = input_of(each.body.items[0])
            assert item is not None, "an input is only kept if it is one"
            self.walker.check_free(tag, self.env, is_part=False)
            self.env.scope.values.add(tag.name)
            wire = self._node(item, tag, setting_of(tag.name))
            self.env.scope.labels[tag.name] = NamedOutput(wire, None, tag.span)
        return None

    def _main(self, item: ast.ChainItem, place: Span) -> NodeOutput:
        """Return the value of the INPUT at the start of a chain."""
        layer = item.body if isinstance(item, ast.Label) else item
        assert isinstance(layer, ast.WrittenLayer), "a main chain is kept where it begins with INPUT"
        self._check_given({INPUT}, place)
        if not isinstance(item, ast.Label):
            return self._node(layer, None, INPUT)
        tag = PendingLabel(interpolate(item.name, self.env), item.name, item.name_span)
        self.walker.check_free(tag, self.env)
        wire = self._node(layer, tag, INPUT)
        self.env.scope.labels[tag.name] = NamedOutput(wire, None, tag.span)
        return wire

    def _check_given(self, known: set[str], place: Span) -> None:
        for setting in self.given:
            if setting not in known:
                names = [each.removeprefix(f"{INPUT}.") for each in sorted(known) if each != INPUT]
                message, help = _unknown(setting, names)
                raise CnnError(Diagnostic("E0227", message, place, help=help))

    def _node(self, written: ast.WrittenLayer, tag: PendingLabel | None, setting: str) -> NodeOutput:
        layer = input_layer(written, self.env)
        sizes = tuple(("volume", size) for size in written.dims if any(names(size)))
        volume = self.given.get(setting, layer.volume)
        if volume != layer.volume:
            self.others[setting] = volume
            layer, sizes = layer_of(volume), ()
        bound = Bound(layer, (), f"INPUT {show(layer.volume)}", sizes)
        shape = self.walker.shape_of(layer, [])
        made = self.walker.node(bound, [], shape, written.span, self.env, tag.name if tag else None, counted=False)
        if made.wire is None:
            raise AssertionError("any shape can be given to an input")
        return made.wire


def _unknown(setting: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the message and the help for a shape given for an input that does not exist."""
    name = setting.removeprefix(INPUT).removeprefix(".")
    if not names:
        return f"the network's only input has no name, so `{name}` cannot be set", "for example, `--input 160x160x3`"
    listed = ", ".join(names)
    if not name:
        example = " ".join(f"--input {each}=…" for each in names)
        return f"the network has several inputs, {listed}; say which one", f"for example, `{example}`"
    return f"the network has no input called `{name}`", nearest(name, list(names)) or f"its inputs are {listed}"
