"""Networks in one and three dimensions, with locally connected layers, and the recipe: counted by hand."""

from __future__ import annotations

from itertools import product

import pytest
import torch

import cnndsl

PARAMETERS = {
    # Taigman et al. 2014, Figure 2, from the extents that stand there. A locally connected layer has the weights of a
    # convolution, and a bias for each filter, at each of its 55*55, 25*25 and 21*21 positions. The paper speaks of
    # "more than 120 million parameters"; what its figure gives is 118.9 million.
    "deepface": (
        (11 * 11 * 3 + 1) * 32
        + (9 * 9 * 32 + 1) * 16
        + 55 * 55 * (9 * 9 * 16 + 1) * 16
        + 25 * 25 * (7 * 7 * 16 + 1) * 16
        + 21 * 21 * (5 * 5 * 16 + 1) * 16
        + (21 * 21 * 16 + 1) * 4096
        + (4096 + 1) * 4030
    ),
    # Wang et al. 2017, Figure 1(b): kernels of 8, 5 and 3, 128, 256 and 128 filters, each normalised; two classes.
    "timeseries_fcn": (8 * 1 + 1 + 2) * 128 + (5 * 128 + 1 + 2) * 256 + (3 * 256 + 1 + 2) * 128 + (128 + 1) * 2,
    # Tran et al. 2015, Figure 3: eight 3x3x3 convolutions, 1*4*4*512 values into fc6, 487 classes.
    "c3d": (
        sum(
            (27 * a + 1) * b
            for a, b in [(3, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 512), (512, 512)]
        )
        + (4 * 4 * 512 + 1) * 4096
        + (4096 + 1) * 4096
        + (4096 + 1) * 487
    ),
    # Lin et al. 2013, with the widths of the authors' Caffe model.
    "nin": (
        (25 * 3 + 1) * 192
        + (192 + 1) * 160
        + (160 + 1) * 96
        + (25 * 96 + 1) * 192
        + 2 * (192 + 1) * 192
        + (9 * 192 + 1) * 192
        + (192 + 1) * 192
        + (192 + 1) * 10
    ),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert cnndsl.load(name).stats().totals.params == PARAMETERS[name]


def test_share_of_deepface_in_local_and_fully_connected_layers() -> None:
    """Taigman et al. 2014, Section 2.2: more than 95% of the parameters."""
    stats = cnndsl.load("deepface").stats()
    shared = sum(row.cost.params for row in stats.layers if row.node.kind == "CONV")
    assert shared / stats.totals.params < 0.05


def test_receptive_field_in_time() -> None:
    """One and 7, 4 and 2 more."""
    assert cnndsl.load("timeseries_fcn").stats().totals.receptive_field == (1 + 7 + 4 + 2,)


# An even kernel needs uneven padding, of which PyTorch says that it costs a copy.
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths:UserWarning")
@pytest.mark.parametrize("name", PARAMETERS)
def test_live_modules_have_the_shapes(name: str) -> None:
    network = cnndsl.load(name)
    with torch.device("meta"):
        module, x = network.module().eval(), torch.zeros(2, network.graph.input.channels, *network.graph.input.spatial)
    shape = network.graph.nodes[network.graph.output].shape
    assert module(x).numel() == 2 * shape.numel
    assert sum(each.numel() for each in module.parameters()) == PARAMETERS[name]


RECIPES = list(product(range(4), range(6), range(3), (True, False)))


@pytest.mark.parametrize(("n", "m", "k", "pool"), RECIPES)
def test_every_recipe_has_the_parameters_of_its_formula(n: int, m: int, k: int, pool: bool) -> None:
    """On 32x32x3, with 3x3 convolutions to 64 channels, pooling by 2, and 512 units."""
    channels = 64 if n and m else 3
    extent = 32 >> m if pool else 32
    params = sum((9 * (64 if at else 3) + 1) * 64 for at in range(n * m))
    fan_in = extent * extent * channels
    for _ in range(k):
        params, fan_in = params + (fan_in + 1) * 512, 512
    network = cnndsl.load("recipe", N=n, M=m, K=k, **({} if m == 0 else {"pool": pool}))
    assert network.stats().totals.params == params + (fan_in + 1) * 10


def test_the_recipe_without_its_file_names_what_is_free() -> None:
    with pytest.raises(cnndsl.CnnError) as error:
        cnndsl.loads("INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC")
    (diagnostic,) = error.value.diagnostics
    assert diagnostic.code == "E0214"
    assert all(name in diagnostic.message for name in ("`N`", "`M`", "`K`"))
