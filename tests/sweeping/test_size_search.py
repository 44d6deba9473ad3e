"""The search for input sizes, held against compiling each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cnndsl.errors import CnnError, Source
from cnndsl.finding import find, used
from cnndsl.limits import limits
from cnndsl.resources import zoo
from cnndsl.sweeping.separate_axes import are_separate
from cnndsl.sweeping.size_search import InputExtents, SizeSearch
from cnndsl.syntax.parse import parse
from cnndsl.testing import crossing
from cnndsl.testing.programs import programs
from tests.sweeping.compiling import differences, search

ODD = {
    "a choice that changes": "INPUT 16x16x4 -> (CONV3-4/2 + ID or CONV1-4/2) -> FC-2",
    "a choice with layers of its own": "INPUT 16x16x4 -> (CONV3-4/2 + POOL2 or POOL3/2(ceil=yes) or CONV1-4/2)",
    "a choice that fails": "INPUT 16x16x4 -> (CONV3-4 + CONV7-4(pad=valid) or CONV1-4)",
    "a choice that fails for small maps": "INPUT 16x16x4 -> (CONV7-4/8 + CONV7-4/8(pad=valid) or CONV1-4/8)",
    "a choice in a choice": "INPUT 16x16x4 -> (CONV3-4/2 + [(CONV1-4/2 + ID or POOL2)] or CONV1-4/2)",
    "a choice after the target": "INPUT 17x17x4 -> (ID or POOL2 or POOL2(ceil=yes) + CONV3-4/2 -> POOL2/1(pad=same))",
    "an identity that is chosen for one position": "INPUT 8x8x4 -> POOL2 -> (CONV3-4/2 + ID or CONV1-4/2)",
    "rows by the choice before them": "INPUT 9x9x4 -> (POOL2 | each k in 2, 3 [ID or POOL{k}/2])",
    "a test of the height": "INPUT 16x16x4 -> [CONV3-4/2 -> RELU] if H > 8 else CONV3-8 -> FC-2",
    "a count by the height": "INPUT 32x32x4 -> [CONV3-4 -> POOL2]*{max(H//16, 0)} -> FC-2",
    "a fraction of the height": "INPUT 32x32x4 -> CONV3-4 -> UPSAMPLE(out={H/4}x{W/4}) -> FC-2",
    "a height in an assertion": "INPUT 32x32x4 -> a: CONV3-4/2 -> FC-2 assert a.output.H == 16",
    "channels of a flattened map": "INPUT 8x8x4 -> POOL2 -> FLATTEN -> FC-{C//2} -> FC-2",
    "channels in a block": "block B = (CONV3-C -> BN + ID) -> CONV1-{C//2} INPUT 8x8x4 -> B -> POOL2 -> B",
    "permuted axes": "INPUT 12x12x4 -> PERMUTE(cwh) -> CONV3-{C//2} -> POOL2",
    "one shape alone": "INPUT 12x12x4 -> CONV3-2 -> POOL2 -> RESHAPE(9x8) -> CONV3-4",
    "unpooling": "INPUT 12x12x4 -> p: POOL2 -> q: POOL2 -> UNPOOL2(@q) -> UNPOOL2(@p) -> (ID | UPSAMPLE1)",
    "unpooling that does not fit": "INPUT 12x12x4 -> p: POOL2 -> CONV3-4/2 -> UPSAMPLE2 -> UNPOOL2(@p)",
    "again on another map": "INPUT 9x9x4 -> a: POOL2 -> t: [CONV3-4/2 -> LN] b = @a -> POOL2/1 -> again t output t, b",
    "again with a pooling of a size": "INPUT 16x16x4 -> t: CONV4-4/2 b = @t -> again t output t, b",
    "the size of another map": "INPUT 13x13x4 -> a: CONV3-4 -> POOL2 -> (@a | UPSAMPLE(out=@a)) -> CROP(out=@a)",
    "poolings that round up": "INPUT 12x12x4 -> a: ELU -> POOL3/2(ceil=yes) -> POOL(ceil=yes) -> CONVT4/4 -> (ID | @a)",
    "mirrored padding": "INPUT 13x13x4 -> CONV3-4/2 -> CONV9-4(pad=reflect) -> CONV5-4(pad=circular)",
    "padding as TensorFlow's": "INPUT 13x13x4 -> CONV3-4/2(pad=tfsame) -> POOL2/2(pad=tfsame) -> CONVT2-4/2 -> CROP(1)",
    "weights at each position": "INPUT 9x9x2 -> LOCAL3-2/2 -> LN -> FC-2",
    "a depth": "INPUT 4x9x9x2 -> CONV3-4 -> POOL1x2x2 -> POOL2 -> FC-2",
    "a line": "INPUT 30x2 -> a: CONV4-2(pad=valid) -> CONV4-2/2(pad=1) -> CONVT4-2/2(pad=1) -> (ID + @a)",
    "two inputs": "a = INPUT 8x8x3 b = INPUT 8x8x1 c = (@a | @b) -> POOL2 -> UPSAMPLE2 d = (@c | @a) -> FC-2",
    "two inputs of other sizes": "a = INPUT 8x8x3 b = INPUT 4x4x1 c = @a -> POOL2 d = (@c | @b) -> FC-2",
    "a vector beside a map": "a = INPUT 8x8x3 v = INPUT 5 c = MUL(@a -> CONV3-4, @v -> FC-4) -> GAP -> FC-2",
    "an error that no size mends": "INPUT 8x8x3 -> CONV3-4 -> (ID + CONV3-5)",
    "a gate of a map that may be one position": "INPUT 8x8x3 -> a: POOL4 -> MUL(ID, CONV3-3/2) -> CONV3-2",
    "pixels as channels": "INPUT 8x8x3 -> PIXELUNSHUFFLE4 -> CONV3-16 -> PIXELSHUFFLE4",
    "weights that follow an identity": "INPUT 9x9x4 -> POOL2 -> (CONV3-4/2 | ID or CONV3-8/2) -> BN",
}


def points(source: Source, up_to: int) -> Iterator[InputExtents]:
    """Squares, and each axis by itself."""
    written = SizeSearch(parse(source), {}, used).written
    for size in range(1, up_to + 1):
        yield (size,) * len(written)
        if len(written) > 1:
            yield from ((*written[:axis], size, *written[axis + 1 :]) for axis in range(len(written)))


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_programs(text: str) -> None:
    source = Source("net.cnn", text)
    assert differences(source, points(source, 48)) == []


@pytest.mark.parametrize(
    "name", ["alexnet_2012", "unet", "segnet", "unet_plus_plus", "fcn8s", "tcn", "m5", "resnet18", "googlenet_2014"]
)
def test_bundled_networks(name: str) -> None:
    source = find(name)
    written = SizeSearch(parse(source), {}, used).written
    sizes = [*range(1, 34), *range(184, 190), 256, 257, 512]
    assert differences(source, [(size,) * len(written) for size in sizes]) == []


@pytest.mark.parametrize("name", ["digits", "lenet5", "mnist", "siamese", "dcgan", "crnn"])
def test_small_networks_at_every_size(name: str) -> None:
    check_every_size(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo())
def test_all_bundled_networks_at_every_size(name: str) -> None:
    check_every_size(name)


def check_every_size(name: str) -> None:
    source = find(name)
    written = SizeSearch(parse(source), {}, used).written
    assert differences(source, [(size,) * len(written) for size in range(1, 513)]) == []


@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
@given(programs())
def test_generated_programs(text: str) -> None:
    source = Source("net.cnn", text)
    rank = len(SizeSearch(parse(source), {}, used).written)
    assert differences(source, [(size,) * rank for size in range(1, 65)] if rank else []) == []


@pytest.mark.parametrize("seed", range(40))
def test_programs_in_which_references_and_applications_meet(seed: int) -> None:
    source = Source("net.cnn", crossing(seed).text)
    try:
        rank = len(SizeSearch(parse(source), {}, used).written)
    except CnnError:
        return
    assert differences(source, [(size,) * rank for size in range(1, 33)] if rank else []) == []


@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(programs(ranks=(2,)), st.integers(4, 14))
def test_axes_are_separate_where_they_are_said_to_be(text: str, up_to: int) -> None:
    """Held against compiling every combination."""
    check_separate(text, up_to)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_axes_of_odd_programs(text: str) -> None:
    check_separate(text, 10)


def check_separate(text: str, up_to: int) -> None:
    """Compare every combination of extents with what its extents do alone, where the axes count as separate."""
    found = search(text)
    if len(found.written) != 2:
        return
    found.solve([found.written])
    base = found.written
    lines = [[(size, base[1]) for size in range(1, up_to + 1)], [(base[0], size) for size in range(1, up_to + 1)]]
    found.solve(point for line in lines for point in line)
    if not found.outcomes[base].works or not are_separate(found, lines):
        return
    every = [(high, wide) for high in range(1, up_to + 1) for wide in range(1, up_to + 1)]
    checked = search(text)
    checked.solve(every)
    alone = {(h, w): found.outcomes[h, base[1]].works and found.outcomes[base[0], w].works for h, w in every}
    assert {point: checked.outcomes[point].works for point in every} == alone


@pytest.mark.parametrize(
    ("name", "is_separate"),
    [
        ("channels in a block", True),
        ("a choice that changes", False),
        ("one shape alone", False),
        ("permuted axes", False),
        ("poolings that round up", True),
        ("pixels as channels", True),
        ("a gate of a map that may be one position", False),
    ],
)
def test_which_axes_are_separate(name: str, is_separate: bool) -> None:
    """A gate is repeated where it has one position, which depends on height and width together."""
    found = search(ODD[name])
    base = found.written
    lines = [[(size, base[1]) for size in range(1, 41)], [(base[0], size) for size in range(1, 41)]]
    found.solve([base, *(point for line in lines for point in line)])
    assert are_separate(found, lines) is is_separate


def test_one_elaboration_is_enough_for_a_network_without_choices() -> None:
    found = search("INPUT 64x64x3 -> [CONV3-8 -> RELU -> POOL2]*4 -> FC-10")
    found.solve((size, size) for size in range(1, 513))
    assert found.elaborations == 1


def test_limits_hold_for_every_size() -> None:
    """A map of 200 x 200 has 4 x 10^4 positions."""
    with limits(digits=4):
        found = search("INPUT 10x10x1 -> UPSAMPLE2 -> CONV3-1")
        found.solve((size, size) for size in range(1, 100))
    assert {point[0] for point, outcome in found.outcomes.items() if outcome.works} == set(range(1, 51))


def test_an_error_in_the_input_is_raised() -> None:
    with pytest.raises(CnnError, match="E0227"):
        search("INPUT 0x8x3 -> CONV3-4")
