"""`cnndsl zoo` with metrics. What it lists without any is tested in test_cli.py."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.commands.running import run, table

PUBLISHED = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnet101": 44_549_160}
"""Parameters as torchvision publishes them."""


def test_a_test_and_an_order() -> None:
    least = min(PUBLISHED.values())
    found = table("zoo", "resnet", "--where", f"params > {least} and params < 45M and depth >= 34", "--sort", "-params")
    assert [row[0] for row in found if row[0] in PUBLISHED] == ["resnet101", "resnet50", "resnet34"]
    assert found[0] == ["name", "params"]


def test_columns() -> None:
    found = table("zoo", "resnet18", "--columns", "params,buffers,output")
    assert found == [["name", "params", "buffers", "output"], ["resnet18", "11.7M", "9.62K", "1000"]]


def test_the_metrics_of_the_test_are_shown_where_none_are_chosen() -> None:
    assert table("zoo", "resnet18", "--where", "buffers == 9620 or depth == 0")[0] == ["name", "buffers", "depth"]


def test_columns_are_called_as_in_the_other_tables() -> None:
    columns = "memory,inference,training,receptive_field"
    heads = run("zoo", "resnet18", "--columns", columns).stdout.splitlines()[0]
    assert re.split(r"  +", heads) == ["name", "CS231n memory", "peak in use", "peak in training", "receptive field"]


def test_a_file_here_is_no_bundled_network() -> None:
    Path("resnet18").write_text("INPUT 8x8x1 -> FC-2")
    assert table("zoo", "resnet18", "--columns", "params")[1] == ["resnet18", "11.7M"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--where", "parms < 5M"), 1, "did you mean `params`?"),
        (("--where", "params"), 1, "a test must be yes or no"),
        (("--sort", "-macks"), 2, "there is no metric 'macks'; did you mean `macs`?"),
        (("--columns", "params,size"), 2, "there is no metric 'size'"),
        (("--columns", "params,receptive field"), 2, "did you mean `receptive_field`?"),
    ],
)
def test_what_is_no_test_is_told(options: tuple[str, ...], code: int, message: str) -> None:
    result = run("zoo", "lenet5", *options)
    assert result.exit_code == code, result.output
    assert message in result.stderr
