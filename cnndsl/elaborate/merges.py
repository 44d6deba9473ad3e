"""Parallel branches and their merge; `ID or X`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cnndsl.elaborate import stars
from cnndsl.elaborate.expansion import Expander, Expansion
from cnndsl.elaborate.merge_errors import MergeBranch, mismatch
from cnndsl.elaborate.outputs import NodeOutput, merging
from cnndsl.elaborate.scattered import pieces
from cnndsl.elaborate.state import MOST_CHOICES, Environment
from cnndsl.expr import error
from cnndsl.expressions import Expr
from cnndsl.graph import ChoicePart, IdentityPart, MergePart, Part, ReferencePart
from cnndsl.layers.base import LayerError
from cnndsl.layers.infer import infer
from cnndsl.shape import Shape
from cnndsl.syntax import ast


def merge(walker: Expander, item: ast.Merge, wire: NodeOutput | None, env: Environment) -> Expansion:
    """The branches in their order, then the node that merges them.

    A star is as many branches as it stands for. A branch of which nothing is left (`A?` that is absent, `A if no`) is
    left out; a single one needs no merge. Raises CnnError where the shapes do not go together.
    """
    state, chooses = walker.state, any(map(_lone_either, item.branches))
    if chooses and state.choices >= MOST_CHOICES:
        message = f"merges with an `or` among their branches nest deeper than {MOST_CHOICES}"
        raise error("E0103", message, item.span, "say which of the two is meant")
    state.choices += chooses
    try:
        return _merge(walker, item, wire, env)
    finally:
        state.choices -= chooses


def _merge(walker: Expander, item: ast.Merge, wire: NodeOutput | None, env: Environment) -> Expansion:
    state = walker.state
    branches: list[MergeBranch] = []
    tests: list[Expr] = []
    _check_leading(item)
    for position, chain in enumerate(item.branches):
        star = stars.starred(chain)
        if star is not None:
            branches += _several(walker, chain, star, env)
            continue
        either = _lone_either(chain)
        if either is None:
            branch = MergeBranch(chain, walker.chain(chain, wire, env))
        else:
            target = _target(walker, item, position, branches, wire, env)
            branch = _choose(walker, item.operator, chain, either, target, wire, env)
        if _is_absent(branch.made, chain):
            tests += _conditions(chain)
        else:
            branches.append(branch)
    wires = [branch.made.wire for branch in branches if branch.made.wire is not None]
    if not branches:
        _check_left(item)
    if len(wires) < len(branches) or not wires:
        return Expansion(wire if not branches else None, None)
    if len(branches) == 1:
        return _decided(branches[0].made, tests, item)
    bound = merging(item.operator)
    try:
        shape = walker.shape_of(bound.layer, wires)
    except LayerError as stop:
        raise mismatch(item.operator, branches, stop, env, wire, state.drafts) from None
    walker.check_use(wires, item.span)
    node = walker.node(bound, wires, shape, item.span, env, counted=False)
    parts: tuple[Part, ...] = tuple(branch.made.part or IdentityPart() for branch in branches)
    return _decided(Expansion(node.wire, MergePart(parts, node.wire.node if node.wire else -1)), tests, item)


def _several(walker: Expander, chain: ast.Chain, star: ast.Ref, env: Environment) -> list[MergeBranch]:
    """A branch for each value that a star stands for; the place of each is that of the star."""
    return [
        MergeBranch(
            chain, Expansion(named.wire, ReferencePart(named.wire.node, path) if named.wire else None), (), path
        )
        for path, named in stars.matches(star, env, walker.state)
    ]


def _check_leading(item: ast.Merge) -> None:
    """Raises CnnError for an operator in front of a branch that is only one."""
    if len(item.branches) == 1 and item.operator in "+|" and stars.starred(item.branches[0]) is None:
        message = f"`{item.operator}` has a single branch here"
        help = f"an operator in front is for a star, `({item.operator} @unit*)`; else it stands between branches"
        raise error("E0230", message, item.span, help)


def _check_left(item: ast.Merge) -> None:
    """Raises CnnError where stars alone are left of a merge, and stand for nothing."""
    star = next((each for each in map(stars.starred, item.branches) if each is not None), None)
    if star is not None:
        message = f"`{star.span.text}` stands for nothing here, and no other branch is left"
        help = f"add a branch that is always there, as in `(@stem {item.operator if item.operator in '+|' else '+'} …)`"
        raise error("E0230", message, item.span, help)


def _decided(made: Expansion, tests: list[Expr], item: ast.Merge) -> Expansion:
    """A merge, or what is left of it, with the conditions under which it would have further branches."""
    part = made.part
    for test in tests:
        part = ChoicePart("absent", 0, part or IdentityPart(), test, item.span)
    return replace(made, part=part)


def _conditions(node: ast.SyntaxNode) -> Iterator[Expr]:
    """The tests of every `if` in a part of the tree."""
    if isinstance(node, ast.Conditional):
        yield node.test
    if isinstance(node, ast.Chain | ast.Group | ast.Merge | ast.Repeat | ast.Label | ast.Conditional | ast.For):
        for each in ast.children(node):
            yield from _conditions(each)


def _is_absent(made: Expansion, chain: ast.Chain) -> bool:
    if made.part is None:
        return made.wire is not None and all(isinstance(each, ast.Optional | ast.Conditional) for each in chain.items)
    return isinstance(made.part, ChoicePart) and made.part.part is None


def _lone_either(chain: ast.Chain) -> ast.Either | None:
    only = chain.items[0] if len(chain.items) == 1 else None
    return only if isinstance(only, ast.Either) else None


def _target(
    walker: Expander,
    item: ast.Merge,
    position: int,
    before: list[MergeBranch],
    wire: NodeOutput | None,
    env: Environment,
) -> Shape | None:
    """The shape that the other branches give; those that follow are tried out and taken back."""
    for branch in before:
        if branch.made.wire is not None:
            return branch.made.wire.shape
    for chain in item.branches[position + 1 :]:
        star = stars.starred(chain)
        if star is not None:
            several = _several(walker, chain, star, env)
            if several:
                return several[0].made.wire.shape if several[0].made.wire else None
        elif _lone_either(chain) is None:
            made = trial(walker, chain, wire, env)
            if not _is_absent(made, chain):
                return made.wire.shape if made.wire else None
    return None


def trial(walker: Expander, chain: ast.Chain, wire: NodeOutput | None, env: Environment) -> Expansion:
    """What a chain would make; nothing of it stays."""
    state, scope = walker.state, env.scope
    nodes, taps, modules = len(state.drafts), len(state.taps), len(state.modules)
    before = [(each, len(each.members), dict(each.labels)) for each in pieces(scope)]
    errors = list(state.errors)
    applied = len(state.applied)
    made = walker.chain(chain, wire, env)
    for application in state.applied[applied:]:
        application.part.times -= 1
    del state.applied[applied:]
    del state.drafts[nodes:], state.taps[taps:], state.modules[modules:]
    for each, members, labels in before:
        del each.members[members:]
        each.labels.clear()
        each.labels.update(labels)
    state.retract(errors)
    return made


def _choose(
    walker: Expander,
    operator: str,
    chain: ast.Chain,
    either: ast.Either,
    target: Shape | None,
    wire: NodeOutput | None,
    env: Environment,
) -> MergeBranch:
    """The first choice whose shape fits the merge; the last one where none does, so that the merge can say why."""

    tried: list[Shape] = []
    last = len(either.choices) - 1
    for position, choice in enumerate(either.choices):
        if position < last:
            made = trial(walker, ast.Chain((choice,), choice.span), wire, env)
            if made.wire is None or target is None or not _fits(operator, made.wire.shape, target):
                tried.extend([made.wire.shape] if made.wire else [])
                continue
        made = walker.element(choice, wire, env)
        decided = ChoicePart("either", position, made.part, None, either.span)
        return MergeBranch(chain, Expansion(made.wire, decided), tuple(tried))
    raise AssertionError("an `or` has at least two choices")


def _fits(operator: str, shape: Shape, target: Shape) -> bool:
    try:
        return infer(merging(operator).layer, [shape, target]) == target or operator == "|"
    except LayerError:
        return False
