"""Expand the elements of a chain into nodes.

Every method takes the incoming value and the names in scope, and returns the outgoing value and the part that was made.
A value of None failed and was reported; what depends on it is not reported again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.elaborate import again, calls, equations, loops, merges, scattered, shape_fixes
from cnndsl.elaborate.again_fixes import for_a_second
from cnndsl.elaborate.expansion import Expansion, PendingLabel, axes_of, here
from cnndsl.elaborate.layer_cache import mentioned, settled
from cnndsl.elaborate.option_fixes import named_choice
from cnndsl.elaborate.options import bind
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.references import called, find_label, show_value
from cnndsl.elaborate.resolve import Kind, meaning
from cnndsl.elaborate.savepoint import Savepoint
from cnndsl.elaborate.stand_in import stand_in
from cnndsl.elaborate.stars import label
from cnndsl.elaborate.state import (
    Definition,
    Environment,
    LabelledPart,
    ModuleMember,
    ModuleScope,
    NamedOutput,
    PendingNode,
    State,
)
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span, replacement
from cnndsl.expr import error, truth
from cnndsl.graph import (
    ChoicePart,
    IdentityPart,
    LayerPart,
    NamedPart,
    Output,
    Part,
    ReferencePart,
    SequencePart,
    TapPart,
)
from cnndsl.graph.labels import why_not
from cnndsl.layers.base import Layer, LayerError
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Generator


class Elaborator:
    """Walks over chains and fills a State."""

    def __init__(self, state: State) -> None:
        self.state = state

    @contextmanager
    def frame(self, text: str) -> Generator[None]:
        """Make errors inside mention this call or repeat."""
        outer = self.state.frames
        self.state.frames = (*outer, text)
        try:
            yield
        finally:
            self.state.frames = outer

    def chain(self, chain: ast.Chain, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand a chain, starting from a value."""
        return self.items(chain.items, wire, env)

    def items(
        self, items: tuple[ast.ChainItem, ...], wire: NodeOutput | None, env: Environment, follows: bool = False
    ) -> Expansion:
        """Expand the elements of a chain; `follows` is true if something precedes the first one."""
        parts: list[Part] = []
        for position, item in enumerate(items):
            start = equations.elsewhere(item, env, item is items[-1]) if position or follows else None
            if isinstance(item, ast.Equation) and (position or follows):
                made = equations.further(self, item, env, wire)
            else:
                if start is not None:
                    self.state.report(equations.dropped(item, start))
                    wire = None
                if start is item:
                    continue
                made = self.element(item, wire, env)
            wire = made.wire
            if made.part is not None:
                parts.append(made.part)
        if not parts:
            return Expansion(wire, None)
        return Expansion(wire, parts[0] if len(parts) == 1 else SequencePart(tuple(parts)))

    def element(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None = None
    ) -> Expansion:
        """Expand one element and report its errors."""
        before = Savepoint(self.state, env.scope) if self.state.repairs is not None else None
        try:
            return self._dispatch(item, wire, env, tag)
        except CnnError as stop:
            self.state.report(stop)
            if before is not None:
                return stand_in(self.state, before, item, wire, env, stop, tag)
            if tag is not None:
                env.scope.labels.setdefault(tag.name, NamedOutput(None, None, tag.span, tag.family))
            return Expansion(None, None)

    def _dispatch(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
    ) -> Expansion:
        """Expand one element. Raises CnnError if it is invalid, or if elements nest too deep."""
        try:
            self.state.enter(item.span)
            return self._made(item, wire, env, tag)
        finally:
            self.state.depth -= 1

    def _made(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
    ) -> Expansion:
        if isinstance(item, ast.WrittenLayer):
            return self._layer(item, wire, env, tag)
        if isinstance(item, ast.Label):
            return self._label(item, wire, env)
        if isinstance(item, ast.Optional):
            return self._optional(item, wire, env, tag)
        if isinstance(item, ast.Conditional):
            return self._conditional(item, wire, env)
        if isinstance(item, ast.Ref):
            return self._reference(item, env, tag)
        if isinstance(item, ast.Again):
            return again.again(self, item, wire, env, tag)
        if isinstance(item, ast.Tap):
            return self._tap(item, wire, env)
        if isinstance(item, ast.Equation):
            return equations.first(self, item, wire, env)
        if isinstance(item, ast.Either | ast.Each):
            raise merges.misplaced(item)
        return self._composite(item, wire, env, tag)

    def _composite(
        self,
        item: ast.Group | ast.Merge | ast.Repeat | ast.For,
        wire: NodeOutput | None,
        env: Environment,
        tag: PendingLabel | None,
    ) -> Expansion:
        def inside(env: Environment) -> Expansion:
            if isinstance(item, ast.Group):
                return self.chain(item.body, wire, env)
            if isinstance(item, ast.Merge):
                return merges.merge(self, item, wire, env)
            if isinstance(item, ast.Repeat):
                return loops.repeat(self, item, wire, env)
            return loops.table(self, item, wire, env)

        return inside(env) if tag is None else self.module(tag, item, env, inside)

    def module(
        self, tag: PendingLabel, item: ast.ChainItem, env: Environment, inside: Callable[[Environment], Expansion]
    ) -> Expansion:
        """Make a module of parts, under a label."""
        self.check_free(tag, env)
        scope = ModuleScope(env.scope, body=(item,))
        env.scope.members.append(ModuleMember(tag.name, "", True, scope=scope))
        made = inside(replace(env, scope=scope))
        return self.name(tag, made, env, scope)

    def name(
        self, tag: PendingLabel, made: Expansion, env: Environment, scope: ModuleScope | None, is_module: bool = True
    ) -> Expansion:
        """Give the result its label; `scope` is its module, as for a block call, or None."""
        env.scope.labels[tag.name] = NamedOutput(made.wire, scope, tag.span, tag.family)
        if scope is not None:
            scope.wire = made.wire
        if made.part is None:
            return made
        part = NamedPart(tag.name, tag.template, "", made.part, is_module and scope is not None)
        node = made.part.node if isinstance(made.part, LayerPart) else -1
        self.state.modules.append((part, scope or node))
        return Expansion(made.wire, part)

    def check_free(self, tag: PendingLabel, env: Environment, is_part: bool = True) -> None:
        """Raise CnnError if a part cannot have this name, or if the module already has the name."""
        if is_part and not tag.is_again and (why := why_not(tag.name)):
            raise error("E0106", f"a part cannot be called `{tag.name}`: {why}", tag.span, "choose another name")
        before = env.scope.labels.get(tag.name)
        if before is None:
            return
        if before.scope is not None and before.scope.is_scattered:
            raise scattered.in_pieces(tag, before)
        message = f"the name `{tag.name}` is used twice in one module"
        if before.span == tag.span:
            unique = "make the name unique in each iteration: {}"
            help = replacement(tag.span, f"{tag.span.text}{{{env.turn}}}", unique) if env.turn else ""
            raise error("E0235", message, tag.span, help, "defined once per iteration")
        part = env.scope.parts.get(tag.name) if is_part else None
        help = for_a_second(part, tag.name, tag.span, self.state.drafts[-1].shape if self.state.drafts else None)
        others = (Annotation(before.span, "first defined here"),)
        raise CnnError(Diagnostic("E0235", message, tag.span, "defined again here", others, help=help))

    # Layers

    def _layer(
        self, item: ast.WrittenLayer, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
    ) -> Expansion:
        meant = meaning(item, env)
        if isinstance(meant, Definition):
            return calls.call(self, meant, item, wire, here(env, wire), tag)
        if tag is not None:
            self.check_free(tag, env)
        if meant.kind.ROLE == "identity":
            self._bound(meant, item, wire, env)
            made = Expansion(wire, IdentityPart())
            return made if tag is None else Expansion(self.name(tag, made, env, None).wire, made.part)
        bound = self._bound(meant, item, wire, env)
        if bound.layer.is_parameter:
            scattered.check_parameter(tag, env, item.span)
        sources = (wire, *bound.references)
        wires = [each for each in sources if each is not None]
        if len(wires) < len(sources):
            return Expansion(None, None) if tag is None else self.name(tag, Expansion(None, None), env, None)
        layer = self._referring(bound.layer, wires, item.span)
        bound = bound if layer is bound.layer else replace(bound, layer=layer)
        try:
            shape = self._checked_shape(layer, wires, item.span)
        except CnnError as stop:
            shape = self.state.repaired(layer, wires, stop)
        made = self.node(bound, wires, shape, item.span, env, tag.name if tag else None)
        return made if tag is None else self.name(tag, made, env, None)

    def _referring(self, layer: Layer, wires: list[NodeOutput], span: Span) -> Layer:
        """Return the layer, resolved against the outputs that its options refer to."""
        for reference in wires[1:]:
            target = self.state.drafts[reference.node]
            try:
                layer = layer.referring(target.layer, *(self.state.drafts[at].shape for at in target.inputs))
            except LayerError as stop:
                self.state.refuse(layer, wires)
                others = (Annotation(target.span, "to this"),)
                raise CnnError(
                    Diagnostic(stop.code, stop.message, span, "this refers", others, help=stop.help)
                ) from None
        return layer

    def _bound(self, meant: Kind, item: ast.WrittenLayer, wire: NodeOutput | None, env: Environment) -> Bound:
        """Return the layer with its options; equal source and equal values of its names return the same layer."""
        mentions = self._mentioned(item)
        if mentions is None:
            return bind(meant.kind, item, meant.digits, meant.name, here(env, wire))
        axes = {} if env.in_block or not mentions else axes_of(wire)
        values = settled(mentions, env.values, axes)
        if values is None:
            return bind(meant.kind, item, meant.digits, meant.name, here(env, wire))
        size = meant.digits.text if meant.digits else ""
        place = id(item) if mentions else 0
        key = (f"{item.span.text} {size}", meant.name, meant.kind, id(env.defaults), place, values)
        bound = self.state.bound.get(key)
        if bound is None:
            bound = bind(meant.kind, item, meant.digits, meant.name, here(env, wire) if mentions else env)
            self.state.bound[key] = bound
        return bound

    def _mentioned(self, item: ast.WrittenLayer) -> tuple[str, ...] | None:
        known = self.state.mentions
        if id(item) not in known:
            known[id(item)] = mentioned(item)
        return known[id(item)]

    def node(
        self,
        bound: Bound,
        wires: list[NodeOutput],
        shape: Shape,
        span: Span,
        env: Environment,
        label: str | None = None,
        counted: bool = True,
    ) -> Expansion:
        """Make a node on the given values; `shape` is the layer's output shape."""
        state = self.state
        inputs = tuple(wire.node for wire in wires)
        draft = PendingNode(
            bound.layer, inputs, shape, span, bound.text, bound.written, state.turns, state.training_only
        )
        wire = state.add(draft, bound.layer.kind().lower(), env, label, counted)
        return Expansion(wire, LayerPart(wire.node))

    def _checked_shape(self, layer: Layer, wires: list[NodeOutput], span: Span) -> Shape:
        """Return the shape of a layer's output. Raises CnnError if the layer rejects the values."""
        self.check_use(wires, span)
        try:
            return self.shape_of(layer, wires)
        except LayerError as stop:
            others = [Annotation(self.state.drafts[each.node].span, f"outputs {each.shape}") for each in wires[1:]]
            if stop.code == "E0302":
                others += self._flattened(wires[0].node)
            drafts = self.state.drafts
            help = shape_fixes.fix(stop, layer, span, drafts[wires[0].node], drafts[0])
            found = Diagnostic(stop.code, stop.message, span, f"the input is {wires[0].shape}", tuple(others))
            raise CnnError(found.advised(help)) from None

    def check_use(self, wires: list[NodeOutput], span: Span) -> None:
        """Raise CnnError if a training-only value enters a layer that always runs."""
        drafts = self.state.drafts
        for wire in wires:
            if drafts[wire.node].training_only and not self.state.training_only:
                tap = next((f"`@{tap.name}` " for tap in self.state.taps if tap.node == wire.node), "")
                message = f"its input {tap}exists only during training"
                others = (Annotation(drafts[wire.node].span, "runs only during training"),)
                raise CnnError(Diagnostic("E0234", message, span, "", others, help="remove `(train)` from the tap"))

    def _flattened(self, node: int) -> list[Annotation]:
        """Annotate where a vector lost its axes."""
        drafts = self.state.drafts
        while drafts[node].inputs and not drafts[drafts[node].inputs[0]].shape.rank:
            node = drafts[node].inputs[0]
        return [Annotation(drafts[node].span, "here it became a vector")] if drafts[node].inputs else []

    def shape_of(self, layer: Layer, wires: list[NodeOutput]) -> Shape:
        """Return the shape of a layer's output, inferred once. Raises LayerError if the layer rejects these values."""
        return self.state.shape_of(layer, wires)

    # The rest

    def _label(self, item: ast.Label, wire: NodeOutput | None, env: Environment) -> Expansion:
        if item.name == ("",):
            return scattered.nameless(self, item, wire, env)
        scattered.check_holes(item.name, env)
        tag = label(item, env)
        if "." in tag.name:
            tag, env = scattered.within(tag, env)
        first, names = len(self.state.drafts), len(env.scope.labels)
        made = self.labelled(item.body, tag, wire, env)
        env.scope.parts[tag.name] = LabelledPart(item.body, env, names, wire, made.part, first, len(self.state.drafts))
        return made

    def labelled(self, body: ast.ChainItem, tag: PendingLabel, wire: NodeOutput | None, env: Environment) -> Expansion:
        """Expand the labelled element, under that name or another one."""
        try:
            return self._dispatch(body, wire, env, tag)
        except CnnError:
            env.scope.labels.setdefault(tag.name, NamedOutput(None, None, tag.span, tag.family))
            raise

    def _reference(self, item: ast.Ref, env: Environment, tag: PendingLabel | None) -> Expansion:
        named = find_label(item, env)
        if tag is not None:
            self.check_free(tag, env)
            env.scope.labels[tag.name] = replace(named, family=tag.family)
        return Expansion(named.wire, ReferencePart(named.wire.node, called(item, env)) if named.wire else None)

    def _optional(
        self, item: ast.Optional, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
    ) -> Expansion:
        name = item.name or env.home.choices[item.span.start]
        chosen = env.values.get(name, True)
        if isinstance(chosen, Unknown):
            return Expansion(None, None)
        if not isinstance(chosen, bool):
            message = f"the choice `{name}` must be yes or no, not {show_value(chosen)}"
            raise error("E0205", message, item.span, named_choice(item.span))
        if not chosen:
            return Expansion(wire, None)
        made = self._dispatch(item.body, wire, env, tag)
        return Expansion(made.wire, ChoicePart("maybe", 0, made.part, name, item.span))

    def _conditional(self, item: ast.Conditional, wire: NodeOutput | None, env: Environment) -> Expansion:
        holds = truth(item.test, here(env, wire).values)
        if not holds and item.otherwise is None:
            return Expansion(wire, ChoicePart("if", -1, None, item.test, item.span))
        made = self.element(item.body if holds or item.otherwise is None else item.otherwise, wire, env)
        return Expansion(made.wire, ChoicePart("if", 0 if holds else 1, made.part, item.test, item.span))

    def _tap(self, item: ast.Tap, wire: NodeOutput | None, env: Environment) -> Expansion:
        tag = label(item, env)
        outer = self.state.training_only
        self.state.training_only = outer or item.mode == "train"
        first, names = len(self.state.drafts), len(env.scope.labels)
        made = self.element(item.body, wire, env, tag)
        env.scope.parts[tag.name] = LabelledPart(item.body, env, names, wire, made.part, first, len(self.state.drafts))
        training_only, self.state.training_only = self.state.training_only, outer
        if made.wire is None or made.part is None:
            return Expansion(wire, None)
        if not training_only:
            self.check_use([made.wire], item.span)
        part = TapPart(tag.name, "", made.part, made.wire.node, training_only)
        self.state.taps.append(Output(tag.name, made.wire.node, training_only))
        self.state.modules.append((part, env.scope.labels[tag.name].scope or made.wire.node))
        return Expansion(wire, part)
