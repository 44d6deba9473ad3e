"""Kernels, strides and paddings of ONNX's convolutions and poolings."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.importers.onnx_models.maker import OnnxMaker
from cnndsl.layers.base import Dims, Padding
from cnndsl.records import record


@record(slots=True)
class SlidingWindow:
    """The window attributes of an operator, with a size for each axis; `auto` is its `auto_pad`."""

    kernel: Dims
    stride: Dims
    dilation: Dims
    before: Dims
    after: Dims
    auto: str

    @property
    def reach(self) -> Dims:
        """Return how far a window extends beyond its first position."""
        return tuple([d * (k - 1) for k, d in zip(self.kernel, self.dilation, strict=True)])

    @property
    def is_padded(self) -> bool:
        """Return whether there is any padding."""
        return any(self.before) or any(self.after)

    @property
    def is_even(self) -> bool:
        """Return whether both sides have equal padding."""
        return self.before == self.after

    @property
    def is_half(self) -> bool:
        """Return whether it pads by half of the reach, with an odd position at the end, as `same` does."""
        front = tuple([each // 2 for each in self.reach])
        return self.before == front and self.after == tuple(
            [each - f for each, f in zip(self.reach, front, strict=True)]
        )

    @property
    def is_dynamic(self) -> bool:
        """Return whether the padding follows TensorFlow and depends on the input size."""
        return self.auto == "SAME_UPPER" and any(step > 1 for step in self.stride)


def window(maker: OnnxMaker, spatial: Dims, kernel: Dims = ()) -> SlidingWindow:
    """Return the window of the current operator.

    Args:
        maker: The maker with the current operator.
        spatial: The size of the map that the window slides over.
        kernel: The kernel size of the weights, if there are any.

    Raises:
        CnnError: if an attribute has the wrong number of axes, or a padding is negative.
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
    """Return the padding for ceil(W/stride) windows; an odd position is at the end, or at the start with `is_early`."""
    sizes = zip(spatial, kernel, stride, dilation, strict=True)
    totals = [max((-(-size // s) - 1) * s + d * (k - 1) + 1 - size, 0) for size, k, s, d in sizes]
    less, more = tuple([total // 2 for total in totals]), tuple([total - total // 2 for total in totals])
    return (more, less) if is_early else (less, more)


def brief(extents: Sequence[int]) -> Dims:
    """Return a single size if all are equal."""
    return (extents[0],) if len(set(extents)) == 1 else tuple(extents)


def words(found: SlidingWindow, usual: str) -> Padding | None:
    """Return the padding as an option; None if no option can express the difference between the two sides.

    Args:
        found: The window.
        usual: The preferred word if two are equivalent: `same` or `valid`.
    """
    if found.is_dynamic:
        return "tfsame"
    if found.is_half and (usual == "same" or found.is_padded):
        return "same" if usual == "same" or not found.is_even else brief(found.before)
    if not found.is_padded:
        return "valid"
    return brief(found.before) if found.is_even else None
