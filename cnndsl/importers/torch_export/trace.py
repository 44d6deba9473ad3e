"""The steps of one program as they come in, and what every operator needs to add one."""

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
    """The steps so far; `origin` is the operator that is being read."""

    def __init__(
        self,
        batch: int,
        tensors: Mapping[str, tuple[int, ...]],
        fixed: Set[str] = frozenset(),
        others: Mapping[FxNode, FxNode] | None = None,
    ) -> None:
        self.batch = batch
        self.fixed = fixed
        """The names of buffers that hold a binomial filter, and are in no file of weights."""
        self._others = others or {}
        self.tensors = tensors
        """The extents of parameters and buffers, by name."""
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
        """Add a layer, with its tensors by the names that it has for them. Raises Unsaid where it does not fit."""
        try:
            shape = infer(layer, [self.steps[at].shape for at in inputs])
        except LayerError as stop:
            raise Unsaid(stop.message) from None
        names = {name: self._own(weight) for name, weight in (tensors or {}).items() if weight is not None}
        return self._append(layer, tuple(inputs), shape, names, facts)

    def operation(
        self, name: str, inputs: Sequence[int], shape: Shape, tensors: Mapping[str, str] | None = None, **facts: object
    ) -> int:
        """Add an operation that is no layer."""
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
        """The shape of a value."""
        return self.steps[at].shape

    def elsewhere(self, at: int) -> tuple[int, ...] | None:
        """The extents of a value where the network was run on inputs of another size; None where they are not known."""
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
        """The tensor that is a value itself."""
        return whole(at, self.shape(at), self.batch)

    def value(self, view: View) -> int:
        """The value that is a tensor as it is, after layers that bring it into this order."""
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
        """The value that is all channels several times, side by side; None where no channels are repeated."""
        if len(view.dims) < 2 or not view.dims[1] or view.dims[1][0].axis != SPREAD:
            return None
        several, *others = view.dims[1]
        once = self.value(View(view.at, (view.dims[0], tuple(others), *view.dims[2:])))
        return self.layer(Concat(), [once] * several.size)

    def is_shuffled(self, view: View) -> bool:
        """Whether a tensor is a map whose channels were dealt out."""
        shape = self.shape(view.at)
        if len(view.dims) != shape.rank + 2 or len(view.dims[1]) != 2:
            return False
        try:
            return [type(each) for each in arrangement(view, shape, self.batch)] == [Shuffle]
        except ViewError:
            return False

    def settled(self, view: View) -> View:
        """The same tensor as a value of its own, in which its dimensions are batch, channels and axes."""
        return self.whole(self.value(view))

    def map(self, view: View, rank: int) -> int:
        """The map that a tensor is."""
        if len(view.dims) != rank + 2:
            raise Unsaid(f"it has {len(view.dims)} dimensions, and {rank + 2} are a map in a batch")
        return self.value(view)

    def each(self, layer: Layer, *views: View) -> View:
        """What a layer that works value by value makes of tensors that lie alike, in whatever order they are."""
        return views[0].of(self.layer(layer, [each.at for each in views]))

    def is_channels(self, view: View, number: int) -> bool:
        """Whether a dimension goes over all channels."""
        channels = self.shape(view.at).channels
        return view.dims[view.dim(number)] == full(CHANNELS, channels) and (channels > 1 or self._lone(view, number))

    def _lone(self, view: View, number: int) -> bool:
        """Whether a dimension of size 1 is where a single channel would be: in front of the axes, or at the end."""
        return view.dim(number) in (1, len(view.dims) - 1)

    def rechannelled(self, view: View, number: int, at: int) -> View:
        """The tensor of a value with other channels, which this dimension goes over."""
        dims = list(view.dims)
        dims[view.dim(number)] = full(CHANNELS, self.shape(at).channels)
        return View(at, tuple(dims))

    def pair(self, first: View, second: View) -> tuple[int, int, tuple[Dimension, ...]]:
        """The values of two tensors that are brought together, and the dimensions of the result.

        Where both lie alike that is done in whatever order their values are.
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
        """A value of the extents of another: one position, or one channel, is repeated."""
        wanted, shape = self.shape(like), self.shape(at)
        if shape.rank == 0 and wanted.rank > 0:
            at = self.layer(Reshape((*(1,) * wanted.rank, shape.channels)), [at])
        if self.shape(at).pixels == 1 and wanted.pixels > 1:
            at = self.layer(Upsample(like=True), [at, like], likes=(like,))
        if shape.channels == 1 and wanted.channels > 1:
            at = self.layer(Concat(), [at] * wanted.channels)
        return at
