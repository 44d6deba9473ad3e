"""The steps of one program as it is read, and the methods that operators use to add steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from cnndsl.importers.torch_export.arranging import arrangement
from cnndsl.importers.torch_export.origins import module_of
from cnndsl.importers.torch_export.steps import FixedValue, ReadStep, Unsaid
from cnndsl.importers.torch_export.views import (
    CHANNELS,
    SPREAD,
    Dimension,
    View,
    ViewError,
    aligned,
    full,
    narrow,
    whole,
)
from cnndsl.layers.arrange import Shuffle
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.dense import Input
from cnndsl.layers.infer import infer
from cnndsl.layers.merge import Concat
from cnndsl.layers.reshape import Reshape
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape

if TYPE_CHECKING:
    from torch.fx import Node as FxNode


class ProgramTrace:
    """The steps so far; `origin` is the operator being read."""

    def __init__(
        self,
        batch: int,
        tensors: Mapping[str, tuple[int, ...]],
        fixed: Set[str] = frozenset(),
        others: Mapping[FxNode, FxNode] | None = None,
    ) -> None:
        self.batch = batch
        self.fixed = fixed
        """The names of buffers that hold a binomial filter and are not saved in weight files."""
        self._others = others or {}
        self.tensors = tensors
        """The shapes of parameters and buffers, by name."""
        self.steps: list[ReadStep] = []
        self.origin: FxNode | None = None
        self._arranged: dict[tuple[int, tuple[Dimension, ...]], int] = {}

    # Steps

    def input(self, shape: Shape, origin: FxNode) -> View:
        """Add an input."""
        self.origin = origin
        return self.whole(self._append(Input(shape.hwc), (), shape, {}, {}))

    def layer(
        self,
        layer: Layer,
        inputs: Sequence[int],
        tensors: Mapping[str, FixedValue | None] | None = None,
        **facts: object,
    ) -> int:
        """Add a layer, with tensors by the layer's own names for them. Raises Unsaid if it does not fit its inputs."""
        try:
            shape = infer(layer, [self.steps[at].shape for at in inputs])
        except LayerError as stop:
            raise Unsaid(stop.message) from None
        names = {name: self._own(weight) for name, weight in (tensors or {}).items() if weight is not None}
        return self._append(layer, tuple(inputs), shape, names, facts)

    def operation(
        self, name: str, inputs: Sequence[int], shape: Shape, tensors: Mapping[str, str] | None = None, **facts: object
    ) -> int:
        """Add an operation that is not a layer."""
        return self._append(name, tuple(inputs), shape, tensors or {}, facts)

    def _own(self, weight: FixedValue) -> str:
        if not weight.name:
            raise Unsaid("its weights are computed")
        return weight.name

    def _append(
        self,
        op: Layer | str,
        inputs: tuple[int, ...],
        shape: Shape,
        tensors: Mapping[str, str],
        facts: Mapping[str, object],
    ) -> int:
        assert self.origin is not None
        number = len(self.steps)
        module = module_of(self.origin)[0]
        self.steps.append(ReadStep(number, op, inputs, shape, self.origin, tensors, facts, module, self.tensors))
        return number

    def know(self, at: int, **facts: object) -> None:
        """Add facts to a step."""
        self.steps[at] = replace(self.steps[at], facts={**self.steps[at].facts, **facts})

    def shape(self, at: int) -> Shape:
        """Return the shape of a value."""
        return self.steps[at].shape

    def elsewhere(self, at: int) -> tuple[int, ...] | None:
        """Return the sizes of a value in the run on inputs of another size; None if they are unknown."""
        step = self.steps[at]
        here, there = step.origin, self._others.get(step.origin)
        if there is None or not hasattr(here.meta["val"], "shape"):
            return None
        extents = tuple([int(each) for each in here.meta["val"].shape])
        if extents != (self.batch, step.shape.channels, *step.shape.spatial):
            return None
        return tuple([int(each) for each in there.meta["val"].shape[2:]])

    # Views

    def whole(self, at: int) -> View:
        """Return the tensor that is exactly a value."""
        return whole(at, self.shape(at), self.batch)

    def value(self, view: View) -> int:
        """Return the value that equals a tensor, after adding layers that rearrange it if needed."""
        key = (view.at, view.dims)
        if key in self._arranged:
            return self._arranged[key]
        if (several := self._repeated(view)) is not None:
            self._arranged[key] = several
            return several
        try:
            layers = arrangement(view, self.shape(view.at), self.batch)
        except ViewError as stop:
            raise Unsaid(str(stop)) from None
        at = view.at
        for layer in layers:
            at = self.layer(layer, [at])
        self._arranged[key] = at
        return at

    def _repeated(self, view: View) -> int | None:
        """Return the value that repeats all channels side by side; None if no channels are repeated."""
        if len(view.dims) < 2 or not view.dims[1] or view.dims[1][0].axis != SPREAD:
            return None
        several, *others = view.dims[1]
        once = self.value(View(view.at, (view.dims[0], tuple(others), *view.dims[2:])))
        return self.layer(Concat(), [once] * several.size)

    def is_shuffled(self, view: View) -> bool:
        """Return whether a tensor is a map with shuffled channels."""
        shape = self.shape(view.at)
        if len(view.dims) != shape.rank + 2 or len(view.dims[1]) != 2:
            return False
        try:
            return [type(each) for each in arrangement(view, shape, self.batch)] == [Shuffle]
        except ViewError:
            return False

    def settled(self, view: View) -> View:
        """Return the tensor as a value of its own, with dimensions batch, channels and axes."""
        return self.whole(self.value(view))

    def map(self, view: View, rank: int) -> int:
        """Return the value of a tensor that is a map of this rank."""
        if len(view.dims) != rank + 2:
            raise Unsaid(f"it has {len(view.dims)} dimensions, and {rank + 2} are a map in a batch")
        return self.value(view)

    def each(self, layer: Layer, *views: View) -> View:
        """Apply an elementwise layer to tensors with the same layout, whatever that layout is."""
        return views[0].of(self.layer(layer, [each.at for each in views]))

    def is_channels(self, view: View, number: int) -> bool:
        """Return whether a dimension covers all channels."""
        channels = self.shape(view.at).channels
        return view.dims[view.dim(number)] == full(CHANNELS, channels) and (channels > 1 or self._lone(view, number))

    def _lone(self, view: View, number: int) -> bool:
        """Return whether a dimension of size 1 is where a single channel would be: before the axes, or last."""
        return view.dim(number) in (1, len(view.dims) - 1)

    def rechannelled(self, view: View, number: int, at: int) -> View:
        """Return the view of a value with a different number of channels, which this dimension covers."""
        dims = list(view.dims)
        dims[view.dim(number)] = full(CHANNELS, self.shape(at).channels)
        return View(at, tuple(dims))

    def pair(self, first: View, second: View) -> tuple[int, int, tuple[Dimension, ...]]:
        """Return the values of two tensors to be combined, and the dimensions of the result.

        If both have the same layout, their values are combined in that layout.
        """
        a, b = narrow(first), narrow(second)
        dims = aligned(a, b)
        if dims is not None:
            return a.at, b.at, dims
        if first.sizes != second.sizes:
            raise Unsaid("the dimensions of one are repeated along others of the other")
        x, y = self.settled(first), self.settled(second)
        return x.at, y.at, x.dims

    def spread(self, at: int, like: int) -> int:
        """Expand a value to the shape of another: a single position, or a single channel, is repeated."""
        wanted, shape = self.shape(like), self.shape(at)
        if shape.rank == 0 and wanted.rank > 0:
            at = self.layer(Reshape((*(1,) * wanted.rank, shape.channels)), [at])
        if self.shape(at).pixels == 1 and wanted.pixels > 1:
            at = self.layer(Upsample(like=True), [at, like], likes=(like,))
        if shape.channels == 1 and wanted.channels > 1:
            at = self.layer(Concat(), [at] * wanted.channels)
        return at
