"""What is plausible and probably not meant."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.linting.lint import lint
from tests.analysis.linting import messages, said


@pytest.mark.parametrize(
    ("chain", "found"),
    [
        ("CONV64-3", True),
        ("CONV32-8", True),
        # Kernels of 9 are common: SRCNN ends with 5x5, style transfer with 9x9, to three channels.
        ("CONV9-3", False),
        ("CONV16-64", False),
        # Patches that don't overlap, and a kernel as large as the map.
        ("CONV16-8/16", False),
        ("CONV224-10(pad=valid)", False),
        ("CONVT16-8/8", False),
        ("CONV1x64-8", False),
    ],
)
def test_swapped_size(chain: str, found: bool) -> None:
    assert bool(messages("swapped-size", f"INPUT 224x224x3 -> {chain}")) is found


def test_swapped_size_in_a_block_is_marked_at_the_call() -> None:
    text = "block U(c, k) = CONV{k}-c -> RELU\nINPUT 224x224x3 -> U(3, 64)"
    (warning,) = [each for each in lint(cnndsl.loads(text).graph) if each.code == "swapped-size"]
    assert warning.span is not None
    assert warning.span.text == "U(3, 64)"
    assert warning.help == "did you mean `U(64, 3)`?"


@pytest.mark.parametrize(
    ("volume", "meant"),
    [
        ("3x224x224", "224x224x3"),
        ("3x480x640", "480x640x3"),
        ("1x28x28", "28x28x1"),
        ("3x16x112x112", "16x112x112x3"),
        ("224x224x3", ""),
        ("1x1x100", ""),
        ("4x4x512", ""),
        ("1x100x300", ""),
        ("22x1125x1", ""),
        ("3x3x64", ""),
    ],
)
def test_channels_first(volume: str, meant: str) -> None:
    found = said("channels-first", f"INPUT {volume} -> CONV1-4")
    assert [f"`INPUT {meant}`" in help for _, help in found] == ([True] if meant else [])


def test_channels_first_of_electrodes() -> None:
    """A kernel over 22 electrodes meets one row: PyTorch's order of 1 channel, 22 electrodes and 500 samples."""
    assert messages("channels-first", "INPUT 1x22x500 -> CONV1x125-8 -> CONV22x1-16")


@pytest.mark.parametrize(
    ("layer", "is_found"),
    [
        ("CONV3x64", True),
        ("CONV3-64", False),
        ("CONV3x64-8", False),  # its number of filters is given
        ("CONV3x5", False),
        ("CONV1x64", False),  # rows of a recording
        ("POOL3x64", False),
    ],
)
def test_a_size_for_a_width(layer: str, is_found: bool) -> None:
    assert bool(messages("size-for-width", f"INPUT 96x96x3 -> {layer} -> GAP -> FC-10")) is is_found


@pytest.mark.parametrize(
    ("shape", "is_found"),
    [("128x7x7", True), ("7x7x128", False), ("64x14x7", False), ("6272x1x1", False), ("7x128x7", False)],
)
def test_a_vector_that_is_reshaped_with_its_channels_first(shape: str, is_found: bool) -> None:
    text = f"INPUT 128 -> FC-6272 -> RESHAPE({shape}) -> CONV1-8 -> FC-2"
    assert bool(messages("channels-first", text)) is is_found
