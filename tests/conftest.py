"""What all tests share: how Hypothesis draws and how many threads torch may take."""

from __future__ import annotations

import os
from functools import partialmethod
from inspect import signature

import pytest
from click.testing import CliRunner
from hypothesis import settings

# Set before anything imports torch: the test processes run side by side and must not fight over the cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

# Before click 8.2 both streams were one unless told otherwise. A method is replaced, which types do not allow.
if "mix_stderr" in signature(CliRunner).parameters:
    CliRunner.__init__ = partialmethod(CliRunner.__init__, mix_stderr=False)  # type: ignore[method-assign, assignment]

settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the expected outputs anew")
