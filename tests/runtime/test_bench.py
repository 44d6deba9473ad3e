"""`cnndsl bench`: what it counts, and that what it times is what was asked for."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from cnndsl import loads
from cnndsl.analysis.cards import CARDS
from cnndsl.cli import cli
from cnndsl.runtime.bench import BenchPlan, Timing, bench
from cnndsl.runtime.devices import peak

TEXT = "INPUT 8x8x3 -> CONV3-4 -> BN -> RELU -> tap aux(train): [GAP -> FC-5] -> GAP -> FC-2"
FORWARD_MACS = 8 * 8 * 27 * 4 + 4 * 2
AUX_MACS = 4 * 5


def timed(text: str = TEXT, **options: object) -> Timing:
    return bench(loads(text).graph, BenchPlan(runs=2, **options))  # type: ignore[arg-type]


def test_a_forward_pass_counts_what_runs_in_use() -> None:
    timing = timed(batch=3)
    assert timing.flops == 2 * 3 * FORWARD_MACS
    assert len(timing.seconds) == 2
    assert timing.images_per_second == 3 / timing.median
    parameters = (27 + 1) * 4 + 2 * 4 + (4 + 1) * 2
    values = (192 + 256) + (256 + 256) * 2 + (256 + 4) + (4 + 2)
    assert timing.moved_bytes == 4 * (3 * values + parameters)


def test_training_is_three_times_as_much_and_has_the_taps() -> None:
    assert timed(batch=2, training=True).flops == 3 * 2 * 2 * (FORWARD_MACS + AUX_MACS)


@pytest.mark.parametrize("options", [{}, {"training": True}])
def test_measured_memory_is_near_the_prediction(options: dict[str, bool]) -> None:
    timing = timed("INPUT 8x8x3 -> CONV3-4 -> BN -> RELU -> POOL2 -> FC-2", batch=64, **options)
    assert timing.measured_bytes is not None
    assert timing.predicted_bytes == pytest.approx(timing.measured_bytes, rel=0.02)


@pytest.mark.parametrize(
    "options", [{"dtype": "bf16"}, {"dtype": "amp", "training": True}, {"channels_last": True, "training": True}]
)
def test_every_way_of_running_it_runs(options: dict[str, object]) -> None:
    assert timed(batch=2, **options).median > 0


def test_the_command_prints_json_and_a_table() -> None:
    runner = CliRunner()
    result = runner.invoke(cli, ["bench", "lenet5", "--runs", "2", "--format", "json", "--device", "cpu"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["batch"] == 1
    result = runner.invoke(cli, ["bench", "lenet5", "--runs", "2", "--device", "cpu", "--training"])
    assert "images/s" in result.output


def test_a_device_that_is_not_there_is_told_in_one_line() -> None:
    result = CliRunner().invoke(cli, ["bench", "lenet5", "--device", "nowhere"])
    assert result.exit_code == 1
    assert result.output.startswith("error: cannot run on nowhere: ")


def test_devices_are_found_by_the_names_that_pytorch_gives() -> None:
    assert peak("NVIDIA A100-SXM4-80GB") is CARDS["A100-SXM4-80GB"]
    assert peak("NVIDIA A100 80GB PCIe") is CARDS["A100-PCIe-80GB"]
    assert peak("NVIDIA H100 80GB HBM3") is CARDS["H100-SXM"]
    assert peak("Tesla V100-SXM2-16GB") is CARDS["V100-SXM2-16GB"]
    assert peak("NVIDIA RTX 6000 Ada Generation") is CARDS["RTX-6000-Ada"]
    assert peak("Tesla T4") is CARDS["T4"]
    assert peak("AMD EPYC") is None
    assert peak("cpu, x86_64, 2 threads") is None
