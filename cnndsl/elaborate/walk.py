"""From the elements of a chain to nodes: what each construct means.

Every method takes the value that comes in and the names in force, and gives the value that goes out and the part
that was made. A value of None stands for one that went wrong and was reported; what depends on it stays silent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cnndsl.elaborate import calls, joins, loops
from cnndsl.elaborate.bind import Bound, bind
from cnndsl.elaborate.lookup import find_label, interpolate
from cnndsl.elaborate.state import DEEPEST, Definition, Draft, Env, Member, Named, Scope, State, Wire, Word
from cnndsl.errors import CnnError, Diagnostic, Label, Span, nearest
from cnndsl.expr import Expr, Literal, error, show, truth
from cnndsl.graph import Choice, From, Leaf, Output, Part, Sequence, Tapped, Through
from cnndsl.graph import Named as NamedPart
from cnndsl.layers import KINDS, find, known
from cnndsl.layers.arrange import Identity
from cnndsl.layers.base import Layer, LayerError
from cnndsl.shape import Shape
from cnndsl.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_SIZED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*?)([0-9]+(?:x[0-9]+)*)")


@dataclass(frozen=True, slots=True)
class Made:
    """The value that goes out, and the part that was made; no part where there is nothing."""

    wire: Wire | None
    part: Part | None


@dataclass(frozen=True, slots=True)
class Tag:
    """A label on its way to what it names."""

    name: str
    template: tuple[str | Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Kind:
    """What a head means when it is a kind: the class, its name as called, the size that stood in the head."""

    kind: type[Layer]
    name: str
    digits: Literal | None


def axes_of(shape: Shape) -> dict[str, int]:
    """C, H and W (D before them in 3-D, W alone in 1-D) of a shape."""
    return {"C": shape.channels, **dict(zip("DHW"[3 - shape.rank :], shape.spatial, strict=True))}


def here(env: Env, wire: Wire | None) -> Env:
    """The names in force at a place: outside blocks C, H and W are the shape that enters the part."""
    if env.in_block or wire is None:
        return env
    return replace(env, values={**env.values, **axes_of(wire.shape)})


class Walker:
    """Walks over chains and fills a State."""

    def __init__(self, state: State) -> None:
        self.state = state

    @contextmanager
    def frame(self, text: str) -> Generator[None]:
        """Errors inside tell that they were reached through this call or repeat."""
        self.state.frames.append(text)
        try:
            yield
        finally:
            self.state.frames.pop()

    def chain(self, chain: ast.Chain, wire: Wire | None, env: Env) -> Made:
        """A chain, from a value. Raises CnnError where chains nest too deep."""
        state = self.state
        if state.depth >= DEEPEST:
            raise error("E0103", f"brackets and calls nest deeper than {DEEPEST}", chain.span)
        state.depth += 1
        try:
            return self.items(chain.items, wire, env)
        finally:
            state.depth -= 1

    def items(self, items: tuple[ast.Element, ...], wire: Wire | None, env: Env) -> Made:
        parts: list[Part] = []
        for position, item in enumerate(items):
            if position and isinstance(item, ast.Ref):
                message = f"`{item.span.text}` starts a branch; here it would drop the value before it"
                self.state.report(error("E0233", message, item.span, f"merge the two: `(ID | {item.span.text})`"))
            made = self.element(item, wire, env)
            wire = made.wire
            if made.part is not None:
                parts.append(made.part)
        if not parts:
            return Made(wire, None)
        return Made(wire, parts[0] if len(parts) == 1 else Sequence(tuple(parts)))

    def element(self, item: ast.Element, wire: Wire | None, env: Env, tag: Tag | None = None) -> Made:
        """One element; what is wrong with it is reported."""
        try:
            return self._dispatch(item, wire, env, tag)
        except CnnError as stop:
            self.state.report(stop)
            if tag is not None:
                env.scope.labels.setdefault(tag.name, Named(None, None, tag.span))
            return Made(None, None)

    def _dispatch(self, item: ast.Element, wire: Wire | None, env: Env, tag: Tag | None) -> Made:
        if isinstance(item, ast.Layer):
            return self._layer(item, wire, env, tag)
        if isinstance(item, ast.Label):
            return self._label(item, wire, env)
        if isinstance(item, ast.Optional):
            return self._optional(item, wire, env, tag)
        if isinstance(item, ast.Conditional):
            return self._conditional(item, wire, env)
        if isinstance(item, ast.Ref):
            return self._reference(item, env, tag)
        if isinstance(item, ast.Tap):
            return self._tap(item, wire, env)
        if isinstance(item, ast.Either):
            raise error(
                "E0313", "`or` chooses between branches, and there is no merge around it", item.span, "(F + ID or X)"
            )
        return self._composite(item, wire, env, tag)

    def _composite(
        self, item: ast.Group | ast.Merge | ast.Repeat | ast.For, wire: Wire | None, env: Env, tag: Tag | None
    ) -> Made:
        def inside(env: Env) -> Made:
            if isinstance(item, ast.Group):
                return self.chain(item.body, wire, env)
            if isinstance(item, ast.Merge):
                return joins.merge(self, item, wire, env)
            if isinstance(item, ast.Repeat):
                return loops.repeat(self, item, wire, env)
            return loops.table(self, item, wire, env)

        return inside(env) if tag is None else self.module(tag, env, inside)

    def module(self, tag: Tag, env: Env, inside: Callable[[Env], Made]) -> Made:
        """A module of parts, under a label."""
        self.check_free(tag, env)
        scope = Scope(env.scope)
        env.scope.members.append(Member(tag.name, "", True, scope=scope))
        made = inside(replace(env, scope=scope))
        return self.name(tag, made, env, scope)

    def name(self, tag: Tag, made: Made, env: Env, scope: Scope | None, is_module: bool = True) -> Made:
        """Lets a label name what was made; a call of a block brings its module along."""
        env.scope.labels[tag.name] = Named(made.wire, scope, tag.span)
        if scope is not None and made.wire is not None:
            scope.output = made.wire.node
        if made.part is None:
            return made
        part = NamedPart(tag.name, tag.template, "", made.part, is_module and scope is not None)
        node = made.part.node if isinstance(made.part, Leaf) else -1
        self.state.modules.append((part, scope or node))
        return Made(made.wire, part)

    def check_free(self, tag: Tag, env: Env) -> None:
        """Raises CnnError where the module has that name already."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", tag.name):
            raise error("E0106", f"`{tag.name}` is not a name", tag.span, "names are letters, digits and `_`")
        before = env.scope.labels.get(tag.name)
        if before is None:
            return
        message = f"the name `{tag.name}` is used twice in one module"
        if before.span == tag.span:
            raise CnnError(
                Diagnostic("E0235", message, tag.span, "once for each turn", help=f"number it: `{tag.span.text}{{i}}`")
            )
        raise CnnError(Diagnostic("E0235", message, tag.span, "the second", (Label(before.span, "the first"),)))

    # Layers

    def _layer(self, item: ast.Layer, wire: Wire | None, env: Env, tag: Tag | None) -> Made:
        meaning = self.meaning(item.head, item, env)
        if isinstance(meaning, Definition):
            return calls.call(self, meaning, item, wire, here(env, wire), tag)
        if tag is not None:
            self.check_free(tag, env)
        if issubclass(meaning.kind, Identity):
            made = Made(wire, Through())
            return made if tag is None else Made(self.name(tag, made, env, None).wire, made.part)
        bound = self._bound(meaning, item, wire, env)
        sources = (wire, *bound.references)
        wires = [each for each in sources if each is not None]
        if len(wires) < len(sources):
            return Made(None, None) if tag is None else self.name(tag, Made(None, None), env, None)
        layer = bound.layer
        for reference in wires[1:]:
            target = self.state.drafts[reference.node]
            layer = layer.referring(target.layer, *(self.state.drafts[at].shape for at in target.inputs))
        made = self.node(layer, wires, item.span, bound.text, env, tag.name if tag else None, bound.written)
        return made if tag is None else self.name(tag, made, env, None)

    def _bound(self, meaning: Kind, item: ast.Layer, wire: Wire | None, env: Env) -> Bound:
        """The layer with its options; one without names is the same wherever it is written so."""
        if not _is_literal(item):
            return bind(meaning.kind, item, meaning.digits, meaning.name, here(env, wire))
        key = (item.span.text, meaning.kind, id(env.defaults))
        bound = self.state.bound.get(key)
        if bound is None:
            bound = bind(meaning.kind, item, meaning.digits, meaning.name, env)
            self.state.bound[key] = bound
        return bound

    def node(
        self,
        layer: Layer,
        wires: list[Wire],
        span: Span,
        text: str,
        env: Env,
        label: str | None = None,
        written: tuple[tuple[str, Expr], ...] = (),
        counted: bool = True,
    ) -> Made:
        """A new node on the given values. Raises CnnError where the layer does not take them."""
        try:
            shape = self._shape(layer, wires)
        except LayerError as stop:
            entering = " and ".join(map(str, (wire.shape for wire in wires)))
            raise CnnError(
                Diagnostic(stop.code, stop.message, span, f"the input is {entering}", help=stop.help)
            ) from None
        state = self.state
        inputs = tuple(wire.node for wire in wires)
        draft = Draft(layer, inputs, shape, span, text, written, state.turns, state.training_only)
        wire = state.add(draft, layer.kind().lower(), env, label, counted)
        return Made(wire, Leaf(wire.node))

    def _shape(self, layer: Layer, wires: list[Wire]) -> Shape:
        key = (id(layer), *(wire.shape for wire in wires))
        shape = self.state.shapes.get(key)
        if shape is None:
            shape = layer.output(*(wire.shape for wire in wires))
            self.state.shapes[key] = shape
        return shape

    def meaning(self, head: str, item: ast.Layer, env: Env) -> Kind | Definition:
        """What the head of a layer stands for. Raises CnnError where it stands for nothing."""
        readings = list(_readings(head, item.span))
        for look_up in (_ours, find):
            for name, digits in readings:
                found = self._named(name, digits, env, look_up)
                if found is not None:
                    return found
        if head.upper() == "INPUT":
            raise error("E0234", "INPUT stands at the beginning of the network alone", item.span)
        names = [*env.home.blocks, *known()]
        plain = _SIZED.fullmatch(head)
        help = nearest(head, names) or (nearest(plain[1], names) if plain else "")
        place = Span(item.span.source, item.span.start, item.span.start + len(head))
        raise error("E0231", f"there is no layer or block called `{head}`", place, help)

    def _named(
        self, name: str, digits: Literal | None, env: Env, look_up: Callable[[str], type[Layer] | None]
    ) -> Kind | Definition | None:
        value = env.values.get(name)
        if isinstance(value, Word):
            return self._named(value.name, digits, value.env or env, look_up)
        if name in env.home.blocks and digits is None:
            return env.home.blocks[name]
        kind = look_up(name)
        return None if kind is None else Kind(kind, name.upper(), digits)

    # The rest

    def _label(self, item: ast.Label, wire: Wire | None, env: Env) -> Made:
        tag = Tag(interpolate(item.name, env), item.name, item.name_span)
        return self._dispatch(item.body, wire, env, tag)

    def _reference(self, item: ast.Ref, env: Env, tag: Tag | None) -> Made:
        named = find_label(item, env)
        made = Made(named.wire, From(named.wire.node, item.span.text[1:]) if named.wire else None)
        if tag is None:
            return made
        self.check_free(tag, env)
        env.scope.labels[tag.name] = named
        return made

    def _optional(self, item: ast.Optional, wire: Wire | None, env: Env, tag: Tag | None) -> Made:
        name = item.name or env.home.choices[item.span.start]
        chosen = env.values.get(name, True)
        if not isinstance(chosen, bool):
            raise error("E0205", f"the choice `{name}` is yes or no, and this is {show(chosen)}", item.span)
        if not chosen:
            return Made(wire, None)
        made = self._dispatch(item.body, wire, env, tag)
        return Made(made.wire, Choice("maybe", 0, made.part, name, item.span))

    def _conditional(self, item: ast.Conditional, wire: Wire | None, env: Env) -> Made:
        holds = truth(item.test, here(env, wire).values)
        if not holds and item.otherwise is None:
            return Made(wire, Choice("if", -1, None, item.test, item.span))
        made = self.element(item.body if holds or item.otherwise is None else item.otherwise, wire, env)
        return Made(made.wire, Choice("if", 0 if holds else 1, made.part, item.test, item.span))

    def _tap(self, item: ast.Tap, wire: Wire | None, env: Env) -> Made:
        tag = Tag(interpolate(item.name, env), item.name, item.name_span)
        outer = self.state.training_only
        self.state.training_only = outer or item.mode == "train"
        made = self.element(item.body, wire, env, tag)
        training_only, self.state.training_only = self.state.training_only, outer
        if made.wire is None or made.part is None:
            return Made(wire, None)
        if wire is not None and made.wire.node == wire.node:
            raise error("E0236", f"the tap `{tag.name}` makes nothing of its own", item.span)
        part = Tapped(tag.name, "", made.part, made.wire.node, training_only)
        self.state.taps.append(Output(tag.name, made.wire.node, training_only))
        self.state.modules.append((part, env.scope.labels[tag.name].scope or made.wire.node))
        return Made(wire, part)


def _ours(name: str) -> type[Layer] | None:
    """A kind of our own: asked first in every reading, since a look at the plug-ins costs a start its time."""
    return KINDS.get(name.upper())


def _readings(head: str, span: Span) -> Iterator[tuple[str, Literal | None]]:
    """A head is a name, or a name with a size: `RELU6` is a kind, `CONV3` is CONV of size 3."""
    yield head, None
    match = _SIZED.fullmatch(head)
    if match is not None:
        start = span.start + match.start(2)
        extents = tuple(map(int, match[2][:200].split("x")))
        value = extents if len(extents) > 1 else int(match[2][:200])
        yield match[1], Literal(value, match[2], Span(span.source, start, span.start + len(head)))


def _is_literal(item: ast.Layer) -> bool:
    exprs: list[Expr | None] = [item.width, item.stride, *item.size]
    exprs.extend(argument.value for argument in item.arguments or ())
    return all(expr is None or isinstance(expr, Literal) for expr in exprs)
