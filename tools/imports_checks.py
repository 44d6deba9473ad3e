"""What an imported network goes through: its figures beside PyTorch's own counter, and every command."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path
from typing import Any

COMMANDS = (
    ("stats", "{net}"),
    ("rf", "{net}"),
    ("fit", "{net}", "--memory", "24GiB", "--training"),
    ("lint", "{net}"),
    ("fmt", "--check", "{net}"),
    ("diff", "{net}", "{net}"),
    ("compile", "{net}", "-o", "{folder}/net.py"),
    ("render", "{net}", "-o", "{folder}/net.svg"),
)
"""What every imported network goes through."""


def checked(text: str, module: Any, shape: Any) -> dict[str, Any]:
    """The measures of a text, the commands that fail on it, and what is counted in another way."""
    start = time.process_time()
    failing = (*_failing(text), *_counted(text, module, shape))
    return {**measures(text), "failing": failing, "checked": round(time.process_time() - start, 1)}


def measures(text: str) -> dict[str, int]:
    """How long a text is, and of what it is made. `wide` are merges of more than two earlier values."""
    from cnndsl.importers.raising.page import words
    from cnndsl.network import loads

    graph = loads(text).graph
    merges = [node for node in graph if node.layer.ROLE == "merge"]
    wide = [node for node in merges if len(node.inputs) > 2]
    return {
        "words": words(text),
        "layers": len(graph) - len(graph.inputs),
        "blocks": len(re.findall(r"^block ", text, re.MULTILINE)),
        "references": text.count("@"),
        "merges": len(merges),
        "wide": len(wide),
        "joined": sum(len(node.inputs) for node in wide),
    }


def _failing(text: str) -> list[str]:
    """The commands that do not take a program, each with the first line of what it prints."""
    from click.testing import CliRunner

    from cnndsl.cli import cli

    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        net = Path(folder) / "net.cnn"
        net.write_text(text, encoding="utf-8")
        for command in COMMANDS:
            done = CliRunner().invoke(cli, [each.format(net=net, folder=folder) for each in command])
            stopped = done.exception is not None and not isinstance(done.exception, SystemExit)
            if stopped or done.exit_code > (command[0] == "lint"):
                printed = [repr(done.exception)] if stopped else done.output.splitlines()
                first = next((line for line in printed if line.strip()), "").replace(folder, "")
                found.append(f"{command[0]}: {first.strip()[:200]}")
    return found


def _counted(text: str, module: Any, shape: Any) -> list[str]:
    """What `stats` counts otherwise than PyTorch: parameters, and multiply-adds by FlopCounterMode.

    It counts two operations for each multiply-add of convolutions and matrix products, and nothing else.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from cnndsl.network import loads

    totals = loads(text).stats().totals
    params = sum(each.numel() for each in module.parameters())
    found = [f"params {totals.params} is {params}"] if totals.params != params else []
    module = module.to("meta").eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(torch.empty(1, shape.channels, *shape.spatial, device="meta"))
    macs, odd = divmod(counter.get_total_flops(), 2)
    return [*found, f"multiply-adds {totals.macs} are {macs}"] if odd or totals.macs != macs else found
