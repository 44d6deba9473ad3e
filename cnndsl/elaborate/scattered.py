"""Labels that are more than a name: `convs.1: CONV3-8`, a part of a module that may be split into several pieces, and
`"": RELU`, a layer that takes neither a name nor a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cnndsl.elaborate.expansion import Expander, Expansion, PendingLabel
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import interpolate
from cnndsl.elaborate.stars import family, up_to
from cnndsl.elaborate.state import Environment, ModuleMember, ModuleScope, NamedOutput
from cnndsl.errors import Annotation, CnnError, Diagnostic, Span
from cnndsl.expr import error
from cnndsl.expressions import Expr
from cnndsl.graph.labels import why_not
from cnndsl.syntax import ast


def within(tag: PendingLabel, env: Environment) -> tuple[PendingLabel, Environment]:
    """Return the label by its last name, and the scope of the module to which the other names lead.

    Raises CnnError if one of the other names is that of a module in one piece, or cannot be a name.
    """
    *names, last = tag.name.split(".")
    scope = env.scope
    for number, name in enumerate(names):
        found = scope.labels.get(name)
        if found is None:
            if why := why_not(name):
                raise error("E0106", f"`{name}` cannot be the name of a part: {why}", tag.span, "choose another name")
            inner = ModuleScope(scope, is_scattered=True)
            scope.members.append(ModuleMember(name, "", True, scope=inner))
            scope.labels[name] = NamedOutput(None, inner, tag.span, family(up_to(tag.template, number), env))
        elif found.scope is not None and found.scope.is_scattered:
            inner = found.scope
        else:
            message = f"`{tag.name}` adds a part to `{name}`, which is already complete"
            others = (Annotation(found.span, f"this is all of `{name}`"),)
            help = f"give each of its parts its path: `{name}.0: …`"
            raise CnnError(Diagnostic("E0235", message, tag.span, "", others, help=help))
        scope = inner
    return replace(tag, name=last), replace(env, scope=scope)


def pieces(scope: ModuleScope) -> Iterator[ModuleScope]:
    """Yield a module and those in it to which later labels may add parts."""
    yield scope
    for member in scope.members:
        if member.scope is not None and member.scope.is_scattered:
            yield from pieces(member.scope)


def check_holes(parts: Sequence[str | Expr], env: Environment) -> None:
    """Raise CnnError if the value of a placeholder cannot be part of a name."""
    for part in parts:
        if not isinstance(part, str) and not re.fullmatch(r"[A-Za-z0-9_]+", text := interpolate([part], env)):
            help = "use a whole number or the name of a layer type"
            raise error("E0106", f"`{text}` cannot be part of a name", part.span, help)


def in_pieces(tag: PendingLabel, before: NamedOutput) -> CnnError:
    """Return the error for a label on a complete module whose parts already have its name in their labels."""
    message = f"`{tag.name}` is already defined by the paths of its parts"
    help = f"use a path here too, such as `{tag.name}.{_free_number(before)}`, or another name"
    return CnnError(
        Diagnostic("E0235", message, tag.span, "", (Annotation(before.span, "first part defined here"),), help=help)
    )


def _free_number(before: NamedOutput) -> int:
    """Return the first number after those of a module's parts."""
    labels = before.scope.labels if before.scope is not None else ()
    return 1 + max((int(each) for each in labels if each.isdecimal()), default=-1)


def nameless(walker: Expander, item: ast.Label, wire: NodeOutput | None, env: Environment) -> Expansion:
    """Make a layer with the label `""`: it is named after its layer type, and its neighbours are numbered without it.

    Raises CnnError if it is not a layer, or has weights, which need a name.
    """
    members = env.scope.members
    first = len(members)
    made = walker.element(item.body, wire, env) if isinstance(item.body, ast.WrittenLayer) else Expansion(None, None)
    if not isinstance(item.body, ast.WrittenLayer) or any(each.scope is not None for each in members[first:]):
        raise error("E0106", "only a layer can be without a name", item.span, "give the part a name")
    for member in members[first:]:
        member.counted = False
        drafts = walker.state.drafts
        draft = None if member.wire is None else drafts[member.wire.node]
        tensors = () if draft is None else draft.layer.tensors(*(drafts[at].shape for at in draft.inputs))
        if any(tensor.persistent for tensor in tensors):
            raise error("E0106", "a layer with weights needs a name", item.span, 'remove `"":`, or give it a name')
    return made


def check_parameter(tag: PendingLabel | None, env: Environment, span: Span) -> None:
    """Raise CnnError if a parameter has no label, or one that cannot be its name in the module around it."""
    if tag is None:
        message, help = "a parameter needs a label, which becomes its name", f"for example, `gamma: {span.text}`"
        raise error("E0315", message, span, help)
    if env.scope.is_scattered:
        help = "define the module in one place, in square brackets: `ls: [gamma: …]`"
        raise error("E0315", "a parameter cannot be part of a module that is split into separate parts", tag.span, help)
    if not tag.is_again and not tag.name.isidentifier():
        raise error("E0315", f"`{tag.name}` cannot be the name of a parameter", tag.span, "use letters, digits and `_`")
