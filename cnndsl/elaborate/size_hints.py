"""Suggest fixes, with numbers, for two maps that differ by a few positions, as at the skip connections of a U-Net."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from cnndsl.elaborate.state import PendingNode
from cnndsl.layers import find
from cnndsl.shape import Shape
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size


def ways_to_fit(large: ast.Chain, shapes: tuple[Shape, Shape], small: PendingNode, reference: str) -> str:
    """Describe how to bring the smaller of two maps to the size of the larger one, or the other way round.

    `shapes` are those of the two, `large` is the branch of the larger one, `small` the layer that outputs the smaller
    one, `reference` how the larger one's branch can refer to it, if at all. Empty if the maps have different axes, or
    neither is larger on every axis.
    """
    missing = tuple(a - b for a, b in zip(shapes[0].spatial, shapes[1].spatial, strict=True))
    if not missing or min(missing) < 0:
        return ""
    ways = (*_enlarged(large, missing, small), *_cropped(large, missing, reference))
    return ", or ".join(ways) if len(ways) > 1 else f"crop the larger branch: {''.join(ways)}"


def _enlarged(large: ast.Chain, missing: tuple[int, ...], small: PendingNode) -> Iterator[str]:
    """Yield the layer of the smaller map, changed so that its output is as large."""
    grown = small.layer.grown(missing)
    if grown is not None:
        option, value = grown
        yield f"`{_with_option(small.text, option, _extents(value))}`"
        if is_reference(large):
            yield f"`{small.text} -> ZEROPAD(out={large.items[0].span.text})`"
    options = small.layer.options()
    name = next((option for option, rule in options.items() if rule.like), "")
    if name and small.layer.ROLE == "resize" and is_reference(large):
        yield f"`{small.layer.kind()}({name}={large.items[0].span.text})`"


def _cropped(large: ast.Chain, missing: tuple[int, ...], reference: str) -> Iterator[str]:
    """Yield the crop of the larger map: half of the difference on each side, an odd rest at the far side."""
    text = large.span.text if len(large.items) == 1 else "…"
    if reference:
        yield f"`{text} -> CROP(out={reference})`"
        return
    before, after = tuple(each // 2 for each in missing), tuple(each - each // 2 for each in missing)
    margins = _extents(before) if before == after else f"{_extents(before)}, after={_extents(after)}"
    yield f"`{text} -> CROP({margins})`"


def is_reference(chain: ast.Chain) -> bool:
    """Return whether a branch is a reference and nothing else."""
    return len(chain.items) == 1 and isinstance(chain.items[0], ast.Ref)


def _extents(extents: tuple[int, ...]) -> str:
    """Format sizes as one number if all are equal.

    >>> _extents((2, 2)), _extents((0, 1))
    ('2', '0x1')
    """
    return str(extents[0]) if len(set(extents)) == 1 else "x".join(map(str, extents))


def _with_option(text: str, name: str, value: str) -> str:
    """Return a layer as written with an option, replacing the option if it is already set.

    >>> _with_option("CONVT2-8/2", "out_pad", "1"), _with_option("CONVT(K=8)", "out_pad", "1")
    ('CONVT2-8/2(out_pad=1)', 'CONVT(K=8, out_pad=1)')
    >>> _with_option("CONVT4-8/4(out_pad=1, bias=no)", "out_pad", "3")
    'CONVT4-8/4(out_pad=3, bias=no)'
    """
    changed, count = re.subn(rf"\b{name}=[^,)]+", f"{name}={value}", text)
    if count:
        return changed
    return f"{text[:-1]}, {name}={value})" if text.endswith(")") else f"{text}({name}={value})"


def odd_width(branches: Sequence[tuple[ast.Chain, int]], shapes: Sequence[Shape]) -> str:
    """Return which layer has a different width from all others, and what it should be; empty if several have, or if it
    is unclear."""
    counts = Counter(shape.channels for shape in shapes)
    usual, times = counts.most_common(1)[0]
    odd = [each for each in branches if each[1] != usual]
    if len(odd) != 1 or times != len(shapes) - 1:
        return ""
    chain, channels = odd[0]
    for item in reversed(chain.items):
        kind = find(name_and_size(item.head)[0]) if isinstance(item, ast.WrittenLayer) else None
        if not isinstance(item, ast.WrittenLayer) or kind is None:
            return ""
        if item.width is not None:
            start, end = item.width.span.start - item.span.start, item.width.span.end - item.span.start
            better = f"{item.span.text[:start]}{usual}{item.span.text[end:]}"
            is_its = kind.ROLE == "convolution" and item.width.span.text == str(channels)
            same = "give all branches the same number of channels"
            return f"{same}: `{better}` instead of `{item.span.text}`" if is_its else ""
        if kind.ROLE not in ("activation", "normalisation"):
            return ""
    return ""
