"""Resolve the head of a layer: a layer type, a block, or a parameter that was given one of these."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from cnndsl.elaborate.foreign_heads import head_of, help_for_head
from cnndsl.elaborate.references import names_output, show_value
from cnndsl.elaborate.state import Definition, Environment, called_block, env_of, is_sized_kind
from cnndsl.elaborate.survey import dashed_kind
from cnndsl.errors import CnnError, Help, Span, nearest, replacement
from cnndsl.expr import error
from cnndsl.expressions import Literal
from cnndsl.layers import KINDS, find, known
from cnndsl.layers.base import Layer
from cnndsl.layers.merge import MERGES
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.syntax.words import dims, name_and_size
from cnndsl.values import NameSymbol, OutputSymbol, Unknown, show

_STATEMENTS = frozenset({"tap", "for", "if", "use", "let", "net", "block", "assert", "default", "cnn", "in"})


_ELSEWHERE = {
    **dict.fromkeys(("DENSE", "LINEAR", "FULLYCONNECTED", "INNERPRODUCT"), "FC-10"),
    **dict.fromkeys(("CONV1D", "CONV2D", "CONV3D", "CONVOLUTION"), "CONV3-64"),
    **dict.fromkeys(("DECONV", "CONVTRANSPOSE", "CONV2DTRANSPOSE"), "CONVT2-64/2"),
    **dict.fromkeys(("DEPTHWISECONV", "SEPARABLECONV", "SEPCONV"), "DWCONV3 -> CONV1-64"),
    **dict.fromkeys(("MAXPOOLING", "MAXPOOL2D", "MAXPOOLING2D", "POOLING"), "POOL2"),
    **dict.fromkeys(("AVERAGEPOOL", "AVGPOOLING", "AVGPOOL2D", "MEANPOOL"), "AVGPOOL2"),
    **dict.fromkeys(("GLOBALAVERAGEPOOLING", "GLOBALAVGPOOL", "GLOBALPOOL"), "GAP"),
    **dict.fromkeys(("BATCHNORM", "BATCHNORMALIZATION", "BATCHNORM2D"), "BN"),
    **dict.fromkeys(("LAYERNORM", "LAYERNORMALIZATION"), "LN"),
    **dict.fromkeys(("GROUPNORM", "GROUPNORMALIZATION"), "GN32"),
    **dict.fromkeys(("INSTANCENORM", "INSTANCENORMALIZATION"), "IN"),
    **dict.fromkeys(("ADAPTIVEAVGPOOL", "ADAPTIVEPOOL"), "AVGPOOL(out=7x7), or GAP for an output of 1x1"),
    "ADAPTIVEMAXPOOL": "POOL(out=7x7), or GMP for an output of 1x1",
    **dict.fromkeys(("CONCAT", "CONCATENATE", "CAT"), "(A | B)"),
    **dict.fromkeys(("ADD", "SUM"), "(A + B)"),
    **dict.fromkeys(("MULTIPLY", "PRODUCT"), "MUL(A, B)"),
    **dict.fromkeys(("AVERAGE", "AVG"), "MEAN(A, B)"),
    **dict.fromkeys(("SUBTRACT", "MINUS", "DIFFERENCE"), "SUB(A, B)"),
    **dict.fromkeys(("VIEW", "UNFLATTEN"), "RESHAPE(7x7x32)"),
    **dict.fromkeys(("TRANSPOSE", "SWAPAXES"), "PERMUTE(whc)"),
    **dict.fromkeys(("SPACETODEPTH", "SPACE_TO_DEPTH"), "PIXELUNSHUFFLE2(order=blocks)"),
    **dict.fromkeys(("DEPTHTOSPACE", "DEPTH_TO_SPACE"), "PIXELSHUFFLE2(order=blocks)"),
    "REORG": "PIXELUNSHUFFLE2(order=darknet)",
    **dict.fromkeys(("SPLIT", "CHUNK"), "SLICE(0, C/2), and SLICE(C/2, C) for the rest of the channels"),
    **dict.fromkeys(("SHORTCUT", "SKIP", "RESIDUAL"), "(F + ID)"),
}
"""Layers that other languages name differently, and how to write them here."""

_OUTSIDE = {
    **dict.fromkeys(("LSTM", "BILSTM", "GRU", "BIGRU", "RNN", "CONVLSTM"), ("recurrence is", "LSTM")),
    **dict.fromkeys(("ATTENTION", "SELFATTENTION", "ATTN", "MULTIHEADATTENTION", "MHA"), ("attention is", "NONLOCAL")),
    **dict.fromkeys(("MHSA", "TRANSFORMER", "NONLOCAL", "NONLOCALBLOCK"), ("attention is", "NONLOCAL")),
    **dict.fromkeys(("SPECTRALNORM", "SNCONV", "WEIGHTNORM"), ("spectral and weight normalisation are", "SNCONV")),
}
"""Features left to packages, with the layer type that the example package adds."""


@record(slots=True)
class Kind:
    """A head that names a layer type: the class, its name as called, the size in the head."""

    kind: type[Layer]
    name: str
    digits: Literal | None


def meaning(item: ast.WrittenLayer, env: Environment) -> Kind | Definition:
    """Return what the head of a layer names. Raises CnnError if it names nothing."""
    readings = list(_readings(item.head, item.span))
    if item.head not in env.values and (block := called_block(item, env.home)) is not None:
        return block
    env = replace(env, home=replace(env.home, blocks={})) if is_sized_kind(item) else env
    for look_up in (_ours, find):
        for name, digits in readings:
            found = _named(name, digits, env, look_up, item.span)
            if found is not None:
                return found
    raise _nothing(item, env)


def is_known(item: ast.WrittenLayer, env: Environment) -> bool:
    """Return whether the head of a layer names something, even if that failed."""
    try:
        meaning(item, env)
    except CnnError as stop:
        return not stop.diagnostics
    return True


def _ours(name: str) -> type[Layer] | None:
    """Return a built-in layer type; these come first in every reading, since loading plug-ins takes time."""
    return KINDS.get(name.upper())


def _readings(head: str, span: Span) -> Iterator[tuple[str, Literal | None]]:
    """Yield the readings of a head as a name, or a name with a size: `RELU6` is a name, `CONV3` CONV of size 3."""
    yield head, None
    name, size = name_and_size(head)
    if size:
        place = Span(span.source, span.start + len(name), span.start + len(head))
        extents = dims(size, place)
        yield name, extents if "x" in size else Literal(int(size), size, place)


def _named(
    name: str, digits: Literal | None, env: Environment, look_up: Callable[[str], type[Layer] | None], span: Span
) -> Kind | Definition | None:
    value = env.values.get(name)
    if isinstance(value, Unknown):
        raise CnnError(())
    if isinstance(value, NameSymbol):
        return _meant(value, digits, env, look_up, span)
    if name in env.home.blocks and digits is None:
        return env.home.blocks[name]
    kind = look_up(name)
    return None if kind is None else Kind(kind, name.upper(), digits)


def _meant(
    word: NameSymbol, digits: Literal | None, env: Environment, look_up: Callable[[str], type[Layer] | None], span: Span
) -> Kind | Definition | None:
    """Return what a word given to a parameter names: a name, or a layer type with its size, `POOL2`."""
    for name, size in _readings(word.name, span):
        if size is None or digits is None:
            within = None if size is None else Literal(size.value, size.text, span)
            found = _named(name, digits or within, env_of(word, env), look_up, span)
            if found is not None:
                return found
    return None


def _nothing(item: ast.WrittenLayer, env: Environment) -> CnnError:
    head = item.head
    place = Span(item.span.source, item.span.start, item.span.start + len(head))
    if head.upper() == "INPUT" and any(name.upper() == "INPUT" for name in env.home.blocks):
        return CnnError(())
    if head.upper() == "INPUT":
        help = "to use a value from elsewhere in the network, refer to it as `@name`"
        return error("E0219", "`INPUT` is only allowed at the start of a network", item.span, help)
    value = env.values.get(head)
    if isinstance(value, OutputSymbol):
        return error("E0231", f"`{head}` is an output, not a layer", place, f"a reference begins with `@`: `@{head}`")
    if value is not None:
        message = f"`{head}` is {show_value(value)}, which is neither a layer type nor a block"
        name = value.name if isinstance(value, NameSymbol) else show(value)
        return error("E0231", message, place, nearest(name, _names(env)))
    if head == "again":
        return _applied(item, place)
    if head.upper() in MERGES:
        help = f"list them in parentheses: `{head.upper()}(A, B)`"
        return error("E0231", f"`{head.upper()}` needs at least two branches", place, help)
    help = _padding(item) or _hint(item, env)
    if item.width is not None and dashed_kind(head, item.width):
        place = head_of(item)
        head = place.text
    return error("E0231", f"no layer type or block is called `{head}`", place, help)


def _applied(item: ast.WrittenLayer, place: Span) -> CnnError:
    """Return the error for `again(t)`, `again @t` and a bare `again`."""
    text, end = item.span.source.text, item.span.end
    behind = re.match(r"\s*@([A-Za-z0-9_.]+)", text[end : end + 80])
    message = "expected a label after `again`"
    if item.arguments:
        name = item.arguments[0].value.span.text.lstrip("@")
        return error("E0231", f"{message}, found parentheses", place, f"remove the parentheses: `again {name}`")
    if behind:
        found = f"the reference `@{behind[1]}`"
        return error("E0231", f"{message}, found {found}", place, f"remove the `@`: `again {behind[1]}`")
    help = "label a part to apply it once more: `tower: […]`, then `again tower`"
    return error("E0231", message, place, help)


_PADDINGS = {
    "REFLECT": "REFLECTPAD",
    "REFLECTION": "REFLECTPAD",
    "SYMMETRIC": "REFLECTPAD",
    "REPLICATE": "REPLICATEPAD",
    "REPLICATION": "REPLICATEPAD",
    "EDGE": "REPLICATEPAD",
    "CIRCULAR": "CIRCULARPAD",
    "WRAP": "CIRCULARPAD",
}
"""Padding modes under the names of other languages, with the layer that implements each."""


def _padding(item: ast.WrittenLayer) -> Help:
    """Return how to write `PAD(reflect, 3)`, `PAD3`, `REFLECTIONPAD2D(3)`; empty for a layer that is no padding."""
    dimensions = re.fullmatch(r"(.*PAD(?:DING)?)[123]D", item.head.upper())
    name, size = (dimensions[1], "") if dimensions else name_and_size(item.head.upper())
    stem = re.fullmatch(r"([A-Z]*?)_?PAD(?:DING)?", name)
    if stem is None or stem[1] not in ("", "ZERO", "CONSTANT", *_PADDINGS):
        return ""
    texts = [each.value.span.text for each in item.arguments or ()]
    fillings = [_PADDINGS.get(each.upper()) for each in (stem[1], *texts)]
    kind = next(filter(None, fillings), "ZEROPAD")
    margin = next((each for each in texts if re.fullmatch(r"[0-9x]+", each)), size or "1")
    return replacement(item.span, f"{kind}({margin})", "in cnndsl this is {}")


def _names(env: Environment) -> list[str]:
    return [*env.home.blocks, *known()]


def _hint(item: ast.WrittenLayer, env: Environment) -> Help:
    head = item.head
    if head in _STATEMENTS:
        return f"`{head}` is a keyword, not a layer"
    if item.width is not None and (dashed := dashed_kind(head, item.width)):
        return replacement(head_of(item), dashed, "did you mean {}?")
    if names_output(head, env):
        again = f"; to apply the same part again, write `again {head}`" if head in env.scope.parts else ""
        otherwise = f"the value of that name is `@{head}`, at the start of a branch{again}"
        return replacement(item.span, f"@{head}", "a reference begins with `@`: {}", otherwise)
    stem = name_and_size(head)[0]
    elsewhere = _ELSEWHERE.get(head.upper()) or _ELSEWHERE.get(stem.upper())
    if elsewhere:
        return help_for_head(item, env, _names(env), f"in cnndsl this is {elsewhere}")
    outside = _OUTSIDE.get(head.upper().replace("_", "")) or _OUTSIDE.get(stem.upper())
    if outside:
        what, added = outside
        return f"{what} not part of the language; a package can add layer types, as `examples/plugin` adds {added}"
    return help_for_head(item, env, _names(env), "")


def like_a_kind(statement: ast.Block) -> CnnError:
    """Return the error for a block with the name of a layer type in capitals, or with that of INPUT in any case, which
    begins a network."""
    name = statement.name
    if name in KINDS:
        message = f"`{name}` is a layer type, so a block cannot have this name"
        return error("E0247", message, statement.name_span, f"call it `{name.capitalize()}`, or `{name}Block`")
    message = f"`{name}` begins a network, in capitals or not, so a block cannot have this name"
    return error("E0247", message, statement.name_span, f"call it `{name}Block`")
