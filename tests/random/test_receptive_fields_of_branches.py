"""Receptive fields of random programs in which branches of different strides meet.

The branches shrink a map and bring it back to its size: by upsampling with and without aligned corners, by transposed
convolutions, from a map of one position. The fields are held against what reaches each unit (`test_receptive_fields`),
and the last of them against gradients of the emitted module.
"""

from __future__ import annotations

import os

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.analysis.receptive_field import receptive_fields
from tests.analysis.measuring import live, make_transparent
from tests.random.test_programs import graph_of
from tests.random.test_receptive_fields import Enumeration, check

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")

EXAMPLES = int(os.environ.get("CNNDSL_EXAMPLES", "300"))
fewer = settings(max_examples=max(EXAMPLES // 3, 1), suppress_health_check=list(HealthCheck), deadline=None)

Draw = st.DrawFn
SMALL = ("CONV3-2", "CONV2-2", "CONV1-2", "CONV3-2(dilation=2)", "POOL3/1(pad=1)", "RELU", "BN")


@st.composite
def branches(draw: Draw, size: tuple[int, ...], by: str) -> str:
    """A branch that ends with the size that it begins with."""
    chain = draw(st.lists(st.sampled_from(SMALL), max_size=1))
    if draw(st.booleans()):
        return " -> ".join(chain or ["ID"])
    middle = tuple(draw(st.integers(1, extent)) for extent in size)
    shrinks = [f"AVGPOOL(out={_by(middle)})", f"MAXPOOL(out={_by(middle)})"]
    strides = tuple(draw(st.integers(1, 3)) for _ in size)
    sliding = [f"CONV{_by(size)}-2(pad=valid)"] if draw(st.booleans()) else [f"CONV3-2/{_by(strides)}", "POOL2"]
    chain.append(draw(st.sampled_from([*shrinks, *sliding] if min(size) > 1 else shrinks)))
    chain += draw(st.lists(st.sampled_from(SMALL), max_size=1))
    if by == "CONVT":
        chain.append(draw(st.sampled_from(("CONVT2-2/2", "CONVT3-2/2(pad=1, out_pad=1)", "CONVT3-2/1(pad=0)"))))
    linear = "bilinear" if len(size) == 2 else "linear"
    how = draw(st.sampled_from((f", mode={linear}, align=yes", f", mode={linear}, align=yes", f", mode={linear}", "")))
    return " -> ".join([*chain, f"UPSAMPLE(out={_by(size)}{how})"])


@st.composite
def meetings(draw: Draw) -> str:
    """A program with one to three merges of such branches."""
    size = tuple(draw(st.integers(3, 18)) for _ in range(draw(st.integers(1, 2))))
    chain = [f"INPUT {_by(size)}x2"]
    for _ in range(draw(st.integers(1, 3))):
        parts = draw(st.lists(branches(size, draw(st.sampled_from(("", "CONVT")))), min_size=2, max_size=3))
        chain.append(f"({draw(st.sampled_from((' | ', ' + '))).join(parts)})")
        chain += [draw(st.sampled_from(("CONV3-2", "CONV1-2", "CONV5-2(pad=2)", "CONVT3-2/1")))]
    chain += draw(st.lists(st.sampled_from(("CONV3-2/2", "POOL2", "CONVT2-2/2", "CONV1-3")), max_size=1))
    return " -> ".join(chain).replace(" + ID)", " + CONV1-2)")


def _by(extents: tuple[int, ...]) -> str:
    return "x".join(map(str, extents))


@fewer
@given(meetings(), st.booleans())
def test_fields_where_branches_of_different_strides_meet(text: str, local: bool) -> None:
    check(text, local=local)


@fewer
@given(meetings())
def test_gradients_where_branches_of_different_strides_meet(text: str) -> None:
    # The mean of a window depends on all of it, the maximum of ones on one.
    measured(text.replace("MAXPOOL(out", "AVGPOOL(out"))


def measured(text: str) -> tuple[int, int]:
    """Asserts that the field of each unit of the last map holds the support of its gradient, and is that where no
    window hangs over an edge. How many ranges there were, and how many were exact."""
    graph = graph_of(text)
    network, _ = live(graph, 1, "cpu")
    network.double().eval()
    make_transparent(network)
    x = torch.ones(1, graph.input.channels, *graph.input.spatial, dtype=torch.float64, requires_grad=True)
    output = network(x)[0].sum(0)
    last = graph.nodes[graph.output]
    field, sight = receptive_fields(graph)[last.index], Enumeration(graph, 0, local=False).sights[last.index]
    assert field is not None
    assert not field.at_most
    checked = exact = 0
    for unit in torch.cartesian_prod(*map(torch.arange, output.shape)).reshape(-1, output.dim()).tolist():
        (gradient,) = torch.autograd.grad(output[tuple(unit)], x, retain_graph=True)
        seen = (gradient > 1e-9 * gradient.max())[0].any(0).nonzero()
        for axis, (first, last_seen) in enumerate(field.box(tuple(unit))):
            found = int(seen[:, axis].min()), int(seen[:, axis].max())
            box = max(0, first), min(graph.input.spatial[axis] - 1, last_seen)
            checked += 1
            exact += box == found
            assert box[0] <= found[0] <= found[1] <= box[1], (unit, axis)
            if not any(cut.any() for cut in sight.cut):
                assert box == found, (unit, axis)
    return checked, exact
