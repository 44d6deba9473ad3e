"""Further chains: `name = @a -> B`, after the network's chain or another one in square brackets.

Each starts from earlier values, not from the chain before it, so something has to use the value of that one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from cnndsl.elaborate.calls import inside
from cnndsl.elaborate.expansion import Expander, Expansion
from cnndsl.elaborate.loops import in_first_branch
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import find_label, latest_output, likely_output, names_output
from cnndsl.elaborate.resolve import is_known
from cnndsl.elaborate.savepoint import Savepoint
from cnndsl.elaborate.stand_in import stand_in
from cnndsl.elaborate.stars import label, matches
from cnndsl.elaborate.state import Environment, ModuleScope, NamedOutput, State, called_block
from cnndsl.errors import Annotation, CnnError, Diagnostic, Help, Span, replacement
from cnndsl.expr import error
from cnndsl.expressions import ReferenceExpr
from cnndsl.graph import NamedPart
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.syntax.statement_hints import free_name

_LONGEST_SHOWN = 100
"""Maximum number of characters of a chain in a message."""


def first(walker: Expander, item: ast.Equation, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Expand the first chain in square brackets, which takes the value that enters these, and name its value."""
    return _named(walker, item, wire, env)


def further(walker: Expander, item: ast.Equation, env: Environment, before: NodeOutput | None) -> Expansion:
    """Expand a chain after another one, whose value is `before`: it starts from its first reference. Errors are
    reported."""
    point = Savepoint(walker.state, env.scope) if walker.state.repairs is not None else None
    try:
        return _named(walker, item, _start(walker, item, env, before), env)
    except CnnError as stop:
        walker.state.report(stop)
        if point is not None:
            tag = label(item, env) if item.name else None
            return stand_in(walker.state, point, item, None, env, stop, tag)
        if item.name:
            tag = label(item, env)
            lost = NamedOutput(None, None, item.name_span, tag.family)
            env.scope.labels.setdefault(tag.name, lost)
        return Expansion(None, None)


def _named(walker: Expander, item: ast.Equation, wire: NodeOutput | None, env: Environment) -> Expansion:
    tag = label(item, env) if item.name else None
    if tag is not None:
        walker.check_free(tag, env, is_part=False)
        env.scope.values.add(tag.name)
    modules, members = len(walker.state.modules), len(env.scope.members)
    start = len(walker.state.drafts)
    made = walker.chain(item.body, wire, env)
    if tag is None:
        return made
    # One of the two is the module of a part that is applied again, the other the parent of a module in pieces.
    last = walker.state.modules[-1][1] if len(walker.state.modules) > modules else None
    added = env.scope.members[-1].scope if len(env.scope.members) > members else None
    found = (each for each in (last, added) if isinstance(each, ModuleScope) and each.wire is made.wire)
    module = next(found, None) if made.wire is not None else None
    nodes = range(start, len(walker.state.drafts))
    env.scope.labels[tag.name] = NamedOutput(made.wire, module, tag.span, tag.family, nodes)
    if made.part is None:
        return made
    part = NamedPart(tag.name, tag.template, "", made.part, is_module=False)
    walker.state.modules.append((part, -1))
    return Expansion(made.wire, part)


def check_used(
    state: State, given: frozenset[int], named: Sequence[str], giving: Callable[[Sequence[int]], Help]
) -> None:
    """Report layers whose values are neither read nor outputs of the network, as they would have no effect, and named
    inputs that nothing uses. `giving` returns the help on how to make values outputs."""
    read = {at for draft in state.drafts for at in draft.inputs} | given
    for node, name in enumerate(named):
        if node not in read:
            help = f"begin a chain with it, `@{name} -> …`, or remove it"
            span = state.drafts[node].span
            state.report(CnnError(Diagnostic("E0239", f"nothing uses the input `{name}`", span, help=help)))
    unused = [node for node, draft in enumerate(state.drafts) if draft.inputs and node not in read]
    giving_all = giving(unused) if unused else ""
    for node, draft in enumerate(state.drafts):
        if node in unused:
            name = _written_name(draft.span)
            way = "remove it" if draft.frames else f"return it: `output {name or 'a'}`"
            help = f"refer to it, `@{name}`, or {way}"
            if not name:
                help = f"name the value, `a: …` or `a = …`, and refer to it, `@a`, or {way}"
            again = next((each.span for each in state.applied if each.first <= node < each.stop), draft.span)
            message = f"the value of this {'layer' if again is draft.span else 'part'} is never used"
            context = () if again is not draft.span else draft.frames[::-1]
            wrong = Diagnostic("E0239", message, again, context=context)
            state.report(CnnError(wrong.advised((giving_all if node == unused[0] else str(giving_all)) or help)))


def _written_name(span: Span) -> str:
    """Return the name that a chain on one line gives to its last layer, or a label to its layer; empty if none."""
    source = span.source.text
    before = source[max(0, span.start - 400) : span.start].rpartition("\n")[2]
    label = re.search(r"\b([A-Za-z_]\w*)\s*:\s*$", before)
    rest = source[span.end : span.end + 400].partition("\n")[0]
    named = re.match(r"\s*([A-Za-z_]\w*)\s*=(?!=)", before) if re.match(r"\s*(?:#|$)", rest) else None
    found = label or named
    return found[1] if found else ""


def _start(walker: Expander, item: ast.Equation, env: Environment, before: NodeOutput | None) -> NodeOutput | None:
    """Return the value that C, H and W refer to. Raises CnnError if a part at the chain's start has no input."""
    first = item.body.items[0]
    stray = list(_without_start(first, env))
    if stray:
        raise _starts_from_nothing(item, stray, env, _unnamed(walker.state, env, before))
    for reference in ast.walk([first]):
        if isinstance(reference, ast.Each):
            env = in_first_branch(reference, env, walker.state.most_nodes)
        elif isinstance(reference, ast.Ref) and reference.is_starred:
            values = matches(reference, env, walker.state)
            if values:
                return values[0][1].wire
        elif isinstance(reference, ReferenceExpr | ast.Ref):
            return find_label(reference, env).wire
    return _entering(first, env, walker.state.most_nodes)


def _entering(item: ast.ChainItem, env: Environment, most: int) -> NodeOutput | None:
    """Return the value from which a chain without its own reference starts: one that a block it calls refers to or has
    as a default. None if that is not known; its errors are found when the chain is expanded."""
    try:
        for _ in range(4 * current().nesting):
            if isinstance(item, ast.Ref):
                return find_label(item, env).wire
            if isinstance(item, ast.Each):
                env = in_first_branch(item, env, most)
            if isinstance(item, ast.WrittenLayer):
                block = called_block(item, env.home)
                if block is None:
                    return None
                env, item = inside(block, item, env), block.block.body.items[0]
            elif not isinstance(item, ast.Either) and (first := _first_parts(item)):
                item = first[0]
            else:
                return None
    except CnnError:
        return None
    return None


def _unnamed(state: State, env: Environment, before: NodeOutput | None) -> str:
    """Return the source of the previous chain's value if it has no name, since something has to use it; else empty."""
    if before is None or any(named.wire is before for named in env.scope.labels.values()):
        return ""
    draft = state.drafts[before.node]
    is_here = any(each.wire is before for each in env.scope.members) and draft.frames == state.frames
    return draft.text if is_here else "…"


def _starts_from_nothing(
    item: ast.Equation, stray: Sequence[ast.ChainItem], env: Environment, unnamed: str
) -> CnnError:
    """Return the error for parts at the start of a chain that have no input. The help shows the chain with references;
    `unnamed` is the source before it, which may lack a name."""
    source, at, shown = item.span.source, item.span.start, ""
    free = free_name(source.text)
    value = free if unnamed else latest_output(env) or "a"
    for each in stray:
        shown, at = f"{shown}{source.text[at : each.span.start]}{_started(each, env, value)}", each.span.end
    shown = " ".join((shown + source.text[at : item.span.end]).split())
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN].rpartition(' -> ')[0]} -> …"
    message, first = "this chain has no input, but its first layer needs one", stray[0]
    if isinstance(first, ast.WrittenLayer) and _meant_output(first, env) and not is_known(first, env):
        message = f"`{first.head}` is not a layer; a chain starts from a value by a reference"
    label = f"label the value before it, `{free}: {unnamed}`, and " if unnamed and f"@{free} " in shown else ""
    return error("E0238", message, first.span, f"{label}say where it starts: `{shown}`")


def _started(item: ast.ChainItem, env: Environment, value: str) -> str:
    """Return a part, as in a message, with the reference it starts from: the one it is meant as, else `value`."""
    output = _meant_output(item, env)
    if output:
        return f"@{output}"
    applied = re.sub(r"^again\s*\(\s*@?([A-Za-z0-9_.]+)\s*\)$", r"again \1", item.span.text)
    return f"@{value} -> {applied}"


def _meant_output(item: ast.ChainItem, env: Environment) -> str:
    """Return the value that a word at the start of a chain is meant as; empty if the word is a layer."""
    if not isinstance(item, ast.WrittenLayer) or item.span.text != item.head:
        return ""
    return item.head if names_output(item.head, env) else "" if is_known(item, env) else likely_output(item.head, env)


def _without_start(item: ast.ChainItem, env: Environment) -> Iterator[ast.ChainItem]:
    """Yield the parts that would take the incoming value if a chain begins so; none if all start elsewhere."""
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
    """Return the first parts of an element; none for an element without parts."""
    if isinstance(item, ast.Merge):
        return tuple(branch.items[0] for branch in item.branches)
    if isinstance(item, ast.Group | ast.Equation):
        return (item.body.items[0],)
    if isinstance(item, ast.Each):
        return (item.table.body.items[0],)
    if isinstance(item, ast.Label | ast.Repeat | ast.Optional):
        return (item.body,)
    if isinstance(item, ast.Conditional):
        return (item.body,) if item.otherwise is None else (item.body, item.otherwise)
    return item.choices if isinstance(item, ast.Either) else ()


def elsewhere(item: ast.ChainItem, env: Environment, is_last: bool = True) -> ast.Ref | None:
    """Return the reference that an element starts from instead of the incoming value; of an `if`, whichever it chooses.

    An `if` at the end of its chain may choose an existing value, `@a -> CONV1-8 if deep else @a`.
    """
    if isinstance(item, ast.WrittenLayer) and called_block(item, env.home) is None:
        return None
    for _ in range(2 * current().nesting):
        if isinstance(item, ast.Ref):
            return item
        if isinstance(item, ast.Group | ast.Equation | ast.Label | ast.Repeat):
            (item,) = _first_parts(item)
        elif isinstance(item, ast.WrittenLayer) and (block := called_block(item, env.home)) is not None:
            item, env = block.block.body.items[0], replace(env, home=block.home)
        elif isinstance(item, ast.Conditional) and not is_last:
            start = elsewhere(item.body, env, is_last)
            if start is not None or item.otherwise is None:
                return start
            item = item.otherwise
        else:
            return None
    return None


def dropped(item: ast.ChainItem, start: ast.Ref) -> CnnError:
    """Return the error for a reference in the middle of a chain."""
    reference = start.span.text
    message = f"`{reference}` can only start a branch: here it would drop the value before it"
    others = () if start is item else (Annotation(start.span, "it starts here"),)
    help = f"merge the two: `(ID | {reference})`" if start is item else "use it at the start of a branch or a tap"
    if isinstance(item, ast.Conditional):
        help = f"`if` chooses a single element, so put a chain in square brackets: `[{reference} -> …] if … else […]`"
    found = Diagnostic("E0233", message, item.span, "", others, help=help)
    if start is item:
        found = found.advised(replacement(item.span, f"(ID | {reference})", "merge the two: {}"))
    return CnnError(found)
