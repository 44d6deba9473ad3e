"""`cnndsl stats --gpu`: the columns, the totals, each format, what is refused."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import Any

import pytest

import cnndsl
from cnndsl.analysis.cards import find_card
from tests.commands.running import data, run, table

# 32x32x3 in, 3x3 windows, 64 filters on 32x32: 1,769,472 multiply-adds; 3,072 + 65,536 values, 1,728 weights.
NET = "net Two INPUT 32x32x3 -> conv: CONV3-64(bias=no) -> relu: RELU"
CONV = max(2 * 1_769_472 / 494.5e12, 4 * (3_072 + 65_536 + 1_728) / 3350e9)
RELU = 4 * 2 * 65_536 / 3350e9


def test_least_times_by_hand() -> None:
    found = data("stats", "-", "--gpu", "h100", stdin=NET)
    assert [layer["time"] for layer in found["layers"]] == pytest.approx([CONV, RELU])
    assert [layer["bound"] for layer in found["layers"]] == ["bandwidth", "bandwidth"]
    total = found["roofline"]
    assert (total["gpu"], total["batch"], total["dtype"]) == ("H100-SXM", 1, "fp32")
    assert total["seconds"] == total["seconds_bound_by_bandwidth"] == pytest.approx(CONV + RELU)
    assert (total["peak_flops_per_second"], total["peak_bytes_per_second"]) == (494.5e12, 3350e9)
    assert "memory" not in found


def test_batch_and_type_are_those_of_the_memory() -> None:
    found = data("stats", "-", "--gpu", "T4", "--batch", "8", "--dtype", "fp16", stdin=NET)
    # 28.3 Mflop at 65 Tflop/s take 0.44 us, 1.1 MB at 320 GB/s 3.4 us.
    assert found["layers"][0]["time"] == pytest.approx(2 * (8 * (3_072 + 65_536) + 1_728) / 320e9)
    assert found["memory"]["batch"] == found["roofline"]["batch"] == 8


def test_memory_beside_times_is_that_of_a_gpu() -> None:
    """Dropout's mask has a byte a value there, and 4 on a CPU in fp32."""
    net = "INPUT 8 -> FC-100 -> DROPOUT -> FC-2"
    kept = [data("stats", "-", "--batch", "1", *more, stdin=net)["memory"] for more in ((), ("--gpu", "h100"))]
    assert [each["device"] for each in kept] == ["cpu", "cuda"]
    assert kept[0]["saved"] - kept[1]["saved"] == 3 * 100
    asked = data("stats", "-", "--gpu", "h100", "--device", "cpu", stdin=net)["memory"]
    assert asked["saved"] == kept[0]["saved"]
    assert cnndsl.loads(net).stats(1, gpu="h100").memory.saved == kept[1]["saved"]  # type: ignore[union-attr]  # there is a batch


def test_the_table() -> None:
    lines = table("stats", "-", "--gpu", "h100", stdin=NET)
    assert lines[2][-4:] == ["least", "time", "bound", "by"]
    # 84.0 ns and 156.5 ns.
    assert lines[4][-2:] == ["84ns", "bandwidth"]
    assert lines[5][-2:] == ["157ns", "bandwidth"]
    text = run("stats", "-", "--gpu", "h100", stdin=NET).stdout
    assert "least time       240ns for 1 image in fp32 on H100-SXM: 0ns bound by arithmetic, 240ns by bandwidth" in text
    assert "NVIDIA, H100 Tensor Core GPU datasheet, SXM" in text
    assert "lower bound" in text


def test_groups_add_up_and_sort() -> None:
    found = data("stats", "resnet50", "--gpu", "a100-80gb", "--batch", "64", "--depth", "2", "--sort", "-time")
    times = [group["time"] for group in found["groups"]]
    assert times == sorted(times, reverse=True)
    assert sum(times) == pytest.approx(found["roofline"]["seconds"])
    for group in found["groups"]:
        if "parts" in group:
            assert sum(part["time"] for part in group["parts"]) == pytest.approx(group["time"])


def test_each_format() -> None:
    rows = list(csv.DictReader(StringIO(run("stats", "-", "--gpu", "h100", "--format", "csv", stdin=NET).stdout)))
    assert [float(row["time"]) for row in rows] == pytest.approx([CONV, RELU])
    assert [row["bound"] for row in rows] == ["bandwidth", "bandwidth"]
    for form in ("markdown", "html"):
        text = run("stats", "-", "--gpu", "h100", "--format", form, stdin=NET).stdout
        assert "157ns" in text
        assert "least time" in text
    text = run("stats", "-", "--gpu", "h100", "--format", "latex", stdin=NET).stdout
    assert "time (ns)" in text
    assert f"{RELU * 1e9:.2f} & bandwidth" in text


def test_nothing_changes_without_a_gpu() -> None:
    found = data("stats", "-", stdin=NET)
    assert "roofline" not in found
    assert "time" not in found["layers"][0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--gpu", "h1000"), "there is no card 'h1000'; did you mean `H100`?"),
        (("--gpu", "A100"), "there are A100-PCIe-40GB, A100-SXM4-40GB, A100-PCIe-80GB, A100-SXM4-80GB"),
        (("--gpu", "T4", "--dtype", "bf16"), "T4 has no arithmetic in bf16; take fp16 or amp"),
        (("--gpu", "T4", "--batch", "9" * 400), "least times are for at most 1,000,000,000,000 images"),
        (("--columns", "time"), "the column time is of a GPU: add one, as in --gpu h100"),
        (("--sort", "-bound"), "the column bound is of a GPU"),
        (("--gpu", "h100", "--format", "lecture"), "the lecture's table is as it is"),
    ],
)
def test_what_is_refused(options: tuple[str, ...], message: str) -> None:
    result = run("stats", "-", *options, stdin=NET)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_in_python_it_is_the_same() -> None:
    net = cnndsl.loads(NET)
    found = net.stats(gpu="h100")
    assert (found.memory, net.stats().roofline) == (None, None)
    assert found.roofline is not None
    assert [each.seconds for each in found.roofline.times[1:]] == pytest.approx([CONV, RELU])
    assert found.render() == run("stats", "-", "--gpu", "h100", stdin=NET).stdout.rstrip("\n")
    both = net.stats(8, dtype="fp16", gpu=find_card("T4"))
    assert both.memory is not None
    assert both.roofline is not None
    assert both.memory.plan.batch == both.roofline.batch == 8
    assert both.render() == run("stats", "-", *"--gpu T4 --batch 8 --dtype fp16".split(), stdin=NET).stdout.rstrip("\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gpu": "h1000"}, "there is no card 'h1000'; did you mean `H100`?"),
        ({"gpu": "T4", "dtype": "bf16"}, "T4 has no arithmetic in bf16; take fp16 or amp"),
        ({"batch": 0, "gpu": "h100"}, "a batch has at least one image, not 0"),
        ({"dtype": "float16"}, "there is no type 'float16'; there are fp32, fp16, bf16, amp"),
        ({"optimizer": "lion"}, "there is no optimizer 'lion'; there are sgd, momentum, adam, adamw"),
        ({"device": "gpu"}, "there is no device 'gpu'; there are cpu, cuda"),
    ],
)
def test_what_python_refuses(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        cnndsl.loads(NET).stats(**arguments)


@pytest.mark.parametrize(
    ("options", "measured", "said"),
    [
        (("--gpu", "h100"), None, "values for a GPU; they are derived"),
        (("--batch", "2"), True, "values for a GPU; they are derived"),
        (("--device", "cuda"), False, "values for a GPU; they are derived"),
        (("--dtype", "fp16"), False, "values for a GPU and for fp16; they are derived"),
        (("--device", "cuda", "--gpu", "h100"), False, "values for a GPU; they are derived"),
        ((), None, ""),
    ],
)
def test_what_is_not_measured_says_so_once(options: tuple[str, ...], measured: bool | None, said: str) -> None:
    text = run("stats", "-", *options, stdin=NET).stdout
    assert [line.split(maxsplit=2)[2] for line in text.splitlines() if line.startswith("not measured")] == [said][
        : bool(said)
    ]
    found = data("stats", "-", *options, stdin=NET)
    assert found.get("memory", {}).get("measured") is measured
    assert found.get("roofline", {"measured": False})["measured"] is False
