"""Invalid heads of layers: edits to what was probably meant.

`Conv2d(3, 64, 3)` is translated as a whole, `CONV3_64` gets its dash, `Dense-10` the name used here, and a misspelt
name the only one that it can be meant for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from cnndsl.elaborate.state import Environment
from cnndsl.errors import Edit, Fix, Help, Span, meant, replacement, unmistakable
from cnndsl.layers import KINDS
from cnndsl.syntax import ast
from cnndsl.syntax.foreign_layers import FOREIGN, call_at, chained, translated
from cnndsl.syntax.line_fixes import ADVICE
from cnndsl.syntax.words import name_and_size

_RENAMED = {
    **dict.fromkeys(("DENSE", "LINEAR", "FULLYCONNECTED", "INNERPRODUCT"), "FC"),
    **dict.fromkeys(("CONV1D", "CONV2D", "CONV3D", "CONVOLUTION", "CONVOLUTION2D"), "CONV"),
    **dict.fromkeys(("DECONV", "CONVTRANSPOSE", "CONV2DTRANSPOSE", "CONVTRANSPOSE2D", "TCONV", "UPCONV"), "CONVT"),
    **dict.fromkeys(("DEPTHWISECONV", "DEPTHWISECONV2D", "DEPTHWISE", "DCONV"), "DWCONV"),
    **dict.fromkeys(("MAXPOOLING", "MAXPOOL2D", "MAXPOOLING2D", "POOLING", "MP"), "POOL"),
    **dict.fromkeys(("AVERAGEPOOL", "AVGPOOLING", "AVGPOOL2D", "MEANPOOL", "AVERAGEPOOLING"), "AVGPOOL"),
    **dict.fromkeys(("GLOBALAVERAGEPOOLING", "GLOBALAVGPOOL", "GLOBALPOOL", "GLOBALAVERAGEPOOL"), "GAP"),
    **dict.fromkeys(("BATCHNORM", "BATCHNORMALIZATION", "BATCHNORM2D"), "BN"),
    **dict.fromkeys(("LAYERNORM", "LAYERNORMALIZATION"), "LN"),
    **dict.fromkeys(("GROUPNORM", "GROUPNORMALIZATION"), "GN"),
    **dict.fromkeys(("INSTANCENORM", "INSTANCENORMALIZATION", "INSTANCENORM2D"), "IN"),
    **dict.fromkeys(("MAXUNPOOL", "MAXUNPOOLING", "UNPOOLING", "MAXUNPOOL2D"), "UNPOOL"),
    **dict.fromkeys(("UPSAMPLING", "UPSAMPLING2D"), "UPSAMPLE"),
    **dict.fromkeys(("LEAKY",), "LEAKYRELU"),
}
"""Layer types that other languages name differently and that take the same numbers here."""
_OPERATORS = {
    **dict.fromkeys(("ADD", "SUM", "PLUS"), " + "),
    **dict.fromkeys(("CONCAT", "CONCATENATE", "CAT"), " | "),
    **dict.fromkeys(("MULTIPLY", "MULT", "PRODUCT"), "MUL"),
    "MAXIMUM": "MAX",
    "AVERAGE": "MEAN",
}


def head_of(item: ast.WrittenLayer) -> Span:
    """Return the span of a layer's head with its size, width and stride, without its parentheses."""
    text, depth = item.span.text, 0
    for at, char in enumerate(text):
        if char == "(" and depth == 0:
            return Span(item.span.source, item.span.start, item.span.start + len(text[:at].rstrip()))
        depth += (char == "{") - (char == "}")
    return item.span


def help_for_head(item: ast.WrittenLayer, env: Environment, known: Sequence[str], otherwise: str) -> Help:
    """Return what to write in place of a layer with an invalid head. `otherwise` is the help if that is uncertain, or
    if the edit does not compile."""
    return (
        _translated(item, otherwise)
        or _signs(item, env, otherwise)
        or _renamed(item, otherwise)
        or _sized(item, otherwise)
        or _merged(item, otherwise)
        or (None if otherwise else _misspelt(item, known, otherwise))
        or otherwise
    )


def _translated(item: ast.WrittenLayer, otherwise: str) -> Fix | None:
    if item.arguments is None or item.size or item.width is not None:
        return None
    span = item.span
    inside = span.text.partition("(")[2].rpartition(")")[0]
    layers = translated(item.head, inside)
    if not layers:
        return None
    around = call_at(span.source, span.start)
    if around is not None and around.place is not None and around.place.start < span.start:
        return around
    return replacement(span, chained(layers, span.source.text, span.end), FOREIGN, otherwise)


def _signs(item: ast.WrittenLayer, env: Environment, otherwise: str) -> Fix | None:
    """Fix `CONV3_64`, `POOL_2`, `conv3x3_64`, and a size that is a name without its braces."""
    place = head_of(item)
    head = Span(place.source, place.start, place.start + len(item.head))
    found = re.fullmatch(r"([A-Za-z]+)([0-9]+(?:x[0-9]+)*)?_([0-9]+)", item.head)
    kind = KINDS.get(found[1].upper()) if found else None
    if found and kind is not None:
        if found[2]:
            text = f"{found[1]}{found[2]}-{found[3]}"
        else:
            text = f"{found[1]}-{found[3]}" if kind.WIDTH else f"{found[1]}{found[3]}"
        return Fix((Edit(head, text),), "the width follows a dash: {}" if kind.WIDTH else "write {}", place, otherwise)
    named = _named_size(item.head, env.values)
    if named is None:
        return None
    advice = "a size that is a name goes in braces: {}"
    return Fix((Edit(head, named),), advice, place, otherwise)


def _named_size(head: str, values: Collection[str]) -> str | None:
    """Return `CONV{k}` for a head that ends with `k`, if that name has a value."""
    for at in range(len(head) - 1, 1, -1):
        kind = KINDS.get(head[:at].upper())
        if kind is not None and kind.SIZE and head[at:] in values:
            return f"{head[:at]}{{{head[at:]}}}"
    return None


def _renamed(item: ast.WrittenLayer, otherwise: str) -> Fix | None:
    """Fix `Dense-10`, `MaxPool2d2`, `Deconv2-64/2`, keeping the numbers."""
    stem, size = name_and_size(item.head)
    plain = item.head.upper().replace("_", "")
    ours = _RENAMED.get(plain) or _RENAMED.get(stem.upper().replace("_", ""))
    if ours is None:
        return None
    size = "" if plain in _RENAMED else size
    kind, place = KINDS[ours], head_of(item)
    if size and not kind.SIZE:
        size = f"-{size}" if kind.WIDTH else ""
    if kind.WIDTH and not size and item.width is None and not item.size:
        return None
    edit = Edit(Span(place.source, place.start, place.start + len(item.head)), f"{ours}{size}")
    return Fix((edit,), FOREIGN, place, otherwise)


def _sized(item: ast.WrittenLayer, otherwise: str) -> Fix | None:
    """Fix `ADAPTIVEAVGPOOL7`, `DEPTH2SPACE2`: a name from another framework followed by its number."""
    stem, size = name_and_size(item.head)
    if not size or item.arguments is not None or item.width is not None or item.stride is not None:
        return None
    layers = translated(stem, size)
    text = chained(layers, item.span.source.text, item.span.end)
    return replacement(item.span, text, FOREIGN, otherwise) if layers else None


def _merged(item: ast.WrittenLayer, otherwise: str) -> Fix | None:
    """Fix `ADD(@a, @b)`, `CONCAT(@a, @b)`."""
    operator = _OPERATORS.get(item.head.upper())
    texts = [each.value.span.text for each in item.arguments or () if each.name is None]
    if operator is None or not texts or len(texts) < len(item.arguments or ()):
        return None
    texts = ["ID", *texts] if len(texts) == 1 else texts
    joined = f"({operator.join(texts)})" if operator[0] == " " else f"{operator}({', '.join(texts)})"
    return replacement(item.span, joined, ADVICE.get(operator, FOREIGN), otherwise)


def _misspelt(item: ast.WrittenLayer, known: Sequence[str], otherwise: str) -> Fix | None:
    stem, size = name_and_size(item.head)
    place = Span(item.span.source, item.span.start, item.span.start + len(item.head))
    close = unmistakable(stem, known) if size else ""
    whole = f"{close}{size}" if close else unmistakable(item.head, known)
    return replace(meant(place, whole), otherwise=otherwise) if whole else None
