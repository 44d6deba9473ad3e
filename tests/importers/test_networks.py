"""Small networks of five families, imported with all checks; `make imports-two` has all families."""

from __future__ import annotations

import sys

import pytest

import cnndsl
from tests.commands.running import run
from tests.oracle import torchvision

SMALL = {
    # parameters as in torchvision's table of weights; of timm's by counting the module's
    "torchvision:squeezenet1_1": 1_235_496,
    "timm:test_resnet": None,
    "timm:test_efficientnet": None,
    "timm:test_convnext": None,
    "timm:test_byobnet": None,
}


@pytest.mark.parametrize(("target", "params"), SMALL.items(), ids=list(SMALL))
def test_a_small_network_of_a_family(target: str, params: int | None) -> None:
    assert torchvision.__name__ in sys.modules
    done = run("import", target)
    assert done.exit_code == 0, done.stderr
    if params is None:
        import timm

        params = sum(each.numel() for each in timm.create_model(target.partition(":")[2]).parameters())
    assert cnndsl.loads(done.stdout).stats().totals.params == params
