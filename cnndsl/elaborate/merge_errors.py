"""Build the error for branches with incompatible shapes: label each branch and suggest a fix.

Fixes use the names of the file where possible: `ID or CONV1-{4*c}/s`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod

from cnndsl.elaborate.expansion import Expansion
from cnndsl.elaborate.outputs import NodeOutput
from cnndsl.elaborate.pool_fixes import layers_of, padded
from cnndsl.elaborate.size_hints import is_reference, odd_width, ways_to_fit
from cnndsl.elaborate.state import Environment, PendingNode, called_block
from cnndsl.errors import Annotation, CnnError, Diagnostic, Edit, Fix, Span, replacement
from cnndsl.expr import evaluate
from cnndsl.expressions import Expr, Literal, Name
from cnndsl.graph import parted, reading
from cnndsl.layers import find
from cnndsl.layers.base import LayerError
from cnndsl.layers.merge import MERGES
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.syntax import ast, unparse

_MOST_NODES = 20_000
"""Maximum number of nodes for which the error shows where branches part, so that a message takes at most a second."""
_PROJECTION = "give the skip a projection"
_MOST_WRITTEN_OUT = 6
"""Maximum number of branches in a message."""


@record(slots=True)
class MergeBranch:
    """A branch as made: its chain, its result, and the shapes of the choices that an `or` tried in vain. `name` is the
    path of a star's part, `row` the values of an `each`; in both cases several branches share one chain."""

    chain: ast.Chain
    made: Expansion
    tried: tuple[Shape, ...] = ()
    name: str = ""
    row: str = ""


def mismatch(
    operator: str,
    branches: Sequence[MergeBranch],
    stop: LayerError,
    env: Environment,
    wire: NodeOutput | None,
    drafts: Sequence[PendingNode],
) -> CnnError:
    """Return the error that shows every branch with its shape and points at the skip connection, if there is one.
    `drafts` are the nodes made so far."""
    shapes = [branch.made.wire.shape for branch in branches if branch.made.wire is not None]
    places = [branch.chain.items[-1].span for branch in branches]
    labels = [
        Annotation(place, _shown(branch, shape)) for place, branch, shape in zip(places, branches, shapes, strict=True)
    ]
    at = next((at for at, branch in enumerate(branches) if _is_skip(branch.chain)), len(branches) - 1)
    gate = _gate_at(operator, shapes)
    at = at if gate is None else gate
    main = labels[at]
    seen = {(branches[at].chain.span, shapes[at])}
    labels = [
        label
        for branch, shape, label in zip(branches, shapes, labels, strict=True)
        if label is not main and not ((branch.name or branch.row) and (branch.chain.span, shape) in seen)
        if not seen.add((branch.chain.span, shape))
    ]
    labels += _parting(branches, wire, drafts)
    if any(branch.name for branch in branches):
        help = stop.help or _with_stars(operator, branches, shapes, env, wire)
    else:
        help = stop.help or _way_out(operator, branches, shapes, env, wire) or _fitting(operator, branches, drafts, env)
    found = Diagnostic(stop.code, stop.message, main.span, main.text, tuple(labels), help=help)
    pooled = _pooled(operator, branches, shapes, wire)
    if pooled is not None:
        return CnnError(found.advised(replace(pooled, otherwise=help)))
    edited = _swapped_call(operator, branches, shapes, env) or _widened(gate, branches, shapes, env)
    if edited is not None:
        return CnnError(found.advised(replace(edited, otherwise=help)))
    level = _other_level(operator, branches, shapes, env, help)
    if level is not None and len(labels) > 1 and labels[0].span == branches[1 - at].chain.span:
        found = replace(found, span=labels[0].span, label=labels[0].text, others=(main, *labels[1:]))
    if level is not None:
        return CnnError(found.advised(level))
    return CnnError(found.advised(_as_fix(help, branches, at, drafts) or help))


def _pooled(
    operator: str, branches: Sequence[MergeBranch], shapes: Sequence[Shape], wire: NodeOutput | None
) -> Fix | None:
    """Return the fix for poolings that shrink branches too much; beside an added skip, a map may get smaller."""
    chains = [branch.chain for branch in branches]
    is_plain = wire is not None and not any(branch.name or branch.row for branch in branches)
    if wire is None or not is_plain or (MERGES[operator].AGREE != "extents" and any(map(_is_skip, chains))):
        return None
    return padded(chains, shapes, wire.shape)


def _gate_at(operator: str, shapes: Sequence[Shape]) -> int | None:
    """Return which branch of a product is a gate (a vector or a single-position map) whose channels differ from those
    of the value it scales; None if none is."""
    if MERGES[operator].AGREE != "broadcast" or len(shapes) != 2:
        return None
    at = int(shapes[1].pixels < shapes[0].pixels)
    return at if shapes[at].pixels == 1 < shapes[1 - at].pixels else None


def _widened(
    gate: int | None, branches: Sequence[MergeBranch], shapes: Sequence[Shape], env: Environment
) -> Fix | None:
    """Return the fix that gives the last layer of a gate the channels of the value that it scales."""
    layers = (
        [each for each in layers_of(branches[gate].chain.items) if each.width is not None] if gate is not None else []
    )
    if gate is None or not layers or branches[gate].name or branches[gate].row:
        return None
    channels, span = shapes[1 - gate].channels, layers[-1].span
    head = re.match(r"\w+-(?P<width>\{[^{}]*\}|\w+)", span.text)
    width = layers[-1].width
    if head is None or width is None or _value(width, env) != shapes[gate].channels:
        return None
    names = [name for name, value in env.values.items() if value == channels and name not in {*"CHWDi"}]
    place = Span(span.source, span.start, span.start + head.end())
    wanted = names[0] if len(names) == 1 else f"{channels}"
    edit = Edit(Span(span.source, span.start + head.start("width"), place.end), wanted)
    advice = f"a gate has as many channels as the value it scales, here {channels}: {{}} instead of `{place.text}`"
    return Fix((edit,), advice, place)


def _swapped_call(
    operator: str, branches: Sequence[MergeBranch], shapes: Sequence[Shape], env: Environment
) -> Fix | None:
    """Return the fix for a block call at the end of a branch that passes the wrong argument as its channels."""
    skips = [shape for branch, shape in zip(branches, shapes, strict=True) if _is_skip(branch.chain)]
    if MERGES[operator].AGREE != "shape" or not skips:
        return None
    for branch, shape in zip(branches, shapes, strict=True):
        item = branch.chain.items[-1]
        arguments = item.arguments or () if isinstance(item, ast.WrittenLayer) else ()
        if not isinstance(item, ast.WrittenLayer) or len(arguments) < 2 or any(each.name for each in arguments):
            continue
        block = called_block(item, env.home)
        values = [_value(each.value, env) for each in arguments]
        wanted = skips[0].channels
        if block is None or wanted == shape.channels or values.count(wanted) != 1 or values.count(shape.channels) != 1:
            continue
        texts = [each.span.text for each in arguments]
        one, other = values.index(wanted), values.index(shape.channels)
        parameters = [each.name for each in block.block.parameters or ()]
        if max(one, other) >= len(parameters):
            continue
        sets = " and ".join(f"{parameters[at]}={values[at]}" for at in sorted((one, other)))
        texts[one], texts[other] = texts[other], texts[one]
        name = block.block.name
        form = f"{name}({', '.join(parameters)})"
        advice = f"`{item.span.text}` sets {sets}, since the parameters are {form}: did you mean {{}}?"
        return replacement(item.span, f"{item.head}({', '.join(texts)})", advice)
    return None


def _other_level(
    operator: str, branches: Sequence[MergeBranch], shapes: Sequence[Shape], env: Environment, otherwise: str
) -> Fix | None:
    """Return the fix that writes the one label before a reference whose value has the required size, as in a U-Net with
    mixed-up levels; None if none or several do."""
    if len(branches) != 2 or sum(is_reference(branch.chain) for branch in branches) != 1:
        return None
    at = int(is_reference(branches[1].chain))
    place, wanted = branches[at].chain.span, shapes[1 - at]
    beside = branches[1 - at].made.wire
    if shapes[at].spatial == wanted.spatial:
        return None
    fitting = [
        name
        for name, named in env.scope.labels.items()
        if named.wire is not None
        and (beside is None or named.wire.node != beside.node)
        and named.wire.shape.spatial == wanted.spatial
        and (operator == "|" or named.wire.shape == wanted)
        and named.span.source is place.source
        and named.span.end <= place.start
    ]
    if len(fitting) != 1:
        return None
    size = "x".join(map(str, wanted.spatial))
    advice = f"the value of size {size} is {{}}, not `{place.text}`"
    return replacement(place, f"@{unparse.path(fitting[0].split('.'))}", advice, otherwise)


def _as_fix(help: str, branches: Sequence[MergeBranch], at: int, drafts: Sequence[PendingNode]) -> Fix | None:
    """Return the first suggestion of the help as an edit: a projection of the skip connection, or another layer in
    place of the one that gives a branch its size."""
    shown = re.search(r"`([^`]+)`", help)
    if shown is None:
        return None
    if help.startswith(_PROJECTION):
        return replace(
            replacement(branches[at].chain.items[-1].span, shown[1]), advice=help, place=None, otherwise=help
        )
    for branch in branches:
        draft = drafts[branch.made.wire.node] if branch.made.wire is not None else None
        is_own = draft is not None and draft.text == draft.span.text and shown[1].startswith(f"{draft.text}(")
        if draft is not None and is_own and help.startswith("`"):
            return replace(replacement(draft.span, shown[1]), advice=help, place=None, otherwise=help)
    return None


def _parting(
    branches: Sequence[MergeBranch], wire: NodeOutput | None, drafts: Sequence[PendingNode]
) -> Iterator[Annotation]:
    """Annotate where the branches part, unless that is right before them."""
    if len(drafts) > _MOST_NODES:
        return
    nodes = [branch.made.wire.node for branch in branches if branch.made.wire is not None]
    at = parted(reading([draft.inputs for draft in drafts]), nodes)
    if at is not None and (wire is None or at != wire.node):
        yield Annotation(drafts[at].span, f"the branches split here, at {drafts[at].shape}")


def _shown(branch: MergeBranch, shape: Shape) -> str:
    shown = " or ".join(f"[{each}]" for each in (*branch.tried, shape))
    if branch.row:
        return f"{shown} with {branch.row}"
    return f"`{branch.name}` gives {shown}" if branch.name else shown


def _is_skip(chain: ast.Chain) -> bool:
    """Check whether a branch is `ID` or `ID or X`."""
    first = chain.items[0]
    if isinstance(first, ast.Either):
        first = first.choices[0]
    if len(chain.items) > 1 or not isinstance(first, ast.WrittenLayer):
        return False
    kind = find(first.head)
    return kind is not None and kind.ROLE == "identity"


def _way_out(
    operator: str, branches: Sequence[MergeBranch], shapes: list[Shape], env: Environment, wire: NodeOutput | None
) -> str:
    skips = [branch for branch in branches if _is_skip(branch.chain)]
    others = [(branch, shape) for branch, shape in zip(branches, shapes, strict=True) if branch not in skips]
    agree = MERGES[operator].AGREE
    if agree == "shape" and skips and others and wire is not None:
        return _projection(*others[0], env, wire.shape)
    if agree == "broadcast" and any(shape.is_vector for shape in shapes):
        return _gate(shapes)
    if len({shape.rank for shape in shapes}) > 1:
        return "`GAP -> FLATTEN` makes a map the vector of its channels"
    if agree != "broadcast" and len({shape.spatial for shape in shapes}) > 1:
        return _resizing(shapes)
    if len({shape.spatial for shape in shapes}) == 1 and agree != "extents":
        widest = max(shape.channels for shape in shapes)
        written = [(branch.chain, shape.channels) for branch, shape in others]
        return odd_width(written, shapes) or f"end each branch with the same number of channels: `CONV1-{widest}`"
    return ""


def _with_stars(
    operator: str, branches: Sequence[MergeBranch], shapes: list[Shape], env: Environment, wire: NodeOutput | None
) -> str:
    """Return the help if a star is among the branches. Nothing may follow a star, so either the other branches change
    or the star's parts are written out."""
    agree = MERGES[operator].AGREE
    of_stars = [shape for branch, shape in zip(branches, shapes, strict=True) if branch.name]
    star = next(branch.chain.span.text for branch in branches if branch.name)
    is_one_shape = all(_extension(shape, of_stars[0], agree) == "" for shape in of_stars)
    if is_one_shape and wire is not None and all(branch.name or _is_skip(branch.chain) for branch in branches):
        projection = _projection(next(each for each in branches if each.name), of_stars[0], env, wire.shape)
        if projection and agree == "shape":
            return projection
    if is_one_shape:
        target = of_stars[0]
    else:
        small = min(shapes, key=lambda shape: shape.pixels)
        target = replace(small, channels=max(shape.channels for shape in shapes))
    extended = [_extended(branch, shape, target, agree) for branch, shape in zip(branches, shapes, strict=True)]
    is_settled = not env.turn or all(shape.spatial == target.spatial for shape in shapes)
    if is_one_shape and is_settled:
        changed = [each for each, branch in zip(extended, branches, strict=True) if not branch.name and " -> " in each]
        shown = f": {', '.join(f'`{each}`' for each in changed)}" if all(extended) else f", {target}"
        return f"make the others like `{star}`{shown}"
    if not is_one_shape and all(extended) and len(extended) <= _MOST_WRITTEN_OUT and not env.turn:
        joined = (f" {operator} " if operator in "+|" else ", ").join(extended)
        return f"nothing follows a star; written out: `{'' if operator in '+|' else operator}({joined})`"
    return f"nothing follows a star: give the parts of `{star}` one shape where they are labelled"


def _extended(branch: MergeBranch, shape: Shape, target: Shape, agree: str) -> str:
    """Return a branch with the layers that bring it to a shape; empty if a message cannot show it."""
    extension = _extension(shape, target, agree)
    text = " ".join(branch.chain.span.text.split())
    if extension is None or (not branch.name and isinstance(branch.chain.items[0], ast.Either)):
        return ""
    text = f"@{unparse.path(branch.name.split('.'))}" if branch.name else text
    return f"{text} -> {extension}" if extension else text


def _extension(shape: Shape, target: Shape, agree: str) -> str | None:
    """Return the layers that bring one shape to another; empty if the axes to match agree, None if no layers do."""
    if shape.rank != target.rank:
        return None
    layers: list[str] = []
    if shape.spatial != target.spatial:
        ratios = {Fraction(a, b) for a, b in zip(shape.spatial, target.spatial, strict=True)}
        ratio = ratios.pop()
        if ratios or 1 not in (ratio.numerator, ratio.denominator):
            return None
        layers.append(f"POOL{ratio}" if ratio > 1 else f"UPSAMPLE{1 / ratio}")
    if agree != "extents" and shape.channels != target.channels:
        layers.append(f"CONV1-{target.channels}" if shape.rank else f"FC-{target.channels}")
    return " -> ".join(layers)


def _fitting(operator: str, branches: Sequence[MergeBranch], drafts: Sequence[PendingNode], env: Environment) -> str:
    """Return the help for two maps of which one is slightly larger, as in a skip connection with odd sizes."""
    wires = [branch.made.wire for branch in branches if branch.made.wire is not None]
    if MERGES[operator].AGREE == "broadcast" or len(wires) != 2 or wires[0].shape.rank != wires[1].shape.rank:
        return ""
    at = int(wires[1].shape.pixels > wires[0].shape.pixels)
    large, small = wires[at], wires[1 - at]
    reference = _reference(branches[1 - at].chain, small.node, branches[at].chain.span, env)
    return ways_to_fit(branches[at].chain, (large.shape, small.shape), drafts[small.node], reference)


def _reference(chain: ast.Chain, node: int, place: Span, env: Environment) -> str:
    """Return how to write the output of a branch at a location: the reference that it is, or a label before it."""
    if is_reference(chain):
        return chain.items[0].span.text
    for name, output in env.scope.labels.items():
        is_before = output.span.source is place.source and output.span.end <= place.start
        if output.wire is not None and output.wire.node == node and is_before:
            return f"@{name}"
    return ""


def _gate(shapes: list[Shape]) -> str:
    gated = max(shapes, key=lambda shape: shape.pixels)
    return f"a gate has as many channels as the value it scales: FC-{gated.channels}"


def _resizing(shapes: list[Shape]) -> str:
    """Return the pooling that reduces the largest map to the size of the smallest."""
    large, small = max(shapes, key=lambda shape: shape.pixels), min(shapes, key=lambda shape: shape.pixels)
    ratios = {Fraction(a, b) for a, b in zip(large.spatial, small.spatial, strict=True)}
    ratio = ratios.pop()
    if ratios or ratio.denominator != 1:
        return ""
    return f"add POOL{ratio} after the larger branch, or UPSAMPLE{ratio} after the smaller one"


def _projection(branch: MergeBranch, target: Shape, env: Environment, entering: Shape) -> str:
    """Return the projection that brings the incoming value to the shape of a branch; empty if no convolution does."""
    if entering.rank != target.rank or not entering.rank:
        return ""
    strides = {-(-a // b) for a, b in zip(entering.spatial, target.spatial, strict=True)}
    stride = strides.pop()
    if strides or any(-(-a // stride) != b for a, b in zip(entering.spatial, target.spatial, strict=True)):
        return ""
    width = _width(branch.chain, target.channels, env) or str(target.channels)
    step = _stride(branch.chain, stride, env) or (f"{stride}" if stride > 1 else "")
    return f"{_PROJECTION}: `ID or CONV1-{width}{'/' if step else ''}{step}`"


def _width(chain: ast.Chain, channels: int, env: Environment) -> str:
    """Return the last width of a chain, as written, if it equals that many channels."""
    widths = [layer.width for layer in layers_of(chain.items) if layer.width is not None]
    return _operand(widths[-1]) if widths and _value(widths[-1], env) == channels else ""


def _stride(chain: ast.Chain, stride: int, env: Environment) -> str:
    """Return the only named stride (or only stride) of a chain as written, if its strides multiply to `stride`."""
    written = [layer.stride for layer in layers_of(chain.items) if layer.stride is not None]
    named = [each for each in written if not isinstance(each, Literal)] or written
    values = [_value(each, env) for each in written]
    known = prod(value for value in values if isinstance(value, int))
    return _operand(named[0]) if len(named) == 1 and None not in values and known == stride else ""


def _value(expr: Expr, env: Environment) -> object:
    try:
        return evaluate(expr, env.values)
    except CnnError:
        return None


def _operand(expr: Expr) -> str:
    return expr.span.text if isinstance(expr, Name | Literal) else f"{{{expr.span.text}}}"
