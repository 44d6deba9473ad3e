"""`cnndsl bench`: the speed of a network on this machine."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

import click

from cnndsl.commands.common import complain, force_option, network, program_argument, settings_option
from cnndsl.commands.tables import deliver, output_option
from cnndsl.commands.types import OneOf, WholeNumber
from cnndsl.commands.usage import Subcommand

if TYPE_CHECKING:
    from cnndsl.analysis.lifetimes import Dtype
    from cnndsl.runtime.bench import Timing

DTYPES = ("fp32", "fp16", "bf16", "amp")
_DEVICE = re.compile(r"(cpu|cuda|mps|xpu)(:\d+)?")


@click.command("bench", cls=Subcommand)
@program_argument
@settings_option
@click.option("--batch", type=WholeNumber(1), default=1, show_default=True, help="The number of images in a batch.")
@click.option(
    "--dtype",
    type=OneOf(DTYPES),
    default="fp32",
    show_default=True,
    help="The type of values; amp is autocast to bf16.",
)
@click.option(
    "--device",
    metavar="DEVICE",
    help="The device: cpu, cuda, cuda:1, mps or xpu.  [default: the accelerator, else cpu]",
)
@click.option("--training", is_flag=True, help="Time a step of SGD instead of a forward pass.")
@click.option("--channels-last", is_flag=True, help="Use the channels-last memory format.")
@click.option("--compile", "compiled", is_flag=True, help="Compile the module with torch.compile.")
@click.option("--runs", type=WholeNumber(1), default=10, show_default=True, help="The number of runs to time.")
@click.option("--format", type=OneOf(["table", "json"]), default="table", show_default=True, help="The output format.")
@output_option
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    batch: int,
    dtype: str,
    device: str | None,
    training: bool,
    channels_last: bool,
    compiled: bool,
    runs: int,
    format: str,
    output: str | None,
    force: bool,
) -> None:
    """Benchmark a network on this machine.

    Needs torch. Prints images per second, measured peak memory (on a GPU) beside the prediction, and the limits of the
    device if its data sheet is known. The flops are those of convolutions and matrix products, three times as many in
    training; the traffic is the least that the layers need.

    \b
    cnndsl bench resnet50 --batch 32 --dtype amp --channels-last
    cnndsl bench net.cnn --training --compile
    """
    from cnndsl.files import check_new
    from cnndsl.runtime.bench import BenchPlan, bench

    if device is not None and _DEVICE.fullmatch(device) is None:
        hint = "; write --device cuda" if device.casefold() in ("gpu", "nvidia") else ""
        complain(f"cannot run on {device}: --device must be cpu, cuda, mps or xpu, with a number as in cuda:1{hint}")
        raise SystemExit(1)
    graph = network(file, settings).graph
    if output is not None and output != "-":
        check_new(output, force=force)
    plan = BenchPlan(batch, cast("Dtype", dtype), device or _best(), training, channels_last, compiled, runs)
    try:
        timing = bench(graph, plan)
    except (RuntimeError, AssertionError, NotImplementedError) as stop:
        complain(f"cannot run on {plan.device}: {_reason(plan.device, str(stop))}")
        raise SystemExit(1) from None
    deliver(json.dumps(_data(timing), indent=2) if format == "json" else _table(timing), output, force=force)


def _reason(device: str, told: str) -> str:
    """Return why the module does not run; if the device exists, only torch's own message is known."""
    import torch

    kind = device.partition(":")[0]
    found = torch.accelerator.current_accelerator(check_available=True)
    if kind != "cpu" and (found is None or found.type != kind):
        return f"torch finds no such device; it finds {'cpu' if found is None else f'{found.type} and cpu'}"
    return f"torch says: {told.strip().splitlines()[0]}" if told.strip() else "torch gives no reason"


def _best() -> str:
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    return "cpu" if accelerator is None else accelerator.type


def _data(timing: Timing) -> dict[str, object]:
    limits = timing.peak
    return {
        "device": timing.device,
        "batch": timing.plan.batch,
        "dtype": timing.plan.dtype,
        "training": timing.plan.training,
        "seconds": {"median": timing.median, "min": min(timing.seconds), "max": max(timing.seconds)},
        "images_per_second": timing.images_per_second,
        "flops_per_second": timing.flops_per_second,
        "bytes_per_second": timing.bytes_per_second,
        "peak_flops_per_second": (limits and limits.peak(timing.plan.dtype)) or None,
        "peak_bytes_per_second": limits and limits.bandwidth,
        "measured_bytes": timing.measured_bytes,
        "predicted_bytes": timing.predicted_bytes,
    }


def _table(timing: Timing) -> str:
    from cnndsl.report.number_format import human, memory

    what = "training step" if timing.plan.training else "forward pass"
    limits = timing.peak
    arithmetic = f"{human(round(timing.flops_per_second))}flop/s"
    traffic = f"at least {human(round(timing.bytes_per_second))}B/s"
    if limits is not None:
        if most := limits.peak(timing.plan.dtype):
            arithmetic += f", {timing.flops_per_second / most:.0%} of {human(round(most))}"
        traffic += f", {timing.bytes_per_second / limits.bandwidth:.0%} of {human(round(limits.bandwidth))}"
    measured = "not told by this device" if timing.measured_bytes is None else memory(timing.measured_bytes)
    rows = [
        ("device", timing.device),
        (what, f"{timing.median * 1000:.3g} ms ({min(timing.seconds) * 1000:.3g} to {max(timing.seconds) * 1000:.3g})"),
        ("images/s", f"{timing.images_per_second:,.1f}"),
        ("peak memory", f"{measured}; predicted {memory(timing.predicted_bytes)}"),
        ("arithmetic", arithmetic),
        ("traffic", traffic),
    ]
    return "\n".join(f"{name:<15}{text}" for name, text in rows)
