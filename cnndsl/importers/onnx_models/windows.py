"""Kernels, strides and paddings of ONNX's convolutions and poolings."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.layers.base import Dims, Padding
from cnndsl.records import record


@record(slots=True)
class SlidingWindow:
    """What an operator says of its window, an extent for each axis; `auto` is what `auto_pad` says."""

    kernel: Dims
    stride: Dims
    dilation: Dims
    before: Dims
    after: Dims
    auto: str

    @property
    def reach(self) -> Dims:
        """How far a window spans beyond its first position."""
        return tuple([d * (k - 1) for k, d in zip(self.kernel, self.dilation, strict=True)])

    @property
    def is_padded(self) -> bool:
        """Whether anything is padded."""
        return any(self.before) or any(self.after)

    @property
    def is_even(self) -> bool:
        """Whether both sides are padded alike."""
        return self.before == self.after

    @property
    def is_half(self) -> bool:
        """Whether it pads by half of the reach, an odd position at the end: what `same` does."""
        front = tuple([each // 2 for each in self.reach])
        return self.before == front and self.after == tuple(
            [each - f for each, f in zip(self.reach, front, strict=True)]
        )

    @property
    def is_dynamic(self) -> bool:
        """Whether the padding is TensorFlow's, and depends on the size of what comes in."""
        return self.auto == "SAME_UPPER" and any(step > 1 for step in self.stride)


def window(maker: OnnxMaker, spatial: Dims, kernel: Dims = ()) -> SlidingWindow:
    """Return the window of the operator at hand.

    Args:
        maker: What is at hand.
        spatial: The extents of the map that it slides over.
        kernel: Those of the weights, where there are such.

    Raises:
        CnnError: where something has another number of axes, or pads a negative amount.
    """
    node, rank = maker.node, len(spatial)
    said = node.several("kernel_shape") or kernel
    if kernel and said != kernel:
        raise maker.wrong(f"`kernel_shape` is {said}, and the weights are {kernel}")
    stride, dilation = (node.several(key) or (1,) * rank for key in ("strides", "dilations"))
    pads = node.several("pads") or (0,) * 2 * rank
    auto = node.word("auto_pad", "NOTSET")
    if (len(said), len(stride), len(dilation), len(pads)) != (rank, rank, rank, 2 * rank) or min(said) < 1:
        raise maker.wrong(f"its window has another number of axes than the map of {rank}")
    if min(pads) < 0 or min(stride) < 1 or min(dilation) < 1:
        raise maker.wrong("a padding below zero has no counterpart")
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise maker.wrong(f"the padding `{auto}` is not known")
    before, after = pads[:rank], pads[rank:]
    if auto == "VALID":
        before = after = (0,) * rank
    elif auto != "NOTSET":
        before, after = _same(spatial, said, stride, dilation, is_early=auto == "SAME_LOWER")
    return SlidingWindow(said, stride, dilation, before, after, auto)


def _same(spatial: Dims, kernel: Dims, stride: Dims, dilation: Dims, *, is_early: bool) -> tuple[Dims, Dims]:
    """The padding that makes ceil(W/stride) windows; an odd position is at the end, or with `is_early` in front."""
    sizes = zip(spatial, kernel, stride, dilation, strict=True)
    totals = [max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0) for size, k, s, d in sizes]
    less, more = tuple([total // 2 for total in totals]), tuple([total - total // 2 for total in totals])
    return (more, less) if is_early else (less, more)


def brief(extents: Sequence[int]) -> Dims:
    """Return one extent where all are equal."""
    return (extents[0],) if len(set(extents)) == 1 else tuple(extents)


def words(found: SlidingWindow, usual: str) -> Padding | None:
    """Return the padding as an option; None where the two sides differ in another way than any option has it.

    Args:
        found: The window.
        usual: What is said where two words are the same: `same` or `valid`.
    """
    if found.is_dynamic:
        return "tfsame"
    if found.is_half and (usual == "same" or found.is_padded):
        return "same" if usual == "same" or not found.is_even else brief(found.before)
    if not found.is_padded:
        return "valid"
    return brief(found.before) if found.is_even else None
