"""Another input than the one that is written: `--input`, `input=`."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl import loads
from cnndsl.errors import CnnError
from cnndsl.settings import parse_settings
from cnndsl.shape import Shape

NET = "INPUT 32x32x3 -> CONV3-8 -> POOL2 -> GAP -> FC-10"


def test_the_input_of_any_net() -> None:
    net = loads(NET, input=(160, 96, 3))
    assert net.graph.input == Shape.of((160, 96, 3))
    assert net.graph.nodes[2].shape == Shape.of((80, 48, 8))
    assert net.stats().totals.params == loads(NET).stats().totals.params


def test_figures_are_those_of_a_text_that_says_so() -> None:
    given = loads(NET, input="48x48x3").stats().totals
    assert given == loads(NET.replace("32x32x3", "48x48x3")).stats().totals


def test_sizes_in_the_text_follow() -> None:
    """C, H and W are those of what enters."""
    net = loads("INPUT 32x32x3 -> CONV3-{2*C} -> POOL{H}x{W}", input=(8, 6, 5))
    assert [node.shape for node in net.graph] == [Shape.of((8, 6, 5)), Shape.of((8, 6, 10)), Shape.of((1, 1, 10))]


def test_other_numbers_of_axes() -> None:
    assert loads("INPUT 32x32x3 -> CONV3-8", input=(16, 16, 16, 3)).graph.nodes[1].shape == Shape.of((16, 16, 16, 8))
    assert loads("INPUT 784 -> FC-10", input=100).stats().totals.params == 1010


def test_asserts_are_about_the_input_that_is_written() -> None:
    text = f"{NET}\nassert macs == 32*32*8*27 + 80"
    assert loads(text, input=(64, 64, 3)).graph.contracts == ()
    assert len(loads(text, input=(32, 32, 3)).graph.contracts) == 1


def test_the_net_says_that_another_input_enters() -> None:
    net = loads(NET, input=(64, 64, 3))
    assert net.graph.settings == {"input": (64, 64, 3)}
    assert net.graph.digest != loads(NET).graph.digest
    assert "with input = 64x64x3" in " ".join(net.source().split())
    assert "takes Nx3x64x64" in net.source()


def test_a_parameter_called_input_goes_first() -> None:
    text = "net A(input=8)\nINPUT {input}x{input}x3 -> CONV3-4"
    assert loads(text, input=16).graph.input == Shape.of((16, 16, 3))
    assert loads("INPUT {input}x8x3 -> CONV3-4", input=4).graph.input == Shape.of((4, 8, 3))


def test_the_zoo_takes_other_inputs() -> None:
    assert cnndsl.load("resnet18", input=(160, 160, 3)).graph.by_path["layer4.1.relu2"].shape == Shape.of((5, 5, 512))


@pytest.mark.parametrize("given", ["0x3", "abc", "yes", "1/2", "-4"])
def test_what_is_no_volume(given: str) -> None:
    with pytest.raises(CnnError) as found:
        loads(NET, **parse_settings([f"input={given}"]))
    (diagnostic,) = found.value.diagnostics
    assert (diagnostic.code, diagnostic.help) == ("E0227", "for example, `--input 160x160x3`")
    assert diagnostic.span is not None
    assert diagnostic.span.text == "INPUT 32x32x3"


def test_too_many_extents() -> None:
    with pytest.raises(CnnError) as found:
        loads(NET, input=(2, 2, 2, 2, 3))
    assert found.value.diagnostics[0].code == "E0303"
