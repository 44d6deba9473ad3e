"""What users' code and weights depend on stays: class names, constructor arguments, keys of the state dict in order.

`compatibility.json` was written from the emitter that this one replaced. A difference is a change that
users must be told of: it belongs in the CHANGELOG with its reason before the list may follow.
"""

from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path

import pytest
import torch

import cnndsl
from tests.bundled import marked

STORED: dict[str, dict[str, object]] = json.loads(
    (Path(__file__).parent / "compatibility.json").read_text(encoding="utf-8")
)


def test_every_bundled_network_is_in_the_list() -> None:
    assert set(STORED) == set(cnndsl.zoo())


@pytest.mark.parametrize("name", marked(STORED))
def test_class_arguments_and_keys(name: str) -> None:
    with torch.device("meta"):
        module = cnndsl.load(name).module()
    keys = list(module.state_dict())
    found = {
        "class": type(module).__name__,
        "arguments": str(inspect.signature(type(module).__init__)),
        "entries": len(keys),
        "sha256": hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16],
    }
    assert found == STORED[name]
