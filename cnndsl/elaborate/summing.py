"""Elaboration that keeps sums instead of layers, for networks of which only totals and shapes are needed.

A part to which nothing outside refers is elaborated separately and becomes one node with the sums over its layers. Any
error in a program, or anything unusual, raises `UnsummedError`; then the caller elaborates the network as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from cnndsl.elaborate.elaborator import Elaborator
from cnndsl.elaborate.expansion import Expansion, PendingLabel
from cnndsl.elaborate.mentions import readings, written_names
from cnndsl.elaborate.outputs import NodeOutput, merging
from cnndsl.elaborate.state import Environment, ModuleScope, NamedOutput, NameValue, PendingNode, State
from cnndsl.elaborate.sums import (
    Kept,
    PartPlace,
    PartSums,
    Plan,
    PlannedNode,
    PlannedPart,
    Summand,
    Sums,
    UnsummedError,
    identity,
)
from cnndsl.errors import CnnError, Span
from cnndsl.graph import LayerPart
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.values import ListValue, OutputSymbol, Value


class _NotByItselfError(UnsummedError):
    """A part in which `again` applies a part, whose layers have to be compared with those of the first application."""


@dataclass(slots=True)
class _PartNode(PendingNode):
    """A part that replaces a node. Its layer is never used. `number` is that of the part in a plan."""

    part: PartSums | None = None
    number: int = -1


class SummingState(State):
    """A State that stops at the first error, and records how deep its elements were nested and which parts it met."""

    def __init__(self, kept: State) -> None:
        super().__init__()
        self.bound, self.shapes, self.mentions = kept.bound, kept.shapes, kept.mentions
        self.deepest = 0
        self.own_steps = self.own_deepest = 0
        """The same without the elements inside the parts."""
        self.parts: list[PlannedPart] = []
        self.placed: set[int] = set()
        """The ids of elements that became parts."""
        self.direct: set[int] = set()
        """The ids of elements that were elaborated here."""

    def report(self, stop: CnnError) -> None:
        """Raise UnsummedError for any error."""
        if stop.diagnostics:
            raise UnsummedError

    def enter(self, span: Span) -> None:
        """Begin an element."""
        super().enter(span)
        self.own_steps += 1
        if self.depth > self.deepest:
            self.deepest = self.depth
        if self.depth > self.own_deepest:
            self.own_deepest = self.depth


class SummingElaborator(Elaborator):
    """Elaborates a network and uses the known sums of its parts."""

    def __init__(self, kept: Kept, *, is_plain: bool = False) -> None:
        self.summing = SummingState(kept.state)
        super().__init__(self.summing)
        self.kept, self.is_plain = kept, is_plain

    def element(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None = None
    ) -> Expansion:
        """Expand one element, using its sums if they are known."""
        state = self.summing
        if not self.is_plain and tag is None and wire is not None and not state.training_only:
            place = self.kept.place(item, wire.shape, env, state.choices)
            part = None if place is None else part_sums((item,), wire.shape, env, self.kept, place, state.choices)
            if part is not None and place is not None and part.nodes:
                return self._placed(part, place, item, wire, env)
        state.direct.add(identity(item))
        return super().element(item, wire, env, tag)

    def _made(
        self, item: ast.ChainItem, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
    ) -> Expansion:
        if isinstance(item, ast.Again) and not self.is_plain:
            raise _NotByItselfError
        return super()._made(item, wire, env, tag)

    def _placed(
        self, part: PartSums, place: PartPlace, item: ast.ChainItem, wire: NodeOutput, env: Environment
    ) -> Expansion:
        """Add the part as a node."""
        state, labels = self.summing, env.scope.labels
        state.steps += part.steps
        state.deepest = max(state.deepest, state.depth + part.deepest)
        if state.deepest > 2 * state.limits.nesting:
            raise UnsummedError
        for name in part.labels:
            if name in labels:
                raise UnsummedError
            labels[name] = NamedOutput(None, None, item.span)
        state.placed.add(identity(item))
        number = len(state.parts)
        state.parts.append(PlannedPart(place.key, place.parameters, state.depth, part.shape, part.labels))
        layer, node = merging("+").layer, len(state.drafts)
        state.drafts.append(
            _PartNode(layer, (wire.node,), part.shape, item.span, "", (), (), False, part=part, number=number)
        )
        return Expansion(NodeOutput(node, part.shape), LayerPart(node))


def part_sums(
    items: tuple[ast.ChainItem, ...], shape: Shape, env: Environment, kept: Kept, place: PartPlace, choices: int = 0
) -> PartSums | None:
    """Return the sums of consecutive elements, made separately from all others; None if they cannot be.

    Args:
        items: The elements; nothing outside refers to their labels.
        shape: The input shape.
        env: The names in scope. Labels and modules around the elements are ignored.
        kept: The known sums.
        place: What the elements depend on.
        choices: How many merges with an `or` are open.
    """
    try:
        return kept.known(place.key, place.parameters)
    except KeyError:
        pass
    part = None
    for is_plain in (False, True):
        try:
            part = _made(items, shape, env, kept, place, choices, is_plain)
        except _NotByItselfError:
            continue
        except (UnsummedError, CnnError, RecursionError):
            pass
        break
    kept.keep(place.key, place.parameters, part)
    return part


def _made(
    items: tuple[ast.ChainItem, ...],
    shape: Shape,
    env: Environment,
    kept: Kept,
    place: PartPlace,
    choices: int,
    is_plain: bool,
) -> PartSums | None:
    walker = SummingElaborator(kept, is_plain=is_plain)
    state, scope = walker.summing, ModuleScope(body=items)
    state.drafts.append(PendingNode(merging("+").layer, (), shape, items[0].span, "", (), (), False))
    state.choices = choices
    alone = replace(env, scope=scope, values=_alone(env.values, scope))
    if len(items) == 1:
        made = Elaborator.element(walker, items[0], NodeOutput(0, shape), alone)
    else:
        made = walker.items(items, NodeOutput(0, shape), alone, follows=True)
    if made.wire is None or state.taps or not _is_all_used(state.drafts, made.wire.node):
        return None
    if made.part is None and len(state.drafts) > 1:
        return None
    labels = tuple({**scope.labels, **dict.fromkeys(scope.values)})
    sums, longest = totals(state.drafts[1:], state.drafts, kept)
    output, nodes = made.wire.node, len(state.drafts) - 1
    if state.parts and nodes:
        own = _own_sums(state.drafts[1:], state.drafts, kept)
        shown = PartSums(made.wire.shape, own, 0, nodes, state.own_steps, state.own_deepest, labels)
        plan = Plan(shown, tuple(state.parts), tuple(_planned_nodes(state.drafts, kept)), output)
        names = written_names(items, env.home.choices, state.placed - state.direct)
        given = (name for word in place.words for name in readings(word))
        direct = kept.dependence.of((*names, *given), state.placed - state.direct)
        kept.keep_plan(place.key, tuple(sorted(direct)), plan)
    return PartSums(made.wire.shape, sums, longest[output], nodes, state.steps, state.deepest, labels)


def _alone(values: Mapping[str, Value], scope: ModuleScope) -> Mapping[str, Value]:
    """Return the values without those that would lead to outputs of other modules."""
    if not any(isinstance(value, NameValue | OutputSymbol | ListValue) for value in values.values()):
        return values
    return {name: _without_scope(value, scope) for name, value in values.items() if not isinstance(value, OutputSymbol)}


def _without_scope(value: Value, scope: ModuleScope) -> Value:
    if isinstance(value, ListValue):
        return value if value.is_plain else ListValue(tuple(_without_scope(each, scope) for each in value.items))
    if isinstance(value, NameValue) and value.env is not None:
        return NameValue(value.name, replace(value.env, scope=scope))
    return value


def _is_all_used(drafts: Sequence[PendingNode], output: int) -> bool:
    """Check whether every node contributes to the output."""
    used = [False] * len(drafts)
    used[output] = True
    for at in range(len(drafts) - 1, 0, -1):
        if not used[at]:
            return False
        for before in _value_inputs(drafts[at]):
            used[before] = True
    return used[0]


def _value_inputs(draft: PendingNode) -> tuple[int, ...]:
    at = draft.layer.extents_of
    return (*draft.inputs[:at], *draft.inputs[at + 1 :]) if at else draft.inputs


def totals(nodes: Sequence[PendingNode], drafts: Sequence[PendingNode], kept: Kept) -> tuple[Sums, list[int]]:
    """Return the sums over `nodes`, the last of `drafts`, and the longest path to each draft: 0 to the first."""
    longest = [0] * len(drafts)
    found: list[Sums] = []
    for at, draft in enumerate(nodes, len(drafts) - len(nodes)):
        before = max([longest[each] for each in _value_inputs(draft)], default=0)
        if isinstance(draft, _PartNode) and draft.part is not None:
            found.append(draft.part.sums)
            longest[at] = before + draft.part.depth
        else:
            sums, is_weighted = _weighed(draft, drafts, kept)
            found.append(sums)
            longest[at] = before + is_weighted
    return tuple(map(sum, zip(*found, strict=True))), longest


def _weighed(draft: PendingNode, drafts: Sequence[PendingNode], kept: Kept) -> tuple[Sums, bool]:
    shapes = tuple([drafts[each].shape for each in draft.inputs])
    return kept.weigh(Summand(draft.layer, draft.shape, shapes, draft.weights_of >= 0, draft.training_only))


def _own_sums(nodes: Sequence[PendingNode], drafts: Sequence[PendingNode], kept: Kept) -> Sums:
    """Return the sums over the nodes that are not parts."""
    found = [_weighed(each, drafts, kept)[0] for each in nodes if not isinstance(each, _PartNode)]
    some = next(each.part.sums for each in nodes if isinstance(each, _PartNode) and each.part is not None)
    return tuple(map(sum, zip((0,) * len(some), *found, strict=True)))


def _planned_nodes(drafts: Sequence[PendingNode], kept: Kept) -> list[PlannedNode]:
    found: list[PlannedNode] = []
    for draft in drafts[1:]:
        if isinstance(draft, _PartNode):
            found.append(PlannedNode(draft.inputs, draft.number))
        else:
            found.append(PlannedNode(_value_inputs(draft), -1, _weighed(draft, drafts, kept)[1]))
    return found
