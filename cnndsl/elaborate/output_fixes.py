"""Edits for the outputs of a network: values that are neither used nor outputs, and names that do not exist."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.elaborate.state import ModuleScope, PendingNode
from cnndsl.errors import Edit, Fix, Help, Span, replacement
from cnndsl.syntax import ast
from cnndsl.syntax.edits import line_of

_AUXILIARY = re.compile(r"aux", re.IGNORECASE)


def give(
    unused: Sequence[int],
    given: Sequence[int],
    scope: ModuleScope,
    drafts: Sequence[PendingNode],
    statement: ast.Outputs | None,
) -> Help:
    """Return the fix that adds unused values to the outputs; in words if one of them has no name."""
    grouped = _grouped(unused[0], scope, drafts) if len(unused) == 1 else ""
    if grouped:
        return grouped
    names = {node: _name(node, scope) for node in sorted({*unused, *given})}
    merged = [drafts[node] for node in unused if drafts[node].layer.ROLE == "merge"]
    if merged and statement is not None and all(at in given for at in merged[0].inputs):
        listed = ", ".join(name for name, _ in statement.names)
        return f"`output {listed}` gives its branches: let each be a chain, `a = @… -> …`, in place of a merge"
    if not all(names.values()) or not scope.body:
        return ""
    if statement is not None:
        end = Span(statement.span.source, statement.span.end, statement.span.end)
        more = "".join(f", {names[node]}" for node in unused)
        return Fix((Edit(end, more),), "give it as well: {}", statement.span)
    listed = ", ".join(names.values())
    auxiliary = next(filter(_AUXILIARY.match, names.values()), "")
    if auxiliary:
        return f"give both, `output {listed}`, or make `{auxiliary}` a tap{_tap(auxiliary, scope)}"
    last = scope.body[-1].span
    at = Span(last.source, last.end, last.end)
    return Fix((Edit(at, f"\noutput {listed}"),), f"to return several values, list them: `output {listed}`")


def _name(node: int, scope: ModuleScope) -> str:
    """Return the name of a value at the top level of a file; empty if none."""
    found = [name for name, named in scope.labels.items() if named.wire is not None and named.wire.node == node]
    return found[-1] if found and re.fullmatch(r"[A-Za-z_][\w.]*", found[-1]) else ""


def _grouped(node: int, scope: ModuleScope, drafts: Sequence[PendingNode]) -> Help:
    """Return the help for `a: CONV3-64 -> RELU` if `@a` is used and nothing reads the RELU, since the label names both.
    If `@a` is used once, the RELU may be an output instead."""
    at, name = node, ""
    while not name and drafts[at].layer.ROLE in _FOLLOWING and len(drafts[at].inputs) == 1 and not _name(node, scope):
        at = drafts[at].inputs[0]
        name = _name(at, scope)
    first, last = drafts[at].span, drafts[node].span
    source = first.source
    between = re.sub(r"\([^()\n]*\)", "", source.text[first.start : last.end])
    label = re.search(r"(?<![\w.])" + re.escape(name) + r"[ \t]*:[ \t]*$", source.text[: first.start][-200:])
    if not name or label is None or last.source is not source or re.search(r"[:#\[\]()]", between):
        return ""
    edits = (Edit(Span(source, first.start, first.start), "["), Edit(Span(source, last.end, last.end), "]"))
    advice = f"`{name}` names {first.text} alone; square brackets let it name what follows too: {{}}"
    fix = Fix(edits, advice, Span(source, first.start - len(label[0]), last.end))
    readers = [draft for draft in drafts if at in draft.inputs]
    return fix if len(readers) > 2 else f"{fix}; or label {last.text}, and give its value by `output`"


_FOLLOWING = frozenset(("normalisation", "activation", "pooling", "arrangement"))
"""Layer types that follow a convolution and belong to it."""


def _tap(name: str, scope: ModuleScope) -> str:
    """Return how to write a chain as an auxiliary output of the chain that it starts from."""
    place = scope.labels[name].span
    line = line_of(place.source, place.start).text
    chain = re.fullmatch(r"\w+\s*=\s*@(?P<start>[\w.]+)\s*->\s*(?P<layers>[^#]*[^#\s])", line)
    if chain is None:
        return f" of the chain: `-> tap {name}(train): […]`"
    return f" after `{chain['start']}` that exists in training: `-> tap {name}(train): [{chain['layers']}]`"


def unknown(
    span: Span,
    name: str,
    is_only: bool,
    scope: ModuleScope,
    drafts: Sequence[PendingNode],
    given: Sequence[int],
) -> Help:
    """Return what to write for an unknown name in an `output`: the only unused value, which has another name or gets
    this one."""
    read = {at for draft in drafts for at in draft.inputs} | set(given)
    ends = [node for node, draft in enumerate(drafts) if draft.inputs and node not in read]
    if len(ends) != 1 or not is_only:
        return ""
    other, draft = _name(ends[0], scope), drafts[ends[0]]
    if other:
        return replacement(span, other, "nothing uses {}: is it meant?")
    layer = draft.span.text
    if draft.frames or draft.span.source is not span.source or not re.fullmatch(r"[\w{}/-]+(\([^()]*\))?", layer):
        return ""
    return replacement(draft.span, f"{name}: {layer}", "label the value that is meant: {}")
