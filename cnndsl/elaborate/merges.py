"""Parallel branches and their merge; `ID or X`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial

from cnndsl.elaborate import loops, stars
from cnndsl.elaborate.expansion import Expander, Expansion
from cnndsl.elaborate.merge_errors import MergeBranch, mismatch
from cnndsl.elaborate.outputs import NodeOutput, merging
from cnndsl.elaborate.references import show_value
from cnndsl.elaborate.savepoint import Savepoint
from cnndsl.elaborate.state import MOST_CHOICES, Environment, ModuleScope, State
from cnndsl.errors import CnnError, Edit, Fix, Span
from cnndsl.expr import error
from cnndsl.expressions import Expr
from cnndsl.graph import ChoicePart, IdentityPart, MergePart, Part, ReferencePart
from cnndsl.layers.base import LayerError
from cnndsl.layers.infer import fits
from cnndsl.shape import Shape
from cnndsl.syntax import ast


def merge(walker: Expander, item: ast.Merge, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Make the branches in order, then the node that merges them.

    A star is one branch for each part it stands for, an `each` one for each row. Empty branches (an absent `A?`, `A if
    no`) are omitted; a single remaining branch needs no merge. Raises CnnError if the shapes are incompatible.
    """
    state, chooses = walker.state, any(map(_choosing, item.branches))
    if chooses and state.choices >= MOST_CHOICES:
        message = f"merges with an `or` among their branches nest deeper than {MOST_CHOICES}"
        raise error("E0103", message, item.span, "use parentheses to show which one you mean")
    state.choices += chooses
    try:
        return _merge(walker, item, wire, env)
    finally:
        state.choices -= chooses


_HOLDING = (ast.Chain, ast.Group, ast.Merge, ast.Repeat, ast.Label, ast.Conditional, ast.For, ast.Each)
"""The syntax nodes in which an `if` may omit a part."""


def _merge(walker: Expander, item: ast.Merge, wire: NodeOutput | None, env: Environment) -> Expansion:
    state = walker.state
    branches: list[MergeBranch] = []
    tests: list[Expr] = []
    _check_several(item)
    for position, chain in enumerate(item.branches):
        star = stars.starred(chain)
        if star is not None:
            branches += _several(walker, chain, star, env)
            continue
        each = _lone_each(chain)
        if each is not None:
            present, rows = _of_rows(walker, item, position, each, branches, wire, env)
            branches += present
            tests += each.table.rows if not rows else _conditions(each.table.body) if len(present) < rows else ()
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
        wrong = mismatch(item.operator, branches, stop, env, wire, state.drafts)
        shape = state.repaired(bound.layer, wires, wrong)
    walker.check_use(wires, item.span)
    node = walker.node(bound, wires, shape, item.span, env, counted=False)
    parts: tuple[Part, ...] = tuple(branch.made.part or IdentityPart() for branch in branches)
    return _decided(Expansion(node.wire, MergePart(parts, node.wire.node if node.wire else -1)), tests, item)


def _several(walker: Expander, chain: ast.Chain, star: ast.Ref, env: Environment) -> list[MergeBranch]:
    """Return a branch for each value that a star stands for, each with the location of the star."""
    return [
        MergeBranch(
            chain, Expansion(named.wire, ReferencePart(named.wire.node, path) if named.wire else None), (), path
        )
        for path, named in stars.matches(star, env, walker.state)
    ]


def _of_rows(
    walker: Expander,
    item: ast.Merge,
    position: int,
    each: ast.Each,
    before: Sequence[MergeBranch],
    wire: NodeOutput | None,
    env: Environment,
) -> tuple[list[MergeBranch], int]:
    """Return the branches of an `each` that are present, located at its body, and the number of rows.

    If the body is `ID or X`, each row takes the first choice that fits the branch before it, or without one the first
    branch after the `each`.
    """
    body = each.table.body
    either = _lone_either(body)
    found: list[MergeBranch] = []
    rows, tried = 0, tuple[Shape, ...]()

    def choose(either: ast.Either, enters: NodeOutput | None, inner: Environment) -> Expansion:
        nonlocal tried
        target = _target(walker, item, position, [*before, *found], wire, env)
        branch = _choose(walker, item.operator, body, either, target, enters, inner)
        tried = branch.tried
        return branch.made

    make = partial(choose, either) if either is not None else None
    for branch in loops.branches(walker, each, wire, env, make):
        rows += 1
        if not _is_absent(branch.made, body):
            pairs = zip(each.table.names, branch.row, strict=False)
            row = ", ".join(f"{name} = {show_value(value)}" for name, value in pairs)
            found.append(MergeBranch(body, replace(branch.made, part=branch.part), tried, row=row))
    return found, rows


def _several_of(chain: ast.Chain) -> ast.Ref | ast.Each | None:
    """Return the star or the `each` that a branch consists of; None for a single branch."""
    return stars.starred(chain) or _lone_each(chain)


def _check_several(item: ast.Merge) -> None:
    """Raise CnnError for a merge written with one branch: the other one was forgotten."""
    if len(item.branches) != 1 or _several_of(item.branches[0]) is not None:
        return
    message = f"`{item.operator}` needs two or more branches, but has one here"
    sign, only, place = item.operator, item.branches[0].items[0], item.span
    if isinstance(only, ast.For):
        start = f"({sign} each" if sign in "+|" else f"{sign}(each"
        help = f"`for` makes a sequence; to make branches, write `{start} {_head(only)})`"
        raise error("E0230", message, place, help)
    first = Span(place.source, place.start, item.branches[0].span.start)
    opening, otherwise = f"{sign}(ID, ", f"for example, `{sign}(ID, …)`"
    if sign in "+|":
        opening = f"(ID {sign} "
        otherwise = f"a leading operator is for a star, `({sign} @unit*)`, or `each`; others go between branches"
    if item.branches[0].span.text.strip() == opening.partition("(")[2].rstrip(" ,+|"):
        raise error("E0230", message, place, f"add the other branch: `{opening}…)`")
    advice = "the other branch is missing; `ID` passes its input on: {}"
    raise error("E0230", message, place, Fix((Edit(first, opening),), advice, place, otherwise))


def misplaced(item: ast.Either | ast.Each) -> CnnError:
    """Return the error for an element that must be a complete branch of a merge and is not."""
    if isinstance(item, ast.Either):
        message = "`or` is only allowed between whole branches of a merge"
        return error("E0313", message, item.span, f"for example, `(F + {item.span.text})`")
    message = "`each` is only allowed as a whole branch of a merge"
    text = _head(item.table)
    help = f"for example, `(| each {text})`, with the branch in square brackets; for a sequence write `for {text}`"
    return error("E0230", message, item.span, help)


def _head(table: ast.For) -> str:
    """Return the source after the keyword of a table, without its body."""
    return f"{', '.join(table.names)} in {' '.join(table.span_of_rows.text.split())} […]"


def _check_left(item: ast.Merge) -> None:
    """Raise CnnError if only stars and `each` remain in a merge and stand for nothing."""
    several = next((each for each in map(_several_of, item.branches) if each is not None), None)
    if several is not None:
        text = several.span.text if isinstance(several, ast.Ref) else "each"
        message = f"`{text}` makes no branches here, and the merge has no other"
        help = f"add a branch that always exists, as in `(@stem {item.operator if item.operator in '+|' else '+'} …)`"
        raise error("E0230", message, item.span, help)


def _decided(made: Expansion, tests: list[Expr], item: ast.Merge) -> Expansion:
    """Return a merge, or what remains of it, with the conditions under which it would have further branches."""
    part = made.part
    for test in tests:
        part = ChoicePart("absent", 0, part or IdentityPart(), test, item.span)
    return replace(made, part=part)


def _conditions(node: ast.SyntaxNode) -> Iterator[Expr]:
    """Yield the tests of every `if` in a part of the tree."""
    if isinstance(node, ast.Conditional):
        yield node.test
    if isinstance(node, _HOLDING):
        for each in ast.children(node):
            yield from _conditions(each)


def _is_absent(made: Expansion, chain: ast.Chain) -> bool:
    if made.part is None:
        return made.wire is not None and all(isinstance(each, ast.Optional | ast.Conditional) for each in chain.items)
    return isinstance(made.part, ChoicePart) and made.part.part is None


def _lone_each(chain: ast.Chain) -> ast.Each | None:
    only = chain.items[0] if len(chain.items) == 1 else None
    return only if isinstance(only, ast.Each) else None


def _choosing(chain: ast.Chain) -> ast.Either | None:
    """Return the `or` that a branch, or each branch of an `each`, consists of."""
    each = _lone_each(chain)
    return _lone_either(each.table.body if each is not None else chain)


def _lone_either(chain: ast.Chain) -> ast.Either | None:
    only = chain.items[0] if len(chain.items) == 1 else None
    return only if isinstance(only, ast.Either) else None


def _target(
    walker: Expander,
    item: ast.Merge,
    position: int,
    before: Sequence[MergeBranch],
    wire: NodeOutput | None,
    env: Environment,
) -> NodeOutput | None:
    """Return the value of the other branches; those that follow are tried out and undone."""
    for branch in before:
        if branch.made.wire is not None:
            return branch.made.wire
    for chain in item.branches[position + 1 :]:
        star = stars.starred(chain)
        if star is not None:
            several = _several(walker, chain, star, env)
            if several:
                return several[0].made.wire
            continue
        if _choosing(chain) is not None:
            continue
        for body, made in _trials(walker, chain, wire, env):
            if not _is_absent(made, body):
                return made.wire
    return None


def _trials(
    walker: Expander, chain: ast.Chain, wire: NodeOutput | None, env: Environment
) -> list[tuple[ast.Chain, Expansion]]:
    """Return the trial result of each branch written as a chain, with its body; the trials are undone."""
    each = _lone_each(chain)
    if each is None:
        return [(chain, trial(walker, chain, wire, env))]
    with tried(walker.state, env.scope):
        return [(each.table.body, branch.made) for branch in loops.branches(walker, each, wire, env)]


def trial(walker: Expander, chain: ast.Chain, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Return what a chain would make, and undo it."""
    with tried(walker.state, env.scope):
        made = walker.chain(chain, wire, env)
        if walker.state.is_guess(made.wire) and not walker.state.is_guess(wire):
            made = Expansion(None, None)
    return made


@contextmanager
def tried(state: State, scope: ModuleScope) -> Generator[None]:
    """Undo what is made inside."""
    before, errors = Savepoint(state, scope), list(state.errors)
    with nullcontext() if state.log is None else state.log.trial():
        yield
    before.restore()
    state.retract(errors)


def _choose(
    walker: Expander,
    operator: str,
    chain: ast.Chain,
    either: ast.Either,
    target: NodeOutput | None,
    wire: NodeOutput | None,
    env: Environment,
) -> MergeBranch:
    """Return the first choice whose shape fits the merge; the last one if none does, so the merge reports why."""

    log = walker.state.log
    aim = log.number(target.node) if log is not None and target is not None else -1
    tried: list[Shape] = []
    skips = True
    last = len(either.choices) - 1
    for position, choice in enumerate(either.choices):
        if position < last:
            made = trial(walker, ast.Chain((choice,), choice.span), wire, env)
            if not _fits(walker.state, operator, made.wire, target, aim):
                tried.extend([made.wire.shape] if made.wire else [])
                skips = skips and made.wire == wire
                continue
        made = walker.element(choice, wire, env)
        decided = ChoicePart("either", position, made.part, None, either.span, skips)
        return MergeBranch(chain, Expansion(made.wire, decided), tuple(tried))
    raise AssertionError("`or` needs at least two choices")


def _fits(state: State, operator: str, choice: NodeOutput | None, target: NodeOutput | None, aim: int) -> bool:
    """Check whether a choice fits the value of the other branches, which has the number `aim` in the log."""
    if choice is None or target is None:
        return False
    layer = merging(operator).layer
    answer = fits(layer, choice.shape, target.shape)
    if state.log is not None:
        state.log.fits(layer, state.log.number(choice.node), aim, answer)
    return answer
