"""Find layers that bring a node's output into the order of a view."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.importers.onnx_models.views import REPEATED, AxisRuns, OnnxView, plainly
from cnndsl.layers.arrange import Flatten, Shuffle
from cnndsl.layers.base import Layer
from cnndsl.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from cnndsl.layers.reshape import MOST_AXES, Permute, Reshape
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape

_LETTERS = {1: "cw", 2: "chw", 3: "cdhw"}
"""PERMUTE's letters for the axes of a map, by its number of spatial axes."""


def step(view: OnnxView, shape: Shape) -> tuple[Layer, OnnxView] | None:
    """Return the next layer towards a view in its own order, and the view of that layer's output, with -1 as its node.

    Args:
        view: A view that is not in order.
        shape: The shape of its node.

    Returns:
        None if no layer helps.
    """
    for layer, groups in _ways(view, shape):
        return layer, OnnxView(-1, tuple(groups))
    return None


def wanted(view: OnnxView) -> Shape | None:
    """Return the shape of a node that outputs a view directly; None if values cannot have so many axes."""
    dims = view.dims
    return Shape(dims[0], dims[1:]) if 1 <= len(dims) <= 1 + MOST_AXES else None


def _ways(view: OnnxView, shape: Shape) -> Iterator[tuple[Layer, Sequence[AxisRuns]]]:
    if any(atom.axis == REPEATED for atom in view.atoms):
        yield from _repeated(view, shape)
        return
    target = wanted(view)
    if target is not None:
        done = plainly(-1, target).groups
        yield from ((layer, done) for layer in _single(view, shape, target))
    yield from _turned(view, shape)
    yield from _split(view, shape)


def _single(view: OnnxView, shape: Shape, target: Shape) -> Iterator[Layer]:
    """Yield layers that produce a view in one step."""
    atoms, flat = view.atoms, plainly(0, shape).atoms
    last = (*view.groups[1:], view.groups[0])
    if atoms == flat:
        yield Reshape(target.hwc) if target.rank else Flatten()
        return
    yield from _blocks(view, shape, target)
    if view.is_whole and len(view.groups) == 1 + shape.rank:
        yield Permute(_order(view, shape))
    if not target.rank and atoms == _last(shape):
        yield Flatten("last")
    if OnnxView(0, last).atoms == flat:
        yield Reshape(target.hwc, "last")


def _last(shape: Shape) -> AxisRuns:
    """Return all values in channels-last order."""
    groups = plainly(0, shape).groups
    return OnnxView(0, (*groups[1:], groups[0])).atoms


def _order(view: OnnxView, shape: Shape) -> str:
    """Return PERMUTE's argument for whole axes; axes of size 1 fill the gaps."""
    free = iter(
        [axis for axis in range(1 + shape.rank) if all(atom.axis != axis for atom in view.atoms)],
    )
    axes = [group[0].axis if group else next(free) for group in view.groups]
    return "".join(_LETTERS[shape.rank][axis] for axis in (*axes[1:], axes[0]))


def _blocks(view: OnnxView, shape: Shape, target: Shape) -> Iterator[Layer]:
    """Yield channel shuffles, and layers that turn blocks of positions into channels or back."""
    plain = plainly(view.node, shape)
    if shape.rank and view.groups[1:] == plain.groups[1:] and len(view.groups[0]) == 2:
        inner, outer = view.groups[0]
        if view.groups[0] == (*outer.split(outer.size)[:1], inner)[::-1] and inner.stride == 1:
            yield Shuffle(outer.size)
    if shape.rank != 2 or target.rank != 2:
        return
    (height, width), channels = shape.spatial, shape.channels
    if target.spatial[0] % height == 0 and (by := target.spatial[0] // height) > 1 and channels % (by * by) == 0:
        rest = channels // (by * by)
        for order, parts, moved in (
            ("channels", (rest, by, by, height, width), (0, 3, 1, 4, 2)),
            ("blocks", (by, by, rest, height, width), (2, 3, 0, 4, 1)),
        ):
            if _moved(plain, parts, moved, target) == view:
                yield PixelShuffle(by, order)
    if height % target.spatial[0] == 0 and (by := height // target.spatial[0]) > 1 and width % by == 0:
        parts = (channels, height // by, by, width // by, by)
        for order, moved in (("channels", (0, 2, 4, 1, 3)), ("blocks", (2, 4, 0, 1, 3))):
            if _moved(plain, parts, moved, target) == view:
                yield PixelUnshuffle(by, order)


def _moved(view: OnnxView, parts: Sequence[int], order: Sequence[int], target: Shape) -> OnnxView | None:
    apart = view.reshaped(parts)
    return apart.permuted(order).reshaped((target.channels, *target.spatial)) if apart else None


def _repeated(view: OnnxView, shape: Shape) -> Iterator[tuple[Layer, Sequence[AxisRuns]]]:
    """Yield a layer that repeats each position, along axes that are whole."""
    factors = [1] * shape.rank
    for group in view.groups:
        if any(atom.axis == REPEATED for atom in group):
            if len(group) != 2 or group[0].axis < 1 or group[0].size != shape.spatial[group[0].axis - 1]:
                return
            factors[group[0].axis - 1] = group[1].size
    grown = plainly(0, Shape(shape.channels, tuple([n * by for n, by in zip(shape.spatial, factors, strict=True)])))
    scale = tuple(factors) if len(set(factors)) > 1 else (factors[0],)
    yield Upsample(scale), [grown.groups[group[0].axis] if len(group) == 2 else group for group in view.groups]


def _turned(view: OnnxView, shape: Shape) -> Iterator[tuple[Layer, Sequence[AxisRuns]]]:
    """Yield a permutation of whole axes, and what remains to be done."""
    atoms = view.atoms
    axes = [atom.axis for atom in atoms]
    if len(set(axes)) != len(axes) or atoms == plainly(0, shape).atoms:
        return
    sizes = [atom.size for atom in atoms]
    if atoms == _last(shape):
        inner = plainly(-1, Shape(shape.numel))
    else:
        missing = [axis for axis in range(1 + shape.rank) if axis not in axes]
        order = OnnxView(0, tuple([(atom,) for atom in atoms] + [() for _ in missing]))
        layer = Permute(_order(order, shape))
        inner = plainly(-1, layer.output(shape))
        regrouped = inner.reshaped(sizes)
        found = regrouped and regrouped.reshaped(view.dims)
        if found:
            yield layer, found.groups
        return
    found = inner.reshaped(view.dims)
    if found:
        yield Flatten("last"), found.groups


def _split(view: OnnxView, shape: Shape) -> Iterator[tuple[Layer, Sequence[AxisRuns]]]:
    """Yield a reshape that makes each factor an axis of its own, if there are few enough."""
    atoms = sorted(view.atoms, key=lambda atom: (atom.axis, -atom.stride))
    extents = [atom.size for atom in atoms]
    if len(atoms) > 1 + MOST_AXES or len(atoms) <= len([size for size in shape.hwc if size > 1]):
        return
    target = Shape(extents[0], tuple(extents[1:]))
    places = {atom: at for at, atom in enumerate(atoms)}
    apart = plainly(-1, target)
    groups = [tuple([one for atom in group for one in apart.groups[places[atom]]]) for group in view.groups]
    yield Reshape(target.hwc), groups
