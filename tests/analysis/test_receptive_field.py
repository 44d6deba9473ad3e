"""Receptive fields: against published figures, and against the support of input gradients."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import torch

import cnndsl
from cnndsl.analysis.receptive_field import Field, disagreements, last_map, receptive_fields
from cnndsl.graph import Graph, ancestors
from tests.analysis.measuring import live, make_transparent, support
from tests.analysis.nets import NETS

REFERENCE = Path(__file__).parent.parent / "reference"
TORCHVISION: dict[str, Any] = json.loads((REFERENCE / "torchvision.json").read_text(encoding="utf-8"))["nets"]
PUBLISHED: list[dict[str, Any]] = json.loads(
    (REFERENCE / "receptive_field_published.json").read_text(encoding="utf-8")
)["rows"]

VGG = {"vgg_a": "vgg11", "vgg_16": "vgg16"}
PLACES = {
    "alexnet_v2": ("alexnet_lecture", {"pool5": "pool3"}),
    "inception_v3": (
        "inception_v3",
        {"MaxPool_3a_3x3": "maxpool1", "MaxPool_5a_3x3": "maxpool2"}
        | {f"Mixed_{part}": f"Mixed_{part}.concat" for part in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a")}
        | {f"Mixed_{part}": f"Mixed_{part}.concat3" for part in ("7b", "7c")},
    ),
}
"""For a published net the one here, and the path of each end point whose name is another."""


def fields_of(graph: Graph, start: int = 0) -> dict[str, Field]:
    fields = receptive_fields(graph, start)
    return {node.path: field for node, field in zip(graph.nodes, fields.values(), strict=True) if field}


@pytest.mark.parametrize("name", [name for name in TORCHVISION if name in cnndsl.zoo()])
def test_the_last_map_sees_what_was_measured(name: str) -> None:
    graph = cnndsl.load(name).graph
    fields = receptive_fields(graph)
    field = fields[last_map(graph, fields)]
    assert field is not None
    wanted = TORCHVISION[name]["receptive_field"]
    assert field.local.size == (wanted["rf"],) * 2
    assert field.local.stride == (wanted["stride"],) * 2
    assert field.local.padding == (wanted["pad"],) * 2
    assert field.local.aligned


def place(row: dict[str, Any]) -> tuple[str, str]:
    """The net here, and the path in it, of a published row."""
    end_point = row["end_point"].rpartition("/")[2]
    if row["cnn"] in VGG:
        name = VGG[row["cnn"]]
        return name, f"features.{vgg_places(name)[end_point]}"
    name, others = PLACES[row["cnn"]]
    return name, others.get(end_point, end_point)


def vgg_places(name: str) -> dict[str, int]:
    """The place in `features` of each convolution and pooling, by its name in the paper's tables."""
    places: dict[str, int] = {}
    block, layer = 1, 0
    features = [node for node in cnndsl.load(name).graph.layers if node.path.startswith("features.")]
    for at, node in enumerate(features):
        if node.kind == "CONV":
            layer += 1
            places[f"conv{block}_{layer}"] = at
        elif node.kind == "POOL":
            places[f"pool{block}"] = at
            block, layer = block + 1, 0
    return places


ROWS = [row for row in PUBLISHED if row["cnn"] in {*VGG, *PLACES}]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['cnn']}-{row['end_point']}")
def test_published_end_points(row: dict[str, Any]) -> None:
    name, path = place(row)
    fields = fields_of(cnndsl.load(name).graph)
    field = fields.get(path) or fields[f"{path}.conv"]
    assert (field.size[0], field.stride[0], field.padding[0]) == (row["rf"], row["stride"], row["padding"])


@pytest.mark.parametrize(
    "name",
    [
        "small_residual",
        "small_dense",
        "small_inception",
        "small_unet",
        "small_signal",
        "small_volume",
    ],
)
def test_the_field_is_the_support_of_the_input_gradient(name: str) -> None:
    """In double precision, so that no gradient is lost; where units see all of the input, in the middle of it."""
    graph = (cnndsl.loads(NETS[name]) if name in NETS else cnndsl.load(name)).graph
    network, _ = live(graph, 1, "cpu")
    seen: dict[str, torch.Tensor] = {}
    network.double().eval()
    make_transparent(network)
    for path, child in network.named_modules():
        child.register_forward_hook(lambda _m, _i, output, path=path: seen.update({path: output}))
    x = torch.ones(1, graph.input.channels, *graph.input.spatial, dtype=torch.float64, requires_grad=True)
    network(x)
    checked = 0
    for node, field in zip(graph.nodes, receptive_fields(graph).values(), strict=True):
        if node.path not in seen or field is None or field.whole or not node.shape.rank or node.training_only:
            continue
        for share in (0, Fraction(1, 3), Fraction(1, 2)):
            unit = tuple(int(extent * share) for extent in node.shape.spatial)
            value = seen[node.path][(0, slice(None), *unit)].sum()
            box = [(max(0, a), min(e - 1, b)) for (a, b), e in zip(field.box(unit), graph.input.spatial, strict=True)]
            assert support(x, value) == tuple(box), (node.path, unit)
            checked += 1
    assert checked > 10


def test_a_pair_of_layers() -> None:
    graph = cnndsl.loads("INPUT 64x64x3 -> a: CONV3-4/2 -> b: CONV3-4 -> c: POOL2 -> d: CONV5-4").graph
    fields = fields_of(graph, graph.by_path["b"].index)
    # Pooling 2, then 5 pixels of 2.
    assert (fields["c"].size, fields["c"].stride, fields["c"].padding) == ((2, 2), (2, 2), (0, 0))
    assert (fields["d"].size, fields["d"].stride, fields["d"].padding) == ((10, 10), (2, 2), (4, 4))
    assert "a" not in fields


def test_axes_differ() -> None:
    field = fields_of(cnndsl.loads("INPUT 64x64x3 -> CONV1x7-4 -> CONV3x1-4/2x1(pad=1x0)").graph)["1"]
    assert (field.size, field.stride, field.padding) == ((3, 7), (2, 1), (1, 3))


def test_dilation_spreads_the_field() -> None:
    # 1 + 2*1 + 2*2 + 2*4, the dilated stack of Yu and Koltun 2016, Figure 1: 3x3, 7x7, 15x15.
    graph = cnndsl.loads("INPUT 64x64x1 -> CONV3-1 -> CONV3-1(dilation=2) -> CONV3-1(dilation=4)").graph
    assert [field.size[0] for field in fields_of(graph).values()] == [1, 3, 7, 15]


def test_upsampling_halves_the_stride() -> None:
    field = fields_of(cnndsl.loads("INPUT 16x16x1 -> POOL2 -> CONV3-1 -> up: UPSAMPLE2").graph)["up"]
    assert field.stride == (1, 1)
    # Units 0 and 1 look alike, 2 and 3 two positions further on.
    assert [field.box((at, 0))[0] for at in range(4)] == [(-2, 3), (-2, 3), (0, 5), (0, 5)]


def test_branches_with_other_centres_are_not_aligned() -> None:
    graph = cnndsl.loads("INPUT 16x16x1 -> (CONV3-4 + CONV4-4) -> end: CONV3-4").graph
    fields = receptive_fields(graph)
    (merge,) = disagreements(graph, fields)
    # Even `same` kernels begin one position later than they end: 3 sees -1 to 1, 4 sees -1 to 2.
    assert (merge.node, merge.axis, merge.ranges) == (3, 0, ((-1, 1), (-1, 2)))
    assert [field.aligned for field in fields.values() if field] == [True, True, True, False, False]


def test_branches_of_other_strides_are_seen_unit_by_unit() -> None:
    graph = cnndsl.loads("INPUT 16x16x1 -> (CONV3-4/2 + CONV9-4(pad=valid))").graph
    fields = receptive_fields(graph)
    (merge,) = disagreements(graph, fields)
    assert merge.strides == (2, 1)
    last = fields[len(graph) - 1]
    assert last is not None
    assert not last.at_most
    for at in range(8):
        assert last.box((at, at))[0] == (min(2 * at - 1, at), max(2 * at + 1, at + 8))
    # Units 0 and 7 see -1 to 8 and 7 to 15; no unit sees more than unit 0.
    assert (last.size, last.stride, last.padding) == ((10, 10), (2, 2), (1, 1))


def supports(graph: Graph, units: list[int], least: float = 1e-9) -> list[tuple[tuple[int, int], ...]]:
    """The positions of the input that units on the diagonal of the last map depend on. Less than this share of the
    largest gradient is what rounding makes of a weight of 0."""
    network, _ = live(graph, 1, "cpu")
    network.double().eval()
    make_transparent(network)
    for parameter in network.parameters():
        # So that a long way brings about as much as a short one.
        torch.nn.init.constant_(parameter, 0.25)
    x = torch.ones(1, graph.input.channels, *graph.input.spatial, dtype=torch.float64, requires_grad=True)
    output = network(x)[0].sum(0)
    found: list[tuple[tuple[int, int], ...]] = []
    for unit in units:
        (gradient,) = torch.autograd.grad(output[(unit,) * output.dim()], x, retain_graph=True)
        where = (gradient > least * gradient.max())[0].any(0).nonzero()
        found.append(tuple(zip(where.min(0).values.tolist(), where.max(0).values.tolist(), strict=True)))
    return found


def test_where_a_map_meets_one_that_was_magnified_with_aligned_corners() -> None:
    text = "INPUT 60x1 -> (ID | AVGPOOL(out=2) -> UPSAMPLE(out=60, mode=linear, align=yes)) -> CONV1-1"
    graph = cnndsl.loads(text).graph
    last = receptive_fields(graph)[graph.output]
    assert last is not None
    assert (last.size, last.padding, last.at_most) == ((60,), (0,), False)
    assert [last.box((unit,)) for unit in range(60)] == supports(graph, list(range(60)))
    # The first and the last unit see one of the two means alone.
    assert [last.box((unit,))[0] for unit in (0, 30, 59)] == [(0, 29), (0, 59), (30, 59)]


def test_one_position_is_no_global_operation() -> None:
    graph = cnndsl.loads(
        "INPUT 8x8x1 -> a: CONV3-1 -> b: CONV8-1(pad=valid) -> c: CONVT8-1/1(pad=valid) -> d: CONV3-1"
    ).graph
    fields = fields_of(graph)
    # CONV8 of 8 positions of CONV3: 10, the first of them padding.
    assert [(field.size, field.padding, field.whole) for field in list(fields.values())[2:]] == [
        ((10, 10), (1, 1), False)
    ] * 3
    assert [fields[path].stride for path in "bcd"] == [(1, 1), (0, 0), (0, 0)]
    assert supports(graph, [0, 5]) == [((0, 7), (0, 7))] * 2


def test_a_code_of_one_position_does_not_hide_what_an_auto_encoder_sees() -> None:
    """Four times CONV3/2 see 31 positions; what makes a map of the one position that is left sees no fewer."""
    encoder = "INPUT 16x16x1 -> " + " -> ".join(["CONV3-2/2"] * 4)
    for decoder in ("CONVT4-2/4(pad=0) -> CONVT4-1/4(pad=0)", "UPSAMPLE4 -> CONV1-1 -> UPSAMPLE4"):
        graph = cnndsl.loads(f"{encoder} -> {decoder}").graph
        fields = [field for field in receptive_fields(graph).values() if field]
        assert [field.size[0] for field in fields[1:]] == [3, 7, 15, *[31] * (len(fields) - 4)]
        assert not fields[-1].whole
        assert not any(track.bound for track in fields[-1].tracks)


PYRAMID = """
block Bottleneck(c, s=1, d=1) = (CONV1-c -> CONV3-c/s(dilation=d) -> CONV1-c + ID or CONV1-c/s) -> RELU
block Pool(n) = AVGPOOL(out=n) -> CONV1-4 -> UPSAMPLE(out=60, mode=bilinear, align=yes)
INPUT 473x473x3 -> CONV3-8/2 -> CONV3-8 -> CONV3-8 -> POOL3/2(pad=1)
-> [Bottleneck(8)]*3 -> [Bottleneck(8, s=2) -> Bottleneck(8)*3] -> [Bottleneck(8, d=2)]*6 -> [Bottleneck(8, d=4)]*3
-> (ID | Pool(1) | Pool(2) | Pool(3) | Pool(6)) -> CONV3-8 -> CONV1-21
"""


def test_pyramid_pooling_sees_what_its_60_positions_do() -> None:
    """PSPNet-50 (Zhao et al. 2017): a position of the map of stride 8 sees 3 + 2*2 + 2*2 + 2*2 (the stem), 3 * 2*4, 2*4
    and 3 * 2*8, 6 * 4*8 and 3 * 8*8 more: 479. All 60 together see 59*8 + 479 = 951, and nothing after sees more."""
    graph = cnndsl.loads(PYRAMID).graph
    fields = receptive_fields(graph)
    last = fields[last_map(graph, fields)]
    assert last is not None
    assert 3 + 3 * 4 + 3 * 8 + 8 + 3 * 16 + 6 * 32 + 3 * 64 == 479
    assert last.local.size == (951, 951)
    assert last.size == (473, 473)


U_NET = """
default UPSAMPLE2(mode=linear, align=yes)
block Double(c) = [CONV3-c -> BN -> RELU]*2
INPUT 256x1 -> a: Double(4) -> POOL2 -> b: Double(8) -> POOL2 -> c: Double(16) -> POOL2 -> d: Double(32) -> POOL2
-> Double(32) -> (@d | UPSAMPLE2) -> Double(16) -> (@c | UPSAMPLE2) -> Double(8) -> (@b | UPSAMPLE2) -> Double(4)
-> (@a | UPSAMPLE2) -> Double(4) -> CONV1-2
"""


def test_a_u_net_with_aligned_corners() -> None:
    """As in the PyTorch U-Net that is used most. The outermost positions count 1e-19 times as much as the middle, so
    that everything above zero counts here."""
    graph = cnndsl.loads(U_NET).graph
    last = receptive_fields(graph)[graph.output]
    assert last is not None
    found = supports(graph, list(range(256)), least=0)
    assert [(max(0, first), min(255, end)) for unit in range(256) for first, end in last.box((unit,))] == [
        support for (support,) in found
    ]
    assert last.size == (max(end - first + 1 for ((first, end),) in found),) == (236,)


NESTED = """
default UPSAMPLE2(mode=linear, align=yes)
block Unit(c) = CONV3-c -> RELU -> CONV3-c -> RELU
INPUT 128x1 -> c00: Unit(2) -> POOL2 -> c10: Unit(2) -> POOL2 -> c20: Unit(2)
-> (@c00 | @c10 -> UPSAMPLE) -> c01: Unit(2) -> (@c10 | @c20 -> UPSAMPLE) -> c11: Unit(2)
-> (@c00 | @c01 | @c11 -> UPSAMPLE) -> Unit(2) -> CONV1-1
"""


def test_nested_u_nets_with_aligned_corners() -> None:
    """UNet++ (Zhou et al. 2018) of three levels: boxes of units away from the edges, which no padding of a map cuts."""
    graph = cnndsl.loads(NESTED).graph
    last = receptive_fields(graph)[graph.output]
    assert last is not None
    units = list(range(30, 98))
    assert [last.box((unit,)) for unit in units] == supports(graph, units)
    # What was measured on a PyTorch module of 512x512.
    graph = cnndsl.loads(NESTED.replace("128x1", "512x1")).graph
    last = receptive_fields(graph)[graph.output]
    assert last is not None
    assert last.box((257,)) == ((234, 281),)


def test_what_is_global_sees_everything() -> None:
    graph = cnndsl.loads(
        "INPUT 32x32x3 -> a: CONV3-4 -> gate: MUL(ID, GAP -> FC-4 -> SIGMOID) -> b: CONV3-4 -> FC-2"
    ).graph
    fields = fields_of(graph)
    assert (fields["b"].whole, fields["b"].size, fields["b"].stride) == (True, (32, 32), (0, 0))
    assert (fields["b"].local.whole, fields["b"].local.size) == (False, (5, 5))
    assert graph.nodes[last_map(graph, receptive_fields(graph))].path == "b"


def test_normalisation_over_the_image_sees_everything() -> None:
    fields = fields_of(cnndsl.loads("INPUT 32x32x3 -> a: CONV3-4 -> n: GN2 -> b: CONV3-4").graph)
    assert fields["b"].whole
    assert fields["b"].local.size == (5, 5)


def test_a_field_says_what_it_is_without_its_gates() -> None:
    field = fields_of(cnndsl.loads("INPUT 32x32x3 -> a: CONV3-4 -> n: GN2 -> b: CONV3-4").graph)["b"]
    assert "ungated" not in repr(field)
    assert field.local.ungated is None
    assert field.local.local is field.local


def test_what_does_not_depend_on_the_start_has_no_field() -> None:
    graph = cnndsl.loads("INPUT 16x16x3 -> (a: CONV3-4 -> b: CONV3-4 | c: CONV5-4) -> d: CONV3-4").graph
    fields = receptive_fields(graph, graph.by_path["a"].index)
    seen = {node.path for node, field in zip(graph.nodes, fields.values(), strict=True) if field}
    assert seen == {"a", "b", graph.nodes[4].path, "d"}
    ahead = {graph.nodes[at].path for at in ancestors(graph.digraph, graph.by_path["b"].index)}
    assert ahead == {graph.nodes[0].path, "a", "b"}


def test_the_field_that_is_quoted_lies_on_the_way_to_the_output() -> None:
    graph = cnndsl.loads("INPUT 32x32x3 -> a: CONV3-4 -> tap side: [CONV9-4 -> CONV9-4] -> b: CONV3-4 -> GAP").graph
    assert graph.nodes[last_map(graph, receptive_fields(graph))].path == "b"
    vector = cnndsl.loads("INPUT 8 -> FC-4").graph
    assert last_map(vector, receptive_fields(vector)) == 0


@pytest.mark.parametrize(
    "chains", ["far = @b -> CONV3-4\nnear = @a -> CONV3-4", "near = @a -> CONV3-4\nfar = @b -> CONV3-4"]
)
def test_of_several_outputs_the_largest_field_is_quoted(chains: str) -> None:
    """3, 3 + 2*2 at stride 4, and 7 + 2*4, whichever output is written last."""
    text = f"INPUT 64x64x3 -> a: CONV3-4/2 -> b: CONV3-4/2\n{chains}\noutput near, far\nassert receptive_field == 15"
    assert cnndsl.loads(text).stats().totals.receptive_field == (15, 15)


def test_what_all_positions_see_ends_where_the_plane_does() -> None:
    # 8 positions of stride 2 and 3 wide, the first at -1: -1 to 15; the plane has 0 to 15.
    field = fields_of(cnndsl.loads("INPUT 16x16x3 -> CONV3-4/2 -> g: GAP -> FC-2").graph)["g"]
    assert field.box((0, 0)) == ((0, 15), (0, 15))
    # Valid windows of 3 by strides of 4 on 17: the last ends at 14.
    field = fields_of(cnndsl.loads("INPUT 17x9x3 -> CONV3-4/4(pad=valid) -> g: GAP").graph)["g"]
    assert field.box((0, 0)) == ((0, 14), (0, 6))


def test_a_merge_of_a_map_and_of_what_sees_all() -> None:
    graph = cnndsl.loads("INPUT 16x16x4 -> a: CONV3-4 -> m: MUL(ID, GAP) -> b: CONV3-4").graph
    merge, after = receptive_fields(graph)[graph.modules["m"]], fields_of(graph)["b"]
    assert merge is not None
    assert merge.whole
    assert merge.box((0, 0)) == ((0, 15), (0, 15))
    assert (merge.local.size, after.local.size) == ((3, 3), (5, 5))
    assert list(disagreements(graph, receptive_fields(graph))) == []
    both = cnndsl.loads("INPUT 16x16x4 -> (GAP | GMP) -> FC-2").graph
    assert all(field.local.whole for field in [*receptive_fields(both).values()][3:] if field)


def test_the_first_axis_on_which_branches_disagree() -> None:
    graph = cnndsl.loads("INPUT 16x16x1 -> (CONV3-4 + CONV3x4-4)").graph
    (merge,) = disagreements(graph, receptive_fields(graph))
    assert (merge.axis, merge.operands, merge.ranges, merge.strides) == (1, (1, 2), ((-1, 1), (-1, 2)), (1, 1))


def test_one_position_that_is_repeated_over_a_map_sees_all_that_it_does() -> None:
    """A map of two positions, gated by one: 3 of 4 columns each, and all 4 through the gate."""
    graph = cnndsl.loads("INPUT 3x4x4 -> MUL(CONV3-4(pad=valid), CONV3x4-4(pad=valid)) -> FC-2").graph
    gated = receptive_fields(graph)[3]
    assert gated is not None
    assert (gated.whole, gated.box((0, 0)), gated.box((0, 1))) == (True, ((0, 2), (0, 3)), ((0, 2), (0, 3)))
    assert [gated.local.box((0, at))[1] for at in (0, 1)] == [(0, 2), (1, 3)]


def test_statistics_of_two_positions_see_both() -> None:
    graph = cnndsl.loads("INPUT 1x2x4 -> a: CONV1-4 -> n: LN").graph
    field = fields_of(graph)["n"]
    assert (field.whole, field.box((0, 1)), field.local.size) == (True, ((0, 0), (0, 1)), (1, 1))
