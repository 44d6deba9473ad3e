"""Further chains: `name = @a -> B`, behind the chain of the network or behind another one in brackets.

Each starts from earlier values, so nothing flows from the chain before it: what that gave has to be used by someone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.elaborate.expansion import Expander, Expansion, PendingLabel
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import find_label, interpolate, latest_output, likely_output, names_output
from cnndsl.elaborate.resolve import is_known
from cnndsl.elaborate.stars import family, matches
from cnndsl.elaborate.state import Environment, NamedOutput, State, called_block
from cnndsl.errors import Annotation, CnnError, Diagnostic
from cnndsl.expr import ReferenceExpr, error
from cnndsl.graph import NamedPart
from cnndsl.limits import current
from cnndsl.syntax import ast

_LONGEST_SHOWN = 100
"""Characters of a chain that a message shows."""


def first(walker: Expander, item: ast.Equation, wire: NodeOutput | None, env: Environment) -> Expansion:
    """The first chain in brackets, which takes what enters these; its value is named."""
    return _named(walker, item, wire, env)


def further(walker: Expander, item: ast.Equation, env: Environment) -> Expansion:
    """A chain behind another one: it starts from the first reference in it. What is wrong is reported."""
    try:
        return _named(walker, item, _start(walker, item, env), env)
    except CnnError as stop:
        walker.state.report(stop)
        if item.name:
            lost = NamedOutput(None, None, item.name_span, family(item.name))
            env.scope.labels.setdefault(interpolate(item.name, env), lost)
        return Expansion(None, None)


def _named(walker: Expander, item: ast.Equation, wire: NodeOutput | None, env: Environment) -> Expansion:
    tag = PendingLabel(interpolate(item.name, env), item.name, item.name_span) if item.name else None
    if tag is not None:
        walker.check_free(tag, env, is_part=False)
        env.scope.values.add(tag.name)
    members, start = len(env.scope.members), len(walker.state.drafts)
    made = walker.chain(item.body, wire, env)
    if tag is None:
        return made
    added = env.scope.members[members:]
    last = added[-1].scope if added else None
    is_its_value = last is not None and last.wire is not None and last.wire is made.wire
    inside = last if is_its_value else None
    nodes = range(start, len(walker.state.drafts))
    env.scope.labels[tag.name] = NamedOutput(made.wire, inside, tag.span, family(tag.template), nodes)
    if made.part is None:
        return made
    part = NamedPart(tag.name, tag.template, "", made.part, is_module=False)
    walker.state.modules.append((part, -1))
    return Expansion(made.wire, part)


def check_used(state: State, given: frozenset[int], named: Sequence[str] = ()) -> None:
    """Reports the layers whose values nothing reads and the network does not give: they would have no effect; and the
    inputs without use, of those that have names."""
    read = {at for draft in state.drafts for at in draft.inputs} | given
    for node, name in enumerate(named):
        if node not in read:
            help = f"begin a chain with it, `@{name} -> …`, or leave it away"
            span = state.drafts[node].span
            state.report(CnnError(Diagnostic("E0239", f"nothing uses the input `{name}`", span, help=help)))
    for node, draft in enumerate(state.drafts):
        if draft.inputs and node not in read:
            message = "nothing uses what this gives"
            help = "refer to the value by a name, `@a`, or give it: `output a`"
            again = next((each.span for each in state.applied if each.first <= node < each.stop), draft.span)
            state.report(CnnError(Diagnostic("E0239", message, again, help=help)))


def _start(walker: Expander, item: ast.Equation, env: Environment) -> NodeOutput | None:
    """The value that C, H and W are of. Raises CnnError where a part of the chain's beginning starts from nothing."""
    first = item.body.items[0]
    stray = list(_without_start(first, env))
    if stray:
        raise _starts_from_nothing(item, stray, env)
    for reference in ast.walk([first]):
        if isinstance(reference, ast.Ref) and reference.is_starred:
            values = matches(reference, env, walker.state)
            if values:
                return values[0][1].wire
        elif isinstance(reference, ReferenceExpr | ast.Ref):
            return find_label(reference, env).wire
    start = elsewhere(first, env)
    return find_label(start, env).wire if start is not None else None


def _starts_from_nothing(item: ast.Equation, stray: Sequence[ast.ChainItem], env: Environment) -> CnnError:
    """The error for parts at the beginning of a chain that take what comes in: nothing does. The help has the chain as
    it would be with references."""
    source, at, shown = item.span.source, item.span.start, ""
    for each in stray:
        shown, at = f"{shown}{source.text[at : each.span.start]}{_started(each, env)}", each.span.end
    shown = " ".join((shown + source.text[at : item.span.end]).split())
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]} …"
    message, first = "nothing comes into a further chain, and this needs an input", stray[0]
    if isinstance(first, ast.WrittenLayer) and _meant_output(first, env) and not is_known(first, env):
        message = f"`{first.head}` is no layer, and a chain starts from a value by its reference"
    return error("E0238", message, first.span, f"say where it starts: `{shown}`")


def _started(item: ast.ChainItem, env: Environment) -> str:
    """A part with the reference that it starts from, as in a message."""
    output = _meant_output(item, env)
    if output:
        return f"@{output}"
    applied = re.sub(r"^again\s*\(\s*@?([A-Za-z0-9_.]+)\s*\)$", r"again \1", item.span.text)
    return f"@{latest_output(env) or 'a'} -> {applied}"


def _meant_output(item: ast.ChainItem, env: Environment) -> str:
    """The value that a word is meant for at the beginning of a chain; empty where it is a layer."""
    if not isinstance(item, ast.WrittenLayer) or item.span.text != item.head:
        return ""
    return item.head if names_output(item.head, env) else "" if is_known(item, env) else likely_output(item.head, env)


def _without_start(item: ast.ChainItem, env: Environment) -> Iterator[ast.ChainItem]:
    """The parts that would take the value that comes in, where a chain begins so; none where all start elsewhere."""
    block = called_block(item, env.home) if isinstance(item, ast.WrittenLayer) else None
    first = _first_parts(item)
    if block is not None:
        inner = replace(env, home=block.home, calls=(*env.calls, block.block))
        if len(env.calls) <= current().nesting and any(_without_start(block.block.body.items[0], inner)):
            yield item
    elif first:
        for each in first:
            yield from _without_start(each, env)
    elif not isinstance(item, ast.Ref):
        yield item


def _first_parts(item: ast.ChainItem) -> tuple[ast.ChainItem, ...]:
    """The parts that stand first in an element; none of an element without parts."""
    if isinstance(item, ast.Merge):
        return tuple(branch.items[0] for branch in item.branches)
    if isinstance(item, ast.Group | ast.Equation):
        return (item.body.items[0],)
    if isinstance(item, ast.Label | ast.Repeat | ast.Optional):
        return (item.body,)
    if isinstance(item, ast.Conditional):
        return (item.body,) if item.otherwise is None else (item.body, item.otherwise)
    return item.choices if isinstance(item, ast.Either) else ()


def elsewhere(item: ast.ChainItem, env: Environment) -> ast.Ref | None:
    """The reference that an element starts from instead of what stands before it."""
    if isinstance(item, ast.WrittenLayer) and called_block(item, env.home) is None:
        return None
    for _ in range(2 * current().nesting):
        if isinstance(item, ast.Ref):
            return item
        if isinstance(item, ast.Group | ast.Equation):
            item = item.body.items[0]
        elif isinstance(item, ast.Label | ast.Repeat):
            item = item.body
        elif isinstance(item, ast.WrittenLayer) and (block := called_block(item, env.home)) is not None:
            item, env = block.block.body.items[0], replace(env, home=block.home)
        else:
            return None
    return None


def dropped(item: ast.ChainItem, start: ast.Ref) -> CnnError:
    """The error for a reference in the midst of a chain."""
    reference = start.span.text
    message = f"`{reference}` starts a branch: here it would drop the value before it"
    others = () if start is item else (Annotation(start.span, "it starts here"),)
    help = f"merge the two: `(ID | {reference})`" if start is item else "let it start a branch, or a tap"
    return CnnError(Diagnostic("E0233", message, item.span, "", others, help=help))
