"""`cnndsl fit`: batches by hand on a net of one layer, the plot, what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.commands.running import data, run

TINY = "net Tiny INPUT 1024 -> fc: FC-256(bias=no)"
# Storages, all multiples of 512 bytes: weights 1024*256*4 = 2^20; an image 1024*4 = 4096, its output 256*4 = 1024.
WEIGHTS, IMAGE, OUTPUT = 2**20, 4096, 1024


NOTHING = ("--headroom", "0")
"""Where a test counts bytes, tensors get all of the memory."""


def test_a_batch_by_hand() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    found = data("fit", "-", "--memory", f"{room}B", *NOTHING, stdin=TINY)
    assert found["batch"] == 7
    assert found["peak"] == {"phase": "forward", "path": "fc", "bytes": room}
    assert found["optimizer"] is None
    assert data("fit", "-", "--memory", f"{room - 1}B", *NOTHING, stdin=TINY)["batch"] == 6


def test_half_precision_halves_the_bytes() -> None:
    room = (WEIGHTS + 8 * (IMAGE + OUTPUT)) // 2
    assert data("fit", "-", "--memory", f"{room}B", *NOTHING, "--dtype", "bf16", stdin=TINY)["batch"] == 8


def test_training_needs_gradients_and_the_optimizers_state() -> None:
    found = data("fit", "-", "--memory", "64MB", *NOTHING, "--training", "--optimizer", "adam", stdin=TINY)
    assert (found["parameters"], found["gradients"], found["optimizer_state"]) == (WEIGHTS, WEIGHTS, 2 * WEIGHTS)
    # Most is alive in the backward pass: weights, gradients and moments, 4 in all; the images and their classes of 8
    # bytes each; the output, which its caller holds, its log-probabilities and gradients, and the loss.
    assert found["peak"]["phase"] in ("loss", "backward")
    image = IMAGE + 8 + 4 * OUTPUT
    assert found["batch"] >= (64_000_000 - 4 * WEIGHTS - 8 * 512) // image


# What there is


@pytest.mark.parametrize(
    ("text", "size", "spelled"),
    [
        ("24GB", 24 * 10**9, "24GB"),
        ("24GiB", 24 * 2**30, "24GiB"),
        (" 1.5 gib ", 3 * 2**29, "1.5GiB"),
        ("2500 mb", 2_500_000_000, "2500MB"),
        ("2T", 2 * 10**12, "2TB"),
        ("24Gi", 24 * 2**30, "24GiB"),
        ("4096B", 4096, "4096B"),
    ],
)
def test_sizes_are_echoed_as_they_were_given(text: str, size: int, spelled: str) -> None:
    found = data("fit", "-", "--memory", text, *NOTHING, stdin="INPUT 1 -> FC-1(bias=no)")
    assert (found["available_bytes"], found["limit_bytes"], found["memory"]) == (size, size, spelled)
    assert f"memory         {spelled}; " in run("fit", "-", "--memory", text, *NOTHING, stdin=TINY).stdout


@pytest.mark.parametrize("text", ["24XB", "-1GB", "", "1e9", "0x10GB", "٣GB", "1" * 30 + "GB"])
def test_what_is_not_a_size(text: str) -> None:
    for option in ("--memory", "--headroom"):
        result = run("fit", "vgg16", option, text)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "is not a size, as in 24GiB (2^30 bytes each) or 24GB (10^9)" in result.stderr


@pytest.mark.parametrize("text", ["GB", "nan", "abacus"])
def test_what_is_neither_a_size_nor_a_card(text: str) -> None:
    result = run("fit", "vgg16", "--memory", text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{text!r} is neither a size, as in 24GiB (2^30 bytes each) or 24GB (10^9), nor a card" in result.stderr


@pytest.mark.parametrize(
    ("text", "fix"), [("24", "24GiB"), ("24576", "24576MiB"), ("25769803776", "25769803776B"), ("0", "0GiB")]
)
def test_a_number_without_a_unit_is_refused_with_the_fix(text: str, fix: str) -> None:
    result = run("fit", "vgg16", "--memory", text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{text!r} has no unit; write {fix}" in result.stderr
    assert run("fit", "vgg16", "--memory", fix).exit_code in (0, 1)


def test_the_headroom_is_named_and_taken_off() -> None:
    found = data("fit", "vgg16", "--memory", "24GiB")
    assert found["headroom"] == {"CUDA context": 2**29, "workspaces": 2**29}
    assert found["limit_bytes"] == 23 * 2**30 >= found["peak"]["bytes"]
    lines = run("fit", "vgg16", "--memory", "24GiB").stdout.splitlines()
    assert lines[2:4] == [
        "memory         24GiB; 23GiB of it for tensors",
        "headroom       1GiB: 512MiB CUDA context, 512MiB workspaces; --headroom sets it",
    ]


def test_another_headroom() -> None:
    found = data("fit", "vgg16", "--memory", "24GiB", "--headroom", "4GiB")
    assert (found["headroom"], found["headroom_bytes"], found["limit_bytes"]) == ({}, 2**32, 20 * 2**30)
    result = run("fit", "vgg16", "--memory", "24GiB", "--headroom", "1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'1' has no unit; write 1GiB" in result.stderr


def test_a_headroom_that_takes_everything() -> None:
    result = run("fit", "vgg16", "--memory", "1GB")
    assert result.exit_code == 1
    assert "largest batch  none: the headroom takes all of 1GB" in result.stdout


@pytest.mark.parametrize(
    "options", [("--memory", "A100-80GB"), ("--gpu", "a100-80gb"), ("--memory", "NVIDIA A100-SXM4-80GB")]
)
def test_a_card(options: tuple[str, str]) -> None:
    found = data("fit", "vgg16", *options)
    assert (found["memory"], found["available_bytes"]) == ("A100-SXM4-80GB", 80 * 2**30)
    # Besides context and workspaces the driver keeps a fiftieth.
    assert found["headroom"]["driver"] == 80 * 2**30 // 50
    assert found["source"].startswith("NVIDIA, A100")


@pytest.mark.parametrize(
    ("option", "name", "help"),
    [
        ("--memory", "H1000", "did you mean `H100`?"),
        ("--gpu", "RTX-3009", "did you mean `RTX-3090`?"),
        ("--memory", "A100", "there are A100-PCIe-40GB, A100-SXM4-40GB, A100-PCIe-80GB, A100-SXM4-80GB"),
        ("--gpu", "abacus", "the cards are P100-PCIe-16GB, "),
    ],
)
def test_another_name_gets_the_nearest_as_help(option: str, name: str, help: str) -> None:
    result = run("fit", "vgg16", option, name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert help in result.stderr


@pytest.mark.parametrize("options", [(), ("--memory", "24GiB", "--gpu", "T4")])
def test_one_of_both_options_says_what_there_is(options: tuple[str, ...]) -> None:
    result = run("fit", "vgg16", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "give either --memory, as in --memory 24GiB, or --gpu, as in --gpu rtx4090" in result.stderr


def test_not_even_one_image() -> None:
    result = run("fit", "-", "--memory", "1MB", *NOTHING, stdin=TINY)
    assert result.exit_code == 1
    assert "largest batch  none: not even one image fits into 1MB" in result.stdout
    assert data("fit", "-", "--memory", "1MB", *NOTHING, stdin=TINY, code=1)["batch"] == 0


def test_the_table_says_what_it_is_of() -> None:
    lines = run("fit", "-", "--memory", "2MB", *NOTHING, "--training", stdin=TINY).stdout.splitlines()
    assert lines[0] == "Tiny, trained with sgd, fp32, on a GPU"
    assert lines[4].startswith("largest batch  none")
    text = run("fit", "vgg16", "--memory", "8GiB").stdout
    assert "estimate       of CUDA's caching allocator" in text
    assert "not modelled   fragmentation" in text


def test_an_optimizer_wants_training() -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "--optimizer", "adam")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "add --training" in result.stderr


# A batch that is wanted


def test_a_batch_that_fits() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    found = data("fit", "-", "--memory", f"{room}B", *NOTHING, "--batch", "6", stdin=TINY)
    peak = {"phase": "forward", "path": "fc", "bytes": WEIGHTS + 6 * (IMAGE + OUTPUT)}
    assert found["wanted"] == {"batch": 6, "fits": True, "peak": peak, "accumulation": None}


def test_in_use_nothing_accumulates() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    options = ("fit", "-", "--memory", f"{room}B", *NOTHING, "--batch", "8")
    found = data(*options, stdin=TINY, code=1)["wanted"]
    assert (found["fits"], found["accumulation"]) == (False, None)
    assert "a batch of 8   does not fit at once" in run(*options, stdin=TINY).stdout


def test_accumulation_by_hand() -> None:
    # Two layers of 2^20 bytes, 2^18 weights each. While the later one's gradient is made there are in the second
    # micro-batch the weights, both gradients, and the new one: 5 * 2^20. Without accumulation 3 * 2^20, and in the
    # backward pass of the first layer 4 * 2^20.
    net = "net Two INPUT 512 -> a: FC-512(bias=no) -> BN -> b: FC-512(bias=no)"
    one = data("fit", "-", "--memory", "1GB", *NOTHING, "--training", "--batch", "1", stdin=net)
    assert one["gradients"] == 2**21 + 2 * 512 * 4
    found = data("fit", "-", "--memory", "8MB", *NOTHING, "--training", "--batch", "1000", stdin=net, code=1)
    taken = found["wanted"]["accumulation"]
    assert 0 < taken["largest_micro_batch"] < found["batch"] < 1000
    assert taken["peak"]["bytes"] <= 8_000_000
    assert taken["steps"] == -(-1000 // taken["largest_micro_batch"])
    assert (taken["steps"] - 1) * taken["micro_batch"] + taken["last_micro_batch"] == 1000
    assert 1000 % taken["equal_micro_batch"] == 0
    assert taken["layers_with_batch_statistics"] == 1


def test_accumulation_in_words() -> None:
    text = run("fit", "resnet50", "--memory", "8GiB", "--training", "--batch", "256").stdout
    micro = data("fit", "resnet50", "--memory", "8GiB", "--training", "--batch", "256", code=1)["wanted"][
        "accumulation"
    ]
    assert f"at most {micro['largest_micro_batch']} images beside the gradients that add up" in text
    # ResNet-50 has 53 convolutions, each with a batch normalisation.
    seen = micro["micro_batch"]
    assert f"53 layers with statistics of at most {seen} images, not of 256" in text
    assert f"running averages move {micro['steps']} times a step" in text


def test_a_batch_without_a_divisor_has_no_equal_micro_batches() -> None:
    options = ("fit", "-", "--memory", "8MB", *NOTHING, "--training", "--batch", "997")
    found = data(*options, stdin="INPUT 512 -> FC-512 -> FC-512", code=1)
    assert found["wanted"]["accumulation"]["equal_micro_batch"] is None
    assert "in equal ones" not in run(*options, stdin="INPUT 512 -> FC-512 -> FC-512").stdout


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.5", "", "8,,16", "8,0", "1000000001", "9" * 5000, "²"])
def test_what_is_not_a_batch(text: str) -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "--batch", text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is not a list of batch sizes from 1 to 1,000,000,000" in result.stderr


# The table over batches and types


def test_a_table_by_hand() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    options = ("fit", "-", "--memory", f"{room}B", *NOTHING, "--dtype", "fp32,bf16", "--batch", "7,8")
    found = data(*options, stdin=TINY)
    sizes = [WEIGHTS + batch * (IMAGE + OUTPUT) for batch in (7, 8)]
    assert found["table"] == [
        {
            "dtype": "fp32",
            "largest_batch": 7,
            "batches": [
                {"batch": 7, "peak_bytes": sizes[0], "fits": True},
                {"batch": 8, "peak_bytes": sizes[1], "fits": False},
            ],
        },
        {
            "dtype": "bf16",
            # Half of everything: the room is twice as large, that of 2^20 + 14 * 5120 bytes after the weights.
            "largest_batch": (2 * room - WEIGHTS) // (IMAGE + OUTPUT),
            "batches": [
                {"batch": 7, "peak_bytes": sizes[0] // 2, "fits": True},
                {"batch": 8, "peak_bytes": sizes[1] // 2, "fits": True},
            ],
        },
    ]
    lines = [line.split() for line in run(*options, stdin=TINY).stdout.splitlines()]
    assert lines[2:6] == [
        ["batch", "fp32", "bf16"],
        ["7", "1.08MB", "542KB"],
        ["8", "1.09MB*", "545KB"],
        ["largest", "batch", "7", "218"],
    ]


def test_batches_double_until_none_fits() -> None:
    room = WEIGHTS + 7 * (IMAGE + OUTPUT)
    found = data("fit", "-", "--memory", f"{room}B", *NOTHING, "--dtype", "fp32,bf16", stdin=TINY)
    assert [row["batch"] for row in found["table"][0]["batches"]] == [1, 2, 4, 8, 16, 32, 64, 128, 256]


def test_a_table_of_which_nothing_fits() -> None:
    options = ("fit", "-", "--memory", "1MB", *NOTHING)
    assert run(*options, "--dtype", "fp32,amp", stdin=TINY).exit_code == 1
    assert run(*options, "--batch", "7,8", stdin=TINY).exit_code == 1


@pytest.mark.parametrize("options", [("--plot",), ("-o", "memory.svg")])
def test_a_table_has_no_plot(options: tuple[str, ...]) -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "--batch", "1,2", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a plot is of one type and at most one --batch" in result.stderr


def test_a_type_twice_is_one_type() -> None:
    assert "table" not in data("fit", "vgg16", "--memory", "8GB", "--dtype", "amp, amp")


def test_other_types() -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "--dtype", "fp33")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no type 'fp33'; did you mean `fp32`?" in result.stderr
    assert run("fit", "vgg16", "--memory", "8GB", "--dtype", ",").exit_code == 2


# The plot


def test_the_plot_has_a_bar_for_each_layer() -> None:
    net = "INPUT 1024 -> a: FC-1024(bias=no) -> b: FC-1024(bias=no)"
    lines = run("fit", "-", "--memory", "64MB", *NOTHING, "--plot", stdin=net).stdout.splitlines()[-3:]
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
    lines = run("fit", "-", "--memory", "1GB", *NOTHING, "--plot", stdin=net).stdout.splitlines()
    assert sum("█" in line for line in lines) <= 100
    assert any(" … " in line for line in lines)


def test_the_plot_as_data_and_as_svg() -> None:
    found = data("fit", "vgg16", "--memory", "24GB", "--training", "--plot", "-o", "memory.svg")
    tree = ElementTree.parse("memory.svg").getroot()
    namespace = "{http://www.w3.org/2000/svg}"
    tips = [each.find(f"{namespace}title") for each in tree.iter(f"{namespace}g") if each.get("id") is None]
    assert len(tips) == len(found["timeline"])
    assert max(event["bytes"] for event in found["timeline"]) == found["peak"]["bytes"] <= 24 * 10**9
    names = {each.text for each in tree.iter(f"{namespace}text")}
    assert {"features.1", "classifier.6", "forward", "backward"} <= names
    assert "http" not in Path("memory.svg").read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")


def test_areas_end_at_the_level_of_each_event() -> None:
    """The highest area of the drawing follows the timeline."""
    found = data("fit", "lenet5", "--memory", "1GB", *NOTHING, "--training", "--plot", "-o", "memory.svg")
    groups = ElementTree.parse("memory.svg").getroot().iter("{http://www.w3.org/2000/svg}g")
    (top,) = (each[-1].get("d", "") for each in groups if each.get("id") == "LeNet5-scratch")
    heights = [float(point.split(" ")[1]) for point in top.removesuffix("Z").split("L")[1:-1:2]]
    sizes = [event["bytes"] for event in found["timeline"]]
    scale = max(sizes[0], 10**9) * 1.04
    assert heights == pytest.approx([62 + 220 * (1 - size / scale) for size in sizes], abs=0.01)


def test_the_ending_of_a_drawing_is_one_of_a_format() -> None:
    result = run("fit", "vgg16", "--memory", "8GB", "-o", "memory.gif")
    assert result.exit_code == 1
    assert "its name must end in .svg" in result.stderr


@pytest.mark.parametrize("options", [(), ("--batch", "1,2"), ("--training", "--batch", "4")])
def test_figures_say_once_that_they_are_not_measured(options: tuple[str, ...]) -> None:
    text = run("fit", "-", "--memory", "1GiB", *NOTHING, *options, stdin=TINY).stdout
    assert [line.split(maxsplit=2) for line in text.splitlines() if "not measured" in line] == [
        ["not", "measured", "values for a GPU; they are derived"]
    ]
    assert data("fit", "-", "--memory", "1GiB", *NOTHING, *options, stdin=TINY)["measured"] is False


def test_one_image_more_does_not_look_like_the_largest_batch() -> None:
    # 2^20 bytes of weights and 209,510 times 5,120 an image leave 2,048 bytes of 2^30.
    text = run("fit", "-", "--memory", "1GiB", *NOTHING, stdin=TINY).stdout
    assert re.search(r"^peak +1023\.998MiB, ", text, re.M)
    assert re.search(r"^one more +1\.000003GiB$", text, re.M)


def test_where_not_one_image_fits_the_peak_is_that_of_one() -> None:
    text = run("fit", "-", "--memory", "1MiB", stdin=TINY).stdout
    assert re.search(r"^one image +1\.0049MiB, forward at fc$", text, re.M)
    assert "peak" not in text


def test_the_star_is_explained_where_there_is_one() -> None:
    room = ("--memory", f"{WEIGHTS + 4 * (IMAGE + OUTPUT)}B", *NOTHING)
    assert "does not fit" not in run("fit", "-", *room, "--batch", "2,4", stdin=TINY).stdout
    lines = run("fit", "-", *room, "--batch", "2,5", stdin=TINY).stdout.splitlines()
    assert ["*", "does", "not", "fit"] in [line.split() for line in lines]
