"""Two modules compared as programs: spellings of one network, networks that differ, and what both modes do."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from cnndsl.importers.torch_compare import UnreadableError, module_difference, numeric_difference
from tests.importers.spellings import EQUAL, MAP, UNEQUAL, Forward, Parts


def differences(one: Forward, other: Forward, dynamic: bool = False) -> list[str]:
    with torch.device("meta"):
        first, second = Parts(one), Parts(other)
    return [str(each) for each in module_difference(first, second, [MAP], dynamic=dynamic)]


def together(at: int) -> Forward:
    """All of one side, in one module, as exporting one takes as long as exporting another."""

    def forward(m: Parts, x: Tensor) -> tuple[Tensor, ...]:
        given = [pair[at](m, x) for pair in EQUAL.values()]
        return tuple([each for each in given if isinstance(each, Tensor)])

    return forward


def test_spellings_of_one_network() -> None:
    assert differences(together(0), together(1)) == []


@pytest.mark.parametrize("name", UNEQUAL)
def test_networks_that_differ(name: str) -> None:
    assert differences(*UNEQUAL[name]) != []


def test_sizes_that_depend_on_the_input() -> None:
    """Twice as large as a half is as large as before at even sizes alone."""

    def doubled(_: Parts, x: Tensor) -> Tensor:
        return fn.interpolate(fn.max_pool2d(x, 2, ceil_mode=True), scale_factor=2)

    def sized(_: Parts, x: Tensor) -> Tensor:
        return fn.interpolate(fn.max_pool2d(x, 2, ceil_mode=True), size=x.shape[2:])

    assert differences(doubled, sized) == []
    (said, _) = differences(doubled, sized, dynamic=True)
    assert said.startswith("in evaluation: upsample_nearest2d: output")


class Original(Parts):
    """A network."""

    def forward(self, x: Tensor) -> Tensor:
        """A slope of a tenth."""
        return self.linear(fn.leaky_relu(self.conv(x), 0.1).mean((2, 3)))


class Emitted(Parts):
    """Another."""

    def forward(self, x: Tensor) -> Tensor:
        """A slope of a fifth."""
        return self.linear(fn.leaky_relu(self.conv(x), 0.2).mean((2, 3)))


def test_a_difference_is_told_with_both_places() -> None:
    told = [str(each) for each in module_difference(Original(together(0)), Emitted(together(0)), [MAP])]
    places = [f"{__file__}:{each.forward.__code__.co_firstlineno + 2}" for each in (Original, Emitted)]
    said = f"leaky_relu: slope 0.1 is 0.2 (original: {places[0]}; emitted: {places[1]})"
    assert told == [f"in evaluation: {said}", f"in training: {said}"]


def test_what_was_overwritten_under_another_name_is_refused() -> None:
    def forward(m: Parts, x: Tensor) -> Tensor:
        y = m.conv(x)
        part = y[:, :4]
        y.relu_()
        return part + 1

    with pytest.raises(UnreadableError, match="overwritten"):
        differences(forward, forward)


def test_numbers_find_what_initial_weights_hide() -> None:
    """A block whose last factor is zero at first: what is in front of it has no influence."""

    class Block(nn.Module):
        def __init__(self, sign: float) -> None:
            super().__init__()
            self.conv, self.bn, self.sign = nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), sign
            nn.init.zeros_(self.bn.weight)

        def forward(self, x: Tensor) -> Tensor:
            return x + self.bn(self.conv(x).relu() * self.sign)

    x = torch.randn(2, 8, 8, 8)
    one, other = Block(1), Block(-1)
    assert torch.equal(one(x), other(x))
    assert {each.mode for each in numeric_difference(one, other, [MAP])} == {"evaluation", "training"}
    assert numeric_difference(Block(1), Block(1), [MAP]) == []
    assert module_difference(one, other, [MAP]) != []


class Filtered(nn.Module):
    """A filter for each channel that no file of weights holds."""

    def __init__(self, taps: Tensor, channels: int) -> None:
        super().__init__()
        self.register_buffer("taps", taps.expand(channels, 1, -1, -1).clone(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Each channel filtered by itself."""
        return fn.conv2d(x, self.get_buffer("taps").expand(8, 1, -1, -1), groups=8)


def test_filters_are_compared_by_their_numbers() -> None:
    """One for all channels is the same as one for each of them, where the numbers are the same."""
    row = torch.tensor([1.0, 2.0, 1.0]) / 4
    blur, sharp = row[:, None] * row, row[:, None] - row
    assert module_difference(Filtered(blur, 8), Filtered(blur, 1), [MAP]) == []
    assert module_difference(Filtered(blur, 8), Filtered(sharp, 1), [MAP]) != []


def test_numbers_of_a_module_that_computes_in_float32() -> None:
    class Rooted(nn.Module):
        def __init__(self, is_rounded: bool) -> None:
            super().__init__()
            self.is_rounded = is_rounded

        def forward(self, x: Tensor) -> Tensor:
            return (x.float() if self.is_rounded else x).var((2, 3)).sqrt()

    assert numeric_difference(Rooted(True), Rooted(False), [MAP]) == []


def test_numbers_of_modules_with_other_weights_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"1 weights have other names or shapes: bias"):
        numeric_difference(nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1, bias=False), [MAP])
