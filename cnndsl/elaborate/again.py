"""`again name`: apply a part once more, with the same weights.

The part is elaborated again on the incoming value, in the scope in which it was first made. The result has to be the
same part: the same layers, with weights of the same shapes, wired in the same way.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from cnndsl.elaborate.again_fixes import elsewhere_in_the_text, labelled, ways_to_share
from cnndsl.elaborate.equations import elsewhere
from cnndsl.elaborate.expansion import Expander, Expansion, PendingLabel
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.references import interpolate
from cnndsl.elaborate.state import (
    Environment,
    LabelledPart,
    ModuleScope,
    NamedOutput,
    PendingApplication,
    PendingNode,
    State,
)
from cnndsl.errors import Annotation, CnnError, Diagnostic, Help, Span, listed, nearest
from cnndsl.expr import error
from cnndsl.expressions import ReferenceExpr
from cnndsl.graph import AgainPart, IdentityPart, NamedPart, ReferencePart, walk
from cnndsl.syntax import ast


def again(
    walker: Expander, item: ast.Again, wire: NodeOutput | None, env: Environment, tag: PendingLabel | None
) -> Expansion:
    """Apply a part once more. Raises CnnError if there is none, or if it would not be the same part."""
    name = interpolate(item.name, env)
    known = _find(name, item, env)
    if tag is not None:
        walker.check_free(tag, env)
    if known.stop == known.first or wire is None:
        return Expansion(wire, None)
    state = walker.state
    _check_training(state, known, name, item.span)
    module, last = known.env.scope, name.rpartition(".")[2]
    _check_entered(known, name, item.span)
    known.times += 1
    applied = PendingLabel(f"{last}@{known.times}", (), item.span, is_again=True)
    nodes, taps = len(state.drafts), len(state.taps)
    later = len(module.labels) - known.names if _may_refer(known) else 0
    state.look(later, item.span)
    with walker.frame(f"in `{name}`, applied again at {item.span}"), _without(later, module):
        try:
            made = walker.labelled(known.body, applied, wire, known.env)
        except CnnError as stop:
            if state.repairs is not None:
                raise
            state.report(stop)
            made = Expansion(None, None)
    state.applied.append(PendingApplication(known, item.span, nodes, len(state.drafts)))
    named = module.labels.pop(applied.name, NamedOutput(None, None, item.span))
    if made.wire is None or made.part is None:
        if tag is not None:
            env.scope.labels[tag.name] = NamedOutput(None, None, tag.span)
        return Expansion(None, None)
    if len(state.taps) > taps:
        message = f"`{name}` has the tap `{state.taps[taps].name}`, which would then be an output twice"
        raise error("E0248", message, item.span, f"tap it outside the part instead: `tap a: @{name}.…`")
    if made.wire is not wire and not any(wire.node in draft.inputs for draft in state.drafts[nodes:]):
        raise _not_entered(name, item.span, known.body.span)
    _share(state, known, name, wire, nodes, item.span)
    part = AgainPart("", made.part, wire.node)
    target = module.labels[last]
    state.modules.append((part, target.scope or known.first))
    result = Expansion(made.wire, part)
    named = replace(named, nodes=range(nodes, len(state.drafts)))
    return result if tag is None else _named(walker, tag, result, named, env)


def _may_refer(part: LabelledPart) -> bool:
    """Check whether a part can contain a reference, either written in it or in a block that it calls."""
    blocks, values = part.env.home.blocks, part.env.values
    return any(
        isinstance(node, ast.Ref | ReferenceExpr)
        or (isinstance(node, ast.WrittenLayer) and (node.head in values or node.head in blocks))
        for node in ast.walk([part.body])
    )


@contextmanager
def _without(later: int, scope: ModuleScope) -> Generator[None]:
    """Hide the latest names of a module, so that references mean what they meant before these names existed."""
    hidden = [scope.labels.popitem() for _ in range(later)]
    try:
        yield
    finally:
        scope.labels.update(reversed(hidden))


def _named(walker: Expander, tag: PendingLabel, made: Expansion, applied: NamedOutput, env: Environment) -> Expansion:
    """Make a label a second name for the result, like a label on a reference."""
    env.scope.labels[tag.name] = replace(applied, family=tag.family)
    if made.part is None:
        return made
    part = NamedPart(tag.name, tag.template, "", made.part, is_module=False)
    walker.state.modules.append((part, -1))
    return Expansion(made.wire, part)


def _module(name: str, scope: ModuleScope) -> tuple[ModuleScope, str]:
    """Return the module of a part and the part's name in it: the current module, or one of its modules in pieces."""
    *outer, last = name.split(".")
    for each in outer:
        found = scope.labels.get(each)
        if found is None or found.scope is None or not found.scope.is_scattered:
            return scope, name
        scope = found.scope
    return scope, last


def _at_hand(scope: ModuleScope) -> Iterator[ModuleScope]:
    """Yield the current module; for the label of a piece, `convs.1: again a`, its module and the one around it."""
    yield scope
    while scope.is_scattered and scope.parent is not None:
        scope = scope.parent
        yield scope


def _find(name: str, item: ast.Again, env: Environment) -> LabelledPart:
    for at_hand in _at_hand(env.scope):
        module, last = _module(name, at_hand)
        known = module.parts.get(last)
        if known is not None and _can_apply(known, last in module.labels):
            return known
    *_, here = _at_hand(env.scope)
    scope: ModuleScope | None = here
    if here.parent is not None and any(each.scope is here and each.label == name for each in here.parent.members):
        message = f"`again {name}` is inside `{name}`: a part can only be applied again after its end"
        raise error("E0248", message, item.span, "repeat a part with `[…]*n`, or apply it after its end")
    while scope is not None:
        found = scope.labels.get(name.split(".")[0])
        if found is not None and found.wire is None and not (found.scope is not None and found.scope.is_scattered):
            raise CnnError(())
        if found is not None:
            raise _out_of_reach(name, found, item, scope is here and name in here.labels)
        scope = scope.parent
    message = f"cannot find `{name}` before this point"
    names = list(here.parts)
    parts = f"labelled parts here: {listed([f'`{each}`' for each in names])}" if names else ""
    label = f"label its first call, `{name.lower()}: {name}`, and write `again {name.lower()}`"
    unknown = label if name in env.home.blocks else nearest(name, names) or parts or _FORM.format(name)
    raise error("E0232", message, item.span, elsewhere_in_the_text(name, here, item.span) or unknown)


_FORM = "label the part where it first occurs, `{0}: […]`, and apply it later: `again {0}`"


def _can_apply(part: LabelledPart, is_named: bool) -> bool:
    """Check whether a part has layers, or has none because it is absent or a repeat of no iterations. Names for values
    have none either. Trials and absent parts have no name; a part that failed has one."""
    if part.part is None or not is_named:
        return part.part is None and not is_named
    values = IdentityPart, ReferencePart
    return part.stop > part.first or not any(isinstance(each, values) for each in walk(part.part))


def _out_of_reach(name: str, found: NamedOutput, item: ast.Again, is_here: bool) -> CnnError:
    """Return the error for a name that does not belong to a part of the current module."""
    if is_here:
        message = f"`{name}` names a value and has no layers to apply again"
        help = labelled(name, found.span, item.span) or "give the layers a label: `tower: […]`"
    else:
        message = f"`{name}` is part of another module; `again` applies parts of its own module only"
        help = f"apply it in that module, `b: again {name}`, and refer to the value here: `@b`"
    others = (Annotation(found.span, "it is here"),)
    return CnnError(Diagnostic("E0248", message, item.span, "", others).advised(help))


def _check_entered(known: LabelledPart, name: str, span: Span) -> None:
    """Raise CnnError if a part starts from a reference, because the incoming value would be dropped."""
    start = elsewhere(known.body, known.env)
    if start is not None:
        raise _not_entered(name, span, start.span)


def _not_entered(name: str, span: Span, start: Span) -> CnnError:
    message = f"`{name}` starts from a reference, so its input here would be dropped"
    help = f"label what follows the reference: `@a -> {name}: …`, then `@b -> again {name}`"
    return CnnError(Diagnostic("E0248", message, span, "", (Annotation(start, "it starts here"),), help=help))


def _check_training(state: State, known: LabelledPart, name: str, span: Span) -> None:
    if state.training_only or not all(draft.training_only for draft in state.drafts[known.first : known.stop]):
        return
    message = f"this always runs, but `{name}` exists only during training"
    others = (Annotation(known.body.span, "runs only during training"),)
    raise CnnError(Diagnostic("E0234", message, span, "", others, help="remove `(train)` from the tap"))


def _share(state: State, known: LabelledPart, name: str, wire: NodeOutput, start: int, span: Span) -> None:
    """Let the layers made from `start` on share the modules of the first application. Raises CnnError if they are not
    the same layers."""
    first, again = state.drafts[known.first : known.stop], state.drafts[start:]
    if len(first) != len(again):
        difference = f"{len(first)} layers at the first call, {len(again)} here"
        raise _differs(name, span, difference, known.body.span, ways_to_share(known, name, wire.shape, span))
    for at, (one, other) in enumerate(zip(first, again, strict=True)):
        difference = _difference(state, one, other)
        if state.log is not None:
            state.log.same(known.first + at, start + at, one.layer, answer=not difference)
        if difference:
            raise _differs(name, span, difference, one.span, ways_to_share(known, name, wire.shape, span))
        for before, after in zip(one.inputs, other.inputs, strict=True):
            inside = known.first <= before < known.stop
            moved = before - known.first + start if inside else before
            enters = known.wire is not None and before == known.wire.node and after == wire.node
            if after != moved and not enters:
                raise _differs(name, span, "this layer reads another value here", one.span)
        other.weights_of = known.first + at if one.weights_of < 0 else one.weights_of


def _difference(state: State, one: PendingNode, other: PendingNode) -> str:
    """Return why two layers cannot be one module; empty if they can."""
    shapes = [[state.drafts[at].shape for at in each.inputs] for each in (one, other)]
    before, after = (shown[0] for shown in shapes)
    if one.layer != other.layer:
        return f"{one.text} at the first call, {other.text} here"
    weights = [[(tensor.name, tensor.shape) for tensor in one.layer.tensors(*each)] for each in shapes]
    if weights[0] != weights[1]:
        if before.rank == after.rank > 0 and before.channels != after.channels:
            return f"its weights are for {before.channels} channels, but the input here is {after}"
        return f"its weights are for an input of {before}, but the input here is {after}"
    if one.layer.torch(*shapes[0]) != one.layer.torch(*shapes[1]):
        return f"it is one module for an input of {before} and another for {after}"
    return ""


def _differs(name: str, span: Span, difference: str, place: Span, help: Help = "") -> CnnError:
    message = f"the weights of `{name}` do not fit here, so they cannot be shared"
    help = help or "give this part its own label and weights, or bring its input to the shape at the first call"
    return CnnError(Diagnostic("E0248", message, span, "", (Annotation(place, difference),)).advised(help))
