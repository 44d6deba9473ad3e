"""What is emitted for the zoo is right."""

from __future__ import annotations

import pytest

from cnndsl.emit.torch.verify import verify
from cnndsl.network import load
from tests.bundled import ZOO


@pytest.mark.parametrize("name", ZOO)
def test_the_zoo_is_right(name: str) -> None:
    network = load(name)
    found = verify(network.source(), network.graph, accept_fixed_pooling=True)
    assert [str(each) for each in found.differences] == []
    assert found.modules > 0


def test_a_pooling_of_a_given_size_is_not_left_out() -> None:
    """VGG pools to 7x7, which its maps have at the size that it was trained at and at no other."""
    text = load("vgg16").source().replace("nn.AdaptiveAvgPool2d(7)", "nn.Identity()")
    graph = load("vgg16").graph
    assert any("avgpool" in str(each) for each in verify(text, graph).differences)


def test_classes_that_are_taken_as_they_are_are_told() -> None:
    network = load("inception_resnet_v2")
    assert verify(network.source(), network.graph).trusted == ("Times",)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet50", "resnet152", "densenet201", "inception_resnet_v2", "vgg16"])
def test_it_is_quick(name: str) -> None:
    """Verifying takes at most three tenths of what compiling does."""
    from time import perf_counter

    def best(times: list[float]) -> float:
        return min(times[1:])

    compiling: list[float] = []
    verifying: list[float] = []
    for _ in range(6):
        start = perf_counter()
        network = load(name)
        text = network.source()
        between = perf_counter()
        verify(text, network.graph)
        compiling.append(between - start)
        verifying.append(perf_counter() - between)
    assert best(verifying) <= 0.3 * best(compiling)
