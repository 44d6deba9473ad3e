"""The examples run as their own docstrings say, on a family of the zoo. Slow: they bring large libraries along."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.slow
@pytest.mark.parametrize(("script", "count"), [("optuna_search.py", "30"), ("ray_tune_search.py", "4")])
def test_an_example_finds_members(script: str, count: str, tmp_path: Path) -> None:
    environment = {**os.environ, "RAY_USAGE_STATS_ENABLED": "0", "HOME": str(tmp_path)}
    command = [sys.executable, str(EXAMPLES / script), "recipe", count]
    result = subprocess.run(
        command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    last = result.stdout.strip().splitlines()[-1]
    assert last.startswith("{'N': ")
    assert last.split()[-1].isdigit()
