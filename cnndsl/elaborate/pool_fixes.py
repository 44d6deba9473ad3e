"""Edits for poolings that make a branch of a merge smaller than the others: `POOL3` beside `CONV3-64`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.elaborate.foreign_heads import head_of
from cnndsl.errors import Edit, Fix
from cnndsl.layers import find
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size


def layers_of(items: Sequence[ast.ChainItem]) -> Iterator[ast.WrittenLayer]:
    """Yield the layers directly in a chain, in order."""
    for item in items:
        while isinstance(item, ast.Label):
            item = item.body
        if isinstance(item, ast.WrittenLayer):
            yield item
        elif isinstance(item, ast.Group):
            yield from layers_of(item.body.items)


def padded(chains: Sequence[ast.Chain], shapes: Sequence[Shape], entering: Shape) -> Fix | None:
    """Return the fix that gives the poolings of some branches the stride and padding with which they match the size of
    the branches without pooling; None if these differ, or no stride works."""
    if any(isinstance(chain.items[0], ast.Ref) for chain in chains):
        return None
    poolings = [[layer for layer in layers_of(chain.items) if _is_pooling(layer)] for chain in chains]
    others = {shape.spatial for shape, found in zip(shapes, poolings, strict=True) if not found}
    if len(others) != 1:
        return None
    (target,) = others
    wrong = [found for shape, found in zip(shapes, poolings, strict=True) if shape.spatial != target]
    stride = _stride(entering.spatial, target)
    if not wrong or stride is None or any(len(found) != 1 for found in wrong):
        return None
    if stride == 1 and not all(_may_keep_the_size(layer) for (layer,) in wrong):
        return None
    edits = tuple(Edit(layer.span, _with_padding(layer, stride)) for (layer,) in wrong)
    first, last = edits[0].span, edits[-1].span
    kept = "keeps the size" if stride == 1 else f"divides the size by {stride} as the other branches do"
    return Fix(edits, f"with stride {stride} and pad=same a pooling {kept}: {{}}", first.to(last))


def _is_pooling(layer: ast.WrittenLayer) -> bool:
    kind = find(name_and_size(layer.head)[0])
    return kind is not None and kind.ROLE == "pooling" and bool(kind.STRIDE) and "pad" in kind.options()


def _may_keep_the_size(layer: ast.WrittenLayer) -> bool:
    """Check whether a pooling is meant to keep the map's size: an odd window without a stride, or with stride 1."""
    if layer.stride is not None:
        return layer.stride.span.text == "1"
    return re.fullmatch(r"[0-9]*[13579](x[0-9]*[13579])*", name_and_size(layer.head)[1]) is not None


def _stride(large: tuple[int, ...], small: tuple[int, ...]) -> int | None:
    """Return the stride with which a padded layer turns one map size into another; None if there is none."""
    if len(large) != len(small) or not small:
        return None
    stride = -(-large[0] // small[0])
    return stride if all(-(-a // stride) == b for a, b in zip(large, small, strict=True)) else None


def _with_padding(layer: ast.WrittenLayer, stride: int) -> str:
    """Return a pooling with that stride and `pad=same`, keeping its other options."""
    head = head_of(layer).text
    named = [each for each in layer.arguments or () if each.name not in ("pad", "P", "stride", "S", "ceil")]
    options = ", ".join(["pad=same", *(each.span.text for each in named)])
    return f"{re.sub(r'/.*', '', head)}/{stride}({options})"
