"""`cnndsl fit`: batches by hand on a net of one layer, the plot, what is refused."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commands.running import data, run

TINY = "net Tiny INPUT 1024 -> fc: FC-256(bias=no)"
# Storages, all multiples of 512 bytes: weights 1024*256*4 = 2^20; an image 1024*4 = 4096, its output 256*4 = 1024.
WEIGHTS, IMAGE, OUTPUT = 2**20, 4096, 1024


def test_a_batch_by_hand() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    found = data("fit", "-", "--memory", str(room), stdin=TINY)
    assert found["batch"] == 7
    assert found["peak"] == {"phase": "forward", "path": "fc", "bytes": room}
    assert found["optimizer"] is None
    assert data("fit", "-", "--memory", str(room - 1), stdin=TINY)["batch"] == 6


def test_half_precision_halves_the_bytes() -> None:
    room = (WEIGHTS + 8 * (IMAGE + OUTPUT)) // 2
    assert data("fit", "-", "--memory", str(room), "--dtype", "bf16", stdin=TINY)["batch"] == 8


def test_training_needs_gradients_and_the_optimizers_state() -> None:
    found = data("fit", "-", "--memory", "64MB", "--training", "--optimizer", "adam", stdin=TINY)
    assert (found["parameters"], found["gradients"], found["optimizer_state"]) == (WEIGHTS, WEIGHTS, 2 * WEIGHTS)
    # Most is alive in the backward pass: weights, gradients and moments, 4 in all; the images and their classes of 8
    # bytes each; the output, which its caller holds, its log-probabilities and gradients, and the loss.
    assert found["peak"]["phase"] in ("loss", "backward")
    image = IMAGE + 8 + 4 * OUTPUT
    assert found["batch"] >= (64_000_000 - 4 * WEIGHTS - 8 * 512) // image


@pytest.mark.parametrize(
    ("text", "size"),
    [("24GB", 24 * 10**9), ("24GiB", 24 * 2**30), ("1.5 mb", 1_500_000), ("2T", 2 * 10**12), ("4096", 4096)],
)
def test_sizes(text: str, size: int) -> None:
    found = data("fit", "-", "--memory", text, stdin="INPUT 1 -> FC-1(bias=no)")
    assert found["available_bytes"] == size


@pytest.mark.parametrize("text", ["24XB", "", "-1GB", "GB", "1e9", "nan"])
def test_what_is_no_size(text: str) -> None:
    result = run("fit", "vgg16", "--memory", text)
    assert result.exit_code == 2
    assert "is no size, as in 24GB" in result.stderr


def test_not_even_one_image() -> None:
    result = run("fit", "-", "--memory", "1MB", stdin=TINY)
    assert result.exit_code == 1
    assert "largest batch  none: not even one image fits into 1MB" in result.stdout
    assert data("fit", "-", "--memory", "1MB", stdin=TINY, code=1)["batch"] == 0


def test_the_table_says_what_it_is_of() -> None:
    lines = run("fit", "-", "--memory", "2MB", "--training", stdin=TINY).stdout.splitlines()
    assert lines[0] == "Tiny, trained with sgd, fp32, on a GPU"
    assert lines[2].startswith("largest batch  none")
    text = run("fit", "vgg16", "--memory", "8GiB").stdout
    assert "estimate       of CUDA's caching allocator" in text
    assert "not modelled   workspaces of cuDNN" in text


def test_an_optimizer_wants_training() -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "--optimizer", "adam")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "add --training" in result.stderr


# The plot


def test_the_plot_has_a_bar_for_each_layer() -> None:
    net = "INPUT 1024 -> a: FC-1024(bias=no) -> b: FC-1024(bias=no)"
    lines = run("fit", "-", "--memory", "64MB", "--plot", stdin=net).stdout.splitlines()[-3:]
    assert [line.split()[:2] for line in lines] == [["start", "input"], ["forward", "a"], ["forward", "b"]]
    assert [line.count("█") > 0 for line in lines] == [True, True, True]
    assert [line.endswith("<- peak") for line in lines] == [False, False, True]


def test_the_bar_of_a_deep_network_is_that_of_a_module() -> None:
    text = run("fit", "resnet50", "--memory", "24GB", "--training", "--plot").stdout
    names = [line.split()[:2] for line in text.splitlines() if "█" in line]
    assert ["forward", "layer3.5"] in names
    assert ["backward", "layer1.0"] in names
    assert len(names) <= 100
    assert text.count("<- peak") == 1


def test_a_long_network_is_gathered() -> None:
    net = "INPUT 8 -> " + " -> ".join(["FC-8"] * 500)
    lines = run("fit", "-", "--memory", "1GB", "--plot", stdin=net).stdout.splitlines()
    assert sum("█" in line for line in lines) <= 100
    assert any(" … " in line for line in lines)


def test_the_plot_as_data_and_as_svg() -> None:
    found = data("fit", "vgg16", "--memory", "24GB", "--training", "--plot", "-o", "memory.svg")
    tree = ElementTree.parse("memory.svg").getroot()
    namespace = "{http://www.w3.org/2000/svg}"
    tips = [each.find(f"{namespace}title") for each in tree.iter(f"{namespace}rect") if each.get("class") == "tip"]
    assert len(tips) == len(found["timeline"])
    assert max(event["bytes"] for event in found["timeline"]) == found["peak"]["bytes"] <= 24 * 10**9
    names = {each.text for each in tree.iter(f"{namespace}text")}
    assert {"features.0", "classifier.6", "forward", "backward"} <= names
    assert "http" not in Path("memory.svg").read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def test_areas_end_at_the_level_of_each_event() -> None:
    """The highest area of the drawing follows the timeline."""
    found = data("fit", "lenet5", "--memory", "1GB", "--training", "--plot", "-o", "memory.svg")
    svg = Path("memory.svg").read_text(encoding="utf-8")
    top = next(line for line in svg.splitlines() if '<path class="part5"' in line)
    heights = [float(point.split("H")[0].split(" ")[1]) for point in top.split("L")[1:]]
    sizes = [event["bytes"] for event in found["timeline"]]
    scale = max(sizes[0], 10**9) * 1.04
    assert heights == pytest.approx([320 * (1 - size / scale) for size in sizes], abs=0.01)


def test_a_drawing_is_an_svg() -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "-o", "memory.png")
    assert result.exit_code == 1
    assert "its name must end in .svg" in result.stderr
