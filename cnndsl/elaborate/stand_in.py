"""The node that replaces a part that cannot be made, if an elaboration continues after errors."""

from __future__ import annotations

from contextlib import suppress

from cnndsl.elaborate.expansion import Expansion, PendingLabel
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.repairs import Unreadable
from cnndsl.elaborate.savepoint import Savepoint
from cnndsl.elaborate.stars import label
from cnndsl.elaborate.state import Environment, NamedOutput, PendingNode, State
from cnndsl.errors import CnnError
from cnndsl.graph import LayerPart
from cnndsl.shape import Shape
from cnndsl.syntax import ast


def stand_in(
    state: State,
    before: Savepoint,
    item: ast.ChainItem,
    wire: NodeOutput | None,
    env: Environment,
    stop: CnnError,
    tag: PendingLabel | None = None,
) -> Expansion:
    """Undo what was made of an invalid element and return one node in its place."""
    before.restore()
    repairs = state.repairs
    if repairs is None or len(state.drafts) >= state.most_nodes:
        return Expansion(None, None)
    node = len(state.drafts)
    repairs.fails(node, stop)
    repairs.texts[node] = " ".join(item.span.text.split())
    if wire is None:
        repairs.loose.add(node)
    inputs, shape = ((wire.node,), wire.shape) if wire is not None else ((0,), Shape(1)) if node else ((), Shape(1))
    draft = PendingNode(Unreadable(), inputs, shape, item.span, "?", (), state.turns, state.training_only)
    made = state.add(draft, "part", env)
    _name(item, made, env, tag)
    return Expansion(made, LayerPart(made.node))


def _name(item: ast.ChainItem, made: NodeOutput, env: Environment, tag: PendingLabel | None) -> None:
    """Give the node the label of its element, so that references to it resolve."""
    if tag is None and isinstance(item, ast.Label | ast.Tap):
        with suppress(CnnError):
            tag = label(item, env)
    if tag is not None:
        env.scope.labels.setdefault(tag.name, NamedOutput(made, None, tag.span, tag.family))
