"""Receptive fields of random programs, held against what layers of PyTorch really reach.

Every layer is run as `Reference` builds it, with weights of one and without biases; what only bends values is left out
and products and differences are sums, so that no path is lost. A gradient with positive weights is nonzero exactly
where a path leads, so ones are sent in slab by slab of the plane, and after each layer what arrived is made ones again:
nothing rounds, nothing cancels. What arrives is held against an enumeration of the taps of each window, value for
value, at the edges too; and the fields against that enumeration, which they always hold and from which they may differ
only where

- a unit's window, or that of a unit it sees, hangs over the edge of a map between: fields go on beyond it as if the
  map did, the convention of the literature;
- branches of different strides met on a map of more than 4096 positions, or a pattern longer than that was met: their
  field is then a bound and says so (`at_most`);
- a unit sees padding alone: a CONVT with gaps, or a CONV1(pad=1);
- a CONVT with a stride is dilated, so that its weights may miss the ends of a range: a bound as well;
- values were moved, by RESHAPE, PERMUTE or Darknet's reorg, each from one position of many;
- channels of a `SLICE` or `PICK` come from one branch of several (a field holds what any channel sees), or an
  UPSAMPLE is bicubic, whose weights have zeros.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cnndsl.analysis.receptive_field import Field, receptive_fields
from cnndsl.graph import Graph, Node
from cnndsl.layers import activation, arrange, blur, conv, dense, dropout, local_norm, margin, norm, response
from cnndsl.layers.base import Layer, TorchCall, TorchFunction
from cnndsl.layers.borders import amount
from cnndsl.layers.merge import MergeLayer, Mul, Sub
from cnndsl.layers.pixel_shuffle import PixelUnshuffle
from cnndsl.layers.reshape import Permute, Reshape
from cnndsl.layers.resize import Upsample
from cnndsl.shape import Shape
from cnndsl.testing import Reference, programs
from tests.random.test_programs import examples, graph_of

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")
"""PyTorch says that an even kernel costs a copy."""

BENDS = (
    activation.Activation,
    norm.BatchNorm,
    local_norm.LocalResponseNorm,
    response.RootMeanSquareNorm,
    response.EuclideanNorm,
    dropout.Dropout,
    dropout.DropPath,
    arrange.Times,
)
"""Each value by itself, or with others of its position."""


@dataclass(frozen=True)
class Sight:
    """What the units of a node see of the plane, for each axis of it: slab x position. `cut` is true at positions
    where the edge of a map between hides something, `bound` where the field may be larger throughout."""

    axes: tuple[Tensor, ...]
    cut: tuple[Tensor, ...]
    whole: bool = False
    bound: bool = False

    @property
    def together(self) -> Sight:
        """What all units see, as one unit."""
        return Sight(
            tuple(seen.any(1, keepdim=True) for seen in self.axes),
            tuple(cut.any(0, keepdim=True) for cut in self.cut),
            True,
            self.bound,
        )

    def over(self, shape: Shape) -> Sight:
        """One unit's sight as that of each unit of a shape."""
        extents = shape.spatial if shape.rank == len(self.axes) else (1,) * len(self.axes)
        return Sight(
            tuple(seen.expand(-1, extent) for seen, extent in zip(self.axes, extents, strict=True)),
            tuple(cut.expand(extent) for cut, extent in zip(self.cut, extents, strict=True)),
            True,
            self.bound,
        )


def is_statistical(layer: Layer) -> bool:
    """True where each value is normalised by what other positions hold."""
    return isinstance(layer, norm.NormOverPositions) and getattr(layer, "over", "all") != "channels"


def is_moving(node: Node) -> bool:
    """True where values move between positions: a field holds all from which one may come."""
    darknet = isinstance(node.layer, PixelUnshuffle) and node.layer.order == "darknet"
    return darknet or isinstance(node.layer, Reshape | Permute)


LEAST = 2e-5
"""Less is what interpolation in single precision makes of a weight of 0; more is what any path brings."""


def plain(layer: Layer) -> Layer:
    """The layer with weights as they are, since standardised ones would not be ones, and with zeros around the map."""
    if isinstance(layer, conv.Conv):
        return replace(layer, standardise="none", border="zeros", pad=amount(layer.pad))
    if isinstance(layer, blur.BlurPool):
        return replace(layer, border="zeros")
    return margin.ZeroPad(layer.pad, after=layer.after) if isinstance(layer, margin.FilledPad) else layer


class Reaching(Reference):
    """A network of ones, in which whatever reaches a unit arrives."""

    def __init__(self, graph: Graph) -> None:
        super().__init__(graph)
        for node in graph.layers:
            if (layer := plain(node.layer)) is not node.layer:
                self.modules[node.index] = self._made(layer, *graph.shapes(node))
        for module in self.modules.values():
            module.eval()
            for name, parameter in module.named_parameters():
                torch.nn.init.constant_(parameter, 0 if name == "bias" else 1)

    def _made(self, layer: Layer, *inputs: Shape) -> torch.nn.Module:
        call = layer.torch(*inputs)
        assert isinstance(call, TorchCall)
        exec(call.source, self._names)
        return self._build(call)

    def _apply(self, node: Node, inputs: list[Tensor], values: dict[int, Tensor]) -> Tensor:  # type: ignore[override]
        if isinstance(node.layer, local_norm.LocalResponseNorm) and node.layer.over == "positions":
            average = getattr(torch.nn.functional, f"avg_pool{inputs[0].dim() - 2}d")
            return average(inputs[0], node.layer.size, 1, node.layer.size // 2)
        if isinstance(node.layer, BENDS):
            return inputs[0]
        if isinstance(node.layer, norm.NormOverPositions):
            spread = inputs[0].flatten(1).amax(1).reshape(-1, *(1,) * (inputs[0].dim() - 1))
            return inputs[0] + spread if is_statistical(node.layer) else inputs[0]
        if isinstance(node.layer, dense.RadialBasis):
            return inputs[0].flatten(1).sum(1, keepdim=True).expand(-1, node.layer.features)
        if isinstance(node.layer, Mul | Sub):
            template = node.layer.torch(*self.graph.shapes(node)).template
            return self._evaluate(TorchFunction(re.sub(" [*-] ", " + ", template)), inputs)
        return super()._apply(node, inputs, values)


def reached(graph: Graph, start: int, axis: int, without: dict[int, set[int]]) -> dict[int, Tensor]:
    """For each node that depends on the start: slab of an axis x positions. `without` are operands to leave out."""
    plane = graph.nodes[start].shape
    network = Reaching(graph)
    count = plane.spatial[axis]
    slabs = torch.eye(count).reshape(count, 1, *(count if at == axis else 1 for at in range(plane.rank)))
    values = {start: slabs.expand(-1, plane.channels, *plane.spatial)}
    for node in graph.nodes[start + 1 :]:
        if not values.keys() & set(node.inputs):
            continue
        if node.index in without and is_statistical(node.layer):
            values[node.index] = values[node.inputs[0]]
            continue
        none = {at: torch.zeros(count, *channels_first(graph.nodes[at].shape)) for at in node.inputs}
        kept = {at: values[at] for at in node.inputs if at in values and at not in without.get(node.index, ())}
        inputs = [{**none, **kept}[at] for at in node.inputs]
        with torch.no_grad():
            values[node.index] = (network._apply(node, inputs, values).abs() > LEAST).float()
    return {at: value.any(1) for at, value in values.items()}


def channels_first(shape: Shape) -> tuple[int, ...]:
    return (shape.channels, *shape.spatial)


class Enumeration:
    """What each unit sees, tap by tap."""

    def __init__(self, graph: Graph, start: int, local: bool) -> None:
        self.graph, self.start, self.local = graph, start, local
        plane = graph.nodes[start].shape
        own = Sight(
            tuple(torch.eye(extent, dtype=torch.bool) for extent in plane.spatial),
            tuple(torch.zeros(extent, dtype=torch.bool) for extent in plane.spatial),
        )
        self.sights: dict[int, Sight] = {start: own}
        self.without: dict[int, set[int]] = {}
        """By node the operands that a local field leaves out."""
        self.mixed: set[int] = set()
        """Nodes whose channels may see different things."""
        for node in graph.nodes[start + 1 :]:
            self._add(node)

    def _add(self, node: Node) -> None:
        operands = [at for at in dict.fromkeys(node.inputs) if at in self.sights]
        if not operands:
            return
        if self.mixed & set(operands) or node.kind in ("CONCAT", "PADCHANNELS"):
            self.mixed.add(node.index)
        if isinstance(node.layer, MergeLayer):
            self.sights[node.index] = self._merged(node, operands)
            return
        sight = self._through(node, self.sights[operands[0]])
        is_choice = node.kind in ("SLICE", "PICK") and node.index in self.mixed
        is_cubic = isinstance(node.layer, Upsample) and node.layer.mode == "bicubic"
        is_blind = any(not seen.any(0).all() for seen in sight.axes)
        bound = sight.bound or is_choice or is_cubic or is_blind or is_moving(node)
        self.sights[node.index] = Sight(sight.axes, sight.cut, sight.whole, bound)

    def _through(self, node: Node, sight: Sight) -> Sight:
        (x,) = self.graph.shapes(node)
        if self.local and is_statistical(node.layer):
            self.without[node.index] = set()
            return sight
        window = node.layer.window(x)
        if window is None or x.rank != len(sight.axes):
            return sight.together.over(node.shape)
        spacing = getattr(node.layer, "dilation", (1,))
        axes: list[Tensor] = []
        cuts: list[Tensor] = []
        for at, (seen, cut) in enumerate(zip(sight.axes, sight.cut, strict=True)):
            reads = torch.zeros(x.spatial[at], node.shape.spatial[at])
            hidden = torch.zeros(node.shape.spatial[at], dtype=torch.bool)
            numbers = (window.extent[at], window.step[at], window.before[at], (window.grow or (1,) * x.rank)[at])
            for position in range(node.shape.spatial[at]):
                taps = taps_of(position, *numbers, spacing[at if len(spacing) > 1 else 0])
                inside = [tap for tap in taps if 0 <= tap < x.spatial[at]]
                reads[inside, position] = 1
                spread = x.spatial[at] == 1 < node.shape.spatial[at]
                hidden[position] = not spread and is_cut(taps, inside, x.spatial[at], node.inputs[0] == self.start)
            axes.append(seen.float() @ reads > 0)
            cuts.append((cut.float() @ reads > 0) | hidden)
        return Sight(tuple(axes), tuple(cuts), sight.whole, sight.bound)

    def _merged(self, node: Node, operands: list[int]) -> Sight:
        sights = {at: self._placed(at, node) for at in operands}
        wholes = {at for at, sight in sights.items() if sight.whole}
        if self.local and wholes and len(wholes) < len(sights):
            self.without[node.index] = wholes
            sights = {at: sight for at, sight in sights.items() if at not in wholes}
        several = list(sights.values())
        if any(sight.whole for sight in several):
            several = [sight if sight.whole else sight.together.over(node.shape) for sight in several]
        return Sight(
            tuple(torch.stack(each).any(0) for each in zip(*(sight.axes for sight in several), strict=True)),
            tuple(torch.stack(each).any(0) for each in zip(*(sight.cut for sight in several), strict=True)),
            any(sight.whole for sight in several),
            any(sight.bound for sight in several),
        )

    def _placed(self, at: int, node: Node) -> Sight:
        sight = self.sights[at]
        if self.graph.nodes[at].shape.spatial == node.shape.spatial:
            return sight
        return sight.together.over(node.shape)


def taps_of(position: int, extent: int, step: int, before: int, grow: int, spacing: int) -> list[int]:
    """The positions that a window reads, outside the map too."""
    if grow == 1:
        return [position * step - before + tap for tap in range(0, extent, spacing)]
    reads = (position * step + before - tap for tap in range(0, extent, spacing))
    return sorted(read // grow for read in reads if read % grow == 0)


def is_cut(taps: list[int], inside: list[int], extent: int, is_plane: bool) -> bool:
    """True where a window has taps outside a map; in the plane that hides nothing, if the taps lie dense there."""
    if not inside:
        return True
    if not is_plane:
        return len(inside) < len(taps)
    return (inside[0], inside[-1]) != (max(0, taps[0]), min(extent - 1, taps[-1]))


def check(text: str, at: int = 0, local: bool = False) -> tuple[int, int]:
    """Asserts that the fields on a plane hold what is reached. How many ranges there were, and how many were exact."""
    graph = graph_of(text)
    planes = [node.index for node in graph if node.shape.rank]
    start = planes[at % len(planes)]
    plane = graph.nodes[start].shape
    enumeration = Enumeration(graph, start, local)
    fields = [field.local if field and local else field for field in receptive_fields(graph, start).values()]
    for axis in range(plane.rank):
        arrived = reached(graph, start, axis, enumeration.without)
        assert arrived.keys() == enumeration.sights.keys()
        for node in graph:
            assert (node.index in arrived) == (fields[node.index] is not None), node
            if node.index in arrived:
                agrees(node, axis, arrived[node.index], enumeration.sights[node.index])
    return holds(graph, fields, enumeration.sights)


def agrees(node: Node, axis: int, arrived: Tensor, sight: Sight) -> None:
    """What arrived at each unit is what the taps say."""
    others = [1] * node.shape.rank
    seen = sight.axes[axis]
    if len(others) == len(sight.axes):
        others[axis] = -1
    expected = seen.reshape(len(seen), *others).expand_as(arrived) if others else seen[:, 0]
    if sight.bound:
        assert not (arrived & ~expected).any(), node
    else:
        assert torch.equal(arrived, expected), node


def holds(graph: Graph, fields: list[Field | None], sights: dict[int, Sight]) -> tuple[int, int]:
    checked = exact = 0
    for at, sight in sights.items():
        node, field = graph.nodes[at], fields[at]
        assert field is not None
        assert field.whole == sight.whole, node
        for track, seen, cut in zip(field.tracks, sight.axes, sight.cut, strict=True):
            for position in range(seen.shape[1]):
                first, last = track.at(position)
                found = seen[:, position].nonzero().flatten().tolist() or [0]
                box = max(0, first), min(len(seen) - 1, last)
                checked += 1
                if seen[:, position].any():
                    assert box[0] <= found[0], (node, position)
                    assert box[1] >= found[-1], (node, position)
                if not track.bound and not sight.bound and not cut[position]:
                    exact += 1
                    assert box == (found[0], found[-1]), (node, position)
    return checked, exact


planes = st.one_of(st.just(0), st.integers(0, 40))


@examples
@given(programs(), planes)
def test_fields_hold_what_reaches_a_unit(text: str, at: int) -> None:
    check(text, at)


@examples
@given(programs(), planes)
def test_local_fields_hold_what_reaches_a_unit_without_gates_and_statistics(text: str, at: int) -> None:
    check(text, at, local=True)


FOUND = {
    "a CONVT of stride 1 reads ahead of a position": "INPUT 5x5x1 -> CONVT3-1(pad=2) -> CONV3-1",
    "a CONVT that pads more than its kernel": "INPUT 6x6x1 -> CONVT1-1(pad=1, bias=no)",
    "a CONVT whose weights have gaps": "INPUT 9x1 -> CONVT4-1/2(dilation=3)",
    "a CONVT whose weights have gaps, and a mean of one": "INPUT 7x9x1 -> CONVT3-1/2(dilation=3, pad=2) -> AVGPOOL1",
    "a CONVT of stride 1 along one axis": "INPUT 6x6x2 -> CONVT3x4-2/1x2(pad=2x0, out_pad=0x1)",
}
BY_HAND = {
    "a gate": "INPUT 9x7x2 -> CONV3-2(pad=valid) -> MUL(ID, GAP -> FC-2 -> SIGMOID) -> POOL2",
    "branches of another stride where corners are aligned": (
        "INPUT 60x1 -> (ID | AVGPOOL(out=2) -> UPSAMPLE(out=60, mode=linear, align=yes)) -> CONV1-1"
    ),
    "another stride, then windows": (
        "INPUT 24x30x1 -> (ID | MAXPOOL(out=5x4) -> UPSAMPLE(out=24x30, mode=bilinear, align=yes))"
        " -> CONV3-2/2 -> POOL2"
    ),
    "three strides": (
        "INPUT 32x1 -> (ID + POOL3/2(pad=1) -> UPSAMPLE(out=32, mode=linear, align=yes)"
        " + POOL(out=4) -> UPSAMPLE(out=32, mode=linear)) -> CONVT2-1/2"
    ),
    "one position": "INPUT 8x8x1 -> a: CONV3-1 -> b: CONV8-1(pad=valid) -> c: CONVT8-1/1(pad=valid)",
    "one position beside all": "INPUT 8x8x1 -> (ID + CONV8-1(pad=valid) -> UPSAMPLE8) -> CONV3-1 -> POOL2",
    "one position along an axis": "INPUT 6x9x1 -> CONV6x1-1(pad=valid) -> CONVT4x3-2/1x3(pad=valid) -> POOL2x1",
    "a product with one position": "INPUT 6x6x1 -> MUL(CONV3-1, CONV6-1(pad=valid)) -> CONV3-1",
    "branches of other strides": "INPUT 16x16x1 -> (CONV3-4/2 + CONV9-4(pad=valid)) -> CONV3-1",
    "a crop hides what the next window would see": "INPUT 9x1 -> CONV3-1(pad=valid) -> CROP(1) -> CONV3-1",
    "a branch that halves and doubles": "INPUT 16x12x1 -> (ID + POOL2 -> UPSAMPLE2) -> CONV3-1",
    "gaps": "INPUT 20x1 -> CONV2-1(dilation=4) -> CONVT2-1/3(pad=0) -> CONV3-1",
}


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("text", [*FOUND.values(), *BY_HAND.values()], ids=[*FOUND, *BY_HAND])
def test_once_more(text: str, local: bool) -> None:
    check(text, local=local)


def test_a_transposed_convolution_of_stride_1_slides_backwards() -> None:
    """Output p takes p + pad - k for k = 0, 1, 2: with pad=2 the positions p to p + 2, as CONV3(pad=valid) does."""
    for text in ("INPUT 5x5x1 -> CONVT3-1(pad=2)", "INPUT 5x5x1 -> CONV3-1(pad=valid)"):
        field = receptive_fields(graph_of(text))[1]
        assert field is not None
        assert [field.box((at, at))[0] for at in range(3)] == [(0, 2), (1, 3), (2, 4)]
